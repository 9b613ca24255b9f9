"""Turn keys into paths that stay below their target, whatever the keys are, and paths into keys."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from pathlib import PurePath
from typing import Literal

from mangrove.errors import UnsafePathError
from mangrove.s3.rules.names import check_key, shown

__all__ = ["SYSTEM", "Claims", "Rules", "is_marker", "is_temporary", "key_of", "segments", "temporary_name"]

Rules = Literal["posix", "windows"]
SYSTEM: Rules = "windows" if os.name == "nt" else "posix"
# The names of our unfinished files; `s3 sweep` removes what a killed process left of them.
_TEMPORARY = re.compile(r"\A\.mangrove-[0-9a-f]{16}\.part\Z", re.IGNORECASE)

_LONGEST = 255  # bytes of a segment on POSIX, UTF-16 units on Windows
_DOTS = frozenset({"", ".", ".."})
# By far most keys: printable ASCII, no segment that is empty or only one or two dots, none that is ours.
_PLAIN = re.compile(r"\A(?!\.{1,2}(?:/|\Z)|\.[mM])[ -.0-~]{1,255}(?:/(?!\.{1,2}(?:/|\Z)|\.[mM])[ -.0-~]{1,255})*\Z")
# C0 and C1 controls, what changes the direction of the text around it, and separators of lines.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\\]')
# Also with an ending (`NUL.txt`), with spaces before it, and with superscript digits.
_DEVICE = re.compile(
    r"\A(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|CLOCK\$|(?:COM|LPT)[0-9\u00b9\u00b2\u00b3])[ .]*(?:[.:].*)?\Z",
    re.IGNORECASE | re.DOTALL,
)


def segments(key: str, rules: Rules = SYSTEM) -> tuple[str, ...]:
    """Return the names of the folders and of the file that a key becomes, below whatever target.

    Args:
        key: of an object, or what follows a prefix of it. Slashes divide it; nothing is decoded or normalised.
        rules: of which system; those of Windows refuse what those of POSIX refuse, but for the length of a name.

    Raises:
        UnsafePathError: it would leave the target, name a device or a stream, deceive who reads it, or fit nowhere.

    Source: "Naming Files, Paths, and Namespaces" of Microsoft's Win32 documentation; path resolution in POSIX.1-2017.

    Example:
        >>> segments("2026/11/22.gz")
        ('2026', '11', '22.gz')
        >>> segments("a/../../etc/passwd")
        Traceback (most recent call last):
        ...
        mangrove.errors.UnsafePathError: the key 'a/../../etc/passwd' makes no safe path: its segment '..' would lead
        elsewhere; download it alone, to a path of your choice
    """
    if rules == "posix" and _PLAIN.match(key):
        return tuple(key.split("/"))
    found = tuple(key.split("/"))
    for segment in found:
        fault = _fault(segment, rules)
        if fault is not None:
            text = f"the key {shown(key)} makes no safe path: {fault}; download it alone, to a path of your choice"
            raise UnsafePathError(text)
    return found


def _fault(segment: str, rules: Rules) -> str | None:
    if segment in _DOTS:
        return (
            f"its segment {segment!r} would lead elsewhere" if segment else "it has an empty segment, a slash too many"
        )
    unseen = _UNSEEN.search(segment)
    if unseen:
        return f"it has U+{ord(unseen[0]):04X}, a control character"
    if is_temporary(segment):
        return f"its segment {shown(segment)} is the name of an unfinished file of ours, which a sweep removes"
    try:
        size = len(segment.encode())
    except UnicodeEncodeError:
        return "it has a lone surrogate, which no file system stores"
    return _fault_on_windows(segment) if rules == "windows" else _fault_of_size(size, "bytes")


def _fault_of_size(size: int, unit: str) -> str | None:
    return f"one of its segments has {size} {unit}, and file systems take {_LONGEST}" if size > _LONGEST else None


def _fault_on_windows(segment: str) -> str | None:
    bad = _NOT_ON_WINDOWS.search(segment)
    if bad:
        return f"it has {bad[0]!r}, which on Windows makes a drive, a stream, another folder or no name"
    if segment[-1] in ". ":
        return f"its segment {shown(segment)} ends with a dot or a space, which Windows drops"
    if _DEVICE.match(segment):
        return f"its segment {shown(segment)} is a device of Windows"
    return _fault_of_size(len(segment.encode("utf-16-le")) // 2, "UTF-16 units")


def is_marker(key: str) -> bool:
    """Return whether an object only marks a folder, as the console of S3 makes them: nothing to download.

    Example:
        >>> is_marker("a/b/"), is_marker("a/b")
        (True, False)
    """
    return key.endswith("/")


def temporary_name(token: str) -> str:
    """Return the name of an unfinished file.

    Args:
        token: sixteen hexadecimal digits that nothing else has.

    Raises:
        ValueError: it is something else, and a sweep would not know the name again.

    Example:
        >>> temporary_name("0123456789abcdef")
        '.mangrove-0123456789abcdef.part'
    """
    name = f".mangrove-{token}.part"
    if not is_temporary(name):
        text = f"a token is sixteen hexadecimal digits; got {shown(token)}"
        raise ValueError(text)
    return name


def is_temporary(name: str) -> bool:
    """Return whether a file's name is that of one of our unfinished files, in any capitals."""
    return _TEMPORARY.match(name) is not None


def key_of(path: PurePath | str, prefix: str = "") -> str:
    """Return the key of a file by its path below the source of an upload.

    Args:
        path: relative; its segments are divided by slashes in the key.
        prefix: what the key begins with, such as "logs/".

    Raises:
        UnsafePathError: the path is absolute or leads upwards.
        ConfigError: the key is too long, or the name is no UTF-8.

    Example:
        >>> key_of(PurePath("2026", "11.gz"), "logs/")
        'logs/2026/11.gz'
    """
    pure = PurePath(path)
    if pure.is_absolute() or pure.anchor or ".." in pure.parts:
        text = f"the path {shown(str(path))} is not below the folder that is uploaded"
        raise UnsafePathError(text)
    key = prefix + "/".join(pure.parts)
    check_key(key)
    return key


class Claims:
    """Be the paths that downloads have taken, so that no two keys become one file.

    Args:
        fold: whether the file system takes names as one that differ in capitals or in how accents are composed; None
            means what is usual on this system.

    Example:
        >>> claims = Claims(fold=True)
        >>> claims.add("a/README")
        >>> claims.add("a/readme")
        Traceback (most recent call last):
        ...
        mangrove.errors.UnsafePathError: the key 'a/readme' would overwrite the file of 'a/README': their names differ
        only in capitals or in accents; download one of them to another folder
    """

    def __init__(self, *, fold: bool | None = None) -> None:
        self._fold = sys.platform in {"win32", "darwin", "cygwin"} if fold is None else fold
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, key: str) -> bool:
        return self._files.get(self._folded(key)) == key

    def add(self, key: str) -> None:
        """Take the path of a key; to take the same key's again is no fault.

        Args:
            key: as for `segments`, which has found nothing wrong with it.

        Raises:
            UnsafePathError: another key has that file, or a folder is where a file is to be, or the other way round.
        """
        path = self._folded(key)
        other = self._files.get(path)
        if other == key:
            return
        if other is not None:
            raise _collision(key, f"would overwrite the file of {shown(other)}", "their names differ only")
        if path in self._folders:
            raise _collision(key, f"is a file where {shown(self._folders[path])} needs a folder", "names may differ")
        self._add_folders(path, key)
        self._files[path] = key

    def _add_folders(self, path: str, key: str) -> None:
        new = []
        cut = path.rfind("/")
        # Upwards, as the folders of a known one are known.
        while cut > 0 and path[:cut] not in self._folders:
            folder = path[:cut]
            if folder in self._files:
                raise _collision(
                    key, f"needs a folder where {shown(self._files[folder])} is a file", "names may differ"
                )
            new.append(folder)
            cut = path.rfind("/", 0, cut)
        self._folders.update(dict.fromkeys(new, key))

    def _folded(self, key: str) -> str:
        if not self._fold:
            return key
        if key.isascii():
            return key.lower()
        # As of Unicode's caseless matching: folding may undo the composition, and the other way round.
        return unicodedata.normalize("NFC", unicodedata.normalize("NFD", key).casefold())


def _collision(key: str, what: str, how: str) -> UnsafePathError:
    text = f"the key {shown(key)} {what}: {how} in capitals or in accents; download one of them to another folder"
    return UnsafePathError(text)
