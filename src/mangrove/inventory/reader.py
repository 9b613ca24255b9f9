"""Read one type in one place, page by page: the list, then the tags and regions that the list leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from mangrove.inventory.rows import Place, Row, find_name, last_part
from mangrove.resources.kinds import Kind
from mangrove.resources.listing import pages_of_kind
from mangrove.resources.lookups import Lookup, batches, is_gone, read_tags, search
from mangrove.resources.objects import facts_of

__all__ = ["Reader"]

# What S3 still answers for buckets made before its first European region had a name.
_OLD_NAMES = {"EU": "eu-west-1"}


class Reader:
    """Read one type in one place.

    Args:
        kind: the type.
        service: the service resource of the place; nobody else's, as boto3's resources are not for several threads.
        place: the partition, region and account that are listed.
        homes: gives the client of another region of the account, or None where that region was not asked for.
    """

    def __init__(self, kind: Kind, service: Any, place: Place, homes: Callable[[str], Any] | None = None) -> None:
        self.faults: list[Exception] = []
        self._kind, self._service, self._place = kind, service, place
        self._client = service.meta.client
        self._homes = homes or (lambda _region: self._client)

    def read(self) -> Iterator[list[Row]]:
        """Yield the rows of each answer; what fails for one resource alone is added to `faults`.

        Raises:
            botocore.exceptions.ClientError: AWS refused the list itself.
        """
        for page in pages_of_kind(self._kind, self._service, self.faults.append):
            rows = list(self._rows_at_home(page) if self._kind.home else self._rows(page))
            if rows:
                yield rows

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _rows(self, page: list[Any]) -> Iterator[Row]:
        lookup = self._kind.tags
        if lookup is None:
            for each in page:
                tags = self._own_tags(each)
                yield self._row(_facts(each, self._arn(each)), tags)
            return
        facts = [_facts(each, self._arn(each)) for each in page]
        if lookup.batch or not lookup.param:
            yield from self._rows_together(facts, lookup)
        else:
            yield from (self._row(each, self._ask_tags(lookup, each, self._client)) for each in facts)

    def _rows_together(self, facts: list[_Facts], lookup: Lookup) -> Iterator[Row]:
        for batch in batches(facts, lookup.batch or len(facts) or 1):
            found = self._ask_together(lookup, batch)
            for each in batch:
                key = search(lookup.of, each)
                yield self._row(each, read_tags(found[key]) if key in found else None)

    def _ask_together(self, lookup: Lookup, batch: Sequence[_Facts]) -> Mapping[str, Any]:
        try:
            return lookup.many(self._client, batch) if lookup.param else self._everything
        except Exception as error:  # noqa: BLE001  the rows are real without their tags, and the fault is told
            if len(batch) > 1 and lookup.param and is_gone(error):
                # One that was deleted since the list must not cost the others theirs.
                return {key: tags for each in batch for key, tags in self._ask_together(lookup, [each]).items()}
            self.faults.append(error)
            return {}

    @cached_property
    def _everything(self) -> Mapping[str, Any]:
        if self._kind.tags is None:
            return {}
        return self._kind.tags.all(self._client)

    def _rows_at_home(self, page: list[Any]) -> Iterator[Row]:
        lookup = self._kind.tags
        for each in page:
            facts = _facts(each, self._arn(each))
            try:
                region = self._home(facts)
                client = self._homes(region)
            except Exception as error:  # noqa: BLE001  one bucket that is gone or closed costs only itself
                self.faults.append(error)
                continue
            if client is not None:
                tags = self._ask_tags(lookup, facts, client) if lookup else self._own_tags(each)
                yield self._row(facts, tags, region)

    def _home(self, facts: _Facts) -> str:
        kind = self._kind
        region = search(kind.home, facts) if kind.home else None
        if not region and kind.home_call:
            region = kind.home_call.one(self._client, facts)
        name = str(region) if region else self._place.region
        return _OLD_NAMES.get(name, name)

    def _arn(self, resource: Any) -> str | None:
        spec = facts_of(resource).arn
        try:
            # What a list has told without its ARN is not asked for again, unless only that tells it.
            arn: str | None = resource.get_arn(load=spec is not None and (spec.load or resource.meta.data is None))
        except Exception as error:  # noqa: BLE001  the row is real without its ARN, and the fault is told
            self.faults.append(error)
            return None
        return arn

    def _own_tags(self, resource: Any) -> dict[str, str] | None:
        try:
            tags: dict[str, str] | None = resource.get_tags()
        except Exception as error:  # noqa: BLE001  as above
            self.faults.append(error)
            return None
        return tags

    def _ask_tags(self, lookup: Lookup, facts: _Facts, client: Any) -> dict[str, str] | None:
        try:
            return read_tags(lookup.one(client, facts))
        except Exception as error:  # noqa: BLE001  as above
            self.faults.append(error)
            return None

    def _row(self, facts: _Facts, tags: Mapping[str, str] | None, region: str | None = None) -> Row:
        return Row(
            account=self._place.account,
            region=region or self._place.region,
            service=self._kind.service,
            type=self._kind.name,
            name=facts["name"],
            arn=facts["arn"],
            tags=tags,
            partition=self._place.partition,
            data=facts["data"],
        )


_Facts: TypeAlias = dict[str, Any]


def _facts(resource: Any, arn: str | None) -> _Facts:
    """Return what calls about a resource, and its row, are made of; members of the data stand beside ours."""
    facts = facts_of(resource)
    data = resource.meta.data if isinstance(resource.meta.data, Mapping) else {}
    identifiers = {name: getattr(resource, name, None) for name in facts.names}
    return {
        **data,
        "arn": arn,
        "arn_id": last_part(arn) if arn else None,
        "id": next(reversed(identifiers.values()), None),
        "name": find_name(facts.type, identifiers, data),
        "data": {name: value for name, value in data.items() if name != "ResponseMetadata"},
    }
