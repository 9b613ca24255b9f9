"""The commands of `mangrove s3`, run as people run them, on an S3 in memory: what they print, and how they end."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from datetime import datetime
from types import SimpleNamespace

import pytest

from mangrove import s3
from mangrove.cli import main, s3_connecting
from mangrove.s3 import MemoryStore
from mangrove.s3.listing import list_objects

HOSTILE = "p/\x1b[31mred\x1b]0;title\x07\n\u202eevil"


class World:
    """Be a store with a bucket `b`, and a folder that is the working one."""

    def __init__(self, folder, capfdbinary):
        self.store, self.folder, self._captured = MemoryStore(), folder, capfdbinary
        self.connection = self.connect()
        self.connection.create_bucket("bkt")
        self.arguments = []

    def connect(self, given=None):
        if given is not None:
            self.arguments.append(given)
        return s3.Connection.in_memory(self.store)

    def put(self, **objects):
        for key, body in objects.items():
            self.connection.upload("bkt", key, body)

    def write(self, **files):
        for name, body in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
            os.utime(file, (1.7e9, 1.7e9))

    def run(self, *arguments):
        code = main(["s3", *arguments])
        out, err = self._captured.readouterr()
        assert b"Traceback" not in err
        return code, out.decode(), err.decode()

    def quiet(self, *arguments):
        return self.run(*arguments, "--no-progress")

    def lines(self, *arguments):
        code, out, _ = self.quiet(*arguments, "--output", "jsonl")
        return code, [json.loads(line) for line in out.splitlines()]

    @property
    def keys(self):
        return list(list_objects(self.connection.backend.performer, "bkt"))

    def files(self, folder="."):
        root = self.folder / folder
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def world(tmp_path, monkeypatch, capfdbinary):
    monkeypatch.chdir(tmp_path)
    made = World(tmp_path, capfdbinary)
    monkeypatch.setattr(s3_connecting, "connect", made.connect)
    return made


def stdin(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


# -- before anything is loaded ----------------------------------------------------------------------------------------

COMMANDS = ("cat", "cp", "du", "head", "ls", "mv", "presign", "rm", "run", "sweep", "sync")


def test_help_loads_no_botocore():
    script = (
        "import sys; from mangrove.cli import main\n"
        f"for command in ([], *([each] for each in {COMMANDS!r})):\n    assert main(['s3', *command, '--help']) == 0\n"
        "assert main(['s3', 'cp', 'only-one']) == 2\n"
        "print('LOADED', sorted(name for name in sys.modules if name.startswith(('boto', 'urllib3', 'pycurl'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout
    for command in COMMANDS:
        assert f"Usage: mangrove s3 {command} " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["cp", "a", "b"], "one of 'a' and 'b' has to be s3://bucket/key"),
        (["cp", "s3://bkt/p/", "x"], "names all that is below it; say --recursive"),
        (["cp", "folder", "s3://bkt/p"], "'folder' is a folder; say --recursive"),
        (["cp", "a", "c", "s3://bkt/p"], "end 's3://bkt/p' with a slash"),
        (["rm", "s3://bkt/p/"], "names all that is below it; say --recursive"),
        (["rm", "s3://bkt"], "names all that is below it; say --recursive"),
        (["rm", "folder"], "is no S3 URL"),
        (["mv", "-", "s3://bkt/a"], "- is standard input or output"),
        (["cp", "-r", "s3://bkt", "-"], "- is standard input or output"),
        (["cp", "a", "s3://bkt/a", "--part-size", "many"], "a size is"),
        (["cp", "a", "s3://bkt/a", "--metadata", "x"], "--metadata takes KEY=VALUE"),
        (["cp", "a", "s3://bkt/a", "--include"], "'--include' requires an argument"),
        (["cp", "a", "s3://bkt/a", "--include", "[z-a]"], "the pattern '[z-a]' is none"),
        (["cp", "s3://bkt/a", "x", "--storage-class", "GLACIER"], "download has no option 'storage_class'"),
        (["presign", "s3://bkt/a", "--expires-in", "8d"], "1 second to 7 days"),
        (["head", "s3://bkt"], "the key is empty"),
        (["sweep", "--older-than", "soon"], "a time is a number"),
        (["run", "missing.txt"], "'missing.txt' can't be read: No such file or directory"),
        (["ls", "folder"], "s3://"),
    ],
)
def test_wrong_usage_does_nothing_and_says_what_to_do(world, arguments, told):
    world.write(a=b"1", **{"folder/x": b"1"})
    code, out, err = world.run(*arguments)
    assert (code, out, world.keys) == (2, "", [])
    assert told in err


# -- cp ---------------------------------------------------------------------------------------------------------------


def test_one_file_up_and_down(world):
    world.write(a=b"hello")
    assert world.quiet("cp", "a", "s3://bkt/p/") == (0, "upload: a to s3://bkt/p/a\n", "")
    assert world.quiet("cp", "s3://bkt/p/a", "copy") == (0, "download: s3://bkt/p/a to copy\n", "")
    assert world.quiet("cp", "s3://bkt/p/a", "s3://bkt/q") == (0, "copy: s3://bkt/p/a to s3://bkt/q\n", "")
    assert (world.files()["copy"], world.keys) == (b"hello", ["p/a", "q"])


def test_what_was_done_is_summed_up_on_standard_error(world):
    world.write(a=b"hello")
    _, out, err = world.run("cp", "a", "s3://bkt/a")
    assert out == "upload: a to s3://bkt/a\n"
    assert re.fullmatch(r"mangrove: 1 uploaded in \d+\.\d s\n|mangrove: 1 uploaded, 5 B in \d+\.\d s\n", err)


def test_json_of_an_operation(world):
    world.write(a=b"hello")
    world.put(here=b"howdy")
    assert world.lines("cp", "s3://bkt/here", "x") == (
        0,
        [
            {
                "operation": "download",
                "source": "s3://bkt/here",
                "target": "x",
                "size": 5,
                "ok": True,
                "error": None,
                "verified": "CRC32",
                "dry_run": False,
            }
        ],
    )
    code, out, err = world.quiet("cp", "a", "missing", "s3://bkt/p/", "--output", "json")
    good, bad = sorted(json.loads(out), key=lambda each: not each["ok"])
    assert (code, good["source"], good["target"], good["ok"]) == (1, "a", "s3://bkt/p/a", True)
    assert (bad["ok"], bad["error"]) == (False, "missing: No such file or directory")
    assert err == "mangrove: error: cp missing s3://bkt/p/: missing: No such file or directory\n"


def test_a_failure_of_all_is_254_and_one_line(world):
    code, out, err = world.quiet("cp", "s3://bkt/none", "x")
    assert (code, out, world.files()) == (254, "", {})
    assert err.startswith("mangrove: error: download: s3://bkt/none to x: ")
    assert err.count("\n") == 1
    assert world.quiet("cp", "-r", "s3://none/p", "x")[0] == 254
    assert world.quiet("cp", "s3://bkt/none*", "x")[:2] == (254, "")
    assert world.quiet("cp", "missing", "s3://bkt/a")[0] == 254


def test_trees_with_filters_in_their_order(world):
    world.write(**{"t/a.gz": b"1", "t/b.txt": b"2", "t/tmp/c.gz": b"3"})
    code, out, _ = world.quiet(
        *("cp", "-r", "t", "s3://bkt/p", "--exclude", "*", "--include=*.gz", "--exclude", "tmp/*")
    )
    assert (code, out) == (0, "upload: t/a.gz to s3://bkt/p/a.gz\n")
    world.quiet("cp", "-r", "t", "s3://bkt/q", "--exclude", "tmp/*", "--include", "*.gz")
    assert world.keys == ["p/a.gz", "q/a.gz", "q/b.txt", "q/tmp/c.gz"]


def test_wildcards_need_no_recursive(world):
    world.put(**{"p/a.gz": b"1", "p/b.txt": b"2", "p/x/c.gz": b"3"})
    assert world.quiet("cp", "s3://bkt/p/*.gz", "down")[0] == 0
    assert world.files("down") == {"a.gz": b"1", "x/c.gz": b"3"}
    world.put(**{"p/a*": b"4"})
    assert world.quiet("cp", r"s3://bkt/p/a\*", "star")[0] == 0
    assert world.files()["star"] == b"4"


def test_nothing_is_done_in_a_dry_run(world):
    world.write(a=b"1")
    world.put(x=b"1")
    assert world.quiet("cp", "a", "s3://bkt/a", "--dry-run")[1] == "(dry run) upload: a to s3://bkt/a\n"
    assert world.quiet("rm", "s3://bkt/x", "--dry-run")[1] == "(dry run) delete: s3://bkt/x\n"
    assert world.quiet("rm", "s3://bkt/*", "--dry-run")[1] == "(dry run) delete: s3://bkt/x\n"
    assert world.quiet("mv", "s3://bkt/x", "y", "--dry-run")[1] == "(dry run) download: s3://bkt/x to y\n"
    assert world.lines("sync", ".", "s3://bkt", "--delete", "--dry-run")[1][0]["dry_run"] is True
    assert world.keys == ["x"]


def test_standard_input_and_output(world, monkeypatch):
    stdin(monkeypatch, b"\x00piped\xff")
    assert world.quiet("cp", "-", "s3://bkt/a")[:2] == (0, "upload: - to s3://bkt/a\n")
    assert world.connection.download("bkt", "a") == b"\x00piped\xff"
    world.put(text=b"text\n", more=b"more\n")
    assert world.quiet("cp", "s3://bkt/text", "-") == (0, "text\n", "")
    assert world.run("cat", "s3://bkt/text", "s3://bkt/more") == (0, "text\nmore\n", "")
    assert world.run("cat", "s3://bkt/[mt]*e*")[1] == "more\ntext\n"
    code, out, err = world.run("cat", "s3://bkt/text", "s3://bkt/none")
    assert (code, out) == (1, "text\n")
    assert err.startswith("mangrove: error: download: s3://bkt/none")


def test_options_of_objects(world, tmp_path):
    world.write(a=b"1", key=b"k" * 32)
    code, _, err = world.quiet(
        *("cp", "a", "s3://bkt/a", "--content-type", "text/css", "--metadata", "owner=me", "--metadata", "url=a=b"),
        *("--storage-class", "STANDARD_IA", "--cache-control", "max-age=1", "--tag", "team=data"),
    )
    assert (code, err) == (0, "")
    found = world.connection.head("bkt", "a")
    assert (found["ContentType"], found["Metadata"]) == ("text/css", {"owner": "me", "url": "a=b"})
    assert (found["StorageClass"], found["CacheControl"]) == ("STANDARD_IA", "max-age=1")
    code, _, err = world.quiet("cp", "a", "s3://bkt/a", "--no-overwrite")
    assert (code, "s3://bkt/a" in err) == (254, True)


def test_the_connection_is_made_as_it_was_asked_for(world):
    world.write(a=b"1")
    world.quiet(
        *("cp", "a", "s3://bkt/a", "--profile", "p", "--region", "eu-west-1", "--endpoint-url", "http://x"),
        *("--part-size", "8MiB", "--threshold", "9MB", "--no-sign-request", "--no-verify-ssl"),
    )
    (given,) = world.arguments
    wanted = {
        "profile": "p",
        "region": "eu-west-1",
        "endpoint_url": "http://x",
        "part_size": 8 << 20,
        "threshold": 9_000_000,
        "no_sign_request": True,
        "no_verify_ssl": True,
    }
    assert {name: given[name] for name in wanted} == wanted


# -- mv, rm, sync -----------------------------------------------------------------------------------------------------


def test_moves_leave_nothing_behind(world):
    world.write(**{"a": b"1", "t/x": b"2"})
    assert world.quiet("mv", "a", "s3://bkt/a")[0] == 0
    assert world.quiet("mv", "s3://bkt/a", "s3://bkt/c")[1] == "move: s3://bkt/a to s3://bkt/c\n"
    assert world.quiet("mv", "s3://bkt/c", "d")[0] == 0
    assert world.quiet("mv", "-r", "t", "s3://bkt/t")[0] == 0
    assert (world.files(), world.keys) == ({"d": b"1"}, ["t/x"])


def test_rm(world):
    world.put(**{"a": b"1", "p/a": b"1", "p/b": b"1", "q": b"1", "a*": b"1"})
    assert world.quiet("rm", r"s3://bkt/a\*", "s3://bkt/q") == (0, "delete: s3://bkt/a*\ndelete: s3://bkt/q\n", "")
    assert world.quiet("rm", "-r", "s3://bkt/p", "--exclude", "b")[1] == "delete: s3://bkt/p/a\n"
    assert world.keys == ["a", "p/b"]
    assert world.quiet("rm", "s3://bkt/none")[0] == 0
    assert world.lines("rm", "-r", "s3://bkt")[1][0] | {"size": 0} == {
        "operation": "delete",
        "source": "s3://bkt/a",
        "target": None,
        "size": 0,
        "ok": True,
        "error": None,
        "verified": None,
        "dry_run": False,
    }
    assert world.keys == []


def test_sync_up_down_and_across(world):
    world.write(**{"t/a": b"1", "t/p/b": b"22"})
    assert world.quiet("sync", "t", "s3://bkt/p")[0] == 0
    code, out, err = world.run("sync", "t", "s3://bkt/p")
    assert (code, out) == (0, "")
    assert re.fullmatch(r"mangrove: 2 the same in \d+\.\d s\n", err)
    world.connection.create_bucket("ckt")
    assert (
        world.quiet("sync", "s3://bkt/p", "s3://ckt")[1]
        == "copy: s3://bkt/p/a to s3://ckt/a\ncopy: s3://bkt/p/p/b to s3://ckt/p/b\n"
    )
    assert world.quiet("sync", "s3://ckt", "down", "--size-only")[0] == 0
    assert world.files("down") == {"a": b"1", "p/b": b"22"}
    (world.folder / "t/a").unlink()
    assert world.quiet("sync", "t", "s3://bkt/p", "--delete", "--checksum")[1] == "delete: s3://bkt/p/a\n"


def test_part_of_a_sync_that_fails_is_1(world):
    world.write(**{"t/a": b"1"})
    world.folder.joinpath("t/gone").symlink_to("nowhere")
    code, out, err = world.quiet("sync", "t", "s3://bkt/p")
    assert (code, out) == (1, "upload: t/a to s3://bkt/p/a\n")
    assert err.startswith("mangrove: error: ")
    assert world.quiet("sync", "t", "s3://bkt/q", "--no-follow-symlinks")[0] == 0


# -- run --------------------------------------------------------------------------------------------------------------


def test_a_file_of_commands(world):
    world.put(**{"x#1": b"1", "old": b"2", "tmp/a": b"3", "tmp/b": b"4", "in": b"5"})
    world.write(**{"my file": b"6", "t/z": b"7"})
    world.write(
        commands=b"""# a comment
cp "my file" s3://bkt/up/   # and another
rm s3://bkt/x#1
rm s3://bkt/tmp/*

mv s3://bkt/old s3://bkt/new
cp s3://bkt/in 'in here'
cp t/z s3://bkt/z --content-type text/css
cp -r t s3://bkt/t --exclude '*.tmp'
"""
    )
    code, out, err = world.run("run", "commands")
    assert (code, "error" in err) == (0, False)
    assert sorted(out.splitlines()) == [
        "delete: s3://bkt/tmp/a",
        "delete: s3://bkt/tmp/b",
        "delete: s3://bkt/x#1",
        "download: s3://bkt/in to in here",
        "move: s3://bkt/old to s3://bkt/new",
        "upload: my file to s3://bkt/up/my file",
        "upload: t/z to s3://bkt/t/z",
        "upload: t/z to s3://bkt/z",
    ]
    assert world.keys == ["in", "new", "t/z", "up/my file", "z"]
    assert world.connection.head("bkt", "z")["ContentType"] == "text/css"


def test_lines_that_fail_are_told_by_their_numbers_and_the_others_go_on(world, monkeypatch):
    world.write(a=b"1")
    lines = [
        "cp a s3://bkt/a",
        "cp missing s3://bkt/x",
        "mb s3://ckt",
        'cp "a s3://bkt/x',
        "cp a",
        "rm s3://bkt/p/",
        "cp a s3://bkt/y --endpoint-url http://x",
        "cp - s3://bkt/x",
        "cp s3://bkt/none x",
        "cp a b",
    ]
    stdin(monkeypatch, "\n".join(lines).encode())
    code, out, err = world.quiet("run", "--output", "jsonl")
    told = {each["line"]: each["ok"] for each in map(json.loads, out.splitlines())}
    assert (code, told) == (1, {1: True, **dict.fromkeys(range(2, 11), False)})
    for number in range(2, 11):
        assert f"mangrove: error: line {number}: " in err
    assert "a line is one of cp, mv, rm, sync; got 'mb'" in err
    assert world.keys == ["a"]


def test_many_lines_are_one_batch(world, monkeypatch):
    made = []
    real = s3.Batch.__init__

    def init(batch, *arguments, **options):
        made.append(batch)
        real(batch, *arguments, **options)

    monkeypatch.setattr(s3.Batch, "__init__", init)
    world.write(a=b"1")
    stdin(monkeypatch, b"".join(b"cp a s3://bkt/%d\n" % number for number in range(500)))
    code, out, _ = world.quiet("run", "-")
    assert (code, len(out.splitlines()), len(world.keys), len(made)) == (0, 500, 500, 1)


# -- ls, du, head, presign, sweep -------------------------------------------------------------------------------------


def test_ls(world):
    world.put(**{"p/a": b"12345", "p/x/b": b"1" * 2048, "q": b""})
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    code, out, err = world.run("ls", "s3://bkt/p/")
    assert (code, err) == (0, "")
    assert re.fullmatch(rf"{when} {5:>14} a\n {{19}} {'PRE':>14} x/\n", out)
    assert re.fullmatch(rf"{when} {'2.0 KiB':>14} p/x/b\n", world.run("ls", "s3://bkt/*/b", "-H")[1])
    assert world.run("ls", "-r", "s3://bkt", "--null")[1] == "p/a\0p/x/b\0q\0"
    assert re.fullmatch(rf"{when} bkt\n", world.run("ls")[1])
    entry = json.loads(world.run("ls", "s3://bkt/q", "--output", "jsonl")[1])
    assert (entry["key"], entry["size"], entry["storage_class"]) == ("q", 0, "STANDARD")
    assert datetime.fromisoformat(entry["last_modified"]).tzinfo is not None
    assert json.loads(world.run("ls", "s3://bkt/", "--output", "json")[1])[0] == {"prefix": "p/"}
    assert world.run("ls", "s3://bkt/none") == (1, "", "mangrove: there is nothing at s3://bkt/none\n")
    assert world.run("ls", "s3://bkt/none", "--output", "json")[:2] == (1, "[]\n")
    code, out, err = world.run("ls", "s3://none")
    assert (code, out, err.count("\n")) == (254, "", 1)


def test_hostile_keys_do_nothing_to_a_terminal(world):
    world.put(**{HOSTILE: b"1"})
    for arguments in (["ls", "-r", "s3://bkt"], ["rm", "-r", "s3://bkt", "--dry-run"], ["cp", "-r", "s3://bkt", "x"]):
        _, out, err = world.run(*arguments)
        assert "redevil" in out + err
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out + err)
        assert out.count("\n") <= 1
    assert json.loads(world.run("ls", "-r", "s3://bkt", "--output", "jsonl")[1])["key"] == HOSTILE
    assert world.run("ls", "-r", "s3://bkt", "-0")[1] == f"{HOSTILE}\0"


def test_du(world):
    world.put(**{"p/a": b"12345", "p/x/b": b"1" * 2048, "q": b"1"})
    assert world.run("du", "s3://bkt/p") == (0, "2053 bytes in 2 objects: s3://bkt/p\n", "")
    assert world.run("du", "-H", "s3://bkt/p", "s3://bkt")[1] == (
        "2.0 KiB in 2 objects: s3://bkt/p\n2.0 KiB in 3 objects: s3://bkt\n"
    )
    assert json.loads(world.run("du", "s3://bkt", "--output", "jsonl")[1]) == {
        "url": "s3://bkt",
        "objects": 3,
        "bytes": 2054,
        "classes": {"STANDARD": {"objects": 3, "bytes": 2054}},
    }
    assert world.run("du", "s3://bkt", "s3://none")[0] == 1


def test_head(world):
    world.connection.upload("bkt", "a", "hello", metadata={"owner": "me"})
    code, out, err = world.run("head", "s3://bkt/a")
    found = json.loads(out)
    assert (code, err, found["ContentLength"], found["Metadata"]) == (0, "", 5, {"owner": "me"})
    assert "ResponseMetadata" not in found
    assert json.loads(world.run("head", "s3://bkt/a", "--output", "jsonl")[1])["Url"] == "s3://bkt/a"
    assert "\n  Metadata: owner=me\n" in world.run("head", "s3://bkt/a", "--output", "text")[1]
    assert world.run("head", "s3://bkt/none")[:2] == (254, "")


def test_presign(world):
    code, out, err = world.run("presign", "s3://bkt/a b", "--expires-in", "30m")
    assert (code, err) == (0, "")
    assert out.startswith("https://")
    assert "a%20b" in out
    found = json.loads(world.run("presign", "s3://bkt/a", "--method", "put", "--output", "jsonl")[1])
    assert (found["source"], found["expires_in"]) == ("s3://bkt/a", 3600)


def test_sweep_shows_first_and_deletes_when_told(world):
    upload = world.connection.conn.create_multipart_upload(Bucket="bkt", Key="big")["UploadId"]
    world.write(**{"d/.mangrove-0123456789abcdef.part": b"half", "d/mine": b"1"})
    os.utime(world.folder / "d/.mangrove-0123456789abcdef.part")
    assert world.quiet("sweep", "s3://bkt", "d") == (0, "", "")
    code, out, _ = world.quiet("sweep", "s3://bkt", "d", "--older-than", "0s")
    assert code == 0
    assert re.fullmatch(
        rf"\(dry run\) abort: s3://bkt/big {re.escape(upload)}, 0\.0 days old\n"
        r"\(dry run\) delete: d/\.mangrove-0123456789abcdef\.part, 0\.0 days old\n",
        out,
    )
    code, out, _ = world.quiet("sweep", "s3://bkt", "d", "--older-than", "0s", "--delete", "--output", "jsonl")
    records = [json.loads(line) for line in out.splitlines()]
    assert [(each["operation"], each["removed"]) for each in records] == [("abort", True), ("delete", True)]
    assert world.files("d") == {"mine": b"1"}
    assert not world.connection.conn.list_multipart_uploads(Bucket="bkt").get("Uploads")
    assert world.quiet("sweep")[0] == 0


# -- the ways to end --------------------------------------------------------------------------------------------------


def test_no_credentials_is_253(tmp_path, capfd):
    code = main(["s3", "ls", "s3://bucket", "--region", "us-east-1", "--endpoint-url", "http://127.0.0.1:1"])
    out, err = capfd.readouterr()
    assert (code, out) == (253, "")
    assert err.count("\n") == 1
    assert "give --profile" in err
    (tmp_path / "a").write_bytes(b"1")
    assert main(["s3", "cp", str(tmp_path / "a"), "s3://bucket/a", "--no-progress"]) == 253
    assert main(["s3", "cp", "-r", str(tmp_path), "s3://bucket/a", "--no-progress"]) == 253
    assert "Traceback" not in capfd.readouterr().err


def test_a_profile_that_is_not_there_is_2(capfd):
    assert main(["s3", "ls", "--profile", "nobody"]) == 2
    assert "nobody" in capfd.readouterr().err


def test_a_reader_that_has_enough_is_no_error(world):
    script = (
        "from mangrove import s3; from mangrove.cli import main, s3_connecting\n"
        "connection = s3.Connection.in_memory(); connection.create_bucket('bkt')\n"
        "connection.upload('bkt', 'a', b'line\\n' * 1_000_000)\n"
        "s3_connecting.connect = lambda given: connection\n"
        "raise SystemExit(main(['s3', 'cat', 's3://bkt/a']))"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"line\n"
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), err) == (0, b"")


def test_a_line_shows_how_far_it_is_where_only_standard_error_is_a_terminal(world, monkeypatch):
    written = []
    terminal = SimpleNamespace(isatty=lambda: True, write=written.append, flush=lambda: None)
    from mangrove.cli.s3_report import Report
    from mangrove.s3 import Outcome

    monkeypatch.setattr(sys, "stderr", terminal)
    report = Report("jsonl")
    report._told = -1.0
    report.take(Outcome("upload", "bkt", "a", os.devnull, size=3))
    assert any("1 uploaded, 3 B" in text for text in written)


@pytest.mark.parametrize("command", ["rm", "presign"])
def test_no_command_has_options_that_do_nothing(command, capsys):
    assert main(["s3", command, "--help"]) == 0
    told = capsys.readouterr().out
    for option in (
        "--part-size",
        "--threshold",
        "--follow-symlinks",
        *(["--no-progress"] if command == "presign" else []),
    ):
        assert option not in told
