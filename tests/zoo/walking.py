"""Finds the zoo again through resources: walks the collections of a service and says which ARN each object has."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.base import Made

__all__ = ["Sighting", "Tally", "arn_of", "sightings", "tally", "walk"]

_DEPTH = 4
# Of objects without an ARN only so many are looked into; of those with one, only those of the zoo.
_NAMELESS = 3
_MOST = 2000


@dataclass(frozen=True, slots=True)
class Sighting:
    """Describe an object that a collection gave."""

    type: str
    arn: str | None
    ids: frozenset[str]


@dataclass(slots=True)
class Tally:
    """Count what became of the resources of a zoo."""

    right: list[Made] = field(default_factory=list)
    # An object of the same type and identifiers has another ARN, or none.
    wrong: list[tuple[Made, str]] = field(default_factory=list)
    without: list[Made] = field(default_factory=list)
    # No object is it: moto cannot list it, or no collection leads to it.
    absent: list[Made] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Return the right ones as a share of those that were seen."""
        return len(self.right) / max(1, len(self.right) + len(self.wrong) + len(self.without))


def arn_of(resource: Any) -> str | None:
    """Return the ARN that the object says it has; None if it has none or says so with an error."""
    with contextlib.suppress(Exception):
        arn = getattr(resource, "arn", None)
        return arn if isinstance(arn, str) else None
    return None


def walk(resource: Any, wanted: frozenset[str]) -> Iterator[Any]:
    """Give each object of the resource's collections, and of theirs, once.

    Args:
        resource: what `session.resource(...)` gave.
        wanted: the ARNs of the zoo: the walk looks into the objects that have one of them.
    """
    seen: set[tuple[str, tuple[str, ...]]] = set()
    todo = [(resource, 0)]
    while todo:
        parent, depth = todo.pop(0)
        for collection in parent.meta.resource_model.collections:
            nameless = 0
            for child in _members(parent, collection.name):
                key = type(child).__name__, _identifiers(child)
                if key in seen:
                    continue
                seen.add(key)
                yield child
                arn = arn_of(child)
                nameless += arn is None
                if depth + 1 < _DEPTH and (arn in wanted or (arn is None and nameless <= _NAMELESS)):
                    todo.append((child, depth + 1))


def _members(parent: Any, name: str) -> list[Any]:
    found: list[Any] = []
    with contextlib.suppress(Exception):  # moto lacks the operation, or answers what botocore cannot read
        found.extend(getattr(parent, name).limit(_MOST))
    return found


def _identifiers(resource: Any) -> tuple[str, ...]:
    return tuple(str(getattr(resource, one.name)) for one in resource.meta.resource_model.identifiers)


def sightings(session: Any, service: str, made: Iterable[Made]) -> list[Sighting]:
    """Walk a service in the session's account and region."""
    wanted = frozenset(one.arn for one in made)
    return [
        Sighting(type(one).__name__.rpartition(".")[2], arn_of(one), frozenset(_identifiers(one)))
        for one in walk(session.resource(service), wanted)
    ]


def tally(made: Iterable[Made], seen: Mapping[tuple[str, str], Iterable[Sighting]]) -> Tally:
    """Compare the zoo with what was seen.

    Args:
        made: the resources.
        seen: the sightings of each service and region.
    """
    answer = Tally()
    for one in made:
        there = list(seen.get((one.service, one.region), ()))
        if any(sighting.arn == one.arn for sighting in there):
            answer.right.append(one)
            continue
        same = [sighting for sighting in there if sighting.type == one.type and _is(one, sighting)]
        others = Counter(sighting.arn for sighting in same)
        if None in others:
            answer.without.append(one)
        elif others:
            answer.wrong.append((one, str(next(iter(others)))))
        else:
            answer.absent.append(one)
    return answer


def _is(made: Made, sighting: Sighting) -> bool:
    return bool(made.ids) and bool(sighting.ids) and sighting.ids <= {*made.ids.values(), made.arn}
