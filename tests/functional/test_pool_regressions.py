"""One test for each of the seventeen defects of pymangrove 1.0.0; the number is in the name."""

from __future__ import annotations

import threading
import time
from importlib.metadata import requires

import pytest

from mangrove.errors import ConfigError, MangroveError, NotConnectedError, UnknownRegionError, UnknownServiceError
from mangrove.pool import RegionHandle, ServiceMixinPool, ServicePool
from mangrove.services import Ec2Pool, S3Pool, SqsPool

KEYS = {"aws_access_key_id": "AKIAMINE", "aws_secret_access_key": "mine"}


@pytest.fixture(autouse=True)
def _aws(embedded_aws_env):
    return embedded_aws_env


def key_of(handle):
    """Return the access key that a handle's calls are signed with."""
    seen = []
    handle.meta.events.register_first(
        "before-send.*", lambda request, **_: seen.append(request.headers["Authorization"])
    )
    handle.list_queues()
    return str(seen[0]).split("Credential=")[1].split("/")[0]


def test_m1_access_keys_reach_the_client():
    pool = SqsPool(connect=True, regions=["us-east-1"], aws_session_token="token", **KEYS)
    assert key_of(pool.regions["us-east-1"]) == "AKIAMINE"


def test_m2_access_keys_survive_connect_later_and_mixins():
    class Web(ServiceMixinPool):
        services = {"sqs": {"regions": ["us-east-1"]}}  # noqa: RUF012

    lazy = SqsPool(connect=False, regions=["us-east-1"], **KEYS)
    assert key_of(lazy.regions["us-east-1"]) == "AKIAMINE"
    assert key_of(lazy.connect().regions["us-east-1"]) == "AKIAMINE"
    assert key_of(Web(**KEYS).sqs.regions["us-east-1"]) == "AKIAMINE"
    assert key_of(Web().connect(**KEYS).sqs.regions["us-east-1"]) == "AKIAMINE"


def test_m3_no_regions_argument_is_every_region():
    assert len(Ec2Pool(connect=True).regions) > 10
    assert list(Ec2Pool(regions=None).regions) == list(Ec2Pool(regions="*").regions) == list(Ec2Pool().regions)


def test_m4_a_mixin_connects_when_told_to():
    class Web(ServiceMixinPool):
        services = {"sqs": {"regions": ["us-east-1"]}}  # noqa: RUF012

    def states(mixin):
        return {state.state for pool in mixin.pools.values() for state in pool.status().values()}

    assert states(Web()) == {"idle"}
    assert states(Web(connect=True)) == {"connected"}
    mixin = Web()
    mixin.add_service("sns", connect=True, regions=["us-east-1"])
    assert mixin.sns.status()["us-east-1"].state == "connected"
    assert mixin.sqs.status()["us-east-1"].state == "idle"
    mixin.connect()
    assert states(mixin) == {"connected"}


def test_m5_an_undeclared_service_can_be_added():
    mixin = ServiceMixinPool()
    assert mixin.add_service("sqs", regions=["us-east-1"]) is mixin.sqs


def test_m6_adding_again_replaces_and_closes():
    mixin = ServiceMixinPool()
    old = mixin.add_service("sqs", regions=["us-east-1"])
    new = mixin.add_service("sqs", regions=["eu-west-1"])
    assert mixin.sqs is mixin.pools["sqs"] is new
    with pytest.raises(RuntimeError, match="is closed"):
        old.regions["us-east-1"]


def test_m7_add_region_is_of_this_pool_alone():
    mine = ["us-east-1"]

    class Declared(ServicePool):
        service = {"s3": {"regions": ["us-west-1"]}}  # noqa: RUF012

    pool, other = S3Pool(regions=mine, **KEYS), S3Pool(regions=mine)
    first = pool.add_region("us_east_2")
    assert pool.add_region("us-east-2") is first
    assert list(pool.regions) == ["us-east-1", "us-east-2"]
    assert (mine, list(other.regions)) == (["us-east-1"], ["us-east-1"])
    Declared().add_region("us-east-2")
    assert Declared.service == {"s3": {"regions": ["us-west-1"]}}
    assert list(Declared().regions) == ["us-west-1"]
    assert "us-east-2" in S3Pool().regions
    assert first.client._request_signer._credentials.access_key == "AKIAMINE"
    for wrong in ("us-east-9", "nowhere", "us-east-1\n", ""):
        with pytest.raises(ConfigError):
            pool.add_region(wrong)
    with pytest.raises(UnknownRegionError, match="did you mean 'us-east-2'"):
        pool.add_region("us-east-9")


def test_m8_a_default_region_connects_nothing():
    entered = threading.Event()

    class Slow(ServicePool):
        service = "sqs"

        def _connect_module_to_region(self, region_name):
            entered.set()
            return object()

    pool = Slow(regions=["us-east-1"], default_region="us-east-1")
    assert not entered.is_set()
    assert pool.regions.default.client is not None
    assert entered.is_set()


def test_m9_no_default_is_a_clear_error():
    pool = SqsPool(regions=["us-east-1", "eu-west-1"])
    with pytest.raises(NotConnectedError, match="has no default region; make it with default_region= one of us-east-1"):
        pool.regions.default  # noqa: B018
    assert not hasattr(pool.regions, "default")
    assert SqsPool(regions=["us-east-1"]).regions.default.region_name == "us-east-1"
    assert SqsPool(regions=["us-east-1"], default_region="us_east_1").regions.default.region_name == "us-east-1"


def test_m10_no_way_of_reading_shows_a_future():
    pool = SqsPool(connect=True, regions=["us-east-1", "eu-west-1"])
    found = [*pool.regions.values(), *dict(pool.regions.items()).values(), pool.regions.get("us_east_1")]
    found += [pool.regions[name] for name in pool.regions]
    assert {type(each) for each in found} == {RegionHandle}
    assert pool.regions.get("us-west-2") is None


def test_m11_classes_are_plain_classes():
    assert type(ServicePool) is type(ServiceMixinPool) is type
    with pytest.raises(ConfigError, match="ServicePool names no service"):
        ServicePool()


def test_m12_every_spelling_of_the_documents_works():
    class Web(ServiceMixinPool):
        services = {"ec2": {"regions": ["eu-west-1", "us-west-1"]}}  # noqa: RUF012

    pool = Web()
    one = pool.ec2.regions["us_west_1"]
    assert one is pool.ec2.regions["us-west-1"] is pool.ec2.regions.us_west_1 is pool.ec2.us_west_1
    assert pool.ec2.add.regions["ap-southeast-1"] is pool.ec2.regions["ap_southeast_1"]


def test_m13_closing_frees_threads_and_sockets(fds):
    SqsPool(connect=True, regions=["us-east-1"]).close()  # what a process loads once

    def threads():
        # The embedded server has a thread and a socket for each open connection, and ends them in its own time.
        return [t.name for t in threading.enumerate() if "request" not in t.name]

    before = threads(), fds()
    for _ in range(5):
        with SqsPool(connect=True, regions=["us-east-1", "eu-west-1", "us-west-2"]) as pool:
            for handle in pool.regions.values():
                handle.list_queues()
    deadline = time.monotonic() + 10
    while (threads(), fds()) != before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (threads(), fds()) == before
    with pytest.raises(RuntimeError, match="is closed"):
        pool.regions["us-east-1"]
    with pytest.raises(RuntimeError, match="its pool was closed"):
        handle.list_queues()


def test_m14_a_service_never_hides_a_method():
    mixin = ServiceMixinPool()
    with pytest.raises(ConfigError, match=r"would hide ServiceMixinPool.connect.*attribute='aws_connect'"):
        mixin.add_service("connect")
    assert callable(mixin.connect)
    assert mixin.add_service("connect", attribute="aws_connect") is mixin.aws_connect

    class Declared(ServiceMixinPool):
        services = {"connect": {}}  # noqa: RUF012

    with pytest.raises(ConfigError, match="would hide Declared.connect"):
        Declared()


@pytest.mark.parametrize("name", ["ec3", "os", "boto.ec2", "../ec2", "", "ec2 "])
def test_m15_an_unknown_service_says_so(name):
    with pytest.raises(MangroveError):
        ServicePool(service=name)

    class Own(ServicePool):
        service = name or "-"

    with pytest.raises(UnknownServiceError, match="no service"):
        Own()


def test_m16_nothing_of_a_declaration_is_dropped():
    class Two(ServicePool):
        service = {"ec2": {}, "s3": {}}  # noqa: RUF012

    class NoClient(ServicePool):
        service = "sqs"

        def _connect_module_to_region(self, region_name):
            return None

    with pytest.raises(ConfigError, match="declares 2 services"):
        Two()
    with pytest.raises(ConfigError, match="default_region 'us-west-2' is not among"):
        SqsPool(regions=["us-east-1"], default_region="us-west-2")
    with pytest.raises(ConfigError, match="default_region 'us-west-2' is not among"):
        SqsPool(regions="eu-*", default_region="us-west-2")
    with pytest.raises(ConnectionError, match="returned no client"):
        NoClient(regions=["us-east-1"]).regions["us-east-1"].list_queues()


def test_m17_errors_have_a_base_and_moto_is_optional():
    assert issubclass(NotConnectedError, MangroveError)
    assert issubclass(UnknownServiceError, MangroveError)
    needed = [line for line in requires("pymangrove") or () if "extra ==" not in line]
    assert [line.split(">")[0].split("<")[0] for line in needed] == ["boto3"]
