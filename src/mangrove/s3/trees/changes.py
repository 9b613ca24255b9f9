"""Compare two trees that come in the order of their paths, and say what makes one like the other: pure, in a stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Literal, NamedTuple

from mangrove.errors import ConfigError, TransferError
from mangrove.s3.rules.names import shown

__all__ = [
    "COMPARE",
    "Change",
    "Clashes",
    "Comparison",
    "DisorderError",
    "Entry",
    "by_size",
    "by_time",
    "changes",
    "check_comparison",
    "in_doubt",
    "in_order",
    "looked_into",
]

Comparison = Literal["newer", "exact", "size", "checksum"]
COMPARE = ("newer", "exact", "size", "checksum")
_SECOND = 10**9
_PAGE = 1000
_CLOCKS = 2  # seconds that this machine's clock and S3's may be apart
_AHEAD = 4  # comparisons that wait, for each thread


class Entry(NamedTuple):
    """Be a file or an object of a tree.

    Attributes:
        path: below the root of the tree, its names divided by slashes.
        size: bytes; -1 for what is never the same as anything, such as a link.
        modified: nanoseconds since 1970.
        changed: when anything of a file was last changed, its times too, by this machine's clock; 0 for an object.
        etag: the object's entity tag, with its quotes.
        error: why it can't be transferred, or None.
    """

    path: str
    size: int = 0
    modified: int = 0
    changed: int = 0
    etag: str | None = None
    error: Exception | None = None


class Change(NamedTuple):
    """Be what to do about one path.

    Attributes:
        action: "transfer", "delete", "same" or "refuse".
        path: below both roots.
        source: what is at the source, or None with "delete".
        target: what is at the target, or None if there is nothing.
        reason: why: "new", "size", "time", "checksum", "gone".
    """

    action: Literal["transfer", "delete", "same", "refuse"]
    path: str
    source: Entry | None = None
    target: Entry | None = None
    reason: str = ""


# Returns why two entries differ, or nothing.
Differs = Callable[[Entry, Entry], str]


class DisorderError(TransferError):
    """Say that a tree does not come in the order of its paths, so that it has to be sorted first."""


def in_order(entries: Iterable[Entry], what: str) -> Iterator[Entry]:
    """Yield entries as long as they are in the order of their paths' UTF-8 bytes.

    Args:
        entries: of a tree.
        what: the tree, for the message.

    Raises:
        DisorderError: one comes after another that it should come before.
    """
    last = ""
    rest = iter(entries)
    # As many as a page has, so that nothing is begun in vain where few are enough to see it.
    while some := list(islice(rest, _PAGE)):
        for entry in some:
            if entry.path <= last and last:
                text = f"{what} does not come in the order of its keys: {shown(entry.path)} after {shown(last)}"
                raise DisorderError(text)
            last = entry.path
        yield from some


def changes(
    source: Iterable[Entry], target: Iterable[Entry] | None, differs: Differs, *, delete: bool = False
) -> Iterator[Change]:
    """Yield what makes the target like the source, in the order of the paths.

    Both are read once, side by side, so that they may have any number of entries.

    Args:
        source: in the order of paths.
        target: in the order of paths; None if all is transferred whatever is there.
        differs: says why an entry of the source differs from that of the target with the same path.
        delete: whether what the source has not is deleted from the target.

    Example:
        >>> one, two = [Entry("a", 1), Entry("b", 2)], [Entry("b", 3), Entry("c", 4)]
        >>> [(each.action, each.path, each.reason) for each in changes(one, two, by_size, delete=True)]
        [('transfer', 'a', 'new'), ('transfer', 'b', 'size'), ('delete', 'c', 'gone')]
    """
    theirs = iter(target) if target is not None else iter(())
    other = next(theirs, None)
    for entry in source:
        while other is not None and other.path < entry.path:
            if delete:
                yield _deletion(other)
            other = next(theirs, None)
        if other is not None and other.path == entry.path:
            yield _change(entry, other, differs)
            other = next(theirs, None)
        else:
            yield Change("refuse" if entry.error else "transfer", entry.path, entry, None, "new")
    while other is not None:
        if delete:
            yield _deletion(other)
        other = next(theirs, None)


def _deletion(entry: Entry) -> Change:
    return Change("refuse" if entry.error else "delete", entry.path, None, entry, "gone")


def _change(entry: Entry, other: Entry, differs: Differs) -> Change:
    if entry.error is not None:
        return Change("refuse", entry.path, entry, other)
    reason = "error" if other.error else differs(entry, other)
    return Change("transfer" if reason else "same", entry.path, entry, other, reason)


def by_size(source: Entry, target: Entry) -> str:
    """Return whether sizes differ."""
    return "size" if source.size != target.size or source.size < 0 else ""


def by_time(*, exact: bool) -> Differs:
    """Return the comparison by size and time: what is newer at the source differs.

    Seconds are compared, for S3 has nothing smaller, and nor have some file systems; see `in_doubt`.

    Args:
        exact: whether what is older at the source differs too.
    """

    def differs(source: Entry, target: Entry) -> str:
        if by_size(source, target):
            return "size"
        ours, theirs = source.modified // _SECOND, target.modified // _SECOND
        return "time" if ours > theirs or (exact and ours != theirs) else ""

    return differs


def in_doubt(change: Change) -> bool:
    """Return whether times say nothing of a path that is the same by them: both are of one second.

    What was written before a transfer and what was written after it, in the second in which that was made, look alike.
    A file that was last touched well after the second is none of these: a download gave it the object's time.

    Example:
        >>> same = Change("same", "a", Entry("a", 1, 7 * 10**9, 7 * 10**9), Entry("a", 1, 7 * 10**9))
        >>> in_doubt(same), in_doubt(same._replace(source=Entry("a", 1, 7 * 10**9, 99 * 10**9)))
        (True, False)
    """
    source, target = change.source, change.target
    if source is None or target is None or source.modified // _SECOND != target.modified // _SECOND:
        return False
    changed = source.changed or target.changed
    return changed // _SECOND <= source.modified // _SECOND + _CLOCKS


def check_comparison(compare: object) -> None:
    """Refuse a comparison that there is not.

    Raises:
        ConfigError: there is none of that name.
    """
    if compare not in COMPARE:
        text = f"compare is one of {', '.join(COMPARE)}; got {compare!r}"
        raise ConfigError(text)


def looked_into(
    found: Iterable[Change], differs: Differs, threads: int, wanted: Callable[[Change], bool] = lambda _: True
) -> Iterator[Change]:
    """Yield changes in their order; what seemed the same is compared by a slow comparison, several at once.

    Args:
        found: the changes.
        differs: the slow comparison; what it raises makes a change that is refused.
        threads: comparisons at once.
        wanted: says which of those that seem the same are compared.
    """

    def look(change: Change) -> Change:
        if change.source is None or change.target is None:
            return change
        try:
            reason = differs(change.source, change.target)
        except Exception as error:  # noqa: BLE001  it is this path's own
            return change._replace(action="refuse", source=change.source._replace(error=error))
        return change._replace(action="transfer", reason=reason) if reason else change

    with ThreadPoolExecutor(threads, thread_name_prefix="mangrove-s3-compare") as pool:
        waiting: deque[Change | Future[Change]] = deque()
        try:
            for change in found:
                slow = change.action == "same" and wanted(change)
                waiting.append(pool.submit(look, change) if slow else change)
                if len(waiting) > threads * _AHEAD:
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _result(change: Change | Future[Change]) -> Change:
    return change if isinstance(change, Change) else change.result()


class Clashes:
    """Find the paths that need a folder where another is a file, in a tree in order; it remembers next to nothing.

    Example:
        >>> clashes = Clashes()
        >>> [clashes.file_above(path) for path in ("a", "a-b", "a/b", "b")]
        [None, None, 'a', None]
    """

    def __init__(self) -> None:
        # Files that later paths may still be below: each begins with the one before.
        self._files: list[str] = []

    def file_above(self, path: str) -> str | None:
        """Return the file that stands where this path needs a folder, or None; the path is a file from now on."""
        files = self._files
        while files and not path.startswith(files[-1]):
            files.pop()
        for file in files:
            if path[len(file)] == "/":
                return file
        files.append(path)
        return None
