"""Versions, delete markers, locks."""

from __future__ import annotations

from datetime import datetime, timezone

from parity.harness import case


def switch(s3, status):
    assert s3("PutBucketVersioning", VersioningConfiguration={"Status": status})[0] == 200


@case((200, None), (200, "Enabled"), (200, "Suspended"))
def status(s3):
    yield s3("GetBucketVersioning", "Status")
    switch(s3, "Enabled")
    yield s3("GetBucketVersioning", "Status")
    switch(s3, "Suspended")
    yield s3("GetBucketVersioning", "Status")


@case((200, None), (200, None, b"a"), (200, ["null"], [True]))
def without_versions(s3):
    yield s3("PutObject", "VersionId", Key="a", body=b"a")
    yield s3("GetObject", "VersionId", Key="a")
    yield s3("ListObjectVersions", "Versions.VersionId Versions.IsLatest")


@case((200, "v1"), (200, "v2"), (200, "v2", b"2"), (200, "v1", b"1"), (200, ["v2", "v1"], [True, False]))
def two_versions(s3):
    switch(s3, "Enabled")
    yield s3("PutObject", "VersionId", Key="a", body=b"1")
    yield s3("PutObject", "VersionId", Key="a", body=b"2")
    yield s3("GetObject", "VersionId", Key="a")
    yield s3("GetObject", "VersionId", Key="a", VersionId=s3.version("v1"))
    yield s3("ListObjectVersions", "Versions.VersionId Versions.IsLatest")


@case(
    (204, True, "v2"),
    (404, "NoSuchKey"),
    (404, "404"),
    (405, "MethodNotAllowed"),
    (405, "405"),
    (200, b"1"),
    (200, ["v1"], [False], ["v2"], [True]),
    (200, None),
)
def delete_marker(s3):
    switch(s3, "Enabled")
    s3("PutObject", "VersionId", Key="a", body=b"1")
    yield s3("DeleteObject", "DeleteMarker VersionId", Key="a")
    yield s3("GetObject", Key="a")
    yield s3("HeadObject", Key="a")
    yield s3("GetObject", Key="a", VersionId=s3.version("v2"))
    yield s3("HeadObject", Key="a", VersionId=s3.version("v2"))
    yield s3("GetObject", Key="a", VersionId=s3.version("v1"))
    yield s3(
        "ListObjectVersions", "Versions.VersionId Versions.IsLatest DeleteMarkers.VersionId DeleteMarkers.IsLatest"
    )
    yield s3("ListObjectsV2", "Contents")


@case((204, True, "v2"), (200, b"1"), (204, None, "v1"), (404, "NoSuchKey"), (200, None, None))
def versions_deleted_for_good(s3):
    switch(s3, "Enabled")
    s3("PutObject", "VersionId", Key="a", body=b"1")
    s3("DeleteObject", "VersionId", Key="a")
    yield s3("DeleteObject", "DeleteMarker VersionId", Key="a", VersionId=s3.version("v2"))
    yield s3("GetObject", Key="a")
    yield s3("DeleteObject", "DeleteMarker VersionId", Key="a", VersionId=s3.version("v1"))
    yield s3("GetObject", Key="a")
    yield s3("ListObjectVersions", "Versions DeleteMarkers")


@case((200, "null", b"before"), (200, ["v1", "null"]), (200, b"before"))
def objects_from_before(s3):
    s3.put("a", body=b"before")
    switch(s3, "Enabled")
    yield s3("GetObject", "VersionId", Key="a")
    s3("PutObject", "VersionId", Key="a", body=b"after")
    yield s3("ListObjectVersions", "Versions.VersionId")
    yield s3("GetObject", Key="a", VersionId="null")


@case((200, ["null", "v1"]), (200, ["null", "v1"]), (200, b"3"), (204, True, "null"), (200, ["v1"], ["null"]))
def suspended(s3):
    switch(s3, "Enabled")
    s3("PutObject", "VersionId", Key="a", body=b"1")
    switch(s3, "Suspended")
    s3.put("a", body=b"2")
    yield s3("ListObjectVersions", "Versions.VersionId")
    s3.put("a", body=b"3")
    yield s3("ListObjectVersions", "Versions.VersionId")
    yield s3("GetObject", Key="a")
    yield s3("DeleteObject", "DeleteMarker VersionId", Key="a")
    yield s3("ListObjectVersions", "Versions.VersionId DeleteMarkers.VersionId")


@case((404, "NoSuchVersion"))
def no_such_version(s3):
    s3.put("a")
    switch(s3, "Enabled")
    s3("PutObject", Key="other", body=b"x")
    other = s3.answer["VersionId"]
    yield s3("GetObject", Key="a", VersionId=other)


@case((200, "v1", b"1"), (200, "v3"), (200, b"1"))
def a_version_copied(s3):
    switch(s3, "Enabled")
    s3("PutObject", "VersionId", Key="a", body=b"1")
    s3("PutObject", "VersionId", Key="a", body=b"2")
    source = {"Bucket": s3.bucket, "Key": "a", "VersionId": s3.version("v1")}
    s3("CopyObject", Key="b", CopySource=source)
    yield 200, "v1" if s3.answer["CopySourceVersionId"] == s3.version("v1") else None, s3("GetObject", Key="b")[1]
    yield s3("CopyObject", "VersionId", Key="a", CopySource=source)
    yield s3("GetObject", Key="a")


@case([("a", "v2"), ("a", "v1")], [("b/1", "v3")], (200, ["a", "a"], ["b/"]))
def pages_of_versions(s3):
    switch(s3, "Enabled")
    for key in ("a", "a", "b/1"):
        s3("PutObject", "VersionId", Key=key, body=b"x")

    def seen():
        s3._look(s3.answer, ["Versions", "VersionId"])
        return [(each["Key"], s3._plain("VersionId", each["VersionId"])) for each in s3.answer["Versions"]]

    s3("ListObjectVersions", MaxKeys=1)
    first = seen()
    markers = {"KeyMarker": s3.answer["NextKeyMarker"], "VersionIdMarker": s3.answer["NextVersionIdMarker"]}
    s3("ListObjectVersions", MaxKeys=1, **markers)
    yield first + seen()
    markers = {"KeyMarker": s3.answer["NextKeyMarker"], "VersionIdMarker": s3.answer["NextVersionIdMarker"]}
    s3("ListObjectVersions", MaxKeys=1, **markers)
    yield seen()
    yield s3("ListObjectVersions", "Versions.Key CommonPrefixes.Prefix", Delimiter="/")


@case((200, [True], 1), (200, None, None))
def many_deleted(s3):
    switch(s3, "Enabled")
    s3("PutObject", "VersionId", Key="a", body=b"1")
    s3("DeleteObjects", Delete={"Objects": [{"Key": "a"}]})
    deleted = s3.answer["Deleted"]
    yield 200, [each["DeleteMarker"] for each in deleted], len(deleted)
    marker = deleted[0]["DeleteMarkerVersionId"]
    both = [{"Key": "a", "VersionId": s3.version("v1")}, {"Key": "a", "VersionId": marker}]
    s3("DeleteObjects", Delete={"Objects": both})
    yield s3("ListObjectVersions", "Versions DeleteMarkers")


@case((409, "BucketNotEmpty"), (200, "v1"), (200, "v2"))
def buckets_with_versions(s3):
    switch(s3, "Enabled")
    s3.put("a")
    s3("DeleteObject", Key="a")
    yield s3("DeleteBucket")
    s3("CreateMultipartUpload", Key="m")
    upload = s3.answer["UploadId"]
    s3("UploadPart", Key="m", UploadId=upload, PartNumber=1, body=b"x")
    parts = [{"PartNumber": 1, "ETag": s3.answer["ETag"]}]
    yield s3("CompleteMultipartUpload", "VersionId", Key="m", UploadId=upload, MultipartUpload={"Parts": parts})
    yield s3("PutObject", "VersionId", Key="m", body=b"y")


LATER = datetime(2099, 1, 1, tzinfo=timezone.utc)


@case((200, "GOVERNANCE"), (403, "AccessDenied"), (204,), (200, "ON"), (403, "AccessDenied"), (204,))
def locks(s3):
    locked = f"{s3.bucket}-locked"
    s3("CreateBucket", Bucket=locked, ObjectLockEnabledForBucket=True)
    a = {"Bucket": locked, "Key": "a"}
    s3("PutObject", **a, body=b"x", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=LATER)
    a["VersionId"] = s3.answer["VersionId"]
    yield s3("GetObjectRetention", "Retention.Mode", **a)
    yield s3("DeleteObject", **a)
    yield s3("DeleteObject", **a, BypassGovernanceRetention=True)[:1]
    b = {"Bucket": locked, "Key": "b"}
    s3("PutObject", **b, body=b"x")
    b["VersionId"] = s3.answer["VersionId"]
    s3("PutObjectLegalHold", **b, LegalHold={"Status": "ON"})
    yield s3("GetObjectLegalHold", "LegalHold.Status", **b)
    yield s3("DeleteObject", **b)
    s3("PutObjectLegalHold", **b, LegalHold={"Status": "OFF"})
    yield s3("DeleteObject", **b)[:1]
