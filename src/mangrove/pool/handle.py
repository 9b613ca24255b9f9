"""One region of a pool: everything that a boto3 client has, made at first use and made once."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from mangrove._concurrency import Once
from mangrove.aws.faults import Verdict, region_verdict
from mangrove.aws.regions import Region
from mangrove.errors import ConnectError, MangroveError, PoolClosedError, RegionDisabledError

if TYPE_CHECKING:
    from mangrove.pool.identity import Identity
    from mangrove.pool.service import ServicePool

__all__ = ["RegionHandle", "RegionState"]


@dataclass(frozen=True, slots=True)
class RegionState:
    """Hold the state of one region of a pool.

    Attributes:
        name: the region.
        state: `idle` (not used yet), `connected`, `failed` (its client could not be made), `disabled` in the account,
            `denied` (a service control policy forbids it), or `unsupported` by the service.
        detail: what says so, or nothing.
    """

    name: str
    state: Literal["idle", "connected", "failed", "disabled", "denied", "unsupported"]
    detail: str = ""


class RegionHandle:
    """Be one region of a pool, with every method of its boto3 client.

    A handle is made by its pool, not by you. Its client is made when it is first used, once, whichever thread comes
    first; `client` is that client itself.

    Example:
        >>> pool = mangrove.ServicePool(service="sqs", regions=["us-east-1"])
        >>> handle = pool.regions["us-east-1"]
        >>> handle.list_queues()["ResponseMetadata"]["HTTPStatusCode"], handle.region_name
        (200, 'us-east-1')
    """

    def __init__(self, pool: ServicePool[Any], region: Region, identity: Identity) -> None:
        self._pool = pool
        self._region = region
        self._identity = identity
        self._client = Once[Any]()
        self._resource = Once[Any]()
        # As text: the exception's traceback would keep frames alive, and the keys in them.
        self._failure = ""
        self._verdict: tuple[Verdict, str] | None = None
        self._closed = ""

    @property
    def client(self) -> Any:
        """Return the boto3 client of this region, making it if this is the first use.

        Raises:
            RegionDisabledError: the account has not enabled the region.
            ConnectError: the client could not be made; its cause is chained.
            PoolClosedError: the pool was closed.
        """
        return self._client.get(self._make_client)

    @property
    def resource(self) -> Any:
        """Return the boto3 service resource of this region, for the services that have one.

        Raises:
            boto3.exceptions.ResourceNotExistsError: boto3 has no resource for the service.
            ConnectError: the pool connects in a way of its own, and says nothing on resources.
        """
        return self._resource.get(self._make_resource)

    @property
    def region_name(self) -> str:
        """Return the region's name, such as `us-west-1`; `aws-global` for a global service."""
        return self._region.name

    @property
    def info(self) -> Region:
        """Return what is known of the region: its status in the account, and who said so."""
        return self._region

    @property
    def meta(self) -> Any:
        """Return the client's `meta`."""
        return self.client.meta

    def _check_usable(self) -> None:
        if self._closed:
            text = f"{self!r} was closed: {self._closed}"
            raise PoolClosedError(text)
        if self._region.status == "disabled":
            text = (
                f"{self._region.name} is not enabled in this account, says {self._region.source}; "
                "enable it (account:EnableRegion), or leave it out of regions"
            )
            raise RegionDisabledError(text)

    def _make_client(self) -> Any:
        self._check_usable()
        try:
            client = self._pool._connect(self._region, self._identity)
        except MangroveError as error:
            self._failure = str(error)
            raise
        except Exception as error:
            self._failure = str(error)
            text = f"{self._pool.service_name} in {self._region.name} could not be connected: {error}"
            raise ConnectError(text) from error
        if client is None:
            self._failure = f"_connect_module_to_region({self._region.name!r}) returned no client"
            raise ConnectError(self._failure)
        self._failure = ""
        self._watch(client)
        return client

    def _make_resource(self) -> Any:
        self._check_usable()
        resource = self._pool._connect_resource(self._region, self._identity)
        self._watch(resource.meta.client)
        return resource

    def _watch(self, client: Any) -> None:
        """Learn from the calls themselves what they say about the region; costs no call."""
        events = getattr(getattr(client, "meta", None), "events", None)
        if events is not None:
            events.register("after-call", self._after_call)

    def _after_call(self, parsed: Any = None, model: Any = None, **_: Any) -> None:
        error = (parsed or {}).get("Error") or {}
        code, message = str(error.get("Code", "")), str(error.get("Message", ""))
        if not code:
            self._verdict = None
            return
        # A bad token looks like a disabled region: where the account has said that it is enabled, it is the token.
        verdict = region_verdict(code, message, opt_in=self._region.opt_in and self._region.status == "unknown")
        if verdict is not None:
            self._verdict = (verdict, f"{getattr(model, 'name', '')}: {code}: {message}")

    def _close(self, why: str) -> None:
        self._closed = why
        client, resource = self._client.take(), self._resource.take()
        with contextlib.ExitStack() as stack:  # the second is closed whatever the first does
            for used in (client, getattr(getattr(resource, "meta", None), "client", None)):
                close = getattr(used, "close", None)
                if callable(close):
                    stack.callback(close)

    if not TYPE_CHECKING:  # a typed handle inherits its client's methods; see services.pyi

        def __getattr__(self, name):  # noqa: ANN001, ANN204
            # Private names are asked for by copy, pickle and notebooks: they are no reason to make a client.
            if name.startswith("_"):
                raise AttributeError(name)
            return getattr(self.client, name)

    def __dir__(self) -> list[str]:
        client = self._client.peek()
        return sorted({*super().__dir__(), *(dir(client) if client is not None else ())})

    def __repr__(self) -> str:
        name = self._region.name.replace("-", "_")
        state = " disabled" if self._region.status == "disabled" else ""
        return f"<{self._pool._label} {name}{state}>"

    def __reduce__(self) -> NoReturn:
        text = "a region of a pool is pickled with its pool: pickle the pool"
        raise TypeError(text)

    def _state(self) -> RegionState:
        name = self._region.name
        if self._region.status == "disabled":
            return RegionState(name, "disabled", f"says {self._region.source}")
        if self._verdict is not None:
            return RegionState(name, *self._verdict)
        if self._failure:
            return RegionState(name, "failed", self._failure)
        detail = ""
        if self._region.support == "unlisted":
            detail = "the SDK's data does not list the service here"
        elif self._region.status == "unknown":
            detail = "not known whether the account has enabled it"
        idle = self._client.peek() is None and self._resource.peek() is None
        return RegionState(name, "idle" if idle else "connected", detail)


if TYPE_CHECKING:

    class AnyRegionHandle(RegionHandle):
        """Be the handle of a pool whose service a type checker does not know: it has any attribute."""

        def __getattr__(self, name: str) -> Any: ...
