"""Take what users give to be uploaded: text, bytes, paths, file objects, iterators; each becomes bytes or a source."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from mangrove.errors import ConfigError, DeclarationTypeError, ObjectChangedError
from mangrove.s3.files.positioned import read_at
from mangrove.s3.files.streams import StreamSource

__all__ = ["BytesSource", "FileSource", "PathSource", "Source", "source_of"]

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
# What a position of a text file is when it is nothing but a place in the file.
_MOST_PLACE = 1 << 63


class BytesSource:
    """Be bytes in memory, too many for one request."""

    identity = None

    def __init__(self, data: bytes) -> None:
        self._view = memoryview(data)
        self.size = len(data)

    def open(self, most: int) -> Source:  # noqa: ARG002  as the others
        """Return itself."""
        return self

    def view(self, start: int, size: int) -> memoryview:
        """Return a run of the bytes, uncopied."""
        return self._view[start : start + size]

    def close(self) -> None:
        """Do nothing."""


class FileSource:
    """Be a file of the system that is open, from a place in it to its end; any thread may read it.

    Args:
        descriptor: its own: the source closes it.
        start: where the object begins in the file.
        name: the file's name, for messages.

    Attributes:
        size: bytes of the object.
        identity: device, inode, size, time of modification in nanoseconds, and start: the same file, unchanged, has
            the same one.
    """

    def __init__(self, descriptor: int, start: int, name: object) -> None:
        self._descriptor, self._start, self.name = descriptor, start, name
        self._state = _state(descriptor)
        self.size = max(0, self._state[2] - start)
        self.identity = (*self._state, start)

    def open(self, most: int) -> bytes | Source:
        """Return the bytes if they are at most so many; else itself."""
        if self.size > most:
            return self
        try:
            return self.read(0, self.size)
        finally:
            self.close()

    def read(self, start: int, size: int) -> bytes:
        """Return a run of the bytes.

        Raises:
            ObjectChangedError: the file is not what it was.
        """
        data = bytearray(size)
        with memoryview(data) as view:
            self.read_into(start, view)
        self.check()
        return bytes(data)

    def read_into(self, start: int, view: memoryview) -> None:
        """Fill a view; whoever reads says `check` afterwards.

        Raises:
            ObjectChangedError: the file is shorter than it was.
        """
        if read_at(self._descriptor, view, self._start + start) != view.nbytes:
            raise self._changed()

    def check(self) -> None:
        """Compare the file with what it was when it was opened.

        Raises:
            ObjectChangedError: it grew, shrank or was written to.
        """
        if _state(self._descriptor) != self._state:
            raise self._changed()

    def _changed(self) -> ObjectChangedError:
        before, now = self._state[2], _state(self._descriptor)[2]
        sizes = f"it had {before} bytes and has {now}" if before != now else f"it still has {now} bytes"
        return ObjectChangedError(
            f"{self.name!r} was changed while it was uploaded: {sizes}; upload it when nobody writes to it, or a copy"
        )

    def close(self) -> None:
        """Close the descriptor."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        # An upload that was cancelled before its turn.
        self.close()


def _state(descriptor: int) -> tuple[int, int, int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class PathSource:
    """Be a file by its name, opened when its turn comes."""

    def __init__(self, path: Any) -> None:
        self._path = os.fspath(path)

    def open(self, most: int) -> bytes | Source:
        """Return the file's bytes if they are at most so many; else the file, open.

        Raises:
            OSError: there is none, it can't be read, or it is a folder.
            ConfigError: it is a pipe or a device.
            ObjectChangedError: it changed while it was read.
        """
        descriptor = os.open(self._path, _FLAGS)
        try:
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISDIR(mode):
                text = "this is a folder, and an object is made of a file; `sync` uploads folders"
                raise IsADirectoryError(errno.EISDIR, text, self._path)  # noqa: TRY301  the descriptor is closed
            if not stat.S_ISREG(mode):
                text = (
                    f"{self._path!r} is no regular file; to upload what a pipe gives, open it and pass the file object"
                )
                raise ConfigError(text)  # noqa: TRY301  the same
        except BaseException:
            os.close(descriptor)
            raise
        return _opened(FileSource(descriptor, 0, self._path), most)

    def close(self) -> None:
        """Do nothing: it is not open."""


Source = BytesSource | FileSource | PathSource | StreamSource


def _opened(source: FileSource, most: int) -> bytes | Source:
    """Return a small file's bytes, or the file; what claims to be empty may be one of the kernel's, which are not."""
    if source.size == 0 and read_at(source._descriptor, memoryview(bytearray(1)), source._start):  # noqa: SLF001
        file = os.fdopen(os.dup(source._descriptor), "rb")  # noqa: SLF001
        source.close()
        return StreamSource.of_file(file, own=True)
    return source.open(most)


def source_of(data: Any, most: int) -> bytes | Source:
    r"""Return what is to be uploaded: all the bytes, if there are few and they are at hand; else where they come from.

    Args:
        data: a str (its UTF-8 bytes; it is content and never a path), bytes-like, `os.PathLike` (a file, opened by
            `open`), a file object (what follows its position, which stays if it is a file of the system), or an
            iterable of bytes-like items.
        most: the most bytes that go in one request.

    Raises:
        DeclarationTypeError: it is nothing of these.
        ConfigError: the file object is closed, can't be read, or was read as text up to a place that is none of its
            bytes.

    Example:
        >>> source_of("é", 10), source_of(io.StringIO("text"), 10)
        (b'\xc3\xa9', b'text')
        >>> source_of(3, 10)
        Traceback (most recent call last):
        ...
        mangrove.errors.DeclarationTypeError: an upload takes a str, bytes, a path, a binary file object or an iterable
        of bytes; got int
    """
    if isinstance(data, str):
        return _limited(_encoded(data), most)
    if isinstance(data, (bytes, bytearray, memoryview)):
        return _limited(bytes(data), most)
    if isinstance(data, os.PathLike):
        return PathSource(data)
    if hasattr(data, "read"):
        return _of_file(data, most)
    try:
        return _limited(memoryview(data).tobytes(), most)
    except TypeError:
        return _of_iterable(data)


def _limited(data: bytes, most: int) -> bytes | Source:
    return data if len(data) <= most else BytesSource(data)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        message = f"the text can't be written as UTF-8 ({error.reason} at {error.start}); encode it and give the bytes"
        raise ConfigError(message) from None


def _of_iterable(data: Any) -> Source:
    if not isinstance(data, Iterable) or isinstance(data, (Mapping, AbstractSet)):
        text = (
            "an upload takes a str, bytes, a path, a binary file object or an iterable of bytes;"
            f" got {type(data).__name__}"
        )
        raise DeclarationTypeError(text)
    return StreamSource.of_items(data)


def _of_file(file: Any, most: int) -> bytes | Source:
    """Take a file object."""
    if getattr(file, "closed", False):
        text = f"the file object {_name(file)!r} is closed; open it again, or give its path"
        raise ConfigError(text)
    readable = getattr(file, "readable", None)
    if readable is not None and not readable():
        text = f"the file object {_name(file)!r} is not open for reading; open it with mode 'rb'"
        raise ConfigError(text)
    if isinstance(file, io.StringIO):
        return _limited(_encoded(file.getvalue()[file.tell() :]), most)
    if type(file) is io.BytesIO and len(view := file.getbuffer()) - file.tell() <= most:
        return bytes(view[file.tell() :])
    if isinstance(file, io.TextIOBase):
        return _of_text(file, most)
    return _of_binary(file, None, most)


def _of_text(file: Any, most: int) -> bytes | Source:
    """Take the bytes below a text file, from where the text that was read ends."""
    binary = getattr(file, "buffer", None)
    if binary is None:
        text = f"{_name(file)!r} gives text and has no bytes below it; give a binary file object, or the text itself"
        raise ConfigError(text)
    try:
        place = file.tell()  # a file that is written to is flushed, too
    except OSError:  # a pipe, or in the middle of a loop over its lines
        place = _MOST_PLACE
    if place >= _MOST_PLACE:
        text = (
            f"{_name(file)!r} is open as text, and where its bytes go on can't be said; open it with mode 'rb', or give"
            " its `.buffer`"
        )
        raise ConfigError(text)
    return _of_binary(binary, place, most)


def _of_binary(file: Any, place: int | None, most: int) -> bytes | Source:
    """Take a file of bytes: a regular one of the system by a descriptor of our own, any other by its `read`."""
    raw = _raw(file)
    if raw is None:
        if place is not None:
            file.seek(place)
        return StreamSource.of_file(file)
    if file.writable():
        file.flush()
    start = file.tell() if place is None else place
    return _opened(FileSource(os.dup(raw.fileno()), start, _name(file)), most)


def _raw(file: Any) -> io.FileIO | None:
    """Return the regular file of the system that is read by a file object, unchanged; or None.

    Others have a `fileno` too: that of a gzip file is of the compressed bytes.
    """
    inner = file if isinstance(file, io.IOBase) else getattr(file, "file", None)  # what NamedTemporaryFile wraps
    if type(inner) in (io.BufferedReader, io.BufferedRandom):
        inner = inner.raw  # type: ignore[union-attr]
    if type(inner) is not io.FileIO:
        return None
    return inner if stat.S_ISREG(os.fstat(inner.fileno()).st_mode) else None


def _name(file: Any) -> object:
    return getattr(file, "name", None) or type(file).__name__
