"""Get one range of an object, checked: these bytes, of this object, as many as were asked for, summed as they come."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mangrove.errors import (
    IncompleteTransferError,
    IntegrityError,
    ObjectChangedError,
    PreconditionError,
    TransferCancelledError,
    TransferError,
)
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.rules.checksums import Algorithm, Checksum
from mangrove.s3.rules.faults import status_of
from mangrove.s3.rules.plan import Part
from mangrove.s3.running.workers import Stop, Workers

__all__ = ["Found", "Got", "fetch", "found_of"]

_CONTENT_RANGE = re.compile(r"\Abytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)\Z")
_PARTIAL, _UNSATISFIABLE = 206, 416
# Conditions that held for the first answer, and say nothing of the ranges; and what says nothing of a range.
_DROPPED = frozenset({"ChecksumMode", "IfModifiedSince", "IfNoneMatch", "IfUnmodifiedSince", "PartNumber", "Range"})


@dataclass(frozen=True, slots=True)
class Found:
    """Be the object that is downloaded, as its first answer described it.

    Attributes:
        what: its name for messages.
        size: the bytes that are wanted.
        total: all its bytes.
        start: where the wanted ones begin.
        etag: its ETag, or None.
        modified: when it was last modified.
        params: the parameters of GetObject for its ranges; only this object answers to them.
    """

    what: str
    size: int
    total: int
    start: int
    etag: str | None
    modified: Any
    params: Mapping[str, Any] = field(repr=False)


def found_of(params: Mapping[str, Any], reply: Reply) -> Found:
    """Read the first answer.

    Args:
        params: of the GetObject that it answers.
        reply: the answer.

    Raises:
        TransferError: it does not say how long the object is.
    """
    what = f"s3://{params['Bucket']}/{params['Key']}"
    size, etag = reply.get("ContentLength"), reply.get("ETag")
    if not isinstance(size, int):
        text = f"the server does not say how long {what} is, so that it can't be fetched in ranges; raise the threshold"
        raise TransferError(text)
    start, total = 0, size
    told = _CONTENT_RANGE.match(reply.get("ContentRange") or "")
    if told is not None and reply.status == _PARTIAL:
        start, total = int(told[1]), int(told[3]) if told[3] != "*" else size
    wanted = {name: value for name, value in params.items() if name not in _DROPPED}
    if etag is not None:
        wanted["IfMatch"] = etag
    if reply.get("VersionId") is not None:
        wanted["VersionId"] = reply.get("VersionId")
    return Found(what, size, total, start, etag, reply.get("LastModified"), wanted)


class Got(NamedTuple):
    """Be a range that has come.

    Attributes:
        size: its bytes.
        checksum: theirs in base64; empty if nobody asked for one.
    """

    size: int
    checksum: str


class _LocalError(Exception):
    """Carry an error of the place the bytes go to past those who take an `OSError` for one of the network."""


class _Sink:
    """Take the bytes of one try.

    Args:
        found: the object.
        part: the range.
        write: puts bytes where they belong, by their place in what is wanted.
        algorithm: of the checksum of the range, or None.
        stop: is set when nobody wants the bytes any more.
    """

    __slots__ = ("_at", "_end", "_found", "_part", "_stop", "_sum", "_write")

    def __init__(
        self,
        found: Found,
        part: Part,
        write: Callable[[memoryview, int], object],
        algorithm: Algorithm | None,
        stop: Stop,
    ) -> None:
        self._found, self._part, self._write, self._stop = found, part, write, stop
        self._at, self._end = part.start, part.stop
        self._sum = None if algorithm is None else Checksum(algorithm)

    def __call__(self, view: memoryview) -> None:
        at, after = self._at, self._at + view.nbytes
        if after > self._end:
            how = "more bytes came"
            raise _misfit(self._found, self._part, how)
        if self._stop.is_set():
            text = "another part of the object failed"
            raise TransferCancelledError(text)
        try:
            self._write(view, at)
        except Exception as error:
            raise _LocalError from error
        if self._sum is not None:
            self._sum.update(view)
        self._at = after

    def check(self, reply: Reply) -> None:
        """Look at the head of the answer, once all of it is there.

        Raises:
            IntegrityError: it is no answer to what was asked.
            IncompleteTransferError: it has fewer bytes.
            ObjectChangedError: it is another object.
        """
        found, part = self._found, self._part
        told = _CONTENT_RANGE.match(reply.get("ContentRange") or "")
        whole = reply.status != _PARTIAL and told is None and (part.start, part.size) == (0, found.total)
        first = found.start + part.start
        if not whole and (told is None or (int(told[1]), int(told[2])) != (first, first + part.size - 1)):
            how = f"status {reply.status} and the range {reply.get('ContentRange')!r} came"
            raise _misfit(found, part, how)
        if told is not None and told[3] not in ("*", str(found.total)):
            how = f"it has {told[3]} bytes now, and had {found.total}"
            raise _changed(found, how)
        if found.etag is not None and reply.get("ETag") not in (None, found.etag):
            raise _changed(found, f"its ETag is {reply.get('ETag')} now, and was {found.etag}")
        if found.etag is None and reply.get("LastModified") != found.modified:
            raise _changed(found, f"it was last modified {reply.get('LastModified')}")
        if self._at != self._end:
            count = self._at - part.start
            text = f"{count} of {part.size} bytes of the range {part.range} of {found.what} came, and no more"
            raise IncompleteTransferError(text)

    def got(self) -> Got:
        """Return what has come."""
        return Got(self._part.size, "" if self._sum is None else self._sum.value)


def _misfit(found: Found, part: Part, how: str) -> IntegrityError:
    return IntegrityError(
        f"the range {_asked(found, part)} of {found.what} was asked for, and {how}; the server, or a proxy, ignores it"
    )


def _asked(found: Found, part: Part) -> str:
    return Part(part.number, found.start + part.start, part.size).range


def _changed(found: Found, how: str) -> ObjectChangedError:
    return ObjectChangedError(f"{found.what} was changed while it was downloaded: {how}; download it again")


def fetch(
    workers: Workers,
    found: Found,
    part: Part,
    write: Callable[[memoryview, int], object],
    algorithm: Algorithm | None,
) -> Got:
    """Get a range, in a worker's thread, with tries again from its start.

    Args:
        workers: make the calls.
        found: the object.
        part: the range, counted from the first byte that is wanted.
        write: puts bytes where they belong.
        algorithm: of the checksum of the range, or None.

    Raises:
        ObjectChangedError: the object is not what it was.
        TransferError: it failed for good.
        OSError: the bytes can't be written.
    """
    params = {**found.params, "Range": _asked(found, part)}
    sinks: list[_Sink] = []

    def call() -> Call:
        sink = _Sink(found, part, write, algorithm, workers.stop)
        sinks[:] = [sink]
        return Call("GetObject", params, sink=sink, owner=sink.check)

    try:
        workers.make(call)
    except _LocalError as error:
        raise (error.__cause__ or error) from None
    except PreconditionError as error:
        raise _changed(found, f"its ETag is {found.etag} no longer") from error
    except TransferError as error:
        if status_of(error) == _UNSATISFIABLE:
            raise _changed(found, "it is shorter now") from error
        raise
    workers.tell(part.size)
    return sinks[0].got()
