"""The memory engine against a plain model, and what of it no server could show."""

from __future__ import annotations

import hashlib
import mmap
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from mangrove.s3.engines.base import Call
from mangrove.s3.engines.memory import MemoryEngine, MemoryStore
from mangrove.s3.engines.memory.conditions import ranged
from mangrove.s3.engines.memory.faults import Fault

KEYS = st.text(alphabet="ab/é😀", min_size=1, max_size=5)
BODIES = st.binary(max_size=20)


def engine_with(*buckets, **options):
    engine = MemoryEngine(MemoryStore(**options))
    for bucket in buckets:
        engine.perform(Call("CreateBucket", {"Bucket": bucket}))
    return engine


def ask(engine, operation, body=None, **params):
    return engine.perform(Call(operation, {"Bucket": "bucket", **params}, body=body))


def code_of(engine, operation, body=None, **params):
    with pytest.raises(ClientError) as caught:
        ask(engine, operation, body, **params)
    return caught.value.response["Error"]["Code"]


class MemoryMachine(RuleBasedStateMachine):
    """Compare the engine with a dict of keys and bytes, and one of uploads and their parts."""

    keys = Bundle("keys")
    uploads = Bundle("uploads")

    @initialize()
    def begin(self):
        self.engine = engine_with("bucket", smallest_part=1)
        self.model = {}
        self.parts = {}

    @rule(target=keys, key=KEYS, body=BODIES)
    def put(self, key, body):
        reply = ask(self.engine, "PutObject", body, Key=key)
        assert reply.get("ETag") == f'"{hashlib.md5(body).hexdigest()}"'
        self.model[key] = body
        return key

    @rule(key=keys | KEYS)
    def get(self, key):
        if key in self.model:
            assert ask(self.engine, "GetObject", Key=key).body == self.model[key]
            assert ask(self.engine, "HeadObject", Key=key).get("ContentLength") == len(self.model[key])
        else:
            assert code_of(self.engine, "GetObject", Key=key) == "NoSuchKey"

    @rule(key=keys, start=st.integers(0, 25), stop=st.integers(0, 25))
    def get_range(self, key, start, stop):
        body = self.model.get(key, b"")
        if start < len(body) and start <= stop:
            found = ask(self.engine, "GetObject", Key=key, Range=f"bytes={start}-{stop}")
            assert (found.status, found.body) == (206, body[start : stop + 1])

    @rule(key=keys | KEYS)
    def delete(self, key):
        ask(self.engine, "DeleteObject", Key=key)
        self.model.pop(key, None)

    @rule(chosen=st.lists(KEYS, min_size=1, max_size=4))
    def delete_many(self, chosen):
        ask(self.engine, "DeleteObjects", Delete={"Objects": [{"Key": key} for key in chosen]})
        for key in chosen:
            self.model.pop(key, None)

    @rule(target=keys, source=keys, key=KEYS)
    def copy(self, source, key):
        params = {"Key": key, "CopySource": {"Bucket": "bucket", "Key": source}}
        if source not in self.model:
            assert code_of(self.engine, "CopyObject", **params) == "NoSuchKey"
        elif source != key:
            ask(self.engine, "CopyObject", **params)
            self.model[key] = self.model[source]
        return key

    @rule(target=keys, key=KEYS, body=BODIES)
    def put_if_nothing_is_there(self, key, body):
        if key in self.model:
            assert code_of(self.engine, "PutObject", body, Key=key, IfNoneMatch="*") == "PreconditionFailed"
        else:
            ask(self.engine, "PutObject", body, Key=key, IfNoneMatch="*")
            self.model[key] = body
        return key

    @rule(target=uploads, key=KEYS)
    def begin_upload(self, key):
        upload = ask(self.engine, "CreateMultipartUpload", Key=key).get("UploadId")
        self.parts[upload] = (key, {})
        return upload

    @rule(upload=uploads, number=st.integers(1, 4), body=st.binary(min_size=1, max_size=9))
    def send_part(self, upload, number, body):
        key, parts = self.parts[upload]
        ask(self.engine, "UploadPart", body, Key=key, UploadId=upload, PartNumber=number)
        parts[number] = body

    @rule(target=keys, upload=consumes(uploads))
    def complete(self, upload):
        key, parts = self.parts.pop(upload)
        named = [{"PartNumber": n, "ETag": hashlib.md5(parts[n]).hexdigest()} for n in sorted(parts)]
        params = {"Key": key, "UploadId": upload, "MultipartUpload": {"Parts": named}}
        if parts:
            reply = ask(self.engine, "CompleteMultipartUpload", **params)
            assert reply.get("ETag").endswith(f'-{len(parts)}"')
            self.model[key] = b"".join(parts[n] for n in sorted(parts))
        else:
            assert code_of(self.engine, "CompleteMultipartUpload", **params) == "InvalidRequest"
            ask(self.engine, "AbortMultipartUpload", Key=key, UploadId=upload)
        return key

    @rule(upload=consumes(uploads))
    def abort(self, upload):
        key, _ = self.parts.pop(upload)
        ask(self.engine, "AbortMultipartUpload", Key=key, UploadId=upload)

    @rule(
        prefix=st.text(alphabet="ab/", max_size=2),
        delimiter=st.sampled_from(["", "/", "a", "//"]),
        most=st.integers(1, 4),
    )
    def list_pages(self, prefix, delimiter, most):
        wanted = set()
        for key in self.model:
            if key.startswith(prefix):
                head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
                wanted.add(prefix + head + found if found else key)
        params = {"Prefix": prefix, "MaxKeys": most, **({"Delimiter": delimiter} if delimiter else {})}
        for operation in ("ListObjectsV2", "ListObjects"):
            assert list(self._pages(operation, params, most)) == sorted(wanted, key=str.encode)

    def _pages(self, operation, params, most):
        more = {}
        while True:
            data = ask(self.engine, operation, **params, **more).data
            names = [each["Key"] for each in data.get("Contents", [])]
            names += [each["Prefix"] for each in data.get("CommonPrefixes", [])]
            assert len(names) <= most
            assert data.get("KeyCount", len(names)) == len(names)
            yield from sorted(names, key=str.encode)
            if not data["IsTruncated"]:
                return
            token = data.get("NextContinuationToken")
            more = {"ContinuationToken": token} if token else {"Marker": data.get("NextMarker") or names[-1]}

    @invariant()
    def uploads_are_those_of_the_model(self):
        if hasattr(self, "engine"):
            found = ask(self.engine, "ListMultipartUploads").data.get("Uploads", [])
            assert {each["UploadId"] for each in found} == set(self.parts)


MemoryMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestMemory = MemoryMachine.TestCase


class VersionsMachine(RuleBasedStateMachine):
    """Compare the versions of one key with a list of them, the newest first; None is a delete marker."""

    @initialize()
    def begin(self):
        self.engine = engine_with("bucket")
        self.model = []
        self.enabled = None

    def _push(self, version, body):
        if version == "null":
            self.model = [each for each in self.model if each[0] != "null"]
        self.model.insert(0, (version, body))

    @rule(status=st.sampled_from(["Enabled", "Suspended"]))
    def switch(self, status):
        ask(self.engine, "PutBucketVersioning", VersioningConfiguration={"Status": status})
        self.enabled = status == "Enabled"

    @rule(body=BODIES)
    def put(self, body):
        version = ask(self.engine, "PutObject", body, Key="key").get("VersionId")
        assert (version is not None) == bool(self.enabled)
        self._push(version or "null", body)

    @rule()
    def delete(self):
        reply = ask(self.engine, "DeleteObject", Key="key")
        if self.enabled is None:
            self.model = []
        else:
            self._push(reply.get("VersionId"), None)

    @rule(index=st.integers(0, 5))
    def delete_version(self, index):
        if self.enabled is not None and index < len(self.model):
            version, _ = self.model.pop(index)
            ask(self.engine, "DeleteObject", Key="key", VersionId=version)

    @invariant()
    def the_same_versions(self):
        if not hasattr(self, "engine"):
            return
        data = ask(self.engine, "ListObjectVersions").data
        found = {
            each["VersionId"]: each["IsLatest"] for name in ("Versions", "DeleteMarkers") for each in data.get(name, [])
        }
        assert found == {version: index == 0 for index, (version, _) in enumerate(self.model)}
        for version, body in self.model:
            if body is None:
                assert code_of(self.engine, "GetObject", Key="key", VersionId=version) == "MethodNotAllowed"
            else:
                assert ask(self.engine, "GetObject", Key="key", VersionId=version).body == body
        if not self.model or self.model[0][1] is None:
            assert code_of(self.engine, "GetObject", Key="key") == "NoSuchKey"
        else:
            assert ask(self.engine, "GetObject", Key="key").body == self.model[0][1]


VersionsMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestVersions = VersionsMachine.TestCase


@given(
    header=st.text(alphabet="bytes=0123456789-, ", max_size=14)
    | st.from_regex(r"bytes=\d{0,3}-\d{0,3}", fullmatch=True),
    size=st.integers(0, 999),
)
def test_a_range_is_of_the_object_or_refused(header, size):
    try:
        span = ranged(header, size)
    except Fault as refusal:
        assert refusal.code == "InvalidRange"
        return
    assert span is None or 0 <= span.start < span.stop <= size


def test_what_is_not_there_is_not_implemented():
    error = None
    with pytest.raises(ClientError) as caught:
        ask(MemoryEngine(), "RestoreObject", Key="a")
    error = caught.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == ("NotImplemented", 501)
    assert "RestoreObject" in error["Error"]["Message"]


def test_errors_look_like_those_of_s3():
    engine = engine_with("bucket")
    with pytest.raises(ClientError) as caught:
        ask(engine, "GetObject", Key="a/b")
    error = caught.value
    assert (
        str(error)
        == "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist."
    )
    assert error.response["Error"] == {
        "Code": "NoSuchKey",
        "Message": "The specified key does not exist.",
        "Key": "a/b",
    }
    metadata = error.response["ResponseMetadata"]
    assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amz-request-id"]
    assert metadata["HTTPStatusCode"] == 404


def test_the_clock_and_the_ids_are_given():
    ids = iter(["upload", "version"])
    engine = engine_with("bucket", clock=lambda: 86_400.9, ids=lambda: next(ids))
    assert ask(engine, "CreateMultipartUpload", Key="a").get("UploadId") == "upload"
    ask(engine, "PutBucketVersioning", VersioningConfiguration={"Status": "Enabled"})
    assert ask(engine, "PutObject", b"x", Key="a").get("VersionId") == "version"
    assert ask(engine, "HeadObject", Key="a").get("LastModified") == datetime(1970, 1, 2, tzinfo=timezone.utc)


def test_engines_share_a_store():
    store = MemoryStore()
    one, other = MemoryEngine(store), MemoryEngine(store, region_name="eu-west-1")
    one.perform(Call("CreateBucket", {"Bucket": "bucket"}))
    ask(one, "PutObject", b"x", Key="a")
    one.close()
    assert ask(other, "GetObject", Key="a").body == b"x"
    store.clear()
    assert code_of(other, "GetObject", Key="a") == "NoSuchBucket"


def test_a_region_makes_its_own_buckets():
    engine = MemoryEngine(region_name="eu-west-1")
    assert code_of(engine, "CreateBucket") == "IllegalLocationConstraintException"
    other = {"CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}
    assert code_of(engine, "CreateBucket", **other) == "IllegalLocationConstraintException"
    ask(engine, "CreateBucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert ask(engine, "HeadBucket").get("BucketRegion") == "eu-west-1"


def test_bytes_are_kept_without_a_copy_and_others_are_copied():
    engine = engine_with("bucket")
    body = b"x" * 100
    ask(engine, "PutObject", body, Key="a")
    assert ask(engine, "GetObject", Key="a").body is body
    changing = bytearray(b"before")
    ask(engine, "PutObject", changing, Key="a")
    changing[:] = b"after!"
    assert ask(engine, "GetObject", Key="a").body == b"before"


def test_more_than_five_gib_is_too_large():
    with mmap.mmap(-1, 5 * 1024**3 + 1) as pages, memoryview(pages) as body:
        assert code_of(engine_with("bucket"), "PutObject", body, Key="a") == "EntityTooLarge"


def test_one_of_many_writers_wins():
    engine = engine_with("bucket")
    gate = threading.Barrier(8)

    def write(number):
        gate.wait()
        try:
            ask(engine, "PutObject", str(number).encode(), Key="a", IfNoneMatch="*")
        except ClientError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(write, range(8)) if number is not None]
    assert len(winners) == 1
    assert ask(engine, "GetObject", Key="a").body == str(winners[0]).encode()


def test_threads_lose_nothing():
    engine = engine_with("bucket")

    def work(number):
        for each in range(200):
            ask(engine, "PutObject", b"x", Key=f"{number}/{each}")
            if each % 50 == 0:
                ask(engine, "ListObjectsV2", Prefix=f"{number}/")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    counts = [ask(engine, "ListObjectsV2", Prefix=f"{number}/").get("KeyCount") for number in range(4)]
    assert counts == [200] * 4


def test_versions_are_listed_from_any_marker():
    engine = engine_with("bucket")
    ask(engine, "PutBucketVersioning", VersioningConfiguration={"Status": "Enabled"})
    written = [(key, ask(engine, "PutObject", b"x", Key=key).get("VersionId")) for key in "aabbb"]
    expected = sorted(written, key=lambda each: (each[0], -written.index(each)))
    markers, found = {}, []
    while True:
        data = ask(engine, "ListObjectVersions", MaxKeys=2, **markers).data
        found += [(each["Key"], each["VersionId"]) for each in data["Versions"]]
        if not data["IsTruncated"]:
            break
        markers = {"KeyMarker": data["NextKeyMarker"], "VersionIdMarker": data["NextVersionIdMarker"]}
    assert found == expected
    assert code_of(engine, "ListObjectVersions", VersionIdMarker="x") == "InvalidArgument"


def test_an_etag_says_nothing_of_what_is_encrypted_with_ones_own_key():
    engine = engine_with("bucket")
    plain = ask(engine, "PutObject", b"x", Key="a").get("ETag")
    own = ask(engine, "PutObject", b"x", Key="b", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32)
    assert own.get("ETag") != plain
    assert "k" * 32 not in str(own.data)


def test_a_default_retention_locks_what_is_written():
    engine = MemoryEngine(MemoryStore(clock=lambda: 0.0))
    ask(engine, "CreateBucket", ObjectLockEnabledForBucket=True)
    rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}}
    ask(engine, "PutObjectLockConfiguration", ObjectLockConfiguration=rule)
    assert ask(engine, "GetObjectLockConfiguration").get("ObjectLockConfiguration") == rule
    version = ask(engine, "PutObject", b"x", Key="a").get("VersionId")
    locked = {"Key": "a", "VersionId": version}
    assert code_of(engine, "DeleteObject", **locked, BypassGovernanceRetention=True) == "AccessDenied"
    assert ask(engine, "GetObjectRetention", **locked).get("Retention")["RetainUntilDate"].day == 2
    assert ask(engine, "DeleteObject", Key="a").get("DeleteMarker") is True
    suspend = {"VersioningConfiguration": {"Status": "Suspended"}}
    assert code_of(engine, "PutBucketVersioning", **suspend) == "InvalidBucketState"
