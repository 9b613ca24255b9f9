"""What operations a service has, read from the raw model once: verb, noun, inputs, and the lists they answer with.

botocore's ``ServiceModel`` builds an object for every shape it is asked for; derivation looks at all of them, so it
reads the JSON itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mangrove.resources.derive.facts import Json
from mangrove.resources.derive.names import key_of, singular, split_operation

__all__ = ["Model", "Operation"]

_LISTED = frozenset(("string", "integer", "long"))


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the model.

    Args:
        name: The operation's name.
        verb: Its first word (or ``BatchGet`` and the like).
        noun: What it is about, without qualifiers and API versions.
        qualifier: ``ForUser`` in ``ListGroupsForUser``.
        scalars: Its scalar inputs: key to member name.
        lists: Its inputs that are lists of scalars: key of the singular to member name.
        required: The names of the inputs that must be given.
        output: The name of the output shape; ``""`` for none.
        deprecated: True when AWS calls it deprecated.
    """

    name: str
    verb: str
    noun: str
    qualifier: str
    scalars: Mapping[str, str]
    lists: Mapping[str, str]
    required: tuple[str, ...]
    input: str
    output: str
    deprecated: bool


class Model:
    """A service model as plain tables, with the few questions that derivation asks of it."""

    def __init__(self, description: Json) -> None:
        self.shapes: Mapping[str, Any] = description["shapes"]
        self.operations = {
            name: self._operation(name, op)
            for name, op in sorted(description["operations"].items())
            if not op.get("eventstream")
        }
        self._lower = {name.lower(): name for name in self.operations}
        self._members: dict[str, dict[str, str]] = {}
        self._scalars: dict[str, dict[str, str]] = {}

    def _operation(self, name: str, op: Json) -> Operation:
        verb, noun, qualifier = split_operation(name)
        shape = op.get("input", {}).get("shape", "")
        input_shape = self.shapes.get(shape, {})
        scalars: dict[str, str] = {}
        lists: dict[str, str] = {}
        for member, ref in input_shape.get("members", {}).items():
            kind = self.shapes[ref["shape"]]
            if kind["type"] in _LISTED:
                scalars[key_of(member)] = member
            elif kind["type"] == "list" and self.shapes[kind["member"]["shape"]]["type"] in _LISTED:
                lists[key_of(singular(member))] = member
        return Operation(
            name, verb, noun, qualifier, scalars, lists, tuple(input_shape.get("required", ())),
            shape, op.get("output", {}).get("shape", ""), bool(op.get("deprecated")),
        )  # fmt: skip

    def find(self, *names: str) -> Operation | None:
        """Find the first operation of these names, whatever the case of their letters."""
        for name in names:
            found = self._lower.get(name.lower())
            if found:
                return self.operations[found]
        return None

    def kind(self, shape: str) -> str:
        """Name the type of a shape: ``structure``, ``list``, ``string`` ...; ``""`` for no shape."""
        return str(self.shapes[shape]["type"]) if shape else ""

    def members(self, shape: str) -> Mapping[str, str]:
        """List the members of a structure: name to the name of its shape; empty for any other shape."""
        if not shape:
            return {}
        found = self._members.get(shape)
        if found is None:
            members = self.shapes[shape].get("members", {})
            found = self._members[shape] = {name: ref["shape"] for name, ref in members.items()}
        return found

    def scalars(self, shape: str) -> Mapping[str, str]:
        """Index a structure's scalar members by key."""
        found = self._scalars.get(shape)
        if found is None:
            members = self.members(shape)
            found = {key_of(name): name for name, kind in members.items() if self.kind(kind) in _LISTED}
            self._scalars[shape] = found
        return found

    def item(self, shape: str) -> str:
        """Name the shape of a list's items; ``""`` for any other shape."""
        found = self.shapes[shape] if shape else {}
        return str(found["member"]["shape"]) if found.get("type") == "list" else ""

    def walk(self, shape: str, path: str) -> str:
        """Follow a dotted path of members, lists being entered by ``[]``; ``""`` when it leads nowhere."""
        for part in path.split("."):
            shape = self.members(shape).get(part.rstrip("[]0"), "")
            if part.endswith("]"):
                shape = self.item(shape)
            if not shape:
                return ""
        return shape

    def lists(self, shape: str) -> Iterator[tuple[str, str]]:
        """Iterate over the members of a structure that are lists: (name, shape of the items)."""
        for name, member in self.members(shape).items():
            item = self.item(member)
            if item:
                yield name, item
