"""`mangrove.Session` has resources of every service, and boto3's own stay what they are."""

from __future__ import annotations

import json
import threading

import boto3
import botocore.session
import pytest
from boto3.exceptions import ResourceNotExistsError, UnknownAPIVersionError
from boto3.resources.base import ServiceResource
from boto3.resources.factory import ResourceFactory

import mangrove
from mangrove.aws.session import botocore_session
from mangrove.aws.sharing import SharingSession
from mangrove.resources.objects import ResourceObject

OWN = boto3.Session().get_available_resources()
KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x" * 40}


@pytest.fixture
def aws(embedded_aws_env):
    return embedded_aws_env


def kinds(session, service):
    return session._loader.load_service_model(service, "resources-1")["resources"]


class TestEveryService:
    def test_they_are_listed(self):
        found = mangrove.Session().get_available_resources()
        assert len(found) >= 350
        assert set(OWN) < set(found)
        assert found == sorted(found)

    def test_they_can_be_made(self, aws):
        session = mangrove.Session(region_name="eu-west-1")
        for service in ("rds", "lambda", "glue", "cloudtrail", "elbv2", "kms"):
            resource = session.resource(service)
            assert isinstance(resource, ServiceResource)
            assert resource.meta.client.meta.region_name == "eu-west-1"

    def test_what_is_no_service_is_told_in_boto3s_words(self):
        with pytest.raises(ResourceNotExistsError, match="'moonbase'"):
            mangrove.Session(region_name="eu-west-1").resource("moonbase")
        with pytest.raises(UnknownAPIVersionError):
            mangrove.Session(region_name="eu-west-1").resource("rds", api_version="1999-01-01")

    def test_an_older_api_of_boto3s_own_is_boto3s(self):
        session = mangrove.Session(region_name="eu-west-1", **KEYS)
        old = session.resource("ec2", api_version="2015-10-01")
        assert old.meta.client.meta.service_model.api_version == "2015-10-01"
        assert old.Instance("i-1").id == "i-1"
        assert not hasattr(old, "flow_logs")

    def test_an_older_api_can_be_asked_for_by_its_version(self):
        session = mangrove.Session(region_name="eu-west-1", **KEYS)
        assert session.resource("rds", api_version="2014-10-31").DBInstance("x").identifier == "x"

    def test_every_kind_of_session_has_them(self, aws):
        sessions = {
            "mangrove": mangrove.Session(region_name="eu-west-1"),
            "embedded": aws.session(region_name="eu-west-1"),
            "safe": mangrove.Session(region_name="eu-west-1", safe_mode=True),
            "foreign": mangrove.Session(region_name="eu-west-1", botocore_session=botocore.session.Session()),
            "role": mangrove.ConnectionManager(region_name="eu-west-1").get_session(
                role_arn=f"arn:aws:iam::{aws.accounts[0]}:role/OrganizationAccountAccessRole"
            ),
        }
        for name, session in sessions.items():
            database = session.resource("rds").DBInstance("orders")
            assert database.arn == f"arn:aws:rds:eu-west-1:{aws.accounts[0]}:db:orders", name
            assert isinstance(database, ResourceObject), name
            assert len(session.get_available_resources()) >= 350, name

    def test_a_pool_hands_them_out(self, aws):
        from mangrove.services import RdsPool

        found = RdsPool(regions=["eu-west-1"]).regions["eu-west-1"].resource.DBInstance("orders")
        assert found.arn == f"arn:aws:rds:eu-west-1:{aws.accounts[0]}:db:orders"

    def test_they_are_there_whatever_is_imported_first(self):
        import subprocess
        import sys

        script = (
            "from mangrove.{} as it; from mangrove.aws.session import Session;"
            "print(Session(region_name='eu-west-1').resource('rds').DBInstance('x'))"
        )
        for module in ("credentials", "pool", "aws.session"):
            code = script.replace("from mangrove.{} as it", f"import mangrove.{module} as it")
            run = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
            )
            assert run.returncode == 0, run.stderr
            assert run.stdout.strip() == "rds.DBInstance(identifier='x')"


class TestBoto3sOwn:
    @pytest.mark.parametrize("service", OWN)
    def test_they_keep_everything(self, service):
        plain, ours = boto3.Session(region_name="eu-west-1"), mangrove.Session(region_name="eu-west-1")
        theirs, more = kinds(plain, service), kinds(ours, service)
        assert set(theirs) <= set(more)
        one, two = plain.resource(service), ours.resource(service)
        assert {name for name in dir(one) if not name.startswith("_")} <= set(dir(two))
        for name, definition in theirs.items():
            if not hasattr(one, name):
                continue
            given = ["x"] * len(definition.get("identifiers", ()))
            left, right = getattr(one, name)(*given), getattr(two, name)(*given)
            assert {each for each in dir(type(left)) if not each.startswith("_")} <= set(dir(type(right)))

    def test_they_gain_types(self):
        ours = mangrove.Session(region_name="eu-west-1").resource("ec2")
        assert "flow_logs" in dir(ours)
        assert len(kinds(mangrove.Session(), "ec2")) > 100

    def test_a_plain_session_is_untouched(self):
        before = json.dumps({name: kinds(boto3.Session(), name) for name in OWN}, sort_keys=True)
        session = mangrove.Session(region_name="eu-west-1")
        for name in OWN:
            session.resource(name)
        plain = boto3.Session(region_name="eu-west-1")
        assert plain.get_available_resources() == OWN
        assert json.dumps({name: kinds(plain, name) for name in OWN}, sort_keys=True) == before
        assert type(plain.resource_factory) is ResourceFactory
        assert not isinstance(plain.resource("ec2").Instance("i-1"), ResourceObject)
        with pytest.raises(ResourceNotExistsError):
            plain.resource("rds")

    def test_what_boto3_puts_in_by_code_is_there(self, aws):
        session = mangrove.Session(region_name="us-east-1")
        bucket = session.resource("s3").create_bucket(Bucket="things")
        bucket.put_object(Key="a", Body=b"1")
        assert callable(bucket.upload_file)
        assert bucket.LifecycleConfiguration().bucket_name == "things"
        assert [each.key for each in bucket.objects.all()] == ["a"]
        table = session.resource("dynamodb").create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        table.put_item(Item={"id": "1", "n": 2})
        assert table.get_item(Key={"id": "1"})["Item"]["n"] == 2
        assert table.batch_writer() is not None


class TestClasses:
    def test_sessions_share_them(self):
        one, two = (mangrove.Session(region_name="eu-west-1", **KEYS).resource("rds") for _ in range(2))
        assert type(one) is type(two)
        assert type(one.DBInstance("x")) is type(two.DBInstance("x"))

    def test_a_session_with_handlers_of_its_own_has_its_own(self):
        usual = mangrove.Session(region_name="eu-west-1", **KEYS)
        own = mangrove.Session(region_name="eu-west-1", **KEYS)

        def add(class_attributes, **_):
            class_attributes["mine"] = True

        own.events.register("creating-resource-class.rds.DBInstance", add)
        assert own.resource("rds").DBInstance("x").mine is True
        assert not hasattr(usual.resource("rds").DBInstance("x"), "mine")
        own.events.unregister("creating-resource-class.rds.DBInstance", add)
        assert not hasattr(own.resource("rds").DBInstance("x"), "mine")

    def test_a_handler_that_comes_late_is_heard(self):
        session = mangrove.Session(region_name="eu-west-1", **KEYS)
        assert not hasattr(session.resource("rds").DBInstance("x"), "mine")
        session.events.register(
            "creating-resource-class.rds", lambda class_attributes, **_: class_attributes.update(mine=True)
        )
        assert session.resource("rds").DBInstance("x").mine is True

    def test_the_clients_of_all_sessions_stay_shared(self):
        session = mangrove.Session(region_name="eu-west-1", **KEYS)
        session.resource("rds")
        core = botocore_session(session)
        if not isinstance(core, SharingSession):
            pytest.skip("in safe mode nothing is shared")
        assert core._state() == core._baseline

    def test_what_is_shared_holds_no_session(self):
        import gc
        import weakref

        session = mangrove.Session(region_name="eu-west-1", aws_account_id="123456789012", **KEYS)
        database = session.resource("rds").DBInstance("x")
        assert database.arn
        seen = weakref.ref(session)
        del session, database
        gc.collect()
        assert seen() is None

    def test_any_thread_may_ask(self):
        session, found = mangrove.Session(region_name="eu-west-1", **KEYS), []
        threads = [
            threading.Thread(target=lambda: found.append(repr(session.resource("sns").Topic("t")))) for _ in range(8)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert found == ["sns.Topic(arn='t')"] * 8

    def test_canaries(self):
        """The privates of boto3 that are used, in the botocore and boto3 that are installed."""
        from mangrove.aws.resource_classes import class_handlers

        for core in (botocore_session(mangrove.Session()), botocore_session(boto3.Session())):
            seen = len(class_handlers(core))
            assert seen >= 7
            core.register("creating-resource-class.rds", lambda **_: None)
            assert len(class_handlers(core)) == seen + 1
        assert class_handlers(botocore.session.Session()) == ()
        assert hasattr(boto3.Session(), "_loader")
        assert hasattr(boto3.Session(), "resource_factory")
        assert ResourceFactory.__init__.__code__.co_varnames[:2] == ("self", "emitter")
