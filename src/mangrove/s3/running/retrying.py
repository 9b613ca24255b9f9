"""Decide for each failed call whether and when it is tried again, by the policy and what went before."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from botocore.exceptions import ClientError

from mangrove.s3.engines.base import Call
from mangrove.s3.rules.faults import kind_of, raised, retry_after
from mangrove.s3.rules.policy import Budget, Policy, Tries
from mangrove.s3.rules.windows import Windows, prefix_of

__all__ = ["Retrying", "Trial"]

# An idle connection that the server has closed is no failure of S3's; after so many it is one.
_MOST_STALE = 3


class Retrying:
    """Keep what the operations of a connection share: the budget of tries again, the windows of slow prefixes.

    Args:
        policy: the rules.
        most: calls at once where nothing is slowed.
        classes: finds the class of an error by S3's code: `client.exceptions.from_code`.
        clock: a time in seconds that never goes back.
    """

    def __init__(
        self,
        policy: Policy,
        most: int,
        classes: Callable[[str], type[ClientError]] = lambda _: ClientError,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy, self.classes, self.clock = policy, classes, clock
        self.budget = Budget()
        self.windows = Windows(most)
        self._policies = {policy.retries: policy}

    def trial(self, retries: int | None = None, started: float | None = None) -> Trial:
        """Return what decides for one operation, or for one part of a large one.

        Args:
            retries: further tries after a failure that may last; None for the policy's own.
            started: when its first try began; None for now.
        """
        policy = self.policy
        if retries is not None and retries != policy.retries:
            policy = self._policies.get(retries) or self._policies.setdefault(retries, replace(policy, retries=retries))
        return Trial(self, policy, self.clock() if started is None else started)

    def final(self, error: Exception, reason: str = "") -> Exception:
        """Return the error that users get.

        Args:
            error: the error.
            reason: why it is not tried again, for the message.
        """
        return raised(error, reason, self.classes)

    def slow(self, bucket: str, key: str, running: int) -> None:
        """Take to heart that S3 asked to slow down."""
        self.windows.slow(prefix_of(bucket, key), running=running, now=self.clock())


class Trial:
    """Be the tries of one operation.

    Attributes:
        unsure: whether a try may have done its work although no answer came.
    """

    __slots__ = ("_policy", "_reason", "_shared", "_stale", "_tries", "unsure")

    def __init__(self, shared: Retrying, policy: Policy, started: float) -> None:
        self._shared, self._policy, self._tries = shared, policy, Tries(started)
        self._stale = 0
        self._reason = ""
        self.unsure = False

    def delay(self, error: Exception, call: Call | None) -> float | None:
        """Return how many seconds to wait before the next try, or None to give up.

        Args:
            error: why this one failed.
            call: what failed.
        """
        kind = kind_of(error)
        if call is not None and kind == "transient":
            self.unsure = self.unsure or call.sent
            if call.stale and self._stale < _MOST_STALE:
                self._stale += 1
                return 0.0
        decision = self._policy.decide(
            self._tries, kind, now=self._shared.clock(), budget=self._shared.budget, retry_after=retry_after(error)
        )
        self._reason = decision.reason if kind != "fatal" else ""
        return decision.wait

    def final(self, error: Exception) -> Exception:
        """Return the error to raise when there is no further try; its message says what was tried."""
        return self._shared.final(error, self._reason)

    def succeed(self) -> None:
        """Say that it went well."""
        self._shared.budget.give()
