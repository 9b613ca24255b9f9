"""Say in SQL what a DuckDB file of inventories has: its tables, and a view of typed columns for each type."""

from __future__ import annotations

# ruff: noqa: S608  the names are ours, and texts are quoted
from collections.abc import Iterator, Sequence

from mangrove.inventory.schema import COMMON, Column
from mangrove.inventory.tables import table_name

__all__ = ["NAMES", "ROWS", "TABLES", "literal", "newest_views", "quoted", "type_view", "views_of"]

ROWS = "resources_history"
"""The table that has the rows of all snapshots."""

NAMES = ("mangrove_inventory", "snapshots", "outcomes", ROWS)
"""The tables of a file."""

_COMMON_COLUMNS = """
    account VARCHAR, region VARCHAR, partition VARCHAR, service VARCHAR, "type" VARCHAR, name VARCHAR, arn VARCHAR,
    tags MAP(VARCHAR, VARCHAR), "data" JSON
"""

TABLES = f"""
CREATE TABLE IF NOT EXISTS mangrove_inventory("schema" INTEGER, mangrove VARCHAR);
CREATE TABLE IF NOT EXISTS snapshots(
    id BIGINT, taken TIMESTAMPTZ, types VARCHAR[], accounts MAP(VARCHAR, VARCHAR), regions VARCHAR[], complete BOOLEAN,
    "rows" BIGINT, calls BIGINT, seconds DOUBLE, mangrove VARCHAR, "schema" INTEGER
);
CREATE TABLE IF NOT EXISTS outcomes(
    snapshot BIGINT, account VARCHAR, region VARCHAR, partition VARCHAR, service VARCHAR, "type" VARCHAR, kind VARCHAR,
    "rows" BIGINT, calls BIGINT, attempts BIGINT, seconds DOUBLE, error VARCHAR, code VARCHAR, message VARCHAR
);
CREATE TABLE IF NOT EXISTS {ROWS}(snapshot BIGINT, {_COMMON_COLUMNS});
"""

_CASTS = {
    "string": "json_extract_string({data}, {path})",
    "json": "json_extract({data}, {path})",
    "integer": "TRY_CAST(json_extract_string({data}, {path}) AS BIGINT)",
    "double": "TRY_CAST(json_extract_string({data}, {path}) AS DOUBLE)",
    "boolean": "TRY_CAST(json_extract_string({data}, {path}) AS BOOLEAN)",
    "timestamp": "TRY_CAST(json_extract_string({data}, {path}) AS TIMESTAMPTZ)",
}


def quoted(name: str) -> str:
    """Return a name as SQL quotes it.

    Example:
        >>> quoted('a"b')
        '"a""b"'
    """
    return '"{}"'.format(name.replace('"', '""'))


def literal(text: str) -> str:
    """Return a text as SQL quotes it.

    Example:
        >>> literal("it's")
        "'it''s'"
    """
    return "'{}'".format(text.replace("'", "''"))


def type_view(
    kind: str,
    columns: Sequence[Column],
    *,
    name: str = "",
    source: str = ROWS,
    more: str = "",
    where: str = "",
    temporary: bool = False,
) -> str:
    """Return the statement that makes the view of a type.

    Args:
        kind: the type.
        columns: its columns, beside the common ones.
        name: of the view, if it is not the type's.
        source: where its rows are.
        more: further columns, in SQL; a row is `r` there.
        where: what else holds for its rows, in SQL.
        temporary: whether the view is of this connection alone.
    """
    data = 'r."data"'
    shown = [f"r.{quoted(each)}" for each in COMMON[:-1]]
    shown += [f"{_cast(column, data)} AS {quoted(column.name)}" for column in columns]
    # Rows that have come from Parquet have text there.
    shown.append(f'CAST({data} AS JSON) AS "data"')
    if more:
        shown.append(more)
    temp = "TEMPORARY " if temporary else ""
    also = f" AND {where}" if where else ""
    return (
        f"CREATE OR REPLACE {temp}VIEW {quoted(name or table_name(kind))} AS SELECT {', '.join(shown)} "
        f'FROM {source} AS r WHERE r."type" = {literal(kind)}{also}'
    )


def _cast(column: Column, data: str) -> str:
    # No member has a quote in its name: botocore's models are of words.
    path = literal('$."{}"'.format(column.member.replace('"', "")))
    return _CASTS[column.kind].format(data=data, path=path)


def views_of(kind: str, columns: Sequence[Column]) -> Iterator[str]:
    """Yield what makes the two views of a type in a file: of its newest snapshot, and of all.

    The newest is the newest that has looked for the type: one of other types does not empty it.

    Args:
        kind: the type.
        columns: its columns.
    """
    newest = f"(SELECT max(id) FROM snapshots WHERE list_contains(types, {literal(kind)}))"
    yield type_view(kind, columns, where=f"r.snapshot = {newest}")
    taken = "(SELECT max(s.taken) FROM snapshots AS s WHERE s.id = r.snapshot)"
    more = f"r.snapshot AS _snapshot, {taken} AS _taken"
    yield type_view(kind, columns, name=f"{table_name(kind)}_history", more=more)


def newest_views() -> str:
    """Return what makes the view `resources`: of each type, the rows of the newest snapshot that has looked for it."""
    shown = ", ".join(f"r.{quoted(name)}" for name in COMMON)
    return (
        f"CREATE OR REPLACE VIEW resources AS SELECT {shown} FROM {ROWS} AS r JOIN "
        '(SELECT each AS "type", max(id) AS snapshot FROM (SELECT id, unnest(types) AS each FROM snapshots) '
        'GROUP BY 1) AS newest ON r.snapshot = newest.snapshot AND r."type" = newest."type"'
    )
