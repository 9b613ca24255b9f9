"""Open an account: come into it, and find the targets in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from mangrove.accounts import Account
from mangrove.aws.regions import Region, is_glob
from mangrove.errors import MangroveError, NoRegionsError, RegionDisabledError
from mangrove.fleet.doors import Doors, Make
from mangrove.fleet.outcome import Outcome, Target
from mangrove.fleet.tasks import Context, Step, Task

if TYPE_CHECKING:
    from mangrove.fleet.limits import Scope

__all__ = ["OpenTask", "nearest", "regions_for"]


@dataclass(frozen=True, slots=True)
class OpenTask:
    """Come into an account, and find the targets in it.

    Args:
        account: the account.
        service: the service whose regions are asked for; empty for a function.
        regions: names and globs.
        makes: what makes the tasks of a target, each with whether one region stands for the whole account.
        without: regions and types that need not be asked again, for runs that go on with what failed.
        begun: those that were begun and must not be made again, as nobody knows how they ended.
    """

    account: Account
    service: str
    regions: Sequence[str]
    makes: Sequence[tuple[Make, bool]]
    without: frozenset[tuple[str, str]] = frozenset()
    begun: frozenset[tuple[str, str]] = frozenset()
    scope: Scope | None = field(default=None)
    repeatable: bool = True
    opt_in: bool = False

    @property
    def target(self) -> Target:
        """Return what stands for the account as long as its regions are not known."""
        return Target(self.account.id, "*", self.service, name=self.account.name)

    def step(self, context: Context) -> Step:
        """Find the targets; see `Task`."""
        if not isinstance(context, Doors):
            text = f"an account is opened with its doors, and not with {type(context).__name__}"
            raise TypeError(text)
        context.know([self.account])
        context.come_in(self.account)
        terms = regions_for(self.account, self.regions)
        if not terms:
            text = f"account {self.account.id} is worked on in {', '.join(self.account.regions)} alone"
            return Step(outcomes=(Outcome(self.target, "unsupported", error=NoRegionsError(text)),))
        found = context.regions(self.account, self.service, terms)
        regions = [*found.regions]
        alive = [region for region in regions if region.status != "disabled"]
        skipped = [
            *((region.name, "disabled", region.source) for region in regions if region.status == "disabled"),
            *((skip.name, skip.reason, skip.source) for skip in found.skipped),
        ]
        if all(once for _, once in self.makes) and alive:
            skipped = []
        tasks = list(self._tasks(alive, found.partition, context.base.region_name))
        known = (task for task in tasks if (task.target.region, task.target.type) in self.begun)
        return Step(
            tasks=tuple(task for task in tasks if (task.target.region, task.target.type) not in self.begun),
            outcomes=(
                *(
                    self._skip(name, reason, source, found.partition)
                    for name, reason, source in skipped
                    if (name, "") not in self.without
                ),
                *(Outcome(task.target, "failed", error=MangroveError(_begun(task.target))) for task in known),
            ),
        )

    def _tasks(self, regions: Sequence[Region], partition: str, preferred: str | None) -> Iterator[Task]:
        names = tuple(region.name for region in regions)
        for make, once in self.makes:
            for region in [nearest(regions, preferred)] if once and regions else regions:
                yield from self._tasks_in(region, partition, make, names)

    def _tasks_in(self, region: Region, partition: str, make: Make, names: tuple[str, ...]) -> list[Task]:
        target = Target(
            self.account.id,
            region.name,
            self.service,
            partition,
            name=self.account.name,
            endpoint_region=region.endpoint_region,
        )
        made = make(target, _may_be_disabled(region), names)
        return [task for task in made if (task.target.region, task.target.type) not in self.without]

    def _skip(self, region: str, reason: Any, source: str, partition: str) -> Outcome[Any]:
        error: Exception
        if reason == "disabled":
            error = RegionDisabledError(f"account {self.account.id} has not enabled {region} ({source})")
        else:
            error = NoRegionsError(f"{self.service or 'the service'} is not in {region} ({source})")
        target = Target(self.account.id, region, self.service, partition, name=self.account.name)
        return Outcome(target, reason, error=error)


def nearest(regions: Sequence[Region], preferred: str | None) -> Region:
    """Return the region that stands for an account: the caller's own, else one that every account has."""
    return min(regions, key=lambda region: (region.name != preferred, region.opt_in))


def _begun(target: Target) -> str:
    return (
        f"{target}: it was under way when the run was left, and nobody knows whether the change was made: look, and "
        "say again=True if it is to be made again"
    )


def _may_be_disabled(region: Region) -> bool:
    return region.opt_in and region.status == "unknown"


def regions_for(account: Account, regions: Sequence[str]) -> list[str]:
    """Return the names and globs of an account: its own, as far as the run wants them.

    Args:
        account: the account.
        regions: what the run wants.

    Example:
        >>> own = mangrove.accounts.Account("111111111111", regions=("eu-west-1", "us-east-1"))
        >>> regions_for(own, ["*"]), regions_for(own, ["eu-*"]), regions_for(own, ["us-east-1"])
        (['eu-west-1', 'us-east-1'], ['eu-west-1'], ['us-east-1'])
    """
    if not account.regions:
        return list(regions)
    own = list(account.regions)
    if any(is_glob(each) for each in own):
        return own if list(regions) == ["*"] else list(regions)
    return [name for name in own if any(fnmatchcase(name, term) for term in regions)]
