"""The engine for whatever is unusual: a botocore client over a pool of threads, with all that botocore knows of S3."""

from __future__ import annotations

import contextlib
import io
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError

from mangrove.aws.session import make_client
from mangrove.errors import ConfigError, TransferCancelledError
from mangrove.s3.engines.base import Call, Keys, Reply, Sink

if TYPE_CHECKING:
    import boto3

__all__ = ["BotoEngine", "one_try"]

# Bytes that are read from a connection at once: larger reads cost more than they save.
_PIECE = 64 * 1024
# Of a body that is no larger the sending costs less than the round trip in which a server says that it will take it.
_SMALL = 1024 * 1024
# With these no byte of a request was sent.
_UNSENT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)


def one_try(config: Config | None = None, *, threads: int = 50) -> Config:
    """Return a configuration for the data path: one try a call, a connection a thread, and no checksums of botocore's.

    Whoever uses the engine retries, with a budget and a deadline, and computes and verifies checksums.

    Args:
        config: settings to keep.
        threads: how many calls may be under way.

    Example:
        >>> one_try().retries
        {'total_max_attempts': 1}
    """
    ours = Config(
        retries={"total_max_attempts": 1},
        max_pool_connections=threads,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return ours if config is None else config.merge(ours)


class BotoEngine:
    """Carry calls to S3 by a botocore client, each in a thread of its own.

    Args:
        client: a botocore client for S3. It should make one try a call, as one with `one_try()` does; what it retries
            nobody above knows of.
        threads: how many submitted calls may be under way.

    Example:
        >>> from mangrove.s3.engines.base import Call
        >>> engine = BotoEngine.from_session(mangrove.Session(region_name="us-east-1"), threads=4)
        >>> engine.perform(Call("CreateBucket", {"Bucket": "logs"})).status
        200
        >>> engine.submit(Call("PutObject", {"Bucket": "logs", "Key": "a"}, body=b"hello"))
        >>> [call.reply.get("ETag") for call in engine.poll(timeout=10.0)]
        ['"5d41402abc4b2a76b9719d911017c592"']
        >>> engine.close()
    """

    def __init__(self, client: Any, threads: int = 50) -> None:
        self.client = client
        self._methods = {api: name for name, api in client.meta.method_to_api_mapping.items()}
        # The call that a thread is making, for the handler that hears of its request.
        self._making = threading.local()
        client.meta.events.register_first("before-send.s3", self._note_sent)
        client.meta.events.register_last("before-call.s3", self._send_at_once)
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="mangrove-s3-boto")
        # None is what `wake` puts there.
        self._ended: queue.SimpleQueue[Call | None] = queue.SimpleQueue()

    @classmethod
    def from_session(
        cls, session: boto3.Session, *, threads: int = 50, config: Config | None = None, **arguments: Any
    ) -> BotoEngine:
        """Make the engine with a client of its own.

        Args:
            session: whose credentials and event handlers the client has.
            threads: how many submitted calls may be under way.
            config: settings of the client; what `one_try` says goes before.
            **arguments: as `boto3.Session.client`: `region_name`, `endpoint_url`, `verify`, `use_ssl`.
        """
        return cls(make_client(session, "s3", config=one_try(config, threads=threads), **arguments), threads)

    @property
    def where(self) -> str:
        """Return which server it talks to, for what outlives the process."""
        return str(self.client.meta.endpoint_url)

    def submit(self, call: Call) -> None:
        """Begin a call; `poll` gives it back when it has ended."""
        try:
            future = self._executor.submit(self._run, call)
        except RuntimeError:  # it was shut down
            call.error = _closed()
            self._ended.put(call)
        else:
            future.add_done_callback(partial(self._end, call))

    def _run(self, call: Call) -> None:
        try:
            self.perform(call)
        except Exception as error:  # noqa: BLE001  whatever it is, it is the call's
            call.error = error

    def _end(self, call: Call, future: Future[None]) -> None:
        if future.cancelled():
            call.error = _closed()
        self._ended.put(call)

    def poll(self, timeout: float) -> list[Call]:
        """Return the calls that have ended; wait up to `timeout` seconds for one, or for `wake`."""
        found = []
        with contextlib.suppress(queue.Empty):
            found.append(self._ended.get(timeout=min(max(timeout, 0.0), threading.TIMEOUT_MAX)))
            while True:
                found.append(self._ended.get_nowait())
        return [call for call in found if call is not None]

    def wake(self) -> None:
        """Make a `poll` that waits return; from any thread."""
        self._ended.put(None)

    def perform(self, call: Call) -> Reply:
        """Make a call in this thread and return its reply.

        Raises:
            botocore.exceptions.ClientError: as the client raises it: one of `client.exceptions` where there is one.
            botocore.exceptions.BotoCoreError: there was no answer.
            ConfigError: this botocore knows no such operation.
        """
        name = self._methods.get(call.operation)
        if name is None:
            text = f"this botocore has no operation {call.operation!r} of S3; a newer one may have it"
            raise ConfigError(text)
        body = {} if call.body is None else {"Body": _readable(call.body)}
        self._making.call = call
        try:
            answer = getattr(self.client, name)(**_plain(call.params), **body)
        except _UNSENT:
            call.sent = False
            raise
        finally:
            self._making.call = None
        reply = call.reply = _reply(answer, call)
        return reply

    def _note_sent(self, **_: Any) -> None:
        call = getattr(self._making, "call", None)
        if call is not None:
            call.sent = True

    def _send_at_once(self, params: dict[str, Any], **_: Any) -> None:
        call = getattr(self._making, "call", None)
        if call is not None and call.body is not None and memoryview(call.body).nbytes <= _SMALL:
            params["headers"].pop("Expect", None)

    def close(self) -> None:
        """End the calls that have not begun with an error, and let the others end; the client is not closed."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self.client.meta.events.unregister("before-send.s3", self._note_sent)
        self.client.meta.events.unregister("before-call.s3", self._send_at_once)


def _closed() -> TransferCancelledError:
    return TransferCancelledError("the engine was closed before the call was made")


class _View(io.RawIOBase):
    """Be a file of bytes that somebody else owns: botocore takes no memoryview."""

    def __init__(self, view: memoryview) -> None:
        self._view = view.cast("B")
        self._at = 0

    def __len__(self) -> int:
        return self._view.nbytes

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self)}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        # A piece is copied, the whole never: handlers, such as moto's, want bytes.
        end = len(self) if size is None or size < 0 else self._at + size
        found = bytes(self._view[self._at : end])
        self._at += len(found)
        return found

    def readinto(self, buffer: Any) -> int:
        # awscrt, where it is installed, reads what it signs by this.
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _plain(params: dict[str, Any]) -> dict[str, Any]:
    """Return parameters as botocore's validation wants them."""
    delete = params.get("Delete")
    if delete is None or not isinstance(delete["Objects"], Keys):
        return params
    return {**params, "Delete": {**delete, "Objects": list(delete["Objects"])}}


def _readable(body: bytes | bytearray | memoryview) -> Any:
    if not isinstance(body, memoryview):
        return body
    whole = isinstance(body.obj, (bytes, bytearray)) and body.contiguous and body.nbytes == len(body.obj)
    return body.obj if whole else _View(body)


def _reply(answer: dict[str, Any], call: Call) -> Reply:
    status: int = answer["ResponseMetadata"]["HTTPStatusCode"]
    stream = answer.pop("Body", None)
    if stream is None:
        return Reply(status, answer)
    with contextlib.closing(stream):
        if call.sink is not None:
            _pour(stream, call.sink)
            return Reply(status, answer)
        length = answer.get("ContentLength")
        call.too_long = call.most is not None and length is not None and length > call.most
        if call.too_long:
            return Reply(status, answer)
        return Reply(status, answer, _gathered(stream, call))


def _pieces(stream: Any) -> Iterator[bytes]:
    # The read that finds the end compares what came with what was announced.
    while piece := stream.read(_PIECE):
        yield piece


def _pour(stream: Any, sink: Sink) -> None:
    for piece in _pieces(stream):
        with memoryview(piece) as view:
            sink(view)


def _gathered(stream: Any, call: Call) -> bytes:
    if call.most is None:
        found: bytes = stream.read()
        return found
    gathered = bytearray()
    for piece in _pieces(stream):
        gathered += piece
        # Where nothing was announced the end alone tells.
        call.too_long = len(gathered) > call.most
        if call.too_long:
            return b""
    return bytes(gathered)
