"""Say which calls a run will make, before any of them is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mangrove.accounts import DEFAULT_ROLE, Account
from mangrove.aws.identity import partition_of_region
from mangrove.aws.regions import Asked, ask, guess
from mangrove.errors import NoRegionsError
from mangrove.fleet.doors import ANY_SERVICE, Opening
from mangrove.fleet.opening import nearest, regions_for
from mangrove.fleet.outcome import Target

if TYPE_CHECKING:
    import boto3

__all__ = ["Plan", "plan_of"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Be what a run will do.

    Args:
        what: what is asked.
        accounts: how many accounts.
        targets: where it is asked for sure.
        possible: where it is asked if the account has enabled the region, which only the account can say.
        calls: requests by service and operation, for a first run without failures: what is known is not asked again.
            Each target counts one; lists of several pages take more.
        notes: what else is worth knowing.

    Example:
        >>> print(mangrove.Fleet(["210987654321"], regions=["eu-west-1", "us-east-1"]).plan("ec2", "describe_vpcs"))
        ec2 DescribeVpcs in 1 account: 2 targets
        sts AssumeRole 1
        ec2 DescribeVpcs 2
        and 1 for each further page of an answer
    """

    what: str
    accounts: int
    targets: tuple[Target, ...]
    possible: tuple[Target, ...]
    calls: Mapping[tuple[str, str], int]
    notes: tuple[str, ...] = field(default=())

    @property
    def total(self) -> int:
        """Return the number of all calls that are sure."""
        return sum(self.calls.values())

    def __str__(self) -> str:
        accounts = "1 account" if self.accounts == 1 else f"{self.accounts} accounts"
        targets = "1 target" if len(self.targets) == 1 else f"{len(self.targets)} targets"
        more = f", and up to {len(self.possible)} in regions that must be enabled first" if self.possible else ""
        lines = [f"{self.what} in {accounts}: {targets}{more}"]
        lines += [f"{service} {operation} {count}" for (service, operation), count in self.calls.items()]
        lines.append("and 1 for each further page of an answer")
        return "\n".join([*lines, *self.notes])


def plan_of(
    what: str,
    operations: Sequence[str],
    openings: Sequence[Opening],
    accounts: Sequence[Account],
    regions: Sequence[str],
    session: boto3.Session,
    own: str | None,
) -> Plan:
    """Return the plan of a run.

    Args:
        what: what is asked, in words.
        operations: the operation of each of the openings.
        openings: how the targets are found.
        accounts: the accounts.
        regions: names and globs.
        session: the caller's.
        own: the caller's account, if an account is entered by the usual role.
    """
    calls: Counter[tuple[str, str]] = Counter()
    sure: list[Target] = []
    possible: list[Target] = []
    notes: list[str] = []
    calls["sts", "AssumeRole"] = len(_roles(accounts, own, session))
    profiles = sum(account.profile is not None for account in accounts)
    if profiles:
        notes.append(f"and what {profiles} profiles need to get their credentials")
    for account in accounts:
        asked = {opening[0]: _asked(opening[0], account, regions, session) for opening in openings}
        if any(each is not None and each.needs_account for each in asked.values()):
            calls["ec2", "DescribeRegions"] += 1
        for (service, _, once), operation in zip(openings, operations, strict=True):
            found, maybe = _targets(account, service, asked[service], session, once=once)
            calls[service, operation] += len(found)
            sure += found
            possible += maybe
    told = {key: count for key, count in calls.items() if count or key[0] != "sts"}
    return Plan(what, len(accounts), tuple(sure), tuple(possible), told, tuple(notes))


def _asked(service: str, account: Account, regions: Sequence[str], session: boto3.Session) -> Asked | None:
    terms = regions_for(account, regions)
    try:
        return ask(session, service or ANY_SERVICE, terms) if terms else None
    except NoRegionsError:
        return None


def _targets(
    account: Account, service: str, asked: Asked | None, session: boto3.Session, *, once: bool
) -> tuple[list[Target], list[Target]]:
    if asked is None:
        return [], []
    found = guess(asked)
    regions = [nearest(found.regions, session.region_name)] if once else found.regions
    made = [
        (region, Target(account.id, region.name, service, found.partition, name=account.name)) for region in regions
    ]
    maybe = [target for region, target in made if region.status == "unknown" and not once]
    return [target for _, target in made if target not in maybe], maybe


def _roles(accounts: Iterable[Account], own: str | None, session: boto3.Session) -> set[tuple[str, ...]]:
    """Return the roles that are assumed, each with those before it: a hop that several share is assumed once."""
    partition = partition_of_region(session, session.region_name)
    assumed: set[tuple[str, ...]] = set()
    for account in accounts:
        if account.role == DEFAULT_ROLE and account.id == own:
            continue
        chain = account.role_arns(partition)
        assumed.update(chain[: length + 1] for length in range(len(chain)))
    return assumed
