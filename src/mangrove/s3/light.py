"""Be the operations of one call or two: put, get, head, delete of what fits in one request; what does not is heavy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from mangrove.errors import IntegrityError, PreconditionError, TransferError
from mangrove.s3.checksums import SIZES, crc32, member, parse
from mangrove.s3.checksums import checksum as checksum_of
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.faults import status_of
from mangrove.s3.handle import Handle, Step
from mangrove.s3.integrity import verify
from mangrove.s3.options import Options
from mangrove.s3.performing import Performer, Settings
from mangrove.s3.sources import Source
from mangrove.s3.targets import Target

__all__ = ["Delete", "Download", "Exists", "Head", "Upload"]

Callback = Callable[[Any], object] | None
_CHECKSUMS = tuple(f"Checksum{name}" for name in SIZES)
_NOT_FOUND, _PRECONDITION = 404, 412


class _Request(Handle):
    """Be an operation that is one call.

    Args:
        params: its parameters, by botocore's names.
        callback: is called with the value.
    """

    __slots__ = ("_params",)
    call: ClassVar[str]

    def __init__(self, params: dict[str, Any], callback: Callback = None) -> None:
        super().__init__(params["Bucket"], params["Key"], callback)
        self._params = params

    def begin(self) -> Step:
        """Return the call."""
        return Call(self.call, self._params, owner=self)


class Delete(_Request):
    """Delete an object; the value is True."""

    __slots__ = ()
    operation = "delete"
    call = "DeleteObject"

    def receive(self, call: Call, reply: Reply) -> Step:
        """Take the reply: there is none any more."""
        del call, reply
        self.value = True
        return None


class Head(_Request):
    """Ask S3 about an object; the value is botocore's answer."""

    __slots__ = ()
    operation = "head"
    call = "HeadObject"

    def receive(self, call: Call, reply: Reply) -> Step:
        """Take the reply."""
        del call
        self.value = dict(reply.data)
        return None


class Exists(_Request):
    """Ask S3 whether there is an object; the value is True or False."""

    __slots__ = ()
    operation = "exists"
    call = "HeadObject"

    def receive(self, call: Call, reply: Reply) -> Step:
        """Take the reply: there is one."""
        del call, reply
        self.value = True
        return None

    def recover(self, call: Call, error: Exception) -> Step:
        """Take S3's "not found" for an answer."""
        del call
        if status_of(error) != _NOT_FOUND:
            raise error
        self.value = False
        return None


class Upload(Handle):
    """Put an object: in one request with its checksum if it fits, else in parts.

    Args:
        bucket: its bucket.
        key: its key.
        options: of the upload.
        source: its bytes, or what they are read from when its turn comes.
        content_type: where the options say nothing of it; or None.
        settings: how objects are moved.
        callback: is called with the value, True.
    """

    __slots__ = ("_content_type", "_options", "_sent", "_settings", "_source")
    operation: ClassVar[str] = "upload"

    def __init__(
        self,
        bucket: str,
        key: str,
        options: Options,
        source: bytes | Source,
        content_type: str | None,
        settings: Settings,
        callback: Callback = None,
    ) -> None:
        super().__init__(bucket, key, callback)
        self._options, self._source, self._content_type, self._settings = options, source, content_type, settings
        self._sent: str | None = None  # the checksum that was sent

    @property
    def weight(self) -> int:  # type: ignore[override]
        """Return the bytes that it holds."""
        return len(self._source) if isinstance(self._source, bytes) else 0

    def begin(self) -> Step:
        """Return the call, or the step that sends the parts."""
        source = self._source
        if not isinstance(source, bytes):
            found = source.open(self._settings.limits.threshold)
            if not isinstance(found, bytes):
                return lambda performer: self._in_parts(performer, found)
            source = self._source = found
        params = self._options.of("PutObject")
        if self._content_type is not None:
            params.setdefault("ContentType", self._content_type)
        params["Bucket"], params["Key"] = self.bucket, self.key
        self._add_checksum(params, source)
        return Call("PutObject", params, body=source, owner=self)

    def _add_checksum(self, params: dict[str, Any], body: bytes) -> None:
        """Add the checksum of the bytes, unless the caller has brought one."""
        named = params.get("ChecksumAlgorithm") or self._settings.checksum
        if named is None:
            if self._options and any(name in params for name in _CHECKSUMS):
                return
            self._sent = params["ChecksumCRC32"] = crc32(body)
        elif not any(name in params for name in _CHECKSUMS):
            algorithm = parse(named)
            self._sent = params[member(algorithm)] = checksum_of(algorithm, body)

    def _in_parts(self, performer: Performer, source: Any) -> None:
        from mangrove.s3.large_upload import upload_large  # noqa: PLC0415  what is small needs none of it

        upload_large(performer, self, source, self._options, self._content_type)

    def recover(self, call: Call, error: Exception) -> Step:
        """Ask whether the object that stands in the way is this one: the answer of an earlier try may be lost."""
        if status_of(error) != _PRECONDITION or not self.unsure or call.operation != "PutObject":
            raise error
        params = {**self._options.of("HeadObject"), "Bucket": self.bucket, "Key": self.key, "ChecksumMode": "ENABLED"}
        return Call("HeadObject", params, owner=self)

    def receive(self, call: Call, reply: Reply) -> Step:
        """Take the reply; S3 has compared the bytes with their checksum."""
        told = self._told(call, reply)
        if call.operation == "HeadObject" and (told is None or told[1] != self._sent):
            text = f"s3://{self.bucket}/{self.key} is there already, and is another object; it is left as it is"
            raise PreconditionError(text)
        if told is not None:
            if told[1] != self._sent:
                text = (
                    f"s3://{self.bucket}/{self.key} was sent with the {told[0]} {self._sent}, but S3 says {told[1]} of"
                    " what it has stored"
                )
                raise IntegrityError(text)
            self.verified = told[0]
        self.value = True
        return None

    def _told(self, call: Call, reply: Reply) -> tuple[str, str] | None:
        """Return the algorithm and the checksum that S3 says it has stored."""
        if self._sent is None:
            return None
        names = ("ChecksumCRC32",) if "ChecksumCRC32" in call.params else _CHECKSUMS
        for name in names:
            value = reply.get(name)
            if value is not None:
                return name.removeprefix("Checksum"), value
        return None

    def facts(self) -> dict[str, Any]:
        """Return what `Outcome` says beside the value."""
        size = len(self._source) if isinstance(self._source, bytes) else None
        checksum = f"{self.verified}:{self._sent}" if self.verified and self._sent else None
        return {"size": size, "checksum": checksum, **super().facts()}


class Download(Handle):
    """Get an object: in one answer if it is no longer than one should be, else in ranges.

    Args:
        bucket: its bucket.
        key: its key.
        options: of the download.
        target: takes the verified bytes.
        settings: how objects are moved.
        encoding: decodes the object, which is its own value.
        callback: is called with the value.
    """

    __slots__ = ("_encoding", "_options", "_settings", "_size", "_target")
    operation: ClassVar[str] = "download"

    def __init__(
        self,
        bucket: str,
        key: str,
        options: Options,
        target: Target,
        settings: Settings,
        encoding: str | None = None,
        callback: Callback = None,
    ) -> None:
        super().__init__(bucket, key, callback)
        self._options, self._target, self._settings, self._encoding = options, target, settings, encoding
        self._size: int | None = None

    def begin(self) -> Step:
        """Return the call."""
        params = self._options.of("GetObject")
        params["Bucket"], params["Key"], params["ChecksumMode"] = self.bucket, self.key, "ENABLED"
        return Call("GetObject", params, most=self._settings.limits.threshold, owner=self)

    def receive(self, call: Call, reply: Reply) -> Step:
        """Take the object, verified; or the step that gets its ranges."""
        if call.too_long:
            return lambda performer: self._in_ranges(performer, reply)
        body = reply.body
        self._size = len(body)
        if reply.get("ChecksumCRC32") == crc32(body):
            self.verified = "CRC32"
        else:
            held = {name: value for name in (*_CHECKSUMS, "ChecksumType") if (value := reply.get(name)) is not None}
            self.verified = verify(held, body, f"s3://{self.bucket}/{self.key}") if held else None
            if self.verified is None and self._settings.verify == "always":
                refuse_unverified(self.bucket, self.key)
        self.value = self._target.place(body)
        if self._encoding is not None:
            self._decode(self._encoding)
        return None

    def _decode(self, encoding: str) -> None:
        try:
            self.value = self.value.decode(encoding)
        except UnicodeDecodeError as error:
            text = f"s3://{self.bucket}/{self.key} is no {encoding} text ({error.reason} at byte {error.start})"
            raise TransferError(text) from error

    def _in_ranges(self, performer: Performer, first: Reply) -> None:
        from mangrove.s3.large_download import download_large  # noqa: PLC0415  what is small needs none of it

        download_large(performer, self, first, self._options, self._target)
        if self._encoding is not None:
            self._decode(self._encoding)

    def facts(self) -> dict[str, Any]:
        """Return what `Outcome` says beside the value."""
        return {"size": self._size, **super().facts()}


def refuse_unverified(bucket: str, key: str) -> None:
    """Say that an object can't be verified though it has to be.

    Raises:
        IntegrityError: always.
    """
    text = (
        f"S3 holds no checksum of s3://{bucket}/{key} that its bytes could be verified by, and strict=True asks for"
        " one; upload it anew with a checksum, or allow it with strict=False"
    )
    raise IntegrityError(text)
