"""Whether a JMESPath can find anything in a shape: the check that keeps a misspelt path from being silently empty."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, cast

import jmespath  # type: ignore[import-untyped]
from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]

from mangrove.resources.derive.operations import Model

__all__ = ["misses"]

_SIMPLE = re.compile(r"[A-Za-z_]\w*(?:\[\d*\])*(?:\.[A-Za-z_]\w*(?:\[\d*\])*)*\Z")
_STEP = re.compile(r"\w+|\[\d*\]")

# What a value may be: a shape's name, a list of something, or (None) anything.
Kind = Any


class _Miss(Exception):  # noqa: N818 - it never leaves this module
    """Says why a path leads nowhere."""

    def __init__(self, name: object, where: object) -> None:
        super().__init__(f"{name!r} leads nowhere in {where}")


def misses(model: Model, shape: str, path: str) -> str:
    """Say why a JMESPath finds nothing in a shape.

    Args:
        model: The service's model.
        shape: The shape that is searched; ``""`` for an operation without an answer.
        path: The expression; ``$``, ``@`` and an empty one are the whole answer.

    Returns:
        The reason; ``""`` when the path leads somewhere (or through functions that cannot be followed).
    """
    if path in {"", "@", "$"}:
        return "" if shape else "the operation has no answer"
    if not shape:
        return "the operation has no answer"
    try:
        if _SIMPLE.match(path):
            _steps(model, shape, path)
        else:
            _walk(model, _parsed(path), _kind(model, shape))
    except _Miss as miss:
        return str(miss)
    except (JMESPathError, TypeError) as error:
        return f"no JMESPath: {str(error).splitlines()[0]}"
    return ""


@lru_cache(maxsize=1024)
def _parsed(path: str) -> dict[str, Any]:
    return cast("dict[str, Any]", jmespath.compile(path).parsed)


def _steps(model: Model, shape: str, path: str) -> None:
    """Follow a path of members and indexes, which is nearly every path there is."""
    for step in _STEP.findall(path):
        kind = model.shapes[shape]
        if step[0] == "[":
            shape = model.item(shape)
        elif kind["type"] == "map":
            shape = kind["value"]["shape"]
        else:
            # A projection goes on through the items of a list.
            shape = model.members(model.item(shape) or shape).get(step, "")
        if not shape:
            raise _Miss(step, repr(path))


def _kind(model: Model, shape: str) -> Kind:
    item = model.item(shape)
    return ("list", _kind(model, item)) if item else shape


def _walk(model: Model, node: dict[str, Any], kind: Kind) -> Kind:  # noqa: PLR0911 - a case a line
    """Evaluate an expression's tree over shapes in place of values."""
    children = node.get("children", [])
    match node["type"]:
        case "field":
            return _field(model, node["value"], kind)
        case "subexpression" | "index_expression" | "pipe":
            for child in children:
                kind = _walk(model, child, kind)
            return kind
        case "index" | "slice":
            if kind is not None and not isinstance(kind, tuple):
                raise _Miss(node["type"], f"{kind}, which is no list")
            return kind if kind is None or node["type"] == "slice" else kind[1]
        case "flatten":
            inner = _walk(model, children[0], kind)
            return inner[1] if isinstance(inner, tuple) and isinstance(inner[1], tuple) else inner
        case "projection" | "filter_projection":
            inner = _walk(model, children[0], kind)
            item = inner[1] if isinstance(inner, tuple) else None
            return ("list", _walk(model, children[1], item))
        case "or_expression":
            return _first(model, children, kind)
        case "identity" | "current":
            return kind
    return None


def _first(model: Model, nodes: list[dict[str, Any]], kind: Kind) -> Kind:
    """Follow the alternatives of ``a || b``: one of them must lead somewhere."""
    for node in nodes[:-1]:
        try:
            return _walk(model, node, kind)
        except _Miss:
            continue
    return _walk(model, nodes[-1], kind)


def _field(model: Model, name: str, kind: Kind) -> Kind:
    if kind is None:
        return None
    if isinstance(kind, tuple):
        raise _Miss(name, "a list")
    shape = model.shapes[kind]
    if shape["type"] == "map":
        return _kind(model, shape["value"]["shape"])
    found = model.members(kind).get(name)
    if not found:
        raise _Miss(name, kind)
    return _kind(model, found)
