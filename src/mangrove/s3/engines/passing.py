"""Be an engine over another one, for those who look at its calls on their way: what they don't change passes."""

from __future__ import annotations

from typing import Any

from mangrove.s3.engines.base import Call, Engine, Reply

__all__ = ["PassingEngine"]


class PassingEngine:
    """Hand everything on to an engine that is somebody else's, and so is not closed with this one.

    Args:
        engine: makes the calls.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def perform(self, call: Call) -> Reply:
        """Make a call in this thread; see `Engine`."""
        return self._engine.perform(call)

    def submit(self, call: Call) -> None:
        """Begin a call; see `Engine`."""
        self._engine.submit(call)

    def poll(self, timeout: float) -> list[Call]:
        """Return the calls that have ended; see `Engine`."""
        return self._engine.poll(timeout)

    def wake(self) -> None:
        """Make a `poll` that waits return; see `Engine`."""
        self._engine.wake()

    def close(self) -> None:
        """Do nothing: the engine is somebody else's."""
