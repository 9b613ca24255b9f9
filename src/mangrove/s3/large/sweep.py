"""Remove what processes that were killed have left: multipart uploads, whose parts cost money, and temporary files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from mangrove.errors import ConfigError, NotFoundError, TransferError
from mangrove.s3.engines.base import Call
from mangrove.s3.files.targets import TEMPORARY
from mangrove.s3.large.journal import Journal
from mangrove.s3.running.performing import Performer

__all__ = ["Swept", "sweep_bucket", "sweep_files", "sweep_journal"]

# A day: who is at work on an object for longer says so.
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Swept:
    """Be something that was left, and what became of it.

    Attributes:
        name: the path of a file, or "s3://bucket/key" of an upload.
        upload_id: S3's name for an upload; empty for a file.
        age: seconds since it was begun, or last written to.
        removed: whether it is gone; not in a dry run.
        error: why it is not, or None.
    """

    name: str
    upload_id: str
    age: float
    removed: bool
    error: Exception | None = None


def _check_age(older_than: object) -> None:
    if isinstance(older_than, bool) or not isinstance(older_than, (int, float)) or not older_than >= 0:
        text = f"older_than is a number of seconds, 0 or more; got {older_than!r}"
        raise ConfigError(text)


def sweep_bucket(
    performer: Performer,
    bucket: str,
    prefix: str = "",
    *,
    older_than: float = _DAY,
    dry_run: bool = False,
    options: Mapping[str, Any] = {},
    clock: Callable[[], float] = time.time,
) -> Iterator[Swept]:
    """Abort the multipart uploads of a bucket that nobody has completed, and yield each.

    Whose they are does not matter, so that one that is still under way is aborted too, if it is old enough.

    Args:
        performer: makes the calls.
        bucket: the bucket.
        prefix: of the keys.
        older_than: seconds since an upload was begun; a day.
        dry_run: only say what there is.
        options: of the calls, such as `ExpectedBucketOwner`.
        clock: the time in seconds since 1970.

    Raises:
        ConfigError: `older_than` is no number of seconds.
        TransferError: the uploads can't be listed.

    Source: ListMultipartUploads and AbortMultipartUpload in the Amazon S3 API reference.
    """
    _check_age(older_than)
    for found in _uploads(performer, {**options, "Bucket": bucket, "Prefix": prefix, "EncodingType": "url"}):
        age = clock() - found["Initiated"].timestamp()
        if age >= older_than:
            yield _aborted(performer, {**options, "Bucket": bucket}, found["Key"], found["UploadId"], age, dry_run)


def _uploads(performer: Performer, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the uploads of a bucket; those of a page once the next one is there, which begins after one of them."""
    page: list[dict[str, Any]] = []
    more: Any = True
    while more:
        wanted = dict(params)
        reply = performer.make(lambda wanted=wanted: Call("ListMultipartUploads", wanted))  # type: ignore[misc]
        yield from page
        read = unquote_plus if reply.get("EncodingType") == "url" else str
        page = [{**upload, "Key": read(upload["Key"])} for upload in reply.get("Uploads") or ()]
        more = reply.get("IsTruncated")
        if more:
            params["KeyMarker"] = read(reply.data["NextKeyMarker"])
            params["UploadIdMarker"] = reply.data["NextUploadIdMarker"]
    yield from page


def _aborted(
    performer: Performer,
    params: dict[str, Any],
    key: str,
    upload_id: str,
    age: float,
    dry_run: bool,  # noqa: FBT001  a private function's
) -> Swept:
    name = f"s3://{params['Bucket']}/{key}"
    if dry_run:
        return Swept(name, upload_id, age, removed=False)
    try:
        performer.call("AbortMultipartUpload", {**params, "Key": key, "UploadId": upload_id})
    except NotFoundError:
        pass  # it has ended by itself
    except TransferError as error:
        return Swept(name, upload_id, age, removed=False, error=error)
    return Swept(name, upload_id, age, removed=True)


def sweep_journal(
    performer: Performer, *, dry_run: bool = False, clock: Callable[[], float] = time.time
) -> Iterator[Swept]:
    """Abort the uploads that processes of this user have begun and not ended, and yield each.

    One that a process is at work on is left alone; so is one at another endpoint, as far as that is known.

    Args:
        performer: makes the calls.
        dry_run: only say what there is.
        clock: the time in seconds since 1970.
    """
    where = str(getattr(performer.engine, "where", ""))
    for entry, record in Journal(performer.settings.journal).entries():
        if entry.where == where:
            age = clock() - entry.begun
            swept = _aborted(performer, {"Bucket": entry.bucket}, entry.key, entry.upload_id, age, dry_run)
            if swept.removed:
                record.forget()
            yield swept


def sweep_files(
    folder: str | os.PathLike[str],
    *,
    older_than: float = _DAY,
    dry_run: bool = False,
    clock: Callable[[], float] = time.time,
) -> Iterator[Swept]:
    """Remove the temporary files of downloads below a folder, and yield each; links are not followed.

    Args:
        folder: the folder.
        older_than: seconds since a file was last written to; a day.
        dry_run: only say what there is.
        clock: the time in seconds since 1970.

    Raises:
        ConfigError: `older_than` is no number of seconds.
        OSError: the folder can't be read.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> left = folder / ".mangrove-0123456789abcdef.part"
        >>> left.write_bytes(b"half")
        4
        >>> [swept.removed for swept in sweep_files(folder, older_than=0)], left.exists()
        ([True], False)
    """
    _check_age(older_than)
    Path(folder).stat()  # `walk` is silent about what it can't read
    for place, _, names in os.walk(folder):
        for name in filter(TEMPORARY.match, names):
            path = Path(place, name)
            try:
                age = clock() - path.lstat().st_mtime
                if age < older_than:
                    continue
                if not dry_run:
                    path.unlink()
            except FileNotFoundError:
                continue  # the download has ended
            except OSError as error:
                yield Swept(str(path), "", 0.0, removed=False, error=error)
            else:
                yield Swept(str(path), "", age, removed=not dry_run)
