"""Be the methods of a connection on single objects: put, get, copy, delete, ask; each made in the calling thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mangrove.errors import ConfigError
from mangrove.s3.backend import Backend
from mangrove.s3.outcome import Outcome
from mangrove.s3.rules.faults import raised
from mangrove.s3.rules.names import check, check_bucket
from mangrove.s3.running.handle import Handle

__all__ = ["ObjectMethods"]

_WEEK = 604_800  # seconds
Callback = Callable[[Any], object]


class ObjectMethods:
    """Make one operation after the other, each to its end."""

    @property
    def backend(self) -> Backend:
        """Return what serves the calls."""
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
    ) -> Outcome:
        """Put an object, in parts if it is large, and return the outcome.

        Args:
            bucket: its bucket, or the ARN of an access point.
            key: its key.
            data: a str (sent as UTF-8), bytes, a `Path`, an open file, or an iterator of bytes.
            headers: by the names of HTTP, such as `Content-Type` and `x-amz-meta-owner`.
            extra: options by the API's names, as boto3's `ExtraArgs`.
            retries: further tries after a failure that may last; None for the connection's.
            callback: is called with True when the object is there.
            **options: of PutObject, by the API's names or in snake case: `content_type`, `storage_class`, `tagging`,
                `if_none_match="*"`, `sse_customer_key`, ….

        Raises:
            ConfigError: an argument is wrong; nothing was sent.
            TransferError: it failed; S3's own failures are botocore's `ClientError` too.

        Source: PutObject and CreateMultipartUpload in the Amazon S3 API reference.
        """
        handle = self.backend.maker.upload(bucket, key, data, headers, extra, retries, callback, **options)
        return self._outcome(handle)

    def upload_file(self, bucket: str, key: str, filename: str | os.PathLike[str], **arguments: Any) -> Outcome:
        """Put a file; see `upload`.

        Args:
            bucket: its bucket.
            key: its key.
            filename: the path of the file.
            **arguments: of `upload`.

        Raises:
            TransferError: it failed.
            OSError: the file can't be read.
        """
        return self._outcome(self.backend.maker.upload_file(bucket, key, filename, **arguments))

    def download(
        self,
        bucket: str,
        key: str,
        target: Any = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
        retries: int | None = None,
        callback: Callback | None = None,
        *,
        encoding: str | None = None,
        **options: Any,
    ) -> Any:
        """Get an object, verified, in parts if it is large.

        Args:
            bucket: its bucket.
            key: its key.
            target: an open file or a path; None for the object itself.
            headers: by the names of HTTP.
            extra: options by the API's names, as boto3's `ExtraArgs`.
            retries: further tries after a failure that may last; None for the connection's.
            callback: is called with what this returns.
            encoding: returns a str of the object, decoded; else bytes, whatever the object is.
            **options: of GetObject, by the API's names or in snake case: `version_id`, `if_match`, ….

        Returns:
            The object as bytes; a str with `encoding`; the target, if there is one.

        Raises:
            NotFoundError: there is no such object; botocore's `NoSuchKey` too.
            IntegrityError: the bytes are not those that S3 has a checksum of; a file is as it was.
            TransferError: it failed.

        Source: GetObject in the Amazon S3 API reference.
        """
        handle = self.backend.maker.download(
            bucket, key, target, headers, extra, retries, callback, encoding=encoding, **options
        )
        return self._do(handle).value

    def download_file(self, bucket: str, key: str, filename: str | os.PathLike[str], **arguments: Any) -> Any:
        """Get an object into a file, which appears when it is whole; see `download`.

        Args:
            bucket: its bucket.
            key: its key.
            filename: the path of the file.
            **arguments: of `download`.

        Raises:
            TransferError: it failed; an old file is as it was.
        """
        return self._do(self.backend.maker.download_file(bucket, key, filename, **arguments)).value

    def copy(self, source_bucket: str, source_key: str, bucket: str, key: str, **arguments: Any) -> Outcome:
        """Copy an object inside S3; its bytes don't come here.

        Args:
            source_bucket: where it is.
            source_key: its key there.
            bucket: where the copy goes.
            key: the copy's key.
            **arguments: `version_id` of the source, `retries`, `callback`, and the options of CopyObject; metadata,
                content type and tags are the source's unless they are given.

        Raises:
            NotFoundError: there is no such object.
            TransferError: it failed.

        Source: CopyObject and UploadPartCopy in the Amazon S3 API reference.
        """
        return self._outcome(self.backend.maker.copy(source_bucket, source_key, bucket, key, **arguments))

    def move(self, source_bucket: str, source_key: str, bucket: str, key: str, **arguments: Any) -> Outcome:
        """Move an object inside S3: copy it, and delete it once the copy is there, if it is still what was copied.

        Args:
            source_bucket: where it is.
            source_key: its key there.
            bucket: where it goes.
            key: its key there.
            **arguments: of `copy`.

        Raises:
            ObjectChangedError: another object was written to the source meanwhile; it is left, beside the copy.
            TransferError: it failed; the object is where it was, and may be in both places.
        """
        return self._outcome(self.backend.maker.copy(source_bucket, source_key, bucket, key, delete=True, **arguments))

    def delete(self, bucket: str, key: str, **arguments: Any) -> Outcome:
        """Delete an object; that there is none is no error of S3's.

        Args:
            bucket: its bucket.
            key: its key.
            **arguments: `retries`, `callback`, and the options of DeleteObject, such as `version_id`.

        Raises:
            TransferError: it failed.

        Source: DeleteObject in the Amazon S3 API reference.
        """
        return self._outcome(self.backend.maker.delete(bucket, key, **arguments))

    def head(self, bucket: str, key: str, **arguments: Any) -> dict[str, Any]:
        """Return what S3 knows of an object, as botocore's `head_object`.

        Args:
            bucket: its bucket.
            key: its key.
            **arguments: `retries`, `callback`, and the options of HeadObject.

        Raises:
            NotFoundError: there is no such object.

        Source: HeadObject in the Amazon S3 API reference.
        """
        found: dict[str, Any] = self._do(self.backend.maker.head(bucket, key, **arguments)).value
        return found

    def exists(self, bucket: str, key: str, **arguments: Any) -> bool:
        """Return whether there is an object; a missing bucket has none.

        Args:
            bucket: its bucket.
            key: its key.
            **arguments: `retries`, `callback`, and the options of HeadObject.

        Raises:
            AccessDeniedError: S3 does not say.
        """
        return bool(self._do(self.backend.maker.exists(bucket, key, **arguments)).value)

    def create_bucket(self, bucket: str, **options: Any) -> None:
        """Create a bucket in the connection's region.

        Args:
            bucket: its name.
            **options: of botocore's `create_bucket`.

        Raises:
            ConfigError: no bucket can have that name.
            TransferError: S3 refused; botocore's `ClientError` too.

        Source: CreateBucket in the Amazon S3 API reference.
        """
        check_bucket(bucket)
        backend = self.backend
        try:
            backend.client.create_bucket(bucket, **options)
        except (ClientError, BotoCoreError) as error:
            raise raised(error, classes=backend.client.exceptions.from_code) from error.__cause__

    def url(self, bucket: str, key: str, expires_in: int = 3600, method: str = "get_object", **params: Any) -> str:
        """Return a presigned URL, which lets whoever has it make one call.

        Args:
            bucket: its bucket.
            key: its key.
            expires_in: seconds that it is good for, at most a week; no longer than the credentials that sign it.
            method: the client's method that it stands for, such as "put_object".
            **params: of that method, by the API's names.

        Raises:
            ConfigError: an argument is wrong.
            CredentialError: there are no credentials to sign it with.

        Source: `generate_presigned_url` of botocore, "Sharing objects with presigned URLs" in the Amazon S3 user guide.
        """
        check(bucket, key)
        if type(expires_in) is not int or not 1 <= expires_in <= _WEEK:
            text = f"expires_in is a whole number of seconds from 1 to {_WEEK}; got {expires_in!r}"
            raise ConfigError(text)
        client = self.backend.client
        if str(method) not in client.meta.method_to_api_mapping:
            text = f"S3's client has no method {method!r}; it is one such as 'get_object' or 'put_object'"
            raise ConfigError(text)
        named = {"Bucket": bucket, "Key": key, **params}
        try:
            made: str = client.generate_presigned_url(method, Params=named, ExpiresIn=expires_in)
        except BotoCoreError as error:
            raise raised(error) from error.__cause__
        return made

    def _do(self, handle: Handle) -> Handle:
        self.backend.performer.run(handle)
        if handle.error is not None:
            _name(handle.error, handle)
            raise handle.error
        if handle.callback is not None:
            handle.callback(handle.value)
        return handle

    def _outcome(self, handle: Handle) -> Outcome:
        return self._do(handle).outcome


def _name(error: BaseException, handle: Handle) -> None:
    """Say which object it was, where S3's own words do not."""
    what = f"s3://{handle.bucket}/{handle.key}"
    if isinstance(error, ClientError) and what not in str(error):
        error.args = (f"{error} ({what})", *error.args[1:])
