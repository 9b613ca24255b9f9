"""CBOR read from bytes, and its walks: the protocol smithy-rpc-v2-cbor.

botocore reads a stream, byte by byte; here the bytes are indexed. What is rare (a string in pieces) or wrong raises,
and botocore reads the body again, with its own error if there is one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from mangrove.aws._parse_common import Compiler, Fields, Memo, UnusualError, Walk, instant, unusual
from mangrove.aws._parse_json import list_of, structure

_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: struct.Struct(">e"), 26: struct.Struct(">f"), 27: struct.Struct(">d")}
_ENDLESS, _BREAK, _TIMESTAMP_TAG = 31, 0xFF, 1
_IN_HEAD, _LAST_LENGTH = 24, 27

# A value and the position after it.
_Read = tuple[Any, int]


def _number(data: bytes, at: int, info: int) -> tuple[int, int]:
    if info < _IN_HEAD:
        return info, at
    if info > _LAST_LENGTH:
        raise UnusualError
    end = at + (1 << info - _IN_HEAD)
    if end > len(data):
        raise UnusualError
    return int.from_bytes(data[at:end], "big"), end


def _negative(data: bytes, at: int, info: int) -> _Read:
    number, at = _number(data, at, info)
    return -1 - number, at


def _bytes(data: bytes, at: int, info: int) -> tuple[bytes, int]:
    length, at = _number(data, at, info)
    end = at + length
    if end > len(data):
        raise UnusualError
    return data[at:end], end


def _text(data: bytes, at: int, info: int) -> _Read:
    found, at = _bytes(data, at, info)
    return found.decode("utf-8"), at


def _array(data: bytes, at: int, info: int) -> _Read:
    items: list[Any] = []
    if info == _ENDLESS:
        while data[at] != _BREAK:
            item, at = _item(data, at)
            items.append(item)
        return items, at + 1
    length, at = _number(data, at, info)
    for _ in range(length):
        item, at = _item(data, at)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, info: int) -> _Read:
    found: dict[Any, Any] = {}
    left = -1
    if info != _ENDLESS:
        left, at = _number(data, at, info)
    while left and (left > 0 or data[at] != _BREAK):
        left -= 1
        key, at = _item(data, at)
        value, at = _item(data, at)
        if value is not None:
            found[key] = value
    return found, at + (info == _ENDLESS)


def _tag(data: bytes, at: int, info: int) -> _Read:
    tag, at = _number(data, at, info)
    value, at = _item(data, at)
    if tag != _TIMESTAMP_TAG or not isinstance(value, (int, float)):
        raise UnusualError
    return instant(value), at


def _simple(data: bytes, at: int, info: int) -> _Read:
    if info in _FLOATS:
        form = _FLOATS[info]
        return form.unpack_from(data, at)[0], at + form.size
    return _SIMPLE[info], at


_READERS: tuple[Callable[[bytes, int, int], _Read], ...] = (
    *(_number, _negative, _bytes, _text),
    *(_array, _map, _tag, _simple),
)


def _item(data: bytes, at: int) -> _Read:
    head = data[at]
    return _READERS[head >> 5](data, at + 1, head & 31)


def decode(body: bytes) -> Any:
    """Return the first value of the body, as botocore reads it.

    Raises:
        Exception: of any kind; the body is for botocore to read.

    Example:
        >>> decode(bytes.fromhex("a2 61 61 01 61 62 82 f5 f6"))
        {'a': 1, 'b': [True, None]}
    """
    return _item(body, 0)[0]


class CborCompiler(Compiler):
    """Compile shapes for what `decode` gives, where bytes and times are what they are and a map is not looked into."""

    def _structure(self, shape: Any, memo: Memo) -> Walk:
        if shape.is_tagged_union:
            return unusual
        return structure(Fields(self, shape, {name: name for name in shape.members}, memo), takes_null=False)

    def _list(self, shape: Any, memo: Memo) -> Walk:
        return list_of(self.compile(shape.member, memo))

    def _as_it_is(self, _shape: Any, _memo: Memo) -> Walk | None:
        return None

    _string = _character = _boolean = _integer = _long = _float = _double = _timestamp = _blob = _map = _as_it_is
