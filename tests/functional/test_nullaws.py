"""The AWS that the fleet's tests and benchmarks measure against answers as AWS does, and tells what is mixed up."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from mangrove import Session

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)

pytest_plugins = ["servers.nullaws"]

ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5, proxies={})
A, B = "100000000001", "100000000002"
PLACES = [(account, region) for account in (A, B) for region in ("us-east-1", "eu-west-1", "mx-central-1")]


def base(place, service="sts", region="us-east-1", config=ONCE):
    return Session("AKIABASE", "secret", region_name=region).client(
        service, endpoint_url=place.endpoint_url, config=config
    )


def enter(place, account, region="us-east-1", **options):
    found = base(place).assume_role(RoleArn=f"arn:aws:iam::{account}:role/path/Reader", RoleSessionName="me", **options)
    keys = found["Credentials"]
    return Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=region)


def client(place, service, account, region="us-east-1", config=ONCE):
    return enter(place, account, region).client(service, endpoint_url=place.endpoint_url, config=config)


def code_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_a_role_is_of_the_account_it_was_asked_for(nullaws):
    with nullaws() as place:
        found = base(place).assume_role(RoleArn=f"arn:aws:iam::{A}:role/path/Reader", RoleSessionName="me")
        assert found["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{A}:assumed-role/Reader/me"
        assert enter(place, B).client("sts", endpoint_url=place.endpoint_url).get_caller_identity()["Account"] == B
        assert base(place).get_caller_identity()["Account"] == "999999999999"


@pytest.mark.parametrize(("account", "region"), PLACES)
def test_what_is_in_an_answer_tells_where_it_is_from(nullaws, account, region):
    with nullaws("--instances", 3) as place:
        reservations = client(place, "ec2", account, region).describe_instances()["Reservations"]
        queues = client(place, "sqs", account, region).list_queues()["QueueUrls"]
        roles = client(place, "iam", account, region).list_roles()["Roles"]
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    assert {reservation["OwnerId"] for reservation in reservations} == {account}
    assert len({instance["InstanceId"] for instance in instances}) == 3
    for instance in instances:
        tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
        assert (tags["account"], tags["region"]) == (account, region)
        assert instance["InstanceId"].startswith(f"i-{account}")
        assert instance["Placement"]["AvailabilityZone"] == f"{region}a"
    assert queues[0] == f"https://sqs.{region}.amazonaws.com/{account}/queue-0"
    assert all(role["Arn"].split(":")[4] == account for role in roles)


def test_no_two_places_have_an_instance_in_common(nullaws):
    with nullaws("--instances", 50) as place, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda where: client(place, "ec2", *where).describe_instances()["Reservations"], PLACES))
    ids = [reservation["Instances"][0]["InstanceId"] for answer in found for reservation in answer]
    assert len(set(ids)) == len(ids) == 50 * len(PLACES)


def test_pages_follow_each_other_in_one_place_alone(nullaws):
    with nullaws("--instances", 4, "--pages", 3) as place:
        ec2, sqs, iam = (client(place, service, A) for service in ("ec2", "sqs", "iam"))
        pages = list(ec2.get_paginator("describe_instances").paginate())
        ids = {each["Instances"][0]["InstanceId"] for page in pages for each in page["Reservations"]}
        assert (len(pages), len(ids)) == (3, 12)
        queues = sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 1000}).build_full_result()
        assert len(set(queues["QueueUrls"])) == 12
        assert len(iam.get_paginator("list_roles").paginate().build_full_result()["Roles"]) == 12
        token = pages[0]["NextToken"]
        assert code_of(client(place, "ec2", B).describe_instances, NextToken=token) == "InvalidParameterValue"
        assert place.stats()["mixed"] == 1


def test_the_token_of_another_role_is_seen(nullaws):
    with nullaws() as place:
        one, other = (enter(place, account).get_credentials() for account in (A, B))
        mixed = Session(one.access_key, one.secret_key, other.token, region_name="us-east-1")
        ec2 = mixed.client("ec2", endpoint_url=place.endpoint_url, config=ONCE)
        assert code_of(ec2.describe_instances) == "InvalidClientTokenId"
        assert place.stats()["mixed"] == 1


def test_regions_are_told_by_both_services(nullaws):
    with nullaws("--regions", 20, "--disabled", "af-south-1") as place:
        ec2, account = (base(place, service) for service in ("ec2", "account"))
        enabled = {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
        every = {
            region["RegionName"]: region["OptInStatus"] for region in ec2.describe_regions(AllRegions=True)["Regions"]
        }
        wanted = account.list_regions(RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"])["Regions"]
        assert len(enabled) == 19
        assert len(every) == len(account.list_regions()["Regions"]) == 34
        assert {region["RegionName"] for region in wanted} == enabled
        assert (every["af-south-1"], every["ap-east-1"]) == ("not-opted-in", "opted-in")
        assert code_of(base(place, "ec2", "af-south-1").describe_instances) == "AuthFailure"


def test_the_organization_has_its_accounts(nullaws):
    with nullaws("--accounts", 45) as place:
        organizations = base(place, "organizations")
        pages = organizations.get_paginator("list_accounts").paginate()
        accounts = [account for page in pages for account in page["Accounts"]]
        assert [account["Id"] for account in accounts] == [str(100000000001 + number) for number in range(45)]
        assert {account["Status"] for account in accounts} == {"ACTIVE"}
        assert organizations.describe_organization()["Organization"]["MasterAccountId"] == "999999999999"
        root = organizations.list_roots()["Roots"][0]["Id"]
        assert len(organizations.list_accounts_for_parent(ParentId=root)["Accounts"]) == 20


@pytest.mark.parametrize(
    ("option", "codes"),
    [
        ("--deny", ("UnauthorizedOperation", "AccessDeniedException", "AccessDenied")),
        ("--error500", ("InternalError", "InternalFailure", "ServiceFailure")),
        ("--throttle", ("RequestLimitExceeded", "ThrottlingException", "Throttling")),
    ],
)
@pytest.mark.parametrize("what", [A, "eu-west-1", f"{A}/eu-west-1"])
def test_faults_are_where_they_were_put(nullaws, option, codes, what):
    with nullaws(option, what) as place:
        for service, method, code in zip(
            ("ec2", "sqs", "iam"), ("describe_instances", "list_queues", "list_roles"), codes, strict=True
        ):
            assert code_of(getattr(client(place, service, A, "eu-west-1"), method)) == code
        assert len(client(place, "ec2", A, "eu-west-1").describe_regions()["Regions"]) == 34
        assert client(place, "ec2", B, "us-east-1").describe_instances()["Reservations"]
        other = (A, "us-east-1") if "/" in what else (B, "us-east-1")
        assert client(place, "sqs", *other).list_queues()["QueueUrls"]


def test_a_role_may_be_denied(nullaws):
    with nullaws("--deny-roles", A) as place:
        assert (
            code_of(base(place).assume_role, RoleArn=f"arn:aws:iam::{A}:role/R", RoleSessionName="me") == "AccessDenied"
        )
        assert enter(place, B)


def test_what_hangs_is_never_answered(nullaws):
    brief = ONCE.merge(Config(read_timeout=0.1))
    with nullaws("--hang", f"{A}/eu-west-1") as place:
        with pytest.raises(ReadTimeoutError):
            client(place, "ec2", A, "eu-west-1", brief).describe_instances()
        stats = place.stats()
        assert stats["operations"]["ec2:DescribeInstances"]["hung"] == 1
        assert client(place, "ec2", A, "us-east-1").describe_instances()


def test_a_quota_is_of_one_account_region_and_operation(nullaws):
    with nullaws("--quota", "0.001:2") as place:
        ec2 = client(place, "ec2", A)
        assert ec2.describe_instances()
        assert ec2.describe_instances()
        assert code_of(ec2.describe_instances) == "RequestLimitExceeded"
        assert ec2.describe_regions()
        assert client(place, "ec2", B).describe_instances()
        assert client(place, "ec2", A, "eu-west-1").describe_instances()
        counts = place.stats()["operations"]["ec2:DescribeInstances"]
        assert (counts["calls"], counts["ok"], counts["throttled"]) == (5, 4, 1)


def test_a_quota_may_be_of_less(nullaws):
    with nullaws("--quota", "0.001:1", "--quota-scope", "account") as place:
        assert client(place, "ec2", A).describe_instances()
        assert code_of(client(place, "ec2", A, "eu-west-1").describe_instances) == "RequestLimitExceeded"
        assert client(place, "ec2", B).describe_instances()


def test_answers_that_wait_are_all_given(nullaws):
    with nullaws("--delay-ms", 20) as place, ThreadPoolExecutor(16) as pool:
        ec2 = client(place, "ec2", A, config=ONCE.merge(Config(max_pool_connections=16)))
        assert len(list(pool.map(lambda _: ec2.describe_instances(), range(64)))) == 64
        counts = place.stats()["operations"]["ec2:DescribeInstances"]
        assert (counts["calls"], counts["ok"]) == (64, 64)
        assert counts["last"] > counts["first"] > 0


def test_an_unknown_operation_is_refused(nullaws):
    with nullaws() as place:
        assert code_of(base(place, "ec2").describe_vpcs) == "InvalidAction"
        assert code_of(base(place, "sqs").get_queue_url, QueueName="q") == "UnknownOperationException"
