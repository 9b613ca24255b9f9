"""Let large objects end with the part that is under way, when whoever wanted them has gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mangrove.errors import TransferCancelledError
from mangrove.s3.engines.base import Call, Engine, Reply
from mangrove.s3.performing import Performer

__all__ = ["halting"]

# It tidies up, or has nothing left to send.
_LAST = frozenset({"AbortMultipartUpload", "CompleteMultipartUpload"})


class _Halting:
    """Be an engine that makes no further calls once it is told to halt, but for those that leave nothing behind."""

    def __init__(self, engine: Engine, halted: Callable[[], bool]) -> None:
        self._engine, self._halted = engine, halted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def perform(self, call: Call) -> Reply:
        if call.operation not in _LAST and self._halted():
            text = "it was ended in the middle: the batch was left, or the connection closed"
            raise TransferCancelledError(text)
        return self._engine.perform(call)

    def submit(self, call: Call) -> None:
        self._engine.submit(call)

    def poll(self, timeout: float) -> list[Call]:
        return self._engine.poll(timeout)

    def wake(self) -> None:
        self._engine.wake()

    def close(self) -> None:
        """Do nothing: the engine is somebody else's."""


def halting(performer: Performer, halted: Callable[[], bool]) -> Performer:
    """Return a performer that makes a step's calls until it is told to halt.

    Args:
        performer: makes them.
        halted: returns whether to halt; asked before each call, from any thread.
    """
    return performer.over(_Halting(performer.engine, halted))
