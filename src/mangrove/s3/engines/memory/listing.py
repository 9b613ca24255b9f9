"""List objects, versions and uploads in the order of their keys, page by page, as S3 groups and cuts them."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.memory.faults import Fault
from mangrove.s3.engines.memory.store import OWNER, Bucket, MemoryStore, Stored, Upload

__all__ = ["list_multipart_uploads", "list_object_versions", "list_objects", "list_objects_v2"]

_MOST = 1000
_LAST_CHARACTER = chr(0x10FFFF)
_KINDS = ("Contents", "Versions", "DeleteMarkers", "Uploads", "CommonPrefixes")


class _Name(NamedTuple):
    """Be a key, or what keys up to a delimiter have in common."""

    text: str
    is_group: bool


class _Item(NamedTuple):
    """Be one entry of a listing: of which list, where it stands, and what the reply says of it."""

    kind: str
    name: str
    mark: str
    entry: dict[str, Any]


def _after_all(prefix: str) -> str:
    """Return the least string after all that begin with a prefix; a string of the last character has none."""
    head = prefix.rstrip(_LAST_CHARACTER)
    return head[:-1] + chr(ord(head[-1]) + 1) if head else _LAST_CHARACTER * 1025


def walk(keys: Sequence[str], prefix: str, delimiter: str, start: int) -> Iterator[_Name]:
    """Yield keys and groups of keys in order.

    Args:
        keys: all keys, sorted.
        prefix: what the keys begin with.
        delimiter: keys that have it after the prefix are one group up to it; "" for no groups.
        start: the index of the first key that may be yielded.
    """
    index = max(start, bisect_left(keys, prefix))
    while index < len(keys) and keys[index].startswith(prefix):
        key = keys[index]
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        if end < 0:
            yield _Name(key, is_group=False)
            index += 1
        else:
            group = key[: end + len(delimiter)]
            yield _Name(group, is_group=True)
            index = bisect_left(keys, _after_all(group), lo=index)


def _start_after(keys: Sequence[str], marker: str, delimiter: str, prefix: str) -> int:
    """Return the first index after a marker; a marker within a group has seen all of the group."""
    end = marker.find(delimiter, len(prefix)) if delimiter and marker.startswith(prefix) else -1
    if end >= 0:
        return bisect_left(keys, _after_all(marker[: end + len(delimiter)]))
    return bisect_right(keys, marker)


def _page(items: Iterator[_Item], most: int) -> tuple[list[_Item], bool]:
    """Return the entries of one page, and whether there are more."""
    page: list[_Item] = []
    if most <= 0:
        return page, False
    for item in items:
        if len(page) == most:
            return page, True
        page.append(item)
    return page, False


def _most(params: Mapping[str, Any], name: str) -> int:
    most = int(params.get(name, _MOST))
    if most < 0:
        raise Fault(
            "InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647", ArgumentName=name
        )
    return min(most, _MOST)


def _encoder(params: Mapping[str, Any]) -> Callable[[str], str]:
    wanted = params.get("EncodingType")
    if wanted is None:
        return str
    if wanted != "url":
        raise Fault("InvalidArgument", "Invalid Encoding Method specified in Request", ArgumentName="encoding-type")
    return lambda text: quote_plus(text, safe="/*")


def _answer(
    page: Sequence[_Item], params: Mapping[str, Any], members: Mapping[str, Any], encoded: Sequence[str]
) -> dict[str, Any]:
    """Return the reply: its lists, what the request said, and the names in it as the request wants them written.

    Args:
        page: the entries.
        params: the request.
        members: what else the reply says; None and what the request did not give are left out.
        encoded: the members that hold a key or a part of one.
    """
    encode = _encoder(params)
    given = {name: params[name] for name in ("Delimiter", "EncodingType") if params.get(name)}
    data = {name: value for name, value in {**given, **members}.items() if value is not None}
    for name in ("Delimiter", *encoded):
        if name in data:
            data[name] = encode(data[name])
    for item in page:
        field = "Prefix" if item.kind == "CommonPrefixes" else "Key"
        data.setdefault(item.kind, []).append({field: encode(item.name), **item.entry})
    return data


def _object(stored: Stored) -> dict[str, Any]:
    return {
        "LastModified": stored.modified,
        "ETag": f'"{stored.etag}"',
        "ChecksumAlgorithm": [stored.algorithm],
        "ChecksumType": stored.kind,
        "Size": stored.size,
        "StorageClass": stored.headers.get("StorageClass", "STANDARD"),
    }


def _objects(
    bucket: Bucket, params: Mapping[str, Any], keys: Sequence[str], start: int, *, owner: bool
) -> Iterator[_Item]:
    shown_owner = {"Owner": {"ID": OWNER}} if owner else {}
    for name in walk(keys, params.get("Prefix", ""), params.get("Delimiter", ""), start):
        if name.is_group:
            yield _Item("CommonPrefixes", name.text, "group", {})
        else:
            stored = bucket.history[name.text][0]
            yield _Item("Contents", name.text, "key", {**_object(stored), **shown_owner})


def _live(bucket: Bucket) -> Sequence[str]:
    keys = bucket.keys()
    # Delete markers hide keys; without versions there are none.
    return keys if bucket.versioning is None else [key for key in keys if not bucket.history[key][0].is_marker]


def list_objects_v2(store: MemoryStore, call: Call) -> Reply:
    """Answer ListObjectsV2."""
    params = call.params
    most = _most(params, "MaxKeys")
    token = params.get("ContinuationToken")
    with store.lock:
        bucket = store.bucket(params["Bucket"])
        keys = _live(bucket)
        start = bisect_right(keys, params.get("StartAfter", "")) if token is None else _resume(keys, token)
        owner = bool(params.get("FetchOwner"))
        page, more = _page(_objects(bucket, params, keys, start, owner=owner), most)
    members = {
        "IsTruncated": more,
        "Name": bucket.name,
        "Prefix": params.get("Prefix", ""),
        "MaxKeys": most,
        "KeyCount": len(page),
        "ContinuationToken": token,
        "StartAfter": params.get("StartAfter"),
        "NextContinuationToken": _token(page[-1]) if more else None,
    }
    return Reply(200, _answer(page, params, members, ("Prefix", "StartAfter")))


def _token(last: _Item) -> str:
    return base64.urlsafe_b64encode(f"{last.mark} {last.name}".encode(errors="surrogatepass")).decode()


def _resume(keys: Sequence[str], token: str) -> int:
    try:
        text = base64.urlsafe_b64decode(token).decode(errors="surrogatepass")
    except (binascii.Error, ValueError):
        text = ""
    mark, _, name = text.partition(" ")
    if mark not in {"group", "key"}:
        raise Fault(
            "InvalidArgument", "The continuation token provided is incorrect", ArgumentName="continuation-token"
        )
    return bisect_right(keys, name) if mark == "key" else bisect_left(keys, _after_all(name))


def list_objects(store: MemoryStore, call: Call) -> Reply:
    """Answer ListObjects, the older form."""
    params = call.params
    most = _most(params, "MaxKeys")
    marker = params.get("Marker", "")
    with store.lock:
        bucket = store.bucket(params["Bucket"])
        keys = _live(bucket)
        start = _start_after(keys, marker, params.get("Delimiter", ""), params.get("Prefix", ""))
        page, more = _page(_objects(bucket, params, keys, start, owner=True), most)
    members = {
        "IsTruncated": more,
        "Name": bucket.name,
        "Prefix": params.get("Prefix", ""),
        "MaxKeys": most,
        "Marker": marker,
        # S3 tells it only where it could not be taken from the last key.
        "NextMarker": page[-1].name if more and params.get("Delimiter") else None,
    }
    return Reply(200, _answer(page, params, members, ("Prefix", "Marker", "NextMarker")))


def _versions(bucket: Bucket, params: Mapping[str, Any], keys: Sequence[str], start: int) -> Iterator[_Item]:
    key_marker, version_marker = params.get("KeyMarker"), params.get("VersionIdMarker")
    for name in walk(keys, params.get("Prefix", ""), params.get("Delimiter", ""), start):
        if name.is_group:
            yield _Item("CommonPrefixes", name.text, "", {})
            continue
        versions = bucket.history[name.text]
        seen = -1
        if name.text == key_marker:
            seen = next((i for i, each in enumerate(versions) if each.version_id == version_marker), len(versions))
        for index, stored in enumerate(versions[seen + 1 :], seen + 1):
            entry = {"VersionId": stored.version_id, "IsLatest": index == 0, "Owner": {"ID": OWNER}}
            if stored.is_marker:
                yield _Item("DeleteMarkers", name.text, stored.version_id, {**entry, "LastModified": stored.modified})
            else:
                yield _Item("Versions", name.text, stored.version_id, {**_object(stored), **entry})


def list_object_versions(store: MemoryStore, call: Call) -> Reply:
    """Answer ListObjectVersions."""
    params = call.params
    most = _most(params, "MaxKeys")
    key_marker, version_marker = params.get("KeyMarker", ""), params.get("VersionIdMarker", "")
    if version_marker and not key_marker:
        text = "A version-id marker cannot be specified without a key marker."
        raise Fault("InvalidArgument", text, ArgumentName="version-id-marker", ArgumentValue=version_marker)
    with store.lock:
        bucket = store.bucket(params["Bucket"])
        keys = bucket.keys()
        start = _start_of(keys, key_marker, params, within=bool(version_marker))
        page, more = _page(_versions(bucket, params, keys, start), most)
    members = {
        "IsTruncated": more,
        "Name": bucket.name,
        "Prefix": params.get("Prefix", ""),
        "MaxKeys": most,
        "KeyMarker": key_marker,
        "VersionIdMarker": version_marker,
        "NextKeyMarker": page[-1].name if more else None,
        "NextVersionIdMarker": (page[-1].mark or None) if more else None,
    }
    return Reply(200, _answer(page, params, members, ("Prefix", "KeyMarker", "NextKeyMarker")))


def _start_of(keys: Sequence[str], marker: str, params: Mapping[str, Any], *, within: bool) -> int:
    """Return the index of the first key after a marker, or of the marker's own if part of it is still to come."""
    if within:
        return bisect_left(keys, marker)
    return _start_after(keys, marker, params.get("Delimiter", ""), params.get("Prefix", ""))


def _uploads(
    found: Mapping[str, list[Upload]], params: Mapping[str, Any], keys: Sequence[str], start: int
) -> Iterator[_Item]:
    for name in walk(keys, params.get("Prefix", ""), params.get("Delimiter", ""), start):
        if name.is_group:
            yield _Item("CommonPrefixes", name.text, "", {})
            continue
        uploads: Iterable[Upload] = found[name.text]
        if name.text == params.get("KeyMarker"):
            ids = [each.id for each in found[name.text]]
            uploads = found[name.text][ids.index(params["UploadIdMarker"]) + 1 :]
        for each in uploads:
            checksum = (
                {} if each.algorithm is None else {"ChecksumAlgorithm": each.algorithm, "ChecksumType": each.kind}
            )
            entry = {
                "UploadId": each.id,
                "Initiated": each.started,
                "StorageClass": each.headers.get("StorageClass", "STANDARD"),
                "Owner": {"ID": OWNER},
                "Initiator": {"ID": OWNER},
                **checksum,
            }
            yield _Item("Uploads", name.text, each.id, entry)


def list_multipart_uploads(store: MemoryStore, call: Call) -> Reply:
    """Answer ListMultipartUploads."""
    params = call.params
    most = _most(params, "MaxUploads")
    key_marker, id_marker = params.get("KeyMarker", ""), params.get("UploadIdMarker", "")
    with store.lock:
        bucket = store.bucket(params["Bucket"])
        found: dict[str, list[Upload]] = {}
        for each in bucket.uploads.values():
            found.setdefault(each.key, []).append(each)
        keys = sorted(found)
        within = bool(key_marker and id_marker)
        if within and id_marker not in [each.id for each in found.get(key_marker, ())]:
            raise Fault("InvalidArgument", "Invalid uploadId marker", ArgumentName="upload-id-marker")
        start = _start_of(keys, key_marker, params, within=within)
        page, more = _page(_uploads(found, params, keys, start), most)
    members = {
        "IsTruncated": more,
        "Bucket": bucket.name,
        "Prefix": params.get("Prefix"),
        "MaxUploads": most,
        "KeyMarker": key_marker,
        "UploadIdMarker": id_marker if key_marker else "",
        "NextKeyMarker": page[-1].name if page else "",
        "NextUploadIdMarker": page[-1].mark if page else "",
    }
    return Reply(200, _answer(page, params, members, ("Prefix", "KeyMarker", "NextKeyMarker")))
