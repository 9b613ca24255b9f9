"""Decide whose turn it is: every account has one after the other, so that a large or slow one delays nobody."""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from typing import Generic, Protocol, TypeVar

__all__ = ["InOrder", "RoundRobin", "Turns"]

T = TypeVar("T")


class Turns(Protocol[T]):
    """Hold what is ready, and hand it out one by one."""

    def add(self, item: T, account: str, index: tuple[int, int], *, again: bool = False) -> None:
        """Add what is ready; `again` gives it the account's next turn, as it has waited before."""
        ...

    def next(self) -> T | None:
        """Take what is next, or None."""
        ...

    def __len__(self) -> int: ...


class RoundRobin(Generic[T]):
    """Give every account that has something ready a turn.

    Example:
        >>> turns = RoundRobin[str]()
        >>> for number, name in enumerate(["a1", "a2", "b1"]):
        ...     turns.add(name, account=name[0], index=(0, number))
        >>> turns.next(), turns.next(), turns.next(), turns.next()
        ('a1', 'b1', 'a2', None)
    """

    def __init__(self) -> None:
        self._ready: OrderedDict[str, deque[T]] = OrderedDict()
        self._count = 0

    def add(self, item: T, account: str, index: tuple[int, int], *, again: bool = False) -> None:  # noqa: ARG002
        """Add what is ready; see `Turns`."""
        queue = self._ready.setdefault(account, deque())
        (queue.appendleft if again else queue.append)(item)
        self._count += 1

    def next(self) -> T | None:
        """Take what is next, or None; its account is then the last in the row."""
        if not self._ready:
            return None
        account, queue = self._ready.popitem(last=False)
        item = queue.popleft()
        if queue:
            self._ready[account] = queue
        self._count -= 1
        return item

    def __len__(self) -> int:
        return self._count


class InOrder(Generic[T]):
    """Give the turn to what comes first in the order of the results.

    Example:
        >>> turns = InOrder[str]()
        >>> turns.add("second", "a", (1, 0))
        >>> turns.add("first", "b", (0, 3))
        >>> turns.next(), turns.next()
        ('first', 'second')
    """

    def __init__(self) -> None:
        self._ready: list[tuple[tuple[int, int], int, T]] = []
        self._added = 0

    def add(self, item: T, account: str, index: tuple[int, int], *, again: bool = False) -> None:  # noqa: ARG002
        """Add what is ready; see `Turns`."""
        self._added += 1
        heapq.heappush(self._ready, (index, self._added, item))

    def next(self) -> T | None:
        """Take what is next, or None."""
        return heapq.heappop(self._ready)[2] if self._ready else None

    def __len__(self) -> int:
        return len(self._ready)
