"""What has changed between two inventories: laws, members, and what is not known."""

# ruff: noqa: E501  statements read best on one line, and are the tests' own
from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

from mangrove.errors import ConfigError
from mangrove.fleet import Outcome, Target
from mangrove.inventory.diff import ABSENT, Seen, applied, diff, differences, shown_path
from mangrove.inventory.diff.files import last_two, read_taken
from mangrove.inventory.duck import DuckSink
from mangrove.inventory.facts import Facts
from mangrove.inventory.parquet import ParquetSink
from mangrove.inventory.rows import Row

NOW = datetime(2026, 11, 20, 3, 4, 5, tzinfo=timezone.utc)
A, B = "111111111111", "222222222222"

names = st.sampled_from(["a", "b", "State", "Name", "x.y"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["on", "off", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
data = st.dictionaries(names, values, max_size=3).map(json.dumps)
tags = st.dictionaries(names, st.sampled_from(["x", "y"]), max_size=2).map(json.dumps)
seen = st.builds(
    Seen,
    account=st.sampled_from([A, B]),
    region=st.sampled_from(["eu-west-1", "us-east-1"]),
    type=st.sampled_from(["ec2.vpcs", "s3.buckets"]),
    name=st.sampled_from(["n", "m"]),
    arn=st.sampled_from(["arn:1", "arn:2", None]),
    tags=tags,
    data=data,
)
inventories = st.lists(seen, max_size=6)


def normal(found):
    def ordered(value):
        if isinstance(value, dict):
            return {key: ordered(each) for key, each in sorted(value.items())}
        return sorted(map(ordered, value), key=json.dumps) if isinstance(value, list) else value

    def text(value):
        return None if value is None else json.dumps(ordered(json.loads(value)))

    return sorted((*each[:4], each.arn or "", text(each.tags), text(each.data)) for each in found)


@given(inventories)
@settings(deadline=None)
def test_nothing_has_changed_of_itself(found):
    assert list(diff(found, found)) == []
    assert list(diff(found, found[::-1])) == []


@given(inventories, inventories)
@settings(deadline=None)
def test_what_has_changed_leads_from_one_to_the_other(old, new):
    assert normal(applied(list(diff(old, new)), old)) == normal(new)


@given(inventories, inventories)
@settings(deadline=None)
def test_back_is_the_opposite(old, new):
    opposite = {"appeared": "vanished", "vanished": "appeared", "changed": "changed"}
    there, back = list(diff(old, new)), list(diff(new, old))
    assert sorted(opposite[each.kind] for each in there) == sorted(each.kind for each in back)


@given(inventories, inventories)
@settings(deadline=None)
def test_what_was_not_looked_at_is_never_gone_or_new(old, new):
    found = list(diff(old, new, in_old=lambda _: "no", in_new=lambda _: "no"))
    assert {each.kind for each in found} <= {"changed", "unknown"}


@given(values, values)
@settings(deadline=None)
def test_members_differ_where_values_do(old, new):
    assert bool(list(differences(old, new))) == (normal_text(old) != normal_text(new))


def normal_text(value):
    if isinstance(value, dict):
        return json.dumps({key: normal_text(each) for key, each in sorted(value.items())})
    return json.dumps(sorted(map(normal_text, value))) if isinstance(value, list) else json.dumps(value)


def vpc(name="vpc-1", arn="arn:aws:ec2:eu-west-1:111111111111:vpc/vpc-1", tags=None, **data):
    return Seen(A, "eu-west-1", "ec2.vpcs", name, arn, None if tags is None else json.dumps(tags), json.dumps(data))


def members(old, new, **options):
    return [
        (shown_path(member.path), member.old, member.new)
        for each in diff([old], [new], **options)
        for member in each.members
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"State": {"Name": "on"}}, {"State": {"Name": "off"}}, [("State.Name", "on", "off")]),
        ({"A": 1}, {}, [("A", 1, ABSENT)]),
        ({}, {"A": None}, [("A", ABSENT, None)]),
        ({"A": 1}, {"A": True}, [("A", 1, True)]),
        ({"A": [1, 2]}, {"A": [2, 1]}, []),
        ({"A": [1, 1]}, {"A": [1]}, [("A[]", 1, ABSENT)]),
        ({"A": [{"B": [1, 2]}]}, {"A": [{"B": [2, 1]}]}, []),
        ({"A": [{"Id": "x", "B": 1}]}, {"A": [{"Id": "x", "B": 2}]}, [("A[]", {"Id": "x", "B": 1}, ABSENT), ("A[]", ABSENT, {"Id": "x", "B": 2})]),
        ({"A": {"x.y": 1}}, {"A": {"x.y": 2}}, [('A["x.y"]', 1, 2)]),
        ({"A": 1}, {"A": "1"}, [("A", 1, "1")]),
    ],
)  # fmt: skip
def test_members(old, new, expected):
    assert members(vpc(**old), vpc(**new)) == expected


def test_a_name_and_tags_are_members():
    assert members(vpc("old", tags={"env": "dev", "x": "1"}), vpc("new", tags={"env": "prod"})) == [
        ("name", "old", "new"),
        ("tags.env", "dev", "prod"),
        ("tags.x", "1", ABSENT),
    ]


def test_a_member_of_the_name_of_ours_is_told_apart():
    assert shown_path(("data", "tags", "env")) == "data.tags.env"
    assert shown_path(("tags", "env")) == "tags.env"


def test_tags_that_could_not_be_read_have_not_changed():
    assert members(vpc(tags={"env": "dev"}), vpc(tags=None)) == []


def test_what_has_no_arn_is_known_by_its_name():
    found = list(diff([vpc("a", None), vpc("b", None)], [vpc("b", None), vpc("c", None)]))
    assert [(each.kind, each.seen.name) for each in found] == [("vanished", "a"), ("appeared", "c")]


def test_one_arn_in_two_accounts_is_two_resources():
    shared = vpc()
    assert [each.kind for each in diff([shared, shared._replace(account=B)], [shared])] == ["vanished"]


@pytest.mark.parametrize(
    ("ignore", "expected"),
    [
        (["State"], ["LastUsed.Time", "tags.env"]),
        (["State.Name"], ["LastUsed.Time", "tags.env"]),
        (["tags.*"], ["LastUsed.Time", "State.Name"]),
        (["tags", "LastUsed*"], ["State.Name"]),
        (["*.Time"], ["State.Name", "tags.env"]),
        (["Stat"], ["LastUsed.Time", "State.Name", "tags.env"]),
    ],
)
def test_members_that_do_not_count(ignore, expected):
    old = vpc(tags={"env": "a"}, State={"Name": 1}, LastUsed={"Time": 1})
    new = vpc(tags={"env": "b"}, State={"Name": 2}, LastUsed={"Time": 2})
    assert sorted(path for path, *_ in members(old, new, ignore=ignore)) == sorted(expected)
    assert list(diff([old], [new], ignore=["*"])) == []


# -- files ------------------------------------------------------------------------------------------------------------


def row(name, kind="ec2.vpcs", account=A, region="eu-west-1", **data):
    arn = f"arn:aws:x:{region}:{account}:{name}"
    return Row(account, region, kind.partition(".")[0], kind, name, arn, {"n": name}, "aws", {"Id": name, **data})


def outcome(kind="ok", account=A, region="eu-west-1", type_="ec2.vpcs"):
    error = None if kind == "ok" else PermissionError("not for you")
    return Outcome(Target(account, region, "ec2", type=type_), kind, error=error)


def store(sink, rows, types=("ec2.vpcs",), outcomes=(), days=0):
    sink.add(rows)
    sink.finish(Facts(NOW + timedelta(days=days), types, {A: None}, outcomes))


def compare(old, new):
    return [
        (each.kind, each.seen.name, each.why)
        for each in diff(old.seen(), new.seen(), in_old=old.looked, in_new=new.looked)
    ]


@pytest.fixture
def stored(tmp_path):
    def stored(name, *args, **options):
        store(ParquetSink(tmp_path / name), *args, **options)
        return read_taken(str(tmp_path / name))

    return stored


def test_parquet_files(stored):
    old = stored("old.parquet", [row("a"), row("b", Size=1)])
    new = stored("new.parquet", [row("b", Size=2), row("c")])
    assert compare(old, new) == [("vanished", "a", ""), ("changed", "b", ""), ("appeared", "c", "")]


def test_a_type_that_was_not_asked_for_is_unknown(stored):
    old = stored("old.parquet", [row("a"), row("s", "ec2.subnets")], ("ec2.vpcs", "ec2.subnets"))
    new = stored("new.parquet", [row("a")])
    assert compare(old, new) == [("unknown", "s", "new.parquet was not asked for ec2.subnets")]
    assert compare(new, old) == [("unknown", "s", "new.parquet was not asked for ec2.subnets")]


def test_a_target_that_failed_is_unknown_and_one_that_did_not_is_known(stored):
    east = {"region": "us-east-1"}
    old = stored("old.parquet", [row("a"), row("b", **east)], outcomes=[outcome(), outcome(**east)])
    new = stored("new.parquet", [], outcomes=[outcome(), outcome("denied", **east)])
    told = f"new.parquet could not list ec2.vpcs in {A} us-east-1: denied: not for you"
    assert compare(old, new) == [("vanished", "a", ""), ("unknown", "b", told)]


def test_a_region_or_account_that_was_not_asked_for_is_unknown(stored):
    old = stored("old.parquet", [row("a", region="us-east-1"), row("b", account=B), row("c")])
    new = stored("new.parquet", [], outcomes=[outcome()])
    assert [kind for kind, *_ in compare(old, new)] == ["vanished", "unknown", "unknown"]


def test_an_account_that_could_not_be_entered_is_unknown(stored):
    old = stored("old.parquet", [row("a")], outcomes=[outcome()])
    new = stored("new.parquet", [], outcomes=[outcome("denied", region="*", type_="")])
    assert compare(old, new)[0][0] == "unknown"
    assert "denied: not for you" in compare(old, new)[0][2]


def test_one_list_for_all_regions_has_looked_in_all(stored):
    # The list of buckets is asked for in one region.
    listed = [outcome(region="us-east-1", type_="s3.buckets")]
    old = stored("old.parquet", [row("logs", "s3.buckets")], ("s3.buckets",), listed)
    new = stored("new.parquet", [], ("s3.buckets",), listed)
    assert compare(old, new) == [("vanished", "logs", "")]


def test_a_target_that_failed_half_way_tells_what_it_has(stored):
    old = stored("old.parquet", [row("a"), row("b", Size=1)], outcomes=[outcome()])
    new = stored("new.parquet", [row("b", Size=2)], outcomes=[outcome("throttled")])
    assert [kind for kind, *_ in compare(old, new)] == ["unknown", "changed"]


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "all.duckdb"
    for days, found in ((0, [row("a")]), (1, [row("a", Size=1)]), (2, [row("b", Size=1)])):
        store(DuckSink(path), found, days=days, outcomes=[outcome()])
    return path


@pytest.mark.parametrize(
    ("chosen", "number"),
    [("", 3), ("@-1", 3), ("@-3", 1), ("@2", 2), ("@2026-11-20", 1), ("@2026-11-21T03", 2), ("@2026-11-21T03:04:05Z", 2), ("@2026", None), ("@2026-11", 3)],
)  # fmt: skip
def test_a_snapshot_is_named(database, chosen, number):
    if number is None:
        with pytest.raises(ConfigError, match="has no snapshot '2026'; it has 3: 1 .2026-11-20 03:04."):
            read_taken(f"{database}{chosen}")
    else:
        assert read_taken(f"{database}{chosen}").name == f"all.duckdb@{number}"


@pytest.mark.parametrize("chosen", ["@9", "@-4", "@2027-01-01", "@yesterday"])
def test_a_snapshot_that_is_not_there(database, chosen):
    with pytest.raises(ConfigError, match="has no snapshot"):
        read_taken(f"{database}{chosen}")


def test_the_last_two(database):
    old, new = last_two(str(database))
    assert (old.name, new.name) == ("all.duckdb@2", "all.duckdb@3")
    assert compare(old, new) == [("vanished", "a", ""), ("appeared", "b", "")]
    assert compare(read_taken(f"{database}@1"), old) == [("changed", "a", "")]


def test_a_database_and_a_file_are_compared(database, stored):
    assert compare(stored("old.parquet", [row("a", Size=1)], outcomes=[outcome()]), read_taken(f"{database}@2")) == []


def test_json_lines(tmp_path, stored):
    lines = [
        {"account": A, "region": "eu-west-1", "type": "ec2.vpcs", "name": "a", "arn": row("a").arn, "tags": {"n": "a"}},
        {"account": A, "region": "eu-west-1", "type": "ec2.vpcs", "name": "b", "arn": None, "tags": None, "data": {}},
    ]
    (tmp_path / "new.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    new = read_taken(str(tmp_path / "new.jsonl"))
    old = stored("old.parquet", [row("a"), row("s", "ec2.subnets")], ("ec2.vpcs", "ec2.subnets"))
    found = compare(old, new)
    assert [(kind, name) for kind, name, _ in found] == [("unknown", "s"), ("appeared", "b")]
    assert "does not say" in new.remark


@pytest.mark.parametrize(
    ("content", "told"),
    [(b'{"account": 1}\n', "line 1 is no row"), (b"[]\n", "line 1 is no row"), (b"no\n", "line 1 is no row"), (b"\xff\xfe", "no text")],
)  # fmt: skip
def test_a_file_that_is_no_inventory(tmp_path, content, told):
    (tmp_path / "bad.jsonl").write_bytes(content)
    with pytest.raises(ConfigError, match=told):
        read_taken(str(tmp_path / "bad.jsonl"))


@pytest.mark.parametrize("name", ["missing.parquet", "missing.duckdb", "missing.duckdb@-1", "missing@1"])
def test_a_file_that_is_not_there(tmp_path, name):
    with pytest.raises(ConfigError, match="can't be read|is not there"):
        read_taken(str(tmp_path / name))


def test_one_snapshot_has_nothing_to_be_compared_with(tmp_path):
    store(DuckSink(tmp_path / "all.duckdb"), [])
    with pytest.raises(ConfigError, match="has no snapshot '-2'; it has 1"):
        last_two(str(tmp_path / "all.duckdb"))
    with pytest.raises(ConfigError, match="say what it is compared with"):
        last_two(f"{tmp_path}/all.duckdb@1")
    store(ParquetSink(tmp_path / "all.parquet"), [])
    with pytest.raises(ConfigError, match="one inventory; say what"):
        last_two(str(tmp_path / "all.parquet"))
    with pytest.raises(ConfigError, match="only a DuckDB file has several"):
        read_taken(f"{tmp_path}/all.parquet@1")
