"""The inventory at work on the seeded fleet: by the types that are derived, each with the ARN that its object has."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from mangrove import Arn
from mangrove.errors import MissingExtraError
from mangrove.fleet import Fleet
from mangrove.inventory import DEFAULT_TYPES, Inventory
from mangrove.resources.kinds import kind_of
from mangrove.resources.lookups import LOOKUPS
from mangrove.testing import EmbeddedAWS

REGIONS = ("us-east-1", "eu-west-1")
GOLDEN = Path(__file__).parent / "golden" / "inventory.txt"
# A name that AWS gives is another one each time.
GIVEN = re.compile(r"(i|vol|sg|subnet|vpc)-[0-9a-f]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Z0-9]{13,14}")


@pytest.fixture(scope="module")
def aws():
    with EmbeddedAWS(accounts=3, regions=REGIONS) as aws:
        aws.reset()
        aws.seed()
        yield aws
        aws.reset()


@pytest.fixture
def whole(aws):
    return Fleet(aws.accounts, REGIONS, session=aws.session(), concurrency=4)


@pytest.fixture(scope="module")
def found(aws):
    calls, session = [], aws.session()
    session.events.register("before-call", lambda model, **_: calls.append((model.service_model, model.name)))
    fleet = Fleet(aws.accounts, REGIONS, session=session, concurrency=4)
    with Inventory(fleet).collect() as collection:
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
def test_each_row_has_the_arn_that_its_object_has(aws, found, name):
    rows, _, _ = found
    kind = kind_of(name)
    theirs = {
        each.get_arn(load=True)
        for account in aws.accounts
        for region in REGIONS
        for each in objects(aws.session(account, region).resource(kind.service), kind.path, dict(kind.arguments))
    }
    assert {row.arn for row in rows if row.type == name} == theirs


def test_an_arn_leads_back_to_its_object(aws, found):
    rows, _, _ = found
    # moto's ids of hosted zones are longer than the format allows.
    for kind in ("sns.topics", "ec2.instances", "rds.db_instances", "kinesis.streams", "wafv2.regional_web_acls"):
        row = next(row for row in rows if row.type == kind)
        same = aws.session(row.account, "us-east-1").resource_from_arn(row.arn)
        assert same.get_arn() == row.arn
        assert same.meta.service_name == row.service


def test_what_is_called_is_what_the_resources_call(aws, found):
    made = {(model.service_name, name) for model, name in found[2]}
    lists = set()
    for name in DEFAULT_TYPES:
        kind = kind_of(name)
        model = aws.session().resource(kind.service).meta.resource_model
        for step in kind.path:
            collection = next(one for one in model.collections if one.name == step)
            model = collection.resource.model
            lists.add((kind.service, collection.request.operation))
    assert lists <= made
    # Beside the lists: the tags that they leave out, by a table of the inventory's or by the resources' own word.
    known = {(name.partition(".")[0], lookup.operation.replace("_", "")) for name, lookup in LOOKUPS.items()}
    others = {(service, name) for service, name in made - lists if (service, name.lower()) not in known}
    # And the regions of buckets, which S3's list tells and moto's does not.
    assert {each for each in others if "Tags" not in each[1]} <= {("s3", "GetBucketLocation"), ("sts", "AssumeRole")}


def test_batches_keep_the_calls_few(found):
    calls = Counter()
    for outcome in found[1].outcomes:
        calls[outcome.target.type] += outcome.calls
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


def denied(aws, event, message, code="AccessDenied", tries=None):
    """Return a fleet whose calls of an event are refused in one region."""
    session, count = aws.session(), []

    def refuse(model, context, **_):
        if context["client_region"] == "eu-west-1":
            count.append(model.name)
            if tries is None or len(count) <= tries:
                raise ClientError({"Error": {"Code": code, "Message": message}}, model.name)

    session.events.register(f"before-call.{event}", refuse)
    return Fleet(aws.accounts[:1], REGIONS, session=session, concurrency=4), count


@pytest.mark.parametrize("service", ["sqs", "kinesis", "ecs", "elbv2"])
def test_a_denied_service_in_one_region_costs_only_itself(aws, found, service):
    account = aws.accounts[0]
    rows = [row for row in found[0] if row.account == account]
    fleet, _ = denied(aws, {"elbv2": "elastic-load-balancing-v2"}.get(service, service), "not in eu-west-1")
    collection = Inventory(fleet).collect()
    left = Counter((row.account, row.region, row.type) for row in collection)
    whole = Counter((row.account, row.region, row.type) for row in rows)
    here = [name for name in DEFAULT_TYPES if name.startswith(f"{service}.")]
    lost = {key: count for key, count in whole.items() if key[1] == "eu-west-1" and key[2] in here}
    assert left == whole - Counter(lost)
    failures = collection.failures
    assert {(one.target.account, one.target.region, one.kind) for one in failures} == {(account, "eu-west-1", "denied")}
    assert sorted(one.target.type for one in failures) == here
    assert all(isinstance(one.error, ClientError) and "not in eu-west-1" in str(one.error) for one in failures)
    assert not collection.facts().complete


def test_tags_that_are_denied_cost_only_themselves(aws):
    fleet, asked = denied(aws, "sns.ListTagsForResource", "no tags")
    collection = Inventory(fleet.where(regions=["eu-west-1"])).collect(["sns.topics"])
    assert [(row.name, row.tags) for row in collection] == [("management-alarms", None)]
    (failure,) = collection.failures
    assert (failure.kind, failure.rows, failure.calls) == ("denied", 1, 2)
    assert str(failure.error).endswith("no tags")
    assert asked == ["ListTagsForResource"]


def test_tags_that_fail_for_a_while_are_asked_for_again(aws):
    fleet, asked = denied(aws, "sns.ListTagsForResource", "later", "InternalFailure", tries=2)
    collection = Inventory(fleet.where(regions=["eu-west-1"])).collect(["sns.topics"])
    assert [row.tags["team"] for row in collection] == ["platform"]
    assert (collection.failures, len(asked), collection.calls) == ([], 3, 4)


def test_tags_that_go_on_failing_cost_only_themselves(aws):
    fleet, asked = denied(aws, "sns.ListTagsForResource", "never", "InternalFailure")
    collection = Inventory(fleet.where(regions=["eu-west-1"])).collect(["sns.topics"])
    assert [row.tags for row in collection] == [None]
    assert len(asked) == 4
    assert [failure.rows for failure in collection.failures] == [1]


def test_a_first_page_that_fails_is_tried_again_by_the_fleet_alone(aws):
    fleet, asked = denied(aws, "sns.ListTopics", "never", "InternalFailure")
    collection = Inventory(fleet.where(regions=["eu-west-1"])).collect(["sns.topics"])
    assert list(collection) == []
    assert (len(asked), [failure.attempts for failure in collection.failures]) == (4, [4])


def test_a_region_that_is_not_enabled_is_said_to_be(aws):
    ec2 = aws.session().client("ec2")
    statuses = {one["RegionName"]: one["OptInStatus"] for one in ec2.describe_regions(AllRegions=True)["Regions"]}
    disabled = next(name for name, status in statuses.items() if status == "not-opted-in")
    fleet = Fleet(aws.accounts[:1], ["eu-west-1", disabled], session=aws.session())
    collection = Inventory(fleet).collect(["sns.topics"])
    assert len(list(collection)) == 1
    assert [(one.target.region, one.kind) for one in collection.outcomes if one.skipped] == [(disabled, "disabled")]


def test_a_plain_boto3_session_serves_too(aws, monkeypatch):
    account = aws.accounts[1]
    for name, value in aws.environment(account, "eu-west-1").items():
        monkeypatch.setenv(name, value)
    fleet = Fleet(regions=["eu-west-1"], session=boto3.Session())
    collection = Inventory(fleet).collect(["kinesis.streams", "s3.buckets"])
    assert sorted(row.name for row in collection) == [
        f"prod-assets-{account}-eu-west-1",
        f"prod-backups-{account}-eu-west-1",
        "prod-payments",
    ]
    assert collection.failures == []


def test_rows_are_those_that_are_wanted(whole, found):
    rows, _, _ = found
    inventory = Inventory(whole)
    named = {row.arn for row in inventory.collect(["ec2.instances"], tags={"team": "pay*", "environment": "!dev"})}
    assert named == {
        row.arn
        for row in rows
        if row.type == "ec2.instances" and row.tags["team"] == "payments" and row.tags["environment"] != "dev"
    }
    assert named
    small = {row.arn for row in inventory.collect("ec2.instances", where="InstanceType == 't3.micro'")}
    assert small == {row.arn for row in rows if row.data.get("InstanceType") == "t3.micro"}


def test_a_condition_that_does_not_fit_a_row_is_told_by_its_target(whole):
    collection = Inventory(whole).collect(["ec2.vpcs"], where="starts_with(IsDefault, 'x')")
    assert list(collection) == []
    assert {outcome.kind for outcome in collection.outcomes} == {"failed"}
    assert "starts_with" in str(collection.failures[0].error)


def test_a_pattern_of_arns_is_asked_only_where_it_can_match(aws, whole, found):
    account = aws.accounts[1]
    pattern = f"arn:aws:ec2:eu-*:{account}:instance/*"
    collection = Inventory(whole).collect(pattern)
    assert {row.arn for row in collection} == {
        row.arn
        for row in found[0]
        if row.type == "ec2.instances" and (row.account, row.region) == (account, "eu-west-1")
    }
    places = [(one.target.account, one.target.region, one.target.type) for one in collection.outcomes]
    assert places == [(account, "eu-west-1", "ec2.instances")]


def test_a_plan_says_what_is_asked(whole):
    plan = Inventory(whole).plan(["ec2.vpcs", "iam.roles"])
    assert (plan.calls["ec2", "ec2.vpcs"], plan.calls["iam", "iam.roles"]) == (6, 3)


def test_what_failed_is_asked_again(aws):
    fleet, _ = denied(aws, "sqs.ListQueues", "once", tries=1)
    inventory = Inventory(fleet)
    first = inventory.collect(["sqs.queues", "sns.topics"])
    before = list(first)
    again = inventory.resume(first)
    after = list(again)
    assert [one.target.region for one in first.failures] == ["eu-west-1"]
    assert {(row.region, row.type) for row in after} == {("eu-west-1", "sqs.queues")}
    assert len(again.outcomes) == 1
    assert {row.arn for row in before}.isdisjoint(row.arn for row in after)


def test_arrow_pandas_and_polars_take_it_as_it_is(whole):
    pyarrow, polars = pytest.importorskip("pyarrow"), pytest.importorskip("polars")
    inventory = Inventory(whole)
    table = inventory.collect(["ec2.vpcs"]).to_arrow()
    assert set(table.column("type").to_pylist()) == {"ec2.vpcs"}
    assert pyarrow.table(inventory.collect(["ec2.vpcs"])).num_rows == table.num_rows
    assert polars.DataFrame(inventory.collect(["ec2.vpcs"])).height == table.num_rows


def test_without_pyarrow_the_extra_is_named(whole, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pymangrove\[inventory\]"):
        Inventory(whole).collect(["ec2.vpcs"]).to_arrow()


def test_closing_it_ends_it(whole):
    with Inventory(whole).collect() as collection:
        next(collection)
    assert list(collection) == []
    assert len(collection.outcomes) < 3 * 2 * len(DEFAULT_TYPES)


def test_facts_say_what_it_is_of(aws, found):
    facts = found[1].facts()
    assert (facts.types, list(facts.accounts)) == (DEFAULT_TYPES, list(aws.accounts))
    assert facts.complete
    assert facts.calls == sum(outcome.calls for outcome in facts.outcomes) > len(facts.outcomes)
    assert facts.seconds > 0


if __name__ == "__main__":
    with EmbeddedAWS(accounts=3, regions=REGIONS) as embedded:
        embedded.seed()
        everything = Inventory(Fleet(embedded.accounts, REGIONS, session=embedded.session())).collect()
        GOLDEN.write_text("".join(f"{line}\n" for line in lines_of(everything)))


def test_what_is_left_before_its_end_says_so_to_whoever_stores_it(whole):
    inventory = Inventory(whole)
    with inventory.collect(["ec2.vpcs", "sqs.queues"]) as collection:
        next(collection)
    facts = collection.facts()
    assert not facts.complete
    assert "left before its end" in str(facts.failures[-1].error)
    with inventory.collect(["sqs.queues"]) as collection:
        assert list(collection)
    assert collection.facts().complete
