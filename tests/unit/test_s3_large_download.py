"""Downloads in ranges: the object's bytes, verified, or an error and the old target."""

from __future__ import annotations

import errno
import io
import os
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)

from mangrove.errors import (  # noqa: E402
    AccessDeniedError,
    IncompleteTransferError,
    IntegrityError,
    NotFoundError,
    ObjectChangedError,
)
from mangrove.s3.engines.base import Call, Reply  # noqa: E402
from mangrove.s3.large.layout import Layout, Running  # noqa: E402
from mangrove.s3.rules.checksums import checksum, composite, crc32  # noqa: E402
from mangrove.s3.rules.integrity import Stored  # noqa: E402
from mangrove.s3.rules.policy import Policy  # noqa: E402
from servers.large import DATA, Faulty, Room, answers, lost, refused  # noqa: E402
from servers.threads import begun  # noqa: E402

RANGES = 13  # of 100 bytes
OPERATION = "GetObject"
FIRST = 2  # of the GetObjects: the first one is given up, as the object is too long


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


@pytest.fixture
def target(tmp_path):
    """Return a file that is there already."""
    (tmp_path / "targets").mkdir()
    path = tmp_path / "targets" / "file"
    path.write_bytes(b"old")
    return path


def alone(target):
    return list(target.parent.iterdir()) == [target]


def to_path(room, target, **options):
    handle = room.download(target, **options)
    return handle, target.read_bytes() if handle.error is None else None


def to_memory(room, target, **options):
    handle = room.download(None, **options)
    return handle, handle.value


def to_file(room, target, **options):
    file = io.BytesIO()
    handle = room.download(file, **options)
    return handle, file.getvalue()


WAYS = pytest.mark.parametrize("way", [to_path, to_memory, to_file])


@WAYS
@pytest.mark.parametrize(
    ("asked", "verified"),
    [
        ({"checksum_algorithm": "CRC32"}, "CRC32"),
        ({"checksum_algorithm": "CRC64NVME"}, "CRC64NVME"),
        ({"checksum_algorithm": "CRC32C", "checksum_type": "COMPOSITE"}, "CRC32C (composite)"),
        ({"checksum_algorithm": "SHA1"}, "SHA1 (composite)"),
    ],
)
def test_what_was_uploaded_in_parts_comes_back_verified(room, target, way, asked, verified):
    room.upload(DATA, **asked).result()
    handle, found = way(room, target)
    handle.result()
    assert found == DATA
    assert handle.outcome.verified == verified
    assert handle.outcome.size == handle.size == len(DATA)
    assert handle.outcome.etag == room.head()["ETag"]
    assert alone(target)


@WAYS
@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256"])
def test_what_was_uploaded_at_once_comes_back_verified(room, target, way, algorithm):
    room.put(**{f"Checksum{algorithm}": checksum(algorithm, DATA)})
    handle, found = way(room, target)
    assert found == DATA
    assert handle.outcome.verified == algorithm
    assert handle.outcome.checksum == f"{algorithm}:{checksum(algorithm, DATA)}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.integers(0, 450), st.booleans())
def test_any_size_comes_back(room, size, file):
    room.put(DATA[:size])
    handle, found = (to_file if file else to_memory)(room, None)
    assert found == DATA[:size]
    assert handle.outcome.size == size


@WAYS
def test_parts_of_all_sizes_are_summed_each_by_itself(room, target, way):
    upload = room.memory.perform(
        Call("CreateMultipartUpload", {"Bucket": "bucket", "Key": "key", "ChecksumAlgorithm": "SHA256"})
    ).get("UploadId")
    at, parts = 0, []
    for number, size in enumerate((1, 250, 99, 100, 784), 1):
        body = DATA[at : at + size]
        at += size
        value = checksum("SHA256", body)
        named = {"Bucket": "bucket", "Key": "key", "UploadId": upload, "PartNumber": number, "ChecksumSHA256": value}
        etag = room.memory.perform(Call("UploadPart", named, body=body)).get("ETag")
        parts.append({"PartNumber": number, "ETag": etag, "ChecksumSHA256": value})
    named = {"Bucket": "bucket", "Key": "key", "UploadId": upload, "MultipartUpload": {"Parts": parts}}
    room.memory.perform(Call("CompleteMultipartUpload", named))
    handle, found = way(room, target)
    assert found == DATA
    assert handle.outcome.verified == "SHA256 (composite)"


@pytest.mark.parametrize("lack", [["GetObjectAttributes"], ["GetObjectAttributes", "HeadObject"]])
def test_sizes_of_parts_are_asked_for_in_another_way(room, target, lack):
    room.upload(DATA, checksum_algorithm="SHA256").result()
    for operation in lack:
        room.engine.on(operation, Faulty.before(refused("AccessDenied", 403)), times=99)
    handle, found = to_path(room, target)
    assert found == DATA
    assert handle.outcome.verified == (None if "HeadObject" in lack else "SHA256 (composite)")
    room.set(verify="always")
    handle, found = to_path(room, target)
    assert isinstance(handle.error, IntegrityError if "HeadObject" in lack else type(None))


def test_an_object_without_a_checksum_is_taken_unless_all_must_have_one(room, target):
    room.put()
    bare = lambda engine, call: bared(engine.perform(call))  # noqa: E731
    room.engine.on(OPERATION, bare, times=999)
    handle, found = to_path(room, target)
    assert found == DATA
    assert handle.outcome.verified is None
    room.set(verify="always")
    handle, found = to_path(room, target)
    assert isinstance(handle.error, IntegrityError)
    assert target.read_bytes() == DATA
    assert alone(target)


def bared(reply):
    return Reply(reply.status, {k: v for k, v in reply.data.items() if not k.startswith("Checksum")}, reply.body)


def test_the_requests_name_this_object_and_no_other(room, target):
    seen = []
    room.memory.perform(
        Call("PutBucketVersioning", {"Bucket": "bucket", "VersioningConfiguration": {"Status": "Enabled"}})
    )
    key = "k" * 32
    version = room.put(SSECustomerKey=key, SSECustomerAlgorithm="AES256").get("VersionId")
    room.put(b"newer")
    room.engine.on(OPERATION, lambda engine, call: (seen.append(call.params), engine.perform(call))[1], times=999)
    handle, found = to_path(room, target, version_id=version, sse_customer_key=key, if_none_match='"other"')
    assert found == DATA
    assert handle.outcome.version_id == version
    head = room.memory.perform(
        Call("HeadObject", {"Bucket": "bucket", "Key": "key", "VersionId": version, "SSECustomerKey": key,
                            "SSECustomerAlgorithm": "AES256"})
    )  # fmt: skip
    for params in seen[1:]:
        assert set(params) == {
            "Bucket", "Key", "VersionId", "SSECustomerKey", "SSECustomerAlgorithm", "IfMatch", "Range",
        }  # fmt: skip
        assert (params["VersionId"], params["IfMatch"]) == (version, head.get("ETag"))
    assert len(seen) == RANGES + 1


# -- faults -----------------------------------------------------------------------------------------------------------


def cut(engine, call):
    """Give fewer bytes, as an engine does not see it where nothing says how many there should be."""
    sink = call.sink
    call.sink = lambda view: sink(view[:-1])
    return engine.perform(call)


def torn(engine, call):
    """Give some bytes, and lose the connection."""
    sink = call.sink

    def half(view):
        sink(view[: len(view) // 2])
        raise lost()

    call.sink = half
    return engine.perform(call)


def damaged(engine, call):
    """Change a byte."""
    sink = call.sink
    call.sink = lambda view: sink(memoryview(bytes([view[0] ^ 1]) + bytes(view[1:])))
    return engine.perform(call)


def whole(engine, call):
    """Ignore the range."""
    call.params = {name: value for name, value in call.params.items() if name != "Range"}
    return engine.perform(call)


def shifted(engine, call):
    """Give another range of the same size, and say so."""
    call.params = {**call.params, "Range": "bytes=1-100"}
    return engine.perform(call)


def misnamed(engine, call):
    """Say that it is another range."""
    return answers(engine.perform(call), ContentRange="bytes 1-100/1234")


def unnamed(engine, call):
    """Don't say which range it is."""
    return answers(engine.perform(call), ContentRange=None)


def longer(engine, call):
    """Give too many bytes."""
    sink = call.sink

    def more(view):
        sink(view)
        sink(memoryview(b"?"))

    call.sink = more
    return engine.perform(call)


PASSING = [
    Faulty.before(lost),
    Faulty.before(lambda: refused("SlowDown", 503)),
    Faulty.before(lambda: refused("InternalError", 500)),
    torn,
    cut,
    whole,
    shifted,
    misnamed,
    unnamed,
    longer,
]


@WAYS
@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("nth", [FIRST, RANGES])
def test_what_passes_is_tried_again(room, target, way, fault, nth):
    room.put(ChecksumCRC32=crc32(DATA))
    room.engine.on(OPERATION, fault, nth=nth)
    handle, found = way(room, target)
    assert handle.error is None
    assert found == DATA
    assert handle.outcome.verified == "CRC32"
    assert room.engine.count(OPERATION) == RANGES + 2
    assert alone(target)


LASTING = [
    (Faulty.before(lambda: refused("AccessDenied", 403)), AccessDeniedError),
    (Faulty.before(lambda: refused("NoSuchKey", 404)), NotFoundError),
    (Faulty.before(lambda: refused("PreconditionFailed", 412)), ObjectChangedError),
    (Faulty.before(lambda: refused("InvalidRange", 416)), ObjectChangedError),
    (Faulty.before(ZeroDivisionError("a bug")), ZeroDivisionError),
    (cut, IncompleteTransferError),
    (whole, IntegrityError),
    (shifted, IntegrityError),
    (misnamed, IntegrityError),
    (unnamed, IntegrityError),
    (longer, IntegrityError),
    (damaged, IntegrityError),
]


@WAYS
@pytest.mark.parametrize(("fault", "error"), LASTING)
@pytest.mark.parametrize("nth", [FIRST, RANGES])
def test_what_lasts_is_never_a_success(room, target, way, fault, error, nth):
    room.put(ChecksumCRC32=crc32(DATA))
    room.engine.on(OPERATION, fault, nth=nth, times=9999)
    handle, _ = way(room, target)
    assert type(handle.error) is error or isinstance(handle.error, error)
    assert target.read_bytes() == b"old"
    assert alone(target)


@WAYS
@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256", "CRC32C (composite)", "SHA1 (composite)"])
@pytest.mark.parametrize("nth", range(FIRST, FIRST + RANGES, 3))
def test_a_damaged_byte_is_found_whatever_it_is_verified_by(room, target, way, algorithm, nth):
    name, _, composite = algorithm.partition(" ")
    if composite:
        room.upload(DATA, checksum_algorithm=name, checksum_type="COMPOSITE").result()
    else:
        room.put(**{f"Checksum{name}": checksum(name, DATA)})
    room.engine.on(OPERATION, damaged, nth=nth)
    handle, _ = way(room, target)
    assert isinstance(handle.error, IntegrityError)
    assert "were changed on their way" in str(handle.error)
    assert ("file object has got them" in str(handle.error)) == (way is to_file)
    assert target.read_bytes() == b"old"
    assert alone(target)


def replaced(room, data):
    def fault(engine, call):
        room.put(data)
        return engine.perform(call)

    return fault


@WAYS
@pytest.mark.parametrize("data", [b"another", DATA[::-1], DATA + b"more"])
def test_an_object_that_is_replaced_meanwhile_is_no_success(room, target, way, data):
    room.put()
    room.engine.on(OPERATION, replaced(room, data), nth=5)
    handle, _ = way(room, target)
    assert isinstance(handle.error, ObjectChangedError)
    assert "changed while it was downloaded" in str(handle.error)
    assert target.read_bytes() == b"old"
    assert alone(target)


@pytest.mark.parametrize("data", [b"another", DATA + b"more"])
def test_a_server_that_knows_no_etags_is_watched_too(room, target, data):
    def plain(engine, call):
        call.params = {name: value for name, value in call.params.items() if name != "IfMatch"}
        if room.engine.count(OPERATION) == 5:
            room.put(data)
        return answers(bared(engine.perform(call)), ETag=None)

    room.put()
    room.engine.on(OPERATION, plain, times=999)
    handle, _ = to_path(room, target)
    assert isinstance(handle.error, ObjectChangedError)
    assert target.read_bytes() == b"old"


def test_bytes_that_come_damaged_are_tried_as_often_as_retries_says(room, target):
    room.policy = Policy(retries=2)
    room.put()
    room.set(threads=1)
    room.engine.on(OPERATION, whole, nth=FIRST, times=9999)
    to_path(room, target)
    assert room.engine.count(OPERATION) == 1 + 3


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_ends_it_and_leaves_nothing(room, target, error):
    room.put()
    room.engine.on(OPERATION, Faulty.before(error), nth=5)
    with pytest.raises(error):
        room.download(target)
    assert room.engine.count(OPERATION) < RANGES
    assert target.read_bytes() == b"old"
    assert alone(target)
    assert not begun("mangrove-s3-part")


def test_a_full_disk_is_one_error_and_no_reason_to_try_again(room, target, monkeypatch):
    room.put()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    handle = room.download(target)
    assert isinstance(handle.error, OSError)
    assert handle.error.errno == errno.ENOSPC
    assert handle.error.filename == str(target)
    assert room.engine.count(OPERATION) <= 1 + room.settings.threads
    assert target.read_bytes() == b"old"
    assert alone(target)


def test_an_error_of_the_file_object_is_its_own(room):
    class Broken(io.BytesIO):
        def write(self, data):
            raise ZeroDivisionError("its own")

    room.put()
    with pytest.raises(ZeroDivisionError, match="its own"):
        room.download(Broken()).result()


def test_a_file_object_is_written_in_order_by_the_calling_thread_with_few_ranges_ahead(room):
    room.put(bytes(5000))
    threads, ahead = set(), []

    class Note(io.BytesIO):
        def write(self, data):
            threads.add(threading.current_thread())
            ahead.append(room.engine.count(OPERATION) - 1 - self.tell() // 100)
            return super().write(data)

    file = Note()
    assert room.download(file).result() is file
    assert file.getvalue() == bytes(5000)
    assert threads == {threading.current_thread()}
    assert max(ahead) <= 2 * room.settings.threads + 1


def test_a_text_file_gets_the_bytes(room, tmp_path):
    room.put("zwölf Boxkämpfer\r\n".encode() * 20)
    with (tmp_path / "text").open("w") as file:
        room.download(file).result()
    assert (tmp_path / "text").read_bytes() == "zwölf Boxkämpfer\r\n".encode() * 20
    text = io.StringIO(newline="")
    room.download(text).result()
    assert text.getvalue() == "zwölf Boxkämpfer\r\n" * 20


# -- what an object is verified by ------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.integers(1, 12), st.sampled_from(["CRC32", "SHA1"]))
def test_pieces_cover_all_and_give_the_checksums_of_the_spans(spans, most, algorithm):
    size = sum(spans)
    data = DATA[:size]
    at, values = 0, []
    for span in spans:
        values.append(checksum(algorithm, data[at : at + span]))
        at += span
    held = Stored(algorithm, composite(algorithm, values), len(spans))
    layout = Layout(size, held, spans)
    pieces = list(layout.pieces(most))
    assert [piece.start for piece in pieces] == [0, *[piece.stop for piece in pieces[:-1]]]
    assert pieces[-1].stop == size
    assert all(0 < piece.size <= most for piece in pieces)
    running = Running(layout)
    for start in range(0, size, most):
        running.update(data[start : start + most])
    assert [value for value, _ in running.sums()] == values
    sums = running.sums()
    if algorithm == "CRC32":
        sums = [(crc32(data[piece.start : piece.stop]), piece.size) for piece in pieces]
    assert layout.check(sums, "it") == f"{algorithm} (composite)"


def test_the_version_that_was_begun_with_is_the_one_that_comes(room, target):
    room.memory.perform(
        Call("PutBucketVersioning", {"Bucket": "bucket", "VersioningConfiguration": {"Status": "Enabled"}})
    )
    version = room.put().get("VersionId")
    room.engine.on(OPERATION, replaced(room, b"newer"), nth=5)
    handle, found = to_path(room, target)
    assert found == DATA
    assert handle.outcome.version_id == version


def test_an_object_of_the_same_size_is_known_by_its_date_where_there_are_no_etags(room, target):
    room.put()
    odd = lambda engine, call: answers(bared(engine.perform(call)), ETag=None)  # noqa: E731
    newer = lambda engine, call: answers(odd(engine, call), LastModified="later")  # noqa: E731
    room.engine.on(OPERATION, odd, times=5)
    room.engine.on(OPERATION, newer, times=99)
    assert isinstance(to_path(room, target)[0].error, ObjectChangedError)


def test_a_full_disk_is_none_of_the_network_for_an_engine_that_says_so_of_any_error(room, target, monkeypatch):
    def lean(engine, call):
        try:
            return engine.perform(call)
        except OSError:
            raise lost() from None

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    room.put()
    monkeypatch.setattr(os, "pwrite", full)
    room.engine.on(OPERATION, lean, times=999)
    handle = room.download(target)
    assert getattr(handle.error, "errno", None) == errno.ENOSPC
    assert room.engine.count(OPERATION) <= 1 + room.settings.threads


def test_the_sizes_of_many_parts_are_listed_page_by_page(room, target):
    room.upload(DATA, checksum_algorithm="SHA256").result()
    page = lambda engine, call: engine.perform(Call(call.operation, {**call.params, "MaxParts": 2}))  # noqa: E731
    room.engine.on("GetObjectAttributes", page, times=99)
    handle, found = to_path(room, target)
    assert (found, handle.outcome.verified) == (DATA, "SHA256 (composite)")
    assert room.engine.count("GetObjectAttributes") == 7
