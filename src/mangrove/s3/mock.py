"""Stand in for S3 for a while: a context, or a start and a stop for the setUp and tearDown of a test."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from mangrove.errors import ConfigError

if TYPE_CHECKING:
    from typing_extensions import Self

    from mangrove.s3.standing import StandIn

__all__ = ["Mock"]


class Mock:
    """Be an S3 in memory, for one connection, while it is active; mocks nest, the inner one is empty again.

    Args:
        begin: puts it in the place of S3.
        end: takes it away.
    """

    def __init__(self, begin: Callable[[], StandIn], end: Callable[[StandIn], None]) -> None:
        self._begin, self._end = begin, end
        self._active: list[StandIn] = []

    def start(self) -> None:
        """Begin to stand in."""
        self._active.append(self._begin())

    def stop(self) -> None:
        """Stop standing in; what was stored is gone.

        Raises:
            ConfigError: it has not been started.
        """
        if not self._active:
            text = "the mock is not active; call start() first"
            raise ConfigError(text)
        self._end(self._active.pop())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
