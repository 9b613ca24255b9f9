"""Decide whether a failed request is made again, and when: pure, with the dice handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mangrove.aws.faults import Fault

__all__ = ["Patience"]

_MOST_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class Patience:
    """Be how often a request is made again; what is throttled is limited by its target's deadline alone.

    Args:
        attempts: tries of a request whose failures may pass.
        timeouts: tries of a request that is not answered: each of them costs a time-out.
        first: seconds before the second try, at most; it doubles, with full jitter.
        longest: seconds before any try, at most.

    Example:
        >>> patience = Patience()
        >>> patience.wait("failed", attempt=1, asked=0.0, dice=lambda: 0.5)
        0.1
        >>> patience.wait("failed", attempt=4, asked=0.0, dice=lambda: 0.5) is None
        True
    """

    attempts: int = 4
    timeouts: int = 2
    first: float = 0.2
    longest: float = 20.0

    def wait(self, fault: Fault, attempt: int, asked: float, dice: Callable[[], float]) -> float | None:
        """Return the seconds to wait before the next try, or None to give up.

        Args:
            fault: the kind of the failure, one that may pass.
            attempt: how many tries there were.
            asked: seconds that AWS asks to wait.
            dice: a number from 0 to 1.
        """
        most = {"throttled": None, "timeout": self.timeouts}.get(fault, self.attempts)
        if most is not None and attempt >= most:
            return None
        backoff: float = min(self.longest, self.first * 2 ** min(attempt - 1, _MOST_DOUBLINGS)) * dice()
        return max(asked, backoff)
