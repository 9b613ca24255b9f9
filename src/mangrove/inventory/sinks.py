"""Say what whoever stores an inventory is asked: one way for files, databases and reports."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from mangrove.errors import ConfigError
from mangrove.inventory.facts import Facts
from mangrove.inventory.rows import Row

__all__ = ["Sink", "sink_for"]

_SINKS: Mapping[str, tuple[str, str]] = {
    ".csv": ("texts", "CsvSink"),
    ".duckdb": ("duck", "DuckSink"),
    ".html": ("report", "ReportSink"),
    ".json": ("texts", "JsonSink"),
    ".jsonl": ("texts", "JsonLinesSink"),
    ".parquet": ("parquet", "ParquetSink"),
}


class Sink(Protocol):
    """Store the rows of an inventory; made before the first call, and then whatever can't be written is said.

    What was there before stays as it was until `finish` has ended, and after `abandon`.
    """

    def add(self, rows: Sequence[Row]) -> None:
        """Take more rows; memory does not grow with their number, unless the format wants them all.

        Args:
            rows: the rows.

        Raises:
            OutputError: they can't be written; a full disk is one reason.
        """
        ...

    def finish(self, facts: Facts) -> None:
        """Put the whole where it belongs, in one step.

        Args:
            facts: what the rows are of.

        Raises:
            OutputError: it can't be written.
        """
        ...

    def abandon(self) -> None:
        """Leave nothing behind, and what was there as it was; may be called at any time, and again."""
        ...


def sink_for(path: str | os.PathLike[str]) -> Sink:
    """Return what stores an inventory in a file, by the suffix of its name.

    Args:
        path: the file: `.csv`, `.json`, `.jsonl`, `.parquet`; `.html` for a report; `.duckdb` for a database, to which
            the inventory is added as a snapshot.

    Raises:
        ConfigError: the suffix is none of these, or the file can't be there.
        MissingExtraError: what writes such files is not installed.
        OutputError: it can't be written.

    Example:
        >>> sink_for("inventory.docx")
        Traceback (most recent call last):
        ...
        mangrove.errors.ConfigError: inventory.docx: its name must end in .csv, .duckdb, .html, .json, .jsonl or
        .parquet
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _SINKS:
        *names, last = _SINKS
        text = f"{os.fspath(path)}: its name must end in {', '.join(names)} or {last}"
        raise ConfigError(text)
    module, name = _SINKS[suffix]
    # Imported here: most of them need a part that is optional.
    found: Sink = getattr(importlib.import_module(f"mangrove.inventory.{module}"), name)(path)
    return found
