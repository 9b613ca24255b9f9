"""An inventory as a Parquet file: whole or not at all."""

# ruff: noqa: E501  statements read best on one line, and are the tests' own
from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

pq = pytest.importorskip("pyarrow.parquet")

from mangrove.errors import ConfigError, OutputError  # noqa: E402
from mangrove.fleet import Outcome, Target  # noqa: E402
from mangrove.inventory import parquet as module  # noqa: E402
from mangrove.inventory.facts import Facts  # noqa: E402
from mangrove.inventory.parquet import METADATA, ParquetSink  # noqa: E402
from mangrove.inventory.rows import Row  # noqa: E402
from mangrove.inventory.snapshots import SCHEMA, Snapshot, snapshot_of  # noqa: E402

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
FIRST, SECOND = "111111111111", "222222222222"


def rows(number, **data):
    return [
        Row(FIRST, "eu-west-1", "ec2", "ec2.vpcs", f"vpc-{n}", None, {"n": str(n)}, "aws", data) for n in range(number)
    ]


def outcome(account, region, kind="ok", error=None, type_="ec2.vpcs"):
    return Outcome(Target(account, region, "ec2", type=type_), kind, error=error)


FACTS = Facts(
    NOW,
    ("ec2.vpcs", "ec2.subnets"),
    {FIRST: "dev", SECOND: None},
    [
        outcome(FIRST, "eu-west-1"),
        outcome(FIRST, "eu-west-1", type_="ec2.subnets"),
        outcome(FIRST, "us-east-1"),
        outcome(SECOND, "eu-west-1", "denied", PermissionError("not for you")),
        outcome(SECOND, "us-east-1", "disabled"),
    ],
    seconds=1.5,
    calls=7,
)


def test_rows_and_what_they_are_of(tmp_path):
    sink = ParquetSink(tmp_path / "all.parquet")
    sink.add(rows(3))
    sink.add(rows(2))
    assert not (tmp_path / "all.parquet").exists()
    sink.finish(FACTS)
    table = pq.read_table(tmp_path / "all.parquet")
    assert table.column("name").to_pylist() == ["vpc-0", "vpc-1", "vpc-2", "vpc-0", "vpc-1"]
    told = json.loads(pq.read_metadata(tmp_path / "all.parquet").metadata[METADATA])
    assert (told["schema"], told["rows"], told["calls"], told["complete"]) == (SCHEMA, 5, 7, False)
    assert told["taken"] == "2026-01-02T03:04:05+00:00"
    assert [each["kind"] for each in told["outcomes"]] == ["denied", "disabled"]
    assert [each.name for each in tmp_path.iterdir()] == ["all.parquet"]


def test_a_snapshot_is_read_back_as_it_was():
    snapshot = snapshot_of(FACTS, 5)
    found = Snapshot.read(snapshot.written(), "it")

    def told(outcomes):
        return sorted((each["account"], each["region"], each["type"], each["kind"]) for each in outcomes)

    assert told(found.outcomes) == told(snapshot.outcomes)
    assert (found.taken, found.types, found.accounts) == (snapshot.taken, snapshot.types, snapshot.accounts)
    assert not found.complete
    assert [each["account"] for each in found.failures(["ec2.vpcs"])] == [SECOND]
    assert found.failures(["ec2.subnets"]) == []


@pytest.mark.parametrize("text", ["{}", "[]", "no", '{"schema": 1}'])
def test_what_is_no_snapshot_is_said(text):
    with pytest.raises(ConfigError, match="it has no inventory"):
        Snapshot.read(text, "it")


def test_a_newer_schema_is_said():
    with pytest.raises(ConfigError, match="newer mangrove .schema 9; this one knows 1."):
        Snapshot.read('{"schema": 9}', "it")


def test_groups_are_written_as_rows_come(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_GROUP", 10)
    sink = ParquetSink(tmp_path / "all.parquet")
    for _ in range(5):
        sink.add(rows(7))
    assert len(sink._spool._waiting) < 10
    sink.finish(FACTS)
    assert pq.read_metadata(tmp_path / "all.parquet").num_row_groups >= 2
    assert pq.read_metadata(tmp_path / "all.parquet").num_rows == 35


def test_no_rows_are_a_file_too(tmp_path):
    sink = ParquetSink(tmp_path / "all.parquet")
    sink.finish(FACTS)
    assert pq.read_table(tmp_path / "all.parquet").num_rows == 0


def test_abandoned_leaves_what_was_there(tmp_path):
    path = tmp_path / "all.parquet"
    path.write_bytes(b"old")
    sink = ParquetSink(path)
    sink.add(rows(30_000))
    sink.abandon()
    sink.abandon()
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["all.parquet"]


def test_the_mode_is_that_of_the_file_before(tmp_path):
    path = tmp_path / "all.parquet"
    path.write_bytes(b"old")
    path.chmod(0o640)
    sink = ParquetSink(path)
    sink.finish(FACTS)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.parquet").write_bytes(b"old")
    (tmp_path / "all.parquet").symlink_to(tmp_path / "real.parquet")
    ParquetSink(tmp_path / "all.parquet").finish(FACTS)
    assert (tmp_path / "all.parquet").is_symlink()
    assert pq.read_table(tmp_path / "real.parquet").num_rows == 0


@pytest.mark.parametrize(
    ("path", "told"), [("missing/all.parquet", "no folder"), (".", "is a folder"), ("/dev/full", "no ordinary file")]
)
def test_what_can_not_be_written_is_said_at_once(tmp_path, path, told):
    with pytest.raises(ConfigError, match=told):
        ParquetSink(tmp_path / path)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, where nobody can write")
def test_a_folder_that_is_read_only(tmp_path):
    with pytest.raises(OutputError, match="can't be written"):
        ParquetSink("/proc/all.parquet")


FULL = """
import resource, signal, sys
from datetime import datetime, timezone
from mangrove.errors import OutputError
from mangrove.inventory.facts import Facts
from mangrove.inventory.rows import Row
{load}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sink = {sink}
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
import os
try:
    for number in range(40):
        sink.add([Row("1" * 12, "eu-west-1", "ec2", "ec2.vpcs", os.urandom(200).hex(), None, {{}}, "aws") for _ in range(1000)])
    sink.finish(Facts(datetime.now(timezone.utc), ("ec2.vpcs",)))
except OutputError as error:
    print("OutputError:", error)
sink.abandon()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are of Unix")
def test_a_full_disk_leaves_what_was_there(tmp_path):
    path = tmp_path / "all.parquet"
    path.write_bytes(b"old")
    load, sink = "from mangrove.inventory.parquet import ParquetSink", f"ParquetSink({str(path)!r})"
    script = FULL.format(load=load, sink=sink, limit=1_000_000)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=os.environ)
    assert run.stdout.startswith(f"OutputError: {path} can't be written: "), run.stderr
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["all.parquet"]
