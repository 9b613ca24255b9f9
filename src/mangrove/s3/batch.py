"""Make any number of operations at once and lose none: handles, callbacks, results in order, failures in one error."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mangrove.errors import BatchError, ConfigError, TransferCancelledError
from mangrove.s3.handle import Handle
from mangrove.s3.outcome import Outcome, Progress
from mangrove.s3.verbs import Verbs

if TYPE_CHECKING:
    from typing_extensions import Self

    from mangrove.s3.backend import Backend

__all__ = ["Batch"]

# Operations that wait for their turn, for each that runs; and bytes of theirs.
_AHEAD = 8
_MOST_BYTES = 1 << 26
_LOOK = 0.2
_MOST_SHOWN = 5


class Batch(Verbs):
    """Make operations at once: each method returns a handle at once, and leaving the context waits for all.

    Callbacks run in the thread that uses the batch, while it adds operations or waits: they need no locks.

    Args:
        backend: what serves them.
        concurrency: how many run at once.
        raise_errors: whether leaving the context raises a `BatchError` if an operation failed.
        progress: is called with a `Progress` a few times a second; True shows a line on standard error if that is a
            terminal.
        keep_results: whether `results` can be asked for; else a value lives as long as its handle.

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
    ) -> None:
        if type(concurrency) is not int or concurrency < 1:
            text = f"concurrency is a whole number, 1 or more; got {concurrency!r}"
            raise ConfigError(text)
        super().__init__(backend.maker)
        self.limit = concurrency
        self.inbox: deque[Handle] = deque()
        self.flying = 0
        self._scheduler = backend.scheduler
        self._raise_errors, self._keep = raise_errors, keep_results
        self._report = _reporter(progress)
        self._most = max(64, concurrency * _AHEAD)
        self._added = self._ended = self._dropped = 0
        self._bytes_added = self._bytes_ended = 0
        self._values: dict[int, Any] = {}
        self._failures: list[Handle] = []
        self._callbacks: deque[Handle] = deque()
        self._callback_errors: list[Handle] = []
        self._goal: int | None = None  # how many may be left when the thread that waits is to be woken
        self._condition = threading.Condition()
        self._began = time.monotonic()
        self._reported = self._began
        self._open = True
        self._scheduler.serve(self)

    # -- adding -----------------------------------------------------------------------------------------------------

    def _do(self, handle: Handle) -> Handle:
        if not self._open:
            text = "the batch has ended; begin another one"
            raise ConfigError(text)
        handle.index = self._added
        handle._home = self  # noqa: SLF001  a handle and its batch are one thing
        self._added += 1
        self._bytes_added += handle.weight
        self.inbox.append(handle)
        if self.flying < self.limit:
            self._scheduler.wake()
        if self._callbacks:
            self._call_back()
        if self._left() >= self._most or self._bytes_added - self._bytes_ended > _MOST_BYTES:
            self._wait(self._most // 2)
        return handle

    # -- in the scheduler's thread ----------------------------------------------------------------------------------

    def ended(self, handle: Handle) -> None:
        """Take an operation that has ended; the scheduler calls it."""
        if handle.error is not None:
            self._failures.append(handle)
        elif self._keep and handle.value is not True:
            self._values[handle.index] = handle.value
        if handle.callback is not None and handle.error is None:
            self._callbacks.append(handle)
        self._bytes_ended += handle.weight
        self._ended += 1
        goal = self._goal
        if goal is not None and self._left() <= goal:
            with self._condition:
                self._goal = None
                self._condition.notify_all()

    # -- waiting ----------------------------------------------------------------------------------------------------

    def _left(self) -> int:
        return self._added - self._ended - self._dropped

    def _wait(self, goal: int, deadline: float | None = None, handle: Handle | None = None) -> bool:
        """Wait until no more than so many operations are left, or one has ended; return whether it is so."""
        while True:
            with self._condition:
                self._goal = self._left() if handle is not None else goal
                while not (enough := self._is_enough(goal, handle)) and not self._callbacks:
                    left = _LOOK if deadline is None else min(_LOOK, deadline - time.monotonic())
                    if left <= 0:
                        break
                    if handle is not None:
                        self._goal = self._left() - 1
                    self._condition.wait(left)
                    self._show()
                self._goal = None
            self._call_back()
            if enough or (deadline is not None and time.monotonic() >= deadline):
                return enough

    def _is_enough(self, goal: int, handle: Handle | None) -> bool:
        if handle is not None:
            return handle.ended
        return self._left() <= goal and (goal == 0 or self._bytes_added - self._bytes_ended <= _MOST_BYTES // 2)

    def _call_back(self) -> None:
        callbacks = self._callbacks
        while callbacks:
            handle = callbacks.popleft()
            try:
                handle.callback(handle.value)  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001  it is the callback's own; the operation went well
                handle.callback_error = error
                self._callback_errors.append(handle)

    def _show(self) -> None:
        if self._report is not None:
            self._report(self.progress)

    @property
    def progress(self) -> Progress:
        """Return how far the operations are."""
        failed = len(self._failures)
        seconds = time.monotonic() - self._began
        return Progress(
            self._ended + self._dropped - failed,
            failed,
            None if self._open else self._added,
            self._bytes_ended,
            seconds,
        )

    def wait_for(self, handle: Handle, timeout: float | None) -> None:
        """Return when an operation has ended; `Handle.result` calls it.

        Raises:
            TimeoutError: it has not ended in time.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        if not self._wait(0, deadline, handle):
            text = f"{handle!r} has not ended after {timeout:g} s; it goes on"
            raise TimeoutError(text)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all operations that were added have ended, and return whether they have.

        Args:
            timeout: seconds to wait at most; None waits for the end.
        """
        return self._wait(0, None if timeout is None else time.monotonic() + timeout)

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
        try:
            self.inbox.remove(handle)
        except ValueError:
            return False
        text = f"{handle.operation} of s3://{handle.bucket}/{handle.key} was cancelled before it began"
        handle.end(TransferCancelledError(text))
        # Not `_ended`: that is the scheduler's thread's own.
        self._failures.append(handle)
        self._bytes_added -= handle.weight
        self._dropped += 1
        return True

    def cancel(self) -> int:
        """End all operations that have not begun, and return how many; those under way go on to their end."""
        count = 0
        while self.inbox:
            count += self.cancel_one(self.inbox[-1])
        return count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self.cancel()
            self.wait()
        except BaseException:
            # Ctrl-C while waiting: what has not begun does not begin.
            self.cancel()
            raise
        finally:
            self._close()
        if error is None and self._raise_errors and (self._failures or self._callback_errors):
            raise self._error()

    def _close(self) -> None:
        self._open = False
        self._scheduler.leave(self)
        self._show()

    def _error(self) -> BatchError:
        failures = self.failures()
        told = [f"{each.operation} s3://{each.bucket}/{each.key}: {each.error}" for each in failures[:_MOST_SHOWN]]
        if len(failures) > _MOST_SHOWN:
            told.append(f"and {len(failures) - _MOST_SHOWN} more; `failures` has them all")
        text = f"{len(failures)} of {self._added} operations failed: " + "; ".join(told)
        if self._callback_errors:
            first = self._callback_errors[0]
            callbacks = f"{len(self._callback_errors)} callbacks failed, the first with {first.callback_error!r}"
            text = f"{text}; {callbacks}" if failures else callbacks
        made = BatchError(text, failures)
        made.__cause__ = failures[0].error if failures else self._callback_errors[0].callback_error
        return made


def _reporter(progress: Any) -> Callable[[Progress], object] | None:
    if progress is True:
        return _print if sys.stderr.isatty() else None
    return progress or None


def _print(progress: Progress) -> None:
    total = "" if progress.total is None else f" of {progress.total}"
    failed = f", {progress.failed} failed" if progress.failed else ""
    rate = progress.rate / 1e6
    end = "\n" if progress.total is not None and progress.ended >= progress.total else ""
    sys.stderr.write(f"\r{progress.ended}{total} done{failed}, {rate:.1f} MB/s \033[K{end}")
    sys.stderr.flush()
