"""Inventories as snapshots of a DuckDB file: appended whole, or not at all, and nothing lost."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

duckdb = pytest.importorskip("duckdb")
pq = pytest.importorskip("pyarrow.parquet")

from mangrove.errors import ConfigError, OutputError  # noqa: E402
from mangrove.fleet import Outcome, Target  # noqa: E402
from mangrove.inventory import duck as module  # noqa: E402
from mangrove.inventory.duck import DuckSink  # noqa: E402
from mangrove.inventory.duck.files import explain  # noqa: E402
from mangrove.inventory.facts import Facts  # noqa: E402
from mangrove.inventory.query import query  # noqa: E402
from mangrove.inventory.rows import Row  # noqa: E402

NOW = datetime(2026, 11, 20, 3, 4, 5, tzinfo=timezone.utc)
FIRST, SECOND = "111111111111", "222222222222"
BOTH = ("ec2.vpcs", "ec2.subnets")


def vpcs(number):
    return [
        Row(FIRST, "eu-west-1", "ec2", "ec2.vpcs", f"vpc-{n}", None, {"n": str(n)}, "aws", {"VpcId": f"vpc-{n}"})
        for n in range(number)
    ]


def subnet():
    return Row(FIRST, "eu-west-1", "ec2", "ec2.subnets", "subnet-1", None, None, "aws", {"SubnetId": "subnet-1"})


def facts(types=BOTH, days=0, outcomes=()):
    return Facts(NOW + timedelta(days=days), types, {FIRST: "dev", SECOND: None}, outcomes, 1.5, 7)


def append(path, rows, told=None, **options):
    sink = DuckSink(path, **options)
    sink.add(rows)
    sink.finish(told or facts())
    return path


def ask(path, statement):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(statement).fetchall()


def only(folder):
    return sorted(each.name for each in folder.iterdir())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "all.duckdb"


def test_a_snapshot_is_appended_with_its_time(path):
    append(path, vpcs(2))
    append(path, vpcs(3), facts(days=1))
    told = ask(path, 'SELECT id, CAST(taken AS DATE), complete, "rows", calls, seconds FROM snapshots ORDER BY id')
    assert [(number, str(day), *rest) for number, day, *rest in told] == [
        (1, "2026-11-20", True, 2, 7, 1.5),
        (2, "2026-11-21", True, 3, 7, 1.5),
    ]
    assert ask(path, "SELECT types, accounts, mangrove IS NOT NULL FROM snapshots LIMIT 1") == [
        (list(BOTH), {FIRST: "dev", SECOND: None}, True)
    ]
    assert ask(path, "SELECT snapshot, count(*) FROM resources_history GROUP BY 1 ORDER BY 1") == [(1, 2), (2, 3)]
    assert only(path.parent) == ["all.duckdb"]


def test_any_duckdb_sees_the_views(path):
    append(path, vpcs(2))
    append(path, [*vpcs(3), subnet()], facts(days=1))
    assert ask(path, "SELECT vpc_id, tags['n'] FROM ec2_vpcs ORDER BY 1") == [
        ("vpc-0", "0"),
        ("vpc-1", "1"),
        ("vpc-2", "2"),
    ]
    assert ask(path, "SELECT _snapshot, count(*) FROM ec2_vpcs_history GROUP BY 1 ORDER BY 1") == [(1, 2), (2, 3)]
    assert ask(path, "SELECT count(DISTINCT _taken) FROM ec2_vpcs_history") == [(2,)]
    assert ask(path, "SELECT tags FROM ec2_subnets") == [(None,)]
    assert ask(path, "SELECT count(*) FROM resources") == [(4,)]


def test_a_snapshot_of_other_types_empties_no_table(path):
    append(path, vpcs(2))
    append(path, [subnet()], facts(("ec2.subnets",), days=1))
    assert ask(path, "SELECT count(*) FROM ec2_vpcs") == [(2,)]
    assert ask(path, "SELECT count(*) FROM ec2_subnets") == [(1,)]
    assert ask(path, "SELECT count(*) FROM resources") == [(3,)]


def test_a_newer_snapshot_without_rows_does(path):
    append(path, vpcs(2))
    append(path, [], facts(days=1))
    assert ask(path, "SELECT count(*) FROM ec2_vpcs") == [(0,)]


def test_what_failed_and_was_skipped_is_kept(path):
    targets = [
        Outcome(Target(FIRST, "eu-west-1", "ec2", type="ec2.vpcs"), "ok", rows=2, calls=1, attempts=1, seconds=0.5),
        Outcome(Target(SECOND, "eu-west-1", "ec2", type="ec2.vpcs"), "denied", error=PermissionError("not for you")),
        Outcome(Target(SECOND, "af-south-1", "ec2", type="ec2.vpcs"), "disabled"),
    ]
    append(path, vpcs(2), facts(outcomes=targets))
    found = ask(path, 'SELECT account, region, kind, "rows", error, message FROM outcomes ORDER BY kind')
    assert found == [
        (SECOND, "eu-west-1", "denied", 0, "PermissionError", "not for you"),
        (SECOND, "af-south-1", "disabled", 0, None, None),
        (FIRST, "eu-west-1", "ok", 2, None, None),
    ]
    assert ask(path, "SELECT complete FROM snapshots") == [(False,)]


def test_of_very_many_types_those_with_rows_have_views(path, monkeypatch):
    monkeypatch.setattr(module, "_ALL", 1)
    append(path, vpcs(1))
    names = {name for (name,) in ask(path, "SELECT table_name FROM information_schema.tables")}
    assert "ec2_vpcs" in names
    assert "ec2_subnets" not in names
    assert list(query(path, "SELECT count(*) FROM ec2_subnets")) == [(0,)]
    assert list(query(path, "SELECT count(*) FROM ec2_subnets_history")) == [(0,)]


def test_a_type_of_another_botocore_is_in_resources(path):
    odd = Row(FIRST, "eu-west-1", "gone", "gone.things", "x", None, None, "aws")
    append(path, [odd], facts(("gone.things",)))
    assert ask(path, "SELECT name FROM resources") == [("x",)]


def test_hostile_names_are_names(path):
    evil = "'); DROP TABLE snapshots; --\x1b[31m\u202e\x00\ud800\""
    row = Row(FIRST, "eu-west-1", "ec2", "ec2.vpcs", evil, None, {evil: evil}, "aws", {"VpcId": evil, evil: [evil]})
    append(path, [row])
    shown = evil.replace("\ud800", "?")
    assert ask(path, "SELECT name, vpc_id, map_keys(tags)[1] FROM ec2_vpcs") == [(shown, shown, shown)]


def test_it_stays_as_it_was_until_the_end(path):
    append(path, vpcs(1))
    before = hashlib.sha256(path.read_bytes()).digest()
    sink = DuckSink(path)
    sink.add(vpcs(40_000))
    assert hashlib.sha256(path.read_bytes()).digest() == before
    assert ask(path, "SELECT count(*) FROM snapshots") == [(1,)]  # others can use it
    sink.abandon()
    sink.abandon()
    assert hashlib.sha256(path.read_bytes()).digest() == before
    assert only(path.parent) == ["all.duckdb"]


def test_abandoned_makes_no_file(path):
    sink = DuckSink(path)
    sink.add(vpcs(1))
    sink.abandon()
    assert only(path.parent) == []


def test_what_fails_in_the_middle_changes_nothing_and_keeps_the_rows(path, monkeypatch):
    append(path, vpcs(1))

    def views(_kind, _columns):
        yield "CREATE VIEW broken AS SELECT * FROM nowhere"

    monkeypatch.setattr(module, "views_of", views)
    with pytest.raises(OutputError, match="what was collected is in ") as caught:
        append(path, vpcs(3), facts(days=1))
    kept = Path(str(caught.value).rpartition(" is in ")[2])
    assert kept.name == "all-20261121T030405Z.parquet"
    assert pq.read_table(kept).num_rows == 3
    assert ask(path, "SELECT count(*) FROM snapshots") == [(1,)]
    assert ask(path, "SELECT count(*) FROM resources_history") == [(1,)]
    assert only(path.parent) == sorted(["all.duckdb", kept.name])


KILLED = """
import os, sys
from mangrove.inventory import duck
from mangrove.inventory.facts import Facts
from mangrove.inventory.rows import Row
from datetime import datetime, timezone
def views(kind, columns):
    os._exit(9)
duck.views_of = views
sink = duck.DuckSink(sys.argv[1])
sink.add([Row("1" * 12, "eu-west-1", "ec2", "ec2.vpcs", os.urandom(20).hex(), None, {}, "aws") for _ in range(1000)])
sink.finish(Facts(datetime.now(timezone.utc), ("ec2.vpcs",)))
"""


def test_a_process_that_dies_in_the_middle_changes_nothing(path):
    append(path, vpcs(1))
    run = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert run.returncode == 9
    assert ask(path, "SELECT count(*) FROM resources_history") == [(1,)]
    append(path, vpcs(2), facts(days=1))
    assert ask(path, "SELECT id FROM snapshots ORDER BY id") == [(1,), (2,)]


HOLDS = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("holds", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder(path):
    append(path, vpcs(1))
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "holds\n"
    yield child
    if child.poll() is None:
        child.communicate("\n")


def test_a_file_that_another_process_has_open_is_said_before_the_first_call(path, holder):
    waits = []
    with pytest.raises(OutputError, match=f"another process .*process {holder.pid}.* has it open"):
        DuckSink(path, sleep=waits.append)
    assert 0 < sum(waits) <= 6
    assert only(path.parent) == ["all.duckdb"]
    with pytest.raises(OutputError, match="can't be read: another process"):
        query(path, "SELECT 1")


def test_the_last_step_waits_for_the_other_process(path, holder):
    ended = []

    def sleep(_seconds):
        if not ended:
            holder.communicate("\n")
            ended.append(True)

    append(path, vpcs(2), facts(days=1), sleep=sleep)
    assert ended
    assert ask(path, "SELECT count(*) FROM snapshots") == [(2,)]


def test_rows_that_can_not_come_in_stay_beside_it(path):
    sink = DuckSink(path, patience=1.0, sleep=lambda _seconds: None)
    sink.add(vpcs(2))
    append(path, vpcs(1))
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    child.stdout.readline()
    with pytest.raises(OutputError, match="what was collected is in .*all-20261120T030405Z.parquet"):
        sink.finish(facts())
    child.communicate("\n")
    sink.abandon()
    assert list(query(path.with_name("all-20261120T030405Z.parquet"), "SELECT count(*) FROM ec2_vpcs")) == [(2,)]


WRITES = """
import sys
from mangrove.inventory.duck import DuckSink
from mangrove.inventory.facts import Facts
from mangrove.inventory.rows import Row
from datetime import datetime, timezone
sink = DuckSink(sys.argv[1])
sink.add([Row(sys.argv[2] * 12, "eu-west-1", "ec2", "ec2.vpcs", f"vpc-{n}", None, {}, "aws") for n in range(100)])
print("ready", flush=True)
sys.stdin.readline()
sink.finish(Facts(datetime.now(timezone.utc), ("ec2.vpcs",)))
"""


def test_two_processes_that_write_one_file_both_come_in(path):
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITES, str(path), number], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in "12"
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    for child in children:
        child.communicate()
        assert child.returncode == 0
    assert ask(path, "SELECT id FROM snapshots ORDER BY id") == [(1,), (2,)]
    assert ask(path, "SELECT account, count(*) FROM resources_history GROUP BY 1 ORDER BY 1") == [
        ("1" * 12, 100),
        ("2" * 12, 100),
    ]
    assert only(path.parent) == ["all.duckdb"]


@pytest.mark.parametrize("content", [b"", b"hello" * 1000, b"PAR1"])
def test_a_file_that_is_no_database(path, content):
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="no DuckDB file"):
        DuckSink(path)
    assert path.read_bytes() == content


def test_a_damaged_file(path):
    append(path, vpcs(1))
    content = bytearray(path.read_bytes())
    content[30] ^= 255
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="no DuckDB file, or a damaged one"):
        DuckSink(path)


def test_a_file_of_a_newer_duckdb():
    told = (
        "IO Error: Trying to read a database file with version number 99, but we can only read versions between 64 and "
        "69.\nThe database file was created with a newer version of DuckDB."
    )
    found = explain(duckdb.IOException(told), Path("all.duckdb"), write=True)
    assert isinstance(found, ConfigError)
    assert str(found) == (
        f"all.duckdb was written by a newer DuckDB than {duckdb.__version__}, which is installed: update duckdb"
    )


def test_a_file_of_a_newer_mangrove(path):
    append(path, vpcs(1))
    with duckdb.connect(str(path)) as connection:
        connection.execute('UPDATE mangrove_inventory SET "schema" = 2')
    for use in (DuckSink, lambda path: query(path, "SELECT 1")):
        with pytest.raises(ConfigError, match="newer mangrove .schema 2; this one knows 1."):
            use(path)


def test_a_database_of_somebody_else_keeps_its_tables(path):
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 1 AS one")
    append(path, vpcs(1))
    assert ask(path, "SELECT * FROM mine") == [(1,)]
    assert ask(path, "SELECT count(*) FROM ec2_vpcs") == [(1,)]


def test_a_database_with_a_table_of_our_name(path):
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE resources AS SELECT 1 AS one")
    with pytest.raises(ConfigError, match="a table 'resources' of its own"):
        DuckSink(path)


def test_a_database_without_an_inventory(path):
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 1 AS one")
    with pytest.raises(ConfigError, match="has no inventory"):
        query(path, "SELECT * FROM mine")


@pytest.mark.parametrize(("name", "told"), [("missing/all.duckdb", "no folder"), (".", "is a folder")])
def test_what_can_not_be_written(tmp_path, name, told):
    with pytest.raises(ConfigError, match=told):
        DuckSink(tmp_path / name)


def test_a_read_only_file(path, monkeypatch):
    append(path, vpcs(1))
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    with pytest.raises(OutputError, match="it is read-only"):
        DuckSink(path)


def test_any_duckdb_since_1_2_reads_it(path):
    append(path, vpcs(1))
    # The number of the storage: 65 is that of 1.2.
    assert path.read_bytes()[12] == 65


FULL = """
import os, resource, signal, sys
from datetime import datetime, timezone
from mangrove.errors import OutputError
from mangrove.inventory.duck import DuckSink
from mangrove.inventory.facts import Facts
from mangrove.inventory.rows import Row
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, limit = sys.argv[1], int(sys.argv[2])
sink = DuckSink(path)
kept = os.path.getsize(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (kept + limit, kept + limit))
try:
    for number in range(20):
        name = os.urandom(400).hex()
        sink.add([Row("1" * 12, "eu-west-1", "ec2", "ec2.vpcs", f"{n}{name}", None, {}, "aws") for n in range(1000)])
    sink.finish(Facts(datetime.now(timezone.utc), ("ec2.vpcs",)))
    print("written")
except OutputError as error:
    print("OutputError:", error)
sink.abandon()
"""


@pytest.mark.parametrize("limit", [10_000, 300_000, 600_000, 2_000_000])
@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are of Unix")
def test_a_full_disk_leaves_what_was_there(path, limit):
    append(path, vpcs(1))
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(path), str(limit)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    there = ask(path, "SELECT count(*) FROM snapshots")
    is_written = run.stdout == "written\n"
    assert there == ([(2,)] if is_written else [(1,)]), run.stdout
    if not is_written:
        assert run.stdout.startswith(f"OutputError: {path}"), run.stdout
        assert ask(path, "SELECT count(*) FROM resources_history") == [(1,)]
    assert not [name for name in only(path.parent) if name.endswith(".tmp")]
