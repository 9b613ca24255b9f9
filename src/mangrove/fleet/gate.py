"""Decide when a request may be sent: the limits, what was learned of quotas, and room at the endpoint, all at once."""

from __future__ import annotations

import math
import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.fleet.buckets import Bucket
from mangrove.fleet.limits import Limit, Limits, Scope
from mangrove.fleet.pacing import Endpoint, Pace

__all__ = ["Blocked", "Gate", "Verdict"]

# An answer of any other kind shows the service at work: `failed` is an error of the request's own.
Verdict = Literal["ok", "throttled", "slow", "failed"]

# Scopes that are known at a time; beyond them, those at rest are forgotten.
_MOST_SCOPES = 10_000
# Seconds within which two regions that are throttled show that they share a quota.
_TOGETHER = 10.0


class Blocked(NamedTuple):
    """Say what a request waits for.

    Args:
        key: what blocks it.
        until: when to ask again, unless `Gate.leave` names the key before; infinity: only then.
    """

    key: Hashable
    until: float


class _Meter:
    """Hold what one limit has counted of one group of requests."""

    __slots__ = ("bucket", "key", "most", "under_way")

    def __init__(self, limit: Limit, key: Hashable, polite: float) -> None:
        self.key = key
        self.under_way = 0
        self.most = math.inf if limit.max_concurrency is None else limit.max_concurrency
        self.bucket = None
        if limit.rate is not None:
            self.bucket = Bucket(limit.rate * polite, max(1.0, (limit.burst or 1.0) * polite))

    def ready(self) -> float:
        if self.under_way >= self.most:
            return math.inf
        return self.bucket.ready() if self.bucket else -math.inf

    def take(self, now: float) -> None:
        self.under_way += 1
        if self.bucket:
            self.bucket.take(now)

    def idle(self, now: float) -> bool:
        return self.under_way == 0 and (self.bucket is None or self.bucket.idle(now))


class _Wide:
    """Hold what is known of a quota that the regions of an account share, as soon as it is seen that they do.

    It learns from all their answers, and holds requests up once two regions were throttled at about the same time.
    """

    __slots__ = ("_throttled", "active", "key", "pace")

    def __init__(self, key: Hashable, now: float, polite: float) -> None:
        self.key = key
        self.pace = Pace(now, polite)
        self.active = False
        self._throttled: dict[str, float] = {}

    def done(self, region: str, now: float, *, throttled: bool, retry_after: float) -> None:
        self.pace.done(now, throttled=throttled, retry_after=retry_after)
        if throttled and not self.active:
            self._throttled[region] = now
            self.active = sum(now - each < _TOGETHER for each in self._throttled.values()) > 1

    def idle(self, now: float) -> bool:
        return self.pace.idle(now)


@dataclass(frozen=True, slots=True)
class _Way:
    """Be all that the requests of one scope pass."""

    scope: Scope
    pace: Pace
    wide: _Wide
    endpoint: Endpoint
    endpoint_key: Hashable
    meters: tuple[_Meter, ...]

    def blocked(self, now: float) -> Blocked | None:
        """Return what holds a request up longest, or None."""
        if self.endpoint.full:
            return Blocked(self.endpoint_key, math.inf)
        worst = Blocked(self.scope, self.pace.ready())
        if self.wide.active and self.wide.pace.ready() > worst.until:
            worst = Blocked(self.wide.key, self.wide.pace.ready())
        for meter in self.meters:
            ready = meter.ready()
            if ready > worst.until:
                worst = Blocked(meter.key, ready)
        return worst if worst.until > now else None

    def idle(self, now: float) -> bool:
        return self.pace.idle(now)


class Gate:
    """Let requests through as fast as limits, quotas and endpoints bear it, for all clients of a fleet.

    Whoever is let in says so when the answer is there. Times are seconds of any clock that never goes back.

    Args:
        limits: the limits that are known.
        polite: the share of each known rate to use, whether given, documented or learned; the rest is left for others.
        most_scopes: how many scopes are remembered while they are at rest.

    Raises:
        ConfigError: `polite` is not above 0 and at most 1.
        DeclarationTypeError: it is no number.

    Example:
        >>> from mangrove.fleet.limits import Limit, Limits, Scope
        >>> gate = Gate(Limits((Limit("all", rate=2, burst=1),)))
        >>> scope = Scope("111111111111", "eu-west-1", "ec2", "DescribeVpcs")
        >>> gate.enter(scope, now=10.0), gate.enter(scope, now=10.0)
        (None, Blocked(key=('all',), until=10.5))
        >>> gate.leave(scope, "ok", now=10.1) == (scope, ("eu-west-1", "ec2"))
        True
    """

    def __init__(self, limits: Limits, *, polite: float = 1.0, most_scopes: int = _MOST_SCOPES) -> None:
        if isinstance(polite, bool) or not isinstance(polite, int | float):
            text = f"polite takes a share of the rates, such as 0.5; got {type(polite).__name__}: {polite!r}"
            raise DeclarationTypeError(text)
        if not 0 < polite <= 1:
            text = f"polite takes a share of the rates, above 0 and at most 1; got {polite!r}"
            raise ConfigError(text)
        self._limits = limits
        self._polite = float(polite)
        self._lock = threading.Lock()
        self._ways: dict[Scope, _Way] = {}
        self._near: dict[tuple[str, str], list[Limit]] = {}
        self._meters: dict[Hashable, _Meter] = {}
        self._endpoints: dict[Hashable, Endpoint] = {}
        self._wides: dict[Hashable, _Wide] = {}
        self._most = self._sweep_at = most_scopes

    def enter(self, scope: Scope, now: float) -> Blocked | None:
        """Let a request in, or say what it waits for.

        Args:
            scope: what the request counts for.
            now: the time.

        Returns:
            None if the request may be sent: it counts as under way until `leave`. Otherwise nothing was taken.
        """
        with self._lock:
            way = self._ways.get(scope) or self._way(scope, now)
            blocked = way.blocked(now)
            if blocked is None:
                way.pace.take(now)
                way.wide.pace.take(now)
                way.endpoint.take()
                for meter in way.meters:
                    meter.take(now)
            return blocked

    def leave(self, scope: Scope, verdict: Verdict, now: float, retry_after: float = 0.0) -> tuple[Hashable, ...]:
        """Count the answer to a request that was let in.

        Args:
            scope: as it was let in.
            verdict: how it has ended; `slow` is a time-out, of connecting or of reading.
            now: the time.
            retry_after: seconds that the service asks to wait, with `throttled`.

        Returns:
            The keys of `Blocked` that may have room again.
        """
        with self._lock:
            way = self._ways[scope]
            throttled = verdict == "throttled"
            way.pace.done(now, throttled=throttled, retry_after=retry_after)
            way.wide.done(scope.region, now, throttled=throttled, retry_after=retry_after)
            way.endpoint.done(slow=verdict == "slow")
            freed: list[Hashable] = [scope, way.endpoint_key]
            if way.wide.active:
                freed.append(way.wide.key)
            for meter in way.meters:
                if meter.under_way >= meter.most:
                    freed.append(meter.key)
                meter.under_way -= 1
            return tuple(freed)

    def _way(self, scope: Scope, now: float) -> _Way:
        if len(self._ways) >= self._sweep_at:
            self._sweep(now)
        endpoint_key = (scope.region, scope.service)
        meters = []
        near = self._near.get((scope.service, scope.operation))
        if near is None:
            near = [limit for limit in self._limits if limit.may_match(scope)]
            self._near[scope.service, scope.operation] = near
        for limit in near:
            if not limit.matches(scope):
                continue
            key = limit.group(scope)
            meter = self._meters.get(key)
            if meter is None:
                meter = self._meters[key] = _Meter(limit, key, self._polite)
            meters.append(meter)
        endpoint = self._endpoints.setdefault(endpoint_key, Endpoint())
        wide_key = (scope.account, scope.service, scope.operation)
        wide = self._wides.get(wide_key)
        if wide is None:
            wide = self._wides[wide_key] = _Wide(wide_key, now, self._polite)
        way = _Way(scope, Pace(now, self._polite), wide, endpoint, endpoint_key, tuple(meters))
        self._ways[scope] = way
        return way

    def _sweep(self, now: float) -> None:
        """Forget what is at rest, and says no more than if it were new."""
        self._near.clear()
        self._ways = {scope: way for scope, way in self._ways.items() if not way.idle(now)}
        used = {meter.key for way in self._ways.values() for meter in way.meters}
        self._meters = {key: each for key, each in self._meters.items() if key in used or not each.idle(now)}
        used = {way.wide.key for way in self._ways.values()}
        self._wides = {key: each for key, each in self._wides.items() if key in used or not each.idle(now)}
        used = {way.endpoint_key for way in self._ways.values()}
        self._endpoints = {key: each for key, each in self._endpoints.items() if key in used or not each.idle()}
        # Where nothing is at rest, a sweep for every scope would be in vain.
        self._sweep_at = max(self._most, 2 * len(self._ways))
