"""A connection does what its methods say, by each engine; shows no secrets; and leaves nothing behind."""

from __future__ import annotations

import gc
import io
import os
import pickle
import sys
import weakref
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

import mangrove
from mangrove import s3
from mangrove.errors import (
    ConfigError,
    IntegrityError,
    NotFoundError,
    ObjectChangedError,
    PreconditionError,
    TransferError,
)
from mangrove.s3.rules.checksums import checksum, composite
from servers.threads import begun

SSE_KEY = "k3y-that-nobody-may-see-anywhere"


@pytest.fixture(params=["memory", "lean", "boto"])
def conn(request):
    if request.param == "memory":
        made = s3.Connection.in_memory()
    else:
        aws = request.getfixturevalue("embedded_aws")
        engine = "auto" if request.param == "lean" else "boto"
        made = s3.Connection(aws.session(region_name="us-east-1"), endpoint_url=aws.endpoint_url, engine=engine)
    made.create_bucket("bucket")
    with made:
        yield made


def threads():
    return begun("mangrove-s3")


class Buffer:
    """Be a buffer that is none of the builtin ones."""

    def __init__(self, data):
        self.file = io.BytesIO(data)

    def read(self, size=-1):
        return self.file.read(size)


DATA = {
    "str": lambda _: "daté",
    "bytes": lambda _: "daté".encode(),
    "bytearray": lambda _: bytearray("daté".encode()),
    "memoryview": lambda _: memoryview("daté".encode()),
    "path": lambda path: path,
    "file": lambda path: path.open("rb"),
    "text file": lambda path: path.open(encoding="utf-8"),
    "BytesIO": lambda _: io.BytesIO("daté".encode()),
    "StringIO": lambda _: io.StringIO("daté"),
    "a reader": lambda _: Buffer("daté".encode()),
    "iterator": lambda _: iter([b"dat", b"", "é".encode()]),
    "generator": lambda _: (bytes([each]) for each in "daté".encode()),
    "list": lambda _: ["daté".encode()],
}


@pytest.mark.parametrize("make", DATA.values(), ids=list(DATA))
def test_every_kind_of_data_goes_up_the_same(conn, make, tmp_path):
    path = tmp_path / "data.txt"
    path.write_bytes("daté".encode())
    data = make(path)
    seen = []
    outcome = conn.upload("bucket", "data.txt", data, callback=seen.append)
    if hasattr(data, "close") and not isinstance(data, Path):
        assert not getattr(data, "closed", False)
        data.close()
    assert (outcome.ok, outcome.value, outcome.size, seen) == (True, True, 5, [True])
    assert outcome.etag
    assert conn.download("bucket", "data.txt") == "daté".encode()
    assert conn.head("bucket", "data.txt")["ContentType"] == "text/plain"


def test_every_kind_of_target(conn, tmp_path):
    conn.upload("bucket", "a", "daté")
    data = "daté".encode()
    seen = []
    assert conn.download("bucket", "a", callback=seen.append) == data == seen[0]
    assert conn.download("bucket", "a", encoding="UTF8") == "daté"
    assert conn.download("bucket", "a", tmp_path / "1") == tmp_path / "1"
    assert conn.download("bucket", "a", str(tmp_path / "2")) == str(tmp_path / "2")
    conn.download_file("bucket", "a", tmp_path / "3")
    with (tmp_path / "4").open("wb") as file:
        assert conn.download("bucket", "a", file) is file
    with (tmp_path / "5").open("w", encoding="utf-8") as file:
        conn.download("bucket", "a", file)
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {data}
    text = io.StringIO()
    conn.download("bucket", "a", text)
    assert text.getvalue() == "daté"


def test_text_that_is_none(conn):
    conn.upload("bucket", "a", b"\xff\x00")
    with pytest.raises(TransferError, match="is no utf-8 text"):
        conn.download("bucket", "a", encoding="utf-8")
    assert conn.download("bucket", "a") == b"\xff\x00"
    with pytest.raises(ConfigError, match="no encoding 'klingon'"):
        conn.download("bucket", "a", encoding="klingon")


def test_copy_and_move(conn):
    conn.upload("bucket", "a", "data", metadata={"owner": "me"})
    outcome = conn.copy("bucket", "a", "bucket", "b")
    assert (outcome.operation, outcome.key, outcome.size) == ("copy", "b", 4)
    assert conn.head("bucket", "b")["Metadata"] == {"owner": "me"}
    assert conn.move("bucket", "b", "bucket", "ü/c d").operation == "move"
    assert [conn.exists("bucket", key) for key in ("a", "b", "ü/c d")] == [True, False, True]
    with pytest.raises(NotFoundError):
        conn.copy("bucket", "none", "bucket", "d")
    with pytest.raises(ConfigError, match="can't be moved to where it is"):
        conn.move("bucket", "a", "bucket", "a")


def test_conditions(conn):
    conn.upload("bucket", "a", "1", if_none_match="*")
    with pytest.raises(PreconditionError) as caught:
        conn.upload("bucket", "a", "2", if_none_match="*")
    assert isinstance(caught.value, FileExistsError)
    assert conn.download("bucket", "a") == b"1"


def test_what_is_not_there(conn):
    for call in (conn.download, conn.head):
        with pytest.raises(NotFoundError) as caught:
            call("bucket", "none")
        assert isinstance(caught.value, FileNotFoundError)
        assert isinstance(caught.value, ClientError)
    with pytest.raises(NotFoundError):
        conn.upload("there-is-no-such-bucket", "a", "x")
    assert not conn.exists("there-is-no-such-bucket", "a")
    assert conn.delete("bucket", "none").ok


def test_large_objects_go_in_parts(conn, tmp_path):
    conn._settings = s3.Connection(threshold=1 << 20, part_size=5 << 20)._settings
    conn.close()
    data = os.urandom(11 << 20)
    seen = []
    outcome = conn.upload("bucket", "a", iter([data]), callback=seen.append)
    assert (outcome.size, seen) == (len(data), [True])
    assert conn.download("bucket", "a") == data
    with conn.batch(4) as batch:
        batch.download("bucket", "a", tmp_path / "a").result()
        batch.upload("bucket", "b", tmp_path / "a").result()
        batch.upload("bucket", "c", "small")
    assert conn.download("bucket", "b") == data
    assert batch.progress.bytes == 2 * len(data) + 5


def test_composite_checksums_of_small_objects_are_verified():
    connection = s3.Connection.in_memory()
    connection.create_bucket("bucket")
    client = connection.conn
    parts = [os.urandom(5 << 20), b"end"]
    begun = client.create_multipart_upload(Bucket="bucket", Key="a", ChecksumAlgorithm="SHA256")
    named = {"Bucket": "bucket", "Key": "a", "UploadId": begun["UploadId"]}
    done = []
    for number, body in enumerate(parts, 1):
        sha = checksum("SHA256", body)
        sent = client.upload_part(**named, PartNumber=number, Body=body, ChecksumSHA256=sha)
        done.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": sha})
    client.complete_multipart_upload(**named, MultipartUpload={"Parts": done})
    assert client.head_object(Bucket="bucket", Key="a", ChecksumMode="ENABLED")["ChecksumSHA256"] == composite(
        "SHA256", [each["ChecksumSHA256"] for each in done]
    )
    with connection.batch() as batch:
        handle = batch.download("bucket", "a")
    assert handle.result() == b"".join(parts)
    assert handle.outcome.verified == "SHA256 (composite)"
    connection.close()


def test_strict_refuses_what_cannot_be_verified():
    connection = s3.Connection.in_memory(strict=True)
    connection.create_bucket("bucket")
    connection.upload("bucket", "a", "x")
    assert connection.download("bucket", "a") == b"x"
    from mangrove.s3.engines.base import Call

    connection.backend.engine.perform(Call("PutObject", {"Bucket": "bucket", "Key": "b"}, body=b"x"))
    if not connection.conn.head_object(Bucket="bucket", Key="b", ChecksumMode="ENABLED").get("ChecksumCRC64NVME"):
        with pytest.raises(IntegrityError, match="strict=True"):
            connection.download("bucket", "b")
    connection.close()


def test_listing_opening_deleting_sweeping_trees(conn, tmp_path):
    for key in ("a", "b/1", "b/2"):
        conn.upload("bucket", key, key)
    assert list(conn.list("bucket")) == list(conn.list("bucket", threads=4)) == ["a", "b/1", "b/2"]
    with pytest.raises(ConfigError, match="threads is for a listing of all keys"):
        conn.list("bucket", delimiter="/", threads=4)
    with conn.open("bucket", "b/1", "r") as file:
        assert file.read() == "b/1"
    with conn.open("bucket", "c", "wb") as file:
        file.write(b"new")
    assert conn.download("bucket", "c") == b"new"
    assert conn.sync("s3://bucket/", tmp_path).counts == {"download": 4}
    assert (tmp_path / "b" / "2").read_text() == "b/2"
    assert conn.cp("s3://bucket/b/*", "s3://bucket/d/").counts == {"copy": 2}
    conn.mv("s3://bucket/c", "s3://bucket/e")
    assert list(conn.list("bucket")) == ["a", "b/1", "b/2", "d/1", "d/2", "e"]
    upload = conn.conn.create_multipart_upload(Bucket="bucket", Key="left")
    assert [each.upload_id for each in conn.sweep("bucket", older_than=0, dry_run=True)] == [upload["UploadId"]]
    assert [each.removed for each in conn.sweep("bucket", older_than=0)] == [True]
    assert conn.sweep("bucket", older_than=0) == ()
    assert conn.delete_many("bucket", conn.list("bucket")).done == 6
    assert list(conn.list("bucket")) == []


def test_presigned_urls(conn):
    url = conn.url("bucket", "a b", expires_in=60)
    assert "/a%20b?" in url
    assert "put_object" not in conn.url("bucket", "a", method="put_object", ContentType="text/x")
    for wrong in (0, -1, 604_801, "60", True, 1.5):
        with pytest.raises(ConfigError, match="expires_in"):
            conn.url("bucket", "a", wrong)
    with pytest.raises(ConfigError, match="no method 'get'"):
        conn.url("bucket", "a", method="get")


def test_the_client_is_boto3s(conn):
    assert conn.conn.list_buckets()["Buckets"][0]["Name"] == "bucket"
    conn.conn.create_bucket("other-bucket")
    with pytest.raises(ConfigError, match="Colour") as caught:
        conn.create_bucket("bucket", Colour="red")
    assert isinstance(caught.value, ParamValidationError)


# -- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        {"threshold": -1},
        {"part_size": 1},
        {"threads": 0},
        {"threads": True},
        {"threads": 1000},
        {"retries": -1},
        {"retries": None},
        {"deadline": -1},
        {"deadline": "2"},
        {"checksum": "CRC31"},
        {"engine": "fast"},
        {"max_connections": 0},
        {"session": boto3.Session(), "profile_name": "x"},
        {"session": boto3.Session(), "aws_access_key_id": "x"},
        {"aws_access_key_id": "x"},
    ],
    ids=repr,
)
def test_wrong_arguments_are_said_when_it_is_made(arguments):
    with pytest.raises(ConfigError):
        s3.Connection(**arguments)


def test_the_region_that_is_given_is_the_clients():
    assert s3.Connection(boto3.Session(region_name="eu-west-1"), region_name="eu-west-3").conn.meta.region_name == (
        "eu-west-3"
    )
    connection = s3.Connection(boto3.Session(region_name="eu-west-1"), region_name="eu-west-3")
    with connection.mock():
        connection.create_bucket("bucket")
        assert connection.conn.get_bucket_location(Bucket="bucket")["LocationConstraint"] == "eu-west-3"


def test_making_one_makes_no_threads_and_no_connections(fds):
    before = fds()
    connection = s3.Connection(endpoint_url="http://127.0.0.1:1", region_name="us-east-1")
    assert (threads(), fds()) == ([], before)
    assert repr(connection) == "<Connection to S3: http://127.0.0.1:1>"


def test_a_server_that_is_not_there_is_said_within_the_retries():
    connection = s3.Connection(
        mangrove.Session("a", "b", region_name="us-east-1"),
        endpoint_url="http://127.0.0.1:1",
        retries=0,
        config=Config(connect_timeout=1),
    )
    with connection, pytest.raises(TransferError, match="127.0.0.1:1"):
        connection.upload("bucket", "a", "x")
    with connection, connection.batch(raise_errors=False) as batch:
        for number in range(5):
            batch.upload("bucket", f"{number}", "x")
    assert len(batch.failures()) == 5


# -- what is left, what is shown --------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["auto", "boto"])
def test_a_connection_that_is_dropped_ends_its_threads_and_closes_its_sockets(embedded_aws, fds, engine):
    def use():
        made = s3.Connection(
            embedded_aws.session(region_name="us-east-1"), endpoint_url=embedded_aws.endpoint_url, engine=engine
        )
        with made.batch(4) as batch:
            for number in range(20):
                batch.upload("bucket", f"{number}", "x")
        made.download("bucket", "1")
        return weakref.ref(made)

    boto3.client  # noqa: B018
    with s3.Connection(embedded_aws.session(region_name="us-east-1"), endpoint_url=embedded_aws.endpoint_url) as first:
        first.create_bucket("bucket")
    assert use()() is None or gc.collect() >= 0
    gc.collect()
    assert not {"mangrove-s3"} & set(threads())
    before = fds()
    for _ in range(5):
        assert use()() is None or gc.collect() >= 0
    gc.collect()
    assert not {"mangrove-s3"} & set(threads())
    assert fds() <= before + 1


def test_close_and_go_on(conn):
    conn.upload("bucket", "a", "x")
    for _ in range(3):
        conn.close()
        assert conn.download("bucket", "a") == b"x"
        with conn.batch() as batch:
            batch.download("bucket", "a")
        assert batch.results() == [b"x"]


def test_a_memory_never_turns_into_the_real_s3():
    connection = s3.Connection.in_memory()
    connection.create_bucket("bucket")
    with connection:
        connection.upload("bucket", "a", "x")
    assert connection.download("bucket", "a") == b"x"
    assert connection.conn.list_objects_v2(Bucket="bucket")["KeyCount"] == 1


def test_it_does_not_pickle_and_says_why():
    connection = s3.Connection(
        aws_access_key_id="AKIA", aws_secret_access_key="s3cr3t-of-mine", region_name="us-east-1"
    )
    with pytest.raises(TypeError, match="make one in each process"):
        pickle.dumps(connection)
    assert "s3cr3t" not in repr(connection)


def test_no_secret_is_shown(caplog):
    connection = s3.Connection.in_memory()
    connection.create_bucket("bucket")
    caplog.set_level("DEBUG", logger="mangrove")
    with connection.batch(raise_errors=False) as batch:
        handles = [
            batch.upload("bucket", "a", "body-canary", sse_customer_key=SSE_KEY),
            batch.download("bucket", "a"),
            batch.download("bucket", "a", sse_customer_key=SSE_KEY),
            batch.head("bucket", "none", sse_customer_key=SSE_KEY),
        ]
        for handle in handles:
            handle.exception()
    url = connection.url("bucket", "a")
    outcome = s3.Outcome("url", "bucket", "a", url)
    shown = [repr(each) for each in (*handles, *batch.failures(), outcome, connection, batch)]
    shown += [repr(handle.outcome) for handle in handles]
    shown += [f"{handle.error!r} {handle.error}" for handle in handles]
    with pytest.raises(ConfigError) as caught:
        connection.upload("bucket", "a", "x", sse_customer_key=SSE_KEY, sse_customer_key_MD5=3)
    shown += [str(caught.value), caplog.text]
    assert not [text for text in shown if SSE_KEY in text or "body-canary" in text]
    assert url.partition("Signature=")[2] not in repr(outcome)
    blob = b"".join(pickle.dumps(outcome.error) for outcome in batch.failures())
    assert SSE_KEY.encode() not in blob


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python warns of forks beside threads")
def test_after_a_fork_both_go_on(embedded_aws):
    connection = s3.Connection(embedded_aws.session(region_name="us-east-1"), endpoint_url=embedded_aws.endpoint_url)
    connection.create_bucket("bucket")

    def work(name):
        with connection.batch(4) as batch:
            for number in range(20):
                batch.upload("bucket", f"{name}/{number}", name)
        return connection.download("bucket", f"{name}/19") == name.encode()

    assert work("before")
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if work("child") else 2
        finally:
            os._exit(code)
    assert work("parent")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert work("after")
    assert connection.download("bucket", "child/19") == b"child"
    connection.close()


def test_a_move_leaves_what_was_written_to_the_source_meanwhile(conn, tmp_path):
    engine = conn.backend.engine
    perform = engine.perform

    def overwrite(call):
        reply = perform(call)
        if call.operation in ("CopyObject", "GetObject") and call.params["Key"] in ("copy", "a"):
            conn.conn.put_object(Bucket="bucket", Key="a", Body=b"new")
        return reply

    for target in ("s3://bucket/copy", tmp_path / "file"):
        conn.upload("bucket", "a", "old")
        engine.perform = overwrite
        with pytest.raises(ObjectChangedError, match="was overwritten after it was read"):
            conn.mv("s3://bucket/a", target)
        engine.perform = perform
        assert conn.download("bucket", "a") == b"new"
    assert conn.download("bucket", "copy") == (tmp_path / "file").read_bytes() == b"old"


def test_trees_are_moved(conn, tmp_path):
    for key in ("from/a", "from/b c", "from/é"):
        conn.upload("bucket", key, key)
    assert conn.mv("s3://bucket/from", "s3://bucket/to", recursive=True).counts == {"copy": 3, "delete": 3}
    assert conn.mv("s3://bucket/to", tmp_path, recursive=True).counts == {"download": 3, "delete": 3}
    assert list(conn.list("bucket")) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "b c", "é"]
