"""Say whether bytes are the same on both sides without moving them: by entity tags, and by checksums that S3 holds."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from mangrove.s3.rules.checksums import Checksum
from mangrove.s3.rules.integrity import Stored, stored
from mangrove.s3.running.performing import Performer
from mangrove.s3.trees.changes import Entry, by_size

__all__ = ["by_checksum_of_file", "by_checksum_of_objects"]

_MD5 = re.compile(r'\A"?([0-9a-f]{32})(?:-([0-9]{1,5}))?"?\Z')
_BLOCK = 1 << 20

# Returns the parameters of a HeadObject for a path.
Asking = Callable[[str], dict[str, Any]]


def by_checksum_of_file(
    performer: Performer, file_of: Callable[[str], str], asking: Asking, *, is_upload: bool
) -> Callable[[Entry, Entry], str]:
    """Return the comparison of a file with an object, by their bytes' checksums.

    Equal MD5s are those of equal bytes; where the entity tag is none, or that of encrypted bytes, S3 is asked for the
    object's checksum. What can't be compared is taken for different.

    Args:
        performer: makes the calls.
        file_of: returns the file of a path.
        asking: returns the parameters of a HeadObject for a path.
        is_upload: whether the file is the source.
    """

    def differs(source: Entry, target: Entry) -> str:
        if by_size(source, target):
            return "size"
        found, path = (target if is_upload else source), file_of(source.path)
        return "" if _is_same_file(performer, path, found, asking(source.path)) else "checksum"

    return differs


def by_checksum_of_objects(
    performer: Performer, asking_source: Asking, asking_target: Asking
) -> Callable[[Entry, Entry], str]:
    """Return the comparison of two objects: by their entity tags, else by the checksums that S3 holds of them.

    Args:
        performer: makes the calls.
        asking_source: returns the parameters of a HeadObject for a path of the source.
        asking_target: the same for the target.
    """

    def differs(source: Entry, target: Entry) -> str:
        if by_size(source, target):
            return "size"
        if source.etag is not None and source.etag == target.etag and _MD5.match(source.etag):
            return ""
        ours, theirs = (
            stored(performer.call("HeadObject", {**asking(source.path), "ChecksumMode": "ENABLED"}).data)
            for asking in (asking_source, asking_target)
        )
        return "" if ours is not None and ours == theirs else "checksum"

    return differs


def _is_same_file(performer: Performer, path: str, found: Entry, params: dict[str, Any]) -> bool:
    tag = _MD5.match(found.etag or "")
    if tag is not None and tag[2] is None and _md5(path) == tag[1]:
        return True
    held = stored(performer.call("HeadObject", {**params, "ChecksumMode": "ENABLED"}).data)
    if held is not None and held.parts is None:
        return _checksum(path, held) == held.value
    if tag is None or tag[2] is None:
        return False
    # The parts are as long as the first, or the tag is not found again.
    size = performer.call("HeadObject", {**params, "PartNumber": 1}).get("ContentLength")
    return bool(size) and f"{_md5_of_parts(path, size)}-{-(-found.size // size)}" == f"{tag[1]}-{tag[2]}"


def _md5(path: str) -> str:
    found = hashlib.md5(usedforsecurity=False)
    for block in _blocks(path):
        found.update(block)
    return found.hexdigest()


def _md5_of_parts(path: str, size: int) -> str:
    """Return the MD5 of the MD5s of a file's parts."""
    parts: list[Any] = []
    left = 0
    for block in _blocks(path):
        view = memoryview(block)
        while view.nbytes:
            if not left:
                parts.append(hashlib.md5(usedforsecurity=False))
                left = size
            parts[-1].update(view[:left])
            count = min(left, view.nbytes)
            view, left = view[count:], left - count
    return hashlib.md5(b"".join(each.digest() for each in parts), usedforsecurity=False).hexdigest()


def _checksum(path: str, held: Stored) -> str:
    found = Checksum(held.algorithm)
    for block in _blocks(path):
        found.update(block)
    return found.value


def _blocks(path: str) -> Iterator[bytes]:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            yield block
