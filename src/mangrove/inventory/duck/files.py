"""Open a DuckDB file of inventories, and say in one sentence why that can't be done."""

from __future__ import annotations

# ruff: noqa: S608  the names are ours, and texts are quoted
import re
from pathlib import Path
from typing import Any

from mangrove._extras import require
from mangrove.errors import ConfigError, MangroveError, OutputError
from mangrove.inventory.duck.schema import NAMES, literal
from mangrove.inventory.snapshots import check_schema

__all__ = ["attach", "connect", "explain", "is_locked", "reason_of"]

_HOLDER = re.compile(r"Conflicting lock is held in (.+?) \(PID (\d+)\)")
# Written by whatever DuckDB is installed, read by all since 1.2.
_STORAGE = "v1.2.0"


def connect() -> Any:
    """Return a connection of its own, with nothing in it, that writes no files aside.

    Raises:
        MissingExtraError: DuckDB is not installed.
    """
    connection = require("duckdb", "inventory").connect(config={"temp_directory": ""})
    # In ours, times are in UTC, whatever the machine's zone is.
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def attach(connection: Any, path: Path, *, write: bool = False) -> bool:
    """Attach a file as `inventory`, and go into it.

    Args:
        connection: the connection.
        path: the file; it is made if it is missing and may be written.
        write: whether it will be written; nobody else may have it open then.

    Returns:
        Whether it has an inventory; one that can be written may be without.

    Raises:
        ConfigError: it is no DuckDB file, is of a newer DuckDB or mangrove, or has no inventory.
        OutputError: it can't be written, as another process has it open.
    """
    how = f"STORAGE_VERSION '{_STORAGE}'" if write and not path.exists() else "READ_WRITE" if write else "READ_ONLY"
    try:
        connection.execute(f"ATTACH {literal(str(path))} AS inventory (TYPE duckdb, {how})")
        connection.execute("USE inventory")
        return _check(connection, path, write=write)
    except MangroveError:
        raise
    except Exception as error:
        raise explain(error, path, write=write) from error


def _check(connection: Any, path: Path, *, write: bool) -> bool:
    asked = "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'inventory'"
    there = {name for (name,) in connection.execute(asked).fetchall()}
    if NAMES[0] in there:
        (found,) = connection.execute(f'SELECT max("schema") FROM {NAMES[0]}').fetchall()[0]
        check_schema(found, path.name)
        return True
    if not write:
        text = f"{path} has no inventory; one comes into it by: mangrove ls --to {path.name}"
        raise ConfigError(text)
    taken = sorted(there & {*NAMES, "resources"})
    if taken:
        text = f"{path} has a table {taken[0]!r} of its own, and no inventory; name another file"
        raise ConfigError(text)
    return False


def is_locked(error: BaseException | None) -> bool:
    """Tell whether another process has the file open.

    Args:
        error: of DuckDB, or of ours that has it as its cause.
    """
    return "set lock on file" in f"{error} {getattr(error, '__cause__', '')}"


def explain(error: Exception, path: Path, *, write: bool) -> MangroveError:
    """Return what DuckDB says of a file as an error of ours.

    Args:
        error: what it says.
        path: the file.
        write: whether it was to be written.
    """
    text = str(error)
    if is_locked(error):
        holder = _HOLDER.search(text)
        who = f" ({Path(holder[1]).name}, process {holder[2]})" if holder else ""
        verb = "written" if write else "read"
        return OutputError(f"{path} can't be {verb}: another process{who} has it open; try again when that has ended")
    if "newer version" in text or "but we can only read" in text:
        version = require("duckdb", "inventory").__version__
        return ConfigError(f"{path} was written by a newer DuckDB than {version}, which is installed: update duckdb")
    if "not a valid DuckDB" in text or "Corrupt" in text:
        return ConfigError(f"{path} is no DuckDB file, or a damaged one")
    if not write:
        return ConfigError(f"{path} can't be read: {reason_of(error)}")
    return OutputError(f"{path} can't be written: {reason_of(error)}")


def reason_of(error: Exception) -> str:
    """Return the first sentence of what DuckDB says, without the class that it begins with."""
    first = next(iter(str(error).splitlines()), "") or type(error).__name__
    return re.sub(r"\A(?:\w+ )+Error: ", "", first)
