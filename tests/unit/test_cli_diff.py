"""The command `diff`, run as people run it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

from mangrove.cli import main
from mangrove.fleet import Outcome, Target
from mangrove.inventory.duck import DuckSink
from mangrove.inventory.facts import Facts
from mangrove.inventory.rows import Row

A = "111111111111"
NOW = datetime(2026, 11, 20, 3, 4, 5, tzinfo=timezone.utc)


def row(name, kind="ec2.vpcs", region="eu-west-1", tags=None, **data):
    arn = f"arn:aws:ec2:{region}:{A}:{name}"
    return Row(A, region, "ec2", kind, name, arn, tags or {}, "aws", {"Id": name, **data})


def outcome(region="eu-west-1", kind="ok", type_="ec2.vpcs"):
    return Outcome(
        Target(A, region, "ec2", type=type_), kind, error=None if kind == "ok" else PermissionError("no\x1b[31m")
    )


BEFORE = [
    row("a", tags={"env": "dev"}, State="on", Tags=[{"Key": "env", "Value": "dev"}]),
    row("b"),
    row("east", region="us-east-1"),
    row("s", "ec2.subnets"),
]
AFTER = [
    row("a", tags={"env": "prod\x1b[31m"}, State="off", Tags=[{"Key": "env", "Value": "prod\x1b[31m"}]),
    row("c\x1b[31m"),
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "all.duckdb"
    east = "us-east-1"
    taken = (
        (BEFORE, ("ec2.vpcs", "ec2.subnets"), [outcome(), outcome(east), outcome(type_="ec2.subnets")]),
        (AFTER, ("ec2.vpcs",), [outcome(), outcome(east, "denied")]),
        (AFTER, ("ec2.vpcs",), [outcome(), outcome(east, "denied")]),
    )
    for days, (rows, types, outcomes) in enumerate(taken):
        sink = DuckSink(path)
        sink.add(rows)
        sink.finish(Facts(NOW + timedelta(days=days), types, {A: None}, outcomes))
    return path


@pytest.fixture
def run(capfd):
    def run(*arguments):
        code = main(["diff", *map(str, arguments)])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        assert "\x1b" not in err + out
        return SimpleNamespace(code=code, out=out, err=err)

    return run


def test_the_table(run, path):
    done = run(f"{path}@1", f"{path}@2")
    assert done.code == 1
    assert (
        done.out
        == f"""\
CHANGE    ACCOUNT       REGION     TYPE         NAME  MEMBER    OLD  NEW   ARN
unknown   {A}  eu-west-1  ec2.subnets  s     -         -    -     arn:aws:ec2:eu-west-1:{A}:s
changed   {A}  eu-west-1  ec2.vpcs     a     tags.env  dev  prod  arn:aws:ec2:eu-west-1:{A}:a
changed   {A}  eu-west-1  ec2.vpcs     a     State     on   off   arn:aws:ec2:eu-west-1:{A}:a
vanished  {A}  eu-west-1  ec2.vpcs     b     -         -    -     arn:aws:ec2:eu-west-1:{A}:b
appeared  {A}  eu-west-1  ec2.vpcs     c     -         -    -     arn:aws:ec2:eu-west-1:{A}:c
unknown   {A}  us-east-1  ec2.vpcs     east  -         -    -     arn:aws:ec2:us-east-1:{A}:east
"""
    )
    assert done.err == (
        "mangrove: unknown: 1 resource: all.duckdb@2 was not asked for ec2.subnets\n"
        f"mangrove: unknown: 1 resource: all.duckdb@2 could not list ec2.vpcs in {A} us-east-1: denied: no\n"
        "mangrove: all.duckdb@1 to all.duckdb@2: 1 appeared, 1 vanished, 1 changed, 2 unknown\n"
    )


def test_json_lines(run, path):
    done = run(f"{path}@1", f"{path}@2", "--output", "jsonl", "--type", "ec2.vpcs", "--ignore", "Tags")
    records = [json.loads(line) for line in done.out.splitlines()]
    assert [record["change"] for record in records] == ["changed", "vanished", "appeared", "unknown"]
    assert records[0] == {
        "change": "changed",
        "account": A,
        "region": "eu-west-1",
        "type": "ec2.vpcs",
        "name": "a",
        "arn": f"arn:aws:ec2:eu-west-1:{A}:a",
        "members": [
            {"path": "tags.env", "old": "dev", "new": "prod\x1b[31m"},
            {"path": "State", "old": "on", "new": "off"},
        ],
    }
    assert records[3]["why"].startswith("all.duckdb@2 could not list ec2.vpcs")


def test_json(run, path):
    assert len(json.loads(run(f"{path}@1", f"{path}@2", "--output", "json").out)) == 5


def test_nothing_has_changed(run, path):
    done = run(path)
    assert (done.code, done.out) == (0, "")
    assert done.err == "mangrove: all.duckdb@2 to all.duckdb@3: nothing has changed\n"
    assert run(path, "--output", "json").out == "[]\n"


def test_what_is_unknown_alone_is_no_change(run, path):
    done = run(f"{path}@1", f"{path}@2", "--type", "ec2.subnets")
    assert done.code == 0
    assert done.err.endswith("all.duckdb@1 to all.duckdb@2: 1 unknown\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("{path}@1",), "say what it is compared with"),
        (("{path}@7", "{path}"), "has no snapshot '7'; it has 3"),
        (("{path}", "missing.parquet"), "missing.parquet can't be read"),
        (("missing.duckdb",), "missing.duckdb is not there"),
        ((), "Missing argument 'OLD'"),
    ],
)
def test_wrong_usage(run, path, arguments, told):
    done = run(*(each.format(path=path) for each in arguments))
    assert done.code == 2
    assert told in done.err


def test_a_snapshot_is_not_compared_with_itself(run, path):
    done = run(f"{path}@-1", f"{path}@3")
    assert (done.code, done.out) == (2, "")
    assert "OLD and NEW are the same snapshot, all.duckdb@3" in done.err


def test_a_type_that_was_never_looked_for_is_no_answer(run, path):
    done = run(f"{path}@1", f"{path}@2", "--type", "ec2.vpccs")
    assert (done.code, done.out) == (2, "")
    assert "neither inventory has looked for a type 'ec2.vpccs'; did you mean ec2.vpcs" in done.err


@pytest.mark.parametrize("chosen", ["--1", "²", "9" * 30, "-99"])
def test_a_snapshot_that_there_is_not(run, path, chosen):
    done = run(f"{path}@{chosen}", f"{path}@1")
    assert (done.code, done.out) == (2, "")
    assert "has no snapshot" in done.err
