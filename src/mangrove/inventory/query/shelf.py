"""Hold the tables that statements are asked of, each made when a statement first names it."""

from __future__ import annotations

# ruff: noqa: S608  the names are ours, and texts are quoted
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Protocol

from mangrove.aws.services import one_of
from mangrove.errors import ConfigError
from mangrove.inventory.arrow import table_of
from mangrove.inventory.duck.files import connect
from mangrove.inventory.duck.schema import literal, quoted, type_view
from mangrove.inventory.query.result import Result
from mangrove.inventory.query.sandbox import Statement, lock, read_statement, run
from mangrove.inventory.rows import Row
from mangrove.inventory.schema import COMMON
from mangrove.inventory.tables import Tables, table_name

__all__ = ["Book", "Shelf", "drop", "new_rows", "put"]

_OWN = frozenset({"", "main", "inventory", "memory", "temp"})
_SYSTEM = frozenset({"information_schema", "pg_catalog"})
# In a schema of its own: `SHOW TABLES` has what people ask.
_ROWS = "mangrove.rows"
_BATCH = 8192


class Book(Protocol):
    """Answer statements: of a file, of rows, or of AWS."""

    def ask(self, text: str) -> Result:
        """Return what a statement finds.

        Raises:
            ConfigError: it can't be run.
        """
        ...

    def names(self) -> list[str]:
        """List the tables that there are."""
        ...

    def columns(self, table: str) -> list[tuple[str, str]]:
        """Return the columns of a table, each with DuckDB's type.

        Raises:
            ConfigError: there is no such table.
        """
        ...

    def incomplete(self) -> list[str]:
        """Say, a line each, why the last answer may lack something."""
        ...

    def refresh(self) -> None:
        """Forget what was collected."""
        ...

    def close(self) -> None:
        """Let go of files and memory."""
        ...


class Shelf:
    """Answer statements from rows in one place; see `Book`.

    Args:
        connection: of DuckDB, and locked.
        source: where the rows are, in SQL.
        types: the types that there are rows of, or could be; None leaves it to the installed botocore.
        tables: know the columns of types.
        name: what the rows are of, for messages.
    """

    def __init__(
        self, connection: Any, source: str, types: Sequence[str] | None, tables: Tables | None = None, name: str = "it"
    ) -> None:
        self.connection, self.tables = connection, tables or Tables()
        self._source, self._types, self._name = source, types, name
        self._made: set[str] = set()
        self._result: Result | None = None

    def ask(self, text: str) -> Result:
        """Return what a statement finds; see `Book`."""
        return self.answer(self.read(text))

    def read(self, text: str) -> Statement:
        """Return a statement whose tables are all there, and which can be run; no row is read."""
        self._finish()
        statement = read_statement(self.connection, text)
        for schema, name in statement.tables:
            self._provide(schema, name)
        run(self.connection, text)
        return statement

    def answer(self, statement: Statement) -> Result:
        """Return what a statement finds that was read."""
        self._result = Result(run(self.connection, statement.text), statement.text)
        return self._result

    def _finish(self) -> None:
        """End the answer that was not read to its end: DuckDB has one at a time."""
        if self._result is not None:
            self._result.close()

    def _there(self) -> set[str]:
        asked = "SELECT lower(table_name) FROM information_schema.tables WHERE table_schema = 'main'"
        return {name for (name,) in self.connection.execute(asked).fetchall()}

    def _provide(self, schema: str, name: str) -> None:
        if schema in _SYSTEM or name.startswith(("duckdb_", "sqlite_", "pg_")) or name in self._made | self._there():
            return
        if schema not in _OWN:
            text = f"there is no table '{schema}.{name}'{one_of(f'{schema}_{name}', self._close(f'{schema}_{name}'))}"
            raise ConfigError(text)
        self.show(self.type_of(name))
        self._made.add(name)

    def _close(self, name: str) -> list[str]:
        return [*self.names(), name] if self._is_table(name) else self.names()

    def _is_table(self, name: str) -> bool:
        try:
            self.tables.type_of(name)
        except ConfigError:
            return False
        return self._types is None

    def type_of(self, name: str) -> str:
        """Return the type that a table shows.

        Args:
            name: of the table.

        Raises:
            ConfigError: there is no such table.
        """
        if self._types is None:
            return self.tables.type_of(name)
        known = {table_name(kind): kind for kind in self._types}
        if name.lower() in known:
            return known[name.lower()]
        text = f"{self._name} has no table {name!r}{one_of(name, self.names())}"
        raise ConfigError(text)

    def is_of_type(self, name: str) -> bool:
        """Tell whether a table that a statement has named is the one of a type.

        Args:
            name: of the table.
        """
        return name in self._made

    def show(self, kind: str) -> None:
        """Make the view of a type."""
        columns = self.tables.columns(kind)
        self.connection.execute(type_view(kind, columns, source=self._source, temporary=True))

    def names(self) -> list[str]:
        """List the tables that there are; see `Book`."""
        return sorted(self._there() | set(map(table_name, self._types or ())))

    def columns(self, table: str) -> list[tuple[str, str]]:
        """Return the columns of a table; see `Book`."""
        result = self.ask(f"DESCRIBE {quoted(table.lower())}")
        return [(name, kind) for name, kind, *_ in result]

    def incomplete(self) -> list[str]:
        """Return nothing: the rows are what they are."""
        return []

    def refresh(self) -> None:
        """Do nothing: what is stored stays."""

    def close(self) -> None:
        """Let go of files and memory; see `Book`."""
        self._finish()
        self.connection.close()


def new_rows(tables: Tables | None = None, *, types: Sequence[str] | None = None) -> Shelf:
    """Return a shelf in memory, without rows yet; see `put`.

    Args:
        tables: know the columns of types.
        types: the types of the table `resources`; all that there are rows of if None.
    """
    connection = connect()
    columns = 'tags MAP(VARCHAR, VARCHAR), "data" JSON'
    texts = ", ".join(f'"{name}" VARCHAR' for name in COMMON[:-2])
    connection.execute("CREATE SCHEMA mangrove")
    connection.execute(f"CREATE TABLE {_ROWS}({texts}, {columns})")
    where = "" if types is None else f' WHERE "type" IN ({", ".join(map(literal, ["", *types]))})'
    connection.execute(f"CREATE VIEW resources AS SELECT * FROM {_ROWS}{where}")
    lock(connection)
    return Shelf(connection, _ROWS, None, tables)


def put(shelf: Shelf, rows: Iterable[Row] | Any) -> None:
    """Add rows.

    Args:
        shelf: made by `new_rows`.
        rows: the rows, or whatever of Arrow has their columns.
    """
    if hasattr(rows, "schema"):
        _insert(shelf.connection, rows)
        return
    # What a row's source raises must not come through DuckDB: it would be another error then.
    source = iter(rows)
    while found := list(islice(source, _BATCH)):
        _insert(shelf.connection, table_of(found))


def _insert(connection: Any, table: Any) -> None:
    connection.register("mangrove_new", table)
    try:
        shown = ", ".join(f'CAST("{name}" AS JSON)' if name == "data" else f'"{name}"' for name in COMMON)
        connection.execute(f"INSERT INTO {_ROWS} SELECT {shown} FROM mangrove_new")
    finally:
        connection.unregister("mangrove_new")


def drop(shelf: Shelf, types: Iterable[str]) -> None:
    """Remove the rows of types.

    Args:
        shelf: made by `new_rows`.
        types: the types.
    """
    kinds = ", ".join(map(literal, ["", *types]))
    shelf.connection.execute(f'DELETE FROM {_ROWS} WHERE "type" IN ({kinds})')
