"""Never run: type checkers read it, with types-boto3 installed."""

# pyright: reportMissingModuleSource=false

from __future__ import annotations

from typing import TYPE_CHECKING

from mangrove import Session

if TYPE_CHECKING:
    from datetime import datetime

    from types_boto3_rds.type_defs import EndpointTypeDef
    from types_boto3_sqs.service_resource import Queue
    from typing_extensions import assert_type

    from mangrove.resources.types import iam, rds

session = Session(region_name="eu-west-1")


def databases(engine: str) -> list[rds.DBInstance]:
    found = session.resource("rds", "us-east-1", endpoint_url="http://localhost")
    for database in found.db_instances.filter(Filters=[{"Name": "engine", "Values": [engine]}]).limit(3):
        assert_type(database, rds.DBInstance)
        assert_type(database.arn, str | None)
        assert_type(database.get_tags(), dict[str, str] | None)
        assert_type(database.allocated_storage, int)
        assert_type(database.instance_create_time, datetime)
        assert_type(database.endpoint, EndpointTypeDef)
        print(database.identifier.upper(), database.to_dict(iso=True)["type"])
        print(database.meta.client.describe_db_instances()["ResponseMetadata"]["RequestId"].upper())
        database.modify(EngineVersion="16.4", ApplyImmediately=True)
        database.reload()
    return [database for page in found.db_instances.pages() for database in page]


def boto3s_own(queue: Queue) -> None:
    ec2 = session.resource("ec2")
    print([instance.arn for instance in ec2.instances.all()], ec2.instances.stop())
    assert_type(ec2.Vpc("vpc-1").subnets.limit(1).all().pages().__next__()[0].arn, str | None)
    session.resource("s3").Bucket("b").upload_file("name", "key")
    assert_type(session.resource("iam").Role("r"), iam.Role)
    assert_type(session.resource("iam").Role("r").arn, str)
    # What was written for types-boto3's classes takes mangrove's.
    boto3s_own(session.resource("sqs").Queue("https://sqs"))


def any_service(name: str) -> None:
    print(session.resource(name).meta.client, session.resource("a-service-of-tomorrow").things.all())


def mistakes() -> None:
    session.resource("rds").DBInstance("orders").nope  # type: ignore[attr-defined] # noqa: B018
    session.resource("rds").DBInstance()  # type: ignore[call-arg]
    session.resource("sqs").Queue("u").send_message(MessageBdy="x")  # type: ignore[call-arg]
