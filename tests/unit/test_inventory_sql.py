"""Statements over rows, Parquet and DuckDB: the same answers everywhere, and nothing but answers."""

# ruff: noqa: E501, S608  statements read best on one line, and are the tests' own
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

from mangrove.errors import ConfigError  # noqa: E402
from mangrove.fleet import Outcome, Target  # noqa: E402
from mangrove.inventory.arrow import table_of  # noqa: E402
from mangrove.inventory.duck import DuckSink  # noqa: E402
from mangrove.inventory.facts import Facts  # noqa: E402
from mangrove.inventory.parquet import ParquetSink  # noqa: E402
from mangrove.inventory.query import query  # noqa: E402
from mangrove.inventory.query.stored import open_stored  # noqa: E402
from mangrove.inventory.rows import Row  # noqa: E402
from mangrove.inventory.tables import Tables  # noqa: E402

NOW = datetime(2026, 11, 20, 3, 4, 5, tzinfo=timezone.utc)
A, B = "111111111111", "222222222222"
TABLES = Tables()


def instance(number, account, region, size, state, tags, days):
    name = f"i-{number}"
    data = {
        "InstanceId": name,
        "InstanceType": size,
        "LaunchTime": NOW - timedelta(days=days),
        "State": {"Code": 16 if state == "running" else 80, "Name": state},
        "EbsOptimized": number % 2 == 0,
        "AmiLaunchIndex": number,
        "SecurityGroups": [{"GroupId": f"sg-{n}", "GroupName": f"group {n}"} for n in range(number)],
        "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        "NotInTheShape": "kept",
    }
    return Row(
        account,
        region,
        "ec2",
        "ec2.instances",
        name,
        f"arn:aws:ec2:{region}:{account}:instance/{name}",
        tags,
        "aws",
        data,
    )


ROWS = [
    instance(1, A, "eu-west-1", "t3.micro", "running", {"env": "prod", "team": "red"}, 1),
    instance(2, A, "eu-west-1", "t3.large", "stopped", {"env": "dev"}, 40),
    instance(3, A, "us-east-1", "m5.large", "running", {}, 400),
    instance(4, B, "eu-central-1", "t3.micro", "running", None, 5),
    Row(A, "eu-west-1", "s3", "s3.buckets", "logs", "arn:aws:s3:::logs", {"env": "prod"}, "aws", {"Name": "logs", "CreationDate": NOW}),
    Row(B, "us-east-1", "s3", "s3.buckets", "=1+1", "arn:aws:s3:::x", {}, "aws", {"Name": "=1+1", "CreationDate": NOW}),
    Row(A, "aws-global", "iam", "iam.roles", "admin", f"arn:aws:iam::{A}:role/admin", {}, "aws", {"RoleName": "admin", "MaxSessionDuration": 3600}),
]  # fmt: skip
TYPES = ("ec2.instances", "ec2.vpcs", "s3.buckets", "iam.roles")
OUTCOMES = [
    Outcome(Target(A, "eu-west-1", "ec2", type="ec2.instances"), "ok", rows=2),
    Outcome(Target(B, "us-east-1", "ec2", type="ec2.instances"), "denied", error=PermissionError("not for you")),
    Outcome(Target(B, "af-south-1", "ec2", type="ec2.instances"), "disabled"),
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sql")
    for path, make in ((folder / "all.parquet", ParquetSink), (folder / "all.duckdb", DuckSink)):
        for _ in range(2 if make is DuckSink else 1):
            sink = make(path)
            sink.add(ROWS)
            sink.finish(Facts(NOW, TYPES, {A: "dev", B: None}, OUTCOMES))
    return {"rows": ROWS, "arrow": table_of(ROWS), "parquet": folder / "all.parquet", "duckdb": folder / "all.duckdb"}


@pytest.fixture(scope="module")
def ask(sources):
    books = {name: open_stored(sources[name], TABLES) for name in ("parquet", "duckdb")}

    def ask(source, statement):
        return query(ROWS, statement, tables=TABLES) if source == "rows" else books[source].ask(statement)

    yield ask
    for book in books.values():
        book.close()


STATEMENTS = [
    # Counting and grouping.
    ("select count(*) from ec2_instances", [(4,)]),
    ("select region, count(*) from ec2_instances group by 1 order by 1", [("eu-central-1", 1), ("eu-west-1", 2), ("us-east-1", 1)]),
    ("select account, region, count(*) n from ec2_instances group by all having n > 1", [(A, "eu-west-1", 2)]),
    ("select type, count(*) from resources group by 1 order by 1", [("ec2.instances", 4), ("iam.roles", 1), ("s3.buckets", 2)]),
    ("select count(distinct account) from resources", [(2,)]),
    ("select sum(ami_launch_index), avg(ami_launch_index), max(ami_launch_index) from ec2_instances", [(10, 2.5, 4)]),
    ("select region, count(*) filter (state->>'Name' = 'running') from ec2_instances group by 1 order by 1", [("eu-central-1", 1), ("eu-west-1", 1), ("us-east-1", 1)]),
    ("select instance_type, list(name order by name) from ec2_instances group by 1 order by 1", [("m5.large", ["i-3"]), ("t3.large", ["i-2"]), ("t3.micro", ["i-1", "i-4"])]),
    ("select region, service, count(*) from resources group by cube(region, service) having region is null and service is null", [(None, None, 7)]),
    ("select count(*) from ec2_vpcs", [(0,)]),
    ("select distinct service from resources order by 1", [("ec2",), ("iam",), ("s3",)]),
    # Conditions.
    ("select name from ec2_instances where region = 'eu-west-1' order by 1", [("i-1",), ("i-2",)]),
    ("select name from ec2_instances where region in ('us-east-1', 'eu-central-1') order by 1", [("i-3",), ("i-4",)]),
    ("select name from ec2_instances where region like 'eu-%' order by 1", [("i-1",), ("i-2",), ("i-4",)]),
    ("select name from ec2_instances where region not like 'eu-%'", [("i-3",)]),
    ("select name from ec2_instances where account = '222222222222'", [("i-4",)]),
    ("select name from ec2_instances where account like '1%' and region = 'us-east-1'", [("i-3",)]),
    ("select name from ec2_instances where region = 'us-east-1' or account = '222222222222' order by 1", [("i-3",), ("i-4",)]),
    ("select name from ec2_instances where not region = 'eu-west-1' order by 1", [("i-3",), ("i-4",)]),
    ("select name from ec2_instances where ebs_optimized order by 1", [("i-2",), ("i-4",)]),
    ("select name from ec2_instances where instance_type like 't3.%' and (state->>'Name') = 'running' order by 1", [("i-1",), ("i-4",)]),
    ("select name from ec2_instances where regexp_matches(instance_type, '^m[0-9]')", [("i-3",)]),
    ("select name from ec2_instances where ami_launch_index between 2 and 3 order by 1", [("i-2",), ("i-3",)]),
    ("SELECT NAME FROM EC2_Instances WHERE Region = 'us-east-1'", [("i-3",)]),
    ("select name from s3_buckets where region = 'eu-west-1'", [("logs",)]),
    ("select name from iam_roles where region = 'aws-global'", [("admin",)]),
    ("select name from iam_roles where region = 'eu-west-1'", []),
    # Times.
    ("select name from ec2_instances where launch_time < timestamptz '2026-01-01 00:00:00+00'", [("i-3",)]),
    ("select name from ec2_instances where launch_time > timestamptz '2026-11-20 03:04:05+00' - interval 7 days order by 1", [("i-1",), ("i-4",)]),
    ("select date_diff('day', min(launch_time), max(launch_time)) from ec2_instances", [(399,)]),
    ("select year(launch_time), count(*) from ec2_instances group by 1 order by 1", [(2025, 1), (2026, 3)]),
    ("select max(launch_time) from ec2_instances", [(NOW - timedelta(days=1),)]),
    ("select strftime(max(creation_date), '%Y-%m-%d %H:%M') from s3_buckets", [("2026-11-20 03:04",)]),
    # Tags.
    ("select name, tags['env'] from ec2_instances order by 1", [("i-1", "prod"), ("i-2", "dev"), ("i-3", None), ("i-4", None)]),
    ("select name from ec2_instances where tags['env'] = 'prod'", [("i-1",)]),
    ("select name from ec2_instances where tags['env'] is null and tags is not null", [("i-3",)]),
    ("select name from ec2_instances where tags is null", [("i-4",)]),
    ("select name from ec2_instances where cardinality(tags) = 2", [("i-1",)]),
    ("select name from ec2_instances where map_contains(tags, 'team')", [("i-1",)]),
    ("select tags from ec2_instances where name = 'i-1'", [({"env": "prod", "team": "red"},)]),
    ("select key, count(*) from (select unnest(map_keys(tags)) as key from resources) group by 1 order by 1", [("env", 3), ("team", 1)]),
    # JSON.
    ("select state->>'Name' from ec2_instances where name = 'i-2'", [("stopped",)]),
    ("select (state->'Code')::int from ec2_instances where name = 'i-1'", [(16,)]),
    ("select security_groups->0->>'GroupId' from ec2_instances where name = 'i-2'", [("sg-0",)]),
    ("select json_array_length(security_groups) from ec2_instances order by name", [(1,), (2,), (3,), (4,)]),
    ("select i.name, g->>'GroupId' from ec2_instances i, unnest(i.security_groups::json[]) as u(g) where i.name = 'i-2' order by 2", [("i-2", "sg-0"), ("i-2", "sg-1")]),
    ("select unnest(security_groups->>'$[*].GroupName') from ec2_instances where name = 'i-2' order by 1", [("group 0",), ("group 1",)]),
    ("select data->>'NotInTheShape' from ec2_instances where name = 'i-1'", [("kept",)]),
    ("select data->>'$.State.Name' from resources where name = 'i-2'", [("stopped",)]),
    ("select json_type(state), typeof(state) from ec2_instances limit 1", [("OBJECT", "JSON")]),
    ("select tags_attribute->0->>'Value' from ec2_instances where name = 'i-1'", [("prod",)]),
    ("select name_attribute from s3_buckets where name = 'logs'", [("logs",)]),
    ("select max_session_duration + 1 from iam_roles", [(3601,)]),
    # Joins, subqueries, set operations, windows.
    ("select i.name, b.name from ec2_instances i join s3_buckets b using (account, region) order by 1", [("i-1", "logs"), ("i-2", "logs")]),
    ("select i.name from ec2_instances i left join s3_buckets b on i.region = b.region where b.name is null", [("i-4",)]),
    ("select i.name from ec2_instances i semi join s3_buckets b on i.account = b.account and i.region = b.region order by 1", [("i-1",), ("i-2",)]),
    ("select name from ec2_instances where account in (select account from s3_buckets where name = 'logs') order by 1", [("i-1",), ("i-2",), ("i-3",)]),
    ("select name from ec2_instances i where exists (select 1 from s3_buckets b where b.region = i.region and b.account = i.account) order by 1", [("i-1",), ("i-2",)]),
    ("with big as (select * from ec2_instances where instance_type like '%.large') select count(*) from big where region = 'us-east-1'", [(1,)]),
    ("with ec2_instances as (select * from s3_buckets) select count(*) from ec2_instances", [(2,)]),
    ("select name from s3_buckets union all select name from iam_roles order by 1", [("=1+1",), ("admin",), ("logs",)]),
    ("select name from ec2_instances where region = 'us-east-1' union select name from ec2_instances where account = '222222222222' order by 1", [("i-3",), ("i-4",)]),
    ("select name, row_number() over (partition by region order by name) from ec2_instances order by 1", [("i-1", 1), ("i-2", 2), ("i-3", 1), ("i-4", 1)]),
    ("select name from ec2_instances qualify row_number() over (partition by region order by launch_time) = 1 order by 1", [("i-2",), ("i-3",), ("i-4",)]),
    ("from ec2_instances select name order by name limit 1", [("i-1",)]),
    ("select * from (pivot (select region, service from resources) on service in ('ec2', 's3') using count(*)) order by region limit 2", [("aws-global", 0, 0), ("eu-central-1", 1, 0)]),
    ("select case when state->>'Name' = 'running' then 'on' else 'off' end, count(*) from ec2_instances group by 1 order by 1", [("off", 1), ("on", 3)]),
    ("select split_part(arn, ':', 4) from ec2_instances where name = 'i-3'", [("us-east-1",)]),
    # About the tables.
    ("select column_name, column_type from (describe ec2_instances) where column_name in ('tags', 'launch_time', 'state', 'ebs_optimized')", [("tags", "MAP(VARCHAR, VARCHAR)"), ("ebs_optimized", "BOOLEAN"), ("launch_time", "TIMESTAMP WITH TIME ZONE"), ("state", "JSON")]),
    ("select count(*) > 30 from (describe ec2_instances)", [(True,)]),
    ("select 1 as one, 'a;b' as two -- a comment;\n", [(1, "a;b")]),
    ("select interval 1 month + interval 2 days, 1::hugeint, [1, 2], {'a': 1}, null, true", [("1 months 2 days", 1, [1, 2], {"a": 1}, None, True)]),
    ("values (1), (2)", [(1,), (2,)]),
]  # fmt: skip


def same(found, expected):
    # Of a DESCRIBE the order is that of the shape, which another botocore may have otherwise.
    return sorted(map(repr, found)) == sorted(map(repr, expected)) if "VARCHAR" in repr(expected) else found == expected


@pytest.mark.parametrize("source", ["rows", "parquet", "duckdb"])
@pytest.mark.parametrize(("statement", "expected"), STATEMENTS, ids=[text for text, _ in STATEMENTS])
def test_statements(ask, source, statement, expected):
    found = list(ask(source, statement))
    assert same(found, expected), found


def test_there_are_sixty_of_them():
    assert len(STATEMENTS) >= 60


def test_an_arrow_table_is_asked_as_rows_are(sources):
    assert list(query(sources["arrow"], "select count(*) from ec2_instances", tables=TABLES)) == [(4,)]


def test_the_answer_as_arrow(sources):
    table = query(sources["duckdb"], "select region, count(*) n from ec2_instances group by 1 order by 1").table()
    assert table.to_pydict() == {"region": ["eu-central-1", "eu-west-1", "us-east-1"], "n": [1, 2, 1]}


def test_columns_and_types_are_known_before_a_row_is_read(sources):
    found = query(sources["rows"], "select name, tags, state, launch_time from ec2_instances", tables=TABLES)
    assert found.columns == ("name", "tags", "state", "launch_time")
    assert found.types == ("VARCHAR", "MAP(VARCHAR, VARCHAR)", "JSON", "TIMESTAMP WITH TIME ZONE")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("select count(*) from ec2_instances_history", [(8,)]),
        ("select _snapshot, count(*) from ec2_instances_history group by 1 order by 1", [(1, 4), (2, 4)]),
        ("select count(*) from ec2_vpcs_history", [(0,)]),
        ("select id, rows from snapshots order by id", [(1, 7), (2, 7)]),
        ("select region, kind, message from outcomes where snapshot = 2 and kind = 'denied'", [("us-east-1", "denied", "not for you")]),
        ("select count(*) from resources_history", [(14,)]),
    ],
)  # fmt: skip
def test_what_only_a_database_has(sources, statement, expected):
    assert list(query(sources["duckdb"], statement, tables=TABLES)) == expected


BROKEN = [
    ("selec 1", r"line 1, column 1\): syntax error at or near \"selec\""),
    ("select region,\n  cont(*) from ec2_instances", r"line 2, column 3\): .*cont does not exist"),
    ("select nothing from ec2_instances", '"nothing" not found'),
    ("select name from ec2_instances where region =", "syntax error"),
    ("select name from ec2_instance", "did you mean 'ec2_instances'"),
    ("select name from ec2.instances", "did you mean 'ec2_instances'"),
    ("select * from nonsense_things", "no table 'nonsense_things'"),
    ("", "there is no statement"),
    ("  -- nothing", "there is no statement"),
    ("select 1; select 2", "one statement at a time, and not 2"),
    ("pivot ec2_instances on region", "a PIVOT must name its values"),
    ("select cast(name as integer) from ec2_instances", "Could not convert string"),
]


@pytest.mark.parametrize("source", ["rows", "parquet", "duckdb"])
@pytest.mark.parametrize(("statement", "told"), BROKEN, ids=[text for text, _ in BROKEN])
def test_a_broken_statement_says_what_and_where(ask, source, statement, told):
    with pytest.raises(ConfigError, match=told):
        list(ask(source, statement))


def test_the_place_in_a_long_line(sources):
    statement = f"select {', '.join(['name'] * 60)}, nothing from ec2_instances"
    with pytest.raises(ConfigError, match=rf"column {statement.index('nothing') + 1}\)"):
        query(sources["rows"], statement, tables=TABLES)


TOUCHES = [
    "copy (select 1) to '{folder}/stolen.csv'",
    "copy ec2_instances to '{folder}/stolen.parquet'",
    "export database '{folder}/stolen'",
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "select * from read_blob('/etc/pass*')",
    "select * from read_json('/etc/passwd')",
    "select * from read_parquet('{folder}/*.parquet')",
    "select * from parquet_metadata('{folder}/*.parquet')",
    "select * from glob('/*')",
    "select * from '/etc/passwd.csv'",
    "from query('select * from read_text(''/etc/passwd'')')",
    "attach '{folder}/stolen.duckdb'",
    "install httpfs",
    "load httpfs",
    "select * from read_csv('http://127.0.0.1:1/x.csv')",
    "select * from read_csv('s3://bucket/x.csv')",
    "set enable_external_access = true",
    "set lock_configuration = false",
    "reset enable_external_access",
    "pragma enable_profiling",
    "call enable_logging(storage = 'file', storage_path = '{folder}/log')",
    "create table stolen as select 1",
    "create or replace view ec2_instances as select 1",
    "drop view resources",
    "delete from resources",
    "insert into resources select * from resources",
    "update snapshots set id = 5",
    "create secret (type s3)",
    "begin transaction",
    "checkpoint",
    "vacuum",
    "use memory",
    "prepare x as select 1",
    # With ANALYZE, what is explained is run.
    *(
        f"{explain} copy (select 1) to '{place}' (format csv, use_tmp_file false)"
        for explain in (
            "explain analyze",
            "explain (analyze)",
            "/* x */ explain analyze",
            "explain /* x */ analyze",
            "explain",
        )
        for place in ("{folder}/stolen", "{itself}")
    ),
    "explain analyze delete from resources",
    "explain (format json, analyze) create table stolen as select 1",
]


@pytest.mark.parametrize("source", ["rows", "parquet", "duckdb"])
@pytest.mark.parametrize("statement", TOUCHES)
def test_a_statement_can_do_nothing_but_read(ask, sources, source, statement, tmp_path):
    before = {path.name: path.read_bytes() for path in sources["duckdb"].parent.iterdir()}
    with pytest.raises(ConfigError):
        list(ask(source, statement.format(folder=tmp_path, itself=sources.get(source, tmp_path / "rows"))))
    assert list(ask(source, "select count(*) from ec2_instances")) == [(4,)]
    assert list(tmp_path.iterdir()) == []
    assert {path.name: path.read_bytes() for path in sources["duckdb"].parent.iterdir()} == before


def test_variables_of_python_are_no_tables(sources):
    secret_rows = table_of(ROWS)
    with pytest.raises(ConfigError, match="no table 'secret_rows'"):
        query(sources["duckdb"], "select * from secret_rows")
    assert secret_rows.num_rows


@pytest.mark.parametrize("source", ["parquet", "duckdb"])
def test_a_type_that_was_not_asked_for_is_no_empty_table(sources, source):
    with pytest.raises(ConfigError, match=f"all.{source} has no table 'ec2_subnets'"):
        query(sources[source], "select * from ec2_subnets")


def test_what_had_failed_is_told_as_long_as_its_rows_are_shown(tmp_path):
    path = tmp_path / "all.duckdb"
    left = Outcome(Target("*", "*"), "failed", error=ConfigError("left before its end"))
    for kind, outcomes in (("ec2.instances", [left]), ("ec2.vpcs", [])):
        sink = DuckSink(path)
        sink.add([row for row in ROWS if row.type == kind])
        sink.finish(Facts(NOW, (kind,), {A: None}, outcomes))
    book = open_stored(path, TABLES)
    book.ask("select count(*) from ec2_instances")
    assert book.incomplete() == ["* *: failed: left before its end"]
    book.close()


@pytest.mark.parametrize(
    "statement",
    ["explain select 1", "explain analyze select count(*) from resources", "explain (format json) select 1"],
)
def test_what_reads_can_be_explained(ask, statement):
    assert list(ask("duckdb", statement))


@pytest.mark.parametrize("source", ["parquet", "duckdb"])
def test_what_had_failed_is_told_where_it_matters(sources, source):
    book = open_stored(sources[source], TABLES)
    book.ask("select count(*) from ec2_instances")
    assert book.incomplete() == [f"{B} us-east-1: denied: not for you"]
    book.ask("select count(*) from resources")
    assert len(book.incomplete()) == 1
    book.ask("select count(*) from s3_buckets")
    assert book.incomplete() == []
    book.close()


def test_an_answer_that_was_not_read_is_in_nobodys_way(sources):
    book = open_stored(sources["duckdb"], TABLES)
    next(iter(book.ask("select * from range(100000)")))
    assert list(book.ask("select 1")) == [(1,)]
    book.close()


@pytest.mark.parametrize("name", ["missing.duckdb", "missing.parquet"])
def test_a_file_that_is_not_there(tmp_path, name):
    with pytest.raises(ConfigError, match=f"{name} can't be read: No such file"):
        query(tmp_path / name, "select 1")


def test_a_parquet_file_of_somebody_else(tmp_path):
    import pyarrow.parquet as pq

    pq.write_table(table_of(ROWS), tmp_path / "other.parquet")
    with pytest.raises(ConfigError, match="has no inventory"):
        query(tmp_path / "other.parquet", "select 1")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "other.parquet").read_bytes()[:100])
    with pytest.raises(ConfigError, match="can't be read"):
        query(tmp_path / "cut.parquet", "select 1")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="Is a directory"):
        query(tmp_path, "select 1")
