"""The ARN of a resource, its tags and itself as a dict: right, and without a call that is not needed."""

from __future__ import annotations

import json

import pytest
from boto3.exceptions import ResourceLoadException

import mangrove
from mangrove.testing import EmbeddedAWS

ACCOUNT = "210987654321"


class Calls(list):
    """Counts the calls of a session, by operation."""

    def __init__(self, session):
        super().__init__()
        session.events.register_first("before-call", lambda model, **_: self.append(model.name))


@pytest.fixture
def aws():
    with EmbeddedAWS(accounts=[ACCOUNT]) as running:
        running.reset()
        yield running


@pytest.fixture
def session(aws):
    return aws.session(region_name="eu-west-1")


@pytest.fixture
def calls(session):
    return Calls(session)


class TestArn:
    def test_an_identifier_and_the_format_are_enough(self, session, calls):
        rds = session.resource("rds")
        assert rds.DBInstance("orders").arn == f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:orders"
        assert session.resource("ec2").Vpc("vpc-1").arn == f"arn:aws:ec2:eu-west-1:{ACCOUNT}:vpc/vpc-1"
        assert calls == []

    def test_what_has_no_region_or_no_account_has_none_in_its_arn(self, session, calls):
        assert session.resource("s3").Bucket("logs").arn == "arn:aws:s3:::logs"
        assert session.resource("s3").Object("logs", "a/b").arn == "arn:aws:s3:::logs/a/b"
        assert session.resource("route53").HostedZone("/hostedzone/Z1").arn == "arn:aws:route53:::hostedzone/Z1"
        assert calls == []

    def test_it_is_of_the_clients_partition_and_region(self):
        session = mangrove.Session("AKIAIOSFODNN7EXAMPLE", "x", aws_account_id=ACCOUNT, region_name="cn-north-1")
        assert session.resource("rds").DBInstance("x").arn == f"arn:aws-cn:rds:cn-north-1:{ACCOUNT}:db:x"
        assert session.resource("s3").Bucket("x").arn == "arn:aws-cn:s3:::x"
        there = session.resource("rds", region_name="cn-northwest-1").DBInstance("x")
        assert there.arn == f"arn:aws-cn:rds:cn-northwest-1:{ACCOUNT}:db:x"

    def test_a_member_of_the_data_comes_first(self, session, calls):
        session.client("iam").create_role(RoleName="r", Path="/team/", AssumeRolePolicyDocument="{}")
        [role] = [each for each in session.resource("iam").roles.all() if each.name == "r"]
        calls.clear()
        assert role.arn == role.get_arn() == f"arn:aws:iam::{ACCOUNT}:role/team/r"
        assert calls == []

    def test_what_only_load_brings_is_loaded_when_asked_for(self, session, calls):
        session.client("iam").create_user(UserName="u", Path="/team/")
        user = session.resource("iam").User("u")
        calls.clear()
        assert user.get_arn() is None
        assert calls == []
        assert user.get_arn(load=True) == f"arn:aws:iam::{ACCOUNT}:user/team/u"
        assert calls == ["GetUser"]

    def test_a_name_that_is_not_in_the_arn_makes_none(self, session, calls):
        assert session.resource("cloudfront").KeyValueStore("zoo").arn is None
        assert session.resource("iam").ServerCertificate("zoo").arn is None
        setting = session.resource("route53resolver").ResolverConfig("vpc-1")
        assert setting.arn is None
        setting.meta.data = {"Id": "rslvr-rc-1", "ResourceId": "vpc-1", "OwnerId": ACCOUNT}
        assert setting.arn == f"arn:aws:route53resolver:eu-west-1:{ACCOUNT}:resolver-config/rslvr-rc-1"
        assert calls == []

    def test_a_path_in_the_arn_is_known_once_it_is_loaded(self, session, calls):
        session.client("iam").upload_server_certificate(
            ServerCertificateName="zoo", Path="/web/", CertificateBody="x", PrivateKey="x"
        )
        [certificate] = session.resource("iam").server_certificates.all()
        calls.clear()
        assert certificate.arn is None
        assert certificate.get_arn(load=True) == f"arn:aws:iam::{ACCOUNT}:server-certificate/web/zoo"
        assert certificate.arn == f"arn:aws:iam::{ACCOUNT}:server-certificate/web/zoo"
        assert calls == ["GetServerCertificate"]

    def test_the_service_in_it_may_have_an_older_name(self, session, calls):
        arn = f"arn:aws:es:eu-west-1:{ACCOUNT}:domain/zoo"
        assert session.resource("opensearch").Domain("zoo").arn == arn
        assert session.resource("es").ElasticsearchDomain("zoo").arn == arn
        assert session.resource_from_arn(arn).arn == arn
        assert calls == []

    def test_a_rule_of_a_security_group_is_itself(self, session, calls):
        ec2 = session.resource("ec2")
        group = ec2.create_security_group(GroupName="g", Description="g")
        rules = list(group.security_group_rules.all())
        calls.clear()
        assert [rule.id for rule in rules] == [rule.meta.data["SecurityGroupRuleId"] for rule in rules]
        [rule] = rules
        assert rule.arn == f"arn:aws:ec2:eu-west-1:{ACCOUNT}:security-group-rule/{rule.id}"
        assert ec2.SecurityGroupRule(rule.id).arn == rule.arn
        assert session.resource_from_arn(rule.arn) == rule
        assert calls == []

    def test_boto3s_older_versions_have_arns_too(self, session, calls):
        ec2 = session.resource("ec2", api_version="2014-10-01")
        assert ec2.Vpc("vpc-1").arn == f"arn:aws:ec2:eu-west-1:{ACCOUNT}:vpc/vpc-1"
        assert ec2.Image("ami-1").get_arn() == "arn:aws:ec2:eu-west-1::image/ami-1"
        assert ec2.Tag("vpc-1", "a", "b").get_arn() is None
        assert not hasattr(ec2, "nat_gateways")
        assert calls == []

    def test_boto3s_own_attribute_loads_as_it_does_in_boto3(self, session):
        session.client("iam").create_user(UserName="u", Path="/team/")
        assert session.resource("iam").User("u").arn == f"arn:aws:iam::{ACCOUNT}:user/team/u"

    def test_the_owner_in_the_data_comes_before_the_credentials_account(self, session):
        subnet = session.resource("ec2").Subnet("subnet-1")
        subnet.meta.data = {"SubnetId": "subnet-1", "OwnerId": "111122223333"}
        assert subnet.arn == "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1"

    def test_a_value_that_would_make_it_another_one_gives_none(self, session):
        assert session.resource("rds").DBInstance("a:b").arn is None
        assert session.resource("s3").Bucket("a--x-s3").arn is None
        assert session.resource("ec2").Vpc("vpc-1\n").arn is None

    def test_a_name_with_the_account_in_it_stays_as_it_is(self, session):
        """The seed replaced its placeholders in the whole text."""
        name = "region-account-eu-west-1"
        assert session.resource("rds").DBInstance(name).arn == f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:{name}"

    def test_a_repr_makes_no_call(self, session, calls):
        repr(session.resource("iam").User("u"))
        repr(session.resource("rds").DBInstance("x"))
        assert calls == []

    def test_data_that_is_no_arn_is_none(self, session):
        balancer = session.resource("elbv2").LoadBalancer("arn:aws:elasticloadbalancing:x")
        balancer.meta.data = {"LoadBalancerArn": "front"}
        assert balancer.get_arn() is None


class TestAccount:
    def test_sts_is_asked_once_where_the_keys_do_not_say(self, embedded_aws_env, monkeypatch):
        monkeypatch.delenv("AWS_ACCOUNT_ID", raising=False)
        session = mangrove.Session(region_name="eu-west-1")
        calls = Calls(session)
        arns = [session.resource("rds").DBInstance(name).arn for name in "abc"]
        assert all(arns)
        assert calls == ["GetCallerIdentity"]

    def test_no_credentials_no_arn(self, monkeypatch):
        database = mangrove.Session(region_name="eu-west-1").resource("rds").DBInstance("x")
        assert database.arn is None
        assert mangrove.Session(region_name="eu-west-1").resource("s3").Bucket("x").arn == "arn:aws:s3:::x"

    def test_keys_of_one_resource_are_their_own_accounts(self, aws, monkeypatch):
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)
        keys = aws.session().get_credentials().get_frozen_credentials()
        session = mangrove.Session("AKIAIOSFODNN7EXAMPLE", "x", aws_account_id="111122223333", region_name="eu-west-1")
        other = session.resource(
            "rds",
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            aws_session_token=keys.token,
        )
        assert other.DBInstance("x").arn == f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:x"
        assert session.resource("rds").DBInstance("x").arn == "arn:aws:rds:eu-west-1:111122223333:db:x"

    def test_keys_of_one_resource_are_asked_for_once(self, session, calls):
        rds = session.resource("rds", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="s" * 40)
        names = ("orders", "bills", "carts")
        assert len({rds.DBInstance(name).arn for name in names}) == len(names)
        assert calls == ["GetCallerIdentity"]


class TestTags:
    def test_of_a_derived_type_they_are_a_dict(self, session, calls):
        session.client("rds").create_db_subnet_group(
            DBSubnetGroupName="g",
            DBSubnetGroupDescription="g",
            SubnetIds=[each.id for each in session.resource("ec2").subnets.limit(2)],
            Tags=[{"Key": "team", "Value": "red"}],
        )
        [group] = session.resource("rds").db_subnet_groups.all()
        assert group.tags == group.get_tags() == {"team": "red"}
        assert "ListTagsForResource" in calls

    def test_in_the_data_they_cost_no_call(self, session, calls):
        session.client("secretsmanager").create_secret(Name="s", SecretString="x", Tags=[{"Key": "a", "Value": "b"}])
        [secret] = session.resource("secretsmanager").secrets.all()
        calls.clear()
        assert secret.tags == {"a": "b"}
        assert secret.tags_attribute == [{"Key": "a", "Value": "b"}]
        assert calls == []

    def test_a_map_is_a_dict_too(self, session):
        session.client("logs").create_log_group(logGroupName="g", tags={"a": "b"})
        [group] = session.resource("logs").log_groups.all()
        assert group.get_tags() == {"a": "b"}

    def test_boto3s_own_attribute_stays_boto3s(self, session):
        vpc = session.resource("ec2").create_vpc(CidrBlock="10.0.0.0/16")
        vpc.create_tags(Tags=[{"Key": "a", "Value": "b"}])
        vpc.reload()
        assert vpc.tags == [{"Key": "a", "Value": "b"}]
        assert vpc.get_tags() == {"a": "b"}

    def test_they_are_asked_for_by_type_and_id_where_the_api_wants_that(self, session, calls):
        ssm = session.client("ssm")
        ssm.put_parameter(Name="/a/b", Value="x", Type="String", Tags=[{"Key": "team", "Value": "red"}])
        [parameter] = session.resource("ssm").parameters.all()
        calls.clear()
        assert parameter.tags == {"team": "red"}
        assert calls == ["ListTagsForResource"]

    def test_of_a_zone_they_are_asked_for_without_the_types_name_in_its_id(self, session):
        client = session.client("route53")
        zone = client.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
        assert zone.startswith("/hostedzone/")
        given = {"ResourceType": "hostedzone", "ResourceId": zone.rpartition("/")[2]}
        client.change_tags_for_resource(**given, AddTags=[{"Key": "team", "Value": "red"}])
        asked = []
        event = "before-call.*.ListTagsForResource"
        session.events.register(event, lambda params, **_: asked.append(params["url_path"]))
        [found] = session.resource("route53").hosted_zones.all()
        assert found.id == zone
        assert found.tags == found.get_tags() == {"team": "red"}
        assert [each.key for each in found.tags.all()] == ["team"]
        assert {each.rpartition("/")[2] for each in asked} == {given["ResourceId"]}
        assert {each.count("/") for each in asked} == {4}

    def test_none_are_an_empty_dict(self, session):
        [vpc] = session.resource("ec2").vpcs.limit(1)
        assert vpc.get_tags() == {}

    def test_they_are_asked_for_where_the_data_leaves_them_out(self, session):
        tags = [{"Key": "team", "Value": "red"}]
        session.client("sqs").create_queue(QueueName="q", tags={"team": "red"})
        session.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}", Tags=tags)
        session.client("ecs").create_cluster(clusterName="c", tags=[{"key": "team", "value": "red"}])
        session.client("dms").create_replication_instance(
            ReplicationInstanceIdentifier="x", ReplicationInstanceClass="dms.t2.micro", Tags=tags
        )
        lists = (("sqs", "queues"), ("iam", "roles"), ("ecs", "clusters"), ("dms", "replication_instances"))
        for service, name in lists:
            [found] = getattr(session.resource(service), name).all()
            assert found.get_tags() == {"team": "red"}

    def test_what_has_no_tags_to_read_is_another_thing_than_no_tags(self, session, calls):
        job = session.resource("backup").BackupJob("x")
        assert (job.tags, job.get_tags()) == (None, None)
        assert session.resource("s3").Object("b", "k").get_tags() is None
        assert calls == []

    def test_a_bucket_without_tags_has_none(self, session):
        s3 = session.client("s3")
        s3.create_bucket(Bucket="tagged", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        assert session.resource("s3").Bucket("tagged").get_tags() == {}
        s3.put_bucket_tagging(Bucket="tagged", Tagging={"TagSet": [{"Key": "team", "Value": "red"}]})
        assert session.resource("s3").Bucket("tagged").get_tags() == {"team": "red"}

    def test_what_is_not_there_is_not_untagged(self, session):
        for service, kind in (("ec2", "NatGateway"), ("codebuild", "Project"), ("autoscaling", "AutoScalingGroup")):
            resource = getattr(session.resource(service), kind)("nat-0123456789abcdef0")
            for ask in (resource.get_tags, resource.load, lambda here=resource: here.tags):
                with pytest.raises(ResourceLoadException, match="is not there"):
                    ask()


class TestToDict:
    def test_it_is_json(self, session, calls):
        session.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
        [role] = [each for each in session.resource("iam").roles.all() if each.name == "r"]
        calls.clear()
        found = json.loads(json.dumps(role.to_dict(iso=True)))
        assert calls == []
        assert (found["service"], found["type"]) == ("iam", "Role")
        assert found["identifiers"] == {"name": "r"}
        assert found["arn"] == f"arn:aws:iam::{ACCOUNT}:role/r"
        assert found["attributes"]["create_date"][4] == "-"
        assert role.to_dict()["attributes"]["create_date"].year > 2000

    def test_it_loads_nothing(self, session, calls):
        assert session.resource("iam").User("u").to_dict() == {
            "service": "iam",
            "type": "User",
            "arn": None,
            "identifiers": {"name": "u"},
            "attributes": {},
        }
        assert calls == []

    def test_bytes_and_sets_and_numbers_are_plain(self, session):
        from decimal import Decimal

        table = session.resource("dynamodb").Table("t")
        table.meta.data = {"Blob": b"\x00", "Set": {1}, "Number": Decimal("1.5"), "ResponseMetadata": {}}
        assert table.to_dict(iso=True)["attributes"] == {"blob": "AA==", "set": [1], "number": "1.5"}
