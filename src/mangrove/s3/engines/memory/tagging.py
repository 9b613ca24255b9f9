"""Tags of objects: read, written and deleted apart from the object."""

from __future__ import annotations

from typing import Any

from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.memory.members import tag_set
from mangrove.s3.engines.memory.reading import find
from mangrove.s3.engines.memory.store import Bucket, MemoryStore, Stored

__all__ = ["delete_object_tagging", "get_object_tagging", "put_object_tagging"]


def _named(store: MemoryStore, call: Call) -> tuple[Bucket, Stored]:
    bucket = store.bucket(call.params["Bucket"])
    return bucket, find(bucket, call.params["Key"], call.params.get("VersionId"))


def _version(bucket: Bucket, stored: Stored) -> dict[str, Any]:
    return {} if bucket.versioning is None else {"VersionId": stored.version_id}


def get_object_tagging(store: MemoryStore, call: Call) -> Reply:
    """Answer GetObjectTagging."""
    bucket, stored = _named(store, call)
    tags = [{"Key": key, "Value": value} for key, value in stored.tags.items()]
    return Reply(200, {**_version(bucket, stored), "TagSet": tags})


def put_object_tagging(store: MemoryStore, call: Call) -> Reply:
    """Answer PutObjectTagging."""
    tags = tag_set(call.params["Tagging"]["TagSet"])
    with store.lock:
        bucket, stored = _named(store, call)
        stored.tags = tags
    return Reply(200, _version(bucket, stored))


def delete_object_tagging(store: MemoryStore, call: Call) -> Reply:
    """Answer DeleteObjectTagging."""
    with store.lock:
        bucket, stored = _named(store, call)
        stored.tags = {}
    return Reply(204, _version(bucket, stored))
