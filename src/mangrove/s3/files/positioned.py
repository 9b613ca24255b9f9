"""Read and write files at a place, as threads do that share one: by the system's own calls where it has them."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

__all__ = ["allocate", "read_at", "write_at"]

# Where there is no pread and pwrite (Windows), the position is everybody's: one at a time moves it.
_turn = threading.Lock()
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def read_at(descriptor: int, view: memoryview, offset: int) -> int:
    """Fill a view from a file and return how many bytes there were; fewer than asked for only at its end.

    Args:
        descriptor: of the file.
        view: takes the bytes.
        offset: where they begin in the file.
    """
    count = 0
    while count < view.nbytes:
        found = _read_some(descriptor, view[count:], offset + count)
        if not found:
            break
        count += found
    return count


def write_at(descriptor: int, view: memoryview, offset: int) -> None:
    """Write all bytes of a view to a file.

    Args:
        descriptor: of the file.
        view: the bytes.
        offset: where they go in the file.

    Raises:
        OSError: they can't be written.
    """
    count = _write_some(descriptor, view, offset)
    while count < view.nbytes:  # an interrupted call
        count += _write_some(descriptor, view[count:], offset + count)


def _read_some(descriptor: int, view: memoryview, offset: int) -> int:
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [view], offset)
    if hasattr(os, "pread"):
        data = os.pread(descriptor, view.nbytes, offset)
    else:
        with _turn:
            os.lseek(descriptor, offset, os.SEEK_SET)
            data = os.read(descriptor, view.nbytes)
    view[: len(data)] = data
    return len(data)


def _write_some(descriptor: int, view: memoryview, offset: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, view, offset)
    with _turn:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, view)


def allocate(descriptor: int, size: int) -> None:
    """Give a new file its size, and its place on the disk where the system can do so at once.

    Args:
        descriptor: of the file.
        size: bytes.

    Raises:
        OSError: the disk has not so much room.
    """
    fallocate = _fallocate()
    if fallocate is None or fallocate(descriptor, size) not in _FULL:
        os.ftruncate(descriptor, size)
        return
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@cache
def _fallocate() -> Callable[[int, int], int] | None:
    """Return Linux's fallocate, which gives back an errno, or None.

    Not `os.posix_fallocate`: on file systems that can't, glibc writes a byte to each 4 KiB of the file.
    """
    if not sys.platform.startswith("linux") or sys.maxsize < 1 << 32:
        return None
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes  # noqa: PLC0415  only large downloads need it

        call: Any = ctypes.CDLL(None, use_errno=True).fallocate
        call.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
        return lambda descriptor, size: ctypes.get_errno() if call(descriptor, 0, 0, size) else 0
    return None
