"""A pool: one service, a connection in each of its regions."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

from mangrove.aws.options import ClientOptions
from mangrove.aws.regions import Region, RegionsAnswer, Skipped
from mangrove.aws.services import find_service, service_names
from mangrove.aws.session import make_client, make_resource
from mangrove.errors import (
    ConnectError,
    UnknownServiceError,
)
from mangrove.pool.closing import Closing
from mangrove.pool.connections import Connections, H
from mangrove.pool.declaration import Declaration, camel_name, check_connect, declared_service, read_declaration
from mangrove.pool.handle import RegionHandle, RegionState
from mangrove.pool.identity import Identity, access_keys
from mangrove.pool.mapping import Adder, RegionsMapping
from mangrove.pool.offer import looks_like_region, make_offer
from mangrove.pool.warm import warm

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from typing_extensions import Self

__all__ = ["ServicePool"]

_log = logging.getLogger("mangrove.pool")


class ServicePool(Closing, Generic[H]):
    """Connect to a service in every region, or in the regions you name.

    Subclass it with the class attribute `service` (a name, or `{name: {"regions": [...], "default_region": ...}}`), or
    take a ready class of `mangrove.services`. A subclass may override `_connect_module_to_region` (returns the client
    of a region) and `_get_module_regions` (returns the names of the regions there are).

    Args:
        connect: True makes the clients of all regions now, concurrently; else each is made at its first use.
        regions: a list of names and globs, `'*'`, a glob such as `'eu-*'`; None is what the class declares, or all.
        default_region: the region of `pool.regions.default`; it must be among the regions.
        aws_access_key_id: as boto3's, with aws_secret_access_key.
        aws_secret_access_key: as boto3's.
        aws_session_token: as boto3's.
        profile_name: a profile of the AWS configuration files.
        session: a `boto3.Session` or `mangrove.Session` to use, instead of keys or a profile.
        endpoint_url: passed to every client; questions on regions go there too.
        config: a `botocore.config.Config`, passed to every client.
        verify: passed to every client: False, or the path of a CA bundle.
        service: the service, for a pool without a class of its own.

    Raises:
        ConfigError: an argument or the declaration is wrong; no call was made.
        NoRegionsError: nothing is left of the regions asked for.
        ConnectError: with connect=True, when no region could be connected.

    Example:
        >>> from mangrove.pool import ServicePool
        >>> class QueuePool(ServicePool):
        ...     service = "sqs"
        >>> with QueuePool(connect=True, regions=["us-east-1", "eu-west-1"], default_region="eu-west-1") as pool:
        ...     print(pool.regions["us_east_1"], pool.regions.default.list_queues().get("QueueUrls", []))
        <QueuePool us_east_1> []
    """

    service: ClassVar[Any] = None
    _aws_module_name: ClassVar[str | None] = None

    def __init__(
        self,
        connect: bool = False,  # noqa: FBT001, FBT002  the seed's signature: connect comes first
        regions: Iterable[str] | None = None,
        default_region: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        *,
        profile_name: str | None = None,
        session: boto3.Session | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
        verify: bool | str | None = None,
        service: str | None = None,
    ) -> None:
        check_connect(connect)
        declaration = read_declaration(declared_service(type(self), service), type(self).__name__)
        keys = access_keys(aws_access_key_id, aws_secret_access_key, aws_session_token)
        self._setup(
            declaration.with_arguments(regions, default_region),
            ClientOptions(endpoint_url, config, verify),
            Identity(session, profile_name, keys),
            service,
        )
        if connect:
            self.connect()

    @classmethod
    def of(cls, declaration: Declaration, options: ClientOptions, identity: Identity) -> Self:
        """Return a pool of parts that are checked already; several pools may share them."""
        pool = cls.__new__(cls)
        pool._setup(declaration, options, identity, declaration.service)
        return pool

    def _setup(
        self, declaration: Declaration, options: ClientOptions, identity: Identity, own_service: str | None
    ) -> None:
        self._declaration = declaration
        self._options = options
        self._own_service = own_service
        self._finish(identity)

    def _finish(self, identity: Identity, added: tuple[str, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._regions = RegionsMapping(self._table, self._known, self.region, self._find_default)
        self._connections = self.prepare(identity, added)

    def prepare(self, identity: Identity, added: tuple[str, ...] | None = None) -> Connections[H]:
        """Return connections for an identity, checked, without a call; the pool does not use them yet."""
        service = self._find_service(identity)
        own_regions = self._get_module_regions if self._overrides("_get_module_regions") else None
        added = self._connections.added if added is None else added
        offer = make_offer(identity, service, self._declaration, self._options, added=added, own_regions=own_regions)
        return Connections[H](identity, offer, self._handle, repr(self))

    def swap(self, connections: Connections[H]) -> None:
        """Take other connections, in one step; the clients of the old ones are closed."""
        with self._lock:
            self._check_open()
            old, self._connections = self._connections, connections
        old.close("its pool took other credentials; get the region from the pool again")

    def _handle(self, region: Region, identity: Identity) -> RegionHandle:
        return RegionHandle(self, region, identity)

    @property
    def _live(self) -> Connections[H]:
        self._check_open()
        return self._connections

    def _find_service(self, identity: Identity) -> str:
        name = self._declaration.service
        try:
            return find_service(name, service_names(identity.facts))
        except UnknownServiceError:
            if self._overrides("_connect_module_to_region"):
                return name  # the subclass knows how to connect to what botocore does not know
            raise

    def _overrides(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(ServicePool, method)

    # -- what a subclass may override ---------------------------------------------------------------------------------

    def _connect_module_to_region(self, region_name: str, **keys: Any) -> Any:
        """Return the client of one region.

        Args:
            region_name: such as `us-west-1`.
            keys: `aws_access_key_id`, `aws_secret_access_key` and `aws_session_token` of the pool, as far as they were
                given and the override takes them.
        """
        arguments = self._options.as_arguments(region_name=region_name, **keys)
        return make_client(self.session, self.service_name, **arguments)

    def _connect_resource_to_region(self, region_name: str) -> Any:
        """Return the service resource of one region, for `handle.resource`.

        A subclass that connects in its own way says here how its resources are made; without that there are none, as
        they would be made with other credentials than its clients.
        """
        if self._overrides("_connect_module_to_region"):
            text = f"{self!r} connects in its own way; override _connect_resource_to_region to have resources too"
            raise ConnectError(text)
        arguments = self._options.as_arguments(region_name=region_name)
        return make_resource(self.session, self.service_name, **arguments)

    def _get_module_regions(self) -> list[str]:
        """Return the names of all regions where the account can use the service."""
        return self._connections.offer.everywhere()

    # -- regions ------------------------------------------------------------------------------------------------------

    @property
    def regions(self) -> RegionsMapping[H]:
        """Return the pool's regions: a mapping of names to handles."""
        return self._regions

    def _table(self) -> Mapping[str, H]:
        return self._live.table()

    def _known(self) -> Mapping[str, H]:
        return self._connections.known()

    def _find_default(self) -> H:
        return self._live.default()

    def region(self, region_name: str) -> H:
        """Return the handle of one region, by any of its names.

        Raises:
            NotConnectedError: the pool has no connection of that name; the message says why.
        """
        return self._live.find(region_name)

    def add_region(self, region_name: str) -> H:
        """Add a region to this pool alone, and return its handle; adding it twice is adding it once.

        Args:
            region_name: such as `us-east-2` or `us_east_2`.

        Raises:
            InvalidRegionError: that is no region's name.
            UnknownRegionError: there is no such region; the message has the close matches.
            RegionDisabledError: the account has not enabled it.
        """
        return self._live.add(region_name)

    @property
    def add(self) -> Adder[H]:
        """Return the older way to add a region: `pool.add.regions['ap-southeast-1']`."""
        return Adder(self.add_region)

    @property
    def provenance(self) -> RegionsAnswer:
        """Return where the pool's regions come from: who said so, and which steps gave no answer."""
        return self._live.answer()

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Return the regions that were asked for and left out, each with its reason."""
        return self._live.skipped()

    def status(self) -> dict[str, RegionState]:
        """Return the state of every region, those left out included, as the pool's own calls have shown it.

        Returns:
            By region; see `RegionState`.
        """
        return self._live.states()

    # -- connecting ---------------------------------------------------------------------------------------------------

    def connect(
        self,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        *,
        profile_name: str | None = None,
        session: boto3.Session | None = None,
    ) -> Self:
        """Make the clients of all regions now, concurrently, and return the pool.

        A region that fails costs only itself: `status()` shows it, and its use raises the error. With arguments, the
        pool first takes the new credentials in place of its own.

        Raises:
            ConfigError: the credentials are half given.
            ConnectError: no region could be connected.
        """
        self._check_open()
        keys = access_keys(aws_access_key_id, aws_secret_access_key, aws_session_token)
        identity = Identity.if_given(session, profile_name, keys)
        if identity is not None:
            self.swap(self.prepare(identity))
        if not self._options.is_unsigned and not self._overrides("_connect_module_to_region"):
            self._connections.identity.check_credentials()
        failed = warm(self._table().values(), repr(self))
        for name, error in failed.items():
            _log.warning("%r: %s could not be connected: %s", self, name, error)
        return self

    def _connect(self, region: Region, identity: Identity) -> Any:
        """Make the client of a region, by the subclass's way if it has one."""
        self._check_open()
        if self._overrides("_connect_module_to_region"):
            keys = identity.keys_for(self._connect_module_to_region)
            return self._connect_module_to_region(region.endpoint_region, **keys)
        arguments = self._options.as_arguments(region_name=region.endpoint_region)
        return make_client(identity.session, self.service_name, **arguments)

    def _connect_resource(self, region: Region, identity: Identity) -> Any:
        self._check_open()
        if self._overrides("_connect_resource_to_region") or self._overrides("_connect_module_to_region"):
            return self._connect_resource_to_region(region.endpoint_region)
        arguments = self._options.as_arguments(region_name=region.endpoint_region)
        return make_resource(identity.session, self.service_name, **arguments)

    # -- what a pool is -----------------------------------------------------------------------------------------------

    @property
    def service_name(self) -> str:
        """Return botocore's name of the service."""
        return self._connections.offer.service

    @property
    def default_region(self) -> str | None:
        """Return the name of the default region, or None."""
        return self._connections.offer.default_region

    @property
    def session(self) -> boto3.Session:
        """Return the session that the clients are made from.

        Raises:
            CredentialError: the pool was pickled without its credentials.
        """
        return self._connections.identity.session

    def _release(self) -> None:
        with self._lock:
            connections = self._connections
        connections.close("its pool was closed; make a new pool")

    def __getattr__(self, name: str) -> H:
        if hasattr(type(self), name):
            # A property of ours has raised an AttributeError of its own: let it speak.
            return cast("H", object.__getattribute__(self, name))
        # `pool.eu_west_1`; any other unknown name is what it is everywhere.
        if looks_like_region(name):
            return self.region(name)
        text = f"{type(self).__name__!r} object has no attribute {name!r}"
        if not name.startswith("_"):
            text += f"; the methods of a client are on a region: pool.regions[...].{name}"
        raise AttributeError(text)

    @property
    def _label(self) -> str:
        name = type(self).__name__
        return f"{name} {camel_name(self._own_service)}" if self._own_service else name

    def __repr__(self) -> str:
        return f"<{self._label}{' closed' if self._closed else ''}>"

    def __getstate__(self) -> dict[str, Any]:
        made_anew = {"_connections", "_lock", "_regions"}
        state = {name: value for name, value in vars(self).items() if name not in made_anew}
        connections = self._connections
        return {**state, "_recipe": (connections.identity.recipe(), connections.added)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        identity, added = state.pop("_recipe")
        vars(self).update(state)
        self._finish(Identity(**identity), added)
