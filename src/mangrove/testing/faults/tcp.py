"""A plain TCP proxy that makes a network bad: late, slow, cut into pieces, silent, or gone."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mangrove.errors import ConfigError, NotRunningError
from mangrove.testing.faults.delivery import End, Pause, Step
from mangrove.testing.faults.listening import AT_ONCE, HOST, Listener

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["TCPProxy", "Toxics", "treat"]

_PIECE = 1 << 16
_LONG = 3600.0


@dataclass(frozen=True, slots=True)
class Toxics:
    """Be what is bad about a network; with nothing said, nothing is.

    Args:
        latency: seconds that all bytes come late.
        bandwidth: bytes a second.
        slice: bytes of the pieces that bytes come in.
        limit: bytes after which a connection is closed.
        reset: bytes after which a connection is reset; 0 resets it when the first byte would come.
        stall: bytes after which nothing more comes, and the connection stays open.
        timeout: seconds after which a stalled connection is closed; None means never.

    Raises:
        ConfigError: one of them is negative or no number.
    """

    latency: float = 0.0
    bandwidth: float | None = None
    slice: int | None = None
    limit: int | None = None
    reset: int | None = None
    stall: int | None = None
    timeout: float | None = None

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0):
                text = f"{name} is a number, 0 or more; got {value!r}"
                raise ConfigError(text)
        for name in ("bandwidth", "slice"):
            if getattr(self, name) == 0:
                text = f"{name} is more than 0; for nothing at all use stall=0"
                raise ConfigError(text)


def treat(piece: bytes, passed: int, toxics: Toxics) -> list[Step]:
    """Return how bytes come through a bad network: in pieces, after pauses, or not.

    Args:
        piece: the bytes.
        passed: how many have passed on this connection in this direction before.
        toxics: what is bad.

    Example:
        >>> treat(b"abcd", 0, Toxics(slice=3, reset=4))
        [b'abc', b'd', End(how='reset')]
        >>> treat(b"abcd", 0, Toxics(latency=0.5, limit=2))
        [Pause(seconds=0.5), b'ab', End(how='close')]
    """
    ends: list[tuple[int, list[Step]]] = []
    if toxics.limit is not None:
        ends.append((toxics.limit, [End("close")]))
    if toxics.reset is not None:
        ends.append((toxics.reset, [End("reset")]))
    if toxics.stall is not None:
        ends.append((toxics.stall, [Pause(_LONG if toxics.timeout is None else toxics.timeout), End("close")]))
    first, last = min(ends, key=lambda each: each[0], default=(passed + len(piece) + 1, []))
    kept = piece[: max(0, first - passed)]
    steps: list[Step] = [Pause(toxics.latency)] if toxics.latency else []
    size = toxics.slice or len(kept) or 1
    for at in range(0, len(kept), size):
        part = kept[at : at + size]
        if toxics.bandwidth:
            steps.append(Pause(len(part) / toxics.bandwidth))
        steps.append(part)
    return steps + (last if first <= passed + len(piece) else [])


class TCPProxy:
    r"""Listen on a loopback port, and pass what comes on to a server, through a network as bad as you like.

    It knows nothing of HTTP, and so serves TLS and everything else. What is bad may be changed at any time by `set`.

    Args:
        server: its URL, or "host:port".
        upstream: what is bad on the way to the server; the other arguments are of the way back, where not said
            otherwise.
        **toxics: see `Toxics`.

    Raises:
        ConfigError: an argument is wrong.

    Example:
        >>> import socket
        >>> from mangrove.testing import EmbeddedAWS
        >>> with EmbeddedAWS() as aws, TCPProxy(aws.endpoint_url, reset=0) as proxy:
        ...     with socket.create_connection(("127.0.0.1", proxy.port)) as sock:
        ...         sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        ...         sock.recv(1)
        Traceback (most recent call last):
        ...
        ConnectionResetError: [Errno 104] Connection reset by peer
    """

    def __init__(self, server: str, *, upstream: Toxics | None = None, **toxics: Any) -> None:
        self._address = _address(server)
        self._scheme = "https" if server.startswith("https:") else "http"
        self._up, self._down = upstream or Toxics(), _toxics(Toxics(), toxics)
        self._listener: Listener | None = None
        self.connections = 0

    @property
    def port(self) -> int:
        """Return the port of the proxy.

        Raises:
            NotRunningError: it is not started.
        """
        return self._started().port

    @property
    def endpoint_url(self) -> str:
        """Return the URL of the proxy, of the server's scheme."""
        return f"{self._scheme}://{HOST}:{self.port}"

    def set(self, *, upstream: Toxics | None = None, **toxics: Any) -> None:
        """Change what is bad, from the next bytes on; what is not named stays.

        Args:
            upstream: what is bad on the way to the server.
            **toxics: see `Toxics`.

        Raises:
            ConfigError: an argument is wrong.
        """
        self._down = _toxics(self._down, toxics)
        self._up = upstream or self._up

    def refuse(self, seconds: float) -> None:
        """Refuse new connections for so many seconds.

        Raises:
            NotRunningError: it is not started.
        """
        self._started().refuse(seconds)

    def start(self) -> Self:
        """Begin to listen; do nothing if it does already."""
        if self._listener is None:
            self._listener = Listener(self._serve, name="mangrove-tcp-proxy")
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

    def __repr__(self) -> str:
        state = f"at {self.endpoint_url}" if self._listener else "stopped"
        return f"<TCPProxy {state}, {self._down}>"

    def _started(self) -> Listener:
        if self._listener is None:
            text = "the proxy is not running; call start(), or use it in a `with` statement"
            raise NotRunningError(text)
        return self._listener

    def _serve(self, listener: Listener, client: socket.socket) -> None:
        self.connections += 1
        server = listener.also(socket.create_connection(self._address))
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = _Line(listener, client, server)
        there = threading.Thread(
            target=line.pump, args=(client, server, lambda: self._up), name="mangrove-tcp-proxy-up", daemon=True
        )
        there.start()
        try:
            line.pump(server, client, lambda: self._down)
        finally:
            line.finish()
            there.join()
            listener.forget(server)
            server.close()


class _Line:
    """Be a connection with its two directions, each pumped by a thread.

    Args:
        listener: whose connection it is.
        client, server: its ends.
    """

    def __init__(self, listener: Listener, client: socket.socket, server: socket.socket) -> None:
        self._listener = listener
        self._ends = (client, server)
        self._gone = threading.Event()

    def pump(self, source: socket.socket, target: socket.socket, toxics: Callable[[], Toxics]) -> None:
        """Pass on what comes from one end, until it ends or what is bad ends it."""
        passed = 0
        with contextlib.suppress(OSError):
            for piece in _pieces(source):
                for step in treat(piece, passed, toxics()):
                    if not self._step(step, target):
                        return
                passed += len(piece)
            if not self._gone.is_set():
                # The other direction may have more to say.
                target.shutdown(socket.SHUT_WR)

    def finish(self, *, how: str = "close") -> None:
        """Have both directions end; the sockets are closed when both have."""
        self._gone.set()
        for sock in self._ends:
            with contextlib.suppress(OSError):
                if how == "reset":
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                # For reading alone: the peer must not see an end in order before the reset.
                sock.shutdown(socket.SHUT_RD)

    def _step(self, step: Step, target: socket.socket) -> bool:
        if isinstance(step, Pause):
            return not self._listener.stopping.wait(step.seconds)
        if isinstance(step, End):
            self.finish(how=step.how)
            return False
        target.sendall(step)
        return True


def _pieces(source: socket.socket) -> Iterator[bytes]:
    while piece := source.recv(_PIECE):
        yield piece


def _toxics(old: Toxics, new: dict[str, Any]) -> Toxics:
    if unknown := sorted(set(new) - set(Toxics.__slots__)):
        text = f"a network has no {', '.join(map(repr, unknown))}; there are {', '.join(Toxics.__slots__)}"
        raise ConfigError(text)
    return replace(old, **new)


def _address(server: str) -> tuple[str, int]:
    parts = urlsplit(server if "//" in server else f"//{server}")
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        port = None
    if not parts.hostname or port is None:
        text = f"the server is a URL or host:port; got {server!r}"
        raise ConfigError(text)
    return parts.hostname, port
