"""Buckets, and what is not there."""

from __future__ import annotations

from parity.harness import case


@case((200, "us-east-1"), (200, None), True)
def a_bucket(s3):
    yield s3("HeadBucket", "BucketRegion")
    yield s3("GetBucketLocation", "LocationConstraint")
    s3("ListBuckets", Bucket=None)
    yield s3.bucket in [each["Name"] for each in s3.answer["Buckets"]]


@case((200,), (200,))
def made_twice_in_us_east_1(s3):
    yield s3("CreateBucket")
    yield s3("HeadBucket")


@case((400, "InvalidBucketName"), (400, "InvalidBucketName"))
def names_that_cannot_be(s3):
    yield s3("CreateBucket", Bucket="Has-Capitals")
    yield s3("CreateBucket", Bucket="dots..beside")


@case((409, "BucketNotEmpty"), (204,), (404, "404"))
def deleted_only_when_empty(s3):
    s3.put("a")
    yield s3("DeleteBucket")
    s3("DeleteObject", Key="a")
    yield s3("DeleteBucket")
    yield s3("HeadBucket")


@case((204,), (404, "NoSuchBucket"), (200, b""))
def made_again_it_is_empty(s3):
    yield s3("DeleteBucket")
    yield s3("ListObjectsV2")
    s3("CreateBucket")
    s3("PutObject", Key="a")
    yield s3("GetObject", Key="a")


@case((200, "BUCKET-eu", "eu-central-1"), (409, "BucketAlreadyOwnedByYou"))
def another_region(s3):
    other = f"{s3.bucket}-eu"
    place = {"LocationConstraint": "eu-central-1"}
    s3("CreateBucket", Bucket=other, CreateBucketConfiguration=place)
    status, location = s3("GetBucketLocation", "LocationConstraint", Bucket=other)
    yield status, other.replace(s3.bucket, "BUCKET"), location
    yield s3("CreateBucket", Bucket=other, CreateBucketConfiguration=place)
