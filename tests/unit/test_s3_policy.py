"""Retries: which failures are tried again, when, how often, and what a fleet of them may cost."""

from __future__ import annotations

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.errors import ConfigError
from mangrove.s3.rules.policy import Budget, Policy, Tries

PASSING = ["throttled", "transient", "unreachable"]
ANY = [*PASSING, "damaged", "expired", "moved", "fatal"]


def reached(**kwargs):
    budget = Budget(**kwargs)
    budget.give()
    return budget


def run(policy, kinds, budget=None, draw=random.random, retry_after=None, work=0.01):
    """Fail with these kinds one after the other; return the waits, the reason of the end, and when that was."""
    budget = budget or reached()
    tries, now, waits = Tries(started=0.0), 0.0, []
    for kind in kinds:
        now += work
        wait, reason = policy.decide(tries, kind, now=now, budget=budget, draw=draw, retry_after=retry_after)
        if wait is None:
            return waits, reason, now
        waits.append(wait)
        now += wait
    return waits, "", now


@pytest.mark.parametrize("kind", PASSING)
def test_passing_faults_are_tried_again_until_the_deadline(kind):
    waits, reason, now = run(Policy(retries=3), [kind] * 1000)
    assert len(waits) > 24  # what brings 100,000 operations through when half the requests fail
    assert now < 120 + 0.02  # the last try begins before the deadline
    assert "the deadline is 120 s" in reason


@pytest.mark.parametrize("kind", ["damaged", "expired", "moved"])
def test_lasting_faults_are_tried_again_so_often(kind):
    assert len(run(Policy(retries=3), [kind] * 10)[0]) == 3
    assert len(run(Policy(retries=7), [kind] * 10)[0]) == 7


def test_what_was_never_reached_may_be_a_wrong_name():
    waits, reason, _ = run(Policy(retries=3), ["unreachable"] * 10, budget=Budget())
    assert len(waits) == 3
    assert reason == "it failed 4 times, with retries=3"


@pytest.mark.parametrize("kind", [*PASSING, "damaged", "fatal"])
def test_no_retries(kind):
    assert run(Policy(retries=0), [kind])[0] == []


@pytest.mark.parametrize("kind", ["expired", "moved"])
def test_a_correction_is_made_even_without_retries_and_at_once(kind):
    assert run(Policy(retries=0), [kind] * 2)[0] == [0.0]


def test_corrections_are_not_counted_as_damage():
    waits, _, _ = run(Policy(retries=2), ["expired", "damaged", "moved", "damaged", "throttled", "damaged"])
    assert len(waits) == 5


def test_a_fatal_error_is_never_tried_again():
    assert run(Policy(retries=100), ["fatal"]) == ([], "such an error comes again", 0.01)


def test_a_kind_that_nobody_knows_is_not_tried_again():
    assert run(Policy(), ["new"])[0] == []


def test_waits_double_up_to_the_cap():
    waits, _, _ = run(Policy(base=1.0, cap=10.0, deadline=1000), ["transient"] * 7, draw=lambda: 1.0)
    assert waits == [1, 2, 4, 8, 10, 10, 10]
    waits, _, _ = run(Policy(throttle_base=2.0, cap=10.0, deadline=1000), ["throttled"] * 3, draw=lambda: 0.5)
    assert waits == [1, 2, 4]


@given(st.lists(st.sampled_from(ANY)), st.randoms(use_true_random=False), st.floats(0, 300), st.integers(0, 5))
def test_no_try_begins_after_the_deadline(kinds, dice, deadline, retries):
    policy = Policy(retries=retries, deadline=deadline)
    waits, _, now = run(policy, kinds, draw=dice.random, budget=reached(capacity=3), work=0.0)
    assert all(wait >= 0 for wait in waits)
    assert now <= deadline


@given(st.floats(0, 50), st.randoms(use_true_random=False))
def test_what_s3_asks_for_is_waited_for_and_jittered(asked, dice):
    waits, _, _ = run(Policy(deadline=60), ["throttled"], draw=dice.random, retry_after=asked)
    assert asked <= waits[0] <= asked + 0.5


def test_what_s3_asks_for_may_be_too_late():
    waits, reason, _ = run(Policy(deadline=60), ["throttled"], retry_after=61.0)
    assert waits == []
    assert reason.endswith("the deadline is 60 s")


@pytest.mark.parametrize("kind", ["expired", "moved"])
def test_no_correction_is_made_after_the_deadline(kind):
    assert run(Policy(deadline=1.0), [kind], work=1.0)[0] == []


def test_a_million_tries_overflow_nothing():
    assert len(run(Policy(deadline=1e9, base=0.0, cap=0.0, throttle_base=0.0), ["throttled"] * 5000)[0]) == 5000


def test_a_budget_never_fails_an_operation_but_slows_the_others_down():
    budget = reached(capacity=10, per_second=1.0)
    policy = Policy(base=0.0)
    waits = [policy.decide(Tries(0.0), "transient", now=0.0, budget=budget).wait for _ in range(130)]
    assert waits[:10] == [0.0] * 10
    assert waits[10:129] == [pytest.approx(number) for number in range(1, 120)]
    assert waits[129] is None
    assert policy.decide(Tries(0.0), "transient", now=0.0, budget=budget).reason.endswith("others failed as well")


def test_what_was_not_tried_costs_nothing():
    budget = reached(capacity=10, per_second=1.0)
    for _ in range(1000):
        Policy(base=0.0, deadline=5.0).decide(Tries(0.0), "transient", now=0.0, budget=budget)
    assert budget.take(now=0.0) <= 6.0


def test_successes_and_time_fill_a_budget_up():
    budget = Budget(capacity=10, per_success=2.0, per_second=1.0)
    for _ in range(10):
        assert budget.take(now=5.0) == 0.0
    assert budget.take(now=5.0) == 1.0
    assert not budget.reached
    budget.give()
    assert budget.reached
    assert budget.take(now=5.0) == 0.0
    for _ in range(10):
        assert budget.take(now=1000.0) == 0.0  # never more than its capacity, however long nothing failed
    assert budget.take(now=1000.0) == 1.0
    assert budget.take(now=0.0) == 2.0  # a clock read before another thread's is no step back


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_a_budget_lasts_when_half_the_requests_fail(share):
    # A seed makes the run the same each time.
    dice, budget, now = random.Random(7), reached(), 0.0  # noqa: S311
    for _ in range(20_000):
        now += 0.0001
        while dice.random() < share:
            assert budget.take(now) == 0.0
        budget.give()


def test_in_an_outage_tries_again_come_slowly():
    budget = reached(capacity=100, per_second=10.0)
    policy, made = Policy(deadline=60.0), 0
    for _ in range(10_000):
        wait = policy.decide(Tries(0.0), "transient", now=0.0, budget=budget).wait
        made += wait is not None
    assert made <= 100 + 10 * 60


def test_a_budget_for_many_threads():
    budget = Budget(capacity=4000, per_success=1.0)

    def work():
        for _ in range(1000):
            budget.take(0.0)
            budget.give()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget._tokens == 4000


@pytest.mark.parametrize(
    "wrong",
    [
        {"retries": -1},
        {"retries": 1.5},
        {"retries": True},
        {"retries": None},
        {"deadline": -1},
        {"deadline": "1"},
        {"cap": float("inf")},
        {"base": float("nan")},
        {"deadline": True},
    ],
)
def test_no_policy(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Policy(**wrong)


def test_the_least_budget():
    budget = Budget(capacity=1, per_success=0)
    assert budget.take(now=0.0) == 0.0
    assert budget.take(now=0.0) > 0.0


@pytest.mark.parametrize("wrong", [{"capacity": 0}, {"per_success": -1}, {"per_second": 0}])
def test_no_budget(wrong):
    with pytest.raises(ConfigError, match="a budget has"):
        Budget(**wrong)
