"""Be one run over a fleet: an iterator of results as they arrive, that knows what became of every target."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mangrove._redact import message_of
from mangrove._reporting import Reporter
from mangrove.errors import RunError
from mangrove.fleet.outcome import Outcome, Progress, Summary, summary_of
from mangrove.fleet.record import Record, write_record
from mangrove.fleet.spans import Spans

if TYPE_CHECKING:
    from typing_extensions import Self

    from mangrove.fleet.doors import Opening
    from mangrove.fleet.request import Request
    from mangrove.fleet.scheduler import Scheduler

__all__ = ["Run"]

T = TypeVar("T")
_log = logging.getLogger("mangrove.fleet")
_AT_ONCE = 256  # results that a waiting coroutine gets at once
_MOST_SHOWN = 5


class Run(Iterator[T], AsyncIterator[T], Generic[T]):
    """Iterate over the results of a run as they arrive, in `for` or `async for`.

    The work begins with the first result asked for, and is never far ahead of who reads. Closing a run, leaving its
    `with` block or its last reference cancels what is not yet begun; requests under way end by themselves.

    Results are outcomes, or rows: then the outcomes are here alone, and a warning is logged in the end if some failed.

    Args:
        request: what is asked of every target.
        openings: how it is asked, for a run that goes on with this one.
        scheduler: does the work.
        rows: whether rows are the results.
        keep_results: whether outcomes keep their values when they have been handed out.
        progress: is called with a `Progress` a few times a second; True shows a line on a terminal.
        earlier: what an earlier run has done, for a run that goes on with it.

    Example:
        >>> fleet = mangrove.Fleet(["123456789012", "210987654321"], regions=["eu-west-1"])
        >>> run = fleet.call("sqs", "list_queues")
        >>> sorted((outcome.target.account, outcome.kind) for outcome in run)
        [('123456789012', 'ok'), ('210987654321', 'ok')]
        >>> run.raise_for_errors()
    """

    def __init__(
        self,
        request: Request,
        openings: tuple[Opening, ...],
        scheduler: Scheduler,
        *,
        rows: bool,
        keep_results: bool = True,
        progress: Callable[[Progress], object] | bool | None = None,
        earlier: Record | None = None,
    ) -> None:
        self.request, self.openings = request, openings
        self.outcomes: list[Outcome[Any]] = []
        """What became of the targets that are done, in the order of their results."""
        self._scheduler, self._rows, self._keep, self._earlier = scheduler, rows, keep_results, earlier
        self._report = Reporter[Progress](progress, _line)
        self._page: Iterator[Any] = iter(())
        self._row_count = self._failures = 0
        self._ended = self._closed = False
        self._seconds: float | None = None
        self._spans = Spans(request)
        self._pool: ThreadPoolExecutor | None = None
        self._ahead: list[T] = []
        self._turn = asyncio.Lock()
        self._reading: asyncio.Future[list[T]] | None = None

    # -- iteration -----------------------------------------------------------------------------------------------------

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        for row in self._page:
            return row  # type: ignore[no-any-return]
        while not self._ended and not self._closed:
            event = self._scheduler.take()
            if event is None:
                self._end()
            elif isinstance(event, Outcome):
                self._note(event)
                if not self._rows:
                    return event  # type: ignore[return-value]
            else:
                self._row_count += len(event)
                self._page = iter(event)
                self._report(lambda: self.progress)
                return next(self._page)  # type: ignore[no-any-return]
        raise StopIteration

    def _note(self, outcome: Outcome[Any]) -> None:
        self.outcomes.append(outcome if self._keep else replace(outcome, value=None))
        self._failures += outcome.failed
        self._spans.ended(outcome)
        self._report(lambda: self.progress)

    def _end(self) -> None:
        self._ended = True
        self._seconds = self._scheduler.seconds
        self._report(lambda: self.progress, last=True)
        if self._rows and self._failures:
            _log.warning("%s: %s", self.request, self._told())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Return the next result, while other coroutines go on."""
        async with self._turn:
            if not self._ahead:
                if self._reading is None:
                    self._pool = self._pool or ThreadPoolExecutor(1, "mangrove-fleet-reader")
                    self._reading = asyncio.get_running_loop().run_in_executor(self._pool, self._some)
                # Who is cancelled here, by a time-out of their own, leaves what is read to the next.
                await asyncio.wait([self._reading])
                reading, self._reading = self._reading, None
                self._ahead = reading.result()[::-1]
            if not self._ahead:
                raise StopAsyncIteration
            return self._ahead.pop()

    def _some(self) -> list[T]:
        """Return what there is by now, one result at least: going through a thread costs more than a result."""
        found: list[T] = []
        while len(found) < _AT_ONCE and (not found or self.at_hand):
            try:
                found.append(next(self))
            except StopIteration:
                break
        return found

    @property
    def at_hand(self) -> bool:
        """Tell whether the next result is there already."""
        return self._scheduler.at_hand or self._page.__length_hint__() > 0  # type: ignore[attr-defined]

    # -- the end -------------------------------------------------------------------------------------------------------

    def wait(self) -> Self:
        """Read what is left, dropping rows, and return the run itself."""
        for _ in self:
            pass
        return self

    def close(self) -> None:
        """Cancel what is not yet begun; nothing more is handed out."""
        if not self._ended and self._seconds is None:
            self._seconds = self._scheduler.seconds
        self._closed = True
        self._page, self._ahead = iter(()), []
        self._scheduler.cancel()
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_ahead"):
            self.close()

    # -- what became of it ---------------------------------------------------------------------------------------------

    def _those(self, wanted: Callable[[Outcome[Any]], bool]) -> list[Outcome[Any]]:
        if not self._rows:
            self.wait()
        return [outcome for outcome in self.outcomes if wanted(outcome)]

    @property
    def ok(self) -> list[Outcome[Any]]:
        """List the outcomes of targets that are done; outcomes that nobody has read yet are waited for, rows not."""
        return self._those(lambda outcome: outcome.ok)

    @property
    def failed(self) -> list[Outcome[Any]]:
        """List the outcomes of the targets that failed, as for `ok`."""
        return self._those(lambda outcome: outcome.failed)

    @property
    def skipped(self) -> list[Outcome[Any]]:
        """List the outcomes of targets with nothing to do: a disabled region, a service that is not there."""
        return self._those(lambda outcome: outcome.skipped)

    @property
    def progress(self) -> Progress:
        """Return how far the run is by now."""
        work = self._scheduler
        return Progress(
            done=len(self.outcomes),
            total=work.targets,
            complete=work.complete,
            failed=self._failures,
            rows=self._row_count,
            calls=work.calls,
            throttled=work.throttled,
            seconds=work.seconds if self._seconds is None else self._seconds,
        )

    def summary(self) -> Summary:
        """Count what became of the targets; outcomes that nobody has read yet are waited for, rows not.

        Of rows that are not all read it counts what is known so far, and says so.
        """
        every = self._those(lambda _outcome: True)
        seconds = self._scheduler.seconds if self._seconds is None else self._seconds
        found = summary_of(every, seconds, complete=self._ended)
        return replace(found, rows=max(found.rows, self._row_count))

    def slowest(self, most: int = 10) -> list[Outcome[Any]]:
        """Return the outcomes that took the longest, the slowest first.

        Args:
            most: how many.
        """
        return sorted(self._those(lambda _outcome: True), key=lambda outcome: -outcome.seconds)[:most]

    def raise_for_errors(self) -> None:
        """Raise one error that holds those of all targets that failed, if any did.

        Raises:
            RunError: `failures` are the outcomes; where Python has groups of exceptions it is one.
        """
        failed = self.failed
        if failed:
            raise RunError(self._told(), failed, [outcome.error for outcome in failed if outcome.error is not None])

    def _told(self) -> str:
        failed = [outcome for outcome in self.outcomes if outcome.failed]
        shown = failed[:_MOST_SHOWN]
        some = [f"{each.target}: {each.kind}: {message_of(each.error or Exception())}" for each in shown]
        more = f"; and {len(failed) - _MOST_SHOWN} more" if len(failed) > _MOST_SHOWN else ""
        return f"{len(failed)} of {len(self.outcomes)} targets failed: {'; '.join(some)}{more}"

    # -- going on later ------------------------------------------------------------------------------------------------

    @property
    def record(self) -> Record:
        """Return what is written down of the run: what was asked, and what became of each target."""
        work = self._scheduler
        made = Record.of(self.request, self.outcomes, work.opened, work.untold)
        return made if self._earlier is None else self._earlier.merged(made)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write what is known of the run to a file, for `Fleet.resume` in this process or another.

        Values and rows are not in it, nor parameters that the API calls sensitive.

        Args:
            path: the file; only its owner may read it.

        Raises:
            OSError: it can't be written.
            TypeError: a parameter can't be written as JSON.
        """
        write_record(Path(path), self.record)

    def __repr__(self) -> str:
        return f"<Run of {self.request}: {len(self.outcomes)} of {self._scheduler.targets} targets>"


def _line(progress: Progress) -> str:
    total = str(progress.total) if progress.complete else f"{progress.total}+"
    told = [f"{progress.done} of {total} targets", f"{progress.rows} rows" if progress.rows else ""]
    told += [f"{progress.calls} calls", f"{progress.failed} failed" if progress.failed else ""]
    told += [f"{progress.throttled} throttled" if progress.throttled else ""]
    told += [f"{progress.left:.0f} s left" if progress.left else ""]
    return ", ".join(part for part in told if part)
