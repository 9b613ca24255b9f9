"""What is known of one service's resources, and how it is written to a file and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from mangrove.resources.derive.facts import ArnSpec, TagSpec, Variable

__all__ = ["Definitions", "ServiceResources", "read", "written"]


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
    plain["arns"] = {name: _brief(asdict(_plain(spec))) for name, spec in found.arns.items()}
    plain["tags"] = {name: _brief(asdict(place)) for name, place in found.tags.items()}
    plain["kinds"] = dict(found.kinds)
    plain["forms"] = dict(found.forms)
    return plain


def _plain(spec: ArnSpec) -> ArnSpec:
    # asdict copies a dict's values, and no other mapping's.
    return ArnSpec(spec.path, spec.identifier, spec.template, dict(spec.variables), spec.load, spec.account)


def _brief(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {each: _brief(inner) for each, inner in value.items()} if isinstance(value, dict) else value
        for name, value in table.items()
        if value
    }


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
        tags={name: TagSpec(**{"path": "", **place}) for name, place in plain["tags"].items()},
        kinds=dict(plain["kinds"]),
        forms={name: tuple(texts) for name, texts in plain["forms"].items()},
        prefixes=tuple(plain["prefixes"]),
        dropped=tuple((what, why) for what, why in plain["dropped"]),
    )
    definition["resources"].known = found
    return found


def _arn(spec: Mapping[str, Any]) -> ArnSpec:
    variables = {name: Variable(**source) for name, source in spec.get("variables", {}).items()}
    return ArnSpec(**{**spec, "variables": variables})
