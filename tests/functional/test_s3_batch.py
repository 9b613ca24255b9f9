"""A batch makes any number of operations, loses none, and says what became of each: against an S3 in memory."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import pickle
import queue
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
from functools import partial

import pytest

from mangrove import s3
from mangrove.errors import (
    BatchError,
    ConfigError,
    DeclarationTypeError,
    NotFoundError,
    TransferCancelledError,
    TransferError,
)
from mangrove.s3.engines.memory import MemoryEngine
from servers.threads import begun


class GateEngine(MemoryEngine):
    """Let no call end before the gate is open."""

    def __init__(self, store, **options):
        super().__init__(store, **options)
        self.gate = threading.Event()
        self.waiting = []

    def submit(self, call):
        self.waiting.append(call)

    def poll(self, timeout):
        if self.gate.is_set():
            waiting, self.waiting = self.waiting, []
            for call in waiting:
                super().submit(call)
        return super().poll(min(timeout, 5))

    def open(self):
        self.gate.set()
        self.wake()


@pytest.fixture
def connection():
    made = s3.Connection.in_memory()
    made.create_bucket("bucket")
    yield made
    made.close()
    assert threads() == []


@pytest.fixture
def gate(connection, monkeypatch):
    """Make the connection's engine one that waits."""
    engine = GateEngine(connection._stand_in.store)
    backend = connection.backend
    monkeypatch.setattr(backend, "engine", engine)
    monkeypatch.setattr(backend.performer, "engine", engine)
    yield engine
    engine.open()


def threads():
    return begun("mangrove-s3")


def test_every_method_returns_a_handle_and_the_results_are_in_order(connection, tmp_path):
    (tmp_path / "in").write_bytes(b"file")
    with connection.batch(4) as batch:
        batch.upload("bucket", "a", "text").result()
        batch.upload("bucket", "b", b"bytes", {"Content-Type": "text/x"}, {"Metadata": {"a": "b"}}, 2).result()
        batch.upload_file("bucket", "c", tmp_path / "in").result()
        batch.copy("bucket", "a", "bucket", "d").result()
        batch.move("bucket", "d", "bucket", "e").result()
        batch.download("bucket", "a")
        batch.download("bucket", "a", encoding="utf-8")
        batch.download_file("bucket", "c", tmp_path / "out").result()
        batch.exists("bucket", "e")
        batch.exists("bucket", "d")
        head = batch.head("bucket", "b")
        batch.delete("bucket", "e")
    results = batch.results()
    assert results[:5] == [True] * 5
    assert results[5:10] == [b"text", "text", tmp_path / "out", True, False]
    assert head.result()["ContentType"], results[10]["Metadata"] == ("text/x", {"a": "b"})
    assert results[11:] == [True]
    assert (tmp_path / "out").read_bytes() == b"file"
    assert batch.success()
    assert batch.failures() == []


def test_results_are_in_the_order_they_were_added(connection):
    with connection.batch(50) as batch:
        for number in range(2000):
            batch.upload("bucket", f"{number}", str(number))
    with connection.batch(50) as batch:
        for number in range(2000):
            batch.download("bucket", f"{number}")
    assert batch.results() == [str(number).encode() for number in range(2000)]


def test_a_callback_gets_the_result_once_in_the_thread_that_uses_the_batch(connection):
    seen, where = [], set()

    def callback(number, value):
        seen.append((number, value))
        where.add(threading.current_thread())

    with connection.batch(8) as batch:
        for number in range(500):
            batch.upload("bucket", f"{number}", str(number), callback=partial(callback, number))
    assert sorted(seen) == [(number, True) for number in range(500)]
    seen.clear()
    with connection.batch(8) as batch:
        for number in range(500):
            batch.download("bucket", f"{number}", callback=partial(callback, number))
        batch.download("bucket", "none", callback=partial(callback, "never"), retries=0)
        assert not batch.success()
        batch._raise_errors = False
    assert sorted(seen) == [(number, str(number).encode()) for number in range(500)]
    assert where == {threading.current_thread()}


def test_failures_are_raised_in_one_error(connection):
    connection.upload("bucket", "here", b"x")
    with pytest.raises(BatchError) as caught, connection.batch() as batch:
        for number in range(20):
            batch.download("bucket", "here" if number % 2 else f"none-{number}")
    error = caught.value
    assert isinstance(error, TransferError)
    assert [outcome.key for outcome in error.failures] == [f"none-{number}" for number in range(0, 20, 2)]
    assert all(isinstance(outcome.error, NotFoundError) for outcome in error.failures)
    assert "10 of 20 operations failed: download s3://bucket/none-0: " in str(error)
    assert "and 5 more" in str(error)
    assert error.__cause__ is error.failures[0].error
    assert batch.results() == [None, b"x"] * 10
    copy = pickle.loads(pickle.dumps(error))
    assert [str(each.error) for each in copy.failures] == [str(each.error) for each in error.failures]


def test_without_raise_errors_they_are_asked_for(connection):
    with connection.batch(raise_errors=False) as batch:
        handle = batch.download("bucket", "none")
    assert not batch.success()
    assert [outcome.key for outcome in batch.failures()] == ["none"]
    assert isinstance(handle.exception(), NotFoundError)
    assert not handle.outcome.ok
    with pytest.raises(NotFoundError):
        handle.result()


def test_a_callbacks_error_is_the_callbacks(connection):
    def failing(value):
        raise ZeroDivisionError("mine")

    told = "2 callbacks failed, the first with ZeroDivisionError"
    with pytest.raises(BatchError, match=told) as caught, connection.batch() as batch:
        for number in range(5):
            batch.upload("bucket", f"{number}", b"x", callback=failing if number < 2 else None)
    assert batch.success()
    assert batch.results() == [True] * 5
    assert caught.value.failures == ()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert sorted(handle.key for handle, _ in batch.callback_errors()) == ["0", "1"]
    assert all(connection.exists("bucket", f"{number}") for number in range(5))


def test_a_callback_may_add_and_wait_and_go_deep(connection):
    count = itertools.count(1)

    def again(value):
        if (number := next(count)) < 3000:
            handle = batch.upload("bucket", f"{number}", b"x", callback=again)
            if number % 1000 == 0:
                assert handle.result() is True

    with connection.batch(4) as batch:
        batch.upload("bucket", "0", b"x", callback=again)
    assert len(batch.results()) == 3000


def test_a_batch_inside_a_callback(connection):
    def inner(value):
        with connection.batch(4) as other:
            for number in range(10):
                other.upload("bucket", f"inner-{number}", value)

    connection.upload("bucket", "a", b"data")
    with connection.batch(4) as batch:
        batch.download("bucket", "a", callback=inner)
    assert connection.download("bucket", "inner-9") == b"data"


def test_cancel_ends_what_has_not_begun(connection, gate):
    with connection.batch(2, raise_errors=False) as batch:
        handles = [batch.upload("bucket", f"{number}", b"x") for number in range(10)]
        while len(gate.waiting) < 2:
            time.sleep(0.001)
        assert handles[9].cancel()
        assert not handles[9].cancel()
        assert handles[9].cancelled()
        assert not handles[0].cancel()
        assert batch.cancel() == 7
        assert batch.cancel() == 0
        gate.open()
    assert batch.results() == [True, True] + [None] * 8
    assert all(isinstance(outcome.error, TransferCancelledError) for outcome in batch.failures())
    assert batch.progress.done == 2
    assert batch.progress.failed == 8


def test_wait_and_result_take_a_timeout(connection, gate):
    with connection.batch(2) as batch:
        handle = batch.upload("bucket", "a", b"x")
        assert batch.wait(0) is False
        assert batch.wait(0.02) is False
        with pytest.raises(TimeoutError, match="a: under way> has not ended after 0.01 s; it goes on"):
            handle.result(timeout=0.01)
        assert not handle.done()
        gate.open()
        assert handle.outcome.ok
        assert batch.wait(5) is True
    assert (handle.done(), handle.cancelled(), handle.cancel()) == (True, False, False)
    assert "done" in repr(handle)


def test_progress_is_told(connection):
    told = []
    with connection.batch(4, progress=told.append) as batch:
        for number in range(300):
            batch.upload("bucket", f"{number}", b"x" * 10)
    assert (told[-1].done, told[-1].total, told[-1].failed, told[-1].bytes) == (300, 300, 0, 3000)
    with connection.batch(4, progress=told.append, keep_results=False) as batch:
        batch.download("bucket", "1")
    assert told[-1].bytes == 10
    with pytest.raises(DeclarationTypeError, match="progress is True"):
        connection.batch(progress=3)


def test_two_batches_at_once_from_two_threads(connection):
    failures = []

    def work(name):
        try:
            with connection.batch(8) as batch:
                for number in range(500):
                    batch.upload("bucket", f"{name}/{number}", name)
            assert batch.results() == [True] * 500
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    both = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert not failures
    assert sum(1 for _ in connection.list("bucket")) == 1000


def test_one_batch_from_many_threads(connection):
    with connection.batch(8) as batch:

        def work(name):
            for number in range(200):
                batch.upload("bucket", f"{name}/{number}", name)

        many = [threading.Thread(target=work, args=(str(name),)) for name in range(6)]
        for each in many:
            each.start()
        for each in many:
            each.join()
    assert len(batch.results()) == 1200
    assert sum(1 for _ in connection.list("bucket")) == 1200


def test_a_batch_after_its_end(connection):
    with connection.batch() as batch:
        handle = batch.upload("bucket", "a", b"x")
    with pytest.raises(ConfigError, match="the batch has ended; make another one"):
        batch.upload("bucket", "b", b"x")
    assert (handle.result(), batch.results(), batch.wait(), batch.cancel()) == (True, [True], True, 0)


def test_a_batch_without_a_with(connection):
    batch = connection.batch(2)
    batch.upload("bucket", "a", b"x")
    assert batch.results() == [True]
    batch.upload("bucket", "b", b"x")
    assert batch.success()
    assert connection.backend.scheduler._sources == []


def test_without_results_nothing_is_kept(connection):
    connection.upload("bucket", "a", b"x")
    with connection.batch(keep_results=False) as batch:
        handle = batch.download("bucket", "a")
    assert handle.result() == b"x"
    with pytest.raises(ConfigError, match="keep_results=False"):
        batch.results()


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "50", None, True])
def test_a_concurrency_that_is_none(connection, concurrency):
    with pytest.raises(ConfigError, match="concurrency is a whole number"):
        connection.batch(concurrency)


# -- ends that come early ---------------------------------------------------------------------------------------------


class MineError(Exception):
    pass


@pytest.mark.parametrize("kind", [MineError, KeyboardInterrupt, SystemExit])
def test_an_exception_in_the_body_begins_nothing_new_and_ends_what_is_under_way(connection, gate, kind):
    with pytest.raises(kind), connection.batch(3) as batch:
        handles = [batch.upload("bucket", f"{number}", b"x") for number in range(20)]
        while len(gate.waiting) < 3:
            time.sleep(0.001)
        threading.Timer(0.02, gate.open).start()
        raise kind
    assert [handle.key for handle in handles if handle.error is None] == ["0", "1", "2"]
    assert all(isinstance(handle.error, TransferCancelledError) for handle in handles[3:])
    assert [str(key) for key in connection.list("bucket")] == ["0", "1", "2"]


def test_ctrl_c_while_waiting(connection, gate):
    def press(progress):
        if not gate.gate.is_set():
            gate.open()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), connection.batch(3, progress=press) as batch:
        handles = [batch.upload("bucket", f"{number}", b"x") for number in range(20)]
        while len(gate.waiting) < 3:
            time.sleep(0.001)
    assert [handle.key for handle in handles if handle.error is None] == ["0", "1", "2"]
    assert all(handle.ended for handle in handles)


class BellEngine(MemoryEngine):
    """Be woken as the engines of production are: by what Ctrl-C can't leave locked."""

    def __init__(self, store):
        super().__init__(store)
        self._bell = queue.SimpleQueue()

    def poll(self, timeout):
        if not self._ended:
            with contextlib.suppress(queue.Empty):
                self._bell.get(timeout=min(timeout, 1))
        ended, self._ended = self._ended, []
        return ended

    def wake(self):
        self._bell.put(None)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="POSIX timers")
def test_ctrl_c_at_any_moment_neither_hangs_nor_loses_count(connection):
    backend = connection.backend
    backend.engine = backend.performer.engine = BellEngine(connection._stand_in.store)
    with connection.batch() as batch:
        batch.upload("bucket", "a", b"x")  # threads of Python itself are not proof against it while they start

    def press(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, press)
    draw = random.Random(3)  # noqa: S311  no secret
    try:
        for _ in range(60):
            batch = None
            try:
                signal.setitimer(signal.ITIMER_REAL, draw.uniform(0.0005, 0.01))
                with connection.batch(4) as batch:
                    for number in range(100_000):
                        batch.upload("bucket", f"{number % 100}", b"x", callback=str)
            except KeyboardInterrupt:
                pass
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            if batch is not None:
                assert batch.wait(5)
                assert batch.progress.ended == batch._added
    finally:
        signal.signal(signal.SIGALRM, before)


def test_closing_the_connection_in_the_middle_ends_all_with_an_error(connection, gate):
    batch = connection.batch(3, raise_errors=False)
    handles = [batch.upload("bucket", f"{number}", b"x") for number in range(20)]
    while len(gate.waiting) < 3:
        time.sleep(0.001)
    connection.close()
    assert batch.wait(5)
    assert all(isinstance(handle.error, TransferCancelledError) for handle in handles)
    with pytest.raises(ConfigError, match="the batch has ended: the connection was closed"):
        batch.upload("bucket", "a", b"x")
    assert threads() == []
    # The connection itself opens anew.
    connection.upload("bucket", "a", b"x")
    with connection.batch() as other:
        other.upload("bucket", "b", b"x")


def test_a_connection_that_is_dropped_lives_as_long_as_its_batch_and_no_longer():
    with s3.Connection.in_memory().batch() as batch:
        gc.collect()
        batch._owner.create_bucket("bucket")
        batch.upload("bucket", "a", b"x")
    assert batch.success()
    del batch
    gc.collect()
    assert threads() == []


# -- memory -----------------------------------------------------------------------------------------------------------


def test_200_000_operations_from_a_generator_take_no_more_memory_than_a_few_thousand(connection):
    counts = []

    def bodies():
        for number in range(200_000):
            if number in (5_000, 100_000, 199_999):
                gc.collect()
                counts.append(len(gc.get_objects()))
            yield number % 10, bytes(100)

    with connection.batch(50) as batch:
        for number, body in bodies():
            batch.upload("bucket", f"{number}", body)
    assert batch.success()
    assert batch.progress.done == 200_000
    # What waits and what is under way: 450 operations of some ten objects each.
    assert max(counts) - min(counts) < 10_000


def test_downloads_with_a_callback_are_not_kept_without_results(connection):
    connection.upload("bucket", "a", bytes(100_000))
    gc.collect()
    tracemalloc.start()
    with connection.batch(4, keep_results=False) as batch:
        for _ in range(2000):
            batch.download("bucket", "a", callback=len)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000_000 / 2
    assert batch.success()


def test_no_more_bytes_wait_than_64_mib(connection, gate):
    body = bytes(1 << 20)
    added = []

    def add():
        with connection.batch(2) as batch:
            for number in range(200):
                handle = batch.upload("bucket", f"{number % 3}", body)
                added.append(handle)

    adding = threading.Thread(target=add)
    adding.start()
    while len(added) < 60:
        time.sleep(0.001)
    time.sleep(0.05)
    assert len(added) <= 66
    gate.open()
    adding.join()
    assert len(added) == 200


def test_handles_that_are_kept_keep_no_bytes(connection, tmp_path):
    with connection.batch() as batch:
        handles = [batch.upload("bucket", "a", bytes(1000)) for _ in range(10)]
        handles[0].result()
        handles += [batch.download("bucket", "a", tmp_path / f"{number}") for number in range(10)]
    assert all(handle.outcome.size == 1000 for handle in handles)
    assert all(handle.outcome.etag for handle in handles)
    sizes = [len(each) for handle in handles for each in gc.get_referents(handle) if isinstance(each, bytes)]
    assert sum(sizes) == 0
    assert not any(handle.reply.body for handle in handles[10:])


# -- other processes --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_after_a_fork_the_child_works_and_the_parent_too():
    script = """
        import os, sys, warnings
        warnings.simplefilter("ignore")
        from mangrove import s3
        connection = s3.Connection.in_memory()
        connection.create_bucket("bucket")
        mocked = s3.Connection(region_name="eu-west-1")
        mock = mocked.mock()
        mock.start()
        mocked.create_bucket("bucket")
        def work(name):
            for each in (connection, mocked):
                with each.batch(4) as batch:
                    for number in range(100):
                        batch.upload("bucket", f"{name}/{number}", name)
                    assert batch.success()
                assert each.download("bucket", f"{name}/99") == name.encode()
        work("before")
        pid = os.fork()
        work("child" if not pid else "parent")
        if not pid:
            assert connection.exists("bucket", "before/0")
            sys.stdout.flush()
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        assert not connection.exists("bucket", "child/0")
        mock.stop()
        print("well")
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stdout == "well\n", run.stderr


def test_a_program_that_ends_in_the_middle_ends():
    script = """
        from mangrove import s3
        connection = s3.Connection.in_memory()
        connection.create_bucket("bucket")
        batch = connection.batch(4)
        for number in range(1000):
            batch.upload("bucket", str(number), "x")
        print("well")
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "well\n", "")


def test_many_threads_that_wait_for_one_batch_all_wake(connection):
    """Each waits with a timeout of its own: where threads share one queue, the timeout of the last never ends."""
    for _ in range(12):
        with connection.batch(8) as batch:

            def work(name):
                for number in range(150):
                    batch.upload("bucket", f"{name}/{number}", name)
                batch.wait()

            many = [threading.Thread(target=work, args=(str(name),), daemon=True) for name in range(6)]
            for each in many:
                each.start()
            for each in many:
                each.join(60)
            assert not any(each.is_alive() for each in many)
