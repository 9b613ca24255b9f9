"""Move as many large objects at once as their parts leave room for: a few huge ones, or dozens of two parts each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from mangrove.s3.running.handle import Handle
from mangrove.s3.running.performing import Settings

__all__ = ["Lifts"]

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
        self._pool: ThreadPoolExecutor | None = None

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
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting:
            handle, places, work = self._waiting[0]
            if self._places and sum(self._places.values()) + places > _PARTS:
                return
            self._waiting.popleft()
            self._places[handle] = places
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_PARTS, thread_name_prefix="mangrove-s3-large")
            self._pool.submit(work)

    def close(self) -> None:
        """Begin nothing more, and wait for what is under way."""
        self._waiting.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
