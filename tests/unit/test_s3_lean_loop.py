"""Connections in all their states: reused, closed, slow, broken, half sent; each exchange ends exactly once."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mangrove.s3.engines.lean.lines import Lines
from mangrove.s3.engines.lean.loop import Exchange, Loop
from mangrove.s3.engines.lean.reading import MalformedAnswerError, Reading
from mangrove.s3.engines.lean.writing import Written

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answer each request of each connection by a script: bytes, a number of seconds, or None for closing."""

    def __init__(self, script=None, tls=None):
        self.script = script or (lambda *_: [OK])
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.origin = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections = 0
        self.requests: list[bytes] = []
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                self.connections += 1
                self.open.append(sock)
                threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True).start()

    def _serve(self, sock, number):
        count = 0
        with contextlib.suppress(OSError), sock:
            rest = b""
            while True:
                while b"\r\n\r\n" not in rest:
                    more = sock.recv(65536)
                    if not more:
                        return
                    rest += more
                head, _, rest = rest.partition(b"\r\n\r\n")
                count += 1
                self.requests.append(head)
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
                )
                answers = self.script(number, count)
                if answers and answers[0] == "early":
                    answers = answers[1:]
                else:
                    while len(rest) < length:
                        more = sock.recv(1 << 20)
                        if not more:
                            return
                        rest += more
                    rest = rest[length:]
                for answer in answers:
                    if answer is None:
                        sock.shutdown(socket.SHUT_RDWR)
                        return
                    if isinstance(answer, (int, float)):
                        time.sleep(answer)
                    else:
                        sock.sendall(answer)

    def connect(self, origin):
        assert origin == self.origin
        return socket.create_connection(self.listener.getsockname())

    def close(self):
        self.listener.close()
        for sock in self.open:
            sock.close()


@pytest.fixture
def serve():
    servers, loops = [], []

    def make(script=None, **arguments):
        server = Server(script)
        servers.append(server)
        loop = Loop(server.connect, **{"capacity": 4, "timeout": 5.0, **arguments})
        loops.append(loop)
        return server, loop

    yield make
    for loop in loops:
        loop.close()
    for server in servers:
        server.close()


def request(path="/", body=None, method="GET"):
    length = b"" if body is None else b"content-length: %d\r\n" % len(body)
    return lambda _: Written("", f"{method} {path} HTTP/1.1\r\nhost: a\r\n".encode() + length + b"\r\n", body)


def exchange(server, *, body=None, **reading):
    return Exchange(object(), server.origin, request(body=body), Reading(**reading))


def run(loop, *exchanges, seconds=10.0):
    for each in exchanges:
        loop.submit(each)
    ended = []
    limit = time.monotonic() + seconds
    while len(ended) < len(exchanges) and time.monotonic() < limit:
        ended += loop.poll(0.2)
    assert {id(each) for each in ended} == {id(each) for each in exchanges}, "each ends once, and all end"
    return ended


def test_connections_are_used_again_and_no_more_than_allowed(serve):
    server, loop = serve()
    for _ in range(5):
        ended = run(loop, *[exchange(server) for _ in range(20)])
        assert all(each.error is None and each.reading.body == b"ok" for each in ended)
    assert 1 <= server.connections <= 4
    assert len(server.requests) == 100


def test_a_server_that_closes_after_each_answer_is_connected_to_again(serve):
    server, loop = serve(lambda *_: [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", None])
    assert all(each.error is None for each in run(loop, *[exchange(server) for _ in range(10)]))
    assert server.connections == 10


def test_a_connection_that_ends_while_idle_is_noticed(serve):
    server, loop = serve(lambda connection, _: [OK, None] if connection == 1 else [OK])
    run(loop, exchange(server))
    time.sleep(0.05)
    loop.poll(0.05)  # the end arrives
    [ended] = run(loop, exchange(server))
    assert ended.error is None
    assert ended.fresh


def test_a_connection_that_ends_instead_of_an_answer_is_an_error_that_says_so(serve):
    server, loop = serve(lambda *_: [None])
    [ended] = run(loop, exchange(server))
    assert isinstance(ended.error, (OSError, MalformedAnswerError))
    assert (ended.sent, ended.fresh, ended.reading.status) == (True, True, 0)


def test_an_answer_that_is_cut_is_an_error(serve):
    server, loop = serve(lambda *_: [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", None])
    [ended] = run(loop, exchange(server))
    assert isinstance(ended.error, MalformedAnswerError)
    assert ended.reading.status == 200


def test_a_server_that_says_nothing_fails_at_the_time_out_and_the_others_go_on(serve):
    server, loop = serve(lambda connection, _: [60] if connection == 1 else [OK], timeout=0.3)
    ended = run(loop, *[exchange(server) for _ in range(4)])
    failed = [each for each in ended if each.error is not None]
    assert [type(each.error) for each in failed] == [TimeoutError]


def test_bytes_that_keep_coming_are_no_time_out(serve):
    dribble = [part for byte in OK for part in (bytes([byte]), 0.01)]
    server, loop = serve(lambda *_: dribble, timeout=0.8)
    [ended] = run(loop, exchange(server))
    assert ended.error is None


def test_a_host_that_refuses_fails_each_exchange(serve):
    _, loop = serve()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    def refuse(origin):
        return socket.create_connection(("127.0.0.1", port))

    loop._connect = refuse
    ended = run(loop, *[Exchange(None, "http://a", request(), Reading()) for _ in range(10)])
    assert all(isinstance(each.error, ConnectionRefusedError) for each in ended)
    assert not any(each.sent for each in ended)


def test_a_large_body_is_sent_whole_and_in_order(serve):
    received = []

    class Keeping(Server):
        def _serve(self, sock, number):
            data = b""
            while not data.endswith(b"END"):
                data += sock.recv(1 << 20)
            received.append(data)
            sock.sendall(OK)

    server = Keeping()
    loop = Loop(server.connect, capacity=2, timeout=5.0)
    body = bytes(range(256)) * 40_000 + b"END"
    [ended] = run(loop, exchange(server, body=body))
    assert ended.error is None
    assert received[0].partition(b"\r\n\r\n")[2] == body
    loop.close()
    server.close()


def test_an_answer_before_the_body_has_been_read_counts(serve):
    refusal = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 4\r\n\r\n<E/>"
    server, loop = serve(lambda *_: ["early", refusal, None])
    [ended] = run(loop, exchange(server, body=b"x" * 5_000_000))
    # Where the system throws the answer away with the connection, an error is all there is.
    assert ended.error is not None or (ended.reading.status, ended.reading.body) == (403, b"<E/>")
    [again] = run(loop, exchange(server))
    assert again.error is None or again.fresh


def test_an_error_of_the_sink_is_the_exchanges(serve):
    server, loop = serve()

    def full(view):
        raise OSError(28, "No space left on device")

    [ended] = run(loop, exchange(server, sink=full))
    assert ended.error.errno == 28
    [fine] = run(loop, exchange(server))
    assert fine.error is None


def test_an_error_in_making_the_request_leaves_the_connection_to_the_next(serve):
    server, loop = serve(capacity=1)

    def fail(_):
        raise ValueError("no credentials")

    bad = Exchange(None, server.origin, fail, Reading())
    ended = run(loop, bad, exchange(server))
    assert {type(each.error) for each in ended} == {ValueError, type(None)}
    assert server.connections == 1


def test_hosts_share_the_connections_that_are_allowed():
    servers = [Server() for _ in range(6)]
    by_origin = {server.origin: server for server in servers}
    loop = Loop(lambda origin: by_origin[origin].connect(origin), capacity=2, timeout=5.0)
    for _ in range(3):
        ended = run(loop, *[exchange(server) for server in servers for _ in range(3)])
        assert all(each.error is None for each in ended)
    loop.close()
    for server in servers:
        server.close()


def test_closing_ends_what_is_under_way(serve):
    server, loop = serve(lambda *_: [60])
    each = exchange(server)
    loop.submit(each)
    for _ in range(5):
        loop.poll(0.02)
    loop.close()
    assert isinstance(each.error, ConnectionAbortedError)


def test_what_has_begun_and_is_not_sent_yet_ends_with_the_loop(serve):
    server, loop = serve()
    run(loop, *[exchange(server) for _ in range(4)])
    before, waiting = len(server.requests), [exchange(server) for _ in range(2)]
    for each in waiting:
        loop.submit(each)
    loop.close()
    assert [type(each.error) for each in waiting] == [ConnectionAbortedError] * 2
    assert not any(each.sent for each in waiting)
    assert len(server.requests) == before


def test_more_small_requests_than_go_out_together_all_go(serve):
    server, loop = serve(capacity=40)
    for _ in range(3):
        ended = run(loop, *[exchange(server, body=b"x" * 10) for _ in range(100)])
        assert all(each.error is None and each.sent for each in ended)
    assert len(server.requests) == 300


def test_a_wait_is_ended_by_a_thread(serve):
    _, loop = serve()
    threading.Timer(0.05, loop.wake).start()
    started = time.monotonic()
    assert loop.poll(30) == []
    assert time.monotonic() - started < 5


steps = st.sampled_from(["ok", "close", "cut", "keep", "error", "chunked", "noise", "interim"])
ANSWERS = {
    "ok": [OK],
    "close": [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", None],
    "cut": [OK[:-1], None],
    "keep": [OK, 0.01],
    "error": [b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n"],
    "chunked": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
    "noise": [b"\0\1\2 not http\r\n\r\n", None],
    "interim": [b"HTTP/1.1 100 Continue\r\n\r\n", OK],
}


@given(st.lists(steps, min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_whatever_servers_do_each_exchange_ends_once_with_its_own_answer(script):
    order = iter(script * 50)
    lock = threading.Lock()

    def answer(connection, request):
        with lock:
            return ANSWERS[next(order)]

    server = Server(answer)
    loop = Loop(server.connect, capacity=3, timeout=2.0)
    try:
        ended = run(loop, *[exchange(server) for _ in range(12)])
        for each in ended:
            if each.error is None and each.reading.status == 200:
                assert each.reading.body == b"ok"
    finally:
        loop.close()
        server.close()


# -- the same in the calling thread ------------------------------------------------------------------------------------


def carry(lines, server, **arguments):
    each = exchange(server, **arguments)
    lines.carry(each)
    return each


def test_a_thread_uses_its_connection_again(serve):
    server, _ = serve()
    lines = Lines(server.connect, 5.0)
    assert [carry(lines, server).reading.body for _ in range(5)] == [b"ok"] * 5
    assert server.connections == 1
    lines.close()


def test_a_sink_gets_what_arrives_in_small_pieces_in_large_ones(serve):
    size = 1 << 20
    pieces = [b"x" * (1 << 12)] * (size >> 12)
    server, _ = serve(lambda *_: [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, *pieces])
    got = []
    lines = Lines(server.connect, 5.0)
    each = carry(lines, server, sink=lambda view: got.append(view.nbytes))
    assert each.error is None
    assert sum(got) == size
    assert len(got) <= 6
    lines.close()


def test_what_came_before_a_server_closes_is_given_to_the_sink(serve):
    server, _ = serve(lambda *_: [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", 0.02, b"x" * 1000, None])
    got = []
    lines = Lines(server.connect, 5.0)
    each = carry(lines, server, sink=lambda view: got.append(view.nbytes))
    assert isinstance(each.error, MalformedAnswerError)
    assert sum(got) == 1000
    lines.close()


def test_a_connection_that_has_ended_is_not_used_again(serve):
    server, _ = serve(lambda connection, _: [OK, None] if connection == 1 else [OK])
    lines = Lines(server.connect, 5.0)
    carry(lines, server)
    time.sleep(0.05)
    assert carry(lines, server).error is None
    lines.close()


@pytest.mark.parametrize("step", ["cut", "noise"])
def test_broken_answers_are_errors_in_a_thread_too(serve, step):
    server, _ = serve(lambda connection, _: ANSWERS[step] if connection == 1 else [OK])
    lines = Lines(server.connect, 5.0)
    assert isinstance(carry(lines, server).error, (MalformedAnswerError, OSError))
    assert carry(lines, server).error is None
    lines.close()


def test_a_silent_server_is_a_time_out_in_a_thread_too(serve):
    server, _ = serve(lambda *_: [60])
    lines = Lines(server.connect, 0.2)
    assert isinstance(carry(lines, server).error, TimeoutError)
    lines.close()


def test_ctrl_c_between_the_sign_and_the_bell_keeps_nobody_waiting(serve):
    """Whoever wakes the loop may be interrupted there; the sign alone wakes nobody."""
    server, loop = serve()
    loop._poller._rung = True

    assert run(loop, *[exchange(server) for _ in range(3)])
    assert not loop._poller._rung
