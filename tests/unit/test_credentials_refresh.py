"""Credentials are replaced in time, by one thread, and a failing STS is left in peace."""

from __future__ import annotations

import copy
import gc
import logging
import pickle
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.credentials import RefreshableCredentials
from hypothesis import given
from hypothesis import strategies as st

from mangrove.credentials.documents import Issued
from mangrove.credentials.provider import FrozenKeys, Renewal, RoleCredentials
from mangrove.credentials.refresh import Refresher, SystemClock, times_of
from mangrove.errors import AssumeRoleError


class FakeClock:
    def __init__(self, now=1_000_000.0):
        self.now = now

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class FakeFetch:
    """Give credentials of a lifetime, or fail; count the calls."""

    def __init__(self, clock, lifetime=900.0, skew=0.0):
        self.clock, self.lifetime, self.skew = clock, lifetime, skew
        self.calls = []
        self.fail = None
        self.gate = None
        self.entered = threading.Event()
        self.busy = False

    def __call__(self, *, wait, rejected, anew):
        self.calls.append((wait, rejected, anew))
        self.entered.set()
        if self.gate:
            assert self.gate.wait(20)
        if self.busy:
            return None
        if self.fail:
            raise self.fail
        number = len(self.calls)
        now = self.clock.time() + self.skew
        return Issued(f"AKIA{number}", f"canary{number}", "canary", now + self.lifetime, now, self.skew, "123456789012")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def fetch(clock):
    return FakeFetch(clock)


@pytest.fixture
def refresher(clock, fetch):
    return Refresher("role", fetch, clock)


@given(st.floats(900, 43200), st.floats(0, 1), st.floats(-1000, 1000))
def test_the_window_is_a_quarter_of_the_life_and_at_most_15_minutes(lifetime, jitter, skew):
    issued = Issued("a", "b", "c", 1e6 + lifetime, 1e6, skew)
    times = times_of(issued, jitter)
    window = min(900, lifetime / 4)
    assert times.end == pytest.approx(1e6 + lifetime - skew)
    assert times.end - window - 1e-6 <= times.refresh <= times.end - 0.8 * window + 1e-6
    assert times.refresh < times.wait < times.end
    assert times.end - times.wait <= 60 + 1e-6


def test_a_900_second_role_is_asked_for_once_in_20_requests(refresher, fetch, clock):
    for _ in range(20):
        assert refresher.get().access_key == "AKIA1"
        clock.now += 30
    assert len(fetch.calls) == 1


def test_three_hours_of_15_minute_tokens(refresher, fetch, clock):
    start = clock.now
    for number in range(10_000):
        clock.now = start + number * 3 * 3600 / 10_000
        assert refresher.get().expires > clock.now
    # A window opens after 675 seconds.
    assert len(fetch.calls) <= 3 * 3600 / 675 + 1


def test_one_thread_fetches_the_first_credentials(refresher, fetch):
    fetch.gate = threading.Event()
    with ThreadPoolExecutor(32) as pool:
        found = [pool.submit(refresher.get) for _ in range(32)]
        assert fetch.entered.wait(20)
        fetch.gate.set()
        assert {future.result().access_key for future in found} == {"AKIA1"}
    assert len(fetch.calls) == 1


def test_in_the_window_the_old_credentials_are_served_while_one_thread_refreshes(refresher, fetch, clock):
    refresher.get()
    clock.now += 800  # 100 s are left
    fetch.gate = threading.Event()
    fetch.entered.clear()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(refresher.get)
        assert fetch.entered.wait(20)
        assert [refresher.get().access_key for _ in range(50)] == ["AKIA1"] * 50
        fetch.gate.set()
        assert slow.result().access_key == "AKIA2"
    assert refresher.get().access_key == "AKIA2"
    assert len(fetch.calls) == 2


def test_in_the_last_minute_everybody_waits_for_new_ones(refresher, fetch, clock):
    refresher.get()
    clock.now += 850
    fetch.gate = threading.Event()
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(refresher.get) for _ in range(8)]
        fetch.gate.set()
        assert {future.result().access_key for future in found} == {"AKIA2"}
    assert len(fetch.calls) == 2


def test_a_failing_sts_is_asked_once_a_second_by_50_threads(refresher, fetch, clock):
    fetch.fail = AssumeRoleError("no")
    errors = []

    def ask(_):
        try:
            refresher.get()
        except AssumeRoleError as error:
            errors.append(error)

    for second in range(1, 6):
        with ThreadPoolExecutor(50) as pool:
            list(pool.map(ask, range(50)))
        assert len(fetch.calls) == second
        clock.now += 1.0
    assert len(errors) == 250
    assert {str(error) for error in errors} == {"no"}
    assert len({id(error) for error in errors}) > 200  # one each: a traceback that many threads add to never ends


def test_a_failing_sts_in_the_window_costs_nobody_the_old_credentials(refresher, fetch, clock, caplog):
    refresher.get()
    clock.now += 700
    fetch.fail = AssumeRoleError("no")
    with caplog.at_level(logging.DEBUG, "mangrove"):
        for _ in range(1000):
            assert refresher.get().access_key == "AKIA1"
            clock.now += 0.1
    # 1, 2, 4, 8, ... seconds apart
    assert len(fetch.calls) - 1 <= 8
    assert "the old credentials are good for" in caplog.text
    assert "canary" not in caplog.text


def test_old_credentials_are_served_until_their_very_end(refresher, fetch, clock):
    refresher.get()
    fetch.fail = AssumeRoleError("no")
    clock.now += 899
    assert refresher.get().access_key == "AKIA1"
    clock.now += 1
    with pytest.raises(AssumeRoleError):
        refresher.get()


def test_a_failure_in_the_window_is_not_remembered_beyond_it(refresher, fetch, clock):
    refresher.get()
    fetch.fail = AssumeRoleError("no")
    clock.now += 730
    while clock.now < refresher.peek().local_expiry - 61:
        refresher.get()
        clock.now += 1
    fetch.fail = None
    clock.now += 2
    assert refresher.get().access_key != "AKIA1"


def test_it_recovers_after_a_failure(refresher, fetch, clock):
    fetch.fail = AssumeRoleError("no")
    with pytest.raises(AssumeRoleError):
        refresher.get()
    fetch.fail = None
    clock.now += 1
    assert refresher.get().access_key == "AKIA2"


def test_a_clock_that_is_set_back_makes_no_failure_last(refresher, fetch, clock):
    fetch.fail = AssumeRoleError("no")
    with pytest.raises(AssumeRoleError):
        refresher.get()
    fetch.fail = None
    clock.now -= 3600
    assert refresher.get().access_key == "AKIA2"
    clock.now += 730
    fetch.fail = AssumeRoleError("no")
    refresher.get()
    fetch.fail = None
    clock.now -= 5
    assert refresher.get().access_key == "AKIA4"


def test_while_another_process_refreshes_the_old_ones_do(refresher, fetch, clock):
    refresher.get()
    clock.now += 730
    fetch.busy = True
    assert [refresher.get().access_key for _ in range(9)] == ["AKIA1"] * 9
    assert len(fetch.calls) == 2
    fetch.busy = False
    clock.now += 1
    assert refresher.get().access_key == "AKIA3"


def test_expired_by_a_services_word_is_renewed_once_for_all_threads(refresher, fetch):
    refresher.get()
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(refresher.renew, [1] * 16))
    assert len(fetch.calls) == 2
    assert fetch.calls[1][1].access_key == "AKIA1"


def test_a_service_that_refuses_everything_costs_one_call_a_second(refresher, fetch, clock):
    refresher.get()
    assert [refresher.renew(refresher.generation) for _ in range(50)] == [True, *[False] * 49]
    assert len(fetch.calls) == 2
    clock.now += 1
    assert refresher.renew(refresher.generation)
    assert len(fetch.calls) == 3


def test_what_can_not_be_renewed_is_not_retried(refresher, fetch, clock):
    refresher.get()
    fetch.fail = AssumeRoleError("no")
    assert not refresher.renew(1)
    assert not refresher.renew(1)
    assert len(fetch.calls) == 2


def test_a_clock_that_is_wrong_is_seen_through(clock):
    # This machine is 20 minutes ahead: by its clock, the credentials have expired when they come.
    fetch = FakeFetch(clock, skew=-1200.0)
    refresher = Refresher("role", fetch, clock)
    refresher.get()
    clock.now += 600
    refresher.get()
    assert len(fetch.calls) == 1
    clock.now += 300
    assert refresher.get().access_key == "AKIA2"


def test_a_fetch_that_needs_its_own_result_is_told(clock):
    def fetch(**_):
        refresher.get()

    refresher = Refresher("role", fetch, clock)
    with pytest.raises(RecursionError, match="asks for these"):
        refresher.get()


def test_a_forced_refresh_asks_whatever_there_is(refresher, fetch):
    refresher.get()
    refresher.refresh()
    assert refresher.get().access_key == "AKIA2"
    assert fetch.calls[1] == (True, None, True)


@pytest.fixture
def credentials(refresher):
    return RoleCredentials(refresher, "aws", "123456789012", lambda: "lineage")


def test_b14_the_account_of_a_role_costs_no_call(credentials, fetch):
    assert credentials.account_id == "123456789012"
    assert credentials.get_deferred_property("account_id")() == "123456789012"
    assert fetch.calls == []
    assert credentials.get_frozen_credentials().account_id == "123456789012"


def test_botocores_contract_of_refreshable_credentials(credentials, clock):
    assert isinstance(credentials, RefreshableCredentials)
    assert credentials.refresh_needed()
    assert credentials._expiry_time is None
    frozen = credentials.get_frozen_credentials()
    assert (frozen.access_key, frozen.secret_key, frozen.token) == ("AKIA1", "canary1", "canary")
    assert (credentials.access_key, credentials.secret_key, credentials.token) == tuple(frozen)[:3]
    assert credentials.method == "assume-role"
    assert credentials._expiry_time.timestamp() == clock.now + 900
    assert not credentials.refresh_needed()
    assert not credentials.refresh_needed(600)
    assert credentials.refresh_needed(901)
    clock.now += 725
    assert credentials.refresh_needed()


def test_credentials_show_and_pickle_no_secret(credentials):
    frozen = credentials.get_frozen_credentials()
    assert isinstance(frozen, FrozenKeys)
    refresher = credentials.refresher
    for thing in (credentials, frozen, refresher, refresher.peek()):
        assert "canary" not in f"{thing} {thing!r}"
        with pytest.raises(TypeError):
            pickle.dumps(thing)
    assert copy.deepcopy(credentials) is copy.copy(credentials) is credentials
    assert copy.deepcopy(frozen) is frozen


def test_handlers_keep_no_credentials_alive(clock, fetch):
    credentials = RoleCredentials(Refresher("role", fetch, clock), "aws", "123456789012", lambda: "lineage")
    handlers = Renewal.of(credentials).handlers()
    gone = weakref.ref(credentials)
    del credentials
    gc.collect()
    assert gone() is None
    assert len(handlers) == 2


def test_the_systems_clock_is_the_systems():
    import time

    assert abs(SystemClock().time() - time.time()) < 5
    SystemClock().sleep(0)
