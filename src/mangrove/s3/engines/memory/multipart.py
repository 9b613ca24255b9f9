"""Multipart uploads: begun, filled part by part, listed, and completed or aborted by S3's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, cast
from urllib.parse import quote

from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.memory.checks import as_bytes, check_body, check_form, known, shown
from mangrove.s3.engines.memory.conditions import check_write, copied_span
from mangrove.s3.engines.memory.faults import Fault
from mangrove.s3.engines.memory.late import LateReply
from mangrove.s3.engines.memory.locking import locks
from mangrove.s3.engines.memory.members import check_access, check_key, encryption, kept, parse_tags
from mangrove.s3.engines.memory.store import OWNER, Bucket, MemoryStore, Part, Stored, Upload, md5
from mangrove.s3.engines.memory.writing import open_source
from mangrove.s3.rules import checksums

__all__ = [
    "abort_multipart_upload",
    "complete_multipart_upload",
    "create_multipart_upload",
    "list_parts",
    "upload_part",
    "upload_part_copy",
]

_MOST_PARTS = 10_000
_PAGE = 1000
_COMPOSITE_ONLY = frozenset({"SHA1", "SHA256", "SHA512", "MD5"})


def create_multipart_upload(store: MemoryStore, call: Call) -> Reply:
    """Answer CreateMultipartUpload."""
    params = call.params
    bucket = store.bucket(params["Bucket"])
    key: str = params["Key"]
    check_key(key)
    headers = kept(params)
    tags = parse_tags(params.get("Tagging"))
    algorithm, kind = _checksums(params)
    with store.lock:
        upload = Upload(key, store.new_id(), store.now(), locks(bucket, headers, store.now()))
        upload.algorithm, upload.kind, upload.tags = algorithm, kind, tags
        upload.existed = bucket.current(key) is not None
        bucket.uploads[upload.id] = upload
    data = {"Bucket": bucket.name, "Key": key, "UploadId": upload.id, **encryption(headers), **_named(upload)}
    return Reply(200, data)


def _checksums(params: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the algorithm and the type of an upload's checksums, the type by the algorithm where none is given."""
    name, kind = params.get("ChecksumAlgorithm"), params.get("ChecksumType")
    if name is None:
        if kind is not None:
            text = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            raise Fault("InvalidRequest", text)
        return None, None
    algorithm = known(name)
    kind = kind or ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")
    impossible = algorithm in _COMPOSITE_ONLY if kind == "FULL_OBJECT" else algorithm == "CRC64NVME"
    if impossible:
        text = f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        raise Fault("InvalidRequest", text)
    return algorithm, kind


def _named(upload: Upload) -> dict[str, Any]:
    return {} if upload.algorithm is None else {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.kind}


def _upload(bucket: Bucket, params: Mapping[str, Any]) -> Upload:
    found = bucket.uploads.get(params["UploadId"])
    if found is None or found.key != params["Key"]:
        raise Fault("NoSuchUpload", UploadId=params["UploadId"])
    return found


def _number(params: Mapping[str, Any]) -> int:
    number = int(params["PartNumber"])
    if not 1 <= number <= _MOST_PARTS:
        text = "Part number must be an integer between 1 and 10000, inclusive"
        raise Fault("InvalidArgument", text, ArgumentName="partNumber", ArgumentValue=number)
    return number


def upload_part(store: MemoryStore, call: Call) -> Reply:
    """Answer UploadPart; a part sent again takes the place of the first."""
    params = call.params
    bucket = store.bucket(params["Bucket"])
    upload = _upload(bucket, params)
    number = _number(params)
    check_access(params, upload.headers)
    body = as_bytes(call.body)
    checked = check_body(params, body)
    sent = None if checked is None else checked[0]
    if upload.algorithm is not None and sent != upload.algorithm:
        text = (
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, actual checksum "
            f"Type: {(sent or 'null').lower()}"
        )
        raise Fault("InvalidRequest", text)
    part = Part(number, body, md5(body), store.now(), checked[1] if checked else None)
    with store.lock:
        _upload(bucket, params).parts[number] = part
    data = {"ETag": f'"{part.etag}"', **encryption(upload.headers)}
    if checked is not None:
        data[f"Checksum{checked[0]}"] = checked[1]
    return Reply(200, data)


def upload_part_copy(store: MemoryStore, call: Call) -> Reply:
    """Answer UploadPartCopy."""
    params = call.params
    bucket = store.bucket(params["Bucket"])
    upload = _upload(bucket, params)
    number = _number(params)
    source = open_source(store, params)
    body = source.stored.body or b""
    header = params.get("CopySourceRange")
    if header is not None:
        span = copied_span(header, len(body))
        body = body[span.start : span.stop]
    body = as_bytes(body)
    algorithm = cast("checksums.Algorithm | None", upload.algorithm)
    checksum = None if algorithm is None else checksums.checksum(algorithm, body)
    part = Part(number, body, md5(body), store.now(), checksum)
    with store.lock:
        _upload(bucket, params).parts[number] = part
    result = {"ETag": f'"{part.etag}"', "LastModified": part.modified}
    if checksum is not None:
        result[f"Checksum{algorithm}"] = checksum
    return Reply(200, {"CopyPartResult": result, **source.version, **encryption(upload.headers)})


def list_parts(store: MemoryStore, call: Call) -> Reply:
    """Answer ListParts."""
    params = call.params
    after, most = int(params.get("PartNumberMarker", 0)), min(int(params.get("MaxParts", _PAGE)), _PAGE)
    with store.lock:
        bucket = store.bucket(params["Bucket"])
        upload = _upload(bucket, params)
        left = [part for number, part in sorted(upload.parts.items()) if number > after]
    data: dict[str, Any] = {
        "Bucket": bucket.name,
        "Key": upload.key,
        "UploadId": upload.id,
        "PartNumberMarker": after,
        "NextPartNumberMarker": left[:most][-1].number if left[:most] else 0,
        "MaxParts": most,
        "IsTruncated": len(left) > most,
        "Initiator": {"ID": OWNER},
        "Owner": {"ID": OWNER},
        "StorageClass": upload.headers.get("StorageClass", "STANDARD"),
        **_named(upload),
    }
    if left[:most]:
        data["Parts"] = [_listed(upload, part) for part in left[:most]]
    return Reply(200, data)


def _listed(upload: Upload, part: Part) -> dict[str, Any]:
    entry = {
        "PartNumber": part.number,
        "LastModified": part.modified,
        "ETag": f'"{part.etag}"',
        "Size": part.size,
    }
    if upload.algorithm is not None and part.checksum is not None:
        entry[f"Checksum{upload.algorithm}"] = part.checksum
    return entry


def abort_multipart_upload(store: MemoryStore, call: Call) -> Reply:
    """Answer AbortMultipartUpload."""
    with store.lock:
        bucket = store.bucket(call.params["Bucket"])
        del bucket.uploads[_upload(bucket, call.params).id]
    return Reply(204)


def complete_multipart_upload(store: MemoryStore, call: Call) -> Reply:
    """Answer CompleteMultipartUpload."""
    params = call.params
    with store.lock:
        bucket = store.bucket(params["Bucket"])
        upload = _upload(bucket, params)
        current = bucket.current(upload.key)
        check_write(params, current)
        if params.get("IfNoneMatch") and upload.existed:
            raise Fault("ConditionalRequestConflict", Condition="If-None-Match", Key=upload.key)
        parts = _chosen(store, upload, (params.get("MultipartUpload") or {}).get("Parts") or ())
        stored = _joined(store, upload, parts)
        _check_whole(params, upload, stored)
        store.keep(bucket, stored)
        del bucket.uploads[upload.id]
    return LateReply(200, partial(_completed, bucket, stored, versioned=bucket.versioning == "Enabled"))


def _completed(bucket: Bucket, stored: Stored, *, versioned: bool) -> dict[str, Any]:
    data = {
        "Location": f"https://{bucket.name}.s3.amazonaws.com/{quote(stored.key)}",
        "Bucket": bucket.name,
        "Key": stored.key,
        "ETag": f'"{stored.etag}"',
        **shown(stored),
        **encryption(stored.headers),
    }
    if versioned:
        data["VersionId"] = stored.version_id
    return data


def _chosen(store: MemoryStore, upload: Upload, wanted: Sequence[Mapping[str, Any]]) -> list[Part]:
    """Return the parts that the request names, in its order.

    Raises:
        Fault: one is missing, other than named, out of order, or too small.
    """
    if not wanted:
        raise Fault("InvalidRequest", "You must specify at least one part")
    numbers = [each["PartNumber"] for each in wanted]
    if any(first >= second for first, second in pairwise(numbers)):
        raise Fault("InvalidPartOrder", UploadId=upload.id)
    chosen = [_matching(upload, each) for each in wanted]
    for part in chosen[:-1]:
        if part.size < store.smallest_part:
            raise Fault(
                "EntityTooSmall",
                ProposedSize=part.size,
                MinSizeAllowed=store.smallest_part,
                PartNumber=part.number,
                ETag=part.etag,
            )
    return chosen


def _matching(upload: Upload, wanted: Mapping[str, Any]) -> Part:
    number = wanted["PartNumber"]
    part = upload.parts.get(number)
    given = {name: value for name, value in wanted.items() if name.startswith("Checksum")}
    if part is None or part.etag != wanted["ETag"].strip('"'):
        raise Fault("InvalidPart", UploadId=upload.id, PartNumber=number, ETag=wanted["ETag"].strip('"'))
    expected = {} if upload.algorithm is None else {f"Checksum{upload.algorithm}": part.checksum}
    if upload.kind == "COMPOSITE" and not given:
        text = (
            f"The upload was created using a {str(upload.algorithm).lower()} checksum. The complete request must "
            f"include the checksum for each part. It was missing for part {number} in the request."
        )
        raise Fault("InvalidRequest", text)
    if given and given != expected:
        raise Fault("InvalidPart", UploadId=upload.id, PartNumber=number, ETag=part.etag)
    return part


def _joined(store: MemoryStore, upload: Upload, parts: Sequence[Part]) -> Stored:
    body = parts[0].body if len(parts) == 1 else b"".join(part.body for part in parts)
    remembered = tuple(Part(part.number, b"", part.etag, part.modified, part.checksum) for part in parts)
    for mark, part in zip(remembered, parts, strict=True):
        mark.size = part.size
    etag = f"{md5(b''.join(bytes.fromhex(part.etag) for part in parts))}-{len(parts)}"
    stored = Stored(upload.key, body, store.now(), upload.headers, etag=etag, parts=remembered, tags=upload.tags)
    if upload.algorithm is not None:
        algorithm = cast("checksums.Algorithm", upload.algorithm)
        stored.algorithm, stored.kind = algorithm, upload.kind or "FULL_OBJECT"
        sums = [(str(part.checksum), part.size) for part in parts]
        stored.checksum = (
            checksums.composite(algorithm, [each for each, _ in sums])
            if stored.kind == "COMPOSITE"
            else checksums.combine_parts(algorithm, sums)
        )
    return stored


def _check_whole(params: Mapping[str, Any], upload: Upload, stored: Stored) -> None:
    """Compare the object with the size and the checksum that the request gives for the whole."""
    size = params.get("MpuObjectSize")
    if size is not None and int(size) != stored.size:
        text = (
            f"The provided 'x-amz-mp-object-size' header value {size} does not match what was computed: {stored.size}"
        )
        raise Fault("InvalidRequest", text)
    kind = params.get("ChecksumType")
    if kind is not None and kind != upload.kind:
        text = (
            f"The upload was created using the {upload.kind or 'null'} checksum mode. The complete request must use "
            "the same checksum mode."
        )
        raise Fault("InvalidRequest", text)
    for name, value in params.items():
        if name.startswith("Checksum") and name != "ChecksumType":
            _check_given(name.removeprefix("Checksum"), value, stored)


def _check_given(name: str, value: str, stored: Stored) -> None:
    whole, dash, _ = value.partition("-")
    check_form(known(name), whole)
    found = str(stored.checksum) if dash else str(stored.checksum).partition("-")[0]
    if name != stored.algorithm or value != found:
        raise Fault("BadDigest", f"The {name.lower()} you specified did not match the calculated checksum.")
