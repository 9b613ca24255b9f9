"""Conditions of writing, copies, tags, and deletes in bulk."""

from __future__ import annotations

from parity.harness import case

HELLO = '"5d41402abc4b2a76b9719d911017c592"'


@case((200,), (412, "PreconditionFailed"), (200, b"hello"), (501, "NotImplemented"))
def write_if_none_match(s3):
    yield s3("PutObject", Key="a", body=b"hello", IfNoneMatch="*")
    yield s3("PutObject", Key="a", body=b"other", IfNoneMatch="*")
    yield s3("GetObject", Key="a")
    yield s3("PutObject", Key="a", body=b"other", IfNoneMatch=HELLO)


@case((404, "NoSuchKey"), (200,), (412, "PreconditionFailed"), (200, b"second"))
def write_if_match(s3):
    yield s3("PutObject", Key="a", body=b"x", IfMatch=HELLO)
    s3.put("a", body=b"hello")
    yield s3("PutObject", Key="a", body=b"second", IfMatch=HELLO)
    yield s3("PutObject", Key="a", body=b"third", IfMatch=HELLO)
    yield s3("GetObject", Key="a")


@case((412, "PreconditionFailed"), (204,), (404, "404"))
def delete_if_match(s3):
    s3.put("a", body=b"hello")
    yield s3("DeleteObject", Key="a", IfMatch='"other"')
    yield s3("DeleteObject", Key="a", IfMatch=HELLO)
    yield s3("HeadObject", Key="a")


@case((200, HELLO), (200, "text/x", {"m": "1"}, b"hello"))
def copy(s3):
    s3("PutObject", Key="a", body=b"hello", ContentType="text/x", Metadata={"m": "1"})
    yield s3("CopyObject", "CopyObjectResult.ETag", Key="b", CopySource={"Bucket": s3.bucket, "Key": "a"})
    yield s3("GetObject", "ContentType Metadata", Key="b")


@case((200, b"from there"), (200, b"from there"))
def copy_between_buckets(s3):
    other = s3.second_bucket()
    s3.put("ä +%?/b", body=b"from there")
    s3("CopyObject", Bucket=other, Key="c", CopySource={"Bucket": s3.bucket, "Key": "ä +%?/b"})
    yield s3("GetObject", Bucket=other, Key="c")
    s3("CopyObject", Bucket=other, Key="d", CopySource=f"{s3.bucket}/ä +%?/b")
    yield s3("GetObject", Bucket=other, Key="d")


@case((200, "text/y", {"new": "2"}))
def copy_with_new_metadata(s3):
    s3("PutObject", Key="a", body=b"hello", ContentType="text/x", Metadata={"m": "1"})
    source = {"Bucket": s3.bucket, "Key": "a"}
    s3(
        "CopyObject",
        Key="b",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"new": "2"},
        ContentType="text/y",
    )
    yield s3("HeadObject", "ContentType Metadata", Key="b")


@case((400, "InvalidRequest"), (200,), (200, {"x": "y"}))
def copy_onto_itself(s3):
    s3.put("a")
    source = {"Bucket": s3.bucket, "Key": "a"}
    yield s3("CopyObject", Key="a", CopySource=source)
    yield s3("CopyObject", Key="a", CopySource=source, MetadataDirective="REPLACE", Metadata={"x": "y"})
    yield s3("HeadObject", "Metadata", Key="a")


@case((404, "NoSuchKey"), (404, "NoSuchBucket"))
def copy_of_nothing(s3):
    yield s3("CopyObject", Key="b", CopySource={"Bucket": s3.bucket, "Key": "none"})
    yield s3("CopyObject", Key="b", CopySource={"Bucket": f"{s3.bucket}-none", "Key": "a"})


@case((200,), (412, "PreconditionFailed"), (412, "PreconditionFailed"), (200,))
def copy_conditions(s3):
    s3.put("a", body=b"hello")
    source = {"Bucket": s3.bucket, "Key": "a"}
    yield s3("CopyObject", Key="b", CopySource=source, CopySourceIfMatch=HELLO)
    yield s3("CopyObject", Key="b", CopySource=source, CopySourceIfMatch='"other"')
    yield s3("CopyObject", Key="b", CopySource=source, CopySourceIfNoneMatch=HELLO)
    yield s3("CopyObject", Key="b", CopySource=source, CopySourceIfNoneMatch='"other"')


@case((412, "PreconditionFailed"), (200,))
def copy_if_nothing_is_there(s3):
    s3.put("a", "b")
    source = {"Bucket": s3.bucket, "Key": "a"}
    yield s3("CopyObject", Key="b", CopySource=source, IfNoneMatch="*")
    yield s3("CopyObject", Key="c", CopySource=source, IfNoneMatch="*")


TAGS = [{"Key": "team", "Value": "data"}, {"Key": "sp ace", "Value": "a+b=c"}]


@case((200, 2), (200, TAGS), (200, [{"Key": "x", "Value": ""}]), (204,), (200, []), (404, "NoSuchKey"))
def tags(s3):
    def tagged(shows="TagSet"):
        status, found = s3("GetObjectTagging", shows, Key="a")
        return status, sorted(found, key=lambda tag: tag["Key"], reverse=True)

    s3("PutObject", Key="a", body=b"a", Tagging="team=data&sp%20ace=a%2Bb%3Dc")
    yield s3("HeadObject", "TagCount", Key="a")
    yield tagged()
    s3("PutObjectTagging", Key="a", Tagging={"TagSet": [{"Key": "x", "Value": ""}]})
    yield tagged()
    yield s3("DeleteObjectTagging", Key="a")
    yield tagged()
    yield s3("GetObjectTagging", Key="none")


@case((200, TAGS[:1]), (200, [{"Key": "new", "Value": "1"}]))
def tags_of_copies(s3):
    s3("PutObject", Key="a", body=b"a", Tagging="team=data")
    source = {"Bucket": s3.bucket, "Key": "a"}
    s3("CopyObject", Key="b", CopySource=source)
    yield s3("GetObjectTagging", "TagSet", Key="b")
    s3("CopyObject", Key="c", CopySource=source, TaggingDirective="REPLACE", Tagging="new=1")
    yield s3("GetObjectTagging", "TagSet", Key="c")


@case((200, []), (400, "InvalidTag"))
def overwriting_drops_tags(s3):
    s3("PutObject", Key="a", body=b"a", Tagging="team=data")
    s3.put("a")
    yield s3("GetObjectTagging", "TagSet", Key="a")
    twice = [{"Key": "x", "Value": "1"}, {"Key": "x", "Value": "2"}]
    yield s3("PutObjectTagging", Key="a", Tagging={"TagSet": twice})


@case((200, ["a", "b", "none"], None), ["c"], (200, None, None), [])
def delete_many(s3):
    s3.put("a", "b", "c")
    wanted = [{"Key": key} for key in ("a", "b", "none")]
    status, deleted, errors = s3("DeleteObjects", "Deleted.Key Errors", Delete={"Objects": wanted})
    yield status, sorted(deleted), errors
    yield s3.keys()
    yield s3("DeleteObjects", "Deleted Errors", Delete={"Objects": [{"Key": "c"}], "Quiet": True})
    yield s3.keys()


@case((400, "MalformedXML"))
def delete_too_many(s3):
    wanted = [{"Key": f"k{number}"} for number in range(1001)]
    yield s3("DeleteObjects", Delete={"Objects": wanted})


@case((200, 1), (200, ["a&b<c>"]), [])
def delete_many_odd_keys(s3):
    s3.put("a&b<c>")
    yield s3("ListObjectsV2", "KeyCount")
    yield s3("DeleteObjects", "Deleted.Key", Delete={"Objects": [{"Key": "a&b<c>"}]})
    yield s3.keys()
