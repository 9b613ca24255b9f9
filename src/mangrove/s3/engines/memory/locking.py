"""Object lock: retention and legal holds, of versions and by a bucket's default."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.memory.faults import Fault
from mangrove.s3.engines.memory.reading import find
from mangrove.s3.engines.memory.store import Bucket, MemoryStore, Stored

__all__ = [
    "check_deletable",
    "get_object_legal_hold",
    "get_object_lock_configuration",
    "get_object_retention",
    "locks",
    "put_object_legal_hold",
    "put_object_lock_configuration",
    "put_object_retention",
]

_MODE, _UNTIL, _HOLD = "ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus"
_DAYS_OF_YEAR = 365


def locks(bucket: Bucket, headers: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """Return the headers of a new version with the bucket's default retention, where it has none of its own.

    Raises:
        Fault: the bucket has no object lock, and the request wants one.
    """
    if bucket.lock is None:
        if headers.keys() & {_MODE, _HOLD}:
            raise Fault("InvalidRequest", "Bucket is missing Object Lock Configuration")
        return headers
    default = bucket.lock.get("Rule", {}).get("DefaultRetention")
    if default is None or _MODE in headers:
        return headers
    days = default.get("Days") or default["Years"] * _DAYS_OF_YEAR
    return {**headers, _MODE: default["Mode"], _UNTIL: now + timedelta(days=days)}


def check_deletable(stored: Stored, params: Mapping[str, Any], now: datetime) -> None:
    """Refuse to delete a version for good while it is locked.

    Raises:
        Fault: AccessDenied.
    """
    held = stored.headers.get(_HOLD) == "ON"
    until = stored.headers.get(_UNTIL)
    bypassed = bool(params.get("BypassGovernanceRetention")) and stored.headers.get(_MODE) == "GOVERNANCE"
    if held or (until is not None and until > now and not bypassed):
        raise Fault("AccessDenied", "Access Denied because object protected by object lock.")


def _locked(store: MemoryStore, params: Mapping[str, Any]) -> Stored:
    bucket = store.bucket(params["Bucket"])
    if bucket.lock is None:
        raise Fault("InvalidRequest", "Bucket is missing Object Lock Configuration")
    return find(bucket, params["Key"], params.get("VersionId"))


def put_object_retention(store: MemoryStore, call: Call) -> Reply:
    """Answer PutObjectRetention."""
    with store.lock:
        stored = _locked(store, call.params)
        wanted = call.params.get("Retention") or {}
        until = stored.headers.get(_UNTIL)
        later = wanted.get("RetainUntilDate")
        if until is not None and (later is None or later < until):
            check_deletable(stored, call.params, store.now())
        headers = {name: value for name, value in stored.headers.items() if name not in {_MODE, _UNTIL}}
        if later is not None:
            headers.update({_MODE: wanted["Mode"], _UNTIL: later})
        stored.headers = headers
    return Reply(200)


def get_object_retention(store: MemoryStore, call: Call) -> Reply:
    """Answer GetObjectRetention."""
    stored = _locked(store, call.params)
    if _MODE not in stored.headers:
        raise Fault("NoSuchObjectLockConfiguration")
    return Reply(200, {"Retention": {"Mode": stored.headers[_MODE], "RetainUntilDate": stored.headers[_UNTIL]}})


def put_object_legal_hold(store: MemoryStore, call: Call) -> Reply:
    """Answer PutObjectLegalHold."""
    with store.lock:
        stored = _locked(store, call.params)
        stored.headers = {**stored.headers, _HOLD: call.params["LegalHold"]["Status"]}
    return Reply(200)


def get_object_legal_hold(store: MemoryStore, call: Call) -> Reply:
    """Answer GetObjectLegalHold."""
    stored = _locked(store, call.params)
    if _HOLD not in stored.headers:
        raise Fault("NoSuchObjectLockConfiguration")
    return Reply(200, {"LegalHold": {"Status": stored.headers[_HOLD]}})


def put_object_lock_configuration(store: MemoryStore, call: Call) -> Reply:
    """Answer PutObjectLockConfiguration."""
    with store.lock:
        bucket = store.bucket(call.params["Bucket"])
        if bucket.versioning != "Enabled":
            raise Fault(
                "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
            )
        bucket.lock = dict(call.params["ObjectLockConfiguration"])
    return Reply(200)


def get_object_lock_configuration(store: MemoryStore, call: Call) -> Reply:
    """Answer GetObjectLockConfiguration."""
    bucket = store.bucket(call.params["Bucket"])
    if bucket.lock is None:
        raise Fault("ObjectLockConfigurationNotFoundError", BucketName=bucket.name)
    return Reply(200, {"ObjectLockConfiguration": bucket.lock})
