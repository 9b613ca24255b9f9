"""Print rows as they come, in the form that was asked for; JSON and JSON Lines are written here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from mangrove.cli.call_lines import Csv, Lines, Text
from mangrove.cli.call_table import Table
from mangrove.cli.call_values import as_json
from mangrove.cli.output import emit

__all__ = ["Json", "Writer", "writer_for"]

_STAMPS = ("_account", "_region", "_partition")
_COLUMNS: dict[str, type[Lines]] = {"csv": Csv, "table": Table, "text": Text}


class Writer(Protocol):
    """Write rows to standard output.

    Attributes:
        alive: False when the reader of standard output has left.
    """

    alive: bool

    def take(self, row: Any) -> None:
        """Write a row, or keep it until it can be written."""
        ...

    def end(self) -> None:
        """Write what was kept, and what ends the whole."""
        ...

    @property
    def remarks(self) -> list[str]:
        """Return what is not in the output, and where it is."""
        ...


class Json:
    """Write one array, or a line each.

    Args:
        lines: whether each row is a line.

    Example:
        >>> Json(lines=True).take({"VpcId": "vpc-1"})
        {"VpcId": "vpc-1"}
    """

    def __init__(self, *, lines: bool) -> None:
        self.alive = True
        self._lines = lines
        self._opened = False

    def take(self, row: Any) -> None:
        """Write a row; see `Writer`."""
        text = f"{as_json(row)}\n" if self._lines else f"{',' if self._opened else '['}\n  {as_json(row)}"
        self._opened = True
        self.alive = emit([text]) and self.alive

    def end(self) -> None:
        """End the array; see `Writer`."""
        if not self._lines:
            emit(["\n]\n" if self._opened else "[]\n"])

    @property
    def remarks(self) -> list[str]:
        """Return nothing: all is there."""
        return []


def writer_for(form: str, names: Sequence[str] | None, *, queried: bool) -> Writer:
    """Return what writes rows.

    Args:
        form: `table`, `json`, `jsonl`, `csv` or `text`.
        names: the columns that the query makes, if it tells.
        queried: whether there is a query; without one every row has the stamps.
    """
    if form in _COLUMNS:
        return _COLUMNS[form](names, () if queried else _STAMPS)
    return Json(lines=form == "jsonl")
