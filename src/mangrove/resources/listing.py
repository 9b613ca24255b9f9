"""Walk through the lists that lead to the resources of a type, one request at a time: whoever walks makes it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any

from mangrove.resources.kinds import Kind
from mangrove.resources.levels import ROOT, Ask, Item, Spec, Way
from mangrove.resources.lookups import search
from mangrove.resources.ways import Ways

__all__ = ["Asking", "Finish", "at_home", "loaded", "walk"]

Asking = Generator[Ask, Any, Any]
"""Yields requests, takes their answers, and returns what it was about."""

Finish = Callable[[list[Item]], Asking]
"""Turns a page of items into what is handed out, with further requests if it needs any."""

# What S3 still answers for buckets made before its first European region had a name.
_OLD_NAMES = {"EU": "eu-west-1"}


def walk(
    way: Way, finish: Finish, fault: Callable[[Exception], object], holder: Item = ROOT, depth: int = 0
) -> Generator[Any, Any, None]:
    """Yield requests, whose answers are sent back, and lists of what was found.

    Args:
        way: how the type is listed.
        finish: makes what is handed out of a page of items.
        fault: called with the error of a resource on the way whose own could not be listed; the rest goes on.
        holder: who holds the list.
        depth: the level of the list.

    Example:
        >>> from mangrove.resources.kinds import kind_of
        >>> def same(items):
        ...     yield from ()
        ...     return [item.identifiers for item in items]
        >>> walking = walk(Ways().of(kind_of("sqs.queues")), same, print)
        >>> next(walking).operation.name, walking.send({"QueueUrls": ["https://sqs/1/jobs"]})
        ('ListQueues', [{'Url': 'https://sqs/1/jobs'}])
    """
    level = way.levels[depth]
    if level.reads and any(search(path, holder.data or {}) is None for path in level.reads):
        yield from loaded(holder, way.levels[depth - 1].spec)
    asked: Any = level.first(holder)
    while asked is not None:
        answer = yield Ask(level.operation, asked, spare=depth > 0)
        items = level.items(holder, asked, answer)
        if level is way.levels[-1]:
            found = yield from finish(items)
            if found:
                yield found
        else:
            for each in items:
                try:
                    yield from walk(way, finish, fault, each, depth + 1)
                except Exception as error:  # noqa: BLE001  a parent that is gone or closed costs only its own
                    fault(error)
        asked = level.next(asked, answer)


def loaded(item: Item, spec: Spec) -> Asking:
    """Load an item, if its type can be loaded; one that is gone keeps what its list has told.

    Args:
        item: the item.
        spec: its type.
    """
    if spec.load is not None:
        answer = yield Ask(spec.load.operation, spec.load.parameters(item), item.region, spare=True)
        item.data = spec.load.read(answer) or item.data


def at_home(
    items: Iterable[Item],
    kind: Kind,
    ways: Ways,
    regions: Iterable[str],
    default: str,
    fault: Callable[[Exception], object],
) -> Asking:
    """Return the items that are in the regions that are wanted, each with its region.

    Args:
        items: items of a list that answers for all regions.
        kind: their type.
        ways: know its operations.
        regions: the regions.
        default: the region of an item that none is told of.
        fault: called with the error of an item whose region can't be told.
    """
    wanted, found = frozenset(regions), []
    for item in items:
        region = search(str(kind.home), item.data or {})
        if not region and kind.home_call is not None:
            lookup = kind.home_call
            try:
                asked = lookup.about({**(item.data or {}), **_lower(item)})
                answer = yield Ask(ways.operation(kind.service, lookup.operation), asked, spare=True)
                region = lookup.read_one(answer)
            except Exception as error:  # noqa: BLE001  one bucket that is gone or closed costs only itself
                fault(error)
                continue
        region = str(region or default)
        item.region = _OLD_NAMES.get(region, region)
        if item.region in wanted:
            found.append(item)
    return found


def _lower(item: Item) -> dict[str, Any]:
    return {name.lower(): value for name, value in item.identifiers.items()}
