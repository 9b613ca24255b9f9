"""Carry one exchange in the calling thread, over connections that threads take turns with."""

from __future__ import annotations

import contextlib
import select
import threading
from collections.abc import Callable
from typing import Any

from mangrove.s3.engines.lean.loop import Exchange

__all__ = ["Lines"]

_BUFFER = 1 << 18
_SMALL = 1 << 16
_MOST_IDLE = 64


class Lines:
    """Keep connections that block, each used by one thread at a time.

    Args:
        connect: opens a socket to an origin.
        timeout: seconds without a byte after which an exchange has failed; None waits for ever.
    """

    def __init__(self, connect: Callable[[str], Any], timeout: float | None) -> None:
        self._connect, self._timeout = connect, timeout
        self._idle: dict[str, list[Any]] = {}
        self._lock = threading.Lock()
        self._buffers = threading.local()

    def carry(self, exchange: Exchange) -> None:
        """Send the request of an exchange and read its answer; its `error` says why there is none."""
        sock = self._take(exchange.origin)
        exchange.fresh = sock is None
        try:
            if sock is None:
                sock = self._connect(exchange.origin)
                sock.settimeout(self._timeout)
            self._exchange(sock, exchange)
        except Exception as error:  # noqa: BLE001  the caller decides what becomes of it
            exchange.error = error
        except BaseException:
            # Ctrl-C: the connection is in the middle of something.
            if sock is not None:
                sock.close()
            raise
        if sock is not None:
            self._put(exchange, sock)

    def _exchange(self, sock: Any, exchange: Exchange) -> None:
        _, head, body = exchange.write(exchange.call)
        exchange.sent = True
        # Where the server answers, and closes, before it has read everything, its answer counts.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if body is None:
                sock.sendall(head)
            elif len(body) <= _SMALL:
                sock.sendall(b"".join((head, body)))
            else:
                sock.sendall(head)
                sock.sendall(body)
        buffer = self._buffer()
        reading = exchange.reading
        while True:
            size = sock.recv_into(buffer)
            if not size:
                reading.end()
                reading.reusable = False
                return
            if reading.feed(buffer[:size]):
                return

    def _buffer(self) -> memoryview:
        buffer: memoryview | None = getattr(self._buffers, "buffer", None)
        if buffer is None:
            buffer = self._buffers.buffer = memoryview(bytearray(_BUFFER))
        return buffer

    def _take(self, origin: str) -> Any:
        """Take an idle connection that the server has not closed, the one used last."""
        with self._lock:
            idle = self._idle.get(origin)
            while idle:
                sock = idle.pop()
                if not _readable(sock):
                    return sock
                sock.close()
        return None

    def _put(self, exchange: Exchange, sock: Any) -> None:
        if exchange.error is None and exchange.reading.reusable:
            with self._lock:
                idle = self._idle.setdefault(exchange.origin, [])
                if len(idle) < _MOST_IDLE:
                    idle.append(sock)
                    return
        sock.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            for idle in self._idle.values():
                for sock in idle:
                    sock.close()
            self._idle.clear()


def _readable(sock: Any) -> bool:
    """Return whether there is something to read: nobody has asked, so it is the end, or a server gone wrong."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])
