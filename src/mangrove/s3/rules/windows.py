"""Let fewer calls run at once for a prefix that S3 slows down, and more again as they go well."""

from __future__ import annotations

import threading
from collections import OrderedDict

__all__ = ["Windows", "prefix_of"]


def prefix_of(bucket: str, key: str) -> str:
    """Return what S3 is taken to slow down as one: the bucket and the first segment of the key.

    Where S3 really divides a bucket is its secret and changes; a short prefix slows down too much rather than too
    little, and there are few of them.

    Source: "Best practices design patterns: optimizing Amazon S3 performance" in the Amazon S3 user guide.

    Example:
        >>> prefix_of("logs", "2026/11/22.gz"), prefix_of("logs", "readme")
        ('logs/2026/', 'logs/')
    """
    return f"{bucket}/{key[: key.find('/') + 1]}"


class _Window:
    __slots__ = ("halved", "running", "size")

    def __init__(self, size: float, now: float) -> None:
        self.size = size
        self.running = 0
        self.halved = now


class Windows:
    """Be how many calls may run at once for each prefix: additive increase, multiplicative decrease, as in TCP.

    Only a prefix that S3 slowed down has a window; one that has grown back is forgotten.

    Args:
        most: calls at once where nothing is slowed: the concurrency of the batch.
        pause: seconds in which a prefix is halved once at most: a burst of calls gets a burst of the same answers.
        kept: prefixes at most; beyond that, the one that was slowed down the longest ago is forgotten.

    Example:
        >>> windows = Windows(most=8)
        >>> windows.slow("logs/", running=8, now=0.0)
        >>> windows.size("logs/"), windows.size("data/")
        (4, 8)
    """

    def __init__(self, most: int, pause: float = 1.0, kept: int = 1024) -> None:
        self._most = most
        self._pause = pause
        self._kept = kept
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._windows)

    def __contains__(self, prefix: object) -> bool:
        return prefix in self._windows

    def size(self, prefix: str) -> int:
        """Return how many calls may run at once."""
        window = self._windows.get(prefix)
        return self._most if window is None else int(window.size)

    def begin(self, prefix: str) -> bool:
        """Return whether one more call may run, and count it if so."""
        if not self._windows:  # as almost always
            return True
        with self._lock:
            window = self._windows.get(prefix)
            if window is None:
                return True
            if window.running >= int(window.size):
                return False
            window.running += 1
            return True

    def join(self, prefix: str) -> None:
        """Count a call that runs already, and that began before the prefix had a window."""
        with self._lock:
            window = self._windows.get(prefix)
            if window is not None:
                window.running += 1

    def end(self, prefix: str, *, well: bool) -> None:
        """Say that a call that `begin` let run has ended; one that went well widens the window."""
        if not self._windows:
            return
        with self._lock:
            window = self._windows.get(prefix)
            if window is None:
                return
            # Calls that began before the prefix had a window were not counted.
            window.running = max(0, window.running - 1)
            if well:
                window.size += 1 / window.size
                if window.size >= self._most:
                    del self._windows[prefix]

    def slow(self, prefix: str, *, running: int, now: float) -> None:
        """Say that S3 asked to slow down: halve the window.

        Args:
            prefix: of the call; say `end` for it too.
            running: calls that run now, of all prefixes.
            now: by a clock that never goes back, in seconds.
        """
        with self._lock:
            window = self._windows.get(prefix)
            if window is None:
                self._windows[prefix] = _Window(max(1.0, min(running, self._most) // 2), now)
                if len(self._windows) > self._kept:
                    self._windows.popitem(last=False)
            elif now - window.halved >= self._pause:
                window.size = max(1.0, window.size / 2)
                window.halved = now
                self._windows.move_to_end(prefix)
