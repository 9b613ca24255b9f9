"""Turn what AWS answers into plain values, and values into the cells of a line: pure, but for bodies that are read."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from mangrove.cli.text import clean

__all__ = ["as_json", "lines_of", "plain", "shown"]


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: times in ISO 8601, bytes in Base64, numbers that are none by their names.

    Args:
        value: a member of an answer; a body that streams is read to its end.

    Example:
        >>> from datetime import datetime, timezone
        >>> plain({"Since": datetime(2026, 1, 2, tzinfo=timezone.utc), "Data": b"x", "Mean": float("nan")})
        {'Since': '2026-01-02T00:00:00+00:00', 'Data': 'eA==', 'Mean': 'NaN'}
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        # As AWS's own JSON writes them; JSON has no such numbers.
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "read"):
        value = value.read()
    return base64.b64encode(value).decode() if isinstance(value, (bytes, bytearray)) else str(value)


def as_json(value: Any) -> str:
    """Return a plain value as JSON on one line, in ASCII, so that no terminal takes anything in it for a command."""
    return json.dumps(value)


def lines_of(value: Any) -> Iterator[Any]:
    """Yield what makes a line each of a row: its own lists and structures, if it is a list of nothing else.

    Example:
        >>> list(lines_of([["i-1", "running"], ["i-2", "stopped"]])), list(lines_of({"Id": "i-1"}))
        ([['i-1', 'running'], ['i-2', 'stopped']], [{'Id': 'i-1'}])
    """
    if isinstance(value, list) and all(isinstance(each, (list, dict)) for each in value):
        yield from value
    else:
        yield value


def shown(text: str) -> str:
    r"""Return a text on one line, without what a terminal takes for a command.

    Example:
        >>> shown("a\tb\x1b[31mred")
        'a bred'
    """
    return text if text.isprintable() else clean(" ".join(text.split()))
