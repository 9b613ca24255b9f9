"""Print records of any columns as a table, JSON, JSON Lines or CSV: what a command has no form of its own for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mangrove._csv import csv_line
from mangrove.cli.output import emit
from mangrove.cli.text import clean

__all__ = ["Grid"]

_GAP = 2
# What is cut shorter than this says nothing.
_SHORTEST = 24

Record = Mapping[str, Any]


class Grid:
    """Print records, as they come where the form allows it.

    Args:
        columns: the names of the columns, in their order; every record is printed with all of them.
        form: `table`, `json`, `jsonl` or `csv`.

    Example:
        >>> Grid(["account", "error"], "jsonl").print([{"account": "123456789012", "error": None}])
        {"account": "123456789012", "error": null}
    """

    def __init__(self, columns: Sequence[str], form: str) -> None:
        self._columns = tuple(columns)
        self._form = form

    @property
    def streams(self) -> bool:
        """Say whether records are printed as they come; a table and a JSON array wait for the last one."""
        return self._form in ("jsonl", "csv")

    def print(self, records: Iterable[Record]) -> None:
        """Print all records.

        Raises:
            OutputError: standard output is closed or full.
        """
        if self._form == "table" and sys.stdout is not None and sys.stdout.isatty():
            self._draw(records, Console(highlight=False))
        elif self.streams:
            for line in self._lines(records):
                emit([line])  # each at once: the next one may take a while
        else:
            emit(self._lines(records))

    def _lines(self, records: Iterable[Record]) -> Iterator[str]:
        forms: Mapping[str, Callable[[Iterable[Record]], Iterator[str]]] = {
            "table": self._as_table,
            "json": self._as_json,
            "jsonl": self._as_jsonl,
            "csv": self._as_csv,
        }
        return forms[self._form](records)

    def _whole(self, record: Record) -> dict[str, Any]:
        return {name: record.get(name) for name in self._columns}

    def _cells(self, record: Record) -> tuple[str, ...]:
        values = self._whole(record).values()
        return tuple("-" if value is None else clean(" ".join(str(value).split())) for value in values)

    def _as_json(self, records: Iterable[Record]) -> Iterator[str]:
        yield f"{json.dumps([self._whole(record) for record in records], indent=2)}\n"

    def _as_jsonl(self, records: Iterable[Record]) -> Iterator[str]:
        for record in records:
            yield f"{json.dumps(self._whole(record))}\n"

    def _as_csv(self, records: Iterable[Record]) -> Iterator[str]:
        yield csv_line(self._columns)
        for record in records:
            yield csv_line(["" if value is None else str(value) for value in self._whole(record).values()])

    def _as_table(self, records: Iterable[Record]) -> Iterator[str]:
        rows = [tuple(name.upper() for name in self._columns), *map(self._cells, records)]
        widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
            yield f"{(' ' * _GAP).join(padded).rstrip()}\n"

    def _draw(self, records: Iterable[Record], console: Console) -> None:
        """Draw a table of one line a record; the last columns are cut or left out where the terminal ends."""
        rows = [self._cells(record) for record in records]
        # A column in which nothing stands takes no room either.
        shown = [number for number in range(len(self._columns)) if any(row[number] != "-" for row in rows)]
        names = [self._columns[number] for number in shown]
        needed = [
            max(cell_len(names[place]), *(cell_len(row[number]) for row in rows)) for place, number in enumerate(shown)
        ]
        widths = _fit(needed, console.width)
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
        for name, width in zip(names, widths, strict=False):
            table.add_column(name.upper(), width=width, no_wrap=True, overflow="ellipsis")
        for row in rows:
            # Text, not str: a name in square brackets is a name, not markup.
            table.add_row(*(Text(row[number]) for number in shown[: len(widths)]))
        console.print(table)
        left_out = names[len(widths) :]
        if left_out:
            sys.stderr.write(f"no room for {', '.join(left_out)}; --output csv has everything\n")


def _fit(needed: Sequence[int], width: int) -> list[int]:
    """Return the widths of the columns that fit, from the left."""
    widths: list[int] = []
    left = width
    for wanted in needed:
        if left < min(wanted, _SHORTEST):
            break
        widths.append(min(wanted, left))
        left -= widths[-1] + _GAP
    return widths
