"""Hold hundreds of exchanges at once in one thread: connections on an epoll, each with one request under way."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mangrove.s3.engines.lean.connected import WANTS, Exchange, Line, is_quiet
from mangrove.s3.engines.lean.poller import WRITE, Poller

__all__ = ["Exchange", "Loop"]

_BUFFER = 1 << 18
# A request up to this size goes out in one piece with its head.
_SMALL = 1 << 16
# So many small requests go out one after the other: a peer that each of them woke would cost more than sending them.
_TOGETHER = 16
_CONNECTORS = 16
_CHECK = 0.5
# Networks forget connections that say nothing for some minutes, and tell nobody; libcurl trusts them as long.
_MOST_IDLE = 118.0


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
        self._lines: dict[int, Line] = {}
        self._idle: dict[str, list[Line]] = {}
        self._waiting: deque[Exchange] = deque()
        self._opening: dict[str, int] = {}
        self._opened: deque[tuple[str, Any, Exception | None]] = deque()
        self._ended: list[Exchange] = []
        self._ready: list[tuple[Line, Exchange, bytes]] = []
        self._buffer = memoryview(bytearray(_BUFFER))
        self._connectors: ThreadPoolExecutor | None = None
        self._checked = clock()
        self._closed = False

    def submit(self, exchange: Exchange) -> None:
        """Begin an exchange, or keep it until a connection is free."""
        idle = self._idle.get(exchange.origin)
        while idle:
            line = idle.pop()
            if line.deadline >= self._clock():
                if not self._begin(line, exchange):
                    self._rest(line)
                return
            self._drop(line)
        self._waiting.append(exchange)
        self._open(exchange.origin)

    def refuse(self, exchange: Exchange, error: Exception) -> None:
        """End an exchange that can't begin."""
        exchange.error = error
        self._ended.append(exchange)

    def poll(self, timeout: float) -> list[Exchange]:
        """Return the exchanges that have ended; wait up to `timeout` seconds for the first."""
        self._flush()
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
        try:
            self._connectors.submit(self._try_connect, origin)
        except RuntimeError as error:  # no more threads, or the interpreter ends
            self._opened.append((origin, None, error))
            self._poller.wake()

    def _try_connect(self, origin: str) -> None:
        try:
            sock = self._connect(origin)
            sock.setblocking(False)  # noqa: FBT003  the name of it
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs to the exchange
            self._opened.append((origin, None, error))
        else:
            self._opened.append((origin, sock, None))
        if self._closed:
            self._forget_opened()
        else:
            self._poller.wake()

    def _forget_opened(self) -> None:
        """Close the connections that nobody will use; two threads may do so at once."""
        with contextlib.suppress(IndexError):
            while True:
                sock = self._opened.popleft()[1]
                if sock is not None:
                    sock.close()

    def _welcome(self) -> None:
        """Take the connections that have been opened."""
        self._poller.hush()
        while self._opened:
            origin, sock, error = self._opened.popleft()
            left = self._opening.pop(origin) - 1
            if left:
                self._opening[origin] = left
            if error is not None:
                self._fail_waiting(origin, error)
                continue
            line = Line(sock, origin)
            self._lines[line.fd] = line
            self._poller.add(line.fd)
            self._rest(line)

    def _fail_waiting(self, origin: str, error: Exception) -> None:
        """End what waits for a host that can't be reached: all, unless there are connections to it; then the first."""
        waiting = [each for each in self._waiting if each.origin == origin]
        reached = origin in self._opening or any(line.origin == origin for line in self._lines.values())
        for exchange in waiting[:1] if reached else waiting:
            self._waiting.remove(exchange)
            exchange.error = error
            self._ended.append(exchange)
        if self._waiting:
            self._open(self._waiting[0].origin)

    def _rest(self, line: Line) -> None:
        """Give a free connection to what waits for its host, or keep it."""
        # A loop, no recursion: thousands of requests may fail before they are sent.
        while self._waiting and (exchange := self._next(line.origin)) is not None:
            if self._begin(line, exchange):
                return
        line.deadline = self._clock() + _MOST_IDLE
        self._idle.setdefault(line.origin, []).append(line)
        if self._waiting:
            self._open(self._waiting[0].origin)

    def _next(self, origin: str) -> Exchange | None:
        """Take what waits for a host, unless what has waited longest has no connection to its own at all."""
        waiting = self._waiting
        first = waiting[0].origin
        if first == origin:
            return waiting.popleft()
        if first not in self._opening and not any(line.origin == first for line in self._lines.values()):
            return None
        exchange = next((each for each in waiting if each.origin == origin), None)
        if exchange is not None:
            waiting.remove(exchange)
        return exchange

    def _drop(self, line: Line) -> None:
        self._lines.pop(line.fd, None)
        with contextlib.suppress(OSError, ValueError):
            self._poller.remove(line.fd)
        with contextlib.suppress(OSError):
            line.sock.close()

    # -- exchanges --------------------------------------------------------------------------------------------------

    def _begin(self, line: Line, exchange: Exchange) -> bool:
        """Send a request, or as much of it as goes; return False if there is none and the connection is as it was."""
        exchange.fresh = not line.served
        line.deadline = self._clock() + self._timeout
        try:
            _, head, body = exchange.write(exchange.call)
        except Exception as error:  # noqa: BLE001  it belongs to the exchange
            exchange.error = error
            self._ended.append(exchange)
            return False
        line.exchange = exchange
        if body is not None and len(body) > _SMALL:
            line.out = [memoryview(head), memoryview(body)]
            self._send(line, exchange)
            return True
        self._ready.append((line, exchange, head if body is None else b"".join((head, body))))
        if len(self._ready) >= _TOGETHER:
            self._flush()
        return True

    def _flush(self) -> None:
        """Send the small requests that have begun."""
        while self._ready:
            # What an answer in place of sending begins is not among these.
            ready, self._ready = self._ready, []
            for line, exchange, data in ready:
                if line.exchange is exchange:  # else it was closed meanwhile
                    self._send_small(line, exchange, data)

    def _send_small(self, line: Line, exchange: Exchange, data: bytes) -> None:
        try:
            # As almost always, all of it goes at once.
            sent = line.sock.send(data)
        except WANTS:
            sent = 0
        except OSError as error:
            self._receive(line, broken=error)
            return
        exchange.sent = True
        if sent < len(data):
            line.out = [memoryview(data)[sent:]]
            self._send(line, exchange)

    def _send(self, line: Line, exchange: Exchange) -> None:
        out, sock = line.out, line.sock
        try:
            while out:
                sent = sock.send(out[0])
                exchange.sent = True
                if sent == len(out[0]):
                    out.pop(0)
                else:
                    out[0] = out[0][sent:]
        except WANTS:
            line.deadline = self._clock() + self._timeout
        except OSError as error:
            # The server may have answered, and closed, before it has read everything.
            out.clear()
            self._receive(line, broken=error)
            return
        if line.writing != bool(out):
            line.writing = bool(out)
            self._poller.watch(line.fd, writing=line.writing)

    def _receive(self, line: Line, broken: OSError | None = None) -> None:
        exchange = line.exchange
        if exchange is None:
            self._overhear(line)
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
        except WANTS:
            if broken is not None:
                self._end(line, exchange, broken)
            line.deadline = self._clock() + self._timeout
        except Exception as error:  # noqa: BLE001  the connection's, the answer's or the sink's: the exchange has failed
            self._end(line, exchange, error)
        else:
            reading.reusable = reading.reusable and broken is None
            self._end(line, exchange, None)

    def _overhear(self, line: Line) -> None:
        """Look at what an idle connection says: it goes, but for TLS's own business."""
        if not is_quiet(line.sock, self._buffer):
            self._idle[line.origin].remove(line)
            self._drop(line)

    def _end(self, line: Line, exchange: Exchange, error: Exception | None) -> None:
        line.exchange = None
        exchange.error = error
        self._ended.append(exchange)
        if error is None and not line.out and exchange.reading.reusable:
            line.served += 1
            self._rest(line)
            return
        self._drop(line)
        if self._waiting:
            self._open(self._waiting[0].origin)

    def _check(self, now: float) -> None:
        """End the exchanges that have heard nothing for too long."""
        self._checked = now
        # Ctrl-C in whoever was to ring the bell may have come after the sign that it is rung.
        self._welcome()
        for idle in self._idle.values():
            while idle and idle[0].deadline < now:  # the first has been there longest
                self._drop(idle.pop(0))
        for line in [each for each in self._lines.values() if each.exchange is not None and each.deadline < now]:
            if line.exchange is not None:
                line.out.clear()
                self._end(line, line.exchange, TimeoutError("no byte for the time-out"))

    def close(self) -> None:
        """Close all connections; what is under way or waits ends with an error."""
        self._closed = True
        error = ConnectionAbortedError("the engine was closed")
        for line in list(self._lines.values()):
            if line.exchange is not None:
                line.exchange.error = error
                self._ended.append(line.exchange)
            self._drop(line)
        for exchange in self._waiting:
            exchange.error = error
        self._ready.clear()
        self._ended += self._waiting
        self._waiting.clear()
        self._idle.clear()
        if self._connectors is not None:
            # Not to wait for hosts that don't answer; who opens one now closes it.
            self._connectors.shutdown(wait=False, cancel_futures=True)
            self._forget_opened()
        self._poller.close()
