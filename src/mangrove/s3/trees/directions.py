"""Be the three ways between trees: up from a folder, down to one, across buckets; what each does with one path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mangrove.errors import ConfigError, ObjectChangedError, UnsafePathError
from mangrove.s3.copying import Copy
from mangrove.s3.files.root import Root
from mangrove.s3.files.rooted import RootTarget
from mangrove.s3.light import Download
from mangrove.s3.outcome import Outcome
from mangrove.s3.rules.names import check, check_key, may_be_one, shown
from mangrove.s3.rules.paths import Claims, segments
from mangrove.s3.running.handle import Handle
from mangrove.s3.trees.changes import Change, Clashes, Differs, Entry
from mangrove.s3.trees.comparing import by_checksum_of_file, by_checksum_of_objects
from mangrove.s3.trees.means import Direction, Means
from mangrove.s3.trees.places import Folder, Keys, Order, Place

__all__ = ["direction_of", "remove_same"]


class Up:
    """Upload a folder."""

    operation = "upload"
    is_down = False

    def __init__(self, source: Folder, target: Keys, means: Means) -> None:
        self._source, self._target, self._means = source, target, means
        self._options = means.read("upload")

    def source_entries(self, order: Order) -> Iterator[Entry]:
        """Yield the files."""
        del order
        return self._source.entries()

    def target_entries(self, order: Order) -> Iterator[Entry]:
        """Yield the objects, but for those that only mark folders."""
        return self._means.listed(self._target, order, self._options, markers=False)

    def by_checksum(self) -> Differs:
        """Return the comparison of a file with an object."""
        asking = _asking(self._target, self._options.of("HeadObject"))
        return by_checksum_of_file(self._means.backend.performer, self._source.file, asking, is_upload=True)

    def address(self, path: str) -> tuple[str, str, Any]:
        """Return the object, and the file."""
        return self._target.bucket, self._target.key(path), Path(self._source.file(path))

    def make(self, change: Change) -> Handle:
        """Return the upload of a file."""
        key = self._target.key(change.path)
        check_key(key)
        file = Path(self._source.file(change.path))
        return self._means.backend.maker.upload(self._target.bucket, key, file, **self._means.options)

    def moved(self, source: Entry, handle: Handle) -> Entry:
        """Return the file as it was listed."""
        del handle
        return source

    def remove_source(self, entries: list[Entry]) -> Iterator[Outcome]:
        """Delete files that were not changed meanwhile."""
        for entry in entries:
            path = self._source.file(entry.path)
            yield _outcome_of_file(path, lambda path=path, entry=entry: remove_same(path, entry))  # type: ignore[misc]

    def remove_target(self, paths: Iterator[str]) -> Iterator[Outcome]:
        """Delete objects."""
        return self._means.delete(self._target, paths, self._options)

    def close(self) -> None:
        """Do nothing."""


class Down:
    """Download keys into a folder, below which all stays."""

    operation = "download"
    is_down = True

    def __init__(self, source: Keys, target: Folder, means: Means) -> None:
        self._source, self._target, self._means = source, target, means
        self._options = means.read("download")
        self._clashes = Clashes()
        self._claims = Claims(fold=means.fold)
        self._folds = means.fold if means.fold is not None else _folds()
        self._root: Root | None = None

    def source_entries(self, order: Order) -> Iterator[Entry]:
        """Yield the objects, but for those that only mark folders."""
        self._clashes = Clashes()
        return self._means.listed(self._source, order, self._options, markers=False)

    def target_entries(self, order: Order) -> Iterator[Entry]:
        """Yield the files; links are files."""
        del order
        return self._target.entries_there()

    def by_checksum(self) -> Differs:
        """Return the comparison of an object with a file."""
        asking = _asking(self._source, self._options.of("HeadObject"))
        return by_checksum_of_file(self._means.backend.performer, self._target.file, asking, is_upload=False)

    def address(self, path: str) -> tuple[str, str, Any]:
        """Return the object, and the file."""
        return self._source.bucket, self._source.key(path), Path(self._target.file(path))

    def make(self, change: Change) -> Handle:
        """Return the download of an object."""
        path, key = change.path, self._source.key(change.path)
        names = segments(path)
        if self._folds:
            self._claims.add(path)
        file = self._clashes.file_above(path)
        if file is not None:
            text = f"the key {shown(key)} needs a folder where the key {shown(self._source.key(file))} is a file"
            raise UnsafePathError(text)
        check(self._source.bucket, key)
        modified = change.source.modified if change.source is not None else None
        settings = self._means.backend.settings
        target = _Later(self._root_there, names, modified, fsync=settings.fsync)
        return Download(self._source.bucket, key, self._options, target, settings)

    def _root_there(self) -> Root:
        if self._root is None:
            self._root = Root(self._target.path)
        return self._root

    def moved(self, source: Entry, handle: Handle) -> Entry:
        """Return the object that was downloaded, which may be a later one than was listed."""
        return source._replace(etag=handle.outcome.etag)

    def remove_source(self, entries: list[Entry]) -> Iterator[Outcome]:
        """Delete objects that are still what they were."""
        return self._means.remove(self._source, entries, self._options)

    def remove_target(self, paths: Iterator[str]) -> Iterator[Outcome]:
        """Delete files."""
        for path in paths:
            names = tuple(path.split("/"))
            yield _outcome_of_file(self._target.file(path), lambda names=names: self._root_there().remove(names))  # type: ignore[misc]

    def close(self) -> None:
        """Close the folder."""
        if self._root is not None:
            self._root.close()


class Across:
    """Copy keys inside S3."""

    operation = "copy"
    is_down = False

    def __init__(self, source: Keys, target: Keys, means: Means) -> None:
        self._source, self._target, self._means = source, target, means
        self._options = means.read("copy")

    def source_entries(self, order: Order) -> Iterator[Entry]:
        """Yield the objects, those that mark folders too."""
        return self._means.listed(self._source, order, self._options.at_source(), markers=True)

    def target_entries(self, order: Order) -> Iterator[Entry]:
        """Yield the objects, those that mark folders too."""
        return self._means.listed(self._target, order, self._options, markers=True)

    def by_checksum(self) -> Differs:
        """Return the comparison of two objects."""
        source = _asking(self._source, self._options.of_source())
        target = _asking(self._target, self._options.of("HeadObject"))
        return by_checksum_of_objects(self._means.backend.performer, source, target)

    def address(self, path: str) -> tuple[str, str, Any]:
        """Return the copy, and the source."""
        return self._target.bucket, self._target.key(path), f"s3://{self._source.bucket}/{self._source.key(path)}"

    def make(self, change: Change) -> Handle:
        """Return the copy of an object."""
        source, target = self._source, self._target
        key = target.key(change.path)
        if source.bucket == target.bucket and source.has(key):
            text = f"the copy of {shown(source.key(change.path))} would overwrite {shown(key)}, itself to be copied"
            raise ConfigError(text)
        return self._means.backend.maker.copy(
            source.bucket, source.key(change.path), target.bucket, key, **self._means.options
        )

    def moved(self, source: Entry, handle: Handle) -> Entry:
        """Return the object that was copied, which may be a later one than was listed."""
        return source._replace(etag=handle.source_etag if isinstance(handle, Copy) else None)

    def remove_source(self, entries: list[Entry]) -> Iterator[Outcome]:
        """Delete objects that are still what they were."""
        return self._means.remove(self._source, entries, self._options.at_source())

    def remove_target(self, paths: Iterator[str]) -> Iterator[Outcome]:
        """Delete objects."""
        return self._means.delete(self._target, paths, self._options)

    def close(self) -> None:
        """Do nothing."""


def _touch(source: Keys, target: Keys) -> bool:
    return target.base.startswith(source.prefix) or source.base.startswith(target.base)


def direction_of(source: Place, target: Place, means: Means, *, delete: bool = False, move: bool = False) -> Direction:
    """Return the way between two trees.

    Args:
        source: the one.
        target: the other.
        means: what the way needs.
        delete: whether anything is going to be deleted from the target.
        move: whether what was copied is going to be deleted from the source.

    Raises:
        ConfigError: neither is in S3, or one is part of the other.
    """
    if isinstance(source, Folder):
        if isinstance(target, Folder):
            text = f"one of {shown(source.path)} and {shown(target.path)} has to be s3://bucket/prefix"
            raise ConfigError(text)
        return Up(source, target, means)
    if isinstance(target, Folder):
        return Down(source, target, means)
    same = source.bucket == target.bucket
    if not same and (delete or move) and may_be_one(source.bucket, target.bucket) and _touch(source, target):
        text = (
            f"{source.bucket} and {target.bucket} may be two names of one bucket, in which {source} and {target} "
            "overlap; copy, and then delete what is not wanted"
        )
        raise ConfigError(text)
    if same and target.base.startswith(source.prefix):
        text = f"{target} is part of {source}: what is copied would be copied again; choose another target"
        raise ConfigError(text)
    if delete and same and source.base.startswith(target.base):
        text = f"{source} is part of {target}, from which it would be deleted; choose another target"
        raise ConfigError(text)
    return Across(source, target, means)


class _Later:
    """Be a target whose folder is made when something is written to it."""

    __slots__ = ("_arguments", "_fsync", "_root")

    def __init__(self, root: Callable[[], Root], names: tuple[str, ...], modified: int | None, *, fsync: bool) -> None:
        self._root, self._arguments, self._fsync = root, (names, modified), fsync

    def check(self) -> None:
        """Refuse nothing yet: folders are made when there is something to put there."""

    def place(self, data: bytes) -> Path:
        return RootTarget(self._root(), *self._arguments, fsync=self._fsync).place(data)

    def begin(self, size: int) -> Any:
        return RootTarget(self._root(), *self._arguments, fsync=self._fsync).begin(size)


def _folds() -> bool:
    import sys  # noqa: PLC0415

    return sys.platform in {"win32", "darwin", "cygwin"}


def _asking(keys: Keys, access: Mapping[str, Any]) -> Callable[[str], dict[str, Any]]:
    return lambda path: {**access, "Bucket": keys.bucket, "Key": keys.key(path)}


def remove_same(path: str, entry: Entry) -> None:
    """Remove a file that is as it was.

    Raises:
        ObjectChangedError: it is not.
    """
    found = os.stat(path)  # noqa: PTH116  one of a million
    if (found.st_size, found.st_mtime_ns) != (entry.size, entry.modified):
        text = f"{shown(path)} was changed after it was listed, and is not removed; what was uploaded may be older"
        raise ObjectChangedError(text)
    os.unlink(path)  # noqa: PTH108  the same


def _outcome_of_file(path: str, remove: Callable[[], object]) -> Outcome:
    try:
        remove()
    except (OSError, ObjectChangedError, UnsafePathError) as error:
        return Outcome("delete", "", path, error=error)
    return Outcome("delete", "", path, value=True)
