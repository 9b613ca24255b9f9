"""Make any number of operations at once and hand each back as it ends; count what became of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from mangrove.errors import BatchError
from mangrove.s3.batch import Batch
from mangrove.s3.outcome import Outcome, Progress
from mangrove.s3.running.handle import Handle

if TYPE_CHECKING:
    from mangrove.s3.backend import Backend

__all__ = ["Summary", "each_as_it_ends", "error_of", "summary_of"]

H = TypeVar("H", bound=Handle)

_LOOK_AFTER = 64  # operations
_LOOK = 0.1  # seconds
_MOST_SHOWN = 5


def each_as_it_ends(
    backend: Backend,
    handles: Iterable[H],
    concurrency: int,
    progress: Callable[[Progress], object] | None = None,
) -> Iterator[H]:
    """Make operations at once and yield each when it has ended, well or not; in no order.

    Operations are taken from the iterable as there is room, so that there may be any number of them. What has not
    begun when the iterator is closed does not begin.

    Args:
        backend: what serves them.
        handles: the operations.
        concurrency: how many run at once.
        progress: is called with a `Progress` a few times a second.
    """
    with Batch(backend, concurrency, raise_errors=False, keep_results=False, progress=progress) as batch:
        pending: list[H] = []
        look = _LOOK_AFTER
        for handle in handles:
            batch.add(handle)
            pending.append(handle)
            if len(pending) >= look:
                yield from _ended(pending)
                look = len(pending) + _LOOK_AFTER
        while pending:
            batch.wait(_LOOK)
            yield from _ended(pending)


def _ended(pending: list[H]) -> list[H]:
    """Take those that have ended out of the list, and return them."""
    ended = [each for each in pending if each.ended]
    if ended:
        pending[:] = [each for each in pending if not each.ended] if len(ended) < len(pending) else []
    return ended


@dataclass(frozen=True, slots=True)
class Summary:
    """Be what became of many operations. It is true if none failed.

    Attributes:
        counts: how many went well, by their names: "upload", "download", "copy", "delete".
        same: what was left alone because it is the same on both sides.
        bytes: of the objects that were transferred.
        failures: the outcomes of what failed.
        seconds: from the first to the last.

    Example:
        >>> summary = Summary({"upload": 2, "delete": 1}, bytes=10)
        >>> summary.done, bool(summary)
        (3, True)
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    same: int = 0
    bytes: int = 0
    failures: tuple[Outcome, ...] = ()
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """Return how many operations went well."""
        return sum(self.counts.values())

    def __bool__(self) -> bool:
        return not self.failures


def summary_of(
    outcomes: Iterable[Outcome],
    *,
    callback: Callable[[Outcome], object] | None = None,
    raise_errors: bool = True,
    clock: Callable[[], float] = time.monotonic,
) -> Summary:
    """Go through outcomes to their end and count them.

    Args:
        outcomes: of operations; one of the name "same" says that there was nothing to do.
        callback: is called with each.
        raise_errors: whether failures are raised in the end.
        clock: a time in seconds that never goes back.

    Raises:
        BatchError: some failed; it holds their outcomes.
    """
    began = clock()
    counts: Counter[str] = Counter()
    failures = []
    size = 0
    for outcome in outcomes:
        if outcome.error is not None:
            failures.append(outcome)
        else:
            counts[outcome.operation] += 1
            size += (outcome.size or 0) if outcome.operation not in ("same", "delete") else 0
        if callback is not None:
            callback(outcome)
    same = counts.pop("same", 0)
    summary = Summary(dict(counts), same, size, tuple(failures), clock() - began)
    if failures and raise_errors:
        raise error_of(failures, summary.done + len(failures))
    return summary


def error_of(failures: Iterable[Outcome], count: int) -> BatchError:
    """Return the error that holds the failures among so many operations."""
    failed = list(failures)
    told = [f"{each.operation} s3://{each.bucket}/{each.key}: {each.error}" for each in failed[:_MOST_SHOWN]]
    if len(failed) > _MOST_SHOWN:
        told.append(f"and {len(failed) - _MOST_SHOWN} more; `failures` has them all")
    made = BatchError(f"{len(failed)} of {count} operations failed: " + "; ".join(told), failed)
    made.__cause__ = failed[0].error
    return made
