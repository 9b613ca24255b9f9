"""Be what serves a connection: a client, an engine, the thread that schedules; of the real S3 or of a made-up one."""

from __future__ import annotations

import os
import threading
from typing import Any

from mangrove._redact import redact_url
from mangrove.aws.handlers import foreign_handlers
from mangrove.aws.session import make_client
from mangrove.aws.sockets import sockets_of
from mangrove.errors import ConfigError
from mangrove.s3.engines.auto import AutoEngine
from mangrove.s3.engines.base import Engine
from mangrove.s3.engines.boto import BotoEngine, one_try
from mangrove.s3.engines.lean import LeanEngine
from mangrove.s3.engines.lean.requests import OPERATIONS
from mangrove.s3.engines.registrations import Registrations
from mangrove.s3.making import Maker
from mangrove.s3.rules.options import Table, members_of
from mangrove.s3.rules.policy import Policy
from mangrove.s3.running.performing import Performer, Settings
from mangrove.s3.running.retrying import Retrying
from mangrove.s3.running.scheduler import Scheduler

__all__ = ["ENGINES", "Backend", "check_endpoint", "check_engine", "engine_for"]

ENGINES = ("auto", "boto")
# Connections that one engine opens at most: what Linux gives a process by default is 1,024 files.
CAPACITY = 512


class Backend:
    """Serve one connection, or one mock of it.

    Args:
        client: the client that users see.
        engine: what carries the calls.
        settings: how objects are moved.
        policy: when what failed is tried again.
        capacity: calls at once where nothing is slowed.
    """

    def __init__(
        self, client: Any, engine: Engine, settings: Settings, policy: Policy, *, capacity: int = CAPACITY
    ) -> None:
        self.client, self.engine, self.settings = client, engine, settings
        self.performer = Performer(engine, Retrying(policy, capacity, client.exceptions.from_code), settings)
        self.maker = Maker(settings, self._options)
        self.process = os.getpid()
        self._table: Table | None = None
        self._scheduler: Scheduler | None = None
        self._closed = False
        self._lock = threading.Lock()

    def _options(self) -> Table:
        if self._table is None:
            self._table = Table(members_of(self.client.meta.service_model))
        return self._table

    @property
    def scheduler(self) -> Scheduler:
        """Return the thread that makes many operations at once.

        Raises:
            ConfigError: it was closed.
        """
        with self._lock:
            if self._closed:
                text = "the connection was closed, or its mock stopped, before this was made"
                raise ConfigError(text)
            if self._scheduler is None or self._scheduler.closed:
                self._scheduler = Scheduler(self.performer)
            return self._scheduler

    def close(self) -> None:
        """End the thread and close the connections."""
        with self._lock:
            scheduler, self._scheduler, self._closed = self._scheduler, None, True
        if scheduler is not None:
            scheduler.close()
        self.engine.close()


def check_engine(kind: str, capacity: int) -> None:
    """Look at what an engine is made by.

    Raises:
        ConfigError: there is no such kind, or the number of connections is none.
    """
    if kind not in ENGINES:
        text = f"engine is one of {', '.join(ENGINES)}; got {kind!r}"
        raise ConfigError(text)
    if type(capacity) is not int or capacity < 1:
        text = f"max_connections is a whole number, 1 or more; got {capacity!r}"
        raise ConfigError(text)


def check_endpoint(url: object) -> None:
    """Look at the address of a server.

    Args:
        url: the address, or None.

    Raises:
        ConfigError: it is none.
    """
    # botocore says so too, but at the first call, and with an error of nobody's.
    if url is not None and not (isinstance(url, str) and url.lower().startswith(("http://", "https://"))):
        text = f"endpoint_url begins with http:// or https://; got {redact_url(str(url))!r}"
        raise ConfigError(text)


def engine_for(
    session: Any,
    arguments: dict[str, Any],
    kind: str,
    *,
    capacity: int = CAPACITY,
    registrations: Registrations | None = None,
) -> Engine:
    """Return the engine that talks to the real S3.

    Args:
        session: a boto3 session.
        arguments: of its client: `endpoint_url`, `region_name`, `config`, `verify`, ….
        kind: "auto" for the lean engine where it can; "boto" for botocore's client always.
        capacity: connections at most.
        registrations: of the client that users see, whose handlers are asked.

    Raises:
        ConfigError: there is no such kind.
    """
    check_engine(kind, capacity)
    follow = registrations.follow if registrations is not None else _itself

    def make(**more: Any) -> Any:
        return make_client(session, "s3", **{**arguments, "config": one_try(arguments.get("config")), **more})

    client = make()
    sockets, handlers = sockets_of(client), foreign_handlers(client, OPERATIONS)
    # Handlers that can't be switched off change every request, and only botocore's client asks them.
    lasting = handlers is None or any(not hasattr(each, "enabled") for each in handlers)
    if kind == "boto" or sockets is None or lasting or not sockets.is_direct(client.meta.endpoint_url):
        return BotoEngine(follow(client))
    lean = LeanEngine(
        session,
        client,
        sockets,
        client_of=lambda region: make(region_name=region),
        capacity=capacity,
        sign_payload=_signs_payload(client),
    )
    return AutoEngine(lean, lambda: follow(make()), handlers or [], registrations=registrations)


def _itself(client: Any) -> Any:
    return client


def _signs_payload(client: Any) -> bool | None:
    signs: bool | None = (getattr(client.meta.config, "s3", None) or {}).get("payload_signing_enabled")
    return signs
