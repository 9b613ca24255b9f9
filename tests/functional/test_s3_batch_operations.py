"""S3 Batch Operations: the manifest as it is in S3, and the request that creates the job, field by field."""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

import mangrove
from mangrove import s3
from mangrove.errors import ConfigError, InvalidArnError, NotFoundError
from mangrove.s3.jobs import batch_operations
from mangrove.s3.listing import list_objects

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/batch"
KEYS = ["plain", "a b/ü&,\"'\n", "per%20cent+plus", "日本"]


@pytest.fixture
def connection(embedded_aws):
    with s3.Connection(embedded_aws.session(region_name="eu-west-1")) as made:
        made.create_bucket("objects")
        made.create_bucket("lists")
        yield made


def wired(connection, status=200, body=b"<CreateJobResult><JobId>job-1</JobId></CreateJobResult>"):
    """Return a client whose requests are kept, and are answered without a network."""
    client = connection._session.client("s3control", region_name="eu-west-1")
    sent = []

    class Raw:
        def stream(self, *_, **__):
            yield body

        def read(self, *_, **__):
            return body

    def answer(request, **_):
        sent.append(request)
        return AWSResponse(request.url, status, {}, Raw())

    client.meta.events.register("before-send.s3-control.CreateJob", answer)
    return client, sent


def tree(element):
    """Return XML as plain data, without its namespace."""
    children = list(element)
    if not children:
        return element.text or ""
    names = [child.tag.rpartition("}")[2] for child in children]
    if len(set(names)) < len(names) or names in (["member"], ["S3Tag"]):
        return [tree(child) for child in children]
    return dict(zip(names, map(tree, children), strict=True))


def objects_of(connection, url):
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return connection.download(bucket, key, encoding="utf-8")


def test_the_manifest_and_the_request(connection):
    client, sent = wired(connection)
    job = batch_operations(
        connection,
        KEYS,
        bucket="objects",
        operation={"S3PutObjectTagging": {"TagSet": [{"Key": "team", "Value": "data"}]}},
        role_arn=ROLE,
        manifest="s3://lists/jobs/one.csv",
        report="s3://lists/reports/",
        report_scope="all",
        priority=7,
        description="tag all",
        confirm=True,
        tags={"owner": "me"},
        token="token-1",
        client=client,
    )

    assert (job.id, job.account_id, job.region, job.count) == ("job-1", ACCOUNT, "eu-west-1", 4)
    assert job.manifest == "s3://lists/jobs/one.csv"
    lines = objects_of(connection, job.manifest).splitlines()
    assert lines[:2] == ["objects,plain", "objects,a%20b/%C3%BC%26%2C%22%27%0A"]
    assert [unquote(line.split(",")[1]) for line in lines] == KEYS
    head = connection.head("lists", "jobs/one.csv")
    assert head["ContentType"] == "text/csv"
    (request,) = sent
    assert request.headers["x-amz-account-id"] in (ACCOUNT, ACCOUNT.encode())
    assert tree(ET.fromstring(request.body)) == {
        "ConfirmationRequired": "true",
        "Operation": {"S3PutObjectTagging": {"TagSet": [{"Key": "team", "Value": "data"}]}},
        "Report": {
            "Bucket": "arn:aws:s3:::lists",
            "Format": "Report_CSV_20180820",
            "Enabled": "true",
            "Prefix": "reports",
            "ReportScope": "AllTasks",
        },
        "ClientRequestToken": "token-1",
        "Manifest": {
            "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
            "Location": {"ObjectArn": "arn:aws:s3:::lists/jobs/one.csv", "ETag": head["ETag"].strip('"')},
        },
        "Description": "tag all",
        "Priority": "7",
        "RoleArn": ROLE,
        "Tags": [{"Key": "owner", "Value": "me"}],
    }


def test_versions_and_what_is_left_out(connection):
    for bucket in ("objects", "lists"):
        connection.conn.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in ("one", "two"):
        connection.upload("objects", "a", body)
    rows = list(list_objects(connection.backend.performer, "objects", versions=True))
    client = connection._session.client("s3control", region_name="eu-west-1")
    manifest = "s3://lists/one.csv"
    with Stubber(client) as stub:
        wanted = {
            "AccountId": "210987654321",
            "ConfirmationRequired": False,
            "Operation": {"S3DeleteObjectTagging": {}},
            "Report": {"Enabled": False},
            "ClientRequestToken": ANY,
            "Priority": 10,
            "RoleArn": ROLE,
            "Manifest": {
                "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key", "VersionId"]},
                "Location": {"ObjectArn": "arn:aws:s3:::lists/one.csv", "ETag": ANY, "ObjectVersionId": ANY},
            },
        }
        stub.add_response("create_job", {"JobId": "job-2"}, wanted)
        described = {"Job": {"JobId": "job-2", "Status": "Active", "CreationTime": datetime.now(timezone.utc)}}
        stub.add_response("describe_job", described, {"AccountId": "210987654321", "JobId": "job-2"})
        job = batch_operations(
            connection,
            rows,
            bucket="objects",
            operation="S3DeleteObjectTagging",
            role_arn=ROLE,
            account_id="210987654321",
            manifest=manifest,
            client=client,
        )
        assert job.describe()["Status"] == "Active"
    assert objects_of(connection, manifest).splitlines() == [f"objects,a,{row.version_id}" for row in rows]
    assert "client" not in repr(job).lower()


def test_the_session_makes_the_client_and_a_prefix_gets_a_new_name(connection, monkeypatch):
    made = []

    def make(session, service, **arguments):
        made.append((service, arguments))
        return wired(connection)[0]

    monkeypatch.setattr("mangrove.s3.jobs.make_client", make)
    common = {"operation": "S3ReplicateObject", "role_arn": ROLE, "manifest": "s3://lists/jobs/"}
    jobs = [batch_operations(connection, [("objects", "a")], **common) for _ in range(2)]
    assert made == [("s3control", {"region_name": "eu-west-1"})] * 2
    assert all(job.manifest.startswith("s3://lists/jobs/mangrove-") for job in jobs)
    assert jobs[0].manifest != jobs[1].manifest


def test_any_number_of_rows_is_streamed(connection):
    client, _ = wired(connection)
    rows = (("objects", f"key {number}") for number in range(10_000))
    job = batch_operations(
        connection, rows, operation="S3ReplicateObject", role_arn=ROLE, manifest="s3://lists/m", client=client
    )
    assert job.count == len(objects_of(connection, job.manifest).splitlines()) == 10_000


def test_a_refused_job_leaves_no_manifest(connection):
    body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    client, _ = wired(connection, 403, body)
    with pytest.raises(ClientError, match="AccessDenied"):
        batch_operations(
            connection, [("objects", "a")], operation="S3ReplicateObject", role_arn=ROLE, manifest="s3://lists/m",
            client=client,
        )  # fmt: skip
    with pytest.raises(NotFoundError):
        connection.head("lists", "m")


@pytest.mark.parametrize(
    ("rows", "changed", "error", "told"),
    [
        ([], {}, ConfigError, "there is no row"),
        (["a"], {"bucket": None}, ConfigError, "say bucket="),
        ("keys", {}, ConfigError, "give ['keys']"),
        ([("objects", "a"), ("other", "b")], {}, ConfigError, "row 2 is of 'other'"),
        ([("objects", "a", "v"), ("objects", "b")], {}, ConfigError, "row 2 is not like the others"),
        ([("objects", "")], {}, ConfigError, "the key is empty"),
        ([1], {}, ConfigError, "a row is a key"),
        (["a"], {"operation": "S3CopyObject"}, ConfigError, "no operation 'S3CopyObject'"),
        (["a"], {"operation": {}}, ConfigError, "operation is the name of one"),
        (["a"], {"role_arn": f"arn:aws:iam::{ACCOUNT}:user/x"}, InvalidArnError, "not the ARN of a role"),
        (["a"], {"manifest": "lists/m"}, ConfigError, "s3://"),
        (["a"], {"report": "s3://lists", "report_scope": "some"}, ConfigError, "report_scope is one of"),
        (["a"], {"priority": -1}, ConfigError, "priority is a whole number"),
    ],
)
def test_bad_input_creates_nothing(connection, rows, changed, error, told):
    client, sent = wired(connection)
    arguments = {
        "bucket": "objects",
        "operation": "S3ReplicateObject",
        "role_arn": ROLE,
        "manifest": "s3://lists/m",
        "client": client,
        **changed,
    }
    with pytest.raises(error) as caught:
        batch_operations(connection, rows, **arguments)
    assert told in str(caught.value)
    assert sent == []
    assert not connection.exists("lists", "m")


def test_an_s3_in_memory_never_asks_the_real_one():
    connection = s3.Connection.in_memory()
    connection.create_bucket("lists")
    common = {"operation": "S3ReplicateObject", "role_arn": ROLE, "manifest": "s3://lists/m"}
    with pytest.raises(ConfigError, match="has no Batch Operations"):
        batch_operations(connection, [("objects", "a")], **common)
    client = mangrove.Session("key", "secret", region_name="us-east-1").client("s3control")
    with Stubber(client) as stub:
        stub.add_response("create_job", {"JobId": "job-3"})
        assert batch_operations(connection, [("objects", "a")], **common, client=client).id == "job-3"
