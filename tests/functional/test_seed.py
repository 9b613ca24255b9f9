"""The seeded fleet: the same each time, in every account and region, tagged, and different between the accounts."""

from __future__ import annotations

import dataclasses

import pytest
from botocore.exceptions import ClientError

from mangrove.errors import NotRunningError
from mangrove.testing import EmbeddedAWS, SeedSummary
from mangrove.testing.seed import seed

REGIONS = ("us-east-1", "eu-west-1")


@pytest.fixture(scope="module")
def fleet():
    progress = []
    with EmbeddedAWS(accounts=3, regions=REGIONS) as aws:
        # Nothing else resets the state while this module runs; a server of another module may be running.
        aws.reset()
        summary = aws.seed(progress=lambda done, total: progress.append((done, total)))
        yield aws, summary, progress
        aws.reset()


def every(aws):
    return [(account, region, aws.session(account, region)) for account in aws.accounts for region in aws.regions]


def named(tags):
    return {tag["Key"]: tag["Value"] for tag in tags}


def instances(session):
    pages = session.client("ec2").get_paginator("describe_instances").paginate()
    return [one for page in pages for group in page["Reservations"] for one in group["Instances"]]


def test_the_summary_counts(fleet):
    aws, summary, _ = fleet
    assert summary.calls > 0
    assert list(summary.resources) == sorted(summary.resources)
    assert summary.resources["rds"] == len(aws.accounts) * len(REGIONS)
    assert summary.resources["route53"] == len(aws.accounts)
    services = (
        "acm apigateway autoscaling cloudformation cloudfront cloudtrail cloudwatch dynamodb ec2 ecr ecs efs "
        "elasticache elbv2 events iam kinesis kms lambda logs opensearch rds redshift route53 s3 secretsmanager sns "
        "sqs ssm stepfunctions wafv2"
    )
    assert set(summary.resources) == set(services.split())
    assert all(summary.resources.values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        summary.calls = 0
    with pytest.raises(TypeError):
        summary.resources["ec2"] = 0


def test_progress_ends_with_all_units(fleet):
    aws, _, progress = fleet
    total = len(aws.accounts) * (1 + len(REGIONS))
    assert progress == [(done, total) for done in range(1, total + 1)]


def test_the_counted_buckets_are_there(fleet):
    aws, summary, _ = fleet
    buckets = [
        bucket["Name"]
        for account in aws.accounts
        for bucket in aws.session(account).client("s3").list_buckets()["Buckets"]
    ]
    assert len(buckets) == len(set(buckets)) == summary.resources["s3"]
    assert "management-audit-123456789012-eu-west-1" in buckets


def test_every_region_of_every_account_has_its_share(fleet):
    aws, _, _ = fleet
    for account, region, session in every(aws):
        functions = session.client("lambda").list_functions()["Functions"]
        assert [one["FunctionArn"].split(":")[3:5] for one in functions] == [[region, account]]
        assert session.client("rds").describe_db_instances()["DBInstances"]
        assert session.client("cloudformation").list_stacks()["StackSummaries"]
        assert session.client("secretsmanager").list_secrets()["SecretList"]


def test_accounts_differ(fleet):
    aws, _, _ = fleet
    # management, prod, dev
    assert [len(instances(aws.session(account))) for account in aws.accounts] == [1, 7, 2]


def test_what_can_be_tagged_is_tagged(fleet):
    aws, _, _ = fleet
    wanted = {"Name", "team", "environment", "cost-center"}
    for _, _, session in every(aws):
        for one in instances(session):
            assert wanted <= set(named(one["Tags"]))
        s3 = session.client("s3")
        for bucket in s3.list_buckets()["Buckets"]:
            assert wanted <= set(named(s3.get_bucket_tagging(Bucket=bucket["Name"])["TagSet"]))
        rds = session.client("rds").describe_db_instances()["DBInstances"]
        assert all(wanted <= set(named(one["TagList"])) for one in rds)


def test_what_an_account_has_once_is_in_its_first_region(fleet):
    aws, _, _ = fleet
    production = aws.accounts[1]
    for region, count in zip(REGIONS, (1, 0), strict=True):
        session = aws.session(production, region)
        assert len(session.client("redshift").describe_clusters()["Clusters"]) == count
        assert len(session.client("opensearch").list_domain_names()["DomainNames"]) == count
        assert len(session.client("acm").list_certificates()["CertificateSummaryList"]) == count
    trails = [aws.session(account).client("cloudtrail").list_trails()["Trails"] for account in aws.accounts]
    assert [len(found) for found in trails] == [1, 1, 0]


def test_what_belongs_together_is_on_one_network(fleet):
    aws, _, _ = fleet
    for account in aws.accounts[1:]:
        session = aws.session(account, REGIONS[1])
        (balancer,) = session.client("elbv2").describe_load_balancers()["LoadBalancers"]
        (group,) = session.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        subnets = session.client("ec2").describe_subnets(SubnetIds=group["VPCZoneIdentifier"].split(","))["Subnets"]
        assert {one["VpcId"] for one in subnets} == {balancer["VpcId"]}


def test_networks_of_the_fleet_overlap_not(fleet):
    aws, _, _ = fleet
    blocks = [
        vpc["CidrBlock"]
        for _, _, session in every(aws)
        for vpc in session.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]
    ]
    assert len(blocks) == len(set(blocks)) == len(aws.accounts) * len(REGIONS)


def test_the_fleet_is_the_same_each_time_and_a_second_seed_says_that_it_is_there(fleet):
    with EmbeddedAWS(accounts=["777788889999"], regions=["eu-west-1"]) as one:
        first = seed(one)
        with pytest.raises(ClientError, match="Already"):
            seed(one)
    with EmbeddedAWS(accounts=["111100002222"], regions=["us-west-2"]) as other:
        assert seed(other) == first
    assert isinstance(first, SeedSummary)


def test_not_started():
    with pytest.raises(NotRunningError):
        seed(EmbeddedAWS())
