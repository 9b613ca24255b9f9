"""Be where trees are: a folder, or the keys of a bucket that begin alike; read from paths, URLs and wildcards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.s3.pages import Listed
from mangrove.s3.rules.names import check_bucket, is_url, parse_url, shown
from mangrove.s3.rules.options import NONE, Options
from mangrove.s3.rules.paths import is_marker
from mangrove.s3.rules.patterns import Pattern, has_wildcard
from mangrove.s3.running.performing import Performer
from mangrove.s3.spreading import list_spread
from mangrove.s3.trees.changes import Entry, in_order
from mangrove.s3.trees.walking import Symlinks, walk

__all__ = ["Folder", "Keys", "Order", "Place", "nanoseconds", "place_of", "single_name"]


Order = Literal["check", "sort", "any"]


@dataclass(frozen=True, slots=True)
class Folder:
    """Be a folder of this machine.

    Args:
        path: of the folder.
        symlinks: the rule for links in it.
    """

    path: str
    symlinks: Symlinks = "follow"

    def entries(self) -> Iterator[Entry]:
        """Yield its files in the order of their paths, as a source."""
        return walk(self.path, self.symlinks)

    def entries_there(self) -> Iterator[Entry]:
        """Yield its files as a target, whose links are replaced and never followed; a missing one has none."""
        return walk(self.path, "keep") if os.path.lexists(self.path) else iter(())

    def file(self, path: str) -> str:
        """Return the name of a file in it."""
        return os.path.join(self.path, *path.split("/"))  # noqa: PTH118  one of a million

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class Keys:
    """Be the keys of a bucket that begin alike.

    Args:
        bucket: its name or ARN.
        base: what they begin with; what follows it is their path in the tree.
        prefix: what is listed, which begins with the base.
        pattern: what they have to match, or None.
    """

    bucket: str
    base: str
    prefix: str
    pattern: Pattern | None = None

    def listed(self, performer: Performer, *, threads: int = 1, options: Options = NONE) -> Iterator[Listed]:
        """Yield its keys with what the listing says of them."""
        for item in list_spread(performer, self.bucket, self.prefix, threads=threads, options=options):
            if self.has(item):
                yield item

    def entries(
        self, performer: Performer, *, markers: bool, threads: int, order: Order, options: Options = NONE
    ) -> Iterator[Entry]:
        """Yield its objects.

        Args:
            performer: makes the calls.
            markers: whether objects are taken that only mark a folder.
            threads: calls at once.
            order: "check" that the server lists in order, "sort" all of them in memory, or "any".
            options: of the calls.

        Raises:
            DisorderError: the server does not list in order, and should.
        """
        length = len(self.base)
        found = (
            Entry(item.key[length:], item.size, nanoseconds(item.last_modified), etag=item.etag)
            for item in self.listed(performer, threads=1 if order == "sort" else threads, options=options)
            if len(item) > length and (markers or not is_marker(item))
        )
        if order == "sort" or (order == "check" and check_bucket(self.bucket) == "directory"):
            return iter(sorted(found, key=lambda entry: entry.path))
        return in_order(found, str(self)) if order == "check" else found

    def key(self, path: str) -> str:
        """Return the key of a path in it."""
        return self.base + path

    def has(self, key: str) -> bool:
        """Return whether a key is one of these, if there is an object of that name."""
        return key.startswith(self.prefix) and (self.pattern is None or self.pattern.match(key))

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.pattern.text if self.pattern else self.prefix}"


Place = Folder | Keys


def nanoseconds(moment: datetime) -> int:
    """Return a time as nanoseconds since 1970, without the rounding of floating-point numbers.

    Example:
        >>> from datetime import timezone
        >>> nanoseconds(datetime(2026, 11, 22, 0, 0, 0, 345000, tzinfo=timezone.utc))
        1795305600345000000
    """
    return int(moment.replace(microsecond=0).timestamp()) * 10**9 + moment.microsecond * 1000


def place_of(given: Any, *, wildcards: bool = False, symlinks: Symlinks = "follow") -> Place:
    """Return the tree that a path or an S3 URL names.

    A URL without a wildcard names a folder: `s3://logs/2026` are the keys that begin with `2026/`, and `2026-11` is
    none of them.

    Args:
        given: a path, or `s3://bucket/prefix`, with wildcards if they are allowed.
        wildcards: whether `*`, `?`, `[…]` and the backslash mean what they do in a pattern.
        symlinks: the rule for links in a folder.

    Raises:
        ConfigError: there can be no such place.

    Example:
        >>> place_of("s3://logs/2026").base, place_of("s3://logs/2026/*/x-?.gz", wildcards=True).base
        ('2026/', '2026/')
    """
    if not is_url(given):
        if not isinstance(given, (str, os.PathLike)) or not os.fspath(given):
            text = f"a place is a path or s3://bucket/prefix; got {given!r}"
            raise DeclarationTypeError(text)
        return Folder(os.fsdecode(given), symlinks)
    bucket, key = parse_url(given)
    if wildcards and has_wildcard(key):
        pattern = Pattern(key)
        return Keys(bucket, pattern.prefix[: pattern.prefix.rfind("/") + 1], pattern.prefix, pattern)
    if wildcards:
        key = Pattern(key).prefix
    base = key if not key or key.endswith("/") else f"{key}/"
    return Keys(bucket, base, base)


def single_name(name: str, target: str) -> str:
    """Return where one object goes: a target that ends with a slash is a folder, and keeps its name.

    Args:
        name: the last part of the source's name.
        target: a key, perhaps empty, or a path.

    Example:
        >>> single_name("a.gz", "logs/"), single_name("a.gz", ""), single_name("a.gz", "logs/b.gz")
        ('logs/a.gz', 'a.gz', 'logs/b.gz')
    """
    if not name and (not target or target.endswith("/")):
        text = f"the source has no name of its own to be put at {shown(target)}; name the target"
        raise ConfigError(text)
    return target + name if not target or target.endswith("/") else target
