"""Read one HTTP/1.1 answer from bytes as they arrive: pure, so that it can be fed every cut of every answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

__all__ = ["MalformedAnswerError", "Reading"]

_MOST_HEAD = 1 << 18
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?\Z")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\Z")
_LENGTH = re.compile(rb"[0-9]{1,18}\Z")
# What nearly all answers are, found without a look at each field.
_COMMON = (b"HTTP/1.1 200 ", b"HTTP/1.1 206 ")
_LENGTH_MARK, _OTHER_MARK, _CONNECTION_MARK = b"\r\ncontent-length: ", b"\r\ntransfer-encoding", b"\r\nconnection:"
# Else others might read it in another way: line ends that are none, fields over two lines, no name, a NUL.
_WELL_FORMED = re.compile(rb"[^\r\n\0]*(?:\r\n[^\s:\0]*:[^\r\n\0]*)*\Z")
_NO_NAME = b"\r\n:"
# All that this looks at; of the rest of a head it only matters that it is there.
_REST = bytes(set(range(256)) - set(b"\r\n\0\t\v\f :"))
_MOST_DIGITS = 18
_FIRST_FINAL = 200
_SWITCHING = 101
_NO_BODY = (204, 304)
_FIRST_ERROR = 300
_MOST_LINE = 1 << 12
_MOST_ERROR = 1 << 16  # bytes of an error's document; S3's own have some hundreds
# In place of the bytes that are left of a body: it ends with the connection; a chunk's size, its end or the fields
# after the last one come next.
_UNTIL_CLOSE, _CHUNKED, _CHUNK_END, _TRAILER = -1, -2, -3, -4


class MalformedAnswerError(Exception):
    """Say that bytes are no HTTP/1.1 answer, or that they ended early; nothing of the rest can be trusted."""


class Reading:
    """Be one answer while it arrives.

    Args:
        head_only: whether the answer has no body whatever its head says: that of a HEAD.
        sink: takes the body of a success as it arrives; without one it is kept.
        most: a longer body of a success is given up, before it begins where its length is known; one of an error is at
            64 KiB.

    Attributes:
        status: the status code, 0 before it is known.
        head: the bytes of the head, lines apart by CRLF, without the empty line.
        low: the same in lower case, with the last line's end.
        reusable: whether another request may follow on the connection.
        too_long: whether the body was given up, and it was none of an error.
        sink_error: what the sink raised: a full disk is no fault of the connection.
    """

    # What most answers never change is the class's.
    status = 0
    head = low = b""
    reusable = too_long = False
    sink_error: Exception | None = None
    _cut = b""  # bytes of a head or of a line between chunks that is not whole yet
    _left = _kept = 0
    _chunks: list[bytes] = []  # noqa: RUF012  never changed: a body that comes bit by bit has its own
    _state: Callable[[memoryview], bool] | None = None

    def __init__(
        self,
        head_only: bool = False,  # noqa: FBT001, FBT002  by place: names cost more, and there is one for each request
        sink: Callable[[memoryview], object] | None = None,
        most: int | None = None,
    ) -> None:
        self._head_only, self._sink, self._most = head_only, sink, most

    @property
    def body(self) -> bytes:
        """Return the bytes of the body that no sink has taken."""
        chunks = self._chunks
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    @property
    def streaming(self) -> int:
        """Return how many bytes a sink still gets, where that is known; else 0."""
        return self._left if self._sink is not None and self._state is not None and self._left > 0 else 0

    def let_go(self) -> None:
        """Let go of the body."""
        self._chunks = []

    def feed(self, data: memoryview) -> bool:
        """Take what has arrived, in order; return whether the answer is whole.

        Raises:
            MalformedAnswerError: the bytes are no answer, or more than one.
        """
        state = self._state
        return self._begin(data) if state is None else state(data)

    def end(self) -> None:
        """Say that no more bytes will come: the server has closed the connection.

        Raises:
            MalformedAnswerError: the answer is not whole.
        """
        if self._left != _UNTIL_CLOSE or self._state is None:
            have = f"the head of status {self.status} and a part of the body" if self.status else "no whole head"
            text = f"the server closed the connection before its answer ended; there is {have}"
            raise MalformedAnswerError(text)

    def _begin(self, data: memoryview) -> bool:
        raw = self._cut + bytes(data) if self._cut else bytes(data)
        start = 0
        while (end := raw.find(b"\r\n\r\n", start)) >= 0:
            head = raw[start:end]
            start = end + 4
            status = self._frame(head)
            if status >= _FIRST_FINAL:
                self.status, self.head, self._cut = status, head, b""
                return self._body_begins(raw, start)
            if status == _SWITCHING:
                text = "the server wants to switch the protocol, which nobody asked for"
                raise MalformedAnswerError(text)
        rest = raw[start:]
        if len(rest) > _MOST_HEAD or not b"HTTP/1.".startswith(rest[:7]):
            text = "the server's answer is not HTTP/1.1"
            raise MalformedAnswerError(text)
        self._cut = rest
        return False

    def _body_begins(self, raw: bytes, start: int) -> bool:
        """Go on with what follows the head; the common answer is whole by then."""
        left = self._left
        if self.status >= _FIRST_ERROR:
            # An error's body is not the object, and what says more than errors do is none of S3's.
            self._sink, self._most = None, _MOST_ERROR
        if self._most is not None and left > self._most:
            return self._give_up()
        if left == len(raw) - start and self._sink is None:
            self._chunks = [raw[start:]]
            return True
        self._chunks = []
        self._state = {_CHUNKED: self._chunked, _UNTIL_CLOSE: self._until_close}.get(left, self._counted)
        return not left if start == len(raw) else self._state(memoryview(raw)[start:])

    def _frame(self, head: bytes) -> int:
        """Read from the head how the body ends and whether the connection lives on; return the status."""
        low = self.low = head.lower() + b"\r\n"
        marks = head.translate(None, _REST)
        # Without what stands between them, a CR and an LF that are none look like a line's end.
        if _NO_NAME in head or marks.count(b"\r\n") != head.count(b"\r\n") or not _is_well_formed(marks):
            text = "the head of the server's answer is no HTTP/1.1: it could be read in two ways"
            raise MalformedAnswerError(text)
        at = low.find(_LENGTH_MARK)
        if (
            at > 0
            and head.startswith(_COMMON)
            and _OTHER_MARK not in low
            and _CONNECTION_MARK not in low
            and (length := low[at + 18 : low.find(b"\r\n", at + 18)]).isdigit()
            and low.count(_LENGTH_MARK[:-1]) == 1
            and len(length) <= _MOST_DIGITS
        ):
            self.reusable, self._left = True, 0 if self._head_only else int(length)
            return 200 if low[9:12] == b"200" else 206
        return self._frame_of_any(head, low)

    def _frame_of_any(self, head: bytes, low: bytes) -> int:
        """Do it for a head of any form."""
        line = head.partition(b"\r\n")[0]
        found = _STATUS.match(line)
        if found is None:
            text = f"the server's answer does not begin as HTTP/1.1 does: {line[:40]!r}"
            raise MalformedAnswerError(text)
        status = int(found[2])
        connection = _field(low, b"connection")
        self.reusable = b"close" not in connection if found[1] == b"1" else b"keep-alive" in connection
        self._left = self._length(low, status)
        return status

    def _length(self, low: bytes, status: int) -> int:
        if self._head_only or status in _NO_BODY or status < _FIRST_FINAL:
            return 0
        coding = _field(low, b"transfer-encoding")
        if coding:
            if coding != b"chunked":
                text = f"the server used a transfer coding that nobody asked for: {coding[:40]!r}"
                raise MalformedAnswerError(text)
            # With a length beside it, whoever is between may have read it otherwise.
            self.reusable = self.reusable and b"\r\ncontent-length:" not in low
            return _CHUNKED
        length = _field(low, b"content-length")
        if not length:
            self.reusable = False
            return _UNTIL_CLOSE
        if not _LENGTH.match(length):
            # Several that agree are one; anything else could be read in two ways.
            values = {part.strip() for part in length.split(b",")}
            if len(values) != 1 or not _LENGTH.match(length := values.pop()):
                text = f"the server's Content-Length is no number: {length[:40]!r}"
                raise MalformedAnswerError(text)
        return int(length)

    def _take(self, data: memoryview) -> None:
        if self._sink is None:
            self._chunks.append(bytes(data))
            return
        try:
            self._sink(data)
        except Exception as error:
            self.sink_error = error
            raise

    def _counted(self, data: memoryview) -> bool:
        size = len(data)
        if size > self._left:
            # The object is whole; the connection is not to be trusted with another.
            self.reusable = False
            data = data[: self._left]
            size = self._left
        self._left -= size
        if size:
            self._take(data)
        return not self._left

    def _until_close(self, data: memoryview) -> bool:
        self._take(data)
        return self._is_too_long(len(data))

    def _is_too_long(self, size: int) -> bool:
        """Count what is kept of a body of unknown length, and give it up when it is more than wanted."""
        self._kept += size
        return self._most is not None and self._kept > self._most and self._give_up()

    def _give_up(self) -> bool:
        """Take no more of the body, and nothing of what came."""
        self.too_long, self.reusable = self.status < _FIRST_ERROR, False
        self._chunks = []
        return True

    def _chunked(self, data: memoryview) -> bool:
        raw = memoryview(self._cut + bytes(data)) if self._cut else data
        at, self._cut = 0, b""
        while True:
            if self._left > 0:
                part = raw[at : at + self._left]
                self._take(part)
                if self._is_too_long(len(part)):
                    return True
                at += len(part)
                self._left -= len(part)
                if self._left:
                    return False
                self._left = _CHUNK_END
            line = bytes(raw[at : at + _MOST_LINE])
            end = line.find(b"\r\n")
            if end < 0:
                if len(line) == _MOST_LINE:
                    text = "a line of the server's answer does not end"
                    raise MalformedAnswerError(text)
                self._cut = line
                return False
            at += end + 2
            if self._line(line[:end]):
                self.reusable = self.reusable and at == len(raw)
                return True

    def _line(self, line: bytes) -> bool:
        """Take a line between the chunks; return whether it is the last of the answer."""
        if self._left == _TRAILER:
            return not line
        if self._left == _CHUNK_END:
            if line:
                text = "a chunk is longer than its size"
                raise MalformedAnswerError(text)
            self._left = _CHUNKED
            return False
        size = _CHUNK_SIZE.match(line)
        if size is None:
            text = f"the size of a chunk is no number: {line[:40]!r}"
            raise MalformedAnswerError(text)
        self._left = int(size[1], 16) or _TRAILER
        return False


@lru_cache(maxsize=64)
def _is_well_formed(marks: bytes) -> bool:
    """Return whether a head is HTTP/1.1 by its spaces, colons and line ends, which answers of one kind share."""
    return _WELL_FORMED.match(marks) is not None


def _field(low: bytes, name: bytes) -> bytes:
    """Return the value of a field in a lower-case head, values of several joined by commas; or nothing."""
    mark = b"\r\n" + name + b":"
    start = low.find(mark)
    if start < 0:
        return b""
    start += len(mark)
    end = low.find(b"\r\n", start)
    value = low[start:end].strip(b" \t")
    more = low.find(mark, end)
    return value if more < 0 else value + b"," + _field(low[end:], name)
