"""Be the entries of a listing: keys with what is said of them, versions, common prefixes; each a string."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

__all__ = ["Facts", "Listed", "Prefix", "Version", "made", "unescaped"]

# Size, entity tag, time of the last change, storage class; or the XML that has them, which few ever ask for.
Facts = tuple[int, str | None, str | datetime, str | None] | str

_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_ENTITY = re.compile(r"&(?:(?:lt|gt|quot|apos|amp);|#x([0-9A-Fa-f]{1,6});|#([0-9]{1,7});)?")


class Listed(str):
    """Be the key of an object, with what a listing says of it beside.

    It is a `str` wherever one is wanted: equal to the key, the same in a dict, and what `download` and `delete` take.

    Example:
        >>> from mangrove import s3
        >>> connection = s3.Connection.in_memory()
        >>> connection.create_bucket("logs")
        >>> outcome = connection.upload("logs", "a/b", "howdy")
        >>> for key in connection.list("logs", prefix="a/"):
        ...     print(key, key.size, key.storage_class)
        a/b 5 STANDARD
    """

    __slots__ = ("_facts",)
    _facts: Facts

    @property
    def key(self) -> str:
        """Return the key alone."""
        return str(self)

    @property
    def size(self) -> int:
        """Return the bytes of the object."""
        facts = self._facts
        return int(_of(facts, "Size") or "0") if isinstance(facts, str) else facts[0]

    @property
    def etag(self) -> str | None:
        """Return its entity tag, with its quotes."""
        facts = self._facts
        return _of(facts, "ETag") if isinstance(facts, str) else facts[1]

    @property
    def last_modified(self) -> datetime:
        """Return when it was written, with its time zone."""
        facts = self._facts
        return _moment(_of(facts, "LastModified") or "" if isinstance(facts, str) else facts[2])

    @property
    def storage_class(self) -> str | None:
        """Return its storage class; None where the server names none."""
        facts = self._facts
        return _of(facts, "StorageClass") if isinstance(facts, str) else facts[3]

    @property
    def version_id(self) -> str | None:
        """Return the version; None unless versions were asked for."""
        return None

    @property
    def is_latest(self) -> bool:
        """Return whether it is what one gets without naming a version."""
        return True

    @property
    def is_delete_marker(self) -> bool:
        """Return whether it says that the object was deleted, and holds nothing."""
        return False


class Version(Listed):
    """Be a version of an object, or a delete marker, as a listing of versions has it."""

    __slots__ = ("_version",)
    _version: tuple[str | None, bool, bool]

    @property
    def version_id(self) -> str | None:
        """Return the version; "null" for what was written without versions."""
        return self._version[0]

    @property
    def is_latest(self) -> bool:
        """Return whether it is what one gets without naming a version."""
        return self._version[1]

    @property
    def is_delete_marker(self) -> bool:
        """Return whether it says that the object was deleted, and holds nothing."""
        return self._version[2]


class Prefix(str):
    """Be what keys have in common up to the delimiter: one entry of a listing for all of them."""

    __slots__ = ()


def made(key: str, facts: Any) -> Listed:
    """Return an entry.

    Args:
        key: its key.
        facts: what the listing says of it.
    """
    item = str.__new__(Listed, key)
    item._facts = facts  # noqa: SLF001  a key and what makes it are one thing
    return item


def unescaped(text: str) -> str:
    """Return a text without the escapes of XML.

    Raises:
        ValueError: it has an entity that XML has not defined.
    """
    if text[:6] == "&quot;" == text[-6:] and text.count("&") == 2:  # noqa: PLR2004  an entity tag
        return f'"{text[6:-6]}"'
    return _ENTITY.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    known = _ENTITIES.get(match[0])
    if known is not None:
        return known
    number = int(match[1], 16) if match[1] else int(match[2] or "x")
    return chr(number)


def _of(facts: str, name: str) -> str | None:
    """Return the text of an element in the XML of an object."""
    mark = f"<{name}>"
    start = facts.find(mark)
    if start < 0:
        return None
    start += len(mark)
    text = facts[start : facts.find("<", start)]
    return unescaped(text) if "&" in text else text


def _moment(text: str | datetime) -> datetime:
    if isinstance(text, datetime):
        return text
    from botocore.utils import parse_timestamp  # noqa: PLC0415  only where somebody asks

    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        parsed: datetime = parse_timestamp(text)
        return parsed
