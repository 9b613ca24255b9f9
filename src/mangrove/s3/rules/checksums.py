"""Compute and combine the checksums that S3 keeps, so that bytes are verified wherever S3 lets us."""

from __future__ import annotations

import hashlib
import importlib
import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable
from functools import cache
from typing import Literal, get_args

from mangrove.errors import ConfigError
from mangrove.s3.rules import crc

__all__ = [
    "SIZES",
    "Algorithm",
    "Buffer",
    "Checksum",
    "best",
    "checksum",
    "combine",
    "combine_parts",
    "composite",
    "crc32",
    "is_fast",
    "member",
    "parse",
]

Algorithm = Literal["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5"]
Buffer = bytes | bytearray | memoryview

_CRCS = {"CRC32": crc.CRC32, "CRC32C": crc.CRC32C, "CRC64NVME": crc.CRC64NVME}
_HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512, "MD5": hashlib.md5}
# Bytes of each.
SIZES = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32, "SHA512": 64, "MD5": 16}


@cache
def _function(algorithm: str) -> Callable[[Buffer, int], int]:
    """Return what continues a CRC: zlib's, awscrt's if it is installed, or our own, thirty times slower."""
    if algorithm == "CRC32":
        return zlib.crc32
    try:
        native = importlib.import_module("awscrt.checksums")
    except ImportError:
        return _CRCS[algorithm].update
    found: Callable[[Buffer, int], int] | None = getattr(native, algorithm.lower(), None)
    return found or _CRCS[algorithm].update


def is_fast(algorithm: Algorithm) -> bool:
    """Return whether compiled code computes the checksum; else CRC32C and CRC64NVME take some 3 and 5 ms a MiB."""
    return algorithm in _HASHES or getattr(_function(algorithm), "__self__", None) is not _CRCS[algorithm]


def best() -> Algorithm:
    """Return the algorithm for large objects: CRC64NVME if awscrt is installed (`pymangrove[s3]`), else CRC32.

    Both are full-object checksums, combined from those of the parts.
    """
    return "CRC64NVME" if is_fast("CRC64NVME") else "CRC32"


def parse(name: object) -> Algorithm:
    """Read the name of an algorithm, in capitals or not.

    Raises:
        ConfigError: it is none that can be computed here.

    Example:
        >>> parse("crc32c")
        'CRC32C'
        >>> parse("xxhash3")
        Traceback (most recent call last):
        ...
        mangrove.errors.ConfigError: no checksum algorithm 'xxhash3' can be computed here; choose one of CRC32, CRC32C,
        CRC64NVME, SHA1, SHA256, SHA512, MD5
    """
    wanted = name.upper() if isinstance(name, str) else None
    for known in get_args(Algorithm):
        if known == wanted:
            return known  # type: ignore[no-any-return]  # mypy takes a Literal's own names for Any
    text = f"no checksum algorithm {name!r} can be computed here; choose one of {', '.join(SIZES)}"
    raise ConfigError(text)


def member(algorithm: Algorithm) -> str:
    """Return the API's name of the checksum, in requests and in answers alike.

    Example:
        >>> member("CRC64NVME")
        'ChecksumCRC64NVME'
    """
    return f"Checksum{algorithm}"


def crc32(data: Buffer) -> str:
    """Return the CRC32 of a small object as S3 writes it: what a batch of uploads sends with each.

    Example:
        >>> crc32(b"123456789")
        'y/Q5Jg=='
    """
    return b2a_base64(zlib.crc32(data).to_bytes(4, "big"), newline=False).decode("ascii")


def checksum(algorithm: Algorithm, data: Buffer) -> str:
    """Return the checksum of all the data as S3 writes it, in base64.

    Example:
        >>> checksum("CRC64NVME", b"123456789")
        'rosUhgp5mIg='
    """
    if algorithm == "CRC32":
        return crc32(data)
    running = Checksum(algorithm)
    running.update(data)
    return running.value


class Checksum:
    """Be a checksum that grows with the bytes.

    Args:
        algorithm: its name, as S3 writes it.
        crc: where a CRC starts: that of all the bytes before, such as those of an earlier run.

    Attributes:
        length: bytes so far.

    Example:
        >>> running = Checksum("CRC32")
        >>> running.update(b"12345")
        >>> running.update(memoryview(b"6789"))
        >>> running.value, running.length
        ('y/Q5Jg==', 9)
    """

    __slots__ = ("_continue", "_crc", "_hash", "_size", "algorithm", "length")

    def __init__(self, algorithm: Algorithm, crc: int = 0) -> None:
        self.algorithm = algorithm
        self.length = 0
        self._size = SIZES[algorithm]
        self._crc = crc
        self._hash = _HASHES[algorithm](usedforsecurity=False) if algorithm in _HASHES else None
        self._continue = _function(algorithm) if self._hash is None else None

    def update(self, data: Buffer) -> None:
        """Take the next bytes."""
        self.length += data.nbytes if isinstance(data, memoryview) else len(data)
        if self._continue is not None:
            self._crc = self._continue(data, self._crc)
        elif self._hash is not None:
            self._hash.update(data)

    @property
    def crc(self) -> int:
        """Return the CRC as a number, for `combine`.

        Raises:
            ConfigError: it is a hash, which can't be combined.
        """
        if self._hash is not None:
            raise _not_combined(self.algorithm)
        return self._crc

    def digest(self) -> bytes:
        """Return the checksum of the bytes so far as bytes."""
        return self._crc.to_bytes(self._size, "big") if self._hash is None else self._hash.digest()

    @property
    def value(self) -> str:
        """Return the checksum of the bytes so far as S3 writes it, in base64."""
        return b2a_base64(self.digest(), newline=False).decode("ascii")


def _not_combined(algorithm: str) -> ConfigError:
    return ConfigError(f"{algorithm} of parts can't be combined; only {', '.join(_CRCS)} can")


def combine(algorithm: Algorithm, first: int, second: int, length: int) -> int:
    """Return the CRC of two runs of bytes from the CRC of each, without the bytes.

    Args:
        algorithm: one of the three CRCs.
        first: the CRC of the first run.
        second: the CRC of the second run.
        length: bytes of the second run.

    Raises:
        ConfigError: the algorithm is a hash, which can't be combined.

    Example:
        >>> hex(combine("CRC32", zlib.crc32(b"12345"), zlib.crc32(b"6789"), 4)), hex(zlib.crc32(b"123456789"))
        ('0xcbf43926', '0xcbf43926')
    """
    if algorithm not in _CRCS:
        raise _not_combined(algorithm)
    return _CRCS[algorithm].combine(first, second, length)


def combine_parts(algorithm: Algorithm, parts: Iterable[tuple[str, int]]) -> str:
    """Return the checksum of a whole object from those of its parts, what S3 calls a full-object checksum.

    Args:
        algorithm: one of the three CRCs.
        parts: the checksum of each part in base64, and its bytes, in order.

    Raises:
        ConfigError: the algorithm is a hash, which can't be combined.

    Source: "Full object checksum type" of "Checking object integrity in Amazon S3" in the Amazon S3 user guide.

    Example:
        >>> combine_parts("CRC32", [(crc32(b"12345"), 5), (crc32(b"6789"), 4)])
        'y/Q5Jg=='
    """
    crc = 0
    for value, length in parts:
        crc = combine(algorithm, crc, int.from_bytes(a2b_base64(value), "big"), length)
    return b2a_base64(crc.to_bytes(SIZES[algorithm], "big"), newline=False).decode("ascii")


def composite(algorithm: Algorithm, parts: Iterable[str]) -> str:
    """Return the checksum of the checksums of an object's parts, and their number, as S3 writes it.

    Args:
        algorithm: any but CRC64NVME, of which S3 keeps no composite ones.
        parts: the checksum of each part in base64, in order.

    Source: "Composite checksum type" of "Checking object integrity in Amazon S3" in the Amazon S3 user guide.

    Example:
        >>> composite("CRC32", [crc32(b"12345"), crc32(b"6789")])
        '4zspdQ==-2'
    """
    digests = [a2b_base64(part) for part in parts]
    return f"{checksum(algorithm, b''.join(digests))}-{len(digests)}"
