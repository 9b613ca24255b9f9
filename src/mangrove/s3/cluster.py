"""Be a batch whose operations a Dask cluster makes: what `Connection.batch(executor=…)` returns."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.s3.dask import Connecting, Operation, spread
from mangrove.s3.outcome import Outcome, Progress
from mangrove.s3.reporting import Reporter, batch_error

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Cluster", "ClusterBatch", "Ticket", "batch_on"]


class Cluster:
    """Name a Dask cluster and how its workers make their connections.

    Args:
        client: a `distributed.Client`.
        connect: a `Recipe`, or a function that can be pickled and returns a `Connection`. It is never taken from a
            connection here: a worker must not become somebody else.
        bodies: whether what was downloaded comes back.
        chunk: operations that a worker is given at a time.

    Raises:
        ConfigError: nothing says how to make a connection.
    """

    def __init__(self, client: Any, connect: Connecting, *, bodies: bool = False, chunk: int = 256) -> None:
        if not callable(connect) and not hasattr(connect, "connect"):
            text = f"connect is a Recipe or a function that returns a Connection; got {type(connect).__name__}"
            raise ConfigError(text)
        self._client, self._connect, self._bodies, self._chunk = client, connect, bodies, chunk

    def make(self, operations: Iterator[Operation], concurrency: int) -> Iterator[tuple[int, Outcome]]:
        """Make operations and yield each one's number and outcome; see `spread`."""
        return spread(
            self._client, operations, self._connect, concurrency=concurrency, chunk=self._chunk, bodies=self._bodies
        )

    def batch(self, concurrency: int = 50, **options: Any) -> ClusterBatch:
        """Return a batch; see `ClusterBatch`.

        Args:
            concurrency: operations at once, on each worker.
            **options: of `ClusterBatch`.
        """
        return ClusterBatch(self, concurrency, **options)

    def check(self, operation: Operation) -> None:
        """Refuse what can't go to another machine.

        Raises:
            ConfigError: it can't.
        """
        operation.check(bodies=self._bodies)


class Ticket:
    """Be one operation of a `ClusterBatch`; it is known when the batch has been waited for.

    Attributes:
        operation: what was asked for.
        outcome: what became of it, or None.
    """

    __slots__ = ("_batch", "callback", "operation", "outcome")

    def __init__(self, batch: ClusterBatch, operation: Operation, callback: Callable[[Any], object] | None) -> None:
        self._batch, self.operation, self.callback = batch, operation, callback
        self.outcome: Outcome | None = None

    def done(self) -> bool:
        """Return whether it has ended, well or not."""
        return self.outcome is not None

    def result(self) -> Any:
        """Wait for the batch and return what the operation gave, or raise its error."""
        if self.outcome is None:
            self._batch.wait()
        if self.outcome is None:
            text = "the batch was interrupted before this operation had ended"
            raise ConfigError(text)
        return self.outcome.get()


class ClusterBatch:
    """Gather operations, and have the cluster make them when the batch is left or waited for.

    The methods are those of `Batch`. Paths are those of the workers' machines, data is a str, bytes or a path, and
    callbacks are called here. For operations without an end, use `spread`, which takes them as the workers get on.

    Args:
        cluster: makes them.
        concurrency: operations at once, on each worker.
        raise_errors: whether leaving the context raises a `BatchError` if an operation or a callback failed.
        progress: is called with a `Progress` a few times a second; True shows a line on the terminal.
        keep_results: as with `Batch`; what a ticket knows stays with it.
    """

    def __init__(
        self,
        cluster: Cluster,
        concurrency: int = 50,
        *,
        raise_errors: bool = True,
        progress: bool | Callable[[Progress], object] | None = None,
        keep_results: bool = True,
    ) -> None:
        del keep_results
        self._cluster, self._concurrency, self._raise = cluster, concurrency, raise_errors
        self._report = Reporter(progress)
        self._tickets: list[Ticket] = []
        self._made = 0
        self._callback_errors: list[tuple[Ticket, BaseException]] = []

    def _add(self, verb: str, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> Ticket:
        rest = dict(options)
        ticket = Ticket(self, Operation(verb, arguments, rest), rest.pop("callback", None))
        self._cluster.check(ticket.operation)
        self._tickets.append(ticket)
        return ticket

    def upload(self, bucket: str, key: str, data: Any, **options: Any) -> Ticket:
        """Put an object; see `Connection.upload`."""
        return self._add("upload", (bucket, key, data), options)

    def upload_file(self, bucket: str, key: str, filename: str | os.PathLike[str], **options: Any) -> Ticket:
        """Put a file of the worker's; see `Connection.upload_file`."""
        return self._add("upload_file", (bucket, key, filename), options)

    def download(self, bucket: str, key: str, target: Any = None, **options: Any) -> Ticket:
        """Get an object; see `Connection.download`."""
        return self._add("download", (bucket, key, target), options)

    def download_file(self, bucket: str, key: str, filename: str | os.PathLike[str], **options: Any) -> Ticket:
        """Get an object into a file of the worker's; see `Connection.download_file`."""
        return self._add("download_file", (bucket, key, filename), options)

    def copy(self, source_bucket: str, source_key: str, bucket: str, key: str, **options: Any) -> Ticket:
        """Copy an object inside S3; see `Connection.copy`."""
        return self._add("copy", (source_bucket, source_key, bucket, key), options)

    def move(self, source_bucket: str, source_key: str, bucket: str, key: str, **options: Any) -> Ticket:
        """Move an object inside S3; see `Connection.move`."""
        return self._add("move", (source_bucket, source_key, bucket, key), options)

    def delete(self, bucket: str, key: str, **options: Any) -> Ticket:
        """Delete an object; see `Connection.delete`."""
        return self._add("delete", (bucket, key), options)

    def head(self, bucket: str, key: str, **options: Any) -> Ticket:
        """Ask what S3 knows of an object; see `Connection.head`."""
        return self._add("head", (bucket, key), options)

    def exists(self, bucket: str, key: str, **options: Any) -> Ticket:
        """Ask whether there is an object; see `Connection.exists`."""
        return self._add("exists", (bucket, key), options)

    # -- what came of it --------------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Have all operations made that were added, and return when they have ended.

        Raises:
            TransferError: there are no workers.
        """
        while self._made < len(self._tickets):
            some = self._tickets[self._made :]
            self._made = len(self._tickets)
            ended = failed = size = 0
            for number, outcome in self._cluster.make((each.operation for each in some), self._concurrency):
                some[number].outcome = outcome
                ended, failed, size = ended + 1, failed + (not outcome), size + (outcome.size or 0)
                told = Progress(ended - failed, failed, len(some), size)
                self._report(lambda told=told: told, last=ended == len(some))  # type: ignore[misc]
                self._call_back(some[number], outcome)

    def _call_back(self, ticket: Ticket, outcome: Outcome) -> None:
        if ticket.callback is None or not outcome:
            return
        try:
            ticket.callback(outcome.value)
        except Exception as error:  # noqa: BLE001  it is the callback's own; the operation went well
            self._callback_errors.append((ticket, error))

    def outcomes(self) -> list[Outcome]:
        """Wait for all operations and return what became of them, in the order they were added."""
        self.wait()
        return [each.outcome for each in self._tickets if each.outcome is not None]

    def results(self) -> list[Any]:
        """Wait for all operations and return what they gave, in the order they were added; None where one failed."""
        return [outcome.value if outcome else None for outcome in self.outcomes()]

    def failures(self) -> list[Outcome]:
        """Wait for all operations and return the outcomes of those that failed, in the order they were added."""
        return [outcome for outcome in self.outcomes() if not outcome]

    def success(self) -> bool:
        """Wait for all operations and return whether they all went well."""
        return not self.failures()

    def callback_errors(self) -> list[tuple[Ticket, BaseException]]:
        """Return what callbacks raised, each with its operation, which went well."""
        return list(self._callback_errors)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            return
        failures = self.failures()
        if self._raise and (failures or self._callback_errors):
            raise batch_error(len(self._tickets), failures, [each for _, each in self._callback_errors])


def batch_on(executor: Any, concurrency: int, **options: Any) -> ClusterBatch:
    """Return the batch of an executor: what `Connection.batch(executor=…)` calls.

    Args:
        executor: a `Cluster`.
        concurrency: operations at once, on each worker.
        **options: of `ClusterBatch`.

    Raises:
        DeclarationTypeError: it is none: a Dask client alone does not say whose credentials the workers take.
    """
    if not isinstance(executor, Cluster):
        text = (
            f"executor is a mangrove.s3.Cluster, such as Cluster(client, Recipe(profile_name='prod')), which says how a"
            f" worker makes its connection; got {type(executor).__name__}"
        )
        raise DeclarationTypeError(text)
    return executor.batch(concurrency, **options)
