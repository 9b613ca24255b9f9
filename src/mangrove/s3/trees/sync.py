"""Make one tree like another, in a stream: what is compared, what is begun, what is deleted in the end, what failed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mangrove.errors import MangroveError, TransferError
from mangrove.s3.many import each_as_it_ends
from mangrove.s3.outcome import Outcome, Progress
from mangrove.s3.rules.patterns import Filters
from mangrove.s3.running.handle import Handle
from mangrove.s3.trees.changes import (
    Change,
    Comparison,
    Differs,
    DisorderError,
    Entry,
    by_size,
    by_time,
    changes,
    check_comparison,
    in_doubt,
    looked_into,
)
from mangrove.s3.trees.means import Direction
from mangrove.s3.trees.places import Order

if TYPE_CHECKING:
    from mangrove.s3.backend import Backend

__all__ = ["Rules", "Transfer"]

_MOST_MOVED = 1000  # sources of a move that are deleted at once


@dataclass(frozen=True, slots=True)
class Rules:
    """Say how trees are made alike.

    Attributes:
        compare: what tells that a file is the same on both sides; None transfers all, whatever is at the target.
        delete: whether what the source has not is deleted from the target, when all else has gone well.
        move: whether what was transferred well is deleted from the source.
        dry_run: whether nothing is done, and the outcomes say what would be.
        filters: which paths are taken, on both sides.
        concurrency: operations at once.
        threads: comparisons by checksum at once.
        progress: is called with a `Progress` a few times a second.
    """

    compare: Comparison | None = "newer"
    delete: bool = False
    move: bool = False
    dry_run: bool = False
    filters: Filters = field(default_factory=Filters)
    concurrency: int = 50
    threads: int = 8
    progress: Callable[[Progress], object] | None = None

    def __post_init__(self) -> None:
        if self.compare is not None:
            check_comparison(self.compare)


class Transfer:
    """Make a target like a source.

    Args:
        backend: what serves the operations.
        direction: what is done with each path.
        rules: how.

    Attributes:
        same: files that were left alone, as they are the same on both sides.
    """

    def __init__(self, backend: Backend, direction: Direction, rules: Rules) -> None:
        self._backend, self._direction, self._rules = backend, direction, rules
        self.same = 0
        self._order: Order = "any" if rules.compare is None else "check"
        self._told: deque[Outcome] = deque()
        self._running: dict[Handle, Change] = {}
        self._doomed: list[str] = []
        self._moved: list[Entry] = []
        self._clean = True
        self._found = False

    def outcomes(self) -> Iterator[Outcome]:
        """Yield an outcome for each path that is not the same on both sides, as its operation ends.

        Its bucket and key are those of the object that is written, or else read, and its value is the other side. One
        bad path is one failed outcome, and the others go on.

        Raises:
            OSError: the source or the target is no folder, or can't be read.
            TransferError: a listing can't be had.
        """
        try:
            try:
                # What a dry run has told can't be done again.
                yield from list(self._pass()) if self._rules.dry_run else self._pass()
            except DisorderError:
                # Some servers list as a tree of folders. What has been transferred is the same now.
                self._again()
                yield from self._pass()
            yield from self._delete()
        finally:
            self._direction.close()

    def _again(self) -> None:
        self._order, self.same, self._clean = "sort", 0, True
        self._doomed.clear()
        self._told.clear()
        self._running.clear()

    def _pass(self) -> Iterator[Outcome]:
        rules = self._rules
        for handle in each_as_it_ends(self._backend, self._handles(), rules.concurrency, rules.progress):
            yield from self._drained()
            yield self._outcome(handle)
            if len(self._moved) >= _MOST_MOVED:
                yield from self._remove_moved()
        yield from self._drained()
        yield from self._remove_moved()

    def _drained(self) -> Iterator[Outcome]:
        while self._told:
            yield self._told.popleft()

    # -- planning ---------------------------------------------------------------------------------------------------

    def _changes(self) -> Iterator[Change]:
        direction, rules = self._direction, self._rules
        ours = self._taken(direction.source_entries(self._order), is_source=True)
        if rules.compare is None:
            return changes(ours, None, by_size)
        theirs = self._taken(direction.target_entries(self._order), is_source=False)
        found = changes(ours, theirs, self._quick(), delete=rules.delete)
        if rules.compare == "size":
            return found
        if rules.compare == "checksum":
            return looked_into(found, direction.by_checksum(), rules.threads)
        return looked_into(found, _or_else("time", direction.by_checksum()), rules.threads, in_doubt)

    def _taken(self, entries: Iterator[Entry], *, is_source: bool) -> Iterator[Entry]:
        filters = self._rules.filters
        for entry in entries:
            if is_source:
                self._found = True
            if entry.error is not None or filters.take(entry.path):
                yield entry

    def _quick(self) -> Differs:
        if self._rules.compare in ("size", "checksum"):
            return by_size
        # An object is always written after the file it is made of: only a download can have the very time.
        return by_time(exact=self._rules.compare == "exact" and self._direction.is_down)

    def _handles(self) -> Iterator[Handle]:
        """Yield the operations; what needs none is told or counted at once."""
        for change in self._changes():
            if change.action == "same":
                self.same += 1
            elif change.action == "delete":
                self._doomed.append(change.path)
            else:
                handle = self._begun(change)
                if handle is not None:
                    self._running[handle] = change
                    yield handle

    def _begun(self, change: Change) -> Handle | None:
        entry = change.source or change.target
        error: Exception | None = entry.error if change.action == "refuse" and entry is not None else None
        handle = None
        if error is None:
            try:
                handle = self._direction.make(change)
            except (MangroveError, OSError) as found:
                error = found
        if error is None and not self._rules.dry_run:
            return handle
        self._clean = self._clean and error is None
        self._told.append(self._told_of(change, error))
        return None

    # -- what came of it --------------------------------------------------------------------------------------------

    def _told_of(self, change: Change, error: Exception | None) -> Outcome:
        bucket, key, other = self._direction.address(change.path)
        size = change.source.size if change.source is not None else None
        value = None if error is not None else other
        return Outcome(self._direction.operation, bucket, key, value, error, size=size, attempts=0)

    def _outcome(self, handle: Handle) -> Outcome:
        change, outcome = self._running.pop(handle), handle.outcome
        if outcome.error is not None:
            self._clean = False
            return outcome
        if self._rules.move and change.source is not None:
            self._moved.append(self._direction.moved(change.source, handle))
        size = change.source.size if change.source is not None and outcome.size is None else outcome.size
        return replace(outcome, value=self._direction.address(change.path)[2], size=size)

    def _remove_moved(self) -> Iterator[Outcome]:
        if self._moved:
            moved, self._moved = self._moved, []
            yield from (outcome for outcome in self._direction.remove_source(moved))

    def _delete(self) -> Iterator[Outcome]:
        """Delete what the source has not, last of all, and only if the source is known to the last path."""
        doomed = self._doomed
        if not doomed:
            return
        fault = ""
        if not self._found:
            fault = "the source has nothing at all; delete the target itself if that is meant"
        elif not self._clean:
            fault = "other operations failed"
        if fault:
            bucket, key, _ = self._direction.address(doomed[0])
            text = f"{len(doomed)} that the source has not, such as {doomed[0]!r}, were not deleted: {fault}"
            yield Outcome("delete", bucket, key, error=TransferError(text), attempts=0)
        elif self._rules.dry_run:
            for path in doomed:
                bucket, key, other = self._direction.address(path)
                where = ("", str(other)) if self._direction.is_down else (bucket, key)
                yield Outcome("delete", *where, value=True, attempts=0)
        else:
            yield from self._direction.remove_target(iter(doomed))


def _or_else(reason: str, differs: Differs) -> Differs:
    """Return a comparison that takes what it can't compare for different: it is transferred, and that is all."""

    def found(source: Entry, target: Entry) -> str:
        try:
            return differs(source, target)
        except (MangroveError, OSError):
            return reason

    return found
