"""Write rows as lines of columns, CSV or text, as they come: the query tells the columns, or the first rows do."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from mangrove._csv import cell, csv_line
from mangrove.cli.call_values import lines_of, shown
from mangrove.cli.output import emit

__all__ = ["Csv", "Lines", "Text"]

_MOST_NAMED = 5


class Lines:
    """Write lines of columns, which are known when enough lines have been seen.

    Args:
        names: the columns that the query makes, or None.
        least: the columns where there is neither a query nor a row.

    Attributes:
        alive: False when the reader of standard output has left.
        columns: their names, when they are known.
    """

    seen = 100  # lines that are read before the first is written
    waits = False  # whether the names of the columns are not all that has to be known

    def __init__(self, names: Sequence[str] | None, least: Sequence[str] = ()) -> None:
        self.alive = True
        self.columns = None if names is None else list(names)
        self.terminal = sys.stdout is not None and sys.stdout.isatty()
        self._least = least
        self._waiting: list[Any] = []
        self._begun = False
        self._left_out: dict[str, None] = {}

    def head(self, names: Sequence[str], first: Sequence[Sequence[Any]]) -> str:
        """Return what comes before the lines, of which the first are known."""
        raise NotImplementedError

    def line(self, cells: Sequence[Any]) -> str:
        """Return a line."""
        raise NotImplementedError

    def take(self, row: Any) -> None:
        """Write a row, or keep it until it can be written; see `Writer`."""
        lines = lines_of(row)
        if self._begun:
            self._write(lines)
            return
        self._waiting += lines
        if len(self._waiting) >= (1 if self.columns is not None and not self.waits else self.seen):
            self._begin()

    def end(self) -> None:
        """Write what was kept."""
        if not self._begun:
            self._begin()

    def _begin(self) -> None:
        self._begun = True
        waiting, self._waiting = self._waiting, []
        if self.columns is None:
            found = dict.fromkeys(key for each in waiting if isinstance(each, dict) for key in each)
            self.columns = list(found) if waiting else list(self._least)
        first = [self._cells(each) for each in waiting]
        widest = max(map(len, first), default=0)
        self.columns += [f"column_{number}" for number in range(len(self.columns) + 1, widest + 1)]
        begin = self.head(self.columns, first)
        self.alive = emit([*([begin] if begin else []), *map(self.line, first)])

    def _write(self, lines: Iterable[Any]) -> None:
        self.alive = emit([self.line(self._cells(each)) for each in lines]) and self.alive

    def _cells(self, line: Any) -> list[Any]:
        if isinstance(line, dict):
            names = self.columns or []
            self._left_out.update(dict.fromkeys(key for key in line if key not in names))
            return [line.get(name) for name in names]
        return line if isinstance(line, list) else [line]

    @property
    def remarks(self) -> list[str]:
        """Return what is not in the output; see `Writer`."""
        names = list(self._left_out)
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        told = f"{', '.join(map(shown, names[:_MOST_NAMED]))}{more}"
        return [f"left out, as the first rows have none of these: {told}; --output jsonl has all"] if names else []


class Csv(Lines):
    """Write CSV that a spreadsheet takes for no formula.

    Example:
        >>> csv = Csv(["Name", "Size"])
        >>> csv.take(["=1+1", -5])
        Name,Size
        '=1+1,-5
    """

    def head(self, names: Sequence[str], first: Sequence[Sequence[Any]]) -> str:
        """Return the header."""
        del first
        return self.line(names) if names else ""

    def line(self, cells: Sequence[Any]) -> str:
        """Return a line."""
        # On a terminal nothing that it takes for a command.
        return csv_line(shown(value) if self.terminal and isinstance(value, str) else value for value in cells)


class Text(Lines):
    r"""Write cells with tabs between them and no header, as the AWS CLI does.

    Example:
        >>> Text(["Name", "Default"]).take(["web", True])
        web	True
    """

    def head(self, names: Sequence[str], first: Sequence[Sequence[Any]]) -> str:
        """Return nothing."""
        del names, first
        return ""

    def line(self, cells: Sequence[Any]) -> str:
        """Return a line."""
        texts = (str(value) if value is None or isinstance(value, bool) else cell(value) for value in cells)
        return "\t".join(map(shown, texts)) + "\n"
