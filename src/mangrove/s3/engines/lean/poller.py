"""Wait for hundreds of sockets: epoll where there is one, else what the system has, with a way to be woken."""

from __future__ import annotations

import contextlib
import select
import selectors
import socket
from typing import Any

__all__ = ["READ", "WRITE", "Poller"]

READ, WRITE = 1, 4


class _Selected:
    """Be the part of epoll that is used, over what the system has."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def register(self, fd: int, events: int) -> None:
        self._selector.register(fd, _mask(events))

    def modify(self, fd: int, events: int) -> None:
        self._selector.modify(fd, _mask(events))

    def unregister(self, fd: int) -> None:
        self._selector.unregister(fd)

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        return [
            (key.fd, (READ if mask & selectors.EVENT_READ else 0) | (WRITE if mask & selectors.EVENT_WRITE else 0))
            for key, mask in self._selector.select(timeout)
        ]

    def close(self) -> None:
        self._selector.close()


def _mask(events: int) -> int:
    return (selectors.EVENT_READ if events & READ else 0) | (selectors.EVENT_WRITE if events & WRITE else 0)


class Poller:
    """Wait for sockets that can be read or written; a thread may wake the one that waits."""

    def __init__(self) -> None:
        # EPOLLIN and EPOLLOUT are READ and WRITE.
        self._epoll: Any = select.epoll() if hasattr(select, "epoll") else _Selected()
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)  # noqa: FBT003  the name of it
        self._ringer.setblocking(False)  # noqa: FBT003
        self._rung = False
        self._epoll.register(self._bell.fileno(), READ)
        self.poll = self._epoll.poll

    def add(self, fd: int) -> None:
        """Watch a socket that is to be read."""
        self._epoll.register(fd, READ)

    def watch(self, fd: int, *, writing: bool) -> None:
        """Say whether a watched socket is to be written too."""
        self._epoll.modify(fd, READ | WRITE if writing else READ)

    def remove(self, fd: int) -> None:
        """Watch a socket no longer."""
        self._epoll.unregister(fd)

    def wake(self) -> None:
        """Make `poll` return, with a number that nobody has added; from any thread."""
        if not self._rung:
            self._rung = True
            # Full or closed: it is awake, or never will be.
            with contextlib.suppress(OSError):
                self._ringer.send(b"!")

    def hush(self) -> None:
        """Be ready to be woken again; look for what you were woken for after this."""
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(64)
        self._rung = False

    def close(self) -> None:
        """Close what it waits with."""
        self._epoll.close()
        self._bell.close()
        self._ringer.close()
