"""Store an inventory as one Parquet file: its rows in groups as they come, and what it is of in the file's metadata."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mangrove._extras import require
from mangrove.inventory.arrow import batch_of, schema_of
from mangrove.inventory.facts import Facts
from mangrove.inventory.parquet.files import Staged, resolved, telling
from mangrove.inventory.rows import Row
from mangrove.inventory.snapshots import Snapshot, snapshot_of

__all__ = ["METADATA", "ParquetSink", "Spool"]

METADATA = b"mangrove.inventory"
"""The key of the metadata of the file that says what the inventory is of, in JSON."""

# Rows of a group: many read faster, and all of them are in memory while it is written.
_GROUP = 16_384


class Spool:
    """Write rows to an unfinished Parquet file, a group at a time.

    Args:
        target: what the file will be called; see `resolved`.

    Raises:
        MissingExtraError: pyarrow is not installed.
        OutputError: it can't be written.
    """

    def __init__(self, target: Path) -> None:
        parquet = require("pyarrow.parquet", "inventory")
        self.rows = 0
        self.staged = Staged(target)
        self._waiting: list[Row] = []
        self._writer: Any = None
        try:
            with telling(target):
                self._writer = parquet.ParquetWriter(self.staged.path, schema_of(), compression="zstd")
        except BaseException:
            self.staged.discard()
            raise

    def add(self, rows: Sequence[Row]) -> None:
        """Take more rows; see `Sink`."""
        self.rows += len(rows)
        self._waiting += rows
        if len(self._waiting) >= _GROUP:
            self._write()

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        with telling(self.staged.target):
            self._writer.write_batch(batch_of(waiting))

    def end(self, snapshot: Snapshot) -> None:
        """Write what is left, and what it is of."""
        if self._waiting:
            self._write()
        with telling(self.staged.target):
            self._writer.add_key_value_metadata({METADATA.decode(): snapshot.written()})
            writer, self._writer = self._writer, None
            writer.close()

    def discard(self) -> None:
        """Remove the file, if it has not been published."""
        writer, self._writer = self._writer, None
        self._waiting = []
        try:
            if writer is not None:
                writer.close()
        except OSError:
            pass  # the disk is full, and the file goes away
        finally:
            self.staged.discard()


class ParquetSink:
    """Store an inventory as a Parquet file; see `Sink`. What had its name before stays until the new one is whole.

    Its columns are the common ones, with `tags` as a map and `data` as JSON; pandas, Polars, DuckDB and `mangrove sql
    --from` read it.

    Args:
        path: the file.

    Raises:
        ConfigError: it is a folder, or its folder is missing.
        MissingExtraError: pyarrow is not installed.
        OutputError: it can't be written.

    Example:
        >>> import datetime, tempfile
        >>> from mangrove.inventory.facts import Facts
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sink = ParquetSink(f"{folder}/all.parquet")
        ...     sink.add([Row("111111111111", "eu-west-1", "ec2", "ec2.vpcs", "vpc-1", None, {}, "aws")])
        ...     sink.finish(Facts(datetime.datetime.now(datetime.timezone.utc), ("ec2.vpcs",)))
        ...     print(require("pyarrow.parquet", "inventory").read_table(sink.path).column("name").to_pylist())
        ['vpc-1']
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = resolved(path)
        self._spool = Spool(self.path)

    def add(self, rows: Sequence[Row]) -> None:
        """Take more rows; see `Sink`."""
        self._spool.add(rows)

    def finish(self, facts: Facts) -> None:
        """Put the file in its place; see `Sink`."""
        self._spool.end(snapshot_of(facts, self._spool.rows))
        self._spool.staged.publish()

    def abandon(self) -> None:
        """Leave nothing behind; see `Sink`."""
        self._spool.discard()
