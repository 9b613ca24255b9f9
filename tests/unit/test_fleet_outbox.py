"""Turns, the outbox, the lobby and the patience of a run: pure, one thread, a clock that is handed in."""

from __future__ import annotations

import math
from collections import Counter, deque
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.fleet.gate import Blocked
from mangrove.fleet.limits import Scope
from mangrove.fleet.lobby import Job, Lobby
from mangrove.fleet.outbox import AsTheyCome, InTheirOrder
from mangrove.fleet.outcome import Outcome, Target
from mangrove.fleet.trying import Patience
from mangrove.fleet.turns import InOrder, RoundRobin

# -- turns -------------------------------------------------------------------------------------------------------------

items = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 9)), max_size=60)


@given(items)
def test_every_account_has_its_turn(given_items):
    turns = RoundRobin()
    for number, (account, index) in enumerate(given_items):
        turns.add((account, number), account, (0, index))
    assert len(turns) == len(given_items)
    taken = []
    waiting = Counter(account for account, _ in given_items)
    while (item := turns.next()) is not None:
        taken.append(item)
        recent = [account for account, _ in taken[-len(waiting) :]]
        # Nobody comes twice while somebody else that waits has not come.
        assert recent.count(item[0]) == 1 or sum(count > 0 for count in waiting.values()) < len(waiting)
        waiting[item[0]] -= 1
    assert sorted(number for _, number in taken) == list(range(len(given_items)))
    for account in "abcd":
        numbers = [number for name, number in taken if name == account]
        assert numbers == sorted(numbers)
    assert len(turns) == 0


def test_who_has_waited_before_comes_first_of_its_account():
    turns = RoundRobin()
    turns.add("later", "a", (0, 1))
    turns.add("waited", "a", (0, 0), again=True)
    assert [turns.next(), turns.next(), turns.next()] == ["waited", "later", None]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40))
def test_in_order_is_by_index_and_then_by_arrival(indexes):
    turns = InOrder()
    for number, index in enumerate(indexes):
        turns.add((index, number), "a", index)
    assert len(turns) == len(indexes)
    assert [*iter(turns.next, None)] == sorted((index, number) for number, index in enumerate(indexes))


# -- the outbox --------------------------------------------------------------------------------------------------------


def outcome(index):
    return Outcome(Target("111111111111", str(index)), "ok")


@st.composite
def arrivals(draw):
    """Draw how many targets each account has and rows each target, and an order in which all of it may arrive."""
    accounts = draw(st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=5))
    queues = []
    for account, targets in enumerate(accounts):
        opened = deque([("opened", account, len(targets))])
        queues.append(opened)
        for number, pages in enumerate(targets):
            events = [("put", (account, number), [(account, number, page)]) for page in range(pages)]
            queues.append(deque([*events, ("put", (account, number), outcome((account, number)))]))
    order = []
    while queues:
        queue = queues[draw(st.integers(0, len(queues) - 1))]
        order.append(queue.popleft())
        queues = [each for each in queues if each]
    return accounts, order


@given(arrivals(), st.booleans())
def test_in_their_order_hands_out_everything_once_in_order(drawn, read_at_once):
    accounts, order = drawn
    box, taken = InTheirOrder(most=4), []
    for what, place, value in order:
        if what == "opened":
            box.opened(place, value)
        else:
            box.put(place, value)
        if read_at_once:
            taken += iter(box.take, None)
    assert box.ready == (0 if read_at_once else len(taken) + box.ready)
    taken += iter(box.take, None)
    expected = []
    for account, targets in enumerate(accounts):
        for number, pages in enumerate(targets):
            expected += [[(account, number, page)] for page in range(pages)]
            expected.append(outcome((account, number)))
    assert taken == expected
    assert box.ready == 0
    assert box.wants((len(accounts) + 1, 0))


@given(arrivals(), st.integers(1, 5), st.randoms())
def test_in_their_order_is_bounded_and_never_stuck(drawn, most, dice):
    accounts, order = drawn
    box = InTheirOrder(most)
    for account, targets in enumerate(accounts):
        box.opened(account, len(targets))
    left = {}
    for what, place, value in order:
        if what == "put":
            left.setdefault(place, deque()).append(value)
    held = taken = 0
    total = sum(map(len, left.values()))
    while taken < total:
        wanted = [place for place, queue in left.items() if queue and box.wants(place)]
        if wanted and dice.random() < 0.8:
            box.put(place := dice.choice(wanted), left[place].popleft())
            held += 1
            # What waits for its turn, and what waits for its reader.
            assert held <= 2 * most
            continue
        event = box.take()
        # With a reader that keeps up there is always something: to put, or to read.
        assert wanted or event is not None
        if event is not None:
            taken, held = taken + 1, held - 1


def test_as_they_come():
    box = AsTheyCome(most=2)
    assert [box.wants((0, 0)), box.ready, box.take()] == [True, 0, None]
    box.put((1, 0), ["a"])
    box.put((0, 0), ["b"])
    box.put((0, 1), ["c"])
    assert (box.wants((0, 0)), box.ready) == (False, 3)
    assert [*iter(box.take, None)] == [["a"], ["b"], ["c"]]


# -- the lobby ---------------------------------------------------------------------------------------------------------


class Doorman:
    """Be a gate whose limits are set by hand: so many at once in each region."""

    def __init__(self, **most):
        self.most, self.under_way, self.until = most, Counter(), {}

    def enter(self, scope, now):
        if self.until.get(scope.region, 0.0) > now:
            return Blocked(scope.region, self.until[scope.region])
        if self.under_way[scope.region] >= self.most.get(scope.region, math.inf):
            return Blocked(scope.region, math.inf)
        self.under_way[scope.region] += 1
        return None

    def leave(self, scope, verdict, now, retry_after=0.0):
        self.under_way[scope.region] -= 1
        return (scope.region,)


def job(number, region="one", account="a", *, scoped=True):
    scope = Scope(account, region, "ec2", "X") if scoped else None
    target = SimpleNamespace(account=account, region=region)
    return Job(SimpleNamespace(target=target, scope=scope, number=number), (0, number))


def lobby(gate, turns=None, wants=lambda index: True):
    return Lobby(gate, turns or RoundRobin(), wants)


def admitted(room, now):
    return [each.task.number for each in iter(lambda: room.admit(now), None)]


def test_who_is_parked_comes_in_the_order_in_which_they_came():
    room = lobby(Doorman(one=1))
    jobs = [job(number) for number in range(5)]
    for each in jobs:
        room.add(each)
    assert admitted(room, 0.0) == [0]
    assert (len(room), room.ready) == (4, 0)
    for number, each in enumerate(jobs[:-1]):
        room.leave(each, "ok", now=number)
        assert admitted(room, now=number) == [number + 1]
    assert len(room) == 0


def test_one_blocked_region_holds_up_no_other():
    room = lobby(Doorman(one=1))
    for number in range(6):
        room.add(job(number, region=("one", "two")[number % 2]))
    assert admitted(room, 0.0) == [0, 1, 3, 5]


def test_an_alarm_is_set_for_what_has_a_time():
    gate = Doorman()
    gate.until["one"] = 0.25
    room = lobby(gate)
    for number in range(3):
        room.add(job(number))
    assert admitted(room, 0.0) == []
    assert room.next_time == 0.25
    assert admitted(room, 0.2) == []
    assert admitted(room, 0.25) == [0, 1, 2]


def test_room_that_nobody_tells_of_is_found_all_the_same():
    # Another run of the same fleet had it.
    gate = Doorman(one=0)
    room = lobby(gate)
    room.add(job(0))
    assert admitted(room, 0.0) == []
    gate.most["one"] = 1
    assert room.next_time is not None
    assert admitted(room, room.next_time) == [0]


def test_what_is_tried_again_waits_for_its_time():
    room = lobby(Doorman())
    room.later(job(1), when=5.0)
    room.later(job(0), when=3.0)
    assert (len(room), room.next_time, room.ready) == (2, 3.0, 0)
    assert admitted(room, 2.9) == []
    assert admitted(room, 3.0) == [0]
    assert admitted(room, 9.0) == [1]
    assert room.next_time is None


def test_what_is_not_wanted_keeps_its_turn():
    open_now = []
    room = lobby(Doorman(), wants=lambda index: bool(open_now))
    for number in range(3):
        room.add(job(number))
    assert admitted(room, 0.0) == []
    assert len(room) == 3
    open_now.append(True)
    assert admitted(room, 0.0) == [0, 1, 2]


def test_what_counts_for_nothing_is_not_held_up():
    room = lobby(Doorman(one=0))
    room.add(job(0, scoped=False))
    assert admitted(room, 0.0) == [0]
    room.leave(job(0, scoped=False), "ok", 0.0)


def test_a_region_that_does_not_answer_is_not_asked_for_ever():
    room = lobby(Doorman())
    jobs = [job(number) for number in range(40)]
    for each in jobs:
        room.add(each)
    asked = []
    while (each := room.admit(0.0)) is not None:
        if not each.hopeless:
            asked.append(each)
            room.leave(each, "slow", 0.0)
    assert 1 < len(asked) < 20
    # One answer, and it is asked again.
    room.leave(asked[0], "failed", 0.0)
    room.add(job(99))
    assert not room.admit(0.0).hopeless


def test_draining_takes_all_that_wait():
    gate = Doorman(one=0)
    room = lobby(gate)
    for number in range(4):
        room.add(job(number))
    assert admitted(room, 0.0) == []
    room.later(job(4), when=9.0)
    room.add(job(5, region="two"))
    assert sorted(each.task.number for each in room.drain()) == [0, 1, 2, 3, 4, 5]
    assert (len(room), room.next_time, room.admit(99.0)) == (0, None, None)


@given(
    st.lists(st.tuples(st.sampled_from(["one", "two", "free"]), st.sampled_from("ab")), max_size=30),
    st.booleans(),
    st.randoms(),
)
def test_nobody_is_forgotten(places, in_order, dice):
    gate = Doorman(one=1, two=2)
    room = lobby(gate, InOrder() if in_order else RoundRobin())
    waiting = [job(number, region, account) for number, (region, account) in enumerate(places)]
    inside, done, now = [], [], 0.0
    while len(done) < len(places):
        if waiting and dice.random() < 0.5:
            room.add(waiting.pop(0))
        while (each := room.admit(now)) is not None:
            inside.append(each)
        assert gate.under_way["one"] <= 1
        assert gate.under_way["two"] <= 2
        if inside:
            each = inside.pop(dice.randrange(len(inside)))
            room.leave(each, "ok", now)
            done.append(each)
        elif not waiting:
            # Nobody is inside and nobody comes, so somebody must be let in now: there is room, and it was told.
            each = room.admit(now)
            assert each is not None
            inside.append(each)
        now += 0.001
    assert len({id(each) for each in done}) == len(places)
    assert len(room) == 0


# -- patience ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "tries"), [("failed", 4), ("timeout", 2), ("throttled", None), ("denied", 4), ("expired", 4)]
)
def test_how_often_it_is_tried(fault, tries):
    patience = Patience()
    gives_up = next((n for n in range(1, 99) if patience.wait(fault, n, 0.0, lambda: 1.0) is None), None)
    assert gives_up == tries


@given(st.integers(1, 10_000), st.floats(0, 1), st.floats(0, 1e6))
def test_a_wait_is_at_least_what_aws_asks_for_and_else_at_most_the_longest(attempt, dice, asked):
    patience = Patience()
    assert patience.wait("throttled", attempt, asked, lambda: dice) >= asked
    assert 0 <= patience.wait("throttled", attempt, 0.0, lambda: dice) <= patience.longest


def test_waits_double():
    waits = [Patience().wait("throttled", attempt, 0.0, lambda: 1.0) for attempt in range(1, 10)]
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 20.0, 20.0]
