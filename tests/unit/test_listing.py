"""The table of listings against sample answers of AWS: names, ARNs, owners and tags."""

from __future__ import annotations

import pytest

from mangrove.errors import ConfigError
from mangrove.inventory import LISTINGS, Listing, collect
from mangrove.inventory.listing import Place, Row, find_arn, find_items, find_row, is_arn, read_tags
from mangrove.inventory.reader import Reader, pages

ACCOUNT = "111111111111"
OTHER = "222222222222"
HERE = Place("aws", "eu-west-1", ACCOUNT)
REGIONAL = f"eu-west-1:{ACCOUNT}"
KEY_ID = "618979ba-a622-4342-86ee-64379d359a8c"


def entry(service: str, kind: str) -> Listing:
    return next(listing for listing in LISTINGS if (listing.service, listing.type) == (service, kind))


def rows(service: str, kind: str, page: dict, place: Place = HERE) -> list[Row]:
    listing = entry(service, kind)
    return [find_row(listing, item, place) for item in find_items(listing, page)]


SAMPLES = [
    (
        "cloudformation",
        "stack",
        {"Stacks": [{"StackName": "web", "StackId": f"arn:aws:cloudformation:{REGIONAL}:stack/web/94f5"}]},
        ("web", f"arn:aws:cloudformation:{REGIONAL}:stack/web/94f5"),
    ),
    ("dynamodb", "table", {"TableNames": ["jobs"]}, ("jobs", f"arn:aws:dynamodb:{REGIONAL}:table/jobs")),
    (
        "ec2",
        "instance",
        {"Reservations": [{"OwnerId": ACCOUNT, "Instances": [{"InstanceId": "i-0dd3"}]}]},
        ("i-0dd3", f"arn:aws:ec2:{REGIONAL}:instance/i-0dd3"),
    ),
    (
        "ec2",
        "security-group",
        {"SecurityGroups": [{"GroupId": "sg-1", "OwnerId": ACCOUNT}]},
        ("sg-1", f"arn:aws:ec2:{REGIONAL}:security-group/sg-1"),
    ),
    (
        "ec2",
        "subnet",
        {"Subnets": [{"SubnetId": "subnet-1", "SubnetArn": f"arn:aws:ec2:eu-west-1:{OTHER}:subnet/subnet-1"}]},
        ("subnet-1", f"arn:aws:ec2:eu-west-1:{OTHER}:subnet/subnet-1"),
    ),
    ("ec2", "volume", {"Volumes": [{"VolumeId": "vol-1"}]}, ("vol-1", f"arn:aws:ec2:{REGIONAL}:volume/vol-1")),
    (
        "ec2",
        "vpc",
        {"Vpcs": [{"VpcId": "vpc-1", "OwnerId": OTHER}]},
        ("vpc-1", f"arn:aws:ec2:eu-west-1:{OTHER}:vpc/vpc-1"),
    ),
    (
        "ecr",
        "repository",
        {"repositories": [{"repositoryName": "a/b", "repositoryArn": f"arn:aws:ecr:{REGIONAL}:repository/a/b"}]},
        ("a/b", f"arn:aws:ecr:{REGIONAL}:repository/a/b"),
    ),
    (
        "ecs",
        "cluster",
        {"clusterArns": [f"arn:aws:ecs:{REGIONAL}:cluster/web"]},
        ("web", f"arn:aws:ecs:{REGIONAL}:cluster/web"),
    ),
    (
        "events",
        "event-bus",
        {"EventBuses": [{"Name": "default", "Arn": f"arn:aws:events:{REGIONAL}:event-bus/default"}]},
        ("default", f"arn:aws:events:{REGIONAL}:event-bus/default"),
    ),
    (
        "events",
        "rule",
        {"Rules": [{"Name": "nightly", "Arn": f"arn:aws:events:{REGIONAL}:rule/bus/nightly"}]},
        ("nightly", f"arn:aws:events:{REGIONAL}:rule/bus/nightly"),
    ),
    (
        "iam",
        "role",
        {"RoleDetailList": [{"RoleName": "r", "Arn": f"arn:aws:iam::{ACCOUNT}:role/path/r"}]},
        ("r", f"arn:aws:iam::{ACCOUNT}:role/path/r"),
    ),
    (
        "iam",
        "user",
        {"UserDetailList": [{"UserName": "u", "Arn": f"arn:aws:iam::{ACCOUNT}:user/u"}]},
        ("u", f"arn:aws:iam::{ACCOUNT}:user/u"),
    ),
    (
        "kms",
        "key",
        {"Keys": [{"KeyId": KEY_ID, "KeyArn": f"arn:aws:kms:{REGIONAL}:key/{KEY_ID}"}]},
        (KEY_ID, f"arn:aws:kms:{REGIONAL}:key/{KEY_ID}"),
    ),
    (
        "lambda",
        "function",
        {"Functions": [{"FunctionName": "f", "FunctionArn": f"arn:aws:lambda:{REGIONAL}:function:f"}]},
        ("f", f"arn:aws:lambda:{REGIONAL}:function:f"),
    ),
    (
        "logs",
        "log-group",
        {"logGroups": [{"logGroupName": "/x", "arn": f"arn:aws:logs:{REGIONAL}:log-group:/x:*"}]},
        ("/x", f"arn:aws:logs:{REGIONAL}:log-group:/x"),
    ),
    (
        "logs",
        "log-group",
        {
            "logGroups": [
                {
                    "logGroupName": "/x",
                    "arn": f"arn:aws:logs:{REGIONAL}:log-group:/x:*",
                    "logGroupArn": f"arn:aws:logs:{REGIONAL}:log-group:/x",
                }
            ]
        },
        ("/x", f"arn:aws:logs:{REGIONAL}:log-group:/x"),
    ),
    (
        "rds",
        "db-instance",
        {"DBInstances": [{"DBInstanceIdentifier": "db", "DBInstanceArn": f"arn:aws:rds:{REGIONAL}:db:db"}]},
        ("db", f"arn:aws:rds:{REGIONAL}:db:db"),
    ),
    (
        "route53",
        "hosted-zone",
        {"HostedZones": [{"Id": "/hostedzone/Z08", "Name": "example.com."}]},
        ("example.com.", "arn:aws:route53:::hostedzone/Z08"),
    ),
    ("s3", "bucket", {"Buckets": [{"Name": "logs"}]}, ("logs", "arn:aws:s3:::logs")),
    (
        "secretsmanager",
        "secret",
        {"SecretList": [{"Name": "s", "ARN": f"arn:aws:secretsmanager:{REGIONAL}:secret:s-tMQJTV"}]},
        ("s", f"arn:aws:secretsmanager:{REGIONAL}:secret:s-tMQJTV"),
    ),
    (
        "sns",
        "topic",
        {"Topics": [{"TopicArn": f"arn:aws:sns:{REGIONAL}:alarms"}]},
        ("alarms", f"arn:aws:sns:{REGIONAL}:alarms"),
    ),
    (
        "sqs",
        "queue",
        {"QueueUrls": [f"https://sqs.eu-west-1.amazonaws.com/{OTHER}/jobs.fifo"]},
        ("jobs.fifo", f"arn:aws:sqs:eu-west-1:{OTHER}:jobs.fifo"),
    ),
    ("ssm", "parameter", {"Parameters": [{"Name": "/a/b"}]}, ("/a/b", f"arn:aws:ssm:{REGIONAL}:parameter/a/b")),
    ("ssm", "parameter", {"Parameters": [{"Name": "c"}]}, ("c", f"arn:aws:ssm:{REGIONAL}:parameter/c")),
]


@pytest.mark.parametrize(("service", "kind", "page", "expected"), SAMPLES)
def test_a_sample_answer_gives_name_and_arn(service, kind, page, expected):
    (row,) = rows(service, kind, page)
    assert (row.name, row.arn) == expected
    assert (row.account, row.region, row.service, row.type) == (ACCOUNT, "eu-west-1", service, kind)


def test_every_entry_has_a_sample():
    assert {(service, kind) for service, kind, *_ in SAMPLES} == {(entry.service, entry.type) for entry in LISTINGS}


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_a_template_follows_the_partition(partition):
    (row,) = rows("s3", "bucket", {"Buckets": [{"Name": "logs"}]}, HERE._replace(partition=partition))
    assert row.arn == f"arn:{partition}:s3:::logs"


@pytest.mark.parametrize(
    ("service", "kind", "page"),
    [
        ("sqs", "queue", {"QueueUrls": ["https://example.com/not-a-queue"]}),
        ("kms", "key", {"Keys": [{"KeyId": "k", "KeyArn": "k"}]}),
        ("route53", "hosted-zone", {"HostedZones": [{"Id": "/change/C1", "Name": "x."}]}),
        ("ec2", "volume", {"Volumes": [{"VolumeId": ""}]}),
        ("logs", "log-group", {"logGroups": [{"logGroupName": "/x"}]}),
    ],
)
def test_what_fits_no_rule_has_no_arn(service, kind, page):
    assert [row.arn for row in rows(service, kind, page)] == [None]


def test_an_item_keeps_its_row_when_the_name_is_missing():
    assert rows("kms", "key", {"Keys": [{}]})[0].name == ""


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: f"{listing.service}-{listing.type}")
def test_an_empty_answer_has_no_items(listing):
    assert find_items(listing, {}) == []


def test_a_reservation_hands_its_owner_to_each_instance():
    page = {"Reservations": [{"OwnerId": OTHER, "Instances": [{"InstanceId": "i-1"}, {"InstanceId": "i-2"}]}]}
    assert [row.arn for row in rows("ec2", "instance", page)] == [
        f"arn:aws:ec2:eu-west-1:{OTHER}:instance/i-1",
        f"arn:aws:ec2:eu-west-1:{OTHER}:instance/i-2",
    ]


def test_tags_in_the_answer_need_no_call():
    page = {"Vpcs": [{"VpcId": "vpc-1", "Tags": [{"Key": "team", "Value": "web"}]}]}
    assert rows("ec2", "vpc", page)[0].tags == {"team": "web"}


def test_tags_that_need_a_call_are_not_known_before_it():
    assert rows("dynamodb", "table", {"TableNames": ["t"]})[0].tags is None


@pytest.mark.parametrize(
    "spelled",
    [
        {"team": "web"},
        [{"Key": "team", "Value": "web"}],
        [{"key": "team", "value": "web"}],
        [{"TagKey": "team", "TagValue": "web"}],
    ],
)
def test_every_spelling_of_tags_is_read(spelled):
    assert read_tags(spelled) == {"team": "web"}


def test_a_tag_without_a_value_has_an_empty_one():
    assert read_tags([{"Key": "team"}]) == {"team": ""}
    assert read_tags(None) == read_tags([]) == {}


@pytest.mark.parametrize(
    "text", ["", "arn:", "arn:aws:s3", "arn:aws::x:y:z", "arn:aws:s3:::", "arn:aws:sqs:r:12:q", None]
)
def test_what_is_no_arn(text):
    assert not is_arn(text)


def test_a_template_with_an_unknown_member_gives_nothing():
    listing = Listing("x", "y", "list", "Items", "Name", ("arn:{partition}:x:{region}:{account}:y/{Absent}",))
    assert find_arn(listing, {"Name": "n"}, HERE) is None


class RefusedError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class S3:
    """A client with one bucket a page, one of them without tags and one forbidden."""

    buckets = ({"Name": "plain"}, {"Name": "tagged", "BucketRegion": "us-west-2"}, {"Name": "closed"})

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def can_paginate(self, operation):
        return False

    def list_buckets(self, NextToken="0"):  # noqa: N803  botocore's argument
        number = int(NextToken)
        page = {"Buckets": [self.buckets[number]]}
        return page | {"NextToken": str(number + 1)} if number < 2 else page

    def get_bucket_location(self, Bucket):  # noqa: N803
        self.asked.append(("location", Bucket))
        return {"LocationConstraint": "EU" if Bucket == "plain" else None}

    def get_bucket_tagging(self, Bucket):  # noqa: N803
        self.asked.append(("tags", Bucket))
        if Bucket == "tagged":
            return {"TagSet": [{"Key": "team", "Value": "web"}]}
        raise RefusedError("NoSuchTagSet" if Bucket == "plain" else "AccessDenied")


def test_each_bucket_has_its_own_region_and_a_refusal_costs_only_the_tags():
    client = S3()
    reader = Reader(entry("s3", "bucket"), client, HERE)
    found = [(row.name, row.region, row.tags) for page in reader.read() for row in page]
    assert found == [
        ("plain", "eu-west-1", {}),
        ("tagged", "us-west-2", {"team": "web"}),
        ("closed", "us-east-1", None),
    ]
    assert [str(fault) for fault in reader.faults] == ["AccessDenied"]
    # The answer told the region of one bucket: that one is not asked for.
    assert ("location", "tagged") not in client.asked


def test_a_bucket_of_a_region_not_asked_for_is_left_out():
    client = S3()
    reader = Reader(entry("s3", "bucket"), client, HERE, lambda region: client if region == "us-west-2" else None)
    assert [row.name for page in reader.read() for row in page] == ["tagged"]


class Ecs:
    """A client whose clusters can be described together."""

    def __init__(self, count: int) -> None:
        self.arns = [f"arn:aws:ecs:{REGIONAL}:cluster/c{number}" for number in range(count)]
        self.batches: list[int] = []

    def can_paginate(self, operation):
        return False

    def list_clusters(self):
        return {"clusterArns": self.arns}

    def describe_clusters(self, clusters, include):
        assert include == ["TAGS"]
        self.batches.append(len(clusters))
        # The last one was deleted since.
        return {"clusters": [{"clusterArn": arn, "tags": [{"key": "arn", "value": arn}]} for arn in clusters[:-1]]}


def test_batched_tags_reach_their_items_in_the_fewest_calls():
    client = Ecs(150)
    reader = Reader(entry("ecs", "cluster"), client, HERE)
    (page,) = reader.read()
    assert client.batches == [100, 50]
    assert [row.tags for row in page[:99]] == [{"arn": row.arn} for row in page[:99]]
    assert page[99].tags is page[149].tags is None


def test_a_token_that_comes_back_ends_the_pages():
    class Stuck:
        def can_paginate(self, operation):
            return False

        def list_things(self, NextToken=None):  # noqa: N803
            return {"NextToken": "same"}

    assert len(list(pages(Stuck(), "list_things", {}))) == 2


@pytest.mark.parametrize("arguments", [{"regions": []}, {"regions": "us-east-1"}, {"regions": ["eu-*"]}])
def test_regions_are_a_list_of_names(arguments):
    with pytest.raises(ConfigError):
        collect({}, **arguments)


def test_at_least_one_worker():
    with pytest.raises(ConfigError):
        collect({}, ["us-east-1"], workers=0)
