"""Read what has no size and can be read once: file objects that are no files, and iterators of bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = ["StreamSource"]

# What is asked of a `read` at once.
_PIECE = 1 << 20


class StreamSource:
    """Be a stream of bytes; for one thread.

    Args:
        filler: puts the next bytes into a view and returns how many; 0 at the end.
        own: what `close` closes, or None.
    """

    identity = None

    def __init__(self, filler: Any, own: Any = None) -> None:
        self._some, self._own = filler, own

    @classmethod
    def of_file(cls, file: Any, *, own: bool = False) -> StreamSource:
        """Read a file object by its `readinto` or its `read`; close it in the end if it is our own."""
        return cls(_Into(file) if hasattr(file, "readinto") else _Read(file), file if own else None)

    @classmethod
    def of_items(cls, items: Iterable[Any]) -> StreamSource:
        """Read the items of an iterable."""
        return cls(_Items(items))

    def open(self, most: int) -> StreamSource:  # noqa: ARG002  as other sources
        """Return itself: whether it is short nobody knows yet."""
        return self

    def fill(self, view: memoryview) -> int:
        """Put the next bytes into a view and return how many: fewer than it holds at the end only.

        Raises:
            Exception: what the stream itself raises.
            ConfigError: it gives something that is no bytes.
        """
        count = 0
        while count < view.nbytes and (found := self._some(view[count:])):
            count += found
        return count

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer than asked for at the end only."""
        data = bytearray(size)
        with memoryview(data) as view:
            count = self.fill(view)
        return bytes(data[:count])

    def close(self) -> None:
        """Close what is our own; all else is its owner's."""
        if self._own is not None:
            self._own.close()


class _Into:
    """Let a file object write into the view itself."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __call__(self, view: memoryview) -> int:
        count = self._file.readinto(view)
        if count is None:
            raise _not_blocking(self._file)
        found: int = count
        return found


class _Read:
    """Copy what a file object's `read` gives."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __call__(self, view: memoryview) -> int:
        data = self._file.read(min(view.nbytes, _PIECE))
        if data is None:
            raise _not_blocking(self._file)
        piece = _bytes(data, f"read() of {type(self._file).__name__}")
        if piece.nbytes > view.nbytes:
            text = f"read() of {type(self._file).__name__} gave more bytes than were asked for"
            raise ConfigError(text)
        view[: piece.nbytes] = piece
        return piece.nbytes


class _Items:
    """Copy the items of an iterable one after the other, empty ones too."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = iter(items)
        self._rest = memoryview(b"")
        self._number = 0

    def __call__(self, view: memoryview) -> int:
        while not self._rest.nbytes:
            try:
                item = next(self._items)
            except StopIteration:
                return 0
            self._rest = _bytes(item, f"item {self._number} of the iterable")
            self._number += 1
        count = min(view.nbytes, self._rest.nbytes)
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _bytes(data: Any, what: str) -> memoryview:
    try:
        return memoryview(data).cast("B")
    except TypeError:
        more = "; encode text first" if isinstance(data, str) else ""
        text = f"{what} is {type(data).__name__}, and a stream is made of bytes{more}"
        raise DeclarationTypeError(text) from None


def _not_blocking(file: Any) -> ConfigError:
    return ConfigError(
        f"{type(file).__name__} does not block: it had nothing to read, and has not ended; make it block"
    )
