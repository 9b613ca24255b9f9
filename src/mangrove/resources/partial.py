"""Load a resource once where the list that gave it does not tell what is asked of it.

boto3 loads an object without data when an attribute is read, and never one that a collection gave: what the list leaves
out is None there. Half of AWS's lists leave out most of a resource, and its tags. Here such an attribute loads the
object, once; what the list could have told is taken from it, and a None of the list's is an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import Any

from boto3.exceptions import ResourceLoadException

from mangrove.resources.derive.facts import Json, TagSpec
from mangrove.resources.derive.operations import Model

__all__ = ["completed", "dress_partial", "head_of", "noting", "partial_of", "tags_left_out"]

_WHOLE = "_mangrove_whole"


def partial_of(definition: Json, model: Model) -> dict[str, tuple[str, ...]]:
    """List, for each type, the members that `load()` brings and the items of no collection have.

    Args:
        definition: a whole `resources-1` definition.
        model: the service's model.
    """
    types: Json = definition.get("resources", {})
    found = {
        name: tuple(sorted(model.members(types[name]["shape"]).keys() - set[str]().union(*rows)))
        for name, rows in _rows(definition, model).items()
        if "load" in types.get(name, {}) and "shape" in types[name]
    }
    return {name: members for name, members in found.items() if members}


def tags_left_out(definition: Json, model: Model, tags: Mapping[str, TagSpec]) -> dict[str, TagSpec]:
    """Return the places of tags, and say of those in a type's data whether some list of the type has no such member.

    Args:
        definition: a whole `resources-1` definition.
        model: the service's model.
        tags: type to the place of its tags.
    """
    types, rows = definition.get("resources", {}), _rows(definition, model)
    found = dict(tags)
    for name, place in tags.items():
        lacking = (head_of(place) not in row for row in rows.get(name, ()))
        if not place.operation and "load" in types.get(name, {}) and any(lacking):
            found[name] = replace(place, load=True)
    return found


def head_of(place: TagSpec) -> str:
    """Return the member of a resource's data that has its tags."""
    return place.path.partition(".")[0].partition("[")[0]


def _rows(definition: Json, model: Model) -> dict[str, list[set[str]]]:
    """List, for each type, the members that the items of each of its collections can have."""
    rows: dict[str, list[set[str]]] = {}
    for holder in (definition.get("service", {}), *definition.get("resources", {}).values()):
        for each in holder.get("hasMany", {}).values():
            place = each["resource"].get("path")
            if place:
                kind = each["resource"]["type"]
                shape = model.walk(model.operations[each["request"]["operation"]].output, place)
                # Where a path is more than a path, its items are taken for whole ones.
                shape = shape or definition["resources"].get(kind, {}).get("shape", "")
                rows.setdefault(kind, []).append(set(model.members(shape)))
    return rows


def completed(resource: Any, members: frozenset[str], member: str) -> None:
    """Load a resource if a list gave it, that list does not tell a member, and it has not been loaded since.

    Args:
        resource: the resource.
        members: what lists do not tell of its type.
        member: what is asked.
    """
    row = resource.meta.data
    if member in members and isinstance(row, Mapping) and member not in row and _WHOLE not in resource.__dict__:
        with suppress(ResourceLoadException):
            resource.load()
        if resource.meta.data is None:  # it is gone: what the list has told is all there is
            resource.meta.data = row


def dress_partial(members: frozenset[str], context: Any, attributes: dict[str, Any]) -> None:
    """Let the attributes and references of a class load what lists do not tell.

    Args:
        members: what lists do not tell of the type.
        context: boto3's `ServiceContext`.
        attributes: the attributes of the class, as boto3 makes it.
    """
    model = attributes["meta"].resource_model
    if not members or model is None:  # no model: a stub is written
        return
    noting(attributes)
    for name, member in _asked(model, context):
        if member in members and isinstance(attributes.get(name), property):
            attributes[name] = _asking(attributes[name], members, member)


def _asked(model: Any, context: Any) -> Iterator[tuple[str, str]]:
    """Yield the attributes and references that are read from the data, with the members of it that they read."""
    identifiers = {each.member_name for each in model.identifiers}
    for name, (member, _) in model.get_attributes(context.service_model.shape_for(model.shape)).items():
        if name not in identifiers:
            yield name, member
    for each in model.references:
        paths = [one.path for one in each.resource.identifiers if one.source == "data"]
        yield from ((each.name, path.partition(".")[0].partition("[")[0]) for path in paths)


def _asking(theirs: property, members: frozenset[str], member: str) -> property:
    def get(self: Any) -> Any:
        completed(self, members, member)
        return theirs.__get__(self)

    return property(get, doc=theirs.__doc__)


def noting(attributes: dict[str, Any]) -> None:
    """Let what is loaded know that it is whole.

    Args:
        attributes: the attributes of a class that has `load`.
    """
    load: Callable[..., None] = attributes["load"]

    @wraps(load)
    def noted(self: Any, *args: Any, **kwargs: Any) -> None:
        load(self, *args, **kwargs)
        self.__dict__[_WHOLE] = True

    attributes["load"] = attributes["reload"] = noted
