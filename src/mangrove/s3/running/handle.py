"""Be one operation while it is made: a call, what came of it, the next call; and the handle that users hold of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from mangrove.errors import TransferCancelledError
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.outcome import Outcome

if TYPE_CHECKING:
    from mangrove.s3.running.performing import Performer
    from mangrove.s3.running.retrying import Trial

__all__ = ["Handle", "Heavy", "Home", "Step"]

# A step that takes a thread for itself: the parts of a large object, which wait, read and write files.
Heavy = Callable[["Performer"], object]
Step = Call | Heavy | None


class Home(Protocol):
    """Say what handles, and who makes them, need of the batch that they belong to.

    Attributes:
        inbox: what has not begun.
        limit: how many may be under way at once.
        flying: how many are; who makes them counts.
        halted: whether nothing is to be tried again.
    """

    inbox: deque[Handle]
    limit: int
    flying: int
    halted: bool

    def ended(self, handle: Handle) -> None:
        """Take an operation that has ended."""

    def count(self, size: int) -> None:
        """Count bytes of an operation that is under way; from any thread."""

    def abandon(self, error: Exception) -> None:
        """End what has not begun, and take nothing more: nobody serves it any longer."""

    def wait_for(self, handle: Handle, timeout: float | None) -> None:
        """Return when the operation has ended.

        Raises:
            TimeoutError: it has not.
        """

    def cancel_one(self, handle: Handle) -> bool:
        """End an operation that has not begun; return whether it had not."""
        raise NotImplementedError


class Handle:
    """Be one operation: under way, or ended.

    Attributes:
        operation: "upload", "download", ….
        bucket: its bucket.
        key: its key.
        attempts: how often it has been tried.
        retries: how often a failure of a definite kind is tried again; None for the usual.

    Example:
        >>> from mangrove import s3
        >>> with s3.Connection.in_memory() as connection, connection.batch() as batch:
        ...     connection.create_bucket("logs")
        ...     handle = batch.upload("logs", "a", b"howdy")
        >>> handle.result(), handle.outcome.size
        (True, 5)
    """

    __slots__ = (
        "_weight",
        "attempts",
        "bucket",
        "callback",
        "callback_error",
        "details",
        "ended",
        "error",
        "home",
        "index",
        "key",
        "length",
        "moved",
        "prefix",
        "reply",
        "retries",
        "seconds",
        "size",
        "started",
        "trial",
        "unsure",
        "value",
        "verified",
    )
    operation: ClassVar[str] = ""
    # Bytes that it holds until it has ended; a batch holds no more than so many.
    weight = 0

    def __init__(self, bucket: str, key: str, callback: Callable[[Any], object] | None = None) -> None:
        self.bucket = bucket
        self.key = key
        self.callback = callback
        self.callback_error: BaseException | None = None
        self.attempts = 0
        self.retries: int | None = None
        self.index = 0
        self.started = 0.0
        self.seconds = 0.0
        self.unsure = False  # whether a try may have done its work although no answer came
        self.ended = False
        self.error: BaseException | None = None
        self.value: Any = None
        self.size: int | None = None  # bytes that it moves, once they are known
        self.length: int | None = None  # bytes of a large object, where they are known before they are moved
        self.moved = 0  # of them so far
        self.verified: str | None = None
        self.reply: Reply | None = None
        self.details: dict[str, Any] | None = None  # what a heavy step knows for the outcome
        self.home: Any = None  # the `Home` that it has once it is in a batch
        self.trial: Trial | None = None  # what decides on its tries in a batch, once one has failed
        self.prefix: str | None = None  # the slow one that its call is counted for
        self._weight = 0  # what it weighed when the batch took it

    # -- for those who make it --------------------------------------------------------------------------------------

    def begin(self) -> Step:
        """Return the first step; it is asked for again when the operation is tried again."""
        raise NotImplementedError

    def receive(self, call: Call, reply: Reply) -> Step:
        """Take what came of a call and return the next step; None when the operation has its value.

        Raises:
            TransferError: the reply is not what was asked for.
        """
        raise NotImplementedError

    def recover(self, call: Call, error: Exception) -> Step:  # noqa: ARG002  for those that can
        """Take an error that may be an answer, and return the next step; None when the operation has its value.

        Raises:
            Exception: the error itself, if it is one.
        """
        raise error

    def tell(self, size: int) -> None:
        """Say that so many bytes more have been moved; one thread at a time."""
        self.moved += size
        if self.home is not None:
            self.home.count(size)

    def facts(self) -> dict[str, Any]:
        """Return what `Outcome` says beside the value, by its names."""
        reply = self.reply
        known = {} if reply is None else {"etag": reply.get("ETag"), "version_id": reply.get("VersionId")}
        return {**known, **(self.details or {})}

    def end(self, error: BaseException | None = None) -> None:
        """Say that it has ended, well without an error."""
        if error is not None:
            self.error = error
            self.let_go()
        self.seconds = time.monotonic() - self.started if self.started else 0.0
        self.ended = True

    def let_go(self) -> None:
        """Let go of what is not needed when it has failed."""

    # -- for those who wait for it ----------------------------------------------------------------------------------

    def done(self) -> bool:
        """Return whether it has ended, well or not."""
        return self.ended

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the operation and return what it gave, or raise its error.

        Args:
            timeout: seconds to wait at most; None waits for the end.

        Raises:
            TimeoutError: it has not ended by then; it goes on.
            TransferError: it failed; S3's own failures are botocore's `ClientError` too.
        """
        self._wait(timeout)
        if self.error is not None:
            raise self.error
        return self.value

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the operation and return its error, or None.

        Args:
            timeout: seconds to wait at most; None waits for the end.

        Raises:
            TimeoutError: it has not ended by then; it goes on.
        """
        self._wait(timeout)
        return self.error

    @property
    def outcome(self) -> Outcome:
        """Wait for the operation and return all that is known of it."""
        self._wait(None)
        facts = {"verified": self.verified, "attempts": self.attempts, "seconds": self.seconds, **self.facts()}
        return Outcome(self.operation, self.bucket, self.key, self.value, self.error, **facts)

    def cancel(self) -> bool:
        """End the operation if it has not begun; return whether it had not."""
        return self.home is not None and bool(self.home.cancel_one(self))

    def cancelled(self) -> bool:
        """Return whether it was cancelled."""
        return isinstance(self.error, TransferCancelledError)

    def _wait(self, timeout: float | None) -> None:
        if not self.ended and self.home is not None:
            self.home.wait_for(self, timeout)

    def __repr__(self) -> str:
        state = "under way" if not self.ended else "failed" if self.error is not None else "done"
        return f"<{type(self).__name__} s3://{self.bucket}/{self.key}: {state}>"
