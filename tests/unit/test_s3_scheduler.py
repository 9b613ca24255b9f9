"""Operations are tried again where that helps, and never lost, never made twice, never starved: with a scripted S3."""

from __future__ import annotations

import pickle
import sys
import threading
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)  # at the end: a folder of ours is called `typing`

from mangrove.errors import (  # noqa: E402
    AccessDeniedError,
    BatchError,
    ConfigError,
    IntegrityError,
    NotFoundError,
    PreconditionError,
    ThrottledError,
    TransferCancelledError,
    TransferError,
)
from mangrove.s3.engines.base import Call, Reply  # noqa: E402
from mangrove.s3.running.handle import Handle  # noqa: E402
from servers.scripted import Rig, answer, closed, lost, stale, timeout, unreachable  # noqa: E402
from servers.threads import begun  # noqa: E402

SLOW = ("SlowDown", 503)


@pytest.fixture
def rig():
    made = Rig()
    yield made
    made.backend.close()
    assert not begun("mangrove-s3")


def both(rig, make):
    """Make an operation in the calling thread and in a batch; return both handles."""
    alone = rig.performer.run(make())
    with rig.batch(raise_errors=False) as batch:
        batched = batch.add(make())
    return alone, batched


def garbage(call, carry):
    raise ResponseParserError("no XML")


PASSING = {
    "throttle": answer(*SLOW),
    "429": answer("Whatever", 429),
    "internal": answer("InternalError", 500),
    "reset": closed(),
    "no answer": timeout(),
    "lost": lost(),
    "stale": stale(),
    "garbage": garbage,
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=list(PASSING))
def test_what_passes_is_tried_again_beyond_retries(rig, fault):
    rig.script("a", *[fault] * 9)
    with rig.batch() as batch:
        handle = batch.upload("bucket", "a", b"data")
    assert (handle.result(), handle.attempts, rig.body("a")) == (True, 10, b"data")
    rig.script("a", *[fault] * 9)
    assert rig.performer.run(rig.maker.download("bucket", "a")).value == b"data"


@pytest.mark.parametrize(
    "fault", [answer("ExpiredToken", 400), answer("PermanentRedirect", 301)], ids=["expired", "moved"]
)
def test_corrections_come_at_once_and_no_more_often_than_retries(rig, fault):
    rig.script("a", fault, fault, fault)
    rig.script("b", *[fault] * 9)
    with rig.batch(raise_errors=False) as batch:
        well, ill = batch.upload("bucket", "a", b"x"), batch.upload("bucket", "b", b"x")
    assert well.error is None
    assert ill.attempts == 4
    assert isinstance(ill.error, ClientError)
    assert rig.clock.now == 1000.0  # nobody has waited


@pytest.mark.parametrize(
    ("fault", "ours", "builtin"),
    [
        (answer("AccessDenied", 403), AccessDeniedError, PermissionError),
        (answer("NoSuchBucket", 404), NotFoundError, FileNotFoundError),
        (answer("InvalidArgument", 400), TransferError, Exception),
    ],
)
def test_what_is_final_is_tried_once(rig, fault, ours, builtin):
    rig.script("PutObject", fault, fault)
    for handle in both(rig, lambda: rig.maker.upload("bucket", "a", b"x")):
        assert handle.attempts == 1
        assert isinstance(handle.error, ours)
        assert isinstance(handle.error, (builtin, ClientError))
        copy = pickle.loads(pickle.dumps(handle.error))
        assert (str(copy), copy.response) == (str(handle.error), handle.error.response)
    assert rig.engine.calls["PutObject"] == 2


def test_a_server_that_was_never_reached_may_be_a_wrong_name(rig):
    rig.engine.always = lambda _: unreachable()
    handle = rig.performer.run(rig.maker.head("bucket", "a"))
    assert handle.attempts == 4
    assert "retries=3" in str(handle.error)


def test_the_deadline_ends_it_and_the_message_says_so(rig):
    rig.engine.always = lambda _: answer(*SLOW)
    for handle in both(rig, lambda: rig.maker.head("bucket", "a")):
        assert isinstance(handle.error, ThrottledError)
        assert "the deadline is 120 s" in str(handle.error)
        assert handle.attempts > 10
    assert rig.clock.now <= 1000.0 + 2 * 120


def test_retry_after_is_waited_for(rig):
    rig.script("a", answer(*SLOW, **{"retry-after": "7"}))
    rig.performer.run(rig.maker.upload("bucket", "a", b"x"))
    assert rig.clock.slept[0] >= 7
    rig.script("b", answer(*SLOW, **{"retry-after": "²"}))
    assert rig.performer.run(rig.maker.upload("bucket", "b", b"x")).error is None


def test_retries_of_one_operation(rig):
    rig.script("a", *[answer(*SLOW)] * 2)
    rig.script("b", *[answer(*SLOW)] * 2)
    with rig.batch(raise_errors=False) as batch:
        none, some = batch.upload("bucket", "a", b"x", retries=0), batch.upload("bucket", "b", b"x", retries=1)
    assert (none.attempts, some.attempts) == (1, 3)
    assert "retries are off" in str(none.error)
    for wrong in (-1, 1.5, "3", True):
        with pytest.raises(ConfigError, match="retries is a whole number"):
            batch.upload("bucket", "c", b"x", retries=wrong)


# -- answers that are lost --------------------------------------------------------------------------------------------


def test_a_lost_answer_to_a_conditional_upload_is_no_false_precondition_error(rig):
    rig.script("a", lost())
    rig.script("b", lost())
    alone = rig.performer.run(rig.maker.upload("bucket", "a", b"data", if_none_match="*"))
    with rig.batch() as batch:
        batched = batch.upload("bucket", "b", b"data", if_none_match="*")
    for handle in (alone, batched):
        assert (handle.value, handle.error) == (True, None)
        assert handle.outcome.verified == "CRC32"
        assert handle.outcome.etag == '"8d777f385d3dfec8815d20f7496026dc"'
    assert rig.engine.calls == {"PutObject": 4, "HeadObject": 2}


@pytest.mark.parametrize(
    "options", [{}, {"checksum_algorithm": "SHA256"}, {"checksum_sha1": "oXyaqmHoChv3HQ2FCvTluqmAC70="}]
)
def test_it_is_settled_with_every_checksum(rig, options):
    rig.script("a", lost())
    handle = rig.performer.run(rig.maker.upload("bucket", "a", b"data", if_none_match="*", **options))
    assert handle.error is None


def test_it_is_settled_where_the_server_keeps_no_checksums(rig):
    rig.script("a", lost())

    def forgetful(call, carry):
        reply = carry(call)
        data = {name: value for name, value in reply.data.items() if not name.startswith("Checksum")}
        call.reply = Reply(200, data)
        return call.reply

    rig.script("HeadObject", forgetful)
    handle = rig.performer.run(rig.maker.upload("bucket", "a", b"data", if_none_match="*"))
    assert (handle.error, handle.verified) == (None, None)


def test_a_true_precondition_error_stays_one(rig):
    rig.client.put_object(Bucket="bucket", Key="a", Body=b"theirs")
    rig.client.put_object(Bucket="bucket", Key="b", Body=b"theirs")
    rig.script("b", closed())  # whether it was stored is not known
    for key in ("a", "b"):
        for handle in both(rig, lambda key=key: rig.maker.upload("bucket", key, b"ours", if_none_match="*")):
            assert isinstance(handle.error, PreconditionError)
            assert isinstance(handle.error, FileExistsError)
        assert rig.body(key) == b"theirs"


def test_where_the_question_is_refused_the_first_answer_counts(rig):
    rig.script("a", lost())
    rig.script("HeadObject", answer("403", 403))
    handle = rig.performer.run(rig.maker.upload("bucket", "a", b"data", if_none_match="*"))
    assert isinstance(handle.error, PreconditionError)
    assert isinstance(handle.error, ClientError)


def test_what_has_gone_meanwhile_is_sent_again(rig):
    rig.script("a", lost())
    rig.script("HeadObject", answer("404", 404))

    def gone(call, carry):
        rig.client.delete_object(Bucket="bucket", Key="a")
        raise ClientError({"Error": {"Code": "404"}, "ResponseMetadata": {"HTTPStatusCode": 404}}, "HeadObject")

    rig.engine.script["HeadObject"][0] = gone
    handle = rig.performer.run(rig.maker.upload("bucket", "a", b"data", if_none_match="*"))
    assert (handle.error, rig.body("a")) == (None, b"data")


def test_a_lost_answer_to_a_conditional_copy(rig):
    options = {"if_none_match": "*"}
    rig.client.put_object(Bucket="bucket", Key="a", Body=b"data")
    if "IfNoneMatch" not in rig.client.meta.service_model.operation_model("CopyObject").input_shape.members:
        handle = rig.performer.run(rig.maker.copy("bucket", "a", "bucket", "b", **options))
        assert isinstance(handle.error, ConfigError)
        assert "knows no IfNoneMatch" in str(handle.error)
        return
    rig.engine.script["CopyObject"].append(lost())
    handle = rig.performer.run(rig.maker.copy("bucket", "a", "bucket", "b", **options))
    assert (handle.error, rig.body("b")) == (None, b"data")
    rig.client.put_object(Bucket="bucket", Key="b", Body=b"theirs")
    rig.engine.script["CopyObject"].append(closed())
    handle = rig.performer.run(rig.maker.copy("bucket", "a", "bucket", "b", **options))
    assert isinstance(handle.error, PreconditionError)
    assert rig.body("b") == b"theirs"


def test_a_move_deletes_only_what_was_copied(rig):
    rig.client.put_object(Bucket="bucket", Key="a", Body=b"data")
    rig.engine.script["CopyObject"].extend([lost(), answer("AccessDenied", 403)])
    handle = rig.performer.run(rig.maker.copy("bucket", "a", "bucket", "b", delete=True))
    assert isinstance(handle.error, AccessDeniedError)
    assert rig.body("a") == b"data"
    rig.engine.script["DeleteObject"].append(closed())
    handle = rig.performer.run(rig.maker.copy("bucket", "a", "bucket", "b", delete=True))
    assert (handle.outcome.operation, handle.value) == ("move", True)
    assert rig.engine.calls["CopyObject"] == 3  # not once more for the deletion's sake
    with pytest.raises(rig.client.exceptions.NoSuchKey):
        rig.body("a")


# -- damage -----------------------------------------------------------------------------------------------------------


def flipped(call, carry):
    reply = carry(call)
    call.reply = Reply(200, reply.data, bytes([reply.body[0] ^ 1]) + reply.body[1:])
    return call.reply


def test_damaged_bytes_are_fetched_again_and_never_delivered(rig, tmp_path):
    rig.client.put_object(Bucket="bucket", Key="a", Body=b"data")
    rig.script("a", flipped, flipped)
    assert rig.performer.run(rig.maker.download("bucket", "a")).value == b"data"
    target = tmp_path / "a"
    target.write_text("old")
    rig.engine.always = lambda call: flipped if call.operation == "GetObject" else None
    for handle in both(rig, lambda: rig.maker.download("bucket", "a", target)):
        assert isinstance(handle.error, IntegrityError)
        assert handle.attempts == 4
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert target.read_text() == "old"


def test_an_answer_with_another_checksum_than_was_sent(rig):
    def other(call, carry):
        carry(call)
        call.reply = Reply(200, {"ChecksumCRC32": "AAAAAA==", "ETag": '"x"'})
        return call.reply

    rig.script("a", *[other] * 4)
    handle = rig.performer.run(rig.maker.upload("bucket", "a", b"data"))
    assert isinstance(handle.error, IntegrityError)


def test_a_success_that_is_not_s3s_is_none(rig):
    def portal(call, carry):
        call.reply = Reply(200, {})
        return call.reply

    rig.script("a", portal)
    assert rig.performer.run(rig.maker.upload("bucket", "a", b"data")).attempts == 2
    assert rig.body("a") == b"data"
    rig.engine.script["CopyObject"].append(portal)
    assert rig.performer.run(rig.maker.copy("bucket", "a", "bucket", "b", delete=True)).error is None
    assert rig.body("b") == b"data"
    rig.engine.always = lambda _: portal
    for handle in both(rig, lambda: rig.maker.upload("bucket", "c", b"data")):
        assert isinstance(handle.error, TransferError)
        assert "has no ETag" in str(handle.error)


# -- slowing down -----------------------------------------------------------------------------------------------------


def test_a_slow_prefix_gets_fewer_calls_at_once_and_more_again_and_nobody_starves(rig):
    tried, sizes = set(), []

    def slow_at_first(call):
        key = call.params["Key"]
        sizes.append(rig.windows.size("bucket/slow/"))
        if not key.startswith("slow/") or key in tried:
            return None
        tried.add(key)
        return answer(*SLOW) if len(tried) <= 20 else None

    rig.engine.always = slow_at_first
    order = []
    with rig.batch(16) as batch:
        for number in range(200):
            batch.upload("bucket", f"slow/{number}", b"x", callback=lambda _, n=number: order.append(f"slow/{n}"))
        for number in range(200):
            batch.upload("bucket", f"fast/{number}", b"x", callback=lambda _, n=number: order.append(f"fast/{n}"))
    assert sizes[0] == 64  # not slowed down yet
    assert 1 <= min(sizes) <= 8
    assert rig.windows.size("bucket/slow/") > min(sizes)
    assert rig.windows.size("bucket/fast/") == 64
    assert sorted(order) == sorted(f"{kind}/{number}" for kind in ("slow", "fast") for number in range(200))


def test_while_one_prefix_is_held_the_others_go_on(rig):
    rig.windows.slow("bucket/slow/", running=2, now=rig.clock())
    rig.engine.hold = True
    with rig.batch(4) as batch:
        for number in range(20):
            batch.upload("bucket", f"slow/{number}", b"x")
        for number in range(4):
            batch.upload("bucket", f"fast/{number}", b"x")
        while len(rig.engine) < 4:
            rig.backend.scheduler.wake()
        assert rig.engine.flying == {"slow": 1, "fast": 3}
        rig.engine.release()
    assert rig.engine.most["slow"] <= 4  # never more than the batch may have
    assert batch.success()
    assert not rig.backend.scheduler._held


def test_half_of_all_throttled_still_ends_well():
    rig = Rig(most=8)
    seen = set()

    def every_other(call):
        key = call.params["Key"]
        if key in seen:
            seen.discard(key)
            return None
        seen.add(key)
        return answer(*SLOW)

    rig.engine.always = every_other
    with rig.batch(50) as batch:
        for number in range(1000):
            batch.upload("bucket", f"{number % 7}/{number}", b"x")
    assert batch.success()
    assert rig.engine.calls["PutObject"] == 2000
    rig.backend.close()


# -- waiting for another try ------------------------------------------------------------------------------------------


def test_what_waits_for_another_try_gives_its_place_to_others(rig):
    order = []
    rig.engine.always = lambda call: order.append(call.params["Key"])
    for key in "ab":
        rig.script(
            key, lambda call, carry: order.append(call.params["Key"]) or answer("InternalError", 500)(call, carry)
        )
    rig.engine.hold = True
    with rig.batch(2) as batch:
        for key in "abcdefgh":
            batch.upload("bucket", key, b"x")
        rig.engine.release()
    assert "".join(order[:8]) == "abcdefgh"
    assert sorted(order[8:]) == ["a", "b"]
    assert (batch.success(), batch.flying) == (True, 0)


def test_tries_again_take_no_more_places_than_there_are_and_come_before_what_is_new(rig):
    order = []
    rig.engine.always = lambda call: order.append(call.params["Key"])
    fail = answer(*SLOW, **{"retry-after": "9"})
    for number in range(32):
        rig.script(f"old/{number}", fail)
    with rig.batch(4) as batch:
        for number in range(32):
            batch.upload("bucket", f"old/{number}", b"x")
        for number in range(400):
            batch.upload("bucket", f"new/{number}", b"x")
    assert batch.success()
    assert sorted(order) == sorted([f"old/{n}" for n in range(32)] + [f"new/{n}" for n in range(400)])
    assert max(rig.engine.most.values()) <= 4
    assert (batch.flying, rig.backend.scheduler._due, rig.backend.scheduler._begun) == (0, {}, set())


def test_what_waits_is_bounded_and_no_more_is_taken_from_an_iterator(rig):
    rig.engine.always = lambda _: answer(*SLOW)
    ahead = []
    with rig.batch(4, raise_errors=False) as batch:
        for number in range(300):
            ahead.append(number - batch.progress.ended)
            batch.upload("bucket", f"{number}", b"x")
    assert max(ahead) <= 64
    assert len(batch.failures()) == 300
    assert all("the deadline is 120 s" in str(each.error) for each in batch.failures())
    assert batch.flying == 0


def test_leaving_ends_what_waits_for_its_time_and_for_a_place(rig):
    class LeaveError(Exception):
        pass

    rig.engine.always = lambda call: answer("InternalError", 500) if call.params["Key"].startswith("ill") else None
    with pytest.raises(LeaveError), rig.batch(2) as batch:
        handles = [batch.upload("bucket", f"ill/{number}", b"x") for number in range(20)]
        while rig.engine.calls["PutObject"] < 40:
            rig.backend.scheduler.wake()
        raise LeaveError
    assert all(isinstance(handle.error, TransferError) for handle in handles)
    assert any(isinstance(handle.error, TransferCancelledError) for handle in handles)
    scheduler = rig.backend.scheduler
    assert (batch.flying, scheduler._due, scheduler._later, scheduler._begun) == (0, {}, [], set())


# -- an engine, an operation, a step that breaks ----------------------------------------------------------------------


def test_an_engine_that_breaks_ends_the_batch_and_the_next_one_works(rig):
    rig.engine.hold = True
    with pytest.raises(BatchError, match="the engine failed: ZeroDivisionError") as caught, rig.batch(2) as batch:
        for number in range(5):
            batch.upload("bucket", f"{number}", b"x")
        rig.engine.breaks = ZeroDivisionError("x")
        rig.engine.wake()
    assert len(caught.value.failures) == 5
    rig.engine.breaks, rig.engine.hold = None, False
    rig.engine._held.clear()
    with rig.batch(2) as batch:
        batch.upload("bucket", "a", b"x")
    assert rig.body("a") == b"x"


def test_an_engine_that_refuses_a_call(rig):
    submit = rig.engine.submit

    def refusing(call):
        if call.params["Key"] == "b":
            raise ConnectionClosedError(endpoint_url="https://x")
        submit(call)

    rig.engine.submit = refusing
    with rig.batch(raise_errors=False) as batch:
        handles = [batch.upload("bucket", key, b"x") for key in "abc"]
    assert [handle.error is None for handle in handles] == [True, False, True]
    assert handles[1].attempts > 4


class Breaking(Handle):
    operation = "break"

    def __init__(self, where, error):
        super().__init__("bucket", "a")
        self.where, self.failure = where, error

    def begin(self):
        if self.where == "begin":
            raise self.failure
        if self.where == "heavy":
            return self.heavy
        return Call("HeadBucket", {"Bucket": "bucket"})

    def heavy(self, performer):
        raise self.failure

    def receive(self, call, reply):
        raise self.failure


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
@pytest.mark.parametrize("where", ["begin", "receive", "heavy"])
def test_a_step_that_breaks_is_one_failure(rig, where, error):
    with rig.batch(raise_errors=False) as batch:
        batch.add(Breaking(where, error))
        well = batch.upload("bucket", "a", b"x")
    assert [outcome.error for outcome in batch.failures()] == [error]
    assert well.result() is True


def test_a_heavy_step_ends_between_two_parts_when_the_batch_is_left(rig):
    began, go_on = threading.Event(), threading.Event()

    class Large(Breaking):
        calls = 0

        def heavy(self, performer):
            for number in range(10):
                performer.call("HeadBucket", {"Bucket": "bucket"})
                Large.calls += 1
                began.set()
                if not number:
                    assert go_on.wait(10)

    class LeaveError(Exception):
        pass

    with pytest.raises(LeaveError), rig.batch() as batch:
        handle = batch.add(Large("heavy", None))
        assert began.wait(10)
        halt = rig.backend.scheduler.halt
        rig.backend.scheduler.halt = lambda source: (halt(source), go_on.set())
        raise LeaveError
    assert Large.calls == 1
    assert isinstance(handle.error, TransferCancelledError)


def test_failures_hold_no_bytes(rig):
    rig.engine.always = lambda _: answer("AccessDenied", 403)
    with rig.batch(raise_errors=False) as batch:
        handles = [batch.upload("bucket", f"{number}", b"x" * 1000) for number in range(10)]
    for handle in handles:
        assert handle.error.__traceback__ is None
        assert handle._source == b""


@pytest.mark.parametrize(("in_the_context", "waits"), [(True, 1), (False, 2)])
def test_another_ctrl_c_ends_at_once_what_ctrl_c_waits_for(rig, in_the_context, waits):
    rig.engine.hold = True
    batch, waited = rig.batch(2), []

    def wait(_timeout=None):
        waited.append(batch.halted)
        raise KeyboardInterrupt

    batch.wait = wait
    with pytest.raises(KeyboardInterrupt):
        with batch:
            batch.upload("bucket", "key", "x")
            if in_the_context:
                raise KeyboardInterrupt
    assert len(waited) == waits
    assert waited[-1]
    rig.engine.release()
    with pytest.raises(ConfigError, match="the batch has ended"):
        batch.upload("bucket", "key", "x")
