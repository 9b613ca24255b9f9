"""Remember uploads under way, so that the next process goes on where a killed one ended, and a sweep finds the rest."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mangrove._atomic import read_private, write_private

fcntl: Any
try:
    import fcntl
except ImportError:  # pragma: no cover  Windows
    fcntl = None

__all__ = ["Entry", "Journal", "Record"]

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """Be what is remembered of an upload.

    Attributes:
        bucket: its bucket.
        key: its key.
        upload_id: S3's name for it.
        part_size: bytes of its parts.
        algorithm: of its checksums.
        kind: "FULL_OBJECT" or "COMPOSITE".
        where: the endpoint, as far as it is known.
        begun: when it began, in seconds since 1970.
    """

    bucket: str
    key: str
    upload_id: str
    part_size: int
    algorithm: str
    kind: str
    where: str = ""
    begun: float = 0.0


def _read(path: Path) -> Entry | None:
    """Read an entry; what is damaged, or somebody else could have written, is none."""
    try:
        raw = read_private(path)
        found = Entry(**json.loads(raw)) if raw else None
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    if found is None:
        return None
    texts = (found.bucket, found.key, found.upload_id, found.algorithm, found.kind, found.where)
    sound = all(isinstance(text, str) for text in texts) and type(found.part_size) is int and found.part_size > 0
    return found if sound and isinstance(found.begun, (int, float)) else None


class Record:
    """Be the place of one upload in the journal, for whoever has its lock.

    Attributes:
        entry: what an earlier process has left, or None.
        held: whether the place is ours; else nothing is remembered.
    """

    def __init__(self, path: Path, *, held: bool) -> None:
        self._path, self.held = path, held
        self.entry = _read(path) if held else None

    def keep(self, entry: Entry) -> None:
        """Remember an upload; where there is no place for that, it is not remembered."""
        if self.held:
            try:
                write_private(self._path, json.dumps(asdict(entry)).encode())
            except OSError:
                self.held = False

    def forget(self) -> None:
        """Forget it: it is complete, or gone."""
        if self.held:
            self._path.unlink(missing_ok=True)


class Journal:
    """Keep a file for each upload under way, readable by its owner alone.

    Args:
        folder: where they are; None for `~/.cache/mangrove/uploads`, or the same below XDG_CACHE_HOME; an empty one
            for no journal.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._folder = None if folder == "" else Path(folder) if folder else _usual()

    @contextlib.contextmanager
    def record(self, *facts: Any) -> Iterator[Record]:
        """Open the place of an upload; it is ours alone until the context ends, and others do without.

        Args:
            *facts: what makes it this upload: endpoint, bucket, key, the file's identity, options.
        """
        if self._folder is None:
            yield Record(Path(), held=False)
            return
        name = hashlib.sha256(json.dumps(facts, default=str, sort_keys=True).encode()).hexdigest()
        path = self._folder / f"{name}.json"
        with _locked(path) as held:
            yield Record(path, held=held)

    def entries(self) -> Iterator[tuple[Entry, Record]]:
        """Yield what is remembered and what no process is at work on; each is ours until the next."""
        paths = sorted(self._folder.glob("*.json")) if self._folder is not None else []
        for path in paths:
            with _locked(path) as held:
                record = Record(path, held=held)
                if record.entry is not None:
                    yield record.entry, record


def _usual() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path("~/.cache").expanduser()) / "mangrove" / "uploads"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold the lock beside a file, without waiting; the value says whether it was got. It ends with its process."""
    lock = path.with_suffix(".lock")
    try:
        if not lock.parent.is_dir():
            lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, _FLAGS, 0o600)
    except OSError:  # no home, or one that is read-only
        yield False
        return
    try:
        held = _take(descriptor, lock)
        try:
            yield held
        finally:
            # Windows removes no file that is open; the next one takes the lock of the same file then.
            with contextlib.suppress(PermissionError):
                if held:
                    lock.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _take(descriptor: int, lock: Path) -> bool:
    """Lock it, unless another has it, or has removed it meanwhile."""
    if fcntl is None:  # pragma: no cover  Windows
        try:
            import msvcrt  # noqa: PLC0415

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # pyright: ignore[reportAttributeAccessIssue]
        except (ImportError, OSError):
            return False
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(descriptor).st_ino == lock.stat().st_ino
    except OSError:
        return False
