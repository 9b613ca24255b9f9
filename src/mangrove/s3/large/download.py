"""Download what does not come in one answer: in ranges by several threads, verified, and only then what was asked."""

from __future__ import annotations

from typing import Any

from mangrove.errors import IntegrityError
from mangrove.s3.engines.base import Reply
from mangrove.s3.files.targets import InOrder, Placed, Target
from mangrove.s3.large.layout import Layout, Running, layout_of
from mangrove.s3.large.ranges import Found, Got, fetch, found_of
from mangrove.s3.light import refuse_unverified
from mangrove.s3.rules.options import Options
from mangrove.s3.rules.plan import Part
from mangrove.s3.running.handle import Handle
from mangrove.s3.running.performing import Performer
from mangrove.s3.running.workers import Workers, params_of

__all__ = ["download_large"]

# Bytes of a range that waits in memory for its turn.
_WAITING = 1 << 22
# Ranges, for each thread, that may have begun before an earlier one has come: an object may have hundreds of thousands.
_AHEAD = 32


def download_large(performer: Performer, handle: Handle, first: Reply, options: Options, target: Target) -> None:
    """Download an object whose first answer was given up; the handle gets its value, `verified` and `details`.

    Args:
        performer: makes the calls.
        handle: the operation.
        first: the answer to GetObject with its checksums, without the bytes.
        options: of the download.
        target: takes the bytes.

    Raises:
        ObjectChangedError: the object was changed meanwhile.
        IntegrityError: the bytes are not those that S3 has a checksum of, or it has none and has to have.
        TransferError: it failed; what was there before is as it was, but for a file object.
        OSError: the target can't be written.
    """
    params = params_of(handle, options)
    found = found_of(params("GetObject"), first)
    workers = Workers(performer, handle)
    layout = layout_of(workers, first, found.size, params, _version(found))
    if layout.held is None and performer.settings.verify == "always":
        refuse_unverified(handle.bucket, handle.key)
    writing = target.begin(found.size)
    download = _Download(workers, found, layout, performer.settings.limits.part_size, performer.settings.threads)
    if isinstance(writing, Placed):
        handle.value, handle.verified = download.placed(writing)
    else:
        handle.value, handle.verified = download.in_order(writing)
    held, handle.size = layout.held, found.size
    handle.details = {
        "size": found.size,
        "etag": found.etag,
        "version_id": first.get("VersionId"),
        "checksum": f"{held.algorithm}:{held.value}" if held else None,
    }


def _version(found: Found) -> dict[str, Any]:
    return {name: found.params[name] for name in ("VersionId",) if name in found.params}


class _Download:
    """Get the ranges of one object.

    Args:
        workers: get them.
        found: the object.
        layout: what it is verified by.
        most: bytes of a range.
        threads: how many are got at once.
    """

    def __init__(self, workers: Workers, found: Found, layout: Layout, most: int, threads: int) -> None:
        self._workers, self._found, self._layout, self._most, self._threads = workers, found, layout, most, threads

    def placed(self, writing: Placed) -> tuple[Any, str | None]:
        """Put each range where it belongs as it comes, and return the value and the verdict."""
        layout, found = self._layout, self._found
        got: list[Got] = []
        try:
            self._workers.run(
                lambda part: fetch(self._workers, found, part, writing.write_at, layout.combining),
                layout.pieces(self._most),
                got.append,
                ahead=_AHEAD * self._threads,
            )
            verdict = layout.check(self._hashed(writing) or [(each.checksum, each.size) for each in got], found.what)
            return writing.commit(), verdict
        except BaseException:
            writing.discard()
            raise

    def _hashed(self, writing: Placed) -> list[tuple[str, int]]:
        """Return the hashes of what has been written, where S3 holds one; nothing where CRCs were computed."""
        if self._layout.held is None or self._layout.combining is not None:
            return []
        running = Running(self._layout)
        for block in writing.blocks():
            running.update(block)
        return running.sums()

    def in_order(self, writing: InOrder) -> tuple[Any, str | None]:
        """Write the ranges one after the other, in this thread, and return the value and the verdict."""
        layout, workers = self._layout, self._workers
        free: list[bytearray] = []
        got: list[tuple[str, int]] = []
        hashing = Running(layout) if layout.held is not None and layout.combining is None else None

        def get(part: Part) -> tuple[bytearray, Got]:
            buffer = free.pop() if free else bytearray(min(_WAITING, self._most))
            return buffer, fetch(workers, self._found, part, _writer(buffer, part), layout.combining)

        def take(result: tuple[bytearray, Got]) -> None:
            buffer, piece = result
            with memoryview(buffer)[: piece.size] as view:
                writing.write(view)
                if hashing is not None:
                    hashing.update(view)
            got.append((piece.checksum, piece.size))
            free.append(buffer)

        workers.run(get, layout.pieces(min(_WAITING, self._most)), take, ahead=self._threads)
        try:
            verdict = layout.check(got if hashing is None else hashing.sums(), self._found.what)
        except IntegrityError as error:
            text = f"{error}; the file object has got them already: throw away what it was written to"
            raise IntegrityError(text) from None
        return writing.commit(), verdict


def _writer(buffer: bytearray, part: Part) -> Any:
    """Return what puts bytes of a range into a buffer."""

    def write(view: memoryview, offset: int) -> None:
        at = offset - part.start
        buffer[at : at + view.nbytes] = view

    return write
