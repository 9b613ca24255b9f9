"""Know which runs of an object have checksums of their own, so that ranges are cut there and can be verified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mangrove.errors import TransferError
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.rules.checksums import Algorithm, Buffer, Checksum, combine_parts, composite
from mangrove.s3.rules.integrity import Stored, stored
from mangrove.s3.rules.plan import Part
from mangrove.s3.running.workers import Params, Workers

__all__ = ["Layout", "Running", "layout_of"]

_CRCS = frozenset({"CRC32", "CRC32C", "CRC64NVME"})
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Layout:
    """Be what the bytes of an object are verified by.

    Attributes:
        size: all its bytes.
        held: what S3 holds, or None if there is nothing that could be compared.
        spans: bytes of each run that is summed by itself: the whole, or the parts it was uploaded in.
    """

    size: int
    held: Stored | None
    spans: Sequence[int]

    @property
    def combining(self) -> Algorithm | None:
        """Return the algorithm if checksums of ranges are combined; else they are not asked for."""
        return self.held.algorithm if self.held is not None and self.held.algorithm in _CRCS else None

    def pieces(self, most: int) -> Iterator[Part]:
        """Yield ranges of at most so many bytes, none across the end of a span.

        Example:
            >>> [part.range for part in Layout(12, None, [8, 4]).pieces(5)]
            ['bytes=0-4', 'bytes=5-7', 'bytes=8-11']
        """
        number = start = 0
        for span in self.spans:
            end = start + span
            while start < end:
                number += 1
                part = Part(number, start, min(most, end - start))
                yield part
                start = part.stop

    def check(self, sums: Sequence[tuple[str, int]], what: str) -> str | None:
        """Compare what S3 holds with the checksums of runs that make up the spans.

        Args:
            sums: the checksum of each run in base64, and its bytes, in order.
            what: the object's name, for the message.

        Returns:
            What `Outcome.verified` says, or None if S3 holds nothing.

        Raises:
            IntegrityError: they differ.
        """
        held = self.held
        if held is None:
            return None
        whole = [value for value, _ in sums] if self.combining is None else self._combined(held.algorithm, sums)
        return held.check(whole[0] if held.parts is None else composite(held.algorithm, whole), what)

    def _combined(self, algorithm: Algorithm, sums: Sequence[tuple[str, int]]) -> list[str]:
        """Return the checksum of each span."""
        at, found = 0, []
        for span in self.spans:
            first, left = at, span
            while left > 0:
                left -= sums[at][1]
                at += 1
            found.append(combine_parts(algorithm, sums[first:at]))
        return found


class Running:
    """Sum bytes that come in order, a span after the other: hashes can't be combined.

    Args:
        layout: has the spans, and what is compared.
    """

    def __init__(self, layout: Layout) -> None:
        held = layout.held
        self._algorithm: Algorithm = "CRC32" if held is None else held.algorithm
        self._spans = iter(layout.spans)
        self._left = next(self._spans, 0)
        self._sum = Checksum(self._algorithm)
        self._sums: list[tuple[str, int]] = []

    def update(self, data: Buffer) -> None:
        """Take the next bytes."""
        view = memoryview(data)
        while view.nbytes:
            taken = view[: self._left]
            self._sum.update(taken)
            self._left -= taken.nbytes
            view = view[taken.nbytes :]
            if not self._left:
                self._sums.append((self._sum.value, self._sum.length))
                self._sum = Checksum(self._algorithm)
                self._left = next(self._spans, 1 << 62)

    def sums(self) -> list[tuple[str, int]]:
        """Return the checksum of each span."""
        return self._sums


def layout_of(workers: Workers, reply: Reply, size: int, params: Params, version: Mapping[str, Any]) -> Layout:
    """Return what an object is verified by, and ask S3 for the sizes of its parts if that takes them.

    Args:
        workers: make the calls.
        reply: the first answer of GetObject, with the checksums.
        size: bytes of the object.
        params: returns the parameters of each call.
        version: the `VersionId` to name, if there is one.
    """
    held = None if reply.get("ContentRange") else stored(reply.data)
    if held is None or held.parts is None:
        return Layout(size, held, [size])
    spans = _listed(workers, params, version) or _asked(workers, held.parts, params, version)
    if len(spans) != held.parts or sum(spans) != size:
        return Layout(size, None, [size])
    return Layout(size, held, spans)


def _listed(workers: Workers, params: Params, version: Mapping[str, Any]) -> list[int]:
    """Return the sizes of the parts as GetObjectAttributes lists them; nothing if it does not."""
    wanted = {**params("GetObjectAttributes"), **version, "ObjectAttributes": ["ObjectParts"], "MaxParts": _PAGE}
    sizes: list[int] = []
    try:
        while True:
            found = workers.make(lambda: Call("GetObjectAttributes", dict(wanted))).get("ObjectParts") or {}
            sizes += [int(part["Size"]) for part in found.get("Parts") or ()]
            if not found.get("IsTruncated"):
                return sizes
            wanted["PartNumberMarker"] = found["NextPartNumberMarker"]
    except TransferError:  # another permission than that to read; or a server that has no such call
        return []


def _asked(workers: Workers, count: int, params: Params, version: Mapping[str, Any]) -> list[int]:
    """Return the sizes of the parts as HeadObject gives each; nothing if it does not."""
    wanted = {**params("HeadObject"), **version}

    def size_of(number: int) -> int:
        try:
            reply = workers.make(lambda: Call("HeadObject", {**wanted, "PartNumber": number}))
        except TransferError:
            return 0
        return int(reply.data["ContentLength"]) if reply.get("PartsCount") == count else 0

    sizes: list[int] = []
    if size_of(1):
        workers.run(size_of, range(1, count + 1), sizes.append)
    return sizes
