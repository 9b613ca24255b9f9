"""The names that code written for boto3_extensions uses, kept beside those that derivation gives.

An old name never takes the place of a derived one. An old type is another way to say the derived type; an old
collection or action is the derived one once more. An old identifier is noted on the derived one, whose class has both
names. Where the API knows a resource by two things of different kinds (a load balancer by its ARN and by its name), the
second is a type of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore import xform_name

from mangrove.resources.derive.facts import Dropped, Json

__all__ = ["with_aliases"]

_PARTS = ("actions", "has", "hasMany", "waiters")


def with_aliases(definition: Json, aliases: Json) -> tuple[dict[str, Any], dict[str, str], list[Dropped]]:
    """Add old names to a derived definition.

    Args:
        definition: The `service` and the `resources` that were derived; it is not changed.
        aliases: The part `aliases` of an overlay, see `mangrove.resources.overlay`.

    Returns:
        The definition with the old names, old type to type, and the old names that lead to nothing in this botocore.

    Example:
        >>> derived = {"service": {}, "resources": {"Group": {"identifiers": [{"name": "Name"}]}}}
        >>> found, names, _ = with_aliases(derived, {"types": {"AutoScalingGroup": "Group"}})
        >>> names, sorted(found["service"]["has"])
        ({'AutoScalingGroup': 'Group'}, ['AutoScalingGroup', 'Group'])
    """
    tree = {
        **definition,
        "service": dict(definition["service"]),
        "resources": {name: dict(each) for name, each in definition["resources"].items()},
    }
    resources = tree["resources"]
    dropped = [*_members(tree, "hasMany", aliases.get("collections", {}))]
    dropped += _members(tree, "actions", aliases.get("actions", {}))
    dropped += _identifiers(resources, aliases.get("identifiers", {}))
    dropped += _others(resources, aliases.get("others", {}))
    wanted: Mapping[str, str] = aliases.get("types", {})
    names = {old: kind for old, kind in wanted.items() if kind in resources and old not in resources}
    dropped += [_lost(old, kind) for old, kind in wanted.items() if kind not in resources]
    _types(tree["service"], resources, names)
    return tree, names, dropped


def _lost(old: str, new: str) -> Dropped:
    return Dropped(old, f"this botocore has no {new}, whose old name it is")


def _types(service: dict[str, Any], resources: Json, names: Mapping[str, str]) -> None:
    """Let the service make its types by their old names too."""
    has = dict(service.get("has", {}))
    for old, kind in names.items():
        given = [{"target": each["name"], "source": "input"} for each in resources[kind].get("identifiers", ())]
        made = {"resource": {"type": kind, "identifiers": given}}
        # boto3 offers a type under its own name only where no other name of it is given.
        has.setdefault(kind, made)
        has[old] = made
    if has:
        service["has"] = has


def _members(tree: Json, part: str, wanted: Mapping[str, str]) -> Iterator[Dropped]:
    """Repeat collections or actions: ``Clusters``, or ``Key.CancelKeyDeletion`` of a type, under the old name."""
    for old, new in wanted.items():
        kind, _, name = old.rpartition(".")
        holder = tree["resources"].get(kind) if kind else tree["service"]
        found = (holder or {}).get(part, {}).get(new)
        if holder is None or found is None:
            yield _lost(old, new)
        elif xform_name(name) not in _names(holder):
            holder[part] = {**holder[part], name: {**found, "alias": new}}


def _names(holder: Json) -> Iterator[str]:
    for part in _PARTS:
        yield from map(xform_name, holder.get(part, ()))


def _identifiers(resources: dict[str, Any], wanted: Mapping[str, Mapping[str, str]]) -> Iterator[Dropped]:
    """Note the old names of identifiers: a key that boto3 does not look at."""
    for kind, names in wanted.items():
        known = [each["name"] for each in resources.get(kind, {}).get("identifiers", ())]
        yield from (_lost(f"{kind}.{old}", new) for old, new in names.items() if new not in known)
        if kind in resources:
            resources[kind]["identifiers"] = [*_renamed(resources[kind].get("identifiers", ()), names)]


def _renamed(identifiers: Iterable[Json], names: Mapping[str, str]) -> Iterator[Json]:
    for each in identifiers:
        old = [name for name, new in names.items() if new == each["name"]]
        yield {**each, "aliases": old} if old else each


def _others(resources: dict[str, Any], wanted: Mapping[str, Mapping[str, str]]) -> Iterator[Dropped]:
    """Make the types of what is also known by something else: ``LoadBalancerByName``."""
    for kind, way in wanted.items():
        found = resources.get(kind)
        if found is None:
            yield _lost(f"{kind}By{way['name']}", kind)
            continue
        [own] = found["identifiers"]
        name = f"{kind}By{way['name']}"
        source = {"source": "data", "path": own["memberName"]}
        told = {part: _told(found[part], own["name"], source) for part in _PARTS if part in found}
        given = {"target": way["input"], "source": "identifier", "name": way["name"]}
        load = {**found["load"], "request": {**found["load"]["request"], "params": [given]}}
        identifiers = [{"name": way["name"], "memberName": way["member"]}]
        resources[name] = {"identifiers": identifiers, "shape": found["shape"], "load": load, **told, "alias": kind}
        resources[kind] = {**found, "otherwise": name}


def _told(part: Any, identifier: str, source: Mapping[str, str]) -> Any:
    """Take an identifier's value from the data instead, wherever a piece of a definition uses it."""
    if isinstance(part, Mapping):
        if part.get("source") == "identifier" and part.get("name") == identifier:
            return {**{key: value for key, value in part.items() if key != "name"}, **source}
        return {key: _told(value, identifier, source) for key, value in part.items()}
    return [_told(each, identifier, source) for each in part] if isinstance(part, list) else part
