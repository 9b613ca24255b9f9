"""Be what the command lines of S3 call rm, ls and du: for single keys, for all below a prefix, and for wildcards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mangrove.errors import ConfigError
from mangrove.s3.deleting import deletions, outcomes_of
from mangrove.s3.listing import list_objects
from mangrove.s3.many import Summary, summary_of
from mangrove.s3.outcome import Outcome
from mangrove.s3.pages import Listed, Prefix
from mangrove.s3.rules.names import parse_url, shown
from mangrove.s3.rules.options import Options
from mangrove.s3.rules.patterns import Pattern, has_wildcard
from mangrove.s3.trees.choices import Choices
from mangrove.s3.trees.means import Means
from mangrove.s3.trees.places import Folder, Keys, place_of

if TYPE_CHECKING:
    from mangrove.s3.backend import Backend

__all__ = ["Usage", "du", "ls", "rm"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Be how much is stored.

    Attributes:
        count: objects; with versions, versions.
        bytes: of them all.
        classes: for each storage class, its objects and their bytes.
    """

    count: int = 0
    bytes: int = 0
    classes: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def rm(backend: Backend, url: str, *, recursive: bool = False, versions: bool = False, **arguments: Any) -> Summary:
    """Delete an object, a tree, or what matches wildcards.

    Args:
        backend: what serves the operations.
        url: s3://bucket/key or s3://bucket/prefix, with wildcards.
        recursive: whether all below the prefix is deleted; with a wildcard, what matches always is.
        versions: whether all versions are deleted for good, and delete markers.
        **arguments: of `Choices`, and options of DeleteObjects.

    Raises:
        ConfigError: an argument is wrong; nothing was deleted.
        BatchError: some keys could not be deleted; it holds their outcomes, all others are gone.
    """
    choices = Choices.of(arguments)
    read = Means(backend, choices.threads, choices.options).read("delete")
    filters, place = choices.taken(), _keys(url, wildcards=choices.wildcards, tree=recursive)
    keys: Iterable[Listed | str] = [place.prefix]
    if place.pattern is not None or recursive or versions:
        found = _found(backend, place, versions=versions, threads=choices.threads, options=read)
        keys = (item for item in found if filters.take(item[len(place.base) :]))
    if choices.dry_run:
        outcomes: Iterator[Outcome] = (
            Outcome("delete", place.bucket, str(key), True, version_id=getattr(key, "version_id", None), attempts=0)  # noqa: FBT003  its value
            for key in keys
        )
    else:
        gone = deletions(backend, place.bucket, keys, concurrency=choices.threads, options=read)
        outcomes = (outcome for some in gone for outcome in outcomes_of(place.bucket, some))
    return summary_of(outcomes, callback=choices.callback, raise_errors=choices.raise_errors)


def _keys(url: str, *, wildcards: bool, tree: bool) -> Keys:
    """Return the keys that a URL names: those below it, those that match it, or the one."""
    place = place_of(url, wildcards=wildcards)
    if isinstance(place, Folder):
        text = f"{shown(str(url))} is no S3 URL; write s3://bucket/key"
        raise ConfigError(text)
    if place.pattern is not None or tree:
        return place
    bucket, key = parse_url(url)
    key = Pattern(key).prefix if wildcards else key
    if not key:
        text = f"{url} is a bucket and no object; say recursive=True for all that is in it"
        raise ConfigError(text)
    return Keys(bucket, key[: key.rfind("/") + 1], key, None)


def _found(backend: Backend, place: Keys, *, versions: bool, threads: int, options: Options) -> Iterator[Listed]:
    if not versions:
        yield from place.listed(backend.performer, threads=threads, options=options)
        return
    exact = place.pattern is None and place.prefix != place.base
    for item in list_objects(backend.performer, place.bucket, place.prefix, versions=True, options=options):
        if isinstance(item, Listed) and (place.pattern is None or place.pattern.match(item)):
            if exact and item != place.prefix:
                continue
            yield item


def ls(
    backend: Backend,
    url: str,
    *,
    recursive: bool = False,
    versions: bool = False,
    wildcards: bool = True,
    threads: int = 1,
    **options: Any,
) -> Iterator[Listed | Prefix]:
    """Yield what is at a URL, as a folder is listed: keys, and what deeper keys have in common.

    Args:
        backend: what serves the calls.
        url: s3://bucket/prefix, or a pattern.
        recursive: whether all keys are listed, however deep; with a wildcard they always are.
        versions: whether all versions and delete markers are listed.
        wildcards: whether `*`, `?`, `[…]` and the backslash mean what they do in a pattern.
        threads: calls at once, where all keys are listed.
        **options: of the listing, such as `request_payer` and `expected_bucket_owner`.

    Raises:
        ConfigError: it is no S3 URL, or an option can't be.
    """
    bucket, key = parse_url(url)
    read = backend.maker.read("list", options)
    if wildcards and has_wildcard(key):
        place = _keys(url, wildcards=True, tree=True)
        return iter(_found(backend, place, versions=versions, threads=threads, options=read))
    prefix = Pattern(key).prefix if wildcards else key
    performer = backend.performer
    if recursive and not versions:
        return Keys(bucket, prefix, prefix).listed(performer, threads=threads, options=read)
    return list_objects(performer, bucket, prefix, None if recursive else "/", versions=versions, options=read)


def du(
    backend: Backend, url: str, *, versions: bool = False, wildcards: bool = True, threads: int = 8, **options: Any
) -> Usage:
    """Add up what is stored below a prefix, or what matches a pattern.

    Args:
        backend: what serves the calls.
        url: s3://bucket/prefix, or a pattern.
        versions: whether older versions count too.
        wildcards: whether `*`, `?`, `[…]` and the backslash mean what they do in a pattern.
        threads: calls at once.
        **options: of the listing, such as `request_payer` and `expected_bucket_owner`.

    Raises:
        ConfigError: it is no S3 URL, or an option can't be.
    """
    classes: dict[str, tuple[int, int]] = {}
    place = _keys(url, wildcards=wildcards, tree=True)
    read = backend.maker.read("list", options)
    for item in _found(backend, place, versions=versions, threads=threads, options=read):
        if item.is_delete_marker:
            continue
        count, size = classes.get(item.storage_class or "STANDARD", (0, 0))
        classes[item.storage_class or "STANDARD"] = count + 1, size + item.size
    totals = [sum(each) for each in zip(*classes.values(), strict=True)] or [0, 0]
    return Usage(totals[0], totals[1], classes)
