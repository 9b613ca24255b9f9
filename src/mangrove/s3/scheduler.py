"""Make many operations at once in one thread: begin what may begin, try again what may be, hand back what has ended."""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from mangrove.s3.engines.base import Call, Engine
from mangrove.s3.faults import kind_of
from mangrove.s3.handle import Handle, Heavy
from mangrove.s3.performing import Performer
from mangrove.s3.retrying import Trial
from mangrove.s3.windows import prefix_of

__all__ = ["Scheduler", "Source"]

# How long the thread sleeps while there is nothing to do; it is woken for anything new.
_LONG = 60.0
# Large objects that are moved at once; each has threads of its own for its parts.
_HEAVY = 4


class Source(Protocol):
    """Say what the scheduler asks of a batch; all of it is called in the scheduler's thread."""

    inbox: deque[Handle]
    limit: int
    flying: int

    def ended(self, handle: Handle) -> None:
        """Take an operation that has ended."""


class _Try:
    """Be one operation with its tries."""

    __slots__ = ("handle", "prefix", "source", "trial")

    def __init__(self, handle: Handle, source: Source) -> None:
        self.handle, self.source = handle, source
        self.trial: Trial | None = None
        self.prefix: str | None = None


class Scheduler:
    """Serve batches from one thread, which ends when it is closed.

    Args:
        performer: the engine, the rules of trying again, and what heavy steps need.
        clock: a time in seconds that never goes back.
    """

    def __init__(self, performer: Performer, clock: Callable[[], float] = time.monotonic) -> None:
        self._performer, self._clock = performer, clock
        self._engine: Engine = performer.engine
        self._retrying = performer.retrying
        self._windows = performer.retrying.windows
        self._sources: list[Source] = []
        self._later: list[tuple[float, int, _Try]] = []
        self._held: deque[tuple[_Try, Call]] = deque()
        self._count = 0
        self._landed: deque[tuple[_Try, BaseException | None]] = deque()
        self._pool: ThreadPoolExecutor | None = None
        self._stopping = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    # -- from any thread --------------------------------------------------------------------------------------------

    def serve(self, source: Source) -> None:
        """Take the operations of a batch from now on."""
        with self._lock:
            self._sources = [*self._sources, source]
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mangrove-s3", daemon=True)
                self._thread.start()

    def leave(self, source: Source) -> None:
        """Take none of its operations any more."""
        with self._lock:
            self._sources = [each for each in self._sources if each is not source]

    def wake(self) -> None:
        """Say that there is something new."""
        self._engine.wake()

    def close(self) -> None:
        """End the thread; what is under way is left alone."""
        self._stopping = True
        thread = self._thread
        if thread is not None:
            self._engine.wake()
            if thread is not threading.current_thread():
                thread.join()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    # -- in its thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        poll = self._engine.poll
        while not self._stopping:
            for source in self._sources:
                self._begin_some(source)
            timeout = self._retry_some()
            for call in poll(timeout):
                self._ended(call)
            while self._landed:
                this, error = self._landed.popleft()
                self._finish(this, self._retrying.final(error) if isinstance(error, Exception) else error)

    def _begin_some(self, source: Source) -> None:
        inbox, limit = source.inbox, source.limit
        while source.flying < limit and inbox:
            handle = inbox.popleft()
            if handle.ended:
                continue  # cancelled meanwhile
            source.flying += 1
            handle.started = self._clock()
            self._step(_Try(handle, source))

    def _step(self, this: _Try) -> None:
        """Begin an operation, for the first time or again."""
        this.handle.attempts += 1
        try:
            step = this.handle.begin()
        except Exception as error:  # noqa: BLE001  it belongs to the operation
            self._finish(this, error)
            return
        self._go_on(this, step)

    def _go_on(self, this: _Try, step: Call | Heavy | None) -> None:
        if step is None:
            self._finish(this, None)
        elif isinstance(step, Call):
            self._submit(this, step)
        else:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_HEAVY, thread_name_prefix="mangrove-s3-large")
            self._pool.submit(self._lift, this, step)

    def _lift(self, this: _Try, step: Heavy) -> None:
        """Make a heavy step, in a thread of the pool."""
        error: BaseException | None = None
        try:
            step(self._performer)
        except BaseException as found:  # noqa: BLE001  it belongs to the operation
            error = found
        self._landed.append((this, error))
        self._engine.wake()

    def _submit(self, this: _Try, call: Call) -> None:
        call.owner = this
        if self._windows:
            self._submit_slowly(this, call)
        else:
            self._engine.submit(call)

    def _submit_slowly(self, this: _Try, call: Call) -> None:
        """Submit a call if the window of its prefix has room, which S3 has asked to be slower with; else hold it."""
        prefix = prefix_of(this.handle.bucket, this.handle.key)
        if self._windows.begin(prefix):
            this.prefix = prefix
            self._engine.submit(call)
        else:
            self._held.append((this, call))

    def _ended(self, call: Call) -> None:
        this: _Try = call.owner
        handle, error = this.handle, call.error
        if this.prefix is not None:
            self._windows.end(this.prefix, well=error is None)
            this.prefix = None
        if self._held:
            self._release()
        try:
            if error is None and call.reply is not None:
                handle.reply = call.reply
                step = handle.receive(call, call.reply)
            else:
                step = handle.recover(call, error or AssertionError("a call ended with neither a reply nor an error"))
        except Exception as found:  # noqa: BLE001  it may go away
            self._again(this, call, found)
            return
        if step is not None:
            self._go_on(this, step)
            return
        self._retrying.budget.give()
        self._finish(this, None)

    def _again(self, this: _Try, call: Call, error: Exception) -> None:
        """Try an operation again later, if that may help."""
        trial = this.trial = this.trial or self._retrying.trial(this.handle.retries, this.handle.started)
        delay = trial.delay(error, call)
        if kind_of(error) == "throttled":
            self._retrying.slow(this.handle.bucket, this.handle.key, this.source.flying)
        if delay is None:
            self._finish(this, trial.final(error))
            return
        this.handle.unsure = trial.unsure
        self._count += 1
        heapq.heappush(self._later, (self._clock() + delay, self._count, this))

    def _release(self) -> None:
        """Try to submit what is held, in its order."""
        held, self._held = self._held, deque()
        for this, call in held:
            self._submit_slowly(this, call)

    def _retry_some(self) -> float:
        """Begin again what is due; return for how many seconds there is nothing more to begin."""
        later = self._later
        now = self._clock()
        while later and later[0][0] <= now:
            self._step(heapq.heappop(later)[2])
        return min(_LONG, max(0.0, later[0][0] - now)) if later else _LONG

    def _finish(self, this: _Try, error: BaseException | None) -> None:
        this.source.flying -= 1
        this.handle.end(error)
        this.source.ended(this.handle)
