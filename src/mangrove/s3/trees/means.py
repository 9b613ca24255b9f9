"""Say what the ways between trees share, and what each of them does with one path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from mangrove.s3.deleting import Seen, deletions, outcomes_of
from mangrove.s3.outcome import Outcome
from mangrove.s3.rules.options import Options, Verb
from mangrove.s3.running.handle import Handle
from mangrove.s3.trees.changes import Change, Differs, Entry
from mangrove.s3.trees.moving import remove_each
from mangrove.s3.trees.places import Keys, Order

if TYPE_CHECKING:
    from mangrove.s3.backend import Backend

__all__ = ["Direction", "Means"]


@dataclass(frozen=True, slots=True)
class Means:
    """Be what the ways share.

    Attributes:
        backend: what serves the operations.
        threads: calls of a listing at once.
        options: of the operations, by the API's names or in snake case.
        fold: whether paths that differ only in capitals or in how accents are composed are one file; None for what is
            usual on this system.
    """

    backend: Backend
    threads: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    fold: bool | None = None

    def read(self, verb: Verb) -> Options:
        """Return the options as a verb has them.

        Raises:
            ConfigError: one is unknown.
        """
        return self.backend.maker.read(verb, dict(self.options), None, None)

    def listed(self, keys: Keys, order: Order, options: Options, *, markers: bool) -> Iterator[Entry]:
        """Yield the objects of a tree; the options let in."""
        performer = self.backend.performer
        return keys.entries(performer, markers=markers, threads=self.threads, order=order, options=options)

    def delete(self, keys: Keys, paths: Iterator[str], options: Options) -> Iterator[Outcome]:
        """Delete objects of a tree and yield an outcome for each."""
        for some in deletions(self.backend, keys.bucket, (keys.base + path for path in paths), options=options):
            yield from outcomes_of(keys.bucket, some)

    def remove(self, keys: Keys, entries: list[Entry], options: Options) -> Iterator[Outcome]:
        """Delete objects of a tree that are still what they were, and yield an outcome for each."""
        seen = [Seen(keys.key(entry.path), entry.etag) for entry in entries]
        return remove_each(self.backend, keys.bucket, seen, options)


class Direction(Protocol):
    """Say what is done with the paths of two trees."""

    operation: str
    is_down: bool

    def source_entries(self, order: Order) -> Iterator[Entry]:
        """Yield the entries of the source."""
        raise NotImplementedError

    def target_entries(self, order: Order) -> Iterator[Entry]:
        """Yield the entries of the target."""
        raise NotImplementedError

    def by_checksum(self) -> Differs:
        """Return the slow comparison."""
        raise NotImplementedError

    def address(self, path: str) -> tuple[str, str, Any]:
        """Return the bucket and the key of a path, and what is on the other side."""
        raise NotImplementedError

    def make(self, change: Change) -> Handle:
        """Return the operation that transfers a path.

        Raises:
            UnsafePathError: the path must not be one.
            ConfigError: there can be no such key.
        """
        raise NotImplementedError

    def moved(self, source: Entry, handle: Handle) -> Entry:
        """Return an entry of the source as it was when it was transferred."""
        raise NotImplementedError

    def remove_source(self, entries: list[Entry]) -> Iterator[Outcome]:
        """Delete from the source what was moved, if it is still what it was, and yield an outcome for each."""
        raise NotImplementedError

    def remove_target(self, paths: Iterator[str]) -> Iterator[Outcome]:
        """Delete from the target what the source has not, and yield an outcome for each."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what it holds."""
        raise NotImplementedError
