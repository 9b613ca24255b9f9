"""Ranges and conditions of reading."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from parity.harness import case

PAST = datetime(2001, 1, 1, tzinfo=timezone.utc)
FUTURE = datetime(2099, 1, 1, tzinfo=timezone.utc)
HELLO = '"5d41402abc4b2a76b9719d911017c592"'
TEN = b"0123456789"


@case(
    (206, 1, "bytes 0-0/10", b"0"),
    (206, 8, "bytes 2-9/10", b"23456789"),
    (206, 3, "bytes 7-9/10", b"789"),
    (206, 10, "bytes 0-9/10", TEN),
    (206, 5, "bytes 5-9/10", b"56789"),
    (206, 10, "bytes 0-9/10", TEN),
)
def ranges(s3):
    s3.put("a", body=TEN)
    for header in ("0-0", "2-", "-3", "0-9", "5-99", "-99"):
        yield s3("GetObject", "ContentLength ContentRange", Key="a", Range=f"bytes={header}")


@case((416, "InvalidRange"), (416, "InvalidRange"), (416, "InvalidRange"), (416, "InvalidRange"), (416, "416"))
def ranges_beyond(s3):
    s3.put("a", body=TEN)
    s3("PutObject", Key="empty", body=b"")
    yield s3("GetObject", Key="a", Range="bytes=10-")
    yield s3("GetObject", Key="a", Range="bytes=-0")
    yield s3("GetObject", Key="empty", Range="bytes=0-")
    yield s3("GetObject", Key="empty", Range="bytes=0-0")
    yield s3("HeadObject", Key="a", Range="bytes=99-")


@case((200, None, TEN), (200, None, TEN), (200, None, TEN))
def ranges_that_are_none(s3):
    s3.put("a", body=TEN)
    for header in ("lines=1-2", "bytes=abc", "bytes=5-2"):
        yield s3("GetObject", "ContentRange", Key="a", Range=header)


@case((206, 3, "bytes 0-2/10"))
def range_of_a_head(s3):
    s3.put("a", body=TEN)
    yield s3("HeadObject", "ContentLength ContentRange", Key="a", Range="bytes=0-2")


@case((200, b"hello"), (412, "PreconditionFailed"), (200,), (412, "412"))
def if_match(s3):
    s3.put("a", body=b"hello")
    yield s3("GetObject", Key="a", IfMatch=HELLO)
    yield s3("GetObject", Key="a", IfMatch='"other"')
    yield s3("HeadObject", Key="a", IfMatch=HELLO)
    yield s3("HeadObject", Key="a", IfMatch='"other"')


@case((304, "304"), (200, b"hello"), (304, "304"), (200,))
def if_none_match(s3):
    s3.put("a", body=b"hello")
    yield s3("GetObject", Key="a", IfNoneMatch=HELLO)
    yield s3("GetObject", Key="a", IfNoneMatch='"other"')
    yield s3("HeadObject", Key="a", IfNoneMatch=HELLO)
    yield s3("HeadObject", Key="a", IfNoneMatch='"other"')


@case((200, b"hello"), (304, "304"), (200, b"hello"), (412, "PreconditionFailed"), (200, b"hello"))
def conditions_of_time(s3):
    s3.put("a", body=b"hello")
    s3("HeadObject", Key="a")
    written = s3.answer["LastModified"]
    yield s3("GetObject", Key="a", IfModifiedSince=PAST)
    yield s3("GetObject", Key="a", IfModifiedSince=written)
    yield s3("GetObject", Key="a", IfUnmodifiedSince=FUTURE)
    yield s3("GetObject", Key="a", IfUnmodifiedSince=PAST)
    yield s3("GetObject", Key="a", IfModifiedSince=written - timedelta(seconds=1))


@case((200, b"hello"), (304, "304"))
def an_etag_goes_before_a_time(s3):
    s3.put("a", body=b"hello")
    yield s3("GetObject", Key="a", IfMatch=HELLO, IfUnmodifiedSince=PAST)
    yield s3("GetObject", Key="a", IfNoneMatch=HELLO, IfModifiedSince=PAST)


@case((404, "NoSuchKey"), (206, b"he"))
def conditions_and_other_things(s3):
    yield s3("GetObject", Key="none", IfMatch=HELLO)
    s3.put("a", body=b"hello")
    yield s3("GetObject", Key="a", IfMatch=HELLO, Range="bytes=0-1")


@case((206, b"hello"), (416, "InvalidPartNumber"), (400, "InvalidRequest"))
def part_number_of_one_upload(s3):
    s3.put("a", body=b"hello")
    yield s3("GetObject", Key="a", PartNumber=1)
    yield s3("GetObject", Key="a", PartNumber=2)
    yield s3("GetObject", Key="a", PartNumber=1, Range="bytes=0-1")
