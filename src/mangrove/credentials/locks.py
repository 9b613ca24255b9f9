"""Let one process at a time do a thing: an advisory lock on a file, and a lock file where the system has none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mangrove.credentials.forks import renewed_in_children
from mangrove.credentials.refresh import Clock

fcntl: Any
try:
    import fcntl
except ImportError:  # pragma: no cover  Windows
    fcntl = None

__all__ = ["held_lock"]

# Seconds: between two looks, and after which a holder hangs or has died; two calls are better than none.
_PAUSE, _LONGEST_WAIT = 0.02, 60.0
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


@contextlib.contextmanager
def held_lock(path: Path, clock: Clock, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of a file; the value says whether it was got.

    Args:
        path: the lock's own file; it stays there, empty.
        clock: tells the time.
        wait: wait for whoever has it, for at most a minute; else the value is False at once.
    """
    lock = _FileLock(path) if fcntl is not None else _LockFile(path, clock)
    # Counted, and not read off the clock, which may be set back meanwhile.
    pauses = round(_LONGEST_WAIT / _PAUSE) if wait else 0
    try:
        held = lock.acquire()
        while not held and pauses > 0:
            pauses -= 1
            clock.sleep(_PAUSE)
            held = lock.acquire()
    except OSError:  # no place for it: a lock is a courtesy
        held = True
    try:
        yield held
    finally:
        lock.release()


class _FileLock:
    """Hold an advisory lock (flock), which ends with its process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._held = False
        renewed_in_children(self)

    def start_anew(self) -> None:
        """Let go of the parent's lock: a child would keep it, also beyond the parent's end."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor, self._held = None, False

    def acquire(self) -> bool:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, _FLAGS, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._held = True
        return True

    def release(self) -> None:
        if self._descriptor is None:
            return
        try:
            if self._held:
                # Not by closing alone: a child that was forked meanwhile has the same lock.
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        finally:
            os.close(self._descriptor)
            self._descriptor, self._held = None, False


class _LockFile:
    """Hold a file that is there or not; one that is older than a minute was left by a process that has died."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path.with_suffix(".taken")
        self._clock = clock
        self._held = False

    def acquire(self) -> bool:
        try:
            os.close(os.open(self._path, _FLAGS | os.O_EXCL, 0o600))
        except FileExistsError:
            with contextlib.suppress(OSError):
                if self._clock.time() - self._path.stat().st_mtime > _LONGEST_WAIT:
                    self._path.unlink()
            return False
        self._held = True
        return True

    def release(self) -> None:
        if self._held:
            with contextlib.suppress(OSError):
                self._path.unlink()
            self._held = False
