"""Hear Ctrl-C while results are awaited without breaking into the locks that they are awaited with."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Interruption"]


class Interruption:
    """Stop a run on Ctrl-C: while the next result is awaited it is closed from aside, elsewhere the signal raises.

    An exception out of nowhere, between taking a lock and knowing that it is held, would leave it locked for good, and
    the command hanging. Who presses Ctrl-C twice gets `KeyboardInterrupt` wherever it is.

    Attributes:
        heard: whether Ctrl-C was pressed.
    """

    def __init__(self) -> None:
        self.heard = False
        self._stop: Callable[[], object] | None = None
        self._waits = False
        self._before: Any = None
        self._word: SimpleQueue[str] = SimpleQueue()

    def through(self, results: Iterator[Any], stop: Callable[[], object]) -> Iterator[Any]:
        """Yield results until they end or are stopped.

        Args:
            results: the results.
            stop: ends them; called by another thread.
        """
        self._stop = stop
        while not self.heard:
            self._waits = True
            try:
                result = next(results)
            except StopIteration:
                return
            finally:
                self._waits = False
            yield result

    def finish(self) -> None:
        """Let nothing but a second Ctrl-C break off what follows."""
        self._waits = True

    def __enter__(self) -> Self:
        # What is ignored stays so; signals are of the main thread alone.
        if threading.current_thread() is threading.main_thread():
            found = signal.getsignal(signal.SIGINT)
            if found is signal.default_int_handler:
                self._before = found
                threading.Thread(target=self._listen, name="mangrove-interrupt", daemon=True).start()
                signal.signal(signal.SIGINT, self._hear)
        return self

    def _hear(self, number: int, frame: Any) -> None:
        again, self.heard = self.heard, True
        if again or not self._waits:
            signal.default_int_handler(number, frame)
        # A queue of this kind may be written to by a signal handler, whoever holds what.
        self._word.put("stop")

    def _listen(self) -> None:
        if self._word.get() and self._stop is not None:
            self._stop()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._word.put("")
