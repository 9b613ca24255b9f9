"""List what is in a bucket, page after page, each tried again alone: keys, common prefixes, versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.parsers import ResponseParserError

from mangrove.errors import ConfigError, DeclarationTypeError, IncompleteTransferError, MangroveError
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.passing import PassingEngine
from mangrove.s3.pages import Listed, Page, Prefix, page_of
from mangrove.s3.rules.names import check_bucket, shown
from mangrove.s3.rules.options import NONE, Options
from mangrove.s3.running.performing import Performer
from mangrove.s3.running.workers import tell_beside

__all__ = ["list_objects", "list_pages", "listing_params"]

_MOST = 1000
_SHOWN = 60  # bytes


def list_objects(
    performer: Performer,
    bucket: str,
    prefix: str = "",
    delimiter: str | None = None,
    *,
    start_after: str | None = None,
    versions: bool = False,
    page_size: int | None = None,
    retries: int | None = None,
    options: Options = NONE,
) -> Iterator[Listed | Prefix]:
    """Yield the keys in a bucket, each with what the listing says of it, and common prefixes between them.

    Both are strings: a key is a `Listed`, with `size`, `etag`, `last_modified`, `storage_class`; what keys have in
    common up to the delimiter is a `Prefix`. They come as S3 sends them: in the binary order of UTF-8, but for
    directory buckets and for some servers of others.

    Args:
        performer: makes the calls; a page that fails is tried again, and none is asked for before it is needed.
        bucket: its name or ARN.
        prefix: what the keys begin with.
        delimiter: what ends a common prefix, mostly "/"; None for all keys.
        start_after: only keys after this one.
        versions: whether all versions and delete markers are listed, of a key the newest first.
        page_size: the most entries that one call brings, at most 1,000.
        retries: further tries of a page after a failure that may last; None for the usual.
        options: of ListObjectsV2 or ListObjectVersions.

    Raises:
        ConfigError: an argument is wrong; at once.
        NotFoundError: there is no such bucket.
        TransferError: a page can't be had, or is damaged: a listing never just ends early.

    Source: ListObjectsV2 and ListObjectVersions in the Amazon S3 API reference.
    """
    params = listing_params(bucket, prefix, delimiter, page_size)
    operation = "ListObjectVersions" if versions else "ListObjectsV2"
    if start_after is not None:
        params["KeyMarker" if versions else "StartAfter"] = _text("start_after", start_after)
    pages = list_pages(performer, operation, {**options.of(operation), **params}, retries=retries)
    return (item for page in pages for item in page.items)


def listing_params(bucket: str, prefix: str, delimiter: str | None, page_size: int | None) -> dict[str, Any]:
    """Return the parameters of a listing's first page.

    Raises:
        ConfigError: one of them is wrong.
    """
    check_bucket(bucket)
    # Keys may hold characters that XML can't.
    params: dict[str, Any] = {"Bucket": bucket, "EncodingType": "url"}
    if _text("prefix", prefix):
        params["Prefix"] = prefix
    if delimiter is not None:
        params["Delimiter"] = _text("delimiter", delimiter)
    if page_size is not None:
        if type(page_size) is not int or not 1 <= page_size <= _MOST:
            text = f"page_size is a whole number from 1 to {_MOST}; got {page_size!r}"
            raise ConfigError(text)
        params["MaxKeys"] = page_size
    return params


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        text = f"{name} is a string; got {type(value).__name__}"
        raise DeclarationTypeError(text)
    try:
        value.encode()
    except UnicodeEncodeError:
        text = f"{name} {shown(value)} has a lone surrogate, which UTF-8 can't hold"
        raise ConfigError(text) from None
    return value


def list_pages(
    performer: Performer, operation: str, params: dict[str, Any], *, retries: int | None = None
) -> Iterator[Page]:
    """Yield the pages of a listing.

    Args:
        performer: makes the calls.
        operation: "ListObjectsV2" or "ListObjectVersions".
        params: of the first page.
        retries: further tries of a page; None for the usual.

    Raises:
        TransferError: a page can't be had.
        IncompleteTransferError: a page says that there is another, but not where; or is no page at all.
    """
    while True:
        pages = _Pages(performer.engine)
        try:
            performer.over(pages).call(operation, params, retries=retries)
        except MangroveError as error:
            where = _where(params)
            if where not in str(error):
                tell_beside(error, f"this was a listing of {where}")
            raise
        page = pages.last
        if page.truncated is None:
            raise _incomplete(params, "it has no IsTruncated, so it is no listing")
        following = page.following if page.truncated else {}
        if page.truncated and not following:
            raise _incomplete(params, "it says that there is more, but not where")
        if page.truncated and all(params.get(name) == value for name, value in following.items()):
            raise _incomplete(params, "it says to go on where it began")
        yield page
        if not page.truncated:
            return
        first = ("StartAfter", "ContinuationToken", "KeyMarker", "VersionIdMarker")
        params = {**{name: value for name, value in params.items() if name not in first}, **following}


class _Pages(PassingEngine):
    """Be an engine that reads each answer as a page; one that is none is no answer, and may be asked for again."""

    last: Page

    def perform(self, call: Call) -> Reply:
        reply = None
        try:
            reply = super().perform(call)
            self.last = page_of(reply)
        except ResponseParserError as error:
            came = bytes(getattr(reply, "document", b"")) or str(error).partition("\n")[2].encode()
            text = f"what came is no XML, but {shown(came[:_SHOWN].decode(errors='replace'))}; is that a server of S3?"
            raise _incomplete(call.params, text) from None
        return reply


def _where(params: dict[str, Any]) -> str:
    return f"s3://{params['Bucket']}/{params.get('Prefix', '')}"


def _incomplete(params: dict[str, Any], fault: str) -> IncompleteTransferError:
    text = f"a page of the listing of {_where(params)} can't be used: {fault}; the keys so far are not all there are"
    return IncompleteTransferError(text)
