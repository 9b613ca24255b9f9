"""Read one page of a listing: fast where its XML is as servers write it, by botocore's parser where it is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

from mangrove.s3.engines.base import Reply

__all__ = ["Listed", "Page", "Prefix", "Version", "page_of"]

# Size, entity tag, time of the last change, storage class.
_Facts = tuple[int, str | None, str | datetime, str | None]

_OPEN, _CLOSE = "<Contents>", "</Contents>"
_WANTED = ("Key", "Size", "LastModified", "ETag", "StorageClass")
_NEEDED = frozenset(_WANTED[:3])
_NAME = re.compile(r"<(\w+)>")
# What a listing may say of some objects and not of others.
_EXTRA = re.compile(r"<(Owner|ChecksumAlgorithm|ChecksumType|RestoreStatus)>.*?</\1>", re.DOTALL)
_OTHER_ENCODING = re.compile(r"\A<\?xml[^>]*encoding=(?![\"']utf-8[\"'])[^>]*\?>", re.IGNORECASE)
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
    _facts: _Facts

    @property
    def key(self) -> str:
        """Return the key alone."""
        return str(self)

    @property
    def size(self) -> int:
        """Return the bytes of the object."""
        return self._facts[0]

    @property
    def etag(self) -> str | None:
        """Return its entity tag, with its quotes."""
        return self._facts[1]

    @property
    def last_modified(self) -> datetime:
        """Return when it was written, with its time zone."""
        return _moment(self._facts[2])

    @property
    def storage_class(self) -> str | None:
        """Return its storage class; None where the server names none."""
        return self._facts[3]

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


class Page(NamedTuple):
    """Be one page of a listing.

    Attributes:
        items: keys and common prefixes, merged in the order of keys.
        truncated: whether there are more pages; None if the answer does not say, and so is none.
        following: what the request for the next page says besides.
    """

    items: Sequence[Listed | Prefix]
    truncated: bool | None
    following: dict[str, str]


_FOLLOWING = {
    "NextContinuationToken": "ContinuationToken",
    "NextKeyMarker": "KeyMarker",
    "NextVersionIdMarker": "VersionIdMarker",
}
_ENCODED = frozenset({"NextKeyMarker"})


def page_of(reply: Reply) -> Page:
    """Return the page in an answer to ListObjectsV2 or ListObjectVersions.

    The names in it are decoded if the answer says that they are encoded, as they are when `EncodingType` is "url".

    Args:
        reply: the answer; its XML is read if it has one.
    """
    document: bytes = getattr(reply, "document", b"")
    page = _of_document(document) if document else None
    return _of_data(reply.data) if page is None else page


# -- the document, as servers write it ---------------------------------------------------------------------------------


def _of_document(document: bytes) -> Page | None:
    """Return the page in a document, or None if it is in any way unusual.

    The run of objects is cut out and read by a pattern that has to fit all of it; what is around it is little, and is
    read by a real parser.
    """
    try:
        text = document.decode()
    except UnicodeDecodeError:
        return None
    # Comments, CDATA and what declares entities begin so; a parser would change carriage returns.
    if "<!" in text or "\r" in text or _OTHER_ENCODING.match(text):
        return None
    start, stop = text.find(_OPEN), text.rfind(_CLOSE) + len(_CLOSE)
    columns = _columns(text[start:stop]) if 0 <= start < stop else {}
    if columns is None:
        return None
    try:
        root = ET.fromstring(text[:start] + text[stop:] if columns else text)  # noqa: S314  a server of the user's
    except ET.ParseError:
        return None
    return _of_parts(root, columns)


def _of_parts(root: ET.Element, columns: Mapping[str, Sequence[str]]) -> Page | None:
    """Return the page of its objects and of what is around them."""
    around: dict[str, str] = {}
    prefixes: list[str] = []
    for element in root:
        name = _local(element)
        if name == "CommonPrefixes":
            prefixes += [each.text or "" for each in element if _local(each) == "Prefix"]
        elif len(element):
            return None
        else:
            around[name] = element.text or ""
    if _local(root) != "ListBucketResult" or around.get("IsTruncated") not in ("true", "false"):
        return None
    encoded = around.get("EncodingType") == "url"
    try:
        keys = _listed(columns, encoded=encoded) if columns else []
    except ValueError:
        return None
    following = {wire: around[name] for name, wire in _FOLLOWING.items() if around.get(name)}
    items = _merged(keys, _decoded(prefixes, encoded=encoded))
    return Page(items, around["IsTruncated"] == "true", following)


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _columns(run: str) -> dict[str, Sequence[str]] | None:
    """Return the texts of each element of the objects, by its name; None unless a pattern fits the whole run.

    The order of the elements differs between servers, and is taken from the first object.
    """
    first = run[: run.find(_CLOSE)]
    if _EXTRA.search(run):
        first, run = _EXTRA.sub("", first), _EXTRA.sub("", run)
    names = tuple(_NAME.findall(first, len(_OPEN)))
    if not _NEEDED.issubset(names) or len(set(names)) != len(names):
        return None
    found = _pattern(names).split(run)
    width = len(names) + 1
    if any(found[::width]):
        return None
    return {name: found[place::width] for place, name in enumerate(names, 1)}


@lru_cache(maxsize=64)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(_OPEN + "".join(f"<{name}>([^<]*)</{name}>" for name in names) + _CLOSE)


def _listed(columns: Mapping[str, Sequence[str]], *, encoded: bool) -> list[Listed]:
    texts = columns["Key"]
    keys = _decoded(_unescaped(texts), encoded=encoded)
    none = repeat(None)
    facts = zip(
        map(int, columns["Size"]),
        _unescaped(columns["ETag"]) if "ETag" in columns else none,
        columns["LastModified"],
        columns.get("StorageClass", none),
        strict=False,
    )
    return list(map(_made, keys, facts))


def _made(key: str, facts: Any) -> Listed:
    item = str.__new__(Listed, key)
    item._facts = facts  # noqa: SLF001  a key and what makes it are one thing
    return item


def _unescaped(texts: Sequence[str]) -> Sequence[str]:
    """Return texts without the escapes of XML.

    Raises:
        ValueError: one has an entity that XML has not defined.
    """
    # One search over all of them costs less than one in each.
    if "&" not in "".join(texts):
        return texts
    return [_plain(text) if "&" in text else text for text in texts]


def _plain(text: str) -> str:
    if text[:6] == "&quot;" == text[-6:] and text.count("&") == 2:  # noqa: PLR2004  an entity tag
        return f'"{text[6:-6]}"'
    return _ENTITY.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    known = _ENTITIES.get(match[0])
    if known is not None:
        return known
    number = int(match[1], 16) if match[1] else int(match[2] or "x")
    return chr(number)


def _decoded(texts: Sequence[str], *, encoded: bool) -> Sequence[str]:
    if not encoded:
        return texts
    whole = "".join(texts)
    if "%" not in whole and "+" not in whole:
        return texts
    # A key that is no UTF-8 can't be asked for by us; it is still a key, and not a damaged listing.
    return [unquote_plus(text, errors="surrogateescape") if "%" in text or "+" in text else text for text in texts]


def _merged(keys: Sequence[Listed], prefixes: Sequence[str]) -> Sequence[Listed | Prefix]:
    if not prefixes:
        return keys
    return sorted([*keys, *map(Prefix, prefixes)])


# -- the answer as botocore parses it ----------------------------------------------------------------------------------


def _of_data(data: Mapping[str, Any]) -> Page:
    encoded = data.get("EncodingType") == "url"
    truncated = data.get("IsTruncated")
    following = {wire: str(data[name]) for name, wire in _FOLLOWING.items() if data.get(name)}
    if encoded and "KeyMarker" in following:
        following["KeyMarker"] = unquote_plus(following["KeyMarker"], errors="surrogateescape")
    prefixes = [each["Prefix"] for each in data.get("CommonPrefixes") or ()]
    if "Versions" in data or "DeleteMarkers" in data:
        keys: list[Listed] = list(_versions(data, encoded=encoded))
    else:
        keys = list(_objects(data.get("Contents") or (), encoded=encoded))
    return Page(_merged(keys, _decoded(prefixes, encoded=encoded)), truncated, following)


def _facts_of(entry: Mapping[str, Any]) -> _Facts:
    return entry.get("Size", 0), entry.get("ETag"), entry.get("LastModified", ""), entry.get("StorageClass")


def _objects(entries: Iterable[Mapping[str, Any]], *, encoded: bool) -> Iterator[Listed]:
    for entry in entries:
        yield _made(_decoded([entry["Key"]], encoded=encoded)[0], _facts_of(entry))


def _versions(data: Mapping[str, Any], *, encoded: bool) -> Iterator[Version]:
    """Yield versions and delete markers as one list: by key, the newest first."""
    entries = [
        *((entry, False) for entry in data.get("Versions") or ()),
        *((entry, True) for entry in data.get("DeleteMarkers") or ()),
    ]
    keys = _decoded([entry["Key"] for entry, _ in entries], encoded=encoded)
    found = []
    for key, (entry, is_marker) in zip(keys, entries, strict=True):
        item = str.__new__(Version, key)
        item._facts = _facts_of(entry)  # noqa: SLF001  a key and what makes it are one thing
        item._version = entry.get("VersionId"), bool(entry.get("IsLatest")), is_marker  # noqa: SLF001  the same
        found.append(item)
    # Sorting is stable: what S3 says to be newer stays before what it says to be older.
    found.sort(key=lambda item: item.last_modified, reverse=True)
    found.sort(key=lambda item: (item.key, not item.is_latest))
    yield from found


def _moment(text: str | datetime) -> datetime:
    if isinstance(text, datetime):
        return text
    from botocore.utils import parse_timestamp  # noqa: PLC0415  only where somebody asks

    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        parsed: datetime = parse_timestamp(text)
        return parsed
