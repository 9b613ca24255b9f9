"""Be what listing goes through: items, requests, and the lists that lead from a service to its resources."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from boto3.resources.params import create_request_parameters
from botocore import xform_name

from mangrove.aws.operations import Operation
from mangrove.aws.paging import next_request
from mangrove.resources.derive.facts import ArnSpec, TagSpec
from mangrove.resources.kinds import Kind
from mangrove.resources.lookups import search

__all__ = ["ROOT", "Ask", "Item", "Level", "Load", "Spec", "Way", "reader_of"]

_MEMBER = re.compile(r"\A[A-Za-z_]\w*\Z")


@dataclass(frozen=True, slots=True)
class Ask:
    """Be one request that listing needs.

    Args:
        operation: the operation.
        parameters: its parameters.
        region: where it is asked, if not in the region that is listed.
        spare: whether its failure costs only what it is about, and not the list.
    """

    operation: Operation
    parameters: Mapping[str, Any] = field(repr=False)
    region: str = ""
    spare: bool = False


class Item:
    """Be what a list tells of one resource: an object of its class without the class.

    Args:
        identifiers: its identifiers, by their names in the definition.
        data: its members; None if the list tells its identifiers alone.

    Attributes:
        region: where it is, if its list answers for all regions; else empty.
    """

    __slots__ = ("data", "identifiers", "region")

    def __init__(self, identifiers: Mapping[str, Any], data: Any = None) -> None:
        self.identifiers, self.data, self.region = identifiers, data, ""


ROOT = Item({})
"""What holds the lists of a service."""


@dataclass(frozen=True, slots=True)
class Load:
    """Be how one resource is loaded.

    Args:
        operation: the operation.
        request: boto3's model of the request.
        path: a JMESPath to the data in the answer; empty for all of it.
    """

    operation: Operation
    request: Any
    path: str

    def parameters(self, item: Item) -> dict[str, Any]:
        """Return the request's parameters."""
        return _parameters(self.request, item)

    def read(self, answer: Any) -> Any:
        """Return the data in an answer."""
        return search(self.path, answer) if self.path and self.path not in ("$", "@") else answer


@dataclass(frozen=True, slots=True)
class Spec:
    """Be what is known of a type.

    Args:
        service: botocore's name of the service.
        type: the type, such as `Instance`.
        names: its identifiers: the name in the definition to the name in Python.
        arn: the source of its ARN, or None.
        tags: the place of its tags, or None.
        partial: members that its list leaves out.
        prefixes: the IAM prefixes of the service.
        load: how one is loaded, or None.
    """

    service: str
    type: str
    names: Mapping[str, str]
    arn: ArnSpec | None
    tags: TagSpec | None
    partial: frozenset[str]
    prefixes: tuple[str, ...]
    load: Load | None


@dataclass(frozen=True, slots=True)
class Level:
    """Be one list on the way to a type.

    Args:
        operation: the operation that lists.
        request: boto3's model of the request.
        fixed: further parameters: what narrows the list, and how many items a page has.
        spec: the type that is listed.
        items: reads an answer: takes who holds the list, the request and the answer.
        reads: members of the holder's data that the request is made of.
    """

    operation: Operation
    request: Any
    fixed: Mapping[str, Any]
    spec: Spec
    items: Callable[[Item, Mapping[str, Any], Any], list[Item]]
    reads: tuple[str, ...] = ()

    def first(self, holder: Item) -> dict[str, Any]:
        """Return the request for the first page."""
        return {**_parameters(self.request, holder), **self.fixed}

    def next(self, asked: Mapping[str, Any], answer: Any) -> dict[str, Any] | None:
        """Return the request for the page after an answer, or None."""
        return next_request(self.operation.paging, asked, answer, self.operation.name)


@dataclass(frozen=True, slots=True)
class Way:
    """Be how a type is listed.

    Args:
        kind: the type.
        levels: the lists that lead to it; the last one is its own.
    """

    kind: Kind
    levels: tuple[Level, ...]

    @property
    def spec(self) -> Spec:
        """Return what is known of the type."""
        return self.levels[-1].spec


def _parameters(request: Any, holder: Item) -> dict[str, Any]:
    # boto3 reads a resource's identifiers and data by its attributes.
    told = {xform_name(name): value for name, value in holder.identifiers.items()}
    parent: Any = SimpleNamespace(**told, meta=SimpleNamespace(data=holder.data or {}))
    found: dict[str, Any] = create_request_parameters(parent, request)
    return found


def reader_of(resource: Any) -> Callable[[Item, Mapping[str, Any], Any], list[Item]]:
    """Return what reads the items of an answer, as boto3 does it for objects.

    Args:
        resource: boto3's model of what a collection gives.
    """
    path, sources = resource.path, [each for each in resource.identifiers if each.source != "input"]
    told = {each.target: each.path for each in sources if each.source == "response"}
    others = [each for each in sources if each.source != "response"]
    head = f"{path}."
    members = {name: each.removeprefix(head) for name, each in told.items() if each.startswith(head)}
    if path and path.endswith("[]") and len(members) == len(told) and all(map(_MEMBER.match, members.values())):
        return _of_members(path, members, others)
    return _of_lists(path, told, others)


def _of_members(path: str, members: Mapping[str, str], others: list[Any]) -> Callable[..., list[Item]]:
    pairs, plain = tuple(members.items()), path.removesuffix("[]")
    simple = _MEMBER.match(plain) is not None
    one = pairs[0] if len(pairs) == 1 and not others else None

    def items(holder: Item, asked: Mapping[str, Any], answer: Any) -> list[Item]:
        found = (answer.get(plain) if simple else search(path, answer)) or ()
        if one is not None:
            name, member = one
            return [Item({name: each.get(member)}, each) for each in found]
        common = {each.target: _other(each, holder, asked) for each in others}
        return [Item({**common, **{name: each.get(member) for name, member in pairs}}, each) for each in found]

    return items


def _of_lists(path: str | None, told: Mapping[str, str], others: list[Any]) -> Callable[..., list[Item]]:
    def items(holder: Item, asked: Mapping[str, Any], answer: Any) -> list[Item]:
        data = search(path, answer) if path else None
        values = {name: search(each, answer) for name, each in told.items()}
        common = {each.target: _other(each, holder, asked) for each in others}
        lists = [value for value in values.values() if isinstance(value, list)]
        if not lists:
            single = data if not isinstance(data, list) else None
            return [Item({**common, **values}, single)] if any(value is not None for value in values.values()) else []
        found = []
        for number in range(len(lists[0])):
            own = {name: value[number] if isinstance(value, list) else value for name, value in values.items()}
            found.append(Item({**common, **own}, data[number] if isinstance(data, list) else None))
        return found

    return items


def _other(source: Any, holder: Item, asked: Mapping[str, Any]) -> Any:
    if source.source == "identifier":
        return holder.identifiers.get(source.name)
    return search(source.path, asked if source.source == "requestParameter" else holder.data)
