"""What an S3 in memory keeps: buckets, versions of objects, and uploads under way."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from dateutil.tz import tzutc  # type: ignore[import-untyped,unused-ignore]

from mangrove.s3.engines.memory.faults import Fault

__all__ = ["NULL", "OWNER", "Bucket", "MemoryStore", "Part", "Stored", "Upload", "md5"]

# The id of a version that was written while the bucket was not versioned.
NULL = "null"

# The canonical user id of whoever owns everything here.
OWNER = "0123456789abcdef" * 4

_UTC = tzutc()
_SMALLEST_PART = 5 * 1024**2


class Part:
    """Be a part of an upload, or what an object remembers of one.

    Attributes:
        body: its bytes; an object's parts have none of their own.
        checksum: the base64 of its checksum, by the algorithm of the upload, if it has one.
    """

    __slots__ = ("body", "checksum", "etag", "modified", "number", "size")

    def __init__(self, number: int, body: bytes, etag: str, modified: datetime, checksum: str | None = None) -> None:
        self.number = number
        self.body = body
        self.size = len(body)
        self.etag = etag
        self.modified = modified
        self.checksum = checksum


class Stored:
    """Be one version of an object, or a delete marker; nothing but its tags and locks ever changes.

    Args:
        key: the key.
        body: the bytes; None for a delete marker.
        modified: when it was written.
        headers: the members of a reply that come from the request, by botocore's names.
        algorithm: the algorithm of its checksum, by S3's name.
        kind: "FULL_OBJECT" or "COMPOSITE".
        checksum: the base64 of the checksum, if it is known already.
        etag: the ETag without quotes, if it is not the MD5 of the body.
        parts: what it was made of, if that was a multipart upload.
    """

    __slots__ = (
        "_etag", "algorithm", "body", "checksum", "headers", "key", "kind", "modified", "parts", "size", "tags",
        "version_id",
    )  # fmt: skip

    def __init__(
        self,
        key: str,
        body: bytes | None,
        modified: datetime,
        headers: Mapping[str, Any],
        *,
        algorithm: str = "CRC64NVME",
        kind: str = "FULL_OBJECT",
        checksum: str | None = None,
        etag: str | None = None,
        parts: tuple[Part, ...] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.key = key
        self.body = body
        self.size = 0 if body is None else len(body)
        self.modified = modified
        self.headers = headers
        self.algorithm = algorithm
        self.kind = kind
        self.checksum = checksum
        self._etag = etag
        self.parts = parts
        self.tags: Mapping[str, str] = tags or {}
        self.version_id = NULL

    @property
    def etag(self) -> str:
        """Return the ETag without its quotes: the MD5, but where the object is encrypted with a key of one's own."""
        if self._etag is None:
            body = self.body or b""
            own_key = self.headers.get("SSECustomerKeyMD5") or self.headers.get("SSEKMSKeyId")
            # S3 has the MD5 of the encrypted bytes then: nobody may take it for that of the object.
            self._etag = md5(own_key.encode() + body if own_key else body)
        return self._etag

    @property
    def is_marker(self) -> bool:
        """Say whether this is a delete marker."""
        return self.body is None


class Upload:
    """Be a multipart upload under way.

    Attributes:
        algorithm: the algorithm of the parts' checksums, or None if none was named.
        kind: "FULL_OBJECT" or "COMPOSITE", or None.
        existed: whether the key had an object when the upload began.
    """

    __slots__ = ("algorithm", "existed", "headers", "id", "key", "kind", "parts", "started", "tags")

    def __init__(self, key: str, upload_id: str, started: datetime, headers: Mapping[str, Any]) -> None:
        self.key = key
        self.id = upload_id
        self.started = started
        self.headers = headers
        self.algorithm: str | None = None
        self.kind: str | None = None
        self.existed = False
        self.parts: dict[int, Part] = {}
        self.tags: Mapping[str, str] = {}


class Bucket:
    """Be a bucket. Whoever writes holds the store's lock; a key's versions are a tuple, so that reading takes none.

    Attributes:
        history: the versions of each key, the newest first.
        versioning: None, "Enabled" or "Suspended".
        lock: the object lock's configuration, or None.
    """

    __slots__ = ("_order", "created", "history", "lock", "name", "region", "uploads", "versioning")

    def __init__(self, name: str, region: str, created: datetime) -> None:
        self.name = name
        self.region = region
        self.created = created
        self.versioning: str | None = None
        self.lock: dict[str, Any] | None = None
        self.history: dict[str, tuple[Stored, ...]] = {}
        self.uploads: dict[str, Upload] = {}
        self._order: list[str] | None = []

    def current(self, key: str) -> Stored | None:
        """Return the newest version of a key, unless that is a delete marker."""
        versions = self.history.get(key)
        return None if versions is None or versions[0].is_marker else versions[0]

    def put(self, stored: Stored) -> None:
        """Make this the newest version of its key."""
        key = stored.key
        old = self.history.get(key)
        if old is None:
            self._order = None
            self.history[key] = (stored,)
        elif self.versioning is None:
            self.history[key] = (stored,)
        else:
            kept = old if stored.version_id != NULL else tuple(each for each in old if each.version_id != NULL)
            self.history[key] = (stored, *kept)

    def drop(self, key: str, version_id: str = NULL) -> Stored | None:
        """Take a version away for good and return it, or None if there is no such version."""
        old = self.history.get(key, ())
        found = next((each for each in old if each.version_id == version_id), None)
        if found is not None:
            kept = tuple(each for each in old if each is not found)
            if kept:
                self.history[key] = kept
            else:
                del self.history[key]
                self._order = None
        return found

    def keys(self) -> list[str]:
        """Return all keys, those of delete markers too, in the order of their UTF-8; for whoever holds the lock."""
        if self._order is None:
            # Python orders strings by code point, and UTF-8 keeps that order.
            self._order = sorted(self.history)
        return self._order


class MemoryStore:
    """Keep the buckets of an S3 in memory; several engines and threads may share one.

    Args:
        clock: returns the time, in seconds since 1970.
        ids: returns a new id at each call, for versions, uploads and requests; by default they count up.
        smallest_part: the least bytes of a part that is not the last, where a test wants smaller ones than S3's 5 MiB.

    Example:
        >>> from mangrove.s3.engines.base import Call
        >>> from mangrove.s3.engines.memory import MemoryEngine, MemoryStore
        >>> store = MemoryStore(clock=lambda: 1_700_000_000.0)
        >>> engine = MemoryEngine(store)
        >>> engine.perform(Call("CreateBucket", {"Bucket": "logs"})).status
        200
        >>> engine.perform(Call("PutObject", {"Bucket": "logs", "Key": "a"}, body=b"hello")).get("ETag")
        '"5d41402abc4b2a76b9719d911017c592"'
        >>> MemoryEngine(store).perform(Call("GetObject", {"Bucket": "logs", "Key": "a"})).body
        b'hello'
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        ids: Callable[[], str] | None = None,
        smallest_part: int = _SMALLEST_PART,
    ) -> None:
        self.lock = threading.RLock()
        self.buckets: dict[str, Bucket] = {}
        self.smallest_part = smallest_part
        self.new_id = ids or _counted()
        self._clock = clock
        self._now = (0, datetime.fromtimestamp(0, _UTC))

    def now(self) -> datetime:
        """Return the time as S3 tells it in headers: in whole seconds, and UTC."""
        second = int(self._clock())
        kept = self._now
        if kept[0] != second:
            kept = self._now = (second, datetime.fromtimestamp(second, _UTC))
        return kept[1]

    def bucket(self, name: str) -> Bucket:
        """Return a bucket.

        Raises:
            Fault: there is none of that name.
        """
        found = self.buckets.get(name)
        if found is None:
            raise Fault("NoSuchBucket", BucketName=name)
        return found

    def keep(self, bucket: Bucket, stored: Stored) -> None:
        """Make this the newest version of its key, with an id if the bucket is versioned."""
        if bucket.versioning == "Enabled":
            stored.version_id = self.new_id()
        bucket.put(stored)

    def clear(self) -> None:
        """Forget everything."""
        with self.lock:
            self.buckets.clear()


def _counted() -> Callable[[], str]:
    numbers = itertools.count(1)
    # One after the other, as the interpreter takes them: threads never get the same.
    return lambda: f"{next(numbers):032X}"


def md5(data: bytes) -> str:
    """Return the MD5 of bytes in hexadecimal: what S3's ETags are made of."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
