"""A fleet of three accounts at work on the embedded AWS, whose every request is counted."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)

import mangrove  # noqa: E402
from mangrove import accounts as sources  # noqa: E402
from mangrove.accounts import Account  # noqa: E402
from mangrove.errors import (  # noqa: E402
    AssumeRoleError,
    ConfigError,
    DeclarationTypeError,
    NoAccountsError,
    RegionDisabledError,
    RunError,
    UnknownRegionError,
    UnknownResourceError,
    UnknownServiceError,
)
from mangrove.fleet import Fleet, Target  # noqa: E402
from servers.counting import counting, refusal  # noqa: E402

OWN, SECOND, THIRD = IDS = ("123456789012", "210987654321", "345678901234")
HERE, THERE = REGIONS = ("us-east-1", "eu-west-1")
EIGHT = [(account, region) for account in IDS for region in REGIONS]


@pytest.fixture
def session(embedded_aws):
    made = embedded_aws.session(region_name=HERE)
    made.client("sts").get_caller_identity()  # it has its own role to assume
    return made


@pytest.fixture
def seen(embedded_aws, session):
    with counting(embedded_aws) as seen:
        yield seen


@pytest.fixture
def fleet(seen, session):
    return Fleet(IDS, REGIONS, session=session)


def places(outcomes):
    return sorted((each.target.account, each.target.region) for each in outcomes)


def client(aws, service, account=None, region=HERE):
    return aws.session(account, region).client(service)


# -- calls -------------------------------------------------------------------------------------------------------------


def test_one_call_in_every_target(fleet, seen):
    run = fleet.call("sts", "get_caller_identity")
    assert not seen.calls
    outcomes = list(run)
    assert places(outcomes) == sorted(EIGHT)
    for outcome in outcomes:
        assert (outcome.kind, outcome.calls, outcome.attempts) == ("ok", 1, 1)
        assert outcome.unwrap()["Account"] == outcome.target.account
        assert outcome.target == Target(outcome.target.account, outcome.target.region, "sts", "aws")
    assert seen.calls["sts", "GetCallerIdentity"] == 6
    assert Counter(each.region for each in seen.of("GetCallerIdentity")) == dict.fromkeys(REGIONS, 3)
    assert run.ok == outcomes
    assert run.failed == run.skipped == []
    assert (run.summary().targets, run.summary().kinds, run.summary().calls) == (6, {"ok": 6}, 6)
    run.raise_for_errors()


@pytest.mark.parametrize("name", ["describe_vpcs", "describe-vpcs", "DescribeVpcs"])
def test_an_operation_has_its_name_in_any_form(fleet, name):
    assert fleet.call("ec2", name).summary().kinds == {"ok": 6}


def test_a_second_run_asks_no_more_than_it_must(fleet, seen):
    fleet.call("ec2", "describe_vpcs").wait()
    seen.clear()
    fleet.call("ec2", "describe_vpcs").wait()
    assert seen.calls == {("ec2", "DescribeVpcs"): 6}


def test_in_order(fleet):
    outcomes = list(fleet.call("ec2", "describe_vpcs", ordered=True))
    assert [(each.target.account, each.target.region) for each in outcomes] == EIGHT
    rows = list(fleet.items("ec2", "describe_subnets", ordered=True))
    assert list(dict.fromkeys((row.account, row.region) for row in rows)) == EIGHT


def test_once_an_account(fleet, seen):
    outcomes = list(fleet.call("sts", "get_caller_identity", once=True))
    assert places(outcomes) == [(account, HERE) for account in IDS]
    there = [each.region for each in seen.of("GetCallerIdentity")]
    assert there == [HERE] * 3


def test_a_global_service_is_asked_once_an_account(fleet, seen):
    outcomes = list(fleet.call("iam", "list_roles"))
    assert places(outcomes) == [(account, "aws-global") for account in IDS]
    assert seen.calls["iam", "ListRoles"] == 3


def test_values_may_be_let_go(fleet):
    run = fleet.call("sts", "get_caller_identity", keep_results=False)
    assert {outcome.value["Account"] for outcome in run} == set(IDS)
    assert [outcome.value for outcome in run.outcomes] == [None] * 6


# -- items -------------------------------------------------------------------------------------------------------------


def test_rows_of_all_pages_know_where_they_are_from(embedded_aws, fleet, seen):
    names = {}
    for number, (account, region) in enumerate(EIGHT):
        sqs = client(embedded_aws, "sqs", account, region)
        names[account, region] = {f"{account}-{region}-{each}" for each in range(number + 1)}
        for name in names[account, region]:
            sqs.create_queue(QueueName=name)
    seen.clear()
    rows = list(fleet.items("sqs", "list_queues", MaxResults=2))
    found = {}
    for row in rows:
        assert list(row) == ["QueueUrls"]
        assert row.partition == "aws"
        found.setdefault((row.account, row.region), set()).add(row["QueueUrls"].rpartition("/")[2])
        assert row.account in row["QueueUrls"]
    assert found == names
    assert seen.calls["sqs", "ListQueues"] == sum((number + 2) // 2 for number in range(6))


def test_rows_are_the_apis_own_and_stamped_when_asked(fleet):
    row = next(fleet.items("ec2", "describe_vpcs"))
    assert row["VpcId"].startswith("vpc-")
    assert "_account" not in row
    assert {"_account", "_region", "_partition"} < set(row.stamped())


def test_an_answer_without_a_list_is_one_row(fleet):
    rows = list(fleet.items("sts", "get_caller_identity", once=True))
    assert sorted(row["Account"] for row in rows) == sorted(IDS)
    assert all("ResponseMetadata" not in row for row in rows)


def test_rows_of_what_failed_are_told_of_in_a_warning(fleet, seen, caplog):
    seen.answer = lambda asked: refusal("UnauthorizedOperation") if asked.region == THERE else None
    run = fleet.items("ec2", "describe_vpcs")
    with caplog.at_level(logging.WARNING, "mangrove.fleet"):
        assert {row.region for row in run} == {HERE}
    (warning,) = caplog.records
    assert "3 of 6 targets failed" in warning.getMessage()
    assert [each.kind for each in run.failed] == ["denied"] * 3


def test_a_page_that_fails_half_way(embedded_aws, fleet, seen):
    sqs = client(embedded_aws, "sqs", SECOND)
    for number in range(5):
        sqs.create_queue(QueueName=f"q{number}")
    seen.clear()
    asked_twice = threading.Event()

    def answer(asked):
        if asked.operation == "ListQueues" and b"NextToken" in asked.body and not asked_twice.is_set():
            asked_twice.set()
            return 500, ""
        return None

    seen.answer = answer
    rows = list(fleet.where(ids=SECOND, regions=[HERE]).items("sqs", "list_queues", MaxResults=2))
    # The page is asked again, and not the list from its beginning.
    assert sorted(row["QueueUrls"][-2:] for row in rows) == ["q0", "q1", "q2", "q3", "q4"]
    assert asked_twice.is_set()
    assert seen.calls["sqs", "ListQueues"] == 4


# -- resources ---------------------------------------------------------------------------------------------------------


def test_resources_are_objects_at_home(embedded_aws, fleet):
    for account in IDS[1:]:
        s3 = client(embedded_aws, "s3", account)
        s3.create_bucket(Bucket=f"here-{account}")
        s3.create_bucket(Bucket=f"there-{account}", CreateBucketConfiguration={"LocationConstraint": THERE})
        s3.create_bucket(Bucket=f"far-{account}", CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    run = fleet.resources("ec2.vpcs", "s3.buckets", "iam.roles")
    found = list(run)
    buckets = {each.name: each.meta.client.meta.region_name for each in found if each.meta.service_name == "s3"}
    # Those of regions that are not asked for are not there.
    assert buckets == {
        f"{name}-{account}": region for account in IDS[1:] for name, region in (("here", HERE), ("there", THERE))
    }
    assert {each.arn for each in found if each.meta.service_name == "s3"} == {
        f"arn:aws:s3:::{name}" for name in buckets
    }
    vpcs = [mangrove.Arn.parse(each.arn) for each in found if each.meta.service_name == "ec2"]
    assert sorted((arn.account, arn.region) for arn in vpcs) == sorted(EIGHT)
    assert run.failed == []


def test_own_images_alone(embedded_aws, fleet):
    ec2 = client(embedded_aws, "ec2", SECOND)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    own = ec2.create_image(InstanceId=instance, Name="mine")["ImageId"]
    assert [each.id for each in fleet.resources("ec2.images")] == [own]


def test_resources_go_on_where_they_failed_though_two_lists_are_of_one_service(fleet, seen):
    # Trails are listed once for an account, and channels in each region.
    page = json.dumps({"Trails": [], "Channels": []})
    seen.answer = lambda asked: (200, page) if asked.service == "cloudtrail" else None
    run = fleet.resources("cloudtrail.trails", "cloudtrail.channels").wait()
    assert run.summary().kinds == {"ok": 9}
    assert fleet.resume(run).wait().outcomes == []

    def answer(asked):
        if asked.operation == "ListChannels" and asked.region == THERE:
            return 400, json.dumps({"__type": "AccessDeniedException"})
        return (200, page) if asked.service == "cloudtrail" else None

    seen.answer = answer
    run = fleet.resources("cloudtrail.trails", "cloudtrail.channels").wait()
    assert places(run.failed) == [(account, THERE) for account in sorted(IDS)]
    seen.clear()
    seen.answer = lambda asked: (200, page) if asked.service == "cloudtrail" else None
    again = fleet.resume(run).wait()
    assert places(again.outcomes) == [(account, THERE) for account in sorted(IDS)]
    assert seen.calls == {("cloudtrail", "ListChannels"): 3}


# -- functions ---------------------------------------------------------------------------------------------------------


def test_a_function_has_the_session_of_its_target(fleet):
    def who(session, account, region, suffix, *, mark):
        assert isinstance(session, boto3.Session)
        identity = session.client("sts").get_caller_identity()["Account"]
        assert session.target.account == account.id == session.session_information["Id"] == identity
        return identity, session.region_name, region, suffix + mark

    run = fleet.map(who, "x", mark="!")
    assert sorted(outcome.unwrap() for outcome in run) == sorted((each, here, here, "x!") for each, here in EIGHT)
    assert run.summary().calls == 0


def test_the_callers_session_stays_what_it_is(session, seen):
    mine = mangrove.Session(
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="s", region_name=HERE, aws_account_id=OWN
    )
    before = dict(vars(mine))
    outcomes = list(Fleet([OWN], [HERE, "eu-north-1"], session=mine).map(lambda each: each))
    assert sorted(each.value.region_name for each in outcomes) == ["eu-north-1", HERE]
    assert all(each.value is not mine for each in outcomes)
    assert vars(mine).keys() == before.keys()


def test_a_function_that_fails_costs_only_its_target_and_is_not_called_again(fleet):
    called = Counter()

    def function(session):
        called[session.target] += 1
        if session.region_name == THERE:
            raise ClientError({"Error": {"Code": "Throttling"}}, "ListThings")
        sys.exit(3)

    run = fleet.map(function).wait()
    assert set(called.values()) == {1}
    assert Counter(each.kind for each in run.outcomes) == {"throttled": 3, "failed": 3}


# -- the fleet ---------------------------------------------------------------------------------------------------------


def test_parts_of_a_fleet(embedded_aws, seen, session):
    org = client(embedded_aws, "organizations")
    org.create_organization()
    root = org.list_roots()["Roots"][0]["Id"]
    unit = org.create_organizational_unit(ParentId=root, Name="prod")["OrganizationalUnit"]["Id"]
    made = {}
    for name, env in (("web", "prod"), ("db", "prod"), ("lab", "dev")):
        status = org.create_account(Email=f"{name}@example.com", AccountName=name, Tags=[{"Key": "env", "Value": env}])
        made[name] = status["CreateAccountStatus"]["AccountId"]
    org.move_account(AccountId=made["web"], SourceParentId=root, DestinationParentId=unit)
    closed = org.create_account(Email="x@example.com", AccountName="closed")["CreateAccountStatus"]["AccountId"]
    org.close_account(AccountId=closed)
    seen.clear()

    whole = Fleet("org", [HERE], session=session)
    assert not seen.calls
    tagged = whole.where(account_tags={"env": "prod"})
    assert not seen.calls
    assert {each.id for each in tagged.accounts} == {made["web"], made["db"]}
    # A suspended account is not worked on.
    assert {each.id for each in whole.accounts} == set(made.values())
    assert {each.id for each in whole.where(ou="/prod").accounts} == {made["web"]}
    assert {each.name for each in whole.where(names=["w*", "d*"]).accounts} == {"web", "db"}
    assert {each.name for each in whole.where(names=["*", "!w*"], ids=f"!{made['web']}").accounts} == {"db", "lab"}
    assert {each.name for each in whole.where(names="!web").where(names="!db").accounts} == {"lab"}
    twice = whole.where(names="!web").where(names="*", account_tags={"env": "prod"})
    assert {each.name for each in twice.accounts} == {"db"}
    assert places(tagged.call("sts", "get_caller_identity")) == sorted((made[name], HERE) for name in ("web", "db"))
    with pytest.raises(NoAccountsError):
        whole.where(names="none").accounts  # noqa: B018


def test_regions_of_a_part(fleet):
    there = {each.region for each in fleet.where(ids=SECOND, regions="eu-west-*").targets("sqs")}
    assert there == {"eu-west-1", "eu-west-2", "eu-west-3"}
    part = fleet.where(ids=[OWN, SECOND], concurrency=1, deadline=600, polite=0.5)
    assert (len(part), len(fleet), part.regions) == (2, 3, REGIONS)


def test_targets(fleet, seen):
    assert sorted((each.account, each.region) for each in fleet.targets("ec2")) == sorted(EIGHT)
    assert {each.region for each in fleet.targets("iam")} == {"aws-global"}
    assert sorted((each.account, each.region) for each in fleet.targets()) == sorted(EIGHT)
    assert len(fleet.targets("ec2", once=True)) == 3
    assert set(seen.calls) <= {("sts", "AssumeRole")}


def test_the_own_account_is_entered_without_the_usual_role_and_with_another(seen, session):
    outcome = Fleet([OWN], [HERE], session=session).call("sts", "get_caller_identity").ok[0]
    assert not seen.calls["sts", "AssumeRole"]
    assert outcome.value["Arn"] == session.client("sts").get_caller_identity()["Arn"]
    outcome = Fleet([OWN], [HERE], role="audit", session=session).call("sts", "get_caller_identity").ok[0]
    assert ":assumed-role/audit/" in outcome.value["Arn"]
    alone = Fleet(session=session, regions=[HERE])
    assert [each.id for each in alone.accounts] == [OWN]
    assert places(alone.where(ids="12*").call("sts", "get_caller_identity")) == [(OWN, HERE)]


def test_a_chain_of_roles_and_an_external_id(seen, session):
    chain = (f"arn:aws:iam::{OWN}:role/hub", "ops/audit")
    fleet = Fleet(
        [SECOND, THIRD],
        [HERE],
        role=chain,
        external_id="shh-{id}",
        session=session,
        role_options={"role_session_name": "as-{id}"},
    )
    run = fleet.call("sts", "get_caller_identity").wait()
    assert sorted(each.value["Arn"] for each in run.ok) == [
        f"arn:aws:sts::{SECOND}:assumed-role/audit/as-{SECOND}",
        f"arn:aws:sts::{THIRD}:assumed-role/audit/as-{THIRD}",
    ]
    assumed = {each.parameters["RoleArn"]: each.parameters.get("ExternalId") for each in seen.of("AssumeRole")}
    assert assumed == {
        f"arn:aws:iam::{OWN}:role/hub": None,
        f"arn:aws:iam::{SECOND}:role/ops/audit": f"shh-{SECOND}",
        f"arn:aws:iam::{THIRD}:role/ops/audit": f"shh-{THIRD}",
    }
    assert "shh" not in repr(fleet.accounts) + repr(run.outcomes) + json.dumps(
        [each.to_dict() for each in run.outcomes]
    )


def test_accounts_of_profiles(embedded_aws_env, monkeypatch, tmp_path):
    config = tmp_path / "config"
    keys = embedded_aws_env.environment(SECOND)
    config.write_text(
        "[profile second]\nregion = eu-north-1\n"
        f"aws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {keys['AWS_SECRET_ACCESS_KEY']}\n"
        f"aws_session_token = {keys['AWS_SESSION_TOKEN']}\n"
        f"[profile third]\nrole_arn = arn:aws:iam::{THIRD}:role/dev\nsource_profile = second\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCOUNT_ID"):
        monkeypatch.delenv(name)
    fleet = Fleet([Account(SECOND, profile="second", role=None), Account(THIRD, profile="third", role=None)], REGIONS)
    run = fleet.call("sts", "get_caller_identity").wait()
    assert places(run.ok) == sorted(EIGHT[2:])
    assert all(each.value["Account"] == each.target.account for each in run.ok)
    # Each thread has a session of its own.
    sessions = [each.value for each in fleet.map(lambda session: session)]
    assert len({id(each) for each in sessions}) == 4


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_a_denied_account_is_one_failed_target(fleet, seen, session):
    def answer(asked):
        denied = asked.operation == "AssumeRole" and THIRD in asked.parameters["RoleArn"]
        return refusal("AccessDenied") if denied else None

    seen.answer = answer
    run = fleet.call("ec2", "describe_vpcs").wait()
    assert places(run.ok) == sorted(EIGHT[:4])
    (failed,) = run.failed
    assert (failed.target.account, failed.target.region, failed.kind) == (THIRD, "*", "denied")
    assert isinstance(failed.error, AssumeRoleError)
    with pytest.raises(RunError, match=r"1 of 5 targets failed: 345678901234 \* ec2: denied") as caught:
        run.raise_for_errors()
    assert caught.value.failures == (failed,)
    seen.answer = lambda asked: None
    # Another fleet, as this one remembers for a second that STS has refused.
    assert places(Fleet(IDS, REGIONS, session=session).resume(run)) == [(THIRD, THERE), (THIRD, HERE)]


def test_an_account_that_can_not_be_entered_is_one_outcome_though_two_lists_are_of_one_service(fleet, seen, session):
    def answer(asked):
        denied = asked.operation == "AssumeRole" and THIRD in asked.parameters["RoleArn"]
        if asked.service == "cloudtrail":
            return 200, json.dumps({"Trails": [], "Channels": []})
        return refusal("AccessDenied") if denied else None

    seen.answer = answer
    run = fleet.resources("cloudtrail.trails", "cloudtrail.channels").wait()
    assert [(each.target.account, each.target.region) for each in run.failed] == [(THIRD, "*")]
    assert run.summary().kinds == {"ok": 6, "denied": 1}
    seen.answer = lambda asked: answer(asked) if asked.service == "cloudtrail" else None
    again = Fleet(IDS, REGIONS, session=session).resume(run).wait()
    assert Counter((each.target.account, each.kind) for each in again.outcomes) == {(THIRD, "ok"): 3}


def test_an_error_says_nothing_of_the_clients_own_tries(fleet, seen):
    seen.answer = lambda asked: refusal("InternalError", "busy", 500) if asked.operation == "DescribeVpcs" else None
    for ids in (OWN, SECOND):  # with a client of its own, and with one that is shared
        (failed,) = fleet.where(ids=ids, regions=[HERE]).call("ec2", "describe_vpcs").failed
        assert failed.attempts == 4
        assert str(failed.error) == "An error occurred (InternalError) when calling the DescribeVpcs operation: busy"


@pytest.mark.parametrize(
    ("code", "status", "kind", "calls"),
    [
        ("UnauthorizedOperation", 403, "denied", 1),
        ("OptInRequired", 401, "disabled", 1),
        ("UnknownOperation", 404, "unsupported", 1),
        ("InvalidParameterValue", 400, "failed", 1),
        ("InternalError", 500, "failed", 4),
    ],
)
def test_each_refusal_is_of_its_kind(fleet, seen, code, status, kind, calls):
    seen.answer = lambda asked: refusal(code, status=status) if asked.operation == "DescribeVpcs" else None
    run = fleet.where(ids=OWN, regions=[HERE]).call("ec2", "describe_vpcs").wait()
    (outcome,) = run.outcomes
    assert (outcome.kind, outcome.calls, outcome.attempts) == (kind, calls, calls)
    assert seen.calls["ec2", "DescribeVpcs"] == calls
    assert outcome.to_dict()["error"]["code"] == code


def test_throttled_answers_pass(fleet, seen):
    left = iter(range(3))
    seen.answer = lambda asked: (
        refusal("RequestLimitExceeded", status=503)
        if asked.operation == "DescribeVpcs" and next(left, None) is not None
        else None
    )
    run = fleet.where(ids=OWN, regions=[HERE]).call("ec2", "describe_vpcs").wait()
    assert (run.outcomes[0].kind, run.outcomes[0].calls, run.progress.throttled) == ("ok", 4, 3)


def test_expired_credentials_are_got_anew(fleet, seen):
    stale = set()

    def answer(asked):
        if asked.operation != "DescribeVpcs":
            return None
        stale.add(asked.key) if not stale else None
        return refusal("RequestExpired", status=400) if asked.key in stale else None

    seen.answer = answer
    run = fleet.where(ids=SECOND, regions=[HERE]).call("ec2", "describe_vpcs").wait()
    assert run.outcomes[0].kind == "ok"
    assert (seen.calls["sts", "AssumeRole"], seen.calls["ec2", "DescribeVpcs"]) == (2, 2)


def test_a_write_is_not_repeated(fleet, seen):
    seen.answer = lambda asked: refusal("InternalError", status=500) if asked.operation == "CreateVpc" else None
    run = fleet.where(ids=OWN, regions=[HERE]).call("ec2", "create_vpc", CidrBlock="10.0.0.0/16", confirm=True).wait()
    assert (run.outcomes[0].kind, seen.calls["ec2", "CreateVpc"]) == ("failed", 1)


def test_disabled_regions_are_skipped_and_said(seen, session):
    run = Fleet([OWN], "*", session=session).call("ec2", "describe_vpcs").wait()
    skipped = {each.target.region: each for each in run.skipped}
    assert skipped["me-south-1"].kind == "disabled"
    assert isinstance(skipped["me-south-1"].error, RegionDisabledError)
    assert {each.region for each in seen.of("DescribeVpcs")} == {each.target.region for each in run.ok}
    assert not set(skipped) & {each.target.region for each in run.ok}
    assert run.failed == []


def test_unsupported_services_are_skipped_and_said(seen, session):
    seen.answer = lambda asked: (200, '{"ServiceSummaryList": []}') if asked.service == "apprunner" else None
    run = Fleet([OWN], [HERE, "eu-nor*"], session=session).call("apprunner", "list_services").wait()
    assert {each.target.region: each.kind for each in run.outcomes if each.kind != "ok"} == {
        "eu-north-1": "unsupported"
    }
    assert {each.region for each in seen.asked if each.service == "apprunner"} == {HERE}


def test_an_account_that_is_worked_on_elsewhere(seen, session):
    fleet = Fleet([Account(OWN), Account(SECOND, regions=(THERE,))], [HERE], session=session)
    run = fleet.call("sqs", "list_queues").wait()
    assert places(run.ok) == [(OWN, HERE)]
    (skipped,) = run.skipped
    assert (skipped.target.account, skipped.kind) == (SECOND, "unsupported")
    assert "eu-west-1 alone" in str(skipped.error)


# -- plans -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "regions", "role", "once"),
    [
        (("ec2", "describe_vpcs"), REGIONS, None, False),
        (("ec2", "describe_vpcs"), ["us-*", "eu-west-*"], None, False),
        (("ec2", "describe_vpcs"), REGIONS, None, True),
        (("sqs", "list_queues"), "*", None, False),
        (("iam", "list_roles"), "*", None, False),
        (("sts", "get_caller_identity"), REGIONS, "audit", False),
        (("sts", "get_caller_identity"), REGIONS, (f"arn:aws:iam::{OWN}:role/hub", "audit"), True),
    ],
)
def test_a_plan_is_what_is_done(seen, session, what, regions, role, once):
    fleet = Fleet(IDS, regions, role=role, session=session)
    plan = fleet.plan(*what, once=once)
    assert not seen.calls
    assert plan.accounts == 3
    run = fleet.call(*what, once=once).wait()
    asked = dict(seen.calls)
    # What may be disabled is asked for only if it is not.
    more = asked[what[0], plan_name(what)] - plan.calls[what[0], plan_name(what)]
    assert 0 <= more <= len(plan.possible)
    assert {**asked, (what[0], plan_name(what)): plan.calls[what[0], plan_name(what)]} == plan.calls
    done = {each.target for each in run.ok}
    assert set(plan.targets) <= done <= {*plan.targets, *plan.possible}
    assert plan.total == sum(asked.values()) - more
    assert str(plan).startswith(f"{what[0]} {plan_name(what)} in 3 accounts: {len(plan.targets)} targets")


def plan_name(what):
    return "".join(part.capitalize() for part in what[1].split("_"))


def test_a_plan_of_resources(fleet, seen):
    plan = fleet.plan_resources("ec2.vpcs", "ec2.subnets", "s3.buckets", "iam.roles")
    assert not seen.calls
    run = fleet.resources("ec2.vpcs", "ec2.subnets", "s3.buckets", "iam.roles").wait()
    lists = {("ec2", "DescribeVpcs"): 6, ("ec2", "DescribeSubnets"): 6, ("s3", "GET /"): 3, ("iam", "ListRoles"): 3}
    assert {key: seen.calls[key] for key in lists} == lists
    assert plan.calls[("sts", "AssumeRole")] == seen.calls["sts", "AssumeRole"]
    assert plan.total == sum(seen.calls.values())
    assert len(plan.targets) == len(run.ok)


# -- going on later ----------------------------------------------------------------------------------------------------


def broken(region):
    return lambda asked: refusal("InternalFailure", status=400) if asked.region == region else None


def test_a_run_goes_on_with_what_failed(fleet, seen):
    seen.answer = lambda asked: refusal("InvalidThing", status=400) if asked.region == THERE else None
    run = fleet.call("ec2", "describe_vpcs").wait()
    assert run.summary().kinds == {"ok": 3, "failed": 3}
    seen.answer = lambda asked: None
    seen.clear()
    again = fleet.resume(run)
    assert places(again) == [(account, THERE) for account in IDS]
    assert seen.calls == {("ec2", "DescribeVpcs"): 3}
    assert len(again.record.targets) == 6
    # And where nothing is left, nothing is asked.
    seen.clear()
    assert fleet.resume(again).wait().outcomes == []
    assert not seen.calls
    for ordered in (False, True):
        assert fleet.where(regions=[HERE]).resume(run, ordered=ordered).wait().outcomes == []


def test_a_run_that_was_left_goes_on_where_it_was(fleet):
    with fleet.call("ec2", "describe_vpcs", ordered=True) as run:
        next(run)
    again = fleet.resume(run)
    assert sorted([*places(run.outcomes), *places(again)]) == sorted(EIGHT)


def test_what_was_under_way_is_not_made_again_unless_that_is_said(fleet, seen, tmp_path):
    hold, begun = threading.Event(), threading.Event()

    def answer(asked):
        if asked.operation == "CreateVpc" and asked.region == THERE:
            begun.set()
            hold.wait(20)

    seen.answer = answer
    part = fleet.where(ids=SECOND)
    run = part.call("ec2", "create_vpc", confirm=True, CidrBlock="10.0.0.0/16")
    assert next(run).target.region == HERE
    assert begun.wait(20)
    run.close()
    run.save(tmp_path / "run.json")
    hold.set()
    seen.clear()
    for earlier in (run, tmp_path / "run.json"):
        again = part.resume(earlier, confirm=True)
        (outcome,) = again.wait().outcomes
        assert (outcome.target.region, outcome.kind, outcome.calls) == (THERE, "failed", 0)
        assert "under way when the run was left" in str(outcome.error)
        # And it stays so, however often it is gone on with.
        (outcome,) = part.resume(again, confirm=True).wait().outcomes
        assert outcome.calls == 0
    assert ("ec2", "CreateVpc") not in seen.calls
    last = part.resume(tmp_path / "run.json", confirm=True, again=True).wait()
    assert [(each.target.region, each.kind) for each in last.outcomes] == [(THERE, "ok")]
    assert seen.calls["ec2", "CreateVpc"] == 1
    assert part.resume(last, confirm=True).wait().outcomes == []


def test_what_has_ended_and_nobody_has_read_is_not_made_again(fleet, seen):
    part = fleet.where(ids=SECOND)
    with part.call("ec2", "create_vpc", confirm=True, ordered=True, CidrBlock="10.0.0.0/16") as run:
        next(run)
        for _ in range(500):
            if all(each is not None for each in run._scheduler.untold.values()) and len(run._scheduler.untold) == 1:
                break
            threading.Event().wait(0.01)
    assert part.resume(run, confirm=True).wait().outcomes == []
    assert seen.calls["ec2", "CreateVpc"] == 2


def test_reads_that_were_under_way_are_asked_again(fleet, seen):
    hold, begun = threading.Event(), threading.Event()

    def answer(asked):
        if asked.operation == "DescribeVpcs" and asked.region == THERE:
            begun.set()
            hold.wait(20)

    seen.answer = answer
    run = fleet.where(ids=SECOND).call("ec2", "describe_vpcs")
    next(run)
    assert begun.wait(20)
    run.close()
    hold.set()
    assert [each.kind for each in fleet.where(ids=SECOND).resume(run)] == ["ok"]


def test_who_goes_on_with_fewer_accounts_is_told(fleet, seen, caplog):
    seen.answer = lambda asked: refusal("InvalidThing", status=400) if asked.region == THERE else None
    run = fleet.call("ec2", "describe_vpcs").wait()
    seen.answer = lambda asked: None
    with caplog.at_level(logging.WARNING, "mangrove.fleet"):
        assert len(fleet.where(ids=SECOND).resume(run).ok) == 1
    assert "2 accounts of the earlier run are not in this fleet" in caplog.text
    assert OWN in caplog.text
    assert THIRD in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, "mangrove.fleet"):
        fleet.resume(run).wait()
    assert caplog.text == ""


def test_a_summary_of_rows_that_are_not_all_read_says_so(fleet):
    run = fleet.items("ec2", "describe_subnets")
    assert str(run.summary()).endswith("so far: the run is not read to its end")
    for _ in range(3):
        next(run)
    assert run.summary().rows >= 3
    assert not run.summary().complete
    assert run.wait().summary().complete
    assert "so far" not in str(run.summary())


def test_another_process_goes_on(embedded_aws_env, tmp_path):
    fleet = Fleet(IDS, REGIONS)
    path = tmp_path / "run.json"
    with counting(embedded_aws_env) as seen:
        seen.answer = lambda asked: (
            (400, '{"__type": "InvalidThing"}') if (asked.region, asked.operation) == (THERE, "ListQueues") else None
        )
        run = fleet.items("sqs", "list_queues", QueueNamePrefix="x").wait()
        run.save(path)
        assert path.stat().st_mode & 0o777 == 0o600
        seen.answer = lambda asked: None
        seen.clear()
        code = (
            "import sys, mangrove\n"
            f"fleet = mangrove.Fleet({IDS!r}, {REGIONS!r})\n"
            "run = fleet.resume(sys.argv[1]).wait()\n"
            "print(run.summary().targets, run.ok[0].target.region)\n"
            "run.save(sys.argv[1])\n"
        )
        command = [sys.executable, "-c", code, str(path)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (0, f"3 {THERE}\n"), done.stderr
        assert seen.calls["sqs", "ListQueues"] == 3
        assert {each.region for each in seen.of("ListQueues")} == {THERE}
    assert fleet.resume(path).wait().outcomes == []
    assert json.loads(path.read_text())["request"]["parameters"] == {"QueueNamePrefix": "x"}


def test_a_file_holds_no_secrets(fleet, session, tmp_path):
    path = tmp_path / "run.json"
    part = fleet.where(ids=SECOND, regions=[HERE])
    run = part.call("secretsmanager", "create_secret", Name="n", SecretString="hunter2", confirm=True).wait()
    assert run.failed == []
    run.save(path)
    text = path.read_text()
    credentials = session.get_credentials().get_frozen_credentials()
    for secret in ("hunter2", credentials.secret_key, credentials.token, credentials.access_key):
        assert secret not in text
    with pytest.raises(ConfigError, match=r"holds no 'SecretString'.* give SecretString=\.\.\. again"):
        part.resume(path, confirm=True)
    with pytest.raises(ConfigError, match="confirm=True"):
        part.resume(path, SecretString="hunter2")
    with pytest.raises(ConfigError, match="another 'Name'"):
        part.resume(path, confirm=True, SecretString="x", Name="m")
    assert part.resume(path, confirm=True, SecretString="hunter2").wait().outcomes == []
    # The run itself still knows.
    assert part.resume(run, confirm=True).wait().outcomes == []


def test_a_run_of_a_function_wants_the_function_again(fleet, tmp_path):
    path = tmp_path / "run.json"

    def fail(session):
        raise ValueError("why")

    fleet.map(fail).wait().save(path)
    with pytest.raises(ConfigError, match=r"of a run of the function .*fail; give the function too"):
        fleet.resume(path)
    assert places(fleet.resume(path, lambda session: 1)) == sorted(EIGHT)


def test_a_function_with_arguments_is_not_called_with_something_else_in_their_place(fleet, tmp_path):
    path = tmp_path / "run.json"

    def tag(session, value):
        raise ValueError(value)

    fleet.map(tag, "blue").wait().save(path)
    with pytest.raises(ConfigError, match=r"functools\.partial"):
        fleet.resume(path, tag)


# -- reading -----------------------------------------------------------------------------------------------------------


def test_leaving_the_loop_cancels_the_rest(session, seen):
    fleet = Fleet(IDS, "*", session=session, concurrency=2)
    for _ in fleet.items("sqs", "list_queues", QueueNamePrefix="none"):
        pass
    seen.clear()
    with fleet.call("sqs", "list_queues") as run:
        next(run)
    assert list(run) == []
    for thread in threading.enumerate():
        if thread.name.startswith("mangrove-fleet"):
            thread.join(10)
    assert seen.calls["sqs", "ListQueues"] < 60


def test_coroutines_go_on_while_results_come(fleet):
    async def main():
        ticks, rows = 0, []

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        other = asyncio.create_task(tick())
        async for row in fleet.items("ec2", "describe_subnets"):
            rows.append(row)
        outcomes = [outcome async for outcome in fleet.call("sts", "get_caller_identity")]
        other.cancel()
        return ticks, rows, outcomes

    ticks, rows, outcomes = asyncio.run(main())
    assert ticks > 10
    assert {(row.account, row.region) for row in rows} == set(EIGHT)
    assert len({row["SubnetId"] for row in rows}) == len(rows)
    assert places(outcomes) == sorted(EIGHT)


def test_a_coroutine_that_gives_up_waiting_loses_nothing(fleet, seen):
    hold = threading.Event()
    seen.answer = lambda asked: hold.wait(20) and None

    async def main():
        run = fleet.items("ec2", "describe_vpcs")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(run.__anext__(), 0.05)
        hold.set()
        return [row async for row in run]

    assert sorted((row.account, row.region) for row in asyncio.run(main())) == sorted(EIGHT)


def test_several_coroutines_share_a_run(fleet):
    async def main():
        run, found = fleet.items("ec2", "describe_subnets"), []

        async def read():
            async for row in run:
                found.append(row["SubnetId"])
                await asyncio.sleep(0)

        await asyncio.gather(read(), read(), read())
        return found

    found = asyncio.run(main())
    expected = [row["SubnetId"] for row in fleet.items("ec2", "describe_subnets")]
    assert sorted(found) == sorted(expected)


def test_progress_is_told(fleet):
    told = []
    run = fleet.call("ec2", "describe_vpcs", progress=told.append).wait()
    last = told[-1]
    assert (last.done, last.total, last.complete, last.failed, last.calls) == (6, 6, True, 0, run.progress.calls)
    assert last == run.progress
    with pytest.raises(DeclarationTypeError, match="progress is True"):
        fleet.call("ec2", "describe_vpcs", progress="yes")


def test_the_slowest_come_first(fleet):
    run = fleet.call("ec2", "describe_vpcs")
    seconds = [each.seconds for each in run.slowest(4)]
    assert len(seconds) == 4
    assert seconds == sorted(seconds, reverse=True)


def test_spans(fleet, seen):
    trace = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    from opentelemetry import trace as api

    exporter = export.InMemorySpanExporter()
    provider = trace.TracerProvider()
    provider.add_span_processor(pytest.importorskip("opentelemetry.sdk.trace.export").SimpleSpanProcessor(exporter))
    api.set_tracer_provider(provider)
    seen.answer = lambda asked: refusal("UnauthorizedOperation") if asked.region == THERE else None
    with api.get_tracer("test").start_as_current_span("mine") as mine:
        fleet.call("ec2", "describe_vpcs").wait()
    spans = [each for each in exporter.get_finished_spans() if each.name == "ec2 DescribeVpcs"]
    assert len(spans) == 6
    assert {each.parent.span_id for each in spans} == {mine.get_span_context().span_id}
    assert sorted((each.attributes["cloud.account.id"], each.attributes["cloud.region"]) for each in spans) == sorted(
        EIGHT
    )
    assert Counter(each.attributes.get("error.type") for each in spans) == {None: 3, "UnauthorizedOperation": 3}


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_what_changes_something_is_confirmed(fleet, seen):
    with pytest.raises(ConfigError, match=r"ec2 terminate_instances is not known to be read-only.* confirm=True"):
        fleet.call("ec2", "terminate_instances", InstanceIds=["i-1"])
    with pytest.raises(ConfigError, match="confirm=True"):
        fleet.items("sqs", "create_queue", QueueName="q")
    assert not seen.calls
    assert fleet.call("sqs", "create_queue", QueueName="q", confirm=True).summary().kinds == {"ok": 6}


@pytest.mark.parametrize(
    ("asking", "error", "match"),
    [
        (lambda fleet: fleet.call("ec2", "describe_instanc"), ConfigError, "did you mean 'describe_instances'"),
        (lambda fleet: fleet.call("ec3", "describe_vpcs"), UnknownServiceError, "no service 'ec3'"),
        (lambda fleet: fleet.call("ec2", 3), DeclarationTypeError, "got int"),
        (lambda fleet: fleet.call("ec2", "describe_vpcs", Foo=1), ConfigError, "no parameter 'Foo'"),
        (lambda fleet: fleet.items("ec2", "describe_vpcs", VpcIds="vpc-1"), ConfigError, "parameter VpcIds"),
        (lambda fleet: fleet.call("sqs", "get_queue_url"), ConfigError, "QueueName"),
        (lambda fleet: fleet.plan("sqs", "get_queue_url"), ConfigError, "QueueName"),
        (lambda fleet: fleet.resources(), ConfigError, "takes types"),
        (lambda fleet: fleet.resources("ec2.vpc"), UnknownResourceError, "did you mean 'vpcs'"),
        (lambda fleet: fleet.resources("ec3.vpcs"), UnknownServiceError, "no service 'ec3'"),
        (lambda fleet: fleet.resources("s3.buckets.objects"), UnknownResourceError, "can't be listed"),
        (lambda fleet: fleet.map(lambda: 1), DeclarationTypeError, "the function takes"),
        (lambda fleet: fleet.map("text"), DeclarationTypeError, "got str"),
        (lambda fleet: fleet.targets("ec3"), UnknownServiceError, "no service 'ec3'"),
        (lambda fleet: fleet.where(ids="9*"), NoAccountsError, "9"),
        (lambda fleet: fleet.where(limit=3), ConfigError, "did you mean 'limits'"),
        (lambda fleet: fleet.where(regions=["eu-wst-1"]), UnknownRegionError, "eu-wst-1"),
        (lambda fleet: fleet.where(concurrency=0), ConfigError, "concurrency=0"),
        (lambda fleet: fleet.where(concurrency=1.5), DeclarationTypeError, "concurrency takes a number"),
        (lambda fleet: fleet.where(deadline=-1), ConfigError, "deadline=-1"),
        (lambda fleet: fleet.where(target_deadline=float("nan")), ConfigError, "target_deadline=nan"),
        (lambda fleet: fleet.where(polite=2), ConfigError, "polite=2"),
        (lambda fleet: fleet.where(limits=[{"name": "x", "rat": 1}]), ConfigError, "did you mean 'rate'"),
        (lambda fleet: fleet.resume("none.json"), ConfigError, "no such file"),
    ],
)
def test_bad_input_costs_no_call(fleet, seen, asking, error, match):
    with pytest.raises(error, match=match):
        asking(fleet)
    assert not seen.calls


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"accounts": ["1"]}, ConfigError, "no account id"),
        ({"accounts": []}, NoAccountsError, "account"),
        ({"accounts": "none.yml"}, ConfigError, "none.yml"),
        ({"accounts": IDS, "regions": ["eu-wst-1"]}, UnknownRegionError, "eu-wst-1"),
        ({"accounts": IDS, "regions": []}, ConfigError, "regions"),
        ({"accounts": IDS, "regions": 3}, DeclarationTypeError, "regions"),
        ({"accounts": IDS, "role": "a b"}, ConfigError, "no role"),
        ({"accounts": IDS, "role": "{nme}"}, ConfigError, "nme"),
        ({"accounts": IDS, "concurrency": True}, DeclarationTypeError, "concurrency"),
        ({"accounts": IDS, "deadline": "soon"}, DeclarationTypeError, "deadline"),
        ({"accounts": IDS, "limits": "none.yml"}, ConfigError, "none.yml"),
        ({"accounts": IDS, "executor": 4}, DeclarationTypeError, "got int"),
        ({"accounts": IDS, "endpoint_url": "nowhere"}, ConfigError, "endpoint_url"),
        ({"accounts": IDS, "config": {}}, DeclarationTypeError, "config"),
        ({"role": "audit"}, ConfigError, "give accounts="),
        ({"accounts": IDS, "connect_timeout": -1}, ConfigError, "connect_timeout"),
        ({"accounts": IDS, "read_timeout": "long"}, DeclarationTypeError, "read_timeout"),
        ({"accounts": IDS, "role_options": {"durations": 3}}, ConfigError, "durations"),
        ({"accounts": IDS, "role_options": {"DurationSeconds": 3}}, ConfigError, "duration_seconds"),
        ({"accounts": IDS, "role_options": {"external_id": "shh"}}, ConfigError, "fleet's own argument external_id"),
    ],
)
def test_a_fleet_that_can_not_be_is_refused(session, seen, arguments, error, match):
    with pytest.raises(error, match=match):
        Fleet(session=session, **arguments)
    assert not seen.calls


def test_an_account_that_is_named_twice_is_refused(seen, session):
    with pytest.raises(ConfigError, match=f"{SECOND} is there twice"):
        Fleet([OWN, SECOND, SECOND], [HERE], session=session)


def test_the_callers_own_source_of_accounts(seen, session):
    fleet = Fleet((Account(each) for each in IDS[1:]), [HERE], session=session)
    assert len(fleet) == 2
    assert places(fleet.call("sqs", "list_queues")) == [(SECOND, HERE), (THIRD, HERE)]
    assert sources.load(IDS, session)[0].id == OWN
