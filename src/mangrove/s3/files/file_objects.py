"""Write downloads to file objects, of bytes or of text, in order."""

from __future__ import annotations

import codecs
import io
from typing import Any

from mangrove.errors import ConfigError, TransferError

__all__ = ["FileTarget"]


class FileTarget:
    """Be a file object: of bytes, or of text with the bytes below it; a `StringIO` gets the object as UTF-8 text.

    After a failure it may have some of the bytes.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        _check_writable(file)

    def check(self) -> None:
        """Refuse what was closed since it was given."""
        _check_writable(self._file)

    def place(self, data: bytes) -> Any:
        """Write the object and return the file object."""
        writing = self.begin(len(data))
        writing.write(memoryview(data))
        return writing.commit()

    def begin(self, size: int) -> _Writing | _WritingText:
        """Begin to write it."""
        del size
        file = self._file
        if not isinstance(file, io.TextIOBase):
            return _Writing(file, file)
        binary = getattr(file, "buffer", None)
        if binary is None:
            return _WritingText(file)
        file.flush()
        return _Writing(binary, file)


class _Writing:
    """Write to a file of bytes, which may take fewer at once than it is given."""

    def __init__(self, file: Any, given: Any) -> None:
        self._file, self._given = file, given

    def write(self, view: memoryview) -> None:
        while view.nbytes:
            count = self._file.write(view)
            if count is None and isinstance(self._file, io.RawIOBase):
                text = f"{type(self._file).__name__} does not block: it took no bytes; make it block"
                raise ConfigError(text)
            # Many objects of others say nothing.
            view = view[view.nbytes if count is None else count :]

    def commit(self) -> Any:
        return self._given


class _WritingText:
    """Write to what takes nothing but text."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def write(self, view: memoryview) -> None:
        self._file.write(self._decoded(view, final=False))

    def commit(self) -> Any:
        self._file.write(self._decoded(b"", final=True))
        return self._file

    def _decoded(self, data: Any, *, final: bool) -> str:
        try:
            return self._decoder.decode(bytes(data), final)
        except UnicodeDecodeError as error:
            text = f"the object is no UTF-8 text ({error.reason}); give a binary file object, or none for its bytes"
            raise TransferError(text) from None


def _check_writable(file: Any) -> None:
    name = getattr(file, "name", None) or type(file).__name__
    if getattr(file, "closed", False):
        text = f"the file object {name!r} is closed; open it again, or give its path"
        raise ConfigError(text)
    writable = getattr(file, "writable", None)
    if writable is not None and not writable():
        text = f"the file object {name!r} is not open for writing; open it with mode 'wb'"
        raise ConfigError(text)
