"""Reads HTTP messages from a connection piece by piece, so that they can be passed on byte for byte."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Answer", "Head", "Stream", "answer_length", "request_length"]

CHUNKED, TO_THE_END = -1, -2
_MOST_HEAD = 1 << 20
_PIECE = 1 << 16
_CONTINUES, _SWITCHES, _NO_CONTENT, _NOT_MODIFIED = 100, 101, 204, 304


@dataclass(frozen=True, slots=True)
class Head:
    r"""Be the head of a message: its first line and its fields, in the order and the case in which they came.

    Example:
        >>> head = Head.parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        >>> head.status, head.get("content-length"), head.replaced("Content-Length", "3").raw
        (200, '2', b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n')
    """

    start: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    # As it came, to the last blank: what is passed on unchanged is not written anew.
    given: bytes = field(default=b"", repr=False, compare=False)

    @classmethod
    def parse(cls, raw: bytes) -> Head:
        """Read a head; a line without a colon is a field without a value."""
        start, *lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        split = (each.partition(":") for each in lines)
        return cls(start, tuple((name, value.strip(" \t")) for name, _, value in split), raw)

    @property
    def raw(self) -> bytes:
        """Return the bytes of the head."""
        if self.given:
            return self.given
        lines = [self.start, *(f"{name}: {value}" for name, value in self.fields)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    @property
    def method(self) -> str:
        """Return the method of a request."""
        return self.start.partition(" ")[0]

    @property
    def target(self) -> str:
        """Return the path of a request, with its query."""
        target = self.start.partition(" ")[2].rpartition(" ")[0]
        return "/" + target.partition("://")[2].partition("/")[2] if "://" in target.partition("?")[0] else target

    @property
    def status(self) -> int:
        """Return the status of an answer, 0 if it has none."""
        word = self.start.split(" ")[1:2]
        return int(word[0]) if word and word[0].isdigit() else 0

    def get(self, name: str) -> str:
        """Return the value of a field, or nothing."""
        return next((value for each, value in self.fields if each.lower() == name), "")

    def replaced(self, name: str, value: str | None) -> Head:
        """Return the head with another value of a field, or without it if the value is None."""
        kept = tuple(each for each in self.fields if each[0].lower() != name.lower())
        return Head(self.start, kept if value is None else (*kept, (name, value)))

    @property
    def ends(self) -> bool:
        """Say whether the connection ends with this message."""
        said = self.get("connection").lower()
        version = self.start.split(" ")[0 if self.start.startswith("HTTP/") else -1]
        return "close" in said or (version == "HTTP/1.0" and "keep-alive" not in said)


@dataclass(frozen=True, slots=True)
class Answer:
    """Be a whole answer, its body without chunks."""

    head: Head
    body: bytes

    @property
    def raw(self) -> bytes:
        """Return its bytes."""
        return self.head.raw + self.body


def request_length(head: Head) -> int:
    """Return how long the body of a request is, `CHUNKED` if its chunks tell."""
    if head.get("transfer-encoding").lower().endswith("chunked"):
        return CHUNKED
    return _number(head.get("content-length")) or 0


def answer_length(head: Head, method: str) -> int:
    """Return how long the body of an answer is, `CHUNKED` if its chunks tell, `TO_THE_END` of the connection if none.

    Args:
        head: of the answer.
        method: of the request.
    """
    if method == "HEAD" or head.status < 200 or head.status in (_NO_CONTENT, _NOT_MODIFIED):  # noqa: PLR2004
        return 0
    if head.get("transfer-encoding").lower().endswith("chunked"):
        return CHUNKED
    length = _number(head.get("content-length"))
    return TO_THE_END if length is None else length


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


class Stream:
    """Be one end of a connection, read with a buffer.

    Args:
        sock: the connection; it belongs to the stream.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._kept = bytearray()

    @property
    def waiting(self) -> bool:
        """Say whether bytes are there that were read already."""
        return bool(self._kept)

    def head(self) -> Head | None:
        """Read a head; return None at the end of the connection.

        Raises:
            EOFError: the connection ended inside of it, or it is too long.
        """
        while (end := self._kept.find(b"\r\n\r\n")) < 0:
            if len(self._kept) > _MOST_HEAD:
                raise EOFError
            if not self._more():
                if self._kept:
                    raise EOFError
                return None
        return Head.parse(self._take(end + 4))

    def pieces(self, length: int) -> Iterator[bytes]:
        """Read a body piece by piece, as it is on the line.

        Args:
            length: of it: see `request_length` and `answer_length`.

        Raises:
            EOFError: the connection ended inside of it.
        """
        if length == CHUNKED:
            for line, piece in self._chunks():
                yield line
                yield piece
        elif length == TO_THE_END:
            yield from self._rest()
        else:
            yield from self._exactly(length)

    def body(self, length: int) -> bytes:
        """Read a whole body, without chunks."""
        if length == CHUNKED:
            return b"".join(piece[:-2] for line, piece in self._chunks() if int(line.split(b";")[0], 16))
        return b"".join(self.pieces(length))

    def _exactly(self, length: int) -> Iterator[bytes]:
        while length:
            if not self._kept and not self._more():
                raise EOFError
            piece = self._take(min(length, len(self._kept)))
            length -= len(piece)
            yield piece

    def _rest(self) -> Iterator[bytes]:
        while self._kept or self._more():
            yield self._take(len(self._kept))

    def _chunks(self) -> Iterator[tuple[bytes, bytes]]:
        """Read the lines of chunks, and what is after each; the last one has the trailers."""
        while True:
            line = self._line()
            size = int(line.split(b";")[0], 16)
            if not size:
                trailer = self._line()
                while not trailer.endswith(b"\r\n\r\n") and trailer != b"\r\n":
                    trailer += self._line()
                yield line, trailer
                return
            yield line, b"".join(self._exactly(size + 2))

    def _line(self) -> bytes:
        while (end := self._kept.find(b"\r\n")) < 0:
            if not self._more():
                raise EOFError
        return self._take(end + 2)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._kept[:count])
        del self._kept[:count]
        return taken

    def _more(self) -> bool:
        more = self.sock.recv(_PIECE)
        self._kept += more
        return bool(more)
