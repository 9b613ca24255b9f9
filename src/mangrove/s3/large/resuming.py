"""Begin the upload of a file, or go on with one that an earlier process has left half done."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from mangrove.errors import TransferError
from mangrove.s3.engines.base import Call
from mangrove.s3.files.sources import FileSource
from mangrove.s3.large.journal import Entry, Journal, Record
from mangrove.s3.large.multipart import Multipart, Sent, Summing
from mangrove.s3.rules.faults import kind_of
from mangrove.s3.rules.plan import Part, Plan
from mangrove.s3.running.handle import Handle
from mangrove.s3.running.performing import Performer
from mangrove.s3.running.workers import Params, tell_beside

__all__ = ["Begun", "begun"]

# Failures that pass: what S3 has by then is worth keeping.
_PASSING = frozenset({"throttled", "transient", "unreachable", "expired"})
# They name nobody's upload, and are secrets.
_SECRET = frozenset({"SSECustomerKey", "CopySourceSSECustomerKey"})


class Begun:
    """Be an upload of S3 with the parts that it had already.

    Args:
        upload: the upload.
        plan: its parts.
        listed: those that S3 has, by their numbers, as ListParts says.
        record: its place in the journal.

    Attributes:
        resumed: bytes that were there already and are used.
    """

    def __init__(self, upload: Multipart, plan: Plan, listed: Mapping[int, Mapping[str, Any]], record: Record) -> None:
        self.upload, self.plan, self._listed, self._record = upload, plan, listed, record
        self.resumed = 0
        self._lock = threading.Lock()

    def there(self, part: Part, view: memoryview, checksum: str) -> Sent | None:
        """Return a part if S3 has it already with these bytes.

        Args:
            part: the part.
            view: its bytes.
            checksum: theirs.
        """
        found = self._listed.get(part.number)
        if found is None or found.get("Size") != part.size:
            return None
        told = found.get(self.upload.member)
        if told is None:
            # A server that keeps no checksums; its ETag is the MD5 if anything.
            digest = hashlib.md5(view, usedforsecurity=False).hexdigest()
            same = found["ETag"].strip('"') == digest
        else:
            same = told == checksum
        if not same:
            return None
        with self._lock:
            self.resumed += part.size
        return Sent(part.number, part.size, found["ETag"], checksum, told=told is not None)

    def end(self, performer: Performer, error: BaseException, sent: int) -> None:
        """Leave nothing of an upload that failed, or what the next one goes on with.

        Args:
            performer: makes the call.
            error: why it failed; its message says what is left.
            sent: bytes that S3 has.
        """
        if self._record.held and sent and kind_of(error) in _PASSING:
            text = (
                f"S3 has {sent} of {self.plan.size} bytes: the same upload goes on from there, and `mangrove s3 sweep`"
                " removes them"
            )
            tell_beside(error, text)
        elif self.upload.abort(performer, error):
            self._record.forget()

    def forget(self) -> None:
        """Forget it: it is complete."""
        self._record.forget()


@contextlib.contextmanager
def begun(
    performer: Performer, handle: Handle, source: Any, params: Params, plan: Plan, summing: Summing
) -> Iterator[Begun]:
    """Begin an upload, or go on with one of the same file to the same key.

    Args:
        performer: makes the calls.
        handle: the operation.
        source: the bytes; a file is remembered.
        params: returns the parameters of each call.
        plan: its parts.
        summing: its checksums.
    """
    folder = performer.settings.journal if isinstance(source, FileSource) else ""
    where = str(getattr(performer.engine, "where", ""))
    create = {name: value for name, value in params("CreateMultipartUpload").items() if name not in _SECRET}
    facts = (where, handle.bucket, handle.key, source.identity, create, summing.algorithm, summing.kind)
    with Journal(folder).record(*facts) as record:
        found = _resumed(performer, handle, params, plan, record, summing)
        if found is None:
            upload = Multipart.begin(performer, handle, params, summing)
            entry = Entry(
                handle.bucket,
                handle.key,
                upload.upload_id,
                plan.part_size,
                summing.algorithm,
                summing.kind,
                where,
                time.time(),
            )
            record.keep(entry)
            found = Begun(upload, plan, {}, record)
        yield found


def _resumed(
    performer: Performer, handle: Handle, params: Params, plan: Plan, record: Record, summing: Summing
) -> Begun | None:
    """Return the upload that is remembered, if S3 still has it."""
    entry = record.entry
    if entry is None:
        return None
    upload = Multipart(handle, params, entry.upload_id, summing)
    try:
        listed = _listed(performer, handle, params, entry.upload_id)
    except TransferError as error:
        if kind_of(error) in _PASSING:
            raise
        # It is gone, or we may not see it: a new one begins, and the old one does not stay.
        upload.abort(performer, error)
        return None
    return Begun(upload, Plan(plan.size, entry.part_size, multipart=True), listed, record)


def _listed(performer: Performer, handle: Handle, params: Params, upload_id: str) -> dict[int, Mapping[str, Any]]:
    """Return the parts that S3 has of an upload."""
    wanted = {**params("ListParts"), "UploadId": upload_id}
    found: dict[int, Mapping[str, Any]] = {}
    while True:
        reply = performer.make(lambda: Call("ListParts", dict(wanted)), retries=handle.retries)
        found |= {part["PartNumber"]: part for part in reply.get("Parts") or ()}
        if not reply.get("IsTruncated"):
            return found
        wanted["PartNumberMarker"] = reply.data["NextPartNumberMarker"]
