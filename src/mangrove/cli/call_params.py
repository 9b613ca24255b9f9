"""Read the parameters of an operation from the command line: JSON, a file of it, or Key=value by the API's types."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mangrove.errors import ConfigError

__all__ = ["read_params"]

_BOOLEANS = {"true": True, "false": False}
_SCALARS: Mapping[str, Callable[[str], Any]] = {
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": lambda text: _BOOLEANS[text.lower()],
}


def read_params(given: Iterable[str], shape: Any) -> dict[str, Any]:
    """Return the parameters, by the API's names; the operation itself says what else is wrong with them.

    Args:
        given: an object of JSON, `@` before the path of a file of it, or `Key=value`; bytes in Base64.
        shape: botocore's shape of the operation's input, or None.

    Raises:
        ConfigError: one can't be read, or is there twice.
    """
    members: Mapping[str, Any] = shape.members if shape is not None else {}
    found: dict[str, Any] = {}
    for text in given:
        for name, value in _read(text, members).items():
            if name in found:
                told = f"--params: {name} is there twice"
                raise ConfigError(told)
            found[name] = value
    return found


def _read(text: str, members: Mapping[str, Any]) -> dict[str, Any]:
    if text.startswith("@"):
        return _document(_content(text[1:]), text, members)
    if text.lstrip().startswith("{"):
        return _document(text, "", members)
    name, equals, value = text.partition("=")
    if not (equals and name.strip()):
        told = f"--params takes an object of JSON, @file.json or Key=value; got {text!r}"
        raise ConfigError(told)
    shape = members.get(name)
    return {name: value if shape is None else _typed(value, shape, name)}


def _content(path: str) -> str:
    try:
        return Path(path).expanduser().read_text("utf-8-sig")
    except OSError as error:
        told = f"--params @{path}: the file can't be read: {error.strerror}"
        raise ConfigError(told) from error
    except UnicodeDecodeError:
        told = f"--params @{path}: the file is no text in UTF-8"
        raise ConfigError(told) from None


def _document(text: str, where: str, members: Mapping[str, Any]) -> dict[str, Any]:
    found = _json(text, f"--params {where}".strip())
    if not isinstance(found, dict):
        told = f"--params {where}".strip() + f" takes an object of JSON; got {_kind(found)}"
        raise ConfigError(told)
    return {
        name: _with_bytes(value, members[name], name) if name in members else value for name, value in found.items()
    }


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        told = f"{where} is no JSON: {error}"
        raise ConfigError(told) from None


def _kind(value: Any) -> str:
    return {list: "a list", str: "a text", type(None): "null"}.get(type(value), "a value")


def _typed(text: str, shape: Any, name: str) -> Any:
    """Return the value that a text is meant to be."""
    kind = shape.type_name
    if kind == "list" and not text.lstrip().startswith("["):
        if shape.member.type_name in {"list", "structure", "map"}:
            told = f"--params {name}: its items are of several members; write them as JSON: {name}='[{{...}}]'"
            raise ConfigError(told)
        return [_typed(each, shape.member, name) for each in text.split(",")]
    if kind in {"list", "structure", "map"}:
        return _with_bytes(_json(text, f"--params {name}"), shape, name)
    if kind in _SCALARS:
        try:
            return _SCALARS[kind](text)
        except (ValueError, KeyError):
            told = f"--params {name} takes {'true or false' if kind == 'boolean' else 'a number'}"
            raise ConfigError(told) from None
    return _with_bytes(text, shape, name)


def _with_bytes(value: Any, shape: Any, name: str) -> Any:
    """Return a value with its bytes, which JSON can't hold: they are in Base64 there, as in what is printed."""
    kind = shape.type_name
    if kind == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            told = f"--params {name}: bytes are written in Base64, and this is not"
            raise ConfigError(told) from None
    if kind == "structure" and isinstance(value, dict):
        members = shape.members
        return {
            key: _with_bytes(each, members[key], f"{name}.{key}") if key in members else each
            for key, each in value.items()
        }
    if kind == "map" and isinstance(value, dict):
        return {key: _with_bytes(each, shape.value, f"{name}.{key}") for key, each in value.items()}
    if kind == "list" and isinstance(value, list):
        return [_with_bytes(each, shape.member, name) for each in value]
    return value
