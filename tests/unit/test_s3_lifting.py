"""Large objects side by side: as many as their parts leave room for, and their bytes are seen to move."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mangrove import s3
from mangrove.cli.s3_report import Report
from mangrove.s3.outcome import Progress
from mangrove.s3.running.handle import Handle
from mangrove.s3.running.lifting import Lifts
from mangrove.s3.running.performing import Settings

MIB = 1 << 20


class Crowd:
    """Hold large objects until they are told to end."""

    def __init__(self, **settings):
        self.lifts, self.gate, self.running = Lifts(Settings(**settings)), threading.Event(), []

    def begin(self, length):
        handle = Handle("bucket", f"{length}")
        handle.length = length
        self.lifts.begin(handle, lambda: (self.running.append(handle), self.gate.wait(30)))
        return handle

    def admitted(self):
        return len(self.lifts._places)

    def end(self):
        self.gate.set()
        self.lifts.close()


@pytest.fixture
def crowd():
    made = []

    def make(**settings):
        made.append(Crowd(**settings))
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.mark.parametrize(
    ("length", "threads", "at_once"),
    [
        (20 * MIB, 8, 16),  # two parts each
        (1 * MIB, 8, 32),
        (10 << 30, 8, 4),
        (None, 8, 4),  # nobody knows how long
        (10 << 30, 1, 32),
        (10 << 30, 64, 1),  # more than there is room for, and so alone
    ],
)
def test_as_many_at_once_as_their_parts_leave_room_for(crowd, length, threads, at_once):
    these = crowd(threads=threads)
    handles = [these.begin(length) for _ in range(40)]
    assert these.admitted() == at_once
    these.lifts.end(handles[0])
    assert these.admitted() == at_once


def test_they_begin_in_their_order_and_a_huge_one_is_not_passed_for_ever(crowd):
    these = crowd(threads=32)
    small, huge, last = these.begin(MIB), these.begin(10 << 30), these.begin(MIB)
    assert list(these.lifts._places) == [small]
    these.lifts.end(small)
    assert list(these.lifts._places) == [huge]
    these.lifts.end(huge)
    assert list(these.lifts._places) == [last]


def test_what_has_not_begun_does_not_when_all_is_closed(crowd):
    these = crowd(threads=32)
    these.begin(10 << 30)
    these.begin(10 << 30)
    these.end()
    assert len(these.running) == 1


@pytest.fixture
def conn():
    with s3.Connection.in_memory(threshold=5 * MIB, part_size=5 * MIB, threads=1) as made:
        made.create_bucket("bucket")
        yield made


@pytest.mark.parametrize("verb", ["upload", "upload of a stream", "download", "download to a file"])
def test_bytes_are_counted_while_a_large_object_moves(conn, verb, tmp_path):
    size = 21 * MIB
    path: Path = tmp_path / "file"
    conn.upload("bucket", "key", bytes(size))
    engine, seen = conn.backend.engine, []
    perform = engine.perform

    def spied(call):
        if call.operation == "UploadPart" or "Range" in call.params:
            seen.append(batch.progress.bytes)
        return perform(call)

    engine.perform = spied
    with conn.batch() as batch:
        if verb == "upload":
            batch.upload("bucket", "other", bytes(size))
        elif verb == "upload of a stream":
            batch.upload("bucket", "other", (bytes(MIB) for _ in range(21)))
        else:
            batch.download("bucket", "key", path if verb.endswith("file") else None)
    engine.perform = perform

    assert seen[0] == 0
    assert seen == sorted(set(seen))
    assert size > seen[-1] >= 15 * MIB
    assert batch.progress.bytes == size


def test_a_line_on_the_terminal_moves_with_the_bytes(capsys, monkeypatch):
    monkeypatch.setattr("mangrove.cli.s3_report._EVERY", 0)
    report = Report("text")
    report._live = True
    report.count(5 * MIB)
    assert "under way, 5.0 MiB" in capsys.readouterr().err
    report.watch()(Progress(bytes=7 * MIB))
    assert "under way, 7.0 MiB" in capsys.readouterr().err


def test_the_command_line_counts_a_single_large_object(conn, tmp_path):
    from mangrove.cli.s3_tasks import Task, perform

    path = tmp_path / "file"
    path.write_bytes(bytes(21 * MIB))
    report, counted = Report("text", progress=False, shown=False), []
    report.count = counted.append
    perform(conn.backend, [Task("cp", str(path), "s3://bucket/key")], report, concurrency=1, alone=True)
    assert (sum(counted), len(counted)) == (21 * MIB, 5)
    assert report.code == 0
