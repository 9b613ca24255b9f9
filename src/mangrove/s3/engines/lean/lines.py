"""Carry one exchange in the calling thread, over connections that threads take turns with."""

from __future__ import annotations

import select
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from mangrove.s3.engines.lean.loop import Exchange
from mangrove.s3.engines.lean.reading import Reading

__all__ = ["Lines"]

_BUFFER = 1 << 18
_SMALL = 1 << 16
_MOST_IDLE = 64
# As in the loop: networks forget connections that say nothing.
_MOST_IDLE_SECONDS = 118.0
_READ_WANTS = (BlockingIOError, InterruptedError, ssl.SSLWantReadError)


class Lines:
    """Keep connections that block, each used by one thread at a time.

    Args:
        connect: opens a socket to an origin.
        timeout: seconds without a byte after which an exchange has failed; None waits for ever.
        clock: a time in seconds that never goes back.
    """

    def __init__(
        self, connect: Callable[[str], Any], timeout: float | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connect, self._timeout, self._clock = connect, timeout, clock
        self._closed = False
        self._idle: dict[str, list[tuple[Any, float]]] = {}
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
        broken: OSError | None = None
        try:
            if body is None or len(body) <= _SMALL:
                sock.sendall(head if body is None else b"".join((head, body)))
            elif self._send(sock, exchange.reading, (memoryview(head), memoryview(body))):
                return
        except TimeoutError:
            raise
        except OSError as error:
            # Where the server answers, and closes, before it has read everything, its answer counts.
            broken = error
        self._read(sock, exchange.reading, broken)

    def _read(self, sock: Any, reading: Reading, broken: OSError | None) -> None:
        buffer = self._buffer()
        while True:
            try:
                size = _gathered(sock, buffer, reading.streaming)
            except OSError as error:
                raise error if broken is None else broken from error
            if not size:
                reading.end()
                reading.reusable = False
                return
            if reading.feed(buffer[:size]):
                reading.reusable = reading.reusable and broken is None
                return

    def _send(self, sock: Any, reading: Reading, parts: tuple[memoryview, ...]) -> bool:
        """Send what is large, and listen meanwhile; return whether the whole answer came before its end.

        `sendall` has one time-out for all of it, and hears no refusal.
        """
        sock.setblocking(False)  # noqa: FBT003  the name of it
        for part in parts:
            left = part
            while left:
                try:
                    left = left[sock.send(left) :]
                except ssl.SSLWantReadError:
                    writes = False
                except (BlockingIOError, InterruptedError, ssl.SSLWantWriteError):
                    writes = True
                else:
                    continue
                if _wait(sock, self._timeout, writes=writes) and self._hears(sock, reading):
                    return True
        sock.settimeout(self._timeout)
        return False

    def _hears(self, sock: Any, reading: Reading) -> bool:
        """Take what the server says while it is sent to; return whether its answer is whole."""
        buffer = self._buffer()
        try:
            while size := sock.recv_into(buffer):
                if reading.feed(buffer[:size]):
                    reading.reusable = False
                    return True
        except _READ_WANTS:
            return False
        reading.end()
        reading.reusable = False
        return True

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
                sock, since = idle.pop()
                if self._clock() - since < _MOST_IDLE_SECONDS and not _readable(sock):
                    return sock
                sock.close()
        return None

    def _put(self, exchange: Exchange, sock: Any) -> None:
        if exchange.error is None and exchange.reading.reusable:
            with self._lock:
                idle = self._idle.setdefault(exchange.origin, [])
                if len(idle) < _MOST_IDLE and not self._closed:
                    idle.append((sock, self._clock()))
                    return
        sock.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            self._closed = True
            for idle in self._idle.values():
                for sock, _ in idle:
                    sock.close()
            self._idle.clear()


def _gathered(sock: Any, buffer: memoryview, wanted: int) -> int:
    """Receive what is there; what a sink gets until the buffer is full, for TLS gives 16 KiB at a time.

    Args:
        sock: the socket, which blocks.
        buffer: takes the bytes.
        wanted: how many are sure to come, if the server keeps its word.
    """
    size: int = sock.recv_into(buffer)
    most = min(wanted, len(buffer))
    while 0 < size < most:
        more = sock.recv_into(buffer[size:most])
        if not more:
            break  # the next call says so again
        size += more
    return size


def _readable(sock: Any) -> bool:
    """Return whether there is something to read: nobody has asked, so it is the end, or a server gone wrong."""
    return _wait(sock, 0.0, writes=False, fails=False)


def _wait(sock: Any, timeout: float | None, *, writes: bool, fails: bool = True) -> bool:
    """Wait until a socket can be read, or written if `writes`; return whether there is something to read.

    Raises:
        TimeoutError: neither, for all the seconds; unless `fails` is False.
    """
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN | (select.POLLOUT if writes else 0))
        found = [event & ~select.POLLOUT for _, event in poll.poll(None if timeout is None else timeout * 1000)]
    else:
        read, written, _ = select.select([sock], [sock] if writes else [], [], timeout)
        found = [*([1] if read else []), *([0] if written else [])]
    if not found and fails:
        text = "no byte for the time-out"
        raise TimeoutError(text)
    return any(found)
