"""The inventory at work on the seeded fleet: by the types that are derived, each with the ARN that its object has."""

from __future__ import annotations

import re
import threading
from collections import Counter, defaultdict
from importlib import import_module
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from mangrove import Arn
from mangrove.errors import RegionDisabledError
from mangrove.inventory import DEFAULT_TYPES, collect
from mangrove.resources.kinds import kind_of
from mangrove.resources.lookups import LOOKUPS
from mangrove.testing import EmbeddedAWS

REGIONS = ("us-east-1", "eu-west-1")
GOLDEN = Path(__file__).parent / "golden" / "inventory.txt"
# A name that AWS gives is another one each time.
GIVEN = re.compile(r"(i|vol|sg|subnet|vpc)-[0-9a-f]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Z0-9]{13,14}")


@pytest.fixture(scope="module")
def fleet():
    with EmbeddedAWS(accounts=3, regions=REGIONS) as aws:
        aws.reset()
        aws.seed()
        yield aws
        aws.reset()


@pytest.fixture
def sessions(fleet):
    return {account: fleet.session(account) for account in fleet.accounts}


@pytest.fixture(scope="module")
def found(fleet):
    calls = []
    sessions = {account: fleet.session(account) for account in fleet.accounts}
    for session in sessions.values():
        session.events.register("before-call", lambda model, **_: calls.append((model.service_model, model.name)))
    with collect(sessions, REGIONS) as collection:
        rows = list(collection)
    assert collection.failures == []
    return rows, collection, calls


def objects(holder, path, arguments):
    name, *rest = path
    for each in getattr(holder, name).filter(**({} if rest else arguments)):
        yield from objects(each, rest, arguments) if rest else [each]


def test_at_least_25_services_are_listed(found):
    rows, _, _ = found
    assert len({row.service for row in rows}) >= 25
    assert {row.type for row in rows} == set(DEFAULT_TYPES) - {"eks.clusters"}


def test_every_arn_can_be_read(found):
    rows, _, _ = found
    for row in rows:
        arn = Arn.parse(row.arn)
        assert arn.partition == row.partition == "aws"
        assert arn.account in ("", row.account)
        assert arn.region in ("", row.region)


@pytest.mark.parametrize("name", DEFAULT_TYPES)
def test_each_row_has_the_arn_that_its_object_has(fleet, found, name):
    rows, _, _ = found
    kind = kind_of(name)
    theirs = {
        each.get_arn(load=True)
        for account in fleet.accounts
        for region in REGIONS
        for each in objects(fleet.session(account, region).resource(kind.service), kind.path, dict(kind.arguments))
    }
    assert {row.arn for row in rows if row.type == name} == theirs


def test_an_arn_leads_back_to_its_object(fleet, found):
    rows, _, _ = found
    # moto's ids of hosted zones are longer than the format allows.
    for kind in ("sns.topics", "ec2.instances", "rds.db_instances", "kinesis.streams", "wafv2.regional_web_acls"):
        row = next(row for row in rows if row.type == kind)
        same = fleet.session(row.account, "us-east-1").resource_from_arn(row.arn)
        assert same.get_arn() == row.arn
        assert same.meta.service_name == row.service


def test_what_is_called_is_what_the_resources_call(fleet, found):
    made = {(model.service_name, name) for model, name in found[2]}
    lists = set()
    for name in DEFAULT_TYPES:
        kind = kind_of(name)
        model = fleet.session().resource(kind.service).meta.resource_model
        for step in kind.path:
            collection = next(one for one in model.collections if one.name == step)
            model = collection.resource.model
            lists.add((kind.service, collection.request.operation))
    assert lists <= made
    # Beside the lists: the tags that they leave out, by a table of the inventory's or by the resources' own word.
    known = {(name.partition(".")[0], lookup.operation.replace("_", "")) for name, lookup in LOOKUPS.items()}
    others = {(service, name) for service, name in made - lists if (service, name.lower()) not in known}
    # And the regions of buckets, which S3's list tells and moto's does not.
    assert [each for each in others if "Tags" not in each[1]] == [("s3", "GetBucketLocation")]


def test_batches_keep_the_calls_few(found):
    calls = Counter()
    for outcome in found[1].outcomes:
        calls[outcome.type] += outcome.calls
    # A list and one call for the tags of all, in each place that has any; the lists alone where they have the tags.
    assert calls["iam.roles"] == calls["iam.users"] == 2 * 3
    assert calls["ecs.clusters"] == 2 * 6
    assert calls["elbv2.load_balancers"] == 6 + 4
    assert calls["ec2.instances"] == calls["ec2.vpcs"] == calls["rds.db_instances"] == 6


def test_tags_are_those_of_the_seed(found):
    rows, _, _ = found
    assert all(row.tags is not None for row in rows)
    tagged = [row for row in rows if row.tags]
    assert {frozenset(row.tags) for row in tagged} == {frozenset({"Name", "team", "environment", "cost-center"})}
    assert {row.type for row in tagged} == {row.type for row in rows} - {"events.event_buses"}


def lines_of(rows):
    names = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.name):
        names[row.account, row.region, row.type].append("#" if GIVEN.fullmatch(row.name) else row.name)
    return [" ".join((*key, *found)) for key, found in sorted(names.items())]


def test_the_fleet_is_as_recorded(found):
    """Compare with `golden/inventory.txt`; run this file as a script to take a new snapshot."""
    rows, _, _ = found
    assert lines_of(rows) == GOLDEN.read_text().splitlines()


def deny(session, service, region, code="AccessDenied"):
    def refuse(model, context, **_):
        if context["client_region"] == region:
            raise ClientError({"Error": {"Code": code, "Message": f"not in {region}"}}, model.name)

    session.events.register(f"before-call.{service}", refuse)


@pytest.mark.parametrize("service", ["sqs", "kinesis", "ecs", "elbv2"])
def test_a_denied_service_in_one_region_costs_only_itself(found, sessions, service):
    rows, _, _ = found
    account = next(reversed(sessions))
    name = {"elbv2": "elastic-load-balancing-v2"}.get(service, service)
    deny(sessions[account], name, "eu-west-1")
    collection = collect(sessions, REGIONS)
    left = Counter((row.account, row.region, row.type) for row in collection)
    whole = Counter((row.account, row.region, row.type) for row in rows)
    here = [name for name in DEFAULT_TYPES if name.startswith(f"{service}.")]
    lost = {key: count for key, count in whole.items() if key[:2] == (account, "eu-west-1") and key[2] in here}
    assert lost
    assert left == whole - Counter(lost)
    failures = collection.failures
    assert {(one.account, one.region, one.service) for one in failures} == {(account, "eu-west-1", service)}
    assert sorted(one.type for one in failures) == here
    assert all(isinstance(one.error, ClientError) and "not in eu-west-1" in str(one.error) for one in failures)


def test_tags_that_are_denied_cost_only_themselves(sessions):
    account = next(iter(sessions))

    def refuse(model, **_):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no tags"}}, model.name)

    sessions[account].events.register("before-call.sns.ListTagsForResource", refuse)
    collection = collect({account: sessions[account]}, ["eu-west-1"], types=["sns.topics"])
    assert [(row.name, row.tags) for row in collection] == [("management-alarms", None)]
    assert [(one.rows, str(one.error).endswith("no tags")) for one in collection.failures] == [(1, True)]


def test_a_region_that_is_not_enabled_is_said_to_be(sessions, fleet):
    ec2 = fleet.session().client("ec2")
    ec2_regions = {one["RegionName"]: one["OptInStatus"] for one in ec2.describe_regions(AllRegions=True)["Regions"]}
    disabled = next(name for name, status in ec2_regions.items() if status == "not-opted-in")
    account = next(iter(sessions))
    collection = collect({account: sessions[account]}, ["eu-west-1", disabled], types=["sns.topics"])
    assert len(list(collection)) == 1
    assert [(one.region, type(one.error)) for one in collection.failures] == [(disabled, RegionDisabledError)]


def test_a_plain_boto3_session_serves_too(fleet, monkeypatch):
    account = fleet.accounts[1]
    for name, value in fleet.environment(account, "eu-west-1").items():
        monkeypatch.setenv(name, value)
    collection = collect({account: boto3.Session()}, ["eu-west-1"], types=["kinesis.streams", "s3.buckets"])
    assert sorted(row.name for row in collection) == [
        f"prod-assets-{account}-eu-west-1",
        f"prod-backups-{account}-eu-west-1",
        "prod-payments",
    ]
    assert collection.failures == []


def test_no_two_cells_share_a_resource_object(sessions, monkeypatch):
    reader = import_module("mangrove.inventory.reader")
    seen, lock = [], threading.Lock()
    init = reader.Reader.__init__

    def remember(self, kind, service, *args):
        with lock:
            seen.append(service)
        init(self, kind, service, *args)

    monkeypatch.setattr(reader.Reader, "__init__", remember)
    types = ["ec2.instances", "ec2.vpcs", "ec2.volumes"]
    assert list(collect(sessions, REGIONS, types=types))
    assert len({id(one) for one in seen}) == len(seen) == 3 * 3 * 2
    # One client an account and region: clients may be shared.
    assert len({id(one.meta.client) for one in seen}) == 3 * 2


if __name__ == "__main__":
    with EmbeddedAWS(accounts=3, regions=REGIONS) as embedded:
        embedded.seed()
        everything = collect({account: embedded.session(account) for account in embedded.accounts}, REGIONS)
        GOLDEN.write_text("".join(f"{line}\n" for line in lines_of(everything)))
