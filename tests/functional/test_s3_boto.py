"""The engine over botocore's client: one try a call, honest about what was sent, errors as they are."""

from __future__ import annotations

import re
import socket
import threading

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    IncompleteReadError,
    ResponseStreamingError,
)
from moto import mock_aws

from mangrove import Session
from mangrove.errors import ConfigError, TransferCancelledError
from mangrove.s3.engines.base import Call, Keys
from mangrove.s3.engines.boto import BotoEngine


@pytest.fixture
def session():
    return Session("AKIDEXAMPLE", "secret", region_name="us-east-1")


class Server:
    """Answer each connection with the same bytes, and keep what was asked."""

    def __init__(self, answer):
        self.asked = []
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.asked.append(_request(connection))
                connection.sendall(self._answer)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def _request(connection):
    asked = b""
    while b"\r\n\r\n" not in asked:
        asked += connection.recv(65536)
    length = re.search(rb"content-length: ([0-9]+)", asked.lower())
    end = asked.index(b"\r\n\r\n") + 4 + int(length[1] if length else 0)
    while len(asked) < end:
        asked += connection.recv(65536)
    return asked


@pytest.fixture
def serve(session):
    made = []

    def serve(answer):
        server = Server(answer)
        engine = BotoEngine.from_session(session, threads=2, endpoint_url=server.url)
        made.extend((engine, server))
        return server, engine

    yield serve
    for each in made:
        each.close()


def head(status="200 OK", **fields):
    lines = [f"HTTP/1.1 {status}", "Connection: close", *(f"{k.replace('_', '-')}: {v}" for k, v in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def test_one_try_is_one_try(serve):
    server, engine = serve(head("503 Slow Down", Content_Length=0))
    call = Call("GetObject", {"Bucket": "bucket", "Key": "a"})
    with pytest.raises(ClientError) as caught:
        engine.perform(call)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert len(server.asked) == 1
    assert call.sent


def test_what_no_server_has_heard_was_not_sent(session):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    engine = BotoEngine.from_session(session, endpoint_url=f"http://127.0.0.1:{port}")
    call = Call("PutObject", {"Bucket": "bucket", "Key": "a"}, body=b"x")
    with pytest.raises(EndpointConnectionError):
        engine.perform(call)
    assert not call.sent
    engine.close()


def test_what_a_server_may_have_heard_was_sent(serve):
    server, engine = serve(b"")
    call = Call("PutObject", {"Bucket": "bucket", "Key": "a"}, body=b"x")
    with pytest.raises(ConnectionClosedError):
        engine.perform(call)
    assert call.sent
    assert len(server.asked) == 1


def test_what_cannot_be_asked_was_not_sent(session):
    engine = BotoEngine.from_session(session)
    call = Call("PutObject", {"Bucket": "bucket", "Key": "a", "NoSuchMember": 1})
    with pytest.raises(BotoCoreError):
        engine.perform(call)
    assert not call.sent
    with pytest.raises(ConfigError, match="no operation 'PutEverything'"):
        engine.perform(Call("PutEverything", {}))
    engine.close()


def test_no_checksum_is_added_and_a_given_one_is_sent(serve):
    server, engine = serve(head(Content_Length=0))
    engine.perform(Call("PutObject", {"Bucket": "bucket", "Key": "a"}, body=b"hello"))
    engine.perform(Call("PutObject", {"Bucket": "bucket", "Key": "a", "ChecksumCRC32": "NhCmhg=="}, body=b"hello"))
    engine.perform(Call("GetObject", {"Bucket": "bucket", "Key": "a"}))
    plain, given, got = (asked.lower() for asked in server.asked)
    assert b"x-amz-checksum" not in plain
    assert b"content-encoding" not in plain
    assert plain.endswith(b"hello")
    assert b"100-continue" not in plain  # a round trip for five bytes
    assert b"x-amz-checksum-crc32: nhcmhg==" in given
    assert b"x-amz-checksum-mode" not in got


@pytest.mark.parametrize("sink", [None, len])
def test_a_body_cut_short_is_an_error(serve, sink):
    _, engine = serve(head(Content_Length=10) + b"12345")
    call = Call("GetObject", {"Bucket": "bucket", "Key": "a"}, sink=sink)
    with pytest.raises((IncompleteReadError, ResponseStreamingError)):
        engine.perform(call)


def test_a_body_of_unknown_length_is_given_up_when_it_is_too_long(serve):
    _, engine = serve(head() + b"0123456789")
    for most, too_long, body in ((9, True, b""), (10, False, b"0123456789")):
        call = Call("GetObject", {"Bucket": "bucket", "Key": "a"}, most=most)
        assert engine.perform(call).body == body
        assert call.too_long == too_long


def test_calls_that_have_not_begun_end_when_the_engine_is_closed(session):
    gate, begun = threading.Event(), threading.Event()

    def answer(request, **_):
        begun.set()
        assert gate.wait(10)
        return AWSResponse(request.url, 200, {}, None)

    session.events.register("before-send.s3", answer)
    engine = BotoEngine.from_session(session, threads=1)
    calls = [Call("DeleteObject", {"Bucket": "bucket", "Key": str(number)}, owner=number) for number in range(3)]
    for call in calls:
        engine.submit(call)
    assert begun.wait(10)
    engine.close()
    engine.submit(Call("DeleteObject", {"Bucket": "bucket", "Key": "late"}, owner=3))
    gate.set()
    ended = []
    while len(ended) < 4:
        ended += engine.poll(10.0)
    by_owner = {call.owner: call for call in ended}
    assert sorted(by_owner) == [0, 1, 2, 3]
    assert all(isinstance(by_owner[owner].error, TransferCancelledError) for owner in (1, 2, 3))
    assert not by_owner[2].sent


def test_an_active_mock_aws_answers(session):
    with mock_aws():
        engine = BotoEngine.from_session(session)
        engine.perform(Call("CreateBucket", {"Bucket": "bucket"}))
        engine.perform(Call("PutObject", {"Bucket": "bucket", "Key": "a"}, body=memoryview(b"0123456789")[1:3]))
        assert engine.perform(Call("GetObject", {"Bucket": "bucket", "Key": "a"})).body == b"12"
        engine.close()


def test_a_clients_own_errors_come_through(session):
    with mock_aws():
        engine = BotoEngine.from_session(session)
        engine.perform(Call("CreateBucket", {"Bucket": "bucket"}))
        with pytest.raises(engine.client.exceptions.NoSuchKey):
            engine.perform(Call("GetObject", {"Bucket": "bucket", "Key": "none"}))
        engine.close()


def test_keys_alone_are_deleted_by_the_client_too(session):
    with mock_aws():
        engine = BotoEngine.from_session(session)
        engine.perform(Call("CreateBucket", {"Bucket": "bucket"}))
        for key in ("a", "b&<"):
            engine.perform(Call("PutObject", {"Bucket": "bucket", "Key": key}, body=b"x"))
        delete = {"Objects": Keys(["a", "b&<"]), "Quiet": False}
        deleted = engine.perform(Call("DeleteObjects", {"Bucket": "bucket", "Delete": delete})).get("Deleted")
        assert sorted(each["Key"] for each in deleted) == ["a", "b&<"]
        engine.close()
