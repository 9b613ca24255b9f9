"""Checksums of single uploads: checked on the way in, told on the way out."""

from __future__ import annotations

from parity.harness import case

# Of b"hello"; the CRCs by the check values of their specifications' algorithms, the hashes by hashlib.
CRC32, CRC32C, CRC64 = "NhCmhg==", "mnG7TA==", "M3eFcAZSQlc="
SHA1, SHA256 = "qvTGHdzF6KLavt4PO0gs2a6pQ00=", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="


@case((200, CRC32, "FULL_OBJECT"), (400, "BadDigest"), (200, CRC32, b"hello"), (400, "InvalidRequest"))
def crc32(s3):
    yield s3("PutObject", "ChecksumCRC32 ChecksumType", Key="a", body=b"hello", ChecksumCRC32=CRC32)
    yield s3("PutObject", Key="a", body=b"other", ChecksumCRC32=CRC32)
    yield s3("GetObject", "ChecksumCRC32", Key="a", ChecksumMode="ENABLED")
    yield s3("PutObject", Key="a", body=b"other", ChecksumCRC32="bm9uZQ")


@case((200, None, b"hello"), (200, CRC32), (200, None))
def told_only_when_asked(s3):
    s3("PutObject", Key="a", body=b"hello", ChecksumCRC32=CRC32)
    yield s3("GetObject", "ChecksumCRC32", Key="a")
    yield s3("HeadObject", "ChecksumCRC32", Key="a", ChecksumMode="ENABLED")
    yield s3("HeadObject", "ChecksumCRC32", Key="a")


@case((200, SHA256), (400, "BadDigest"), (200, SHA256))
def sha256(s3):
    yield s3("PutObject", "ChecksumSHA256", Key="a", body=b"hello", ChecksumSHA256=SHA256)
    yield s3("PutObject", Key="a", body=b"other", ChecksumSHA256=SHA256)
    yield s3("HeadObject", "ChecksumSHA256", Key="a", ChecksumMode="ENABLED")


@case((200, SHA1), (400, "BadDigest"))
def sha1(s3):
    yield s3("PutObject", "ChecksumSHA1", Key="a", body=b"hello", ChecksumSHA1=SHA1)
    yield s3("PutObject", Key="a", body=b"other", ChecksumSHA1=SHA1)


@case((200, CRC32C), (400, "BadDigest"))
def crc32c(s3):
    yield s3("PutObject", "ChecksumCRC32C", Key="a", body=b"hello", ChecksumCRC32C=CRC32C)
    yield s3("PutObject", Key="a", body=b"other", ChecksumCRC32C=CRC32C)


@case((200, CRC64), (400, "BadDigest"), (200, CRC64))
def crc64nvme(s3):
    yield s3("PutObject", "ChecksumCRC64NVME", Key="a", body=b"hello", ChecksumCRC64NVME=CRC64)
    yield s3("PutObject", Key="a", body=b"other", ChecksumCRC64NVME=CRC64)
    yield s3("HeadObject", "ChecksumCRC64NVME", Key="a", ChecksumMode="ENABLED")


@case((200, CRC64, "FULL_OBJECT"), (200, CRC64, b"hello"))
def the_default_one(s3):
    yield s3("PutObject", "ChecksumCRC64NVME ChecksumType", Key="a", body=b"hello")
    yield s3("GetObject", "ChecksumCRC64NVME", Key="a", ChecksumMode="ENABLED")


@case((206, None, b"he"), (206, CRC32, b"hello"))
def of_a_range(s3):
    s3("PutObject", Key="a", body=b"hello", ChecksumCRC32=CRC32)
    yield s3("GetObject", "ChecksumCRC32", Key="a", Range="bytes=0-1", ChecksumMode="ENABLED")
    yield s3("GetObject", "ChecksumCRC32", Key="a", Range="bytes=0-4", ChecksumMode="ENABLED")


@case((200,), (400, "BadDigest"), (400, "InvalidDigest"))
def content_md5(s3):
    yield s3("PutObject", Key="a", body=b"hello", ContentMD5="XUFAKrxLKna5cZ2REBfFkg==")
    yield s3("PutObject", Key="a", body=b"other", ContentMD5="XUFAKrxLKna5cZ2REBfFkg==")
    yield s3("PutObject", Key="a", body=b"other", ContentMD5="bm9uZQ==")


@case((200, CRC32), (200, ["CRC32"], ["FULL_OBJECT"]), (200, CRC32))
def of_copies_and_lists(s3):
    s3("PutObject", Key="a", body=b"hello", ChecksumCRC32=CRC32)
    yield s3("CopyObject", "CopyObjectResult.ChecksumCRC32", Key="b", CopySource={"Bucket": s3.bucket, "Key": "a"})
    s3("DeleteObject", Key="a")
    status, algorithms, kinds = s3("ListObjectsV2", "Contents.ChecksumAlgorithm Contents.ChecksumType")
    yield status, algorithms[0], kinds
    yield s3("GetObjectAttributes", "Checksum.ChecksumCRC32", Key="b", ObjectAttributes=["Checksum"])


@case((200, SHA256))
def of_a_copy_by_another_algorithm(s3):
    s3("PutObject", Key="a", body=b"hello", ChecksumCRC32=CRC32)
    source = {"Bucket": s3.bucket, "Key": "a"}
    yield s3("CopyObject", "CopyObjectResult.ChecksumSHA256", Key="b", CopySource=source, ChecksumAlgorithm="SHA256")
