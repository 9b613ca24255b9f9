"""What becomes of sample answers of AWS: names, ARNs, owners, regions and tags, by the resources of the library."""

from __future__ import annotations

import pytest
from botocore.exceptions import BotoCoreError, ClientError, PaginationError
from botocore.stub import Stubber

import mangrove
from mangrove.fleet import Target
from mangrove.fleet.listing import Listing
from mangrove.inventory import DEFAULT_TYPES, Kind
from mangrove.inventory.choosing import choose
from mangrove.inventory.reading import Reader
from mangrove.inventory.wanted import Wanted
from mangrove.resources.kinds import kind_of
from mangrove.resources.listing import walk
from mangrove.resources.lookups import LOOKUPS, read_tags
from mangrove.resources.ways import Ways, page_size_of

ACCOUNT = "111111111111"
OTHER = "222222222222"
REGION = "eu-west-1"
REGIONS = ("eu-west-1", "us-east-1", "us-east-2", "us-west-2")
REGIONAL = f"{REGION}:{ACCOUNT}"
KEY_ID = "618979ba-a622-4342-86ee-64379d359a8c"
TAGS = [{"Key": "team", "Value": "web"}]
ACL = {"Name": "front", "Id": KEY_ID, "ARN": f"arn:aws:wafv2:{REGIONAL}:regional/webacl/front/{KEY_ID}"}


class Desk:
    """Reads a type from answers that are given one after the other; what is asked beyond them is refused."""

    ways = Ways()

    def __init__(self, region=REGION, **session):
        given = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "aws_account_id": ACCOUNT}
        self.region = region
        self.session = mangrove.Session(region_name=region, **given, **session)

    def rows(self, kind, *answers, regions=REGIONS, wanted=None):
        way = self.ways.of(kind_of(kind))
        self.client = self.session.client(way.kind.service)
        self.stub = Stubber(self.client)
        for operation, answer, *asked in answers:
            if isinstance(answer, str):
                self.stub.add_client_error(operation, answer)
            else:
                self.stub.add_response(operation, answer, *asked)
        self.stub.activate()
        self.faults, self.asked, rows = [], [], []
        target = Target(ACCOUNT, self.region, way.kind.service, self.client.meta.partition, way.kind.name)
        listing = Listing(target, way, self.ways, regions, self.faults.append, None)
        walking = walk(way, Reader(listing, wanted or Wanted()).finish, self.faults.append)
        event = next(walking, None)
        while event is not None:
            try:
                event = (
                    next(walking) if isinstance(event, list) and not rows.extend(event) else self.go_on(walking, event)
                )
            except StopIteration:
                break
        return rows

    def go_on(self, walking, ask):
        self.asked.append((ask.operation.method, ask.region, ask.spare))
        try:
            answer = getattr(self.client, ask.operation.method)(**ask.parameters)
        except (BotoCoreError, ClientError) as error:
            return walking.throw(error)
        return walking.send(answer)


def arn(service, resource):
    return f"arn:aws:{service}:{REGIONAL}:{resource}"


TOPIC = arn("sns", "alarms")
CLUSTER = arn("ecs", "cluster/web")
BUSES = ("list_event_buses", {"EventBuses": [{"Name": "default", "Arn": arn("events", "event-bus/default")}]})
SAMPLES = {
    "acm.certificates": (
        [("list_certificates", {"CertificateSummaryList": [{"CertificateArn": arn("acm", f"certificate/{KEY_ID}")}]})],
        (KEY_ID, arn("acm", f"certificate/{KEY_ID}")),
    ),
    "apigateway.rest_apis": (
        [("get_rest_apis", {"items": [{"id": "a1b2c3", "name": "shop"}]})],
        ("shop", f"arn:aws:apigateway:{REGION}::/restapis/a1b2c3"),
    ),
    "autoscaling.auto_scaling_groups": (
        [
            (
                "describe_auto_scaling_groups",
                {
                    "AutoScalingGroups": [
                        {
                            "AutoScalingGroupName": "web",
                            "AutoScalingGroupARN": arn(
                                "autoscaling", f"autoScalingGroup:{KEY_ID}:autoScalingGroupName/web"
                            ),
                            "MinSize": 0,
                            "MaxSize": 1,
                            "DesiredCapacity": 0,
                            "DefaultCooldown": 1,
                            "AvailabilityZones": ["eu-west-1a"],
                            "HealthCheckType": "EC2",
                            "CreatedTime": 0,
                        }
                    ]
                },
            )
        ],
        ("web", arn("autoscaling", f"autoScalingGroup:{KEY_ID}:autoScalingGroupName/web")),
    ),
    "cloudformation.stacks": (
        [
            (
                "describe_stacks",
                {
                    "Stacks": [
                        {
                            "StackName": "web",
                            "StackId": arn("cloudformation", "stack/web/94f5"),
                            "CreationTime": 0,
                            "StackStatus": "CREATE_COMPLETE",
                        }
                    ]
                },
            )
        ],
        ("web", arn("cloudformation", "stack/web/94f5")),
    ),
    "cloudtrail.trails": (
        [("list_trails", {"Trails": [{"Name": "audit", "TrailARN": arn("cloudtrail", "trail/audit")}]})],
        ("audit", arn("cloudtrail", "trail/audit")),
    ),
    "cloudwatch.alarms": (
        [("describe_alarms", {"MetricAlarms": [{"AlarmName": "cpu", "AlarmArn": arn("cloudwatch", "alarm:cpu")}]})],
        ("cpu", arn("cloudwatch", "alarm:cpu")),
    ),
    "dynamodb.tables": ([("list_tables", {"TableNames": ["jobs"]})], ("jobs", arn("dynamodb", "table/jobs"))),
    "ec2.instances": (
        [("describe_instances", {"Reservations": [{"OwnerId": ACCOUNT, "Instances": [{"InstanceId": "i-0dd3"}]}]})],
        ("i-0dd3", arn("ec2", "instance/i-0dd3")),
    ),
    "ec2.security_groups": (
        [("describe_security_groups", {"SecurityGroups": [{"GroupId": "sg-1", "OwnerId": ACCOUNT}]})],
        ("sg-1", arn("ec2", "security-group/sg-1")),
    ),
    "ec2.subnets": (
        [
            (
                "describe_subnets",
                {"Subnets": [{"SubnetId": "subnet-1", "SubnetArn": f"arn:aws:ec2:{REGION}:{OTHER}:subnet/subnet-1"}]},
            )
        ],
        ("subnet-1", f"arn:aws:ec2:{REGION}:{OTHER}:subnet/subnet-1"),
    ),
    "ec2.volumes": (
        [("describe_volumes", {"Volumes": [{"VolumeId": "vol-1"}]})],
        ("vol-1", arn("ec2", "volume/vol-1")),
    ),
    "ec2.vpcs": (
        [("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1", "OwnerId": OTHER}]})],
        ("vpc-1", f"arn:aws:ec2:{REGION}:{OTHER}:vpc/vpc-1"),
    ),
    "ecr.repositories": (
        [
            (
                "describe_repositories",
                {"repositories": [{"repositoryName": "a/b", "repositoryArn": arn("ecr", "repository/a/b")}]},
            )
        ],
        ("a/b", arn("ecr", "repository/a/b")),
    ),
    "ecs.clusters": ([("list_clusters", {"clusterArns": [CLUSTER]})], ("web", CLUSTER)),
    "ecs.clusters.services": (
        [
            ("list_clusters", {"clusterArns": [CLUSTER]}),
            ("list_services", {"serviceArns": [arn("ecs", "service/web/api")]}, {"cluster": CLUSTER}),
        ],
        ("api", arn("ecs", "service/web/api")),
    ),
    "efs.file_systems": (
        [
            (
                "describe_file_systems",
                {
                    "FileSystems": [
                        {
                            "FileSystemId": "fs-1",
                            "FileSystemArn": arn("elasticfilesystem", "file-system/fs-1"),
                            "OwnerId": ACCOUNT,
                            "CreationToken": "x",
                            "CreationTime": 0,
                            "LifeCycleState": "available",
                            "NumberOfMountTargets": 0,
                            "SizeInBytes": {"Value": 0},
                            "PerformanceMode": "generalPurpose",
                            "Tags": TAGS,
                        }
                    ]
                },
            )
        ],
        ("fs-1", arn("elasticfilesystem", "file-system/fs-1")),
    ),
    "eks.clusters": ([("list_clusters", {"clusters": ["web"]})], ("web", arn("eks", "cluster/web"))),
    "elasticache.replication_groups": (
        [
            (
                "describe_replication_groups",
                {
                    "ReplicationGroups": [
                        {"ReplicationGroupId": "web", "ARN": arn("elasticache", "replicationgroup:web")}
                    ]
                },
            )
        ],
        ("web", arn("elasticache", "replicationgroup:web")),
    ),
    "elbv2.load_balancers": (
        [
            (
                "describe_load_balancers",
                {
                    "LoadBalancers": [
                        {
                            "LoadBalancerName": "web",
                            "LoadBalancerArn": arn("elasticloadbalancing", "loadbalancer/app/web/50dc"),
                        }
                    ]
                },
            )
        ],
        ("web", arn("elasticloadbalancing", "loadbalancer/app/web/50dc")),
    ),
    "elbv2.target_groups": (
        [
            (
                "describe_target_groups",
                {
                    "TargetGroups": [
                        {
                            "TargetGroupName": "web",
                            "TargetGroupArn": arn("elasticloadbalancing", "targetgroup/web/50"),
                        }
                    ]
                },
            )
        ],
        ("web", arn("elasticloadbalancing", "targetgroup/web/50")),
    ),
    "events.event_buses": ([BUSES], ("default", arn("events", "event-bus/default"))),
    "events.event_buses.rules": (
        [
            BUSES,
            (
                "list_rules",
                {"Rules": [{"Name": "nightly", "Arn": arn("events", "rule/nightly")}]},
                {"EventBusName": "default"},
            ),
        ],
        ("nightly", arn("events", "rule/nightly")),
    ),
    "iam.roles": (
        [
            (
                "list_roles",
                {
                    "Roles": [
                        {
                            "RoleName": "ops",
                            "Arn": f"arn:aws:iam::{ACCOUNT}:role/path/ops",
                            "Path": "/path/",
                            "RoleId": "AROA0123456789012345",
                            "CreateDate": 0,
                        }
                    ]
                },
                {"MaxItems": 1000},
            )
        ],
        ("ops", f"arn:aws:iam::{ACCOUNT}:role/path/ops"),
    ),
    "iam.users": (
        [
            (
                "list_users",
                {
                    "Users": [
                        {
                            "UserName": "ada",
                            "Arn": f"arn:aws:iam::{ACCOUNT}:user/ada",
                            "Path": "/",
                            "UserId": "AIDA0123456789012345",
                            "CreateDate": 0,
                        }
                    ]
                },
            )
        ],
        ("ada", f"arn:aws:iam::{ACCOUNT}:user/ada"),
    ),
    "kinesis.streams": (
        [("list_streams", {"StreamNames": ["clicks"], "HasMoreStreams": False})],
        ("clicks", arn("kinesis", "stream/clicks")),
    ),
    "kms.keys": (
        [("list_keys", {"Keys": [{"KeyId": KEY_ID, "KeyArn": arn("kms", f"key/{KEY_ID}")}]}, {"Limit": 1000})],
        (KEY_ID, arn("kms", f"key/{KEY_ID}")),
    ),
    "lambda.functions": (
        [
            (
                "list_functions",
                {"Functions": [{"FunctionName": "pay", "FunctionArn": arn("lambda", "function:pay")}]},
            )
        ],
        ("pay", arn("lambda", "function:pay")),
    ),
    "logs.log_groups": (
        [
            (
                "describe_log_groups",
                {
                    "logGroups": [
                        {
                            "logGroupName": "/x",
                            "arn": arn("logs", "log-group:/x:*"),
                            "logGroupArn": arn("logs", "log-group:/x"),
                        }
                    ]
                },
                {"limit": 50},
            )
        ],
        ("/x", arn("logs", "log-group:/x")),
    ),
    "opensearch.domains": (
        [("list_domain_names", {"DomainNames": [{"DomainName": "search"}]})],
        ("search", arn("es", "domain/search")),
    ),
    "rds.db_instances": (
        [
            (
                "describe_db_instances",
                {
                    "DBInstances": [
                        {"DBInstanceIdentifier": "db", "DBInstanceArn": arn("rds", "db:db"), "TagList": TAGS}
                    ]
                },
            )
        ],
        ("db", arn("rds", "db:db")),
    ),
    "redshift.clusters": (
        [("describe_clusters", {"Clusters": [{"ClusterIdentifier": "dw", "Tags": TAGS}]})],
        ("dw", arn("redshift", "cluster:dw")),
    ),
    "route53.hosted_zones": (
        [
            (
                "list_hosted_zones",
                {
                    "HostedZones": [{"Id": "/hostedzone/Z08", "Name": "example.com.", "CallerReference": "x"}],
                    "Marker": "",
                    "IsTruncated": False,
                    "MaxItems": "100",
                },
            )
        ],
        ("example.com.", "arn:aws:route53:::hostedzone/Z08"),
    ),
    "s3.buckets": (
        [("list_buckets", {"Buckets": [{"Name": "logs", "BucketRegion": REGION}]}, {"MaxBuckets": 1000})],
        ("logs", "arn:aws:s3:::logs"),
    ),
    "secretsmanager.secrets": (
        [
            (
                "list_secrets",
                {"SecretList": [{"Name": "prod/db", "ARN": arn("secretsmanager", "secret:prod/db-tMQJTV")}]},
                {"MaxResults": 100},
            )
        ],
        ("prod/db", arn("secretsmanager", "secret:prod/db-tMQJTV")),
    ),
    "sns.topics": ([("list_topics", {"Topics": [{"TopicArn": TOPIC}]})], ("alarms", TOPIC)),
    "sqs.queues": (
        [
            (
                "list_queues",
                {"QueueUrls": [f"https://sqs.{REGION}.amazonaws.com/{OTHER}/jobs.fifo"]},
                {"MaxResults": 1000},
            )
        ],
        ("jobs.fifo", f"arn:aws:sqs:{REGION}:{OTHER}:jobs.fifo"),
    ),
    "ssm.parameters": (
        [("describe_parameters", {"Parameters": [{"Name": "/a/b"}]}, {"MaxResults": 50})],
        ("/a/b", arn("ssm", "parameter/a/b")),
    ),
    "stepfunctions.state_machines": (
        [
            (
                "list_state_machines",
                {
                    "stateMachines": [
                        {
                            "name": "refund",
                            "stateMachineArn": arn("states", "stateMachine:refund"),
                            "type": "STANDARD",
                            "creationDate": 0,
                        }
                    ]
                },
            )
        ],
        ("refund", arn("states", "stateMachine:refund")),
    ),
    "wafv2.regional_web_acls": ([("list_web_acls", {"WebACLs": [ACL]}, {"Scope": "REGIONAL"})], ("front", ACL["ARN"])),
}
# Its items have dozens of members that a stub asks for: the embedded AWS shows it.
SHOWN_ELSEWHERE = {"cloudfront.distributions"}


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_a_sample_answer_gives_name_and_arn(kind):
    answers, expected = SAMPLES[kind]
    (row,) = Desk().rows(kind, *answers)
    assert (row.name, row.arn) == expected
    assert (row.account, row.region, row.partition) == (ACCOUNT, REGION, "aws")
    assert (row.service, row.type) == (kind.partition(".")[0], kind)


def test_every_default_type_has_a_sample():
    assert {*SAMPLES, *SHOWN_ELSEWHERE} == set(DEFAULT_TYPES)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_an_arn_follows_the_partition(partition):
    region = {"aws": "eu-west-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}[partition]
    (row,) = Desk(region).rows("ec2.vpcs", ("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1"}]}))
    assert (row.arn, row.partition) == (f"arn:{partition}:ec2:{region}:{ACCOUNT}:vpc/vpc-1", partition)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("sqs.queues", ("list_queues", {"QueueUrls": ["https://example.com/"]})),
        ("ec2.volumes", ("describe_volumes", {"Volumes": [{"VolumeId": ""}]})),
    ],
)
def test_what_fits_no_rule_has_no_arn(kind, answer):
    assert [row.arn for row in Desk().rows(kind, answer)] == [None]


@pytest.mark.parametrize("kind", ["ec2.vpcs", "elbv2.load_balancers", "iam.roles"])
def test_an_empty_answer_has_no_rows(kind):
    operation = {"ec2.vpcs": "describe_vpcs", "elbv2.load_balancers": "describe_load_balancers"}.get(kind, "list_roles")
    desk = Desk()
    assert desk.rows(kind, (operation, {"Roles": []} if kind == "iam.roles" else {})) == []
    assert desk.faults == []


def test_a_row_has_what_the_list_said():
    (row,) = Desk().rows("ec2.vpcs", ("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}]}))
    assert row.data == {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}


class TestTags:
    def test_in_the_answer_they_need_no_call(self):
        (row,) = Desk().rows("ec2.vpcs", ("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1", "Tags": TAGS}]}))
        assert row.tags == {"team": "web"}

    def test_a_list_that_has_them_where_there_are_some_is_not_asked_for_more(self):
        desk = Desk()
        (row,) = desk.rows("ec2.vpcs", ("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1"}]}))
        assert (row.tags, desk.faults) == ({}, [])

    def test_a_list_that_cannot_have_them_makes_the_resource_be_loaded(self):
        found = {"Summaries": [{"StackSetName": "base"}]}
        loaded = {
            "StackSet": {"StackSetName": "base", "StackSetARN": arn("cloudformation", "stackset/base:1"), "Tags": TAGS}
        }
        (row,) = Desk().rows(
            Kind("cloudformation.stack_sets"), ("list_stack_sets", found), ("describe_stack_set", loaded)
        )
        assert (row.arn, row.tags) == (arn("cloudformation", "stackset/base:1"), {"team": "web"})

    def test_a_type_whose_api_has_none_says_that_they_are_not_known(self):
        user = {"UserName": "a", "Arn": f"arn:aws:iam::{ACCOUNT}:group/a", "Path": "/"}
        group = {"GroupName": "a", "GroupId": "AGPA0123456789012345", "CreateDate": 0, **user}
        del group["UserName"]
        desk = Desk()
        assert [row.tags for row in desk.rows("iam.groups", ("list_groups", {"Groups": [group]}))] == [None]
        assert desk.faults == []

    def test_those_that_cannot_be_read_are_told_from_none(self):
        desk = Desk()
        (row,) = desk.rows(
            "sns.topics", ("list_topics", {"Topics": [{"TopicArn": TOPIC}]}), ("list_tags_for_resource", "AccessDenied")
        )
        assert (row.arn, row.tags) == (TOPIC, None)
        assert [fault.response["Error"]["Code"] for fault in desk.faults] == ["AccessDenied"]

    def test_many_are_asked_for_in_the_fewest_calls(self):
        arns = [arn("ecs", f"cluster/c{number}") for number in range(150)]
        answers = [
            (
                "describe_clusters",
                # The last of each call was deleted since.
                {"clusters": [{"clusterArn": one, "tags": [{"key": "arn", "value": one}]} for one in part[:-1]]},
                {"clusters": part, "include": ["TAGS"]},
            )
            for part in (arns[:100], arns[100:])
        ]
        desk = Desk()
        found = desk.rows("ecs.clusters", ("list_clusters", {"clusterArns": arns}), *answers)
        desk.stub.assert_no_pending_responses()
        assert [row.tags for row in found[:99]] == [{"arn": row.arn} for row in found[:99]]
        assert found[99].tags is found[149].tags is None

    @pytest.mark.parametrize(("code", "asked", "kept"), [("TargetGroupNotFound", 3, 1), ("AccessDenied", 1, 0)])
    def test_one_that_is_gone_does_not_cost_the_others_theirs(self, code, asked, kept):
        groups = [
            {"TargetGroupName": name, "TargetGroupArn": arn("elasticloadbalancing", f"targetgroup/{name}/50")}
            for name in ("gone", "web")
        ]
        tags = {"TagDescriptions": [{"ResourceArn": groups[1]["TargetGroupArn"], "Tags": TAGS}]}
        answers = [("describe_tags", code), ("describe_tags", "TargetGroupNotFound"), ("describe_tags", tags)][:asked]
        desk = Desk()
        found = desk.rows("elbv2.target_groups", ("describe_target_groups", {"TargetGroups": groups}), *answers)
        desk.stub.assert_no_pending_responses()
        assert [row.tags for row in found] == [None, {"team": "web"} if kept else None]
        assert len(desk.faults) == 1

    def test_those_of_all_roles_are_two_calls(self):
        role = {"Path": "/", "RoleId": "AROA0123456789012345", "CreateDate": 0}
        roles = [{"RoleName": name, "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", **role} for name in ("a", "b")]
        details = [{**roles[0], "Tags": TAGS}, roles[1]]
        desk = Desk()
        found = desk.rows(
            "iam.roles",
            ("list_roles", {"Roles": roles}),
            ("get_account_authorization_details", {"RoleDetailList": details}, {"Filter": ["Role"]}),
        )
        assert [(row.name, row.tags) for row in found] == [("a", {"team": "web"}), ("b", {})]
        assert desk.faults == []

    @pytest.mark.parametrize(
        "spelled", [TAGS, [{"key": "team", "value": "web"}], [{"TagKey": "team", "TagValue": "web"}]]
    )
    def test_every_spelling_is_read(self, spelled):
        assert read_tags(spelled) == read_tags({"team": "web"}) == {"team": "web"}
        assert read_tags([{"Key": "team"}]) == {"team": ""}
        assert read_tags(None) == read_tags([]) == {}

    @pytest.mark.parametrize("kind", sorted(LOOKUPS))
    def test_every_entry_of_the_table_fits_the_installed_botocore(self, kind):
        lookup, client = LOOKUPS[kind], Desk().session.client(kind.partition(".")[0])
        api = client.meta.method_to_api_mapping[lookup.operation]
        inputs = client.meta.service_model.operation_model(api).input_shape.members
        assert {name for name, _ in lookup.fixed} | ({lookup.param} if lookup.param else set()) <= set(inputs)
        Desk.ways.check(kind_of(kind))


class TestHomes:
    buckets = ({"Name": "plain"}, {"Name": "tagged", "BucketRegion": "us-west-2"}, {"Name": "closed"})

    def answers(self, *tags):
        return (
            ("list_buckets", {"Buckets": list(self.buckets)}),
            ("get_bucket_location", {"LocationConstraint": "EU"}, {"Bucket": "plain"}),
            # The answer told the region of the second: it is not asked for.
            ("get_bucket_location", {"LocationConstraint": ""}, {"Bucket": "closed"}),
            ("get_bucket_tagging", "NoSuchTagSet"),
            ("get_bucket_tagging", {"TagSet": TAGS}, {"Bucket": "tagged"}),
            *tags,
        )

    def test_each_bucket_has_its_own_region_and_a_refusal_costs_only_the_tags(self):
        desk = Desk()
        found = desk.rows("s3.buckets", *self.answers(("get_bucket_tagging", "AccessDenied")))
        assert [(row.name, row.region, row.tags) for row in found] == [
            ("plain", "eu-west-1", {}),
            ("tagged", "us-west-2", {"team": "web"}),
            ("closed", "us-east-1", None),
        ]
        assert [fault.response["Error"]["Code"] for fault in desk.faults] == ["AccessDenied"]

    def test_a_bucket_of_a_region_not_asked_for_is_left_out(self):
        answers = self.answers()
        found = Desk().rows(
            "s3.buckets",
            *(*answers[:3], answers[4]),
            regions=("us-west-2",),
        )
        assert [row.name for row in found] == ["tagged"]

    def test_a_trail_is_in_its_home_region(self):
        trail = {"Name": "org", "TrailARN": arn("cloudtrail", "trail/org"), "HomeRegion": "us-east-2"}
        tags = {"ResourceTagList": [{"ResourceId": trail["TrailARN"], "TagsList": TAGS}]}
        (row,) = Desk().rows("cloudtrail.trails", ("list_trails", {"Trails": [trail]}), ("list_tags", tags))
        assert (row.region, row.tags) == ("us-east-2", {"team": "web"})


class TestPages:
    def acls(self, number):
        name = f"acl-{number}"
        return {"WebACLs": [{**ACL, "Name": name, "ARN": arn("wafv2", f"regional/webacl/{name}/{KEY_ID}")}]}

    def test_a_list_that_botocore_cannot_paginate_is_read_to_its_end(self):
        desk = Desk()
        tags = ("list_tags_for_resource", {"TagInfoForResource": {"TagList": TAGS}})
        found = desk.rows(
            "wafv2.regional_web_acls",
            ("list_web_acls", {**self.acls(1), "NextMarker": "m"}, {"Scope": "REGIONAL"}),
            tags,
            ("list_web_acls", self.acls(2), {"Scope": "REGIONAL", "NextMarker": "m"}),
            tags,
        )
        assert [(row.name, row.tags) for row in found] == [("acl-1", {"team": "web"}), ("acl-2", {"team": "web"})]

    def test_a_list_whose_token_comes_back_does_not_pretend_to_be_whole(self):
        desk = Desk()
        page = {"EventBuses": [{"Name": "a", "Arn": arn("events", "event-bus/a")}], "NextToken": "same"}
        with pytest.raises(PaginationError, match="twice"):
            desk.rows(
                Kind("events.event_buses"), *[step for _ in range(2) for step in (("list_event_buses", page), TAGLESS)]
            )

    def test_as_many_as_an_operation_takes_are_asked_for(self):
        def size(operation, wanted, service="ec2"):
            return page_size_of(Desk.ways.operation(service, operation), wanted)

        assert size("describe_instances", 500) == {"MaxResults": 500}
        assert size("describe_launch_templates", 500) == {"MaxResults": 200}
        assert size("describe_addresses", 500) == size("describe_instances", None) == {}
        assert size("list_hosted_zones", 100, "route53") == {"MaxItems": "100"}

    @pytest.mark.parametrize("service", ["ec2", "iam", "sqs"])
    def test_whatever_has_a_page_size_takes_one(self, service):
        loader = Desk().session._session.get_component("data_loader")
        paginators = loader.load_service_model(service, "paginators-1")["pagination"]
        for one in Desk.ways.model(service).collections:
            operation = Desk.ways.operation(service, one.request.operation)
            if operation.name in paginators and page_size_of(operation, 1):
                assert paginators[operation.name]["limit_key"] in page_size_of(operation, 1), one.name

    def test_a_parent_that_is_gone_costs_only_its_own(self):
        other = arn("ecs", "cluster/other")
        desk = Desk()
        found = desk.rows(
            "ecs.clusters.services",
            ("list_clusters", {"clusterArns": [CLUSTER, other]}),
            ("list_services", "ClusterNotFoundException"),
            ("list_services", {"serviceArns": [arn("ecs", "service/other/api")]}),
            ("list_tags_for_resource", {"tags": []}),
        )
        assert [row.arn for row in found] == [arn("ecs", "service/other/api")]
        assert len(desk.faults) == 1

    def test_what_everybody_shares_is_not_the_accounts(self):
        desk = Desk()
        assert (
            desk.rows("ec2.images", ("describe_images", {"Images": []}, {"Owners": ["self"], "MaxResults": 500})) == []
        )
        asked = {"OwnerIds": ["self"], "MaxResults": 500}
        assert desk.rows("ec2.snapshots", ("describe_snapshots", {"Snapshots": []}, asked)) == []
        asked = {"Scope": "Local", "MaxItems": 1000}
        assert desk.rows("iam.policies", ("list_policies", {"Policies": []}, asked)) == []
        asked = {"Limit": 10_000}
        answer = {"DeliveryStreamNames": [], "HasMoreDeliveryStreams": False}
        assert desk.rows("firehose.delivery_streams", ("list_delivery_streams", answer, asked)) == []


TAGLESS = ("list_tags_for_resource", {"Tags": []})


class TestWhatIsAskedFor:
    def test_all_default_types_are_there(self):
        assert [choice.kind.name for choice in choose(DEFAULT_TYPES, Desk.ways)] == list(DEFAULT_TYPES)
        assert len(set(DEFAULT_TYPES)) == len(DEFAULT_TYPES)
        assert list(DEFAULT_TYPES) == sorted(DEFAULT_TYPES)
