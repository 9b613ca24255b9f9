"""Compare bytes with the checksum that S3 holds of them: the verdict of `Outcome.verified`, or an IntegrityError."""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mangrove.errors import IntegrityError
from mangrove.s3.rules.checksums import SIZES, Algorithm, Buffer, checksum, crc32, is_fast, parse

__all__ = ["Stored", "stored", "verify"]

_MEMBERS = tuple((name, f"Checksum{name}") for name in SIZES)
_OF_PARTS = re.compile(r"\A([A-Za-z0-9+/]+={0,2})-([1-9][0-9]{0,4})\Z")


@dataclass(frozen=True, slots=True)
class Stored:
    """Be a checksum that S3 holds of an object, or of a part if that was asked for.

    Attributes:
        algorithm: the algorithm's name.
        value: the checksum in base64; with `-N` behind it if it is one of the checksums of N parts.
        parts: the number of those parts, or None if it is of the bytes themselves.
    """

    algorithm: Algorithm
    value: str
    parts: int | None = None

    @property
    def verdict(self) -> str:
        """Return what `Outcome.verified` says once the bytes are found to agree.

        Example:
            >>> stored({"ChecksumSHA256": checksum("SHA256", b"") + "-3"}).verdict
            'SHA256 (composite)'
        """
        return self.algorithm if self.parts is None else f"{self.algorithm} (composite)"

    def check(self, found: str, what: str) -> str:
        """Compare it with what the bytes gave, and return the verdict.

        Args:
            found: the checksum of the bytes as S3 writes it: see `Checksum.value`, `combine_parts` and `composite`.
            what: what the bytes are, for the message, such as "s3://bucket/key".

        Raises:
            IntegrityError: they differ.
        """
        if found != self.value:
            text = (
                f"the bytes of {what} have the {self.verdict} {found}, but S3 holds {self.value}; they were changed"
                " on their way and are not used: try again, and if it goes on, suspect a proxy, memory or a disk"
            )
            raise IntegrityError(text)
        return self.verdict


def stored(data: Mapping[str, Any]) -> Stored | None:
    """Return the best checksum in an answer of S3, or None if there is none that can be computed here.

    One of the bytes themselves is better than one of the parts' checksums; among equals what compiled code computes.
    The ETag is left alone: whether it is an MD5 depends on how the object was encrypted and uploaded.

    Args:
        data: an answer as botocore parses it: of GetObject or HeadObject with `ChecksumMode='ENABLED'`, PutObject,
            CompleteMultipartUpload, or the `Checksum` of GetObjectAttributes. Of a GetObject of a range the checksum
            says nothing about the range, unless the range is one whole part of the object.

    Example:
        >>> stored({"ETag": '"1"', "ChecksumCRC32": "y/Q5Jg==", "ChecksumType": "FULL_OBJECT"})
        Stored(algorithm='CRC32', value='y/Q5Jg==', parts=None)
        >>> stored({"ETag": '"1"'})
    """
    if not any(name.startswith("Checksum") for name in data):
        return None
    read = (_read(name, data.get(key), data.get("ChecksumType")) for name, key in _MEMBERS)
    found = [each for each in read if each is not None]
    return min(found, key=lambda each: (each.parts is not None, not is_fast(each.algorithm)), default=None)


def _read(name: str, value: object, kind: object) -> Stored | None:
    """Read one checksum; what a server writes that is none of its algorithm is none."""
    if not isinstance(value, str):
        return None
    match = _OF_PARTS.match(value)
    text = match[1] if match else value
    try:
        fits = len(a2b_base64(text)) == SIZES[name] and b2a_base64(a2b_base64(text), newline=False) == text.encode()
    except ValueError:
        return None
    if not fits or (match and kind == "FULL_OBJECT"):
        return None
    return Stored(parse(name), value, int(match[2]) if match else None)


def verify(data: Mapping[str, Any], body: Buffer, what: str) -> str | None:
    """Verify all the bytes of an object that came in one answer.

    Args:
        data: the answer as botocore parses it.
        body: the bytes.
        what: what they are, for the message, such as "s3://bucket/key".

    Returns:
        What `Outcome.verified` says, or None if S3 holds nothing to verify them by: no checksum, one that can't be
        computed here, or one of parts, which takes the parts.

    Raises:
        IntegrityError: they are not the bytes that S3 has a checksum of.

    Example:
        >>> verify({"ChecksumCRC32": "y/Q5Jg=="}, b"123456789", "s3://logs/a")
        'CRC32'
    """
    # By far the most common case, at a third of the cost.
    value = data.get("ChecksumCRC32")
    if value is not None and value == crc32(body):
        return "CRC32"
    held = stored(data)
    if held is None or held.parts is not None:
        return None
    return held.check(checksum(held.algorithm, body), what)
