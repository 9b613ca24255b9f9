"""The walk over accounts, regions and listings, with pools that are only pretended."""

from __future__ import annotations

import gc
import threading
import time
from types import SimpleNamespace

import pytest

from mangrove.inventory import Listing, cells, collect

ACCOUNTS = {"111111111111": "one", "222222222222": "two"}
REGIONS = ["us-east-1", "eu-west-1"]
THING = Listing("svc", "thing", "list_things", "Things", "Value", ("arn:{partition}:svc:{region}:{account}:{Value}",))
WHOLE = Listing("glo", "all", "list_things", "Things", "Value", (), scope="account")


class Events:
    def __init__(self):
        self.handlers = {}

    def register(self, event, handler, unique_id):
        assert event == "request-created"
        self.handlers[unique_id] = handler


class Client:
    """A client that answers from a function and tells its events as botocore does."""

    def __init__(self, region, answer):
        self.meta = SimpleNamespace(events=Events(), partition="aws")
        self._region, self._answer = region, answer

    def can_paginate(self, operation):
        return False

    def list_things(self):
        for handler in self.meta.events.handlers.values():
            handler(request=None)
        return self._answer(self._region)


class World:
    """Stands in for ServicePool, and remembers which are open."""

    def __init__(self, answer, fail=None):
        self.answer, self.fail = answer, fail or (lambda *_: None)
        self.opened, self.open, self.most = [], 0, 0
        self.lock = threading.Lock()

    def __call__(self, *, service, session, regions):
        self.fail(service, session)
        names = ["aws-global"] if service == "glo" else regions
        handles = {
            name: SimpleNamespace(
                client=Client(name, lambda region: self.answer(session, region)),
                info=SimpleNamespace(status="enabled"),
            )
            for name in names
        }
        with self.lock:
            self.opened.append((service, session))
            self.open += 1
            self.most = max(self.most, self.open)
        return SimpleNamespace(regions=handles, close=self.close)

    def close(self):
        with self.lock:
            self.open -= 1


@pytest.fixture
def world(monkeypatch):
    def make(answer, fail=None):
        made = World(answer, fail)
        monkeypatch.setattr(cells, "ServicePool", made)
        return made

    return make


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_cell_gives_its_rows_and_one_outcome(world):
    made = world(lambda session, region: {"Things": [f"{session}-{region}"]})
    steps = []
    found = collect(ACCOUNTS, REGIONS, listings=[THING, WHOLE], on_progress=lambda *step: steps.append(step))
    names = sorted((row.account, row.region, row.name) for row in found)
    assert names == [
        ("111111111111", "aws-global", "one-aws-global"),
        ("111111111111", "eu-west-1", "one-eu-west-1"),
        ("111111111111", "us-east-1", "one-us-east-1"),
        ("222222222222", "aws-global", "two-aws-global"),
        ("222222222222", "eu-west-1", "two-eu-west-1"),
        ("222222222222", "us-east-1", "two-us-east-1"),
    ]
    assert steps == [(done, 6) for done in range(1, 7)]
    assert found.total == len(found.outcomes) == found.calls == 6
    assert found.failures == []
    assert all((outcome.rows, outcome.calls) == (1, 1) for outcome in found.outcomes)
    # One pool an account and service, however many regions; all are closed.
    assert sorted(made.opened) == [("glo", "one"), ("glo", "two"), ("svc", "one"), ("svc", "two")]
    assert made.open == 0


def test_a_failing_cell_costs_only_itself(world):
    def answer(session, region):
        if (session, region) == ("one", "eu-west-1"):
            raise PermissionError("not there")
        return {"Things": ["x"]}

    world(answer)
    found = collect(ACCOUNTS, REGIONS, listings=[THING])
    assert len(list(found)) == 3
    (failure,) = found.failures
    assert (failure.account, failure.region, failure.service, failure.type) == (
        "111111111111",
        "eu-west-1",
        "svc",
        "thing",
    )
    assert (failure.ok, failure.rows, failure.calls, str(failure.error)) == (False, 0, 1, "not there")


def test_a_pool_that_cannot_open_is_tried_once_and_fails_its_cells(world):
    tried = []

    def fail(service, session):
        tried.append(session)
        if session == "one":
            raise PermissionError("no keys")

    world(lambda *_: {"Things": ["x"]}, fail)
    found = collect(ACCOUNTS, REGIONS, listings=[THING])
    assert {row.account for row in found} == {"222222222222"}
    assert [str(outcome.error) for outcome in found.failures] == ["no keys", "no keys"]
    assert sorted(tried) == ["one", "two"]


@pytest.mark.parametrize("how", ["close", "with", "drop"])
def test_leaving_early_cancels_the_rest_and_closes_the_pools(world, how):
    calls = []

    def answer(session, region):
        calls.append(region)
        return {"Things": ["x"] * 10}

    made = world(answer)
    accounts = {f"{number:012}": str(number) for number in range(500)}
    found = collect(accounts, REGIONS, listings=[THING], workers=2)
    if how == "with":
        with found:
            next(found)
    else:
        next(found)
    if how == "close":
        found.close()
    if how == "drop":
        del found
        gc.collect()
    else:
        assert list(found) == []
    until(lambda: made.open == 0)
    assert len(calls) < 1000


def test_a_slow_reader_slows_the_workers(world):
    calls = []
    made = world(lambda _, region: calls.append(region) or {"Things": ["x"]})
    accounts = {f"{number:012}": str(number) for number in range(500)}
    with collect(accounts, REGIONS, listings=[THING], workers=3) as found:
        next(found)
        seen = -1
        while seen != len(calls):
            seen = len(calls)
            time.sleep(0.3)
        assert seen < 100
        assert made.most <= 4
    until(lambda: made.open == 0)


def test_nothing_to_do_starts_nothing(world):
    world(lambda *_: {})
    before = threading.active_count()
    assert list(collect({}, REGIONS, listings=[THING])) == list(collect(ACCOUNTS, REGIONS, listings=[])) == []
    assert threading.active_count() == before


def test_a_region_has_one_name_however_it_is_spelled(world):
    world(lambda *_: {"Things": ["x"]})
    found = collect({"111111111111": "one"}, ["us_east_1", "us-east-1"], listings=[THING])
    assert [row.arn for row in found] == ["arn:aws:svc:us-east-1:111111111111:x"]
