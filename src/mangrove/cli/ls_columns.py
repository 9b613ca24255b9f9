"""Read which columns are printed, and by which rows are sorted: JMESPath over the row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from mangrove.aws.queries import compiled
from mangrove.errors import ConfigError
from mangrove.inventory.rows import Row, document_of

__all__ = ["Column", "Order", "read_columns", "read_order", "sort_rows"]

_OWN = frozenset({"account", "region", "partition", "service", "type", "name", "arn", "tags"})
_OPENS, _CLOSES, _QUOTES = "([{", ")]}", "'\"`"


@dataclass(frozen=True, slots=True)
class Column:
    """Be one column.

    Args:
        name: what it is called, which is also how it is found.
        query: compiled JMESPath; None for a member of the row itself.
    """

    name: str
    query: Any = field(default=None, compare=False, repr=False)

    def of(self, row: Row, document: Mapping[str, Any] | None) -> Any:
        """Return the value of a row.

        Args:
            row: the row.
            document: `document_of` the row, where a column has a query.

        Raises:
            Exception: the query asks of the row what its values can't do.
        """
        return getattr(row, self.name) if self.query is None else self.query.search(document)


@dataclass(frozen=True, slots=True)
class Order:
    """Be one thing that rows are sorted by.

    Args:
        column: the column.
        down: whether the greatest comes first.
    """

    column: Column
    down: bool = False


def read_columns(text: str, option: str = "--columns") -> tuple[Column, ...]:
    """Return the columns that a text lists.

    Args:
        text: names and JMESPaths, with commas between them.
        option: what the text is of.

    Raises:
        ConfigError: one is empty, is there twice or can't be read.

    Example:
        >>> [column.name for column in read_columns("name, tags.team, join(',', keys(tags))")]
        ['name', 'tags.team', "join(',', keys(tags))"]
    """
    names = [part.strip() for part in _parts(text)]
    for name in names:
        if not name or names.count(name) > 1:
            told = f"{option} {text!r}: {f'{name!r} is there twice' if name else 'a column is empty'}"
            raise ConfigError(told)
    return tuple(_column(name, option) for name in names)


def _column(name: str, option: str) -> Column:
    return Column(name) if name in _OWN else Column(name, compiled(name, option))


def _parts(text: str) -> Iterator[str]:
    """Yield what stands between the commas that are in no brackets and quotes."""
    depth, quote, start, escaped = 0, "", 0, False
    for place, char in enumerate(text):
        if escaped:
            escaped = False
        elif quote:
            quote, escaped = ("" if char == quote else quote), char == "\\"
        elif char in _QUOTES:
            quote = char
        elif char in _OPENS:
            depth += 1
        elif char in _CLOSES:
            depth -= 1
        elif char == "," and depth == 0:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def read_order(given: Iterable[str]) -> tuple[Order, ...]:
    """Return by what rows are sorted.

    Args:
        given: columns, with `:desc` after those of which the greatest comes first.

    Raises:
        ConfigError: a column is empty or can't be read.

    Example:
        >>> [(order.column.name, order.down) for order in read_order(["account", "Size:desc"])]
        [('account', False), ('Size', True)]
    """
    found = []
    for text in given:
        name, colon, way = text.rpartition(":")
        down = colon and way.strip().lower() in ("asc", "desc")
        (column,) = _one(name if down else text)
        found.append(Order(column, bool(down) and way.strip().lower() == "desc"))
    return tuple(found)


def _one(text: str) -> tuple[Column, ...]:
    found = read_columns(text, "--sort")
    if len(found) != 1:
        told = f"--sort takes one column; for several say --sort {found[0].name} --sort {found[1].name}"
        raise ConfigError(told)
    return found


def sort_rows(rows: Iterable[Row], order: Sequence[Order]) -> list[Row]:
    """Return rows in their order: numbers by size, texts by their letters, what is not there last.

    Args:
        rows: the rows.
        order: by what, the first thing first.
    """
    found = list(rows)
    for each in reversed(order):
        if each.column.query is None and each.column.name not in ("arn", "tags"):
            found.sort(key=attrgetter(each.column.name), reverse=each.down)
            continue
        keys = [(_key(_value(each.column, row)), row) for row in found]
        told = [pair for pair in keys if pair[0] is not None]
        told.sort(key=lambda pair: pair[0] or (), reverse=each.down)
        found = [row for _, row in told] + [row for key, row in keys if key is None]
    return found


def _value(column: Column, row: Row) -> Any:
    try:
        return column.of(row, None if column.query is None else document_of(row))
    except Exception:  # noqa: BLE001  it is told when the row is printed
        return None


def _key(value: Any) -> tuple[int, Any] | None:
    if value is None:
        return None
    if isinstance(value, (bool, int, float)):
        return 0, value
    return 1, value if isinstance(value, str) else json.dumps(value, default=str)
