"""Decide whether a failed call is tried again, and when: pure, with the clock and the dice handed in.

The rule, by the kind of failure:

    throttled, transient   again until the deadline: such faults pass, and say nothing about the request
    unreachable            the same once anything was reached; before that it may be a wrong name, so `retries` times
    damaged                `retries` times: bytes that come damaged again and again are damaged at their source
    expired, moved         `retries` times, once at least, and at once: they are corrections, not repetitions
    fatal                  never

`retries=0` means no tries again but for one correction. Waits grow exponentially with full jitter; S3's `Retry-After`
is waited for and then jittered. The budget, shared by all operations of a connection, never fails an operation: when it
is empty, tries again come at its own slow rate, and the deadline ends them.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from mangrove.errors import ConfigError

__all__ = ["Budget", "Decision", "Kind", "Policy", "Tries"]

Kind = Literal["throttled", "transient", "unreachable", "damaged", "expired", "moved", "fatal"]

_PASSING = frozenset({"throttled", "transient", "unreachable"})
_CORRECTED = frozenset({"expired", "moved"})
_MOST_DOUBLINGS = 30


class Decision(NamedTuple):
    """Be what to do after a failure.

    Attributes:
        wait: seconds to wait before the next try, or None to give up.
        reason: why it is given up, as the error's message says it; empty with a wait.
    """

    wait: float | None
    reason: str = ""


@dataclass(slots=True)
class Tries:
    """Be what is known of the tries of one operation, or of one part of a large one.

    Args:
        started: when the first try began, by the same clock as `now`.

    Attributes:
        failed: tries that failed so far.
        bounded: those of them that `retries` counts.
        corrected: those of them that asked for other credentials or another region.
    """

    started: float
    failed: int = 0
    bounded: int = 0
    corrected: int = 0


class Budget:
    """Be the tries again that all operations of a connection share, so that an outage makes no storm of them.

    It holds `capacity` tokens; a try again takes one. What went well gives some back, and time gives a few. With two a
    success, two of three requests may fail for ever and it never runs dry; when all fail, `per_second` tries again
    are left.

    Args:
        capacity: tokens at first and at most. 1,000: as many calls may be under way when S3 begins to slow down.
        per_success: tokens that a success gives back. 2: two of three calls may fail for ever.
        per_second: tokens that a second gives back. 50: what is tried again in an outage, and no load for S3.

    Example:
        >>> budget = Budget(capacity=1, per_second=10.0)
        >>> budget.take(now=0.0), budget.take(now=0.0), budget.take(now=0.0)
        (0.0, 0.1, 0.2)
    """

    __slots__ = ("_capacity", "_filled", "_lock", "_per_second", "_per_success", "_tokens", "reached")

    def __init__(self, capacity: float = 1000.0, per_success: float = 2.0, per_second: float = 50.0) -> None:
        if not (capacity >= 1 and per_success >= 0 and per_second > 0):
            text = (
                "a budget has a capacity of 1 or more, nothing negative per success and more than nothing per second;"
                f" got {capacity!r}, {per_success!r}, {per_second!r}"
            )
            raise ConfigError(text)
        self._capacity = float(capacity)
        self._per_success = per_success
        self._per_second = per_second
        self._tokens = float(capacity)
        self._filled: float | None = None
        self._lock = threading.Lock()
        # Whether S3 has ever answered: then a failing connection is no wrong name.
        self.reached = False

    def give(self) -> None:
        """Say that a call went well; cheap while the budget is full."""
        self.reached = True
        if self._tokens >= self._capacity:
            return
        with self._lock:
            self._tokens = min(self._capacity, self._tokens + self._per_success)

    def take(self, now: float) -> float:
        """Take a token and return in how many seconds it is there: 0 if it is there now.

        Args:
            now: by the clock that all callers share.
        """
        with self._lock:
            since = now if self._filled is None else self._filled
            self._filled = max(now, since)
            grown = self._tokens + max(0.0, now - since) * self._per_second
            self._tokens = min(self._capacity, grown) - 1
            return max(0.0, -self._tokens / self._per_second)

    def undo(self) -> None:
        """Give a token back whose try was not made."""
        with self._lock:
            self._tokens = min(self._capacity, self._tokens + 1)


@dataclass(frozen=True, slots=True)
class Policy:
    """Be how operations are tried again; the module's own text has the rule.

    Args:
        retries: further tries after a failure that may last; 0 turns all but one correction off.
        deadline: seconds from the first try after which no further one begins. 120: at half the requests failing, 24
            tries bring 100,000 operations through, and they take less than that.
        base: seconds; the first wait is up to so long, the next up to twice, and so on.
        throttle_base: the same after S3 asked to slow down.
        cap: the longest wait in seconds, S3's own wishes apart.

    Raises:
        ConfigError: one of them is negative or no number.

    Source: "Retry behavior" in the AWS SDKs and Tools reference guide, and "Best practices design patterns: optimizing
    Amazon S3 performance" in the Amazon S3 user guide.

    Example:
        >>> tries, budget = Tries(started=0.0), Budget()
        >>> Policy().decide(tries, "throttled", now=0.2, budget=budget, draw=lambda: 0.5)
        Decision(wait=0.25, reason='')
        >>> Policy().decide(tries, "fatal", now=0.5, budget=budget)
        Decision(wait=None, reason='such an error comes again')
    """

    retries: int = 3
    deadline: float = 120.0
    base: float = 0.05
    throttle_base: float = 0.5
    cap: float = 5.0

    def __post_init__(self) -> None:
        if type(self.retries) is not int or self.retries < 0:
            text = f"retries is a whole number, 0 or more; got {self.retries!r}"
            raise ConfigError(text)
        for name in ("deadline", "base", "throttle_base", "cap"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
                text = f"{name} is a number of seconds, 0 or more; got {value!r}"
                raise ConfigError(text)

    def decide(
        self,
        tries: Tries,
        kind: Kind,
        *,
        now: float,
        budget: Budget,
        retry_after: float | None = None,
        draw: Callable[[], float] = random.random,
    ) -> Decision:
        """Return what to do after a try that failed, and remember it.

        Args:
            tries: of this operation.
            kind: of the failure.
            now: by a clock that never goes back, in seconds.
            budget: shared by the operations of a connection.
            retry_after: seconds that S3 asked to wait.
            draw: returns a number from 0 to below 1.
        """
        tries.failed += 1
        reason = self._exhausted(tries, kind, reached=budget.reached)
        if reason:
            return Decision(None, reason)
        left = tries.started + self.deadline - now
        wait = self._wait(tries, kind, retry_after or 0.0, draw)
        if wait >= left:
            return Decision(None, self._too_late(tries, now))
        if kind in _CORRECTED:
            return Decision(wait)
        queued = budget.take(now)
        if max(queued, wait) >= left:
            budget.undo()
            return Decision(None, f"{self._too_late(tries, now)}; too many others failed as well")
        return Decision(max(queued, wait))

    def _exhausted(self, tries: Tries, kind: Kind, *, reached: bool) -> str:
        """Return why there is no further try whatever the time, or nothing."""
        if kind in _CORRECTED:
            tries.corrected += 1
            return "" if tries.corrected <= max(1, self.retries) else f"it failed so {tries.corrected} times"
        if kind != "damaged" and kind not in _PASSING:
            return "such an error comes again"
        if not self.retries:
            return "retries are off"
        if kind == "damaged" or (kind == "unreachable" and not reached):
            tries.bounded += 1
            return (
                "" if tries.bounded <= self.retries else f"it failed {tries.failed} times, with retries={self.retries}"
            )
        return ""

    def _wait(self, tries: Tries, kind: Kind, asked: float, draw: Callable[[], float]) -> float:
        if kind in _CORRECTED:
            return 0.0
        base = self.throttle_base if kind == "throttled" else self.base
        # The jitter is on top of what S3 asked for, or all who asked it at once would come back at once.
        doublings = min(tries.failed - 1, _MOST_DOUBLINGS)
        return max(0.0, asked) + draw() * min(self.cap, base * 2.0**doublings)

    def _too_late(self, tries: Tries, now: float) -> str:
        spent = max(0.0, now - tries.started)
        return f"it failed {tries.failed} times in {spent:.1f} s, and the deadline is {self.deadline:g} s"
