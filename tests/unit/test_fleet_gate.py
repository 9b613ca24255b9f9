"""The gate: everything that a request passes, taken at once or not at all."""

from __future__ import annotations

import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.fleet.gate import Blocked, Gate
from mangrove.fleet.limits import Limit, Limits, Scope

ONE, TWO = "111111111111", "222222222222"


def gate(*limits, **options):
    return Gate(Limits(limits), **options)


def scope(account=ONE, region="eu-west-1", service="ec2", operation="DescribeVpcs"):
    return Scope(account, region, service, operation)


def entered(at, scopes, now=0.0):
    return sum(at.enter(each, now) is None for each in scopes)


def test_a_handful_of_requests_is_not_held_up():
    assert entered(gate(), [scope()] * 6) == 6


def test_a_blocked_request_takes_nothing():
    at = gate(Limit("wide", rate=1, burst=2), Limit("narrow", max_concurrency=1, scope=["account"]))
    assert at.enter(scope(), 0.0) is None
    assert at.enter(scope(), 0.0) == Blocked(("narrow", ONE), math.inf)
    assert at.enter(scope(), 0.0) == Blocked(("narrow", ONE), math.inf)
    # The token that the blocked ones did not take is still there.
    assert at.enter(scope(TWO), 0.0) is None
    assert at.enter(scope("333333333333"), 0.0) == Blocked(("wide",), 1.0)


def test_leaving_names_what_it_blocked():
    at = gate(Limit("one", max_concurrency=1))
    at.enter(scope(), 0.0)
    blocked = at.enter(scope(TWO), 0.0)
    assert blocked.key in at.leave(scope(), "ok", 0.1)
    assert at.enter(scope(TWO), 0.1) is None


@pytest.mark.parametrize("verdict", ["ok", "failed", "slow"])
def test_whatever_the_answers_are_the_next_are_let_in(verdict):
    at, now = gate(), 0.0
    for _ in range(100):
        assert at.enter(scope(), now) is None
        now += 0.1
        at.leave(scope(), verdict, now)


def test_a_steady_rate_is_the_given_one():
    at, now, sent = gate(Limit("one", rate=5, burst=1, where={"service": "ec2"})), 0.0, 0
    while now < 60.0:
        blocked = at.enter(scope(), now)
        if blocked:
            now = blocked.until
        else:
            sent += 1
            at.leave(scope(), "ok", now)
    assert sent == pytest.approx(300, rel=0.05)


def test_polite_leaves_the_rest_of_a_given_rate_to_others():
    at, now, sent = gate(Limit("one", rate=10, burst=10), polite=0.5), 0.0, 0
    assert entered(at, [scope(region=f"eu-west-{number}") for number in range(8)]) == 5
    while now < 20.0:
        blocked = at.enter(scope(operation=f"Describe{sent}"), now)
        if blocked:
            now = max(now + 1e-9, blocked.until)
        else:
            sent += 1
            at.leave(scope(operation=f"Describe{sent - 1}"), "ok", now)
    assert sent == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize(
    ("polite", "error"), [(0, ConfigError), (-1, ConfigError), (1.5, ConfigError), (math.nan, ConfigError)]
)
def test_polite_is_a_share(polite, error):
    with pytest.raises(error, match="polite takes a share"):
        gate(polite=polite)


@pytest.mark.parametrize("polite", ["0.5", True, None])
def test_polite_is_a_number(polite):
    with pytest.raises(DeclarationTypeError, match="polite takes a share"):
        gate(polite=polite)


def test_a_region_that_has_not_answered_yet_gets_a_few_requests():
    at = gate()
    assert entered(at, [scope(str(account)) for account in range(64)]) == 8
    assert at.enter(scope("new"), 0.0) == Blocked(("eu-west-1", "ec2"), math.inf)
    assert at.enter(scope("new", region="eu-west-2"), 0.0) is None


def test_a_region_that_hangs_is_asked_by_one_at_a_time_and_comes_back():
    at = gate()
    accounts = [scope(str(number)) for number in range(8)]
    assert entered(at, accounts) == 8
    for each in accounts:
        at.leave(each, "slow", 10.0)
    assert entered(at, accounts, 10.0) == 1
    assert ("eu-west-1", "ec2") in at.leave(accounts[0], "ok", 10.1)
    assert entered(at, accounts, 10.1) == 4
    for each in accounts[:4]:
        at.leave(each, "ok", 10.2)
    assert entered(at, accounts, 10.2) == 8


def test_a_region_that_hangs_later_holds_few_threads():
    at = gate()
    many = [scope(str(number)) for number in range(200)]
    # Three requests are usual there, a short rush comes once, and then it goes on.
    for wave in (1, 2, 4, 8, 16, 32, *[3] * 60):
        inside = [each for each in many[:wave] if at.enter(each, 0.0) is None]
        for each in inside:
            at.leave(each, "ok", 0.05)
    assert entered(at, many) <= 16


def test_retry_after_is_honoured():
    at = gate()
    assert at.enter(scope(), 0.0) is None
    at.leave(scope(), "throttled", 0.1, retry_after=7.0)
    assert at.enter(scope(), 0.1) == Blocked(scope(), 7.1)
    # A header that is out of all reason is not.
    assert at.enter(scope(TWO), 0.0) is None
    at.leave(scope(TWO), "throttled", 0.0, retry_after=1e9)
    assert at.enter(scope(TWO), 0.0).until <= 900.0


def test_throttling_holds_back_the_one_operation_alone():
    at = gate()
    at.enter(scope(), 0.0)
    at.leave(scope(), "throttled", 0.1)
    assert at.enter(scope(), 0.1) is not None
    assert at.enter(scope(operation="DescribeSubnets"), 0.1) is None
    assert at.enter(scope(TWO), 0.1) is None
    assert at.enter(scope(region="eu-west-2"), 0.1) is None


def test_what_is_at_rest_is_forgotten():
    at = gate(Limit("each", rate=100, scope=["account"]), most_scopes=100)
    for number in range(10_000):
        each = scope(account=str(number))
        assert at.enter(each, float(number)) is None
        at.leave(each, "ok", number + 0.5)
    assert len(at._ways) <= 200
    assert len(at._meters) <= 200


def test_what_is_known_or_under_way_is_not_forgotten():
    at = gate(Limit("one", max_concurrency=1, where={"account": ONE}), most_scopes=2)
    at.enter(scope(), 0.0)
    at.enter(scope(TWO), 0.0)
    at.leave(scope(TWO), "throttled", 0.1)
    for number in range(20):
        at.enter(scope(account=str(number), region=f"eu-west-{number}"), 200.0)
    assert at.enter(scope(), 200.0) == Blocked(("one",), math.inf)
    at.enter(scope(TWO), 200.0)
    assert at.enter(scope(TWO), 200.0) is not None


def test_many_threads_never_pass_a_limit():
    at, inside, most = gate(Limit("five", max_concurrency=5)), [], []

    def work(number):
        for _ in range(200):
            mine = scope(account=str(number), region=f"eu-west-{number}")
            if at.enter(mine, 0.0) is None:
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)
                at.leave(mine, "ok", 0.0)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert max(most) <= 5


@given(
    rate=st.floats(0.5, 50),
    burst=st.floats(1, 20),
    most=st.integers(1, 10),
    steps=st.lists(
        st.tuples(st.integers(0, 30), st.floats(0, 2), st.sampled_from(["ok", "failed", "throttled", "slow"]))
    ),
)
def test_no_sequence_of_requests_passes_a_limit(rate, burst, most, steps):
    at = gate(Limit("rate", rate=rate, burst=burst), Limit("most", max_concurrency=most))
    now, times, inside = 0.0, [], []
    for number, passed, verdict in steps:
        now += passed
        if number % 2 and inside:
            at.leave(inside.pop(), verdict, now)
        elif at.enter(scope(account=str(number)), now) is None:
            inside.append(scope(account=str(number)))
            times.append(now)
        assert len(inside) <= most
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + rate * (times[last] - times[first]) + 1e-6
