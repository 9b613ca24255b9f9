"""Verify what came in one answer but was uploaded in parts: S3 holds the checksum of the parts' checksums."""

from __future__ import annotations

from mangrove.s3.engines.base import Reply
from mangrove.s3.large.layout import Running, layout_of
from mangrove.s3.rules.options import Options
from mangrove.s3.running.handle import Handle
from mangrove.s3.running.performing import Performer
from mangrove.s3.running.workers import Workers, params_of

__all__ = ["verify_parts"]


def verify_parts(performer: Performer, handle: Handle, reply: Reply, body: bytes, options: Options) -> str | None:
    """Return what `Outcome.verified` says of an object, or None if nobody says how long its parts are.

    Args:
        performer: makes the calls that ask for the parts' sizes.
        handle: the download.
        reply: the answer of GetObject, with its checksums.
        body: the bytes.
        options: of the download.

    Raises:
        IntegrityError: they are not the bytes that S3 has a checksum of.

    Source: "Checking object integrity in Amazon S3" in the Amazon S3 user guide.
    """
    version = reply.get("VersionId")
    named = {} if version is None else {"VersionId": version}
    workers = Workers(performer, handle)
    layout = layout_of(workers, reply, len(body), params_of(handle, options), named)
    if layout.held is None:
        return None
    running = Running(layout)
    running.update(body)
    return layout.check(running.sums(), f"s3://{handle.bucket}/{handle.key}")
