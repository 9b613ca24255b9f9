"""Trees on a real server: what mangrove writes, s5cmd and rclone read back equal, and the other way round."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import uuid
from pathlib import Path

import pytest

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)

from mangrove import s3  # noqa: E402
from mangrove.errors import ObjectChangedError  # noqa: E402
from mangrove.s3.deleting import delete_objects  # noqa: E402
from mangrove.s3.listing import list_objects  # noqa: E402
from mangrove.s3.opening import open_object  # noqa: E402
from mangrove.s3.trees.copying import cp, mv, sync  # noqa: E402
from mangrove.s3.trees.keyspace import du, rm  # noqa: E402

pytest_plugins = ["servers.weed"]

# SeaweedFS lists `a/b` before `a-b`, which S3 does not.
TREE = {
    "a-b": b"1",
    "a.txt": b"",
    "a/b": b"22",
    "a/c/d e+f%20g": b"333",
    "a/é/ü&<>'.bin": os.urandom(70_000),
    "z": os.urandom(300_000),
}


class World:
    def __init__(self, weed, folder):
        self.weed, self.folder = weed, folder
        self.connection = s3.Connection(weed.session(), endpoint_url=weed.endpoint_url)
        self.bucket = f"tree-{uuid.uuid4().hex[:12]}"
        self.connection.create_bucket(self.bucket)
        self.backend = self.connection.backend

    def url(self, prefix=""):
        return f"s3://{self.bucket}/{prefix}"

    def write(self, name, tree):
        root = self.folder / name
        for path, body in tree.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
            os.utime(file, (1.7e9, 1.7e9))
        return root

    def run(self, program, *arguments):
        found = shutil.which(program, path=sysconfig.get_path("scripts")) or shutil.which(program)
        if found is None:
            pytest.skip(f"no `{program}` here")
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": self.weed.access_key,
            "AWS_SECRET_ACCESS_KEY": self.weed.secret_key,
            "AWS_REGION": "us-east-1",
            "RCLONE_CONFIG_W_TYPE": "s3",
            "RCLONE_CONFIG_W_PROVIDER": "SeaweedFS",
            "RCLONE_CONFIG_W_ENV_AUTH": "true",
            "RCLONE_CONFIG_W_ENDPOINT": self.weed.endpoint_url,
        }
        done = subprocess.run([found, *arguments], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def read(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def world(weed, tmp_path):
    made = World(weed, tmp_path)
    yield made
    made.connection.close()


def down_by_s5cmd(world, target):
    world.run("s5cmd", "--endpoint-url", world.weed.endpoint_url, "cp", world.url("p/*"), f"{target}/")


def up_by_s5cmd(world, source):
    world.run("s5cmd", "--endpoint-url", world.weed.endpoint_url, "cp", f"{source}/", world.url("p/"))


def down_by_rclone(world, target):
    world.run("rclone", "copy", f"W:{world.bucket}/p", str(target))


def up_by_rclone(world, source):
    world.run("rclone", "copy", str(source), f"W:{world.bucket}/p")


@pytest.mark.parametrize("down", [down_by_s5cmd, down_by_rclone])
def test_what_mangrove_writes_others_read_back_equal(world, down):
    source = world.write("source", TREE)
    assert sync(world.backend, source, world.url("p")).counts == {"upload": len(TREE)}
    (world.folder / "target").mkdir()

    down(world, world.folder / "target")

    assert read(world.folder / "target") == TREE


@pytest.mark.parametrize("up", [up_by_s5cmd, up_by_rclone])
def test_what_others_write_mangrove_reads_back_equal(world, up):
    up(world, world.write("source", TREE))

    assert sync(world.backend, world.url("p"), world.folder / "target").counts == {"download": len(TREE)}

    assert read(world.folder / "target") == TREE
    assert sync(world.backend, world.url("p"), world.folder / "target").same == len(TREE)
    assert sync(world.backend, world.url("p"), world.folder / "target", compare="checksum").same == len(TREE)


def test_trees_are_kept_alike(world):
    source = world.write("source", TREE)
    sync(world.backend, source, world.url("p"))
    assert sync(world.backend, source, world.url("p"), delete=True).done == 0
    (source / "a-b").unlink()
    (source / "a/b").write_bytes(b"new and longer")

    assert sync(world.backend, source, world.url("p"), delete=True).counts == {"upload": 1, "delete": 1}
    assert sync(world.backend, world.url("p"), world.url("q")).counts == {"copy": 5}
    assert sync(world.backend, world.url("p"), world.url("q")).same == 5
    sync(world.backend, world.url("q"), world.folder / "target")
    assert read(world.folder / "target") == read(source)
    assert du(world.backend, world.url("p")).count == 5
    assert rm(world.backend, world.url("p/*.bin")).done == 1
    assert rm(world.backend, world.url("p"), recursive=True).done == 4
    assert cp(world.backend, world.url("q/z"), f"{world.folder}/").done == 1


def test_a_listing_has_pages_and_details_and_deletes_in_bulk(world):
    with world.connection.batch() as batch:
        for number in range(1205):
            batch.upload(world.bucket, f"n/{number:04} é+", b"x")

    found = list(list_objects(world.backend.performer, world.bucket, "n/"))

    assert found == [f"n/{number:04} é+" for number in range(1205)]
    assert {(key.size, key.last_modified.tzinfo is not None, bool(key.etag)) for key in found} == {(1, True, True)}
    assert delete_objects(world.backend, world.bucket, found).done == 1205
    assert not list(list_objects(world.backend.performer, world.bucket))


def test_an_object_is_a_file(world):
    data = os.urandom(1 << 20)
    with open_object(world.backend, world.bucket, "key", "wb") as file:
        for _ in range(18):
            file.write(data)
    with open_object(world.backend, world.bucket, "key") as file:
        file.seek(-10, os.SEEK_END)
        assert file.read() == data[-10:]
        file.seek((1 << 20) - 5)
        assert file.read(10) == data[-5:] + data[:5]
    with open_object(world.backend, world.bucket, "key") as file:
        assert file.read() == data * 18


def test_a_move_leaves_what_was_written_meanwhile_whatever_the_server_thinks_of_conditions(world, tmp_path):
    client = world.connection.conn
    for key in ("from/a", "from/b"):
        client.put_object(Bucket=world.bucket, Key=key, Body=b"old")
    engine = world.backend.engine
    submit = engine.submit

    def overwrite(call):
        # After the copies, and before what is copied is deleted.
        if (
            call.operation == "HeadObject"
            and call.params["Key"] == "from/b"
            and copied.issuperset({"from/a", "from/b"})
        ):
            client.put_object(Bucket=world.bucket, Key="from/b", Body=b"new")
        if call.operation == "CopyObject":
            copied.add(call.params["CopySource"]["Key"])
        submit(call)

    copied: set[str] = set()
    engine.submit = overwrite
    summary = mv(world.backend, world.url("from"), world.url("to"), recursive=True, raise_errors=False)
    engine.submit = submit

    assert summary.counts == {"copy": 2, "delete": 1}
    [failure] = summary.failures
    assert isinstance(failure.error, ObjectChangedError)
    left = {str(key): world.connection.download(world.bucket, key) for key in world.connection.list(world.bucket)}
    assert left == {"from/b": b"new", "to/a": b"old", "to/b": b"old"}
