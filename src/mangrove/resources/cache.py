"""Keep derived resources on disk between processes: private files, for one botocore and one mangrove."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import botocore

from mangrove._atomic import read_private, write_private
from mangrove._version import __version__

__all__ = ["DiskCache", "foreign_paths", "is_off", "stamp"]

_HERE = Path(__file__).parent
# What is kept for other versions of botocore: old environments of the same user may still be in use.
_MOST_VERSIONS = 4
_STAMP = re.compile(r"\A[0-9a-f]{32}\Z")
_SERVICE = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


def is_off() -> bool:
    """Say whether the variable MANGROVE_CACHE turns the cache off."""
    return os.environ.get("MANGROVE_CACHE", "").lower() in {"off", "0", "no", "false"}


def stamp(search_paths: Iterable[str], extras_types: Iterable[str]) -> str:
    """Return what tells one derivation's outcome from another's, 32 hexadecimal digits.

    It changes with botocore, boto3, mangrove with its data and its rules of derivation, and with whatever is changed in
    a folder of models that is not botocore's or boto3's.

    Args:
        search_paths: where a loader looks for models.
        extras_types: the kinds of extra files that it merges.
    """
    paths = list(search_paths)
    facts: list[Any] = [__version__, boto3.__version__, botocore.__version__, sys.version_info[:2], paths]
    facts += [list(extras_types), list(_stats(_HERE))]
    facts += [list(_stats(Path(path))) for path in foreign_paths(paths)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def foreign_paths(search_paths: Iterable[str]) -> list[str]:
    """List the folders of models that are neither botocore's nor boto3's.

    Args:
        search_paths: where a loader looks for models.
    """
    own = [Path(str(each.__file__)).parent for each in (botocore, boto3)]
    return [path for path in search_paths if not any(Path(path).is_relative_to(each) for each in own)]


def _stats(folder: Path) -> Iterator[tuple[str, int, int]]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            with contextlib.suppress(OSError):
                found = os.stat(os.path.join(place, name))  # noqa: PTH116, PTH118  hundreds of them
                yield f"{place}/{name}", found.st_size, found.st_mtime_ns


def _root() -> Path | None:
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mangrove" / "resources"
    except RuntimeError:  # no home directory
        return None


class DiskCache:
    """Keep one JSON document a service, in `~/.cache/mangrove/resources` or the same below XDG_CACHE_HOME.

    Files are 0600, folders 0700. Writers replace a file in one step, so that two of them do no harm; a file that is
    damaged, somebody else's or a link is a miss; a folder that can't be written is no error.

    Args:
        stamp: which derivation it is for; None keeps nothing.
    """

    def __init__(self, stamp: str | None) -> None:
        root = None if stamp is None or is_off() else _root()
        self._folder = root / stamp if root and stamp else None

    def get(self, service: str) -> Mapping[str, Any] | None:
        """Return what is kept of a service, or None."""
        path = self._path(service)
        data = read_private(path) if path else None
        try:
            found = json.loads(data) if data else None
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def put(self, service: str, document: Mapping[str, Any]) -> None:
        """Keep a service's document, if that can be."""
        path = self._path(service)
        if path is None:
            return
        with contextlib.suppress(OSError):
            new = not path.parent.is_dir()
            write_private(path, json.dumps(document, separators=(",", ":")).encode())
            if new:
                _sweep(path.parent.parent)

    def _path(self, service: str) -> Path | None:
        # A name that leads out of the folder is no service's.
        return self._folder / f"{service}.json" if self._folder and _SERVICE.match(service) else None


def _sweep(root: Path) -> None:
    """Remove what is kept for versions that were not used for the longest time."""
    kept = [each for each in root.iterdir() if _STAMP.match(each.name) and each.is_dir() and not each.is_symlink()]
    for old in sorted(kept, key=lambda each: each.stat().st_mtime)[:-_MOST_VERSIONS]:
        shutil.rmtree(old, ignore_errors=True)
