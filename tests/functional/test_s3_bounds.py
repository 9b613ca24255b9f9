"""What servers, streams and handlers may not do to a connection: say more than errors do, be silent, go unasked."""

from __future__ import annotations

import contextlib
import json
import socket
import threading

import pytest
from botocore.exceptions import ClientError

from mangrove import s3
from mangrove.errors import AccessDeniedError, NotFoundError, TransferCancelledError
from mangrove.s3 import backend
from mangrove.s3.running import lifting

KEYS = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret", "region_name": "us-east-1"}


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Give each connection to a function; keep the heads that it reads."""

    def __init__(self, handle):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.handle, self.seen, self.open = handle, [], []
        self.done = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                self.open.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError, EOFError), sock:
            self.handle(self, sock)

    def close(self):
        self.done.set()
        self.listener.close()
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.close()


def read_request(server, sock):
    """Read one request and return its head; raise EOFError at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(1 << 16)
        if not more:
            raise EOFError
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    server.seen.append(head)
    lines = head.lower().split(b"\r\n")
    left = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0) - len(rest)
    if b"expect: 100-continue" in lines:
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    while left > 0:
        left -= len(sock.recv(left)) or left
    return head


@contextlib.contextmanager
def connected(handle, **arguments):
    server = Server(handle)
    connection = s3.Connection(endpoint_url=server.url, **KEYS, **arguments)
    try:
        yield server, connection
    finally:
        connection.close()
        server.close()


# -- servers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("framing", [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked", b"X-None: 1"])
def test_an_error_that_does_not_end_is_given_up(at_once, framing):
    def handle(server, sock):
        read_request(server, sock)
        sock.sendall(b"HTTP/1.1 403 Forbidden\r\n" + framing + b"\r\n\r\n")
        with contextlib.suppress(OSError):
            while not server.done.is_set():
                sock.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    with connected(handle) as (_, connection):
        get = connection.batch().download if at_once else connection.download
        with pytest.raises(AccessDeniedError) as caught:
            found = get("logs", "a")
            found.result()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_moved_bucket_is_one_client_for_all_calls(monkeypatch):
    def handle(server, sock):
        while True:
            head = read_request(server, sock)
            if b"/eu-west-1/s3/" in head:
                sock.sendall(OK)
                continue
            body = b"<Error><Code>PermanentRedirect</Code></Error>"
            fields = b"x-amz-bucket-region: eu-west-1\r\nContent-Length: %d" % len(body)
            sock.sendall(b"HTTP/1.1 301 Moved\r\n%s\r\n\r\n%s" % (fields, body))

    made = []
    make = backend.make_client
    monkeypatch.setattr(backend, "make_client", lambda *args, **more: made.append(more) or make(*args, **more))
    with connected(handle) as (_, connection):
        with connection.batch(100) as batch:
            for number in range(300):
                batch.download("bucket", str(number))
        assert batch.results() == [b"ok"] * 300
        assert [each.get("region_name") for each in made].count("eu-west-1") == 1


# -- errors say where -------------------------------------------------------------------------------------------------


def refusing(server, sock):
    while True:
        head = read_request(server, sock)
        body = b"" if head.startswith(b"HEAD") else b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        sock.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def test_errors_of_listings_and_of_opening_name_the_bucket():
    with connected(refusing) as (_, connection):
        for act, where in (
            (lambda: list(connection.list("logs", "2026/")), "s3://logs/2026/"),
            (lambda: list(connection.list("logs", "2026/", threads=4)), "s3://logs/2026/"),
            (lambda: connection.open("logs", "a"), "s3://logs/a"),
            (lambda: connection.sync("s3://logs/x/", "s3://logs/y/"), "s3://logs/"),
        ):
            with pytest.raises(AccessDeniedError) as caught:
                act()
            assert isinstance(caught.value, ClientError)
            assert str(caught.value).count(where) == 1
    memory = s3.Connection.in_memory()
    with pytest.raises(NotFoundError, match="s3://logs/a"):
        memory.open("logs", "a")
    with pytest.raises(NotFoundError, match="s3://logs/"):
        list(memory.list("logs"))


# -- streams that say nothing -----------------------------------------------------------------------------------------


def test_closing_does_not_wait_for_a_silent_stream_for_ever_and_tells_which(monkeypatch, caplog):
    monkeypatch.setattr(lifting, "PATIENCE", 0.05)
    reading, speak = threading.Event(), threading.Event()

    class Silent:
        def read(self, size):
            reading.set()
            speak.wait(20)
            return b""

    connection = s3.Connection.in_memory()
    connection.create_bucket("logs")
    batch = connection.batch(raise_errors=False)
    handle = batch.upload("logs", "live", Silent())
    assert reading.wait(10)
    connection.close()
    assert handle.done()
    assert isinstance(handle.exception(), TransferCancelledError)
    assert "s3://logs/live" in str(handle.exception())
    assert "stream" in str(handle.exception())
    assert "s3://logs/live" in caplog.text
    speak.set()
    assert [each.key for each in batch.failures()] == ["live"]


# -- handlers of the client -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["auto", "boto"])
@pytest.mark.parametrize("name", ["before-send.s3", "before-sign.s3.PutObject"])
def test_handlers_given_to_the_client_later_are_asked(engine, name):
    def handle(server, sock):
        while True:
            read_request(server, sock)
            sock.sendall(b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 0\r\n\r\n')

    asked = []

    def note(**_):
        asked.append(1)

    with connected(handle, engine=engine) as (_, connection):
        connection.upload("logs", "a", "howdy")
        assert not asked
        connection.conn.meta.events.register(name, note)
        connection.upload("logs", "a", "howdy")
        with connection.batch() as batch:
            batch.upload("logs", "a", "howdy")
        assert len(asked) == 2
        connection.conn.meta.events.unregister(name, note)
        connection.upload("logs", "a", "howdy")
        assert len(asked) == 2


def test_handlers_of_other_operations_change_nothing():
    with connected(refusing) as (server, connection):
        connection.conn.meta.events.register("before-send.s3.ListBuckets", lambda **_: None)
        with pytest.raises(AccessDeniedError):
            connection.download("logs", "a")
        assert b"amz-sdk-invocation-id" not in server.seen[-1].lower()  # botocore's client sends one


# -- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ["ls", "s3://logs/"],
        ["ls", "-r", "s3://logs/"],
        ["du", "s3://logs/"],
        ["rm", "-r", "s3://logs/", "--no-progress"],
    ],
)
@pytest.mark.parametrize("versions", [(), ("--versions",)])
def test_commands_say_who_pays_and_whose_bucket_it_is(monkeypatch, capsys, command, versions):
    from mangrove.cli import main, s3_connecting

    connection = s3.Connection.in_memory()
    connection.create_bucket("logs")
    connection.upload("logs", "a", "howdy")
    engine, calls = connection.backend.engine, []
    perform, submit = engine.perform, engine.submit
    engine.perform = lambda call: calls.append(call) or perform(call)
    engine.submit = lambda call: calls.append(call) or submit(call)
    monkeypatch.setattr(s3_connecting, "connect", lambda _: connection)
    owner = ["--request-payer", "requester", "--expected-bucket-owner", "123456789012"]

    assert main(["s3", *command, *versions, *owner]) in (0, None)

    assert calls
    assert {each.params.get("RequestPayer") for each in calls} == {"requester"}
    assert {each.params.get("ExpectedBucketOwner") for each in calls} == {"123456789012"}
    assert json.dumps(capsys.readouterr().out)
