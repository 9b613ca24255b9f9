"""Ask SQL of rows, of an Arrow table, or of a stored inventory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from mangrove.inventory.query.result import Result
from mangrove.inventory.query.shelf import new_rows, put
from mangrove.inventory.query.stored import open_stored
from mangrove.inventory.rows import Row
from mangrove.inventory.tables import Tables

__all__ = ["Result", "query"]


def query(
    rows: Iterable[Row] | str | os.PathLike[str] | Any, statement: str, *, tables: Tables | None = None
) -> Result:
    """Return what a statement finds in an inventory.

    `resources` has the common columns of all types, and each type a table of its own, such as `ec2_instances` or
    `ecs_clusters_services`: the common columns, and one for each member of what its API says of it, in snake_case.
    `tags` is a map, and what has parts is JSON: `tags['env']`, `(state->>'Name') = 'running'`, `data->>'InstanceId'`;
    before DuckDB 2 an arrow binds less than AND, and wants the parentheses. A DuckDB file also has `snapshots`,
    `outcomes`, and of each type the rows of all its snapshots, such as `ec2_instances_history`.

    A statement can do nothing but read: no file, no network, no extension, no setting.

    Args:
        rows: rows, an Arrow table of them, or the path of a DuckDB or Parquet file.
        statement: one statement, in DuckDB's SQL.
        tables: know the columns of types; those of the installed botocore if None.

    Returns:
        The columns, their types, and the rows; `table()` returns them as a `pyarrow.Table`. It can be read once.

    Raises:
        ConfigError: the statement can't be run, or the file can't be read.
        MissingExtraError: DuckDB or pyarrow is not installed.
        OutputError: another process has the file open for writing.

    Example:
        >>> found = [Row("111111111111", "eu-west-1", "ec2", "ec2.vpcs", "vpc-1", None, {"env": "prod"}, "aws")]
        >>> list(query(found, "select name, tags['env'] from ec2_vpcs where region like 'eu-%'"))
        [('vpc-1', 'prod')]
    """
    if isinstance(rows, (str, os.PathLike)):
        return open_stored(rows, tables).ask(statement)
    shelf = new_rows(tables)
    asked = shelf.read(statement)
    put(shelf, rows)
    return shelf.answer(asked)
