"""Make any number of operations at once and lose none: handles, callbacks, results in order, failures in one error."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mangrove.errors import ConfigError, TransferCancelledError
from mangrove.s3.outcome import Outcome, Progress
from mangrove.s3.reporting import Reporter, batch_error
from mangrove.s3.running.handle import Handle
from mangrove.s3.verbs import Verbs
from mangrove.s3.waiting import EACH, Bells

if TYPE_CHECKING:
    from typing_extensions import Self

    from mangrove.s3.backend import Backend

__all__ = ["Batch"]

# Operations that wait for their turn, for each that runs; and bytes of theirs, but for a few operations.
_AHEAD = 16
_MOST_BYTES = 1 << 26
_FEW = 4
_LOOK = 0.2


class Batch(Verbs):
    """Make operations at once: each method returns a handle at once, and leaving the context waits for all.

    A callback is called once, with the operation's value, if that went well; in the thread that uses the batch, while
    it adds operations or waits, so that it needs no locks. What it raises is its own: the operation went well. It may
    add operations, and wait for them.

    An exception in the context, Ctrl-C too, lets nothing new begin, and nothing be tried again; what is under way ends.

    Args:
        backend: what serves them.
        concurrency: how many run at once.
        raise_errors: whether leaving the context raises a `BatchError` if an operation or a callback failed.
        progress: is called with a `Progress` a few times a second; True shows a line on standard error if that is a
            terminal.
        keep_results: whether `results` can be asked for; else a value lives as long as its handle, and any number of
            downloads takes no more memory than a few.
        owner: what has to live as long as the batch.

    Example:
        >>> from mangrove import s3
        >>> connection = s3.Connection.in_memory()
        >>> connection.create_bucket("logs")
        >>> with connection.batch(50) as batch:
        ...     for number in range(3):
        ...         batch.upload("logs", f"key.{number}", "hello")
        <Upload s3://logs/key.0: ...>
        ...
        >>> batch.success(), batch.results()
        (True, [True, True, True])
    """

    def __init__(
        self,
        backend: Backend,
        concurrency: int = 50,
        *,
        raise_errors: bool = True,
        progress: bool | Callable[[Progress], object] | None = None,
        keep_results: bool = True,
        owner: object = None,
    ) -> None:
        if type(concurrency) is not int or concurrency < 1:
            text = f"concurrency is a whole number, 1 or more; got {concurrency!r}"
            raise ConfigError(text)
        super().__init__(backend.maker)
        self.limit = concurrency
        self.inbox: deque[Handle] = deque()
        self.flying = 0
        self.halted = False
        self._scheduler, self._owner = backend.scheduler, owner
        self._raise_errors, self._keep = raise_errors, keep_results
        self._report = Reporter(progress)
        self._most = max(64, concurrency * _AHEAD)
        # The scheduler's thread alone counts what has ended, and those who add and cancel the rest, with the lock.
        self._lock = threading.Lock()
        self._added = self._ended = self._dropped = 0
        self._bytes_added = self._bytes_ended = self._bytes_dropped = self._moved = self._counted = 0
        self._values: dict[int, Any] = {}
        self._failures: list[Handle] = []
        self._callbacks: deque[Handle] = deque()
        self._callback_errors: list[Handle] = []
        self._caller: int | None = None  # the thread that calls callbacks
        self._bells = Bells()
        self._began = time.monotonic()
        self._served = False
        self._refused = ""  # why nothing can be added any more

    # -- adding -----------------------------------------------------------------------------------------------------

    def add(self, handle: Handle) -> Handle:
        """Take an operation and return it; at once, unless too many wait."""
        with self._lock:
            if not self._served:
                self._serve()
            weight = handle._weight = handle.weight  # noqa: SLF001  a handle and its batch are one thing
            handle.home = self
            handle.index = self._added
            self._bytes_added += weight
            # Ctrl-C comes after a call: nothing stands between the two that could be interrupted.
            self._added += 1
            self.inbox.append(handle)
        if self.flying < self.limit:
            self._scheduler.wake()
        if self._callbacks:
            self._call_back()
        if (
            self._added - self._ended - self._dropped >= self._most
            or self._bytes_added - self._bytes_ended - self._bytes_dropped > _MOST_BYTES
        ):
            self._wait(self._most // 2)
        return handle

    def _serve(self) -> None:
        if self._refused:
            raise ConfigError(self._refused)
        self._scheduler.serve(self)
        self._served = True

    # -- in the scheduler's thread ----------------------------------------------------------------------------------

    def ended(self, handle: Handle) -> None:
        """Take an operation that has ended; the scheduler calls it."""
        if handle.error is not None:
            self._failures.append(handle)
        else:
            if self._keep and handle.value is not True:
                self._values[handle.index] = handle.value
            if handle.callback is not None:
                self._callbacks.append(handle)
        self._bytes_ended += handle._weight  # noqa: SLF001
        if handle.size is not None:
            self._moved += handle.size - handle.moved
        self._ended += 1
        self._bells.tell(self._left())

    def count(self, size: int) -> None:
        """Count bytes of a large object that is under way."""
        with self._lock:
            self._counted += size

    def abandon(self, error: Exception) -> None:
        """Take nothing more, and end what has not begun; the scheduler calls it when it is closed."""
        with self._lock:
            self._refused = f"the batch has ended: {error}; make another one"
            self._served = False
            while self.inbox:
                self._drop(self.inbox.pop(), str(error))
        self._bells.ring()

    # -- waiting ----------------------------------------------------------------------------------------------------

    def _left(self) -> int:
        return self._added - self._ended - self._dropped

    def _wait(self, goal: int, deadline: float | None = None, handle: Handle | None = None) -> bool:
        """Wait until no more than so many operations are left, or one has ended; return whether it is so."""
        with self._bells.one() as bell:
            while True:
                # Before the look at what has ended: what ends after it wakes this thread.
                bell.goal = EACH if handle is not None or self._left() <= goal else goal
                if not self._is_enough(goal, handle) and not self._may_call():
                    left = _LOOK if deadline is None else min(_LOOK, deadline - time.monotonic())
                    if left > 0:
                        bell.sleep(left)
                bell.goal = None
                self._call_back()
                self._report(self._progress)
                # Callbacks may have added more.
                enough = self._is_enough(goal, handle)
                if (enough and not self._may_call()) or (deadline is not None and time.monotonic() >= deadline):
                    return enough

    def _is_enough(self, goal: int, handle: Handle | None) -> bool:
        if handle is not None:
            return handle.ended
        left, weight = self._left(), self._bytes_added - self._bytes_ended - self._bytes_dropped
        return left <= goal and (left < _FEW or weight <= _MOST_BYTES // 2)

    def _may_call(self) -> bool:
        return bool(self._callbacks) and self._caller is None

    def _call_back(self) -> None:
        """Call the callbacks of what has ended; within one of them, they wait until it returns."""
        mine = False
        try:
            with self._lock:
                if self._caller is not None:
                    return
                # Two stores, which Ctrl-C does not come between.
                self._caller, mine = threading.get_ident(), True
            while self._callbacks:
                handle = self._callbacks.popleft()
                try:
                    handle.callback(handle.value)  # type: ignore[misc]
                except Exception as error:  # noqa: BLE001  it is the callback's own; the operation went well
                    handle.callback_error = error
                    self._callback_errors.append(handle)
        finally:
            if mine:
                self._caller = None

    def _progress(self) -> Progress:
        failed, seconds = len(self._failures), time.monotonic() - self._began
        total = self._added if self._refused else None
        return Progress(self._ended + self._dropped - failed, failed, total, self._moved + self._counted, seconds)

    @property
    def progress(self) -> Progress:
        """Return how far the operations are; the total is known when the batch has ended."""
        return self._progress()

    def wait_for(self, handle: Handle, timeout: float | None) -> None:
        """Return when an operation has ended; `Handle.result` calls it.

        Raises:
            TimeoutError: it has not ended in time.
        """
        if not self._wait(0, None if timeout is None else time.monotonic() + timeout, handle):
            text = f"{handle!r} has not ended after {timeout:g} s; it goes on"
            raise TimeoutError(text)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all operations that were added have ended, and return whether they have.

        Args:
            timeout: seconds to wait at most; None waits for the end.
        """
        done = self._wait(0, None if timeout is None else time.monotonic() + timeout)
        if done:
            with self._lock:
                # A batch that is never left must not be kept for ever.
                if self._served and not self._left():
                    self._scheduler.leave(self)
                    self._served = False
        return done

    # -- what came of it --------------------------------------------------------------------------------------------

    def success(self) -> bool:
        """Wait for all operations and return whether they all went well."""
        self.wait()
        return not self._failures

    def results(self) -> list[Any]:
        """Wait for all operations and return what they gave, in the order they were added; None where one failed.

        Raises:
            ConfigError: the batch was made with `keep_results=False`.
        """
        if not self._keep:
            text = "the batch was made with keep_results=False; ask the handles, or take the values with a callback"
            raise ConfigError(text)
        self.wait()
        failed = {handle.index for handle in self._failures}
        return [None if index in failed else self._values.get(index, True) for index in range(self._added)]

    def failures(self) -> list[Outcome]:
        """Wait for all operations and return the outcomes of those that failed, in the order they were added."""
        self.wait()
        return [handle.outcome for handle in sorted(self._failures, key=lambda each: each.index)]

    def callback_errors(self) -> list[tuple[Handle, BaseException]]:
        """Return what callbacks raised, each with its operation, which went well."""
        return [(handle, handle.callback_error) for handle in self._callback_errors if handle.callback_error]

    # -- ending -----------------------------------------------------------------------------------------------------

    def cancel_one(self, handle: Handle) -> bool:
        """End an operation that has not begun; `Handle.cancel` calls it."""
        with self._lock:
            try:
                self.inbox.remove(handle)
            except (ValueError, IndexError):  # it has begun, or another begins while it is looked for
                return False
            self._drop(handle, "it was cancelled before it began")
        return True

    def cancel(self) -> int:
        """End all operations that have not begun, and return how many; those under way go on to their end."""
        count = 0
        with self._lock:
            while self.inbox:
                try:
                    handle = self.inbox.pop()
                except IndexError:
                    break  # it has begun
                self._drop(handle, "it was cancelled before it began")
                count += 1
        return count

    def _drop(self, handle: Handle, text: str) -> None:
        handle.end(TransferCancelledError(text))
        self._failures.append(handle)
        self._bytes_dropped += handle._weight  # noqa: SLF001
        self._dropped += 1

    def _halt(self) -> None:
        """Let nothing begin, nor be tried again."""
        self.halted = True
        self.cancel()
        self._scheduler.halt(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self._halt()
            self.wait()
        except BaseException:
            # Ctrl-C while waiting; another one ends that, and a first one too if the context had ended with an error.
            self._halt()
            if error is None:
                self.wait()
            raise
        finally:
            self._close()
        if error is None and self._raise_errors and (self._failures or self._callback_errors):
            raise batch_error(self._added, self.failures(), [each for _, each in self.callback_errors()])

    def _close(self) -> None:
        with self._lock:
            self._refused = self._refused or "the batch has ended; make another one"
            self._served = False
            self._scheduler.leave(self)
        self._report(self._progress, last=True)
