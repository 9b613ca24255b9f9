"""How a quota that nobody tells is found and kept: against a token bucket, in virtual time."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import deque
from dataclasses import dataclass, field

import pytest

from mangrove.fleet.gate import Gate
from mangrove.fleet.limits import Limit, Limits, Scope

SCOPE = Scope("111111111111", "eu-west-1", "ec2", "DescribeVpcs")
NEAR, FAR = (0.02, 0.02), (0.2, 0.3)


@dataclass
class Server:
    """Answer as AWS does: a bucket of tokens, refilled steadily."""

    rate: float
    burst: float
    changes: list = field(default_factory=list)  # (when, rate)
    tokens: float = math.nan
    last: float = 0.0
    throttled: int = 0
    answers: int = 0

    def ask(self, now):
        if self.changes and now >= self.changes[0][0]:
            self.rate = self.changes.pop(0)[1]
        full = self.burst if math.isnan(self.tokens) else self.tokens
        self.tokens, self.last = min(self.burst, full + (now - self.last) * self.rate), now
        self.answers += 1
        if self.tokens >= 1 - 1e-9:
            self.tokens -= 1
            return "ok"
        self.throttled += 1
        return "throttled"

    @property
    def share(self):
        return self.throttled / self.answers


class Client:
    """Make so many requests with so many threads, as a scheduler does: in order, parked under what blocks."""

    def __init__(self, world, server, workers, total, latency, gate=None):
        self.world, self.server, self.latency = world, server, latency
        self.gate = gate or Gate(Limits())
        self.free, self.waiting, self.left = workers, deque(range(total)), total
        self.ended = self.most = 0
        self.running = 0
        self.alarm = -math.inf

    def go(self, now):
        while self.free and self.waiting:
            blocked = self.gate.enter(SCOPE, now)
            if blocked:
                assert blocked.until > now
                assert blocked.until < math.inf or self.running, "nobody is under way who could let it in"
                if math.inf > blocked.until != self.alarm:
                    self.alarm = blocked.until
                    self.world.at(blocked.until, self.go)
                return
            self.free -= 1
            self.waiting.popleft()
            self.running += 1
            self.most = max(self.most, self.running)
            half = self.world.random.uniform(*self.latency) / 2
            self.world.at(now + half, lambda then, half=half: self.arrive(then, half))

    def arrive(self, now, half):
        verdict = self.server.ask(now)
        self.world.at(now + half, lambda then: self.answered(then, verdict))

    def answered(self, now, verdict):
        self.running -= 1
        self.free += 1
        if verdict == "ok":
            self.left -= 1
            self.ended = now
        else:
            self.waiting.appendleft(0)
        assert SCOPE in self.gate.leave(SCOPE, verdict, now)
        self.go(now)


class World:
    """Run what is due, in its order, without waiting."""

    def __init__(self, seed=1):
        self.random = random.Random(seed)  # noqa: S311
        self.due, self.numbers = [], itertools.count()

    def at(self, when, call):
        heapq.heappush(self.due, (when, next(self.numbers), call))

    def run(self, *clients):
        for client in clients:
            client.go(0.0)
        while self.due:
            now, _, call = heapq.heappop(self.due)
            call(now)
        assert not any(client.left for client in clients)


def run(server, workers=20, total=300, latency=NEAR, seed=1, gate=None):
    world = World(seed)
    client = Client(world, server, workers, total, latency, gate)
    world.run(client)
    return client


def best(rate, burst, total, workers=64, latency=NEAR):
    """Return the least time in which so many requests can go well."""
    trip = sum(latency) / 2
    return trip + max((total - burst) / rate, (total / workers - 1) * trip, 0)


# -- the figure that is promised --------------------------------------------------------------------------------------


@pytest.mark.parametrize("total", [300, 1000])
@pytest.mark.parametrize("workers", [4, 20, 64])
@pytest.mark.parametrize("latency", [(0.002, 0.01), NEAR, (0.05, 0.15)])
@pytest.mark.parametrize("seed", [1, 2])
def test_five_a_second_are_found_with_few_throttled_answers_and_no_time_lost(total, workers, latency, seed):
    server = Server(5, 5)
    client = run(server, workers, total, latency, seed)
    assert server.share < 0.02
    assert client.ended <= 1.05 * best(5, 5, total)


@pytest.mark.parametrize("seed", range(5))
def test_from_far_away_too(seed):
    server = Server(5, 5)
    client = run(server, 20, 1000, FAR, seed)
    assert server.share < 0.02
    assert client.ended <= 1.05 * best(5, 5, 1000)


# -- other quotas: the bucket's first emptying costs what is under way, once -------------------------------------------


@pytest.mark.parametrize("workers", [4, 20, 64])
@pytest.mark.parametrize("latency", [NEAR, (0.05, 0.05), FAR])
@pytest.mark.parametrize(
    ("rate", "burst", "slower", "refused"),
    [
        (1, 5, 1.05, 20),
        (1, 20, 1.05, 30),
        (1, 100, 1.05, 90),
        (5, 1, 1.6, 30),
        (5, 20, 1.05, 75),
        (5, 100, 1.05, 100),
        (20, 5, 1.3, 60),
        (20, 20, 1.05, 120),
        (20, 100, 1.05, 120),
        (100, 20, 1.8, 200),
        (100, 100, 1.3, 190),
    ],
)
def test_other_quotas_are_found(rate, burst, workers, latency, slower, refused):
    server = Server(rate, burst)
    client = run(server, workers, 1000, latency)
    ideal = max(best(rate, burst, 1000), 1000 * sum(latency) / 2 / workers)
    assert client.ended <= slower * ideal
    assert server.throttled <= refused


# -- without a quota ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("total", "trips"), [(1, 1), (6, 1), (20, 2), (64, 3), (256, 7)])
def test_without_a_quota_all_threads_are_at_work_within_three_round_trips(total, trips):
    client = run(Server(1e9, 1e9), 64, total, (0.05, 0.05))
    assert client.ended <= trips * 0.05 + 1e-6


def test_one_late_answer_does_not_hold_up_the_others():
    world, server = World(), Server(1e9, 1e9)
    client = Client(world, server, 64, 200, (0.05, 0.05))
    late = Client(world, server, 1, 1, (30.0, 30.0), client.gate)
    world.run(late, client)
    assert client.ended < 1.5


# -- what changes, and who else is there -------------------------------------------------------------------------------


@pytest.mark.parametrize("latency", [NEAR, FAR])
@pytest.mark.parametrize(("before", "after"), [(5, 20), (20, 5), (5, 2.5), (10, 40)])
def test_a_quota_that_changes_is_found_again(before, after, latency):
    half = 500 / before
    server = Server(before, 5, [(half, after)])
    client = run(server, 20, 1000, latency)
    assert client.ended <= 1.4 * (half + 500 / after)
    assert server.share < 0.06


@pytest.mark.parametrize("latency", [NEAR, FAR])
def test_two_that_share_a_quota_use_it_up_and_leave_one_another_some(latency):
    world, server = World(), Server(5, 5)
    clients = [Client(world, server, 20, 500, latency) for _ in range(2)]
    world.run(*clients)
    last = max(client.ended for client in clients)
    assert last <= 1.3 * best(5, 5, 1000)
    assert min(client.ended for client in clients) >= 0.5 * last
    assert server.share < 0.05


@pytest.mark.parametrize("polite", [0.25, 0.5, 0.8])
@pytest.mark.parametrize("rate", [5, 20])
def test_polite_leaves_the_rest_of_a_quota_that_was_found(polite, rate):
    server = Server(rate, rate)
    client = run(server, 20, 2000, gate=Gate(Limits(), polite=polite))
    assert 2000 / client.ended == pytest.approx(polite * rate, rel=0.1)
    assert server.share < 0.02


def test_polite_gives_way_to_others_that_come():
    world, server = World(), Server(10, 10)
    polite = Client(world, server, 20, 600, NEAR, Gate(Limits(), polite=0.5))
    greedy = Client(world, server, 20, 600, NEAR)
    world.run(polite, greedy)
    assert greedy.ended < polite.ended


def test_a_limit_that_is_told_is_kept_without_a_throttled_answer():
    server = Server(5, 5)
    client = run(server, 20, 300, gate=Gate(Limits((Limit("told", rate=5, burst=5),))))
    assert server.throttled == 0
    assert client.ended == pytest.approx(best(5, 5, 300), rel=0.05)


def test_a_service_that_throttles_everything_is_asked_rarely():
    gate, now, asked = Gate(Limits()), 0.0, 0
    while now < 600.0:
        blocked = gate.enter(SCOPE, now)
        if blocked:
            now = blocked.until
        else:
            asked += 1
            gate.leave(SCOPE, "throttled", now)
    assert 60 <= asked <= 80
