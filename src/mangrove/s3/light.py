"""Be the operations of one call or two: put, get, head, delete of what fits in one request; what does not is heavy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from mangrove.errors import IncompleteTransferError, IntegrityError, PreconditionError, TransferError
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.files.sources import BytesSource, Source
from mangrove.s3.files.targets import Target
from mangrove.s3.rules.checksums import SIZES, crc32, member, parse
from mangrove.s3.rules.checksums import checksum as checksum_of
from mangrove.s3.rules.faults import kind_of, status_of
from mangrove.s3.rules.integrity import Stored, stored
from mangrove.s3.rules.options import Options
from mangrove.s3.running.handle import Handle, Step
from mangrove.s3.running.performing import Performer, Settings
from mangrove.s3.running.settling import is_same, refuse_unverified

__all__ = ["Delete", "Download", "Exists", "Head", "Upload", "refuse_unverified"]

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

    __slots__ = ("_content_type", "_obstacle", "_options", "_sent", "_settings", "_source", "weight")
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
        self._sent: tuple[str, str] | None = None  # the checksum that was sent, after its algorithm
        self._obstacle: Exception | None = None  # S3's answer that an object stands in the way
        if type(source) is bytes:
            self.weight = len(source)
        else:
            self.weight = source.size if isinstance(source, BytesSource) else 0

    def begin(self) -> Step:
        """Return the call, or the step that sends the parts."""
        source = self._source
        if not isinstance(source, bytes):
            found = source.open(self._settings.limits.threshold)
            if not isinstance(found, bytes):
                self.length = getattr(found, "size", None)
                return lambda performer: self._in_parts(performer, found)
            source = self._source = found
        params = self._options.of("PutObject")
        if self._content_type is not None:
            params.setdefault("ContentType", self._content_type)
        params["Bucket"], params["Key"] = self.bucket, self.key
        self._add_checksum(params, source)
        self.size = len(source)
        return Call("PutObject", params, body=source, owner=self)

    def _add_checksum(self, params: dict[str, Any], body: bytes) -> None:
        """Add the checksum of the bytes, unless the caller has brought one."""
        named = params.get("ChecksumAlgorithm") or self._settings.checksum
        if self._options:
            brought = next((name for name in SIZES if f"Checksum{name}" in params), None)
            if brought is not None:
                self._sent = brought, params[f"Checksum{brought}"]
                return
        if named is None:
            value = params["ChecksumCRC32"] = crc32(body)
            self._sent = "CRC32", value
        else:
            algorithm = parse(named)
            value = params[member(algorithm)] = checksum_of(algorithm, body)
            self._sent = algorithm, value

    def _in_parts(self, performer: Performer, source: Any) -> None:
        from mangrove.s3.large.upload import upload_large  # noqa: PLC0415  what is small needs none of it

        upload_large(performer, self, source, self._options, self._content_type)
        self.size = (self.details or {}).get("size")
        self.let_go()

    def recover(self, call: Call, error: Exception) -> Step:
        """Ask whether the object that stands in the way is this one: the answer of an earlier try may be lost."""
        if call.operation == "HeadObject":
            return self._unsettled(error)
        if status_of(error) != _PRECONDITION or not self.unsure:
            raise error
        self._obstacle = error
        params = {**self._options.of("HeadObject"), "Bucket": self.bucket, "Key": self.key, "ChecksumMode": "ENABLED"}
        return Call("HeadObject", params, owner=self)

    def _unsettled(self, error: Exception) -> Step:
        """Take an error that came in place of what the object is."""
        if kind_of(error) != "fatal":
            raise error
        if status_of(error) == _NOT_FOUND:
            return self.begin()  # it has gone meanwhile
        raise self._obstacle or error

    def receive(self, call: Call, reply: Reply) -> Step:
        """Take the reply; S3 has compared the bytes with their checksum."""
        if call.operation == "HeadObject":
            self._settle(reply)
        else:
            algorithm, sent = self._sent or ("", "")
            told = reply.get(f"Checksum{algorithm}") if algorithm else None
            if told is not None:
                if told != sent:
                    self._refuse(algorithm, sent, told)
                self.verified = algorithm
            elif reply.get("ETag") is None:
                text = f"the answer to the upload of s3://{self.bucket}/{self.key} has no ETag, so it is not S3's"
                raise IncompleteTransferError(text)
        self.value = True
        self._source = b""  # as `let_go`
        return None

    def _refuse(self, algorithm: str, sent: str, told: str) -> None:
        text = (
            f"s3://{self.bucket}/{self.key} was sent with the {algorithm} {sent}, but S3 says {told} of what it has"
            " stored"
        )
        raise IntegrityError(text)

    def _settle(self, reply: Reply) -> None:
        """Find out whether the object that is there is this one."""
        body = self._source if isinstance(self._source, bytes) else b""
        if not is_same(reply, body, self._sent):
            text = f"s3://{self.bucket}/{self.key} is there already, and is another object; it is left as it is"
            raise PreconditionError(text) from self._obstacle
        if self._sent is not None and reply.get(f"Checksum{self._sent[0]}"):
            self.verified = self._sent[0]

    def facts(self) -> dict[str, Any]:
        """Return what `Outcome` says beside the value."""
        checksum = ":".join(self._sent) if self.verified and self._sent else None
        return {"size": self.size, "checksum": checksum, **super().facts()}

    def let_go(self) -> None:
        """Let go of the bytes: whoever keeps the handle does not keep them."""
        if not isinstance(self._source, bytes):
            self._source.close()
        self._source = b""


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

    __slots__ = ("_encoding", "_options", "_settings", "_target")
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

    def begin(self) -> Step:
        """Return the call; a place that can't be written to is told before it."""
        self._target.check()
        params = self._options.of("GetObject")
        params["Bucket"], params["Key"], params["ChecksumMode"] = self.bucket, self.key, "ENABLED"
        return Call("GetObject", params, most=self._settings.limits.threshold, owner=self)

    def receive(self, call: Call, reply: Reply) -> Step:
        """Take the object, verified; or the step that gets its ranges."""
        if call.too_long:
            self.length = reply.get("ContentLength")
            return lambda performer: self._in_ranges(performer, reply)
        body = reply.body
        self.size = len(body)
        if reply.get("ChecksumCRC32") == crc32(body):
            self.verified = "CRC32"
        elif (held := self._held(reply)) is not None:
            if held.parts is not None:
                return lambda performer: self._by_parts(performer, reply, body)
            self.verified = held.check(checksum_of(held.algorithm, body), f"s3://{self.bucket}/{self.key}")
        self._place(reply, body)
        return None

    def _held(self, reply: Reply) -> Stored | None:
        """Return the checksum that S3 holds."""
        held = {name: value for name in (*_CHECKSUMS, "ChecksumType") if (value := reply.get(name)) is not None}
        return stored(held) if held else None

    def _place(self, reply: Reply, body: bytes) -> None:
        """Put the object where it is wanted."""
        if self.verified is None and self._settings.verify == "always":
            refuse_unverified(self.bucket, self.key)
        self.value = self._target.place(body)
        if self._encoding is not None:
            self._decode(self._encoding)
        if self.value is not body:
            reply.let_go()  # whoever keeps the handle does not keep the bytes

    def _facts_of(self, reply: Reply) -> dict[str, Any]:
        sums = {name.removeprefix("Checksum"): reply.get(name) for name in _CHECKSUMS} if self.verified else {}
        checksum = next((f"{name}:{value}" for name, value in sums.items() if value), None)
        return {"etag": reply.get("ETag"), "version_id": reply.get("VersionId"), "checksum": checksum}

    def _by_parts(self, performer: Performer, reply: Reply, body: bytes) -> None:
        from mangrove.s3.large.composites import verify_parts  # noqa: PLC0415  most objects have a checksum of their own

        try:
            self.verified = verify_parts(performer, self, reply, body, self._options)
        except IntegrityError:
            self._in_ranges(performer, reply)  # once more, part by part
        else:
            self._place(reply, body)

    def _decode(self, encoding: str) -> None:
        try:
            self.value = self.value.decode(encoding)
        except UnicodeDecodeError as error:
            text = f"s3://{self.bucket}/{self.key} is no {encoding} text ({error.reason} at byte {error.start})"
        else:
            return
        # Out of the handler: the other error holds all the bytes.
        self.value = None
        raise TransferError(text)

    def _in_ranges(self, performer: Performer, first: Reply) -> None:
        from mangrove.s3.large.download import download_large  # noqa: PLC0415  what is small needs none of it

        download_large(performer, self, first, self._options, self._target)
        self.size = (self.details or {}).get("size")
        if self._encoding is not None:
            self._decode(self._encoding)

    def facts(self) -> dict[str, Any]:
        """Return what `Outcome` says beside the value."""
        known = self._facts_of(self.reply) if self.reply is not None else {}
        return {"size": self.size, **known, **(self.details or {})}
