"""Link roles to what assumes them: one refresher per chain and options, one STS client per caller."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, TypeVar

import boto3
from botocore.credentials import RefreshableCredentials

from mangrove._concurrency import Once
from mangrove.aws.borrowed import BorrowedCredentials
from mangrove.aws.derived import Derivation
from mangrove.aws.identity import STS_CONFIG, caller_of, credentials_of, known_caller, load_credentials
from mangrove.aws.session import Session, make_client
from mangrove.credentials.assume import Assumption, MfaSession
from mangrove.credentials.cache import CredentialsCache, Subject
from mangrove.credentials.documents import Issued
from mangrove.credentials.explain import Attempt, login_command
from mangrove.credentials.fetching import Link, Usual
from mangrove.credentials.forks import renewed_in_children
from mangrove.credentials.provider import Renewal, RoleCredentials
from mangrove.credentials.refresh import Clock, Refresher
from mangrove.credentials.roles import RoleSpec

__all__ = ["Kept", "Links", "Source"]

_MOST = 4096
_USUAL_LIFETIME, _USUAL_MFA_LIFETIME = 3600, 43_200
T = TypeVar("T")


class Kept(Generic[T]):
    """Keep what is in use, however much, and beyond that what was used last: the same request, the same object."""

    def __init__(self, most: int = _MOST) -> None:
        self._alive: weakref.WeakValueDictionary[Hashable, T] = weakref.WeakValueDictionary()
        self._recent: OrderedDict[Hashable, T] = OrderedDict()
        self._most = most
        self.start_anew()
        renewed_in_children(self)

    def start_anew(self) -> None:
        """Take a new lock: what a child process needs."""
        self._lock = threading.RLock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept under the key, making it if there is none.

        Args:
            key: what tells one from another.
            make: called without arguments, under the lock.
        """
        with self._lock:
            found = self._alive.get(key)
            if found is None:
                found = self._alive[key] = make()
            self._recent[key] = found
            self._recent.move_to_end(key)
            if len(self._recent) > self._most:
                self._recent.popitem(last=False)
            return found


class Source:
    """Hold credentials that can assume roles, and the STS client they do it with.

    Args:
        session: a session of them, with the regional STS.
        region_name: the region whose STS is asked.
        login: the command that begins a new login.
        chained: they are themselves a role's.
    """

    def __init__(self, session: Session, region_name: str, login: str, *, chained: bool) -> None:
        self.session = session
        self._region_name = region_name
        self._login = login
        self._chained = chained
        self._asked_who = False
        self.start_anew()
        renewed_in_children(self)

    def start_anew(self) -> None:
        """Make a client anew when it is needed: in a child process, the parent's connections are the parent's."""
        self._client = Once[Any]()

    def sts(self) -> Any:
        """Return the STS client; one for all roles."""
        return self._client.get(
            lambda: make_client(self.session, "sts", region_name=self._region_name, config=STS_CONFIG)
        )

    def attempt(self, what: str) -> Attempt:
        """Return what error messages need to know of a call.

        Args:
            what: the role, or the call.
        """
        caller: str | None = None
        with contextlib.suppress(Exception):  # an explanation must not fail
            known = known_caller(self.session)
            caller = known.arn if known else None
        where = f"STS in {self._region_name}"
        return Attempt(what, where, caller, chained=self._chained, login=self._login, who=self._who)

    def _who(self) -> str | None:
        if self._asked_who:
            return None  # once: a failing role must not cost two calls each time
        self._asked_who = True
        with contextlib.suppress(Exception):
            return caller_of(self.session).arn
        return None

    def identity(self) -> str:
        """Return what tells these credentials from others, for a cache.

        A role that we assume ourselves is told by its options, and keys by their id. An ARN alone does not tell a
        session's tags, source identity and policy, which go on to the next role: it stands only for what botocore
        renews itself from the same configuration.

        Raises:
            Exception: whatever botocore raises where nobody is there to be asked.
        """
        credentials = credentials_of(self.session)
        if isinstance(credentials, RoleCredentials):
            return f"role:{credentials.lineage()}"
        frozen = credentials.get_frozen_credentials()
        renewed = isinstance(credentials, RefreshableCredentials) and credentials.method != "custom-process"
        if not frozen.token or not renewed:
            return f"key:{frozen.access_key}"
        return f"arn:{caller_of(self.session).arn}"


class Links:
    """Make and keep the credentials of chains, each by the credentials of the chain before it.

    Args:
        base: the session that assumes the first role.
        cache: where credentials are shared; None for nowhere.
        clock: tells the time.
        mfa_serial: the MFA device of the base; with it, its keys are exchanged for a session with MFA, once for all.
        token_provider: returns MFA codes, for the base and for roles that have no provider of their own.
    """

    def __init__(
        self,
        base: boto3.Session,
        cache: CredentialsCache | None,
        clock: Clock,
        mfa_serial: str | None = None,
        token_provider: Callable[[], str] | None = None,
    ) -> None:
        self._base = base
        self._cache = cache
        self._clock = clock
        self._mfa_serial = mfa_serial
        self._token_provider = token_provider
        self._derivation = Derivation(base)
        # A provider is no part of a request: the one that was given last is asked, as an earlier one may be used up.
        self._providers: dict[str, Callable[[], str]] = {}
        # Sources and credentials under one lock, as each is made of the other.
        self._kept = Kept[Any]()

    def credentials(self, chain: tuple[RoleSpec, ...], region_name: str, *, private: bool = False) -> RoleCredentials:
        """Return the credentials of a chain; the same object for the same chain.

        Args:
            chain: the roles, one after the other.
            region_name: the region whose STS is asked.
            private: make credentials of their own, that are in no cache.
        """
        if private:
            own = chain[-1].mfa_token_provider or self._token_provider
            return self._role(chain, region_name, None, lambda: own)
        if chain[0].mfa_token_provider is not None:
            self._providers[chain_key(chain[:1])] = chain[0].mfa_token_provider
        key = ("credentials", region_name, chain_key(chain))

        def provider() -> Callable[[], str] | None:
            return self._providers.get(chain_key(chain[-1:]), self._token_provider)

        found: RoleCredentials = self._kept.get(key, lambda: self._role(chain, region_name, self._cache, provider))
        return found

    def base_credentials(self, region_name: str) -> RoleCredentials | None:
        """Return the credentials of the base's session with MFA; None if the base is used as it is.

        Args:
            region_name: the region whose STS is asked.
        """
        serial, provider = self._mfa_serial, self._token_provider
        if serial is None or provider is None:
            return None
        found: RoleCredentials = self._kept.get(
            ("mfa", region_name), lambda: self._mfa(MfaSession(serial, provider), region_name)
        )
        return found

    def session(self, credentials: RoleCredentials | None, region_name: str | None) -> Session:
        """Return a session of credentials that are refreshed, or of the base's own.

        Args:
            credentials: a chain's, or the base's with MFA; None for the base's own.
            region_name: its region; None takes the base's.
        """
        return self._session(credentials, region_name, {})

    def shared_session(self, borrowed: BorrowedCredentials) -> Session:
        """Return a session whose clients serve all roles.

        Args:
            borrowed: knows whom a thread acts for.
        """
        return self._derivation.session(lambda: borrowed, handlers=Renewal.of_current(borrowed).handlers())

    def source(self, chain: tuple[RoleSpec, ...], region_name: str) -> Source:
        """Return what assumes the role after a chain.

        Args:
            chain: the roles before; empty for the base.
            region_name: the region whose STS is asked.
        """

        def make() -> Source:
            found = self.credentials(chain, region_name) if chain else self.base_credentials(region_name)
            return self._source(found, region_name, chained=bool(chain))

        made: Source = self._kept.get(("source", region_name, chain_key(chain)), make)
        return made

    def _role(
        self,
        chain: tuple[RoleSpec, ...],
        region_name: str,
        cache: CredentialsCache | None,
        provider: Callable[[], Callable[[], str] | None],
    ) -> RoleCredentials:
        spec, source = chain[-1], self.source(chain[:-1], region_name)
        call = Assumption(spec, source.sts, lambda: source.attempt(spec.role_arn), self._clock, provider)
        usual = Usual(spec.role_arn, spec.account_id, spec.duration_seconds or _USUAL_LIFETIME)
        return self._refreshed(call, usual, lambda: self._subject(chain, region_name), cache, spec.partition)

    def _mfa(self, session: MfaSession, region_name: str) -> RoleCredentials:
        source = self._source(None, region_name, chained=False)
        name = f"MFA session of {session.serial}"

        def call() -> tuple[Issued, Mapping[str, Any]]:
            return session.begin(source.sts, source.attempt(name), self._clock), {}

        usual = Usual(name, None, _USUAL_MFA_LIFETIME)
        return self._refreshed(call, usual, lambda: self._subject((), region_name), self._cache, None)

    def _refreshed(
        self,
        call: Callable[[], tuple[Issued, Mapping[str, Any]]],
        usual: Usual,
        subject: Callable[[], Subject],
        cache: CredentialsCache | None,
        partition: str | None,
    ) -> RoleCredentials:
        refresher = Refresher(usual.name, Link(call, usual, subject, cache, self._clock), self._clock)
        return RoleCredentials(refresher, partition, usual.account_id, lambda: subject().key())

    def _subject(self, chain: tuple[RoleSpec, ...], region_name: str) -> Subject:
        def make() -> Source:
            return self._source(None, region_name, chained=False)

        # Whose keys the base's own are, whatever is done with them: an MFA session has other ones each time.
        own: Source = self._kept.get(("own", region_name), make)
        who = own.identity() if self._mfa_serial is None else f"{own.identity()} with {self._mfa_serial}"
        return Subject(chain, who, own.sts().meta.endpoint_url)

    def _source(self, credentials: RoleCredentials | None, region_name: str, *, chained: bool) -> Source:
        session = self._session(credentials, region_name, {"sts_regional_endpoints": "regional"})
        return Source(session, region_name, login_command(self._base), chained=chained)

    def _session(
        self, credentials: RoleCredentials | None, region_name: str | None, variables: Mapping[str, str]
    ) -> Session:
        if credentials is None:
            load = functools.partial(load_credentials, self._base)
            return self._derivation.session(load, region_name=region_name, variables=variables)
        handlers = Renewal.of(credentials).handlers()
        return self._derivation.session(
            lambda: credentials, region_name=region_name, variables=variables, handlers=handlers
        )


def chain_key(chain: tuple[RoleSpec, ...]) -> str:
    """Return a hash of all roles of a chain with all their options.

    Args:
        chain: the roles.
    """
    text = "\0".join(spec.canonical() for spec in chain)
    return hashlib.sha256(text.encode()).hexdigest()
