"""How resources point at one another: references by a member of the data, and children of a parent's identifiers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mangrove.resources.derive.identifiers import Identifier
from mangrove.resources.derive.names import key_of, plural, singular
from mangrove.resources.derive.operations import Model
from mangrove.resources.derive.types import ResourceType

__all__ = ["References", "children_of"]


class References:
    """An index from the names of members to the types that they identify."""

    def __init__(self, types: Iterable[ResourceType]) -> None:
        self._by_key: dict[str, list[tuple[ResourceType, Identifier]]] = {}
        for each in types:
            if len(each.own) == 1:
                for key in each.own[0].keys:
                    self._by_key.setdefault(key, []).append((each, each.own[0]))

    def of(self, model: Model, each: ResourceType, taken: Iterable[str]) -> dict[str, Any]:
        """Write the references of a type: an instance's ``VpcId`` is its ``Vpc``.

        Args:
            model: The service's model.
            each: The type.
            taken: The names that its class has already.
        """
        found: dict[str, Any] = {}
        members = model.members(each.shape)
        # A reference that is called as an attribute would take its place.
        names = {*map(key_of, members), *map(key_of, taken)}
        own = {key_of(i.member or "") for i in each.identifiers}
        for name, kind in members.items():
            listed = model.item(kind)
            key = key_of(singular(name)) if listed else key_of(name)
            if key in own or model.kind(listed or kind) != "string":
                continue
            for other, identifier in self._by_key.get(key, ()):
                label = plural(other.name) if listed else other.name
                identifiers = _identifiers(each, other, identifier, f"{name}[]" if listed else name)
                if other.name != each.name and identifiers and key_of(label) not in names:
                    names.add(key_of(label))
                    found[label] = {"resource": {"type": other.name, "identifiers": identifiers}}
        return found


def _identifiers(
    each: ResourceType, other: ResourceType, identifier: Identifier, path: str
) -> list[dict[str, str]] | None:
    """Give every identifier of the other type: one from the data, its parents from what both have in common."""
    found: list[dict[str, str]] = []
    for wanted in other.identifiers:
        if wanted is identifier:
            found.append({"target": wanted.name, "source": "data", "path": path})
            continue
        shared = next((mine for mine in each.identifiers if wanted.keys & mine.keys), None)
        if shared is None:
            return None
        found.append({"target": wanted.name, "source": "identifier", "name": shared.name})
    return found


def children_of(types: Iterable[tuple[ResourceType, Mapping[str, str]]]) -> dict[str, Any]:
    """Write the children that a parent makes: ``Bucket.Object("key")``.

    Args:
        types: The types its collections give, each with what it takes over from the parent: its identifier to
            the parent's.
    """
    found: dict[str, Any] = {}
    for child, taken in types:
        identifiers: list[dict[str, str]] = []
        for each in child.identifiers:
            if each.name in taken:
                identifiers.append({"target": each.name, "source": "identifier", "name": taken[each.name]})
            else:
                identifiers.append({"target": each.name, "source": "input"})
        if taken and len(taken) < len(child.identifiers):
            found[child.name] = {"resource": {"type": child.name, "identifiers": identifiers}}
    return found
