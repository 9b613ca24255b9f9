"""Be an object as a file to write: sent in parts as it grows, there when it is closed, and never if it is not."""

from __future__ import annotations

import contextlib
import io
import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mangrove.errors import ConfigError, TransferCancelledError

if TYPE_CHECKING:
    from mangrove.s3.outcome import Outcome
    from mangrove.s3.running.handle import Handle
    from mangrove.s3.running.performing import Performer

__all__ = ["ObjectWriter", "Sending", "TextWriter"]

_WAITING = 4  # pieces that wait for the upload
_LOOK = 0.2
_END = b""


class Sending(io.RawIOBase):
    """Send what is written: at the end in one request if it is little, else in parts while more is written.

    Args:
        performer: makes the calls.
        make: makes the upload of bytes, or of an iterator of bytes.
        most: bytes that go in one request.
        what: the object's address.
    """

    def __init__(self, performer: Performer, make: Callable[[Any], Handle], most: int, what: str) -> None:
        super().__init__()
        self._performer, self._make, self._most, self._what = performer, make, most, what
        self._pieces: list[bytes] = []
        self._count = 0
        self._queue: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None
        self._aborted = False
        self.handle: Handle | None = None

    @property
    def name(self) -> str:
        """Return the object's address."""
        return self._what

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the bytes so far."""
        return self._count

    def write(self, data: Any) -> int:
        """Take bytes.

        Raises:
            TransferError: sending what was written before has failed.
        """
        if self.closed:
            text = f"{self._what} was closed"
            raise ValueError(text)
        piece = bytes(data)
        if piece:
            self._count += len(piece)
            self._take(piece)
        return len(piece)

    def _take(self, piece: bytes) -> None:
        if self._thread is not None:
            self._put(piece)
            return
        self._pieces.append(piece)
        if self._count > self._most:
            self.handle = self._make(self._stream())
            self._thread = threading.Thread(target=self._send, name="mangrove-s3-write", daemon=True)
            self._thread.start()

    def _send(self) -> None:
        if self.handle is not None:
            self._performer.run(self.handle)

    def _stream(self) -> Iterator[bytes]:
        while self._pieces:
            yield self._pieces.pop(0)
        while (piece := self._queue.get()) != _END:
            if piece is None:
                text = f"the writing of {self._what} was given up"
                raise TransferCancelledError(text)
            yield piece

    def _put(self, piece: bytes | None) -> None:
        """Give a piece to the upload, or fail as it has failed."""
        while True:
            handle, thread = self.handle, self._thread
            if handle is not None and handle.error is not None:
                raise handle.error
            if thread is None or not thread.is_alive():
                text = f"the upload of {self._what} has ended before it was told to"
                raise TransferCancelledError(text)
            with contextlib.suppress(queue.Full):
                self._queue.put(piece, timeout=_LOOK)
                return

    def abort(self) -> None:
        """Give up: nothing appears, and parts that were sent are removed."""
        self._aborted = True
        self._pieces.clear()
        if self._thread is not None:
            with contextlib.suppress(Exception):
                self._put(None)
            self._thread.join()
        self.close()

    def close(self) -> None:
        """Complete the object.

        Raises:
            TransferError: it failed, and nothing has appeared.
        """
        if self.closed:
            return
        try:
            if not self._aborted:
                self._finish()
        finally:
            super().close()

    def _finish(self) -> None:
        if self._thread is not None:
            self._put(_END)
            self._thread.join()
        else:
            self.handle = self._make(b"".join(self._pieces))
            self._performer.run(self.handle)
        if self.handle is not None:
            self.handle.result()


class ObjectWriter(io.BufferedWriter):
    """Be a buffered writer of an object, which appears when it is closed.

    It does not appear if an exception leaves the `with`, after `abort`, and if it is forgotten without a `close`.

    Attributes:
        outcome: what became of it, once it was closed.
    """

    raw: Sending  # pyright: ignore[reportIncompatibleVariableOverride]

    @property
    def outcome(self) -> Outcome:
        """Return what became of it.

        Raises:
            ConfigError: it was not closed, or given up.
        """
        if not self.closed or self.raw.handle is None:
            text = f"{self.raw.name} was not written yet; close it first"
            raise ConfigError(text)
        return self.raw.handle.outcome

    def abort(self) -> None:
        """Give up: nothing appears, and parts that were sent are removed."""
        # First, so that what the buffer still holds is not sent.
        self.raw.abort()
        with contextlib.suppress(ValueError):
            self.detach()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.abort()
        else:
            self.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            if not self.closed:
                self.abort()


class TextWriter(io.TextIOWrapper):
    """Be a writer of text; see `ObjectWriter`."""

    buffer: ObjectWriter  # pyright: ignore[reportIncompatibleMethodOverride]

    def abort(self) -> None:
        """Give up: nothing appears, and parts that were sent are removed."""
        self.buffer.abort()

    @property
    def outcome(self) -> Outcome:
        """Return what became of it, once it was closed."""
        return self.buffer.outcome

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.abort()
        else:
            self.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            if not self.closed:
                self.abort()
