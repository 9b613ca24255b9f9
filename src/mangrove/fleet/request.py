"""Hold what a run asks of every target, in a form that can be written down and asked again."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from mangrove.aws.operations import Operation

__all__ = ["Request", "from_plain", "sensitive_of", "to_plain"]

_BYTES, _MAPPING = "base64", "mapping"


@dataclass(frozen=True, slots=True)
class Request:
    """Be what is asked.

    Args:
        kind: the method of the fleet that was called.
        service: the service; empty for a function.
        operation: the operation; for resources their types, and for a function its name.
        parameters: of the operation.
        once: whether each account is asked in one region alone.
        read_only: whether asking twice is as good as asking once.
        secret: parameters that the API calls sensitive; they are written nowhere.
    """

    kind: Literal["call", "items", "resources", "map"]
    service: str = ""
    operation: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    once: bool = False
    read_only: bool = True
    secret: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.service} {self.operation}".strip()

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON; sensitive parameters are named, and not said."""
        told = {name: to_plain(value) for name, value in self.parameters.items() if name not in self.secret}
        return {
            "kind": self.kind,
            "service": self.service,
            "operation": self.operation,
            "parameters": told,
            "withheld": sorted(self.secret & set(self.parameters)),
            "once": self.once,
        }


def to_plain(value: Any) -> Any:
    """Return a parameter's value as JSON can hold it.

    Example:
        >>> from datetime import datetime, timezone
        >>> to_plain({"Since": datetime(2026, 1, 2, tzinfo=timezone.utc), "Data": b"x"})
        {'Since': '2026-01-02T00:00:00+00:00', 'Data': {'base64': 'eA=='}}
    """
    if isinstance(value, Mapping):
        plain = {str(name): to_plain(each) for name, each in value.items()}
        # One that looks like what stands for bytes is marked.
        return {_MAPPING: plain} if set(plain) in ({_BYTES}, {_MAPPING}) else plain
    if isinstance(value, (list, tuple)):
        return [to_plain(each) for each in value]
    if isinstance(value, (bytes, bytearray)):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value


def from_plain(value: Any) -> Any:
    """Return a parameter's value from what `to_plain` made of it; times stay text, which botocore takes too.

    Example:
        >>> from_plain({"Data": {"base64": "eA=="}, "Ids": ["a"]})
        {'Data': b'x', 'Ids': ['a']}
    """
    if isinstance(value, dict):
        if set(value) == {_BYTES}:
            return base64.b64decode(value[_BYTES], validate=True)
        value = value[_MAPPING] if set(value) == {_MAPPING} else value
        return {name: from_plain(each) for name, each in value.items()}
    return [from_plain(each) for each in value] if isinstance(value, list) else value


def sensitive_of(operation: Operation) -> frozenset[str]:
    """Return the parameters of an operation that hold something that the API calls sensitive, at any depth."""
    shape = operation.model.input_shape
    members = shape.members if shape else {}
    return frozenset(name for name, member in members.items() if _is_sensitive(member, frozenset()))


def _is_sensitive(shape: Any, above: frozenset[str]) -> bool:
    if shape.metadata.get("sensitive"):
        return True
    if shape.name in above:
        return False
    inner: list[Any] = []
    if shape.type_name == "structure":
        inner = list(shape.members.values())
    elif shape.type_name == "list":
        inner = [shape.member]
    elif shape.type_name == "map":
        inner = [shape.key, shape.value]
    return any(_is_sensitive(each, above | {shape.name}) for each in inner)
