"""What boto3_extensions had beside names: load balancers by their names, tags as a collection."""

from __future__ import annotations

import json
import pickle

import pytest

REGION = "eu-west-1"


@pytest.fixture
def session(embedded_aws):
    return embedded_aws.session(region_name=REGION)


def made_balancer(session):
    subnets = [each.id for each in session.resource("ec2").subnets.limit(2)]
    tags = [{"Key": "team", "Value": "red"}]
    return session.client("elbv2").create_load_balancer(Name="front", Subnets=subnets, Tags=tags)["LoadBalancers"][0]


def test_a_load_balancer_is_made_of_its_name_or_its_arn(session):
    arn = made_balancer(session)["LoadBalancerArn"]
    elbv2 = session.resource("elbv2")
    for named in (elbv2.LoadBalancer("front"), elbv2.LoadBalancer(name="front")):
        assert named.name == "front"
        assert named.arn is None  # nothing is known of it without a call
        assert named.dns_name
        assert named.arn == arn
    for known in (elbv2.LoadBalancer(arn), elbv2.LoadBalancer(arn=arn)):
        assert known.arn == arn
        assert known.load_balancer_name == "front"
    with pytest.raises(ValueError, match="arn"):
        elbv2.LoadBalancer()


def test_a_target_group_is_made_of_its_name(session):
    vpc = next(iter(session.resource("ec2").vpcs.limit(1))).id
    arn = session.client("elbv2").create_target_group(Name="pigs", Protocol="HTTP", Port=80, VpcId=vpc)
    arn = arn["TargetGroups"][0]["TargetGroupArn"]
    group = session.resource("elbv2").TargetGroup("pigs")
    assert group.get_arn(load=True) == arn
    assert group.describe_attributes()["Attributes"]


def test_tags_are_a_dict_and_the_collection(session):
    made_balancer(session)
    for balancer in (session.resource("elbv2").LoadBalancer("front"), *session.resource("elbv2").load_balancers.all()):
        tags = balancer.tags
        assert tags == {"team": "red"}
        assert json.loads(json.dumps(tags)) == pickle.loads(pickle.dumps(tags)) == {"team": "red"}
        assert [(each.key, each.value) for each in tags.all()] == [("team", "red")]
        assert [each.key for each in tags.limit(1)] == ["team"]


def test_tags_of_a_key_and_of_a_table(session):
    made = session.client("kms").create_key(Tags=[{"TagKey": "team", "TagValue": "red"}])["KeyMetadata"]
    key = session.resource("kms").Key(made["KeyId"])
    assert key.tags == {"team": "red"}
    assert [each.tag_value for each in key.tags.all()] == ["red"]
    session.client("dynamodb").create_table(
        TableName="cows",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": "team", "Value": "red"}],
    )
    table = session.resource("dynamodb").Table("cows")
    assert table.tags == {"team": "red"}
    assert [each.value for each in table.tags.all()] == ["red"]


def test_the_tags_have_no_other_attributes(session):
    made = session.client("kms").create_key()["KeyMetadata"]
    with pytest.raises(AttributeError):
        _ = session.resource("kms").Key(made["KeyId"]).tags.nothing
