"""Functions that were written for botocove and for runacross do the same work in a fleet, unchanged."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

for folder in (Path(__file__).resolve().parents[1], Path(__file__).resolve().parent / "peers"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

import botocove_functions as botocove  # noqa: E402
import runacross_functions as runacross  # noqa: E402

import mangrove  # noqa: E402

pytest_plugins = ["servers.nullaws"]

ACCOUNTS = ["100000000001", "100000000002"]
REGIONS = ["eu-west-1", "us-east-1"]
PLACES = [(account, region) for account in ACCOUNTS for region in REGIONS]


@pytest.fixture
def place(nullaws, monkeypatch):
    with nullaws("--accounts", 3) as place:
        # STS and the functions' own clients find the server in the environment, as a user's would.
        monkeypatch.setenv("AWS_ENDPOINT_URL", place.endpoint_url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIABASE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield place


@pytest.fixture
def fleet(place):
    return mangrove.Fleet(ACCOUNTS, REGIONS, role="Reader")


def values(run):
    """Return what the function has returned in each place."""
    return {(outcome.target.account, outcome.target.region): outcome.unwrap() for outcome in run}


def ids_of(account, region):
    number = {"eu-west-1": 4, "us-east-1": 0}[region]  # nullaws: the region's place in its list
    return [f"i-{account}{each << 6 | number:05x}" for each in range(2)]


# -- botocove ----------------------------------------------------------------------------------------------------------


def test_the_function_of_botocoves_quickstart(fleet):
    found = values(fleet.map(botocove.get_iam_users))
    assert sorted(found) == PLACES
    for (account, _), users in found.items():
        assert [user["Arn"] for user in users["Users"]] == [f"arn:aws:iam::{account}:user/U{each}" for each in (0, 1)]


def test_a_function_that_asks_nothing(fleet):
    assert values(fleet.map(botocove.do_things)) == dict.fromkeys(PLACES, True)


def test_resources_of_the_session_are_those_of_the_target(fleet):
    assert values(fleet.map(botocove.instance_ids)) == {where: ids_of(*where) for where in PLACES}


def test_what_botocove_tells_of_the_session(fleet, capsys):
    assert values(fleet.map(botocove.do_nothing)) == dict.fromkeys(PLACES)
    assert "'Id': '100000000002'" in capsys.readouterr().out
    assert values(fleet.map(botocove.where_am_i)) == {
        (account, region): {
            "account": account,
            "role": "Reader",
            "region": region,
            "partition": "aws",
            "assumed": True,
            "session_region": region,
        }
        for account, region in PLACES
    }


def test_what_botocove_tells_of_an_account_of_the_organization(place):
    fleet = mangrove.Fleet("org", ["eu-west-1"], role="Reader").where(ids=ACCOUNTS)
    arn = "arn:aws:organizations::999999999999:account/o-nullaws0000"
    assert values(fleet.map(botocove.label)) == {
        (account, "eu-west-1"): f"account-{account} <{account}@example.com> ACTIVE {arn}/{account}"
        for account in ACCOUNTS
    }


def test_arguments_reach_the_function(fleet):
    found = values(fleet.map(botocove.tag_everything, "owner", value="ops", dry_run=False))
    assert found == {where: {"account": where[0], "owner": "ops", "dry_run": False} for where in PLACES}


def test_errors_that_the_function_handles_are_boto3s(fleet):
    assert values(fleet.map(botocove.denied)) == dict.fromkeys(PLACES, "InvalidAction")


@pytest.mark.parametrize("function", [botocove.fails, runacross.fails])
def test_errors_of_the_function_are_its_targets(fleet, function):
    outcomes = list(fleet.map(function))
    assert len(outcomes) == 4
    for outcome in outcomes:
        assert isinstance(outcome.error, ValueError)
        assert str(outcome.error) == outcome.target.account


# -- runacross ---------------------------------------------------------------------------------------------------------


def test_the_function_of_runacross_quickstart(fleet):
    found = values(fleet.map(runacross.who_am_i, once=True))
    assert {account: arn.split(":")[4] for (account, _), arn in found.items()} == {each: each for each in ACCOUNTS}


def test_a_function_of_session_account_and_region(fleet):
    assert values(fleet.map(runacross.list_instance_ids)) == {where: ids_of(*where) for where in PLACES}
    assert values(fleet.map(runacross.describe)) == {
        (account, region): {"account": account, "name": None, "region": region, "session_region": region}
        for account, region in PLACES
    }


def test_what_is_handed_over_is_told_by_its_place_and_not_by_its_name(fleet):
    found = values(fleet.map(runacross.by_other_names, once=True))
    assert {account: value for (account, _), value in found.items()} == {each: (each, each) for each in ACCOUNTS}


def test_a_callable_object(fleet):
    assert values(fleet.map(runacross.Counter())) == dict.fromkeys(PLACES, 2)
