"""Make many operations at once in one thread: begin what may begin, try again what may be, hand back what has ended."""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from mangrove.errors import ConfigError, MangroveError, TransferCancelledError, TransferError
from mangrove.s3.engines.base import Call, Engine
from mangrove.s3.rules.faults import kind_of
from mangrove.s3.rules.windows import prefix_of
from mangrove.s3.running.halting import halting
from mangrove.s3.running.handle import Handle, Heavy
from mangrove.s3.running.performing import Performer
from mangrove.s3.running.retrying import Trial

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
    halted: bool

    def ended(self, handle: Handle) -> None:
        """Take an operation that has ended."""

    def abandon(self, error: Exception) -> None:
        """End what has not begun, and take nothing more: nobody serves it any longer."""


class _Try:
    """Be one operation with its tries."""

    __slots__ = ("handle", "prefix", "source", "trial")

    def __init__(self, handle: Handle, source: Source) -> None:
        self.handle, self.source = handle, source
        self.trial: Trial | None = None
        self.prefix: str | None = None


class Scheduler:
    """Serve batches from one thread, which ends when it is closed, or when the engine itself fails.

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
        self._tries: set[_Try] = set()
        self._later: list[tuple[float, int, _Try]] = []
        self._held: dict[str, deque[tuple[_Try, Call]]] = {}
        self._count = 0
        self._landed: deque[tuple[_Try, BaseException | None]] = deque()
        self._halted: deque[Source] = deque()
        self._pool: ThreadPoolExecutor | None = None
        self._stopping = False
        self._lock = threading.Lock()
        # Ctrl-C may come while the thread is started, so that a second one is: then one of them goes at once.
        self._running = threading.Lock()
        self._thread: threading.Thread | None = None

    # -- from any thread --------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Return whether it serves nobody any more."""
        return self._stopping

    def serve(self, source: Source) -> None:
        """Take the operations of a batch from now on.

        Raises:
            ConfigError: it was closed.
        """
        with self._lock:
            if self._stopping:
                text = "the connection was closed after this batch was made; make another one"
                raise ConfigError(text)
            self._sources = [*self._sources, source]
            if not self._running.locked():
                threading.Thread(target=self._run, name="mangrove-s3", daemon=True).start()

    def leave(self, source: Source) -> None:
        """Begin none of its operations any more."""
        with self._lock:
            self._sources = [each for each in self._sources if each is not source]

    def wake(self) -> None:
        """Say that there is something new."""
        if not self._stopping:
            self._engine.wake()

    def halt(self, source: Source) -> None:
        """End what waits for another try, and large objects with the part that is under way; `halted` says so."""
        self._halted.append(source)
        self.wake()

    def close(self) -> None:
        """End the thread; what is under way ends with an error, large objects with the part that is under way."""
        with self._lock:
            self._stopping, thread = True, self._thread
        if thread is not None and thread is not threading.current_thread():
            self._engine.wake()
            thread.join()

    # -- in its thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        if not self._running.acquire(blocking=False):
            return
        self._thread = threading.current_thread()
        poll = self._engine.poll
        text = "the connection was closed"
        error: Exception = TransferCancelledError(text)
        try:
            while not self._stopping:
                # No name of this frame, which sleeps in `poll`, may keep a batch alive.
                self._begin()
                self._take(poll(self._retry_some()))
        except BaseException as found:  # noqa: BLE001  nobody may wait for what will never end
            if not self._stopping:
                text = f"the engine failed: {found!r}"
                error = TransferError(text)
                error.__cause__ = found
        self._abandon(error)

    def _abandon(self, error: Exception) -> None:
        """End all there is with an error."""
        with self._lock:
            self._stopping = True
            sources, self._sources = self._sources, []
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._land()
        self._later.clear()
        self._held.clear()
        for this in list(self._tries):
            self._finish(this, _copy(error))
        for source in sources:
            source.abandon(error)

    def _begin(self) -> None:
        if self._held:
            self._release()
        for source in self._sources:
            self._begin_some(source)

    def _take(self, calls: list[Call]) -> None:
        for call in calls:
            self._ended(call)
        if self._landed:
            self._land()
        while self._halted:
            self._drop(self._halted.popleft())

    def _begin_some(self, source: Source) -> None:
        inbox, limit = source.inbox, source.limit
        while source.flying < limit and inbox:
            try:
                handle = inbox.popleft()
            except IndexError:
                return  # cancelled meanwhile
            source.flying += 1
            handle.started = self._clock()
            this = _Try(handle, source)
            self._tries.add(this)
            self._step(this)

    def _step(self, this: _Try) -> None:
        """Begin an operation, for the first time or again."""
        this.handle.attempts += 1
        try:
            step = this.handle.begin()
        except BaseException as error:  # noqa: BLE001  it belongs to the operation
            self._finish(this, error)
            return
        self._go_on(this, step)

    def _go_on(self, this: _Try, step: Call | Heavy | None) -> None:
        if step is None:
            self._finish(this, None)
        elif isinstance(step, Call):
            step.owner = this
            if self._windows:
                self._submit_slowly(this, step)
            else:
                self._submit(step)
        else:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_HEAVY, thread_name_prefix="mangrove-s3-large")
            self._pool.submit(self._lift, this, step)

    def _lift(self, this: _Try, step: Heavy) -> None:
        """Make a heavy step, in a thread of the pool."""
        error: BaseException | None = None
        try:
            step(halting(self._performer, lambda: self._stopping or this.source.halted))
        except BaseException as found:  # noqa: BLE001  it belongs to the operation
            error = found
        self._landed.append((this, error))
        self.wake()

    def _land(self) -> None:
        """Take the heavy steps that have ended."""
        while self._landed:
            this, error = self._landed.popleft()
            self._finish(this, self._retrying.final(error) if isinstance(error, Exception) else error)

    def _submit(self, call: Call) -> None:
        try:
            self._engine.submit(call)
        except Exception as error:  # noqa: BLE001  it belongs to the operation
            call.error = error
            self._ended(call)

    def _submit_slowly(self, this: _Try, call: Call) -> None:
        """Submit a call if the window of its prefix has room, which S3 has asked to be slower with; else hold it.

        What is held takes no place of those that may run: operations on other prefixes go on.
        """
        prefix = prefix_of(this.handle.bucket, this.handle.key)
        if self._windows.begin(prefix):
            this.prefix = prefix
            self._submit(call)
        else:
            this.source.flying -= 1
            self._held.setdefault(prefix, deque()).append((this, call))

    def _ended(self, call: Call) -> None:
        this: _Try = call.owner
        handle, error = this.handle, call.error
        if this.prefix is not None:
            self._windows.end(this.prefix, well=error is None)
            this.prefix = None
        try:
            if error is None and call.reply is not None:
                handle.reply = call.reply
                step = handle.receive(call, call.reply)
            else:
                step = handle.recover(call, error or AssertionError("a call ended with neither a reply nor an error"))
        except BaseException as found:  # noqa: BLE001  it may go away
            self._again(this, call, found)
            return
        if step is not None:
            self._go_on(this, step)
            return
        self._retrying.budget.give()
        self._finish(this, None)

    def _again(self, this: _Try, call: Call, error: BaseException) -> None:
        """Try an operation again later, if that may help."""
        if not isinstance(error, Exception):
            self._finish(this, error)
            return
        trial = this.trial = this.trial or self._retrying.trial(this.handle.retries, this.handle.started)
        delay = trial.delay(error, call)
        if kind_of(error) == "throttled":
            self._retrying.slow(this.handle.bucket, this.handle.key, this.source.flying)
        if delay is None or this.source.halted:
            self._finish(this, trial.final(error))
            return
        this.handle.unsure = trial.unsure
        self._count += 1
        heapq.heappush(self._later, (self._clock() + delay, self._count, this))

    def _release(self) -> None:
        """Submit as many of the calls that are held as have room now; before what is new."""
        for prefix, held in list(self._held.items()):
            while held and held[0][0].source.flying < held[0][0].source.limit and self._windows.begin(prefix):
                this, call = held.popleft()
                this.source.flying += 1
                this.prefix = prefix
                if this.trial is None:
                    this.handle.started = self._clock()  # the deadline is for S3's time, not for ours
                self._submit(call)
            if not held:
                self._held.pop(prefix, None)

    def _retry_some(self) -> float:
        """Begin again what is due; return for how many seconds there is nothing more to begin."""
        later = self._later
        now = self._clock()
        while later and later[0][0] <= now:
            self._step(heapq.heappop(later)[2])
        return min(_LONG, max(0.0, later[0][0] - now)) if later else _LONG

    def _drop(self, source: Source) -> None:
        """End what waits of a source, whose user has no more time."""
        waiting = [this for _, _, this in self._later if this.source is source]
        self._later = [each for each in self._later if each[2].source is not source]
        heapq.heapify(self._later)
        for prefix, held in list(self._held.items()):
            mine = [this for this, _ in held if this.source is source]
            source.flying += len(mine)
            waiting += mine
            self._held[prefix] = deque(each for each in held if each[0].source is not source)
            if not self._held[prefix]:
                del self._held[prefix]
        text = "the batch was left while it waited for another try"
        for this in waiting:
            self._finish(this, TransferCancelledError(text))

    def _finish(self, this: _Try, error: BaseException | None) -> None:
        self._tries.discard(this)
        this.source.flying -= 1
        if error is not None and isinstance(error, MangroveError):
            # Its frames are this module's, and hold the bytes of the call; there may be a million of them.
            error.__traceback__ = None
        this.handle.end(error)
        this.source.ended(this.handle)


def _copy(error: Exception) -> Exception:
    """Return an error for one operation of many: whoever raises it changes it."""
    copy = type(error)(*error.args)
    copy.__cause__ = error.__cause__
    return copy
