"""Large objects on a real server, and processes that end in the middle of one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)

from mangrove.s3.connection import Connection  # noqa: E402
from mangrove.s3.large.sweep import sweep_bucket, sweep_files, sweep_journal  # noqa: E402

pytest_plugins = ["servers.weed"]

MIB = 1 << 20
PART = 5 * MIB
SIZE = 23 * MIB + 5

# Ends itself, or is interrupted, at the fourth part or range.
SCRIPT = """
import os, signal, sys
from pathlib import Path
from mangrove import Session
from mangrove.s3.connection import Connection

url, access, secret, bucket, path, what, name = sys.argv[1:]
session = Session(access, secret, region_name="us-east-1")
connection = Connection(session, endpoint_url=url, threshold=5 << 20, part_size=5 << 20, threads=2)
engine = connection.backend.engine
perform, count = engine.perform, 0

def deadly(call):
    global count
    mine = call.operation in ("UploadPart", "GetObject")
    count += mine
    if mine and count == 4:
        os.kill(os.getpid(), getattr(signal, name))
        signal.pause() if name == "SIGKILL" else None
    return perform(call)

engine.perform = deadly
print(getattr(connection, what)(bucket, "key", Path(path)))
"""


@pytest.fixture
def bucket(weed):
    name = f"large-{uuid.uuid4().hex}"
    weed.session().client("s3", endpoint_url=weed.endpoint_url).create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["auto", "boto"])
def connection(weed, request):
    with Connection(
        weed.session(), endpoint_url=weed.endpoint_url, threshold=PART, part_size=PART, threads=2, engine=request.param
    ) as connection:
        yield connection


@pytest.fixture
def path(tmp_path):
    (tmp_path / "here").mkdir()
    path = tmp_path / "here" / "file"
    path.write_bytes(os.urandom(SIZE))
    return path


def uploads(connection, bucket):
    return connection.conn.list_multipart_uploads(Bucket=bucket).get("Uploads", [])


def end(weed, bucket, path, what, name):
    """Run what ends in the middle, and return its status."""
    arguments = [weed.endpoint_url, weed.access_key, weed.secret_key, bucket, str(path), what, name]
    run = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=False)
    return run.returncode


def test_a_large_object_goes_and_comes_back(connection, bucket, path):
    outcome = connection.upload(bucket, "key", path, checksum_algorithm="CRC32")
    assert outcome.size == SIZE
    assert connection.head(bucket, "key")["ContentLength"] == SIZE
    data = path.read_bytes()
    assert connection.download(bucket, "key") == data
    target = path.with_name("target")
    assert connection.download(bucket, "key", target) == target
    assert target.read_bytes() == data
    with target.open("wb") as file:
        connection.download(bucket, "key", file)
    assert target.read_bytes() == data
    assert sorted(each.name for each in path.parent.iterdir()) == ["file", "target"]
    connection.upload(bucket, "key", (data[start : start + MIB] for start in range(0, SIZE, MIB)))
    assert connection.download(bucket, "key") == data
    assert not uploads(connection, bucket)


def test_a_copy_in_parts(connection, bucket, path):
    connection.upload(bucket, "key", path, metadata={"a": "b"}, content_type="text/x", tags={"c": "d"})
    backend = connection.backend
    handle = backend.maker.copy(bucket, "key", bucket, "copy")
    from dataclasses import replace

    from mangrove.s3.rules.plan import Limits

    handle._settings = replace(backend.settings, copying=Limits(threshold=PART, part_size=PART))
    backend.performer.settings, before = handle._settings, backend.performer.settings
    backend.performer.run(handle).result()
    backend.performer.settings = before
    assert connection.download(bucket, "copy") == path.read_bytes()
    head = connection.head(bucket, "copy")
    assert (head["Metadata"], head["ContentType"]) == ({"a": "b"}, "text/x")
    assert head["ETag"].endswith('-5"')
    assert not uploads(connection, bucket)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a signal of POSIX")
def test_a_killed_upload_goes_on_in_the_next_process(weed, connection, bucket, path):
    assert end(weed, bucket, path, "upload", "SIGKILL") == -signal.SIGKILL
    assert len(uploads(connection, bucket)) == 1
    outcome = connection.upload(bucket, "key", path)
    # Two threads: what the second one sent in that moment may be lost, or not.
    assert PART <= outcome.resumed <= 4 * PART
    assert connection.download(bucket, "key") == path.read_bytes()
    assert not uploads(connection, bucket)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a signal of POSIX")
def test_what_a_killed_upload_leaves_is_swept(weed, connection, bucket, path):
    assert end(weed, bucket, path, "upload", "SIGKILL") == -signal.SIGKILL
    assert [each.name for each in sweep_bucket(connection.backend.performer, bucket)] == []
    assert [each.removed for each in sweep_journal(connection.backend.performer)] == [True]
    assert not uploads(connection, bucket)
    assert connection.upload(bucket, "key", path).resumed == 0


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a signal of POSIX")
def test_a_killed_download_leaves_the_old_file_and_what_is_swept(weed, connection, bucket, path):
    connection.upload(bucket, "key", path)
    target = path.with_name("target")
    target.write_bytes(b"old")
    assert end(weed, bucket, target, "download", "SIGKILL") == -signal.SIGKILL
    assert target.read_bytes() == b"old"
    assert [each.removed for each in sweep_files(path.parent, older_than=0)] == [True]
    assert sorted(each.name for each in path.parent.iterdir()) == ["file", "target"]


def test_an_interrupt_leaves_nothing(weed, connection, bucket, path):
    assert end(weed, bucket, path, "upload", "SIGINT") not in (0, None)
    assert not uploads(connection, bucket)
    connection.upload(bucket, "key", path)
    target = path.with_name("target")
    target.write_bytes(b"old")
    assert end(weed, bucket, target, "download", "SIGINT") != 0
    assert target.read_bytes() == b"old"
    assert sorted(each.name for each in path.parent.iterdir()) == ["file", "target"]
