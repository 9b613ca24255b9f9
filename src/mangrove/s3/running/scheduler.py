"""Make many operations at once in one thread: begin what may begin, try again what may be, hand back what has ended."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from mangrove.errors import ConfigError, MangroveError, TransferCancelledError, TransferError
from mangrove.s3.engines.base import Call, Engine
from mangrove.s3.rules.faults import kind_of
from mangrove.s3.rules.windows import prefix_of
from mangrove.s3.running.halting import halting
from mangrove.s3.running.handle import Handle, Heavy, Home, Step
from mangrove.s3.running.lifting import PATIENCE, Lifts
from mangrove.s3.running.performing import Performer

__all__ = ["Scheduler"]

_log = logging.getLogger("mangrove.s3")
# How long the thread sleeps while there is nothing to do; it is woken for anything new.
_LONG = 60.0


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
        self._sources: list[Home] = []
        self._begun: set[Handle] = set()
        # What waits, for its time, for a place, for its prefix: none of it has one of the places that a source gives.
        self._later: list[tuple[float, int, Handle]] = []
        self._due: dict[Home, deque[Handle]] = {}
        self._held: dict[str, deque[tuple[Handle, Call]]] = {}
        self._count = 0
        self._landed: deque[tuple[Handle, BaseException | None]] = deque()
        self._halted: deque[Home] = deque()
        self._lifts = Lifts(performer.settings)
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

    def serve(self, source: Home) -> None:
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

    def leave(self, source: Home) -> None:
        """Begin none of its operations any more."""
        with self._lock:
            self._sources = [each for each in self._sources if each is not source]

    def wake(self) -> None:
        """Say that there is something new."""
        if not self._stopping:
            self._engine.wake()

    def halt(self, source: Home) -> None:
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
                self._take(poll(self._pause()))
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
        stuck = self._lifts.close()
        self._land()
        self._later.clear()
        self._due.clear()
        self._held.clear()
        for handle in list(self._begun):
            self._finish(handle, _left(handle) if handle in stuck else _copy(error))
        for source in sources:
            source.abandon(error)

    def _begin(self) -> None:
        if self._later:
            self._fall_due()
        if self._held:
            self._release()
        if self._due:
            self._resume()
        for source in self._sources:
            self._begin_some(source)

    def _take(self, calls: list[Call]) -> None:
        for call in calls:
            self._ended(call)
        if self._landed:
            self._land()
        while self._halted:
            self._drop(self._halted.popleft())

    def _begin_some(self, source: Home) -> None:
        inbox, limit = source.inbox, source.limit
        while source.flying < limit and inbox:
            try:
                handle = inbox.popleft()
            except IndexError:
                return  # cancelled meanwhile
            source.flying += 1
            handle.started = self._clock()
            self._begun.add(handle)
            self._step(handle)

    def _step(self, handle: Handle) -> None:
        """Begin an operation, for the first time or again."""
        handle.attempts += 1
        try:
            step = handle.begin()
        except BaseException as error:  # noqa: BLE001  it belongs to the operation
            self._finish(handle, error)
            return
        self._go_on(handle, step)

    def _go_on(self, handle: Handle, step: Step) -> None:
        if step is None:
            self._finish(handle, None)
        elif isinstance(step, Call):
            step.owner = handle
            if self._windows:
                self._submit_slowly(handle, step)
            else:
                self._submit(step)
        else:
            self._lifts.begin(handle, lambda: self._lift(handle, step))

    def _lift(self, handle: Handle, step: Heavy) -> None:
        """Make a heavy step, in a thread of the pool."""
        error: BaseException | None = None
        try:
            step(halting(self._performer, lambda: self._stopping or handle.home.halted))
        except BaseException as found:  # noqa: BLE001  it belongs to the operation
            error = found
        self._landed.append((handle, error))
        self.wake()

    def _land(self) -> None:
        """Take the heavy steps that have ended."""
        while self._landed:
            handle, error = self._landed.popleft()
            self._lifts.end(handle)
            self._finish(handle, self._retrying.final(error) if isinstance(error, Exception) else error)

    def _submit(self, call: Call) -> None:
        try:
            self._engine.submit(call)
        except Exception as error:  # noqa: BLE001  it belongs to the operation
            call.error = error
            self._ended(call)

    def _submit_slowly(self, handle: Handle, call: Call) -> None:
        """Submit a call if the window of its prefix has room, which S3 has asked to be slower with; else hold it."""
        prefix = prefix_of(handle.bucket, handle.key)
        if self._windows.begin(prefix):
            handle.prefix = prefix
            self._submit(call)
        else:
            handle.home.flying -= 1
            self._held.setdefault(prefix, deque()).append((handle, call))

    def _ended(self, call: Call) -> None:
        handle: Handle = call.owner
        error = call.error
        if handle.prefix is not None:
            self._windows.end(handle.prefix, well=error is None)
            handle.prefix = None
        try:
            if error is None and call.reply is not None:
                handle.reply = call.reply
                step = handle.receive(call, call.reply)
            else:
                step = handle.recover(call, error or AssertionError("a call ended with neither a reply nor an error"))
        except BaseException as found:  # noqa: BLE001  it may go away
            self._again(handle, call, found)
            return
        if step is not None:
            self._go_on(handle, step)
            return
        self._retrying.budget.give()
        self._finish(handle, None)

    def _again(self, handle: Handle, call: Call, error: BaseException) -> None:
        """Try an operation again later, if that may help; until then others go on in its place."""
        if not isinstance(error, Exception):
            self._finish(handle, error)
            return
        trial = handle.trial = handle.trial or self._retrying.trial(handle.retries, handle.started)
        delay = trial.delay(error, call)
        if kind_of(error) == "throttled":
            self._retrying.slow(handle.bucket, handle.key, handle.home.flying)
        if delay is None or handle.home.halted:
            self._finish(handle, trial.final(error))
            return
        handle.unsure = trial.unsure
        handle.home.flying -= 1
        self._count += 1
        heapq.heappush(self._later, (self._clock() + delay, self._count, handle))

    def _release(self) -> None:
        """Submit as many of the calls that are held as have room now; before what is new."""
        for prefix, held in list(self._held.items()):
            while held and held[0][0].home.flying < held[0][0].home.limit and self._windows.begin(prefix):
                handle, call = held.popleft()
                handle.home.flying += 1
                handle.prefix = prefix
                if handle.trial is None:
                    handle.started = self._clock()  # the deadline is for S3's time, not for ours
                self._submit(call)
            if not held:
                self._held.pop(prefix, None)

    def _fall_due(self) -> None:
        """Take from what waits for its time what has waited long enough: now it waits for a place."""
        later, now = self._later, self._clock()
        while later and later[0][0] <= now:
            handle = heapq.heappop(later)[2]
            self._due.setdefault(handle.home, deque()).append(handle)

    def _resume(self) -> None:
        """Begin again as much of what is due as there are places for; before what is new."""
        for source, due in list(self._due.items()):
            while due and source.flying < source.limit:
                source.flying += 1
                self._step(due.popleft())
            if not due:
                del self._due[source]

    def _pause(self) -> float:
        """Return for how many seconds nothing falls due."""
        return min(_LONG, max(0.0, self._later[0][0] - self._clock())) if self._later else _LONG

    def _drop(self, source: Home) -> None:
        """End what waits of a source, whose user has no more time."""
        waiting = [handle for _, _, handle in self._later if handle.home is source]
        self._later = [each for each in self._later if each[2].home is not source]
        heapq.heapify(self._later)
        waiting += self._due.pop(source, ())
        for prefix, held in list(self._held.items()):
            waiting += [handle for handle, _ in held if handle.home is source]
            self._held[prefix] = deque(each for each in held if each[0].home is not source)
            if not self._held[prefix]:
                del self._held[prefix]
        text = "the batch was left while it waited for another try"
        for handle in waiting:
            source.flying += 1  # it ends as what is under way does
            self._finish(handle, TransferCancelledError(text))

    def _finish(self, handle: Handle, error: BaseException | None) -> None:
        self._begun.discard(handle)
        handle.home.flying -= 1
        if error is not None and isinstance(error, MangroveError):
            # Its frames are this module's, and hold the bytes of the call; there may be a million of them.
            error.__traceback__ = None
        handle.end(error)
        handle.home.ended(handle)


def _left(handle: Handle) -> Exception:
    """Return the error of what has not ended when it was to, and say so."""
    text = (
        f"the connection was closed, and the {handle.operation} of s3://{handle.bucket}/{handle.key} has not stopped"
        f" after {PATIENCE:g} s: its stream has not come back, or a part is under way still; its thread is left alone"
    )
    _log.warning(text)
    return TransferCancelledError(text)


def _copy(error: Exception) -> Exception:
    """Return an error for one operation of many: whoever raises it changes it."""
    copy = type(error)(*error.args)
    copy.__cause__ = error.__cause__
    return copy
