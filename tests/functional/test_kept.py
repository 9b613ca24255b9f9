"""Small requests on open connections: the same answers and errors as botocore's own, whatever the server does."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest
import urllib3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
)
from botocore.httpsession import URLLib3Session

import mangrove
from mangrove.aws import kept

STS = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    b"<Account>%012d</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)


def ok(body, *fields):
    lines = [b"HTTP/1.1 200 OK", b"Content-Type: text/xml", b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


END = b""


def python(script, *arguments):
    """Run a script in a fresh process."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class Script:
    """Answer each request of each connection by a function of its number; None closes the connection."""

    def __init__(self, answer):
        self.answer, self.requests, self.connections = answer, [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.lock, self.open = threading.Lock(), []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError):
            self._answer_all(connection)

    def _answer_all(self, connection):
        file = connection.makefile("rb")
        while line := file.readline():
            head = [line]
            while (line := file.readline()) not in (b"\r\n", b""):
                head.append(line)
            length = next((int(each.split(b":")[1]) for each in head if each.lower().startswith(b"content-length")), 0)
            body = file.read(length)
            with self.lock:
                self.requests.append((head, body))
                answer = self.answer(len(self.requests))
            if answer is None:
                break
            for piece in answer if isinstance(answer, list) else [answer]:
                if piece is END:
                    connection.shutdown(socket.SHUT_RDWR)
                connection.sendall(piece)
        file.close()
        connection.close()

    def close(self):
        # Closing alone would leave the threads in accept and recv.
        for each in (self.listener, *self.open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@pytest.fixture
def script():
    made = []

    def make(answer):
        made.append(Script(answer))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def exchanges(monkeypatch):
    """Count the answers that came over an open connection."""
    monkeypatch.delenv("MANGROVE_SAFE_MODE", raising=False)
    found = []
    real = kept._exchange

    def counted(*arguments):
        found.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(kept, "_exchange", counted)
    return found


def sts(url, **config):
    settings = {"retries": {"total_max_attempts": 1}, **config}
    session = mangrove.Session("AKIA", "secret", region_name="us-east-1")
    return session.client("sts", endpoint_url=url, config=Config(**settings))


def account_of(client):
    return client.get_caller_identity()["Account"]


def test_the_first_request_opens_a_connection_and_the_others_use_it(script, exchanges):
    server = script(lambda number: ok(STS % number))
    client = sts(server.url)
    assert [account_of(client) for _ in range(5)] == [f"{number:012}" for number in range(1, 6)]
    assert (server.connections, len(exchanges)) == (1, 4)


def test_an_open_connection_carries_the_same_request(script, exchanges):
    server = script(lambda number: ok(STS % number))
    client = sts(server.url)
    account_of(client)
    account_of(client)

    def shown(request):
        head, body = request
        varies = (b"authorization", b"x-amz-date", b"amz-sdk-invocation-id", b"amz-sdk-request")
        return [line for line in head if not line.lower().startswith(varies)], body

    assert len(exchanges) == 1
    assert shown(server.requests[0]) == shown(server.requests[1])
    names = [[line.split(b":")[0] for line in head] for head, _ in server.requests]
    assert names[0] == names[1]


def test_an_answer_looks_as_botocores_own(script, exchanges):
    server = script(lambda _: ok(STS % 1, b"X-Twice: a", b"x-twice: b", b"Set-Cookie: c=d"))
    client, seen = sts(server.url), []
    client.meta.events.register("after-call.sts", lambda http_response, **_: seen.append(http_response))
    answers = [client.get_caller_identity() for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(exchanges) == 1
    first, second = seen
    assert isinstance(second, AWSResponse)
    assert (first.url, first.status_code, first.content) == (second.url, second.status_code, second.content)
    assert dict(first.headers) == dict(second.headers)
    assert second.text == first.text
    raw = (first.raw, second.raw)
    assert raw[0].status == raw[1].status
    assert raw[0].reason == raw[1].reason
    assert dict(raw[0].headers) == dict(raw[1].headers)
    assert raw[0].read() == raw[1].read() == b""


def test_an_error_of_the_service_keeps_the_connection(script, exchanges):
    body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    server = script(lambda number: refused if number % 2 else ok(STS % 1))
    client = sts(server.url)
    for _ in range(2):
        with pytest.raises(ClientError, match="AccessDenied"):
            account_of(client)
        account_of(client)
    assert (server.connections, len(exchanges)) == (1, 3)


@pytest.mark.parametrize("end", ["close at once", "close afterwards", "connection: close", "too much"])
def test_a_connection_that_ended_is_not_used_again(script, exchanges, end):
    def answer(number):
        if end == "connection: close":
            return ok(STS % number, b"Connection: close")
        return ok(STS % number) + (b"HTTP/1.1 200 OK\r\n" if end == "too much" else b"")

    server = script(answer)
    client = sts(server.url)
    account_of(client)
    if end.startswith("close"):
        server.open[-1].shutdown(socket.SHUT_RDWR)
    # Dropped, or left by its answer: the next one connects anew, and nothing fails.
    assert account_of(client) == "000000000002"
    assert account_of(client) == "000000000003"
    assert server.connections == (3 if end == "connection: close" else 2)


def test_an_answer_that_is_cut_short_is_an_error_and_the_next_call_connects_anew(script, exchanges):
    server = script(lambda number: [ok(STS % number)[:-20]] if number == 2 else ok(STS % number))
    client = sts(server.url, read_timeout=0.3)
    account_of(client)
    with pytest.raises(ReadTimeoutError, match=server.url):
        account_of(client)
    assert account_of(client) == "000000000003"
    assert server.connections == 2


def test_a_server_that_closes_without_an_answer_is_botocores_error(script, exchanges):
    server = script(lambda number: None if number == 2 else ok(STS % number))
    client = sts(server.url)
    account_of(client)
    with pytest.raises(ConnectionClosedError, match=server.url):
        account_of(client)
    assert account_of(client) == "000000000003"


def test_botocore_retries_what_failed_on_an_open_connection(script, exchanges):
    server = script(lambda number: None if number == 2 else ok(STS % number))
    client = sts(server.url, retries={"total_max_attempts": 3, "mode": "standard"})
    account_of(client)
    answer = client.get_caller_identity()
    assert (answer["Account"], answer["ResponseMetadata"]["RetryAttempts"]) == ("000000000003", 1)


def test_answers_in_chunks_and_pieces_are_whole(script, exchanges):
    def answer(number):
        body = STS % number
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        whole = head + b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (10, body[:10], len(body) - 10, body[10:])
        return [whole[at : at + 7] for at in range(0, len(whole), 7)]

    server = script(answer)
    client = sts(server.url)
    assert [account_of(client) for _ in range(3)] == [f"{number:012}" for number in (1, 2, 3)]
    assert (server.connections, len(exchanges)) == (1, 2)


def test_threads_never_share_a_connection(script, exchanges):
    server = script(lambda number: ok(STS % number))
    client = sts(server.url)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: account_of(client), range(200)))
    assert sorted(found) == [f"{number:012}" for number in range(1, 201)]
    assert server.connections <= 8


def test_an_interrupt_closes_the_connection(script, exchanges, monkeypatch):
    server = script(lambda number: ok(STS % number))
    client = sts(server.url)
    account_of(client)

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(kept, "read_answer", interrupted)
        with pytest.raises(KeyboardInterrupt):
            account_of(client)
    account_of(client)
    assert server.connections == 2


@pytest.mark.parametrize("way", ["debug", "tracer", "connection", "safe mode"])
def test_whoever_watches_urllib3_sees_every_request(script, exchanges, monkeypatch, way, caplog):
    server = script(lambda number: ok(STS % number))
    seen = []
    if way == "debug":
        caplog.set_level(logging.DEBUG, "urllib3.connectionpool")
    elif way == "tracer":
        real = urllib3.connectionpool.HTTPConnectionPool.urlopen

        class Tracer:
            def __get__(self, owner, kind=None):
                def urlopen(*arguments, **named):
                    seen.append(arguments)
                    return real(owner, *arguments, **named)

                return urlopen

        monkeypatch.setattr(urllib3.connectionpool.HTTPConnectionPool, "urlopen", Tracer())
    elif way == "connection":
        from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool

        class Recorder(AWSHTTPConnection):
            pass

        monkeypatch.setattr(AWSHTTPConnectionPool, "ConnectionCls", Recorder)
    else:
        monkeypatch.setenv("MANGROVE_SAFE_MODE", "1")
    client = sts(server.url)
    for _ in range(3):
        account_of(client)
    assert exchanges == []
    assert server.connections == 1
    if way == "tracer":
        assert len(seen) == 3
    if way == "debug":
        assert sum('"POST / HTTP/1.1" 200' in record.getMessage() for record in caplog.records) == 3
    if way == "safe mode":
        assert type(client._endpoint.http_session) is URLLib3Session


def test_streams_and_uploads_stay_botocores(script, exchanges):
    import io

    server = script(lambda number: ok(b"data" if number % 2 else b""))
    session = mangrove.Session("AKIA", "secret", region_name="us-east-1")
    s3 = session.client("s3", endpoint_url=server.url, config=Config(s3={"addressing_style": "path"}))
    for _ in range(2):
        assert s3.get_object(Bucket="b", Key="k")["Body"].read() == b"data"
        s3.put_object(Bucket="b", Key="k", Body=io.BytesIO(b"stream"))
    assert exchanges == []
    assert [body for _, body in server.requests][1::2] == [b"stream"] * 2


def test_a_large_body_goes_whole(script, exchanges):
    server = script(lambda _: ok(b'{"MessageId":"m"}'))
    session = mangrove.Session("AKIA", "secret", region_name="us-east-1")
    sqs = session.client("sqs", endpoint_url=server.url)
    large = "é" * 300_000
    for _ in range(2):
        sqs.send_message(QueueUrl=server.url + "/1/q", MessageBody=large)
    bodies = [body for _, body in server.requests]
    assert len(exchanges) == 1
    assert bodies[0] == bodies[1]
    assert len(bodies[0]) > 600_000


def test_a_body_of_a_get_says_its_length(script, exchanges):
    server = script(lambda _: ok(b"{}"))
    session = mangrove.Session("AKIA", "secret", region_name="us-east-1")
    efs = session.client("efs", endpoint_url=server.url)
    for _ in range(4):
        efs.describe_account_preferences(MaxResults=5)
    assert [body for _, body in server.requests] == [b'{"MaxResults": 5}'] * 4
    assert all(head[0].startswith(b"GET /") for head, _ in server.requests)


def test_a_call_whose_answer_is_cut_short_is_not_made_again(script, exchanges):
    def answer(number):
        whole = ok(b'{"MessageId":"m"}', *([b"Connection: close"] if number == 2 else []))
        return [whole[:-5], END] if number == 2 else whole

    server = script(answer)
    sqs = mangrove.Session("AKIA", "secret", region_name="us-east-1").client("sqs", endpoint_url=server.url)
    sqs.send_message(QueueUrl=server.url + "/1/q", MessageBody="a")
    with pytest.raises(IncompleteReadError):
        sqs.send_message(QueueUrl=server.url + "/1/q", MessageBody="b")
    assert len(server.requests) == 2


@pytest.mark.parametrize("left", [b"", b'{"QueueUrls": []'])
def test_an_answer_cut_short_on_a_new_connection_is_no_empty_list(script, exchanges, left):
    server = script(lambda _: [ok(b'{"QueueUrls": ["https://sqs/1/q"]}', b"Connection: close")[:-34] + left, END])
    sqs = mangrove.Session("AKIA", "secret", region_name="us-east-1").client("sqs", endpoint_url=server.url)
    # botocore of long ago told of it by itself.
    with pytest.raises((IncompleteReadError, ConnectionClosedError)):
        sqs.list_queues()


def test_headers_that_only_botocore_can_send_lose_no_connection(script, exchanges):
    server = script(lambda number: ok(STS % number))
    client = sts(server.url)

    def replace(request, **_):
        request.headers = {**dict(request.headers.items()), b"X-Trace": b"1"}

    client.meta.events.register("before-send.sts", replace)
    for _ in range(3):
        account_of(client)
    assert server.connections == 1
    assert all(b"X-Trace: 1\r\n" in head for head, _ in server.requests)


@pytest.mark.parametrize(
    "where",
    [
        "botocore.httpsession.URLLib3Session.send",
        "botocore.awsrequest.AWSHTTPConnection.request",
        "http.client.HTTPConnection.send",
        "http.client.HTTPConnection.putrequest",
        "urllib3.connectionpool.HTTPConnectionPool.urlopen",
    ],
)
def test_a_test_that_forbids_the_network_forbids_it(script, exchanges, where):
    server = script(lambda number: ok(STS % number))
    client = sts(server.url)
    account_of(client)
    account_of(client)
    with mock.patch(where, side_effect=RuntimeError("no network")), pytest.raises((RuntimeError, HTTPClientError)):
        account_of(client)
    assert len(server.requests) == 2
    assert account_of(client) == "000000000003"


def test_what_tls_has_deciphered_and_nobody_asked_for_is_nobodys_answer():
    class Sock:
        def __init__(self, left):
            self.left = left

        def pending(self):
            return self.left

    assert kept._has_more(Sock(7))
    assert not kept._has_more(Sock(0))
    assert not kept._has_more(object())  # no TLS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("own_handler", [False, True])
def test_a_child_uses_no_connection_of_its_parent(script, exchanges, own_handler):
    done = python(
        """
        import json, os, re, sys, mangrove
        url, own = sys.argv[1], sys.argv[2] == "True"
        def client(key):
            session = mangrove.Session(key, "secret", region_name="us-east-1")
            if own:
                session.events.register("creating-client-class", lambda **_: None)
            return session, session.client("sts", endpoint_url=url)
        session, mine = client("PARENT")
        _, theirs = client("CHILD")
        mine.get_caller_identity()
        child = os.fork()
        if not child:
            theirs.get_caller_identity()
            session.client("sts", endpoint_url=url).get_caller_identity()
            os._exit(0)
        os.waitpid(child, 0)
        mine.get_caller_identity()
        """,
        (server := script(lambda number: ok(STS % number))).url,
        str(own_handler),
    )
    assert done.returncode == 0, done.stderr
    keys = [next(line for line in head if b"Credential=" in line).split(b"=")[1][:5] for head, _ in server.requests]
    assert keys == [b"PAREN", b"CHILD", b"PAREN", b"PAREN"]
    assert server.connections == 2  # the parent's, and the child's own
