"""Upload what does not fit in one request, or may not: files in parts, and streams of which nobody knows the length."""

from __future__ import annotations

from collections.abc import Iterator

from mangrove.s3.files.sources import BytesSource, FileSource, Source
from mangrove.s3.files.streams import StreamSource
from mangrove.s3.large.multipart import Multipart, Sent, Summing, summing_of
from mangrove.s3.large.resuming import begun
from mangrove.s3.light import Upload
from mangrove.s3.rules.checksums import Checksum, checksum
from mangrove.s3.rules.options import Options
from mangrove.s3.rules.plan import Part, stream_part_size, upload_plan
from mangrove.s3.running.handle import Handle
from mangrove.s3.running.performing import Performer, Settings
from mangrove.s3.running.workers import Params, Workers, params_of

__all__ = ["upload_large"]

# Bytes that are read and summed at once, while they are in the processor's cache.
_BLOCK = 1 << 19


def upload_large(
    performer: Performer, handle: Handle, source: Source, options: Options, content_type: str | None = None
) -> None:
    """Upload a source; it is closed then. The handle gets its value, `verified` and `details`.

    Args:
        performer: makes the calls.
        handle: the operation.
        source: where the bytes come from, open.
        options: of the upload.
        content_type: where the options say nothing of it.

    Raises:
        ConfigError: an option can't be kept for an object in parts; nothing was sent.
        ObjectChangedError: the file changed while it was read.
        TransferError: it failed; nothing is left in S3, or the message says what.
    """
    handle.attempts = handle.attempts or 1
    try:
        if isinstance(source, StreamSource):
            _upload_stream(performer, handle, source, options, content_type)
        elif isinstance(source, (BytesSource, FileSource)):
            _upload_whole(performer, handle, source, params_of(handle, options, content_type), options)
        handle.value, handle.size = True, (handle.details or {}).get("size")
    finally:
        source.close()


def _upload_whole(
    performer: Performer, handle: Handle, source: BytesSource | FileSource, params: Params, options: Options
) -> None:
    """Upload what has a size: each worker reads its part itself."""
    plan = upload_plan(source.size, performer.settings.limits)
    summing = summing_of(options, performer.settings.checksum)
    workers = Workers(performer, handle)
    sent: list[Sent] = []
    done: list[int] = []  # in whatever order
    with begun(performer, handle, source, params, plan, summing) as this:

        def send(part: Part) -> Sent:
            view, value = _read(workers, source, part, summing)
            found = this.there(part, view, value) or this.upload.send(workers, part.number, view, value)
            done.append(part.size)
            workers.tell(part.size)
            return found

        try:
            workers.run(send, this.plan, sent.append)
            if isinstance(source, FileSource):
                source.check()  # it may have grown since its last part was read
            this.upload.complete(performer, sent)
        except BaseException as error:
            this.end(performer, error, sum(done))
            raise
        this.forget()
        handle.details = {**(handle.details or {}), "resumed": this.resumed}


def _read(workers: Workers, source: BytesSource | FileSource, part: Part, summing: Summing) -> tuple[memoryview, str]:
    """Return the bytes of a part and their checksum."""
    if isinstance(source, BytesSource):
        view = source.view(part.start, part.size)
        return view, checksum(summing.algorithm, view)
    running = Checksum(summing.algorithm)
    view = memoryview(workers.buffer(part.size))[: part.size]
    for start in range(0, part.size, _BLOCK):
        block = view[start : start + _BLOCK]
        source.read_into(part.start + start, block)
        running.update(block)
    source.check()
    return view, running.value


# -- streams ----------------------------------------------------------------------------------------------------------


class _Buffers:
    """Keep the buffers of the parts of a stream: filled in one thread, emptied in others."""

    def __init__(self) -> None:
        self._free: list[bytearray] = []

    def take(self, size: int) -> bytearray:
        found = self._free.pop() if self._free else b""
        return found if isinstance(found, bytearray) and len(found) >= size else bytearray(size)

    def give(self, buffer: bytearray) -> None:
        self._free.append(buffer)


class _Filled:
    """Be a part of a stream in memory."""

    __slots__ = ("buffer", "number", "size")

    def __init__(self, number: int, buffer: bytearray, size: int) -> None:
        self.number, self.buffer, self.size = number, buffer, size


def _parts_of(source: StreamSource, first: int, buffers: _Buffers) -> Iterator[_Filled]:
    """Yield the parts of a stream; the only one of an empty stream is empty."""
    number = 0
    while True:
        number += 1
        size = stream_part_size(number, first)
        buffer = buffers.take(size)
        with memoryview(buffer) as view:
            count = source.fill(view[:size])
        if count or number == 1:
            yield _Filled(number, buffer, count)
        if count < size:
            return


def _upload_stream(
    performer: Performer, handle: Handle, source: StreamSource, options: Options, content_type: str | None
) -> None:
    """Upload a stream: as one object if it is short; else read here, and sent by workers."""
    buffers = _Buffers()
    parts = _parts_of(source, performer.settings.limits.part_size, buffers)
    first = next(parts)
    second = next(parts, None)
    if second is None:
        data = bytes(memoryview(first.buffer)[: first.size])
        _take_over(handle, performer.run(_small(handle, data, options, content_type, performer.settings)))
        return
    summing = summing_of(options, performer.settings.checksum)
    upload = Multipart.begin(performer, handle, params_of(handle, options, content_type), summing)

    def jobs() -> Iterator[_Filled]:
        yield first
        yield second
        yield from parts

    def send(part: _Filled) -> Sent:
        view = memoryview(part.buffer)[: part.size]
        found = upload.send(workers, part.number, view, checksum(summing.algorithm, view))
        buffers.give(part.buffer)
        workers.tell(part.size)
        return found

    workers = Workers(performer, handle)
    sent: list[Sent] = []
    try:
        workers.run(send, jobs(), sent.append, ahead=performer.settings.threads)
        upload.complete(performer, sent)
    except BaseException as error:
        upload.abort(performer, error)
        raise


def _small(handle: Handle, data: bytes, options: Options, content_type: str | None, settings: Settings) -> Upload:
    """Return the upload of a short stream, in one request as that of any other small object."""
    small = Upload(handle.bucket, handle.key, options, data, content_type, settings)
    small.retries = handle.retries
    return small


def _take_over(handle: Handle, small: Handle) -> None:
    handle.attempts = small.attempts
    if small.error is not None:
        raise small.error
    handle.reply, handle.verified, handle.details = small.reply, small.verified, small.facts()
