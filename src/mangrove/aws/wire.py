"""Exchange one small request and its answer over an open connection: HTTP/1.1 as AWS speaks it, read in one go.

The standard library reads an answer's headers with its parser of e-mails, which takes longer than all the rest of the
exchange. Whatever is unusual in a head is still left to that parser.
"""

from __future__ import annotations

import http.client
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["Answer", "CutShortError", "read_answer", "request_head"]

_CHUNK = 1 << 16
_MOST_AT_ONCE = 1 << 20
_MOST_HEAD = 1 << 18
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(r"HTTP/1\.([0-9])[ \t]+([1-9][0-9]{2})(?:[ \t]+([^\r\n]*))?\Z")
# A field as RFC 9112 has it, without folding.
_FIELD = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n\0]*)\Z")
_FOLD = re.compile(r"\r?\n[ \t]+")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_TOKEN = re.compile(_NAME.pattern.decode())
_VALUE = re.compile(rb"[^\r\n]*\Z")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\Z")
_KINDS = frozenset({str, bytes, int})
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_NO_BODY = frozenset({204, 304})
_FIRST_FINAL = 200
# From here on the standard library judges, which has limits of its own.
_MOST_FIELDS, _MOST_LINE = 99, 1 << 16
_MOST_DIGITS = 18

Receive = Callable[[int], bytes]


class CutShortError(http.client.IncompleteRead):
    """Say that a body ended before its length: the server has done what it was asked, so it is not asked again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Be one whole answer.

    Attributes:
        status: its status code.
        reason: the words beside the code.
        fields: the header's names and values in their order.
        body: the bytes, without any transfer coding.
        reusable: whether another request may follow on the connection.
    """

    status: int
    reason: str
    fields: list[tuple[str, str]]
    body: bytes
    reusable: bool


def request_head(
    method: str, target: str, host: str, fields: Iterable[tuple[str, str | bytes]], *, has_body: bool = False
) -> bytes | None:
    r"""Write the head of a request, or return None if it is better written by the standard library.

    Args:
        method: such as GET.
        target: path and query, quoted.
        host: what the host field says where the fields have none.
        fields: names and values.
        has_body: whether a body follows; whoever reads it must be told its length.

    Example:
        >>> request_head("GET", "/", "sts.amazonaws.com", [("User-Agent", b"me"), ("Content-Length", "0")])[:15]
        b'GET / HTTP/1.1\r'
    """
    lines, names = [b""], set()
    for name, value in fields:
        if type(name) is not str or type(value) not in _KINDS:
            return None
        try:
            key, text = name.encode("ascii"), value if isinstance(value, bytes) else str(value).encode("ascii")
        except UnicodeEncodeError:
            return None
        # A line break in a name or value would be a header, or a request, of its own.
        if not _NAME.match(key) or not _VALUE.match(text):
            return None
        names.add(key.lower())
        lines.append(b"%b: %b" % (key, text))
    unsaid = b"content-length" not in names and (has_body or method not in _WITHOUT_BODY)
    unusual = names & {b"expect", b"transfer-encoding"} or b"user-agent" not in names or not _TOKEN.match(method)
    if unsaid or unusual:
        return None
    lead = f"{method} {target} HTTP/1.1\r\n"
    if b"host" not in names:
        lead += f"Host: {host}\r\n"
    if b"accept-encoding" not in names:
        lead += "Accept-Encoding: identity\r\n"
    lines[0] = lead.encode("ascii")[:-2]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def read_answer(receive: Receive, method: str) -> Answer:
    """Read one whole answer.

    Args:
        receive: returns the next bytes, at most as many as asked for; none at the end of the connection.
        method: of the request.

    Raises:
        http.client.HTTPException: the connection ended too early, or this is not HTTP.
    """
    data = receive(_CHUNK)
    if not data:
        text = "Remote end closed connection without response"
        raise http.client.RemoteDisconnected(text)
    reader = _Reader(receive, data)
    version, status, reason, fields = _parse_head(reader.head())
    while status < _FIRST_FINAL:
        version, status, reason, fields = _parse_head(reader.head())
    named: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        named[key] = f"{named[key]}, {value}" if key in named else value
    connection = named.get("connection", "").lower()
    kept = "close" not in connection if version else "keep-alive" in connection
    length = _length(named.get("content-length", ""))
    if method == "HEAD" or status in _NO_BODY:
        body = b""
    elif "chunked" in [coding.strip() for coding in named.get("transfer-encoding", "").lower().split(",")]:
        body = reader.chunks()
    elif length is not None:
        try:
            body = reader.exactly(length)
        except http.client.IncompleteRead as error:
            raise CutShortError(error.partial, error.expected) from None
    else:
        body, kept = reader.all(), False
    # What follows an answer that nobody asked for belongs to no request: such a connection is not used again.
    return Answer(status, reason, fields, body, reusable=kept and reader.is_empty())


def _length(text: str) -> int | None:
    """Return the length of a body, or None if the field says none that can be."""
    lengths = {part.strip() for part in text.split(",")}
    if not all(each.isdecimal() and len(each) <= _MOST_DIGITS for each in lengths):
        return None
    first, *others = set(map(int, lengths))
    if others:
        # Whoever sent this, or changed it on its way, and we could mean different ends.
        error = f"lengths that differ: {text[:100]}"
        raise ValueError(error)
    return first


def _parse_head(head: bytes) -> tuple[int, int, str, list[tuple[str, str]]]:
    """Return the minor version, the status, its reason, and the fields."""
    text = head.decode("iso-8859-1")
    first, *lines = text.split("\r\n" if "\r\n" in text else "\n")
    status = _STATUS.match(first)
    if status is None:
        raise http.client.BadStatusLine(first[:100])
    fields = [(field[1], field[2]) for field in map(_FIELD.match, lines) if field]
    if len(fields) != len(lines) or len(lines) >= _MOST_FIELDS or len(head) > _MOST_LINE:
        rest = head.partition(b"\n")[2] + b"\r\n\r\n"
        found = http.client.parse_headers(io.BytesIO(rest)).items()
        fields = [(name, _FOLD.sub(" ", value)) for name, value in found]
    return int(status[1]), int(status[2]), (status[3] or "").strip(), fields


class _Reader:
    """Take an answer apart as it arrives."""

    __slots__ = ("_at", "_data", "_receive")

    def __init__(self, receive: Receive, data: bytes) -> None:
        self._receive = receive
        self._data = data
        self._at = 0

    def is_empty(self) -> bool:
        """Return whether everything that has arrived was taken."""
        return self._at == len(self._data)

    def head(self) -> bytes:
        """Take a head, without the empty line at its end."""
        looked = self._at
        while (found := _END_OF_HEAD.search(self._data, looked)) is None:
            # The next bytes may end what the last three have begun.
            looked = max(len(self._data) - self._at - 3, 0)
            self._read_more(_MOST_HEAD)
        taken = self._data[self._at : found.start()]
        self._at = found.end()
        return taken

    def line(self) -> bytes:
        """Take a line, without its end."""
        while (end := self._data.find(b"\n", self._at)) < 0:
            self._read_more(_CHUNK)
        taken = self._data[self._at : end].removesuffix(b"\r")
        self._at = end + 1
        return taken

    def exactly(self, length: int) -> bytes:
        """Take so many bytes."""
        taken = self._data[self._at : self._at + length]
        self._at += len(taken)
        if len(taken) == length:
            return taken
        parts, missing = [taken], length - len(taken)
        while missing:
            part = self._receive(min(missing, _MOST_AT_ONCE))
            if not part:
                raise http.client.IncompleteRead(b"".join(parts), missing)
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def chunks(self) -> bytes:
        """Take a body that comes in chunks, and the trailers after it."""
        parts: list[bytes] = []
        while True:
            size = _CHUNK_SIZE.match(self.line())
            if size is None:
                raise http.client.IncompleteRead(b"".join(parts))
            length = int(size[1], 16)
            if not length:
                break
            parts.append(self.exactly(length))
            if self.line():
                raise http.client.IncompleteRead(b"".join(parts))
        while self.line():
            pass
        return b"".join(parts)

    def all(self) -> bytes:
        """Take everything up to the end of the connection."""
        parts = [self._data[self._at :]]
        while part := self._receive(_CHUNK):
            parts.append(part)
        self._at = len(self._data)
        return b"".join(parts)

    def _read_more(self, most: int) -> None:
        left = self._data[self._at :]
        if len(left) > most:
            text = f"got more than {most} bytes of header"
            raise http.client.HTTPException(text)
        more = self._receive(_CHUNK)
        if not more:
            raise http.client.IncompleteRead(left)
        self._data, self._at = left + more, 0
