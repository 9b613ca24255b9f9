"""Be an object as a file to read: seekable, fetched in ranges of one and the same version, ahead of who reads on."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from mangrove.errors import IncompleteTransferError, IntegrityError, MangroveError, ObjectChangedError, TransferError
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.rules.checksums import Checksum, is_fast
from mangrove.s3.rules.faults import status_of
from mangrove.s3.rules.integrity import stored
from mangrove.s3.rules.options import NONE, Options
from mangrove.s3.running.handle import Handle, Step
from mangrove.s3.running.workers import tell_beside

if TYPE_CHECKING:
    from mangrove.s3.running.performing import Performer

__all__ = ["LEAST_AHEAD", "ObjectReader"]

LEAST_AHEAD = 1 << 17
_MOST_AHEAD = 1 << 24
_PRECONDITION = 412
_PARTIAL = 206


class ObjectReader(io.BufferedReader):
    """Be a buffered reader of an object.

    Attributes:
        verified: once it was read from its start to its end in one go, by what its bytes were verified, such as
            "CRC64NVME"; None before that, and where S3 holds nothing that they could be.
    """

    raw: Ranges  # pyright: ignore[reportIncompatibleVariableOverride]

    @property
    def verified(self) -> str | None:
        """Return by what the bytes were verified."""
        return self.raw.verified

    @property
    def size(self) -> int:
        """Return the bytes of the object."""
        return self.raw.size


class Ranges(io.RawIOBase):
    """Read an object by ranges, each of the version that was there when it was opened.

    Args:
        performer: makes the calls.
        bucket: its bucket.
        key: its key.
        options: of the download.
        least: bytes that are asked for at first; twice as many each time, up to 16 MiB, while one is read after the
            other.

    Raises:
        NotFoundError: there is no such object.
    """

    def __init__(
        self, performer: Performer, bucket: str, key: str, options: Options = NONE, least: int = LEAST_AHEAD
    ) -> None:
        super().__init__()
        self._performer, self._what = performer, f"s3://{bucket}/{key}"
        own = {"Bucket": bucket, "Key": key}
        try:
            head = performer.call("HeadObject", {**options.of("HeadObject"), **own, "ChecksumMode": "ENABLED"})
        except MangroveError as error:
            tell_beside(error, f"this was the opening of {self._what}")
            raise
        self.size: int = head.get("ContentLength")
        if type(self.size) is not int:
            text = f"the server does not say how long {self._what} is, so that it can't be read as a file; download it"
            raise TransferError(text)
        self._params = {**options.of("GetObject"), **own}
        if head.get("ETag"):
            self._params["IfMatch"] = head.get("ETag")
        if head.get("VersionId"):
            self._params["VersionId"] = head.get("VersionId")
        self._place = self._start = 0
        self._block = b""
        self._least = self._ahead = max(1, least)
        self._held = stored(head.data)
        self._sum: Checksum | None = None
        if self._held is not None and self._held.parts is None and is_fast(self._held.algorithm):
            self._sum = Checksum(self._held.algorithm)
        self.verified: str | None = None

    @property
    def name(self) -> str:
        """Return the object's address."""
        return self._what

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        self._check_open()
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; nothing is fetched before something is read there."""
        self._check_open()
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}
        if whence not in base:
            text = f"whence is 0, 1 or 2; got {whence!r}"
            raise ValueError(text)
        place = base[whence] + offset
        if place < 0:
            text = f"a place in a file is 0 or more; got {place}"
            raise ValueError(text)
        self._place = place
        return place

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there are bytes at hand, and fetch more if there are none."""
        self._check_open()
        view = memoryview(buffer).cast("B")
        wanted = min(view.nbytes, self.size - self._place)
        if wanted <= 0:
            return 0
        offset = self._place - self._start
        if not 0 <= offset < len(self._block):
            self._fetch(wanted)
            offset = 0
        with memoryview(self._block) as block:
            found = block[offset : offset + wanted]
            view[: found.nbytes] = found
            self._add(found)
        return found.nbytes

    def readall(self) -> bytes:
        """Return all that is left."""
        pieces = bytearray(max(0, self.size - self._place))
        with memoryview(pieces) as view:
            place = 0
            while place < len(pieces):
                place += self.readinto(view[place:])
        return bytes(pieces)

    def _fetch(self, wanted: int) -> None:
        follows = self._place == self._start + len(self._block)
        self._ahead = min(_MOST_AHEAD, self._ahead * 2) if follows and self._block else self._least
        size = min(max(self._ahead, min(wanted, _MOST_AHEAD)), self.size - self._place)
        handle = _Range(self._params, self._place, size, self.size)
        # What was there is let go first: one block at a time is held.
        self._block = b""
        self._block, self._start = self._performer.run(handle).result(), self._place

    def _add(self, view: memoryview) -> None:
        """Take note of bytes that were read."""
        running, held = self._sum, self._held
        if running is not None and held is not None:
            if running.length != self._place:
                self._sum = None
            else:
                running.update(view)
                if running.length == self.size:
                    self.verified = held.check(running.value, self._what)
        self._place += view.nbytes

    def _check_open(self) -> None:
        if self.closed:
            text = f"{self._what} was closed"
            raise ValueError(text)

    def close(self) -> None:
        """Let go of what was fetched."""
        self._block = b""
        super().close()


class _Range(Handle):
    """Get a range of an object."""

    __slots__ = ("_params", "_place", "_size", "_whole")
    operation: ClassVar[str] = "download"

    def __init__(
        self,
        params: dict[str, Any],
        place: int,
        size: int,
        whole: int,
        callback: Callable[[Any], object] | None = None,
    ) -> None:
        super().__init__(params["Bucket"], params["Key"], callback)
        self._params, self._place, self._size, self._whole = params, place, size, whole

    def begin(self) -> Step:
        span = f"bytes={self._place}-{self._place + self._size - 1}"
        return Call("GetObject", {**self._params, "Range": span}, most=self._size, owner=self)

    def recover(self, call: Call, error: Exception) -> Step:
        del call
        if status_of(error) == _PRECONDITION:
            raise self._changed() from error
        raise error

    def _changed(self) -> ObjectChangedError:
        return ObjectChangedError(f"s3://{self.bucket}/{self.key} was changed after it was opened; open it again")

    def receive(self, call: Call, reply: Reply) -> Step:
        etag = self._params.get("IfMatch")
        if etag is not None and reply.get("ETag") not in (None, etag):  # not all servers look at If-Match
            raise self._changed()
        is_whole = self._place == 0 and self._size == self._whole
        told = reply.get("ContentRange") or ("" if reply.status == _PARTIAL or not is_whole else None)
        expected = f"bytes {self._place}-{self._place + self._size - 1}/"
        if call.too_long or (told is not None and not told.startswith(expected)):
            text = f"s3://{self.bucket}/{self.key}: {expected[:-1]} was asked for, and {told or 'something else'} came"
            raise IntegrityError(text)
        if len(reply.body) != self._size:
            text = f"s3://{self.bucket}/{self.key}: of {self._size} bytes at {self._place} came {len(reply.body)}"
            raise IncompleteTransferError(text)
        self.value = reply.body
        return None
