"""From an ARN back to its resource, and from a pattern to all that match."""

from __future__ import annotations

import pytest

import mangrove
from mangrove.errors import DeclarationTypeError, InvalidArnError, UnknownResourceError
from mangrove.testing import EmbeddedAWS

ACCOUNT = "210987654321"


@pytest.fixture
def session():
    with EmbeddedAWS(accounts=[ACCOUNT]) as running:
        running.reset()
        yield running.session(region_name="eu-west-1")


@pytest.mark.parametrize(
    ("arn", "text"),
    [
        ("arn:aws:rds:us-west-2:{}:db:orders", "rds.DBInstance(identifier='orders')"),
        ("arn:aws:s3:::logs", "s3.Bucket(name='logs')"),
        ("arn:aws:s3:::logs/a/b.gz", "s3.Object(bucket_name='logs', key='a/b.gz')"),
        ("arn:aws:ec2:eu-west-1:{}:instance/i-1", "ec2.Instance(id='i-1')"),
        ("arn:aws:iam::{}:role/team/Reader", "iam.Role(name='Reader')"),
        ("arn:aws:route53:::hostedzone/Z1", "route53.HostedZone(id='/hostedzone/Z1')"),
        ("arn:aws:sns:eu-west-1:{}:alerts", "sns.Topic(arn='arn:aws:sns:eu-west-1:{}:alerts')"),
        (
            "arn:aws:sqs:eu-west-1:{}:orders",
            "sqs.Queue(url='https://sqs.eu-west-1.amazonaws.com/{}/orders')",
        ),
        (
            "arn:aws:elasticloadbalancing:eu-west-1:{}:loadbalancer/app/front/0123456789abcdef",
            "elbv2.LoadBalancer(arn='arn:aws:elasticloadbalancing:eu-west-1:{}:loadbalancer/app/front/0123456789abcdef')",
        ),
        ("arn:aws:elasticloadbalancing:eu-west-1:{}:loadbalancer/front", "elb.LoadBalancer(name='front')"),
        ("arn:aws:ssm:eu-west-1:{}:parameter/a/b", "ssm.Parameter(name='/a/b')"),
        ("arn:aws:ssm:eu-west-1:{}:parameter/a", "ssm.Parameter(name='a')"),
        ("arn:aws:rds:eu-west-1:{}:es:changes", "rds.EventSubscription(name='changes')"),
        (
            "arn:aws:elasticloadbalancing:eu-west-1:{}:listener-rule/app/front/01/23/45",
            "elbv2.Rule(arn='arn:aws:elasticloadbalancing:eu-west-1:{}:listener-rule/app/front/01/23/45')",
        ),
        (
            "arn:aws:wafv2:us-east-1:{}:global/ipset/bad/01234567-89ab-cdef-0123-456789abcdef",
            "wafv2.IPSet(scope='CLOUDFRONT', name='bad', id='01234567-89ab-cdef-0123-456789abcdef')",
        ),
    ],
)
def test_an_arn_is_its_resource(session, arn, text):
    calls = []
    session.events.register("before-call", lambda **given: calls.append(given))
    arn, text = arn.replace("{}", ACCOUNT), text.replace("{}", ACCOUNT)
    found = session.resource_from_arn(arn)
    assert repr(found) == text
    assert found.arn == found.get_arn() == arn
    assert session.resource_from_arn(mangrove.Arn.parse(arn)) == found
    region = arn.split(":")[3]
    assert not region or found.meta.client.meta.region_name == region
    assert calls == []


def test_its_data_has_the_last_word(session):
    session.client("iam").create_role(RoleName="r", Path="/new/", AssumeRolePolicyDocument="{}")
    role = session.resource_from_arn(f"arn:aws:iam::{ACCOUNT}:role/old/r")
    assert role.arn == f"arn:aws:iam::{ACCOUNT}:role/old/r"
    role.load()
    assert role.arn == f"arn:aws:iam::{ACCOUNT}:role/new/r"


def test_an_arn_of_another_partition_gets_a_region_of_it(session):
    assert session.resource_from_arn("arn:aws-cn:s3:::x").meta.client.meta.region_name.startswith("cn-")


@pytest.mark.parametrize("text", ["", "arn", "arn:aws:s3::", "arn:aws:s3:::", "arn:aws:s3:::a\n", "arn:mars:s3:::a"])
def test_what_is_no_arn(session, text):
    with pytest.raises(InvalidArnError):
        session.resource_from_arn(text)


def test_what_is_no_string(session):
    with pytest.raises(DeclarationTypeError):
        session.resource_from_arn(None)


def test_an_unknown_service_is_named(session):
    with pytest.raises(UnknownResourceError, match="'moonbase'.*no service of this botocore"):
        session.resource_from_arn(f"arn:aws:moonbase:eu-west-1:{ACCOUNT}:crater/1")


def test_an_unknown_type_tells_the_known_ones(session):
    with pytest.raises(UnknownResourceError, match=r"no known type of sqs; their ARNs end in \$\{QueueName\}"):
        session.resource_from_arn(f"arn:aws:sqs:eu-west-1:{ACCOUNT}:a/b/c")


def test_what_its_arn_does_not_identify_is_searched_for_on_request(session):
    fabric = {"Fabric": {"AdminUsername": "admin", "AdminPassword": "Not-a-secret1"}}
    logs = {"Fabric": {"CaLogs": {"Cloudwatch": {"Enabled": False}}}}
    threshold = {"ThresholdPercentage": 50, "ThresholdComparator": "GREATER_THAN", "ProposalDurationInHours": 24}
    network = session.client("managedblockchain").create_network(
        ClientRequestToken="t",
        Name="n",
        Framework="HYPERLEDGER_FABRIC",
        FrameworkVersion="1.2",
        VotingPolicy={"ApprovalThresholdPolicy": threshold},
        MemberConfiguration={"Name": "m", "FrameworkConfiguration": fabric, "LogPublishingConfiguration": logs},
        FrameworkConfiguration={"Fabric": {"Edition": "STARTER"}},
    )
    arn = f"arn:aws:managedblockchain:eu-west-1:{ACCOUNT}:members/{network['MemberId']}"
    with pytest.raises(UnknownResourceError, match="NetworkId.*search=True"):
        session.resource_from_arn(arn)
    found = session.resource_from_arn(arn, search=True)
    assert (found.network_id, found.arn) == (network["NetworkId"], arn)
    with pytest.raises(UnknownResourceError, match="no Member that can be listed has the ARN"):
        session.resource_from_arn(f"{arn}0", search=True)


def test_a_search_makes_every_choice_that_a_listing_asks_for(session):
    client = session.client("application-autoscaling")
    session.client("ecs").create_cluster(clusterName="c")
    where = {"ServiceNamespace": "dynamodb", "ResourceId": "table/t"}
    where["ScalableDimension"] = "dynamodb:table:ReadCapacityUnits"
    client.register_scalable_target(**where, MinCapacity=1, MaxCapacity=2)
    [target] = client.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
    found = session.resource_from_arn(target["ScalableTargetARN"], search=True)
    assert (found.service_namespace, found.resource_id) == ("dynamodb", "table/t")


class TestMatching:
    def asked(self, session):
        found = []

        def note(request, **_):
            found.append(request.headers["Authorization"].decode().split("/")[2])

        session.events.register("before-send.ec2", note)
        session.events.register("before-send.sqs", note)
        return found

    def test_a_pattern_selects_regions_and_collections(self, session):
        for region in ("eu-west-1", "eu-central-1", "us-east-1"):
            session.client("sqs", region_name=region).create_queue(QueueName=f"orders-{region}")
            session.client("sqs", region_name=region).create_queue(QueueName="other")
        asked = self.asked(session)
        regions = ["eu-west-1", "eu-central-1", "us-east-1"]
        found = list(session.resources_matching("arn:aws:sqs:eu-*:*:ord*", regions=regions))
        assert sorted(each.arn for each in found) == [
            f"arn:aws:sqs:eu-central-1:{ACCOUNT}:orders-eu-central-1",
            f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders-eu-west-1",
        ]
        assert set(asked) == {"eu-west-1", "eu-central-1"}

    def test_only_the_collections_that_can_match_are_asked(self, session):
        operations = []
        session.events.register("before-call.ec2", lambda model, **_: operations.append(model.name))
        assert list(session.resources_matching("arn:aws:ec2:eu-west-1:*:volume/*")) == []
        assert "DescribeVolumes" in operations
        assert "DescribeInstances" not in operations

    def test_all_enabled_regions_are_asked_where_none_is_named(self, session):
        session.client("sqs", region_name="eu-north-1").create_queue(QueueName="far")
        assert [each.arn for each in session.resources_matching("arn:aws:sqs:eu-*:*:far")] == [
            f"arn:aws:sqs:eu-north-1:{ACCOUNT}:far"
        ]

    def test_children_are_reached_through_their_parents(self, session):
        logs = session.client("logs")
        logs.create_log_group(logGroupName="g")
        logs.create_log_stream(logGroupName="g", logStreamName="s")
        found = list(session.resources_matching(f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:g:log-stream:*"))
        assert [each.arn for each in found] == [f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:g:log-stream:s"]

    def test_what_is_listed_by_account_is_reached_through_it(self, session):
        source = {"RedshiftParameters": {"Host": "h", "Port": 5439, "Database": "d"}}
        session.client("quicksight").create_data_source(
            AwsAccountId=ACCOUNT, DataSourceId="d", Name="d", Type="REDSHIFT", DataSourceParameters=source
        )
        [one] = session.resources_matching(f"arn:aws:quicksight:eu-west-1:{ACCOUNT}:datasource/*")
        assert (one.id, one.arn) == ("d", f"arn:aws:quicksight:eu-west-1:{ACCOUNT}:datasource/d")

    def test_what_has_no_region_is_asked_once(self, session):
        session.client("s3").create_bucket(
            Bucket="things", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        assert [each.arn for each in session.resources_matching("arn:aws:s3:::thi*")] == ["arn:aws:s3:::things"]

    def test_a_failing_call_is_told_or_raised(self, session):
        def deny(**_):
            from botocore.exceptions import ClientError

            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListQueues")

        session.events.register("before-call.sqs.ListQueues", deny)
        with pytest.raises(Exception, match="AccessDenied"):
            list(session.resources_matching("arn:aws:sqs:eu-west-1:*:*"))
        told = []
        found = session.resources_matching("arn:aws:sqs:eu-west-1:*:*", on_error=lambda *given: told.append(given))
        assert list(found) == []
        assert "sqs.ServiceResource.queues in eu-west-1" in [words for _, words in told]

    def test_a_bad_pattern_fails_before_the_first_call(self, session):
        with pytest.raises(InvalidArnError):
            session.resources_matching("arn:aws:ec2:eu_*:*:instance/*")
        with pytest.raises(DeclarationTypeError):
            session.resources_matching("arn:aws:ec2:eu-*:*:instance/*", regions="eu-west-1")

    @pytest.mark.parametrize("regions", ["eu-*", ["eu-*"]])
    def test_regions_may_be_globs(self, session, regions):
        for region in ("eu-west-1", "us-east-1"):
            session.client("sqs", region_name=region).create_queue(QueueName="globbed")
        found = session.resources_matching("arn:aws:sqs:*:*:globbed", regions=regions)
        assert [each.arn for each in found] == [f"arn:aws:sqs:eu-west-1:{ACCOUNT}:globbed"]
        assert list(session.resources_matching("arn:aws:iam::*:user/nobody", regions=regions)) == []

    @pytest.mark.parametrize(("pattern", "asked"), [("walked", 0), ("walked/*", 1), ("walk*", 2)])
    def test_only_buckets_whose_objects_can_match_are_listed(self, session, pattern, asked):
        s3, calls = session.client("s3"), []
        for name in ("walked", "walk-too", "another"):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
            s3.put_object(Bucket=name, Key="k", Body=b"")
        session.events.register("before-call.s3.ListObjects", lambda **_: calls.append(1))
        assert list(session.resources_matching(f"arn:aws:s3:::{pattern}"))
        assert len(calls) == asked
