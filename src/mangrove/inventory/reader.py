"""Make the calls of one listing against one client: pages, then the tags and regions that the pages leave out."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from mangrove.errors import MangroveError
from mangrove.inventory.listing import Listing, Lookup, Place, Row, find_items, find_row, read_tags, search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Reader", "pages"]

# What S3 still answers for buckets made before its first European region had a name.
_OLD_NAMES = {"EU": "eu-west-1"}


def pages(client: Any, operation: str, fixed: Mapping[str, Any], page_size: int | None = None) -> Iterator[Any]:
    """Yield every answer of an operation, paginated by botocore where it can, by the token where it cannot.

    Args:
        client: a botocore client.
        operation: its method.
        fixed: the arguments.
        page_size: how many items to ask for at once.

    Example:
        >>> class Client:
        ...     def can_paginate(self, name): return False
        ...     def list_event_buses(self): return {"EventBuses": []}
        >>> list(pages(Client(), "list_event_buses", {}))
        [{'EventBuses': []}]
    """
    if client.can_paginate(operation):
        config = {} if page_size is None else {"PageSize": page_size}
        yield from client.get_paginator(operation).paginate(**fixed, PaginationConfig=config)
        return
    token: dict[str, Any] = {}
    while True:
        page = getattr(client, operation)(**fixed, **token)
        yield page
        if not page.get("NextToken") or page["NextToken"] == token.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


class Reader:
    """Read one listing in one place, page by page.

    Args:
        listing: the entry of the table.
        client: the client of the place.
        place: the partition, region and account listed.
        homes: gives the client of another region of the account, or None where that region was not asked for.

    Example:
        >>> from mangrove.inventory.table import LISTINGS
        >>> Reader(LISTINGS[0], client=None, place=Place("aws", "us-east-1", "111111111111")).faults
        []
    """

    def __init__(self, listing: Listing, client: Any, place: Place, homes: Callable[[str], Any] | None = None) -> None:
        self.faults: list[Exception] = []
        self._listing = listing
        self._client = client
        self._place = place
        self._homes = homes or (lambda _region: client)

    def read(self) -> Iterator[list[Row]]:
        """Yield the rows of each answer; what fails for one item alone is added to `faults`.

        Raises:
            botocore.exceptions.ClientError: AWS refused the list itself.
        """
        for arguments in self._arguments():
            for page in pages(self._client, self._listing.operation, arguments, self._listing.page_size):
                rows = list(self._rows(find_items(self._listing, page)))
                if rows:
                    yield rows

    def _arguments(self) -> Iterator[dict[str, Any]]:
        fixed, each = dict(self._listing.fixed), self._listing.each
        if each is None:
            yield fixed
            return
        for page in pages(self._client, each.operation, {}):
            for value in search(each.values, page) or []:
                yield {**fixed, each.param: value}

    def _rows(self, items: list[dict[str, Any]]) -> Iterator[Row]:
        listing = self._listing
        if listing.home is not None:
            yield from self._rows_at_home(items)
        elif listing.tag_call is not None and listing.tag_call.batch:
            yield from self._rows_in_batches(items, listing.tag_call)
        else:
            for item in items:
                yield self._tagged(find_row(listing, item, self._place), item, self._client)

    def _rows_at_home(self, items: list[dict[str, Any]]) -> Iterator[Row]:
        for item in items:
            try:
                region = self._home(item)
                client = self._homes(region)
            except Exception as error:  # noqa: BLE001  one bucket that is gone or closed costs only itself
                self.faults.append(error)
                continue
            if client is not None:
                row = find_row(self._listing, item, self._place._replace(region=region))
                yield self._tagged(row, item, client)

    def _home(self, item: Mapping[str, Any]) -> str:
        listing = self._listing
        region = search(listing.home, item) if listing.home else None
        if not region and listing.home_call:
            region = self._ask(listing.home_call, item, self._client)
        name = str(region) if region else self._place.region
        return _OLD_NAMES.get(name, name)

    def _tagged(self, row: Row, item: Mapping[str, Any], client: Any) -> Row:
        call = self._listing.tag_call
        if call is None:
            return row
        try:
            return replace(row, tags=read_tags(self._ask(call, {**item, "Arn": row.arn}, client)))
        except Exception as error:  # noqa: BLE001  the row is real without its tags, and the fault is told
            self.faults.append(error)
            return row

    def _rows_in_batches(self, items: list[dict[str, Any]], call: Lookup) -> Iterator[Row]:
        left = iter(items)
        while batch := list(islice(left, call.batch)):
            found = self._ask_batch(call, batch)
            for item in batch:
                row = find_row(self._listing, item, self._place)
                key = search(call.of, item)
                yield replace(row, tags=read_tags(found[key])) if key in found else row

    def _ask_batch(self, call: Lookup, batch: list[dict[str, Any]]) -> dict[str, Any]:
        keys = [search(call.of, item) for item in batch]
        try:
            answer = getattr(self._client, call.operation)(**{call.param: keys}, **dict(call.fixed))
        except Exception as error:  # noqa: BLE001  as above, for the whole batch
            self.faults.append(error)
            return {}
        return {entry["key"]: entry["value"] for entry in search(call.result, answer) or []}

    def _ask(self, call: Lookup, item: Mapping[str, Any], client: Any) -> Any:
        value = search(call.of, item)
        if not value:
            text = f"no {call.of} to call {self._listing.service}:{call.operation} with"
            raise MangroveError(text)
        try:
            answer = getattr(client, call.operation)(**{call.param: value}, **dict(call.fixed))
        except Exception as error:
            if _code(error) in call.none_on:
                return None
            raise
        return search(call.result, answer)


def _code(error: Exception) -> str:
    # A ClientError is known by what it carries, so that this room needs nothing of botocore.
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
