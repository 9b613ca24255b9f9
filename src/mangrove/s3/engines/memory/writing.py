"""Write objects: PutObject and CopyObject."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.memory.checks import as_bytes, check_body, given_checksum, shown
from mangrove.s3.engines.memory.conditions import check_source, check_write
from mangrove.s3.engines.memory.faults import Fault
from mangrove.s3.engines.memory.late import LateReply
from mangrove.s3.engines.memory.locking import locks
from mangrove.s3.engines.memory.members import DESCRIPTION, check_access, check_key, encryption, kept, parse_tags
from mangrove.s3.engines.memory.reading import find
from mangrove.s3.engines.memory.store import Bucket, MemoryStore, Stored

__all__ = ["Source", "copy_object", "open_source", "put_object"]

_LARGEST_COPY = 5 * 1024**3
_VERSION = re.compile(r"\?versionId=(\S+)\Z")


def put_object(store: MemoryStore, call: Call) -> Reply:
    """Answer PutObject."""
    params = call.params
    bucket = store.bucket(params["Bucket"])
    key: str = params["Key"]
    check_key(key)
    headers = kept(params)
    tags = parse_tags(params.get("Tagging"))
    body = as_bytes(call.body)
    checked = check_body(params, body)
    stored = Stored(key, body, store.now(), headers, tags=tags)
    if checked is not None:
        stored.algorithm, stored.checksum = checked
    with store.lock:
        check_write(params, bucket.current(key))
        stored.headers = locks(bucket, headers, stored.modified)
        store.keep(bucket, stored)
    return LateReply(200, partial(_written, stored, versioned=bucket.versioning == "Enabled"))


def _written(stored: Stored, *, versioned: bool) -> dict[str, Any]:
    found = {"ETag": f'"{stored.etag}"', **shown(stored), **encryption(stored.headers)}
    if versioned:
        found["VersionId"] = stored.version_id
    return found


class Source(NamedTuple):
    """Be what a copy is made of."""

    bucket: Bucket
    stored: Stored

    @property
    def version(self) -> dict[str, str]:
        """Return the member of a reply that tells the version, if the source's bucket is versioned."""
        return {} if self.bucket.versioning is None else {"CopySourceVersionId": self.stored.version_id}


def open_source(store: MemoryStore, params: Mapping[str, Any]) -> Source:
    """Return the object that `CopySource` names, where the conditions and the key for it hold.

    Raises:
        Fault: there is none, or it must not be copied.
    """
    name, key, version_id = _named(params["CopySource"])
    bucket = store.bucket(name)
    try:
        stored = find(bucket, key, version_id)
    except Fault as refusal:
        if refusal.code == "MethodNotAllowed":
            text = "The source of a copy request may not specifically refer to a delete marker by version id."
            raise Fault("InvalidRequest", text) from None
        raise
    check_access(params, stored.headers, "CopySource")
    check_source(params, stored, store.now())
    return Source(bucket, stored)


def _named(source: Any) -> tuple[str, str, str | None]:
    """Read a CopySource: botocore's dict, or "bucket/key?versionId=id", which botocore takes unquoted."""
    if isinstance(source, Mapping):
        return source["Bucket"], source["Key"], source.get("VersionId")
    version = _VERSION.search(source)
    path = source[: version.start()] if version else source
    bucket, _, key = path.removeprefix("/").partition("/")
    if not key:
        raise Fault("InvalidArgument", "Invalid copy source object key", ArgumentName="x-amz-copy-source")
    return bucket, key, version[1] if version else None


def copy_object(store: MemoryStore, call: Call) -> Reply:
    """Answer CopyObject."""
    params = call.params
    bucket = store.bucket(params["Bucket"])
    key: str = params["Key"]
    check_key(key)
    source = open_source(store, params)
    origin = source.stored
    if origin.size > _LARGEST_COPY:
        text = f"The specified copy source is larger than the maximum allowable size for a copy source: {_LARGEST_COPY}"
        raise Fault("InvalidRequest", text)
    if source.bucket is bucket and origin is bucket.current(key):
        _check_in_place(params)
    headers = _copied(params, origin)
    tags = parse_tags(params.get("Tagging")) if params.get("TaggingDirective") == "REPLACE" else origin.tags
    stored = Stored(key, origin.body, store.now(), headers, tags=dict(tags), algorithm=origin.algorithm)
    named = given_checksum(params)
    if named is not None:
        stored.algorithm = named[0]
    elif origin.kind == "FULL_OBJECT":
        stored.checksum = origin.checksum
    with store.lock:
        check_write(params, bucket.current(key))
        stored.headers = locks(bucket, headers, stored.modified)
        store.keep(bucket, stored)
    return LateReply(200, partial(_copy_reply, source, stored, versioned=bucket.versioning == "Enabled"))


def _check_in_place(params: Mapping[str, Any]) -> None:
    changes = ("SSECustomerKey", "ServerSideEncryption", "StorageClass", "WebsiteRedirectLocation", "ChecksumAlgorithm")
    if params.get("MetadataDirective") != "REPLACE" and not params.keys() & set(changes):
        text = (
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes."
        )
        raise Fault("InvalidRequest", text)


def _copied(params: Mapping[str, Any], origin: Stored) -> Mapping[str, Any]:
    """Return what the copy's replies will say: how the content is described comes from one place, the rest is new."""
    if params.get("MetadataDirective") == "REPLACE":
        return kept(params)
    described = {name: value for name, value in origin.headers.items() if name in DESCRIPTION}
    return {**kept({name: value for name, value in params.items() if name not in DESCRIPTION}), **described}


def _copy_reply(source: Source, stored: Stored, *, versioned: bool) -> dict[str, Any]:
    result = {"ETag": f'"{stored.etag}"', "LastModified": stored.modified, **shown(stored)}
    found = {"CopyObjectResult": result, **source.version, **encryption(stored.headers)}
    if versioned:
        found["VersionId"] = stored.version_id
    return found
