"""Every service that botocore knows: a pool class, a region answer in every partition, no method hidden."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from botocore import xform_name

import mangrove
from mangrove import services
from mangrove.aws.services import REMOVED_SERVICES, find_service, service_names
from mangrove.aws.session import botocore_session, sdk_regions
from mangrove.errors import NoRegionsError, ServiceRemovedError, UnknownServiceError
from mangrove.pool import RegionHandle, ServicePool

SESSION = mangrove.Session("key", "secret", region_name="us-east-1")
SERVICES = service_names(SESSION)


class Offline(mangrove.Session):
    """Be a session that reaches nobody."""

    def client(self, *_, **__):
        raise OSError("offline")


SEED = """
    Ec2 S3 Emr Autoscale DynamoDB DynamoDB2 Rds Elasticache Redshift SimpleDB CloudFormation Beanstalk Iam Sts
    CloudSearch ElasticTranscoder Swf Sqs SimpleNotification SimpleEmail Vpc Elb Glacier MechanicalTurk Support
""".split()


def test_no_region_answer_is_silently_empty():
    """Ask for every region of every service in every partition: an answer, or an error that says why."""
    silent, refused = [], []
    for partition in sdk_regions(SESSION).partitions.values():
        # Its keys are good nowhere: the answers come from the SDK's data, which is where boto3's are empty.
        session = Offline(region_name=partition.regions[0])
        for service in SERVICES:
            try:
                found = mangrove.find_regions(session, service, "*")
            except NoRegionsError as error:
                refused.append((service, partition.name))
                assert f"the service is not in partition {partition.name!r}" in str(error)
                continue
            if not found.regions or found.partition != partition.name:
                silent.append((service, partition.name))
    assert silent == []
    assert not [service for service, partition in refused if partition == "aws"]
    assert len(refused) < len(SERVICES) / 20


def test_every_service_has_regions_in_aws():
    global_ones = []
    for service in SERVICES:
        found = mangrove.find_regions(SESSION, service, ["us-east-1", "us-west-2", "eu-west-1"])
        assert found.regions, service
        if found.names == ("aws-global",):
            global_ones.append(service)
    assert {"iam", "route53", "cloudfront", "organizations", "account", "support", "waf", "ce"} <= set(global_ones)
    assert not {"ec2", "s3", "sts", "bedrock-runtime", "s3tables"} & set(global_ones)


def test_a_service_outside_a_partition_says_so():
    sdk = sdk_regions(SESSION)
    absent = [s for s in SERVICES if sdk.coverage(s, sdk.partitions["aws-cn"]).absent]
    for service in absent:
        with pytest.raises(NoRegionsError, match="the service is not in partition 'aws-cn'"):
            mangrove.find_regions(SESSION, service, ["cn-north-1"])


def test_no_operation_is_hidden_by_a_handle():
    own = {name for name in dir(RegionHandle) if not name.startswith("__")}
    loader = botocore_session(SESSION).get_component("data_loader")
    hidden = {
        (service, operation)
        for service in SERVICES
        for operation in loader.load_service_model(service, "service-2")["operations"]
        if xform_name(operation) in own
    }
    assert hidden == set()


def test_every_service_has_a_class_and_its_own():
    classes = {name: getattr(services, name) for name in dir(services)}
    assert {kind.service for kind in classes.values()} == set(SERVICES)
    for name, kind in classes.items():
        assert issubclass(kind, ServicePool)
        assert (kind.__name__, kind.__module__) == (name, "mangrove.services")
        assert kind is getattr(services, name)
    assert set(services.__all__) == set(classes)


@pytest.mark.parametrize("stem", SEED)
def test_the_names_of_the_first_mangrove(stem):
    if stem == "ElasticTranscoder" and "elastictranscoder" not in SERVICES:
        with pytest.raises(ServiceRemovedError, match="'elastictranscoder' is gone: AWS has withdrawn it"):
            from mangrove.services import ElasticTranscoderPool  # noqa: F401
        return
    assert getattr(services, f"{stem}Pool").service in SERVICES


def test_removed_and_unknown_services_say_so():
    for name in REMOVED_SERVICES.difference(SERVICES):
        with pytest.raises(ServiceRemovedError, match=f"'{name}' is gone"):
            find_service(name, SERVICES)
    with pytest.raises(UnknownServiceError, match="no service 'dynamodbb'.*did you mean 'dynamodb'"):
        find_service("dynamodbb", SERVICES)
    with pytest.raises(AttributeError, match="no pool class 'DynamoPool'; did you mean .*'DynamodbPool'"):
        services.DynamoPool  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        services.nothing  # noqa: B018


def test_a_broken_profile_breaks_no_import(tmp_path):
    script = "from mangrove.services import S3Pool, CloudTrailPool; print(S3Pool.service, CloudTrailPool.service)"
    environment = {**os.environ, "AWS_PROFILE": "absent", "AWS_CONFIG_FILE": str(tmp_path / "config")}
    (tmp_path / "config").write_text("garbage [[")
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout == "s3 cloudtrail\n"
    script = "from mangrove import ServicePool; ServicePool(service='s3')"
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert "mangrove.errors.ConfigError" in run.stderr


def test_boto2s_names_are_understood():
    assert find_service("autoscale", SERVICES) == "autoscaling"
    assert find_service("beanstalk", SERVICES) == "elasticbeanstalk"
    assert find_service("bedrock_runtime", SERVICES) == "bedrock-runtime"
