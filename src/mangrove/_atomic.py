"""Write small private files so that a reader sees the old one or the new one, and nobody else sees either."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

__all__ = ["read_private", "write_private"]


def write_private(path: Path, data: bytes) -> None:
    """Replace a file in one step; it is readable by its owner alone (0600), its new folders too (0700).

    Args:
        path: where the file goes.
        data: what it holds.

    Raises:
        OSError: it can't be written; the old file is as it was, and nothing is left beside it.
    """
    _make_folders(path.parent)
    # mkstemp opens with O_EXCL and O_NOFOLLOW and mode 0600.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105  the same call, and atomic by its own words
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _make_folders(path: Path) -> None:
    """Make a folder and those above it; mkdir's own `parents` would leave them open to others."""
    if not path.is_dir():
        _make_folders(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def read_private(path: Path) -> bytes | None:
    """Return a file's bytes, or None if it is missing or somebody else could have written it.

    A link, another owner, or a mode that lets others write is a miss: what such a file says is not to be trusted.
    """
    # Not blocking: a pipe in its place must not hang us.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return None
    try:
        return _read_all(descriptor) if _is_ours_alone(os.fstat(descriptor)) else None
    finally:
        os.close(descriptor)


def _is_ours_alone(found: os.stat_result) -> bool:
    foreign = hasattr(os, "getuid") and found.st_uid != os.getuid()
    return not foreign and stat.S_ISREG(found.st_mode) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read_all(descriptor: int) -> bytes:
    return b"".join(iter(lambda: os.read(descriptor, 1 << 16), b""))
