"""Turn rows of an inventory into what is printed of them, in each form."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mangrove._csv import cell, csv_line
from mangrove.cli.call_output import Writer
from mangrove.cli.call_values import shown
from mangrove.cli.ls_columns import Column
from mangrove.cli.ls_table import RowTable
from mangrove.cli.output import emit
from mangrove.inventory.rows import Row, document_of
from mangrove.inventory.schema import COMMON
from mangrove.inventory.schema.values import plain

__all__ = ["TABLE", "Printer"]

TABLE = ("account", "region", "type", "name", "arn", "tags")
"""The columns of a table, unless others are asked for."""

_CSV = COMMON[:-1]
_AT_ONCE = 200  # rows that are written at once, if they are at hand


class Printer:
    """Print rows as they come.

    Args:
        form: `table`, `json`, `jsonl` or `csv`.
        columns: what is printed of each row; None for what is usual.
        wipe: is called before anything is written.

    Attributes:
        rows: how many were printed.
        faults: the errors of those that could not be printed.

    Example:
        >>> printer = Printer("csv", (Column("region"), Column("name")))
        >>> printer.take(Row("111111111111", "eu-west-1", "ec2", "ec2.vpcs", "vpc-1", None, {}, "aws"))
        >>> printer.end()
        region,name
        eu-west-1,vpc-1
    """

    def __init__(self, form: str, columns: Sequence[Column] | None, wipe: Callable[[], object] = lambda: None) -> None:
        self.rows = 0
        self.faults: list[tuple[Row, Exception]] = []
        self._form, self._columns, self._wipe = form, columns, wipe
        names = [column.name for column in columns] if columns is not None else list(TABLE if form == "table" else _CSV)
        self._writer = _writer(form, names)
        self._missing = dict.fromkeys(names) if columns is not None else {}
        self._needs = columns is not None and any(column.query is not None for column in columns)

    @property
    def alive(self) -> bool:
        """Tell whether somebody reads it."""
        return self._writer.alive

    def take(self, row: Row) -> None:
        """Print a row, or keep it until it can be printed."""
        try:
            found = self._chosen(row) if self._columns is not None else self._usual(row)
        except Exception as error:  # noqa: BLE001  a query that asks what a value can't do costs its row
            self.faults.append((row, error))
            return
        self.rows += 1
        self._wipe()
        self._writer.take(found)

    def flush(self) -> None:
        """Print what waits only for more: nothing more is at hand."""
        if isinstance(self._writer, _Texts):
            self._wipe()
            self._writer.flush()

    def end(self) -> None:
        """Print what was kept."""
        self._wipe()
        self._writer.end()

    def tick(self) -> None:
        """Print what was kept for long enough."""
        if isinstance(self._writer, RowTable) and self._writer.is_late:
            self._wipe()
            self._writer.begin()

    @property
    def remarks(self) -> list[str]:
        """Return what is not in the output, and where it is."""
        missing = [f"no row has {name!r}" for name in self._missing if self.rows]
        return [*self._writer.remarks, *missing]

    def _usual(self, row: Row) -> dict[str, Any]:
        if self._form == "table":
            return {**{name: getattr(row, name) for name in TABLE[:-1]}, "tags": _shown(row.tags)}
        tags = None if row.tags is None else dict(row.tags)
        found = {**{name: getattr(row, name) for name in _CSV[:-1]}, "tags": tags}
        return found if self._form == "csv" else {**found, "data": row.data}

    def _chosen(self, row: Row) -> dict[str, Any]:
        document = document_of(row) if self._needs else None
        found = {column.name: column.of(row, document) for column in self._columns or ()}
        for name in [name for name in self._missing if found[name] is not None]:
            del self._missing[name]
        if self._form == "table" and isinstance(found.get("tags", ""), (Mapping, type(None))):
            found = {**found, **({"tags": _shown(row.tags)} if "tags" in found else {})}
        return found


def _shown(tags: Mapping[str, str] | None) -> str:
    return "?" if tags is None else ", ".join(f"{key}={value}" if value else key for key, value in sorted(tags.items()))


def _writer(form: str, names: Sequence[str]) -> Writer:
    return RowTable(names) if form == "table" else _Texts(form, names)


class _Texts:
    """Write JSON, JSON Lines or CSV, several rows at a time; see `Writer`."""

    def __init__(self, form: str, names: Sequence[str]) -> None:
        self.alive = True
        self._form, self._names = form, names
        self._terminal = sys.stdout is not None and sys.stdout.isatty()
        self._waiting = [csv_line(self._safe(names))] if form == "csv" else []
        self._begun = False

    def take(self, row: Any) -> None:
        """Keep a row until there are enough."""
        self._waiting.append(self._text(row))
        self._begun = True
        if len(self._waiting) >= _AT_ONCE:
            self.flush()

    def _text(self, row: Mapping[str, Any]) -> str:
        if self._form == "csv":
            return csv_line(self._safe([row[name] for name in self._names]))
        text = _json(row)
        return f"{text}\n" if self._form == "jsonl" else f"{',' if self._begun else '['}\n  {text}"

    def _safe(self, values: Sequence[Any]) -> Sequence[Any]:
        # On a terminal nothing that it takes for a command.
        return (
            [shown(cell(each)) if isinstance(each, (str, dict, list)) else each for each in values]
            if (self._terminal)
            else values
        )

    def flush(self) -> None:
        """Write the rows that wait."""
        waiting, self._waiting = self._waiting, []
        self.alive = emit(waiting) and self.alive

    def end(self) -> None:
        """Write what was kept, and what ends the whole."""
        if self._form == "json":
            self._waiting.append("\n]\n" if self._begun else "[]\n")
        self.flush()

    @property
    def remarks(self) -> list[str]:
        """Return nothing: all is there."""
        return []


# In ASCII, so that no terminal takes anything in it for a command.
_ENCODER = json.JSONEncoder(default=plain, allow_nan=False)


def _json(row: Mapping[str, Any]) -> str:
    try:
        return _ENCODER.encode(row)
    except (ValueError, TypeError):  # a number that JSON has not, or a key that is no text
        return _ENCODER.encode(plain(row))
