"""Hand rows to who reads Arrow: pandas, Polars, DuckDB and Parquet take these tables as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from mangrove._extras import require
from mangrove.inventory.rows import Row
from mangrove.inventory.schema import COMMON, Column
from mangrove.inventory.schema.values import as_timestamp, encodable, json_of

__all__ = ["batch_of", "schema_of", "stream_of", "table_of"]

_BATCH = 8192
_LONG = range(-(2**63), 2**63)


def schema_of(columns: Sequence[Column] = ()) -> Any:
    """Return the Arrow schema of rows: the common columns, and those of a type before `data`.

    Texts are `string`, `tags` is `map<string, string>`, null where they could not be read. `data` and every `json`
    column is JSON in a `string`; a `timestamp` is in microseconds and UTC.

    Args:
        columns: the columns of the type; none gives the common ones alone.

    Raises:
        MissingExtraError: pyarrow is not installed.

    Example:
        >>> schema_of([Column("instance_type", "InstanceType", "string")]).names[6:]
        ['arn', 'tags', 'instance_type', 'data']
    """
    arrow = require("pyarrow", "inventory")
    kinds = {
        "string": arrow.string(),
        "json": arrow.string(),
        "integer": arrow.int64(),
        "double": arrow.float64(),
        "boolean": arrow.bool_(),
        "timestamp": arrow.timestamp("us", tz="UTC"),
    }
    told = {name: arrow.string() for name in COMMON} | {"tags": arrow.map_(arrow.string(), arrow.string())}
    data = told.pop("data")
    found = [*told.items(), *((column.name, kinds[column.kind]) for column in columns), ("data", data)]
    return arrow.schema([arrow.field(name, kind) for name, kind in found])


def batch_of(rows: Sequence[Row], columns: Sequence[Column] = ()) -> Any:
    """Return a `pyarrow.RecordBatch` of rows.

    Args:
        rows: the rows.
        columns: the columns of their type, if it is one.

    Example:
        >>> batch_of([]).num_rows
        0
    """
    schema = schema_of(columns)
    arrow = require("pyarrow", "inventory")
    arrays: list[list[Any]] = [[encodable(getattr(row, name)) for row in rows] for name in COMMON[:6]]
    arrays.append([None if row.arn is None else encodable(row.arn) for row in rows])
    arrays.append([_tags(row.tags) for row in rows])
    for column in columns:
        read, member = _READERS[column.kind], column.member
        arrays.append([read(row.data.get(member)) for row in rows])
    arrays.append([encodable(json_of(row.data)) for row in rows])
    made = [arrow.array(array, field.type) for array, field in zip(arrays, schema, strict=True)]
    return arrow.RecordBatch.from_arrays(made, schema=schema)


def stream_of(rows: Iterable[Row], columns: Sequence[Column] = (), *, size: int = _BATCH) -> Any:
    """Return a `pyarrow.RecordBatchReader` that takes rows as it is read, and keeps none.

    Args:
        rows: the rows.
        columns: the columns of their type, if it is one.
        size: how many rows a batch has.

    Raises:
        MissingExtraError: pyarrow is not installed.

    Example:
        >>> stream_of([]).read_all().num_rows
        0
    """
    schema = schema_of(columns)

    def batches() -> Iterator[Any]:
        source = iter(rows)
        while found := list(islice(source, size)):
            yield batch_of(found, columns)

    return require("pyarrow", "inventory").RecordBatchReader.from_batches(schema, batches())


def table_of(rows: Iterable[Row], columns: Sequence[Column] = ()) -> Any:
    """Return a `pyarrow.Table` of rows.

    Args:
        rows: the rows.
        columns: the columns of their type, if it is one: `Tables().columns("ec2.instances")`.

    Raises:
        MissingExtraError: pyarrow is not installed.

    Example:
        >>> row = Row("111111111111", "eu-west-1", "ec2", "ec2.vpcs", "vpc-1", None, {}, "aws", {"IsDefault": True})
        >>> table_of([row], [Column("is_default", "IsDefault", "boolean")]).column("is_default").to_pylist()
        [True]
    """
    return stream_of(rows, columns).read_all()


def _tags(tags: Mapping[str, str] | None) -> list[tuple[str, str]] | None:
    return None if tags is None else [(encodable(key), encodable(value)) for key, value in tags.items()]


# What is not of its column's type is null there, and stays in `data`.


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else encodable(value)
    return encodable(json_of(value)).strip('"')


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value in _LONG else None


def _double(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _timestamp(value: Any) -> datetime | None:
    return as_timestamp(value) if isinstance(value, datetime) else None


def _json(value: Any) -> str | None:
    return None if value is None else encodable(json_of(value))


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "string": _text,
    "integer": _integer,
    "double": _double,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "json": _json,
}
