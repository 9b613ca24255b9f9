"""Check what becomes a header of a request: metadata, tags and other texts that must not become two headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = ["check_text", "metadata", "tagging"]

_MOST_METADATA = 2048  # bytes of all keys and values
_MOST_TAGS, _LONGEST_TAG_KEY, _LONGEST_TAG_VALUE = 10, 128, 256
_TOKEN = re.compile(r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_TEXT = re.compile(r"\A(?:[!-~](?:[ -~]*[!-~])?)?\Z")


def check_text(name: str, value: str) -> None:
    """Refuse a text that can't be the value of a header.

    Args:
        name: what it is the value of, for the message; the value itself may be a secret and is not shown.
        value: the text.

    Raises:
        ConfigError: it has a line end or another control character, one that is not ASCII, or a space at an end.
    """
    if _TEXT.match(value):
        return
    bad = next((char for char in value if not " " <= char <= "~"), None)
    if bad is None:
        fault = "begins or ends with a space, which HTTP would drop"
    elif bad.isascii():
        fault = f"has the control character U+{ord(bad):04X}, which no header can have"
    else:
        fault = f"has U+{ord(bad):04X}, and S3 takes US-ASCII there: encode it, such as with urllib.parse.quote"
    text = f"{name} {fault}"
    raise ConfigError(text)


def metadata(given: object) -> dict[str, str]:
    """Return user metadata as S3 keeps it: names in lower case.

    Raises:
        DeclarationTypeError: it is no mapping of strings.
        ConfigError: a name or a value can't be a header, or they are too many bytes.

    Source: "User-defined object metadata" of "Working with object metadata" in the Amazon S3 user guide.

    Example:
        >>> metadata({"Owner": "ops"})
        {'owner': 'ops'}
    """
    found: dict[str, str] = {}
    for name, value in _strings("metadata", given):
        low = name.lower()
        if not _TOKEN.match(name):
            text = f"a name of metadata has letters, digits and hyphens, such as 'owner'; got {name[:80]!r}"
            raise ConfigError(text)
        if found.get(low, value) != value:
            text = f"metadata has {low!r} twice, in different capitals; S3 keeps names in lower case"
            raise ConfigError(text)
        check_text(f"the metadata {low!r}", value)
        found[low] = value
    size = sum(len(name) + len(value) for name, value in found.items())
    if size > _MOST_METADATA:
        text = f"the metadata has {size} bytes; S3 takes {_MOST_METADATA}: keep the rest in an object or a database"
        raise ConfigError(text)
    return found


def tagging(given: object) -> str:
    """Return tags as the `Tagging` of the API.

    Raises:
        DeclarationTypeError: they are no mapping of strings.
        ConfigError: there are too many, or one is too long.

    Source: "Categorizing your objects using tags" in the Amazon S3 user guide.

    Example:
        >>> tagging({"team": "a&b", "cost centre": ""})
        'team=a%26b&cost%20centre='
    """
    pairs = _strings("tags", given)
    if len(pairs) > _MOST_TAGS:
        text = f"there are {len(pairs)} tags; S3 takes {_MOST_TAGS} of an object"
        raise ConfigError(text)
    for key, value in pairs:
        if not 1 <= len(key) <= _LONGEST_TAG_KEY or len(value) > _LONGEST_TAG_VALUE:
            text = (
                f"a tag has a key of 1 to {_LONGEST_TAG_KEY} characters and a value of up to {_LONGEST_TAG_VALUE};"
                f" got {key[:80]!r} ({len(key)}) with {len(value)} characters"
            )
            raise ConfigError(text)
        if key.lower().startswith("aws:"):
            text = f"keys of tags that begin with 'aws:' are AWS's own; got {key!r}"
            raise ConfigError(text)
    try:
        return "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs)
    except UnicodeEncodeError:
        text = "a tag has a lone surrogate, which UTF-8 can't hold"
        raise ConfigError(text) from None


def _strings(what: str, given: object) -> list[tuple[str, str]]:
    if not isinstance(given, Mapping):
        text = f"{what} is a mapping of strings, such as {{'owner': 'ops'}}; got {type(given).__name__}"
        raise DeclarationTypeError(text)
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, str):
            text = f"{what} is a mapping of strings; {name!r} has {type(value).__name__}: write it as a string"
            raise DeclarationTypeError(text)
    return list(given.items())
