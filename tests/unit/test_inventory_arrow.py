"""Rows as Arrow, and who reads it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

pa = pytest.importorskip("pyarrow")

from mangrove.inventory.arrow import batch_of, schema_of, stream_of, table_of  # noqa: E402
from mangrove.inventory.rows import Row  # noqa: E402
from mangrove.inventory.schema import Column  # noqa: E402

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
COLUMNS = [
    Column("instance_type", "InstanceType", "string"),
    Column("size", "Size", "integer"),
    Column("mean", "Mean", "double"),
    Column("on", "On", "boolean"),
    Column("since", "Since", "timestamp"),
    Column("state", "State", "json"),
]


def row(number=1, tags=None, arn=None, **data):
    return Row("111111111111", "eu-west-1", "ec2", "ec2.instances", f"i-{number}", arn, tags, "aws", data)


def test_common_columns():
    table = table_of([row(1, {"env": "prod"}, "arn:aws:ec2:eu-west-1:111111111111:instance/i-1", A=[1]), row(2)])
    assert table.schema.names == "account region partition service type name arn tags data".split()
    assert table.column("tags").to_pylist() == [[("env", "prod")], None]
    assert table.column("arn").to_pylist()[1] is None
    assert table.column("data").to_pylist() == ['{"A":[1]}', "{}"]
    assert table_of([]).num_rows == 0
    assert table_of([]).schema == table.schema


def test_no_tags_are_another_thing_than_unknown_ones():
    assert table_of([row(1, {}), row(2, None)]).column("tags").to_pylist() == [[], None]


def test_typed_columns():
    east = NOW.astimezone(timezone(timedelta(hours=5)))
    found = row(1, InstanceType="t3.micro", Size=3, Mean=1, On=True, Since=east, State={"Name": "on"})
    (told,) = table_of([found], COLUMNS).to_pylist()
    assert told["instance_type"] == "t3.micro"
    assert (told["size"], told["mean"], told["on"]) == (3, 1.0, True)
    assert told["since"] == NOW
    assert told["state"] == '{"Name":"on"}'
    assert schema_of(COLUMNS).field("since").type == pa.timestamp("us", tz="UTC")


@pytest.mark.parametrize(
    ("member", "value", "column", "expected"),
    [
        ("Size", "12", "size", None),
        ("Size", 2**63, "size", None),
        ("Size", True, "size", None),
        ("Mean", "NaN", "mean", None),
        ("On", "true", "on", None),
        ("Since", "yesterday", "since", None),
        ("InstanceType", b"x", "instance_type", "eA=="),
        ("InstanceType", 5, "instance_type", "5"),
        ("State", None, "state", None),
    ],
)
def test_what_is_not_of_its_type_is_null_and_stays_in_the_data(member, value, column, expected):
    (told,) = table_of([row(1, **{member: value})], COLUMNS).to_pylist()
    assert told[column] == expected
    assert member in told["data"]


def test_a_stream_takes_rows_as_it_is_read():
    taken = []

    def rows():
        for number in range(10):
            taken.append(number)
            yield row(number)

    reader = stream_of(rows(), size=2)
    assert taken == []
    assert reader.read_next_batch().num_rows == 2
    assert len(taken) <= 4
    assert reader.read_all().num_rows == 8


def test_names_that_are_no_text_are_no_end():
    found = table_of([row(1, {"k\ud800": "v\udfff"}, None, Note="\ud83d")])
    assert found.column("tags").to_pylist() == [[("k?", "v?")]]
    assert found.column("data").to_pylist() == ['{"Note":"?"}']


def test_pandas_takes_it_as_it_is():
    pandas = pytest.importorskip("pandas")
    frame = table_of([row(n, Size=n) for n in range(3)], COLUMNS).to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.groupby("region")["size"].sum().to_dict() == {"eu-west-1": 3}


def test_polars_takes_it_as_it_is():
    polars = pytest.importorskip("polars")
    frame = polars.from_arrow(table_of([row(n, {"a": "b"}, Size=n, Since=NOW) for n in range(3)], COLUMNS))
    assert frame["size"].sum() == 3
    assert frame["since"][0] == NOW
    assert polars.DataFrame(table_of([row(1)])).height == 1
    assert polars.from_arrow(stream_of([row(1), row(2)]).read_all()).height == 2


def test_a_batch_has_the_schema_of_the_table():
    assert batch_of([row(1)], COLUMNS).schema == table_of([], COLUMNS).schema
