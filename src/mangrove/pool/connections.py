"""The handles of a pool, found once, looked up by any of a region's names, and added to while others read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Generic, cast

from mangrove.aws.partitions import region_key
from mangrove.aws.regions import Region, RegionsAnswer, Skipped, few
from mangrove.aws.services import one_of
from mangrove.errors import NotConnectedError
from mangrove.pool.handle import RegionHandle, RegionState
from mangrove.pool.offer import Offer

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from mangrove.pool.handle import AnyRegionHandle

    H = TypeVar("H", bound=RegionHandle, default=AnyRegionHandle)
else:
    from typing import TypeVar

    H = TypeVar("H")

__all__ = ["Connections", "H"]


class Connections(Generic[H]):
    """Hold the handles of one pool.

    Args:
        offer: the checked question for regions; it is asked at the first use.
        make: makes the handle of a region.
        added: regions that were added to the pool before.
        owner: the pool's repr, for messages.
    """

    def __init__(
        self, offer: Offer, make: Callable[[Region], RegionHandle], added: tuple[str, ...], owner: str
    ) -> None:
        self.added = added
        self._offer = offer
        self._make = make
        self._owner = owner
        self._lock = threading.RLock()
        self._answer: RegionsAnswer | None = None
        self._handles: Mapping[str, H] | None = None

    def table(self) -> Mapping[str, H]:
        """Return the handles by name; the first use may call AWS."""
        handles = self._handles
        if handles is None:
            with self._lock:
                if self._handles is None:
                    self._answer = self._offer.answer()
                    regions = [*self._answer.regions, *map(self._offer.one, self.added)]
                    self._handles = {region.name: self._new(region) for region in regions}
                handles = self._handles
        return handles

    def _new(self, region: Region) -> H:
        return cast("H", self._make(region))

    def answer(self) -> RegionsAnswer:
        """Return where the regions come from."""
        self.table()
        return cast("RegionsAnswer", self._answer)

    def skipped(self) -> tuple[Skipped, ...]:
        """Return the regions that were asked for and left out."""
        return self.answer().skipped

    def find(self, name: object) -> H:
        """Return one handle by any of its names.

        Raises:
            NotConnectedError: there is none; the message says why.
        """
        table = self.table()
        key = region_key(name) if isinstance(name, str) else ""
        if key in table:
            return table[key]
        if self._offer.answers_to(key):
            return next(iter(table.values()))
        why = next((f": {skip}" for skip in self.skipped() if skip.name == key), "")
        text = f"{self._owner} has no connection to {name!r}{why}; it has {few(table)}"
        raise NotConnectedError(text if why else f"{text}; pool.add_region(...) adds one{one_of(key, table)}")

    def default(self) -> H:
        """Return the handle of the default region.

        Raises:
            NotConnectedError: the pool has none.
        """
        name = self._offer.default_region
        if name is None:
            text = f"{self._owner} has no default region; make it with default_region='...'"
            raise NotConnectedError(text)
        return self.find(name)

    def add(self, name: object) -> H:
        """Add a region, checked as the others are, and return its handle; twice is once."""
        region = self._offer.one(name)
        with self._lock:
            table = self.table()
            if region.name in table:
                return table[region.name]
            handle = self._new(region)
            # New tables, not changed ones: other threads may be walking the old ones.
            self.added = (*self.added, region.name)
            self._handles = {**table, region.name: handle}
            return handle

    def states(self) -> dict[str, RegionState]:
        """Return the state of every region, those left out included."""
        states = {name: handle._state() for name, handle in self.table().items()}
        for skip in self.skipped():
            states.setdefault(skip.name, RegionState(skip.name, skip.reason, f"says {skip.source}"))
        return states

    def close(self) -> None:
        """Close every client that was made."""
        with self._lock:
            for handle in (self._handles or {}).values():
                handle._close()
