"""Do a thing once, whichever thread comes first: the standard library has no such cell."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Once"]

T = TypeVar("T")


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
