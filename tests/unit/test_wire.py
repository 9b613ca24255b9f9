"""Whole HTTP messages: what is read equals what the standard library and urllib3 read of the same bytes."""

from __future__ import annotations

import http.client
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.response import HTTPResponse

from mangrove.aws.kept import split_url
from mangrove.aws.wire import read_answer, request_head

TOKEN = st.text(st.sampled_from("abcXYZ019-_"), min_size=1, max_size=12)
VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f\x85\xa0"), max_size=20)
OTHER = TOKEN.filter(lambda name: name.lower() not in {"content-length", "transfer-encoding", "connection"})
FIELDS = st.lists(st.tuples(OTHER, VALUE), max_size=6)


class Pieces:
    """Be a connection on which the bytes come in pieces, as the network likes."""

    def __init__(self, data, sizes):
        self.data, self.sizes = data, list(sizes)

    def __call__(self, most):
        size = min(self.sizes.pop(0) if self.sizes else 1 << 20, most)
        piece, self.data = self.data[:size], self.data[size:]
        return piece


def standard(data, method):
    """Read the same bytes as urllib3 does on top of the standard library."""

    class Sock:
        def makefile(self, mode):
            return io.BytesIO(data)

    response = http.client.HTTPResponse(Sock(), method=method)
    response.begin()
    raw = HTTPResponse(
        response,
        headers=dict(response.msg.items()),
        status=response.status,
        preload_content=False,
        request_method=method,
    )
    return response.status, response.msg.items(), b"".join(raw.stream(decode_content=False)), not response.will_close


def chunked(body, sizes):
    parts, at = [], 0
    for size in [*sizes, len(body)]:
        piece = body[at : at + size]
        at += len(piece)
        if piece:
            parts.append(b"%x\r\n%b\r\n" % (len(piece), piece))
    return b"".join(parts) + b"0\r\n\r\n"


@settings(max_examples=150, deadline=None)
@given(
    fields=FIELDS,
    body=st.binary(max_size=300),
    framing=st.sampled_from(["length", "chunks", "none"]),
    status=st.sampled_from([200, 204, 301, 304, 400, 503]),
    method=st.sampled_from(["GET", "POST", "HEAD"]),
    closing=st.sampled_from(["", "Connection: close\r\n", "Connection: keep-alive\r\n"]),
    version=st.sampled_from(["1.1", "1.0"]),
    interim=st.booleans(),
    sizes=st.lists(st.integers(1, 40), max_size=30),
)
def test_an_answer_is_what_urllib3_reads(fields, body, framing, status, method, closing, version, interim, sizes):
    head = f"HTTP/{version} {status} Some Reason\r\n{closing}" + "".join(f"{n}: {v}\r\n" for n, v in fields)
    bodiless = method == "HEAD" or status in {204, 304}
    if bodiless and framing == "chunks":
        framing = "none"  # urllib3 waits for chunks that never come
    wire = body
    if framing == "length":
        head += f"Content-Length: {len(body)}\r\n"
    elif framing == "chunks":
        head += "Transfer-Encoding: chunked\r\n"
        wire = chunked(body, sizes)
    data = (b"HTTP/1.1 100 Continue\r\n\r\n" if interim else b"") + head.encode("iso-8859-1") + b"\r\n"
    data += b"" if bodiless else wire
    found = read_answer(Pieces(data, sizes), method)
    expected = standard(data, method)
    assert (found.status, found.fields, found.body, found.reusable) == expected
    assert found.reason == "Some Reason"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\nA: 1\nContent-Length: 2\n\nab",
        b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTwice: 1\r\ntwice: 2\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;name=value\r\nab\r\n0\r\nTrailer: x\r\n\r\n",
    ],
)
def test_unusual_answers_are_read_as_the_standard_library_reads_them(head):
    found = read_answer(Pieces(head, []), "GET")
    assert (found.status, found.fields, found.body, found.reusable) == standard(head, "GET")
    assert found.body == (b"ab" if b"no colon" not in head else found.body)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 999999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000,
    ],
)
def test_an_answer_cut_short_or_malformed_is_an_error(data):
    with pytest.raises(http.client.HTTPException):
        read_answer(Pieces(data, []), "GET")


def test_a_connection_with_bytes_after_the_answer_is_not_used_again():
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n"
    assert not read_answer(Pieces(data, []), "GET").reusable


def test_many_small_chunks_are_not_copied_again_and_again():
    pieces = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n" * 10_000] * 10, b"0\r\n\r\n"]
    assert read_answer(lambda most: pieces.pop(0), "GET").body == b"x" * 100_000


def test_a_head_that_comes_byte_by_byte_is_read():
    # Were it searched from its begin for each byte, this would take a minute.
    data = b"HTTP/1.1 200 OK\r\n" + (b"A: " + b"b" * 700 + b"\r\n") * 90 + b"Content-Length: 0\r\n\r\n"
    assert len(read_answer(Pieces(data, [1] * len(data)), "GET").fields) == 91


def test_a_head_is_written_as_urllib3_writes_it():
    fields = [("User-Agent", b"me"), ("X-A", "1"), ("Content-Length", "0")]
    assert request_head("POST", "/p?q=1", "host:81", fields) == (
        b"POST /p?q=1 HTTP/1.1\r\nHost: host:81\r\nAccept-Encoding: identity\r\n"
        b"User-Agent: me\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n"
    )
    named = request_head("GET", "/", "host", [("Host", "other"), ("Accept-Encoding", b"gzip"), ("User-Agent", "me")])
    assert named == b"GET / HTTP/1.1\r\nHost: other\r\nAccept-Encoding: gzip\r\nUser-Agent: me\r\n\r\n"


@pytest.mark.parametrize(
    "fields",
    [
        [("User-Agent", "me"), ("X-A", "1\r\nX-B: 2")],
        [("User-Agent", "me"), ("X-A", b"1\n")],
        [("User-Agent", "me"), ("X A", "1")],
        [("User-Agent", "me"), ("", "1")],
        [("User-Agent", "me"), ("X-A", "é")],
        [("User-Agent", "me"), (b"X-A", "1")],
        [("User-Agent", "me"), ("X-A", None)],
        [("User-Agent", "me"), ("Expect", "100-continue")],
        [("User-Agent", "me"), ("Transfer-Encoding", "chunked")],
        [("X-A", "1")],
    ],
)
def test_a_head_that_is_not_plain_is_left_to_the_standard_library(fields):
    assert request_head("GET", "/", "host", fields) is None
    assert request_head("PUT", "/", "host", [("User-Agent", "me")]) is None
    # A length that is not said would make the body the begin of the next request.
    assert request_head("GET", "/", "host", [("User-Agent", "me")], has_body=True) is None
    assert request_head("GET / HTTP/1.1\r\nX", "/", "host", [("User-Agent", "me")]) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://host",
        "https://host/a b",
        "https://host/é",
        "https://host/%2f",
        "https://host/#f",
        "https://user@host/",
        "https://[::1]/",
        "ftp://host/",
        "https://host/a\r\nb",
        "https://host/\n",
        "https://host/k;v=1",
        "https://host/k?",
    ],
)
def test_a_url_that_needs_quoting_is_left_to_urllib3(url):
    assert split_url(url) is None


def test_a_folded_field_is_one_line():
    head = b"HTTP/1.1 200 OK\r\nFolded: one\r\n two\r\n\tthree\r\nContent-Length: 2\r\n\r\nab"
    assert read_answer(Pieces(head, []), "GET").fields[0] == ("Folded", "one two three")
