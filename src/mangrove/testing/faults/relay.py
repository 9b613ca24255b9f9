"""Passes the requests of one connection on to the server, byte for byte, but for those that have a fault."""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from mangrove.testing.faults.answers import refusal
from mangrove.testing.faults.asked import Asked, asked_of
from mangrove.testing.faults.delivery import End, Pace, Pause, Step, deliver
from mangrove.testing.faults.kinds import Kind
from mangrove.testing.faults.listening import Listener, end, reset
from mangrove.testing.faults.messages import CHUNKED, TO_THE_END, Answer, Head, Stream, answer_length, request_length

__all__ = ["Relay", "Setting"]

_FORM = "application/x-www-form-urlencoded"
_CONTINUE, _FIRST_FINAL = 100, 200


@dataclass(frozen=True, slots=True)
class Setting:
    """Be what all connections of a fault server share.

    Args:
        connect: makes a connection to the server.
        choose: returns the fault of a request, if it has one, and remembers it.
        account_of: returns the account of an access key, or nothing.
        pace: how long faults of pace last.
    """

    connect: Callable[[], socket.socket]
    choose: Callable[[Asked], tuple[Kind, random.Random] | None]
    account_of: Callable[[str], str]
    pace: Pace


class Relay:
    """Serve one connection.

    Args:
        setting: what all share.
        listener: whose connection it is.
        sock: the connection.
    """

    def __init__(self, setting: Setting, listener: Listener, sock: socket.socket) -> None:
        self._setting, self._listener = setting, listener
        self._client = Stream(sock)
        self._server: Stream | None = None
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)

    def run(self) -> None:
        """Pass on requests until the connection ends."""
        try:
            while self._awaits_request() and self._one():
                pass
        except (OSError, EOFError):
            # The client gets what it would without a proxy: the end of the connection.
            pass
        finally:
            self._selector.close()
            self._hang_up(selected=False)
            end(self._client.sock)

    # -- requests ------------------------------------------------------------------------------------------------------

    def _awaits_request(self) -> bool:
        """Wait for a request; return False if the server has ended its idle connection before one came."""
        return self._client.waiting or self._client.sock in self._ready()

    def _ready(self) -> set[object]:
        return {key.fileobj for key, _ in self._selector.select()}

    def _one(self) -> bool:
        """Serve a request, and return whether another one may follow."""
        head = self._client.head()
        if head is None:
            return False
        body: Iterable[bytes] = self._client.pieces(request_length(head))
        form = b""
        if head.get("content-type").startswith(_FORM):
            body = [form := b"".join(body)]
        asked = asked_of(head, form, self._setting.account_of)
        chosen = self._setting.choose(asked)
        if chosen is None:
            return self._pass(head, asked, body)
        kind, dice = chosen
        if kind.does == "ends":
            return self._end(kind, body, expects=asked.expects)
        if kind.does == "answers" or (kind.name == "object_changed" and asked.condition):
            return self._refuse(kind, asked, body, dice)
        return self._suffer(kind, dice, head, asked, body)

    def _end(self, kind: Kind, body: Iterable[bytes], *, expects: bool) -> bool:
        if kind.name == "closed":
            if not expects:
                _drain(body)
            return False
        if kind.name == "refused":
            self._listener.refuse(self._setting.pace.refusing)
        reset(self._client.sock)
        return False

    def _refuse(self, kind: Kind, asked: Asked, body: Iterable[bytes], dice: random.Random) -> bool:
        if not asked.expects:
            _drain(body)
        now = datetime.now(timezone.utc)
        answer = refusal(kind.name, asked, request_id=f"{dice.getrandbits(64):016X}", now=now, here=self._listener.url)
        # A body that was announced and not sent would be read as the next request.
        head = answer.head.replaced("Connection", "close") if asked.expects else answer.head
        self._client.sock.sendall(Answer(head, answer.body).raw)
        return not asked.expects

    def _suffer(self, kind: Kind, dice: random.Random, head: Head, asked: Asked, body: Iterable[bytes]) -> bool:
        if kind.does == "changes":
            head = head.replaced("Range", None)
        if kind.does == "repeats":
            body = [b"".join(body)]
            self._collect(head, self._send(head, asked, body))
            self._hang_up()  # whether or not the server would take another request
        early = self._send(head, asked, body, tells=kind.name != "no_continue")
        answer = self._collect(head, early)
        goes_on = self._deliver(deliver(kind.name, answer, dice, self._setting.pace))
        return goes_on and early is None and not (head.ends or answer.head.ends)

    # -- the server ----------------------------------------------------------------------------------------------------

    def _pass(self, head: Head, asked: Asked, body: Iterable[bytes]) -> bool:
        early = self._send(head, asked, body)
        answer = early or self._answer()
        length = answer_length(answer, asked.method)
        self._client.sock.sendall(answer.raw)
        for piece in self._upstream().pieces(length):
            self._client.sock.sendall(piece)
        return early is None and length != TO_THE_END and not (head.ends or answer.ends)

    def _upstream(self) -> Stream:
        if self._server is None:
            sock = self._listener.also(self._setting.connect())
            self._server = Stream(sock)
            self._selector.register(sock, selectors.EVENT_READ)
        return self._server

    def _hang_up(self, *, selected: bool = True) -> None:
        server, self._server = self._server, None
        if server is not None:
            if selected:
                self._selector.unregister(server.sock)
            self._listener.forget(server.sock)
            end(server.sock)

    def _send(self, head: Head, asked: Asked, body: Iterable[bytes], *, tells: bool = True) -> Head | None:
        """Send a request; return the head of an answer that came before the body was sent."""
        sock = self._upstream().sock
        sock.sendall(head.raw)
        if asked.expects and (early := self._invited(tells=tells)):
            return early
        # A server may answer and close before it has read all; the answer is there to be read then.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in body:
                sock.sendall(piece)
        return None

    def _invited(self, *, tells: bool) -> Head | None:
        """Wait for the server to ask for the body, or for the client to send it unasked; or return the answer."""
        server = self._upstream()
        if self._client.waiting or (not server.waiting and self._client.sock in self._ready()):
            return None
        head = server.head()
        if head is None:
            raise EOFError
        if head.status != _CONTINUE:
            return head
        if tells:
            self._client.sock.sendall(head.raw)
        return None

    def _answer(self) -> Head:
        """Read the head of the answer; what the server says before it has been said."""
        while True:
            head = self._upstream().head()
            if head is None:
                raise EOFError
            if head.status >= _FIRST_FINAL:
                return head

    def _collect(self, head: Head, early: Head | None) -> Answer:
        """Read a whole answer."""
        answer = early or self._answer()
        length = answer_length(answer, head.method)
        body = self._upstream().body(length)
        if length in (CHUNKED, TO_THE_END):
            answer = answer.replaced("Transfer-Encoding", None).replaced("Content-Length", str(len(body)))
        return Answer(answer, body)

    # -- the client ----------------------------------------------------------------------------------------------------

    def _deliver(self, steps: Iterable[Step]) -> bool:
        for step in steps:
            if isinstance(step, End):
                (reset if step.how == "reset" else end)(self._client.sock)
                return False
            if isinstance(step, Pause):
                if not self._waited(step.seconds):
                    return False
            else:
                self._client.sock.sendall(step)
        return True

    def _waited(self, seconds: float) -> bool:
        """Wait, and return False if the client has gone meanwhile."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._client.sock, selectors.EVENT_READ)
            return not selector.select(seconds) or bool(self._client.sock.recv(1, socket.MSG_PEEK))


def _drain(body: Iterable[bytes]) -> None:
    pieces: Iterator[bytes] = iter(body)
    for _ in pieces:
        pass
