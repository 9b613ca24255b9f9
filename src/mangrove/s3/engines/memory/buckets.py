"""Make, find and delete buckets, and switch their versioning."""

from __future__ import annotations

import re
from typing import Any

from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.memory.faults import Fault
from mangrove.s3.engines.memory.store import OWNER, Bucket, MemoryStore

__all__ = [
    "create_bucket",
    "delete_bucket",
    "get_bucket_location",
    "get_bucket_versioning",
    "head_bucket",
    "list_buckets",
    "put_bucket_versioning",
]

_DEFAULT_REGION = "us-east-1"
_NAME = re.compile(r"(?!.*\.\.)(?![0-9]+(\.[0-9]+){3}\Z)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")


def create_bucket(store: MemoryStore, call: Call, region: str) -> Reply:
    """Answer CreateBucket.

    Args:
        store: where it will be.
        call: the request.
        region: of the endpoint that is asked; it must be the bucket's.
    """
    name: str = call.params["Bucket"]
    if not _NAME.match(name):
        raise Fault("InvalidBucketName", BucketName=name)
    wanted = (call.params.get("CreateBucketConfiguration") or {}).get("LocationConstraint")
    _check_place(wanted, region)
    home = "eu-west-1" if wanted == "EU" else wanted or _DEFAULT_REGION
    with store.lock:
        found = store.buckets.get(name)
        # In us-east-1 alone it is no error to make one's bucket twice.
        if found is not None and (home != _DEFAULT_REGION or found.region != home):
            raise Fault("BucketAlreadyOwnedByYou", BucketName=name)
        if found is None:
            made = store.buckets[name] = Bucket(name, home, store.now())
            if call.params.get("ObjectLockEnabledForBucket"):
                made.versioning, made.lock = "Enabled", {"ObjectLockEnabled": "Enabled"}
    location = f"/{name}" if home == _DEFAULT_REGION else f"http://{name}.s3.amazonaws.com/"
    return Reply(200, {"Location": location, "BucketArn": f"arn:aws:s3:::{name}"})


def _check_place(wanted: str | None, region: str) -> None:
    if wanted is None:
        if region != _DEFAULT_REGION:
            text = (
                "The unspecified location constraint is incompatible for the region specific endpoint this request was "
                "sent to."
            )
            raise Fault("IllegalLocationConstraintException", text)
    elif region not in {_DEFAULT_REGION, wanted} and not (wanted == "EU" and region == "eu-west-1"):
        text = (
            f"The {wanted} location constraint is incompatible for the region specific endpoint this request was sent "
            "to."
        )
        raise Fault("IllegalLocationConstraintException", text)


def head_bucket(store: MemoryStore, call: Call) -> Reply:
    """Answer HeadBucket."""
    bucket = store.bucket(call.params["Bucket"])
    data = {"BucketRegion": bucket.region, "BucketArn": f"arn:aws:s3:::{bucket.name}", "AccessPointAlias": False}
    return Reply(200, data)


def list_buckets(store: MemoryStore, call: Call) -> Reply:
    """Answer ListBuckets."""
    params = call.params
    prefix, region, after = params.get("Prefix", ""), params.get("BucketRegion"), params.get("ContinuationToken", "")
    with store.lock:
        found = [
            bucket
            for name, bucket in sorted(store.buckets.items())
            if name.startswith(prefix) and name > after and region in {None, bucket.region}
        ]
    most = params.get("MaxBuckets", len(found))
    named = [
        {
            "Name": bucket.name,
            "CreationDate": bucket.created,
            "BucketRegion": bucket.region,
            "BucketArn": f"arn:aws:s3:::{bucket.name}",
        }
        for bucket in found[:most]
    ]
    data: dict[str, Any] = {"Buckets": named, "Owner": {"ID": OWNER}}
    if "Prefix" in params:
        data["Prefix"] = prefix
    if len(found) > most:
        data["ContinuationToken"] = found[most - 1].name
    return Reply(200, data)


def delete_bucket(store: MemoryStore, call: Call) -> Reply:
    """Answer DeleteBucket; uploads under way go with it."""
    with store.lock:
        bucket = store.bucket(call.params["Bucket"])
        if bucket.history:
            more = "" if bucket.versioning is None else ". You must delete all versions in the bucket."
            raise Fault("BucketNotEmpty", f"The bucket you tried to delete is not empty{more}", BucketName=bucket.name)
        del store.buckets[bucket.name]
    return Reply(204)


def get_bucket_location(store: MemoryStore, call: Call) -> Reply:
    """Answer GetBucketLocation; us-east-1 has no name here, for it was the only place once."""
    region = store.bucket(call.params["Bucket"]).region
    return Reply(200, {"LocationConstraint": None if region == _DEFAULT_REGION else region})


def put_bucket_versioning(store: MemoryStore, call: Call) -> Reply:
    """Answer PutBucketVersioning."""
    wanted = (call.params.get("VersioningConfiguration") or {}).get("Status")
    if wanted is None:
        raise Fault("IllegalVersioningConfigurationException")
    if wanted not in {"Enabled", "Suspended"}:
        raise Fault("MalformedXML")
    with store.lock:
        bucket = store.bucket(call.params["Bucket"])
        if bucket.lock is not None and wanted == "Suspended":
            text = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            raise Fault("InvalidBucketState", text)
        bucket.versioning = wanted
    return Reply(200)


def get_bucket_versioning(store: MemoryStore, call: Call) -> Reply:
    """Answer GetBucketVersioning."""
    status = store.bucket(call.params["Bucket"]).versioning
    return Reply(200, {} if status is None else {"Status": status})
