"""Be the methods of a batch: those of a connection, each returning its handle at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from mangrove.s3.making import Maker
from mangrove.s3.running.handle import Handle

__all__ = ["Verbs"]

Callback = Callable[[Any], object]


class Verbs:
    """Make operations and hand them on.

    Args:
        make: makes them of what users write.
    """

    def __init__(self, make: Maker) -> None:
        self._make = make

    def add(self, handle: Handle) -> Handle:
        """Take an operation, and return it at once."""
        raise NotImplementedError

    def upload(
        self,
        bucket: str,
        key: str,
        data: Any,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
        retries: int | None = None,
        callback: Callback | None = None,
        **options: Any,
    ) -> Handle:
        """Put an object; see `Connection.upload`. The callback is called with True."""
        return self.add(self._make.upload(bucket, key, data, headers, extra, retries, callback, **options))

    def upload_file(self, bucket: str, key: str, filename: str | os.PathLike[str], **arguments: Any) -> Handle:
        """Put a file; see `Connection.upload_file`."""
        return self.add(self._make.upload_file(bucket, key, filename, **arguments))

    def download(
        self,
        bucket: str,
        key: str,
        target: Any = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
        retries: int | None = None,
        callback: Callback | None = None,
        **options: Any,
    ) -> Handle:
        """Get an object; see `Connection.download`. The callback is called with what that returns."""
        return self.add(self._make.download(bucket, key, target, headers, extra, retries, callback, **options))

    def download_file(self, bucket: str, key: str, filename: str | os.PathLike[str], **arguments: Any) -> Handle:
        """Get an object into a file; see `Connection.download_file`."""
        return self.add(self._make.download_file(bucket, key, filename, **arguments))

    def copy(self, source_bucket: str, source_key: str, bucket: str, key: str, **arguments: Any) -> Handle:
        """Copy an object inside S3; see `Connection.copy`."""
        return self.add(self._make.copy(source_bucket, source_key, bucket, key, **arguments))

    def move(self, source_bucket: str, source_key: str, bucket: str, key: str, **arguments: Any) -> Handle:
        """Move an object inside S3; see `Connection.move`."""
        return self.add(self._make.copy(source_bucket, source_key, bucket, key, delete=True, **arguments))

    def delete(self, bucket: str, key: str, **arguments: Any) -> Handle:
        """Delete an object; see `Connection.delete`."""
        return self.add(self._make.delete(bucket, key, **arguments))

    def head(self, bucket: str, key: str, **arguments: Any) -> Handle:
        """Ask what S3 knows of an object; see `Connection.head`."""
        return self.add(self._make.head(bucket, key, **arguments))

    def exists(self, bucket: str, key: str, **arguments: Any) -> Handle:
        """Ask whether there is an object; see `Connection.exists`."""
        return self.add(self._make.exists(bucket, key, **arguments))
