"""Put downloads where they are wanted: memory, a file that appears whole or not at all, or somebody's file object."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import stat
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.s3.files.file_objects import FileTarget
from mangrove.s3.files.positioned import allocate, read_at, write_at

__all__ = ["TEMPORARY", "InOrder", "MemoryTarget", "PathTarget", "Placed", "Target", "target_of"]

# The names of our temporary files, for whoever sweeps up after a process that was killed.
TEMPORARY = re.compile(r"\A\.mangrove-[0-9a-f]{16}\.part\Z")
_FLAGS = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_BLOCK = 1 << 20


@runtime_checkable
class Placed(Protocol):
    """Be a download under way whose bytes may come in any order, from any thread."""

    def write_at(self, view: memoryview, offset: int) -> object:
        """Take bytes of the object."""

    def blocks(self) -> Iterator[memoryview]:
        """Yield all the bytes in order, for a checksum that needs them so."""
        raise NotImplementedError

    def commit(self) -> Any:
        """Make the object what was asked for, and return the operation's value."""

    def discard(self) -> None:
        """Leave nothing."""


class InOrder(Protocol):
    """Be a download under way whose bytes come in order, from one thread."""

    def write(self, view: memoryview) -> object:
        """Take the next bytes."""

    def commit(self) -> Any:
        """Say that it is whole, and return the operation's value."""


class Target(Protocol):
    """Be where a download goes."""

    def check(self) -> None:
        """Refuse what can't be written to, before anything is asked for.

        Raises:
            ConfigError: it is none that a download goes to.
            OSError: its folder is not there, or can't be written.
        """

    def place(self, data: bytes) -> Any:
        """Put a whole object there, and return the operation's value.

        Raises:
            OSError: it can't be written; what was there before is as it was, but for a file object.
        """

    def begin(self, size: int) -> Placed | InOrder:
        """Begin to put an object there whose bytes come bit by bit.

        Raises:
            OSError: there is no place for it.
        """
        raise NotImplementedError


class MemoryTarget:
    """Be memory: the value of the operation is the object."""

    def check(self) -> None:
        """Refuse nothing."""

    def place(self, data: bytes) -> bytes:
        """Return the object."""
        return data

    def begin(self, size: int) -> Placed:
        """Make room for it."""
        return _InMemory(size)


class _InMemory:
    """Be an object that is put together in memory, once: `BytesIO` gives its bytes away without copying them."""

    def __init__(self, size: int) -> None:
        self._file = io.BytesIO()
        if size:
            self._file.seek(size - 1)
            self._file.write(b"\0")
        self._view = self._file.getbuffer()

    def write_at(self, view: memoryview, offset: int) -> None:
        self._view[offset : offset + view.nbytes] = view

    def blocks(self) -> Iterator[memoryview]:
        yield self._view

    def commit(self) -> bytes:
        self._view.release()
        return self._file.getvalue()

    def discard(self) -> None:
        self._view.release()


class PathTarget:
    """Be a file by its name: written beside it, then renamed, so that nobody ever sees a part of it.

    Args:
        path: the file's name. One that is there is replaced; its mode and owner are those of a new file, and a link is
            replaced, not followed.
        fsync: whether the bytes are on the disk before the file has its name.
    """

    def __init__(self, path: Any, *, fsync: bool = False) -> None:
        self._given, self._path, self._fsync = path, os.fsdecode(path), fsync
        self._checked = False

    def check(self) -> None:
        """Refuse a folder, a device, and what has no folder that can be written."""
        try:
            self._check()
            folder = os.path.dirname(self._path) or "."  # noqa: PTH120  one of a million
            if not os.access(folder, os.W_OK | os.X_OK):
                if not stat.S_ISDIR(os.stat(folder).st_mode):  # noqa: PTH116  the same
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise self._refused(error) from error
        self._checked = True

    def place(self, data: bytes) -> Any:
        """Write the file, rename it into place, and return its name as it was given."""
        descriptor, temporary = self._open()
        try:
            try:
                if os.write(descriptor, data) != len(data):
                    write_at(descriptor, memoryview(data), 0)
                if self._fsync:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._rename(temporary)
        except BaseException as error:
            _remove(temporary)
            if isinstance(error, OSError):
                raise self._refused(error) from error
            raise
        return self._given

    def begin(self, size: int) -> Placed:
        """Make a file for it, of its size."""
        descriptor, temporary = self._open()
        made = _InFile(self, descriptor, temporary, size)
        try:
            allocate(descriptor, size)
        except BaseException as error:
            made.discard()
            if isinstance(error, OSError):
                raise self._refused(error) from error
            raise
        return made

    def _open(self) -> tuple[int, str]:
        """Make a file of a new name beside the target's."""
        try:
            if not self._checked:
                self._check()
            path = self._path
            folder = path[: len(path) - len(os.path.basename(path))]  # noqa: PTH119  one of a million; `Path` is slow
            while True:
                temporary = f"{folder}.mangrove-{os.urandom(8).hex()}.part"
                try:
                    return os.open(temporary, _FLAGS, 0o666), temporary
                except FileExistsError:
                    continue
        except OSError as error:
            raise self._refused(error) from error

    def _check(self) -> None:
        """Refuse what a rename would do harm to: a folder, a device."""
        if not os.access(self._path, os.F_OK):  # as almost always, and no error to catch
            return
        try:
            mode = os.stat(self._path).st_mode  # noqa: PTH116  the same
        except FileNotFoundError:
            return
        if stat.S_ISDIR(mode):
            text = f"a download goes to a file, and {self._path!r} is a folder; name the file in it"
            raise ConfigError(text)
        if not stat.S_ISREG(mode):
            text = (
                f"{self._path!r} is no regular file; to write to a pipe or a device, open it and pass the file object"
            )
            raise ConfigError(text)

    def _refused(self, error: OSError) -> OSError:
        """Return the error with the name that the user knows."""
        return OSError(error.errno, f"the download can't be written: {error.strerror}", self._path)

    def _rename(self, temporary: str) -> None:
        os.replace(temporary, self._path)  # noqa: PTH105  the same
        if self._fsync:
            _sync_folder(os.path.dirname(self._path) or ".")  # noqa: PTH120  the same


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108  one of a million; `Path` is ten times as slow


def _sync_folder(path: str) -> None:
    """Have a new name on the disk too, where a folder can be opened."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class _InFile:
    """Be an object that is put together in a file beside its place."""

    def __init__(self, target: PathTarget, descriptor: int, temporary: str, size: int) -> None:
        self._target, self._descriptor, self._temporary, self._size = target, descriptor, temporary, size

    def write_at(self, view: memoryview, offset: int) -> None:
        try:
            write_at(self._descriptor, view, offset)
        except OSError as error:
            raise self._target._refused(error) from error  # noqa: SLF001  one thing in two classes

    def blocks(self) -> Iterator[memoryview]:
        with memoryview(bytearray(min(_BLOCK, self._size or 1))) as view:
            for start in range(0, self._size, _BLOCK):
                yield view[: read_at(self._descriptor, view, start)]

    def commit(self) -> Any:
        target = self._target
        try:
            if target._fsync:  # noqa: SLF001  the same
                os.fsync(self._descriptor)
            self.close()
            target._rename(self._temporary)  # noqa: SLF001  the same
        except OSError as error:
            raise target._refused(error) from error  # noqa: SLF001  the same
        return target._given  # noqa: SLF001  the same

    def discard(self) -> None:
        self.close()
        _remove(self._temporary)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def target_of(given: Any, *, fsync: bool = False) -> Target:
    """Return the target that was asked for.

    Args:
        given: None for bytes, a file's name, or a file object.
        fsync: whether a file is on the disk before it has its name.

    Raises:
        DeclarationTypeError: it is nothing of these.
        ConfigError: the file object is closed or can't be written to.

    Example:
        >>> target_of(None).place(b"data")
        b'data'
        >>> file = io.StringIO()
        >>> target_of(file).place("é".encode()) is file, file.getvalue()
        (True, 'é')
    """
    if given is None:
        return MemoryTarget()
    if isinstance(given, (str, os.PathLike)):
        return PathTarget(given, fsync=fsync)
    if hasattr(given, "write"):
        return FileTarget(given)
    text = f"a download goes to a path, a file object or None for the bytes; got {type(given).__name__}"
    raise DeclarationTypeError(text)
