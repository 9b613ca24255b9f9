"""The walk over accounts, regions and types, with pools that are only pretended."""

from __future__ import annotations

import gc
import threading
import time
from importlib import import_module
from types import SimpleNamespace

import pytest

from mangrove.inventory import cells, collect

# The package has a function of that name.
collecting = import_module("mangrove.inventory.collect")
ACCOUNTS = {"111111111111": "one", "222222222222": "two"}
REGIONS = ["us-east-1", "eu-west-1"]
THING, WHOLE = "svc.things", "glo.alls"


class Events:
    def __init__(self):
        self.handlers = {}

    def register(self, event, handler, unique_id):
        self.handlers[unique_id] = event, handler

    def emit(self, event, **given):
        for name, handler in self.handlers.values():
            if name == event:
                handler(**given)


class Client:
    """A client that tells its events as botocore does."""

    def __init__(self, region):
        operation = SimpleNamespace(input_shape=None, output_shape=None)
        model = SimpleNamespace(operation_model=lambda _: operation)
        api = {"list_things": "ListThings"}
        self.meta = SimpleNamespace(events=Events(), partition="aws", service_model=model, method_to_api_mapping=api)
        self.region = region

    def can_paginate(self, operation):
        return False


class Thing:
    """A resource."""

    _mangrove_facts = SimpleNamespace(type="Thing", names=("name",), arn=None, tags=None)

    def __init__(self, name, where):
        self.name, self._where = name, where
        self.meta = SimpleNamespace(data=None)

    def get_arn(self, *, load):
        return f"arn:aws:svc:{self._where}:{self.name}"

    def get_tags(self):
        return None


class Service:
    """A service resource with one collection, which answers from a function."""

    def __init__(self, client, answer=None):
        client.answer = answer or client.answer
        collection = SimpleNamespace(
            request=SimpleNamespace(operation="ListThings"), resource=SimpleNamespace(path="Things[]")
        )
        model = SimpleNamespace(
            collections=[SimpleNamespace(name=name, **vars(collection)) for name in ("things", "alls")]
        )
        self.meta = SimpleNamespace(client=client, resource_model=model)

    @property
    def things(self):
        return self

    alls = things

    def filter(self):
        return self

    def pages(self):
        client = self.meta.client
        client.meta.events.emit("request-created", request=None)
        names = client.answer(client.region)["Things"]
        client.meta.events.emit("after-call", parsed={})
        yield [Thing(name, f"{client.region}:111111111111") for name in names]


class Sdk:
    """What is known of regions: one service is global."""

    def partition_of(self, region):
        return "aws"

    def coverage(self, service, partition):
        return SimpleNamespace(is_global=service == "glo")


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
                resource=Service(Client(name), lambda region: self.answer(session, region)),
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
        monkeypatch.setattr(cells, "sdk_regions", lambda _session: Sdk())
        # Sessions are strings here.
        monkeypatch.setattr(collecting, "with_resources", lambda session: session)
        monkeypatch.setattr(collecting, "check", lambda *_: None)
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
    found = collect(ACCOUNTS, REGIONS, types=[THING, WHOLE], on_progress=lambda *step: steps.append(step))
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
    found = collect(ACCOUNTS, REGIONS, types=[THING])
    assert len(list(found)) == 3
    (failure,) = found.failures
    assert (failure.account, failure.region, failure.service, failure.type) == (
        "111111111111",
        "eu-west-1",
        "svc",
        "svc.things",
    )
    assert (failure.ok, failure.rows, failure.calls, str(failure.error)) == (False, 0, 1, "not there")


def test_a_pool_that_cannot_open_is_tried_once_and_fails_its_cells(world):
    tried = []

    def fail(service, session):
        tried.append(session)
        if session == "one":
            raise PermissionError("no keys")

    world(lambda *_: {"Things": ["x"]}, fail)
    found = collect(ACCOUNTS, REGIONS, types=[THING])
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
    found = collect(accounts, REGIONS, types=[THING], workers=2)
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
    with collect(accounts, REGIONS, types=[THING], workers=3) as found:
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
    assert list(collect({}, REGIONS, types=[THING])) == list(collect(ACCOUNTS, REGIONS, types=[])) == []
    assert threading.active_count() == before


def test_a_region_has_one_name_however_it_is_spelled(world):
    world(lambda *_: {"Things": ["x"]})
    found = collect({"111111111111": "one"}, ["us_east_1", "us-east-1"], types=[THING])
    assert [row.arn for row in found] == ["arn:aws:svc:us-east-1:111111111111:x"]
