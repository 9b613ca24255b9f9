"""Say of boto3's older API versions what is known of the newest, for the types that are identified in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mangrove.resources.derive.facts import Json
from mangrove.resources.record import ServiceResources, read, written

__all__ = ["older_of"]


def older_of(newest: ServiceResources, version: str, definition: Json) -> ServiceResources:
    """Return the resources of an older API version: boto3's own definition, as it is, with the sources of ARNs.

    Args:
        newest: the resources of the newest version.
        version: the older one.
        definition: boto3's `resources-1` file of it.
    """
    types: Mapping[str, Any] = definition.get("resources", {})
    newer: Mapping[str, Any] = newest.definition["resources"]
    same = {name for name in newest.own & types.keys() if _names(types[name]) == _names(newer[name])}
    plain = written(newest)
    plain |= {
        part: {name: each for name, each in plain[part].items() if name in same} for part in ("arns", "kinds", "forms")
    }
    # An operation that lists tags may be newer than the version.
    plain["tags"] = {name: each for name, each in plain["tags"].items() if name in same and not each.get("operation")}
    plain |= {"version": version, "definition": definition, "own": list(types), "partial": {}, "dropped": []}
    return read(plain)


def _names(definition: Json) -> list[str]:
    return [each["name"] for each in definition.get("identifiers", ())]
