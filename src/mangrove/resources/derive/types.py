"""Which resource types a service has: listings grouped by type, with identifiers and the operation that loads one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mangrove.resources.derive.facts import Json
from mangrove.resources.derive.identifiers import Identifier, curated, identify, source_of
from mangrove.resources.derive.listings import Listing
from mangrove.resources.derive.names import key_of
from mangrove.resources.derive.operations import Model
from mangrove.resources.derive.shapes import Load, load_of

__all__ = ["ResourceType", "Supply", "types_of"]


@dataclass(frozen=True, slots=True)
class Supply:
    """One listing of a type, with the place of each identifier in an item (None where only the request knows it)."""

    listing: Listing
    members: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource type.

    Args:
        name: Its name: ``DBInstance``.
        identifiers: What identifies it, parents first.
        supplies: The listings that give its identifiers, the best first.
        item: The shape of an item of the best listing; ``""`` for plain strings.
        load: How one is read; None where the API cannot.
        evidence: How sure the identifiers are: 5 read, 4 written, 3 filter, 2 guessed, 1 plain.
        existing: True when boto3's own file has it.
        own: The identifiers that are not its parent's.
    """

    name: str
    identifiers: tuple[Identifier, ...]
    supplies: tuple[Supply, ...]
    item: str
    load: Load | None
    evidence: int
    existing: bool = False
    own: tuple[Identifier, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Take out, once, the identifiers that are not the parent's."""
        object.__setattr__(self, "own", tuple(each for each in self.identifiers if not each.parent))

    @property
    def shape(self) -> str:
        """The shape whose members are its attributes; ``""`` for none."""
        return self.load.shape if self.load else self.item


def types_of(
    model: Model,
    listings: Iterable[Listing],
    constants: Mapping[str, Mapping[str, object]],
    identifiers: Mapping[str, Iterable[Json]],
) -> list[ResourceType]:
    """Group listings to types and find what identifies each.

    Args:
        model: The service's model.
        listings: All listings of the service.
        constants: Operation (or ``*``) to inputs with a fixed value.
        identifiers: Type to its identifiers, where the overlay knows better.

    Returns:
        The types that have identifiers, by name.
    """
    grouped: dict[str, list[Listing]] = {}
    for listing in listings:
        grouped.setdefault(listing.kind, []).append(listing)
    found = (_type(model, kind, group, constants, identifiers.get(kind, ())) for kind, group in sorted(grouped.items()))
    return [each for each in found if each]


def _rank(model: Model, listing: Listing) -> tuple[object, ...]:
    """Order the listings of a type: without a parent, paged, structures, current, rich ones first."""
    op = listing.operation
    return (
        op.deprecated,
        bool(op.qualifier),
        op.verb == "Search",
        len(op.required),
        listing.plain and listing.paginated is False,
        not listing.paginated,
        listing.plain,
        -len(model.members(listing.item)),
        op.name[::-1],
    )


def _type(
    model: Model,
    kind: str,
    listings: list[Listing],
    constants: Mapping[str, Mapping[str, object]],
    told: Iterable[Json],
) -> ResourceType | None:
    ordered = sorted(listings, key=lambda each: _rank(model, each))
    fixed = frozenset(key_of(name) for values in constants.values() for name in values)
    identity = curated(ordered[0], told) if told else identify(model, kind, ordered, fixed)
    if identity is None:
        return None
    supplies = [_supply(model, each, identity.identifiers) for each in ordered]
    item = "" if identity.listing.plain else identity.listing.item
    load = load_of(model, kind, identity, ordered, constants)
    return ResourceType(
        kind, identity.identifiers, tuple(each for each in supplies if each), item, load, identity.evidence
    )


def _supply(model: Model, listing: Listing, identifiers: tuple[Identifier, ...]) -> Supply | None:
    members = {} if listing.plain else model.scalars(listing.item)
    inputs = listing.operation.scalars
    places: list[str | None] = []
    for each in identifiers:
        place = source_of(listing, each, listing.kind, members)
        if place is None and not any(key in inputs for key in (each.keys | each.weak if each.parent else each.keys)):
            return None
        places.append(place)
    # A listing that takes the resource's own identifier, and does not give it back, lists something else.
    return (
        Supply(listing, tuple(places))
        if any(p is not None for p, i in zip(places, identifiers, strict=True) if not i.parent)
        else None
    )
