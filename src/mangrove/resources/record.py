"""What is known of one service's resources, and how it is written to a file and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from mangrove.resources.derive.facts import ArnSpec, TagSpec, Variable

__all__ = ["Definitions", "ServiceResources", "brief", "read", "written"]


@dataclass(frozen=True, slots=True)
class ServiceResources:
    """Hold the resources of one service, derived and checked.

    Attributes:
        service: botocore's name of it.
        version: the API version of its model.
        definition: boto3's `resources-1` format; boto3's own file is below, where there is one.
        own: the types that boto3 has itself: their attributes stay as boto3 has them.
        arns: type to the source of its ARN.
        tags: type to the place of its tags.
        kinds: type to `core` or `catalogue`.
        forms: type to the official formats that its ARNs may have.
        partial: type to the members that `load()` brings and no collection's items have.
        prefixes: the IAM prefixes of the service.
        dropped: what was left out, and why.
    """

    service: str
    version: str
    definition: Mapping[str, Any]
    own: frozenset[str]
    arns: Mapping[str, ArnSpec]
    tags: Mapping[str, TagSpec]
    kinds: Mapping[str, str]
    forms: Mapping[str, tuple[str, ...]]
    partial: Mapping[str, tuple[str, ...]]
    prefixes: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]


class Definitions(dict[str, Any]):
    """Be the table of types that boto3 hands from class to class, and know what else is known of them."""

    known: ServiceResources


def written(found: ServiceResources) -> dict[str, Any]:
    """Return what a file says of a service's resources: plain JSON values."""
    plain: dict[str, Any] = {each.name: getattr(found, each.name) for each in fields(found)}
    plain["definition"] = dict(found.definition)
    plain["own"] = sorted(found.own)
    plain["arns"] = {name: brief(spec) for name, spec in found.arns.items()}
    plain["tags"] = {name: brief(place) for name, place in found.tags.items()}
    plain["kinds"] = dict(found.kinds)
    plain["forms"] = dict(found.forms)
    plain["partial"] = dict(found.partial)
    return plain


def brief(spec: ArnSpec | TagSpec | Variable) -> dict[str, Any]:
    """Write what a source says, without what it does not say."""
    told = ((name, getattr(spec, name)) for name in spec.__slots__)
    return {
        name: {each: _told(source) for each, source in value.items()} if isinstance(value, Mapping) else value
        for name, value in told
        if value
    }


def _told(source: Variable | str) -> Any:
    return brief(source) if isinstance(source, Variable) else source


def read(plain: Mapping[str, Any]) -> ServiceResources:
    """Return a service's resources from what `written` has made of them.

    Raises:
        TypeError, KeyError, AttributeError, ValueError: that is not what it has made.
    """
    service: Any = plain["service"]
    version: Any = plain["version"]
    if not isinstance(service, str) or not isinstance(version, str):
        text = "a service and a version are strings"
        raise TypeError(text)
    definition = dict(plain["definition"])
    definition["resources"] = Definitions(definition["resources"])
    definition["service"] = dict(definition["service"])
    found = ServiceResources(
        service=service,
        version=version,
        definition=definition,
        own=frozenset(plain["own"]),
        arns={name: _arn(spec) for name, spec in plain["arns"].items()},
        tags={name: TagSpec(**{"path": "", "fixed": {}, **place}) for name, place in plain["tags"].items()},
        kinds=dict(plain["kinds"]),
        forms={name: tuple(texts) for name, texts in plain["forms"].items()},
        partial={name: tuple(members) for name, members in plain["partial"].items()},
        prefixes=tuple(plain["prefixes"]),
        dropped=tuple((what, why) for what, why in plain["dropped"]),
    )
    definition["resources"].known = found
    return found


def _arn(spec: Mapping[str, Any]) -> ArnSpec:
    variables = {name: Variable(**source) for name, source in spec.get("variables", {}).items()}
    return ArnSpec(**{**spec, "variables": variables})
