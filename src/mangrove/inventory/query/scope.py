"""Say where a table's rows must be collected: in fewer accounts and regions, where the statements see no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mangrove.inventory.query.limits import Condition, Limits

__all__ = ["EVERYWHERE", "Place", "Scope", "scope_of", "types_of"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Be where rows are collected.

    Args:
        accounts: the ids of the accounts; None is all.
        regions: the names and globs of the regions; None is all that were asked for.

    Example:
        >>> Scope(None, ("eu-west-1",)).covers(Scope(("111111111111",), ("eu-west-1",)))
        True
    """

    accounts: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None

    @property
    def empty(self) -> bool:
        """Tell whether there is nowhere to collect."""
        return self.accounts == () or self.regions == ()

    def covers(self, other: Scope) -> bool:
        """Tell whether all that another asks for is here.

        Args:
            other: the other.
        """
        pairs = ((self.accounts, other.accounts), (self.regions, other.regions))
        return other.empty or all(mine is None or (its is not None and set(its) <= set(mine)) for mine, its in pairs)


EVERYWHERE = Scope()
_PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f")
_PSEUDO = tuple(f"{partition}-global" for partition in _PARTITIONS)


@dataclass(frozen=True, slots=True)
class Place:
    """Be what a fleet is told by.

    Args:
        accounts: the ids of its accounts.
        regions: the names and globs of its regions, as they were asked for.
        known: the names of the regions of its partition; none where regions can't be narrowed.
    """

    accounts: Sequence[str]
    regions: Sequence[str]
    known: frozenset[str] = frozenset()


def scope_of(limits: Sequence[Limits], place: Place) -> Scope:
    """Return where the rows of a table must be collected.

    Args:
        limits: what the statement sees of the table, once for each place where it is named.
        place: what there is.

    Example:
        >>> place = Place(["111111111111", "222222222222"], ["*"], frozenset({"eu-west-1", "us-east-1"}))
        >>> scope_of([{"region": [Condition(values=frozenset({"eu-west-1"}))]}], place)
        Scope(accounts=None, regions=('eu-west-1',))
        >>> scope_of([{"account": [Condition(pattern="1%")]}, {}], place) == EVERYWHERE
        True
    """
    accounts = [_accounts(each.get("account", ()), place) for each in limits]
    regions = [_regions(each.get("region", ()), place) for each in limits]
    return Scope(_union(accounts), _union(regions))


def types_of(limits: Sequence[Limits], types: Iterable[str]) -> list[str]:
    """Return the types that a statement can see of a table that has several.

    Args:
        limits: as for `scope_of`.
        types: the types of the table.
    """
    return [kind for kind in types if any(all(one.meets(kind) for one in each.get("type", ())) for each in limits)]


def _union(parts: Sequence[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    if not parts or any(part is None for part in parts):
        return None
    return tuple(sorted({name for part in parts for name in part or ()}))


def _accounts(conditions: Sequence[Condition], place: Place) -> tuple[str, ...] | None:
    if not conditions:
        return None
    return tuple(name for name in place.accounts if all(each.meets(name) for each in conditions))


def _regions(conditions: Sequence[Condition], place: Place) -> tuple[str, ...] | None:
    """Return the names or globs of regions; None where what they would leave out is not sure."""
    if not conditions or not place.known:
        return None
    named = next((each.values for each in conditions if each.values is not None), None)
    if named is None and all(not _is_glob(term) for term in place.regions):
        if any(all(each.meets(name) for each in conditions) for name in _PSEUDO):
            return None  # rows of global services are there whatever the regions
        named = frozenset(place.regions)
    if named is not None:
        wanted = {name for name in named if all(each.meets(name) for each in conditions)}
        # Such as aws-global, where no region is left out.
        if not wanted <= place.known:
            return None
        return tuple(sorted(name for name in wanted if any(fnmatchcase(name, term) for term in place.regions)))
    if len(conditions) > 1 or list(place.regions) != ["*"]:
        return None
    return _glob(conditions[0].pattern, place.known)


def _glob(pattern: str, known: Iterable[str]) -> tuple[str, ...] | None:
    """Return a pattern of LIKE as a glob, if it is how regions' names begin, and no pseudo-region's such as aws-global.

    Accounts may have regions that this botocore has not heard of, so that a list would not do.
    """
    start, percent, rest = pattern.partition("%")
    is_pseudo = start.startswith("aws-") or "aws-".startswith(start)
    if not percent or rest or is_pseudo or set("_?[]*") & set(start) or not any(k.startswith(start) for k in known):
        return None
    return (f"{start}*",)


def _is_glob(term: str) -> bool:
    return any(mark in term for mark in "*?[")
