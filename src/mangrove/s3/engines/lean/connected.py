"""Be what the loop holds hundreds of: an exchange, and the connection that carries it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from mangrove.s3.engines.lean.reading import Reading
from mangrove.s3.engines.lean.writing import Written

__all__ = ["WANTS", "Exchange", "Line", "is_quiet"]

# What a socket that does not block raises in place of waiting.
WANTS = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Exchange:
    """Be one request under way, and its answer.

    Args:
        call: whose it is; the loop does not look at it.
        origin: the host that the request goes to.
        write: makes the request of the call when a connection is there, so that its signature is young.
        reading: takes the answer.

    Attributes:
        error: why there is no whole answer, once it has ended.
        fresh: whether the connection was new.
        sent: whether any byte has been sent.
    """

    __slots__ = ("call", "error", "fresh", "origin", "reading", "sent", "write")

    def __init__(self, call: Any, origin: str, write: Callable[[Any], Written], reading: Reading) -> None:
        self.call, self.origin, self.write, self.reading = call, origin, write, reading
        self.error: Exception | None = None
        self.fresh = self.sent = False


class Line:
    """Be one connection.

    Args:
        sock: its socket.
        origin: the host it goes to.
    """

    __slots__ = ("deadline", "exchange", "fd", "origin", "out", "secure", "served", "sock", "writing")

    def __init__(self, sock: Any, origin: str) -> None:
        self.sock, self.origin, self.fd = sock, origin, sock.fileno()
        self.secure = isinstance(sock, ssl.SSLSocket)
        self.exchange: Exchange | None = None
        self.out: list[memoryview] = []
        self.writing = False
        self.served = 0
        self.deadline = 0.0


def is_quiet(sock: Any, buffer: memoryview) -> bool:
    """Return whether an idle connection has only done its own work, such as taking a ticket of TLS 1.3.

    Otherwise the server has closed it, or says what nobody asked for.

    Args:
        sock: its socket, which does not block.
        buffer: for what it says.
    """
    try:
        sock.recv_into(buffer)
    except WANTS:
        return True
    except OSError:
        pass
    return False
