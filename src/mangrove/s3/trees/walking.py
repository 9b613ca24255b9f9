"""Walk a folder in the order that S3 lists keys in, one folder's names in memory at a time, by a rule for links."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from mangrove.errors import ConfigError, TransferError, UnsafePathError
from mangrove.s3.rules.names import shown
from mangrove.s3.rules.paths import is_temporary
from mangrove.s3.trees.changes import Entry

__all__ = ["SYMLINKS", "Symlinks", "walk"]

Symlinks = Literal["follow", "skip", "error"]
SYMLINKS = ("follow", "skip", "error")
# Windows: a junction is no link to `lstat`.
_REPARSE_POINT = 0x400

_Ancestors = tuple[tuple[int, int], ...]


def walk(root: str | os.PathLike[str], symlinks: Symlinks | Literal["keep"] = "follow") -> Iterator[Entry]:
    """Yield the files below a folder, in the order of the UTF-8 bytes of their paths.

    What can't be read, or is no file, comes as an entry with an error. Our own unfinished files are left out.

    Args:
        root: the folder.
        symlinks: "follow" takes what a link leads to, but never a folder that it is in; "skip" leaves links out;
            "error" makes each an entry with an error; "keep" takes each for a file that is like no other.

    Raises:
        OSError: there is no such folder, or it can't be read.
        ConfigError: there is no such rule.
    """
    if symlinks not in (*SYMLINKS, "keep"):
        text = f"symlinks is one of {', '.join(SYMLINKS)}; got {symlinks!r}"
        raise ConfigError(text)
    top = Path(root)
    found = top.stat()
    if not stat.S_ISDIR(found.st_mode):
        text = f"{str(top)!r} is no folder"
        raise NotADirectoryError(text)
    return _walk(str(top), "", symlinks, ((found.st_dev, found.st_ino),))


def _walk(folder: str, below: str, symlinks: str, above: _Ancestors) -> Iterator[Entry]:
    try:
        with os.scandir(folder) as found:
            names = sorted(_Name(each, symlinks) for each in found if not is_temporary(each.name))
    except OSError as error:
        yield Entry(below.rstrip("/"), error=error)
        return
    for name in names:
        path = below + name.text
        if _is_no_text(name.text):
            yield Entry(path, error=_refusal(name.entry.path, "its name is no UTF-8, and keys are"))
        elif not name.is_folder:
            entry = _entry(name.entry, path, symlinks)
            if entry is not None:
                yield entry
        else:
            yield from _below(name.entry, path, symlinks, above)


def _below(entry: os.DirEntry[str], path: str, symlinks: str, above: _Ancestors) -> Iterator[Entry]:
    try:
        found = entry.stat()
    except OSError as error:
        yield Entry(path, error=error)
        return
    this = found.st_dev, os.stat(entry.path).st_ino if os.name == "nt" else found.st_ino  # noqa: PTH116  a hot path
    if this in above:
        yield Entry(path, error=_refusal(entry.path, "it is a link to a folder that it is in"))
        return
    yield from _walk(entry.path, f"{path}/", symlinks, (*above, this))


class _Name:
    """Be a name in a folder, which sorts as the paths do that begin with it."""

    __slots__ = ("entry", "is_folder", "sorting", "text")

    def __init__(self, entry: os.DirEntry[str], symlinks: str) -> None:
        self.entry, self.text = entry, entry.name
        try:
            self.is_folder = entry.is_dir() and (symlinks == "follow" or not _is_link(entry))
        except OSError:
            self.is_folder = False  # a link in a circle of links
        self.sorting = f"{self.text}/" if self.is_folder else self.text

    def __lt__(self, other: _Name) -> bool:
        return self.sorting < other.sorting


def _is_no_text(name: str) -> bool:
    # What the system's encoding could not decode is a surrogate.
    return not name.isascii() and any("\ud800" <= char <= "\udfff" for char in name)


def _is_link(entry: os.DirEntry[str]) -> bool:
    if entry.is_symlink():
        return True
    if os.name != "nt":
        return False
    return bool(getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0) & _REPARSE_POINT)


def _entry(entry: os.DirEntry[str], path: str, symlinks: str) -> Entry | None:
    """Return the entry of what is no folder; None for a link that is left out."""
    try:
        if symlinks != "follow" and _is_link(entry):
            return _entry_of_link(entry, path, symlinks)
        found = entry.stat()
    except OSError as error:
        return Entry(path, error=error)
    if not stat.S_ISREG(found.st_mode):
        return Entry(path, error=_refusal(entry.path, "it is no regular file, but a pipe, a socket or a device"))
    return Entry(path, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _entry_of_link(entry: os.DirEntry[str], path: str, symlinks: str) -> Entry | None:
    if symlinks == "skip":
        return None
    if symlinks == "keep":
        return Entry(path, -1)
    return Entry(path, error=UnsafePathError(f"{shown(entry.path)} is a link, and symlinks='error' takes none"))


def _refusal(path: str, fault: str) -> TransferError:
    return TransferError(f"{shown(path)} can't be uploaded: {fault}")
