"""Append an inventory to a DuckDB file as a snapshot: all of it in one transaction, or nothing."""

from __future__ import annotations

# ruff: noqa: S608  the names are ours, and texts are quoted
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mangrove._extras import require
from mangrove._version import __version__
from mangrove.errors import ConfigError, MangroveError, OutputError
from mangrove.inventory.duck.files import attach, connect, explain, is_locked
from mangrove.inventory.duck.schema import NAMES, ROWS, TABLES, literal, newest_views, views_of
from mangrove.inventory.facts import Facts
from mangrove.inventory.parquet import Spool
from mangrove.inventory.parquet.files import Staged, resolved
from mangrove.inventory.rows import Row
from mangrove.inventory.schema import COMMON
from mangrove.inventory.snapshots import SCHEMA, Snapshot, Told, snapshot_of
from mangrove.inventory.tables import Tables

__all__ = ["DuckSink"]

_PATIENCE = 30.0  # seconds that whoever writes or reads the file is waited for, in the end
_TICK = 0.2
_ALL = 200  # types of which each gets its views; of more, those that have rows


class DuckSink:
    """Append an inventory to a DuckDB file as a snapshot with its time; see `Sink`.

    The rows wait in a file beside it, so that others can use the DuckDB file while AWS is asked. In the end they come
    into it in one transaction. If that fails the rows stay in a Parquet file beside it, which the error names.

    The tables are `snapshots`, `outcomes` and `resources_history`; the views are `resources` and one for each type,
    such as `ec2_instances`, of the newest snapshot that has looked for it, and `ec2_instances_history` of all.

    Args:
        path: the file; it is made if it is missing.
        tables: know the columns of types; those of the installed botocore if None.
        patience: seconds to wait for others who have the file open.
        sleep: waits some seconds.

    Raises:
        ConfigError: it is no DuckDB file, is of a newer DuckDB or mangrove, or its folder is missing.
        MissingExtraError: DuckDB or pyarrow is not installed.
        OutputError: it can't be written; another process that has it open is one reason.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        tables: Tables | None = None,
        patience: float = _PATIENCE,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        require("duckdb", "inventory")
        self.path = resolved(path)
        self._tables, self._patience, self._sleep = tables, patience, sleep
        if self.path.exists():
            _check_writable(self.path)
            with contextlib.closing(connect()) as connection:
                self._attached(connection, patience=min(patience, 5.0))
        # Its name is what the rows are called if they can't come into the database.
        self._spool = Spool(self.path.with_name(f"{self.path.name}.parquet"))

    def add(self, rows: Sequence[Row]) -> None:
        """Take more rows; see `Sink`."""
        self._spool.add(rows)

    def abandon(self) -> None:
        """Leave nothing behind; see `Sink`."""
        self._spool.discard()

    def finish(self, facts: Facts) -> None:
        """Append the snapshot; see `Sink`."""
        snapshot = snapshot_of(facts, self._spool.rows)
        self._spool.end(snapshot)
        try:
            self._append(snapshot)
        except MangroveError as error:
            kept = self._spool.staged.publish(_free(self.path, snapshot))
            text = f"{error}; what was collected is in {kept}"
            raise OutputError(text) from error
        self._spool.discard()

    def _append(self, snapshot: Snapshot) -> None:
        if self.path.exists():
            self._write(self.path, snapshot)
            return
        made = Staged(self.path)
        made.discard()  # DuckDB makes its file itself
        try:
            self._write(made.path, snapshot)
            os.link(made.path, self.path)
        except FileExistsError:
            self._write(self.path, snapshot)  # somebody else was first
        except OSError as error:
            if isinstance(error, MangroveError):
                raise
            made.publish()  # a file system without links
        finally:
            made.discard()
            with contextlib.suppress(OSError):
                made.path.with_name(f"{made.path.name}.wal").unlink()

    def _write(self, path: Path, snapshot: Snapshot) -> None:
        with contextlib.closing(connect()) as connection:
            there = self._attached(connection, path, patience=self._patience)
            try:
                connection.execute("BEGIN")
                _insert(connection, snapshot, self._spool.staged.path, there=there)
                for kind, columns in self._shown(connection, snapshot):
                    for statement in views_of(kind, columns):
                        connection.execute(statement)
                connection.execute("COMMIT")
                connection.execute("USE memory")
                connection.execute("DETACH inventory")
            except Exception as error:
                with contextlib.suppress(Exception):
                    connection.execute("ROLLBACK")
                raise explain(error, self.path, write=True) from error

    def _attached(self, connection: Any, path: Path | None = None, *, patience: float) -> bool:
        """Attach the file, waiting for others who have it open: to append a snapshot takes a moment."""
        waited = 0.0
        while True:
            try:
                return attach(connection, path or self.path, write=True)
            except OutputError as error:
                if not is_locked(error) or waited >= patience:
                    raise
            self._sleep(_TICK)
            waited += _TICK

    def _shown(self, connection: Any, snapshot: Snapshot) -> list[tuple[str, Any]]:
        """Return the types that get views: all that were asked for, or, of very many, those that have rows."""
        types: Sequence[str] = snapshot.types
        if len(types) > _ALL:
            asked = f'SELECT DISTINCT "type" FROM {ROWS} WHERE snapshot = (SELECT max(id) FROM snapshots) ORDER BY 1'
            types = [kind for (kind,) in connection.execute(asked).fetchall()]
        tables = self._tables or Tables()
        found = []
        for kind in types:
            with contextlib.suppress(ConfigError):  # a type that another botocore has: its rows are in `resources`
                found.append((kind, tables.columns(kind)))
        return found


def _check_writable(path: Path) -> None:
    if not os.access(path, os.W_OK):
        text = f"{path} can't be written: it is read-only"
        raise OutputError(text)


def _free(path: Path, snapshot: Snapshot) -> Path:
    """Return a name that says what a file is, and that none has."""
    base = f"{path.stem}-{snapshot.taken:%Y%m%dT%H%M%SZ}"
    for number in range(1, 1000):
        found = path.with_name(f"{base}{'' if number == 1 else f'-{number}'}.parquet")
        if not found.exists():
            return found
    return path.with_name(f"{base}-{os.getpid()}.parquet")


def _insert(connection: Any, snapshot: Snapshot, rows: Path, *, there: bool) -> None:
    for statement in TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)
    if not there:
        connection.execute(f"INSERT INTO {NAMES[0]} VALUES (?, ?)", [SCHEMA, __version__])
    (number,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM snapshots").fetchall()[0]
    known = [
        snapshot.taken.isoformat(),
        list(snapshot.types),
        list(snapshot.accounts),
        list(snapshot.accounts.values()),
    ]
    more = [
        list(snapshot.regions),
        snapshot.complete,
        snapshot.rows,
        snapshot.calls,
        snapshot.seconds,
        snapshot.version,
    ]
    connection.execute(
        "INSERT INTO snapshots VALUES (?, CAST(? AS TIMESTAMPTZ), CAST(? AS VARCHAR[]), map(CAST(? AS VARCHAR[]), "
        "CAST(? AS VARCHAR[])), CAST(? AS VARCHAR[]), ?, ?, ?, ?, ?, ?)",
        [number, *known, *more, SCHEMA],
    )
    _insert_outcomes(connection, number, snapshot.outcomes)
    shown = ", ".join(f'CAST("{name}" AS JSON)' if name == "data" else f'"{name}"' for name in COMMON)
    connection.execute(f"INSERT INTO {ROWS} SELECT {number}, {shown} FROM read_parquet({literal(str(rows))})")
    connection.execute(newest_views())


def _insert_outcomes(connection: Any, number: int, outcomes: Sequence[Told]) -> None:
    if not outcomes:
        return
    arrow = require("pyarrow", "inventory")
    texts = ("account", "region", "partition", "service", "type", "kind")
    numbers = ("rows", "calls", "attempts")
    columns = {name: arrow.array([each.get(name) for each in outcomes], arrow.string()) for name in texts}
    columns |= {name: arrow.array([each.get(name) for each in outcomes], arrow.int64()) for name in numbers}
    columns["seconds"] = arrow.array([each.get("seconds") for each in outcomes], arrow.float64())
    for name in ("type", "code", "message"):
        told = [(each["error"] or {}).get(name) for each in outcomes]
        columns[f"error_{name}"] = arrow.array(told, arrow.string())
    connection.register("mangrove_outcomes", arrow.table(columns))
    connection.execute(f"INSERT INTO outcomes SELECT {number}, * FROM mangrove_outcomes")
    connection.unregister("mangrove_outcomes")
