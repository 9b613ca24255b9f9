"""When S3 refuses to read or to write: the conditions of a request, and what of an object a Range means; all pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from mangrove.s3.engines.memory.faults import Fault
from mangrove.s3.engines.memory.store import Stored

__all__ = ["Span", "check_read", "check_source", "check_write", "copied_span", "part_span", "ranged"]

_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]*)\s*-\s*([0-9]*)\s*\Z", re.IGNORECASE | re.ASCII)
_COPY_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]+)\Z", re.ASCII)


class Span(NamedTuple):
    """Be a run of an object's bytes: from the first to before the last."""

    start: int
    stop: int


def _is(given: str, stored: Stored) -> bool:
    return given == "*" or given.strip().strip('"') == stored.etag


def check_read(params: Mapping[str, Any], stored: Stored, now: datetime) -> None:
    """Refuse to read an object where a condition of GetObject or HeadObject does not hold.

    An ETag's condition goes before that of a time, as the S3 API Reference and RFC 9110 have it.

    Raises:
        Fault: PreconditionFailed, or NotModified.
    """
    if "IfMatch" in params:
        if not _is(params["IfMatch"], stored):
            raise Fault("PreconditionFailed", Condition="If-Match")
    elif "IfUnmodifiedSince" in params and stored.modified > params["IfUnmodifiedSince"]:
        raise Fault("PreconditionFailed", Condition="If-Unmodified-Since")
    if "IfNoneMatch" in params:
        unchanged = _is(params["IfNoneMatch"], stored)
    else:
        since = params.get("IfModifiedSince")
        unchanged = since is not None and stored.modified <= since <= now
    if unchanged:
        raise Fault("NotModified", headers={"etag": f'"{stored.etag}"'})


def check_source(params: Mapping[str, Any], stored: Stored, now: datetime) -> None:
    """Refuse to copy an object where a condition on the source does not hold; nothing is "not modified" here.

    Raises:
        Fault: PreconditionFailed.
    """
    named = {
        name.removeprefix("CopySource"): value for name, value in params.items() if name.startswith("CopySourceIf")
    }
    try:
        check_read(named, stored, now)
    except Fault as refusal:
        held = refusal.details.get("Condition", "If-None-Match" if "IfNoneMatch" in named else "If-Modified-Since")
        raise Fault("PreconditionFailed", Condition=f"x-amz-copy-source-{held}") from None


def check_write(params: Mapping[str, Any], current: Stored | None) -> None:
    """Refuse to write an object where `IfMatch` or `IfNoneMatch` does not hold; for whoever holds the store's lock.

    Raises:
        Fault: PreconditionFailed, NoSuchKey, or NotImplemented for a form that S3 does not take.
    """
    wanted, unwanted = params.get("IfMatch"), params.get("IfNoneMatch")
    if wanted is None and unwanted is None:
        return
    if wanted is not None and unwanted is not None:
        raise Fault("NotImplemented", Header="If-Match,If-None-Match")
    if unwanted is not None:
        if unwanted != "*":
            raise Fault("NotImplemented", Header="If-None-Match")
        if current is not None:
            raise Fault("PreconditionFailed", Condition="If-None-Match")
        return
    if wanted == "*":
        raise Fault("NotImplemented", Header="If-Match")
    if current is None:
        raise Fault("NoSuchKey", Key=params["Key"])
    if not _is(str(wanted), current):
        raise Fault("PreconditionFailed", Condition="If-Match")


def ranged(header: str, size: int) -> Span | None:
    """Return what a Range header means for an object of so many bytes; None means all of it.

    S3 takes one range; anything else that it can't read is as if it were not there.

    Raises:
        Fault: InvalidRange: it begins after the end.

    Example:
        >>> ranged("bytes=2-", 10), ranged("bytes=-3", 10), ranged("bytes=0-99", 10), ranged("lines=1-2", 10)
        (Span(start=2, stop=10), Span(start=7, stop=10), Span(start=0, stop=10), None)
    """
    match = _RANGE.match(header)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        last = int(match[2])
        if last == 0 or size == 0:
            raise _beyond(header, size)
        return Span(max(size - last, 0), size)
    start = int(match[1])
    stop = min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < start:
        return None
    if start >= size:
        raise _beyond(header, size)
    return Span(start, stop)


def _beyond(header: str, size: int) -> Fault:
    return Fault(
        "InvalidRange", RangeRequested=header, ActualObjectSize=size, headers={"content-range": f"bytes */{size}"}
    )


def part_span(stored: Stored, number: int) -> Span:
    """Return where a part of an object lies; an object of one upload is its own only part.

    Raises:
        Fault: InvalidPartNumber.
    """
    if not stored.parts and number == 1:
        return Span(0, stored.size)
    start = 0
    for part in stored.parts:
        if part.number == number:
            return Span(start, start + part.size)
        start += part.size
    count = len(stored.parts) or 1
    raise Fault("InvalidPartNumber", PartNumberRequested=number, ActualPartCount=count)


def copied_span(header: str, size: int) -> Span:
    """Return what `CopySourceRange` means, which has one form only: bytes=first-last.

    Raises:
        Fault: it has another form, or ends after the end.
    """
    match = _COPY_RANGE.match(header)
    if match is None or int(match[2]) < int(match[1]):
        text = (
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy"
        )
        raise Fault("InvalidArgument", text, ArgumentName="x-amz-copy-source-range", ArgumentValue=header)
    if int(match[2]) >= size:
        text = f"Range specified is not valid for source object of size: {size}"
        raise Fault("InvalidArgument", text, ArgumentName="x-amz-copy-source-range", ArgumentValue=header)
    return Span(int(match[1]), int(match[2]) + 1)
