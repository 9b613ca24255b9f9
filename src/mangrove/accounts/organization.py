"""Find the accounts of an AWS organization, with as few calls as what is asked for takes.

Of n accounts in u units (the root counts) these are, each with one more for every further page: ListAccounts alone
where nothing is asked of units; else ListRoots, ListOrganizationalUnitsForParent for each unit that may have a wanted
one below it, and ListAccountsForParent for each wanted one, at most 1 + 2u together; and for tags
ListTagsForResource for each account that is left, at most n.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mangrove.accounts._calls import Organization
from mangrove.accounts._globs import patterns
from mangrove.accounts._units import Trail, Wanted, path_of
from mangrove.accounts.account import DEFAULT_ROLE, Account, Role, check_external_id, check_role
from mangrove.accounts.select import TagFilter, TagPatterns
from mangrove.errors import ConfigError, NoAccountsError, OrganizationError

if TYPE_CHECKING:
    import boto3

__all__ = ["from_organization"]

# Source: AccountState in the model of Organizations.
_STATES = frozenset({"ACTIVE", "CLOSED", "PENDING_ACTIVATION", "PENDING_CLOSURE", "SUSPENDED"})
# Organizations answers some ten calls a second; more threads would only be throttled.
_THREADS = 4


@dataclass(frozen=True, slots=True)
class _Found:
    """Be one account as AWS tells it."""

    answer: Mapping[str, Any]
    ou_path: str | None
    tags: Mapping[str, str] | None = None

    @property
    def id(self) -> str:
        found: str = self.answer["Id"]
        return found

    @property
    def state(self) -> str:
        # Status is retired by AWS in favour of State, which older releases of botocore do not read.
        found: str | None = self.answer.get("State") or self.answer.get("Status")
        if found is None:
            text = (
                f"AWS told no state of account {self.id} that this botocore reads; install a newer one, or pass "
                "status=None to take accounts of any state"
            )
            raise OrganizationError(text)
        return found

    @property
    def is_management(self) -> bool:
        # arn:aws:organizations::<management account>:account/o-.../<account>
        return str(self.answer["Arn"]).split(":")[4] == self.id


@dataclass(frozen=True, slots=True, repr=False)
class _Asked:
    """Be what the caller asked for, checked."""

    ou: Wanted | None
    tags: TagFilter | None
    states: frozenset[str] | None
    management: bool
    management_role: Role | None
    role: Role
    external_id: str | None
    with_tags: bool
    with_paths: bool


def from_organization(
    session: boto3.Session | None = None,
    *,
    ou: str | Iterable[str] | None = None,
    tags: TagPatterns | None = None,
    status: str | Iterable[str] | None = "ACTIVE",
    include_management: bool = False,
    management_role: Role | None = None,
    role: Role = DEFAULT_ROLE,
    external_id: str | None = None,
    include_tags: bool = False,
    include_ou_paths: bool = False,
) -> tuple[Account, ...]:
    """Return the accounts of an organization, sorted by name and id; the module says with how many calls.

    Args:
        session: of the management account or a delegated administrator; boto3's default chain if None.
        ou: units by id or by path from the root (`/prod`, `/prod/*`, `/**/web`), with all that is below them; `!`
            before what is left out. A slash in a unit's name is written %2F.
        tags: what an account's tags must be, each a glob or several: `{"env": ["prod", "stage"], "team": "!web"}`.
        status: the states to take, such as ACTIVE and SUSPENDED; None takes all.
        include_management: whether the management account is among them.
        management_role: the role to assume in it; None assumes none, which is right where the session is its own: AWS
            makes no OrganizationAccountAccessRole there.
        role: the role of every other account, as for `Account`: a template such as `audit-{name}`.
        external_id: the external id of every other account; a template.
        include_tags: whether to ask for tags where no filter or template needs them.
        include_ou_paths: whether to ask for units where no filter or template needs them.

    Returns:
        At least one account. `ou_path` and `tags` are None where nothing asked for them.

    Raises:
        ConfigError: an argument is wrong, and no call was made; or a template takes what an account does not have.
        NoAccountsError: nothing is left of what was asked, or there is no such unit.
        OrganizationError: a call was denied, or the account is in no organization. Other errors are botocore's.

    Example:
        >>> import boto3
        >>> organizations = boto3.client("organizations")
        >>> _ = organizations.create_organization(FeatureSet="ALL")
        >>> _ = organizations.create_account(AccountName="web", Email="web@example.com")
        >>> [account.name for account in mangrove.accounts.from_organization()]
        ['web']
    """
    managed, details = (include_management, management_role), (include_tags, include_ou_paths)
    return _find(session, _checked(ou, tags, status, managed, role, external_id, details))


def _find(session: boto3.Session | None, asked: _Asked) -> tuple[Account, ...]:
    organization = Organization(session)
    try:
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="mangrove-accounts") as threads:
            return _collect(organization, asked, threads)
    finally:
        organization.close()


def _checked(
    ou: str | Iterable[str] | None,
    tags: TagPatterns | None,
    status: str | Iterable[str] | None,
    management: tuple[bool, Role | None],
    role: Role,
    external_id: str | None,
    details: tuple[bool, bool],
) -> _Asked:
    taken = check_role(role, "role")
    if external_id is not None:
        taken |= check_external_id(external_id, "external_id")
    if management[1] is not None:
        taken |= check_role(management[1], "management_role")
        if not management[0]:
            text = "management_role is given, and include_management is not; say include_management=True"
            raise ConfigError(text)
    states = None if status is None else frozenset(patterns(status, "status"))
    if states is not None and not states <= _STATES:
        text = f"status takes {', '.join(sorted(_STATES))}, or None for all; got {', '.join(sorted(states))}"
        raise ConfigError(text)
    return _Asked(
        ou=None if ou is None else Wanted.of(ou),
        tags=None if tags is None else TagFilter.of(tags),
        states=states,
        management=management[0],
        management_role=management[1],
        role=role,
        external_id=external_id,
        with_tags=details[0] or tags is not None or "tags" in taken,
        with_paths=details[1] or ou is not None or "ou_path" in taken,
    )


def _collect(organization: Organization, asked: _Asked, threads: Executor) -> tuple[Account, ...]:
    found = _walk(organization, asked, threads) if asked.with_paths else _listed(organization)
    left = [
        one
        for one in found
        if (asked.management or not one.is_management) and (asked.states is None or one.state in asked.states)
    ]
    if asked.with_tags:
        tags = threads.map(organization.tags, [one.id for one in left])
        left = [_Found(one.answer, one.ou_path, own) for one, own in zip(left, tags, strict=True)]
    chosen = [one for one in left if asked.tags is None or asked.tags.match(one.tags or {})]
    if not chosen:
        raise NoAccountsError(_why_none(asked, found, left))
    accounts = (_account(one, asked) for one in chosen)
    return tuple(sorted(accounts, key=lambda account: (account.name or "", account.id)))


def _listed(organization: Organization) -> list[_Found]:
    return [_Found(answer, None) for answer in organization.accounts()]


def _walk(organization: Organization, asked: _Asked, threads: Executor) -> list[_Found]:
    """Go down the tree level by level, into no branch that nothing is wanted of."""
    wanted = asked.ou or Wanted((), ())
    level: list[Trail] = [((root["Id"], ""),) for root in organization.roots()]
    taken: list[Trail] = []
    while level:
        taken += [trail for trail in level if wanted.takes(trail)]
        parents = [trail for trail in level if wanted.may_take_below(trail)]
        children = threads.map(lambda trail: list(organization.units_in(trail[-1][0])), parents)
        level = [
            (*trail, (unit["Id"], unit["Name"]))
            for trail, units in zip(parents, children, strict=True)
            for unit in units
        ]
    missing = wanted.missing()
    if missing:
        raise NoAccountsError(missing)
    answers = threads.map(lambda trail: list(organization.accounts_in(trail[-1][0])), taken)
    return [
        _Found(answer, path_of(name for _, name in trail[1:]))
        for trail, accounts in zip(taken, answers, strict=True)
        for answer in accounts
    ]


def _account(found: _Found, asked: _Asked) -> Account:
    ours = found.is_management
    return Account(
        found.id,
        found.answer.get("Name"),
        found.answer.get("Email"),
        found.ou_path,
        found.tags,
        role=asked.management_role if ours else asked.role,
        external_id=None if ours else asked.external_id,
        variables={name: found.answer[name] for name in ("Arn", "Status") if name in found.answer},
    )


def _why_none(asked: _Asked, found: Sequence[_Found], left: Sequence[_Found]) -> str:
    told = [f"{len(found)} account(s) where you asked"]
    management = sum(one.is_management for one in found)
    if management and not asked.management:
        told.append("the management account is left out (include_management=True takes it)")
    others = len(found) - len(left) - (0 if asked.management else management)
    if others and asked.states is not None:
        told.append(f"{others} of another status than {' or '.join(sorted(asked.states))}")
    if left:
        told.append(f"{len(left)} without the tags asked for")
    return f"no account is left: {'; '.join(told)}"
