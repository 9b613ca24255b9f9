"""Copies in parts: what a copy in one request would keep is kept, and nothing is left of one that failed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)

from mangrove.errors import AccessDeniedError, IntegrityError, NotFoundError, ObjectChangedError  # noqa: E402
from mangrove.s3.engines.base import Call  # noqa: E402
from mangrove.s3.rules.checksums import checksum  # noqa: E402
from servers.large import DATA, Faulty, Room, answers, lost, refused  # noqa: E402

PARTS = 13


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


KEPT = {
    "ContentType": "text/x",
    "ContentEncoding": "gzip",
    "ContentLanguage": "de",
    "ContentDisposition": "inline",
    "CacheControl": "no-store",
    "Metadata": {"owner": "me"},
}


def test_what_a_copy_keeps_is_kept(room):
    room.put(**KEPT, Tagging="a=b+c&d=%26", StorageClass="STANDARD_IA")
    handle = room.copy()
    assert handle.result() is True
    assert room.held("copy") == DATA
    head = room.head("copy")
    assert {name: head[name] for name in KEPT} == KEPT
    assert "StorageClass" not in head  # as S3's own copies
    tags = room.memory.perform(Call("GetObjectTagging", {"Bucket": "bucket", "Key": "copy"})).get("TagSet")
    assert tags == [{"Key": "a", "Value": "b c"}, {"Key": "d", "Value": "&"}]
    assert handle.outcome.size == len(DATA)
    assert handle.outcome.etag == head["ETag"]
    assert room.engine.count("UploadPartCopy") == PARTS


def test_what_is_given_replaces_what_the_source_has(room):
    room.put(**KEPT, Tagging="a=b")
    assert room.copy(content_type="text/y", tags={"e": "f"}, storage_class="STANDARD_IA").result() is True
    head = room.head("copy")
    assert (head["ContentType"], head["Metadata"], head["StorageClass"]) == ("text/y", {}, "STANDARD_IA")
    assert "CacheControl" not in head
    tags = room.memory.perform(Call("GetObjectTagging", {"Bucket": "bucket", "Key": "copy"})).get("TagSet")
    assert tags == [{"Key": "e", "Value": "f"}]


def test_tags_that_may_not_be_read_are_not_lost_without_a_word(room):
    room.put(Tagging="a=b")
    room.engine.on("GetObjectTagging", Faulty.before(refused("AccessDenied", 403)), times=9)
    assert isinstance(room.copy().exception(), AccessDeniedError)
    assert room.engine.count("CreateMultipartUpload") == 0


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_the_copys_checksum_is_compared_with_the_sources(room, algorithm):
    room.put(**{f"Checksum{algorithm}": checksum(algorithm, DATA)})
    outcome = room.copy().outcome
    assert outcome.verified == algorithm
    assert outcome.checksum == f"{algorithm}:{checksum(algorithm, DATA)}"

    def other(engine, call):
        return answers(engine.perform(call), **{f"Checksum{algorithm}": checksum(algorithm, b"other")})

    room.engine.on("CompleteMultipartUpload", other)
    assert isinstance(room.copy().exception(), IntegrityError)


def test_a_source_with_a_hash_is_copied_and_not_said_to_be_compared(room):
    room.put(ChecksumSHA256=checksum("SHA256", DATA))
    outcome = room.copy().outcome
    assert outcome.ok
    assert outcome.verified is None
    assert room.held("copy") == DATA


def test_a_key_that_looks_like_a_version_and_a_version_that_is_one(room):
    room.memory.perform(
        Call("PutBucketVersioning", {"Bucket": "bucket", "VersioningConfiguration": {"Status": "Enabled"}})
    )
    key = "a b?versionId=é"
    version = room.put(key=key).get("VersionId")
    room.put(DATA[::-1], key=key)
    room.run(room.maker.copy("bucket", key, "bucket", "copy", version_id=version)).result()
    assert room.held("copy") == DATA


@pytest.mark.parametrize(
    "fault",
    [
        Faulty.before(lost),
        Faulty.after(),
        Faulty.before(lambda: refused("SlowDown", 503)),
        Faulty.before(lambda: refused("InternalError", 500)),
        lambda engine, call: answers(engine.perform(call), CopyPartResult={}),
    ],
)
@pytest.mark.parametrize("nth", [1, PARTS])
def test_what_passes_is_tried_again(room, fault, nth):
    room.put()
    room.engine.on("UploadPartCopy", fault, nth=nth)
    assert room.copy().result() is True
    assert room.held("copy") == DATA
    assert not room.uploads


@pytest.mark.parametrize(
    "operation",
    ["HeadObject", "GetObjectTagging", "CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload"],
)
def test_what_lasts_is_raised_and_nothing_is_left(room, operation):
    room.put()
    room.put(b"old", key="copy")
    room.engine.on(operation, Faulty.before(refused("AccessDenied", 403)), times=99)
    assert isinstance(room.copy().exception(), AccessDeniedError)
    assert room.held("copy") == b"old"
    assert not room.uploads


@pytest.mark.parametrize("change", ["put", "delete"])
def test_a_source_that_changes_meanwhile_is_no_success(room, change):
    def fault(engine, call):
        if change == "put":
            room.put(DATA[::-1])
        else:
            engine.perform(Call("DeleteObject", {"Bucket": "bucket", "Key": "key"}))
        return engine.perform(call)

    room.put()
    room.engine.on("UploadPartCopy", fault, nth=5)
    assert isinstance(room.copy().exception(), ObjectChangedError if change == "put" else NotFoundError)
    assert not room.uploads
