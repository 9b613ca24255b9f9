"""Be open until closed, once: what a pool and an object of several pools have in common."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from mangrove.errors import PoolClosedError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Closing"]


class Closing:
    """Close once, refuse use afterwards, and be a context manager."""

    _closed = False

    def close(self) -> None:
        """Close every client and free its sockets; using the object afterwards is a PoolClosedError."""
        self._closed = True
        self._release()

    def _release(self) -> None:
        raise NotImplementedError

    def _check_open(self) -> None:
        if self._closed:
            text = f"{self!r} is closed; make a new one"
            raise PoolClosedError(text)

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
