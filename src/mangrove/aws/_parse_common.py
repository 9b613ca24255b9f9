"""What the compiled parsers of all wire formats share: the store of walks, the members of a structure, timestamps.

A *walk* is a function that turns the raw parse of a value (an XML element, what `json.loads` gave) into what botocore
returns for one shape. Its contract has one sentence: it returns what botocore's parser would return, or it raises.
What exactly it raises means nothing; the caller then takes botocore's own walk, which has the last word. So a walk
knows the ordinary form of a response alone, and everything else (null where a list was promised, an element that came
twice, a broken number) needs no code here and can't be answered differently.
"""

from __future__ import annotations

import re
import threading
import time
import weakref
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

from botocore.model import Shape
from botocore.utils import parse_timestamp
from dateutil.tz import tzlocal, tzutc  # type: ignore[import-untyped,unused-ignore]

Walk = Callable[[Any], Any]
Field = tuple[int, str, Any]
Memo = dict[Any, Any]

# What a service may send is without end, so what is remembered of it has one: the arrangements of members that one
# structure was seen in, and how long one may be to be remembered.
LAYOUTS, LAYOUT_LENGTH = 256, 256

# The traits whose meaning to a response the walks know (or know to mean nothing). A shape with any other is left to
# botocore: the trait may be the reason why a newer botocore parses it differently.
_SERIALIZATION = frozenset(
    "name queryName flattened location payload streaming timestampFormat xmlNamespace resultWrapper xmlAttribute "
    "eventstream event eventheader eventpayload jsonvalue hostLabel".split()
)
_METADATA = frozenset(
    "required min max pattern sensitive enum idempotencyToken error exception endpointdiscoveryid retryable document "
    "union contextParam clientContextParams requiresLength".split()
)

# dateutil understands far more; these digits and no others it can only read in one way.
_ISO = re.compile(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.(?:[0-9]{3}){1,2})?Z")


class UnusualError(Exception):
    """Say that a value is not of the ordinary form, and botocore's own walk has to look at it."""


def unusual(_value: Any) -> Any:
    """Stand for the walk of a shape that is left to botocore."""
    raise UnusualError


def _reader(zone: tzinfo) -> Callable[[str], datetime]:
    # Without a cache on purpose: reading costs half a microsecond, and in a listing of keys no time comes twice.
    def read(text: str) -> datetime:
        if _ISO.fullmatch(text) is None:
            raise UnusualError
        found = datetime.fromisoformat(text[:-1])
        return datetime.combine(found, found.time(), zone)  # a quarter of the time of `found.replace(tzinfo=zone)`

    return read


def _reader_here() -> Callable[[str], datetime]:
    """Return the reader for the process's own time zone, which decides what dateutil makes of the Z for UTC.

    Where the local zone is called UTC the answer is a `tzlocal`, and where only one of its two names is, it depends.
    """
    if "UTC" not in time.tzname:
        return _reader(tzutc())
    if time.tzname == ("UTC", "UTC") and not (time.timezone or time.daylight):
        return _reader(tzlocal())
    return unusual


# The names of the zone, a new object whenever the zone is set, and the reader that fits.
_here: tuple[Any, Callable[[str], datetime]] = (None, unusual)


def iso_instant(text: str) -> datetime:
    """Return the instant that a plain ISO 8601 text in UTC names; raise something for any other."""
    global _here  # noqa: PLW0603  one assignment of both, so that no thread sees the one without the other
    names, read = _here
    if names is not time.tzname:
        names, read = _here = time.tzname, _reader_here()
    return read(text)


def instant(value: Any) -> datetime:
    """Return the same as botocore's `parse_timestamp`, without dateutil where the text is plain ISO 8601 in UTC.

    Args:
        value: the timestamp, as text or as a number.

    Raises:
        ValueError: it can't be read.

    Example:
        >>> instant("2026-01-02T03:04:05.678Z").isoformat()
        '2026-01-02T03:04:05.678000+00:00'
    """
    try:
        return iso_instant(value)
    except (UnusualError, ValueError, TypeError):
        pass
    found: datetime = parse_timestamp(value)
    return found


class Fields:
    """Hold the members of one structure by their names on the wire, each compiled when it is first seen.

    The shape is held weakly: whoever parses with it keeps it alive.

    Attributes:
        found: the members seen so far, by their names on the wire.
        plain: those of them that are the same on the wire and in the answer, name and value.

    Args:
        compiler: what makes the members' walks.
        shape: the structure.
        names: the member's name for each name on the wire.
        memo: the walks made so far under the same output shape.
    """

    __slots__ = ("_compiler", "_memo", "_names", "_order", "_shape", "found", "plain")

    def __init__(self, compiler: Compiler, shape: Any, names: dict[str, str], memo: Memo) -> None:
        self._compiler = compiler
        self._shape = weakref.ref(shape)
        self._names = names
        self._memo = memo
        self._order = {name: index for index, name in enumerate(shape.members)}
        self.found: dict[str, Field] = {}
        self.plain: set[str] = set()

    def get(self, wire_name: str) -> Field | None:
        """Return the member's place in the model, its name and its walk; None if no member has this name."""
        found = self.found.get(wire_name)
        if found is None:
            name = self._names.get(wire_name)
            if name is None:
                return None
            shape = self._shape()
            if shape is None:
                raise UnusualError
            walk = self._compiler.compile(shape.members[name], self._memo)
            if walk is None and name == wire_name:
                self.plain.add(name)
            found = self.found[wire_name] = (self._order[name], name, walk)
        return found


class Compiler:
    """Make the walk of a shape, once for as long as the shape lives; subclasses know one wire format each.

    A subclass has a method for each type of shape that it compiles, such as `_list(shape, memo)`. It returns the walk,
    or None if the value is taken as it is (in XML: its text).
    """

    refused: Any = staticmethod(unusual)

    def __init__(self) -> None:
        self._walks: weakref.WeakKeyDictionary[Shape, Any] = weakref.WeakKeyDictionary()
        self._lock = threading.RLock()

    def walk_of(self, shape: Shape) -> Any:
        """Return the walk of an output shape, made at the first call."""
        walk = self._walks.get(shape)
        if walk is None:
            with self._lock:
                walk = self._walks.setdefault(shape, self.start(shape) or self.refused)
        return walk

    def start(self, shape: Any) -> Any:
        """Return the walk of an output shape itself; a subclass may know more of it than of the shapes in it."""
        return self.compile(shape, {})

    def compile(self, shape: Any, memo: Memo) -> Any:
        """Return the walk of a shape under an output shape; equal references to one shape share it."""
        traits = frozenset((name, repr(value)) for name, value in shape.serialization.items())
        key = (shape.name, traits)
        with self._lock:
            if key not in memo:
                # A list that is its own member would never end; it is left to botocore.
                memo[key] = self.refused
                try:
                    memo[key] = self._make(shape, memo)
                except BaseException:  # the stack ended, say; it is not the shape's fault
                    del memo[key]
                    raise
            return memo[key]

    def _make(self, shape: Any, memo: Memo) -> Any:
        if not (_SERIALIZATION.issuperset(shape.serialization) and _METADATA.issuperset(shape.metadata)):
            return self.refused
        # A list in a header may be one text with commas; only botocore's own walk reads headers.
        if shape.type_name == "list" and shape.serialization.get("location") == "header":
            return self.refused
        if shape.type_name == "structure" and self._is_special(shape):
            return self.refused
        make: Callable[[Any, Memo], Any] | None = getattr(self, f"_{shape.type_name}", None)
        return self.refused if make is None else make(shape, memo)

    @staticmethod
    def _is_special(shape: Any) -> bool:
        return bool(
            shape.metadata.get("exception") or shape.serialization.get("eventstream") or shape.event_stream_name
        )
