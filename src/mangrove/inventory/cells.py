"""Cut the work into cells, one listing in one region of one account, which share the pool of account and service."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from mangrove.inventory.listing import Listing, Place
from mangrove.inventory.reader import Reader
from mangrove.pool import ServicePool

__all__ = ["GLOBAL", "Cell", "Share", "Tally", "places", "plan"]

GLOBAL = "aws-global"
"""The region of a cell that speaks for a whole account."""


class Tally(threading.local):
    """Count the requests of the current thread."""

    calls = 0

    def sent(self, **_event: Any) -> None:
        """Count one; a handler of the client's event."""
        self.calls += 1


class Share:
    """Share one pool between the cells of an account and service: opened by the first, closed by the last."""

    def __init__(self, session: Any, service: str, regions: Sequence[str], cells: int) -> None:
        self._session, self._service, self._regions = session, service, regions
        self._left = cells
        self._lock = threading.Lock()
        self._pool: ServicePool | None = None
        self._error: Exception | None = None

    def handles(self) -> Mapping[str, Any]:
        """Return the pool's regions, opening it if this is the first cell."""
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._pool is None:
                try:
                    self._pool = ServicePool(service=self._service, session=self._session, regions=list(self._regions))
                except Exception as error:
                    # Every cell of the account and service fails for this reason; it is not tried for each.
                    self._error = error
                    raise
            regions: Mapping[str, Any] = self._pool.regions
            return regions

    def release(self) -> bool:
        """Give back one cell; tell whether it was the last."""
        with self._lock:
            self._left -= 1
            if self._left > 0:
                return False
        self.close()
        return True

    def close(self) -> None:
        """Close the pool if it is open."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            # What was found stands, whether or not its connections end in good order.
            with suppress(Exception):
                pool.close()


@dataclass(frozen=True, slots=True)
class Cell:
    """Be one listing in one region of one account.

    Args:
        account: the account.
        region: the region, or `GLOBAL`.
        listing: what to list.
        share: the pool that it shares.
    """

    account: str
    region: str
    listing: Listing
    share: Share

    def open(self, tally: Tally) -> Reader:
        """Return the reader of this cell, its clients counting into the tally."""
        handles = self.share.handles()
        region = _any_enabled(handles) if self.region == GLOBAL else self.region
        client = _counted(handles[region].client, tally)

        def home(name: str) -> Any:
            return _counted(handles[name].client, tally) if name in handles else None

        return Reader(self.listing, client, Place(client.meta.partition, region, self.account), home)


def _any_enabled(handles: Mapping[str, Any]) -> str:
    """Return where an account's single list is made: a global service's only region, or any of a regional one."""
    enabled = (name for name, handle in handles.items() if handle.info.status != "disabled")
    return next(enabled, next(iter(handles)))


def _counted(client: Any, tally: Tally) -> Any:
    # One event for each request that is built, retries included; the id makes registering twice the same as once.
    client.meta.events.register("request-created", tally.sent, unique_id="mangrove-inventory-calls")
    return client


def plan(accounts: Mapping[str, Any], regions: Sequence[str], listings: Sequence[Listing]) -> Iterator[Cell]:
    """Yield the cells, service by service: few pools are open at once, and neighbours belong to different accounts.

    Args:
        accounts: each account's id and session.
        regions: the regions.
        listings: what to list.
    """
    by_service = groupby(sorted(listings, key=lambda listing: listing.service), key=lambda listing: listing.service)
    for service, group in by_service:
        entries = [(listing, region) for listing in group for region in places(listing, regions)]
        for account, session in accounts.items():
            share = Share(session, service, regions, len(entries))
            yield from (Cell(account, region, listing, share) for listing, region in entries)


def places(listing: Listing, regions: Sequence[str]) -> Sequence[str]:
    """Return where a listing is made in an account.

    Args:
        listing: what to list.
        regions: the regions asked for.

    Example:
        >>> places(Listing("iam", "role", "list_roles", "Roles", "RoleName", ("Arn",), scope="account"), ["us-east-1"])
        ('aws-global',)
    """
    return (GLOBAL,) if listing.scope == "account" else regions
