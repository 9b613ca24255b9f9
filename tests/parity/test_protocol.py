"""What the engines promise beside S3's answers: the Protocol of `mangrove.s3.engines.base`."""

from __future__ import annotations

import sys
import threading
import uuid
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from mangrove.s3.engines.base import Call

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)  # at the end: a folder of ours is called `typing`

from parity.engines import ENGINES  # noqa: E402

pytest_plugins = ["servers.weed"]

BIG = bytes(range(256)) * 4096


@pytest.fixture(params=ENGINES)
def engine(request):
    entry = ENGINES[request.param]
    session, url = None, None
    if entry.server == "moto":
        aws = request.getfixturevalue("embedded_aws")
        session, url = aws.session(region_name="us-east-1"), aws.endpoint_url
    elif entry.server == "weed":
        weed = request.getfixturevalue("weed")
        session, url = weed.session(), weed.endpoint_url
    engine = entry.make(session, url)
    yield engine
    engine.close()


@pytest.fixture
def bucket(engine):
    name = f"protocol-{uuid.uuid4().hex[:16]}"
    engine.perform(Call("CreateBucket", {"Bucket": name}))
    return name


def ended(engine, count):
    """Poll until so many calls have ended."""
    calls = []
    for _ in range(1000):
        calls += engine.poll(10.0)
        if len(calls) >= count:
            return calls
    raise AssertionError("calls are lost")


def put(engine, bucket, key, body):
    return engine.perform(Call("PutObject", {"Bucket": bucket, "Key": key}, body=body))


def test_submitted_calls_come_back_once_each(engine, bucket):
    calls = [Call("PutObject", {"Bucket": bucket, "Key": str(n)}, body=str(n).encode(), owner=n) for n in range(20)]
    for call in calls:
        engine.submit(call)
    found = ended(engine, 20)
    assert sorted(call.owner for call in found) == list(range(20))
    assert all(call.error is None and call.reply.status == 200 for call in found)
    gets = [Call("GetObject", {"Bucket": bucket, "Key": str(n)}, owner=n) for n in range(20)]
    for call in gets:
        engine.submit(call)
    assert {call.owner: call.reply.body for call in ended(engine, 20)} == {n: str(n).encode() for n in range(20)}
    assert engine.poll(0) == []


def test_errors_are_of_the_call(engine, bucket):
    engine.submit(Call("GetObject", {"Bucket": bucket, "Key": "none"}))
    (call,) = ended(engine, 1)
    assert call.reply is None
    assert isinstance(call.error, ClientError)
    assert call.error.response["Error"]["Code"] == "NoSuchKey"
    assert call.error.operation_name == "GetObject"
    assert call.error.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_a_sink_gets_the_bytes_in_order(engine, bucket):
    put(engine, bucket, "a", BIG)
    pieces = []
    call = Call("GetObject", {"Bucket": bucket, "Key": "a"}, sink=lambda view: pieces.append(bytes(view)))
    assert engine.perform(call).body == b""
    assert b"".join(pieces) == BIG
    pieces.clear()
    call = Call("GetObject", {"Bucket": bucket, "Key": "a"}, sink=lambda view: pieces.append(bytes(view)))
    engine.submit(call)
    assert ended(engine, 1) == [call]
    assert call.error is None
    assert b"".join(pieces) == BIG


def test_a_sink_gets_no_error_document(engine, bucket):
    pieces = []
    with pytest.raises(ClientError):
        engine.perform(
            Call("GetObject", {"Bucket": bucket, "Key": "none"}, sink=lambda view: pieces.append(bytes(view)))
        )
    assert pieces == []


def test_what_a_sink_raises_is_the_calls(engine, bucket):
    put(engine, bucket, "a", BIG)

    def full(view):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        engine.perform(Call("GetObject", {"Bucket": bucket, "Key": "a"}, sink=full))
    engine.submit(Call("GetObject", {"Bucket": bucket, "Key": "a"}, sink=full))
    (call,) = ended(engine, 1)
    assert isinstance(call.error, OSError)
    # and the engine goes on
    assert engine.perform(Call("GetObject", {"Bucket": bucket, "Key": "a"})).body == BIG


def test_a_body_that_is_too_long_is_given_up(engine, bucket):
    put(engine, bucket, "a", BIG)
    for most, too_long in ((len(BIG), False), (len(BIG) - 1, True), (0, True)):
        call = Call("GetObject", {"Bucket": bucket, "Key": "a"}, most=most)
        reply = engine.perform(call)
        assert call.too_long == too_long
        assert reply.body == (b"" if too_long else BIG)
        assert reply.get("ContentLength") == len(BIG)
    call = Call("GetObject", {"Bucket": bucket, "Key": "a"}, most=10)
    engine.submit(call)
    assert ended(engine, 1) == [call]
    assert call.too_long
    assert call.error is None


def test_wake_ends_a_poll(engine):
    engine.poll(0)
    engine.wake()
    done = threading.Event()

    def waker():
        while not done.wait(0.02):
            engine.wake()

    thread = threading.Thread(target=waker)
    thread.start()
    try:
        assert engine.poll(60.0) == []
    finally:
        done.set()
        thread.join()


def test_any_thread_may_perform(engine, bucket):
    put(engine, bucket, "a", b"0")
    seen = []

    def work(number):
        put(engine, bucket, f"t{number}", str(number).encode())
        seen.append(engine.perform(Call("GetObject", {"Bucket": bucket, "Key": f"t{number}"})).body)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [str(number).encode() for number in range(8)]


def test_every_kind_of_bytes_is_sent_as_it_is(engine, bucket):
    for body in (BIG, bytearray(BIG), memoryview(BIG), memoryview(BIG)[5:-5], memoryview(bytearray(BIG))[1:9], b""):
        put(engine, bucket, "a", body)
        assert engine.perform(Call("GetObject", {"Bucket": bucket, "Key": "a"})).body == bytes(body)


def test_an_answer_has_no_body_among_its_members(engine, bucket):
    put(engine, bucket, "a", b"x")
    reply = engine.perform(Call("GetObject", {"Bucket": bucket, "Key": "a"}))
    assert "Body" not in reply.data
    assert reply.get("none") is None
    assert reply.get("ContentLength") == 1


def test_what_was_sent_is_told(engine, bucket):
    call = Call("PutObject", {"Bucket": bucket, "Key": "a"}, body=b"x")
    engine.perform(call)
    missing = Call("GetObject", {"Bucket": bucket, "Key": "none"})
    with pytest.raises(ClientError):
        engine.perform(missing)
    # A client over the memory sends nothing; whoever else got an answer has sent a request.
    memory = "endpoint-url" if getattr(engine, "client", None) is None else engine.client.meta.endpoint_url
    assert call.sent == missing.sent == ("amazonaws" not in memory)
