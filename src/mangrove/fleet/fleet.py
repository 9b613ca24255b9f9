"""Be every account, region and service as one object: what is asked of it is asked everywhere."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mangrove.accounts import DEFAULT_ROLE, Account
from mangrove.aws.options import ClientOptions
from mangrove.aws.regions import is_glob, parse_terms
from mangrove.aws.services import find_service, service_names
from mangrove.aws.session import make_session, sdk_regions
from mangrove.errors import ConfigError
from mangrove.fleet.asking import Asking, Report
from mangrove.fleet.doors import Doors, Opening
from mangrove.fleet.elsewhere import Recipe, recipe_of, workshop_for
from mangrove.fleet.limits import Limits
from mangrove.fleet.listing import openings_of
from mangrove.fleet.members import Members
from mangrove.fleet.outcome import Target
from mangrove.fleet.plan import Plan, plan_of
from mangrove.fleet.record import Record
from mangrove.fleet.request import Request
from mangrove.fleet.run import Run
from mangrove.fleet.starting import Settings, check_number, role_options_of
from mangrove.fleet.tasks import NoTask, Task

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config

    from mangrove.accounts import Role, Source

__all__ = ["Fleet"]

_TRIES = 4  # of a request that no run repeats itself


class Fleet(Asking):
    """Be every account, region and service as one object.

    Nothing is asked of AWS before the first result is. One account, region or target that fails costs only itself.

    Args:
        accounts: any source of `mangrove.accounts.load`: ids, `accounts.yml`, `org`, `org:/prod`, `profile:prod-*`,
            accounts; None takes the caller's own alone.
        regions: names and globs, `["us-east-1", "eu-*"]`; `*` takes what each account has enabled.
        role: the role to assume in accounts that name none; `OrganizationAccountAccessRole` if None. That
            one is not assumed in the caller's own account.
        session: the caller's session; None makes one of boto3's default chain, or of `profile_name`.
        external_id: the external id of accounts that name none; a template.
        profile_name: a profile for the caller's session.
        region_name: the region of the caller's session.
        endpoint_url: where the targets' clients send their calls, instead of AWS. STS is asked where the session's
            configuration says.
        config: a `botocore.config.Config` for the targets' clients. Their tries again are the fleet's own.
        verify: False, or the path of a CA bundle, for the targets' clients.
        role_options: AssumeRole's other arguments, such as `role_session_name` or `duration_seconds`; texts may be
            templates.
        cache: a cache of credentials that others share; see `ConnectionManager`.
        executor: where the requests are made: a `concurrent.futures.Executor` or a `distributed.Client`; None takes
            threads here. Other processes get their own credentials, from `profile_name` or their environment.
        limits: how fast requests are sent: a list, a file, or a `Limits`; beside those that AWS documents.
        polite: which part of every limit is used; 0.5 keeps half for others.
        concurrency: how many requests are under way at once.
        deadline: seconds for a whole run; targets that are not done then have the outcome `timeout`. None sets none.
        target_deadline: seconds for the requests of one target, waiting for limits not counted.
        connect_timeout: seconds to connect, unless `config` says it.
        read_timeout: seconds to wait for an answer, unless `config` says it.

    Raises:
        ConfigError: an argument is wrong; no call was made.

    Example:
        >>> fleet = mangrove.Fleet(["123456789012", "210987654321"], regions=["eu-west-1", "us-east-1"])
        >>> len(fleet), min(fleet.targets("sqs"), key=str)
        (2, Target(account='123456789012', region='eu-west-1', service='sqs', partition='aws', type=''))
    """

    def __init__(
        self,
        accounts: Source | None = None,
        regions: str | Iterable[str] = "*",
        role: Role | None = None,
        session: boto3.Session | None = None,
        *,
        external_id: str | None = None,
        profile_name: str | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
        verify: bool | str | None = None,
        role_options: Mapping[str, Any] | None = None,
        cache: Any = None,
        executor: Any = None,
        limits: Any = None,
        polite: float = 1.0,
        concurrency: int = 64,
        deadline: float | None = None,
        target_deadline: float = 900.0,
        connect_timeout: float = 5.0,
        read_timeout: float = 60.0,
    ) -> None:
        self._session = make_session(session, profile_name=profile_name, region_name=region_name)
        self._regions = parse_terms(regions)
        _check_names(self._session, self._regions)
        self._settings = Settings(
            limits=Limits.read(limits, session=self._session),
            polite=polite,
            concurrency=concurrency,
            deadline=deadline,
            target_deadline=target_deadline,
        )
        check_number("connect_timeout", connect_timeout, above=0)
        check_number("read_timeout", read_timeout, above=0)
        options = ClientOptions(endpoint_url, config, verify)
        once, patient = (options.with_timeouts(connect_timeout, read_timeout, tries) for tries in (1, _TRIES))
        roles = role_options_of(role_options)
        self._doors = Doors(self._session, once, patient, roles, cache)
        self._executor, self._number = executor, uuid.uuid4().hex
        self._recipe = partial(
            recipe_of, session, Recipe(profile_name, region_name, once, patient, tuple(roles.items()))
        )
        workshop_for(executor, self._doors, self._recipe, self._number)  # what is wrong with it is said now
        self._members = Members(self._session, self._doors, accounts, role, external_id)

    # -- what there is -------------------------------------------------------------------------------------------------

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Return the accounts; an organization is asked the first time.

        Raises:
            NoAccountsError: there are none.
            OrganizationError: the organization can't be read.
        """
        return self._members.all()

    @property
    def session(self) -> boto3.Session:
        """Return the caller's session."""
        return self._session

    @property
    def regions(self) -> tuple[str, ...]:
        """Return the names and globs of the regions, as they were asked for."""
        return self._regions

    def __len__(self) -> int:
        return len(self.accounts)

    def where(
        self,
        *,
        ids: str | Iterable[str] | None = None,
        names: str | Iterable[str] | None = None,
        account_tags: Mapping[str, Any] | None = None,
        ou: str | Iterable[str] | None = None,
        regions: str | Iterable[str] | None = None,
        **settings: Any,
    ) -> Fleet:
        """Return a part of the fleet, which shares its sessions.

        Args:
            ids: ids of accounts, or globs; `!` before what is left out, here as everywhere.
            names: names of accounts, or globs.
            account_tags: what the accounts' tags must be, each a glob or several.
            ou: paths of organizational units, with all that is below them.
            regions: names and globs of regions, instead of the fleet's.
            **settings: `limits`, `polite`, `concurrency`, `deadline`, `target_deadline`, instead of the fleet's.

        Raises:
            ConfigError: an argument is wrong.
            NoAccountsError: no account is left.

        Example:
            >>> fleet = mangrove.Fleet(["123456789012", "210987654321"])
            >>> [account.id for account in fleet.where(ids="2*", regions="eu-*").accounts]
            ['210987654321']
        """
        part = object.__new__(Fleet)
        part.__dict__.update(self.__dict__)
        asked = {"ids": ids, "names": names, "tags": account_tags, "ou": ou}
        if any(value is not None for value in asked.values()):
            part._members = self._members.narrowed(asked)
        if regions is not None:
            part._regions = parse_terms(regions)
            _check_names(self._session, part._regions)
        if settings:
            part._settings = self._settings.changed(settings)
        return part

    def resources(self, *types: str, ordered: bool = False, progress: Report = None) -> Run[Any]:
        """Yield the resources of types, everywhere, as objects with `arn` and `tags`.

        They are what the account itself has: its own images and snapshots, and not those that others share.

        Args:
            *types: such as `ec2.instances`, named as boto3 names the collection; `ecs.clusters.services` are those of
                all clusters.
            ordered: as for `call`.
            progress: as for `call`.

        Raises:
            ConfigError: there is no such type; the message has the close matches. No call was made.

        Example:
            >>> fleet = mangrove.Fleet(["123456789012"], regions=["eu-west-1"])
            >>> [vpc.arn for vpc in fleet.resources("ec2.vpcs")]
            ['arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-...']
        """
        kinds = self._kinds(types)
        names = [kind.name for kind in kinds]
        return self.listing(names, openings_of(kinds, self._ways), ordered=ordered, progress=progress)

    def listing(
        self,
        types: Sequence[str],
        openings: tuple[Opening, ...],
        *,
        ordered: bool = False,
        progress: Report = None,
        earlier: Record | None = None,
    ) -> Run[Any]:
        """Return the run that lists types, for who makes something of its own of them; others take `resources`.

        Args:
            types: the names of the types.
            openings: how they are listed; see `mangrove.fleet.listing.openings_of`.
            ordered: as for `call`.
            progress: as for `call`.
            earlier: what an earlier run has done.

        Raises:
            ConfigError: the fleet has an executor.
        """
        if self._executor is not None:
            text = "resources are listed by this process: take a fleet without an executor, or `items`"
            raise ConfigError(text)
        request = Request("resources", operation=" ".join(types))
        return self._run(request, openings, rows=True, ordered=ordered, progress=progress, earlier=earlier)

    def plan(self, service: str, operation: str, /, *, once: bool = False, **parameters: Any) -> Plan:
        """Say what `call` or `items` would do, without doing it; only whose credentials these are may be asked.

        Args:
            service: as for `call`, like the rest; the parameters are checked too.
            operation: as for `call`.
            once: as for `call`.
            **parameters: as for `call`.

        Raises:
            ConfigError: as for `call`.

        Example:
            >>> plan = mangrove.Fleet(["210987654321"], regions=["eu-west-1"]).plan("ec2", "describe_vpcs")
            >>> plan.total, dict(plan.calls)
            (2, {('sts', 'AssumeRole'): 1, ('ec2', 'DescribeVpcs'): 1})
        """
        request = self._request("call", service, operation, parameters, once=once, confirm=True)
        return self._plan(str(request), [request.operation], [(request.service, _nothing, once)])

    def plan_resources(self, *types: str) -> Plan:
        """Say what `resources` would do, as `plan` does.

        Args:
            *types: as for `resources`.
        """
        kinds = self._kinds(types)
        lists = [(kind.name, opening) for kind in kinds for opening in openings_of([kind], self._ways)]
        return self._plan(
            " ".join(kind.name for kind in kinds), [name for name, _ in lists], [each for _, each in lists]
        )

    def _plan(self, what: str, operations: list[str], openings: list[Opening]) -> Plan:
        accounts = self.accounts
        own = self._doors.own_account() if any(account.role == DEFAULT_ROLE for account in accounts) else None
        return plan_of(what, operations, openings, accounts, self._regions, self._session, own)

    def targets(self, service: str = "", *, once: bool = False) -> list[Target]:
        """Return the targets of a service: where each account has enabled a region and the service is there.

        Accounts that can't be entered have none; a run says why. AWS is asked as a run asks it.

        Args:
            service: the service; empty for functions.
            once: one region for each account.
        """
        known = find_service(service, service_names(self._session)) if service else ""
        run = self._run(Request("map", known, "targets", once=once), ((known, _nothing, once),), rows=False)
        return [outcome.target for outcome in run.wait().outcomes if outcome.ok]


def _nothing(target: Target, opt_in: bool, _regions: tuple[str, ...]) -> tuple[Task, ...]:  # noqa: FBT001
    return (NoTask(target, opt_in),)


def _check_names(session: boto3.Session, terms: tuple[str, ...]) -> None:
    """Refuse a region that does not exist, before every account is asked for it."""
    sdk = sdk_regions(session)
    for term in terms:
        if not is_glob(term):
            sdk.partition_of(term)
