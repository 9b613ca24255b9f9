"""The client of a mock: botocore's own in all but the network."""

from __future__ import annotations

import io
import socket

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from mangrove.s3.clients import with_positional_bucket
from mangrove.s3.engines.base import Call
from mangrove.s3.engines.memory import MemoryEngine, MemoryStore
from mangrove.s3.mocking import memory_client

MIB = 1024**2


@pytest.fixture
def client(monkeypatch, tmp_path):
    # Neither a broken profile nor a missing network is any business of it.
    monkeypatch.setenv("AWS_PROFILE", "there-is-none")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1:1")

    def no_network(*arguments, **options):
        raise AssertionError("nothing may reach the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    client = memory_client()
    client.create_bucket("bucket")
    return client


def test_bodies_in_and_out(client):
    for body, kept in (
        (b"bytes", b"bytes"),
        ("text", b"text"),
        (bytearray(b"array"), b"array"),
        (io.BytesIO(b"file"), b"file"),
    ):
        client.put_object(Bucket="bucket", Key="a", Body=body)
        assert client.get_object(Bucket="bucket", Key="a")["Body"].read() == kept
    client.put_object(Bucket="bucket", Key="a")
    assert client.get_object(Bucket="bucket", Key="a")["Body"].read() == b""
    client.put_object(Bucket="bucket", Key="a", Body=b"1\n2\n")
    assert list(client.get_object(Bucket="bucket", Key="a")["Body"].iter_lines()) == [b"1", b"2"]
    with pytest.raises(TypeError, match="text mode"):
        client.put_object(Bucket="bucket", Key="a", Body=io.StringIO("text"))


def test_errors_are_the_clients(client):
    with pytest.raises(client.exceptions.NoSuchKey):
        client.get_object(Bucket="bucket", Key="none")
    with pytest.raises(client.exceptions.NoSuchBucket):
        client.list_objects_v2(Bucket="none")
    with pytest.raises(client.exceptions.NoSuchUpload):
        client.abort_multipart_upload(Bucket="bucket", Key="a", UploadId="none")
    with pytest.raises(
        ClientError, match=r"An error occurred \(404\) when calling the HeadObject operation: Not Found"
    ):
        client.head_object(Bucket="bucket", Key="none")
    with pytest.raises(ParamValidationError):
        client.get_object(Bucket="bucket")
    with pytest.raises(ClientError, match="NotImplemented"):
        client.get_bucket_website(Bucket="bucket")


def test_paginators_and_odd_keys(client):
    keys = ["a%41", "b +c", "ä/1", "ä/2"]
    for key in keys:
        client.put_object(Bucket="bucket", Key=key, Body=b"x")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="bucket", PaginationConfig={"PageSize": 1})
    assert [each["Key"] for page in pages for each in page["Contents"]] == keys
    pages = client.get_paginator("list_objects").paginate(
        Bucket="bucket", Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    assert [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])] == ["ä/"]
    versions = client.get_paginator("list_object_versions").paginate(Bucket="bucket", PaginationConfig={"PageSize": 3})
    assert [each["Key"] for page in versions for each in page["Versions"]] == keys


def test_waiters(client):
    client.get_waiter("bucket_exists").wait(Bucket="bucket", WaiterConfig={"MaxAttempts": 1})
    client.get_waiter("object_not_exists").wait(Bucket="bucket", Key="a", WaiterConfig={"MaxAttempts": 1})
    client.put_object(Bucket="bucket", Key="a", Body=b"x")
    client.get_waiter("object_exists").wait(Bucket="bucket", Key="a", WaiterConfig={"MaxAttempts": 1})


@pytest.mark.parametrize("size", [0, 100, 12 * MIB])
def test_transfers_of_boto3(client, size):
    data = bytes(size)
    counted = []
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=5 * MIB)
    extra = {"Metadata": {"m": "1"}, "ContentType": "text/x"}
    client.upload_fileobj(io.BytesIO(data), "bucket", "a", ExtraArgs=extra, Callback=counted.append, Config=config)
    assert sum(counted) == size
    head = client.head_object(Bucket="bucket", Key="a")
    assert (head["ContentLength"], head["Metadata"], head["ContentType"]) == (size, {"m": "1"}, "text/x")
    assert head["ETag"].endswith('-3"') == (size > 8 * MIB)
    target = io.BytesIO()
    client.download_fileobj("bucket", "a", target, Config=config)
    assert target.getvalue() == data
    client.copy({"Bucket": "bucket", "Key": "a"}, "bucket", "ä b", Config=config)
    assert client.get_object(Bucket="bucket", Key="ä b")["ContentLength"] == size


def test_files(client, tmp_path):
    (tmp_path / "in").write_bytes(b"file")
    client.upload_file(str(tmp_path / "in"), "bucket", "a")
    client.download_file("bucket", "a", str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == b"file"


def test_checksums_are_those_that_botocore_would_send(client):
    client.put_object(Bucket="bucket", Key="a", Body=b"hello")
    assert client.head_object(Bucket="bucket", Key="a", ChecksumMode="ENABLED")["ChecksumCRC32"] == "NhCmhg=="
    client.put_object(Bucket="bucket", Key="a", Body=b"hello", ChecksumAlgorithm="SHA256")
    assert client.get_object_attributes(Bucket="bucket", Key="a", ObjectAttributes=["Checksum"])["Checksum"] == {
        "ChecksumSHA256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        "ChecksumType": "FULL_OBJECT",
    }
    plain = memory_client(config=Config(request_checksum_calculation="when_required"))
    plain.create_bucket("bucket")
    assert "ChecksumCRC64NVME" in plain.put_object(Bucket="bucket", Key="a", Body=b"hello")


def test_answers_are_the_callers_own(client):
    client.put_object(Bucket="bucket", Key="a", Body=b"x", Metadata={"k": "v"})
    answer = client.head_object(Bucket="bucket", Key="a")
    answer["Metadata"]["k"] = "changed"
    assert client.head_object(Bucket="bucket", Key="a")["Metadata"] == {"k": "v"}
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-meta-k"] == "v"
    assert headers["content-length"] == "1"
    assert headers["last-modified"].endswith(" GMT")
    assert client.get_bucket_location(Bucket="bucket")["LocationConstraint"] is None


def test_presigned_urls_can_be_made(client):
    assert "Signature=" in client.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "a"})


def test_client_and_engine_share_a_store():
    store = MemoryStore()
    client = memory_client(store)
    client.create_bucket("bucket")
    client.put_object(Bucket="bucket", Key="a", Body=b"x")
    engine = MemoryEngine(store)
    assert engine.perform(Call("GetObject", {"Bucket": "bucket", "Key": "a"})).body == b"x"


def test_a_customers_key_is_one_for_client_and_engine():
    store = MemoryStore()
    client = memory_client(store)
    client.create_bucket("bucket")
    own = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    client.put_object(Bucket="bucket", Key="a", Body=b"x", **own)
    client.copy_object(
        Bucket="bucket",
        Key="b",
        CopySource={"Bucket": "bucket", "Key": "a"},
        CopySourceSSECustomerAlgorithm="AES256",
        CopySourceSSECustomerKey="k" * 32,
    )
    assert client.get_object(Bucket="bucket", Key="b")["Body"].read() == b"x"
    assert MemoryEngine(store).perform(Call("GetObject", {"Bucket": "bucket", "Key": "a", **own})).body == b"x"


# -- create_bucket("foo") ----------------------------------------------------------------------------------------------


def test_a_bucket_by_position_is_made_where_the_client_is(embedded_aws):
    plain = embedded_aws.session(region_name="eu-west-1").client("s3")
    client = with_positional_bucket(plain)
    assert client is plain
    assert with_positional_bucket(client) is plain
    client.create_bucket("one")
    client.create_bucket(Bucket="two")
    client.create_bucket("three", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    places = [client.get_bucket_location(Bucket=name)["LocationConstraint"] for name in ("one", "two", "three")]
    assert places == ["eu-west-1"] * 3
    with pytest.raises(TypeError, match="twice"):
        client.create_bucket("one", Bucket="one")
    with pytest.raises(ParamValidationError):
        client.create_bucket()


def test_other_clients_stay_as_they_are(embedded_aws):
    session = embedded_aws.session(region_name="us-east-1")
    one, other = session.client("s3"), session.client("s3")
    with_positional_bucket(one).create_bucket("one")
    assert one.get_bucket_location(Bucket="one")["LocationConstraint"] is None
    with pytest.raises(TypeError):
        other.create_bucket("other")
    assert type(one).__name__ == type(other).__name__ == "S3"


def test_a_mock_of_a_region_has_its_buckets_there():
    client = memory_client(region_name="ap-southeast-2")
    client.create_bucket("one")
    assert client.head_bucket(Bucket="one")["BucketRegion"] == "ap-southeast-2"
