"""Keep calls from the real S3 while a mock stands in for it, also those of what was made before the mock began."""

from __future__ import annotations

from typing import Any

from mangrove.errors import ConfigError
from mangrove.s3.engines.base import Call, Engine

__all__ = ["Gate"]


class Gate:
    """Be an engine that can be shut: then each call is refused, and nothing goes out.

    An open one costs nothing: its methods are the engine's own.

    Args:
        engine: makes the calls.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.submit, self.perform = engine.submit, engine.perform
        self.poll, self.wake, self.close = engine.poll, engine.wake, engine.close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def open(self) -> None:
        """Let calls go."""
        self.submit, self.perform = self._engine.submit, self._engine.perform

    def shut(self) -> None:
        """Refuse all calls from now on."""
        self.submit = self.perform = self._refuse

    def watch(self, client: Any) -> None:
        """Refuse the calls of a botocore client too while it is shut.

        Args:
            client: a client of the same connection.
        """
        client.meta.events.register_first("before-send.s3", self._look)

    def _look(self, **_: Any) -> None:
        if self.perform == self._refuse:
            self._refuse()

    def _refuse(self, call: Call | None = None) -> Any:
        del call
        text = (
            "a mock of this connection is active, and what makes this call was made before it began, for the real S3;"
            " make the batch, the listing, the file or the client inside the mock"
        )
        raise ConfigError(text)
