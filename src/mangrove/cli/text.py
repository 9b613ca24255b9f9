"""Turn rows into text that is safe to look at, to parse and to open in a spreadsheet: pure functions."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mangrove.inventory import Row

__all__ = ["COLUMNS", "as_cells", "as_csv", "as_dict", "as_json", "as_jsonl", "as_table", "clean"]

COLUMNS = ("account", "region", "service", "type", "name", "arn", "tags")

# Control sequences (CSI), and strings that a terminal takes as commands (OSC, DCS, APC, PM, SOS).
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]P_^X]|[\x9d\x90\x9f\x9e\x98])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
)
# Besides the controls: what reverses or hides the text around it.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_FORMULA = ("=", "+", "-", "@", "\t")
_GAP = "  "


def clean(text: str) -> str:
    r"""Return a text without terminal control sequences, control characters and invisible ones.

    Args:
        text: what somebody named something.

    Example:
        >>> clean("\x1b[31mred\x1b[0m\n")
        'red'
    """
    plain = _SEQUENCES.sub("", text)
    return "".join(char for char in plain if unicodedata.category(char) not in _UNSEEN)


def as_dict(row: Row) -> dict[str, Any]:
    """Return a row as JSON has it.

    Args:
        row: the row.
    """
    return {name: getattr(row, name) for name in COLUMNS}


def as_cells(row: Row) -> tuple[str, ...]:
    """Return the texts of a row for a table: cleaned, "-" for no ARN, "?" for tags that could not be read.

    Args:
        row: the row.
    """
    tags = "?" if row.tags is None else ", ".join(f"{key}={value}" for key, value in sorted(row.tags.items()))
    known = (row.account, row.region, row.service, row.type, row.name, row.arn or "-", tags)
    return tuple(clean(text) for text in known)


def as_json(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of one JSON array.

    Args:
        rows: the rows.
    """
    separator = "["
    for row in rows:
        yield f"{separator}\n  {json.dumps(as_dict(row))}"
        separator = ","
    yield "\n]\n" if separator == "," else "[]\n"


def as_jsonl(rows: Iterable[Row]) -> Iterator[str]:
    """Yield one JSON object a line.

    Args:
        rows: the rows.
    """
    for row in rows:
        yield f"{json.dumps(as_dict(row))}\n"


def as_csv(rows: Iterable[Row]) -> Iterator[str]:
    """Yield a header and one line a row, tags as JSON; no cell can be a spreadsheet's formula.

    Args:
        rows: the rows.
    """
    yield _csv_line(COLUMNS)
    for row in rows:
        tags = "" if row.tags is None else json.dumps(row.tags)
        yield _csv_line((row.account, row.region, row.service, row.type, row.name, row.arn or "", tags))


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells)
    return line.getvalue()


def as_table(rows: Iterable[Row]) -> Iterator[str]:
    """Yield aligned columns, one row a line, nothing cut: for files and pipes.

    Args:
        rows: the rows.
    """
    lines = [tuple(name.upper() for name in COLUMNS), *map(as_cells, rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    for cells in lines:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True))
        yield f"{_GAP.join(padded).rstrip()}\n"


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)
