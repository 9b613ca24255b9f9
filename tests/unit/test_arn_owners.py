"""Every botocore service has its IAM prefix, and every type one service that has it."""

from __future__ import annotations

import boto3
import botocore.session
import pytest

from mangrove.resources.formats import best_match, formats_of, known_prefixes
from mangrove.resources.owners import derived_prefix, owner_of, prefix_of, prefixes_of, services_of

LOADER = botocore.session.get_session().get_component("data_loader")
SERVICES = LOADER.list_available_services("service-2")

# IAM knows no permissions of these.
WITHOUT = {"applicationcostprofiler", "continuum", "iotthingsgraph", "mturk", "opensearchmemory"}

# Prefixes with types for which botocore has no client: the console's own, retired ones, and parts of other services.
UNOWNED = 60


@pytest.fixture(scope="module")
def metadata():
    return {service: LOADER.load_service_model(service, "service-2")["metadata"] for service in SERVICES}


def test_every_service_has_a_prefix_but_these(metadata):
    without = {service for service in SERVICES if prefix_of(service, metadata[service]) is None}
    assert without <= WITHOUT
    assert len(SERVICES) - len(without) >= 400


def test_the_metadata_says_what_the_table_says(metadata):
    by_hand = {
        "cloudcontrol": "cloudformation", "connectparticipant": "connect", "iot-data": "iot",
        "iot-jobs-data": "iotjobsdata", "iotevents-data": "iotevents",
        "iotsecuretunneling": "iot", "partnercentral-account": "partnercentral",
        "partnercentral-benefits": "partnercentral", "partnercentral-channel": "partnercentral",
        "partnercentral-selling": "partnercentral", "resourcegroupstaggingapi": "tag",
    }  # fmt: skip
    for service in SERVICES:
        derived = derived_prefix(service, metadata[service], known_prefixes())
        known = prefix_of(service)
        if known is not None:
            assert known == by_hand.get(service, derived), service


@pytest.mark.parametrize(
    ("service", "prefix"),
    [
        ("emr", "elasticmapreduce"), ("elb", "elasticloadbalancing"), ("elbv2", "elasticloadbalancing"),
        ("docdb", "rds"),
        ("neptune", "rds"), ("stepfunctions", "states"), ("cloudwatch", "cloudwatch"), ("events", "events"),
        ("logs", "logs"), ("ses", "ses"), ("sesv2", "ses"), ("kafka", "kafka"), ("mq", "mq"),
        ("apigatewayv2", "apigateway"), ("efs", "elasticfilesystem"), ("opensearch", "es"), ("s3control", "s3"),
        ("s3outposts", "s3-outposts"), ("sso-admin", "sso"), ("service-quotas", "servicequotas"), ("amp", "aps"),
        ("lexv2-models", "lex"), ("pinpoint", "mobiletargeting"), ("keyspaces", "cassandra"), ("mwaa", "airflow"),
        ("timestream-write", "timestream"), ("location", "geo"), ("qconnect", "wisdom"),
        ("greengrassv2", "greengrass"), ("migrationhub-config", "mgh"), ("iot-data", "iot"), ("nosuch", None),
    ],
)  # fmt: skip
def test_known_prefixes_of_services(service, prefix):
    assert prefix_of(service) == prefix


def test_a_service_newer_than_the_table_is_found_by_its_metadata():
    metadata = {"endpointPrefix": "api.new", "signingName": "elasticmapreduce", "serviceId": "New"}
    assert prefix_of("newemr", metadata) == "elasticmapreduce"
    assert prefix_of("newemr") is None
    assert prefixes_of("newemr") == ()


@pytest.mark.parametrize(
    ("arn", "service"),
    [
        ("arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/classic", "elb"),
        ("arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/a/0f1e", "elbv2"),
        ("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/0f1e", "elbv2"),
        ("arn:aws:rds:eu-west-1:123456789012:cluster:c", "rds"),
        ("arn:aws:apigateway:eu-west-1::/restapis/a1", "apigateway"),
        ("arn:aws:apigateway:eu-west-1::/restapis/a1/stages/prod", "apigateway"),
        ("arn:aws:apigateway:eu-west-1::/apis/a1/stages/prod", "apigatewayv2"),
        ("arn:aws:apigateway:eu-west-1::/domainnames/example.com", "apigateway"),
        ("arn:aws:apigateway:eu-west-1::/domainnames/example.com/apimappings/a1", "apigatewayv2"),
        ("arn:aws:s3:::bucket", "s3"),
        ("arn:aws:s3:::bucket/key", "s3"),
        ("arn:aws:s3:eu-west-1:123456789012:accesspoint/a", "s3control"),
        ("arn:aws:s3express:us-west-2:123456789012:bucket/b--usw2-az1--x-s3", "s3"),
        ("arn:aws:es:eu-west-1:123456789012:domain/d", "opensearch"),
        ("arn:aws:ses:eu-west-1:123456789012:identity/example.com", "sesv2"),
        ("arn:aws:states:eu-west-1:123456789012:stateMachine:m", "stepfunctions"),
        ("arn:aws:elasticmapreduce:eu-west-1:123456789012:cluster/j-1", "emr"),
        ("arn:aws:catalog:eu-west-1:123456789012:portfolio/p", "servicecatalog"),
        ("arn:aws:servicecatalog:eu-west-1:123456789012:/applications/a", "servicecatalog-appregistry"),
        ("arn:aws:sso:::instance/ssoins-1", "sso-admin"),
        ("arn:aws:bedrock:eu-west-1:123456789012:agent/A1", "bedrock-agent"),
        ("arn:aws:bedrock:eu-west-1::foundation-model/x", "bedrock"),
        ("arn:aws:lex:eu-west-1:123456789012:bot/B1", "lexv2-models"),
        ("arn:aws:lex:eu-west-1:123456789012:bot:b", "lex-models"),
        ("arn:aws:iam::123456789012:root", "sts"),
        ("arn:aws:ec2:eu-west-1:123456789012:vpc/v", "ec2"),
    ],
)
def test_a_type_has_one_service(arn, service):
    assert owner_of(best_match(arn).format, SERVICES) == service


def test_without_its_first_choice_a_type_goes_to_another_service_of_the_prefix():
    cluster = best_match("arn:aws:rds:eu-west-1:123456789012:cluster:c").format
    assert owner_of(cluster, ["docdb", "neptune"]) == "docdb"
    assert owner_of(cluster, ["ec2"]) is None
    assert services_of("rds", SERVICES) == ("docdb", "neptune", "rds")


def test_every_service_that_is_named_is_one_and_has_the_prefix():
    available = set(boto3.Session().get_available_services())
    owned = {}
    for prefix in sorted(known_prefixes()):
        for form in formats_of(prefix):
            owned.setdefault(prefix, set()).add(owner_of(form, SERVICES))
    for prefix, owners in owned.items():
        for owner in owners - {None}:
            assert owner in available
            assert prefix in prefixes_of(owner), (prefix, owner)
    assert sum(owners == {None} for owners in owned.values()) <= UNOWNED
