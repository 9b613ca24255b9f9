"""Do the pieces of one large object in threads: few at once, in order, and all stop when one fails."""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from mangrove.errors import TransferCancelledError
from mangrove.s3.engines.base import Call, Engine, Reply
from mangrove.s3.engines.passing import PassingEngine
from mangrove.s3.rules.faults import kind_of
from mangrove.s3.rules.options import Options
from mangrove.s3.rules.windows import prefix_of
from mangrove.s3.running.performing import Performer

if TYPE_CHECKING:
    from mangrove.s3.running.handle import Handle

__all__ = ["Params", "Stop", "Workers", "params_of", "tell_beside"]

T = TypeVar("T")
R = TypeVar("R")
# How soon a part looks again whether S3 may be asked for one more.
_LOOK = 0.02
# What an operation's call is given: its options, with the Bucket and the Key, by botocore's names, as a new dict.
Params = Callable[[str], dict[str, Any]]


def params_of(handle: Handle, options: Options, content_type: str | None = None) -> Params:
    """Return what gives each call of an operation its parameters.

    Args:
        handle: the operation.
        options: its options.
        content_type: of an object that is made, where the options say nothing of it.
    """

    def params(operation: str) -> dict[str, Any]:
        found = {**options.of(operation), "Bucket": handle.bucket, "Key": handle.key}
        if content_type is not None and operation == "CreateMultipartUpload":
            found.setdefault("ContentType", content_type)
        return found

    return params


class Stop:
    """Be the sign to stop. Not an Event: Ctrl-C in the middle of one leaves it locked for ever.

    Example:
        >>> stop = Stop()
        >>> stop.set()
        >>> stop.wait(60.0)
        >>> stop.is_set()
        True
    """

    def __init__(self) -> None:
        self._set, self._gate = False, threading.Lock()
        self._gate.acquire()

    def is_set(self) -> bool:
        """Return whether it is given."""
        return self._set

    def set(self) -> None:
        """Give it; it is never taken back."""
        self._set = True
        with contextlib.suppress(RuntimeError):  # it is open
            self._gate.release()

    def wait(self, seconds: float) -> None:
        """Wait for so many seconds, or until it is given."""
        if self._gate.acquire(timeout=seconds):
            with contextlib.suppress(RuntimeError):
                self._gate.release()


class Workers:
    """Be the threads of one transfer.

    Where S3 has asked to slow down, no more of them make calls at once than the window of the prefix lets run.

    Args:
        performer: makes their calls.
        handle: whose transfer it is.

    Attributes:
        performer: the same, for the threads: it stops when one of them has failed, and a call's `owner`, if it has one,
            looks at its reply before it counts as one.
        stop: is set when they are to stop.
    """

    def __init__(self, performer: Performer, handle: Handle) -> None:
        self.stop = Stop()
        self._most = performer.settings.threads
        self._handle, self._retries = handle, handle.retries
        self._sleep = performer.sleep  # theirs is the same, but that it wakes up to stop
        self.performer = Performer(
            _Watched(performer.engine, self.stop, self._slow_down), performer.retrying, performer.settings, self._nap
        )
        self._retrying, self._where = performer.retrying, (handle.bucket, handle.key)
        self._windows, self._prefix = performer.retrying.windows, prefix_of(handle.bucket, handle.key)
        self._busy = self._running = 0  # jobs, and their calls
        self._first: BaseException | None = None
        self._lock = threading.Lock()
        self._local = threading.local()

    def make(self, call: Callable[[], Call]) -> Reply:
        """Make a call, with tries again; each built anew."""
        self._wait_for_room()
        try:
            reply = self.performer.make(call, retries=self._retries)
        except BaseException:
            self._give_room(well=False)
            raise
        self._give_room(well=True)
        return reply

    def _wait_for_room(self) -> None:
        # Before the first try: the deadline is for S3's time, not for ours.
        while not self._windows.begin(self._prefix):
            self.stop.wait(_LOOK)
            _check(self.stop)
        self._local.counted = self._prefix in self._windows
        with self._lock:
            self._running += 1

    def _give_room(self, *, well: bool) -> None:
        with self._lock:
            self._running -= 1
        if self._local.counted:
            self._windows.end(self._prefix, well=well)

    def _slow_down(self) -> None:
        """Take to heart that S3 asked this thread to slow down."""
        self._retrying.slow(*self._where, self._running)
        if not getattr(self._local, "counted", True):
            self._windows.join(self._prefix)
            self._local.counted = True

    def tell(self, size: int) -> None:
        """Say that so many bytes more of the object have been moved."""
        with self._lock:
            self._handle.tell(size)

    def buffer(self, size: int) -> bytearray:
        """Return this thread's own buffer, of at least so many bytes."""
        found: bytearray | None = getattr(self._local, "buffer", None)
        if found is None or len(found) < size:
            found = self._local.buffer = bytearray(size)
        return found

    def run(
        self, work: Callable[[T], R], jobs: Iterable[T], take: Callable[[R], object], *, ahead: int | None = None
    ) -> None:
        """Do the jobs, and hand over what each gave, in their order.

        Args:
            work: does one, in a thread.
            jobs: asked for in the calling thread, when it is time.
            take: gets what came of each, in the calling thread.
            ahead: how many may have begun and not been handed over; None for any number.

        Raises:
            BaseException: what the first that failed raised. All threads have ended then.
        """
        waiting: deque[Future[R]] = deque()
        pool = ThreadPoolExecutor(self._most, thread_name_prefix="mangrove-s3-part")
        try:
            for job in jobs:
                waiting.append(pool.submit(self._do, work, job))
                while waiting and (waiting[0].done() or (ahead is not None and len(waiting) > ahead)):
                    take(waiting.popleft().result())
            while waiting:
                take(waiting.popleft().result())
        except BaseException as error:  # noqa: BLE001  it is raised when all threads have ended
            self._fail(error)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        while self._busy:
            time.sleep(_LOOK)  # in a thread that the pool has lost: Ctrl-C came while it was started
        first, self._first = self._first, None
        if first is not None:
            _let_go(first)
            raise first

    def _fail(self, error: BaseException) -> None:
        """Tell the others to stop, and keep the first error; Ctrl-C goes before all."""
        with self._lock:
            self.stop.set()
            if self._first is None or not isinstance(error, Exception):
                self._first = error

    def _do(self, work: Callable[[T], R], job: T) -> R:
        with self._lock:
            self._busy += 1
        try:
            _check(self.stop)
            return work(job)
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            with self._lock:
                self._busy -= 1

    def _nap(self, seconds: float) -> None:
        if self._sleep is time.sleep:
            self.stop.wait(seconds)
        else:
            self._sleep(seconds)
        _check(self.stop)


def _check(stop: Stop) -> None:
    if stop.is_set():
        text = "another part of the object failed"
        raise TransferCancelledError(text)


def _let_go(error: BaseException | None) -> None:
    """Free what the frames of an error hold: somebody may keep the error, and nobody wants the bytes of the parts."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


class _Watched(PassingEngine):
    """Be an engine whose calls end when the transfer has failed, and whose answers are looked at."""

    def __init__(self, engine: Engine, stop: Stop, slow_down: Callable[[], object]) -> None:
        super().__init__(engine)
        self._stop, self._slow_down = stop, slow_down

    def perform(self, call: Call) -> Reply:
        _check(self._stop)
        try:
            reply = super().perform(call)
        except Exception as error:
            if kind_of(error) == "throttled":
                self._slow_down()
            raise
        if call.owner is not None:
            call.owner(reply)
        return reply


def tell_beside(error: BaseException, text: str) -> None:
    """Say something more in the message of an error that is already on its way."""
    if isinstance(error, OSError) and error.strerror:
        error.strerror = f"{error.strerror}; {text}"
    elif error.args and isinstance(error.args[0], str):
        error.args = (f"{error.args[0]}; {text}", *error.args[1:])
    elif not error.args:
        error.args = (text,)
