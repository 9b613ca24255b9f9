"""Hold hundreds of exchanges at once in one thread: connections on an epoll, each with one request under way."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mangrove.s3.engines.lean.poller import WRITE, Poller
from mangrove.s3.engines.lean.reading import Reading
from mangrove.s3.engines.lean.writing import Written

__all__ = ["Exchange", "Loop"]

_BUFFER = 1 << 18
# A request up to this size goes out in one piece with its head.
_SMALL = 1 << 16
_CONNECTORS = 16
_CHECK = 0.5
_WANTS = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


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


class _Line:
    """Be one connection."""

    __slots__ = ("deadline", "exchange", "fd", "origin", "out", "secure", "served", "sock", "writing")

    def __init__(self, sock: Any, origin: str) -> None:
        self.sock, self.origin, self.fd = sock, origin, sock.fileno()
        self.secure = isinstance(sock, ssl.SSLSocket)
        self.exchange: Exchange | None = None
        self.out: list[memoryview] = []
        self.writing = False
        self.served = 0
        self.deadline = 0.0


class Loop:
    """Carry exchanges over as many connections as are allowed; one thread submits and polls.

    Args:
        connect: opens a socket to an origin; it may block, for it has threads of its own.
        capacity: how many connections there are at most.
        timeout: seconds without a byte after which an exchange has failed; None waits for ever.
        clock: a time in seconds that never goes back.
    """

    def __init__(
        self,
        connect: Callable[[str], Any],
        *,
        capacity: int,
        timeout: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect, self._capacity, self._clock = connect, capacity, clock
        self._timeout = float("inf") if timeout is None else timeout
        self._poller = Poller()
        self._lines: dict[int, _Line] = {}
        self._idle: dict[str, list[_Line]] = {}
        self._waiting: deque[Exchange] = deque()
        self._opening: dict[str, int] = {}
        self._opened: deque[tuple[str, Any, Exception | None]] = deque()
        self._ended: list[Exchange] = []
        self._buffer = memoryview(bytearray(_BUFFER))
        self._connectors: ThreadPoolExecutor | None = None
        self._checked = clock()

    def submit(self, exchange: Exchange) -> None:
        """Begin an exchange, or keep it until a connection is free."""
        idle = self._idle.get(exchange.origin)
        if idle:
            self._begin(idle.pop(), exchange)
        else:
            self._waiting.append(exchange)
            self._open(exchange.origin)

    def refuse(self, exchange: Exchange, error: Exception) -> None:
        """End an exchange that can't begin."""
        exchange.error = error
        self._ended.append(exchange)

    def poll(self, timeout: float) -> list[Exchange]:
        """Return the exchanges that have ended; wait up to `timeout` seconds for the first."""
        if not self._ended:
            lines = self._lines
            for fd, event in self._poller.poll(min(timeout, _CHECK)):
                line = lines.get(fd)
                if line is None:
                    self._welcome()
                    continue
                if event & WRITE and line.exchange is not None:
                    self._send(line, line.exchange)
                    if line.fd not in lines:
                        continue
                if event != WRITE:
                    self._receive(line)
            now = self._clock()
            if now - self._checked >= _CHECK:
                self._check(now)
        ended, self._ended = self._ended, []
        return ended

    def wake(self) -> None:
        """Make a `poll` that waits return; from any thread."""
        self._poller.wake()

    # -- connections ------------------------------------------------------------------------------------------------

    def _open(self, origin: str) -> None:
        """Open one more connection, if it is allowed; that of another host makes room."""
        opening = self._opening.get(origin, 0)
        if opening >= len(self._waiting):
            return
        if len(self._lines) + sum(self._opening.values()) >= self._capacity:
            spare = next((lines for lines in self._idle.values() if lines), None)
            if spare is None:
                return
            self._drop(spare.pop(0))
        if self._connectors is None:
            self._connectors = ThreadPoolExecutor(_CONNECTORS, thread_name_prefix="mangrove-s3-connect")
        self._opening[origin] = opening + 1
        self._connectors.submit(self._try_connect, origin)

    def _try_connect(self, origin: str) -> None:
        try:
            sock = self._connect(origin)
            sock.setblocking(False)  # noqa: FBT003  the name of it
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs to the exchange
            self._opened.append((origin, None, error))
        else:
            self._opened.append((origin, sock, None))
        self._poller.wake()

    def _welcome(self) -> None:
        """Take the connections that have been opened."""
        self._poller.hush()
        while self._opened:
            origin, sock, error = self._opened.popleft()
            self._opening[origin] -= 1
            if error is not None:
                self._fail_waiting(origin, error)
                continue
            line = _Line(sock, origin)
            self._lines[line.fd] = line
            self._poller.add(line.fd)
            self._rest(line)

    def _fail_waiting(self, origin: str, error: Exception) -> None:
        """End what waits for a host that can't be reached: all, unless there are connections to it; then the first."""
        waiting = [each for each in self._waiting if each.origin == origin]
        reached = self._opening[origin] or any(line.origin == origin for line in self._lines.values())
        for exchange in waiting[:1] if reached else waiting:
            self._waiting.remove(exchange)
            exchange.error = error
            self._ended.append(exchange)
        if self._waiting:
            self._open(self._waiting[0].origin)

    def _rest(self, line: _Line) -> None:
        """Give a free connection to what waits for its host, or keep it."""
        waiting = self._waiting
        if waiting:
            if waiting[0].origin == line.origin:
                self._begin(line, waiting.popleft())
                return
            exchange = next((each for each in waiting if each.origin == line.origin), None)
            if exchange is not None:
                waiting.remove(exchange)
                self._begin(line, exchange)
                return
            self._idle.setdefault(line.origin, []).append(line)
            self._open(waiting[0].origin)
            return
        self._idle.setdefault(line.origin, []).append(line)

    def _drop(self, line: _Line) -> None:
        self._lines.pop(line.fd, None)
        with contextlib.suppress(OSError, ValueError):
            self._poller.remove(line.fd)
        with contextlib.suppress(OSError):
            line.sock.close()

    # -- exchanges --------------------------------------------------------------------------------------------------

    def _begin(self, line: _Line, exchange: Exchange) -> None:
        line.exchange = exchange
        exchange.fresh = not line.served
        line.deadline = self._clock() + self._timeout
        try:
            _, head, body = exchange.write(exchange.call)
        except Exception as error:  # noqa: BLE001  it belongs to the exchange
            self._end(line, exchange, error)
            return
        if body is not None and len(body) > _SMALL:
            line.out = [memoryview(head), memoryview(body)]
            self._send(line, exchange)
            return
        data = head if body is None else b"".join((head, body))
        try:
            # As almost always, all of it goes at once.
            sent = line.sock.send(data)
        except _WANTS:
            sent = 0
        except OSError as error:
            self._receive(line, broken=error)
            return
        exchange.sent = True
        if sent < len(data):
            line.out = [memoryview(data)[sent:]]
            self._send(line, exchange)

    def _send(self, line: _Line, exchange: Exchange) -> None:
        out, sock = line.out, line.sock
        try:
            while out:
                sent = sock.send(out[0])
                exchange.sent = True
                if sent == len(out[0]):
                    out.pop(0)
                else:
                    out[0] = out[0][sent:]
        except _WANTS:
            line.deadline = self._clock() + self._timeout
        except OSError as error:
            # The server may have answered, and closed, before it has read everything.
            out.clear()
            self._receive(line, broken=error)
            return
        if line.writing != bool(out):
            line.writing = bool(out)
            self._poller.watch(line.fd, writing=line.writing)

    def _receive(self, line: _Line, broken: OSError | None = None) -> None:
        exchange = line.exchange
        if exchange is None:
            # The server has closed it, or says what nobody asked for.
            self._idle[line.origin].remove(line)
            self._drop(line)
            return
        reading, sock, buffer = exchange.reading, line.sock, self._buffer
        try:
            while True:
                size = sock.recv_into(buffer)
                if not size:
                    reading.end()
                    break
                if reading.feed(buffer[:size]):
                    break
                if not line.secure and size < _BUFFER:
                    # More comes with the next event. What TLS has deciphered gives none.
                    line.deadline = self._clock() + self._timeout
                    return
        except _WANTS:
            if broken is not None:
                self._end(line, exchange, broken)
            line.deadline = self._clock() + self._timeout
        except Exception as error:  # noqa: BLE001  the connection's, the answer's or the sink's: the exchange has failed
            self._end(line, exchange, error)
        else:
            self._end(line, exchange, None)

    def _end(self, line: _Line, exchange: Exchange, error: Exception | None) -> None:
        line.exchange = None
        exchange.error = error
        self._ended.append(exchange)
        if not line.out and (exchange.reading.reusable if error is None else not exchange.sent):
            line.served += 1
            self._rest(line)
            return
        self._drop(line)
        if self._waiting:
            self._open(self._waiting[0].origin)

    def _check(self, now: float) -> None:
        """End the exchanges that have heard nothing for too long."""
        self._checked = now
        for line in [each for each in self._lines.values() if each.exchange is not None and each.deadline < now]:
            if line.exchange is not None:
                line.out.clear()
                self._end(line, line.exchange, TimeoutError("no byte for the time-out"))

    def close(self) -> None:
        """Close all connections; what is under way or waits ends with an error."""
        error = ConnectionAbortedError("the engine was closed")
        for line in list(self._lines.values()):
            if line.exchange is not None:
                line.exchange.error = error
                self._ended.append(line.exchange)
            self._drop(line)
        for exchange in self._waiting:
            exchange.error = error
        self._ended += self._waiting
        self._waiting.clear()
        self._idle.clear()
        if self._connectors is not None:
            self._connectors.shutdown(wait=True)
            for _, sock, _ in self._opened:
                if sock is not None:
                    sock.close()
        self._poller.close()
