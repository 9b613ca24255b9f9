"""Wake the threads that wait for operations of a batch, each by a bell of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

__all__ = ["EACH", "Bell", "Bells"]

EACH = 1 << 62
"""A goal that is reached whatever is left: each operation that ends rings."""


class Bell:
    """Wake one thread.

    Attributes:
        goal: how many operations may be left when the thread is to be woken; None if it is not to be.
    """

    __slots__ = ("_rung", "goal")

    def __init__(self) -> None:
        self.goal: int | None = None
        # Not a Condition: Ctrl-C in the middle of one leaves it locked for ever. And not one queue for all: where
        # several threads get from a SimpleQueue, the timeout of one that comes too late never ends.
        self._rung: SimpleQueue[None] = SimpleQueue()

    def ring(self) -> None:
        """Wake the thread, or have it not sleep."""
        self.goal = None
        self._rung.put(None)

    def sleep(self, seconds: float) -> None:
        """Return when it is rung, or after so many seconds."""
        with suppress(Empty):
            self._rung.get(timeout=seconds)


class Bells:
    """Know who waits.

    Example:
        >>> bells = Bells()
        >>> with bells.one() as bell:
        ...     bell.goal = 2
        ...     bells.tell(3), bell.goal
        ...     bells.tell(2), bell.goal
        (None, 2)
        (None, None)
    """

    def __init__(self) -> None:
        self._waiting: tuple[Bell, ...] = ()  # replaced and never changed, so that it is read without the lock
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[Bell]:
        """Give the thread that waits a bell for that time."""
        bell = Bell()
        try:
            with self._lock:
                self._waiting = (*self._waiting, bell)
            yield bell
        finally:
            with self._lock:
                self._waiting = tuple(each for each in self._waiting if each is not bell)

    def tell(self, left: int) -> None:
        """Ring for those who wait for so few operations to be left.

        Args:
            left: how many are left.
        """
        for bell in self._waiting:
            goal = bell.goal
            if goal is not None and left <= goal:
                bell.ring()

    def ring(self) -> None:
        """Ring for all who wait."""
        for bell in self._waiting:
            bell.ring()
