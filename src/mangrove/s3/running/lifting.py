"""Move as many large objects at once as their parts leave room for: a few huge ones, or dozens of two parts each."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from mangrove.s3.running.handle import Handle
from mangrove.s3.running.performing import Settings

__all__ = ["PATIENCE", "Lifts"]

# Seconds that the part which is under way, or a stream of the user's that says nothing, is waited for in the end.
PATIENCE = 30.0
# Parts under way at once, of all large objects together: each has a connection, and memory for its bytes.
_PARTS = 32


class Lifts:
    """Be the threads of the steps that take one for themselves; for one thread, which begins and ends them.

    An object takes as many of the places as it has parts under way at most. They begin in their order, and one that
    takes more places than there are begins when it is alone.

    Args:
        settings: how objects are moved.
    """

    def __init__(self, settings: Settings) -> None:
        self._threads, self._part_size = settings.threads, settings.limits.part_size
        self._waiting: deque[tuple[Handle, int, Callable[[], object]]] = deque()
        self._places: dict[Handle, int] = {}
        self._running: dict[Handle, threading.Thread] = {}

    def begin(self, handle: Handle, work: Callable[[], object]) -> None:
        """Do some work in a thread, when there is room for it.

        Args:
            handle: the operation that it is for.
            work: does it, and raises nothing.
        """
        places = self._threads
        if handle.length is not None:
            places = min(places, max(1, -(-handle.length // self._part_size)))
        self._waiting.append((handle, places, work))
        self._go_on()

    def end(self, handle: Handle) -> None:
        """Say that the work for an operation is done."""
        self._places.pop(handle, None)
        self._running.pop(handle, None)
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting:
            handle, places, work = self._waiting[0]
            if self._places and sum(self._places.values()) + places > _PARTS:
                return
            self._waiting.popleft()
            self._places[handle] = places
            # A daemon: who reads a stream that says nothing must not keep the interpreter from its end.
            thread = threading.Thread(target=work, name="mangrove-s3-large", daemon=True)
            thread.start()
            self._running[handle] = thread

    def close(self) -> list[Handle]:
        """Begin nothing more, wait for what is under way, and return what has not ended after `PATIENCE`."""
        self._waiting.clear()
        until = time.monotonic() + PATIENCE
        for thread in self._running.values():
            thread.join(max(0.0, until - time.monotonic()))
        return [handle for handle, thread in self._running.items() if thread.is_alive()]
