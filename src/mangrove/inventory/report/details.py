"""Turn what the API said of a resource into JSON for people's eyes: every value plain, and no secret among them."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

__all__ = ["details_of"]

# What a report is for is to be handed on. AWS leaves most secrets out of its lists by itself; these it does not.
_SECRET = re.compile(
    r"(password|passphrase|secret|secret_?(string|binary|key|access_?key)|private_?key|user_?data"
    r"|(auth|access|session|refresh|bearer|id)_?token)\Z",
    re.IGNORECASE,
)
_ENVIRONMENT = frozenset({"environment", "environmentvariables", "variables"})
_HIDDEN = "***"


def details_of(data: Mapping[str, Any]) -> str:
    """Return a row's data as JSON on one line, in ASCII.

    Values of members that are passwords, keys, tokens or user data, and those of environment variables, are hidden.

    Args:
        data: what the API said, by its own names.

    Example:
        >>> details_of({"FunctionName": "f", "Environment": {"Variables": {"KEY": "wJalrXUtnFEMI"}}})
        '{"FunctionName":"f","Environment":{"Variables":{"KEY":"***"}}}'
    """
    return json.dumps(_plain(data, ""), separators=(",", ":"))


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return _HIDDEN if value and _SECRET.search(name) else value
    if isinstance(value, Mapping):
        if name.lower() in _ENVIRONMENT:
            return {str(each): _hidden(found, str(each)) for each, found in value.items()}
        return {str(each): _plain(found, str(each)) for each, found in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        if name.lower() in _ENVIRONMENT:
            return [_hidden_pair(each) for each in value]
        return [_plain(each, name) for each in value]
    return _scalar(value, name)


def _hidden(value: Any, name: str) -> Any:
    """Return a value of a map of variables; what holds more, such as `Variables` itself, is looked into."""
    return _HIDDEN if isinstance(value, (str, bytes)) else _plain(value, name)


def _hidden_pair(value: Any) -> Any:
    """Return an entry of a list of variables: it has a name, which is shown, and a value."""
    if not isinstance(value, Mapping):
        return _plain(value, "")
    return {
        str(each): _HIDDEN if str(each).lower() == "value" else _plain(found, str(each))
        for each, found in value.items()
    }


def _scalar(value: Any, name: str) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        # JSON has no NaN; str() of it is how AWS's own JSON writes it, but for the name of infinity.
        return value if math.isfinite(value) else str(value).replace("inf", "Infinity").replace("nan", "NaN")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return _HIDDEN if _SECRET.search(name) else base64.b64encode(value).decode()
    return str(value)
