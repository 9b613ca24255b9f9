"""What boto3's own resource file of a service has, read back as types, so that new types can stand beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mangrove.resources.derive.facts import Json
from mangrove.resources.derive.identifiers import GENERIC, Identifier
from mangrove.resources.derive.names import key_of, singular, suffixes
from mangrove.resources.derive.operations import Model
from mangrove.resources.derive.shapes import Load
from mangrove.resources.derive.types import ResourceType

__all__ = ["existing_types", "taken_operations"]


def existing_types(model: Model, existing: Json) -> list[ResourceType]:
    """Read the types of a ``resources-1`` file, with the inputs that its operations take for each identifier."""
    members = dict(_members(existing))
    return [
        _type(model, name, definition, members.get(name, {}))
        for name, definition in existing.get("resources", {}).items()
    ]


def taken_operations(existing: Json) -> dict[str, str]:
    """Map each operation (with its path) that lists resources in a ``resources-1`` file to the type that it gives."""
    found: dict[str, str] = {}
    for holder in (existing.get("service", {}), *existing.get("resources", {}).values()):
        for collection in holder.get("hasMany", {}).values():
            path = collection["resource"].get("path", "")
            # An operation may list two things, of which boto3 has one: CloudWatch's metric and composite alarms.
            place = f".{path}" if path.replace("[]", "").replace(".", "").isalnum() else ""
            found.setdefault(collection["request"]["operation"] + place, collection["resource"]["type"])
    return found


def _members(existing: Json) -> Iterator[tuple[str, dict[str, str]]]:
    """Find the member that each identifier is read from in the collections."""
    for holder in (*existing.get("resources", {}).values(), existing.get("service", {})):
        for collection in holder.get("hasMany", {}).values():
            resource = collection["resource"]
            root = resource.get("path", "")
            yield (
                resource["type"],
                {
                    each["target"]: each["path"].removeprefix(root).removeprefix(".")
                    for each in resource.get("identifiers", ())
                    if each["source"] == "response" and root and each["path"].startswith(root)
                },
            )


def _requests(definition: Json) -> Iterator[Json]:
    if "load" in definition:
        yield definition["load"]["request"]
    for part in ("actions", "batchActions", "hasMany"):
        for each in definition.get(part, {}).values():
            if "request" in each:
                yield each["request"]
    yield from definition.get("waiters", {}).values()


def _type(model: Model, name: str, definition: Json, members: Mapping[str, str]) -> ResourceType:
    inputs: dict[str, set[str]] = {}
    for request in _requests(definition):
        for param in request.get("params", ()):
            if param["source"] == "identifier" and "." not in param["target"]:
                inputs.setdefault(param["name"], set()).add(key_of(singular(param["target"].split("[")[0])))
                inputs[param["name"]].add(key_of(param["target"].split("[")[0]))
    named = definition.get("identifiers", [])
    identifiers = tuple(
        _identifier(name, each, inputs.get(each["name"], set()), members, parent=index < len(named) - 1)
        for index, each in enumerate(named)
    )
    shape = definition.get("shape", "")
    return ResourceType(name, identifiers, (), shape, _load(model, definition, shape), 5, existing=True)


def _identifier(
    kind: str, definition: Mapping[str, str], inputs: set[str], members: Mapping[str, str], *, parent: bool
) -> Identifier:
    name = definition["name"]
    member = definition.get("memberName") or members.get(name)
    low = key_of(name)
    keys = {*inputs, *([key_of(member)] if member else []), *([] if parent else [key_of(kind) + low])} - GENERIC
    weak = {low, *inputs, *(each + low for each in suffixes(kind))} - keys
    return Identifier(name, frozenset(keys), frozenset(weak), member, parent)


def _load(model: Model, definition: Json, shape: str) -> Load | None:
    load: Any = definition.get("load")
    op = model.operations.get(load["request"]["operation"]) if load else None
    if op is None or not shape:
        return None
    params = {p["target"]: p["name"] for p in load["request"].get("params", ()) if p["source"] == "identifier"}
    return Load(op, params, load.get("path", "@"), shape)
