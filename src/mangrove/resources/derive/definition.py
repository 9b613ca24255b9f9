"""The assembly: all that derivation found, written in boto3's ``resources-1`` format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore import xform_name

from mangrove.resources.derive.actions import (
    Inputs,
    actions_of,
    batch_actions_of,
    creates_of,
    own_operations,
    request_of,
    resource_of,
    waiters_of,
)
from mangrove.resources.derive.collections import Collection, constants_for
from mangrove.resources.derive.facts import Json
from mangrove.resources.derive.identifiers import Identifier
from mangrove.resources.derive.names import key_of
from mangrove.resources.derive.operations import Model
from mangrove.resources.derive.relations import References, children_of
from mangrove.resources.derive.types import ResourceType

__all__ = ["Assembly"]

Constants = Mapping[str, Mapping[str, object]]


class Assembly:
    """Writes the definition of one service.

    Args:
        model: The service's model.
        types: Its types, boto3's own among them.
        collections: Its collections.
        constants: Operation (or ``*``) to inputs with a fixed value.
        waiters: Its waiters.
        existing: boto3's own file; None where boto3 has none.
    """

    def __init__(
        self,
        model: Model,
        types: Iterable[ResourceType],
        collections: Iterable[Collection],
        constants: Constants,
        waiters: Json,
        existing: Json | None,
    ) -> None:
        self._model, self._constants, self._existing = model, constants, existing
        self._waiters = dict(sorted(waiters.items()))
        self._types = {each.name: each for each in types}
        self._collections: dict[str, list[Collection]] = {}
        for each in collections:
            self._collections.setdefault(each.parent, []).append(each)
        listings = frozenset(
            each.supply.listing.operation.name for group in self._collections.values() for each in group
        )
        self._inputs = Inputs.of(model, self._types.values(), listings)
        self._creates = creates_of(model, self._types.values())
        self._references = References(self._types.values())
        self._takes = own_operations(
            {name: self._inputs.takes(each) for name, each in self._types.items()}, self._creates
        )

    def write(self) -> dict[str, Any]:
        """Write the whole definition; where boto3 has its own, only what that lacks."""
        service = {"hasMany": self._has_many("", frozenset(self._names_of({}, None)))}
        if self._existing is not None:
            return {"version": 1.0, "merge": self._merge()}
        creates = self._create_actions()
        resources = {name: self._resource(each) for name, each in sorted(self._types.items())}
        return {"service": {**({"actions": creates} if creates else {}), **service}, "resources": resources}

    def _merge(self) -> dict[str, Any]:
        own: Any = self._existing
        resources: dict[str, Any] = {}
        for name, each in sorted(self._types.items()):
            if not each.existing:
                resources[name] = self._resource(each)
                continue
            more = self._has_many(name, frozenset(self._names_of(own["resources"][name], each.shape)))
            if more:
                resources[name] = {"hasMany": more}
        service = own["service"]
        return {
            "service": {"hasMany": self._has_many("", frozenset(self._names_of(service, None)))},
            "resources": resources,
        }

    def _names_of(self, definition: Json, shape: str | None) -> Iterable[str]:
        """List the names that are taken on a class of boto3's own."""
        for part in ("actions", "has", "hasMany"):
            yield from map(xform_name, definition.get(part, {}))
        yield from (xform_name(each["name"]) for each in definition.get("identifiers", ()))
        yield from map(xform_name, self._model.members(shape or ""))

    def _resource(self, each: ResourceType) -> dict[str, Any]:
        actions = actions_of(self._model, each, self._takes[each.name], self._creates)
        many = self._has_many(each.name, frozenset(xform_name(i.name) for i in each.identifiers))
        names = [*actions, *many, *(i.name for i in each.identifiers)]
        parts: dict[str, Any] = {
            "identifiers": [_identifier(each, identifier, self._model) for identifier in each.identifiers],
            "shape": each.shape,
            "load": self._load(each),
            "actions": actions,
            "batchActions": batch_actions_of(each, self._takes[each.name]),
            "has": {**children_of(self._children(each)), **self._references.of(self._model, each, names)},
            "hasMany": many,
            "waiters": waiters_of(self._model, each, self._waiters),
        }
        return {name: part for name, part in parts.items() if part}

    def _load(self, each: ResourceType) -> dict[str, Any] | None:
        if not each.load:
            return None
        op = each.load.operation
        fixed = {
            name: value for name, value in constants_for(op, self._constants).items() if name not in each.load.params
        }
        return {"request": request_of(op, each.load.params, fixed), "path": each.load.path}

    def _children(self, each: ResourceType) -> list[tuple[ResourceType, dict[str, str]]]:
        found: list[tuple[ResourceType, dict[str, str]]] = []
        for collection in self._collections.get(each.name, ()):
            child = self._types[collection.child]
            taken = {
                identifier.name: source["name"]
                for identifier, source in zip(child.identifiers, collection.sources, strict=True)
                if source["source"] == "identifier"
            }
            found.append((child, taken))
        return found

    def _has_many(self, parent: str, taken: frozenset[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        names = set(taken)
        for collection in sorted(self._collections.get(parent, ()), key=lambda each: (each.child, each.name)):
            child = self._types[collection.child]
            op = collection.supply.listing.operation
            if self._existing is not None and child.existing and parent in {"", *self._existing.get("resources", {})}:
                continue
            name = next((n for n in (collection.name, op.noun, op.name) if xform_name(n) not in names), None)
            if name:
                names.add(xform_name(name))
                found[name] = self._collection(collection, child)
        return found

    def _collection(self, collection: Collection, child: ResourceType) -> dict[str, Any]:
        listing = collection.supply.listing
        resource: dict[str, Any] = {
            "type": child.name,
            "identifiers": [
                {"target": identifier.name, **source}
                for identifier, source in zip(child.identifiers, collection.sources, strict=True)
            ],
        }
        if not listing.plain:
            resource["path"] = listing.path
        request = request_of(listing.operation, collection.params, collection.fixed, collection.data)
        return {"request": request, "resource": resource}

    def _create_actions(self) -> dict[str, Any]:
        """Write the service's own actions: what creates a resource that belongs to no other."""
        actions: dict[str, Any] = {}
        for name, each in sorted(self._creates.items()):
            if not any(identifier.parent for identifier in each.identifiers):
                op = self._model.operations[name]
                actions[name] = {"request": request_of(op, {}), **resource_of(self._model, op, each)}
        return actions


def _identifier(each: ResourceType, identifier: Identifier, model: Model) -> dict[str, str]:
    """Write one identifier, tied to the attribute that repeats it."""
    members = model.scalars(each.shape)
    # Where a listing gives plain strings, the shape that is read has the member.
    member = identifier.member or next((members[key] for key in sorted(identifier.keys) if key in members), "")
    if member in model.members(each.shape) and key_of(member) != key_of(identifier.name):
        return {"name": identifier.name, "memberName": member}
    return {"name": identifier.name}
