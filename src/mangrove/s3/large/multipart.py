"""Carry one multipart upload of S3 from its beginning to its completion, or to its end without a trace."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from mangrove.errors import ConfigError, IncompleteTransferError, IntegrityError, TransferError
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.rules.checksums import SIZES, Algorithm, best, combine_parts, composite, member, parse
from mangrove.s3.rules.faults import code_of, status_of
from mangrove.s3.rules.integrity import stored
from mangrove.s3.rules.options import Options
from mangrove.s3.running.workers import Params, Workers, tell_beside

if TYPE_CHECKING:
    from mangrove.s3.running.handle import Handle
    from mangrove.s3.running.performing import Performer

__all__ = ["Multipart", "Sent", "Summing", "summing_of"]

_CRCS = frozenset({"CRC32", "CRC32C", "CRC64NVME"})
_MD5 = re.compile(r'\A"([0-9a-f]{32})"\Z')
_GONE = frozenset({"NoSuchUpload", "404"})
_CALLS = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
_FIRST_SERVER_ERROR = 500


class Summing(NamedTuple):
    """Say how an upload is summed.

    Attributes:
        algorithm: of its checksums.
        kind: "FULL_OBJECT" or "COMPOSITE".
        expected: the checksum of the whole object that the user has given, or None.
    """

    algorithm: Algorithm
    kind: str
    expected: str | None = None

    def whole(self, parts: Sequence[Sent]) -> str:
        """Return the object's checksum from those of its parts."""
        if self.kind == "FULL_OBJECT":
            return combine_parts(self.algorithm, [(part.checksum, part.size) for part in parts])
        return composite(self.algorithm, [part.checksum for part in parts])


class Sent(NamedTuple):
    """Be a part that S3 has.

    Attributes:
        number: from 1.
        size: its bytes.
        etag: S3's name for what it has stored.
        checksum: of its bytes, in base64.
        told: whether S3 has said the same checksum.
    """

    number: int
    size: int
    etag: str
    checksum: str
    told: bool


def summing_of(options: Options, chosen: str | None) -> Summing:
    """Return how an upload is summed, by what the user asks for.

    Args:
        options: of the upload.
        chosen: the algorithm where the options name none; None for the best one.

    Raises:
        ConfigError: something is asked for that an object in parts can't have.
    """
    given = [name for name in SIZES if f"Checksum{name}" in options]
    lost = [f"Checksum{name}" for name in given if name not in _CRCS] + options.lost(*_CALLS)
    if lost:
        text = (
            f"the object goes in parts, and S3 takes no {', '.join(lost)} of the whole then; give a CRC32, CRC32C or"
            " CRC64NVME, or none, or raise the threshold up to which an object goes in one request"
        )
        raise ConfigError(text)
    algorithm = parse(given[0] if given else options.get("ChecksumAlgorithm") or chosen or best())
    kind = options.get("ChecksumType") or ("FULL_OBJECT" if algorithm in _CRCS else "COMPOSITE")
    return Summing(algorithm, kind, options[member(algorithm)] if given else None)


class Multipart:
    """Be a multipart upload that S3 has begun.

    Args:
        handle: the operation it belongs to.
        params: the options of each call.
        upload_id: S3's name for it.
        summing: its checksums.

    Attributes:
        member: the API's name of a checksum.
    """

    def __init__(self, handle: Handle, params: Params, upload_id: str, summing: Summing) -> None:
        self.upload_id, self.summing = upload_id, summing
        self._handle, self._params = handle, params
        self.member = member(summing.algorithm)

    @classmethod
    def begin(
        cls, performer: Performer, handle: Handle, params: Params, summing: Summing, more: Mapping[str, Any] = {}
    ) -> Multipart:
        """Begin one.

        Args:
            performer: makes the call.
            handle: the operation it belongs to.
            params: the options of each call.
            summing: its checksums.
            more: further parameters of CreateMultipartUpload.
        """
        sums = {"ChecksumAlgorithm": summing.algorithm, "ChecksumType": summing.kind}
        wanted = {**params("CreateMultipartUpload"), **more, **sums}
        reply = performer.call("CreateMultipartUpload", wanted, retries=handle.retries)
        upload_id = reply.get("UploadId")
        if not upload_id:
            text = f"the server has not said the UploadId of what it began for s3://{handle.bucket}/{handle.key}"
            raise TransferError(text)
        return cls(handle, params, upload_id, summing)

    def send(self, workers: Workers, number: int, body: memoryview, checksum: str) -> Sent:
        """Send a part, in a worker's thread.

        Args:
            workers: make the call, with tries again.
            number: of the part, from 1.
            body: its bytes.
            checksum: theirs.
        """
        named = {"UploadId": self.upload_id, "PartNumber": number, self.member: checksum}
        params = {**self._params("UploadPart"), **named}
        params.pop("ChecksumAlgorithm", None)  # the checksum itself says which
        what = f"part {number} of s3://{self._handle.bucket}/{self._handle.key}"
        reply = workers.make(
            lambda: Call("UploadPart", params, body=body, owner=lambda reply: self._check_part(reply, checksum, what))
        )
        return Sent(number, body.nbytes, reply.data["ETag"], checksum, told=reply.get(self.member) is not None)

    def _check_part(self, reply: Reply, checksum: str, what: str) -> None:
        if not reply.get("ETag"):
            text = f"S3 answered with no ETag for {what}, so that the upload can't be completed with it"
            raise IncompleteTransferError(text)
        told = reply.get(self.member)
        if told not in (None, checksum):
            text = f"{what} was sent with the {self.summing.algorithm} {checksum}, but S3 has stored {told}"
            raise IntegrityError(text)

    def copy(self, workers: Workers, number: int, size: int, more: Mapping[str, Any]) -> Sent:
        """Have S3 copy a part from an object, in a worker's thread.

        Args:
            workers: make the call, with tries again.
            number: of the part, from 1.
            size: its bytes.
            more: further parameters of UploadPartCopy: its source, range and conditions.
        """
        named = {"UploadId": self.upload_id, "PartNumber": number, **more}
        params = {**self._params("UploadPartCopy"), **named}
        found = workers.make(lambda: Call("UploadPartCopy", params, owner=_check_copied)).data["CopyPartResult"]
        told = found.get(self.member)
        return Sent(number, size, found["ETag"], told or "", told=told is not None)

    def complete(self, performer: Performer, parts: Sequence[Sent]) -> None:
        """Make the parts an object, and tell the handle.

        Args:
            performer: makes the calls.
            parts: all of them, in order.

        Raises:
            IntegrityError: the object is not what was sent, or not what the user has given the checksum of.
        """
        size = sum(part.size for part in parts)
        known = all(part.told for part in parts)
        whole = self.summing.whole(parts) if all(part.checksum for part in parts) else None
        self._check_expected(whole)
        params = self._completing(parts, size, whole if known else None)
        data = self._completed(performer, params, parts, whole)
        held = stored({name: value for name, value in data.items() if name in (self.member, "ChecksumType")})
        handle = self._handle
        if held is not None and whole is not None:
            compared = whole if (held.parts is None) == (self.summing.kind == "FULL_OBJECT") else None
            # What the server has put together in its own way is compared with the same.
            compared = compared or composite(self.summing.algorithm, [part.checksum for part in parts])
            handle.verified = held.check(compared, f"s3://{handle.bucket}/{handle.key}")
        handle.details = {
            "size": size,
            "etag": data.get("ETag"),
            "version_id": data.get("VersionId"),
            "checksum": f"{self.summing.algorithm}:{held.value}" if held else None,
        }

    def _check_expected(self, whole: str | None) -> None:
        expected = self.summing.expected
        if expected is not None and self.summing.kind == "FULL_OBJECT" and whole != expected:
            where = f"s3://{self._handle.bucket}/{self._handle.key}"
            text = f"the bytes for {where} have the {self.summing.algorithm} {whole}, but {expected} was given"
            raise IntegrityError(text)

    def _completing(self, parts: Sequence[Sent], size: int, whole: str | None) -> dict[str, Any]:
        """Return the parameters; a server that said no checksum of a part is asked for none of the object."""
        listed = [
            {"PartNumber": part.number, "ETag": part.etag, **({self.member: part.checksum} if part.told else {})}
            for part in parts
        ]
        params = {**self._params("CompleteMultipartUpload"), "UploadId": self.upload_id}
        params["MultipartUpload"] = {"Parts": listed}
        params.pop(self.member, None)
        params.pop("ChecksumType", None)
        if whole is not None:
            params |= {self.member: whole, "ChecksumType": self.summing.kind, "MpuObjectSize": size}
        return params

    def _completed(
        self, performer: Performer, params: dict[str, Any], parts: Sequence[Sent], whole: str | None
    ) -> Mapping[str, Any]:
        """Complete it; where an answer was lost, an error of the next try may mean that it is complete."""
        calls: list[Call] = []

        def call() -> Call:
            calls.append(Call("CompleteMultipartUpload", params))
            return calls[-1]

        try:
            return performer.make(call, retries=self._handle.retries).data
        except Exception as error:
            answered = isinstance(error, ClientError) and status_of(error) < _FIRST_SERVER_ERROR
            unsure = any(each.sent for each in (calls[:-1] if answered else calls))
            found = self._found(performer, parts, whole) if unsure else None
            if found is None:
                raise
            return found

    def _found(self, performer: Performer, parts: Sequence[Sent], whole: str | None) -> Mapping[str, Any] | None:
        """Return the object if it is there and is this one."""
        asked = {**self._params("HeadObject"), "ChecksumMode": "ENABLED"}
        try:
            data = performer.call("HeadObject", asked, retries=self._handle.retries).data
        except Exception:  # noqa: BLE001  the first error is raised
            return None
        if data.get("ContentLength") != sum(part.size for part in parts):
            return None
        same = whole is not None and data.get(self.member) == whole
        return data if same or data.get("ETag") == _etag(parts) else None

    def abort(self, performer: Performer, error: BaseException) -> bool:
        """End it so that nothing is left; return whether that went well.

        Args:
            performer: makes the call.
            error: why; if the end fails, its message says so.
        """
        params = {**self._params("AbortMultipartUpload"), "UploadId": self.upload_id}
        # Whoever presses Ctrl-C does not wait for a network that is gone.
        retries = self._handle.retries if isinstance(error, Exception) else 0
        try:
            performer.call("AbortMultipartUpload", params, retries=retries)
        except Exception as failed:  # noqa: BLE001  it is told with the first
            if code_of(failed) in _GONE:
                return True
            text = (
                f"its parts are still there, as the multipart upload {self.upload_id} could not be aborted ({failed});"
                " abort it, or let `mangrove s3 sweep` do it"
            )
            tell_beside(error, text)
            return False
        return True


def _check_copied(reply: Reply) -> None:
    if not (reply.get("CopyPartResult") or {}).get("ETag"):
        text = "S3 answered UploadPartCopy with no ETag, so that the upload can't be completed with the part"
        raise IncompleteTransferError(text)


def _etag(parts: Sequence[Sent]) -> str | None:
    """Return what S3 calls an object made of these parts, where their ETags are MD5s."""
    found = [_MD5.match(part.etag) for part in parts]
    if not all(found):
        return None
    digests = b"".join(bytes.fromhex(each[1]) for each in found if each)
    return f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"'
