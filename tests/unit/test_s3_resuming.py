"""Uploads that go on where another process ended, the journal that remembers them, and what sweeps up the rest."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)

from mangrove.errors import AccessDeniedError, ConfigError  # noqa: E402
from mangrove.s3.engines.base import Call  # noqa: E402
from mangrove.s3.large.journal import Entry, Journal  # noqa: E402
from mangrove.s3.large.sweep import sweep_bucket, sweep_files, sweep_journal  # noqa: E402
from mangrove.s3.rules.checksums import crc32  # noqa: E402
from mangrove.s3.rules.plan import Limits  # noqa: E402
from mangrove.s3.rules.policy import Policy  # noqa: E402
from servers.large import DATA, Faulty, Room, lost, refused  # noqa: E402

PARTS = 13


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


def interrupt(room, path, nth=6, **options):
    """Upload until the network goes away, for ever."""
    room.set(threads=1)
    room.engine.on("UploadPart", Faulty.before(lost), nth=nth, times=10_000)
    error = room.upload(path, **options).exception()
    room.engine.plans.clear()
    room.engine.calls.clear()
    return error


def entries(room):
    return sorted(path for path in room.journal.iterdir()) if room.journal.exists() else []


def test_an_upload_goes_on_where_the_network_went_away(room, path):
    error = interrupt(room, path)
    assert "S3 has 500 of 1234 bytes: the same upload goes on from there" in str(error)
    assert len(room.uploads) == 1
    assert [stat.S_IMODE(each.stat().st_mode) for each in entries(room)] == [0o600]
    outcome = room.upload(path).outcome
    assert outcome.ok
    assert (outcome.resumed, outcome.size, outcome.verified) == (500, 1234, "CRC32")
    assert room.engine.count("CreateMultipartUpload") == 0
    assert room.engine.count("UploadPart") == PARTS - 5
    assert room.held() == DATA
    assert not room.uploads
    assert not entries(room)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(st.integers(1, PARTS), min_size=1, max_size=5))
def test_however_often_it_ends_it_sends_no_part_twice(room, path, ends):
    sent = 0
    for nth in ends:
        interrupt(room, path, nth)
        room.set(threads=3)
        sent += nth - 1
        if sent >= PARTS:
            break
    outcome = room.upload(path).outcome
    assert outcome.ok
    assert room.held() == DATA
    assert not room.uploads
    assert not entries(room)


def test_an_upload_that_failed_for_good_is_not_kept(room, path):
    room.engine.on("UploadPart", Faulty.before(refused("AccessDenied", 403)), nth=6, times=99)
    assert isinstance(room.upload(path).exception(), AccessDeniedError)
    assert not room.uploads
    assert not entries(room)


def test_an_upload_that_could_not_be_aborted_is_remembered(room, path):
    room.engine.on("UploadPart", Faulty.before(refused("AccessDenied", 403)), nth=6, times=99)
    room.engine.on("AbortMultipartUpload", Faulty.before(refused("AccessDenied", 403)), times=99)
    room.upload(path)
    room.engine.plans.clear()
    assert len(room.uploads) == len(entries(room)) == 1
    assert room.upload(path).outcome.resumed >= 300
    assert not room.uploads


@pytest.mark.parametrize("change", ["file", "key", "options", "checksum"])
def test_another_upload_does_not_go_on_with_it(room, path, change):
    interrupt(room, path)
    if change == "file":
        path.write_bytes(DATA[::-1])
    options = {"options": {"content_type": "text/x"}, "checksum": {"checksum_algorithm": "CRC32C"}}.get(change, {})
    handle = room.run(room.maker.upload("bucket", "other" if change == "key" else "key", path, **options))
    assert handle.outcome.ok
    assert handle.outcome.resumed == 0
    assert len(room.uploads) == 1


def test_the_parts_keep_their_size_whatever_the_limits_are_now(room, path):
    interrupt(room, path)
    room.set(limits=Limits(threshold=100, part_size=300, least=1))
    assert room.upload(path).outcome.resumed == 500
    assert room.held() == DATA


@pytest.mark.parametrize("with_sums", [True, False])
def test_a_part_that_is_not_the_files_is_sent_again(room, path, with_sums):
    def old(engine, call):
        for name in ("ChecksumCRC32", "ChecksumAlgorithm", "ChecksumType"):
            call.params.pop(name, None)
        return engine.perform(call)

    room.set(checksum="CRC32")
    if not with_sums:
        for operation in ("CreateMultipartUpload", "UploadPart"):
            room.engine.on(operation, old, times=5)
    interrupt(room, path, 6 if with_sums else 1)  # the plan for the first five comes first
    upload = next(iter(room.store.bucket("bucket").uploads.values()))
    body = b"?" * 100
    named = {"Bucket": "bucket", "Key": "key", "UploadId": upload.id, "PartNumber": 2}
    sums = {"ChecksumCRC32": crc32(body)} if with_sums else {}
    room.memory.perform(Call("UploadPart", {**named, **sums}, body=body))
    if not with_sums:
        room.engine.on("UploadPart", old, times=99)
    assert room.upload(path).outcome.resumed == 400
    assert room.held() == DATA


@pytest.mark.parametrize("code", ["NoSuchUpload", "AccessDenied"])
def test_an_upload_that_is_gone_or_not_to_be_seen_begins_anew(room, path, code):
    interrupt(room, path)
    if code == "NoSuchUpload":
        room.memory.perform(
            Call("AbortMultipartUpload", {"Bucket": "bucket", "Key": "key", "UploadId": room.uploads[0]})
        )
    else:
        room.engine.on("ListParts", Faulty.before(refused("AccessDenied", 403)), times=99)
    outcome = room.upload(path).outcome
    assert outcome.ok
    assert outcome.resumed == 0
    assert not room.uploads
    assert not entries(room)


def test_while_the_network_is_away_it_is_not_forgotten(room, path):
    interrupt(room, path)
    room.policy = Policy(deadline=1.0)
    room.engine.on("ListParts", Faulty.before(lost), times=999)
    assert not room.upload(path).outcome.ok
    room.engine.plans.clear()
    assert room.upload(path).outcome.resumed == 500


def test_many_parts_are_listed_page_by_page(room, path):
    interrupt(room, path)
    page = lambda engine, call: engine.perform(Call(call.operation, {**call.params, "MaxParts": 2}))  # noqa: E731
    room.engine.on("ListParts", page, times=99)
    assert room.upload(path).outcome.resumed == 500
    assert room.engine.count("ListParts") == 3


def test_streams_and_bytes_are_not_remembered(room):
    room.engine.on("UploadPart", Faulty.before(lost), nth=6, times=10_000)
    for data in (iter([DATA]), DATA):
        assert not room.upload(data).outcome.ok
        assert not entries(room)
    assert not room.uploads


def test_without_a_journal_nothing_is_kept(room, path):
    room.set(journal="")
    error = interrupt(room, path)
    assert "goes on from there" not in str(error)
    assert not room.uploads
    assert not room.journal.exists()


def test_a_journal_that_cant_be_written_is_no_reason_to_fail(room, path, monkeypatch):
    room.set(journal="/proc/nowhere")
    assert room.upload(path).result() is True
    room.set(journal=str(room.journal))

    def full(*_):
        raise OSError("full")

    monkeypatch.setattr("mangrove.s3.large.journal.write_private", full)
    assert room.upload(path).result() is True


def test_keys_of_encryption_are_not_written_down(room, path):
    interrupt(room, path, sse_customer_key="canary" + "k" * 26)
    assert entries(room)
    for each in entries(room):
        assert b"canary" not in each.read_bytes()
        assert "canary" not in each.name


def test_two_processes_do_not_share_an_upload(room, path):
    interrupt(room, path)
    with Journal(str(room.journal)).record("mine") as record, Journal(str(room.journal)).record("mine") as other:
        assert record.held
        assert not other.held
        other.keep(Entry("b", "k", "u", 1, "CRC32", "FULL_OBJECT"))
        other.forget()
        assert [record.held for _, record in Journal(str(room.journal)).entries()] == [True]
    with Journal(str(room.journal)).record("mine") as record:
        assert record.held
    assert [each.suffix for each in entries(room)] == [".json"]


ENTRY = {"bucket": "b", "key": "k", "upload_id": "u", "part_size": 1, "algorithm": "CRC32", "kind": "FULL_OBJECT"}


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"{", b"[]", b"null", b"3", b"\xff", b'{"bucket": 3}',
        json.dumps({**ENTRY, "more": 1}).encode(), json.dumps({**ENTRY, "part_size": 0}).encode(),
        json.dumps({**ENTRY, "part_size": "9"}).encode(), json.dumps({**ENTRY, "key": None}).encode(),
        json.dumps({**ENTRY, "begun": "x"}).encode(), b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_damaged_entry_is_none(room, path, damage):
    interrupt(room, path)
    (entry,) = entries(room)
    entry.write_bytes(damage)
    outcome = room.upload(path).outcome
    assert outcome.ok
    assert outcome.resumed == 0
    assert not entries(room)


def test_an_entry_that_others_can_write_is_none(room, path):
    interrupt(room, path)
    (entry,) = entries(room)
    entry.chmod(0o666)
    assert room.upload(path).outcome.resumed == 0


# -- sweeping ---------------------------------------------------------------------------------------------------------


def begin(room, key):
    return room.memory.perform(Call("CreateMultipartUpload", {"Bucket": "bucket", "Key": key})).get("UploadId")


def test_uploads_of_a_bucket_are_aborted_when_they_are_old(room):
    names = {f"s3://bucket/{key}": begin(room, key) for key in ("a", "b/ü +&", "b/c")}
    later = lambda: 2e10  # noqa: E731
    assert list(sweep_bucket(room.performer, "bucket")) == []
    found = list(sweep_bucket(room.performer, "bucket", clock=later, dry_run=True))
    assert {each.name: each.upload_id for each in found} == names
    assert not any(each.removed for each in found)
    assert len(room.uploads) == 3
    assert [each.name for each in sweep_bucket(room.performer, "bucket", "b/c", clock=later)] == ["s3://bucket/b/c"]
    assert all(each.removed for each in sweep_bucket(room.performer, "bucket", older_than=0))
    assert not room.uploads


def test_many_uploads_are_listed_page_by_page(room):
    for number in range(7):
        begin(room, f"a b{number // 2}")
    page = lambda engine, call: engine.perform(Call(call.operation, {**call.params, "MaxUploads": 3}))  # noqa: E731
    room.engine.on("ListMultipartUploads", page, times=99)
    assert len(list(sweep_bucket(room.performer, "bucket", older_than=0))) == 7
    assert not room.uploads


def test_an_upload_that_cant_be_aborted_is_told_and_the_rest_goes_on(room):
    for key in "abc":
        begin(room, key)
    room.engine.on("AbortMultipartUpload", Faulty.before(refused("AccessDenied", 403)), nth=1)
    room.engine.on("AbortMultipartUpload", Faulty.before(refused("NoSuchUpload", 404)), nth=1)
    found = list(sweep_bucket(room.performer, "bucket", older_than=0))
    assert [type(each.error).__name__ for each in found] == ["ClientError", "NoneType", "NoneType"]
    assert [each.removed for each in found] == [False, True, True]


def test_what_the_journal_remembers_is_aborted(room, path):
    interrupt(room, path)
    begin(room, "somebody else's")
    assert [each.removed for each in sweep_journal(room.performer, dry_run=True)] == [False]
    (swept,) = sweep_journal(room.performer)
    assert (swept.name, swept.removed) == ("s3://bucket/key", True)
    assert len(room.uploads) == 1
    assert not entries(room)


def test_the_journal_of_another_endpoint_is_left_alone(room, path):
    room.engine.where = "https://one"
    interrupt(room, path)
    room.engine.where = "https://two"
    assert list(sweep_journal(room.performer)) == []
    assert room.upload(path).outcome.resumed == 0
    room.engine.where = "https://one"
    assert room.upload(path).outcome.resumed == 500


def test_temporary_files_are_removed_when_they_are_old(tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    ours = [tmp_path / f".mangrove-{'0' * 16}.part", deep / f".mangrove-{'f' * 16}.part"]
    others = [deep / ".mangrove-xyz.part", deep / "file", deep / f".mangrove-{'f' * 16}.part.txt"]
    for each in (*ours, *others):
        each.touch()
    (deep / "away").symlink_to(tmp_path.parent)
    assert list(sweep_files(tmp_path)) == []
    os.utime(ours[0], (1, 1))
    assert [each.name for each in sweep_files(tmp_path, dry_run=True)] == [str(ours[0])]
    assert ours[0].exists()
    assert [each.removed for each in sweep_files(tmp_path)] == [True]
    assert [each.name for each in sweep_files(tmp_path, older_than=0)] == [str(ours[1])]
    assert not any(each.exists() for each in ours)
    assert all(each.exists() for each in others)


def test_an_age_that_is_none_is_refused(room, tmp_path):
    for wrong in (-1, "1", True, float("nan")):
        with pytest.raises(ConfigError, match="older_than"):
            list(sweep_bucket(room.performer, "bucket", older_than=wrong))
        with pytest.raises(ConfigError, match="older_than"):
            list(sweep_files(tmp_path, older_than=wrong))
    with pytest.raises(FileNotFoundError):
        list(sweep_files(tmp_path / "missing"))


def test_an_upload_of_which_nothing_was_sent_is_not_kept(room, path):
    error = interrupt(room, path, 1)
    assert "goes on from there" not in str(error)
    assert not room.uploads
    assert not entries(room)
