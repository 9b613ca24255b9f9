"""The walks of JSON: the protocols json and rest-json, which differ in their scalars alone.

What `json.loads` gave belongs to nobody else, so a list or a map of plain values is handed on as it is. A structure is
taken by its *layout*, the sequence of its keys, as in XML.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Set as AbstractSet
from typing import Any

from botocore.utils import ensure_boolean

from mangrove.aws._parse_columns import MANY, column_of, lists, maps, plain, singles, with_column
from mangrove.aws._parse_common import (
    LAYOUT_LENGTH,
    LAYOUTS,
    Compiler,
    Fields,
    Memo,
    UnusualError,
    Walk,
    instant,
    unusual,
)

# (member, its key, its walk)
_Layout = list[tuple[str, str, "Walk | None"]]
_NOTHING: AbstractSet[str] = frozenset()


def _plain_list(value: Any) -> Any:
    if type(value) is not list:
        raise UnusualError
    return value


def _plain_map(value: Any) -> Any:
    if type(value) is not dict:
        raise UnusualError
    return value


with_column(_plain_list, plain(list))
with_column(_plain_map, plain(dict))


def _document(value: Any) -> Any:
    return value


def _boolean(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    if value is None:
        raise UnusualError
    found: bool = ensure_boolean(value)
    return found


def _learn(fields: Fields, layouts: dict[tuple[Any, ...], _Layout], keys: tuple[Any, ...]) -> _Layout:
    found = [(field, key) for key in keys if (field := fields.get(key))]
    found.sort(key=lambda each: each[0][0])
    layout = [(field[1], key, field[2]) for field, key in found]
    if len(keys) <= LAYOUT_LENGTH:
        if len(layouts) >= LAYOUTS:
            layouts.clear()
        layouts[keys] = layout
    return layout


def _only(value: dict[Any, Any], fields: Fields) -> dict[Any, Any]:
    """Walk through a structure of one member, the form of all of DynamoDB's values: {"S": "text"}."""
    ((key, raw),) = value.items()
    field = fields.found.get(key) or fields.get(key)
    if field is None or raw is None:
        return {}
    _, name, inner = field
    new = raw if inner is None else inner(raw)
    return value if new is raw and name == key else {name: new}


def structure(fields: Fields, *, takes_null: bool) -> Walk:
    """Return the walk of a structure whose raw value is a dict.

    Args:
        fields: its members.
        takes_null: null in its place is null, rather than something for botocore to judge.
    """
    layouts: dict[tuple[Any, ...], _Layout] = {}

    def walk(value: Any) -> Any:
        if type(value) is not dict:
            if value is None and takes_null:
                return None
            raise UnusualError
        if len(value) == 1:
            return _only(value, fields)
        keys = tuple(value)
        layout = layouts.get(keys)
        if layout is None:
            layout = _learn(fields, layouts, keys)
        parsed = {}
        for name, key, inner in layout:
            raw = value[key]
            if raw is not None:
                parsed[name] = raw if inner is None else inner(raw)
        return parsed

    walk.fields = fields  # type: ignore[attr-defined]  # for the map that has such values
    return with_column(walk, singles(fields, walk))


def _union(fields: Fields) -> Walk:
    def walk(value: Any) -> Any:
        if value is None:
            return None
        if type(value) is not dict:
            raise UnusualError
        ((key, raw),) = [(k, v) for k, v in value.items() if v is not None and k != "__type"]
        field = fields.get(key)
        if field is None:
            raise UnusualError
        _, name, inner = field
        return {name: raw if inner is None else inner(raw)}

    return with_column(walk, singles(fields, walk))


def list_of(inner: Walk | None) -> Walk:
    """Return the walk of a list; one of plain values is handed on."""
    if inner is None:
        return _plain_list

    look = column_of(inner)

    def walk(value: Any) -> list[Any]:
        if type(value) is not list:
            raise UnusualError
        return look(value) if len(value) >= MANY else [inner(item) for item in value]

    return with_column(walk, lists(inner))


def map_of(inner: Walk) -> Walk:
    """Return the walk of a map from strings to values that have to be looked at.

    DynamoDB's items are maps of structures with one member each, most of which are handed on as they are: those are
    looked at here, because two checks cost less than the call of a walk.

    Args:
        inner: the walk of its values.
    """
    fields: Fields | None = getattr(inner, "fields", None)
    known = fields.plain if fields else _NOTHING

    def walk(value: Any) -> Any:
        if type(value) is not dict:
            raise UnusualError
        parsed = value
        for name, item in value.items():
            if type(item) is dict and len(item) == 1:
                ((key, raw),) = item.items()
                if key in known and raw is not None:
                    continue
                new = inner(item) if fields is None else _only(item, fields)
            else:
                new = inner(item)
            if new is not item:
                # What was given stays as it was: should a walk give up, botocore begins again with it.
                if parsed is value:
                    parsed = value.copy()
                parsed[name] = new
        return parsed

    return with_column(walk, maps(inner, walk))


class JsonCompiler(Compiler):
    """Compile shapes for what `json.loads` gives."""

    def _structure(self, shape: Any, memo: Memo) -> Walk:
        if shape.is_document_type:
            return _document
        names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        if len(names) != len(shape.members):
            return unusual  # two members read one key
        fields = Fields(self, shape, names, memo)
        if shape.is_tagged_union:
            return unusual if "__type" in names else _union(fields)
        return structure(fields, takes_null=True)

    def _list(self, shape: Any, memo: Memo) -> Walk:
        return list_of(self.compile(shape.member, memo))

    def _map(self, shape: Any, memo: Memo) -> Walk:
        key_walk, value_walk = self.compile(shape.key, memo), self.compile(shape.value, memo)
        if key_walk is not None:
            return unusual
        if value_walk is None:
            return _plain_map

        return map_of(value_walk)

    def _as_it_is(self, _shape: Any, _memo: Memo) -> Walk | None:
        return None

    _string = _character = _boolean = _integer = _long = _float = _double = _as_it_is

    def _timestamp(self, _shape: Any, _memo: Memo) -> Walk:
        return instant

    def _blob(self, _shape: Any, _memo: Memo) -> Walk:
        return a2b_base64


class RestJsonCompiler(JsonCompiler):
    """Compile shapes as the JSON of rest-json, where a scalar is made what the shape says."""

    def _string(self, shape: Any, _memo: Memo) -> Walk | None:
        # JSON within a header; in a body of that name botocore looks at it all the same.
        return unusual if shape.serialization.get("jsonvalue") else None

    def _boolean(self, _shape: Any, _memo: Memo) -> Walk:
        return _boolean

    def _integer(self, _shape: Any, _memo: Memo) -> Walk:
        return int

    _long = _integer

    def _float(self, _shape: Any, _memo: Memo) -> Walk:
        return float

    _double = _float
