"""Make calls in the thread that asks, again and again where that may help: for single operations and for parts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mangrove.errors import ConfigError
from mangrove.s3.engines.base import Call, Engine, Reply
from mangrove.s3.rules.checksums import parse
from mangrove.s3.rules.plan import COPY, USUAL, Limits
from mangrove.s3.running.handle import Handle, Heavy, Step
from mangrove.s3.running.retrying import Retrying

__all__ = ["Performer", "Settings"]

_MOST_THREADS = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """Say how objects are moved.

    Args:
        limits: from which size on an object is cut, and into which parts.
        copying: the same for copies inside S3.
        threads: how many parts are under way at once.
        checksum: the algorithm of uploads; None for the best one there is: CRC64NVME with awscrt, else CRC32.
        verify: "when_possible" takes objects that S3 holds no checksum of; "always" does not.
        fsync: whether a downloaded file is on the disk before it has its name.
        journal: where interrupted uploads of files are remembered; None for the user's cache folder.

    Raises:
        ConfigError: one of them can't be.
    """

    limits: Limits = USUAL
    copying: Limits = COPY
    threads: int = 8
    checksum: str | None = None
    verify: str = "when_possible"
    fsync: bool = False
    journal: str | None = None

    def __post_init__(self) -> None:
        if type(self.threads) is not int or not 1 <= self.threads <= _MOST_THREADS:
            text = f"threads is a whole number from 1 to {_MOST_THREADS}; got {self.threads!r}"
            raise ConfigError(text)
        if self.checksum is not None:
            object.__setattr__(self, "checksum", parse(self.checksum))


class Performer:
    """Make calls and whole operations, each in the calling thread.

    Args:
        engine: what carries the calls.
        retrying: what says whether, and when, a failed one is tried again.
        settings: how objects are moved.
        sleep: waits for some seconds.
    """

    def __init__(
        self, engine: Engine, retrying: Retrying, settings: Settings, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.engine, self.retrying, self.settings, self.sleep = engine, retrying, settings, sleep

    def over(self, engine: Engine) -> Performer:
        """Return the same performer over another engine.

        Args:
            engine: what carries its calls.
        """
        return Performer(engine, self.retrying, self.settings, self.sleep)

    def call(self, operation: str, params: dict[str, Any], *, retries: int | None = None, **options: Any) -> Reply:
        """Make one call, with tries again.

        Args:
            operation: botocore's name of the operation, such as "UploadPart".
            params: its parameters, by botocore's names.
            retries: how often a failure of a definite kind is tried again; None for the usual.
            **options: of `Call`: `body`, `sink`, `most`. A sink gets the bytes of each try, from their start.

        Raises:
            TransferError: it failed for good; S3's own failures are botocore's `ClientError` too.
        """
        return self.make(lambda: Call(operation, params, **options), retries=retries)

    def make(self, call: Callable[[], Call], *, retries: int | None = None) -> Reply:
        """Make a call that is built anew for each try.

        Args:
            call: returns it.
            retries: how often a failure of a definite kind is tried again; None for the usual.

        Raises:
            TransferError: it failed for good; S3's own failures are botocore's `ClientError` too.
        """
        trial = self.retrying.trial(retries)
        while True:
            this = call()
            try:
                reply = self.engine.perform(this)
                reply.data  # noqa: B018  what nobody can read is a failure of this try
            except Exception as error:  # noqa: BLE001  it may go away
                delay = trial.delay(error, this)
                if delay is None:
                    raise trial.final(error) from error.__cause__
                self.sleep(delay)
            else:
                trial.succeed()
                return reply

    def run(self, handle: Handle) -> Handle:
        """Make an operation from its first step to its last and return it, ended.

        Args:
            handle: the operation.
        """
        handle.started = time.monotonic()
        trial = self.retrying.trial(handle.retries)
        handle.attempts = 1
        step = handle.begin()
        while step is not None:
            if not isinstance(step, Call):
                self._lift(handle, step)
                return handle
            call = step
            try:
                step = self._next(handle, call)
            except Exception as error:  # noqa: BLE001  it may go away
                delay = trial.delay(error, call)
                if delay is None:
                    handle.end(trial.final(error))
                    break
                handle.unsure = trial.unsure
                self.sleep(delay)
                handle.attempts += 1
                step = handle.begin()
        else:
            trial.succeed()
            handle.end()
        return handle

    def _next(self, handle: Handle, call: Call) -> Step:
        try:
            handle.reply = self.engine.perform(call)
        except Exception as error:  # noqa: BLE001  it may be an answer
            return handle.recover(call, error)
        return handle.receive(call, handle.reply)

    def _lift(self, handle: Handle, step: Heavy) -> None:
        try:
            step(self)
        except Exception as error:  # noqa: BLE001  the handle has it
            handle.end(self.retrying.final(error))
        else:
            handle.end()
