"""The values of many rows walked at once, for structures that hold one member each, as DynamoDB's {"S": "text"} do.

A call for each such value costs more than the look at it. So the values that all rows have in one place, a *column*,
are taken together: whether they have the same key and no null are questions to all of them, the values of that key
are a column again, and what `json.loads` gave is handed on where it is the answer.

The walk of a column has the contract of a walk, value by value: botocore's answers, or any exception. If all values
are their own answers it returns the very list that it was given, and nothing that was given is ever changed.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, islice
from operator import is_, itemgetter
from typing import Any

from mangrove.aws._parse_common import Fields, UnusualError, Walk

Column = Callable[[list[Any]], list[Any]]

# From how many values on a column is faster than a call for each of them.
MANY = 32

_flat = chain.from_iterable


def with_column(walk: Walk, column: Column) -> Walk:
    """Return the walk of a value, after noting with it the walk of many such values."""
    walk.column = column  # type: ignore[attr-defined]
    return walk


def column_of(walk: Walk) -> Column:
    """Return the walk of a column of values that have this walk: the one noted with it, or one by one."""

    def one_by_one(values: list[Any]) -> list[Any]:
        answers = list(map(walk, values))
        return values if all(map(is_, answers, values)) else answers

    own: Column | None = getattr(walk, "column", None)
    return own or one_by_one


def plain(kind: type[Any]) -> Column:
    """Return the walk of a column of lists or maps that are taken as they are."""

    def column(values: list[Any]) -> list[Any]:
        if not set(map(type, values)) <= {kind}:
            raise UnusualError
        return values

    return column


def _transposed(rows: list[Any]) -> dict[Any, list[Any]] | None:
    """Return the column of each key if all rows are dicts of the same keys, in any order; None if they are not."""
    first, last = rows[0], rows[-1]
    try:
        # The last row shows most mixtures for nothing. A row that has each key of the first is no shorter than it, and
        # if the sum is this none is longer.
        if not first or first.keys() != last.keys() or sum(map(len, rows)) != len(first) * len(rows):
            return None
        return {key: list(map(itemgetter(key), rows)) for key in first}
    except (AttributeError, KeyError, TypeError):
        return None


def _is_single(value: Any) -> bool:
    return type(value) is dict and len(value) == 1


def _places(values: list[Any], plain_keys: set[str]) -> dict[Any, list[int]]:
    """Return where each key is the only key of a value, but for values that are their own answers.

    Raises:
        TypeError: one of the values is no dict.
        ValueError: one has not one key.
    """
    places: dict[Any, list[int]] = {}
    for place, value in enumerate(values):
        (key,) = value
        raw = value[key]
        if key in plain_keys and raw is not None:
            continue
        if key in places:
            places[key].append(place)
        else:
            places[key] = [place]
    return places


def _with_answers(values: list[Any], places: dict[Any, list[int]], alike: Callable[..., list[Any]]) -> list[Any]:
    """Return the values with the answers to those at the places, which `alike` finds for each key."""
    found = values
    for key, where in places.items():
        part = [values[place] for place in where]
        answers = alike(key, part, list(map(itemgetter(key), part)))
        if answers is not part:
            found = values.copy() if found is values else found
            for place, answer in zip(where, answers, strict=True):
                found[place] = answer
    return found


def singles(fields: Fields, walk: Walk) -> Column:
    """Return the walk of a column of structures, fast where each of them has one member.

    Args:
        fields: the structure's members.
        walk: the structure's walk.
    """

    def alike(key: Any, values: list[Any], raws: list[Any]) -> list[Any]:
        if None in raws:
            return list(map(walk, values))
        if key in fields.plain:
            return values
        field = fields.get(key)
        if not field or field[1] != key or not field[2]:
            return list(map(walk, values))
        answers = column_of(field[2])(raws)
        return values if answers is raws else [{key: answer} for answer in answers]

    def column(values: list[Any]) -> list[Any]:
        # At their ends most lists of other structures show what they are.
        if not (values and _is_single(values[0]) and _is_single(values[-1])):
            return list(map(walk, values))
        columns = _transposed(values)
        if columns:
            ((key, raws),) = columns.items()
            return alike(key, values, raws)
        try:
            places = _places(values, fields.plain) if sum(map(len, values)) == len(values) else None
        except (TypeError, ValueError):
            places = None
        if places is None:
            return list(map(walk, values))
        return _with_answers(values, places, alike)

    return column


def lists(inner: Walk) -> Column:
    """Return the walk of a column of lists, whose items are one column."""
    look = column_of(inner)

    def column(values: list[Any]) -> list[Any]:
        if not set(map(type, values)) <= {list}:
            raise UnusualError
        items = list(_flat(values))
        answers = look(items)
        if answers is items:
            return values
        rest = iter(answers)
        return [list(islice(rest, len(value))) for value in values]

    return column


def maps(inner: Walk, walk: Walk) -> Column:
    """Return the walk of a column of maps, fast where all have the same keys, as the items of most tables do.

    Args:
        inner: the walk of the maps' values.
        walk: the walk of one map.
    """
    look = column_of(inner)

    def column(values: list[Any]) -> list[Any]:
        columns = _transposed(values) if len(values) >= MANY else None
        if columns is None:
            return list(map(walk, values))
        found = values
        for key, raws in columns.items():
            answers = look(raws)
            if answers is not raws:
                found = list(map(dict.copy, values)) if found is values else found
                for row, answer in zip(found, answers, strict=True):
                    row[key] = answer
        return found

    return column
