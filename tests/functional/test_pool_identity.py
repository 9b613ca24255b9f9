"""Whose calls a pool makes: credentials given, changed, withheld, missing; and ways of connecting of one's own."""

from __future__ import annotations

import contextlib
import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

import mangrove
from mangrove.errors import ConfigError, ConnectError, CredentialError, DeclarationTypeError, PoolClosedError
from mangrove.pool import ServiceMixinPool, ServicePool
from mangrove.services import Ec2Pool, S3Pool, SqsPool


class TwoPool(ServiceMixinPool):
    services = {"sqs": {"regions": ["us-east-1"], "default_region": "us-east-1"}, "s3": {}}  # noqa: RUF012


class OverridingPool(ServicePool):
    service = "sqs"

    def _connect_module_to_region(self, region, aws_access_key_id=None, aws_secret_access_key=None):
        keys = {"aws_access_key_id": aws_access_key_id, "aws_secret_access_key": aws_secret_access_key}
        return boto3.client("sqs", region, **keys)


@pytest.fixture(autouse=True)
def aws(embedded_aws_env):
    return embedded_aws_env


def key_of(client):
    return client._request_signer._credentials.access_key


def test_other_credentials_take_the_added_regions_along():
    pool = SqsPool(regions=["us-east-1"])
    pool.add_region("eu-west-1")
    old, mine = pool.regions["us-east-1"], mangrove.Session("AKIAOTHER", "x")
    pool.connect(session=mine)
    assert (list(pool.regions), pool.session) == (["us-east-1", "eu-west-1"], mine)
    assert key_of(pool.regions["eu-west-1"].client) == "AKIAOTHER"
    with pytest.raises(PoolClosedError, match="its pool took other credentials; get the region from the pool again"):
        old.list_queues()
    with pytest.raises(ConfigError, match="half given"):
        pool.connect(aws_access_key_id="x")
    assert pool.regions["us-east-1"].list_queues()


def test_an_added_region_that_others_have_disabled_costs_only_itself(aws):
    pool = SqsPool(regions=["us-east-1"])
    pool._connections.added = ("ap-east-1",)
    pool.connect(session=aws.session())
    assert {name: state.state for name, state in pool.status().items()} == {
        "us-east-1": "connected",
        "ap-east-1": "disabled",
    }


def test_credentials_change_in_one_step_for_many_threads():
    sessions = [mangrove.Session(f"AKIA{number}", "x") for number in range(4)]
    pool, mixed = SqsPool(regions=["us-east-1", "eu-west-1"], session=sessions[0]), []

    def swap(session):
        for _ in range(10):
            with contextlib.suppress(PoolClosedError):
                pool.connect(session=session)

    def look():
        for _ in range(50):
            with contextlib.suppress(PoolClosedError):
                connections = pool._connections
                keys = {key_of(handle.client) for handle in connections.table().values()}
                mixed.extend(keys - {connections.identity.session.get_credentials().access_key})

    with ThreadPoolExecutor(8) as executor:
        done = [executor.submit(swap, session) for session in sessions] + [executor.submit(look) for _ in range(4)]
        assert [each.result() for each in done] == [None] * 8
    assert mixed == []


def test_a_mixin_takes_other_credentials_whole_or_not_at_all():
    mixin = TwoPool(regions=["us-east-1"])
    mixin.connect(aws_access_key_id="AKIAMIX", aws_secret_access_key="x")
    assert {key_of(pool.regions["us-east-1"].client) for pool in mixin.pools.values()} == {"AKIAMIX"}


def test_a_mixin_passes_everything_on(aws):
    config = Config(read_timeout=7)
    keys = {"aws_access_key_id": "AKIAMIX", "aws_secret_access_key": "x", "aws_session_token": "tok"}
    mixin = ServiceMixinPool(**keys, endpoint_url=aws.endpoint_url, config=config, verify=False)
    client = mixin.add_service("sqs", regions=["us-east-1"]).regions["us-east-1"].client
    credentials = client._request_signer._credentials
    assert (credentials.access_key, credentials.token, client.meta.config.read_timeout) == ("AKIAMIX", "tok", 7)
    assert client.meta.endpoint_url == aws.endpoint_url
    resource = mixin.add_service("s3", regions=["us-east-1"]).regions["us-east-1"].resource
    assert key_of(resource.meta.client) == "AKIAMIX"


def test_connecting_without_credentials_says_so_once(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    asked = []
    monkeypatch.setattr(mangrove.Session, "get_credentials", lambda _self: asked.append(1))
    with pytest.raises(CredentialError, match="no credentials found: give session="):
        SqsPool(connect=True, regions=["us-east-1", "eu-west-1", "us-west-2"])
    assert len(asked) == 1
    with pytest.raises(CredentialError):
        TwoPool(connect=True)
    unsigned = Config(signature_version=botocore.UNSIGNED)
    assert S3Pool(connect=True, regions=["us-east-1"], config=unsigned).status()["us-east-1"].state == "connected"


def test_a_bad_token_is_not_a_disabled_region():
    pool = SqsPool(regions=["us-east-1", "eu-south-1"])
    handle = pool.regions["eu-south-1"]
    assert handle.info.status == "enabled"

    def expired(request, **_):
        body = json.dumps({"__type": "UnrecognizedClientException", "message": "expired"}).encode()
        response = AWSResponse(request.url, 400, {"Content-Type": "application/x-amz-json-1.0"}, None)
        response._content = body
        return response

    handle.meta.events.register_first("before-send.sqs", expired)
    with pytest.raises(handle.exceptions.ClientError):
        handle.list_queues()
    assert pool.status()["eu-south-1"].state == "connected"


def test_one_client_that_does_not_close_leaves_no_other_open():
    closed = []

    class Client:
        def __init__(self, name):
            self.name = name

        def close(self):
            closed.append(self.name)
            if self.name == "us-east-1":
                raise OSError("stuck")

    class Own(ServicePool):
        service = "sqs"

        def _connect_module_to_region(self, region_name):
            return Client(region_name)

    pool = Own(connect=True, regions=["us-east-1", "eu-west-1"])
    with pytest.raises(OSError, match="stuck"):
        pool.close()
    assert sorted(closed) == ["eu-west-1", "us-east-1"]


def test_to_look_is_not_to_call():
    pool = Ec2Pool()
    assert repr(pool.regions) == "<regions not asked yet>"
    assert "default" in dir(pool.regions)
    assert pool.regions is pool.regions
    handle = SqsPool(regions=["us-east-1"]).regions["us-east-1"]
    assert not hasattr(handle, "_repr_html_")
    assert handle._client.peek() is None


def test_a_pool_that_asks_for_itself_says_so():
    class Selfish(ServicePool):
        service = "sqs"

        def _connect_module_to_region(self, region_name):
            return self.regions[region_name].client

    with pytest.raises(ConnectError, match="asks for itself"):
        Selfish(regions=["us-east-1"]).regions["us-east-1"].list_queues()


def test_a_pool_with_its_own_way_has_its_own_resources():
    class Own(ServicePool):
        service = "s3"

        def _connect_module_to_region(self, region_name):
            return boto3.Session("AKIAASSUMED", "x").client("s3", region_name=region_name)

    class Whole(Own):
        def _connect_resource_to_region(self, region_name):
            return boto3.Session("AKIAASSUMED", "x").resource("s3", region_name=region_name)

    with pytest.raises(ConnectError, match="override _connect_resource_to_region to have resources too"):
        Own(regions=["us-east-1"]).regions["us-east-1"].resource  # noqa: B018
    assert key_of(Whole(regions=["us-east-1"]).regions["us-east-1"].resource.meta.client) == "AKIAASSUMED"


def test_a_pickled_pool_with_its_own_way_never_becomes_somebody_else():
    pool = OverridingPool(False, ["us-east-1"], None, "AKIACUSTOMER", "x")
    assert key_of(pool.regions["us-east-1"].client) == "AKIACUSTOMER"
    again = pickle.loads(pickle.dumps(pool))
    with pytest.raises(CredentialError, match="copied or pickled without its credentials"):
        again.regions["us-east-1"].list_queues()


def test_own_regions_are_checked_as_others_are():
    class Own(ServicePool):
        service = "sqs"
        found = ("moon-1", "moon-2")

        def _get_module_regions(self):
            return self.found

    class Text(Own):
        found = "us-east-1"

    for arguments in ({"regions": "moon-1"}, {"regions": []}, {"default_region": 5}):
        with pytest.raises(ConfigError):
            Own(**arguments)
    with pytest.raises(ConfigError, match="default_region 'moon-3' is not among"):
        Own(regions=["moon-1"], default_region="moon-3")
    with pytest.raises(ConfigError, match="default_region 'moon-3' is not among"):
        Own(default_region="moon-3").regions.default  # noqa: B018
    with pytest.raises(DeclarationTypeError, match="returns a list of names; got 'us-east-1'"):
        list(Text().regions)


def test_a_broken_property_of_a_subclass_speaks_for_itself():
    class Own(ServicePool):
        service = "sqs"

        @property
        def owner(self):
            return self.nobody

    with pytest.raises(AttributeError, match="'Own' object has no attribute 'nobody'"):
        Own(regions=["us-east-1"]).owner  # noqa: B018
    with pytest.raises(AttributeError, match="on a region: pool.regions.*list_queues"):
        Own(regions=["us-east-1"]).list_queues()
