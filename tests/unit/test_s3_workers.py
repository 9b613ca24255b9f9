"""The parts of a large object: no more of them at once than S3 lets, and all end when one fails or Ctrl-C comes."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from mangrove.errors import ThrottledError
from mangrove.s3.rules.policy import Policy
from mangrove.s3.running.workers import Stop, Workers

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers.large import DATA, Faulty, Room, refused

PARTS = 30
PARTS_OF_DATA = 13
LONG = bytes(range(100)) * PARTS


class Slow:
    """Ask the first calls at once to slow down, and see how many run at once when these are through."""

    def __init__(self, room, operation, first):
        self.performer, self.lock = room.performer, threading.Lock()
        self.together = threading.Barrier(first, timeout=10)
        self.asked, self.through, self.running, self.seen, self.sizes = set(), set(), 0, [], []
        windows, perform = self.performer.retrying.windows, room.engine.perform

        def slowed(call):
            part = call.params.get("PartNumber") or call.params.get("Range")
            if call.operation != operation or part is None:
                return perform(call)
            with self.lock:
                is_first = part not in self.asked and len(self.asked) < first
                if is_first:
                    self.asked.add(part)
            if is_first:
                self.together.wait()
                raise refused("SlowDown", 503)
            with self.lock:
                self.running += 1
                self.sizes.append(windows.size("bucket/"))
                if self.through == self.asked:
                    self.seen.append((self.running, self.sizes[-1]))
            time.sleep(0.005)  # long enough for all others to come
            try:
                return perform(call)
            finally:
                with self.lock:
                    self.running -= 1
                    self.through |= {part} & self.asked

        room.engine.perform = slowed


@pytest.mark.parametrize("operation", ["UploadPart", "GetObject", "UploadPartCopy"])
def test_parts_keep_to_the_window_of_a_prefix_that_s3_slows_down(tmp_path, operation):
    room = Room(tmp_path, threads=8)
    room.policy = Policy(deadline=1e9)
    room.put(LONG)
    slow = Slow(room, operation, 8)
    make = room.maker
    handle = {
        "UploadPart": lambda: make.upload("bucket", "other", LONG),
        "GetObject": lambda: make.download("bucket", "key"),
        "UploadPartCopy": lambda: make.copy("bucket", "key", "bucket", "other"),
    }[operation]()

    slow.performer.run(handle).result()

    assert len(slow.sizes) == PARTS
    assert slow.sizes[0] <= 4
    # Those that were asked first try again when they like; what begins after them waits for its turn.
    assert len(slow.seen) > 10
    assert all(running <= size for running, size in slow.seen)
    windows = slow.performer.retrying.windows
    assert windows._windows["bucket/"].running == 0
    assert 1 < windows.size("bucket/") < 10
    assert room.held("key" if operation == "GetObject" else "other") == LONG


def test_a_window_is_given_back_when_a_part_fails_for_good(tmp_path):
    room = Room(tmp_path, threads=3)
    room.policy = Policy(deadline=10)
    room.engine.on("UploadPart", Faulty.before(refused("SlowDown", 503)), times=10**6)
    performer = room.performer

    with pytest.raises(ThrottledError):
        performer.run(room.maker.upload("bucket", "key", DATA)).result()

    assert performer.retrying.windows._windows["bucket/"].running == 0
    assert room.uploads == []


def test_what_waits_for_its_turn_ends_when_another_part_fails(tmp_path):
    room = Room(tmp_path, threads=3)
    performer = room.performer
    performer.retrying.slow("bucket", "key", 2)
    room.engine.on("UploadPart", Faulty.before(refused("AccessDenied", 403)), nth=2)

    with pytest.raises(PermissionError):
        performer.run(room.maker.upload("bucket", "key", DATA)).result()

    assert room.engine.count("UploadPart") < PARTS_OF_DATA
    assert performer.retrying.windows._windows["bucket/"].running == 0


def test_ctrl_c_while_a_thread_is_started_leaves_no_part_behind(tmp_path, monkeypatch):
    """A pool does not know the thread then; it may have begun, and must have ended before the upload is aborted."""
    room = Room(tmp_path, threads=3)
    start, begun, ended = threading.Thread.start, threading.Event(), []
    perform = room.engine.perform

    def slowly(call):
        if call.operation == "UploadPart":
            begun.set()
            time.sleep(0.05)
        ended.append(call.operation)
        return perform(call)

    def interrupted(self):
        start(self)
        if self.name.startswith("mangrove-s3-part"):
            begun.wait(10)
            raise KeyboardInterrupt

    room.engine.perform = slowly
    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        room.performer.run(room.maker.upload("bucket", "key", DATA))

    assert ended[-1] == "AbortMultipartUpload"
    assert ended.count("UploadPart") == 1
    assert room.uploads == []


def test_ctrl_c_before_the_others_are_told_does_not_make_what_waits(tmp_path, monkeypatch):
    room = Room(tmp_path, threads=1)
    workers = Workers(room.performer, room.maker.head("bucket", "key"))
    done, begun = [], threading.Event()

    def work(number):
        begun.set()
        time.sleep(0.02)
        done.append(number)

    def jobs():
        yield from range(100)
        begun.wait(10)
        raise KeyboardInterrupt

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "_fail", interrupted)
    with pytest.raises(KeyboardInterrupt):
        workers.run(work, jobs(), done.append)
    assert len(done) <= 4


def test_the_sign_to_stop_wakes_whoever_waits():
    stop = Stop()
    stop.wait(0)
    assert not stop.is_set()
    waiting = [threading.Thread(target=stop.wait, args=(60,)) for _ in range(5)]
    for each in waiting:
        each.start()
    stop.set()
    stop.set()
    for each in waiting:
        each.join(10)
    assert not any(each.is_alive() for each in waiting)
    assert stop.is_set()
