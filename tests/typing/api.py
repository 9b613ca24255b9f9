"""Never run: type checkers read it, with types-boto3 installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mangrove import ServiceMixinPool, ServicePool, Session
from mangrove.pool import RegionsMapping
from mangrove.services import (
    BedrockRuntimePool,
    DynamoDBPool,
    Ec2Pool,
    IamPool,
    LambdaPool,
    RdsPool,
    Route53Pool,
    S3Pool,
    SimpleNotificationPool,
    SqsPool,
    StsPool,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type

    from mangrove.pool.handle import AnyRegionHandle


class MyPool(ServicePool):
    service = "sqs"


class WebPool(ServiceMixinPool):
    services = {"ec2": {"regions": "*"}, "sqs": {}}  # noqa: RUF012  as users write it


def pools() -> None:
    own = MyPool(connect=True, regions=["eu-west-1"], default_region="eu-west-1")
    assert_type(own.regions, RegionsMapping[AnyRegionHandle])
    assert_type(own.regions["eu_west_1"], AnyRegionHandle)
    assert_type(own.regions.default, AnyRegionHandle)
    web = WebPool(regions=["us-east-1"])
    print(web.ec2.regions["us_east_1"].describe_instances())
    session = Session(region_name="eu-west-1")
    print(ServicePool(service="s3", session=session).add_region("us-east-1").region_name)


def services() -> None:
    print(Ec2Pool().regions["us_east_1"].describe_instances()["ResponseMetadata"]["RequestId"].upper())
    print(S3Pool().regions.us_east_1.list_buckets()["ResponseMetadata"]["RequestId"].upper())
    print(SqsPool().add.regions["us-east-1"].list_queues()["QueueUrls"][0].upper())
    print(IamPool().regions["aws-global"].list_users()["Users"][0]["Arn"].upper())
    print(LambdaPool().eu_west_1.list_functions()["Functions"])
    print(RdsPool().regions.default.describe_db_instances()["DBInstances"])
    print(DynamoDBPool().regions.default.list_tables()["TableNames"][0].upper())
    print(Route53Pool().regions.default.list_hosted_zones()["HostedZones"][0]["Id"].upper())
    print(SimpleNotificationPool().regions.default.list_topics()["Topics"])
    print(StsPool().regions.default.get_caller_identity()["Account"].upper())
    print(BedrockRuntimePool().regions.default.converse())  # types-boto3-bedrock-runtime is not installed here
    for name, handle in Ec2Pool(regions="eu-*").regions.items():
        print(name.upper(), handle.region_name.upper(), handle.meta)


def mistakes() -> None:
    Ec2Pool().regions["us_east_1"].describe_instanzes()  # type: ignore[attr-defined]
    S3Pool(conect=True)  # type: ignore[call-arg]
