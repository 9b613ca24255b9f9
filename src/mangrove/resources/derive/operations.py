"""What operations a service has, read from the raw model once: verb, noun, inputs, and the lists they answer with.

botocore's ``ServiceModel`` builds an object for every shape it is asked for; derivation looks at all of them, so it
reads the JSON itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


class _Index(dict[str, Any]):
    """Be a table of what a function says of a shape, filled when it is asked; "" is no shape.

    Derivation asks tens of thousands of times about a few thousand shapes: a dict answers without a call.
    """

    def __init__(self, make: Callable[[str], Any], none: Any) -> None:
        super().__init__({"": none})
        self._make = make

    def __missing__(self, shape: str) -> Any:
        found = self[shape] = self._make(shape)
        return found


class Model:
    """A service model as plain tables, with the few questions that derivation asks of it.

    Attributes:
        shapes: The shapes, as the model has them.
        operations: The operations by their names; those that stream events are left out.
        named: The same by their names in lower case.
        asked: The keys of all inputs that some operation requires.
    """

    def __init__(self, description: Json) -> None:
        self.shapes: Mapping[str, Any] = description["shapes"]
        self._kinds = _Index(lambda shape: str(self.shapes[shape]["type"]), "")
        self._items = _Index(self._item, "")
        self._members = _Index(self._members_of, {})
        self._scalars = _Index(self._scalars_of, {})
        self.operations = {
            name: self._operation(name, op)
            for name, op in sorted(description["operations"].items())
            if not op.get("eventstream")
        }
        self.asked = frozenset(key_of(name) for op in self.operations.values() for name in op.required)
        self.named = {name.lower(): op for name, op in self.operations.items()}

    def _operation(self, name: str, op: Json) -> Operation:
        verb, noun, qualifier = split_operation(name)
        shape = op.get("input", {}).get("shape", "")
        kinds, items = self._kinds, self._items
        scalars: dict[str, str] = {}
        lists: dict[str, str] = {}
        for member, kind in self._members[shape].items():
            if kinds[kind] in _LISTED:
                scalars[key_of(member)] = member
            elif kinds[items[kind]] in _LISTED:
                lists[key_of(singular(member))] = member
        return Operation(
            name, verb, noun, qualifier, scalars, lists, tuple(self.shapes[shape].get("required", ()) if shape else ()),
            shape, op.get("output", {}).get("shape", ""), bool(op.get("deprecated")),
        )  # fmt: skip

    def _item(self, shape: str) -> str:
        found = self.shapes[shape]
        return str(found["member"]["shape"]) if found["type"] == "list" else ""

    def _members_of(self, shape: str) -> dict[str, str]:
        return {name: ref["shape"] for name, ref in self.shapes[shape].get("members", {}).items()}

    def _scalars_of(self, shape: str) -> dict[str, str]:
        kinds = self._kinds
        return {key_of(name): name for name, kind in self._members[shape].items() if kinds[kind] in _LISTED}

    def find(self, *names: str) -> Operation | None:
        """Find the first operation of these names, whatever the case of their letters."""
        for name in names:
            found = self.named.get(name.lower())
            if found:
                return found
        return None

    def kind(self, shape: str) -> str:
        """Name the type of a shape: ``structure``, ``list``, ``string`` ...; ``""`` for no shape."""
        found: str = self._kinds[shape]
        return found

    def members(self, shape: str) -> Mapping[str, str]:
        """List the members of a structure: name to the name of its shape; empty for any other shape."""
        found: Mapping[str, str] = self._members[shape]
        return found

    def scalars(self, shape: str) -> Mapping[str, str]:
        """Index a structure's scalar members by key."""
        found: Mapping[str, str] = self._scalars[shape]
        return found

    def item(self, shape: str) -> str:
        """Name the shape of a list's items; ``""`` for any other shape."""
        found: str = self._items[shape]
        return found

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
