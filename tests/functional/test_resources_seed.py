"""The examples of boto3_extensions' document, and what was wrong with its code for resources and ARNs."""

from __future__ import annotations

import os
import subprocess
import sys

import boto3
import pytest
from botocore import xform_name

import mangrove
import mangrove as boto3_extensions
from mangrove.errors import ConfigError
from mangrove.resources.install import Installation


@pytest.fixture(autouse=True)
def aws(embedded_aws_env, monkeypatch):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return embedded_aws_env


@pytest.fixture
def trail():
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="trails")
    made = boto3.client("cloudtrail", region_name="us-east-1").create_trail(Name="trail", S3BucketName="trails")
    boto3.DEFAULT_SESSION = None
    return made["TrailARN"]


class TestTheDocument:
    def test_quick_start(self, trail, capsys):
        boto3_extensions.install()
        r = boto3.resource("cloudtrail", region_name="us-east-1")
        for each in r.trails.all():
            print(each.trail_arn)  # noqa: T201
        assert capsys.readouterr().out == f"{trail}\n"

    def test_a_role(self, aws, trail, capsys):
        role_arn = f"arn:aws:iam::{aws.accounts[0]}:role/OrganizationAccountAccessRole"
        connections = boto3_extensions.ConnectionManager(region_name="us-east-1")
        session = connections.get_session(role_arn=role_arn, role_session_name="test")
        r = session.resource("cloudtrail", region_name="us-east-1")
        for each in r.trails.all():
            print(each.trail_arn)  # noqa: T201
        assert capsys.readouterr().out == f"{trail}\n"

    def test_the_arn_patch(self, aws, capsys):
        boto3.client("rds", region_name="us-east-1").create_db_instance(
            DBInstanceIdentifier="orders", DBInstanceClass="db.t3.micro", Engine="postgres"
        )
        boto3.DEFAULT_SESSION = None
        boto3_extensions.arn_patch_boto3()
        r = boto3.resource("rds", region_name="us-east-1")
        for db in r.db_instances.all():
            print(db.arn)  # noqa: T201
        assert capsys.readouterr().out == f"arn:aws:rds:us-east-1:{aws.accounts[0]}:db:orders\n"

    @pytest.mark.parametrize(
        "service",
        "acm autoscaling cloudfront cloudtrail cur datapipeline directconnect elasticache elb elbv2 emr glue health "
        "kinesis lambda rds redshift route53 support dynamodb ec2 iam s3".split(),
    )
    def test_its_services(self, service):
        with mangrove.install(region_name="us-east-1"):
            made = boto3.resource(service)
        assert list(made.meta.resource_model.collections)

    def test_its_names_of_types_and_identifiers(self):
        session = mangrove.Session(region_name="us-east-1")
        definitions = session._loader.load_service_model("rds", "resources-1")["resources"]
        aliased = [
            (service, kind, each["name"], old)
            for service in ("rds", "lambda", "kms", "elasticache", "cloudtrail", "acm", "route53", "redshift")
            for kind, definition in session._loader.load_service_model(service, "resources-1")["resources"].items()
            for each in definition.get("identifiers", ())
            if len(definition["identifiers"]) == 1
            for old in each.get("aliases", ())
        ]
        assert aliased
        assert definitions
        for service, kind, name, old in aliased:
            make = getattr(session.resource(service), kind)
            assert make(**{xform_name(old): "x"}) == make("x") == make(**{xform_name(name): "x"})
            assert getattr(make("x"), xform_name(old)) == "x"


class TestInstall:
    def test_it_is_taken_back(self):
        before = boto3.Session(region_name="eu-west-1")
        boto3.DEFAULT_SESSION = before
        with mangrove.install(region_name="us-west-2") as installed:
            assert isinstance(installed, Installation)
            assert boto3.DEFAULT_SESSION is installed.session
            assert boto3.resource("rds").meta.client.meta.region_name == "us-west-2"
            assert boto3.client("rds").meta.region_name == "us-west-2"
        assert boto3.DEFAULT_SESSION is before
        installed.uninstall()
        assert boto3.DEFAULT_SESSION is before

    def test_another_default_session_is_left_alone(self):
        installed = mangrove.install(region_name="us-west-2")
        boto3.setup_default_session(region_name="eu-west-1")
        mine = boto3.DEFAULT_SESSION
        installed.uninstall()
        assert boto3.DEFAULT_SESSION is mine

    def test_it_takes_over_the_default_sessions_identity(self, aws):
        boto3.setup_default_session(region_name="eu-central-1")
        with mangrove.install() as installed:
            assert installed.session.region_name == "eu-central-1"
            assert boto3.resource("rds").DBInstance("x").arn == f"arn:aws:rds:eu-central-1:{aws.accounts[0]}:db:x"

    def test_twice_is_no_harm(self):
        with mangrove.install(region_name="us-west-2") as one, mangrove.install() as two:
            assert one.session is two.session
        assert boto3.DEFAULT_SESSION is None

    def test_a_session_may_be_given(self):
        session = mangrove.Session(region_name="us-west-2")
        with mangrove.install(session):
            assert boto3.DEFAULT_SESSION is session
        with pytest.raises(ConfigError):
            mangrove.install(session, region_name="x")
        with pytest.raises(ConfigError):
            mangrove.install(boto3.Session())

    def test_nothing_of_boto3_is_patched(self):
        """The seed left five patches behind, which sessions of before did not have. (B17)"""
        functions = boto3.resource, boto3.client, boto3.Session.resource, boto3.Session.__init__, boto3.session.Session
        with mangrove.arn_patch_boto3():
            now = boto3.resource, boto3.client, boto3.Session.resource, boto3.Session.__init__, boto3.session.Session
            assert now == functions
            assert "rds" not in boto3.Session().get_available_resources()

    def test_the_import_alone_changes_nothing(self):
        script = "import os, boto3; d = dict(os.environ); before = boto3.Session().get_available_resources();"
        script += "import mangrove as boto3_extensions; boto3_extensions.Session; assert dict(os.environ) == d;"
        script += "print(boto3.Session().get_available_resources() == before)"
        env = {**os.environ, "AWS_DATA_PATH": "/mine"}
        command = [sys.executable, "-W", "ignore", "-c", script]
        run = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        assert run.stdout.strip() == "True", run.stderr


class TestRegressions:
    def test_b12_search_paths_do_not_grow(self):
        session = mangrove.Session(region_name="us-east-1")
        loader = session._session.get_component("data_loader")
        before = list(loader.search_paths)
        for _ in range(20):
            session.resource("rds").DBInstance("x").arn  # noqa: B018
        assert loader.search_paths == before

    def test_b13_no_service_is_without(self):
        with mangrove.arn_patch_boto3():
            assert boto3.resource("glue", region_name="us-east-1").Job("j").arn.endswith(":job/j")

    def test_b14_the_account_is_the_credentials(self, aws):
        other = aws.accounts[0]
        role = mangrove.ConnectionManager(region_name="us-east-1").get_session(
            role_arn=f"arn:aws:iam::{other}:role/OrganizationAccountAccessRole"
        )
        calls = []
        role.events.register("before-call.sts", lambda **given: calls.append(given))
        assert [role.resource("rds").DBInstance(name).arn.split(":")[4] for name in "abc"] == [other] * 3
        assert not [each for each in calls if each["model"].name == "GetCallerIdentity"]

    def test_b16_what_has_no_arn_says_none(self):
        session = mangrove.Session(region_name="us-east-1")
        assert session.resource("s3").BucketVersioning("b").get_arn() is None
        assert session.resource("s3").BucketVersioning("b").arn is None

    def test_b18_nothing_of_boto3_is_shadowed(self):
        bucket = mangrove.Session(region_name="us-east-1").resource("s3").Bucket("b")
        assert bucket.LifecycleConfiguration() == bucket.LifecycleConfiguration()
        assert bucket.Lifecycle() is not None
