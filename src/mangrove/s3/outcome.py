"""Say what became of one operation, so that one bad key of a million is one failed outcome and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from mangrove._redact import message_of, redact_url

__all__ = ["Outcome", "Progress"]

_LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Outcome:
    """Be the result of one operation on S3: what it gave, or why it gave nothing. It is true if it went well.

    Attributes:
        operation: "upload", "download", "delete", ….
        bucket: the bucket, as it was given.
        key: the key; empty for an operation on a bucket.
        value: what the operation gave: bytes, a path, True, ….
        error: why there is nothing, or None.
        size: bytes of the object, where known.
        etag: S3's entity tag, with its quotes, as S3 gives it.
        version_id: the version that was read or written, in a bucket with versions.
        checksum: what S3 holds as the object's checksum, such as "CRC64NVME:Nqo2…".
        verified: by what the bytes were verified, such as "CRC64NVME" or "CRC32 (composite)"; None if by nothing.
        attempts: how often it was tried, the parts of a large object apart.
        seconds: from its start to its end, waits between the attempts included.
        resumed: bytes that an earlier run had already transferred.

    Example:
        >>> outcome = Outcome("download", "logs", "a.gz", b"12345", size=5, etag='"827c"', verified="CRC32")
        >>> outcome.ok, outcome.get()
        (True, b'12345')
        >>> outcome
        <Outcome download s3://logs/a.gz: <5 bytes>, size=5, verified='CRC32'>
    """

    operation: str
    bucket: str
    key: str
    value: Any = None
    error: BaseException | None = None
    size: int | None = None
    etag: str | None = None
    version_id: str | None = None
    checksum: str | None = None
    verified: str | None = None
    attempts: int = 1
    seconds: float = 0.0
    resumed: int = 0

    @property
    def ok(self) -> bool:
        """Return whether the operation went well."""
        return self.error is None

    def __bool__(self) -> bool:
        return self.error is None

    def get(self) -> Any:
        """Return the value.

        Raises:
            BaseException: the operation's own error, with the traceback of where it happened.

        Example:
            >>> Outcome("delete", "logs", "a", error=PermissionError("no")).get()
            Traceback (most recent call last):
            ...
            PermissionError: no
        """
        if self.error is not None:
            raise self.error
        return self.value

    def __repr__(self) -> str:
        what = _brief(self.value) if self.error is None else f"{type(self.error).__name__}: {_error_brief(self.error)}"
        where = f"s3://{self.bucket}/{self.key}"
        facts = [("size", self.size), ("verified", self.verified), ("version_id", self.version_id)]
        told = [f"{name}={fact!r}" for name, fact in facts if fact is not None]
        if self.attempts > 1:
            told.append(f"attempts={self.attempts}")
        if self.resumed:
            told.append(f"resumed={self.resumed}")
        return f"<Outcome {self.operation} {_one_line(where)}: {', '.join([what, *told])}>"


def _one_line(text: str) -> str:
    """Return a text that stays on its line and does nothing to a terminal."""
    text = text if len(text) <= 2 * _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return text if text.isprintable() else repr(text)[1:-1]


def _error_brief(error: BaseException) -> str:
    try:
        return _one_line(message_of(error))
    except Exception:  # noqa: BLE001 - a repr never fails, whatever an error's own __str__ does
        return "its message can't be read"


def _brief(value: object) -> str:
    """Return what a repr shows of a value: never an object's bytes, a signature or what a mapping may hold."""
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    if isinstance(value, (bytes, bytearray)):
        return f"<{len(value)} bytes>"
    if isinstance(value, str):
        if value.lower().startswith(("http://", "https://")):
            return repr(redact_url(value))
        return f"<{len(value)} characters>"
    return repr(str(value)) if isinstance(value, PurePath) else f"<{type(value).__name__}>"


@dataclass(frozen=True, slots=True)
class Progress:
    """Be how far many operations are: what a `progress=` callback gets.

    Attributes:
        done: operations that went well.
        failed: operations that failed.
        total: operations in all, or None while nobody knows, as with an iterator.
        bytes: bytes transferred, those of failed attempts included.
        seconds: since the first operation began.

    Example:
        >>> progress = Progress(done=8, failed=2, total=40, bytes=2**20, seconds=2.0)
        >>> progress.ended, progress.share, progress.rate
        (10, 0.25, 524288.0)
    """

    done: int = 0
    failed: int = 0
    total: int | None = None
    bytes: int = 0
    seconds: float = 0.0

    @property
    def ended(self) -> int:
        """Return how many operations have ended, well or not."""
        return self.done + self.failed

    @property
    def share(self) -> float | None:
        """Return which share of the operations has ended, 0 to 1, or None while their number is not known."""
        if self.total is None:
            return None
        return min(1.0, self.ended / self.total) if self.total else 1.0

    @property
    def rate(self) -> float:
        """Return bytes per second since the start."""
        return self.bytes / self.seconds if self.seconds > 0 else 0.0
