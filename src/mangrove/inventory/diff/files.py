"""Read an inventory to compare: a Parquet file, a snapshot of a DuckDB file, or JSON Lines."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from mangrove._extras import require
from mangrove.errors import ConfigError
from mangrove.inventory.diff import Seen
from mangrove.inventory.duck.files import attach, connect
from mangrove.inventory.query.stored import is_parquet, parquet_snapshot
from mangrove.inventory.snapshots import Snapshot
from mangrove.resources.kinds import kind_of

__all__ = ["Taken", "last_two", "read_taken"]

_COLUMNS = ("account", "region", "type", "name", "arn", "tags", "data")
_DUCKDB = b"DUCK"
_NUMBER = re.compile(r"-?[0-9]{1,18}\Z")


@dataclass(frozen=True, slots=True)
class Taken:
    """Be an inventory to compare.

    Args:
        name: what it is called.
        seen: reads its resources; may be called again.
        looked: says why it has not looked where a resource would be; nothing if it has.
        remark: what there is to know of it, or nothing.
        types: what it has looked for; empty if that is not known.
    """

    name: str
    seen: Callable[[], Iterator[Seen]]
    looked: Callable[[Seen], str]
    remark: str = ""
    types: Sequence[str] = ()


def read_taken(spec: str) -> Taken:
    """Return an inventory to compare.

    Args:
        spec: a file, or `FILE.duckdb@SNAPSHOT`: its id, -1 for the last, -2 for the one before, or its date and, if
            need be, time in UTC: `2026-11-20`, `2026-11-20T10:30`. Without it, the last.

    Raises:
        ConfigError: there is no such file or snapshot, or it can't be read.
        OutputError: another process has it open for writing.
    """
    path, chosen = Path(spec).expanduser(), ""
    if not path.exists() and "@" in spec:
        name, _, chosen = spec.rpartition("@")
        path = Path(name).expanduser()
    if _is_duckdb(path):
        return _of_duckdb(path, chosen or "-1")
    parquet = is_parquet(path)
    if chosen:
        text = f"{path} has one inventory, and no snapshot {chosen!r}; only a DuckDB file has several"
        raise ConfigError(text)
    return _of_parquet(path) if parquet else _of_lines(path)


def last_two(path: str) -> tuple[Taken, Taken]:
    """Return the last two snapshots of a DuckDB file.

    Args:
        path: the file.

    Raises:
        ConfigError: it is none, or has only one.
    """
    if "@" in path and not Path(path).exists():
        text = f"{path} is one snapshot; say what it is compared with"
        raise ConfigError(text)
    if not _is_duckdb(Path(path).expanduser()):
        text = f"{path} has one inventory; say what it is compared with: mangrove diff OLD NEW"
        raise ConfigError(text)
    return read_taken(f"{path}@-2"), read_taken(f"{path}@-1")


def _is_duckdb(path: Path) -> bool:
    if path.suffix in (".duckdb", ".db"):
        return True  # what is wrong with it is said when it is opened
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(12)[8:] == _DUCKDB
    return False


# -- where it has looked ----------------------------------------------------------------------------------------------


def _looked(snapshot: Snapshot, name: str) -> Callable[[Seen], str]:
    """Return what says whether a snapshot has looked for a resource; of what has failed it is not known."""
    targets: dict[tuple[str, str, str], str] = {}
    whole: dict[tuple[str, str], str] = {}
    for each in snapshot.outcomes:
        message = (each.get("error") or {}).get("message") or ""
        told = "" if each["kind"] == "ok" else f"{each['kind']}{f': {message}' if message else ''}"
        targets[each["account"], each["region"], each["type"]] = told
        if not each["type"] or each["region"] == "*" or kind_of(each["type"]).home is not None:
            whole[each["account"], each["type"]] = told
    types, regions = frozenset(snapshot.types), snapshot.regions

    def looked(seen: Seen) -> str:
        if seen.type not in types:
            return f"{name} was not asked for {seen.type}"
        if not snapshot.outcomes:
            return ""
        in_regions = not regions or any(fnmatchcase(seen.region, term) for term in regions)
        found = targets.get((seen.account, seen.region, seen.type))
        if found is None and in_regions:
            found = whole.get((seen.account, seen.type), whole.get((seen.account, "")))
        if found is None:
            return f"{name} was not asked for {seen.type} in {seen.account} {seen.region}"
        return found and f"{name} could not list {seen.type} in {seen.account} {seen.region}: {found}"

    return looked


# -- Parquet ----------------------------------------------------------------------------------------------------------


def _of_parquet(path: Path) -> Taken:
    snapshot = parquet_snapshot(path)

    def seen() -> Iterator[Seen]:
        with contextlib.closing(require("pyarrow.parquet", "inventory").ParquetFile(path)) as file:
            for batch in file.iter_batches(columns=list(_COLUMNS)):
                yield from _from_arrow(batch)

    return Taken(path.name, seen, _looked(snapshot, path.name), types=snapshot.types)


def _from_arrow(batch: Any) -> Iterator[Seen]:
    columns = [batch.column(name).to_pylist() for name in _COLUMNS]
    for account, region, kind, name, arn, tags, data in zip(*columns, strict=True):
        yield Seen(account, region, kind, name, arn, None if tags is None else _as_text(dict(tags)), data)


def _as_text(tags: Mapping[str, str]) -> str:
    return json.dumps(tags, sort_keys=True)


# -- DuckDB -----------------------------------------------------------------------------------------------------------


def _of_duckdb(path: Path, chosen: str) -> Taken:
    with contextlib.closing(_opened(path)) as connection:
        known = connection.execute("SELECT id, CAST(taken AS VARCHAR) FROM snapshots ORDER BY id").fetchall()
        number = _choose(known, chosen, path)
        snapshot = _snapshot(connection, number)
    name = f"{path.name}@{number}"

    def seen() -> Iterator[Seen]:
        asked = ", ".join(f'"{column}"' for column in _COLUMNS)
        with contextlib.closing(_opened(path)) as again:
            relation = again.sql(f"SELECT {asked} FROM resources_history WHERE snapshot = {number}")  # noqa: S608
            reader = getattr(relation, "to_arrow_reader", None) or relation.fetch_record_batch
            for batch in reader(8192):
                yield from _from_arrow(batch)

    return Taken(name, seen, _looked(snapshot, name), types=snapshot.types)


def _opened(path: Path) -> Any:
    if not path.exists():
        text = f"{path} is not there"
        raise ConfigError(text)
    connection = connect()
    try:
        attach(connection, path.resolve())
    except BaseException:
        connection.close()
        raise
    return connection


def _choose(known: list[tuple[int, str]], chosen: str, path: Path) -> int:
    """Return the id of a snapshot."""
    ids = [number for number, _ in known]
    if _NUMBER.match(chosen):
        number = int(chosen)
        if number in ids:
            return number
        if -len(ids) <= number < 0:
            return ids[number]
    else:
        wanted = chosen.replace("T", " ").removesuffix("Z").strip()
        of_then = [number for number, taken in known if wanted and taken.startswith(wanted)]
        if of_then:
            return of_then[-1]
    there = ", ".join(f"{number} ({taken[:16]})" for number, taken in known[-5:])
    text = f"{path} has no snapshot {chosen!r}; it has {f'{len(ids)}: {there}' if ids else 'none'}"
    raise ConfigError(text)


def _snapshot(connection: Any, number: int) -> Snapshot:
    asked = "SELECT CAST(taken AS VARCHAR), types, regions FROM snapshots WHERE id = ?"
    taken, types, regions = connection.execute(asked, [number]).fetchall()[0]
    names = ("account", "region", "type", "kind")
    told = connection.execute(
        "SELECT account, region, coalesce(\"type\", ''), kind, coalesce(nullif(message, ''), error) FROM outcomes "
        "WHERE snapshot = ?",
        [number],
    ).fetchall()
    outcomes = [{**dict(zip(names, row[:4], strict=True)), "error": {"message": row[4]}} for row in told]
    return Snapshot(datetime.fromisoformat(f"{taken[:19]}+00:00"), types, regions=regions, outcomes=outcomes)


# -- JSON Lines -------------------------------------------------------------------------------------------------------


def _of_lines(path: Path) -> Taken:
    found = list(_read_lines(path))
    types, accounts = {each.type for each in found}, {each.account for each in found}

    def looked(seen: Seen) -> str:
        if seen.type in types and seen.account in accounts:
            return ""
        what = seen.type if seen.type not in types else seen.account
        return f"{path.name} has nothing of {what}, and does not say whether it was asked for it"

    remark = (
        f"{path.name} does not say where it has looked: of types and accounts that it has nothing of nothing is known"
    )
    return Taken(path.name, lambda: iter(found), looked, remark)


def _read_lines(path: Path) -> Iterator[Seen]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _from_json(line, f"{path}, line {number}")
    except UnicodeDecodeError as error:
        text = f"{path} is no inventory: neither DuckDB nor Parquet, and no text"
        raise ConfigError(text) from error
    except OSError as error:
        text = f"{path} can't be read: {error.strerror or error}"
        raise ConfigError(text) from error


def _from_json(line: str, place: str) -> Seen:
    try:
        told = json.loads(line)
        account, region, kind, name = (told[each] for each in ("account", "region", "type", "name"))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        text = f"{place} is no row of an inventory: a JSON object with account, region, type and name"
        raise ConfigError(text) from error
    tags, data = told.get("tags"), told.get("data")
    return Seen(
        str(account),
        str(region),
        str(kind),
        str(name),
        told.get("arn"),
        None if tags is None else _as_text(tags),
        None if data is None else json.dumps(data),
    )
