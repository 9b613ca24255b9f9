"""Read objects: GetObject, HeadObject, GetObjectAttributes, and the object that a request names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.memory.checks import checksum_of, shown
from mangrove.s3.engines.memory.conditions import Span, check_read, part_span, ranged
from mangrove.s3.engines.memory.faults import Fault
from mangrove.s3.engines.memory.members import check_access, described
from mangrove.s3.engines.memory.store import NULL, Bucket, MemoryStore, Stored

__all__ = ["find", "get_object", "get_object_attributes", "head_object"]

# Bytes that a sink is given at once.
_PIECE = 256 * 1024
_OVERRIDES = {
    f"Response{name}": name
    for name in ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType")
}
_ARCHIVED = frozenset({"DEEP_ARCHIVE", "GLACIER"})
_MOST_PARTS = 1000


def find(bucket: Bucket, key: str, version_id: str | None = None) -> Stored:
    """Return the object that a request names.

    Raises:
        Fault: there is none, or it is a delete marker.
    """
    versions = bucket.history.get(key, ())
    if version_id is None:
        if not versions:
            raise Fault("NoSuchKey", Key=key)
        found = versions[0]
        if found.is_marker:
            raise Fault("NoSuchKey", Key=key, headers=_marked(found))
        return found
    if bucket.versioning is None and version_id != NULL:
        raise Fault(
            "InvalidArgument", "Invalid version id specified", ArgumentName="versionId", ArgumentValue=version_id
        )
    named = next((each for each in versions if each.version_id == version_id), None)
    if named is None:
        raise Fault("NoSuchVersion", Key=key, VersionId=version_id)
    if named.is_marker:
        raise Fault("MethodNotAllowed", Method="GET", ResourceType="DeleteMarker", headers=_marked(named))
    return named


def _marked(marker: Stored) -> dict[str, str]:
    return {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version_id}


def get_object(store: MemoryStore, call: Call) -> Reply:
    """Answer GetObject: the bytes go to the call's sink, or are the reply's body unless they are too many."""
    params = call.params
    bucket = store.bucket(params["Bucket"])
    stored = find(bucket, params["Key"], params.get("VersionId"))
    if stored.headers.get("StorageClass") in _ARCHIVED:
        text = "The operation is not valid for the object's storage class"
        raise Fault("InvalidObjectState", text, StorageClass=stored.headers["StorageClass"])
    status, data, span = _opened(store, bucket, stored, params)
    body = stored.body or b""
    if span is not None:
        body = body[span.start : span.stop]
    if call.sink is None:
        call.too_long = call.most is not None and len(body) > call.most
        return Reply(status, data, b"" if call.too_long else body)
    with memoryview(body) as view:
        for start in range(0, len(body), _PIECE):
            call.sink(view[start : start + _PIECE])
    return Reply(status, data)


def head_object(store: MemoryStore, call: Call) -> Reply:
    """Answer HeadObject."""
    params = call.params
    bucket = store.bucket(params["Bucket"])
    stored = find(bucket, params["Key"], params.get("VersionId"))
    status, data, _ = _opened(store, bucket, stored, params)
    return Reply(status, data)


def _opened(
    store: MemoryStore, bucket: Bucket, stored: Stored, params: Mapping[str, Any]
) -> tuple[int, dict[str, Any], Span | None]:
    """Return the status, the members, and which bytes are meant, None for all."""
    data = described(bucket, stored)
    # Most requests name a bucket and a key, and perhaps a checksum mode.
    span = None
    if len(params) > 2:  # noqa: PLR2004
        check_access(params, stored.headers)
        check_read(params, stored, store.now())
        span = _span(params, stored, data)
        if params.get("ChecksumMode") == "ENABLED":
            data.update(_checksum(stored, span))
        for name in params.keys() & _OVERRIDES.keys():
            data[_OVERRIDES[name]] = params[name]
        if "ResponseExpires" in params:
            data["Expires"] = params["ResponseExpires"]
    elif "SSECustomerKeyMD5" in stored.headers:
        check_access(params, stored.headers)
    if span is None:
        return 200, data, None
    data["ContentLength"] = span.stop - span.start
    data["ContentRange"] = f"bytes {span.start}-{span.stop - 1}/{stored.size}"
    return 206, data, span


def _span(params: Mapping[str, Any], stored: Stored, data: dict[str, Any]) -> Span | None:
    header, number = params.get("Range"), params.get("PartNumber")
    if number is not None:
        if header is not None:
            raise Fault("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
        if stored.parts:
            data["PartsCount"] = len(stored.parts)
        span = part_span(stored, number)
        return span if stored.size else None
    return None if header is None else ranged(header, stored.size)


def _checksum(stored: Stored, span: Span | None) -> dict[str, Any]:
    """Return the checksum of what is read: the object's, or that of a part which was stored with one."""
    if span is None or span == (0, stored.size):
        return shown(stored)
    if stored.kind == "COMPOSITE":
        for part in stored.parts:
            if span == part_span(stored, part.number):
                return {f"Checksum{stored.algorithm}": part.checksum, "ChecksumType": stored.kind}
    return {}


def get_object_attributes(store: MemoryStore, call: Call) -> Reply:
    """Answer GetObjectAttributes."""
    params = call.params
    bucket = store.bucket(params["Bucket"])
    stored = find(bucket, params["Key"], params.get("VersionId"))
    check_access(params, stored.headers)
    wanted = params["ObjectAttributes"]
    data: dict[str, Any] = {"LastModified": stored.modified}
    if bucket.versioning is not None:
        data["VersionId"] = stored.version_id
    if "ETag" in wanted:
        data["ETag"] = stored.etag
    if "StorageClass" in wanted:
        data["StorageClass"] = stored.headers.get("StorageClass", "STANDARD")
    if "ObjectSize" in wanted:
        data["ObjectSize"] = stored.size
    if "Checksum" in wanted:
        value = checksum_of(stored).partition("-")[0]
        data["Checksum"] = {f"Checksum{stored.algorithm}": value, "ChecksumType": stored.kind}
    if "ObjectParts" in wanted and stored.parts:
        data["ObjectParts"] = _parts(stored, params)
    return Reply(200, data)


def _parts(stored: Stored, params: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"TotalPartsCount": len(stored.parts)}
    if stored.kind != "COMPOSITE":
        return found  # S3 keeps the parts' own checksums for composite ones only
    after, most = int(params.get("PartNumberMarker", 0)), int(params.get("MaxParts", _MOST_PARTS))
    left = [part for part in stored.parts if part.number > after]
    shown_parts = left[:most]
    return {
        **found,
        "PartNumberMarker": after,
        "NextPartNumberMarker": shown_parts[-1].number if shown_parts else 0,
        "MaxParts": most,
        "IsTruncated": len(left) > most,
        "Parts": [
            {"PartNumber": part.number, "Size": part.size, f"Checksum{stored.algorithm}": part.checksum}
            for part in shown_parts
        ],
    }
