"""Store an inventory as CSV, JSON or JSON Lines: written as its rows come, in its place when it is whole."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from mangrove._csv import csv_line
from mangrove.inventory.facts import Facts
from mangrove.inventory.parquet.files import Staged, resolved, telling
from mangrove.inventory.rows import Row
from mangrove.inventory.schema import COMMON
from mangrove.inventory.schema.values import encodable, json_of

__all__ = ["CsvSink", "JsonLinesSink", "JsonSink", "TextSink", "csv_of", "json_line"]

_CSV = COMMON[:-1]  # what the API said of a resource is no cell


def json_line(row: Row) -> str:
    """Return a row as JSON on one line, with all that the API said.

    Example:
        >>> json_line(Row("111111111111", "eu-west-1", "ec2", "ec2.vpcs", "vpc-1", None, {}, "aws"))[:44]
        '{"account":"111111111111","region":"eu-west-'
    """
    return json_of({name: getattr(row, name) for name in COMMON})


def csv_of(row: Row) -> str:
    """Return a row as a line of CSV, its tags as JSON."""
    return csv_line([*(getattr(row, name) for name in _CSV[:-1]), None if row.tags is None else dict(row.tags)])


class TextSink:
    """Store an inventory as text; see `Sink`.

    Args:
        path: the file.

    Raises:
        ConfigError: it is a folder, or its folder is missing.
        OutputError: it can't be written.
    """

    head = foot = ""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = resolved(path)
        self._staged = Staged(self.path)
        self._begun = False
        with telling(self.path):
            self._file = self._staged.path.open("w", encoding="utf-8", newline="")
            self._file.write(self.head)

    def line(self, row: Row, *, first: bool) -> str:
        """Return what stands for a row."""
        raise NotImplementedError

    def add(self, rows: Sequence[Row]) -> None:
        """Take more rows; see `Sink`."""
        with telling(self.path):
            for row in rows:
                self._file.write(encodable(self.line(row, first=not self._begun)))
                self._begun = True

    def finish(self, facts: Facts) -> None:  # noqa: ARG002  text has no place for it
        """Put the file in its place; see `Sink`."""
        with telling(self.path):
            self._file.write(self.foot)
            self._file.close()
        self._staged.publish()

    def abandon(self) -> None:
        """Leave nothing behind; see `Sink`."""
        with contextlib.suppress(OSError):  # a full disk: the file goes away
            self._file.close()
        self._staged.discard()


class CsvSink(TextSink):
    """Store an inventory as CSV that no spreadsheet takes for formulas, tags as JSON; see `Sink`."""

    head = csv_line(_CSV)

    def line(self, row: Row, *, first: bool) -> str:  # noqa: ARG002
        """Return the line of a row."""
        return csv_of(row)


class JsonLinesSink(TextSink):
    """Store an inventory as one object of JSON a line; see `Sink`."""

    def line(self, row: Row, *, first: bool) -> str:  # noqa: ARG002
        """Return the line of a row."""
        return f"{json_line(row)}\n"


class JsonSink(TextSink):
    """Store an inventory as one array of JSON; see `Sink`."""

    head, foot = "[", "\n]\n"

    def line(self, row: Row, *, first: bool) -> str:
        """Return the line of a row."""
        return f"{'' if first else ','}\n  {json_line(row)}"
