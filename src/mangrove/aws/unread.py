"""Read botocore's large data files in part: a shape of a service, a service of a partition, when it is first asked for.

Of EC2's 4,400 shapes a program uses a few dozen. To parse them all takes longer than all else in making its first
client, and leaves thousands of dicts and lists that Python's garbage collector walks through again and again.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Unread", "read_endpoints", "read_in_part", "read_model"]

# Of zlib: a gzip file, its window as large as any.
_GZIP = 31
# A damaged file may name any length.
_MOST = 1 << 26
_Section = tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]


def _section(name: str, indent: int) -> _Section:
    """Return what tells a section's begin, each of its entries, and its end, as botocore's files are laid out.

    An entry begins on a line of its own, two spaces further in than its section, and nothing else does.
    """
    outer = " " * indent
    return (
        re.compile(rf'\n{outer}"{name}" ?: ?\{{(?=\n{outer}  ")'.encode()),
        re.compile(rf'\n{outer}  "([^"\\]+)" ?: ?'.encode()),
        re.compile(rf"\n{outer}\}}".encode()),
    )


_SHAPES = _section("shapes", 2)
_SERVICES = _section("services", 4)


def _when_read(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of dict's that reads everything first: it takes the values without asking for them."""

    def whole(self: Unread, *arguments: Any) -> Any:
        for name in self:
            self[name]
        return method(self, *arguments)

    return whole


class Unread(dict[str, Any]):
    """Be a dict, for that is what everybody expects, whose values are JSON until they are asked for.

    Example:
        >>> shapes = Unread(Name=b'{"type": "string"}')
        >>> shapes["Name"], shapes == {"Name": {"type": "string"}}
        ({'type': 'string'}, True)
    """

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if type(value) is bytes:  # as nothing in JSON is
            value = self[name] = json.loads(value.rstrip(b","))
        return value

    def __iter__(self) -> Iterator[str]:
        # To have it makes `dict(shapes)` ask for the values.
        return super().__iter__()

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value, or the default if there is none of this name."""
        try:
            return self[name]
        except KeyError:
            return default

    def __eq__(self, other: object) -> bool:
        return dict(self) == other  # which asks the other, if it is one of these, for its values too

    def __ne__(self, other: object) -> bool:
        return dict(self) != other

    items = _when_read(dict.items)
    values = _when_read(dict.values)
    copy = _when_read(dict.copy)
    pop = _when_read(dict.pop)
    popitem = _when_read(dict.popitem)
    setdefault = _when_read(dict.setdefault)
    __or__ = _when_read(dict.__or__)
    __ror__ = _when_read(dict.__ror__)
    __repr__ = _when_read(dict.__repr__)
    __hash__ = None


def _cut(text: bytes, section: _Section) -> tuple[bytes, list[Unread]] | None:
    """Return a text with numbers for what its sections hold, and the sections; None if it is laid out otherwise."""
    begin, entry, end = section
    kept: list[bytes] = []
    sections: list[Unread] = []
    position = 0
    while first := begin.search(text, position):
        last = end.search(text, first.end())
        if last is None:
            return None
        _, *found = entry.split(memoryview(text)[first.end() : last.start()])
        values = found[1::2]
        if not all(value.startswith(b"{") and value.endswith((b"}", b"},")) for value in values):
            return None
        kept += text[position : first.end()], b'"":%d' % len(sections)
        sections.append(Unread(zip(map(bytes.decode, found[::2]), values, strict=True)))
        position = last.start()
    return b"".join((*kept, text[position:])), sections


def _put_back(holders: list[Any], name: str, sections: list[Unread]) -> bool:
    """Put sections into whatever holds their numbers, and return whether every one has found its place."""
    placed = 0
    for holder in holders:
        number = holder.get(name, {}).get("")
        if number is not None:
            holder[name] = sections[number]
            placed += 1
    return placed == len(sections)


def read_in_part(path: str) -> Any:
    """Return what one of botocore's data files says.

    Args:
        path: the file, JSON or gzipped JSON.
    """
    with open(path, "rb") as file:  # noqa: PTH123  as botocore names it
        text = file.read()
    if path.endswith(".gz"):
        # In one piece: its length stands at its end. Joined from pieces it would take twice the memory.
        text = zlib.decompress(text, _GZIP, min(int.from_bytes(text[-4:], "little"), _MOST))
    name = os.path.basename(path).partition(".")[0]  # noqa: PTH119
    if name == "service-2":
        return read_model(text)
    return read_endpoints(text) if name == "endpoints" else json.loads(text)


def read_model(text: bytes) -> Any:
    """Return what one of botocore's service models says, its shapes unread.

    Args:
        text: JSON; it is read whole if it is not laid out as botocore's models are.
    """
    return _read(text, _SHAPES, "shapes", lambda model: [model])


def read_endpoints(text: bytes) -> Any:
    """Return what botocore's list of endpoints says, the services of each partition unread.

    Args:
        text: JSON; it is read whole if it is not laid out as botocore's list is.
    """
    return _read(text, _SERVICES, "services", lambda data: data["partitions"])


def _read(text: bytes, section: _Section, name: str, holders: Callable[[Any], list[Any]]) -> Any:
    cut = _cut(text, section)
    if cut is None or not cut[1]:
        return json.loads(text)
    data = json.loads(cut[0])
    return data if _put_back(holders(data), name, cut[1]) else json.loads(text)
