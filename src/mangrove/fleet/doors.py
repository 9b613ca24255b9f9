"""Come into accounts: a session for each, the regions it has enabled, and the clients of its targets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mangrove.accounts import DEFAULT_ROLE, Account
from mangrove.aws.derived import Derivation
from mangrove.aws.identity import account_of, partition_of
from mangrove.aws.operations import Operation, find_operation
from mangrove.aws.options import ClientOptions
from mangrove.aws.regions import Region, answer, ask, is_glob
from mangrove.aws.session import Session, make_client, make_resource
from mangrove.credentials import ConnectionManager
from mangrove.credentials.explain import login_needed
from mangrove.errors import NoRegionsError, RegionDisabledError
from mangrove.fleet.outcome import Outcome, Target
from mangrove.fleet.tasks import Context, Step, Task

if TYPE_CHECKING:
    import boto3

    from mangrove.fleet.limits import Scope

__all__ = ["ANY_SERVICE", "TEMPLATES", "Doors", "Make", "OpenTask", "Opening", "nearest", "regions_for"]

_MOST_CLIENTS = 4096

Make = Callable[[Target, bool, tuple[str, ...]], tuple[Task, ...]]
"""Makes the tasks of a target; told whether the account may not have enabled its region, and which regions it has."""

Opening = tuple[str, Make, bool]
"""A service whose regions are asked for, what makes its tasks, and whether one region stands for the account."""

# What a function may call is not known; where EC2 is, an account's region is in use.
ANY_SERVICE = "ec2"

# The arguments of AssumeRole that may be templates; a policy has braces of its own.
TEMPLATES = frozenset({"role_session_name", "source_identity"})


class Doors:
    """Hold the sessions of accounts and the clients of targets, for all runs of a fleet.

    Args:
        session: the caller's.
        options: client arguments for the targets' clients, whose tries again are the run's.
        patient: the same for service resources, whose tries again are botocore's.
        role_options: AssumeRole's other arguments for all accounts, such as `role_session_name`, by our names.
        cache: a cache of credentials, as `ConnectionManager` takes it.
    """

    def __init__(
        self,
        session: boto3.Session,
        options: ClientOptions,
        patient: ClientOptions,
        role_options: Mapping[str, Any],
        cache: Any = None,
    ) -> None:
        self.base = session
        self.options, self.patient = options, patient
        self._role_options = dict(role_options)
        self._manager = ConnectionManager(session, cache)
        self._profiles: dict[str, Session] = {}
        self._clients: dict[Target, Any] = {}
        self._accounts: dict[str, Account] = {}
        self._sessions: dict[str, boto3.Session] = {}
        self._lock = threading.Lock()
        self._operation = lru_cache(maxsize=256)(lambda service, name: find_operation(session, service, name))

    def know(self, accounts: Sequence[Account]) -> None:
        """Remember how accounts are entered, for targets that name them by their ids."""
        with self._lock:
            for account in accounts:
                if self._accounts.get(account.id) != account:
                    self._accounts[account.id] = account
                    self._sessions.pop(account.id, None)

    def own_account(self) -> str:
        """Return the caller's account.

        Raises:
            CredentialError: there are no credentials.
        """
        return account_of(self.base)

    def enter(self, account: Account, region_name: str | None = None) -> boto3.Session:
        """Return a session of an account: its profile's, its role's, or the caller's own.

        A role is left out for the caller's own account if it is the usual one, which no account has for itself.

        Args:
            account: the account.
            region_name: the session's region; None takes the caller's.

        Raises:
            CredentialError: there are no credentials to tell the caller's account with.
        """
        if account.profile is not None:
            return self._of_profile(account.profile, region_name)
        if account.role is None or (account.role == DEFAULT_ROLE and account.id == self.own_account()):
            return self._manager.get_session(region_name=region_name)
        roles = [*account.role_arns(partition_of(self.base))]
        options: dict[str, Any] = {
            name: account.render(value) if name in TEMPLATES and value is not None else value
            for name, value in self._role_options.items()
        }
        options.update({"external_id": account.external_id} if account.external_id is not None else {})
        return self._manager.get_session(roles[0] if len(roles) == 1 else roles, region_name=region_name, **options)

    def _of_profile(self, name: str, region_name: str | None) -> Session:
        # A profile has a region of its own, which clients are told anyway.
        key = f"{name} {region_name or ''}"
        with self._lock:
            if key not in self._profiles:
                self._profiles[key] = Session(profile_name=name, region_name=region_name)
            return self._profiles[key]

    # -- what tasks ask for --------------------------------------------------------------------------------------------

    def session(self, target: Target) -> boto3.Session:
        """Return a session of a target's account, with its region, that knows its target; see `Context`."""
        account = self._accounts[target.account]
        session = self.enter(account, target.region_name)
        if session is self.base:
            # The caller's own object stays what it is.
            session = Derivation(session).session(session.get_credentials)
        vars(session).update(target=target, session_information=_information(account, target))
        return session

    def account(self, target: Target) -> Account:
        """Return the account of a target; see `Context`."""
        return self._accounts[target.account]

    def client(self, target: Target) -> Any:
        """Return the client of a target; see `Context`."""
        client = self._clients.get(target)
        if client is None:
            arguments = self.options.as_arguments(region_name=target.region_name)
            client = make_client(self._session(target.account), target.service, **arguments)
            self._clients[target] = client
            if len(self._clients) > _MOST_CLIENTS:
                # In another process nobody says when a target is done.
                for oldest in list(self._clients)[:1]:
                    self._clients.pop(oldest, None)
        return client

    def service(self, target: Target, region_name: str | None = None) -> Any:
        """Return a service resource of a target's account, for one thread alone.

        Args:
            target: the target.
            region_name: another region than the target's.
        """
        arguments = self.patient.as_arguments(region_name=region_name or target.region_name)
        return make_resource(self.enter(self._accounts[target.account]), target.service, **arguments)

    def _session(self, account: str) -> boto3.Session:
        session = self._sessions.get(account)
        if session is None:
            session = self._sessions[account] = self.enter(self._accounts[account])
        return session

    def operation(self, service: str, name: str) -> Operation:
        """Return an operation; see `Context`."""
        found: Operation = self._operation(service, name)
        return found

    def forget(self, target: Target) -> None:
        """Let the client of a target go, when the target is done."""
        self._clients.pop(target, None)


@dataclass(frozen=True, slots=True)
class OpenTask:
    """Come into an account, and find the targets in it.

    Args:
        account: the account.
        service: the service whose regions are asked for; empty for a function.
        regions: names and globs.
        make: makes the task of a target.
        once: whether one region stands for the whole account.
        without: regions and types that need not be asked again, for runs that go on with what failed.
    """

    account: Account
    service: str
    regions: Sequence[str]
    make: Make
    once: bool = False
    without: frozenset[tuple[str, str]] = frozenset()
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
        session = context.enter(self.account)
        # The credentials come first: without them the regions would be guessed, and each of them fail.
        try:
            credentials = session.get_credentials()
            if credentials is not None:
                credentials.get_frozen_credentials()
        except Exception as error:
            login = login_needed(error, session)
            if login is None:
                raise
            raise login from error
        terms = regions_for(self.account, self.regions)
        if not terms:
            text = f"account {self.account.id} is worked on in {', '.join(self.account.regions)} alone"
            return Step(outcomes=(Outcome(self.target, "unsupported", error=NoRegionsError(text)),))
        found = answer(session, ask(session, self.service or ANY_SERVICE, terms), context.options)
        regions = [*found.regions]
        alive = [region for region in regions if region.status != "disabled"]
        skipped = [
            *((region.name, "disabled", region.source) for region in regions if region.status == "disabled"),
            *((skip.name, skip.reason, skip.source) for skip in found.skipped),
        ]
        names = tuple(region.name for region in alive)
        if self.once and alive:
            alive, skipped = [nearest(alive, context.base.region_name)], []
        partition = found.partition
        return Step(
            tasks=tuple(task for region in alive for task in self._tasks(region, partition, names)),
            outcomes=tuple(
                self._skip(name, reason, source, partition)
                for name, reason, source in skipped
                if (name, "") not in self.without
            ),
        )

    def _tasks(self, region: Region, partition: str, names: tuple[str, ...]) -> list[Task]:
        target = Target(
            self.account.id,
            region.name,
            self.service,
            partition,
            name=self.account.name,
            endpoint_region=region.endpoint_region,
        )
        made = self.make(target, _may_be_disabled(region), names)
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


def _information(account: Account, target: Target) -> dict[str, Any]:
    """Return what botocove's sessions tell of themselves, by its names, for functions that were written for it."""
    role = account.role_arn(target.partition)
    return {
        "Id": account.id,
        "Name": account.name,
        "Email": account.email,
        "Arn": account.variables.get("Arn"),
        "Status": account.variables.get("Status"),
        "RoleName": None if role is None else role.rpartition("/")[2],
        "Region": target.region_name,
        "Partition": target.partition,
        "AssumeRoleSuccess": True,
    }


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
