"""An ARN never names an account that does not own the resource."""

from __future__ import annotations

import pytest

import mangrove

ACCOUNT = "123456789012"
OTHER = "999999999999"


@pytest.fixture(scope="module")
def session():
    return mangrove.Session("AKIAIOSFODNN7EXAMPLE", "s" * 40, region_name="eu-west-1", aws_account_id=ACCOUNT)


@pytest.mark.parametrize(
    ("service", "kind", "data", "arn"),
    [
        ("ec2", "VpcEndpointService", {"ServiceId": "vpce-svc-1", "Owner": "amazon"}, None),
        (
            "ec2",
            "VpcEndpointService",
            {"ServiceId": "vpce-svc-1", "Owner": OTHER},
            f"arn:aws:ec2:eu-west-1:{OTHER}:vpc-endpoint-service/vpce-svc-1",
        ),
        ("ec2", "Subnet", {"OwnerId": OTHER}, f"arn:aws:ec2:eu-west-1:{OTHER}:subnet/x"),
        ("workspaces", "WorkspaceBundle", {"Owner": "AMAZON"}, None),
        ("ssm", "Document", {"Owner": "Amazon"}, None),
        ("ec2", "VpcEndpoint", {"VpcEndpointArn": "arn:aws:ec2"}, f"arn:aws:ec2:eu-west-1:{ACCOUNT}:vpc-endpoint/x"),
        ("ssm", "Document", {"Owner": ACCOUNT}, f"arn:aws:ssm:eu-west-1:{ACCOUNT}:document/x"),
    ],
)
def test_the_owner_is_who_the_data_says(session, service, kind, data, arn):
    resource = getattr(session.resource(service), kind)("x")
    resource.meta.data = data
    assert resource.arn == arn


@pytest.mark.parametrize(
    ("service", "kind", "name", "arn"),
    [
        ("ssm", "Document", "AWS-RunShellScript", None),
        ("ssm", "Document", "AmazonCloudWatch-ManageAgent", None),
        ("ssm", "Parameter", "/aws/service/ami", None),
        ("ssm", "Parameter", "/awsome", f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/awsome"),
        ("ec2", "PrefixList", "pl-1", "arn:aws:ec2:eu-west-1:aws:prefix-list/pl-1"),
        ("s3", "Bucket", "my-ap-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias", None),
        ("s3", "Bucket", "mfzwi23gnjvgw.mrap", None),
        ("s3", "Bucket", "logs.example.com", "arn:aws:s3:::logs.example.com"),
        ("rds", "DBInstance", "Orders", f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:orders"),
        ("rds", "DBClusterParameterGroup", "Mine", f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster-pg:mine"),
        ("dynamodb", "Table", "Orders", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/Orders"),
        ("rds", "DBSnapshot", f"arn:aws:rds:us-east-1:{OTHER}:snapshot:x", None),
        ("rds", "DBClusterSnapshot", f"arn:aws:rds:us-east-1:{OTHER}:cluster-snapshot:x", None),
    ],
)
def test_what_is_awss_or_anothers_is_not_the_callers(session, service, kind, name, arn):
    assert getattr(session.resource(service), kind)(name).arn == arn


@pytest.mark.parametrize(
    ("arn", "text"),
    [
        (f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/a/b", "ssm.Parameter(name='/a/b')"),
        ("arn:aws:ssm:us-east-1::document/AWS-RunShellScript", "ssm.Document(name='AWS-RunShellScript')"),
        ("arn:aws:ec2:us-east-1:aws:prefix-list/pl-1", "ec2.PrefixList(id='pl-1')"),
        (f"arn:aws:ec2:us-east-1:{ACCOUNT}:prefix-list/pl-1", "ec2.ManagedPrefixList(id='pl-1')"),
    ],
)
def test_such_an_arn_is_read_all_the_same(session, arn, text):
    resource = session.resource_from_arn(arn)
    assert (repr(resource), resource.arn) == (text, arn)


@pytest.mark.parametrize(
    ("url", "arn"),
    [
        ("https://sqs.us-west-2.amazonaws.com/{}/q", "arn:aws:sqs:us-west-2:{}:q"),
        ("https://us-west-2.queue.amazonaws.com/{}/q", "arn:aws:sqs:us-west-2:{}:q"),
        ("https://vpce-0a-1b.sqs.us-west-2.vpce.amazonaws.com/{}/q", "arn:aws:sqs:us-west-2:{}:q"),
        ("https://queue.amazonaws.com/{}/q", "arn:aws:sqs:eu-west-1:{}:q"),
        ("http://127.0.0.1:5000/{}/q", "arn:aws:sqs:eu-west-1:{}:q"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/{}/q", None),
    ],
)
def test_a_queues_region_is_that_of_its_url(session, url, arn):
    queue = session.resource("sqs").Queue(url.format(OTHER))
    assert queue.arn == (arn and arn.format(OTHER))


@pytest.mark.parametrize(
    ("partition", "region", "suffix"),
    [
        ("aws-cn", "cn-north-1", "amazonaws.com.cn"),
        ("aws-us-gov", "us-gov-west-1", "amazonaws.com"),
        ("aws-iso", "us-iso-east-1", "c2s.ic.gov"),
        ("aws-iso-b", "us-isob-east-1", "sc2s.sgov.gov"),
        ("aws-eusc", "eusc-de-east-1", "amazonaws.eu"),
    ],
)
def test_a_queues_url_is_of_its_partition(session, partition, region, suffix):
    queue = session.resource_from_arn(f"arn:{partition}:sqs:{region}:{ACCOUNT}:q")
    assert queue.url == f"https://sqs.{region}.{suffix}/{ACCOUNT}/q"
