"""What S3 keeps of a request beside the bytes, and says again in its replies: metadata, encryption, tags, locks."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

from mangrove.s3.engines.memory.faults import Fault
from mangrove.s3.engines.memory.store import Bucket, Stored

__all__ = ["DESCRIPTION", "check_access", "check_key", "described", "encryption", "kept", "parse_tags", "tag_set"]

_LONGEST_KEY = 1024
_MOST_METADATA = 2048
_MOST_TAGS = 10
_LONGEST_TAG_KEY, _LONGEST_TAG_VALUE = 128, 256

# What describes the content: a copy takes it over, or replaces it all.
_TEXTS = frozenset("CacheControl ContentDisposition ContentEncoding ContentLanguage ContentType".split())
DESCRIPTION = _TEXTS | {"Expires", "ExpiresString", "Metadata"}
_ENCRYPTION = frozenset("BucketKeyEnabled SSEKMSEncryptionContext SSEKMSKeyId ServerSideEncryption".split())
_LOCKS = frozenset("ObjectLockLegalHoldStatus ObjectLockMode ObjectLockRetainUntilDate".split())
_AS_GIVEN = _TEXTS | _ENCRYPTION | _LOCKS | {"WebsiteRedirectLocation"}
_CLASSES = frozenset(
    "DEEP_ARCHIVE EXPRESS_ONEZONE GLACIER GLACIER_IR INTELLIGENT_TIERING ONEZONE_IA OUTPOSTS REDUCED_REDUNDANCY SNOW "
    "STANDARD STANDARD_IA FSX_OPENZFS".split()
)
_PLAIN: Mapping[str, Any] = {
    "ContentType": "binary/octet-stream",
    "Metadata": {},
    "ServerSideEncryption": "AES256",
}


def check_key(key: str) -> None:
    """Refuse a key that is longer than S3's 1,024 bytes of UTF-8."""
    if len(key) * 4 > _LONGEST_KEY and (size := len(key.encode(errors="surrogatepass"))) > _LONGEST_KEY:
        raise Fault("KeyTooLongError", Size=size, MaxSizeAllowed=_LONGEST_KEY)


def kept(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reply about the object will say of these parameters, by the reply's names.

    Raises:
        Fault: the metadata is too large, or there is no such storage class.
    """
    found = {**_PLAIN, **{name: value for name, value in params.items() if name in _AS_GIVEN}}
    if "Metadata" in params:
        found["Metadata"] = _metadata(params["Metadata"])
    if "Expires" in params:
        _expires(params["Expires"], found)
    storage = params.get("StorageClass", "STANDARD")
    if storage not in _CLASSES:
        raise Fault("InvalidStorageClass", StorageClassRequested=storage)
    if storage != "STANDARD":
        found["StorageClass"] = storage
    if "ObjectLockMode" in params and "ObjectLockRetainUntilDate" not in params:
        raise Fault(
            "InvalidArgument",
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
            ArgumentName="x-amz-object-lock-retain-until-date",
        )
    own_key = _own_key(params)
    if own_key:
        found.update(SSECustomerAlgorithm="AES256", SSECustomerKeyMD5=own_key)
        del found["ServerSideEncryption"]
    return found


def _metadata(given: Mapping[str, str]) -> dict[str, str]:
    size = sum(len(name.encode()) + len(value.encode()) for name, value in given.items())
    if size > _MOST_METADATA:
        raise Fault("MetadataTooLarge", Size=size, MaxSizeAllowed=_MOST_METADATA)
    # They travel as headers, which know no case and no spaces around a value.
    return {name.lower(): value.strip() for name, value in given.items()}


def _expires(given: Any, found: dict[str, Any]) -> None:
    if isinstance(given, datetime):
        given = format_datetime(given.astimezone(timezone.utc), usegmt=True)
    found["ExpiresString"] = given
    try:
        found["Expires"] = parsedate_to_datetime(given)
    except ValueError:
        return  # botocore leaves the member out as well


def encryption(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a write's reply that tell how the object is encrypted."""
    names = (*_ENCRYPTION, "SSECustomerAlgorithm", "SSECustomerKeyMD5")
    return {name: headers[name] for name in names if name in headers}


def _own_key(params: Mapping[str, Any], prefix: str = "") -> str | None:
    """Return the base64 of the MD5 of the customer's key, or None if the request has none."""
    given = params.get(f"{prefix}SSECustomerKeyMD5")
    if given:
        return str(given)
    key = params.get(f"{prefix}SSECustomerKey")
    if key is None:
        return None
    raw = key.encode() if isinstance(key, str) else bytes(key)
    return base64.b64encode(hashlib.md5(raw, usedforsecurity=False).digest()).decode()


def check_access(params: Mapping[str, Any], headers: Mapping[str, Any], prefix: str = "") -> None:
    """Refuse to read what is encrypted with a customer's key unless the request has that key.

    Args:
        params: the request.
        headers: of the object, or of the upload that a part is for.
        prefix: "CopySource" where the object is the source of a copy.
    """
    wanted = headers.get("SSECustomerKeyMD5")
    if wanted is None:
        return
    given = _own_key(params, prefix)
    if given is None:
        text = (
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
            "retrieve the object."
        )
        raise Fault("InvalidRequest", text)
    if given != wanted:
        raise Fault("AccessDenied")


def parse_tags(given: str | None) -> dict[str, str]:
    """Return the tags of the parameter `Tagging` of a write, such as "team=data&tier=1"."""
    if not given:
        return {}
    pairs = parse_qsl(given, keep_blank_values=True)
    return tag_set([{"Key": name, "Value": value} for name, value in pairs])


def tag_set(given: list[dict[str, str]]) -> dict[str, str]:
    """Return the tags of a TagSet, checked.

    Raises:
        Fault: there are more than ten, one is there twice, or one is too long.
    """
    tags = {each["Key"]: each["Value"] for each in given}
    if len(tags) < len(given):
        raise Fault("InvalidTag", "Cannot provide multiple Tags with the same key")
    if len(tags) > _MOST_TAGS:
        raise Fault("BadRequest", "Object tags cannot be greater than 10")
    for key, value in tags.items():
        if not key or len(key) > _LONGEST_TAG_KEY:
            raise Fault("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if len(value) > _LONGEST_TAG_VALUE:
            raise Fault("InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value)
    return tags


def described(bucket: Bucket, stored: Stored) -> dict[str, Any]:
    """Return the members that GetObject and HeadObject have in common, for the whole object."""
    found = {
        **stored.headers,
        "AcceptRanges": "bytes",
        "LastModified": stored.modified,
        "ContentLength": stored.size,
        "ETag": f'"{stored.etag}"',
    }
    if bucket.versioning is not None:
        found["VersionId"] = stored.version_id
    if stored.tags:
        found["TagCount"] = len(stored.tags)
    return found
