"""Say what is to be thought of an object: whether it is the one that was sent, whether unverified ones are taken."""

from __future__ import annotations

from hashlib import md5

from mangrove.errors import IntegrityError
from mangrove.s3.engines.base import Reply

__all__ = ["is_same", "refuse_unverified"]


def is_same(reply: Reply, body: bytes, sent: tuple[str, str] | None) -> bool:
    """Compare what HeadObject says with what was sent: the checksum, or where none is held, the MD5 that the ETag is.

    Args:
        reply: HeadObject's, with its checksums.
        body: the bytes that were sent.
        sent: the algorithm and the checksum that went with them.

    Example:
        >>> is_same(Reply(200, {"ContentLength": 5, "ETag": '"5d41402abc4b2a76b9719d911017c592"'}), b"hello", None)
        True
    """
    if reply.data.get("ContentLength") != len(body):
        return False
    told = None if sent is None else reply.get(f"Checksum{sent[0]}")
    if told is not None and sent is not None:
        return bool(told == sent[1])
    return bool(reply.get("ETag") == f'"{md5(body, usedforsecurity=False).hexdigest()}"')


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
