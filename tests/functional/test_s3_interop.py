"""Objects on a real server: what mangrove uploads, s5cmd and rclone read back equal, and the other way round."""

from __future__ import annotations

import hashlib
import json
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
from mangrove.cli import main  # noqa: E402

pytest_plugins = ["servers.weed"]

SMALL = {
    "empty": b"",
    "one": b"1",
    "text.txt": "é\n".encode(),
    "spaces and+plus": os.urandom(10),
    "per%20cent%": os.urandom(10),
    "quotes'\"`$&;()": os.urandom(10),
    "ünïcödé/日本語/🚀": os.urandom(10),
    "deep/er/and/deep/er": os.urandom(5000),
    "tilde~!*,=:@": os.urandom(10),
    ".hidden/.dot": os.urandom(10),
}
MEBI = 1 << 20
LARGE = {"parts": os.urandom(17 * MEBI + 1), "even": os.urandom(10 * MEBI)}
EVERYTHING = {**SMALL, **LARGE}


class World:
    def __init__(self, weed, folder):
        self.weed, self.folder = weed, folder
        self.connection = s3.Connection(
            weed.session(), endpoint_url=weed.endpoint_url, threshold=5 * MEBI, part_size=5 * MEBI
        )
        self.bucket = f"interop-{uuid.uuid4().hex[:12]}"
        self.connection.create_bucket(self.bucket)
        self.environment = {
            "AWS_ACCESS_KEY_ID": weed.access_key,
            "AWS_SECRET_ACCESS_KEY": weed.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "RCLONE_CONFIG_W_TYPE": "s3",
            "RCLONE_CONFIG_W_PROVIDER": "SeaweedFS",
            "RCLONE_CONFIG_W_ENV_AUTH": "true",
            "RCLONE_CONFIG_W_ENDPOINT": weed.endpoint_url,
            "RCLONE_S3_UPLOAD_CUTOFF": "5Mi",
            "RCLONE_S3_CHUNK_SIZE": "5Mi",
        }

    def write(self, name, tree):
        root = self.folder / name
        for path, body in tree.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
            os.utime(file, (1.7e9, 1.7e9))
        return root

    def url(self, path=""):
        return f"s3://{self.bucket}/{path}"

    def s5cmd(self, *arguments):
        return self._run("s5cmd", "--endpoint-url", self.weed.endpoint_url, *arguments)

    def rclone(self, *arguments):
        return self._run("rclone", *arguments)

    def _run(self, program, *arguments):
        found = shutil.which(program, path=sysconfig.get_path("scripts")) or shutil.which(program)
        if found is None:
            pytest.skip(f"no `{program}` here")
        done = subprocess.run(
            [found, *map(str, arguments)], env={**os.environ, **self.environment}, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def upload_all(self):
        with self.connection.batch() as batch:
            for key, body in EVERYTHING.items():
                batch.upload(self.bucket, f"p/{key}", body)
        assert batch.success()

    def download_all(self):
        with self.connection.batch() as batch:
            handles = {key: batch.download(self.bucket, f"p/{key}") for key in EVERYTHING}
        return {key: handle.result() for key, handle in handles.items()}


def read(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def digests(objects):
    """Return what is short enough to be looked at when two differ."""
    return {key: (len(body), hashlib.sha256(body).hexdigest()) for key, body in sorted(objects.items())}


@pytest.fixture
def world(weed, tmp_path):
    made = World(weed, tmp_path)
    yield made
    made.connection.close()


def test_s5cmd_reads_what_mangrove_writes(world):
    world.upload_all()
    world.s5cmd("cp", world.url("p/*"), f"{world.folder}/there/")
    assert digests(read(world.folder / "there")) == digests(EVERYTHING)
    assert world.s5cmd("cat", world.url("p/parts")) == LARGE["parts"]


def test_rclone_reads_what_mangrove_writes_and_checks_it(world):
    world.upload_all()
    world.rclone("copy", f"W:{world.bucket}/p", world.folder / "there")
    assert digests(read(world.folder / "there")) == digests(EVERYTHING)
    # rclone's own comparison, byte for byte, both ways.
    world.rclone("check", "--download", world.write("source", EVERYTHING), f"W:{world.bucket}/p")


def test_mangrove_reads_what_s5cmd_writes(world):
    world.s5cmd("cp", "--part-size", "5", f"{world.write('source', EVERYTHING)}/", world.url("p/"))
    assert digests(world.download_all()) == digests(EVERYTHING)


def test_mangrove_reads_what_rclone_writes(world):
    world.rclone("copy", world.write("source", EVERYTHING), f"W:{world.bucket}/p")
    assert digests(world.download_all()) == digests(EVERYTHING)


def test_large_files_go_and_come_in_parts(world):
    source = world.write("source", LARGE)
    for name, body in LARGE.items():
        outcome = world.connection.upload_file(world.bucket, name, source / name)
        assert outcome.size == len(body)
        assert outcome.etag.endswith(f'-{-(-len(body) // (5 * MEBI))}"')
        world.connection.download_file(world.bucket, name, world.folder / name)
        assert digests({name: (world.folder / name).read_bytes()}) == digests({name: body})


def test_metadata_both_ways(world):
    world.connection.upload(
        world.bucket,
        "ours",
        b"1",
        content_type="text/css",
        cache_control="max-age=60",
        metadata={"owner": "me", "team": "data & co"},
    )
    found = json.loads(world.s5cmd("--json", "head", world.url("ours")))
    assert (found["content_type"], found["size"]) == ("text/css", 1)
    assert {name.lower(): value for name, value in found["metadata"].items()} == {"owner": "me", "team": "data & co"}
    (told,) = json.loads(world.rclone("lsjson", "--metadata", f"W:{world.bucket}/ours"))
    assert {name: told["Metadata"][name] for name in ("owner", "team", "content-type", "cache-control")} == {
        "owner": "me",
        "team": "data & co",
        "content-type": "text/css",
        "cache-control": "max-age=60",
    }

    file = world.write("source", {"x": b"2"}) / "x"
    world.s5cmd("cp", "--content-type", "text/html", "--metadata", "owner=s5cmd", file, world.url("theirs"))
    head = world.connection.head(world.bucket, "theirs")
    assert (head["ContentType"], head["Metadata"]) == ("text/html", {"owner": "s5cmd"})
    world.rclone("copyto", "--metadata-set", "owner=rclone", "--metadata", file, f"W:{world.bucket}/other")
    assert world.connection.head(world.bucket, "other")["Metadata"]["owner"] == "rclone"


@pytest.fixture
def run(world, monkeypatch, capfd):
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        code = main(["s3", *map(str, arguments), "--endpoint-url", world.weed.endpoint_url])
        out, err = capfd.readouterr()
        return code, out.splitlines(), err

    return run


def test_the_command_line_syncs_both_ways_and_then_does_nothing(world, run):
    tree = {key: EVERYTHING[key] for key in EVERYTHING if key != "even"}
    source, target = world.write("source", tree), world.folder / "target"
    for arguments in (
        (source, world.url("p")),
        (world.url("p"), target),
        (world.url("p"), world.url("q")),
    ):
        code, out, err = run("sync", *arguments, "--delete")
        assert (code, len(out)) == (0, len(tree)), err
        code, out, err = run("sync", *arguments, "--delete")
        assert (code, out) == (0, []), err
        assert run("sync", *arguments, "--checksum")[:2] == (0, [])
    assert digests(read(target)) == digests(tree)
    # Nor do the others see a difference.
    assert world.s5cmd("sync", "--size-only", f"{source}/", world.url("q/")) == b""
    world.rclone("check", "--download", source, f"W:{world.bucket}/q")


def test_the_command_line_reads_s5cmds_file_of_commands(world, run):
    source = world.write("source", SMALL)
    lines = [f'cp "{source}/one" {world.url("r/one")}', f"cp {source}/text.txt {world.url('r/')}", "# done"]
    commands = world.folder / "commands"
    commands.write_text("\n".join(lines))
    world.s5cmd("run", commands)
    theirs = run("ls", "-r", world.url("r"), "--null")[:2]
    world.s5cmd("rm", world.url("r/*"))
    assert run("run", commands)[0] == 0
    ours = run("ls", "-r", world.url("r"), "--null")[:2]
    assert ours == theirs == (0, ["r/one\0r/text.txt\0"])
