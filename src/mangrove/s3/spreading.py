"""List a large bucket with many calls at once: cut the keys into ranges, and a range again when somebody is idle."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import lt
from typing import Any, cast

from mangrove.errors import ConfigError
from mangrove.s3.listing import list_objects, list_pages, listing_params
from mangrove.s3.pages import Listed, Page
from mangrove.s3.rules.names import check_bucket, shown
from mangrove.s3.rules.options import NONE, Options
from mangrove.s3.running.performing import Performer
from mangrove.s3.trees.changes import DisorderError

__all__ = ["list_spread", "split"]

# Pages that wait to be taken, for each thread.
_AHEAD = 4
# Of all ranges together, as some may have been listed before others were cut in front of them.
_MOST_AHEAD = 4
_SAMPLES = 8  # keys of a page, for their characters
_LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
# Most keys are of these: the first guess is that the next character is one of them.
_USUAL = (0x20, 0x7F)


def split(low: str, high: str | None, prefix: str, count: int, seen: frozenset[str] = frozenset()) -> list[str]:
    r"""Return up to so many places between two keys, in order: where the keys in between may be cut.

    Nothing is known of these keys, so that a cut may have all of them on one side. It is then made again in what is
    left, which is smaller each time.

    Args:
        low: the cuts are after this; it begins with the prefix.
        high: the cuts are before this; None for the end of the prefix.
        prefix: what all keys begin with.
        count: of cuts.
        seen: characters that keys are known to have; there are more of them than of others.

    Example:
        >>> split("logs/a", "logs/e", "logs/", 3)
        ['logs/b', 'logs/c', 'logs/d']
        >>> split("a", "b", "", 2)
        ['a?', 'a_']
        >>> split("a", "a\x00", "", 2)
        []
    """
    place = len(prefix)
    end = None if high is None else high[place:]
    start = low[place:]
    shared = ""
    while True:
        least = ord(start[0]) if start else -1
        most = _LAST + 1 if end is None else ord(end[0]) if end else -1
        cuts = [prefix + shared + chr(code) for code in _between(least, most, count, seen)]
        if cuts:
            return cuts
        if not start and (end is None or not end):
            return []
        if most - least <= 0:
            # The same character: the cut is further behind.
            shared, start, end = shared + start[0], start[1:], None if end is None else end[1:]
        elif start:
            # Neighbours: between what follows the first of them and its end.
            shared, start, end = shared + start[0], start[1:], None
        else:
            return []


def _between(least: int, most: int, count: int, seen: frozenset[str]) -> list[int]:
    """Return up to so many characters between two, not the two, spread over those that keys are usually made of."""
    low, high = least + 1, most
    known = sorted(code for code in map(ord, seen) if low <= code < high)
    if not known:
        if low < _USUAL[1] and high > _USUAL[0]:
            low, high = max(low, _USUAL[0]), min(high, _USUAL[1])
        return [code for code in _some(range(low, high), count) if code not in _SURROGATES]
    return [code for code in _some(known, count) if code not in _SURROGATES]


def _some(codes: Sequence[int], count: int) -> Sequence[int]:
    """Return so many of them, spread evenly."""
    width = len(codes)
    return codes if count >= width else [codes[width * number // (count + 1)] for number in range(1, count + 1)]


def list_spread(
    performer: Performer,
    bucket: str,
    prefix: str = "",
    *,
    start_after: str | None = None,
    threads: int = 16,
    page_size: int | None = None,
    retries: int | None = None,
    options: Options = NONE,
) -> Iterator[Listed]:
    """Yield the keys in a bucket in their order, as `list_objects` does, with several calls under way at once.

    What is ahead of the taker waits in memory, four pages for each thread. Directory buckets have no order, and are
    listed by one call after the other.

    Args:
        performer: makes the calls.
        bucket: its name or ARN.
        prefix: what the keys begin with.
        start_after: only keys after this one.
        threads: calls at once.
        page_size: the most entries that one call brings, at most 1,000.
        retries: further tries of a page; None for the usual.
        options: of ListObjectsV2.

    Raises:
        ConfigError: an argument is wrong; at once.
        TransferError: a page can't be had.
        DisorderError: the server does not keep to the order of keys, which its first page did not show.
    """
    if type(threads) is not int or threads < 1:
        text = f"threads is a whole number, 1 or more; got {threads!r}"
        raise ConfigError(text)
    if threads == 1 or check_bucket(bucket) == "directory":
        found = list_objects(
            performer,
            bucket,
            prefix,
            start_after=start_after,
            page_size=page_size,
            retries=retries,
            options=options,
        )
        return cast("Iterator[Listed]", found)  # there is no delimiter
    params = listing_params(bucket, prefix, None, page_size)
    spread = _Spread(performer, {**options.of("ListObjectsV2"), **params}, threads, retries)
    return spread.keys(start_after)


class _Range:
    """Be the keys after one place, up to another; `after` moves on as pages arrive."""

    __slots__ = ("after", "beyond", "done", "pages", "taken", "upto")

    def __init__(self, after: str, upto: str | None) -> None:
        self.after, self.upto = after, upto
        self.beyond: str | None = None  # the first key that was seen behind the end
        self.pages: deque[Sequence[Listed]] = deque()
        self.taken = self.done = False

    def add(self, page: Page) -> None:
        """Move on by a page and keep those of its keys that belong to the range."""
        keys = cast("Sequence[Listed]", list(page.items))  # there is no delimiter
        self.done = not page.truncated
        if self.upto is not None and keys and keys[-1] > self.upto:
            self.done = True
            end = bisect_right(keys, self.upto)
            self.beyond, keys = keys[end], keys[:end]
        if keys:
            self.after = keys[-1].key
            self.pages.append(keys)


class _Spread:
    """Be a listing under way: ranges in the order of their keys, and threads that fetch their pages."""

    def __init__(self, performer: Performer, params: dict[str, Any], threads: int, retries: int | None) -> None:
        self._performer, self._params, self._retries = performer, params, retries
        self._prefix: str = params.get("Prefix", "")
        self._threads, self._most = threads, threads * _AHEAD
        self._ranges: list[_Range] = []
        self._waiters = 0
        self._seen: frozenset[str] = frozenset()
        self._error: BaseException | None = None
        self._stopped = False
        self._changed = threading.Condition()

    # -- in the thread that takes the keys --------------------------------------------------------------------------

    def keys(self, start_after: str | None) -> Iterator[Listed]:
        """Yield the keys; the threads end when it does."""
        start = {} if start_after is None else {"StartAfter": start_after}
        pages = list_pages(self._performer, "ListObjectsV2", {**self._params, **start}, retries=self._retries)
        first = next(pages)
        if not first.truncated or not _is_sorted(first.items):
            # Either it is little, or the server is one of those that keep a tree of folders.
            for page in chain([first], pages):
                yield from cast("Sequence[Listed]", page.items)
            return
        whole = _Range(self._prefix, None)
        whole.add(first)
        self._ranges = [whole]
        for number in range(self._threads):
            # Daemons, and not waited for: after Ctrl-C each ends with the page that it is at.
            threading.Thread(target=self._work, name=f"mangrove-s3-list-{number}", daemon=True).start()
        try:
            yield from self._take()
        finally:
            with self._changed:
                self._stopped = True
                self._changed.notify_all()

    def _take(self) -> Iterator[Listed]:
        last = ""
        beyond: list[str] = []
        while (page := self._next_page(beyond)) is not None:
            # What ranges are worth depends on the order; on a server that has another, keys would be lost.
            if (last and page[0] <= last) or not _is_sorted(page):
                raise self._disorder(page[0])
            last = page[-1]
            self._check(beyond, page)
            yield from page

    def _check(self, beyond: list[str], page: Sequence[Listed]) -> None:
        """Compare what was seen behind the ends of ranges with what the next ones have; it may have been deleted."""
        while beyond and beyond[0] <= page[-1]:
            key = beyond.pop(0)
            place = bisect_left(page, key)
            if page[place] != key and self._is_there(key):
                raise self._disorder(key)

    def _is_there(self, key: str) -> bool:
        found = list_objects(self._performer, self._params["Bucket"], key, page_size=1, retries=self._retries)
        return next(found, None) == key

    def _disorder(self, key: str) -> DisorderError:
        where = f"s3://{self._params['Bucket']}/{self._prefix}"
        text = (
            f"the server lists {where} in another order than that of the keys' UTF-8 bytes, as seen at {shown(key)};"
            " list it by one call after the other, with threads=1"
        )
        return DisorderError(text)

    def _next_page(self, beyond: list[str]) -> Sequence[Listed] | None:
        with self._changed:
            while True:
                if self._error is not None:
                    raise self._error
                while self._ranges and self._ranges[0].done and not self._ranges[0].pages:
                    seen = self._ranges.pop(0).beyond
                    beyond += [] if seen is None else [seen]
                    self._changed.notify_all()
                if not self._ranges:
                    return None
                if self._ranges[0].pages:
                    self._changed.notify_all()
                    return self._ranges[0].pages.popleft()
                self._changed.wait()

    # -- in the threads ---------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while (mine := self._get_range()) is not None:
                self._list(mine)
        except BaseException as error:  # noqa: BLE001  the thread that takes the keys raises it
            with self._changed:
                self._error = self._error or error
                self._changed.notify_all()

    def _get_range(self) -> _Range | None:
        with self._changed:
            while not self._stopped and self._error is None:
                free = next(iter(self._free()), None)
                if free is not None:
                    free.taken = True
                    return free
                if all(each.done for each in self._ranges):
                    return None
                self._waiters += 1
                self._changed.wait()
                self._waiters -= 1
            return None

    def _list(self, mine: _Range) -> None:
        """List a range to its end, which is brought nearer when somebody has nothing to do."""
        params = {**self._params, "StartAfter": mine.after}
        for page in list_pages(self._performer, "ListObjectsV2", params, retries=self._retries):
            with self._changed:
                mine.add(page)
                self._seen = self._seen.union(*page.items[:: len(page.items) // _SAMPLES + 1])
                self._changed.notify_all()
                if mine.done or self._stopped:
                    return
                if self._is_ahead(mine):
                    # Somebody goes on with it later; meanwhile there is a range that is wanted sooner.
                    mine.taken = False
                    return
                self._share(mine)

    def _free(self) -> list[_Range]:
        """Return the ranges that wait for somebody to list them, the first wanted first."""
        return [each for each in self._ranges if not each.taken and not each.done and not self._is_ahead(each)]

    def _is_ahead(self, this: _Range) -> bool:
        """Return whether enough pages wait before and in a range; never of the one whose keys are taken next."""
        count = before = 0
        for each in self._ranges:
            count += len(each.pages)
            if each is this:
                before = count
        is_first = not self._ranges or this is self._ranges[0]
        return not is_first and (before >= self._most or count >= _MOST_AHEAD * self._most)

    def _share(self, mine: _Range) -> None:
        """Cut a range for those who have nothing to do."""
        idle = self._waiters - len(self._free())
        cuts = split(mine.after, mine.upto, self._prefix, idle, self._seen) if idle > 0 else []
        if not cuts:
            return
        place = self._ranges.index(mine) + 1
        ends = [*cuts[1:], mine.upto]
        self._ranges[place:place] = [_Range(cut, end) for cut, end in zip(cuts, ends, strict=True)]
        mine.upto = cuts[0]
        self._changed.notify_all()


def _is_sorted(keys: Sequence[str]) -> bool:
    return all(map(lt, keys, keys[1:]))
