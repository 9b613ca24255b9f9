"""An answer is read the same however it is cut, and as the standard library reads it; what is no answer is an error."""

from __future__ import annotations

import http.client
import io
import itertools
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mangrove.s3.engines.lean.reading import MalformedAnswerError, Reading
from mangrove.s3.engines.lean.replies import fields_of


def read(data: bytes, cuts=(), **arguments):
    reading = Reading(**arguments)
    edges = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    whole = False
    for start, stop in itertools.pairwise(edges):
        whole = reading.feed(memoryview(data)[start:stop])
        if whole:
            break
    return reading, whole


def by_the_library(data: bytes, method: str = "GET"):
    class Socket:
        def makefile(self, *_, **__):
            return io.BytesIO(data)

    response = http.client.HTTPResponse(Socket(), method=method)
    response.begin()
    return response.status, response.read()


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part) + b"0\r\n\r\n"


bodies = st.binary(max_size=300)
names = st.sampled_from([b"Content-Length", b"content-length", b"CONTENT-LENGTH"])


@st.composite
def answers(draw):
    body = draw(bodies)
    status = draw(st.sampled_from([200, 206, 404, 412, 503]))
    interim = draw(
        st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" * 3])
    )
    fields = b'x-amz-id-2: abc\r\nETag: "1"\r\n'
    if draw(st.booleans()):
        head = b"Transfer-Encoding: chunked\r\n"
        cut = draw(st.integers(0, len(body)))
        sent = chunked([body[:cut], body[cut:]])
        if draw(st.booleans()):
            sent = sent[:-2] + b"x-amz-checksum-crc32: AAAAAA==\r\n\r\n"
    else:
        head = b"%s: %d\r\n" % (draw(names), len(body))
        sent = body
    return interim + b"HTTP/1.1 %d Some Reason\r\n%s%s\r\n%s" % (status, fields, head, sent), status, body


@given(answers(), st.lists(st.integers(0, 800), max_size=12))
@settings(max_examples=400)
def test_any_cut_gives_the_same_answer_as_the_standard_library(answer, cuts):
    data, status, body = answer
    reading, whole = read(data, cuts)
    assert whole
    assert (reading.status, reading.body, reading.reusable) == (status, body, True)
    if b"103 Early" not in data:
        assert by_the_library(data) == (status, body)


@given(answers())
@settings(max_examples=100, deadline=None)
def test_byte_by_byte(answer):
    data, status, body = answer
    reading, whole = read(data, range(len(data)))
    assert whole
    assert (reading.status, reading.body) == (status, body)


@given(answers(), st.integers(1, 200))
@settings(max_examples=200, deadline=None)
def test_an_answer_that_is_cut_short_is_never_whole(answer, missing):
    data, _, _ = answer
    short = data[: max(0, len(data) - missing)]
    reading, whole = read(short)
    assert not whole
    with pytest.raises(MalformedAnswerError, match="before its answer ended"):
        reading.end()


@given(st.binary(max_size=600))
@settings(max_examples=500)
def test_noise_is_an_error_or_an_answer_and_nothing_else(data):
    reading = Reading()
    try:
        if not reading.feed(memoryview(data)):
            reading.end()
    except MalformedAnswerError:
        pass


def test_the_body_ends_with_the_connection_where_the_head_does_not_say():
    reading, whole = read(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert not whole
    reading.end()
    assert (reading.body, reading.reusable) == (b"abc", False)


def test_a_head_has_no_body_whatever_it_says():
    reading, whole = read(b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n", head_only=True)
    assert whole
    assert (reading.body, reading.reusable) == (b"", True)


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status):
    assert read(b"HTTP/1.1 %d X\r\nContent-Length: 3\r\n\r\n" % status)[1]


def test_what_follows_the_answer_ends_the_connection():
    reading, whole = read(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc")
    assert whole
    assert (reading.body, reading.reusable) == (b"ab", False)


def test_a_server_that_closes_is_not_asked_again():
    assert not read(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")[0].reusable
    assert not read(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")[0].reusable
    assert read(b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n")[0].reusable


def test_the_sink_takes_the_bytes_of_a_success_and_not_those_of_an_error():
    taken: list[bytes] = []
    take = lambda view: taken.append(bytes(view))  # noqa: E731
    reading, _ = read(b"HTTP/1.1 206 Partial\r\nContent-Length: 4\r\n\r\nabcd", (40, 48, 50), sink=take)
    assert (b"".join(taken), reading.body) == (b"abcd", b"")
    taken.clear()
    reading, _ = read(b"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\n<E/>", sink=take)
    assert (taken, reading.body) == ([], b"<E/>")


def test_a_body_that_is_longer_than_wanted_is_given_up():
    reading, whole = read(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\nETag: x\r\n\r\nabc", most=100)
    assert whole
    assert (reading.too_long, reading.reusable, fields_of(reading.head)["etag"]) == (True, False, "x")


@pytest.mark.parametrize("framing", [b"Content-Length: 70000", b"Transfer-Encoding: chunked", b"X-None: 1"])
def test_of_an_error_no_more_is_read_than_errors_say(framing):
    body = b"11170\r\n" + b"x" * 70_000
    reading, whole = read(b"HTTP/1.1 403 Forbidden\r\n" + framing + b"\r\n\r\n" + body, range(0, 70_000, 1000))
    assert whole
    assert (reading.status, reading.body, reading.reusable, reading.too_long) == (403, b"", False, False)
    short = b"<Error/>" + b" " * 60_000
    reading, whole = read(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(short) + short, [40, 90, 5000])
    assert whole
    assert (reading.body, reading.reusable) == (short, True)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/2 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 60_000,
    ],
)
def test_what_is_no_answer_is_an_error(data):
    with pytest.raises(MalformedAnswerError):
        read(data)


def test_two_lengths_that_agree_are_one():
    assert read(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab")[0].body == b"ab"


def test_many_small_chunks_and_many_interim_answers_need_no_stack():
    body = [b"x"] * 50_000
    data = (
        b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000
        + b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunked(body)
    )
    reading, whole = read(data)
    assert whole
    assert reading.body == b"x" * 50_000


WELL_FORMED = re.compile(rb"[^\r\n\0]*(?:\r\n[^\s:\0]+:[^\r\n\0]*)*\Z")
marks = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b":", b" ", b"\t", b"\v", b"\f", b"\0", b"a", b"Xy", b"\xff"]))


@given(marks)
@example([b"\r", b"a", b"\n", b":"])
def test_a_head_that_could_be_read_in_two_ways_is_refused(parts):
    rest = b"".join(parts)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: b" + rest
    if (head + b"\r\n\r\n").index(b"\r\n\r\n") != len(head):
        return  # it ends before its end
    if WELL_FORMED.match(head) is None:
        with pytest.raises(MalformedAnswerError):
            read(head + b"\r\n\r\n")
    else:
        assert read(head + b"\r\n\r\n")[1]
