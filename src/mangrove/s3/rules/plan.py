"""Cut objects into parts within S3's limits, and say which are still missing: arithmetic alone, so that laws hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mangrove.errors import ConfigError

__all__ = [
    "COPY",
    "LARGEST_OBJECT",
    "LARGEST_PART",
    "LARGEST_PUT",
    "LEAST_PART",
    "MOST_PARTS",
    "Limits",
    "Part",
    "Plan",
    "download_plan",
    "gaps",
    "missing",
    "stream_capacity",
    "stream_part_size",
    "upload_plan",
]

MIB = 1 << 20
GIB = 1 << 30
MOST_PARTS = 10_000
LEAST_PART = 5 * MIB  # but for the last one
LARGEST_PART = 5 * GIB
LARGEST_PUT = 5 * GIB  # in one PutObject or CopyObject
# AWS speaks of objects to 50 TB; what holds is what parts allow: 10,000 of 5 GiB, 48.8 TiB or 53.7 TB.
LARGEST_OBJECT = MOST_PARTS * LARGEST_PART
_DOUBLES_EVERY = 1000  # parts of a stream


@dataclass(frozen=True, slots=True)
class Part:
    """Be a run of bytes of an object.

    Args:
        number: from 1.
        start: where it begins, in bytes.
        size: its bytes; 0 only for the one part of an empty object.

    Example:
        >>> Part(2, 5, 3).range, Part(2, 5, 3).stop
        ('bytes=5-7', 8)
    """

    number: int
    start: int
    size: int

    @property
    def stop(self) -> int:
        """Return where it ends: the first byte that is not part of it."""
        return self.start + self.size

    @property
    def range(self) -> str:
        """Return it as the `Range` of GetObject and the `CopySourceRange` of UploadPartCopy.

        Raises:
            ValueError: it is empty, and HTTP knows no empty range; ask for the whole object.
        """
        if not self.size:
            text = "an empty part has no range"
            raise ValueError(text)
        return f"bytes={self.start}-{self.stop - 1}"


@dataclass(frozen=True, slots=True)
class Limits:
    """Be from which size on an object is cut, and into parts of which size.

    Args:
        threshold: bytes that still go in one request; at most 5 GiB. 16 MiB: repeating that much costs little.
        part_size: bytes of a part, 5 MiB to 5 GiB; it grows where 10,000 parts would not hold the object. 16 MiB:
            eight in flight fill a fast line and take 128 MiB.
        least: the smallest part that the server takes; S3's is 5 MiB, other servers may take less.

    Raises:
        ConfigError: one of them is not within S3's limits.

    Source: "Amazon S3 multipart upload limits" in the Amazon S3 user guide.
    """

    threshold: int = 16 * MIB
    part_size: int = 16 * MIB
    least: int = LEAST_PART

    def __post_init__(self) -> None:
        _within("threshold", self.threshold, 0, LARGEST_PUT)
        _within("least", self.least, 1, LEAST_PART)
        _within("part_size", self.part_size, self.least, LARGEST_PART)


def _within(name: str, value: object, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        text = f"{name} is a whole number of bytes from {low} to {high}; got {value!r}"
        raise ConfigError(text)


# Server-side copies move no bytes here, so that larger parts cost nothing but time to repeat.
COPY = Limits(threshold=256 * MIB, part_size=64 * MIB)
USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Plan:
    """Be the parts of an object: all of `part_size` but the last, worked out when asked for.

    Args:
        size: bytes of the object.
        part_size: bytes of a part.
        multipart: whether it is to go in parts even if it is only one.

    Example:
        >>> [part.range for part in Plan(12, 5, multipart=True)]
        ['bytes=0-4', 'bytes=5-9', 'bytes=10-11']
    """

    size: int
    part_size: int
    multipart: bool

    def __len__(self) -> int:
        return max(1, -(-self.size // self.part_size))

    def __iter__(self) -> Iterator[Part]:
        return map(self.part, range(1, len(self) + 1))

    def part(self, number: int) -> Part:
        """Return a part by its number, from 1.

        Raises:
            IndexError: there is no such part.
        """
        if not 1 <= number <= len(self):
            text = f"no part {number} of {len(self)}"
            raise IndexError(text)
        start = (number - 1) * self.part_size
        return Part(number, start, min(self.part_size, self.size - start))


def upload_plan(size: int, limits: Limits = USUAL) -> Plan:
    """Return how an object of a known size is uploaded, or copied with `COPY` for the limits.

    Args:
        size: bytes of the object.
        limits: see `Limits`.

    Raises:
        ConfigError: no object of S3 can be as large.

    Example:
        >>> upload_plan(2**20).multipart, len(upload_plan(2**30)), upload_plan(2**40).part_size // 2**20
        (False, 64, 105)
    """
    if type(size) is not int or size < 0:
        text = f"a size is a whole number of bytes; got {size!r}"
        raise ConfigError(text)
    if size > LARGEST_OBJECT:
        text = (
            f"{size} bytes are more than an object of S3 can have, {LARGEST_OBJECT}"
            f" ({MOST_PARTS} parts of 5 GiB, 48.8 TiB); cut it into several objects"
        )
        raise ConfigError(text)
    if size <= limits.threshold:
        return Plan(size, max(1, size), multipart=False)
    part_size = limits.part_size
    if part_size * MOST_PARTS < size:
        # Whole MiB, as far as that fits: parts are read in blocks.
        part_size = min(LARGEST_PART, -(-size // (MOST_PARTS * MIB)) * MIB)
    return Plan(size, part_size, multipart=True)


def stream_part_size(number: int, first: int = USUAL.part_size) -> int:
    """Return the size of a part of a stream whose length nobody knows.

    The parts double every 1,000, to at most 5 GiB: the first 15 GiB go in parts of 16 MiB, and 12.7 TiB fit into 10,000
    parts. (48.8 TiB would fit only if all of them, the first one too, had 5 GiB.)

    Args:
        number: of the part, from 1.
        first: bytes of the first parts.

    Raises:
        ConfigError: the stream has more bytes than the parts hold.

    Example:
        >>> [stream_part_size(number) // 2**20 for number in (1, 1000, 1001, 5000, 10_000)]
        [16, 16, 32, 256, 5120]
    """
    if number > MOST_PARTS:
        text = (
            f"the stream is longer than {stream_capacity(first)} bytes, all that {MOST_PARTS} parts hold which begin"
            f" with {first} bytes; say its size, or choose a larger part_size (at most {LARGEST_PART})"
        )
        raise ConfigError(text)
    return min(LARGEST_PART, first << (number - 1) // _DOUBLES_EVERY)


def stream_capacity(first: int = USUAL.part_size) -> int:
    """Return how many bytes a stream can have whose first parts have so many bytes.

    Example:
        >>> round(stream_capacity() / 2**40, 1)
        12.7
    """
    return _DOUBLES_EVERY * sum(stream_part_size(number, first) for number in range(1, MOST_PARTS, _DOUBLES_EVERY))


def download_plan(size: int, limits: Limits = USUAL) -> Plan:
    """Return how an object is downloaded: in one request, or in ranges.

    Args:
        size: bytes of the object.
        limits: of which the number of parts and the least size mean nothing here.

    Example:
        >>> [part.range for part in download_plan(40 * 2**20)]
        ['bytes=0-16777215', 'bytes=16777216-33554431', 'bytes=33554432-41943039']
    """
    if size <= limits.threshold:
        return Plan(size, max(1, size), multipart=False)
    return Plan(size, limits.part_size, multipart=True)


def missing(plan: Plan, done: Mapping[int, int]) -> Iterator[Part]:
    """Yield the parts that are still to be transferred.

    Args:
        plan: the same plan that the earlier run had.
        done: the bytes of each part that is there, by its number, such as ListParts says; a part of another size is
            from another plan, and is sent again.

    Example:
        >>> [part.number for part in missing(Plan(12, 5, multipart=True), {1: 5, 3: 5})]
        [2, 3]
    """
    return (part for part in plan if done.get(part.number) != part.size)


def gaps(size: int, done: Iterable[tuple[int, int]], part_size: int) -> Iterator[Part]:
    """Yield the parts of a download that are still missing, none larger than `part_size`, in order.

    Args:
        size: bytes of the object.
        done: runs of bytes that are there, each from its first byte to the one after its last, in any order; they may
            overlap.
        part_size: the most bytes to ask for at once.

    Example:
        >>> [part.range for part in gaps(20, [(0, 5), (3, 8)], 8)]
        ['bytes=8-15', 'bytes=16-19']
    """
    number = place = 0
    for start, stop in (*sorted(done), (size, size)):
        while place < min(start, size):
            number += 1
            part = Part(number, place, min(part_size, start - place, size - place))
            yield part
            place = part.stop
        place = max(place, stop)
