"""Several services in one object: each is a pool, and an attribute."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, cast

from mangrove.aws.options import ClientOptions
from mangrove.aws.services import one_of
from mangrove.errors import ConfigError, CredentialError, MangroveError
from mangrove.pool.closing import Closing
from mangrove.pool.declaration import Declaration, attribute_name, check_connect, declared_by, read_services
from mangrove.pool.identity import Identity, access_keys
from mangrove.pool.service import ServicePool

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from typing_extensions import Self

__all__ = ["ServiceMixinPool"]

_log = logging.getLogger("mangrove.pool")


class ServiceMixinPool(Closing):
    """Connect to several services, each in its regions.

    Subclass it with the class attribute `services` (or the older `_aws_services`): a dict of services, each with a dict
    of options, which may be empty. Each service becomes an attribute, with hyphens as underscores.

    Args:
        connect: True connects all services in all regions now.
        aws_access_key_id: as boto3's, with aws_secret_access_key.
        aws_secret_access_key: as boto3's.
        regions: takes the place of the regions that the class declares, for all services.
        default_region: takes the place of the default regions that the class declares.
        aws_session_token: as boto3's.
        profile_name: a profile of the AWS configuration files.
        session: a `boto3.Session` or `mangrove.Session` to use, instead of keys or a profile.
        endpoint_url: passed to every client of every service.
        config: a `botocore.config.Config`, passed to every client.
        verify: passed to every client: False, or the path of a CA bundle.

    Raises:
        ConfigError: an argument or a declaration is wrong; no call was made.
        NoRegionsError: nothing is left of the regions of a service.
        ConnectError: with connect=True, when a service could be connected in no region.

    Example:
        >>> from mangrove.pool import ServiceMixinPool
        >>> class WebPool(ServiceMixinPool):
        ...     services = {"s3": {"regions": "*", "default_region": "eu-west-1"}, "sqs": {}}
        >>> with WebPool(regions=["us_west_1", "eu_west_1"]) as pool:
        ...     print(pool.s3, list(pool.sqs.regions), pool.s3.regions.default.region_name)
        <ServicePool S3> ['us-west-1', 'eu-west-1'] eu-west-1
    """

    services: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    _aws_services: ClassVar[Mapping[str, Any] | None] = None

    def __init__(
        self,
        connect: bool = False,  # noqa: FBT001, FBT002  the seed's signature: connect comes first
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        *,
        regions: Iterable[str] | None = None,
        default_region: str | None = None,
        aws_session_token: str | None = None,
        profile_name: str | None = None,
        session: boto3.Session | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
        verify: bool | str | None = None,
    ) -> None:
        check_connect(connect)
        keys = access_keys(aws_access_key_id, aws_secret_access_key, aws_session_token)
        self._identity = Identity(session, profile_name, keys)
        self._options = ClientOptions(endpoint_url, config, verify)
        self._pools: dict[str, ServicePool[Any]] = {}
        self._lock = threading.RLock()
        own = type(self)
        declared = declared_by(own, "services", "_aws_services")
        narrowed = Declaration("").with_arguments(regions, default_region)
        for service, declaration in read_services(declared, own.__name__).items():
            name = attribute_name(service)
            if name in self._pools:
                text = f"{own.__name__} declares {name!r} twice, as {service!r} and in another spelling"
                raise ConfigError(text)
            self._add(name, declaration.with_arguments(narrowed.regions, default_region))
        if connect:
            self.connect()

    def _add(self, attribute: str, declaration: Declaration) -> ServicePool[Any]:
        self._check_open()
        if hasattr(type(self), attribute):
            text = (
                f"the service {declaration.service!r} would hide {type(self).__name__}.{attribute}; "
                f"give it another name: add_service({declaration.service!r}, attribute='aws_{attribute}')"
            )
            raise ConfigError(text)
        try:
            pool = ServicePool[Any].of(declaration, self._options, self._identity)
        except MangroveError as error:
            text = f"{type(self).__name__}, service {declaration.service!r}: {error}"
            raise type(error)(text) from error
        with self._lock:
            self._check_open()
            replaced = self._pools.get(attribute)
            self._pools = {**self._pools, attribute: pool}
        if replaced is not None:
            replaced.close()
        return pool

    def add_service(
        self,
        service_name: str,
        connect: bool = False,  # noqa: FBT001, FBT002  the seed's signature
        regions: Iterable[str] | None = None,
        default_region: str | None = None,
        *,
        attribute: str | None = None,
    ) -> ServicePool[Any]:
        """Add a service to this object alone, and return its pool; adding it again replaces and closes the old one.

        Args:
            service_name: such as `sqs`.
            connect: True connects it now.
            regions: names and globs, `'*'`, or None for every region.
            default_region: the region of `regions.default`.
            attribute: the attribute's name, where the service's own is taken.

        Raises:
            ConfigError: an argument is wrong, or the attribute is taken by a method.
        """
        check_connect(connect)
        declaration = read_services({service_name: {}}, type(self).__name__)[service_name]
        name = attribute_name(service_name) if attribute is None else attribute
        if not name.isidentifier() or name.startswith("_"):
            text = f"attribute takes a public Python name, such as 'aws_connect'; got {name!r}"
            raise ConfigError(text)
        pool = self._add(name, declaration.with_arguments(regions, default_region))
        return pool.connect() if connect else pool

    @property
    def pools(self) -> Mapping[str, ServicePool[Any]]:
        """Return the pools by attribute name."""
        return MappingProxyType(self._pools)

    def connect(
        self,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        *,
        profile_name: str | None = None,
        session: boto3.Session | None = None,
    ) -> Self:
        """Connect every service in every region now, and return this object; with arguments, as somebody else.

        A service that fails costs only itself: its use raises the error.

        Raises:
            ConfigError: the credentials are half given.
            ConnectError: no service could be connected.
        """
        self._check_open()
        keys = access_keys(aws_access_key_id, aws_secret_access_key, aws_session_token)
        identity = Identity.if_given(session, profile_name, keys)
        if identity is not None:
            self._take(identity)
        errors: dict[str, MangroveError] = {}
        for name, pool in self._pools.items():
            try:
                pool.connect()
            except CredentialError:
                raise  # the same for all of them
            except MangroveError as error:
                errors[name] = error
        if errors and len(errors) == len(self._pools):
            raise next(iter(errors.values()))
        for name, failed in errors.items():
            _log.warning("%r: %s could not be connected: %s", self, name, failed)
        return self

    def _take(self, identity: Identity) -> None:
        """Take an identity for all services; if one of them can't, none does."""
        prepared = [(pool, pool.prepare(identity)) for pool in self._pools.values()]
        self._identity = identity
        for pool, connections in prepared:
            pool.swap(connections)

    def _release(self) -> None:
        with self._lock, contextlib.ExitStack() as stack:
            for pool in self._pools.values():
                stack.callback(pool.close)

    def __getattr__(self, name: str) -> ServicePool[Any]:
        if hasattr(type(self), name):
            # A property of a subclass has raised an AttributeError of its own: let it speak.
            return cast("ServicePool[Any]", object.__getattribute__(self, name))
        pools: Mapping[str, ServicePool[Any]] = vars(self).get("_pools", {})
        for candidate in (name, attribute_name(name)):
            if candidate in pools:
                return pools[candidate]
        text = f"{type(self).__name__!r} object has no attribute or service {name!r}"
        raise AttributeError(text + one_of(name, pools))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._pools})

    def __repr__(self) -> str:
        names = f" {', '.join(self._pools)}" if self._pools else ""
        return f"<{type(self).__name__}{names}{' closed' if self._closed else ''}>"

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in vars(self).items() if name != "_lock"}
        return {**state, "_identity": self._identity.recipe()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = threading.RLock()
        self._take(Identity(**state["_identity"]))
