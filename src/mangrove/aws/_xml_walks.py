"""The walks of XML: straight from the tokens of a body to its values.

For 500 EC2 instances the tree of `xml.etree` alone takes as long as this whole walk, because it is made of 66,000
objects that the garbage collector looks at too; direct expat callbacks take longer than the tree. A walk is called
after the opening of its element, with the head of the closing, and ends after it.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from mangrove.aws._parse_common import LAYOUTS, UnusualError, instant, iso_instant
from mangrove.aws._xml_tokens import NAME, skip, unescape

_TEXT, _LEAF, NESTED, _EMPTY, _MANY, FLAT, _SKIP = range(7)

Tokens = Iterator[str]


class Plan(NamedTuple):
    """Say what to do with an element of a shape.

    Attributes:
        kind: it is text, converted text, has elements, or is one item of a flattened list.
        make: converts the text, or walks through the elements.
        empty: makes the value of an element without text and elements.
        item: of a flattened list, the plan of its items.
    """

    kind: int
    make: Callable[..., Any]
    empty: Callable[[], Any]
    item: Any = None


# What a head means to a structure: kind, member, what makes its value, the closing.
Entry = tuple[int, str, Any, str]


def refuse() -> Any:
    raise UnusualError


UNUSUAL = Plan(NESTED, lambda _tokens, _close: refuse(), refuse)


_names: set[str] = set()
_NAMES, _LENGTH = 4096, 128  # how many heads are remembered as names, and how long one may be


def _text(text: str) -> str:
    return unescape(text) if "&" in text else text


def _leaf(convert: Callable[[str], Any]) -> Plan:
    return Plan(_LEAF, convert, lambda: convert(""))


STRING = Plan(_TEXT, unescape, str)


def _check_name(head: str) -> None:
    if head not in _names:
        if not NAME.fullmatch(head.removesuffix("/")):
            raise UnusualError
        if len(_names) < _NAMES and len(head) < _LENGTH:
            _names.add(head)


def _value(plan: Plan, head: str, text: str, tokens: Tokens) -> Any:
    """Return the value of an element that was just opened."""
    if head not in _names:
        _check_name(head)
    if plan.kind == NESTED and head[-1] != "/":
        return plan.make(tokens, f"/{head}")
    if plan.kind == FLAT:
        raise UnusualError
    if head[-1] == "/":
        return plan.empty()
    if not next(tokens).startswith(f"/{head}>"):
        raise UnusualError
    return plan.make(text)


def _learn(fields: Any, known: dict[str, Entry], head: str, *, strict: bool) -> Entry:
    _check_name(head)
    bare = head.removesuffix("/")
    field = fields.get(bare)
    if field is None:
        if strict:
            raise UnusualError
        return (_SKIP if bare == head else _EMPTY), "", refuse, f"/{bare}"
    _, name, plan = field
    if plan.kind == FLAT and plan.item.kind == NESTED and bare == head:
        known[head] = (_MANY, name, plan.item.make, f"/{bare}")
    elif plan.kind == FLAT:
        known[head] = (FLAT, name, plan.item, "")
    elif bare != head:
        known[head] = (_EMPTY, name, plan.empty, "")
    else:
        known[head] = (plan.kind, name, plan.make, f"/{bare}" if plan.kind == NESTED else f"/{bare}>")
    return known[head]


def _arranger(order: list[str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what puts members into the model's order; the sequences seen before are known by heart."""
    known: dict[tuple[str, ...], list[str]] = {}

    def arrange(parsed: dict[str, Any]) -> dict[str, Any]:
        seen = tuple(parsed)
        names = known.get(seen)
        if names is None:
            names = [name for name in order if name in parsed]
            if names == list(seen):
                names = []
            if len(known) < LAYOUTS:
                known[seen] = names
        return {name: parsed[name] for name in names} if names else parsed

    return arrange


def structure_of(  # noqa: C901  one loop, written out: a call for each element would cost what is saved here
    fields: Any, order: list[str], *, strict: bool = False
) -> Callable[[Tokens, str], dict[str, Any]]:
    known: dict[str, Any] = {}
    arrange = _arranger(order)

    def walk(tokens: Tokens, close: str) -> dict[str, Any]:  # noqa: C901
        parsed: dict[str, Any] = {}
        for token in tokens:
            head, sep, text = token.partition(">")
            entry = known.get(head)
            if entry is None:
                if head == close and sep:
                    return arrange(parsed)
                entry = _learn(fields, known, head, strict=strict)
            kind, name, make, end = entry
            if not sep or (name in parsed and kind < _MANY):
                raise UnusualError
            if kind <= _LEAF:
                closing = next(tokens)
                if closing != end and not closing.startswith(end):
                    raise UnusualError
                parsed[name] = make(text) if kind or "&" in text else text
            elif kind == NESTED:
                parsed[name] = make(tokens, end)
            elif kind == _MANY:
                if name not in parsed:
                    parsed[name] = []
                parsed[name].append(make(tokens, end))
            elif kind == FLAT:
                parsed.setdefault(name, []).append(_value(make, head, text, tokens))
            elif kind == _SKIP:
                skip(tokens, end)
            elif name:
                parsed[name] = make()
        raise UnusualError

    return walk


def list_of(item: Plan) -> Callable[[Tokens, str], list[Any]]:
    # The name of an item is whatever the service likes; these are the closings of the names seen.
    ends: dict[str, str] = {}

    def walk(tokens: Tokens, close: str) -> list[Any]:
        items: list[Any] = []
        for token in tokens:
            head, sep, text = token.partition(">")
            if not sep:
                raise UnusualError
            end = ends.get(head)
            if end is not None:
                items.append(item.make(tokens, end))
            elif head == close:
                return items
            else:
                items.append(_value(item, head, text, tokens))
                if item.kind == NESTED and head[-1] != "/" and len(ends) < _LENGTH:
                    ends[head] = f"/{head}"
        raise UnusualError

    return walk


def map_of(names: tuple[str, str], key_plan: Plan, value_plan: Plan) -> Callable[[Tokens, str], dict[Any, Any]]:
    def part(name: str, plan: Plan, tokens: Tokens) -> Any:
        head, sep, text = next(tokens).partition(">")
        if not sep or head.removesuffix("/") != name:
            raise UnusualError
        return _value(plan, head, text, tokens)

    def walk(tokens: Tokens, close: str) -> dict[Any, Any]:
        parsed: dict[Any, Any] = {}
        for token in tokens:
            head, sep, _ = token.partition(">")
            if not sep:
                raise UnusualError
            if head == close:
                return parsed
            if not NAME.fullmatch(head):
                raise UnusualError
            key = part(names[0], key_plan, tokens)
            parsed[key] = part(names[1], value_plan, tokens)
            if not next(tokens).startswith(f"/{head}>"):
                raise UnusualError
        raise UnusualError

    return walk


def union_of(walk: Callable[[Tokens, str], dict[str, Any]]) -> Callable[[Tokens, str], dict[str, Any]]:
    def walk_one(tokens: Tokens, close: str) -> dict[str, Any]:
        parsed = walk(tokens, close)
        if len(parsed) != 1:
            raise UnusualError
        return parsed

    return walk_one


def metadata_of(tokens: Tokens, close: str) -> dict[str, Any]:
    parsed: dict[str, Any] = {}
    for token in tokens:
        head, sep, text = token.partition(">")
        if not sep:
            raise UnusualError
        if head == close:
            return parsed
        name = head.removesuffix("/")
        if name in parsed:
            raise UnusualError
        # As botocore has it: no text in the metadata is None, and elsewhere "".
        parsed[name] = _value(STRING, head, text, tokens) or None
    raise UnusualError


def _boolean(text: str) -> bool:
    return _text(text) == "true"


def _timestamp(text: str) -> Any:
    try:
        return iso_instant(text)
    except (UnusualError, ValueError):
        return instant(unescape(text))


def _blob(text: str) -> bytes:
    return b64decode(_text(text))


# A number with a reference in it is not worth a word: int and float refuse it.
SCALARS = {
    "string": STRING,
    "character": STRING,
    "boolean": _leaf(_boolean),
    "integer": _leaf(int),
    "long": _leaf(int),
    "float": _leaf(float),
    "double": _leaf(float),
    "timestamp": _leaf(_timestamp),
    "blob": _leaf(_blob),
}
