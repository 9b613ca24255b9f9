"""The commands of `mangrove s3` as processes of their own, against servers: trees, and Ctrl-C at the worst moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

TREE = {"a": b"1", "p/b": b"22" * 1000, "p/q/é &+%.bin": os.urandom(70_000)}
LISTING = (
    '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>'
    "<Prefix></Prefix><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{}"
    "</ListBucketResult>"
)
ENTRY = (
    "<Contents><Key>{}</Key><LastModified>2026-11-22T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
    "<Size>100</Size><StorageClass>STANDARD</StorageClass></Contents>"
)


def mangrove(*arguments, **options):
    command = [sys.executable, "-m", "mangrove", "s3", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def done(*arguments, data=None):
    process = mangrove(*arguments, stdin=subprocess.PIPE)
    out, err = process.communicate(data, timeout=120)
    assert b"Traceback" not in err
    return process.returncode, out, err.decode()


def read(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_trees_up_down_and_across(embedded_aws_env, tmp_path):
    client = embedded_aws_env.session(region_name="us-east-1").client("s3")
    client.create_bucket(Bucket="one-bucket")
    client.create_bucket(Bucket="two-bucket")
    for path, body in TREE.items():
        file = tmp_path / "source" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        os.utime(file, (1.7e9, 1.7e9))

    assert done("cp", "-r", tmp_path / "source", "s3://one-bucket/up")[0] == 0
    assert done("sync", tmp_path / "source", "s3://one-bucket/up")[1] == b""
    code, out, err = done("sync", "s3://one-bucket/up", "s3://two-bucket")
    assert (code, len(out.splitlines())) == (0, 3), err
    assert done("sync", "s3://two-bucket", tmp_path / "target", "--no-progress")[::2] == (0, "")
    assert read(tmp_path / "target") == TREE
    assert done("sync", "s3://two-bucket", tmp_path / "target", "--no-progress")[1:] == (b"", "")
    assert done("cat", "s3://two-bucket/a")[:2] == (0, b"1")
    assert done("rm", "-r", "s3://two-bucket")[0] == 0
    assert done("ls", "s3://two-bucket")[:2] == (0, b"")


def test_standard_input_in_parts(embedded_aws_env):
    client = embedded_aws_env.session(region_name="us-east-1").client("s3")
    client.create_bucket(Bucket="one-bucket")
    data = os.urandom(11 << 20)
    sizes = ("--part-size", "5MiB", "--threshold", "5MiB")
    assert done("cp", "-", "s3://one-bucket/big", *sizes, data=data)[0] == 0
    assert client.head_object(Bucket="one-bucket", Key="big")["ETag"].endswith('-3"')
    code, out, _ = done("cp", "s3://one-bucket/big", "-", *sizes)
    assert (code, out == data) == (0, True)


# -- Ctrl-C -----------------------------------------------------------------------------------------------------------


def test_an_interrupted_upload_leaves_nothing(embedded_aws_env):
    client = embedded_aws_env.session(region_name="us-east-1").client("s3")
    client.create_bucket(Bucket="one-bucket")
    process = mangrove("cp", "-", "s3://one-bucket/big", "--part-size", "5MiB", stdin=subprocess.PIPE, bufsize=0)
    block = bytes(1 << 20)
    for _ in range(40):
        process.stdin.write(block)
    assert client.list_multipart_uploads(Bucket="one-bucket")["Uploads"]
    process.send_signal(signal.SIGINT)
    process.stdin.close()
    process.stdin = None
    _, err = process.communicate(timeout=60)
    assert (process.returncode, b"Traceback" in err) == (130, False)
    assert "Uploads" not in client.list_multipart_uploads(Bucket="one-bucket")
    assert "Contents" not in client.list_objects_v2(Bucket="one-bucket")


class Halting(BaseHTTPRequestHandler):
    """Send half of each object, and then nothing until the test ends."""

    protocol_version = "HTTP/1.1"
    begun = threading.Event()
    ended = threading.Event()

    def do_GET(self):
        listing = "list-type=2" in self.path
        body = LISTING.format("".join(map(ENTRY.format, ("p/a", "p/b")))).encode() if listing else bytes(100)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"e"')
        self.end_headers()
        self.wfile.write(body if listing else body[:50])
        if not listing:
            self.begun.set()
            self.ended.wait(60)
            self.close_connection = True

    def log_message(self, *arguments):
        pass


@pytest.fixture
def halting():
    Halting.begun.clear()
    Halting.ended.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Halting)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Halting.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "arguments",
    [("cp", "s3://bucket/p/a", "file"), ("cp", "-r", "s3://bucket/p", "folder"), ("sync", "s3://bucket/p", "folder")],
)
def test_an_interrupted_download_leaves_nothing(halting, tmp_path, arguments):
    process = mangrove(
        *arguments, "--endpoint-url", halting, "--no-sign-request", "--region", "us-east-1", cwd=tmp_path
    )
    assert Halting.begun.wait(60)
    process.send_signal(signal.SIGINT)
    Halting.ended.set()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, b"Traceback" in err) == (130, False)
    assert read(tmp_path) == {}
