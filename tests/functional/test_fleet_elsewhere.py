"""A fleet whose requests are made by other threads, processes and workers of a cluster, one of which is killed."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)

import mangrove  # noqa: E402
from mangrove.accounts import Account  # noqa: E402
from mangrove.errors import AssumeRoleError, ConfigError, MangroveError  # noqa: E402
from mangrove.fleet import Fleet, Row  # noqa: E402
from mangrove.fleet.elsewhere import Elsewhere, recipe_of  # noqa: E402
from servers.counting import counting, refusal  # noqa: E402

OWN, SECOND, THIRD = IDS = ("123456789012", "210987654321", "345678901234")
HERE, THERE = REGIONS = ("us-east-1", "eu-west-1")
PLACES = sorted((account, region) for account in IDS for region in REGIONS)
MANY = (
    "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 eu-north-1"
    " eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2"
).split()


def places(outcomes):
    return sorted((each.target.account, each.target.region) for each in outcomes)


def who(session, account, region):
    return session.client("sts").get_caller_identity()["Account"], account.id, region, os.getpid()


class AwkwardError(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def awkward(session):
    raise AwkwardError("comes", "apart")


def ends(session):
    sys.exit(3)


@pytest.fixture
def seen(embedded_aws_env):
    with counting(embedded_aws_env) as seen:
        yield seen


@pytest.fixture
def processes():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def test_threads_of_an_executor(seen):
    names = set()

    def function(session):
        names.add(threading.current_thread().name)
        return session.client("sts").get_caller_identity()["Account"]

    with ThreadPoolExecutor(3, "mine") as pool:
        # They are of this process: a session is as good as anything.
        fleet = Fleet(IDS, REGIONS, session=mangrove.Session(region_name=HERE), executor=pool)
        run = fleet.map(function).wait()
        assert places(run.ok) == PLACES
        assert all(each.value == each.target.account for each in run.ok)
        assert {name.rpartition("_")[0] for name in names} == {"mine"}
        assert {(row.account, row.region) for row in fleet.items("ec2", "describe_vpcs")} == set(PLACES)


def test_processes(seen, processes):
    fleet = Fleet(IDS, REGIONS, executor=processes)
    rows = list(fleet.items("ec2", "describe_vpcs"))
    assert sorted((row.account, row.region) for row in rows) == PLACES
    assert {type(row) for row in rows} == {Row}
    run = fleet.map(who).wait()
    assert sorted(each.value[:3] for each in run.ok) == [(account, account, region) for account, region in PLACES]
    assert os.getpid() not in {each.value[3] for each in run.ok}

    # One error that can't be unpickled, or a function that ends the process, is its target's alone.
    run = fleet.map(awkward).wait()
    assert [(each.kind, type(each.error), str(each.error)) for each in run.failed] == [
        ("failed", MangroveError, "AwkwardError: comes apart")
    ] * 6
    run = fleet.map(ends).wait()
    assert {str(each.error) for each in run.failed} == {"the function ended with SystemExit(3)"}
    assert places(fleet.call("sqs", "list_queues").ok) == PLACES

    # What STS has said is known of a role that another process could not assume.
    busy = iter(range(6))
    seen.answer = lambda asked: (
        refusal("AccessDenied")
        if asked.operation == "AssumeRole" and THIRD in asked.parameters["RoleArn"]
        else refusal("Throttling", status=400)
        if asked.operation == "AssumeRole" and next(busy, None) is not None
        else None
    )
    run = Fleet(IDS[1:], [HERE], role="other", executor=processes).call("sqs", "list_queues").wait()
    outcomes = {each.target.account: each for each in run.outcomes}
    assert outcomes[THIRD].kind == "denied"
    assert isinstance(outcomes[THIRD].error, AssumeRoleError)
    assert isinstance(outcomes[THIRD].error.__cause__, ClientError)
    assert outcomes[SECOND].kind == "ok"


def test_what_can_not_be_sent_is_refused(seen, processes):
    fleet = Fleet(IDS, REGIONS, executor=processes)
    with pytest.raises(ConfigError, match="by this process"):
        fleet.resources("ec2.vpcs")
    with pytest.raises(ConfigError, match="give profile_name"):
        Fleet(IDS, session=mangrove.Session(), executor=processes)
    with pytest.raises(ConfigError, match="proxy password"):
        Fleet(IDS, config=Config(proxies={"http": "http://user:hunter2@proxy"}), executor=processes)
    with pytest.raises(ConfigError, match="can't be sent"):
        Fleet(
            IDS,
            role_options={"mfa_serial": f"arn:aws:iam::{OWN}:mfa/me", "mfa_token_provider": lambda: "1"},
            executor=processes,
        )
    secret = Fleet([Account(SECOND, external_id="hunter2")], executor=processes)
    with pytest.raises(ConfigError, match="has an external id") as caught:
        secret.call("ec2", "describe_vpcs").wait()
    assert "hunter2" not in str(caught.value)
    assert not seen.calls


def test_no_secret_is_in_what_is_sent(seen, monkeypatch):
    sent = []
    real = Elsewhere._wait

    def wait(self, *arguments):
        sent.append(pickle.dumps(arguments[1:]))
        return real(self, *arguments)

    class Here(ProcessPoolExecutor):
        """Call at once, in this process, what has been sent."""

        def __init__(self):
            pass

        def submit(self, function, *arguments):
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(function, *pickle.loads(pickle.dumps(arguments)))

    monkeypatch.setattr(Elsewhere, "_wait", wait)
    fleet = Fleet(IDS, REGIONS, executor=Here(), role_options={"role_session_name": "as-{id}"})
    assert places(fleet.call("sts", "get_caller_identity").ok) == PLACES
    assert len(sent) == 3 + 6
    credentials = mangrove.Session().get_credentials().get_frozen_credentials()
    found = b"".join(sent)
    assert b"as-{id}" in found
    for secret in (credentials.secret_key, credentials.token, credentials.access_key):
        assert secret.encode() not in found
    # Nor any that the workers got.
    for asked in seen.asked:
        assert asked.key.encode() not in found
    recipe = fleet._recipe()
    assert recipe_of(None, recipe) is recipe
    assert credentials.secret_key not in repr(recipe)


# -- a cluster ---------------------------------------------------------------------------------------------------------


@contextmanager
def cluster(path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, dashboard_address=None, local_directory=str(path), silence_logs=50
        ) as made,
        distributed.Client(made) as client,
    ):
        yield client


class Held:
    """Hold up requests for an operation, but for the first few."""

    def __init__(self, operation, free):
        self.operation, self.free = operation, free
        self.lock, self.go, self.held = threading.Lock(), threading.Event(), 0

    def __call__(self, asked):
        if asked.operation != self.operation:
            return
        with self.lock:
            self.free -= 1
            if self.free >= 0:
                return
            self.held += 1
        assert self.go.wait(60)
        return

    def wait_for(self, count):
        for _ in range(600):
            if self.held >= count:
                return
            threading.Event().wait(0.05)
        raise AssertionError(f"{self.held} requests are held")


def lose_a_worker(client, held):
    """Kill one of two workers while each of their four threads waits for an answer."""
    held.wait_for(4)
    victim = next(iter(client.nthreads()))
    (process,) = client.run(os.getpid, workers=[victim]).values()
    os.kill(process, signal.SIGKILL)
    held.wait_for(5)  # somebody goes on
    held.go.set()


@pytest.mark.filterwarnings("default")  # Dask's own: sockets and loops that end with its processes
def test_a_cluster_that_loses_a_worker(seen, tmp_path):
    with cluster(tmp_path) as client:
        fleet = Fleet([SECOND], MANY, executor=client)
        seen.answer = held = Held("DescribeVpcs", free=6)
        run = fleet.call("ec2", "describe_vpcs")
        early = [next(run) for _ in range(6)]
        lose_a_worker(client, held)
        outcomes = [*early, *run]
        assert places(outcomes) == sorted((SECOND, region) for region in MANY)
        assert {each.kind for each in outcomes} == {"ok"}
        asked = Counter(each.region for each in seen.of("DescribeVpcs"))
        # The two that the lost worker had begun are made again, and no other.
        assert Counter(asked.values()) == {1: 14, 2: 2}
        assert all(asked[each.target.region] == 1 for each in early)

        # A change is not made again: nobody knows whether it was made.
        client.wait_for_workers(2, timeout=30)
        seen.answer = held = Held("CreateVpc", free=6)
        run = fleet.call("ec2", "create_vpc", CidrBlock="10.0.0.0/16", confirm=True)
        early = [next(run) for _ in range(6)]
        lose_a_worker(client, held)
        outcomes = [*early, *run]
        assert places(outcomes) == sorted((SECOND, region) for region in MANY)
        assert Counter(each.kind for each in outcomes) == {"ok": 14, "failed": 2}
        assert {str(each.error).split(": ", 1)[1] for each in outcomes if each.failed} == {
            "a worker was lost while it made a change, which may be made; look before you ask again"
        }
        asked = Counter(each.region for each in seen.of("CreateVpc"))
        assert set(asked.values()) == {1}

        # Each worker has credentials of its own, which it got itself, and functions may be lambdas.
        run = Fleet(IDS, REGIONS, executor=client).map(lambda session: session.target.account).wait()
        assert sorted(each.value for each in run.ok) == sorted(account for account, _ in PLACES)
        run = fleet.where(regions=[HERE]).map(ends).wait()
        assert [str(each.error) for each in run.failed] == ["the function ended with SystemExit(3)"]
