"""Look at what there is: the resources of types in all accounts and regions of a fleet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mangrove.errors import DeclarationTypeError
from mangrove.fleet import Fleet, Plan, Progress, Target
from mangrove.fleet.doors import Make, Opening
from mangrove.fleet.listing import Listing, openings_of
from mangrove.fleet.tasks import Task
from mangrove.inventory.choosing import Choice, choose
from mangrove.inventory.collecting import Collection
from mangrove.inventory.reading import Reader
from mangrove.inventory.wanted import Tags, Wanted
from mangrove.resources.kinds import DEFAULT_TYPES, Kind
from mangrove.resources.listing import Finish
from mangrove.resources.ways import Ways

__all__ = ["Inventory", "Types"]

Types = str | Kind | Iterable[str | Kind]
"""Names (`ec2.instances`), globs of names (`rds.*`, `*`), patterns of ARNs (`arn:aws:ec2:*:*:volume/*`)."""


class Inventory:
    """Look at the resources of a fleet, as rows that all types have in common.

    Args:
        fleet: the accounts and regions, with its limits and deadlines; one with an executor asks with this process all
            the same.

    Example:
        >>> inventory = Inventory(mangrove.Fleet(["123456789012"], regions=["eu-west-1"]))
        >>> for row in inventory.collect(["ec2.vpcs", "s3.*"]):
        ...     print(row.account, row.region, row.type, row.tags)
        123456789012 eu-west-1 ec2.vpcs {}
    """

    def __init__(self, fleet: Fleet) -> None:
        if not isinstance(fleet, Fleet):
            text = f"an inventory is of a mangrove.Fleet; got {type(fleet).__name__}"
            raise DeclarationTypeError(text)
        self.fleet = fleet
        self._ways = Ways(fleet.session)

    def types(self, types: Types = DEFAULT_TYPES) -> list[str]:
        """Return the names of the types that are meant; no call is made.

        Args:
            types: as for `collect`.

        Raises:
            ConfigError: as for `collect`.

        Example:
            >>> Inventory(mangrove.Fleet(["123456789012"])).types("sns.*")[-1]
            'sns.topics'
        """
        return [choice.kind.name for choice in choose(types, self._ways)]

    def plan(self, types: Types = DEFAULT_TYPES) -> Plan:
        """Say which calls `collect` would make, as `Fleet.plan` does; those for tags are not counted.

        Args:
            types: as for `collect`.

        Raises:
            ConfigError: as for `collect`.
        """
        choices = choose(types, self._ways)
        return self._narrowed(choices).plan_resources(*(choice.kind.name for choice in choices))

    def collect(
        self,
        types: Types = DEFAULT_TYPES,
        *,
        tags: Tags | None = None,
        where: str | None = None,
        progress: Callable[[Progress], object] | bool | None = None,
    ) -> Collection:
        """Return the resources of types as rows, as they arrive.

        They are what the account itself has: its own images and snapshots, and not those that others share. A type,
        region or account that fails costs only itself, and tags that can't be read are None.

        Args:
            types: names such as `ec2.instances`, as boto3 names the collection; globs such as `rds.*` or `*`, for what
                can be listed without parameters; patterns of ARNs, such as `arn:aws:ec2:*:*:volume/*`.
            tags: which tags the rows must have: values by their keys, each a glob or several, with `!` before what is
                not wanted; None for any value. Rows whose tags are not known are left out.
            where: a condition in JMESPath over the row: `account`, `region`, `partition`, `service`, `type`, `name`,
                `arn`, `tags`, `data`, and the members of `data` by their own names.
            progress: is called with a `Progress`; True shows a line on a terminal.

        Raises:
            ConfigError: there is no such type, with the close matches; or the condition can't be read. No call is made.

        Example:
            >>> fleet = mangrove.Fleet(["123456789012"], regions=["eu-west-1"])
            >>> [row.name for row in Inventory(fleet).collect("ec2.vpcs", where="IsDefault && !(tags.team)")]
            ['vpc-...']
        """
        return self._collect(choose(types, self._ways), Wanted.of(tags, where), progress)

    def resume(
        self, collection: Collection, *, progress: Callable[[Progress], object] | bool | None = None
    ) -> Collection:
        """Ask again where a collection failed or was never begun; rows of targets that failed half-way come again.

        Args:
            collection: one of this inventory's, or of another one of the same accounts and regions.
            progress: as for `collect`.
        """
        run = collection.run
        again = self.fleet.listing(collection.types, run.openings, progress=progress, earlier=run.record)
        return Collection(again, self.fleet, collection.types)

    def _collect(self, choices: Sequence[Choice], wanted: Wanted, progress: Any) -> Collection:
        fleet = self._narrowed(choices)
        rules = {choice.kind.name: Wanted(choice.patterns, wanted.tags, wanted.where) for choice in choices}

        def last(listing: Listing) -> Finish:
            return Reader(listing, rules[listing.target.type]).finish

        kinds, patterns = [choice.kind for choice in choices], {choice.kind.name: choice for choice in choices}
        openings = tuple(_narrowed(opening, patterns) for opening in openings_of(kinds, self._ways, last))
        names = tuple(rules)
        return Collection(fleet.listing(names, openings, progress=progress), fleet, names)

    def _narrowed(self, choices: Sequence[Choice]) -> Fleet:
        """Return the part of the fleet that patterns of ARNs can mean: their accounts, if some of them are there."""
        patterns = [pattern for choice in choices for pattern in choice.patterns]
        if not all(choice.patterns for choice in choices) or all(each.account in ("", "*") for each in patterns):
            return self.fleet
        known = [account.id for account in self.fleet.accounts]
        meant = [each for each in known if any(not one.account or one.may_match(account=each) for one in patterns)]
        # What another account shares is there too, in whoever it is shared with.
        return self.fleet.where(ids=meant) if meant and meant != known else self.fleet


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """Make tasks where a pattern of ARNs can match.

    Args:
        make: makes the tasks.
        choices: the types, by their names.
    """

    make: Make
    choices: dict[str, Choice]

    def __call__(self, target: Target, opt_in: bool, regions: tuple[str, ...]) -> tuple[Task, ...]:  # noqa: FBT001
        return tuple(task for task in self.make(target, opt_in, regions) if self._is_meant(task))

    def _is_meant(self, task: Task) -> bool:
        choice = self.choices[task.target.type]
        if not choice.regional or choice.kind.home is not None:
            return True
        return any(each.may_match(region=task.target.region_name) for each in choice.patterns)


def _narrowed(opening: Opening, choices: dict[str, Choice]) -> Opening:
    service, make, once = opening
    if not any(choice.regional for choice in choices.values()):
        return opening
    return service, _Narrowed(make, choices), once
