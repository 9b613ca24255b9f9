"""What threads and forks need and the standard library lacks: a thing made once, the last few things kept."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Once", "Recent", "in_child"]

T = TypeVar("T")


def in_child(function: Callable[[], None]) -> Callable[[], None]:
    """Call the function in every child that this process forks: a decorator.

    A lock that a thread of the parent held would never be free in the child, and the parent's sockets are the parent's.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)
    return function


class Once(Generic[T]):
    """Compute a value once, however many threads ask at the same time; a failure is not kept.

    Example:
        >>> cell = Once[int]()
        >>> cell.get(lambda: 1), cell.get(lambda: 2)
        (1, 1)
    """

    __slots__ = ("_lock", "_maker", "_value")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._maker: int | None = None
        self._value: tuple[T] | None = None

    def peek(self) -> T | None:
        """Return the value if it has been computed, else None; never wait."""
        kept = self._value
        return kept[0] if kept else None

    def get(self, make: Callable[[], T]) -> T:
        """Return the value, computing it first if nobody has.

        Args:
            make: called without arguments, under the cell's lock; what it raises goes to its caller alone, and the
                next one tries again.

        Raises:
            RecursionError: making the value asks for the value.
        """
        kept = self._value
        if kept is not None:
            return kept[0]
        if self._maker == threading.get_ident():
            text = "making this asks for itself; it would wait for ever"
            raise RecursionError(text)
        with self._lock:
            kept = self._value
            if kept is None:
                self._maker = threading.get_ident()
                try:
                    kept = self._value = (make(),)
                finally:
                    self._maker = None
        return kept[0]

    def take(self) -> T | None:
        """Empty the cell and return what was in it, or None."""
        with self._lock:
            kept, self._value = self._value, None
        return kept[0] if kept else None


class Recent(Generic[T]):
    """Keep what was used last, each made once, however many threads ask.

    Args:
        most: how many are kept.

    Example:
        >>> recent = Recent[int](2)
        >>> recent.get("a", lambda: 1), recent.get("a", lambda: 2), recent.values()
        (1, 1, [1])
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        # Making one may ask for another.
        self._lock = threading.RLock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept under the key, making it if there is none.

        Args:
            key: what tells one from another.
            make: called without arguments, under the lock; a failure is not kept.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            made = self._kept[key] = make()
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return made

    def keys(self) -> list[Hashable]:
        """Return the keys, those used last at the end."""
        with self._lock:
            return list(self._kept)

    def values(self) -> list[T]:
        """Return what is kept, what was used last at the end."""
        with self._lock:
            return list(self._kept.values())

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
