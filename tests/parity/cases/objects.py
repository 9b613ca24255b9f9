"""Objects: put, got, headed, deleted, described."""

from __future__ import annotations

from datetime import datetime, timezone

from parity.harness import case

HELLO = '"5d41402abc4b2a76b9719d911017c592"'
EMPTY = '"d41d8cd98f00b204e9800998ecf8427e"'


@case((200, HELLO), (200, 5, HELLO, "bytes", b"hello"), (200, 5, HELLO, None))
def put_get_head(s3):
    yield s3("PutObject", "ETag", Key="a", body=b"hello")
    yield s3("GetObject", "ContentLength ETag AcceptRanges", Key="a")
    yield s3("HeadObject", "ContentLength ETag ContentRange", Key="a")


@case((200, EMPTY), (200, 0, b""), (200, 0))
def empty_object(s3):
    yield s3("PutObject", "ETag", Key="a", body=b"")
    yield s3("GetObject", "ContentLength", Key="a")
    yield s3("HeadObject", "ContentLength", Key="a")


@case((200,), (200, b""))
def no_body(s3):
    yield s3("PutObject", Key="a")
    yield s3("GetObject", Key="a")


@case((200, b"0123456789"), (200, b"2345"), (200, b"bytes"))
def every_kind_of_bytes(s3):
    s3("PutObject", Key="a", body=bytearray(b"0123456789"))
    yield s3("GetObject", Key="a")
    s3("PutObject", Key="a", body=memoryview(b"0123456789")[2:6])
    yield s3("GetObject", Key="a")
    s3("PutObject", Key="a", body=memoryview(b"bytes"))
    yield s3("GetObject", Key="a")


@case((200, b"new"))
def overwrite(s3):
    s3.put("a", body=b"old")
    s3.put("a", body=b"new")
    yield s3("GetObject", Key="a")


@case((200, {"one": "1", "two": "Two words"}, b"x"), (200, {"one": "1", "two": "Two words"}))
def metadata(s3):
    s3("PutObject", Key="a", body=b"x", Metadata={"One": "1", "two": "Two words"})
    yield s3("GetObject", "Metadata", Key="a")
    yield s3("HeadObject", "Metadata", Key="a")


@case((200, {}))
def no_metadata(s3):
    s3.put("a")
    yield s3("HeadObject", "Metadata", Key="a")


@case((200,), (400, "MetadataTooLarge"))
def too_much_metadata(s3):
    yield s3("PutObject", Key="a", Metadata={"k": "v" * 2047})
    yield s3("PutObject", Key="a", Metadata={"k": "v" * 2048})


@case(
    (
        200,
        "text/csv",
        "gzip",
        "no-cache",
        'attachment; filename="a"',
        "de",
        datetime(2099, 10, 21, 7, 28, tzinfo=timezone.utc),
    )
)
def description(s3):
    s3(
        "PutObject",
        Key="a",
        body=b"x",
        ContentType="text/csv",
        ContentEncoding="gzip",
        CacheControl="no-cache",
        ContentDisposition='attachment; filename="a"',
        ContentLanguage="de",
        Expires="Wed, 21 Oct 2099 07:28:00 GMT",
    )
    members = "ContentType ContentEncoding CacheControl ContentDisposition ContentLanguage Expires"
    yield s3("HeadObject", members, Key="a")


@case((200, "binary/octet-stream"))
def default_content_type(s3):
    s3.put("a")
    yield s3("HeadObject", "ContentType", Key="a")


@case((200, "text/plain", "none", "x/y", b"a"))
def overridden_headers(s3):
    s3.put("a")
    yield s3(
        "GetObject",
        "ContentType CacheControl ContentDisposition",
        Key="a",
        ResponseContentType="text/plain",
        ResponseCacheControl="none",
        ResponseContentDisposition="x/y",
    )


@case((200, None), (200, "STANDARD_IA"), (200, ["STANDARD", "STANDARD_IA"]), (400, "InvalidStorageClass"))
def storage_class(s3):
    s3.put("a")
    s3("PutObject", Key="b", body=b"b", StorageClass="STANDARD_IA")
    yield s3("HeadObject", "StorageClass", Key="a")
    yield s3("HeadObject", "StorageClass", Key="b")
    yield s3("ListObjectsV2", "Contents.StorageClass")
    yield s3("PutObject", Key="c", StorageClass="PAPER")


@case((404, "NoSuchKey"), (404, "404"), (404, "NoSuchKey"))
def missing_key(s3):
    yield s3("GetObject", Key="none")
    yield s3("HeadObject", Key="none")
    yield s3("GetObjectAttributes", Key="none", ObjectAttributes=["ETag"])


@case(
    (404, "NoSuchBucket"),
    (404, "NoSuchBucket"),
    (404, "404"),
    (404, "NoSuchBucket"),
    (404, "NoSuchBucket"),
    (404, "NoSuchBucket"),
    (404, "404"),
    (404, "NoSuchBucket"),
)
def missing_bucket(s3):
    none = f"{s3.bucket}-none"
    yield s3("GetObject", Bucket=none, Key="a")
    yield s3("PutObject", Bucket=none, Key="a", body=b"a")
    yield s3("HeadObject", Bucket=none, Key="a")
    yield s3("DeleteObject", Bucket=none, Key="a")
    yield s3("ListObjectsV2", Bucket=none)
    yield s3("CreateMultipartUpload", Bucket=none, Key="a")
    yield s3("HeadBucket", Bucket=none)
    yield s3("DeleteBucket", Bucket=none)


@case((204,), (404, "NoSuchKey"), (204,))
def delete(s3):
    s3.put("a")
    yield s3("DeleteObject", Key="a")
    yield s3("GetObject", Key="a")
    yield s3("DeleteObject", Key="a")


ODD_KEYS = (
    "a b+c",
    "ä/ö",
    "100%25",
    "q?x=1&y=2#z",
    "tab\tkey",
    "~*'()!",
    "日本/語",
    "😀",
    "a=b;c,d:e@f$g",
    "dot./.dot",
    "ends/",
)


@case(*[(200, key.encode()) for key in ODD_KEYS], sorted(ODD_KEYS))
def odd_keys(s3):
    for key in ODD_KEYS:
        s3.put(key)
    for key in ODD_KEYS:
        yield s3("GetObject", Key=key)
    yield s3.keys()


@case((200, b"1"), (200, b"2"), ["/lead", "a", "a//b"])
def keys_of_slashes(s3):
    s3.put("/lead", body=b"1")
    s3.put("a//b", body=b"2")
    s3.put("a")
    yield s3("GetObject", Key="/lead")
    yield s3("GetObject", Key="a//b")
    yield s3.keys()


@case((200, b"file"), (200, b"below"), ["a", "a/b"])
def a_key_below_a_key(s3):
    s3.put("a", body=b"file")
    s3.put("a/b", body=b"below")
    yield s3("GetObject", Key="a")
    yield s3("GetObject", Key="a/b")
    yield s3.keys()


@case((200,), (200, b"x"), (400, "KeyTooLongError"), (400, "KeyTooLongError"))
def long_keys(s3):
    key = "/".join(["k" * 127] * 8) + "k"  # some servers keep the parts as names of files
    assert len(key) == 1024
    yield s3("PutObject", Key=key, body=b"x")
    yield s3("GetObject", Key=key)
    yield s3("PutObject", Key=key + "k", body=b"x")
    yield s3("PutObject", Key="ü" * 513, body=b"x")


@case((200, HELLO[1:-1], 5, "STANDARD"), (200, None, 5))
def attributes(s3):
    s3("PutObject", Key="a", body=b"hello")
    yield s3(
        "GetObjectAttributes",
        "ETag ObjectSize StorageClass",
        Key="a",
        ObjectAttributes=["ETag", "ObjectSize", "StorageClass"],
    )
    yield s3("GetObjectAttributes", "ETag ObjectSize", Key="a", ObjectAttributes=["ObjectSize"])


@case(
    (200, "AES256", "mT2HRsMGJ5IX5C+0rreZ8Q=="),
    (400, "InvalidRequest"),
    (403, "AccessDenied"),
    (200, b"secret"),
    (400, "400"),
)
def customers_key(s3):
    good = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    bad = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "x" * 32}
    yield s3("PutObject", "SSECustomerAlgorithm SSECustomerKeyMD5", Key="a", body=b"secret", **good)
    yield s3("GetObject", Key="a")
    yield s3("GetObject", Key="a", **bad)
    yield s3("GetObject", Key="a", **good)
    yield s3("HeadObject", Key="a")


@case((200, True), (200, b"a"))
def last_modified_is_a_time(s3):
    s3.put("a")
    seen = s3("HeadObject", Key="a")
    yield (*seen, s3.answer["LastModified"].utcoffset().total_seconds() == 0)
    yield s3("GetObject", Key="a")
