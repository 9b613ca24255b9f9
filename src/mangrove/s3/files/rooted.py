"""Put downloads below one folder and nowhere else, with the times that S3 has for them: a target for trees."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mangrove.s3.files.positioned import allocate, read_at, write_at
from mangrove.s3.files.root import Root, Temporary

__all__ = ["RootTarget"]

_BLOCK = 1 << 20


class RootTarget:
    """Be a file below a folder: written beside its place, then renamed.

    Args:
        root: the folder.
        names: the file's folders and its own name, as `paths.segments` gives them.
        modified: nanoseconds since 1970; None for now.
        fsync: whether the bytes are on the disk before the file has its name.
    """

    __slots__ = ("_fsync", "_modified", "_names", "_root")

    def __init__(self, root: Root, names: tuple[str, ...], modified: int | None, *, fsync: bool = False) -> None:
        self._root, self._names, self._modified, self._fsync = root, names, modified, fsync

    def place(self, data: bytes) -> Path:
        """Write a whole file and return its path."""
        writing = _Writing(self._root.create(self._names), len(data), self._modified, fsync=self._fsync)
        try:
            writing.write_at(memoryview(data), 0)
            return writing.commit()
        except BaseException:
            writing.discard()
            raise

    def begin(self, size: int) -> _Writing:
        """Make a file for the object, of its size."""
        writing = _Writing(self._root.create(self._names), size, self._modified, fsync=self._fsync)
        try:
            writing.allocate()
        except BaseException:
            writing.discard()
            raise
        return writing


class _Writing:
    """Be a file under way, whose bytes may come in any order."""

    def __init__(self, file: Temporary, size: int, modified: int | None, *, fsync: bool) -> None:
        self._file, self._size, self._modified, self._fsync = file, size, modified, fsync

    def allocate(self) -> None:
        allocate(self._file.fd, self._size)

    def write_at(self, view: memoryview, offset: int) -> None:
        if view.nbytes:
            write_at(self._file.fd, view, offset)

    def blocks(self) -> Iterator[memoryview]:
        with memoryview(bytearray(min(_BLOCK, self._size or 1))) as view:
            for start in range(0, self._size, _BLOCK):
                yield view[: read_at(self._file.fd, view, start)]

    def commit(self) -> Path:
        if self._modified is not None and os.utime in os.supports_fd:
            os.utime(self._file.fd, ns=(self._modified, self._modified))
        path = self._file.commit(sync=self._fsync)
        if self._modified is not None and os.utime not in os.supports_fd:
            os.utime(path, ns=(self._modified, self._modified))
        return path

    def discard(self) -> None:
        self._file.discard()
