"""Hand out sessions of roles: the same request, the same session, whose clients never see their credentials end."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import boto3

from mangrove.aws.borrowed import BorrowedCredentials
from mangrove.aws.identity import caller_of, partition_of_region, sts_region
from mangrove.aws.partitions import check_region_name
from mangrove.aws.session import Session, make_session, sdk_regions
from mangrove.credentials.cache import CredentialsCache
from mangrove.credentials.checks import check_text
from mangrove.credentials.links import Kept, Links, chain_key
from mangrove.credentials.refresh import Clock, SystemClock
from mangrove.credentials.roles import RoleSpec, parse_chain, snake_options
from mangrove.credentials.seed_cache import Cache, SeedSessions
from mangrove.errors import ConfigError, DeclarationTypeError, WrongAccountError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mangrove.credentials.provider import RoleCredentials

    Role = str | RoleSpec | Mapping[str, Any]

__all__ = ["ConnectionManager"]


@dataclass(frozen=True, slots=True)
class _Request:
    """Hold one request for a session, checked."""

    chain: tuple[RoleSpec, ...]
    region_name: str | None
    sts_region: str

    @property
    def key(self) -> tuple[str, str | None]:
        return chain_key(self.chain), self.region_name


class ConnectionManager:
    """Assume roles once each, and keep their sessions' credentials fresh for as long as the process lives.

    Any number of threads may use one manager. All sessions of a role share one set of credentials, which is replaced in
    time: in the last quarter of its life, at most 15 minutes before the end.

    Args:
        session: the session whose credentials assume the roles, any `boto3.Session`; None makes one of
            `session_arguments`, or of what botocore finds (environment, profile, SSO, web identity, a process, a
            container, an instance).
        cache: a `CredentialsCache` that others share, such as `FileCache` or `MemoryCache`; or a cache of the old form,
            see `Cache`. None keeps credentials in this manager alone.
        region_name: the region of the sessions; None takes the base's.
        mfa_serial: the MFA device of the base's user: with it, the lasting keys of the base are exchanged once for a
            session with MFA (`GetSessionToken`), and that assumes all roles: one code for all of them.
        mfa_token_provider: returns MFA codes, without arguments; for `mfa_serial`, and for roles that have an
            `mfa_serial` of their own and no provider.
        clock: tells the time; for tests.
        session_arguments: `aws_access_key_id`, `aws_secret_access_key`, `aws_session_token` or `profile_name`: the base
            that assumes the roles.

    Raises:
        ConfigError: one of them is wrong; no call was made.

    Example:
        >>> connections = mangrove.ConnectionManager(region_name="us-east-1")
        >>> session = connections.get_session(
        ...     role_arn="arn:aws:iam::210987654321:role/OrganizationAccountAccessRole", role_session_name="test"
        ... )
        >>> session.account_id, session.client("sts").get_caller_identity()["Account"]
        ('210987654321', '210987654321')
    """

    def __init__(
        self,
        session: boto3.Session | None = None,
        cache: Any = None,
        region_name: str | None = None,
        *,
        mfa_serial: str | None = None,
        mfa_token_provider: Callable[[], str] | None = None,
        clock: Clock | None = None,
        **session_arguments: Any,
    ) -> None:
        if mfa_token_provider is not None and not callable(mfa_token_provider):
            text = "mfa_token_provider takes a function without arguments that returns the code; a code is used up once"
            raise DeclarationTypeError(text)
        if mfa_serial is not None:
            check_text("mfa_serial", mfa_serial)
            _need_provider("ConnectionManager", mfa_token_provider)
        unknown = sorted(set(session_arguments) - _SESSION_ARGUMENTS)
        if unknown:
            text = f"ConnectionManager has no argument {unknown[0]!r}; it takes {', '.join(sorted(_SESSION_ARGUMENTS))}"
            raise ConfigError(text)
        self._region_name = None if region_name is None else check_region_name(region_name)
        own = session is None
        self._base = make_session(session, region_name=self._region_name if own else None, **session_arguments)
        shared, self._seed = _caches(cache)
        self._mfa_token_provider = mfa_token_provider
        self._links = Links(self._base, shared, clock or SystemClock(), mfa_serial, mfa_token_provider)
        self._sessions = Kept[Session]()

    @property
    def session(self) -> boto3.Session:
        """Return the session that assumes the roles."""
        return self._base

    def get_session(
        self,
        role_arn: Role | Sequence[Role] | None = None,
        role_session_name: str | None = None,
        external_id: str | None = None,
        skip_cache: bool = False,  # noqa: FBT001, FBT002  the seed's order of arguments
        force_cache_refresh: bool = False,  # noqa: FBT001, FBT002
        *,
        verify: bool = False,
        region_name: str | None = None,
        **options: Any,
    ) -> Session:
        """Return a session of a role, the same for the same request; its credentials are got when they are needed.

        Args:
            role_arn: the role, or a list of roles, each assumed by the one before: ARNs, `RoleSpec`s, or dicts of
                arguments. None gives a session of the base.
            role_session_name: what CloudTrail shows, 2 to 64 characters; `mangrove` if None.
            external_id: what the role's owner asks for. Of a list, it and the options are the last role's.
            skip_cache: make a session with credentials of its own, that are in no cache and are given to nobody else.
            force_cache_refresh: assume the role now, whatever is cached; sessions handed out before have it too.
            verify: ask AWS whose credentials these are, and compare the account with the role's.
            region_name: the session's region; None takes the manager's.
            options: AssumeRole's other arguments by our names or the API's; see `RoleSpec`.

        Raises:
            ConfigError: an argument is wrong; no call was made.
            CredentialError: with `force_cache_refresh` or `verify`, and else at a client's first call: STS gave none
                (AssumeRoleError), a login has ended (LoginRequiredError), it is another account (WrongAccountError).

        Source: the AWS operation `AssumeRole`.

        Example:
            >>> role = "arn:aws:iam::210987654321:role/OrganizationAccountAccessRole"
            >>> session = mangrove.ConnectionManager().get_session(role, duration_seconds=900)
        """
        given = snake_options(
            {"role_session_name": role_session_name, "external_id": external_id, **_not_twice(role_arn, options)}
        )
        role = given.pop("role_arn", role_arn)
        region = self._region_name if region_name is None else check_region_name(region_name)
        if role is None:
            return self._base_session(given, region)
        request = self._request(parse_chain(role, given), region)
        session = self._find(request, skip_cache=skip_cache, anew=force_cache_refresh)
        if verify:
            _verify(session, request.chain[-1])
        return session

    def get_credentials(self, role_arn: Role | Sequence[Role], **options: Any) -> Any:
        """Return the credentials that a session of a role has, where the session itself is not needed.

        Args:
            role_arn: as for `get_session`.
            **options: the role's other arguments, as for `get_session`.

        Raises:
            ConfigError: an argument is wrong; no call was made.

        Example:
            >>> role = "arn:aws:iam::210987654321:role/OrganizationAccountAccessRole"
            >>> mangrove.ConnectionManager(region_name="us-east-1").get_credentials(role)
            <RoleCredentials of account 210987654321>
        """
        request = self._request(parse_chain(role_arn, snake_options(options)), self._region_name)
        if self._seed is not None:
            # Whoever keeps sessions has the last word on whose credentials they are.
            return self._find(request, skip_cache=False, anew=False).get_credentials()
        return self._links.credentials(request.chain, request.sts_region)

    def new_session(self, credentials: RoleCredentials, region_name: str | None = None) -> Session:
        """Return a session of a role that is nobody else's, and that is not kept here.

        Args:
            credentials: what `get_credentials` has returned.
            region_name: the session's region; None takes the manager's.
        """
        return self._links.session(credentials, region_name or self._region_name)

    def shared_session(self, borrowed: BorrowedCredentials) -> Session:
        """Return a session whose clients serve all roles of this manager, one thread each at a time.

        Args:
            borrowed: knows which role's credentials a thread acts with.
        """
        return self._links.shared_session(borrowed)

    def _base_session(self, given: Mapping[str, Any], region: str | None) -> Session:
        if given:
            text = f"{', '.join(sorted(given))} without role_arn: name the role, or leave them out"
            raise ConfigError(text)
        links, partition = self._links, sdk_regions(self._base).partitions[partition_of_region(self._base, region)]
        credentials = links.base_credentials(sts_region(partition, self._base.region_name or self._region_name))
        if credentials is None and isinstance(self._base, Session) and region in {None, self._base.region_name}:
            return self._base
        return self._sessions.get(("", region), lambda: links.session(credentials, region))

    def _request(self, chain: tuple[RoleSpec, ...], region: str | None) -> _Request:
        known = sdk_regions(self._base).partitions
        name, role = chain[-1].partition, chain[-1].role_arn
        partition = known.get(name)
        if partition is None:
            text = f"{role}: no partition {name!r} in this botocore; it has {', '.join(known)}"
            raise ConfigError(text)
        own: Any = self._base.region_name
        home = region or own
        if home is not None and not partition.has(home):
            text = f"{role} is of partition {name!r}, which has no region {home!r}; credentials don't cross partitions"
            raise ConfigError(text)
        for spec in chain:
            if spec.mfa_serial:
                _need_provider(spec.role_arn, spec.mfa_token_provider or self._mfa_token_provider)
        # Not the region of this one request: a role is assumed once, and not once per region.
        return _Request(chain, region, sts_region(partition, own or self._region_name))

    def _find(self, request: _Request, *, skip_cache: bool, anew: bool) -> Session:
        links, chain = self._links, request.chain
        if skip_cache:
            return links.session(links.credentials(chain, request.sts_region, private=True), request.region_name)
        credentials = links.credentials(chain, request.sts_region)
        if anew:
            credentials.refresher.refresh()

        def make() -> Session:
            return self._sessions.get(request.key, lambda: links.session(credentials, request.region_name))

        if self._seed is None:
            return make()
        return self._seed.session(chain[-1].role_arn, chain[-1].role_session_name, request.key, make, replace=anew)

    def __repr__(self) -> str:
        return f"<ConnectionManager of {self._base!r}>"

    def __reduce__(self) -> NoReturn:
        text = "a ConnectionManager holds credentials, and is never pickled; make one in each process"
        raise TypeError(text)


_SESSION_ARGUMENTS = frozenset({"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "profile_name"})


def _need_provider(who: str, provider: Callable[[], str] | None) -> None:
    if provider is None:
        text = f"{who}: mfa_serial needs mfa_token_provider, a function that returns the device's code"
        raise ConfigError(text)


def _not_twice(role_arn: object, options: Mapping[str, Any]) -> Mapping[str, Any]:
    if role_arn is not None and "RoleArn" in options:
        text = "role_arn is given twice, once as 'RoleArn'"
        raise ConfigError(text)
    return options


def _caches(cache: Any) -> tuple[CredentialsCache | None, SeedSessions | None]:
    """Tell a cache of credentials from one of sessions, such as one that stands in the place of `mangrove.Cache`."""
    if cache is None:
        usual = importlib.import_module("mangrove").Cache
        return None, None if usual is Cache else SeedSessions(usual())
    if isinstance(cache, type):
        text = f"cache takes a cache, not its class: write cache={cache.__name__}()"
        raise DeclarationTypeError(text)
    if isinstance(cache, CredentialsCache):
        return cache, None
    if callable(getattr(cache, "get", None)) and callable(getattr(cache, "set", None)):
        return None, SeedSessions(cache)
    text = (
        "cache takes an object with get(key), put(key, document) and delete(key), such as mangrove.FileCache(); got "
        f"{type(cache).__name__}"
    )
    raise DeclarationTypeError(text)


def _verify(session: Session, role: RoleSpec) -> None:
    found = caller_of(session)
    if found.account_id != role.account_id:
        text = (
            f"{role.role_arn} is of account {role.account_id}, but AWS says that its credentials are of account "
            f"{found.account_id} ({found.arn}); what stands between: an endpoint, a proxy, a stub?"
        )
        raise WrongAccountError(text)
