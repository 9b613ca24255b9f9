"""Say what a class has once mangrove has dressed it: asked of the code that dresses classes, so that it stays true."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from boto3.resources.base import ResourceMeta

from mangrove.resources.objects import dress
from mangrove.resources.record import ServiceResources

__all__ = ["dressed"]

# What the properties that are put on return, as their stubs call it.
_RETURNS = {"OldTags": "_OldTags", "dict[str, str]": "dict[str, str]", "None": "None", "str | None": "str | None"}


class _Member(property):
    """Stand for a member of a class, wherever it is moved."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = self.__name__ = name


def dressed(found: ServiceResources, kind: str, identifiers: list[str], members: Mapping[str, str]) -> dict[str, str]:
    """Return the members of a class as mangrove leaves them: what is moved, and what is put beside.

    Args:
        found: the resources of the service.
        kind: the type; "" for the service.
        identifiers: its identifiers, as Python calls them.
        members: what boto3 gives the class: each name with its type or signature.
    """
    attributes: dict[str, Any] = {name: _Member(name) for name in members}
    attributes["meta"] = ResourceMeta(found.service, identifiers=list(identifiers))
    context = SimpleNamespace(resource_json_definitions=found.definition["resources"], service_name=found.service)
    dress(context, kind or "ServiceResource", attributes, [])
    moved = {value.name for name, value in attributes.items() if isinstance(value, _Member) and value.name != name}
    written = {}
    for name, value in attributes.items():
        if isinstance(value, _Member):
            written[name] = members[value.name]
        elif name in members and name not in moved:
            written[name] = members[name]  # the same, with more to it
        elif isinstance(value, property):
            returned = getattr(value.fget, "__annotations__", {}).get("return")
            # Without an annotation it is an identifier's old name.
            written[name] = "str" if returned is None else _RETURNS.get(returned, "_Any")
    return written
