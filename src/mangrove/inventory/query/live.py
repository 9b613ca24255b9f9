"""Answer statements from AWS: only the tables that they name are collected, and only where they look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from mangrove._redact import message_of
from mangrove.aws.identity import partition_of_region
from mangrove.aws.session import sdk_regions
from mangrove.fleet import Outcome
from mangrove.inventory.query.result import Result
from mangrove.inventory.query.sandbox import Statement
from mangrove.inventory.query.scope import EVERYWHERE, Place, Scope, scope_of, types_of
from mangrove.inventory.query.shelf import Shelf, drop, new_rows, put
from mangrove.inventory.rows import Row
from mangrove.inventory.tables import Tables, table_name
from mangrove.resources.kinds import DEFAULT_TYPES

if TYPE_CHECKING:
    import boto3

    from mangrove.fleet import Fleet

__all__ = ["Collect", "Collected", "Live", "place_of"]


class Collected(Protocol):
    """Be rows as they come, and what became of the targets when they have come."""

    @property
    def outcomes(self) -> Sequence[Outcome[Any]]:
        """Return what became of each target."""
        ...

    def __iter__(self) -> Iterator[Row]: ...


Collect = Callable[[Sequence[str], Scope], Collected]
"""Collects the rows of types where a scope says."""


@dataclass(slots=True)
class _Kept:
    """Be what was collected of a type, and where."""

    scope: Scope
    failures: list[Outcome[Any]] = field(default_factory=list)


class Live:
    """Answer statements from AWS; see `Book`. What was collected is kept, and not asked for again.

    Args:
        collect: collects rows.
        place: returns what the accounts and regions are, when it is needed first.
        types: the types of the table `resources`.
        tables: know the columns of types.
    """

    def __init__(
        self,
        collect: Collect,
        place: Callable[[], Place],
        types: Sequence[str] = DEFAULT_TYPES,
        tables: Tables | None = None,
    ) -> None:
        self._collect, self._place, self._types = collect, place, tuple(types)
        self._shelf: Shelf = new_rows(tables, types=self._types)
        self._kept: dict[str, _Kept] = {}
        self._last: list[str] = []

    def ask(self, text: str) -> Result:
        """Return what a statement finds, having collected what it needs; see `Book`."""
        statement = self._shelf.read(text)
        self._last = []
        wanted = self._wanted(statement)
        groups: defaultdict[Scope, list[str]] = defaultdict(list)
        for kind, scope in wanted.items():
            if kind not in self._kept or not self._kept[kind].scope.covers(scope):
                groups[scope].append(kind)
        for scope, kinds in groups.items():
            self._fetch(kinds, scope)
        self._last = list(wanted)
        return self._shelf.answer(statement)

    def _wanted(self, statement: Statement) -> dict[str, Scope]:
        """Return the types that a statement names, and where it looks for them."""
        found: dict[str, Scope] = {}
        explains = statement.explains
        for _, name in statement.tables:
            limits = statement.limits.get(name) or ({},)
            kinds = types_of(limits, self._types) if name == "resources" else self._kinds(name)
            if explains or not kinds:
                continue
            is_limited = all(limits)
            scope = scope_of(limits, self._place()) if is_limited else EVERYWHERE
            for kind in kinds:
                found[kind] = _both(found[kind], scope) if kind in found else scope
        return found

    def _kinds(self, name: str) -> list[str]:
        return [self._shelf.type_of(name)] if self._shelf.is_of_type(name) else []

    def _fetch(self, kinds: list[str], scope: Scope) -> None:
        self._forget(kinds)
        if scope.empty:
            return
        try:
            collected = self._collect(kinds, scope)
            put(self._shelf, collected)
        except BaseException:
            self._forget(kinds)  # some of the rows are no table
            raise
        failures = [each for each in collected.outcomes if each.failed]
        for kind in kinds:
            self._kept[kind] = _Kept(scope, [each for each in failures if each.target.type in (kind, "")])

    def _forget(self, kinds: Iterable[str]) -> None:
        for kind in kinds:
            self._kept.pop(kind, None)
        drop(self._shelf, kinds)

    def names(self) -> list[str]:
        """List the tables that there are: of the usual types, and of those that were asked for; see `Book`."""
        return sorted({*self._shelf.names(), *map(table_name, self._types)})

    def columns(self, table: str) -> list[tuple[str, str]]:
        """Return the columns of a table; see `Book`."""
        return self._shelf.columns(table)

    @property
    def failures(self) -> list[Outcome[Any]]:
        """List the targets that failed, of the types that the last statement has named."""
        found: Mapping[int, Outcome[Any]] = {
            id(each): each for kind in self._last if kind in self._kept for each in self._kept[kind].failures
        }
        return list(found.values())

    def incomplete(self) -> list[str]:
        """Say which targets failed; see `Book`."""
        return [f"{each.target}: {each.kind}: {_reason(each)}" for each in self.failures]

    def refresh(self) -> None:
        """Forget what was collected; see `Book`."""
        self._forget(list(self._kept))

    def close(self) -> None:
        """Let go of the memory; see `Book`."""
        self._shelf.close()


def _both(one: Scope, other: Scope) -> Scope:
    def union(*parts: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if None in parts else tuple(sorted({name for part in parts for name in part or ()}))

    return Scope(union(one.accounts, other.accounts), union(one.regions, other.regions))


def _reason(outcome: Outcome[Any]) -> str:
    error = outcome.error
    return " ".join(message_of(error).split()) or type(error).__name__ if error is not None else "no reason was given"


def place_of(fleet: Fleet, session: boto3.Session) -> Place:
    """Return what a fleet's accounts and regions are.

    Args:
        fleet: the fleet.
        session: the caller's.

    Raises:
        NoAccountsError: there are none.
        OrganizationError: the organization can't be read.
    """
    sdk = sdk_regions(session)
    known = frozenset(sdk.partitions[partition_of_region(session, session.region_name)].regions)
    if any(account.regions for account in fleet.accounts):
        # An account's own regions are narrowed by its fleet's in ways of their own.
        known = frozenset()
    return Place([account.id for account in fleet.accounts], fleet.regions, known)
