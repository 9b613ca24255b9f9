"""Multipart uploads."""

from __future__ import annotations

import hashlib

from mangrove.s3.rules import checksums
from parity.harness import case

MIB = 1024**2
FIRST, SECOND = b"a" * (5 * MIB), b"b" * 100
BOTH = FIRST + SECOND
MD5S = [hashlib.md5(part).digest() for part in (FIRST, SECOND)]
ETAG = f'"{hashlib.md5(b"".join(MD5S)).hexdigest()}-2"'
CRCS = [checksums.crc32(part) for part in (FIRST, SECOND)]
SHAS = [checksums.checksum("SHA256", part) for part in (FIRST, SECOND)]


def begin(s3, key="a", **params):
    s3("CreateMultipartUpload", Key=key, **params)
    return s3.answer["UploadId"]


def send(s3, upload, *bodies, key="a", checksum=None, values=()):
    """Send parts and return what completing them takes."""
    parts = []
    for number, body in enumerate(bodies, 1):
        extra = {checksum: values[number - 1]} if checksum else {}
        s3("UploadPart", Key=key, UploadId=upload, PartNumber=number, body=body, **extra)
        parts.append({"PartNumber": number, "ETag": s3.answer["ETag"], **extra})
    return parts


def complete(s3, upload, parts, shows="", key="a", **params):
    return s3("CompleteMultipartUpload", shows, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **params)


@case((200, ETAG, "BUCKET", "a"), (200, len(BOTH), ETAG), True, (200, None))
def whole(s3):
    upload = begin(s3)
    yield complete(s3, upload, send(s3, upload, FIRST, SECOND), "ETag Bucket Key")
    yield s3("HeadObject", "ContentLength ETag", Key="a")
    yield s3("GetObject", Key="a")[1] == BOTH
    yield s3("ListMultipartUploads", "Uploads")


@case((200, {"m": "1"}, "text/x", 1), (200, [{"Key": "t", "Value": "v"}]))
def options_are_those_of_the_beginning(s3):
    upload = begin(s3, Metadata={"m": "1"}, ContentType="text/x", Tagging="t=v")
    complete(s3, upload, send(s3, upload, SECOND))
    yield s3("HeadObject", "Metadata ContentType TagCount", Key="a")
    yield s3("GetObjectTagging", "TagSet", Key="a")


@case((404, "404"), (200, ["a"]), (200, 5 * MIB))
def nothing_is_there_before(s3):
    upload = begin(s3)
    parts = send(s3, upload, FIRST)
    yield s3("HeadObject", Key="a")
    yield s3("ListMultipartUploads", "Uploads.Key")
    complete(s3, upload, parts)
    yield s3("HeadObject", "ContentLength", Key="a")


@case((400, "EntityTooSmall"), (200, [1, 2]))
def small_parts(s3):
    upload = begin(s3)
    yield complete(s3, upload, send(s3, upload, b"small", SECOND))
    yield s3("ListParts", "Parts.PartNumber", Key="a", UploadId=upload)


@case((400, "InvalidPartOrder"), (400, "InvalidPart"), (400, "InvalidPart"), (400, "InvalidRequest"))
def parts_that_are_not_right(s3):
    upload = begin(s3)
    parts = send(s3, upload, FIRST, SECOND)
    yield complete(s3, upload, parts[::-1])
    yield complete(s3, upload, [parts[0], {"PartNumber": 3, "ETag": parts[1]["ETag"]}])
    yield complete(s3, upload, [{"PartNumber": 1, "ETag": parts[1]["ETag"]}])
    yield complete(s3, upload, [])


@case((200, b"new"), (200, b"second"))
def parts_sent_again_and_left_out(s3):
    upload = begin(s3)
    send(s3, upload, b"old")
    complete(s3, upload, send(s3, upload, b"new"))
    yield s3("GetObject", Key="a")
    upload = begin(s3)
    parts = send(s3, upload, FIRST, b"second")
    complete(s3, upload, parts[1:])
    yield s3("GetObject", Key="a")


@case(
    (404, "NoSuchUpload"),
    (404, "NoSuchUpload"),
    (404, "NoSuchUpload"),
    (404, "NoSuchUpload"),
)
def no_such_upload(s3):
    none = "0" * 32
    yield s3("UploadPart", Key="a", UploadId=none, PartNumber=1, body=b"x")
    yield complete(s3, none, [{"PartNumber": 1, "ETag": '"x"'}])
    yield s3("AbortMultipartUpload", Key="a", UploadId=none)
    yield s3("ListParts", Key="a", UploadId=none)


@case((400, "InvalidArgument"), (400, "InvalidArgument"))
def part_numbers(s3):
    upload = begin(s3)
    yield s3("UploadPart", Key="a", UploadId=upload, PartNumber=0, body=b"x")
    yield s3("UploadPart", Key="a", UploadId=upload, PartNumber=10_001, body=b"x")


@case((204,), (404, "NoSuchUpload"), (404, "404"), (200, None))
def abort(s3):
    upload = begin(s3)
    send(s3, upload, SECOND)
    yield s3("AbortMultipartUpload", Key="a", UploadId=upload)
    yield s3("UploadPart", Key="a", UploadId=upload, PartNumber=1, body=b"x")
    yield s3("HeadObject", Key="a")
    yield s3("ListMultipartUploads", "Uploads")


@case((200, [1, 2], [5 * MIB, 100], False), (200, [1], True, 1), (200, [2], False))
def parts_listed(s3):
    upload = begin(s3)
    send(s3, upload, FIRST, SECOND)
    yield s3("ListParts", "Parts.PartNumber Parts.Size IsTruncated", Key="a", UploadId=upload)
    yield s3("ListParts", "Parts.PartNumber IsTruncated NextPartNumberMarker", Key="a", UploadId=upload, MaxParts=1)
    yield s3("ListParts", "Parts.PartNumber IsTruncated", Key="a", UploadId=upload, PartNumberMarker=1)


@case(
    (200, ["a", "a", "b/1", "c"]),
    (200, ["a", "a", "c"], ["b/"]),
    (200, ["b/1"]),
    (200, ["a", "a"], True),
    (200, ["b/1", "c"]),
)
def uploads_listed(s3):
    for key in ("c", "b/1", "a", "a"):
        begin(s3, key)
    yield s3("ListMultipartUploads", "Uploads.Key")
    yield s3("ListMultipartUploads", "Uploads.Key CommonPrefixes.Prefix", Delimiter="/")
    yield s3("ListMultipartUploads", "Uploads.Key", Prefix="b")
    yield s3("ListMultipartUploads", "Uploads.Key IsTruncated", MaxUploads=2)
    markers = {"KeyMarker": s3.answer["NextKeyMarker"], "UploadIdMarker": s3.answer["NextUploadIdMarker"]}
    yield s3("ListMultipartUploads", "Uploads.Key", **markers)


@case((206, 2, 5 * MIB), True, (206, 2, b"b" * 100), (416, "InvalidPartNumber"))
def parts_read_by_number(s3):
    upload = begin(s3)
    complete(s3, upload, send(s3, upload, FIRST, SECOND))
    yield s3("HeadObject", "PartsCount ContentLength", Key="a", PartNumber=1)
    yield s3("GetObject", Key="a", PartNumber=1)[1] == FIRST
    yield s3("GetObject", "PartsCount", Key="a", PartNumber=2)
    yield s3("GetObject", Key="a", PartNumber=3)


@case((200, True), (206, b"aabb"), (412, "PreconditionFailed"), (404, "NoSuchKey"), (400, "InvalidArgument"))
def parts_copied(s3):
    s3.put("source", body=FIRST + b"bb")
    source = {"Bucket": s3.bucket, "Key": "source"}
    upload = begin(s3)
    at = {"Key": "a", "UploadId": upload, "CopySource": source}
    s3("UploadPartCopy", PartNumber=1, **at, CopySourceRange=f"bytes=0-{5 * MIB - 1}")
    first = s3.answer["CopyPartResult"]["ETag"]
    s3("UploadPartCopy", PartNumber=2, **at, CopySourceRange=f"bytes={5 * MIB}-{5 * MIB + 1}")
    second = s3.answer["CopyPartResult"]["ETag"]
    parts = [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]
    yield complete(s3, upload, parts)[0], first == f'"{MD5S[0].hex()}"'
    yield s3("GetObject", Key="a", Range=f"bytes={5 * MIB - 2}-")
    at["UploadId"] = begin(s3)
    yield s3("UploadPartCopy", PartNumber=1, **at, CopySourceIfMatch='"other"')
    yield s3("UploadPartCopy", PartNumber=1, **{**at, "CopySource": {"Bucket": s3.bucket, "Key": "none"}})
    yield s3("UploadPartCopy", PartNumber=1, **at, CopySourceRange=f"bytes=0-{9 * MIB}")


COMPOSITE = checksums.composite("CRC32", CRCS)


@case((200, "CRC32", "COMPOSITE"), (200, COMPOSITE, "COMPOSITE"), (200, COMPOSITE, len(BOTH)), (206, CRCS[1], 100))
def composite_checksum(s3):
    yield s3("CreateMultipartUpload", "ChecksumAlgorithm ChecksumType", Key="a", ChecksumAlgorithm="CRC32")
    upload = s3.answer["UploadId"]
    parts = send(s3, upload, FIRST, SECOND, checksum="ChecksumCRC32", values=CRCS)
    yield complete(s3, upload, parts, "ChecksumCRC32 ChecksumType")
    yield s3("HeadObject", "ChecksumCRC32 ContentLength", Key="a", ChecksumMode="ENABLED")
    yield s3("HeadObject", "ChecksumCRC32 ContentLength", Key="a", ChecksumMode="ENABLED", PartNumber=2)


@case(
    (200, checksums.composite("SHA256", SHAS)),
    (200, [{"PartNumber": 1, "Size": 5 * MIB}, {"PartNumber": 2, "Size": 100}], SHAS),
)
def composite_of_a_hash(s3):
    upload = begin(s3, ChecksumAlgorithm="SHA256")
    parts = send(s3, upload, FIRST, SECOND, checksum="ChecksumSHA256", values=SHAS)
    yield complete(s3, upload, parts, "ChecksumSHA256")
    s3("GetObjectAttributes", Key="a", ObjectAttributes=["ObjectParts"])
    found = s3.answer["ObjectParts"]["Parts"]
    yield (
        200,
        [{name: part[name] for name in ("PartNumber", "Size")} for part in found],
        [part["ChecksumSHA256"] for part in found],
    )


@case(
    (200, "CRC32", "FULL_OBJECT"),
    (400, "BadDigest"),
    (200, checksums.crc32(BOTH), "FULL_OBJECT"),
    (200, checksums.crc32(BOTH)),
)
def full_object_checksum(s3):
    names = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
    yield s3("CreateMultipartUpload", "ChecksumAlgorithm ChecksumType", Key="a", **names)
    upload = s3.answer["UploadId"]
    parts = send(s3, upload, FIRST, SECOND, checksum="ChecksumCRC32", values=CRCS)
    yield complete(s3, upload, parts, ChecksumCRC32=CRCS[0], ChecksumType="FULL_OBJECT")
    whole_crc = checksums.crc32(BOTH)
    yield complete(s3, upload, parts, "ChecksumCRC32 ChecksumType", ChecksumCRC32=whole_crc, ChecksumType="FULL_OBJECT")
    yield s3("HeadObject", "ChecksumCRC32", Key="a", ChecksumMode="ENABLED")


@case((200, "CRC64NVME", "FULL_OBJECT"), (400, "InvalidRequest"), (400, "InvalidRequest"))
def types_of_checksums(s3):
    yield s3("CreateMultipartUpload", "ChecksumAlgorithm ChecksumType", Key="a", ChecksumAlgorithm="CRC64NVME")
    yield s3("CreateMultipartUpload", Key="a", ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT")
    yield s3("CreateMultipartUpload", Key="a", ChecksumAlgorithm="CRC64NVME", ChecksumType="COMPOSITE")


@case((400, "BadDigest"), (400, "BadDigest"), (400, "InvalidRequest"))
def wrong_parts(s3):
    upload = begin(s3, ChecksumAlgorithm="CRC32")
    at = {"Key": "a", "UploadId": upload, "PartNumber": 1}
    yield s3("UploadPart", body=b"other", ChecksumCRC32=CRCS[0], **at)
    yield s3(
        "UploadPart",
        body=b"other",
        ContentMD5="XUFAKrxLKna5cZ2REBfFkg==",
        ChecksumCRC32=checksums.crc32(b"other"),
        **at,
    )
    yield s3("UploadPart", body=b"other", **at)


@case((400, "InvalidRequest"), (200,))
def size_of_the_whole(s3):
    upload = begin(s3)
    parts = send(s3, upload, SECOND)
    yield complete(s3, upload, parts, MpuObjectSize=99)
    yield complete(s3, upload, parts, MpuObjectSize=100)


@case((412, "PreconditionFailed"), (200, b"first"), (200,))
def complete_if_nothing_is_there(s3):
    upload, other = begin(s3), begin(s3, "b")
    parts = send(s3, upload, SECOND)
    s3.put("a", body=b"first")
    yield complete(s3, upload, parts, IfNoneMatch="*")
    yield s3("GetObject", Key="a")
    yield complete(s3, other, send(s3, other, SECOND, key="b"), key="b", IfNoneMatch="*")


@case((412, "PreconditionFailed"), (200,))
def complete_if_match(s3):
    s3("PutObject", "ETag", Key="a", body=b"first")
    etag = s3.answer["ETag"]
    upload = begin(s3)
    parts = send(s3, upload, SECOND)
    yield complete(s3, upload, parts, IfMatch='"other"')
    yield complete(s3, upload, parts, IfMatch=etag)


@case((200, f'"{hashlib.md5(BOTH).hexdigest()}"'))
def a_copy_of_many_parts_is_of_one(s3):
    upload = begin(s3)
    complete(s3, upload, send(s3, upload, FIRST, SECOND))
    yield s3("CopyObject", "CopyObjectResult.ETag", Key="b", CopySource={"Bucket": s3.bucket, "Key": "a"})
