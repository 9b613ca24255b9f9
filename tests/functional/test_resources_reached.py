"""Types that a plain reading of the API's names does not reach: they are listed, and each has its ARN."""

from __future__ import annotations

import pytest

ACCOUNT = "123456789012"


@pytest.fixture
def session(embedded_aws):
    return embedded_aws.session(region_name="eu-west-1")


def test_reservations_of_both_kinds_are_a_subnets(session):
    ec2 = session.resource("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)
    subnet = vpc.create_subnet(CidrBlock="10.0.0.0/24")
    given = {"SubnetId": subnet.id, "ReservationType": "explicit"}
    made = session.client("ec2").create_subnet_cidr_reservation(**given, Cidr="10.0.0.0/28")["SubnetCidrReservation"]
    [found] = subnet.subnet_cidr_reservations.all()
    assert found.cidr == "10.0.0.0/28"
    assert found.arn == (f"arn:aws:ec2:eu-west-1:{ACCOUNT}:subnet-cidr-reservation/{made['SubnetCidrReservationId']}")


def test_reservations_of_ipv6_come_with_those_of_ipv4(session):
    subnet = session.resource("ec2").Subnet("subnet-1")
    handler = subnet.subnet_cidr_reservations._handler
    page = {
        "SubnetIpv4CidrReservations": [{"SubnetCidrReservationId": "scr-4", "SubnetId": "subnet-1"}],
        "SubnetIpv6CidrReservations": [{"SubnetCidrReservationId": "scr-6", "SubnetId": "subnet-1"}],
    }
    assert [each.id for each in handler(subnet, {}, page)] == ["scr-4", "scr-6"]
    del page["SubnetIpv4CidrReservations"]
    assert [(each.id, each.meta.data) for each in handler(subnet, {}, page)] == [
        ("scr-6", page["SubnetIpv6CidrReservations"][0])
    ]


def test_the_hub_is_a_list_of_one(session):
    session.client("securityhub").enable_security_hub()
    [hub] = session.resource("securityhub").hubs.all()
    assert hub.arn == f"arn:aws:securityhub:eu-west-1:{ACCOUNT}:hub/default"
    assert session.resource_from_arn(hub.arn) == hub
    assert hub.subscribed_at


def test_quotas_are_those_of_a_services_code(session):
    service = session.resource("service-quotas").Service("vpc")
    quotas = list(service.aws_default_service_quotas.all())
    assert {each.service_code for each in quotas} == {"vpc"}
    assert "arn:aws:servicequotas:eu-west-1::vpc/L-7E9ECCDB" in [each.arn for each in quotas]
    quota = service.ServiceQuota("L-7E9ECCDB")
    assert (quota.service_code, quota.code) == ("vpc", "L-7E9ECCDB")


def test_a_cost_category_is_called_so(session):
    ce = session.resource("ce", region_name="us-east-1")
    arn = f"arn:aws:ce::{ACCOUNT}:costcategory/0123456789ab"
    assert ce.CostCategory(arn) == ce.CostCategoryDefinition(arn)
    assert ce.CostCategory(arn).arn == arn


def test_recipes_that_are_not_published_are_listed_too(session):
    step = {"Action": {"Operation": "UPPER_CASE", "Parameters": {"sourceColumn": "a"}}}
    session.client("databrew").create_recipe(Name="r", Steps=[step])
    [recipe] = session.resource("databrew").recipes.all()
    assert recipe.arn == f"arn:aws:databrew:eu-west-1:{ACCOUNT}:recipe/r"
    recipe.load()
    assert recipe.steps == [step]


def test_a_version_of_a_model_package_is_known_by_its_arn(session):
    client = session.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="g")
    made = client.create_model_package(ModelPackageGroupName="g", ModelPackageDescription="d")["ModelPackageArn"]
    group = session.resource("sagemaker").ModelPackageGroup("g")
    [package] = group.model_packages.all()
    assert package.arn == made == f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model-package/g/1"
    assert session.resource_from_arn(made) == package


def test_tables_are_asked_for_by_the_name_of_their_namespace(session):
    client = session.client("s3tables", region_name="us-east-1")
    bucket = client.create_table_bucket(name="bucket")["arn"]
    client.create_namespace(tableBucketARN=bucket, namespace=["sales"])
    [namespace] = session.resource("s3tables", region_name="us-east-1").TableBucket(bucket).namespaces.all()
    assert namespace.name == "sales"
    asked = []
    events = namespace.meta.client.meta.events
    events.register("before-call.*.ListTables", lambda params, **_: asked.append(params["query_string"]))
    # moto's list leaves out the ARN that the API's always has, and so there is nothing to make a table of.
    assert list(namespace.tables.all()) == []
    assert [each["namespace"] for each in asked] == ["sales"]
