"""The handles of a pool, found once, looked up by any of a region's names, and added to while others read."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Generic, cast

from mangrove._concurrency import Once
from mangrove.aws.partitions import region_key
from mangrove.aws.regions import Region, RegionsAnswer, Skipped, few
from mangrove.aws.services import one_of
from mangrove.errors import NotConnectedError, PoolClosedError
from mangrove.pool.handle import RegionHandle, RegionState
from mangrove.pool.identity import Identity
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
    """Hold the handles of one pool under one identity; a pool that takes another identity takes other connections.

    Args:
        identity: whose credentials the handles use.
        offer: the checked question for regions; it is asked at the first use.
        make: makes the handle of a region.
        owner: the pool's repr, for messages.
    """

    def __init__(
        self, identity: Identity, offer: Offer, make: Callable[[Region, Identity], RegionHandle], owner: str
    ) -> None:
        self.identity = identity
        self.offer = offer
        self.added = offer.added
        self._make = make
        self._owner = owner
        self._lock = threading.RLock()
        self._closed = ""
        self._answer = Once[RegionsAnswer]()
        self._handles: Mapping[str, H] | None = None

    def table(self) -> Mapping[str, H]:
        """Return the handles by name; the first use may call AWS."""
        handles = self._handles
        if handles is None:
            # Asked outside the lock: closing does not wait for a slow answer.
            answer = self.answer()
            with self._lock:
                self._check_open()
                if self._handles is None:
                    self._handles = {region.name: self._new(region) for region in answer.regions}
                handles = self._handles
        return handles

    def _new(self, region: Region) -> H:
        return cast("H", self._make(region, self.identity))

    def _check_open(self) -> None:
        if self._closed:
            text = f"{self._owner} was closed: {self._closed}"
            raise PoolClosedError(text)

    def known(self) -> Mapping[str, H]:
        """Return the handles if they are known already, or none: to look is not to call."""
        return self._handles or {}

    def answer(self) -> RegionsAnswer:
        """Return where the regions come from."""
        return self._answer.get(self.offer.answer)

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
        if self.offer.answers_to(key):
            return next(iter(table.values()))
        why = next((f": {skip}" for skip in self.skipped() if skip.name == key), "")
        text = f"{self._owner} has no connection to {name!r}{why}; it has {few(table)}"
        raise NotConnectedError(text if why else f"{text}; pool.add_region(...) adds one{one_of(key, table)}")

    def default(self) -> H:
        """Return the handle of the default region; a pool of one region needs none.

        Raises:
            NotConnectedError: the pool has none.
        """
        name = self.offer.default_region
        if name is not None:
            return self.find(name)
        table = self.table()
        if len(table) == 1:
            return next(iter(table.values()))
        text = f"{self._owner} has no default region; make it with default_region= one of {few(table)}"
        raise NotConnectedError(text)

    def add(self, name: object) -> H:
        """Add a region, checked as the others are, and return its handle; twice is once."""
        region = self.offer.one(name)
        self.table()
        with self._lock:
            self._check_open()
            table = self.known()
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

    def close(self, why: str) -> None:
        """Close every client that was made, whatever one of them does.

        Args:
            why: what to tell who uses them afterwards.
        """
        with self._lock, contextlib.ExitStack() as stack:
            self._closed = why
            for handle in self.known().values():
                stack.callback(handle._close, why)
