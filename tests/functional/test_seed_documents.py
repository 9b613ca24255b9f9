"""The examples of the first mangrove's two documents, with boto3's method names, line by line."""

from __future__ import annotations

import boto3
import pytest

from mangrove.errors import ConfigError, UnknownServiceError
from mangrove.pool import ServiceMixinPool, ServicePool
from mangrove.services import Ec2Pool, S3Pool, SqsPool


@pytest.fixture(autouse=True)
def _aws(embedded_aws_env):
    return embedded_aws_env


def test_helpers():
    ec2_pool = Ec2Pool(connect=True)
    s3_pool = S3Pool(connect=True, regions=["us-east-1", "us-west-1"])
    sqs_pool = SqsPool(connect=True, default_region="us-east-1")

    assert ec2_pool.regions["us_west_1"].describe_instances()["Reservations"] == []
    assert ec2_pool.regions["us_east_1"].describe_images(Owners=["self"])["Images"] == []
    assert "QueueUrls" not in sqs_pool.regions.default.list_queues()

    s3_pool.add_region("us-east-2")
    assert repr(s3_pool.regions["us_east_2"]) == "<S3Pool us_east_2>"
    assert list(s3_pool.regions) == ["us-east-1", "us-west-1", "us-east-2"]


def test_every_region_is_the_default():
    found = boto3.client("ec2", "us-east-1").describe_regions(AllRegions=True)["Regions"]
    enabled = [region["RegionName"] for region in found if region["OptInStatus"] != "not-opted-in"]
    # The embedded AWS names the regions of other partitions too; no account of this one can use them.
    enabled = [name for name in enabled if not name.startswith(("cn-", "us-gov-"))]
    assert sorted(Ec2Pool(connect=True).regions) == sorted(enabled)
    assert len(enabled) < len(found)


def test_create_your_own_service_pool():
    class MySupperDupperPool(ServicePool):
        _aws_module_name = "s3"

    class MyNewerPool(ServicePool):
        service = "s3"

    for kind in (MySupperDupperPool, MyNewerPool):
        p = kind(connect=True, regions=["eu-west-1", "us-west-1"])
        assert p.regions["us_west_1"].list_buckets()["Buckets"] == []
        assert repr(p.add.regions["ap-southeast-1"]) == f"<{kind.__name__} ap_southeast_1>"
        assert repr(p.regions["ap_southeast_1"]) == f"<{kind.__name__} ap_southeast_1>"


def test_a_service_that_does_not_exist():
    class MySupperDupperPool(ServicePool):
        _aws_module_name = "mysupperdupperservice"

    with pytest.raises(UnknownServiceError, match="no service 'mysupperdupperservice'"):
        MySupperDupperPool(connect=True, regions=["eu-west-1", "us-west-1"])


def test_regions_in_the_declaration():
    class MySelectivePool(ServicePool):
        service = {"sqs": {"regions": ["us-east-1", "eu-west-1"], "default_region": "us-east-1"}}  # noqa: RUF012

    class AsPrinted(ServicePool):
        # The document's own example: its default is not among its regions.
        service = {"sqs": {"regions": ["us-east-1", "eu-west-1"], "default_region": "us-west-1"}}  # noqa: RUF012

    pool = MySelectivePool()
    assert list(pool.regions) == ["us-east-1", "eu-west-1"]
    assert pool.regions.default is pool.regions["us-east-1"]
    with pytest.raises(ConfigError, match="default_region 'us-west-1' is not among the regions.*us-east-1, eu-west-1"):
        AsPrinted()


def test_overriding_how_to_connect_and_which_regions():
    asked = []

    class MoonPool(ServicePool):
        service = "moonbase"

        def _connect_module_to_region(self, region, aws_access_key_id=None, aws_secret_access_key=None):
            asked.append((region, aws_access_key_id, aws_secret_access_key))
            return boto3.client("sqs", region_name="us-east-1")

        def _get_module_regions(self):
            return ["mare-1", "mare-2"]

    pool = MoonPool(connect=True, aws_access_key_id="key", aws_secret_access_key="secret")
    assert sorted(asked) == [("mare-1", "key", "secret"), ("mare-2", "key", "secret")]
    assert "QueueUrls" not in pool.regions["mare_2"].list_queues()
    with pytest.raises(ValueError, match="does not offer 'mare-3'; did you mean"):
        pool.add_region("mare-3")


def test_an_override_may_build_on_its_parent():
    class EuropePool(ServicePool):
        service = "ec2"

        def _get_module_regions(self):
            return [region for region in super()._get_module_regions() if region.startswith("eu-")]

        def _connect_module_to_region(self, region_name, **keys):
            client = super()._connect_module_to_region(region_name, **keys)
            client.mine = True
            return client

    pool = EuropePool(default_region="eu-west-1")
    assert set(pool.regions) == {"eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3"}
    assert pool.regions.default.mine is True


def test_create_your_own_multi_services_pool():
    class WebRelatedServicesPool(ServiceMixinPool):
        _aws_services = {  # noqa: RUF012
            "ec2": {"regions": ["us-east-1", "eu-west-1"], "default_region": "eu-west-1"},
            "s3": {"regions": "*", "default_region": "eu-west-1"},
            "sqs": {},
        }

    class Newer(ServiceMixinPool):
        services = WebRelatedServicesPool._aws_services

    for kind in (WebRelatedServicesPool, Newer):
        mixin_pool = kind(connect=True, regions=["us_west_1", "eu_west_1"])
        assert repr(mixin_pool.s3) == "<ServicePool S3>"
        assert mixin_pool.ec2.regions["us_west_1"].describe_instances()["Reservations"] == []
        assert mixin_pool.ec2.eu_west_1 is mixin_pool.ec2.regions.default
        assert list(mixin_pool.sqs.regions) == ["us-west-1", "eu-west-1"]


def test_a_mixin_without_arguments_is_as_declared():
    class Web(ServiceMixinPool):
        services = {"ec2": {"regions": ["us-east-1"]}, "sqs": {}}  # noqa: RUF012

    mixin = Web()
    assert list(mixin.ec2.regions) == ["us-east-1"]
    assert len(mixin.sqs.regions) > 10
