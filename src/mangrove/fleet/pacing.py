"""Learn from throttled and from late answers how fast a quota that nobody has told may be used.

AWS throttles by token buckets: a burst goes through at once, then so many requests a second do. So a `Pace` begins with
a few requests and trebles them as answers come well. The first throttled answer says that the bucket is empty; from
then on the requests that go well until it is empty again are the quota itself, measured. The pace stays just below what
was measured and comes back to it and above it along a cubic curve, as CUBIC does for TCP: flat where the ceiling is
thought to be, so that it is seldom hit, and steep where it can't be any more.

Both classes are state machines: the clock is handed in, nobody waits here.
"""

from __future__ import annotations

import math

__all__ = ["Endpoint", "Pace"]

# Requests that go out before anything is known. A handful is not held up, and a small burst is not passed by much.
_FIRST = 6
_GROWTH = 3
# A round is over when this much of it has come well; and where late answers hold it up, one more goes out a second.
_ROUND = 7 / 8
_PATIENCE = 1.0
# Requests a second. Lower quotas are rare, and too low a guess costs more time than too high a one costs requests.
_GUESS = 5.0
_LEAST = 0.1
# How far below the ceiling the curve begins, and in how many requests it comes back: few while the ceiling is
# uncertain, in the end so many that one in 150 is throttled, and so slowly that late answers are in time.
_DIP = 0.1
_SHORT = 8
_LONG = 75
_LONG_SECONDS = 10.0
# Seconds. What is not used for so long is forgotten; a header may ask to wait no longer than this.
_IDLE = 10.0
_MOST_WAIT = 900.0


class Pace:
    """Hold what is known of the quota of one operation in one account and region.

    Args:
        now: the time, in seconds of any clock.
        polite: the share of the quota to use once it is known; the rest is left for others.

    Attributes:
        under_way: how many requests have been sent and not been answered.

    Example:
        >>> pace = Pace(now=0.0)
        >>> for _ in range(6):
        ...     pace.take(0.0)
        >>> pace.ready()
        1.0
        >>> for throttled in (False, False, False, False, False, True):
        ...     pace.done(0.1, throttled=throttled)
        >>> round(pace.ready(), 2)
        0.32
    """

    __slots__ = (
        "_answered",
        "_came",
        "_careful",
        "_ceiling",
        "_credit",
        "_gap",
        "_known",
        "_polite",
        "_ready",
        "_round",
        "_since",
        "_stale",
        "_step",
        "_well",
        "under_way",
    )

    def __init__(self, now: float, polite: float = 1.0) -> None:
        self.under_way = 0
        self._polite = polite
        # Until something is throttled: how many may still be sent, and the round they are of.
        self._credit = self._round = _FIRST
        self._answered = 0
        # After that: the ceiling in requests a second.
        self._ceiling: float | None = None
        # When the next may be sent, whatever else is known.
        self._ready = -math.inf
        # The highest ceiling that was measured, where others shall be left their share.
        self._known = 0.0
        # What has come well since the bucket was last seen empty, and the time between two of them.
        self._since = self._came = now
        self._well = 0
        self._gap = 1.0
        self._step = _SHORT
        # Answers to come of requests that were sent before the last cut: they say nothing new.
        self._stale = 0
        self._careful = False

    def ready(self) -> float:
        """Return when a request may be sent, unless answers come before; infinity: only then."""
        if self._ceiling is None and self._credit > 0:
            return -math.inf
        if self._careful and self.under_way > self._well:
            return math.inf
        return self._ready

    def take(self, now: float) -> None:
        """Count a request that is sent now, as `ready` has allowed."""
        self.under_way += 1
        if self._ceiling is None:
            self._credit = max(0, self._credit - 1)
            self._ready = now + _PATIENCE
        else:
            gap = 1.0 / self._sending(self._ceiling)
            # Who comes late makes it up, by one request at most.
            self._ready = max(self._ready, now - gap) + gap

    def done(self, now: float, *, throttled: bool, retry_after: float = 0.0) -> None:
        """Count an answer.

        Args:
            now: when it came.
            throttled: whether the service has refused it for the rate.
            retry_after: seconds that it has asked to wait.
        """
        self.under_way -= 1
        stale, self._stale = self._stale > 0, max(0, self._stale - 1)
        if not throttled:
            self._came_well(now)
            return
        if not stale:
            self._cut(now)
        self._well, self._since = 0, now
        wait = max(min(retry_after, _MOST_WAIT), 1.0 / self._rate(self._ceiling or _GUESS))
        self._ready = max(self._ready, now + wait)

    def idle(self, now: float) -> bool:
        """Say whether what is known may be forgotten."""
        kept = _IDLE if self._ceiling is None else _MOST_WAIT
        return self.under_way == 0 and now > max(self._came, self._since, self._ready) + kept

    def _came_well(self, now: float) -> None:
        self._well += 1
        self._gap += (now - self._came - self._gap) / 8
        self._came = now
        self._answered += 1
        if self._ceiling is None and self._answered >= self._round * _ROUND:
            self._answered = 0
            self._round *= _GROWTH
            self._credit += self._round

    def _rate(self, ceiling: float) -> float:
        """Return the requests a second that the curve allows after so many that came well."""
        rate = ceiling * (1.0 + _DIP * (self._well / self._step - 1.0) ** 3)
        # Answers may lag behind: no more than twice what has lately come well.
        return max(min(rate, max(ceiling, 2.0 / max(self._gap, 1e-6))), _LEAST)

    def _sending(self, ceiling: float) -> float:
        rate = self._rate(ceiling)
        return max(min(rate, self._known) * self._polite, _LEAST) if self._known else rate

    def _cut(self, now: float) -> None:
        """Take the ceiling from what has come well since the bucket was last seen empty."""
        passed = max(now - self._since, 1e-3)
        self._stale = self.under_way
        if self._ceiling is None:
            # How large the bucket was is no measure of how fast it is filled, but a first guess.
            self._ceiling = max(_GUESS, self._well / max(passed, 1.0))
            self._careful = True
            self._ready = now
            return
        was = self._rate(self._ceiling)
        measured = (self._well + 0.5) / passed
        self._careful = self._well < self._step
        if self._known:
            # Less than the quota was asked for: others use it.
            self._ceiling = max(0.8 * self._ceiling, _LEAST)
        elif self._careful:
            # Sooner than expected: the ceiling is elsewhere, and so few answers don't tell where.
            self._ceiling = max(self._ceiling / 2, min(measured, was), _LEAST)
            self._step = max(_SHORT, 2 * self._stale)
        elif was > 3 * measured:
            # In a steep climb the average says little.
            self._ceiling = was / 2
        else:
            self._ceiling = max(measured, _LEAST)
            self._step = int(min(3 * self._step, max(_LONG, _LONG_SECONDS * self._ceiling)))
            self._known = self._ceiling if self._polite < 1.0 else 0.0


class Endpoint:
    """Hold how many requests may be under way at one service in one region, over all accounts.

    A region that hangs would otherwise have all threads wait in it. So there is room for a few until answers come, for
    about four times as many as are usual after that, and for half as many after each that was too late.

    Attributes:
        under_way: how many requests have been sent and not been answered.

    Example:
        >>> endpoint = Endpoint()
        >>> for _ in range(8):
        ...     endpoint.take()
        >>> endpoint.full, endpoint.done(slow=False), endpoint.full
        (True, None, False)
    """

    __slots__ = ("_room", "_usual", "under_way")

    _START = 8.0

    def __init__(self) -> None:
        self.under_way = 0
        self._usual = 0.0
        self._room = self._START

    @property
    def full(self) -> bool:
        """Say whether one more has to wait until another is answered."""
        return self.under_way >= int(self._room)

    def take(self) -> None:
        """Count a request that is sent."""
        self.under_way += 1
        self._usual = max(self._usual, self.under_way)

    def done(self, *, slow: bool) -> None:
        """Count an answer, or that none came in time."""
        self._usual -= (self._usual - self.under_way) / 32
        self.under_way -= 1
        if slow:
            self._room = max(1.0, self._room / 2)
        elif self._room < 4 * self._usual:
            self._room += 3
        elif self._room > max(self._START, 5 * self._usual):
            self._room -= 1

    def idle(self) -> bool:
        """Say whether there is nothing that a new one would not know."""
        return self.under_way == 0 and self._room >= self._START
