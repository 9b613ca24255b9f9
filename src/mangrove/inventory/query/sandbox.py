"""Run statements where they can do nothing but read: no file, no network, no extension, no change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mangrove._extras import require
from mangrove.errors import ConfigError
from mangrove.inventory.duck.files import reason_of
from mangrove.inventory.query.limits import Limits, calls_other_text, limits_of, tables_of

__all__ = ["Statement", "broken", "lock", "read_statement", "run"]

_READS = frozenset({"SELECT", "EXPLAIN"})
_LINE = re.compile(r"^LINE (\d+): (.*)\n( *)\^", re.MULTILINE)
_EXPLAIN = re.compile(r"\A(?:\s|--[^\n]*\n|/\*.*?\*/)*EXPLAIN(?:\s+ANALY[SZ]E)?\b", re.IGNORECASE | re.DOTALL)
_OPTIONS = re.compile(r"\A\s*\(\s*(?:ANALY[SZ]E|FORMAT)\b[^()]*\)", re.IGNORECASE)
_ANALYZE = re.compile(_EXPLAIN.pattern.replace("?\\b", "\\b"), _EXPLAIN.flags)
# The order matters: after the last nothing can be set.
_LOCKS = (
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "allow_community_extensions = false",
    "python_enable_replacements = false",
    "enable_external_access = false",
    "lock_configuration = true",
)


@dataclass(frozen=True, slots=True)
class Statement:
    """Be a statement that reads.

    Args:
        text: the statement.
        tables: the tables that it names, each with its schema, in lower case.
        limits: what it can see of each table, once for each place where it is named; see `limits_of`.
        explains: whether it only says how it would be run.
    """

    text: str
    tables: Sequence[tuple[str, str]]
    limits: Mapping[str, Sequence[Limits]] = field(default_factory=dict)
    explains: bool = False


def lock(connection: Any) -> None:
    """Let the statements of a connection touch nothing but what is in it.

    Args:
        connection: the connection, with all attached that it will need.
    """
    for each in _LOCKS:
        connection.execute(f"SET {each}")


def read_statement(connection: Any, text: str) -> Statement:
    """Return a statement and what it names, without running it.

    Args:
        connection: one that is locked.
        text: one statement, in DuckDB's SQL.

    Raises:
        ConfigError: it can't be read, is more than one, or does something else than read.
    """
    duckdb = require("duckdb", "inventory")
    try:
        found = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise broken(error, text) from error
    kinds = [each.type.name for each in found]
    if "MULTI" in kinds or any(not each.query for each in found):
        told = "a PIVOT must name its values: PIVOT ec2_instances ON region IN ('eu-west-1', 'us-east-1')"
        raise ConfigError(told)
    if len(found) != 1:
        told = "there is no statement" if not found else f"give one statement at a time, and not {len(found)}"
        raise ConfigError(told)
    if kinds[0] not in _READS:
        told = f"{kinds[0].replace('_', ' ')} statements are not run: an inventory is only read"
        raise ConfigError(told)
    if kinds[0] == "EXPLAIN":
        _check_explained(duckdb, text)
    cursor = connection.cursor()  # what fails to be read must not end what the connection is about
    try:
        tree = _tree(cursor, _explained(text) if kinds[0] == "EXPLAIN" else text)
        tables = tables_of(tree)
        is_clear = not tree["error"] and not calls_other_text(tree)
        if not is_clear:
            tables |= {("", name.lower()) for name in cursor.get_table_names(text)}
    except duckdb.Error as error:
        raise broken(error, text) from error
    finally:
        cursor.close()
    limits = limits_of(tree, [name for _, name in tables]) if is_clear else {}
    explains = kinds[0] == "EXPLAIN" and _ANALYZE.match(text) is None
    return Statement(text, tuple(sorted(tables)), limits, explains)


def _check_explained(duckdb: Any, text: str) -> None:
    """Refuse to explain anything but a SELECT: with ANALYZE it is run."""
    try:
        inner = duckdb.extract_statements(_OPTIONS.sub("", _explained(text), count=1))
    except duckdb.Error as error:
        raise broken(error, text) from error
    if [each.type.name for each in inner] != ["SELECT"]:
        told = "EXPLAIN takes a SELECT: an inventory is only read"
        raise ConfigError(told)


def _tree(connection: Any, text: str) -> Mapping[str, Any]:
    (told,) = connection.execute("SELECT json_serialize_sql(CAST(? AS VARCHAR))", [text]).fetchall()[0]
    tree: Mapping[str, Any] = json.loads(told)
    return tree


def _explained(text: str) -> str:
    """Return the statement that an EXPLAIN explains; DuckDB writes no tree of the whole."""
    return _EXPLAIN.sub("", text, count=1)


def run(connection: Any, text: str) -> Any:
    """Return a statement as a relation, which is bound, and runs when it is read.

    Args:
        connection: the connection.
        text: the statement.

    Raises:
        ConfigError: it names a column or a function that there is not, or means nothing else that can be run.
    """
    duckdb = require("duckdb", "inventory")
    try:
        return connection.sql(text)
    except duckdb.Error as error:
        raise broken(_placed(connection, text, error), f"\n{text}", above=1) from error


def _placed(connection: Any, text: str, error: Exception) -> Exception:
    """Return what DuckDB says of a statement with the place, which it only tells when it is prepared."""
    try:
        connection.execute(f"PREPARE mangrove_statement AS\n{text}")
    except Exception as placed:  # noqa: BLE001  whatever it says is better
        return placed if _LINE.search(str(placed)) else error
    return error


def broken(error: Exception, text: str, *, above: int = 0) -> ConfigError:
    """Return what DuckDB says of a statement, with the place that it points at.

    Args:
        error: what it says.
        text: the statement.
        above: lines above it that are not the user's.
    """
    told = str(error)
    reason = reason_of(error)
    more = " ".join(_hints(told))
    place = _place(told, text, above)
    return ConfigError(f"the statement can't be run{place}: {reason}{f' {more}' if more else ''}")


def _hints(told: str) -> Iterator[str]:
    for line in told.splitlines()[1:]:
        if line.startswith("LINE "):
            return
        if line.strip():
            yield line.strip()


def _place(told: str, text: str, above: int) -> str:
    found = _LINE.search(told)
    if found is None:
        return ""
    number, shown = int(found[1]), found[2]
    column = len(found[3]) - len(f"LINE {number}: ")
    if shown.startswith("..."):  # of a long line DuckDB shows the part around the place
        lines = text.splitlines()
        part = shown.removeprefix("...").removesuffix("...")
        begin = lines[number - 1].find(part) if number <= len(lines) else -1
        if begin < 0:
            return f" (line {number - above})"
        column += begin - len("...")
    return f" (line {number - above}, column {column + 1})"
