"""A pool as its user meets it: lookups, laziness, threads, failures of one region, arguments, pickles."""

from __future__ import annotations

import copy
import io
import json
import pickle
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

import mangrove
from mangrove.errors import (
    ConfigError,
    ConnectError,
    CredentialError,
    DeclarationTypeError,
    NoRegionsError,
    NotConnectedError,
    RegionDisabledError,
    ServiceRemovedError,
    UnknownServiceError,
)
from mangrove.pool import RegionState, ServiceMixinPool, ServicePool
from mangrove.services import Ec2Pool, IamPool, Route53Pool, S3Pool, SqsPool

SECRETS = {
    "aws_access_key_id": "AKIACANARYKEY",
    "aws_secret_access_key": "canarysecret",
    "aws_session_token": "canarytok",
}


class RawBody(io.BytesIO):
    """Be the raw body of an answer, as urllib3 gives it."""

    def stream(self, **_):
        while chunk := self.read(1024):
            yield chunk


class PicklePool(ServicePool):
    service = "sqs"


class PickleMixin(ServiceMixinPool):
    services = {"sqs": {"regions": ["us-east-1"], "default_region": "us-east-1"}, "s3": {}}  # noqa: RUF012


@pytest.fixture(autouse=True)
def _aws(embedded_aws_env):
    return embedded_aws_env


def test_regions_are_a_mapping():
    regions = SqsPool(regions=["us-east-1", "us-west-1"]).regions
    assert isinstance(regions, Mapping)
    assert (len(regions), list(regions), list(regions.keys())) == (
        2,
        ["us-east-1", "us-west-1"],
        ["us-east-1", "us-west-1"],
    )
    assert "us_east_1" in regions
    assert "us-east-1" in regions
    assert "eu-west-1" not in regions
    assert 5 not in regions
    assert regions.get("nowhere") is None
    assert "us_west_1" in dir(regions)
    assert repr(regions) == "<regions us-east-1, us-west-1>"
    assert hasattr(regions, "us_east_1")
    assert not hasattr(regions, "eu_west_1")
    with pytest.raises(
        KeyError, match=r"has no connection to 'eu-west-1'; it has us-east-1, us-west-1; pool.add_region"
    ):
        regions["eu-west-1"]
    with pytest.raises(NotConnectedError):
        regions[5]


def test_region_raises_where_there_is_no_connection():
    pool = SqsPool(regions=["us-east-1"])
    assert pool.region("us_east_1") is pool.regions["us-east-1"]
    with pytest.raises(
        NotConnectedError, match="<SqsPool> has no connection to 'us-east-2'; .*did you mean 'us-east-1'"
    ):
        pool.region("us-east-2")


def test_a_handle_is_its_client_and_more():
    handle = S3Pool(regions=["us-east-1"]).regions["us-east-1"]
    assert handle.list_buckets()["Buckets"] == []
    assert handle.meta is handle.client.meta
    assert handle.meta.region_name == handle.region_name == "us-east-1"
    assert handle.get_paginator("list_objects_v2") is not None
    assert handle.exceptions.NoSuchBucket
    assert {"list_buckets", "region_name", "client"} <= set(dir(handle))
    handle.resource.Bucket("mine").create()
    assert [bucket["Name"] for bucket in handle.list_buckets()["Buckets"]] == ["mine"]
    with pytest.raises(AttributeError, match="no_such_method"):
        handle.no_such_method  # noqa: B018
    for wrong in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="pickled with its pool"):
            wrong(handle)


def test_a_service_without_a_resource_says_so():
    with pytest.raises(boto3.exceptions.ResourceNotExistsError):
        # Of an API that only takes data in.
        ServicePool(service="sagemaker-metrics", regions=["us-east-1"]).regions["us-east-1"].resource  # noqa: B018


def test_nothing_is_made_before_it_is_used():
    pool = Ec2Pool(regions=["us-east-1", "eu-west-1"])
    assert {state.state for state in pool.status().values()} == {"idle"}
    pool.regions["us-east-1"].client  # noqa: B018
    assert {name: state.state for name, state in pool.status().items()} == {
        "us-east-1": "connected",
        "eu-west-1": "idle",
    }


def test_many_threads_make_each_client_once():
    made, gate = [], threading.Barrier(16)

    class Counting(ServicePool):
        service = "sqs"

        def _connect_module_to_region(self, region_name, **keys):
            made.append(region_name)
            return super()._connect_module_to_region(region_name, **keys)

    pool = Counting(regions=["us-east-1", "eu-west-1", "us-west-2"])

    def use(_):
        gate.wait()
        return [handle.client for handle in pool.regions.values()]

    with ThreadPoolExecutor(16) as executor:
        clients = list(executor.map(use, range(16)))
    assert sorted(made) == ["eu-west-1", "us-east-1", "us-west-2"]
    assert all(each == clients[0] for each in clients)


def test_connecting_is_concurrent():
    gate = threading.Barrier(3, timeout=30)

    class Waiting(ServicePool):
        service = "sqs"

        def _connect_module_to_region(self, region_name):
            gate.wait()  # passes only when all three are here
            return object()

    Waiting(connect=True, regions=["us-east-1", "eu-west-1", "us-west-2"])


def test_adding_while_others_read():
    pool, stop = SqsPool(regions=["us-east-1"]), threading.Event()

    def read():
        while not stop.is_set():
            assert all(handle.region_name for handle in pool.regions.values())

    with ThreadPoolExecutor(4) as executor:
        readers = [executor.submit(read) for _ in range(3)]
        for name in ("us-east-2", "us-west-1", "us-west-2", "eu-west-1"):
            pool.add_region(name)
        stop.set()
        assert [reader.result() for reader in readers] == [None] * 3
    assert len(pool.regions) == 5


def test_one_bad_region_costs_only_itself(caplog):
    class OneBad(ServicePool):
        service = "sqs"

        def _connect_module_to_region(self, region_name, **keys):
            if region_name == "eu-west-1":
                raise OSError("no route")
            return super()._connect_module_to_region(region_name, **keys)

    pool = OneBad(connect=True, regions=["us-east-1", "eu-west-1"])
    assert "eu-west-1 could not be connected" in caplog.text
    assert "QueueUrls" not in pool.regions["us-east-1"].list_queues()
    assert pool.status()["eu-west-1"] == RegionState("eu-west-1", "failed", "no route")
    with pytest.raises(ConnectError, match="sqs in eu-west-1 could not be connected: no route") as caught:
        pool.regions["eu-west-1"].list_queues()
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(ConnectError, match=r"none of 1 regions could be connected; the first: .*no route"):
        OneBad(connect=True, regions=["eu-west-1"])


def test_a_disabled_region_shows_and_the_others_work():
    pool = SqsPool(connect=True, regions=["us-east-1", "ap-east-1"])
    assert repr(pool.regions["ap-east-1"]) == "<SqsPool ap_east_1 disabled>"
    assert pool.status()["ap-east-1"].state == "disabled"
    assert pool.regions["us-east-1"].list_queues()
    with pytest.raises(
        RegionDisabledError, match=r"ap-east-1 is not enabled in this account, says ec2:DescribeRegions"
    ):
        pool.regions["ap-east-1"].list_queues()
    with pytest.raises(RegionDisabledError, match=r"no region is left for 'sqs'.*ap-east-1 is disabled"):
        SqsPool(connect=True, regions=["ap-east-1"])
    with pytest.raises(PermissionError, match="ap-east-1 is disabled"):
        SqsPool(regions=["us-east-1"]).add_region("ap-east-1")


def test_a_glob_leaves_disabled_regions_out_and_says_so():
    pool = SqsPool(regions="ap-east-*, eu-*".split(", "))
    assert "eu-west-1" in pool.regions
    assert "ap-east-1" not in pool.regions
    assert {skip.name: skip.reason for skip in pool.skipped}["ap-east-1"] == "disabled"
    with pytest.raises(NotConnectedError, match="'ap-east-1': ap-east-1 is disabled"):
        pool.regions["ap-east-1"]
    with pytest.raises(NoRegionsError, match="ap-east-1 is disabled"):
        SqsPool(regions="ap-east-*").regions["ap-east-1"]


def test_what_calls_say_of_a_region_shows():
    pool = SqsPool(regions=["us-east-1", "eu-west-1"])
    handle = pool.regions["us-east-1"]
    denied = "not authorized to perform: sqs:ListQueues with an explicit deny in a service control policy"

    def refuse(request, **_):
        body = json.dumps({"__type": "AccessDeniedException", "message": denied}).encode()
        return AWSResponse(request.url, 400, {"Content-Type": "application/x-amz-json-1.0"}, RawBody(body))

    handle.meta.events.register_first("before-send.sqs", refuse)
    with pytest.raises(handle.exceptions.ClientError):
        handle.list_queues()
    assert pool.status()["us-east-1"].state == "denied"
    assert "service control policy" in pool.status()["us-east-1"].detail
    handle.meta.events.unregister("before-send.sqs", refuse)
    handle.list_queues()
    assert pool.status()["us-east-1"].state == "connected"
    assert pool.status()["eu-west-1"].state == "idle"


def test_a_global_service_is_one_target():
    for kind in (IamPool, Route53Pool):
        pool = kind(connect=True)
        assert list(pool.regions) == ["aws-global"]
        assert pool.regions["eu-west-1"] is pool.regions.aws_global is pool.regions["us_east_1"]
        assert pool.add_region("us-east-2") is pool.regions["aws-global"]
        assert len(pool.regions) == 1
        assert "cn-north-1" not in pool.regions
    assert IamPool(default_region="eu-west-1").regions.default.list_users()["Users"] == []
    assert IamPool(regions=["us-east-1", "eu-west-1"]).regions["us-east-1"].meta.region_name == "us-east-1"


def test_every_client_argument_is_passed_on():
    config = Config(read_timeout=7, user_agent_extra="mine")
    pool = S3Pool(regions=["us-east-1"], endpoint_url="http://127.0.0.1:9", config=config, verify=False)
    client = pool.regions["us-east-1"].client
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    assert client.meta.config.read_timeout == 7
    assert "mine" in client.meta.config.user_agent
    assert client._endpoint.http_session._verify is False


def test_a_profile_is_used(tmp_path, monkeypatch):
    path = tmp_path / "config"
    path.write_text("[profile prod]\nregion = eu-central-1\naws_access_key_id = AKIAPROD\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    pool = SqsPool(profile_name="prod", regions=["us-east-1"])
    assert pool.session.get_credentials().access_key == "AKIAPROD"
    with pytest.raises(
        ConfigError, match="no profile 'prd' in the AWS configuration files; did you mean 'prod'"
    ) as caught:
        SqsPool(profile_name="prd")
    assert type(caught.value.__cause__).__name__ == "ProfileNotFound"


def test_a_session_is_used_boto3s_or_ours():
    for session in (boto3.Session(region_name="eu-west-1"), mangrove.Session(region_name="eu-west-1")):
        pool = SqsPool(session=session, regions=["us-east-1"])
        assert pool.session is session
        assert pool.regions["us-east-1"].list_queues()


def test_the_partition_is_the_sessions_or_the_regions():
    china = mangrove.Session("key", "secret", region_name="cn-north-1")
    assert list(SqsPool(session=china, regions="cn-*").regions) == ["cn-north-1", "cn-northwest-1"]
    assert list(IamPool(session=china).regions) == ["aws-cn-global"]
    assert set(SqsPool(regions="us-gov-*").regions) == {"us-gov-east-1", "us-gov-west-1"}
    assert set(SqsPool(default_region="eusc-de-east-1").regions) == {"eusc-de-east-1"}


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"aws_access_key_id": "x"}, ConfigError, "half given: aws_access_key_id without aws_secret_access_key"),
        ({"aws_secret_access_key": "x"}, ConfigError, "half given: aws_secret_access_key without aws_access_key_id"),
        ({"aws_session_token": "x"}, ConfigError, "half given: aws_session_token"),
        ({"session": "prod"}, DeclarationTypeError, "session takes a boto3.Session"),
        ({"session": boto3.Session("a", "b"), "profile_name": "p"}, ConfigError, "not both"),
        (
            {"profile_name": "p", "aws_access_key_id": "a", "aws_secret_access_key": "b"},
            ConfigError,
            "give one of them",
        ),
        ({"connect": ["us-east-1"]}, DeclarationTypeError, "connect takes True or False"),
        ({"regions": "us-east-1"}, DeclarationTypeError, r"write regions=\['us-east-1'\]"),
        ({"regions": []}, ConfigError, "empty list"),
        ({"regions": ["us-east-9"]}, ConfigError, "did you mean 'us-east-2'"),
        ({"regions": ["us-east-1", "cn-north-1"]}, ConfigError, "one pool has one partition"),
        ({"regions": ["us-east-1"], "default_region": "cn-north-1"}, ConfigError, "one pool has one partition"),
        ({"regions": "mars-*"}, ConfigError, r"no partition has regions for 'mars-\*'"),
        ({"default_region": "x"}, ConfigError, "'x' is not the name of a region"),
        ({"default_region": 5}, DeclarationTypeError, "got int"),
        ({"endpoint_url": "localhost:4566"}, ConfigError, "endpoint_url takes a URL"),
        ({"endpoint_url": "https://user:pass@host"}, ConfigError, r"'https://\*\*\*@host'"),
        ({"endpoint_url": "ftp://host"}, ConfigError, "endpoint_url takes a URL"),
        ({"endpoint_url": "http://[::1"}, ConfigError, "endpoint_url takes a URL"),
        ({"endpoint_url": 5}, DeclarationTypeError, "endpoint_url takes a URL"),
        ({"config": {"retries": 3}}, DeclarationTypeError, "botocore.config.Config"),
        ({"service": "s3"}, ConfigError, r"SqsPool is a pool of 'sqs'; for 's3' use ServicePool\(service=...\)"),
        ({"aws_access_key_id": "", "aws_secret_access_key": ""}, ConfigError, "aws_access_key_id is given but empty"),
        (
            {"aws_access_key_id": 5, "aws_secret_access_key": "x"},
            DeclarationTypeError,
            "aws_access_key_id takes a string",
        ),
        ({"regions": "us-east-1,us-west-2"}, ConfigError, r"write regions=\['us-east-1', 'us-west-2'\]"),
        ({"regions": ["US-EAST-1"]}, ConfigError, "did you mean 'us-east-1'"),
        ({"regions": ["us-east-1a"]}, ConfigError, "did you mean 'us-east-1'"),
        ({"regions": ["us-east-1", "mars-*"]}, ConfigError, r"partition 'aws' has no regions for 'mars-\*'"),
        ({"endpoint_url": b"https://user:canary@host"}, DeclarationTypeError, "got bytes$"),
    ],
)
def test_bad_input_is_refused_before_any_call(arguments, error, says, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")  # a call would fail otherwise
    with pytest.raises(error, match=says):
        SqsPool(**arguments)


@pytest.mark.parametrize(
    ("service", "error", "says"),
    [
        ("ec3", UnknownServiceError, "did you mean .*'ec2'"),
        ("SQS", UnknownServiceError, "did you mean .*'sqs'"),
        ("macie", ServiceRemovedError, "'macie' is gone"),
        (5, DeclarationTypeError, "service takes a name"),
        ({"sqs": {}}, DeclarationTypeError, "service takes a name"),
    ],
)
def test_a_wrong_service_is_refused(service, error, says):
    with pytest.raises(error, match=says):
        ServicePool(service=service)


def test_a_service_out_of_reach_is_an_error_not_an_empty_pool():
    with pytest.raises(NoRegionsError, match=r"'pricing' of what was asked, .*us-west-1 is unsupported"):
        list(ServicePool(service="pricing", regions="us-west-*").regions)
    pool = ServicePool(service="pricing", regions=["us-east-1", "us-west-*"])
    assert list(pool.regions) == ["us-east-1"]
    assert pool.status()["us-west-2"].state == "unsupported"
    # A name is the user's own word, which may be newer than the SDK's data.
    pool = ServicePool(service="pricing", regions=["us-west-2"])
    assert pool.status()["us-west-2"].detail == "the SDK's data does not list the service here"


def test_an_endpoint_of_ones_own_makes_no_global_service_many(embedded_aws_env):
    assert list(IamPool(endpoint_url=embedded_aws_env.endpoint_url).regions) == ["aws-global"]


def test_adding_takes_one_name_of_the_pools_partition():
    pool = SqsPool(regions=["us-east-1"])
    for wrong in ("eu-*", "*", "cn-north-1", 5, ""):
        with pytest.raises(ConfigError):
            pool.add_region(wrong)
    assert list(pool.regions) == ["us-east-1"]


def test_a_pool_pickles_as_its_recipe():
    pool = PicklePool(regions=["us-east-1", "us-west-1"], default_region="us-west-1")
    pool.add_region("eu-west-1")
    again = pickle.loads(pickle.dumps(pool))
    assert type(again) is PicklePool
    assert list(again.regions) == ["us-east-1", "us-west-1", "eu-west-1"]
    assert again.regions.default.list_queues()
    assert pickle.loads(pickle.dumps(Ec2Pool(regions=["us-east-1"]))).regions["us_east_1"].describe_instances()
    mixin = pickle.loads(pickle.dumps(PickleMixin()))
    assert mixin.sqs.regions.default.list_queues()


def test_a_pickle_holds_no_secret_and_never_becomes_somebody_else():
    session = mangrove.Session(*SECRETS.values())
    for pool in (PicklePool(regions=["us-east-1"], **SECRETS), PicklePool(regions=["us-east-1"], session=session)):
        pool.regions["us-east-1"].client  # noqa: B018
        data = pickle.dumps(pool)
        assert not [secret for secret in SECRETS.values() if secret.encode() in data]
        again = pickle.loads(data)
        assert list(again.regions) == ["us-east-1"]
        with pytest.raises(CredentialError, match="copied or pickled without its credentials"):
            again.regions["us-east-1"].list_queues()
        with pytest.raises(CredentialError):
            pickle.loads(pickle.dumps(again)).connect()
        assert again.connect(**SECRETS).regions["us-east-1"].list_queues()
    mixin = pickle.loads(pickle.dumps(PickleMixin(session=session)))
    with pytest.raises(CredentialError):
        mixin.sqs.regions.default.list_queues()
    assert mixin.connect(session=session).sqs.regions.default.list_queues()


def test_a_proxy_password_is_not_pickled():
    for proxy in ("http://me:canarypass@proxy:3128", "me:canarypass@proxy:3128"):
        with pytest.raises(TypeError, match="proxy password"):
            pickle.dumps(PicklePool(regions=["us-east-1"], config=Config(proxies={"https": proxy})))
    again = pickle.loads(pickle.dumps(PicklePool(regions=["us-east-1"], config=Config(read_timeout=7))))
    assert again.regions["us-east-1"].meta.config.read_timeout == 7


def test_no_repr_or_message_shows_a_secret():
    pool = SqsPool(regions=["us-east-1"], **SECRETS)
    mixin = PickleMixin(**{k: v for k, v in SECRETS.items() if k != "aws_session_token"})
    shown = [
        repr(x)
        for x in (pool, pool.regions, pool.regions["us-east-1"], pool.status(), pool.provenance, mixin, vars(pool))
    ]
    shown += [repr(vars(pool.regions["us-east-1"])), repr(vars(mixin)), repr(pool._connections.identity._keys)]
    assert not [secret for secret in SECRETS.values() for text in shown if secret in text]


def test_mixins():
    class Web(ServiceMixinPool):
        services = {"sqs": {}, "bedrock-runtime": {"regions": ["us-east-1"]}, "lambda": {}, "vpc": {}}  # noqa: RUF012

    with Web(regions=["us-east-1", "us-west-2"]) as mixin:
        assert mixin.bedrock_runtime.service_name == "bedrock-runtime"
        assert mixin.lambda_ is getattr(mixin, "lambda")
        assert mixin.vpc.service_name == "ec2"
        assert list(mixin.pools) == ["sqs", "bedrock_runtime", "lambda_", "vpc"]
        assert {"sqs", "lambda_"} <= set(dir(mixin))
        assert mixin.sqs.session is mixin.vpc.session
        with pytest.raises(AttributeError, match="no attribute or service 'sns'; did you mean 'sqs'"):
            mixin.sns  # noqa: B018
        with pytest.raises(ConfigError, match="Web, service 'nope': no service 'nope'"):
            mixin.add_service("nope")
        with pytest.raises(ConfigError, match="attribute takes a public Python name"):
            mixin.add_service("sns", attribute="a b")
    with pytest.raises(RuntimeError, match="is closed"):
        mixin.add_service("sns")
    with pytest.raises(RuntimeError, match="is closed"):
        mixin.sqs.regions["us-east-1"]


def test_a_mixin_refuses_what_would_be_lost():
    class Twice(ServiceMixinPool):
        services = {"bedrock-runtime": {}, "bedrock_runtime": {}}  # noqa: RUF012

    with pytest.raises(ConfigError, match="declares 'bedrock_runtime' twice"):
        Twice()
    with pytest.raises(ConfigError, match="attribute takes a public Python name"):
        ServiceMixinPool().add_service("sqs", attribute="_pools")
    assert repr(ServiceMixinPool()) == "<ServiceMixinPool>"
    generated = PickleMixin(regions=(name for name in ["us-east-1", "eu-west-1"]))
    assert list(generated.sqs.regions) == list(generated.s3.regions) == ["us-east-1", "eu-west-1"]


def test_a_declared_default_outside_the_narrowed_regions_is_refused():
    with pytest.raises(ConfigError, match="PickleMixin, service 'sqs': default_region 'us-east-1' is not among"):
        PickleMixin(regions=["eu-west-1"])
    mixin = PickleMixin(regions=["eu-west-1"], default_region="eu-west-1")
    assert mixin.s3.regions.default.region_name == "eu-west-1"


def test_one_bad_service_costs_only_itself(caplog):
    mixin = ServiceMixinPool()
    mixin.add_service("sqs", regions=["us-east-1"])
    mixin.add_service("sns", regions="ap-east-*")
    mixin.connect()
    assert "sns could not be connected" in caplog.text
    assert mixin.sqs.regions["us-east-1"].list_queues()
