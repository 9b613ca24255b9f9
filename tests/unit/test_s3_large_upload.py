"""Uploads in parts: whole or not at all, whatever fails, and nothing left in S3."""

from __future__ import annotations

import io
import sys
import threading
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)

from mangrove.errors import (  # noqa: E402
    AccessDeniedError,
    ConfigError,
    IntegrityError,
    ObjectChangedError,
    PreconditionError,
)
from mangrove.s3.rules.checksums import checksum  # noqa: E402
from mangrove.s3.rules.policy import Policy  # noqa: E402
from servers.large import DATA, Faulty, Room, answers, lost, refused  # noqa: E402
from servers.threads import begun  # noqa: E402

PARTS = 13  # of 100 bytes


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


def sources(path):
    return {
        "bytes": lambda: DATA,
        "path": lambda: path,
        "file": lambda: path.open("rb"),
        "text file": lambda: path.open(encoding="latin-1"),
        "memory file": lambda: io.BytesIO(DATA),
        "items": lambda: (DATA[start : start + 77] for start in range(0, len(DATA), 77)),
    }


@pytest.mark.parametrize("name", list(sources(None)))
@pytest.mark.parametrize(
    ("asked", "verified"),
    [
        ({}, "CRC32"),
        ({"checksum_algorithm": "CRC32C"}, "CRC32C"),
        ({"checksum_algorithm": "CRC64NVME"}, "CRC64NVME"),
        ({"checksum_algorithm": "SHA256"}, "SHA256 (composite)"),
        ({"checksum_algorithm": "CRC32", "checksum_type": "COMPOSITE"}, "CRC32 (composite)"),
    ],
)
def test_all_that_can_be_given_arrives(room, path, name, asked, verified):
    room.set(checksum="CRC32")
    given_data = sources(path)[name]()
    handle = room.upload(given_data, content_type="text/x", **asked)
    if hasattr(given_data, "close"):
        given_data.close()
    assert handle.result() is True
    assert room.held() == DATA
    assert handle.outcome.verified == verified
    assert handle.outcome.size == handle.size == len(DATA)
    assert handle.outcome.etag == room.head()["ETag"]
    assert handle.outcome.etag.endswith(f'-{PARTS}"')
    assert handle.outcome.checksum.split(":")[0] == verified.split()[0]
    assert room.head()["ContentType"] == "text/x"
    assert room.engine.count("UploadPart") == PARTS
    assert not room.uploads


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.integers(0, 450), st.booleans(), st.sampled_from([1, 2, 100]))
def test_any_size_arrives(room, size, stream, piece):
    data = DATA[:size]
    pieces = (data[start : start + piece] for start in range(0, size, piece))
    assert room.upload(pieces if stream else data).result() is True
    assert room.held() == data


def test_a_stream_that_fits_is_one_request(room):
    handle = room.upload(iter([b"a", b"b"]), metadata={"a": "b"})
    assert room.engine.calls == ["PutObject"]
    assert (handle.outcome.size, handle.outcome.verified, handle.outcome.attempts) == (2, "CRC32", 1)
    assert room.head()["Metadata"] == {"a": "b"}


def test_a_stream_as_long_as_a_part_is_one_request(room):
    room.upload(iter([b"x" * 100]))
    assert room.engine.calls == ["PutObject"]


def test_options_go_to_the_calls_that_take_them(room):
    key = "k" * 32
    seen = {}

    def note(engine, call):
        seen.setdefault(call.operation, set()).update(call.params)
        return engine.perform(call)

    for operation in ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"):
        room.engine.on(operation, note, times=99)
    options = {
        "sse_customer_key": key,
        "request_payer": "requester",
        "if_none_match": "*",
        "storage_class": "GLACIER_IR",
    }
    assert room.upload(DATA, **options).result() is True
    common = {"Bucket", "Key", "SSECustomerKey", "SSECustomerAlgorithm", "RequestPayer"}
    assert seen["CreateMultipartUpload"] == {
        *common,
        "StorageClass",
        "ContentType",
        "ChecksumAlgorithm",
        "ChecksumType",
    } - {"ContentType"}
    assert seen["UploadPart"] == {*common, "UploadId", "PartNumber", "ChecksumCRC32"}
    assert seen["CompleteMultipartUpload"] == {
        *common, "UploadId", "MultipartUpload", "IfNoneMatch", "ChecksumCRC32", "ChecksumType", "MpuObjectSize",
    }  # fmt: skip


# -- faults -----------------------------------------------------------------------------------------------------------

PASSING = {
    "lost before": Faulty.before(lost),
    "lost after": Faulty.after(),
    "slow down": Faulty.before(lambda: refused("SlowDown", 503)),
    "internal": Faulty.before(lambda: refused("InternalError", 500)),
    "late error": Faulty.before(lambda: refused("InternalError", 200)),
    "expired": Faulty.before(lambda: refused("ExpiredToken", 400)),
}
OPERATIONS = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("nth", [1, 7])
@pytest.mark.parametrize("stream", [False, True])
def test_what_passes_is_tried_again(room, operation, fault, nth, stream):
    nth = nth if operation == "UploadPart" else 1
    room.engine.on(operation, PASSING[fault], nth=nth)
    handle = room.upload(iter([DATA]) if stream else DATA)
    assert handle.result() is True
    assert room.held() == DATA
    # An upload whose beginning nobody has heard of is nobody's: it has no parts, and a sweep finds it.
    assert len(room.uploads) == (operation == "CreateMultipartUpload" and fault == "lost after")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("error", [refused("AccessDenied", 403), ZeroDivisionError("a bug")])
def test_what_lasts_is_raised_and_nothing_is_left(room, operation, stream, error):
    room.put(b"old")
    room.engine.on(operation, Faulty.before(error), times=99)
    handle = room.upload(iter([DATA]) if stream else DATA)
    assert isinstance(handle.exception(), AccessDeniedError if isinstance(error, ClientError) else ZeroDivisionError)
    assert room.held() == b"old"
    assert not room.uploads


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_ends_it_and_leaves_nothing(room, path, error):
    room.engine.on("UploadPart", Faulty.before(error), nth=5)
    with pytest.raises(error):
        room.upload(path)
    assert not room.uploads
    assert not begun("mangrove-s3-part")
    assert room.engine.count("UploadPart") < PARTS


def test_the_first_error_stops_the_other_parts(room):
    room.engine.on("UploadPart", Faulty.before(refused("AccessDenied", 403)))
    assert isinstance(room.upload(DATA).exception(), AccessDeniedError)
    assert room.engine.count("UploadPart") < PARTS
    assert room.engine.calls[-1] == "AbortMultipartUpload"


def test_an_abort_that_fails_is_told_with_the_first_error(room):
    room.engine.on("UploadPart", Faulty.before(refused("AccessDenied", 403, "UploadPart")), times=99)
    room.engine.on("AbortMultipartUpload", Faulty.before(refused("AccessDenied", 403, "AbortMultipartUpload")), times=9)
    error = room.upload(DATA).exception()
    assert isinstance(error, AccessDeniedError)
    assert error.operation_name == "UploadPart"
    assert "AbortMultipartUpload" in str(error)
    assert f"the multipart upload {room.uploads[0]} could not be aborted" in str(error)
    assert "sweep" in str(error)


def test_a_part_that_arrives_damaged_is_sent_again(room):
    def damage(engine, call):
        call.body = bytes(call.body[:-1]) + b"?"
        return engine.perform(call)

    room.engine.on("UploadPart", damage, nth=3)
    assert room.upload(DATA).result() is True
    assert room.held() == DATA
    assert room.engine.count("UploadPart") == PARTS + 1


def test_an_answer_with_another_checksum_is_no_success(room):
    room.engine.on("UploadPart", lambda engine, call: answers(engine.perform(call), ChecksumCRC32="AAAAAA=="), times=99)
    assert isinstance(room.upload(DATA).exception(), IntegrityError)
    assert not room.uploads


def test_an_answer_without_an_etag_is_asked_for_again(room):
    room.engine.on("UploadPart", lambda engine, call: answers(engine.perform(call), ETag=None))
    assert room.upload(DATA).result() is True


@pytest.mark.parametrize("times", [1, 3])
def test_a_completion_whose_answer_is_lost_is_looked_for(room, times):
    room.engine.on("CompleteMultipartUpload", Faulty.after())
    room.engine.on("CompleteMultipartUpload", Faulty.before(lost), nth=1, times=times - 1)
    handle = room.upload(DATA)
    assert handle.result() is True
    assert handle.outcome.verified == "CRC32"
    assert handle.outcome.etag == room.head()["ETag"]
    assert room.engine.calls[-1] == "HeadObject"


def test_a_completion_whose_answer_is_lost_is_known_by_its_etag_alone(room):
    room.engine.on("CompleteMultipartUpload", Faulty.after())
    bare = lambda engine, call: answers(engine.perform(call), ChecksumCRC32=None, ChecksumType=None)  # noqa: E731
    room.engine.on("HeadObject", bare)
    handle = room.upload(DATA)
    assert handle.result() is True
    assert handle.verified is None


def test_a_create_only_upload_whose_answer_is_lost_is_its_own(room):
    room.engine.on("CompleteMultipartUpload", Faulty.after())
    assert room.upload(DATA, if_none_match="*").result() is True
    room.engine.on("CompleteMultipartUpload", Faulty.before(lost))
    assert isinstance(room.upload(DATA[:-1], if_none_match="*").exception(), PreconditionError)
    assert room.held() == DATA
    assert not room.uploads


def test_a_completion_that_another_has_undone_is_no_success(room):
    def aborted(engine, call):
        engine.perform(type(call)("AbortMultipartUpload", {k: call.params[k] for k in ("Bucket", "Key", "UploadId")}))
        raise lost()

    room.put(DATA[:50])
    room.engine.on("CompleteMultipartUpload", aborted)
    assert "NoSuchUpload" in str(room.upload(DATA).exception())
    assert room.held() == DATA[:50]


def test_a_condition_that_does_not_hold_leaves_nothing(room):
    room.put(b"old")
    assert isinstance(room.upload(DATA, if_none_match="*").exception(), PreconditionError)
    assert isinstance(room.upload(DATA, if_match='"other"').exception(), PreconditionError)
    assert room.held() == b"old"
    assert not room.uploads


def test_when_all_is_throttled_the_deadline_ends_it(room):
    room.policy = Policy(deadline=20.0)
    room.engine.on("UploadPart", Faulty.before(lambda: refused("SlowDown", 503)), times=10_000)
    error = room.upload(DATA).exception()
    assert "the deadline is 20 s" in str(error)
    assert not room.uploads


# -- what is sent ------------------------------------------------------------------------------------------------------


def test_a_checksum_that_was_given_is_compared(room):
    assert room.upload(DATA, checksum_crc32c=checksum("CRC32C", DATA)).outcome.verified == "CRC32C"
    room.put(b"old")
    error = room.upload(DATA, checksum_crc32=checksum("CRC32", b"other")).exception()
    assert isinstance(error, IntegrityError)
    assert "was given" in str(error)
    assert room.held() == b"old"
    assert not room.uploads


@pytest.mark.parametrize("option", ["checksum_sha256", "content_md5"])
def test_a_hash_of_the_whole_is_refused_before_the_first_call(room, option):
    error = room.upload(DATA, **{option: checksum("SHA256", DATA)}).exception()
    assert isinstance(error, ConfigError)
    assert room.engine.calls == []


def test_a_server_that_keeps_no_checksums_is_sent_none_of_the_whole(room):
    def old(engine, call):
        for name in ("ChecksumCRC32", "ChecksumAlgorithm", "ChecksumType"):
            call.params.pop(name, None)
        return engine.perform(call)

    seen = []
    for operation in ("CreateMultipartUpload", "UploadPart"):
        room.engine.on(operation, old, times=99)
    room.engine.on("CompleteMultipartUpload", lambda engine, call: (seen.append(call.params), engine.perform(call))[1])
    handle = room.upload(DATA, checksum_algorithm="CRC32")
    assert handle.result() is True
    assert not [name for name in seen[0] if name.startswith(("Checksum", "Mpu"))]
    assert set(seen[0]["MultipartUpload"]["Parts"][0]) == {"PartNumber", "ETag"}


@pytest.mark.parametrize("change", [DATA + b"more", DATA[:-1], b"?" + DATA[1:]])
def test_a_file_that_changes_meanwhile_is_not_uploaded(room, path, change):
    def write(engine, call):
        path.write_bytes(change)
        return engine.perform(call)

    room.put(b"old")
    room.engine.on("CreateMultipartUpload", write)
    assert isinstance(room.upload(path).exception(), ObjectChangedError)
    assert room.held() == b"old"
    assert not room.uploads


def test_a_file_that_changes_after_its_last_part_was_read_is_not_uploaded(room, path):
    room.set(threads=1)

    def write(engine, call):
        path.write_bytes(DATA + b"more")
        return engine.perform(call)

    room.engine.on("UploadPart", write, nth=PARTS)
    assert isinstance(room.upload(path).exception(), ObjectChangedError)
    assert not room.uploads


@pytest.mark.parametrize("before", [0, 50, 150, 950])
def test_a_stream_that_fails_half_way_raises_its_own_error(room, before):
    def broken():
        yield DATA[:before]
        raise ZeroDivisionError("its own")

    room.put(b"old")
    with pytest.raises(ZeroDivisionError, match="its own"):
        room.upload(broken()).result()
    assert room.held() == b"old"
    assert not room.uploads


def test_a_stream_is_read_in_the_calling_thread_and_not_ahead_of_its_parts(room):
    threads, parts, most = set(), [], 0

    def items():
        nonlocal most
        for start in range(0, 5000, 100):
            threads.add(threading.current_thread())
            most = max(most, start // 100 - room.engine.count("UploadPart"))
            yield bytes(100)

    assert room.upload(items()).result() is True
    assert threads == {threading.current_thread()}
    assert most <= room.settings.threads + 1
    assert not parts


def test_an_error_keeps_no_part_in_memory(room):
    room.engine.on("UploadPart", Faulty.before(refused("AccessDenied", 403)))
    error = room.upload(iter([DATA])).exception()
    held = []
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            held += [each for each in trace.tb_frame.f_locals.values() if isinstance(each, (memoryview, bytearray))]
            trace = trace.tb_next
        error = error.__context__
    assert not held


def test_an_object_of_another_that_has_the_same_bytes_is_not_ours(room):
    room.upload(DATA).result()
    room.engine.calls.clear()
    assert isinstance(room.upload(DATA, if_none_match="*").exception(), PreconditionError)
    assert room.engine.count("HeadObject") == 0


@pytest.mark.parametrize(
    ("told", "ours"),
    [
        ({"ETag": '"other"'}, True),  # as with keys of KMS
        ({"ChecksumCRC32": None}, True),
        ({"ETag": '"other"', "ChecksumCRC32": "AAAAAA=="}, False),
        ({"ContentLength": 1}, False),
    ],
)
def test_what_is_found_is_ours_by_its_checksum_or_its_etag(room, told, ours):
    room.engine.on("CompleteMultipartUpload", Faulty.after())
    room.engine.on("HeadObject", lambda engine, call: answers(engine.perform(call), **told))
    assert room.upload(DATA).outcome.ok == ours


def test_an_abort_of_what_is_gone_is_no_failure(room):
    room.engine.on("UploadPart", Faulty.before(refused("AccessDenied", 403)), times=99)
    room.engine.on("AbortMultipartUpload", Faulty.before(refused("NoSuchUpload", 404)))
    assert "could not be aborted" not in str(room.upload(DATA).exception())


def test_a_part_that_is_tried_again_for_ever_stops_when_another_fails(room):
    failing = threading.Event()

    def part(engine, call):
        if call.params["PartNumber"] == 1:
            failing.wait(10)
            raise refused("AccessDenied", 403)
        failing.set()
        raise lost()

    room.policy = Policy(deadline=1e9)
    room.engine.on("UploadPart", part, times=10**9)
    assert isinstance(room.upload(DATA).exception(), AccessDeniedError)


def test_a_beginning_without_an_id_is_an_error(room):
    room.engine.on("CreateMultipartUpload", lambda engine, call: answers(engine.perform(call), UploadId=None))
    assert "UploadId" in str(room.upload(DATA).exception())
