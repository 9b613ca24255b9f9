"""Copy a large object inside S3 in parts, with all that a copy in one request would keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from mangrove.errors import IntegrityError, ObjectChangedError, PreconditionError
from mangrove.s3.large.multipart import Multipart, Sent, Summing
from mangrove.s3.rules.checksums import best
from mangrove.s3.rules.integrity import Stored, stored
from mangrove.s3.rules.options import Options
from mangrove.s3.rules.plan import Part, upload_plan
from mangrove.s3.running.handle import Handle
from mangrove.s3.running.performing import Performer
from mangrove.s3.running.workers import Workers, params_of

__all__ = ["copy_large"]

# What CopyObject keeps of the source, unless it is told to replace it.
_KEPT = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "Metadata",
)
_OF_TAGS = frozenset({"Bucket", "Key", "VersionId", "ExpectedBucketOwner", "RequestPayer"})
_CRCS = frozenset({"CRC32", "CRC32C", "CRC64NVME"})


def copy_large(
    performer: Performer, handle: Handle, source: Mapping[str, Any], head: Mapping[str, Any], options: Options
) -> None:
    """Copy an object in parts; the handle gets its value, `verified` and `details`.

    Args:
        performer: makes the calls.
        handle: the operation.
        source: the `Bucket`, `Key` and perhaps `VersionId` of the object.
        head: HeadObject's answer for it.
        options: of the copy.

    Raises:
        ObjectChangedError: the object was changed meanwhile.
        IntegrityError: the copy has another checksum than the object.
        TransferError: it failed; nothing is left in S3, or the message says what.

    Source: CreateMultipartUpload and UploadPartCopy in the Amazon S3 API reference, CopyObject for what is kept.
    """
    handle.attempts = handle.attempts or 1
    params = params_of(handle, options)
    kept = {} if options.get("MetadataDirective") == "REPLACE" else _kept(head)
    if options.get("TaggingDirective") != "REPLACE":
        kept |= _tags(performer, handle, {**options.of_source(), **source}, head)
    held = stored(head) or _held(performer, handle, {**options.of_source(), **source})
    upload = Multipart.begin(performer, handle, params, _summing(options, held), kept)
    try:
        upload.complete(performer, _copy(performer, handle, upload, source, head))
    except BaseException as error:
        upload.abort(performer, error)
        raise
    handle.verified = _verdict(handle, held)
    handle.value = True


def _kept(head: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: head[name] for name in _KEPT if head.get(name)}
    if "ExpiresString" in head and "Expires" in found:
        # What stands in the header need not be a date.
        found["Expires"] = head["ExpiresString"]
    return found


def _tags(performer: Performer, handle: Handle, wanted: Mapping[str, Any], head: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of the source as CreateMultipartUpload takes them."""
    if head.get("TagCount") == 0:
        return {}
    wanted = {name: value for name, value in wanted.items() if name in _OF_TAGS}
    found = performer.call("GetObjectTagging", wanted, retries=handle.retries).get("TagSet") or ()
    return {"Tagging": urlencode({tag["Key"]: tag["Value"] for tag in found})} if found else {}


def _held(performer: Performer, handle: Handle, wanted: Mapping[str, Any]) -> Stored | None:
    """Ask what S3 holds as the checksum of the source."""
    asked = {name: value for name, value in wanted.items() if name != "IfMatch"}
    return stored(performer.call("HeadObject", {**asked, "ChecksumMode": "ENABLED"}, retries=handle.retries).data)


def _summing(options: Options, held: Stored | None) -> Summing:
    """Return how the copy is summed: as the source, where that can be compared."""
    same = held is not None and held.algorithm in _CRCS
    algorithm = options.get("ChecksumAlgorithm") or (held.algorithm if held is not None and same else best())
    kind = options.get("ChecksumType") or ("FULL_OBJECT" if algorithm in _CRCS else "COMPOSITE")
    return Summing(algorithm, kind)


def _copy(
    performer: Performer, handle: Handle, upload: Multipart, source: Mapping[str, Any], head: Mapping[str, Any]
) -> list[Sent]:
    workers = Workers(performer, handle)
    fixed = {"CopySource": dict(source), "CopySourceIfMatch": head["ETag"]}
    sent: list[Sent] = []

    def copy(part: Part) -> Sent:
        return upload.copy(workers, part.number, part.size, {**fixed, "CopySourceRange": part.range})

    try:
        workers.run(copy, upload_plan(head["ContentLength"], performer.settings.copying), sent.append)
    except PreconditionError as error:
        text = f"s3://{source['Bucket']}/{source['Key']} was changed while it was copied; copy it again"
        raise ObjectChangedError(text) from error
    return sent


def _verdict(handle: Handle, held: Stored | None) -> str | None:
    """Compare the copy's checksum with the source's, where both are of all the bytes, by the same algorithm."""
    copied = (handle.details or {}).get("checksum")
    if held is None or held.parts is not None or copied is None or not copied.startswith(f"{held.algorithm}:"):
        return None
    if copied != f"{held.algorithm}:{held.value}":
        text = (
            f"the copy s3://{handle.bucket}/{handle.key} has the checksum {copied}, but its source has {held.value};"
            " delete the copy"
        )
        raise IntegrityError(text)
    return held.verdict
