"""Listens on a loopback port, gives each connection a thread, refuses when told to, and ends without a trace."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from collections.abc import Callable

from mangrove.errors import NotRunningError

__all__ = ["AT_ONCE", "HOST", "Listener", "end", "reset"]

HOST = "127.0.0.1"
_BACKLOG = 1024
_GRACE_SECONDS = 10.0
AT_ONCE = struct.pack("ii", 1, 0)


def reset(sock: socket.socket) -> None:
    """End a connection with a reset: what the peer has not read yet may be lost."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    sock.close()


def end(sock: socket.socket) -> None:
    """End a connection in order: the peer reads all there is, and then the end."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


class Listener:
    """Give connections to a function, each in a thread of its own.

    Args:
        serve: gets the listener and the connection; whatever it raises of the network ends the connection.
        name: of the threads.
    """

    def __init__(self, serve: Callable[[Listener, socket.socket], None], name: str) -> None:
        self._serve = serve
        # It holds the port while nobody listens, so that connections are refused and nobody else takes it.
        self._holder = self._bound(0)
        self.port: int = self._holder.getsockname()[1]
        self._name = f"{name}-{self.port}"
        self.stopping = threading.Event()
        self._refusing = 0.0
        self._bell, self._button = socket.socketpair()
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        listening = self._listening()
        self._thread = threading.Thread(target=self._run, args=(listening,), name=self._name, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the URL of the port."""
        return f"http://{HOST}:{self.port}"

    def refuse(self, seconds: float) -> None:
        """Refuse new connections for so long; those that are open stay."""
        with self._lock:
            self._refusing = max(self._refusing, seconds)
        self._ring()

    def also(self, sock: socket.socket) -> socket.socket:
        """Have a further socket of this thread's connection ended when all are.

        Raises:
            NotRunningError: they are being ended.
        """
        with self._lock:
            if self.stopping.is_set():
                sock.close()
                text = "the proxy has been stopped"
                raise NotRunningError(text)
            self._open[sock] = threading.current_thread()
        return sock

    def forget(self, sock: socket.socket) -> None:
        """Forget a socket that is closed."""
        with self._lock:
            self._open.pop(sock, None)

    def stop(self) -> None:
        """End all connections and threads, and close the port."""
        self.stopping.set()
        self._ring()
        self._thread.join(_GRACE_SECONDS)
        with self._lock:
            left = dict(self._open)
        for sock in left:
            with contextlib.suppress(OSError):  # the peer was faster
                sock.shutdown(socket.SHUT_RDWR)
        for thread in set(left.values()) - {threading.current_thread()}:
            thread.join(_GRACE_SECONDS)
        for sock in (self._holder, self._bell, self._button):
            sock.close()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):
            self._button.send(b".")

    def _bound(self, port: int) -> socket.socket:
        sock = socket.socket()
        shared = getattr(socket, "SO_REUSEPORT", socket.SO_REUSEADDR)
        sock.setsockopt(socket.SOL_SOCKET, shared, 1)
        sock.bind((HOST, port))
        return sock

    def _listening(self) -> socket.socket:
        sock = self._bound(self.port)
        sock.listen(_BACKLOG)
        return sock

    def _run(self, listening: socket.socket) -> None:
        while True:
            with listening:
                self._accept(listening)
            with self._lock:
                seconds, self._refusing = self._refusing, 0.0
            if self.stopping.wait(seconds):
                return
            listening = self._listening()

    def _accept(self, listening: socket.socket) -> None:
        """Accept connections until the bell rings."""
        with selectors.DefaultSelector() as selector:
            selector.register(listening, selectors.EVENT_READ)
            selector.register(self._bell, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._bell in ready:
                    self._bell.recv(1 << 10)
                    return
                with contextlib.suppress(OSError):
                    self._begin(listening.accept()[0])

    def _begin(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(target=self._one, args=(sock,), name=f"{self._name}-connection", daemon=True)
        with self._lock:
            self._open[sock] = thread
        thread.start()

    def _one(self, sock: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError, EOFError, NotRunningError):
                self._serve(self, sock)
        finally:
            self.forget(sock)
            sock.close()
