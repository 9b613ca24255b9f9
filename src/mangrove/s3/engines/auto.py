"""Take the lean engine where it can do what is asked, and botocore's client for all else: S3 Express, signature 4A."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from mangrove.aws.handlers import foreign_handlers, is_active
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.boto import BotoEngine
from mangrove.s3.engines.lean.endpoints import UnusualError
from mangrove.s3.engines.lean.requests import OPERATIONS
from mangrove.s3.engines.registrations import Registrations

if TYPE_CHECKING:
    from mangrove.s3.engines.lean import LeanEngine

__all__ = ["AutoEngine"]


class _Ringing(BotoEngine):
    """Be the engine over botocore's client that wakes another one's poll when a call has ended."""

    def __init__(self, client: Any, threads: int, ring: Callable[[], None]) -> None:
        super().__init__(client, threads)
        self._ring = ring
        self.flying = 0

    def _end(self, call: Call, future: Future[None]) -> None:
        super()._end(call, future)
        self._ring()


class AutoEngine:
    """Carry each call by the engine that can.

    Args:
        lean: the engine of the common case.
        client: makes the client for the rest; called when it is first needed.
        handlers: event handlers that may be switched on at any time, such as moto's: while one is, all calls go by the
            client.
        threads: calls that the client makes at once.
        registrations: of the client that users see: while it has handlers of theirs, all calls go by the client, which
            asks them too.
    """

    def __init__(
        self,
        lean: LeanEngine,
        client: Callable[[], Any],
        handlers: list[Any],
        *,
        threads: int = 50,
        registrations: Registrations | None = None,
    ) -> None:
        self._lean, self._client, self._handlers, self._threads = lean, client, handlers, threads
        self._boto: _Ringing | None = None
        self._unusual: set[str] = set()
        self._registrations, self._looked = registrations, 0
        self._lock = threading.Lock()

    @property
    def where(self) -> str:
        """Return which server it talks to, for what outlives the process."""
        return self._lean.where

    def _is_lean(self, call: Call) -> bool:
        if call.operation not in OPERATIONS or (self._unusual and call.params["Bucket"] in self._unusual):
            return False
        if self._registrations is not None and self._registrations.count != self._looked:
            self._look(self._registrations)
        return not self._handlers or not any(is_active(each) for each in self._handlers)

    def _look(self, registrations: Registrations) -> None:
        """Find out which handlers there are now."""
        self._looked = registrations.count
        self._handlers = foreign_handlers(registrations.client, OPERATIONS) or []

    def _other(self) -> _Ringing:
        # One for all threads: what is submitted to another one nobody polls.
        with self._lock:
            if self._boto is None:
                self._boto = _Ringing(self._client(), self._threads, self._lean.wake)
            return self._boto

    def submit(self, call: Call) -> None:
        """Begin a call and return at once; see `Engine`."""
        if self._is_lean(call):
            self._lean.submit(call)
        else:
            other = self._other()
            other.flying += 1
            other.submit(call)

    def poll(self, timeout: float) -> list[Call]:
        """Return the calls that have ended; see `Engine`."""
        calls = self._landed()
        # Its calls wake the lean engine when they end.
        calls = calls or self._lean.poll(timeout) + self._landed()
        return [call for call in calls if call.error is None or not self._sent_on(call)]

    def _landed(self) -> list[Call]:
        boto = self._boto
        if boto is None or not boto.flying:
            return []
        calls = boto.poll(0)
        boto.flying -= len(calls)
        return calls

    def _sent_on(self, call: Call) -> bool:
        """Return whether a call turned out to be none for the lean engine, and give it to the other."""
        if type(call.error) is not UnusualError:
            return False
        self._unusual.add(call.params["Bucket"])
        call.error = None
        self.submit(call)
        return True

    def wake(self) -> None:
        """Make a `poll` that waits return; see `Engine`."""
        self._lean.wake()

    def perform(self, call: Call) -> Reply:
        """Make a call in this thread and return its reply; see `Engine`."""
        if self._is_lean(call):
            try:
                return self._lean.perform(call)
            except UnusualError:
                self._unusual.add(call.params["Bucket"])
                call.error = None
        return self._other().perform(call)

    def close(self) -> None:
        """Close the connections; see `Engine`."""
        self._lean.close()
        if self._boto is not None:
            self._boto.close()
