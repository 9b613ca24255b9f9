"""Let requests through at a rate, and a few at once: the token bucket, kept as one number and no timer.

It is the generic cell rate algorithm: a bucket holds the time at which it is full again, and each request moves that
time on. A full bucket says nothing, so it can be forgotten.
"""

from __future__ import annotations

import math

__all__ = ["Bucket"]


class Bucket:
    """Hold a token bucket that is full when it is made.

    Args:
        rate: tokens that come back, a second.
        burst: tokens that a full bucket has; at least 1.

    Example:
        >>> bucket = Bucket(rate=2.0, burst=1.0)
        >>> bucket.take(10.0)
        >>> bucket.ready()
        10.5
    """

    __slots__ = ("_burst", "_full_at", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._full_at = -math.inf

    def ready(self) -> float:
        """Return the time from which there is a token."""
        return self._full_at - (self._burst - 1.0) / self._rate

    def take(self, now: float) -> None:
        """Take the token that `ready` has promised for now."""
        self._full_at = max(self._full_at, now) + 1.0 / self._rate

    def idle(self, now: float) -> bool:
        """Say whether the bucket is full, as a new one is."""
        return self._full_at <= now
