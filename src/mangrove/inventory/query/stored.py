"""Answer statements from a stored inventory: a DuckDB file with its snapshots, or a Parquet file."""

from __future__ import annotations

# ruff: noqa: S608  the names are ours, and texts are quoted
import os
from pathlib import Path
from typing import Any

from mangrove._extras import require
from mangrove.errors import ConfigError
from mangrove.inventory.duck.files import attach, connect, reason_of
from mangrove.inventory.duck.schema import literal, newest_views, views_of
from mangrove.inventory.parquet import METADATA
from mangrove.inventory.query.result import Result
from mangrove.inventory.query.sandbox import Statement, lock
from mangrove.inventory.query.shelf import Shelf
from mangrove.inventory.schema import COMMON
from mangrove.inventory.snapshots import Snapshot
from mangrove.inventory.tables import Tables, table_name

__all__ = ["Stored", "is_parquet", "open_stored", "parquet_snapshot"]

_HISTORY = "_history"


class Stored(Shelf):
    """Answer statements from a file; see `Book`.

    Args:
        connection: with the file in it, and locked.
        types: the types that were asked for.
        failures: a type or nothing, and what failed, of targets that a table may lack rows of.
        tables: know the columns of types.
        name: of the file.
        history: whether there are several snapshots in it.
    """

    def __init__(
        self,
        connection: Any,
        types: list[str],
        failures: list[tuple[str, str]],
        tables: Tables | None,
        name: str,
        *,
        history: bool,
    ) -> None:
        super().__init__(connection, "resources", types, tables, name)
        self._failures, self._history = failures, history
        self._last: set[str] = set()

    def answer(self, statement: Statement) -> Result:
        """Return what a statement finds, and remember what it has named."""
        self._last = {name.removesuffix(_HISTORY) for _, name in statement.tables}
        return super().answer(statement)

    def type_of(self, name: str) -> str:
        """Return the type that a table shows; see `Shelf`."""
        return super().type_of(name.removesuffix(_HISTORY) if self._history else name)

    def show(self, kind: str) -> None:
        """Make the views of a type that the file lacks."""
        if not self._history:
            super().show(kind)
            return
        for statement in views_of(kind, self.tables.columns(kind)):
            self.connection.execute(statement.replace("CREATE OR REPLACE VIEW", "CREATE OR REPLACE TEMPORARY VIEW", 1))

    def incomplete(self) -> list[str]:
        """Say which targets had failed, of the types that the last statement has named; see `Book`."""
        whole = "resources" in self._last
        return [why for kind, why in self._failures if whole or not kind or table_name(kind) in self._last]


def is_parquet(path: Path) -> bool:
    """Tell whether a file is Parquet, by its first bytes.

    Args:
        path: the file.

    Raises:
        ConfigError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError as error:
        text = f"{path} can't be read: {error.strerror or error}"
        raise ConfigError(text) from error


def open_stored(path: str | os.PathLike[str], tables: Tables | None = None) -> Stored:
    """Return what answers from a file, which is only read.

    Args:
        path: a file that `mangrove ls --to` has written: DuckDB or Parquet.
        tables: know the columns of types.

    Raises:
        ConfigError: it is something else, damaged, or of a newer DuckDB or mangrove.
        MissingExtraError: DuckDB or pyarrow is not installed.
        OutputError: another process has it open for writing.
    """
    file = Path(path).expanduser()
    made = _open_parquet if is_parquet(file) else _open_duckdb
    return made(file.resolve(), tables)


def parquet_snapshot(path: Path) -> Snapshot:
    """Return what a Parquet file is of.

    Args:
        path: the file.

    Raises:
        ConfigError: it is damaged, or was not written by mangrove.
    """
    parquet = require("pyarrow.parquet", "inventory")
    try:
        found = parquet.read_metadata(path)
    except (OSError, ValueError) as error:  # pyarrow's own are these
        text = f"{path} can't be read: {reason_of(error)}"
        raise ConfigError(text) from error
    told = (found.metadata or {}).get(METADATA)
    if told is None or not set(COMMON) <= set(found.schema.to_arrow_schema().names):
        text = f"{path} has no inventory; one is written by: mangrove ls --to {path.name}"
        raise ConfigError(text)
    return Snapshot.read(told, path.name)


def _open_parquet(path: Path, tables: Tables | None) -> Stored:
    snapshot = parquet_snapshot(path)
    connection = connect()
    connection.execute(f"SET allowed_paths = [{literal(str(path))}]")
    shown = ", ".join(f'CAST("{name}" AS JSON) AS "data"' if name == "data" else f'"{name}"' for name in COMMON)
    connection.execute(f"CREATE VIEW resources AS SELECT {shown} FROM read_parquet({literal(str(path))})")
    lock(connection)
    failures = [(str(each["type"]), _told(each)) for each in snapshot.failures()]
    return Stored(connection, list(snapshot.types), failures, tables, path.name, history=False)


def _told(each: Any) -> str:
    error = each["error"] or {}
    return _line(each["account"], each["region"], each["kind"], error.get("message") or error.get("type") or "")


def _line(account: str, region: str, kind: str, message: str | None) -> str:
    return f"{account} {region}: {kind}{f': {message}' if message else ''}"


def _open_duckdb(path: Path, tables: Tables | None) -> Stored:
    connection = connect()
    try:
        attach(connection, path)
        types = [kind for (kind,) in connection.execute("SELECT DISTINCT unnest(types) FROM snapshots").fetchall()]
        failures = connection.execute(_FAILED).fetchall()
        connection.execute(newest_views().replace("VIEW", "TEMPORARY VIEW", 1))
        lock(connection)
    except BaseException:
        connection.close()
        raise
    told = [(kind or "", _line(*rest)) for kind, *rest in failures]
    return Stored(connection, sorted(types), told, tables, path.name, history=True)


# Of each type the newest snapshot that has looked for it, as in the views. An account that is closed to us has no type,
# nor what was left before its end: it counts as long as any type is served from that snapshot.
_FAILED = """
    SELECT o."type", o.account, o.region, o.kind, coalesce(nullif(o.message, ''), o.error)
    FROM outcomes AS o LEFT JOIN
        (SELECT each AS "type", max(id) AS id FROM (SELECT id, unnest(types) AS each FROM snapshots) GROUP BY 1) AS n
        ON o."type" = n."type"
    WHERE o.kind NOT IN ('ok', 'disabled', 'unsupported')
        AND (o.snapshot = n.id OR (n.id IS NULL AND o.snapshot IN
            (SELECT max(id) FROM (SELECT id, unnest(types) AS each FROM snapshots) GROUP BY each)))
    ORDER BY ALL
"""
