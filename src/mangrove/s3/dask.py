"""Spread operations over the workers of a Dask cluster, and hear what became of each; a lost worker loses none."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from mangrove._extras import require
from mangrove.errors import ConfigError, DeclarationTypeError, MangroveError, TransferError
from mangrove.s3.outcome import Outcome
from mangrove.s3.recipe import Recipe

if TYPE_CHECKING:
    from mangrove.s3.connection import Connection

__all__ = ["VERBS", "Operation", "spread"]

VERBS = ("copy", "delete", "download", "download_file", "exists", "head", "move", "upload", "upload_file")
_MOST_AT_ONCE = 2  # chunks that a worker has
_MOST_LOST = 3  # workers that one operation may be lost with
_LOOK = 0.2  # seconds
_MESSAGE = 64  # outcomes that are told of at once
_MESSAGES = 1000  # that wait for the driver
_WITHOUT_WORKERS = 60.0  # seconds


@dataclass(frozen=True, slots=True, repr=False)
class Operation:
    """Be one operation for a cluster: a method of a batch and its arguments, all of them picklable.

    Attributes:
        verb: the name of the method, such as "upload".
        arguments: by position, from the bucket on. Paths are those of the worker's machine.
        options: by name.
    """

    verb: str
    arguments: tuple[Any, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def check(self, *, bodies: bool = True) -> None:
        """Refuse what can't go to another machine.

        Args:
            bodies: whether objects may come back.

        Raises:
            ConfigError: there is no such method, or data is a stream.
        """
        if self.verb not in VERBS:
            text = f"an operation is one of {', '.join(VERBS)}; got {self.verb!r}"
            raise ConfigError(text)
        third = self.arguments[2] if len(self.arguments) > 2 else None  # noqa: PLR2004
        data, target = self.options.get("data", third), self.options.get("target", third)
        if self.verb == "upload" and not isinstance(data, (str, bytes, PurePath)):
            text = f"data for a cluster is a str, bytes, or a path of the worker's; got {type(data).__name__}"
            raise DeclarationTypeError(text)
        if self.verb == "download" and not (bodies if target is None else isinstance(target, (str, os.PathLike))):
            text = "a download on a cluster goes to a path of the worker's, or comes back with bodies=True"
            raise ConfigError(text)

    def place(self) -> tuple[str, str]:
        """Return the bucket and the key, for an outcome without an operation."""
        from_copy = self.verb in ("copy", "move")
        places = self.arguments[2:4] if from_copy else self.arguments[:2]
        bucket, key = (*map(str, places), "", "")[:2]
        return bucket, key

    def __repr__(self) -> str:
        # Neither data nor options, which may hold an SSE-C key: a worker logs what a task that failed was given.
        return f"<Operation {self.verb} s3://{'/'.join(self.place())}>"


Connecting = Recipe | Callable[[], "Connection"]


def spread(
    client: Any,
    operations: Iterable[Operation],
    connect: Connecting,
    *,
    concurrency: int = 50,
    chunk: int = 256,
    bodies: bool = False,
) -> Iterator[tuple[int, Outcome]]:
    """Make operations on the workers of a cluster and yield each one's number and outcome; in no order.

    Each worker makes its own connection, with the credentials that it finds itself. An operation goes to one worker;
    if that dies, what it has not told of is made again by another one.

    Args:
        client: a `distributed.Client`; the workers need this package, too.
        operations: any number of them; they are taken as the workers get on.
        connect: how a worker makes its connection: a `Recipe`, or a function that can be pickled, such as one that
            takes a role.
        concurrency: operations at once on a worker.
        chunk: operations that a worker is given at a time.
        bodies: whether what was downloaded or asked for comes back as the outcome's value.

    Raises:
        ConfigError: an argument is wrong.
        MissingExtraError: there is no `distributed` here.
        TransferError: there are no workers.
    """
    for name, value in (("concurrency", concurrency), ("chunk", chunk)):
        if type(value) is not int or value < 1:
            text = f"{name} is a whole number, 1 or more; got {value!r}"
            raise ConfigError(text)
    distributed = require("distributed", "dask")
    order = _Order(connect, concurrency, f"mangrove-s3-{uuid.uuid4().hex}", bodies=bodies)
    return _Driver(distributed, client, order, iter(operations), chunk).outcomes()


@dataclass(frozen=True, slots=True)
class _Order:
    """Be what all chunks have in common."""

    connect: Connecting
    concurrency: int
    queue: str
    bodies: bool


# -- on a worker ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _kept(recipe: Recipe, process: int) -> Connection:
    """Return the connection of this process; it stays open for the next chunk."""
    del process
    return recipe.connect()


def _work(order: _Order, operations: Mapping[int, Operation]) -> int:
    """Make operations, tell of each by the queue, and return how many there were; a worker calls it."""
    distributed = require("distributed", "dask")
    queue = distributed.Queue(order.queue, client=distributed.get_client())
    connect = order.connect
    connection = _kept(connect, os.getpid()) if isinstance(connect, Recipe) else connect()
    told: list[tuple[int, Outcome]] = []
    since = time.monotonic()
    for number, outcome in _made(connection, order.concurrency, operations):
        told.append((number, _light(outcome, bodies=order.bodies)))
        if len(told) >= _MESSAGE or time.monotonic() - since >= _LOOK:
            queue.put(pickle.dumps(told))
            told, since = [], time.monotonic()
    queue.put(pickle.dumps(told))
    if not isinstance(connect, Recipe):
        connection.close()
    return len(operations)


def _made(
    connection: Connection, concurrency: int, operations: Mapping[int, Operation]
) -> Iterator[tuple[int, Outcome]]:
    from mangrove.s3.many import each_as_it_ends  # noqa: PLC0415  the driver needs no engine

    backend = connection.backend
    refused: list[tuple[int, Outcome]] = []
    numbers: dict[Any, int] = {}

    def handles() -> Iterator[Any]:
        for number, operation in operations.items():
            verb, options = operation.verb, dict(operation.options)
            if verb == "move":
                verb, options = "copy", {**options, "delete": True}
            try:
                handle = getattr(backend.maker, verb)(*operation.arguments, **options)
            except (MangroveError, OSError, TypeError) as error:
                refused.append((number, _failed(operation, error)))
            else:
                numbers[handle] = number
                yield handle

    for handle in each_as_it_ends(backend, handles(), concurrency):
        yield numbers.pop(handle), handle.outcome
        yield from refused
        refused.clear()
    yield from refused


def _failed(operation: Operation, error: BaseException) -> Outcome:
    return Outcome(operation.verb, *operation.place(), error=error)


def _light(outcome: Outcome, *, bodies: bool) -> Outcome:
    """Return an outcome that goes over the wire."""
    error, value = outcome.error, outcome.value
    if not bodies and not isinstance(value, (bool, PurePath)):
        value = None
    if error is not None:
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301  our own
        except Exception:  # noqa: BLE001  whatever a class of somebody's raises
            error = TransferError(f"{type(error).__name__}: {error}")
    return replace(outcome, value=value, error=error)


# -- where it is driven from ------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Chunk:
    """Be some operations, and those of them that nothing was heard of yet."""

    left: dict[int, Operation]
    lost: int = 0
    worker: str = ""
    future: Any = None


class _Driver:
    """Give chunks to workers, take what they tell, and give what was lost to others."""

    def __init__(
        self, distributed: Any, client: Any, order: _Order, operations: Iterator[Operation], size: int
    ) -> None:
        self._client, self._order, self._size = client, order, size
        self._operations = enumerate(operations)
        self._wait = distributed.wait
        self._queue = distributed.Queue(order.queue, client=client, maxsize=_MESSAGES)
        self._again: deque[_Chunk] = deque()
        self._running: list[_Chunk] = []
        self._chunks: dict[int, _Chunk] = {}  # by the number of an operation
        self._refused: list[tuple[int, Outcome]] = []
        self._all_given = False
        self._seen = time.monotonic()

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        """Yield what becomes of the operations."""
        try:
            while self._give():
                yield from self._heard(_LOOK)
                yield from self._ended()
                yield from self._refused
                self._refused.clear()
        finally:
            # What has not begun does not begin; what is under way on a worker ends there.
            self._client.cancel([chunk.future for chunk in self._running], force=True)
            self._queue.close()

    def _give(self) -> bool:
        """Give chunks to those who have room; return whether there is anything left to wait for."""
        alive = set(self._client.nthreads())
        for lost in [each for each in self._running if each.worker not in alive]:
            self._lose(lost)
        busy = [chunk.worker for chunk in self._running]
        free = [worker for round_ in range(_MOST_AT_ONCE) for worker in sorted(alive) if busy.count(worker) <= round_]
        for worker in free:
            chunk = self._next()
            if chunk is None:
                break
            self._start(chunk, worker)
        self._seen = time.monotonic() if alive else self._seen
        if time.monotonic() - self._seen > _WITHOUT_WORKERS:
            text = f"the cluster has had no workers for {_WITHOUT_WORKERS:.0f} s; start some and ask for what is left"
            raise TransferError(text)
        return bool(self._running or self._again or self._refused) or not self._all_given

    def _next(self) -> _Chunk | None:
        if self._again:
            return self._again.popleft()
        some: dict[int, Operation] = {}
        for number, operation in islice(self._operations, self._size):
            try:
                operation.check(bodies=self._order.bodies)
            except ConfigError as error:
                self._refused.append((number, _failed(operation, error)))
            else:
                some[number] = operation
        self._all_given = not some and not self._refused
        return _Chunk(some) if some else None

    def _start(self, chunk: _Chunk, worker: str) -> None:
        chunk.worker = worker
        # Pinned, so that the scheduler does not make all of it again elsewhere: what is left is known here.
        chunk.future = self._client.submit(
            _work, self._order, dict(chunk.left), workers=[worker], allow_other_workers=False, pure=False
        )
        self._running.append(chunk)
        self._chunks.update(dict.fromkeys(chunk.left, chunk))

    def _lose(self, chunk: _Chunk) -> None:
        self._running.remove(chunk)
        self._client.cancel([chunk.future], force=True)
        chunk.lost += 1
        if chunk.lost < _MOST_LOST:
            self._again.append(chunk)
            return
        text = f"{chunk.lost} workers were lost with it; they may not have memory enough for it"
        self._refused += self._fail(chunk, TransferError(text))

    def _heard(self, timeout: float) -> list[tuple[int, Outcome]]:
        """Return what was told, after a while or as soon as a chunk has ended."""
        if timeout and not self._running:
            time.sleep(timeout)
        elif timeout:
            # Waiting for the queue would be a failed call in the scheduler's log each time.
            with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
                self._wait([chunk.future for chunk in self._running], timeout=timeout, return_when="FIRST_COMPLETED")
        messages = self._queue.get(batch=True)
        fresh = []
        for message in messages:
            for number, outcome in pickle.loads(message):  # noqa: S301  of our own workers
                chunk = self._chunks.pop(number, None)
                # What was made twice is told once.
                if chunk is not None and chunk.left.pop(number, None) is not None:
                    fresh.append((number, outcome))
        return fresh

    def _ended(self) -> Iterator[tuple[int, Outcome]]:
        """Yield what is left of chunks that have ended without telling of all."""
        ended = [chunk for chunk in self._running if chunk.future.status != "pending"]
        if ended:
            # What they told before they ended.
            yield from self._heard(0)
        for chunk in ended:
            if chunk not in self._running:
                continue
            if chunk.future.status == "error":
                self._running.remove(chunk)
                yield from self._fail(chunk, chunk.future.exception())
            elif chunk.left:
                self._lose(chunk)
            else:
                self._running.remove(chunk)

    def _fail(self, chunk: _Chunk, error: BaseException) -> Iterator[tuple[int, Outcome]]:
        for number, operation in chunk.left.items():
            self._chunks.pop(number, None)
            yield number, _failed(operation, error)
