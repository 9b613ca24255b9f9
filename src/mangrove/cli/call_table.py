"""Draw rows as a table: all at once where they are few, and of many rows the first tell how wide the columns are."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

import click
from rich.cells import cell_len, set_cell_size

from mangrove._csv import cell
from mangrove.cli.call_lines import Lines
from mangrove.cli.call_values import shown

__all__ = ["Table"]

_GAP = 2
_NONE = "-"
# On a terminal: what is cut shorter says nothing, and no value takes more.
_SHORTEST, _WIDEST = 24, 60


class Table(Lines):
    """Write aligned columns; on a terminal, the last ones are cut or left out where its width ends.

    Example:
        >>> table = Table(["_region", "VpcId"])
        >>> table.take(["eu-west-1", "vpc-1"])
        >>> table.end()
        _REGION    VPCID
        eu-west-1  vpc-1
    """

    seen = 1000
    waits = True

    def __init__(self, names: Sequence[str] | None, least: Sequence[str] = ()) -> None:
        super().__init__(names, least)
        self._widths: list[int] = []
        self._shown: list[int] = []
        self._no_room: list[str] = []

    def head(self, names: Sequence[str], first: Sequence[Sequence[Any]]) -> str:
        """Return the header, having measured the first lines."""
        rows = [_texts(each) for each in first]
        numbers = [number for number in range(len(names)) if not self.terminal or _has(rows, number)]
        heads = [shown(names[number]).upper() for number in numbers]
        needed = [
            max(cell_len(text), *(cell_len(row[number]) for row in rows if len(row) > number), 1)
            for text, number in zip(heads, numbers, strict=True)
        ]
        self._widths = _fit(needed, shutil.get_terminal_size().columns) if self.terminal else needed
        self._shown = numbers[: len(self._widths)]
        self._no_room = [names[number] for number in numbers[len(self._widths) :]]
        if not first:
            return ""
        text = self._aligned(heads[: len(self._widths)])
        return click.style(text, bold=True) + "\n" if self.terminal else f"{text}\n"

    def line(self, cells: Sequence[Any]) -> str:
        """Return a line."""
        texts = _texts(cells)
        if self.terminal:
            texts = [texts[number] if len(texts) > number else _NONE for number in self._shown]
        return f"{self._aligned(texts)}\n"

    def _aligned(self, texts: Sequence[str]) -> str:
        sized = [_sized(text, width, cut=self.terminal) for text, width in zip(texts, self._widths, strict=False)]
        return (" " * _GAP).join([*sized, *texts[len(sized) :]]).rstrip()

    @property
    def remarks(self) -> list[str]:
        """Return what is not in the output; see `Writer`."""
        told = f"no room for {', '.join(map(shown, self._no_room))}; --output csv has everything"
        return [*([told] if self._no_room else []), *super().remarks]


def _texts(cells: Sequence[Any]) -> list[str]:
    return [shown(cell(value, _NONE)) for value in cells]


def _has(rows: Sequence[Sequence[str]], number: int) -> bool:
    """Tell whether anything stands in a column: else it takes no room on a terminal."""
    return any(len(row) > number and row[number] != _NONE for row in rows)


def _sized(text: str, width: int, *, cut: bool) -> str:
    wide = cell_len(text)
    if wide > width and cut:
        return set_cell_size(text, width - 1) + "…"
    return text + " " * (width - wide)


def _fit(needed: Sequence[int], width: int) -> list[int]:
    """Return the widths of the columns that fit, from the left."""
    widths: list[int] = []
    left = width
    for each in needed:
        wanted = min(each, _WIDEST)
        if left < min(wanted, _SHORTEST):
            break
        widths.append(min(wanted, left))
        left -= widths[-1] + _GAP
    return widths
