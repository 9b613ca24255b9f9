"""Say what has appeared, vanished and changed between two inventories, member by member: pure.

A resource is known by its account, region, type and ARN, or by its name where it has no ARN. The order of a list is no
change: AWS promises none. Of a list of which elements differ, those that are gone and those that are new are told.
What one of the two has not looked at is neither there nor gone: it is unknown.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, NamedTuple, TypeAlias

__all__ = ["ABSENT", "Change", "Looked", "Member", "Seen", "applied", "diff", "differences", "shown_path"]


class _Absent(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent.ABSENT
"""What stands for a member that is not there."""

Path: TypeAlias = tuple[str | None, ...]
"""The names of members from the outside in; None is an element of a list."""

Key: TypeAlias = tuple[str, str, str, str, str, int]


class Seen(NamedTuple):
    """Be a resource as an inventory has it.

    Args:
        account: the account.
        region: the region.
        type: the type.
        name: what a person calls it.
        arn: its ARN, or None.
        tags: its tags as JSON, or None where they could not be read.
        data: what the API said of it as JSON, or None where the inventory does not have it.
    """

    account: str
    region: str
    type: str
    name: str
    arn: str | None = None
    tags: str | None = None
    data: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """Be a member that has changed.

    Args:
        path: where it is: in `name`, `tags` or `data`.
        old: its value before; `ABSENT` if it was not there.
        new: its value after; `ABSENT` if it is not there any more.
    """

    path: Path
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Change:
    """Be what became of a resource.

    Args:
        kind: `appeared`, `vanished`, `changed`, or `unknown`: one of the two inventories has not looked there.
        seen: the resource as the newer inventory has it, or the older where it has vanished.
        members: what has changed of it.
        why: of what is unknown, why.
        before: the resource as the older inventory has it, where it has changed.
    """

    kind: Literal["appeared", "vanished", "changed", "unknown"]
    seen: Seen
    members: Sequence[Member] = ()
    why: str = ""
    before: Seen | None = None


Looked = Callable[[Seen], str]
"""Says why an inventory has not looked where a resource would be; nothing if it has."""


def _everywhere(_seen: Seen) -> str:
    return ""


def diff(
    old: Iterable[Seen],
    new: Iterable[Seen],
    *,
    in_old: Looked = _everywhere,
    in_new: Looked = _everywhere,
    ignore: Sequence[str] = (),
) -> Iterator[Change]:
    """Yield what became of each resource that is not as it was, by type, account, region and name.

    Args:
        old: the resources before.
        new: the resources after.
        in_old: whether the older inventory has looked for a resource.
        in_new: whether the newer one has.
        ignore: paths of members that don't count, and all below them, as globs: `State.Name`, `tags.*`, `*.LastUsed`.

    Example:
        >>> vpc = Seen("111111111111", "eu-west-1", "ec2.vpcs", "vpc-1", data='{"State": "pending"}')
        >>> [(each.kind, each.members) for each in diff([vpc], [vpc._replace(data='{"State": "available"}')])]
        [('changed', (Member(path=('data', 'State'), old='pending', new='available'),))]
    """
    before, after = _by_key(old), _by_key(new)
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            why = in_new(before[key])
            yield Change("unknown" if why else "vanished", before[key], why=why)
        elif key not in before:
            why = in_old(after[key])
            yield Change("unknown" if why else "appeared", after[key], why=why)
        else:
            members = tuple(each for each in _members(before[key], after[key]) if not _ignored(each.path, ignore))
            if members:
                yield Change("changed", after[key], members, before=before[key])


def _by_key(seen: Iterable[Seen]) -> dict[Key, Seen]:
    # Of several that nothing tells apart the equal ones are to meet, whatever their order.
    ordered = sorted(seen, key=lambda each: (*each[:4], each.arn or "", each.tags or "", each.data or ""))
    counts: Counter[tuple[str, ...]] = Counter()
    found: dict[Key, Seen] = {}
    for each in ordered:
        key = _key(each)
        whole: Key = (*key, counts[key])
        found[whole] = each
        counts[key] += 1
    return found


def _key(seen: Seen) -> tuple[str, str, str, str, str]:
    return seen.type, seen.account, seen.region, seen.arn or "", "" if seen.arn else seen.name


def _members(old: Seen, new: Seen) -> Iterator[Member]:
    if old.name != new.name:
        yield Member(("name",), old.name, new.name)
    for name in ("tags", "data"):
        before, after = getattr(old, name), getattr(new, name)
        # What is not known of one of them has not changed.
        if before is not None and after is not None and before != after:
            yield from differences(json.loads(before), json.loads(after), (name,))


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[Member]:
    """Yield the members in which two values differ.

    Args:
        old: a value, as JSON has it.
        new: another.
        path: where they are.

    Example:
        >>> list(differences({"Groups": ["a", "b"]}, {"Groups": ["c", "a"]}))
        [Member(path=('Groups', None), old='b', new=ABSENT), Member(path=('Groups', None), old=ABSENT, new='c')]
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            if name in old and name in new:
                yield from differences(old[name], new[name], (*path, name))
            else:
                yield Member((*path, name), old.get(name, ABSENT), new.get(name, ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        before, after = Counter(map(_text, old)), Counter(map(_text, new))
        yield from (Member((*path, None), json.loads(each), ABSENT) for each in (before - after).elements())
        yield from (Member((*path, None), ABSENT, json.loads(each)) for each in (after - before).elements())
    elif _text(old) != _text(new):
        yield Member(path, old, new)


def _text(value: Any) -> str:
    """Return what is the same for equal values alone: the order of lists and of members does not count."""
    return json.dumps(_ordered(value), sort_keys=True)


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _ordered(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted(map(_ordered, value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


def applied(changes: Iterable[Change], old: Iterable[Seen]) -> list[Seen]:
    """Return the resources after, from those before and what became of them.

    Args:
        changes: what `diff` has yielded, without anything ignored.
        old: the resources before.
    """
    left, found = list(old), list[Seen]()
    for each in changes:
        if each.kind == "vanished":
            left.remove(each.seen)
        elif each.kind == "appeared":
            found.append(each.seen)
        elif each.before is not None:
            left.remove(each.before)
            found.append(_patched(each.before, each.members))
    return [*left, *found]


def _patched(seen: Seen, members: Iterable[Member]) -> Seen:
    parts = {"name": seen.name, "tags": _loaded(seen.tags), "data": _loaded(seen.data)}
    for each in members:
        _patch(parts, each.path, each)
    tags, data = (None if parts[name] is None else json.dumps(parts[name]) for name in ("tags", "data"))
    return seen._replace(name=parts["name"], tags=tags, data=data)


def _loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _patch(holder: Any, path: Path, member: Member) -> None:
    name, *rest = path
    if rest == [None] and isinstance(name, str):
        if member.old is not ABSENT:
            texts = [_text(each) for each in holder.get(name, ())]
            if _text(member.old) in texts:
                del holder[name][texts.index(_text(member.old))]
        if member.new is not ABSENT:
            holder[name] = [*holder[name], member.new]
    elif rest:
        _patch(holder[name], tuple(rest), member)
    elif member.new is ABSENT:
        holder.pop(name, None)
    else:
        holder[name] = member.new


def shown_path(path: Path) -> str:
    """Return a path as text: that of a member of the data as the API spells it.

    Args:
        path: the path.

    Example:
        >>> shown_path(("data", "State", "Name")), shown_path(("tags", "aws:x")), shown_path(("data", "Groups", None))
        ('State.Name', 'tags["aws:x"]', 'Groups[]')
    """
    # An API may have members of the names of ours.
    is_plain = path[0] == "data" and len(path) > 1 and path[1] not in ("name", "tags", "data")
    text = ""
    for name in path[1:] if is_plain else path:
        if name is None:
            text += "[]"
        elif re.fullmatch(r"[\w-]+", name):
            text += f".{name}" if text else name
        else:
            text += f"[{json.dumps(name)}]"
    return text


def _ignored(path: Path, patterns: Sequence[str]) -> bool:
    if not patterns:
        return False
    told = [shown_path(path[:end]).replace("[]", "") for end in range(1, len(path) + 1)]
    return any(fnmatchcase(each, pattern) for each in told if each for pattern in patterns)
