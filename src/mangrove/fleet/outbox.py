"""Hold results between the threads that find them and the one that reads them: bounded, in order if asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from mangrove.fleet.outcome import Outcome

__all__ = ["AsTheyCome", "Event", "InTheirOrder", "Index", "Outbox"]

Index = tuple[int, int]
Event = Sequence[Any] | Outcome[Any]
"""Rows of a target, or what became of it."""


class Outbox(Protocol):
    """Hold events; whoever uses it has a lock of their own."""

    def put(self, index: Index, event: Event) -> None:
        """Add an event of a target; it always takes it."""
        ...

    def opened(self, account: int, targets: int) -> None:
        """Say how many targets an account has."""
        ...

    def take(self) -> Event | None:
        """Return the next event that may be read, or None."""
        ...

    def wants(self, index: Index) -> bool:
        """Tell whether there is room for more of a target: else it waits, for its reader is slow."""
        ...

    @property
    def ready(self) -> int:
        """Return how many events may be read."""
        ...


class AsTheyCome:
    """Hand events out in the order in which they come.

    Args:
        most: events that may wait for the reader; what is under way when there are as many comes on top.

    Example:
        >>> box = AsTheyCome(most=1)
        >>> box.put((1, 0), ["late"])
        >>> box.wants((0, 0)), box.take(), box.wants((0, 0))
        (False, ['late'], True)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._events: deque[Event] = deque()

    def put(self, index: Index, event: Event) -> None:  # noqa: ARG002  the order of the targets does not matter here
        """Add an event."""
        self._events.append(event)

    def opened(self, account: int, targets: int) -> None:
        """Do nothing."""

    def take(self) -> Event | None:
        """Return the next event, or None."""
        return self._events.popleft() if self._events else None

    def wants(self, index: Index) -> bool:  # noqa: ARG002
        """Tell whether there is room."""
        return len(self._events) < self._most

    @property
    def ready(self) -> int:
        """Return how many events may be read."""
        return len(self._events)


class InTheirOrder:
    """Hand events out target by target: by the order of the accounts, and of the regions in each.

    Args:
        most: events that may wait for the reader or for an earlier target; the earliest is always wanted, as all
            others wait for it.

    Example:
        >>> from mangrove.fleet import Target
        >>> box = InTheirOrder(most=8)
        >>> box.put((0, 1), ["second"])
        >>> box.take()
        >>> box.opened(0, targets=2)
        >>> box.put((0, 0), Outcome(Target("111111111111", "us-east-1"), "ok"))
        >>> box.take().ok, box.take()
        (True, ['second'])
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._ready: deque[Event] = deque()
        self._waiting: dict[Index, list[Event]] = {}
        self._targets: dict[int, int] = {}
        self._head: Index = (0, 0)
        self._held = 0

    def put(self, index: Index, event: Event) -> None:
        """Add an event."""
        if index != self._head:
            self._waiting.setdefault(index, []).append(event)
            self._held += 1
            return
        self._ready.append(event)
        if isinstance(event, Outcome):
            self._head = index[0], index[1] + 1
            self._advance()

    def opened(self, account: int, targets: int) -> None:
        """Say how many targets an account has."""
        self._targets[account] = targets
        self._advance()

    def _advance(self) -> None:
        """Go on to the first target that has not ended."""
        while True:
            account, number = self._head
            if self._targets.get(account) == number:
                del self._targets[account]
                self._head = account + 1, 0
                continue
            events = self._waiting.pop(self._head, [])
            self._held -= len(events)
            self._ready.extend(events)
            if not (events and isinstance(events[-1], Outcome)):
                return
            self._head = account, number + 1

    def take(self) -> Event | None:
        """Return the next event that is in its turn, or None."""
        return self._ready.popleft() if self._ready else None

    def wants(self, index: Index) -> bool:
        """Tell whether there is room; the first of all unfinished is always wanted while its reader keeps up."""
        if index == self._head:
            return len(self._ready) < self._most
        return len(self._ready) + self._held < self._most

    @property
    def ready(self) -> int:
        """Return how many events may be read."""
        return len(self._ready)
