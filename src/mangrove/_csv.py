"""Write lines of CSV that no spreadsheet takes for formulas, the same for the terminal and for files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

__all__ = ["cell", "csv_line"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_QUOTED = re.compile(r'[",\r\n]')


def cell(value: Any, nothing: str = "") -> str:
    """Return the text of a cell: a structure or a list is JSON in it.

    Args:
        value: a plain value.
        nothing: what stands for null.

    Example:
        >>> cell({"team": "web"}), cell(True), cell(None, "-")
        ('{"team":"web"}', 'true', '-')
    """
    if isinstance(value, str):
        return value
    return nothing if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def csv_line(values: Iterable[Any]) -> str:
    r"""Return a line, with its end: what a spreadsheet would take for a formula begins with an apostrophe.

    Args:
        values: plain values.

    Example:
        >>> csv_line(["=1+1", -5, "a\rb", None])
        '\'=1+1,-5,"a\rb",\n'
    """
    texts = [_safe(value) for value in values]
    # A line of one empty cell would be an empty line, which readers skip.
    return f"{','.join(texts)}\n" if texts != [""] else '""\n'


def _safe(value: Any) -> str:
    text = cell(value)
    # A number is no formula, whatever its sign.
    text = f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
    # Python's own writer leaves a carriage return as it is, where readers end the line.
    return '"{}"'.format(text.replace('"', '""')) if _QUOTED.search(text) else text
