"""Tell how many operations fare: a line on the terminal while they run, one error in the end with all failures."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from mangrove.errors import BatchError, DeclarationTypeError
from mangrove.s3.outcome import Outcome, Progress

__all__ = ["Reporter", "batch_error"]

_MOST_SHOWN = 5
_EVERY = 0.2  # seconds


class Reporter:
    """Hand on how far operations are, a few times a second.

    Args:
        report: is called with a `Progress`; True prints a line on standard error if that is a terminal; None does
            nothing.
        clock: a time in seconds that never goes back.

    Raises:
        DeclarationTypeError: it can't be called.
    """

    def __init__(
        self,
        report: Callable[[Progress], object] | bool | None,  # noqa: FBT001  the user's own argument
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if report is not None and not isinstance(report, bool) and not callable(report):
            text = f"progress is True, or is called with a Progress; got {type(report).__name__}"
            raise DeclarationTypeError(text)
        shows = _print if report is True and sys.stderr.isatty() else None
        self._report = shows if isinstance(report, bool) else report
        self._clock = clock
        self._told = clock()

    def __call__(self, progress: Callable[[], Progress], *, last: bool = False) -> None:
        """Hand on what is asked for, if it is time.

        Args:
            progress: returns how far the operations are.
            last: whether these are all; then it is time.
        """
        if self._report is None or (not last and self._clock() - self._told < _EVERY):
            return
        self._told = self._clock()
        self._report(progress())


def _print(progress: Progress) -> None:
    total = "" if progress.total is None else f" of {progress.total}"
    failed = f", {progress.failed} failed" if progress.failed else ""
    rate = progress.rate / 1e6
    end = "\n" if progress.total is not None and progress.ended >= progress.total else ""
    sys.stderr.write(f"\r{progress.ended}{total} done{failed}, {rate:.1f} MB/s \033[K{end}")
    sys.stderr.flush()


def batch_error(count: int, failures: Sequence[Outcome], callbacks: Sequence[BaseException]) -> BatchError:
    """Return the error that holds what failed.

    Args:
        count: of all operations.
        failures: the outcomes of those that failed.
        callbacks: what callbacks of others raised.
    """
    told: list[str] = []
    if failures:
        some = [f"{each.operation} s3://{each.bucket}/{each.key}: {each.error}" for each in failures[:_MOST_SHOWN]]
        if len(failures) > _MOST_SHOWN:
            some.append(f"and {len(failures) - _MOST_SHOWN} more; `failures` has them all")
        told.append(f"{len(failures)} of {count} operations failed: " + "; ".join(some))
    if callbacks:
        told.append(f"{len(callbacks)} callbacks failed, the first with {callbacks[0]!r}; `callback_errors` has them")
    made = BatchError("; ".join(told), failures)
    made.__cause__ = failures[0].error if failures else callbacks[0]
    return made
