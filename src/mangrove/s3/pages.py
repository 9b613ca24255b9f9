"""Read one page of a listing: fast where its XML is as servers write it, by botocore's parser where it is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

from mangrove.s3.engines.base import Reply
from mangrove.s3.listed import Facts, Listed, Prefix, Version, made, unescaped

__all__ = ["Listed", "Page", "Prefix", "Version", "page_of"]


_OPEN, _CLOSE = "<Contents>", "</Contents>"
_NEEDED = frozenset(("Key", "Size", "LastModified"))
_NAME = re.compile(r"<(\w+)>")
# The text of an element as nearly all servers write it; and as any may: entities of XML are looked at one by one then.
_USUAL = {"Size": "[0-9]{1,18}", "ETag": r"(?:&quot;)?[^<&\r]*(?:&quot;)?"}
_ANY = {"Size": "[0-9]{1,18}"}
# What a listing may say of some objects and not of others.
_EXTRA = re.compile(r"<(Owner|ChecksumAlgorithm|ChecksumType|RestoreStatus)>.*?</\1>", re.DOTALL)
_OTHER_ENCODING = re.compile(r"\A<\?xml[^>]*encoding=(?![\"']utf-8[\"'])[^>]*\?>", re.IGNORECASE)
_NO_COLUMNS: tuple[Sequence[str], Sequence[str]] = ((), ())


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


class _Run(Sequence[Listed]):
    """Be the objects of a page, each made when it is looked at: what is dropped at once is never many."""

    __slots__ = ("_facts", "_keys")

    def __init__(self, keys: Sequence[str], facts: Sequence[str]) -> None:
        self._keys, self._facts = keys, facts

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Listed]:
        return map(made, self._keys, self._facts)

    def __getitem__(self, place: Any) -> Any:
        keys: Any = self._keys[place]
        facts: Any = self._facts[place]
        return list(map(made, keys, facts)) if isinstance(place, slice) else made(keys, facts)


def _of_document(document: bytes) -> Page | None:
    """Return the page in a document, or None if it is in any way unusual.

    The run of objects is cut out and read by a pattern that has to fit all of it; what is around it is little, and is
    read by a real parser.
    """
    try:
        text = document.decode()
    except UnicodeDecodeError:
        return None
    start, stop = text.find(_OPEN), text.rfind(_CLOSE) + len(_CLOSE)
    columns = _columns(text[start:stop]) if 0 <= start < stop else _NO_COLUMNS
    if columns is None:
        return None
    around = text[:start] + text[stop:] if columns is not _NO_COLUMNS else text
    if _is_strange(around) or _OTHER_ENCODING.match(around):
        return None
    try:
        root = ET.fromstring(around)  # noqa: S314  a server of the user's
    except ET.ParseError:
        return None
    return _of_parts(root, *columns)


def _is_strange(text: str) -> bool:
    """Return whether there is what patterns don't see through."""
    # Comments, CDATA and what declares entities begin so; a parser would change carriage returns.
    return "<!" in text or "\r" in text


def _of_parts(root: ET.Element, keys: Sequence[str], facts: Sequence[str]) -> Page | None:
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
    following = {wire: around[name] for name, wire in _FOLLOWING.items() if around.get(name)}
    items = _merged(_Run(_decoded(keys, encoded=encoded), facts), _decoded(prefixes, encoded=encoded))
    return Page(items, around["IsTruncated"] == "true", following)


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _columns(run: str) -> tuple[Sequence[str], Sequence[str]] | None:
    """Return the keys of the objects, and the XML of each; None unless a pattern fits the whole run.

    The order of the elements differs between servers, and is taken from the first object.
    """
    found = _split(run, usual=True)
    if found is not None:
        return found
    if _is_strange(run):
        return None
    found = _split(_EXTRA.sub("", run), usual=False)
    try:
        return found and (_texts(found[0]), [_checked(each) for each in found[1]])
    except ValueError:
        return None


def _split(run: str, *, usual: bool) -> tuple[Sequence[str], Sequence[str]] | None:
    names = tuple(_NAME.findall(run[: run.find(_CLOSE)], len(_OPEN)))
    if not _NEEDED.issubset(names) or len(set(names)) != len(names):
        return None
    found = _pattern(names, usual).split(run)
    # What is between two that fit, the whole of each, its key.
    return None if any(found[::3]) else (found[2::3], found[1::3])


@lru_cache(maxsize=64)
def _pattern(names: tuple[str, ...], usual: bool) -> re.Pattern[str]:  # noqa: FBT001  a key of the cache
    texts, other = (_USUAL, r"[^<&\r]*") if usual else (_ANY, "[^<]*")
    parts = {name: f"<{name}>{texts.get(name, other)}</{name}>" for name in names}
    parts["Key"] = f"<Key>({other})</Key>"
    return re.compile(f"{_OPEN}({''.join(parts.values())}){_CLOSE}")


def _checked(facts: str) -> str:
    """Return the XML of an object if its entities are some.

    Raises:
        ValueError: one is none that XML has defined.
    """
    if "&" in facts:
        unescaped(facts)
    return facts


def _texts(texts: Sequence[str]) -> Sequence[str]:
    """Return texts without the escapes of XML.

    Raises:
        ValueError: one has an entity that XML has not defined.
    """
    # One search over all of them costs less than one in each.
    if "&" not in "".join(texts):
        return texts
    return [unescaped(text) if "&" in text else text for text in texts]


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


def _facts_of(entry: Mapping[str, Any]) -> Facts:
    return entry.get("Size", 0), entry.get("ETag"), entry.get("LastModified", ""), entry.get("StorageClass")


def _objects(entries: Iterable[Mapping[str, Any]], *, encoded: bool) -> Iterator[Listed]:
    for entry in entries:
        yield made(_decoded([entry["Key"]], encoded=encoded)[0], _facts_of(entry))


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
