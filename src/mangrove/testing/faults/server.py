"""The fault server: a proxy on loopback before an embedded AWS, or any server of yours, that makes things go wrong."""

from __future__ import annotations

import contextlib
import importlib
import logging
import secrets
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mangrove.errors import ConfigError, NotRunningError
from mangrove.testing.faults.choosing import Chooser, Match
from mangrove.testing.faults.delivery import Pace
from mangrove.testing.faults.kinds import PASSING
from mangrove.testing.faults.listening import Listener
from mangrove.testing.faults.relay import Relay, Setting

if TYPE_CHECKING:
    import random
    from types import TracebackType

    from typing_extensions import Self

    from mangrove.testing._session import EmbeddedSession
    from mangrove.testing.embedded import EmbeddedAWS
    from mangrove.testing.faults.asked import Asked
    from mangrove.testing.faults.kinds import Kind

__all__ = ["InjectedFault", "Injector", "faults"]

_log = logging.getLogger("mangrove.testing")


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """Be a fault that was injected.

    Attributes:
        number: of it, from 1.
        kind: of it; see `KINDS`.
        service, operation, bucket, key, part, account, region: of the request; empty where that is not known.
    """

    number: int
    kind: str
    service: str
    operation: str
    bucket: str
    key: str
    part: str
    account: str
    region: str


def faults(
    aws: EmbeddedAWS | str,
    *,
    rate: float = 0.0,
    kinds: Sequence[str] = PASSING,
    seed: int | None = None,
    match: Match | None = None,
    script: Sequence[Any] = (),
    in_a_row: int | None = None,
    pace: Pace | None = None,
) -> Injector:
    """Put a proxy that injects faults before a server, for the time of a `with` block.

    Requests pass byte for byte, and only those that come to the proxy: the server's own URL stays as it is. What a
    fault does to the state is true to AWS: after "answer_lost" the object is stored, after "reset" it is not.

    Args:
        aws: a running `EmbeddedAWS`, or the URL of another server on HTTP.
        rate: the share of requests that have a fault, 0 to 1.
        kinds: the names of those that may happen, from `KINDS`; a request has one of those that fit it.
        seed: of the dice; None takes a new one, which `injected.seed` tells. The same requests have the same faults
            under one seed, in whatever order threads make them.
        match: the requests that may have a fault: fields with their values, or a function of the request.
        script: faults for certain requests, whatever the rate: names of kinds, or pairs of a name and a match, in
            which "nth" counts matching requests from 1 and "times" says to how many it happens.
        in_a_row: how many tries of one request in a row may have a fault; None for any number.
        pace: how long latency, stalls and refusals last.

    Raises:
        ConfigError: an argument is wrong.
        NotRunningError: the embedded AWS is not started.

    Example:
        >>> from mangrove.testing import EmbeddedAWS
        >>> from mangrove.testing.faults import faults
        >>> with EmbeddedAWS(accounts=1) as aws, faults(aws, script=["internal_error"], seed=1) as injected:
        ...     names = injected.session().client("s3").list_buckets()["Buckets"]  # botocore tries again
        ...     names, [(fault.kind, fault.operation) for fault in injected.log]
        ([], [('internal_error', 'ListBuckets')])
    """
    seed = secrets.randbits(32) if seed is None else seed
    if type(seed) is not int:
        text = f"seed is a whole number or None; got {seed!r}"
        raise ConfigError(text)
    return Injector(aws, Chooser(rate, kinds, seed, match, script, in_a_row), seed, pace or Pace())


class Injector:
    """Be a fault server; `faults()` makes it.

    Attributes:
        seed: of the dice.
    """

    def __init__(self, aws: EmbeddedAWS | str, chooser: Chooser, seed: int, pace: Pace) -> None:
        self._aws, self._chooser, self.seed = aws, chooser, seed
        self._address = _address(aws if isinstance(aws, str) else aws.endpoint_url)
        self._pace = pace
        self._listener: Listener | None = None
        self._lock = threading.Lock()
        self._log: list[InjectedFault] = []
        self._requests = self._paused = 0

    @property
    def endpoint_url(self) -> str:
        """Return the URL of the proxy.

        Raises:
            NotRunningError: it is not started.
        """
        if self._listener is None:
            text = "the fault server is not running; call start(), or use it in a `with` statement"
            raise NotRunningError(text)
        return self._listener.url

    @property
    def log(self) -> tuple[InjectedFault, ...]:
        """Return the faults that were injected so far, in their order."""
        with self._lock:
            return tuple(self._log)

    @property
    def requests(self) -> int:
        """Return how many requests have come, with a fault and without."""
        return self._requests

    def count(self) -> Counter[str]:
        """Return how often each kind was injected."""
        return Counter(fault.kind for fault in self.log)

    def session(self, account: str | None = None, region_name: str | None = None) -> EmbeddedSession:
        """Make a session whose requests come to the proxy, as `EmbeddedAWS.session` makes those that don't.

        Args:
            account: the id of the account; the management account if None.
            region_name: the region of clients that name none.

        Raises:
            ConfigError: the server is no `EmbeddedAWS`, or has no such account or region.
            NotRunningError: it is not started.
        """
        session = self._embedded("session").session(account, region_name)
        session._endpoint_url = self.endpoint_url  # noqa: SLF001  one room
        return session

    def environment(self, account: str | None = None, region_name: str | None = None) -> dict[str, str]:
        """Return variables that make any AWS SDK come to the proxy; see `EmbeddedAWS.environment`."""
        variables = self._embedded("environment").environment(account, region_name)
        return {**variables, "AWS_ENDPOINT_URL": self.endpoint_url}

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Inject nothing for a while: to prepare, or to look at what is there.

        Example:
            >>> from mangrove.testing import EmbeddedAWS
            >>> with EmbeddedAWS(accounts=1) as aws, faults(aws, rate=1, kinds=["access_denied"]) as injected:
            ...     with injected.paused():
            ...         injected.session().client("s3").list_buckets()["Buckets"]
            []
        """
        with self._lock:
            self._paused += 1
        try:
            yield
        finally:
            with self._lock:
                self._paused -= 1

    def start(self) -> Self:
        """Begin to listen; do nothing if it does already."""
        if self._listener is None:
            setting = Setting(self._connect, self._choose, self._account_of(), self._pace)
            self._listener = Listener(
                lambda listener, sock: Relay(setting, listener, sock).run(), name="mangrove-faults"
            )
        return self

    def stop(self) -> None:
        """End all connections and close the port; do nothing if it does not run."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if error is not None:
            _log.warning("faults were injected: %d, with seed=%d", len(self._log), self.seed)

    def __repr__(self) -> str:
        state = f"at {self._listener.url}" if self._listener else "stopped"
        return f"<Injector {state}, seed={self.seed}, {len(self._log)} faults in {self._requests} requests>"

    def _embedded(self, what: str) -> EmbeddedAWS:
        if isinstance(self._aws, str):
            text = f"{what}() needs an EmbeddedAWS; give clients of your server endpoint_url=injected.endpoint_url"
            raise ConfigError(text)
        return self._aws

    def _connect(self) -> socket.socket:
        sock = socket.create_connection(self._address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _account_of(self) -> Callable[[str], str]:
        if isinstance(self._aws, str):
            return lambda _: ""
        found: Callable[[str], str] = importlib.import_module("moto.iam.models").get_account_id_from
        return found

    def _choose(self, asked: Asked) -> tuple[Kind, random.Random] | None:
        with self._lock:
            self._requests += 1
            if self._paused:
                return None
        chosen = self._chooser.choose(asked)
        if chosen is not None:
            self._remember(chosen[0], asked)
        return chosen

    def _remember(self, kind: Kind, asked: Asked) -> None:
        of = (asked.service, asked.operation, asked.bucket, asked.key, asked.part, asked.account, asked.region)
        with self._lock:
            fault = InjectedFault(len(self._log) + 1, kind.name, *of)
            self._log.append(fault)
        _log.debug("injected %s", fault)


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/"):
        text = (
            f"the server has to be an EmbeddedAWS, or the http:// URL of a host and port; got {url!r}. Requests to AWS"
            " itself are signed for its own hosts and can't come by a proxy of another name"
        )
        raise ConfigError(text)
    return parts.hostname, parts.port or 80
