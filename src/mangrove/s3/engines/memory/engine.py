"""The engine that needs no network: S3's answers from memory, in microseconds, for tests of code that uses S3."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from functools import partial

from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.memory import buckets, deleting, listing, locking, multipart, reading, tagging, writing
from mangrove.s3.engines.memory.faults import Fault, client_error
from mangrove.s3.engines.memory.store import MemoryStore

__all__ = ["MemoryEngine"]

_Handler = Callable[[MemoryStore, Call], Reply]

_HANDLERS: dict[str, _Handler] = {
    "AbortMultipartUpload": multipart.abort_multipart_upload,
    "CompleteMultipartUpload": multipart.complete_multipart_upload,
    "CopyObject": writing.copy_object,
    "CreateMultipartUpload": multipart.create_multipart_upload,
    "DeleteBucket": buckets.delete_bucket,
    "DeleteObject": deleting.delete_object,
    "DeleteObjectTagging": tagging.delete_object_tagging,
    "DeleteObjects": deleting.delete_objects,
    "GetBucketLocation": buckets.get_bucket_location,
    "GetBucketVersioning": buckets.get_bucket_versioning,
    "GetObject": reading.get_object,
    "GetObjectAttributes": reading.get_object_attributes,
    "GetObjectLegalHold": locking.get_object_legal_hold,
    "GetObjectLockConfiguration": locking.get_object_lock_configuration,
    "GetObjectRetention": locking.get_object_retention,
    "GetObjectTagging": tagging.get_object_tagging,
    "HeadBucket": buckets.head_bucket,
    "HeadObject": reading.head_object,
    "ListBuckets": buckets.list_buckets,
    "ListMultipartUploads": listing.list_multipart_uploads,
    "ListObjectVersions": listing.list_object_versions,
    "ListObjects": listing.list_objects,
    "ListObjectsV2": listing.list_objects_v2,
    "ListParts": multipart.list_parts,
    "PutBucketVersioning": buckets.put_bucket_versioning,
    "PutObject": writing.put_object,
    "PutObjectLegalHold": locking.put_object_legal_hold,
    "PutObjectLockConfiguration": locking.put_object_lock_configuration,
    "PutObjectRetention": locking.put_object_retention,
    "PutObjectTagging": tagging.put_object_tagging,
    "UploadPart": multipart.upload_part,
    "UploadPartCopy": multipart.upload_part_copy,
}


class MemoryEngine:
    """Answer calls from a `MemoryStore`, as S3 would: the same replies, the same errors, none of the time.

    It serves buckets of every region, and knows one account that may do everything. An operation that it does not know
    ends with a ClientError of the code NotImplemented.

    Args:
        store: what it answers from; a new and empty one if None. Engines may share one.
        region_name: of the endpoint it stands for: where `CreateBucket` makes buckets.

    Example:
        >>> from mangrove.s3.engines.base import Call
        >>> engine = MemoryEngine()
        >>> engine.perform(Call("HeadObject", {"Bucket": "logs", "Key": "a"}))
        Traceback (most recent call last):
        ...
        botocore.exceptions.ClientError: An error occurred (404) when calling the HeadObject operation: Not Found
    """

    def __init__(self, store: MemoryStore | None = None, *, region_name: str = "us-east-1") -> None:
        self.store = MemoryStore() if store is None else store
        self.region_name = region_name
        self._handlers: dict[str, _Handler] = {
            **_HANDLERS,
            "CreateBucket": partial(buckets.create_bucket, region=region_name),
        }
        self._ended: list[Call] = []
        # A queue in C: Ctrl-C may strike in the middle of an Event, which would then be locked for ever.
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._rung = False

    def submit(self, call: Call) -> None:
        """Make a call now; `poll` gives it back."""
        try:
            self.perform(call)
        except Exception as error:  # noqa: BLE001  whatever a sink raises is the call's own
            call.error = error
        self._ended.append(call)

    def poll(self, timeout: float) -> list[Call]:
        """Return the calls made since the last time; without any, wait for `wake` up to so many seconds."""
        ended, self._ended = self._ended, []
        if not ended:
            with contextlib.suppress(queue.Empty):
                self._bell.get(timeout=min(max(timeout, 0.0), threading.TIMEOUT_MAX))
            self._rung = False
        return ended

    def wake(self) -> None:
        """Make a `poll` that waits return; from any thread."""
        if not self._rung:
            self._rung = True
            self._bell.put(None)

    def perform(self, call: Call) -> Reply:
        """Make a call and return its reply.

        Raises:
            botocore.exceptions.ClientError: as S3 would answer.
        """
        call.sent = True
        handler = self._handlers.get(call.operation)
        try:
            if handler is None:
                text = f"{call.operation} is not implemented in memory"
                raise Fault("NotImplemented", text)  # noqa: TRY301  one place makes errors
            reply = call.reply = handler(self.store, call)
        except Fault as refusal:
            error = call.error = client_error(refusal, call.operation, self.store.new_id())
            raise error from None
        return reply

    def close(self) -> None:
        """Do nothing: there is no connection, and the store is whoever's it is."""
