"""Read YAML, JSON and CSV into values that know where they stand, so that an error can say it."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mangrove._extras import require
from mangrove.errors import ConfigError

__all__ = ["READERS", "Located", "plain"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Located:
    """Hold a value of a file with its place; it may be an external id, so no repr shows it.

    Attributes:
        value: a mapping of strings to located values, a list of them, or a plain value.
        where: its place, such as `accounts.yml line 7`.
        raw: the text that a number, a date or the like was written as.
    """

    value: Any
    where: str
    raw: str | None = None


def plain(located: Located) -> Any:
    """Return a value without the places in it.

    Example:
        >>> plain(Located([Located(1, "line 1")], "line 1"))
        [1]
    """
    return _plain(located, {})


def _plain(located: Located, known: dict[int, Any]) -> Any:
    # What a file names once and uses a thousand times is made once.
    if id(located) not in known:
        value = located.value
        if isinstance(value, dict):
            value = {name: _plain(each, known) for name, each in value.items()}
        elif isinstance(value, list):
            value = [_plain(each, known) for each in value]
        known[id(located)] = value
    return known[id(located)]


# -- YAML -------------------------------------------------------------------------------------------------------------


def _read_yaml(text: str, file: str) -> Located:
    """Read one YAML document, with the safe loader's types alone."""
    yaml = require("yaml", "accounts")
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            return Located(None, file) if node is None else _Nodes(loader, file).read(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        where = f"{file} line {place.line + 1}" if place else file
        text = f"{where}: {error.problem or error.context}"
        raise ConfigError(text) from None
    except yaml.YAMLError as error:
        text = f"{file}: {' '.join(str(error).split())}"
        raise ConfigError(text) from None


class _Nodes:
    """Turn the nodes of PyYAML into located values."""

    def __init__(self, loader: Any, file: str) -> None:
        self._loader = loader
        self._file = file
        self._known: dict[int, Located | None] = {}

    def read(self, node: Any) -> Located:
        where = f"{self._file} line {node.start_mark.line + 1}"
        if id(node) in self._known:
            known = self._known[id(node)]
            if known is None:
                text = f"{where}: a value contains itself"
                raise ConfigError(text)
            return known
        self._known[id(node)] = None
        made = self._known[id(node)] = self._make(node, where)
        return made

    def _make(self, node: Any, where: str) -> Located:
        if node.id == "sequence":
            return Located([self.read(each) for each in node.value], where)
        if node.id == "mapping":
            return Located(self._mapping(node, where), where)
        try:
            value = self._loader.construct_object(node)
        except (ValueError, OverflowError):
            # Not quoted: it may be an external id.
            text = f"{where}: what stands there is read as a number or a date, and is none; write it in quotes"
            raise ConfigError(text) from None
        return Located(value, where, None if isinstance(value, str) else node.value)

    def _mapping(self, node: Any, where: str) -> dict[str, Located]:
        own = Counter(key.value for key, _ in node.value if key.id == "scalar")
        twice = [name for name, times in own.items() if times > 1]
        if twice:
            text = f"{where}: {twice[0]!r} is there twice"
            raise ConfigError(text)
        self._loader.flatten_mapping(node)  # what `<<: *anchor` brings, before what is said here
        found: dict[str, Located] = {}
        for key, value in node.value:
            if key.id != "scalar":
                text = f"{where}: a name is a plain text"
                raise ConfigError(text)
            # As it is written: an account's id must not be read as a number.
            found[key.value] = self.read(value)
        return found


# -- JSON -------------------------------------------------------------------------------------------------------------


def _read_json(text: str, file: str) -> Located:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
            error = f"{file}: {twice!r} is there twice in one object"
            raise ConfigError(error)
        return found

    try:
        value = json.loads(text, object_pairs_hook=once)
    except ConfigError:
        raise
    except json.JSONDecodeError as error:
        place = f"{file} line {error.lineno}: {error.msg.lower()} (column {error.colno})"
        raise ConfigError(place) from None
    except ValueError as error:  # a number of thousands of digits
        text = f"{file}: {error}"
        raise ConfigError(text) from None
    return _locate(value, file)


def _locate(value: Any, where: str) -> Located:
    if isinstance(value, dict):
        return Located({name: _locate(each, f"{where} {name}") for name, each in value.items()}, where)
    if isinstance(value, list):
        return Located([_locate(each, f"{where} entry {number}") for number, each in enumerate(value, 1)], where)
    return Located(value, where)


# -- CSV --------------------------------------------------------------------------------------------------------------


def _read_csv(text: str, file: str) -> Located:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        if len(set(header)) < len(header):
            error = f"{file} line 1: a column is there twice"
            raise ConfigError(error)
        return Located(list(_csv_entries(rows, header, file)), file)
    except csv.Error as error:
        reason = f"{file} line {rows.line_num}: {error}"
        raise ConfigError(reason) from None


def _csv_entries(rows: Any, header: list[str], file: str) -> Iterator[Located]:
    for row in rows:
        if not any(row):
            continue
        where = f"{file} line {rows.line_num}"
        if len(row) != len(header):
            text = f"{where}: {len(row)} cells under {len(header)} columns"
            raise ConfigError(text)
        cells = {name: Located(cell.strip(), where) for name, cell in zip(header, row, strict=True) if cell.strip()}
        tags = {name[4:]: cell for name, cell in cells.items() if name.startswith("tag:")}
        entry = {name: cell for name, cell in cells.items() if not name.startswith("tag:")}
        yield Located({**entry, "tags": Located(tags, where)} if tags else entry, where)


READERS: Mapping[str, Callable[[str, str], Located]] = {
    ".yml": _read_yaml,
    ".yaml": _read_yaml,
    ".json": _read_json,
    ".csv": _read_csv,
}
