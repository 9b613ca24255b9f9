"""Come into accounts: a session for each, the regions it has enabled, and the clients of its targets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mangrove.accounts import DEFAULT_ROLE, Account
from mangrove.aws.derived import Derivation
from mangrove.aws.identity import account_of, partition_of
from mangrove.aws.operations import Operation, find_operation
from mangrove.aws.options import ClientOptions
from mangrove.aws.regions import RegionsAnswer, answer, ask
from mangrove.aws.session import Session, make_client, make_resource
from mangrove.credentials import ConnectionManager
from mangrove.credentials.explain import login_needed
from mangrove.credentials.provider import RoleCredentials
from mangrove.errors import WrongAccountError
from mangrove.fleet.outcome import Target
from mangrove.fleet.shared import SharedClients
from mangrove.fleet.tasks import Task

if TYPE_CHECKING:
    import boto3

__all__ = ["ANY_SERVICE", "TEMPLATES", "Doors", "Make", "Opening"]

_MOST_CLIENTS = 4096
_UNKNOWN: Any = object()

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
        self._credentials: dict[str, Any] = {}
        self._shared = SharedClients(self._manager.shared_session, options)
        self._lock = threading.Lock()
        self._operation = lru_cache(maxsize=256)(lambda service, name: find_operation(session, service, name))

    def know(self, accounts: Sequence[Account]) -> None:
        """Remember how accounts are entered, for targets that name them by their ids."""
        with self._lock:
            for account in accounts:
                if self._accounts.get(account.id) != account:
                    self._accounts[account.id] = account
                    self._sessions.pop(account.id, None)
                    self._credentials.pop(account.id, None)

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
        if self._is_own(account):
            return self._manager.get_session(region_name=region_name)
        return self._manager.get_session(region_name=region_name, **self._role_of(account))

    def _is_own(self, account: Account) -> bool:
        return account.role is None or (account.role == DEFAULT_ROLE and account.id == self.own_account())

    def _role_of(self, account: Account) -> dict[str, Any]:
        options: dict[str, Any] = {
            name: account.render(value) if name in TEMPLATES and value is not None else value
            for name, value in self._role_options.items()
        }
        options.update({"external_id": account.external_id} if account.external_id is not None else {})
        return {"role_arn": list(account.role_arns(partition_of(self.base))), **options}

    def _credentials_of(self, account: Account) -> Any:
        """Return the credentials of an account's role, or None where it is entered in another way."""
        known = self._credentials.get(account.id, _UNKNOWN)
        if known is not _UNKNOWN:
            return known
        other = account.profile is not None or self._is_own(account)
        found = None if other else self._manager.get_credentials(**self._role_of(account))
        credentials = found if isinstance(found, RoleCredentials) else None
        with self._lock:
            # One that is entered in another way since then must not get these.
            if self._accounts.get(account.id, account) == account:
                self._credentials[account.id] = credentials
        return credentials

    def _of_profile(self, name: str, region_name: str | None) -> Session:
        # A profile has a region of its own, which clients are told anyway.
        key = f"{name} {region_name or ''}"
        with self._lock:
            if key not in self._profiles:
                self._profiles[key] = Session(profile_name=name, region_name=region_name)
            return self._profiles[key]

    def come_in(self, account: Account) -> None:
        """Get the credentials of an account: without them its regions would be guessed, and each of them fail.

        Args:
            account: the account.

        Raises:
            CredentialError: there are none to be had.
            LoginRequiredError: the login of its profile is missing or has ended.
            WrongAccountError: it names no role, and the caller's credentials are of another account.
        """
        if account.profile is None and account.role is None and account.id != self.own_account():
            text = (
                f"account {account.id} has no role, and the credentials at hand are of account {self.own_account()}: "
                "give the account a role or a profile"
            )
            raise WrongAccountError(text)
        credentials, session = self._credentials_of(account), None
        try:
            if credentials is None:
                session = self.enter(account)
                credentials = session.get_credentials()
            if credentials is not None:
                credentials.get_frozen_credentials()
        except Exception as error:
            login = login_needed(error, session or self.enter(account))
            if login is None:
                raise
            raise login from error

    def regions(self, account: Account, service: str, terms: Sequence[str]) -> RegionsAnswer:
        """Return the regions of an account in which a service is, asking the account only if that is needed.

        Args:
            account: the account.
            service: the service; empty for a function.
            terms: names and globs.
        """
        credentials, shared = self._credentials_of(account), self._shared
        session = self.enter(account) if credentials is None else shared.session
        asked = ask(session, service or ANY_SERVICE, terms)
        if credentials is None or not asked.needs_account:
            return answer(session, asked, self.options)
        if shared.serves((ANY_SERVICE, asked.partition.home), self.operation(ANY_SERVICE, "DescribeRegions")):
            return shared.act_for(credentials, lambda: answer(session, asked, self.options, credentials))
        return answer(self.enter(account), asked, self.options)

    # -- what tasks ask for --------------------------------------------------------------------------------------------

    def session(self, target: Target) -> boto3.Session:
        """Return a session of a target's account, with its region, that knows its target; see `Context`."""
        account = self._accounts[target.account]
        credentials, region = self._credentials_of(account), target.region_name
        # A role's is for the function alone: it says things of its target, and goes with it.
        new, enter = self._manager.new_session, self.enter
        session: boto3.Session = enter(account, region) if credentials is None else new(credentials, region)
        if session is self.base:
            # The caller's own object stays what it is.
            session = Derivation(session).session(session.get_credentials)
        vars(session).update(target=target, session_information=_information(account, target))
        return session

    def credentials(self, target: Target) -> Any:
        """Return the credentials that a target's requests are signed with.

        Args:
            target: the target.
        """
        account = self._accounts[target.account]
        return self._credentials_of(account) or self.enter(account).get_credentials()

    def account(self, target: Target) -> Account:
        """Return the account of a target; see `Context`."""
        return self._accounts[target.account]

    def ask(self, target: Target, operation: Operation, parameters: Mapping[str, Any]) -> Any:
        """Call an operation in a target; see `Context`."""
        credentials = self._credentials_of(self._accounts[target.account])
        told = None if credentials is None else self._shared.ask(credentials, target, operation, parameters)
        return getattr(self.client(target), operation.method)(**parameters) if told is None else told

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
