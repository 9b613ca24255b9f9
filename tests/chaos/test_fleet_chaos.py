"""A fleet, and the roles it assumes, while a fifth of all requests goes wrong: each cell gets its own answer, once."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.config import Config

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)  # at the end: a folder of ours is called `typing`

import mangrove  # noqa: E402
from chaos.work import OPERATIONS, PACE, RATE, SECRETS, SEEDS, shown  # noqa: E402
from mangrove.fleet import Fleet  # noqa: E402
from mangrove.testing.faults import faults  # noqa: E402
from servers.threads import begun  # noqa: E402

pytest_plugins = ["servers.nullaws"]

# What botocore and the fleet promise to try again. While one request is refused, so are all that come then, which would
# be more in a row than four tries get through; of answers cut short there are tests of their own.
KINDS = (
    "throttle too_many_requests internal_error unavailable reset closed answer_lost stall slice latency"
    " bandwidth extra_continue"
).split()
# botocore's own three attempts are too few for thousands of calls.
_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 15})
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-2")


@pytest.fixture
def place(nullaws, monkeypatch, tmp_path):
    """Return what starts an AWS of many accounts behind faults."""
    key, secret, token, _ = SECRETS
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return nullaws


def _tell(capfd, line):
    """Show the seed and the counts of a run."""
    with capfd.disabled():
        print("\n" + line)  # noqa: T201  what a run of chaos is for


def _no_secret_in(seen):
    for secret in SECRETS:
        assert secret.encode() not in seen


@pytest.mark.parametrize("seed", SEEDS)
def test_fleet(seed, place, monkeypatch, caplog, capfd):
    caplog.set_level(logging.DEBUG, "mangrove")
    # An operation is a call in a target, or a role that is assumed.
    number = max(3, int(OPERATIONS * 0.1 / len(SEEDS) / (2 * len(REGIONS) + 1)))
    ids = [str(100_000_000_001 + each) for each in range(number)]
    with (
        place("--accounts", number, "--regions", 17, "--pages", 1) as aws,
        faults(aws.endpoint_url, rate=RATE, kinds=KINDS, seed=seed, pace=PACE, in_a_row=2) as injected,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL", injected.endpoint_url)
        session = mangrove.Session(region_name="us-east-1")
        fleet = Fleet(ids, REGIONS, "Reader", session, concurrency=16)
        called = fleet.call("sts", "get_caller_identity")
        outcomes = list(called)
        items = fleet.items("ec2", "describe_instances")
        rows = Counter((row.account, row.region) for row in items)
        _tell(capfd, f"fleet: {number} accounts, {injected}, {dict(injected.count())}")
        assert not called.failed, injected
        assert not items.failed, injected
        mixed = aws.stats()["mixed"]
    cells = {(account, region) for account in ids for region in REGIONS}
    assert Counter((each.target.account, each.target.region) for each in outcomes) == Counter(cells)
    assert all(each.unwrap()["Account"] == each.target.account for each in outcomes)
    assert set(rows) == cells
    assert set(rows.values()) == {2}
    assert mixed == 0
    seen = shown([*outcomes[:20], fleet, session]) + caplog.text.encode() + "".join(capfd.readouterr()).encode()
    _no_secret_in(seen)


@pytest.mark.parametrize("seed", SEEDS)
def test_credentials(seed, place, monkeypatch, caplog, capfd):
    caplog.set_level(logging.DEBUG, "mangrove")
    number = max(5, int(OPERATIONS * 0.1 / len(SEEDS) / 2))
    ids = [str(100_000_000_001 + each) for each in range(number)]
    with (
        place("--accounts", number, "--regions", 1, "--pages", 1) as aws,
        faults(aws.endpoint_url, rate=RATE, kinds=KINDS, seed=seed, pace=PACE, in_a_row=2) as injected,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL", injected.endpoint_url)
        manager = mangrove.ConnectionManager(mangrove.Session(region_name="us-east-1"))

        def identity(account):
            session = manager.get_session(
                role_arn=f"arn:aws:iam::{account}:role/Reader",
                role_session_name="chaos",
                external_id=SECRETS[3],
            )
            return session.client("sts", config=_PATIENT).get_caller_identity()["Account"]

        with ThreadPoolExecutor(16) as pool:
            found = list(pool.map(identity, ids))
        assert found == ids, injected
        _tell(capfd, f"credentials: {number} roles, {injected}, {dict(injected.count())}")
        seen = shown([manager, injected]) + caplog.text.encode() + "".join(capfd.readouterr()).encode()
    _no_secret_in(seen)
    assert begun("mangrove-") == []


@pytest.mark.parametrize("kind", ["truncated", "truncated_head", "reset_in_body", "malformed", "wrong_length"])
def test_a_list_whose_answer_was_cut_short_or_changed_is_asked_for_again(kind, place, monkeypatch):
    script = [(kind, {"operation": "DescribeInstances", "times": 2})]
    with (
        place("--accounts", 2, "--regions", 17, "--pages", 1) as aws,
        faults(aws.endpoint_url, script=script, pace=PACE) as injected,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL", injected.endpoint_url)
        ids = ["100000000001", "100000000002"]
        run = Fleet(ids, REGIONS, "Reader", mangrove.Session(region_name="us-east-1")).items(
            "ec2", "describe_instances"
        )
        rows = Counter((row.account, row.region) for row in run)
    assert rows == dict.fromkeys(((account, region) for account in ids for region in REGIONS), 2)
    assert [each.kind for each in injected.log] == [kind] * 2
