"""Write what AWS has answered as JSON, the same in every file: pure."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import Any

__all__ = ["as_timestamp", "encodable", "json_of", "plain"]


def json_of(value: Any) -> str:
    """Return a value as JSON on one line: times in ISO 8601 and UTC, bytes in Base64.

    Args:
        value: a member of an answer, or a whole one.

    Example:
        >>> json_of({"Since": datetime(2026, 1, 2, tzinfo=timezone.utc), "Data": b"x", "Mean": float("nan")})
        '{"Since":"2026-01-02T00:00:00+00:00","Data":"eA==","Mean":"NaN"}'
    """
    try:
        return _ENCODER.encode(value)
    except (ValueError, TypeError):  # a number that JSON has not, or a key that is no text
        return _ENCODER.encode(plain(value))


def encodable(text: str) -> str:
    r"""Return a text that UTF-8 can hold: half of a surrogate pair, which JSON can hold, becomes a question mark.

    Args:
        text: what somebody named something.

    Example:
        >>> encodable("a\ud800b")
        'a?b'
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it; numbers that are none by their names, as AWS's own JSON writes them.

    Args:
        value: a member of an answer.

    Example:
        >>> plain({"Size": float("inf"), "Set": {1}})
        {'Size': 'Infinity', 'Set': [1]}
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value]
    return _odd(value)


def _odd(value: Any) -> Any:
    if isinstance(value, datetime):
        return as_timestamp(value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, (set, frozenset, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def as_timestamp(value: datetime) -> datetime:
    """Return a time in UTC; one that names no zone is taken to be in UTC.

    Example:
        >>> as_timestamp(datetime(2026, 1, 2)).isoformat()
        '2026-01-02T00:00:00+00:00'
    """
    return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


# One for all: making an encoder costs more than most of what it encodes.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_odd)
