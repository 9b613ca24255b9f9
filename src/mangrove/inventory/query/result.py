"""Hand out what a statement has found: rows of plain Python values, or Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from mangrove._extras import require
from mangrove.inventory.query.sandbox import broken

__all__ = ["Result"]

_BATCH = 2048
_WHOLE = frozenset({"HUGEINT", "UHUGEINT"})


class Result:
    """Be what a statement has found; it can be read once, until the next statement is asked.

    Args:
        relation: DuckDB's.
        text: the statement.

    Attributes:
        columns: the names of the columns.
        types: DuckDB's types of them, such as `VARCHAR`, `MAP(VARCHAR, VARCHAR)` or `JSON`.
    """

    def __init__(self, relation: Any, text: str) -> None:
        self.columns: tuple[str, ...] = tuple(relation.columns)
        self.types: tuple[str, ...] = tuple(str(each) for each in relation.types)
        self._relation, self._text = relation, text
        self._reader: Any = None

    def reader(self) -> Any:
        """Return a `pyarrow.RecordBatchReader` of the rows.

        Raises:
            ConfigError: the statement fails on the values that there are, as a cast may.
        """
        # Its name before DuckDB 1.4 was another.
        make = getattr(self._relation, "to_arrow_reader", None) or self._relation.fetch_record_batch
        try:
            self._reader = make(_BATCH)
        except require("duckdb", "inventory").Error as error:
            raise broken(error, self._text) from error
        return self._reader

    def close(self) -> None:
        """Let go of rows that were not read."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def table(self) -> Any:
        """Return the rows as a `pyarrow.Table`."""
        return self.reader().read_all()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        arrow = require("pyarrow", "inventory")
        reads = [_reader(kind) for kind in self.types]
        reader = self.reader()
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except (arrow.ArrowException, OSError) as error:
                raise broken(error, self._text) from error
            columns = [
                map(read, column.to_pylist()) if read else column.to_pylist()
                for read, column in zip(reads, batch.columns, strict=True)
            ]
            yield from zip(*columns, strict=True)


def _reader(kind: str) -> Callable[[Any], Any] | None:
    if kind in _WHOLE:
        return lambda value: None if value is None else int(Decimal(value))
    if kind.startswith("MAP("):
        return lambda value: None if value is None else dict(value)
    if kind == "INTERVAL":
        return _interval
    return None


def _interval(value: Any) -> Any:
    """Return a span as text: months have no length of their own."""
    if value is None:
        return None
    months, days, rest = value
    parts = [f"{months} months"] * bool(months) + [f"{days} days"] * bool(days)
    if rest or not parts:
        parts.append(str(timedelta(microseconds=rest // 1000)))
    return " ".join(parts)
