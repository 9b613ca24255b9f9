"""Draw the table for a person at a terminal: one line a row, and what does not fit is left to the other outputs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mangrove.cli.text import COLUMNS, as_cells

if TYPE_CHECKING:
    from mangrove.inventory import Row

__all__ = ["make_table", "print_table"]

_GAP = 2
# An ARN that is cut too short says nothing; then its column is left out.
_SHORTEST = {"arn": 40, "tags": 16}
_NAME = 32


def make_table(rows: Sequence[Row], width: int) -> Table:
    """Return the table of the rows, one line each: the last columns are cut or left out where the width ends.

    Args:
        rows: the rows, in the order to draw them.
        width: the columns of the terminal.
    """
    cells = [as_cells(row) for row in rows]
    widths = _fit([max(map(len, column)) for column in zip(COLUMNS, *cells, strict=True)], width)
    table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True, padding=(0, _GAP, 0, 0))
    for name, column_width in zip(COLUMNS, widths, strict=False):
        table.add_column(name.upper(), width=column_width, no_wrap=True, overflow="ellipsis")
    for row in cells:
        # Text, not str: a name in square brackets is a name, not markup.
        table.add_row(*map(Text, row[: len(widths)]))
    return table


def _fit(needed: Sequence[int], width: int) -> list[int]:
    """Return the widths of the columns that fit, from the left."""
    widths: list[int] = []
    left = width
    for name, wanted in zip(COLUMNS, needed, strict=True):
        most = min(wanted, _NAME) if name == "name" else wanted
        if left < min(_SHORTEST.get(name, 1), most):
            break
        widths.append(min(most, left))
        left -= widths[-1] + _GAP
    return widths


def print_table(rows: Sequence[Row], console: Console | None = None) -> None:
    """Print the table, and say on standard error which columns had no room.

    Args:
        rows: the rows, in the order to draw them.
        console: where to; standard output if None.
    """
    console = console or Console(highlight=False)
    table = make_table(rows, console.width)
    console.print(table)
    missing = COLUMNS[len(table.columns) :]
    if missing:
        sys.stderr.write(f"no room for {' and '.join(missing)}; --output csv has everything\n")
