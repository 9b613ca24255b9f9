"""Say whether the object that is there is the one that was sent, where the answer to the sending was lost."""

from __future__ import annotations

from hashlib import md5

from mangrove.s3.engines.base import Reply

__all__ = ["is_same"]


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
