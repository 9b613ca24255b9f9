"""The compilers of XML: the protocols query, ec2 and rest-xml, which differ in what is around the output."""

from __future__ import annotations

from typing import Any

from mangrove.aws._parse_common import Compiler, Fields, Memo
from mangrove.aws._xml_tokens import at_end, tokens_of
from mangrove.aws._xml_walks import (
    FLAT,
    NESTED,
    SCALARS,
    STRING,
    UNUSUAL,
    Plan,
    Tokens,
    list_of,
    map_of,
    metadata_of,
    refuse,
    structure_of,
    union_of,
)

_ELSEWHERE = ("header", "headers", "statusCode")
_REQUEST_ID = "request id"  # no member can have this name


def _wire_name(name: str, shape: Any) -> str:
    serialization = shape.serialization
    if shape.type_name == "list" and serialization.get("flattened"):
        of_member: str | None = shape.member.serialization.get("name")
        if of_member is not None:
            return of_member
    found: str = serialization.get("name", name)
    return found


class _Root:
    """Hold the members of a root that the model does not describe, before those that it does."""

    def __init__(self, own: dict[str, Any], rest: Fields | None = None) -> None:
        self._own = own
        self._rest = rest

    def get(self, wire_name: str) -> Any:
        found = self._own.get(wire_name)
        return self._rest.get(wire_name) if found is None and self._rest else found


class XmlCompiler(Compiler):
    """Compile shapes for the tokens of XML; what `compile` returns is the plan of a shape."""

    refused = UNUSUAL

    def parse(self, shape: Any, body: bytes) -> Any:
        """Return the value of an output shape from a body; raise something if it is not for us."""
        plan = self.walk_of(shape)
        tokens, close = tokens_of(body)
        parsed = plan.make(tokens, close)
        at_end(tokens)
        return parsed

    def _structure(self, shape: Any, memo: Memo) -> Plan:
        members = {
            name: member
            for name, member in shape.members.items()
            if member.serialization.get("location") not in _ELSEWHERE and not member.serialization.get("eventheader")
        }
        names = {_wire_name(name, member): name for name, member in members.items()}
        if len(names) != len(members):
            return UNUSUAL  # two members read one element
        fields = Fields(self, shape, names, memo)
        if not shape.is_tagged_union:
            return Plan(NESTED, structure_of(fields, list(members)), dict)
        if any(m.serialization.get("flattened") for m in members.values()) or len(members) != len(shape.members):
            return UNUSUAL
        return Plan(NESTED, union_of(structure_of(fields, list(members), strict=True)), refuse)

    def _list(self, shape: Any, memo: Memo) -> Plan:
        item = self.compile(shape.member, memo)
        if shape.serialization.get("flattened"):
            return Plan(FLAT, refuse, refuse, item)
        return Plan(NESTED, list_of(item), list)

    def _map(self, shape: Any, memo: Memo) -> Plan:
        if shape.serialization.get("flattened"):
            return UNUSUAL
        names = (shape.key.serialization.get("name") or "key", shape.value.serialization.get("name") or "value")
        return Plan(NESTED, map_of(names, self.compile(shape.key, memo), self.compile(shape.value, memo)), dict)

    def _scalar(self, shape: Any, _memo: Memo) -> Plan:
        return SCALARS[shape.type_name]

    _string = _character = _boolean = _integer = _long = _float = _double = _timestamp = _blob = _scalar


class QueryCompiler(XmlCompiler):
    """Compile outputs of the protocol query: the result is wrapped, and beside it stands the metadata."""

    def start(self, shape: Any) -> Plan:
        """Return the plan of the root."""
        wrapper = shape.serialization.get("resultWrapper")
        if wrapper is None or wrapper == "ResponseMetadata":
            return UNUSUAL
        metadata = Plan(NESTED, metadata_of, dict)
        root = _Root({wrapper: (0, "result", self.compile(shape, {})), "ResponseMetadata": (1, "metadata", metadata)})
        walk = structure_of(root, ["result", "metadata"])

        def walk_root(tokens: Tokens, close: str) -> Any:
            found = walk(tokens, close)
            parsed = found["result"]
            if "metadata" in found:
                parsed["ResponseMetadata"] = found["metadata"]
            return parsed

        return Plan(NESTED, walk_root, refuse)


class Ec2Compiler(XmlCompiler):
    """Compile outputs of the protocol ec2: the root is the output, and one of its elements the request's id."""

    def start(self, shape: Any) -> Plan:
        """Return the plan of the root."""
        if shape.type_name != "structure" or self.compile(shape, {}) is UNUSUAL or shape.is_tagged_union:
            return UNUSUAL
        if "resultWrapper" in shape.serialization or any("location" in m.serialization for m in shape.members.values()):
            return UNUSUAL  # other protocols have them
        names = {_wire_name(name, member): name for name, member in shape.members.items()}
        if "requestId" in names:
            return UNUSUAL
        root = _Root({"requestId": (len(names), _REQUEST_ID, STRING)}, Fields(self, shape, names, {}))
        walk = structure_of(root, [*shape.members, _REQUEST_ID])

        def walk_root(tokens: Tokens, close: str) -> Any:
            parsed = walk(tokens, close)
            if _REQUEST_ID in parsed:
                parsed["ResponseMetadata"] = {"RequestId": parsed.pop(_REQUEST_ID) or None}
            return parsed

        return Plan(NESTED, walk_root, refuse)
