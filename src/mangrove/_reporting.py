"""Hand on how far long work is, a few times a second: to a function, or as a line on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from mangrove.errors import DeclarationTypeError

__all__ = ["Reporter"]

P = TypeVar("P")
_EVERY = 0.2  # seconds


class Reporter(Generic[P]):
    """Hand on how far something is, when it is time.

    Args:
        report: is called with the progress; True shows a line on standard error if that is a terminal; None does
            nothing.
        line: returns the line for a progress.
        clock: a time in seconds that never goes back.

    Raises:
        DeclarationTypeError: it can't be called.

    Example:
        >>> reporter = Reporter(print, line=str)
        >>> reporter(lambda: 1), reporter(lambda: 2, last=True)
        2
        (None, None)
    """

    def __init__(
        self,
        report: Callable[[P], object] | bool | None,  # noqa: FBT001  the user's own argument
        line: Callable[[P], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if report is not None and not isinstance(report, bool) and not callable(report):
            text = f"progress is True, or is called with a Progress; got {type(report).__name__}"
            raise DeclarationTypeError(text)
        self._line = line
        shows = self._show if report is True and sys.stderr.isatty() else None
        self._report = shows if isinstance(report, bool) else report
        self._clock = clock
        self._told = clock()
        self._shown = False

    def __call__(self, progress: Callable[[], P], *, last: bool = False) -> None:
        """Hand on what is asked for, if it is time.

        Args:
            progress: returns how far it is.
            last: whether this is the end; then it is time.
        """
        if self._report is None or (not last and self._clock() - self._told < _EVERY):
            return
        self._told = self._clock()
        self._report(progress())
        if last and self._shown:
            sys.stderr.write("\n")

    def _show(self, progress: P) -> None:
        self._shown = True
        sys.stderr.write(f"\r{self._line(progress)} \033[K")
        sys.stderr.flush()
