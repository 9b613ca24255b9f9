"""Keep one line on a terminal's standard error up to date, and out of the way of rows: without a thread of its own."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from mangrove.cli.text import clean

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["StatusLine"]

_EVERY = 0.1  # seconds
_WIPE = "\r\x1b[2K"


class StatusLine:
    """Show a line that changes; elsewhere than on a terminal, the phases alone.

    Args:
        shown: False to stay silent.
        stream: where to; standard error if None.
        clock: a time in seconds that never goes back.

    Example:
        >>> with StatusLine(shown=False) as line:
        ...     line.phase("listing")
        ...     line.show("1 of 2 targets")
    """

    def __init__(
        self, *, shown: bool = True, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream or sys.stderr
        is_terminal = self._stream is not None and self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._live, self._plain = shown and is_terminal, shown and not is_terminal and self._stream is not None
        self._clock = clock
        self._drawn: float | None = None
        self._text = ""

    def phase(self, name: str) -> None:
        """Begin a phase.

        Args:
            name: what is being done, in a few words.
        """
        if self._plain:
            self._stream.write(f"mangrove: {name}\n")
            self._stream.flush()
        self._text = ""
        self.show(name)

    def show(self, text: str) -> None:
        """Show how far it is, if it is time.

        Args:
            text: the line.
        """
        now = self._clock()
        if not self._live or (self._drawn is not None and self._text and now - self._drawn < _EVERY):
            return
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f"{_WIPE}{clean(text)[:width]}")
        self._stream.flush()
        self._drawn, self._text = now, text

    def wipe(self) -> None:
        """Make room for something else."""
        if self._live and self._drawn is not None:
            self._stream.write(_WIPE)
            self._stream.flush()
            self._drawn = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wipe()
