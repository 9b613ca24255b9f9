"""Checksums as S3 checks them: those that a request gives are compared, and one that it only names is computed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, cast

from mangrove.s3.engines.memory.faults import Fault
from mangrove.s3.engines.memory.store import Stored, md5
from mangrove.s3.rules import checksums

__all__ = ["as_bytes", "check_body", "checksum_of", "given_checksum", "shown"]

_LARGEST_PUT = 5 * 1024**3
_PREFIX = "Checksum"
_NOT_VALUES = frozenset({"ChecksumAlgorithm", "ChecksumMode", "ChecksumType"})


def as_bytes(body: Any) -> bytes:
    """Return a request's body as bytes that nobody can change, without a copy where it is so already.

    Raises:
        Fault: it is more than one request may carry.
    """
    if body is None:
        return b""
    size = body.nbytes if isinstance(body, memoryview) else len(body)
    if size > _LARGEST_PUT:
        raise Fault("EntityTooLarge", ProposedSize=size, MaxSizeAllowed=_LARGEST_PUT)
    return body if type(body) is bytes else bytes(body)


def given_checksum(params: Mapping[str, Any]) -> tuple[checksums.Algorithm, str | None] | None:
    """Return the algorithm and the checksum that a request gives; a checksum of None is S3's to compute.

    Raises:
        Fault: it gives two, one that is none, or one that can't be computed here.
    """
    given = [name for name in params if name.startswith(_PREFIX) and name not in _NOT_VALUES]
    if len(given) > 1:
        text = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        raise Fault("InvalidRequest", text)
    name = given[0].removeprefix(_PREFIX) if given else params.get("ChecksumAlgorithm")
    if name is None:
        return None
    algorithm = known(name)
    return algorithm, check_form(algorithm, params[given[0]]) if given else None


def known(name: str) -> checksums.Algorithm:
    """Return the algorithm of a name.

    Raises:
        Fault: there is none such, or it can't be computed here.
    """
    algorithm = name.upper()
    if algorithm.startswith("XXHASH"):
        raise Fault("NotImplemented", f"The checksum {algorithm} is not implemented in memory")
    if algorithm not in checksums.SIZES:
        valid = "CRC32, CRC32C, CRC64NVME, SHA1, SHA256"
        text = f"Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{valid}]"
        raise Fault("InvalidRequest", text)
    return cast("checksums.Algorithm", algorithm)


def check_form(algorithm: checksums.Algorithm, value: str) -> str:
    """Return a checksum as it is, if it can be one of this algorithm."""
    try:
        fits = len(base64.b64decode(value, validate=True)) == checksums.SIZES[algorithm]
    except (binascii.Error, ValueError):
        fits = False
    if not fits:
        raise Fault("InvalidRequest", f"Value for x-amz-checksum-{algorithm.lower()} header is invalid.")
    return value


def check_body(params: Mapping[str, Any], body: bytes) -> tuple[checksums.Algorithm, str] | None:
    """Compare a body with the checksums of its request, and return its own: algorithm and base64, if it has one.

    Raises:
        Fault: they differ, or are none.
    """
    if "ContentMD5" in params:
        _check_md5(params["ContentMD5"], body)
    given = given_checksum(params)
    if given is None:
        return None
    algorithm, wanted = given
    found = checksums.checksum(algorithm, body)
    if wanted is not None and wanted != found:
        raise Fault("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")
    return algorithm, found


def _check_md5(given: str, body: bytes) -> None:
    try:
        wanted = base64.b64decode(given, validate=True).hex()
    except (binascii.Error, ValueError):
        wanted = ""
    if len(wanted) != 2 * checksums.SIZES["MD5"]:
        raise Fault("InvalidDigest", Content_MD5=given)
    if wanted != md5(body):
        text = "The Content-MD5 you specified did not match what we received."
        raise Fault("BadDigest", text, ExpectedDigest=wanted, CalculatedDigest=md5(body))


def checksum_of(stored: Stored) -> str:
    """Return the checksum of an object, computed now if nobody has asked before: the default one is slow in Python."""
    if stored.checksum is None:
        stored.checksum = checksums.checksum(cast("checksums.Algorithm", stored.algorithm), stored.body or b"")
    return stored.checksum


def shown(stored: Stored) -> dict[str, str]:
    """Return the members of a reply that tell the checksum of an object."""
    return {f"{_PREFIX}{stored.algorithm}": checksum_of(stored), "ChecksumType": stored.kind}
