"""Say which columns a type of resource has: pure, from the shapes of its API."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["COMMON", "Column", "columns_of", "snake_case"]

COMMON = ("account", "region", "partition", "service", "type", "name", "arn", "tags", "data")
"""The columns that every type has: `data` is all that the API said, as JSON."""

_KINDS = {
    "string": "string",
    "character": "string",
    "blob": "string",  # in Base64
    "integer": "integer",
    "long": "integer",
    "float": "double",
    "double": "double",
    "boolean": "boolean",
    "timestamp": "timestamp",
}
_TAKEN = "_attribute"
# As botocore names its methods and boto3 its attributes: DBInstanceArn is db_instance_arn, SubnetIPs subnet_ips.
_PLURAL = re.compile(r"[A-Z]{2,}s$")
_WORD = re.compile(r"(.)([A-Z][a-z]+)")
_END = re.compile(r"([a-z0-9])([A-Z])")


@dataclass(frozen=True, slots=True)
class Column:
    """Be one column of a type's table, beside the common ones.

    Args:
        name: its name in SQL.
        member: the member of the resource's data that it shows, by the API's name.
        kind: `string`, `integer`, `double`, `boolean`, `timestamp` (UTC), or `json` for whatever has parts.

    Example:
        >>> Column("instance_type", "InstanceType", "string").name
        'instance_type'
    """

    name: str
    member: str
    kind: str


def snake_case(name: str) -> str:
    """Return an API's name as boto3 spells it in Python.

    Args:
        name: such as `DBInstanceArn`.

    Example:
        >>> snake_case("DBInstanceArn"), snake_case("SubnetIPs"), snake_case("vpcId")
        ('db_instance_arn', 'subnet_ips', 'vpc_id')
    """
    if "_" in name:
        return name.lower()
    plural = _PLURAL.search(name)
    if plural is not None:
        name = f"{name[: plural.start()]}_{plural[0].lower()}"
    return _END.sub(r"\1_\2", _WORD.sub(r"\1_\2", name)).lower()


def columns_of(shapes: Iterable[Any]) -> tuple[Column, ...]:
    """Return the columns of a type: one for each member of its shapes.

    A member whose name a common column or another member has gets `_attribute` after it, as boto3 tells equal names
    apart: EC2's `Tags` is `tags_attribute`, beside `tags`. Structures, lists and maps are JSON, however deep: a shape
    that holds itself is one column like any other.

    Args:
        shapes: botocore's shapes of the item, of which the first to have a member tells its type.

    Example:
        >>> from types import SimpleNamespace as Shape
        >>> shape = Shape(members={"VpcId": Shape(type_name="string"), "Tags": Shape(type_name="list")})
        >>> [(column.name, column.kind) for column in columns_of([shape])]
        [('vpc_id', 'string'), ('tags_attribute', 'json')]
    """
    members: dict[str, Any] = {}
    for shape in shapes:
        found: Mapping[str, Any] = getattr(shape, "members", None) or {}
        members.update({name: each for name, each in found.items() if name not in members})
    names = _names(list(members))
    return tuple(Column(names[member], member, _kind(shape)) for member, shape in members.items())


def _kind(shape: Any) -> str:
    return _KINDS.get(shape.type_name, "json")


def _names(members: list[str]) -> dict[str, str]:
    """Return each member's column; a name goes to the first that has it as it is."""
    taken: set[str] = {*COMMON}
    names: dict[str, str] = {}
    for member in sorted(members, key=lambda each: snake_case(each) in taken):
        name = snake_case(member)
        while name in taken:
            name += _TAKEN
        taken.add(name)
        names[member] = name
    return names
