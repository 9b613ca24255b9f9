"""Which collections there are: a service's own, and those of a parent whose identifiers a listing takes as inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mangrove.resources.derive.binding import bind
from mangrove.resources.derive.facts import Dropped
from mangrove.resources.derive.filters import filters_of
from mangrove.resources.derive.identifiers import Identifier
from mangrove.resources.derive.names import key_of, pascal, plural, slices
from mangrove.resources.derive.operations import Model, Operation
from mangrove.resources.derive.types import ResourceType, Supply

__all__ = ["Collection", "Parents", "account_type", "collections_of", "constants_for"]

_ACCOUNT = frozenset(("accountid", "awsaccountid"))
_LIMITS = frozenset(("maxresults", "limit", "pagesize", "maxitems", "maxrecords"))
_ENOUGH = 3
_VALUES = 20

Constants = Mapping[str, Mapping[str, object]]
Told = Mapping[str, Mapping[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection.

    Args:
        parent: The type that has it; ``""`` for the service.
        child: The type that it gives.
        name: Its name: the child's plural, with the choice before it where a listing asks for one.
        supply: The listing.
        params: Input to the parent's identifier.
        data: Input to the JMESPath of the parent's data that fills it.
        fixed: Input to its fixed value.
        sources: For each identifier of the child where its value comes from, as boto3 writes it, without the target.
    """

    parent: str
    child: str
    name: str
    supply: Supply
    params: Mapping[str, str]
    data: Mapping[str, str]
    fixed: Mapping[str, object]
    sources: tuple[Mapping[str, str], ...]


def constants_for(op: Operation, constants: Constants) -> dict[str, object]:
    """Collect the inputs of an operation that have a fixed value."""
    every = {name: value for name, value in constants.get("*", {}).items() if key_of(name) in op.scalars}
    return {**every, **constants.get(op.name, {})}


def account_type(types: Iterable[ResourceType], constants: Constants) -> ResourceType | None:
    """Make an ``Account`` for services whose listings ask for the number of the account (QuickSight, S3 Control)."""
    known = list(types)
    asked = [
        name
        for each in known
        for supply in each.supplies
        for name in supply.listing.operation.required
        if key_of(name) in _ACCOUNT and name not in constants_for(supply.listing.operation, constants)
    ]
    if len(asked) < _ENOUGH or any(each.name == "Account" for each in known):
        return None
    keys = frozenset(map(key_of, asked))
    return ResourceType("Account", (Identifier("Id", keys, frozenset(), None),), (), "", None, 3)


@dataclass(frozen=True, slots=True)
class Parents:
    """Indexes of the types that can fill inputs: by their identifiers, and by members of their data."""

    by_name: Mapping[str, list[ResourceType]]
    by_identifier: Mapping[str, list[ResourceType]]
    by_data: Mapping[str, list[tuple[ResourceType, str]]]

    @classmethod
    def of(cls, model: Model, types: Iterable[ResourceType]) -> Parents:
        """Index types by the keys of the inputs that they can fill."""
        by_identifier: dict[str, list[ResourceType]] = {}
        by_data: dict[str, list[tuple[ResourceType, str]]] = {}
        by_name: dict[str, list[ResourceType]] = {}
        for each in types:
            by_name.setdefault(key_of(each.name), []).append(each)
            for identifier in each.identifiers:
                for key in identifier.keys:
                    by_identifier.setdefault(key, []).append(each)
            for name in model.members(each.shape):
                key, own = key_of(name), key_of(each.name)
                if key in {"arn", "id", "name"} or (key.startswith(own) and key[len(own) :] in {"arn", "id", "name"}):
                    by_data.setdefault(own + key.removeprefix(own), []).append((each, name))
        return cls(by_name, by_identifier, by_data)


def collections_of(
    model: Model, types: Iterable[ResourceType], constants: Constants, told: Told
) -> tuple[list[Collection], list[Dropped]]:
    """Find the collections of a service.

    Args:
        model: The service's model.
        types: Its types.
        constants: Operation (or ``*``) to inputs with a fixed value.
        told: Operation to its inputs that mean a parent's identifier: ``{"ListRuns": {"arn": ["Project.Arn"]}}``.

    Returns:
        The collections that can be reached from the service, and the listings that cannot.
    """
    known = [each for each in types if each.identifiers]
    parents = Parents.of(model, known)
    found: list[Collection] = []
    dropped: list[Dropped] = []
    for each in known:
        for supply in each.supplies:
            op = supply.listing.operation
            ways = list(_told(model, each, supply, {t.name: t for t in known}, told.get(op.name, {})))
            ways = ways or list(_ways(model, each, supply, parents, constants))
            found.extend(ways)
            if not ways:
                asked = ", ".join(op.required)
                dropped.append(Dropped(op.name, f"no known resource supplies its inputs: {asked}"))
    return _reachable(found, known), dropped


def _told(
    model: Model, child: ResourceType, supply: Supply, types: Mapping[str, ResourceType], told: Mapping[str, list[str]]
) -> Iterator[Collection]:
    """Make the collections whose parents the overlay names."""
    for target, sources in told.items():
        for source in sources:
            parent, _, name = source.partition(".")
            if parent in types and name in {each.name for each in types[parent].identifiers}:
                yield from _way(model, types[parent], child, supply, ({target: name}, {}), {})


def _ways(
    model: Model, child: ResourceType, supply: Supply, parents: Parents, constants: Constants
) -> Iterator[Collection]:
    op = supply.listing.operation
    fixed = {**_limits(model, op), **constants_for(op, constants)}
    asked = set(op.required) - fixed.keys()
    yield from _way(model, None, child, supply, ({}, {}), fixed)
    named = slices(op.noun + op.qualifier)
    candidates = {each.name: each for key in (*op.scalars, *op.lists) for each in parents.by_identifier.get(key, ())}
    candidates |= {each.name: each for key in named for each in parents.by_name.get(key, ())}
    done = {child.name}
    for parent in candidates.values():
        params = bind(op, parent.identifiers, about=key_of(parent.name) in named)
        if parent.name != child.name and params and not fixed.keys() & params.keys():
            ways = list(_way(model, parent, child, supply, (params, {}), fixed))
            done |= {each.parent for each in ways}
            yield from ways
    for name in asked:
        for parent, path in parents.by_data.get(key_of(name), ()):
            if parent.name not in done:
                yield from _way(model, parent, child, supply, ({}, {name: path}), fixed)
    yield from _filtered(model, child, supply, parents, done, fixed)


def _filtered(
    model: Model, child: ResourceType, supply: Supply, parents: Parents, done: set[str], fixed: Mapping[str, object]
) -> Iterator[Collection]:
    """Make the collections that a filter gives: a VPC's NAT gateways."""
    for key, name, target in filters_of(model, supply.listing.operation):
        for parent in parents.by_identifier.get(key, ()):
            if parent.name not in done and len(parent.identifiers) == 1:
                done.add(parent.name)
                given = {f"{target}[0].Values[0]": parent.identifiers[0].name}
                named = {**fixed, f"{target}[0].Name": name}
                yield from _way(model, parent, child, supply, (given, {}), named)


def _limits(model: Model, op: Operation) -> dict[str, object]:
    """Give the size of a page where an operation insists on one: the largest it allows."""
    found: dict[str, object] = {}
    for name in op.required:
        if key_of(name) in _LIMITS:
            shape = model.shapes[model.members(op.input)[name]]
            found[name] = int(shape.get("max", 50))
    return found


def _way(
    model: Model,
    parent: ResourceType | None,
    child: ResourceType,
    supply: Supply,
    given: tuple[Mapping[str, str], Mapping[str, str]],
    fixed: Mapping[str, object],
) -> Iterator[Collection]:
    """Make the collections of one parent: one, or one for each value of the choice that is left to make."""
    params, data = given
    op = supply.listing.operation
    left = set(op.required) - fixed.keys() - {target.removesuffix("[0]") for target in (*params, *data)}
    if len(left) > 1:
        return
    choice = next(iter(left), "")
    values = model.shapes[model.members(op.input)[choice]].get("enum", ()) if choice else ("",)
    if len(values) > _VALUES:
        return
    for value in values:
        chosen = {**fixed, choice: value} if choice else fixed
        sources = _sources(parent, child, supply, params, data, chosen)
        if sources is not None:
            name = _name(child.name, value)
            yield Collection(parent.name if parent else "", child.name, name, supply, params, data, chosen, sources)


def _name(child: str, value: str) -> str:
    label = "".join(
        part.capitalize() if part.isupper() else pascal(part) for part in value.replace("_", "-").split("-")
    )
    return plural(label if key_of(label).endswith(key_of(child)) else label + child)


def _sources(
    parent: ResourceType | None,
    child: ResourceType,
    supply: Supply,
    params: Mapping[str, str],
    data: Mapping[str, str],
    fixed: Mapping[str, object],
) -> tuple[Mapping[str, str], ...] | None:
    """Find where each identifier of a collection's items comes from; None when one comes from nowhere."""
    asked = {key_of(target.removesuffix("[0]")): target for target in (*params, *data, *fixed)}
    path = supply.listing.path
    found: list[Mapping[str, str]] = []
    for identifier, member in zip(child.identifiers, supply.members, strict=True):
        target = next((asked[key] for key in sorted(identifier.keys | identifier.weak) if key in asked), None)
        same = _shared(parent, identifier)
        if identifier.parent and same and same in params.values():
            found.append({"source": "identifier", "name": same})
        elif target and identifier.parent:
            name = params.get(target)
            found.append(
                {"source": "identifier", "name": name} if name else {"source": "requestParameter", "path": target}
            )
        elif member is not None:
            found.append({"source": "response", "path": f"{path}.{member}" if member else path})
        else:
            return None
    return tuple(found)


def _shared(parent: ResourceType | None, identifier: Identifier) -> str:
    """Find the identifier of a parent that is also the child's."""
    return next((each.name for each in (parent.identifiers if parent else ()) if each.keys & identifier.keys), "")


def _reachable(found: list[Collection], types: Iterable[ResourceType]) -> list[Collection]:
    """Keep what can be reached from the service, and of each name under a parent the best listing."""
    reached = {"", *(each.name for each in types if each.existing or not each.supplies)}
    while True:
        more = {each.child for each in found if each.parent in reached} - reached
        if not more:
            break
        reached |= more
    best: dict[tuple[str, str], Collection] = {}
    for each in found:
        if each.parent in reached:
            best.setdefault((each.parent, each.name), each)
    return list(best.values())
