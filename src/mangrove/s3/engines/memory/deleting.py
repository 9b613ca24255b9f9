"""Delete objects: one, or a thousand with an error for each that could not be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.memory.faults import Fault
from mangrove.s3.engines.memory.locking import check_deletable
from mangrove.s3.engines.memory.store import NULL, Bucket, MemoryStore, Stored

__all__ = ["delete_object", "delete_objects"]

_MOST = 1000


def delete_object(store: MemoryStore, call: Call) -> Reply:
    """Answer DeleteObject; to delete what is not there is no error."""
    params = call.params
    with store.lock:
        bucket = store.bucket(params["Bucket"])
        version_id = params.get("VersionId")
        _check_condition(bucket, params["Key"], params.get("IfMatch"))
        try:
            gone = _delete(store, bucket, params["Key"], version_id, params)
        except _NoVersionError:
            raise Fault(
                "InvalidArgument", "Invalid version id specified", ArgumentName="versionId", ArgumentValue=version_id
            ) from None
    if gone is None:
        return Reply(204)
    return Reply(204, {"VersionId": gone.version_id, **({"DeleteMarker": True} if gone.is_marker else {})})


class _NoVersionError(Exception):
    """Say that there can't be such a version."""


def _delete(
    store: MemoryStore, bucket: Bucket, key: str, version_id: str | None, params: Mapping[str, Any]
) -> Stored | None:
    """Delete an object or a version; return the version taken away or the marker made, None in plain buckets."""
    if bucket.versioning is None:
        if version_id not in {None, NULL}:
            raise _NoVersionError
        bucket.drop(key)
        return None
    if version_id is None:
        marker = Stored(key, None, store.now(), {})
        store.keep(bucket, marker)
        return marker
    found = next((each for each in bucket.history.get(key, ()) if each.version_id == version_id), None)
    if found is None:
        if key in bucket.history:
            raise _NoVersionError
        return None
    check_deletable(found, params, store.now())
    return bucket.drop(key, version_id)


def _check_condition(bucket: Bucket, key: str, wanted: str | None) -> None:
    """Refuse to delete what has another ETag.

    Source: "How to perform conditional deletes" in the Amazon S3 user guide.
    """
    if wanted is None:
        return
    if key not in bucket.history:
        raise Fault("NoSuchKey", Key=key)
    current = bucket.current(key)
    if current is None or wanted.strip('"') not in {"*", current.etag}:
        raise Fault("PreconditionFailed", Condition="If-Match")


def delete_objects(store: MemoryStore, call: Call) -> Reply:
    """Answer DeleteObjects."""
    wanted = call.params["Delete"]
    if not 0 < len(wanted["Objects"]) <= _MOST:
        raise Fault("MalformedXML")
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    with store.lock:
        bucket = store.bucket(call.params["Bucket"])
        for each in wanted["Objects"]:
            try:
                deleted.append(_delete_one(store, bucket, each, call.params))
            except Fault as refusal:
                version = {"VersionId": each["VersionId"]} if "VersionId" in each else {}
                errors.append({"Key": each["Key"], **version, "Code": refusal.code, "Message": refusal.message})
    data: dict[str, Any] = {}
    if deleted and not wanted.get("Quiet"):
        data["Deleted"] = deleted
    if errors:
        data["Errors"] = errors
    return Reply(200, data)


def _delete_one(
    store: MemoryStore, bucket: Bucket, wanted: Mapping[str, Any], params: Mapping[str, Any]
) -> dict[str, Any]:
    key, version_id = wanted["Key"], wanted.get("VersionId")
    _check_condition(bucket, key, wanted.get("ETag"))
    try:
        gone = _delete(store, bucket, key, version_id, params)
    except _NoVersionError:
        raise Fault("NoSuchVersion") from None
    answer: dict[str, Any] = {"Key": key}
    if version_id is not None:
        answer["VersionId"] = version_id
    if gone is not None and gone.is_marker:
        answer.update(DeleteMarker=True, DeleteMarkerVersionId=gone.version_id)
    return answer
