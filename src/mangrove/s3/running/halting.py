"""Let large objects end with the part that is under way, when whoever wanted them has gone."""

from __future__ import annotations

from collections.abc import Callable

from mangrove.errors import TransferCancelledError
from mangrove.s3.engines.base import Call, Engine, Reply
from mangrove.s3.engines.passing import PassingEngine
from mangrove.s3.running.performing import Performer

__all__ = ["halting"]

# It tidies up, or has nothing left to send.
_LAST = frozenset({"AbortMultipartUpload", "CompleteMultipartUpload"})


class _Halting(PassingEngine):
    """Be an engine that makes no further calls once it is told to halt, but for those that leave nothing behind."""

    def __init__(self, engine: Engine, halted: Callable[[], bool]) -> None:
        super().__init__(engine)
        self._halted = halted

    def perform(self, call: Call) -> Reply:
        if call.operation not in _LAST and self._halted():
            text = "it was ended in the middle: the batch was left, or the connection closed"
            raise TransferCancelledError(text)
        return super().perform(call)


def halting(performer: Performer, halted: Callable[[], bool]) -> Performer:
    """Return a performer that makes a step's calls until it is told to halt.

    Args:
        performer: makes them.
        halted: returns whether to halt; asked before each call, from any thread.
    """
    return performer.over(_Halting(performer.engine, halted))
