"""What the overlay writes itself, laid over what is derived: corrections, and types that no listing tells of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mangrove.resources.derive.facts import Json

__all__ = ["joined", "laid_over"]


def laid_over(below: Json, above: Json, own: frozenset[str]) -> dict[str, Any]:
    """Lay a piece of a definition over another.

    Tables are merged, all else is replaced, and null takes away. What corrects a thing that is not there, as this
    botocore does not have it, does nothing.

    Args:
        below: The derived definition; it is not changed.
        above: The piece.
        own: The types of boto3's own file, of which `below` has only what that lacks.
    """
    return _complete(_merged(below, above), own)


def joined(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Join two definitions as botocore joins an ``extras`` file to its base: tables entry by entry.

    Neither is changed, and what only one of them has is in the outcome as the same object.
    """
    found = {**below, **above}
    for name in below.keys() & above.keys():
        if isinstance(below[name], Mapping) and isinstance(above[name], Mapping):
            found[name] = joined(below[name], above[name])
    return found


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a piece of a definition over another: tables are merged, all else is replaced, and null takes away."""
    found = dict(below)
    for name, value in above.items():
        under = found.get(name)
        found[name] = (
            _merged(under if isinstance(under, Mapping) else {}, value) if isinstance(value, Mapping) else value
        )
    return {name: value for name, value in found.items() if value is not None}


def _complete(tree: Mapping[str, Any], own: frozenset[str]) -> dict[str, Any]:
    """Take away what the overlay corrects and this botocore does not have: pieces of a type, of a collection."""
    resources: Mapping[str, Any] = tree["resources"]
    return {
        **tree,
        "service": _complete_parts(tree["service"]),
        "resources": {
            name: _complete_parts(each) for name, each in resources.items() if "identifiers" in each or name in own
        },
    }


def _complete_parts(holder: Mapping[str, Any]) -> dict[str, Any]:
    found = {**holder}
    for part in ("hasMany", "actions"):
        if part in found:
            found[part] = {name: each for name, each in found[part].items() if "operation" in each["request"]}
    if "operation" not in found.get("load", {}).get("request", {"operation": ""}):
        del found["load"]
    return found
