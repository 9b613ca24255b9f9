"""Draw the table for a person at a terminal, where long cells are better folded than cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mangrove.cli.text import COLUMNS, as_cells

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mangrove.inventory import Row

__all__ = ["make_table", "print_table"]

# Below this many columns everything but the account folds; above it only what is long.
_WIDE = 110
_LONG = {"name", "arn", "tags"}


def make_table(rows: Iterable[Row], width: int) -> Table:
    """Return the table of the rows.

    Args:
        rows: the rows, in the order to draw them.
        width: the columns of the terminal.
    """
    folded = _LONG if width >= _WIDE else set(COLUMNS) - {"account"}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in COLUMNS:
        table.add_column(name.upper(), overflow="fold", no_wrap=name not in folded)
    for row in rows:
        # Text, not str: a name in square brackets is a name, not markup.
        table.add_row(*map(Text, as_cells(row)))
    return table


def print_table(rows: Iterable[Row], console: Console | None = None) -> None:
    """Print the table.

    Args:
        rows: the rows, in the order to draw them.
        console: where to; standard output if None.
    """
    console = console or Console(highlight=False)
    console.print(make_table(rows, console.width))
