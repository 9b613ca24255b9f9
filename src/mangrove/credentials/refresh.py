"""Keep temporary credentials fresh: asked for once, in time, by one thread, however many need them."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mangrove.credentials.documents import Issued
from mangrove.credentials.forks import renewed_in_children
from mangrove.errors import CredentialError

__all__ = ["Clock", "Fetch", "Refresher", "SystemClock", "Times", "times_of"]

_log = logging.getLogger("mangrove.credentials")

# Seconds before the end: the window in which a new one is fetched while the old one is served, and the last part of it,
# in which everybody waits for the new one, as a request that is signed now may arrive too late.
_LONGEST_WINDOW, _PART_OF_LIFETIME, _JITTER = 900.0, 0.25, 0.2
_LONGEST_WAIT = 60.0
# Seconds for which a failure is remembered; in the window, where it hurts nobody, twice as long each time.
_MEMO, _LONGEST_MEMO = 1.0, 30.0


class Clock(Protocol):
    """Tell the time, and wait: the seam for tests."""

    def time(self) -> float:
        """Return seconds of the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """Be the machine's clock."""

    def time(self) -> float:
        """Return seconds of the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Fetch(Protocol):
    """Get new credentials, from a cache or from STS."""

    def __call__(self, *, wait: bool, rejected: Issued | None, anew: bool) -> Issued | None:
        """Return them, or None if somebody else is getting them and `wait` is false.

        Args:
            wait: wait for another process that is getting them.
            rejected: credentials that a service has refused; they are not taken from a cache again.
            anew: ask STS, whatever a cache has.

        Raises:
            CredentialError: there are none to be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class Times:
    """Hold when credentials are to be replaced, by this machine's clock.

    Attributes:
        refresh: from here on one thread fetches new ones, and all others go on with these.
        wait: from here on everybody waits for new ones.
        end: from here on they are worth nothing.
    """

    refresh: float
    wait: float
    end: float


def times_of(issued: Issued, jitter: float) -> Times:
    """Return when credentials are to be replaced: in the last quarter of their life, at most 15 minutes before the end.

    Args:
        issued: the credentials.
        jitter: 0 to 1; what keeps a thousand roles from being refreshed in the same second.

    Example:
        >>> issued = Issued("key", "secret", "token", expires=3600.0, issued=0.0)
        >>> times_of(issued, 0.0)
        Times(refresh=2700.0, wait=3540.0, end=3600.0)
    """
    window = min(_LONGEST_WINDOW, issued.lifetime * _PART_OF_LIFETIME)
    end = issued.local_expiry
    return Times(end - window * (1 - _JITTER * jitter), end - min(_LONGEST_WAIT, window / 2), end)


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """Hold credentials with their times, so that both change in one step."""

    issued: Issued
    times: Times
    generation: int


class Refresher:
    """Hold the credentials of one role and replace them in time; any number of threads may ask.

    Args:
        name: what it is about, for messages.
        fetch: gets new ones.
        clock: tells the time.
    """

    def __init__(self, name: str, fetch: Fetch, clock: Clock) -> None:
        self._name = name
        self._fetch = fetch
        self._clock = clock
        self._state: _State | None = None
        # In the window nobody asks in this time; after a failure, nobody at all for a second. Both ends count: a clock
        # that is set back must not make a second an hour.
        self._quiet = (0.0, 0.0)
        self._failed_at = 0.0
        self._failure: CredentialError | None = None
        self._failures = 0
        self._renewed_at = 0.0
        self.start_anew()
        renewed_in_children(self)

    def start_anew(self) -> None:
        """Take a new lock: what a child process needs."""
        self._lock = threading.Lock()
        self._owner: int | None = None

    def peek(self) -> Issued | None:
        """Return the credentials there are, however old; ask nobody."""
        state = self._state
        return state.issued if state else None

    @property
    def generation(self) -> int:
        """Return how often the credentials have been replaced."""
        state = self._state
        return state.generation if state else 0

    def ends_within(self, seconds: float) -> bool:
        """Say whether there are no credentials that live longer than that."""
        state = self._state
        return state is None or state.times.end - self._clock.time() < seconds

    def is_fresh(self) -> bool:
        """Say whether there are credentials that need no refresh yet."""
        state = self._state
        return state is not None and self._clock.time() < state.times.refresh

    def get(self) -> Issued:
        """Return good credentials.

        Raises:
            CredentialError: there are none, and none to be had; a failure is remembered for a second.
        """
        state = self._state
        now = self._clock.time()
        if state is not None and now < state.times.refresh:
            return state.issued
        if state is not None and now < state.times.wait:
            self._refresh_if_nobody_does(state)
        else:
            self._refresh_or_wait(state)
        current = self._state
        if current is None:  # pragma: no cover  the line above has raised
            raise CredentialError(self._name)
        return current.issued

    def renew(self, generation: int) -> bool:
        """Replace credentials that a service has refused as expired; say whether there are others now.

        Args:
            generation: which ones the refused request was signed with. If they have been replaced since, nobody is
                asked; nor if they have come in the last second: then it is not their age.
        """
        with self._alone():
            state = self._state
            if state is not None and state.generation != generation:
                return True
            if self._has_just_failed() or self._has_just_been_renewed():
                return False
            try:
                self._ask(wait=True, rejected=state.issued if state else None)
                self._renewed_at = self._clock.time()
            except CredentialError as error:
                _log.warning("%s: refused as expired, and not to be renewed: %s", self._name, error)
                return False
        return True

    def refresh(self) -> None:
        """Replace the credentials now, whatever a cache has.

        Raises:
            CredentialError: there are none to be had.
        """
        with self._alone():
            self._raise_if_quiet()
            self._ask(wait=True, anew=True)

    def _refresh_if_nobody_does(self, state: _State) -> None:
        if self._is_quiet() or not self._lock.acquire(blocking=False):
            return
        self._owner = threading.get_ident()
        try:
            # Another thread may have asked, or failed, just before.
            if self._state is state and not self._is_quiet():
                self._ask(wait=False)
        except CredentialError as error:
            left = state.times.end - self._clock.time()
            _log.warning("%s: not refreshed, the old credentials are good for %.0f s: %s", self._name, left, error)
        finally:
            self._owner = None
            self._lock.release()

    def _refresh_or_wait(self, state: _State | None) -> None:
        with self._alone():
            if self._state is not state:
                return  # another thread has replaced them meanwhile
            try:
                self._raise_if_quiet()
                self._ask(wait=True)
            except CredentialError:
                if state is None or self._clock.time() >= state.times.end:
                    raise

    def _ask(self, *, wait: bool, rejected: Issued | None = None, anew: bool = False) -> None:
        """Fetch new credentials; under the lock."""
        try:
            issued = self._fetch(wait=wait, rejected=rejected, anew=anew)
        except CredentialError as error:
            self._failure, self._failed_at = error, self._clock.time()
            self._be_quiet(min(_MEMO * 2**self._failures, _LONGEST_MEMO))
            self._failures = min(self._failures + 1, 10)
            raise
        if issued is None:
            # Another process is at it: look again in a second.
            self._be_quiet(_MEMO)
            return
        self._failure, self._failures = None, 0
        times = times_of(issued, random.random())  # noqa: S311  it keeps roles apart, and is no secret
        # Others' credentials may be due already, where STS gave no new ones.
        self._be_quiet(_MEMO if self._clock.time() >= times.refresh else 0.0)
        self._state = _State(issued, times, self.generation + 1)
        _log.debug("%s: credentials of account %s, good for %.0f s", self._name, issued.account_id, issued.lifetime)

    def _has_just_failed(self) -> bool:
        return self._failure is not None and 0 <= self._clock.time() - self._failed_at < _MEMO

    def _has_just_been_renewed(self) -> bool:
        return 0 <= self._clock.time() - self._renewed_at < _MEMO

    def _be_quiet(self, seconds: float) -> None:
        now = self._clock.time()
        self._quiet = (now, now + seconds)

    def _is_quiet(self) -> bool:
        begin, end = self._quiet
        return begin <= self._clock.time() < end

    def _raise_if_quiet(self) -> None:
        failure = self._failure
        if failure is not None and self._has_just_failed():
            # An error of its own for each thread: raising one and the same grows its traceback.
            again = type(failure)(*failure.args)
            raise again from failure.__cause__

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if self._owner == threading.get_ident():
            text = f"{self._name}: getting these credentials asks for these credentials"
            raise RecursionError(text)
        with self._lock:
            self._owner = threading.get_ident()
            try:
                yield
            finally:
                self._owner = None

    def __repr__(self) -> str:
        return f"<Refresher of {self._name}>"
