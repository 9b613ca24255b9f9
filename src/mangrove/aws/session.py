"""The session that every other room builds on: boto3's own, with clients that cost almost nothing."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.exceptions import ConfigParseError, ProfileNotFound
from botocore.loaders import Loader

from mangrove._concurrency import in_child
from mangrove.aws.arn import Arn
from mangrove.aws.loader import ForeignLoader, SessionLoader, SharedLoader, settled, shared_loader
from mangrove.aws.partitions import SdkRegions, check_region_name
from mangrove.aws.resource_classes import SharingFactory, class_handlers, set_owner
from mangrove.aws.resource_seam import resource_provider
from mangrove.aws.services import one_of
from mangrove.aws.sharing import SharingSession, core_session
from mangrove.errors import ConfigError, DeclarationTypeError

if TYPE_CHECKING:
    from mangrove.resources.types import TypedSession  # what type checkers know of `resource`
else:
    TypedSession = boto3.Session

__all__ = [
    "Session",
    "botocore_session",
    "check_keys",
    "creation_lock",
    "known_region",
    "make_client",
    "make_resource",
    "make_session",
    "sdk_regions",
]

_locks: weakref.WeakKeyDictionary[boto3.Session, threading.RLock] = weakref.WeakKeyDictionary()
_locks_guard = threading.Lock()


@in_child
def _after_fork() -> None:
    global _locks_guard  # noqa: PLW0603  a thread of the parent may have held it, or one of the locks
    _locks_guard = threading.Lock()
    _locks.clear()


def botocore_session(session: boto3.Session) -> botocore.session.Session:
    """Return the botocore session under a boto3 session; the one private of boto3's that is read here."""
    found: botocore.session.Session = session._session  # noqa: SLF001  no public way; a canary test watches it
    return found


@lru_cache(maxsize=16)
def _sdk_regions_of(loader: SharedLoader) -> SdkRegions:
    return SdkRegions(loader)


def sdk_regions(session: boto3.Session) -> SdkRegions:
    """Return what the session's data files know of regions, read once per process where the loader is shared."""
    loader: Loader = settled(botocore_session(session).get_component("data_loader"))
    return _sdk_regions_of(loader) if isinstance(loader, SharedLoader) else SdkRegions(loader)


def known_region(name: object) -> str:
    """Return the name of a region of any partition, with hyphens.

    Raises:
        InvalidRegionError: that is no region's name.
        UnknownRegionError: there is no such region; the message has the close matches.

    Example:
        >>> known_region("eu_west_1")
        'eu-west-1'
    """
    key = check_region_name(name)
    _sdk_regions_of(shared_loader(None)).partition_of(key)
    return key


def creation_lock(session: boto3.Session) -> threading.RLock:
    """Return the lock under which clients of this session are made.

    botocore makes clients from shared, unguarded state (boto3 issue 1592); the clients themselves are thread-safe.
    """
    with _locks_guard:
        return _locks.setdefault(session, threading.RLock())


class Session(TypedSession):
    """Be a `boto3.Session` whose clients share all that is not the account's, and can be made from any thread.

    Args:
        aws_access_key_id: as boto3's.
        aws_secret_access_key: as boto3's.
        aws_session_token: as boto3's.
        region_name: the region of clients that name none.
        botocore_session: a botocore session to build on; it stays what it is.
        profile_name: a profile of the shared configuration files.
        aws_account_id: the account that the keys belong to, if known.
        safe_mode: True makes clients in botocore's own way, one by one: slower, larger, and the same answers. None
            takes it from the variable MANGROVE_SAFE_MODE, and where this botocore is not as expected.

    Raises:
        ConfigError: an access key came without its secret, or a secret without its key.
        botocore.exceptions.ProfileNotFound: there is no such profile.

    Example:
        >>> import boto3, mangrove
        >>> session = mangrove.Session(region_name="eu-west-1")
        >>> isinstance(session, boto3.Session), session.client("sqs").meta.region_name
        (True, 'eu-west-1')
    """

    def __init__(
        self,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        region_name: str | None = None,
        botocore_session: botocore.session.Session | None = None,
        profile_name: str | None = None,
        aws_account_id: str | None = None,
        *,
        safe_mode: bool | None = None,
    ) -> None:
        check_keys(aws_access_key_id, aws_secret_access_key, aws_session_token)
        ours = botocore_session is None
        if botocore_session is None:
            botocore_session = core_session(profile=profile_name, safe_mode=safe_mode)
        before = class_handlers(botocore_session)
        super().__init__(
            aws_access_key_id=aws_access_key_id,
            aws_secret_access_key=aws_secret_access_key,
            aws_session_token=aws_session_token,
            region_name=region_name,
            botocore_session=botocore_session,
            profile_name=profile_name,
            aws_account_id=aws_account_id,
        )
        self.resource_factory: Any = SharingFactory(botocore_session, before)
        if not isinstance(self._loader, SessionLoader):
            self._loader: Any = ForeignLoader(self._loader)
        if ours and isinstance(botocore_session, SharingSession):
            # boto3 has registered its own handlers, the same for every session.
            botocore_session.settle()

    @property
    def account_id(self) -> str:
        """Return the account of the session's credentials.

        It costs no call where the credentials carry it, as those of a role do; else one, for as long as they live.

        Raises:
            CredentialError: there are no credentials.
            botocore.exceptions.ClientError: STS does not know them.

        Source: the AWS operation `sts:GetCallerIdentity`.

        Example:
            >>> mangrove.Session(region_name="us-east-1").account_id
            '123456789012'
        """
        from mangrove.aws.identity import account_of  # noqa: PLC0415  it makes clients of sessions

        return account_of(self)

    @property
    def partition(self) -> str:
        """Return the partition of the session's credentials: a role's own, else that of the session's region.

        Without a region it is what botocore's calls go to, `aws`; credentials that don't carry their account are then
        asked for, as for `account_id`.

        Example:
            >>> mangrove.Session(region_name="cn-north-1").partition
            'aws-cn'
        """
        from mangrove.aws.identity import partition_of  # noqa: PLC0415  it makes clients of sessions

        return partition_of(self)

    def resource_from_arn(self, arn: Arn | str, *, search: bool = False) -> Any:
        """Return the resource that an ARN names: an object of its service, type and region, made without a call.

        The object has this session's credentials, whatever account the ARN names, and says that ARN until it is loaded.

        Args:
            arn: the ARN.
            search: True lists the resources of the type where the ARN alone does not tell how the API identifies it.

        Raises:
            DeclarationTypeError: it is no string.
            InvalidArnError: it is no ARN.
            UnknownResourceError: nothing that this botocore knows has such an ARN, or it can't be identified by it.

        Example:
            >>> session = mangrove.Session(region_name="eu-west-1")
            >>> session.resource_from_arn("arn:aws:rds:us-east-1:123456789012:db:orders")
            rds.DBInstance(identifier='orders')
        """
        return resource_provider().from_arn(self, arn, search=search)

    def resources_matching(self, pattern: Any, **options: Any) -> Iterator[Any]:
        """Yield the resources whose ARNs match a pattern, of every service and region that the pattern can be of.

        Args:
            pattern: an `ArnPattern`, or its text such as `arn:aws:ec2:eu-*:*:instance/*`.
            **options: `regions`, names or globs to ask instead of all that the account can use; `on_error`, called with
                the error and the words for what was asked where a list call fails, instead of raising it.

        Raises:
            InvalidArnError: no ARN could ever match; raised before the first call.

        Example:
            >>> session = mangrove.Session(region_name="eu-west-1")
            >>> session.resource("sqs").create_queue(QueueName="orders").arn
            'arn:aws:sqs:eu-west-1:123456789012:orders'
            >>> [queue.url[-6:] for queue in session.resources_matching("arn:aws:sqs:eu-west-*:*:ord*")]
            ['orders']
        """
        return resource_provider().matching(self, pattern, **options)

    if not TYPE_CHECKING:  # a type checker sees boto3's own signatures, typed per service where types-boto3 is there

        def client(self, *args, **kwargs):  # noqa: ANN002, ANN003, ANN201
            """Make a client, with boto3's arguments; see `boto3.Session.client`."""
            with creation_lock(self):
                return super().client(*args, **kwargs)

        def resource(self, *args, **kwargs):  # noqa: ANN002, ANN003, ANN201
            """Make a service resource, with boto3's arguments; see `boto3.Session.resource`."""
            with creation_lock(self):
                made = super().resource(*args, **kwargs)
            set_owner(made.meta.client, self, args, kwargs)
            return made


def check_keys(access_key: str | None, secret_key: str | None, token: str | None) -> None:
    """Refuse access keys that are half given.

    Raises:
        ConfigError: one of key and secret is missing or empty, or a token came without them.
        DeclarationTypeError: one of them is no string.
    """
    given_keys = {"aws_access_key_id": access_key, "aws_secret_access_key": secret_key, "aws_session_token": token}
    for name, value in given_keys.items():
        if value is not None and not isinstance(value, str):
            text = f"{name} takes a string; got {type(value).__name__}"
            raise DeclarationTypeError(text)
        if value == "":
            text = f"{name} is given but empty, as an unset variable is; give it, or None for the default chain"
            raise ConfigError(text)
    if bool(access_key) != bool(secret_key):
        given, missing = "aws_access_key_id", "aws_secret_access_key"
        if secret_key:
            given, missing = missing, given
        text = f"credentials half given: {given} without {missing}; give both, or neither to use the default chain"
        raise ConfigError(text)
    if token and not access_key:
        text = "credentials half given: aws_session_token without aws_access_key_id and aws_secret_access_key"
        raise ConfigError(text)


def make_session(
    session: boto3.Session | None = None,
    *,
    aws_access_key_id: str | None = None,
    aws_secret_access_key: str | None = None,
    aws_session_token: str | None = None,
    profile_name: str | None = None,
    region_name: str | None = None,
) -> boto3.Session:
    """Return the session that was given, or make one from keys or a profile; never both.

    Raises:
        DeclarationTypeError: the session is not boto3's.
        ConfigError: keys half given, keys or a profile beside a session, no such profile, or a file that can't be read.
    """
    check_keys(aws_access_key_id, aws_secret_access_key, aws_session_token)
    named = {
        "aws_access_key_id": aws_access_key_id,
        "aws_secret_access_key": aws_secret_access_key,
        "aws_session_token": aws_session_token,
        "profile_name": profile_name,
    }
    given: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if session is not None:
        if not isinstance(session, boto3.Session):
            text = f"session takes a boto3.Session or a mangrove.Session; got {type(session).__name__}"
            raise DeclarationTypeError(text)
        if given:
            text = f"session has its own credentials; give it, or {' and '.join(given)}, not both"
            raise ConfigError(text)
        return session
    if profile_name is not None and aws_access_key_id is not None:
        text = "profile_name and access keys were given; boto3 would use the keys alone: give one of them"
        raise ConfigError(text)
    try:
        return Session(region_name=region_name, **given)
    except ProfileNotFound as error:
        raise ConfigError(_no_profile(error)) from error
    except ConfigParseError as error:
        raise ConfigError(str(error)) from error


def _no_profile(error: ProfileNotFound) -> str:
    name = str(error.kwargs.get("profile"))
    # The environment may name the missing profile: a session that names another one reads the files all the same.
    reader = botocore.session.Session(profile="default")
    text = f"no profile {name!r} in the AWS configuration files{one_of(name, reader.available_profiles)}"
    return f"{text} (AWS_PROFILE names it)" if os.environ.get("AWS_PROFILE") == name else text


def make_client(session: boto3.Session, service_name: str, **arguments: Any) -> Any:
    """Make a client under the session's lock, so that any thread may ask."""
    make: Any = session.client  # a name known at run time alone fits no overload
    with creation_lock(session):
        return make(service_name, **arguments)


def make_resource(session: boto3.Session, service_name: str, **arguments: Any) -> Any:
    """Make a service resource under the session's lock, so that any thread may ask."""
    make: Any = session.resource
    with creation_lock(session):
        return make(service_name, **arguments)
