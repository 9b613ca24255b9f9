"""Walk every account, region and type in parallel, and hand out what is found while the rest is still asked for."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from mangrove.aws.partitions import check_region_name
from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.inventory.cells import Cell, Share, check, places, plan, with_resources
from mangrove.inventory.rows import Row
from mangrove.inventory.ways import Watch
from mangrove.resources.kinds import DEFAULT_TYPES, Kind, kind_of

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Collection", "Outcome", "collect"]

# Pages in flight between the workers and the reader: a slow reader slows the workers, and memory stays bounded.
_AHEAD = 64
_TICK = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """Be what became of one cell: one type in one region of one account.

    Args:
        account: the account.
        region: the region, or "aws-global" for a list that answers for the whole account.
        service: boto3's name of the service.
        type: the type, such as "sqs.queues".
        rows: how many rows it gave, also when it failed half-way.
        calls: how many requests were sent, retries included.
        seconds: how long it took.
        error: what failed, or None. Rows may still be missing only their tags.

    Example:
        >>> Outcome("111111111111", "us-east-1", "sqs", "sqs.queues", rows=2, calls=3, seconds=0.1).ok
        True
    """

    account: str
    region: str
    service: str
    type: str
    rows: int
    calls: int
    seconds: float
    error: Exception | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the cell is complete."""
        return self.error is None


class _Crew:
    """Be the worker threads and what they share; they never hold the collection that reads from them."""

    def __init__(self, cells: Iterator[Cell], workers: int) -> None:
        self.out: queue.Queue[list[Row] | Outcome] = queue.Queue(maxsize=_AHEAD)
        self.cancelled = threading.Event()
        self._cells, self._lock = cells, threading.Lock()
        self._watch = Watch()
        self._shares: set[Share] = set()
        self._working = workers
        # Daemons: a call that hangs must not keep an interrupted program from ending.
        names = (f"mangrove-inventory-{number}" for number in range(workers))
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (cell := self._next()) is not None:
            outcome = self._run(cell)
            if cell.share.release():
                self._shares.discard(cell.share)
            self._put(outcome)
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._working -= 1
            last = self._working == 0
        # After a cancel, cells that are never begun cannot give their pools back: the last to leave does.
        while last and self._shares:
            self._shares.pop().close()

    def _next(self) -> Cell | None:
        with self._lock:
            if self.cancelled.is_set() or (cell := next(self._cells, None)) is None:
                return None
            self._shares.add(cell.share)
            return cell

    def _run(self, cell: Cell) -> Outcome:
        started, before, rows = time.perf_counter(), self._watch.calls, 0
        error: Exception | None = None
        try:
            reader = cell.open(self._watch)
            for page in reader.read():
                rows += len(page)
                self._put(page)
                if self.cancelled.is_set():
                    break
            error = next(iter(reader.faults), None)
        except Exception as failed:  # noqa: BLE001  a failing cell costs only itself
            error = failed
        return Outcome(
            account=cell.account,
            region=cell.region,
            service=cell.kind.service,
            type=cell.kind.name,
            rows=rows,
            calls=self._watch.calls - before,
            seconds=time.perf_counter() - started,
            error=error,
        )

    def _put(self, thing: list[Row] | Outcome) -> None:
        while not self.cancelled.is_set():
            with suppress(queue.Full):
                self.out.put(thing, timeout=_TICK)
                return


class Collection(Iterator[Row]):
    """Iterate over the rows as they arrive, and know what became of every cell so far.

    The work begins with the first row asked for. Closing it, or leaving its `with` block, cancels what is not yet
    begun; calls in flight end by themselves and their answers are dropped.

    Example:
        >>> with collect({}, ["us-east-1"]) as rows:
        ...     print(list(rows), rows.total, rows.outcomes)
        [] 0 []
    """

    def __init__(
        self, cells: Iterator[Cell], total: int, workers: int, on_progress: Callable[[int, int], Any] | None
    ) -> None:
        self.total = total
        """How many cells there are."""
        self.outcomes: list[Outcome] = []
        """What became of the cells that are done, in the order of their ending."""
        self._cells, self._workers, self._on_progress = cells, workers, on_progress
        self._crew: _Crew | None = None
        self._closed = False
        self._page: Iterator[Row] = iter(())

    @property
    def calls(self) -> int:
        """Count the requests sent for the cells that are done, retries included."""
        return sum(outcome.calls for outcome in self.outcomes)

    @property
    def failures(self) -> list[Outcome]:
        """List the outcomes that have an error."""
        return [outcome for outcome in self.outcomes if not outcome.ok]

    def __next__(self) -> Row:
        for row in self._page:
            return row
        while not self._closed and len(self.outcomes) < self.total:
            thing = self._take()
            if isinstance(thing, Outcome):
                self._record(thing)
            else:
                self._page = iter(thing)
                return next(self._page)
        self.close()
        raise StopIteration

    def _take(self) -> list[Row] | Outcome:
        if self._crew is None:
            self._crew = _Crew(self._cells, min(self._workers, self.total))
        while True:
            alive = self._crew.alive
            with suppress(queue.Empty):
                # With a timeout, so that Ctrl-C is heard on every platform.
                return self._crew.out.get(timeout=_TICK)
            if not alive:
                text = "every worker has ended, and cells are left"
                raise RuntimeError(text)

    def _record(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if self._on_progress is not None:
            self._on_progress(len(self.outcomes), self.total)

    def close(self) -> None:
        """Cancel what is not yet begun; nothing more is yielded."""
        self._closed = True
        self._page = iter(())
        if self._crew is not None:
            self._crew.cancelled.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def collect(
    accounts: Mapping[str, Any],
    regions: Sequence[str],
    *,
    types: Iterable[str | Kind] = DEFAULT_TYPES,
    workers: int = 16,
    on_progress: Callable[[int, int], Any] | None = None,
) -> Collection:
    """List the resources of all accounts and regions, as an iterator of rows.

    Args:
        accounts: each account's id, and a session with its credentials.
        regions: the regions to look in; a global service and S3's list of buckets are asked once an account.
        types: what to list, by the collections' names, such as "ec2.instances".
        workers: how many threads make calls.
        on_progress: called with how many cells are done and how many there are, in the thread that iterates.

    Raises:
        ConfigError: one of its kinds: no region was given, or what is no region's name, or a type that is not there, or
            a number of workers below one.

    Example:
        >>> rows = collect({}, ["us-east-1"])
        >>> list(rows), rows.failures
        ([], [])
    """
    if isinstance(regions, str):
        text = f"regions is the string {regions!r}; give a list, such as [{regions!r}]"
        raise DeclarationTypeError(text)
    names = tuple(dict.fromkeys(check_region_name(region) for region in regions))
    if not names:
        text = "no region to look in; give at least one, such as regions=['us-east-1']"
        raise ConfigError(text)
    if workers < 1:
        text = f"workers={workers}: give at least one"
        raise ConfigError(text)
    kinds = _kinds(types)
    sessions = {account: with_resources(session) for account, session in accounts.items()}
    for session in islice(sessions.values(), 1):
        check(kinds, session, names[0])
    total = sum(len(places(kind, session, names)) for session in sessions.values() for kind in kinds)
    return Collection(plan(sessions, names, kinds), total, workers, on_progress)


def _kinds(types: Iterable[str | Kind]) -> tuple[Kind, ...]:
    if isinstance(types, str):
        text = f"types is the string {types!r}; give a list, such as [{types!r}]"
        raise DeclarationTypeError(text)
    return tuple({kind.name: kind for kind in map(kind_of, types)}.values())
