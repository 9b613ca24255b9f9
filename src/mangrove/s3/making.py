"""Make operations of what users write: names are checked, options read, data looked at, before the first call."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.s3.copying import Copy, Move
from mangrove.s3.files.sources import Source, source_of
from mangrove.s3.files.targets import Target, target_of
from mangrove.s3.light import Delete, Download, Exists, Head, Upload
from mangrove.s3.rules.content_types import content_type
from mangrove.s3.rules.names import check
from mangrove.s3.rules.options import NONE, Options, Table, Verb
from mangrove.s3.running.handle import Handle
from mangrove.s3.running.performing import Settings

__all__ = ["Maker"]

_CALLS: dict[Verb, str] = {"delete": "DeleteObject", "head": "HeadObject"}
Callback = Callable[[Any], object] | None
Headers = Mapping[str, str] | None
Extra = Mapping[str, Any] | None


class Maker:
    """Make operations for one connection.

    Each method takes `callback`, called with the operation's value; `retries`, further tries after a failure that may
    last, None for the connection's; `headers`, options by the names of HTTP; `extra`, options by the API's names; and
    options by either, in snake case too.

    Args:
        settings: how objects are moved.
        table: returns the table of the options that the installed botocore knows; called when one is given.
    """

    def __init__(self, settings: Settings, table: Callable[[], Table]) -> None:
        self._settings, self._table = settings, table

    def read(self, verb: Verb, options: dict[str, Any], headers: Headers = None, extra: Extra = None) -> Options:
        """Return the options of an operation, checked.

        Args:
            verb: what is done.
            options: by the API's names or in snake case, and `metadata` and `tags`, which are taken out.
            headers: by the names of HTTP.
            extra: by the API's names.

        Raises:
            ConfigError: one is unknown, or can't be.
        """
        if not (options or headers or extra):
            return NONE
        for name, given in (("headers", headers), ("extra", extra)):
            if given is not None and not isinstance(given, Mapping):
                text = f"{name} is a mapping of names to values; got {type(given).__name__}"
                raise DeclarationTypeError(text)
        own = {name: options.pop(name, None) for name in ("metadata", "tags")}
        return self._table().read(verb, options, headers=headers, extra=extra, **own)

    def upload(
        self,
        bucket: str,
        key: str,
        data: Any,
        headers: Headers = None,
        extra: Extra = None,
        retries: int | None = None,
        callback: Callback = None,
        **options: Any,
    ) -> Handle:
        """Return the upload of some data."""
        check(bucket, key)
        if retries is not None or callback is not None:
            _check(retries, callback)
        read = self.read("upload", options, headers, extra)
        source: bytes | Source = source_of(data, self._settings.limits.threshold)
        handle = Upload(bucket, key, read, source, content_type(key), self._settings, callback)
        handle.retries = retries
        return handle

    def upload_file(self, bucket: str, key: str, filename: str | os.PathLike[str], **arguments: Any) -> Handle:
        """Return the upload of a file."""
        return self.upload(bucket, key, _path(filename), **arguments)

    def download(
        self,
        bucket: str,
        key: str,
        target: Any = None,
        headers: Headers = None,
        extra: Extra = None,
        retries: int | None = None,
        callback: Callback = None,
        *,
        encoding: str | None = None,
        **options: Any,
    ) -> Handle:
        """Return the download of an object to some place."""
        check(bucket, key)
        if retries is not None or callback is not None:
            _check(retries, callback)
        read = self.read("download", options, headers, extra)
        place: Target = target_of(target, fsync=self._settings.fsync)
        handle = Download(bucket, key, read, place, self._settings, _codec(target, encoding), callback)
        handle.retries = retries
        return handle

    def download_file(self, bucket: str, key: str, filename: str | os.PathLike[str], **arguments: Any) -> Handle:
        """Return the download of an object into a file."""
        return self.download(bucket, key, _path(filename), **arguments)

    def copy(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        headers: Headers = None,
        extra: Extra = None,
        retries: int | None = None,
        callback: Callback = None,
        *,
        version_id: str | None = None,
        delete: bool = False,
        **options: Any,
    ) -> Handle:
        """Return the copy of an object inside S3; with `delete`, its move."""
        check(source_bucket, source_key)
        check(bucket, key)
        _check(retries, callback)
        read = self.read("copy", options, headers, extra)
        source = {"Bucket": source_bucket, "Key": source_key, "VersionId": version_id}
        kind = Move if delete else Copy
        handle = kind(source, bucket, key, read, self._settings, delete=delete, callback=callback)
        handle.retries = retries
        return handle

    def delete(self, bucket: str, key: str, **arguments: Any) -> Handle:
        """Return the deletion of an object."""
        return self._request("delete", Delete, bucket, key, arguments)

    def head(self, bucket: str, key: str, **arguments: Any) -> Handle:
        """Return the question what S3 knows of an object."""
        return self._request("head", Head, bucket, key, arguments)

    def exists(self, bucket: str, key: str, **arguments: Any) -> Handle:
        """Return the question whether there is an object."""
        return self._request("head", Exists, bucket, key, arguments)

    def _request(
        self,
        verb: Verb,
        kind: Callable[[dict[str, Any], Callback], Handle],
        bucket: str,
        key: str,
        arguments: dict[str, Any],
    ) -> Handle:
        check(bucket, key)
        callback, retries = arguments.pop("callback", None), arguments.pop("retries", None)
        _check(retries, callback)
        headers, extra = arguments.pop("headers", None), arguments.pop("extra", None)
        read = self.read(verb, arguments, headers, extra)
        handle = kind({**read.of(_CALLS[verb]), "Bucket": bucket, "Key": key}, callback)
        handle.retries = retries
        return handle


def _check(retries: object, callback: object) -> None:
    if retries is not None and (type(retries) is not int or retries < 0):
        text = f"retries is a whole number, 0 or more, or None for the connection's; got {retries!r}"
        raise ConfigError(text)
    if callback is not None and not callable(callback):
        text = f"a callback is called with the operation's value; got {type(callback).__name__}"
        raise DeclarationTypeError(text)


def _codec(target: Any, encoding: str | None) -> str | None:
    if encoding is None:
        return None
    if target is not None:
        text = "encoding is for an object that is returned; a text file decodes by its own"
        raise ConfigError(text)
    if not isinstance(encoding, str):
        text = f"encoding is a string, such as 'utf-8'; got {type(encoding).__name__}"
        raise DeclarationTypeError(text)
    try:
        return codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        text = f"Python knows no encoding {encoding!r}"
        raise ConfigError(text) from error


def _path(filename: Any) -> Any:
    if not isinstance(filename, (str, os.PathLike)):
        text = f"a file is named by a str or a Path; got {type(filename).__name__}; an open file goes to `upload`"
        raise DeclarationTypeError(text)
    return Path(filename)
