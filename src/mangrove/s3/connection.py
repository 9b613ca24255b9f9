"""Be the surface: upload and download, and all that belongs to them, over whatever engine serves best."""

from __future__ import annotations

import contextvars
import os
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from botocore.exceptions import BotoCoreError

from mangrove._redact import redact_url
from mangrove.aws.session import Session, make_client
from mangrove.errors import ConfigError
from mangrove.s3.backend import CAPACITY, Backend, check_endpoint, check_engine, engine_for
from mangrove.s3.batch import Batch
from mangrove.s3.bucket_methods import BucketMethods
from mangrove.s3.clients import with_positional_bucket
from mangrove.s3.engines.gate import Gate
from mangrove.s3.engines.registrations import Registrations
from mangrove.s3.mock import Mock
from mangrove.s3.outcome import Progress
from mangrove.s3.rules.faults import raised
from mangrove.s3.rules.plan import USUAL, Limits
from mangrove.s3.rules.policy import Policy
from mangrove.s3.running.performing import Settings
from mangrove.s3.standing import StandIn, let_go

if TYPE_CHECKING:
    import boto3
    from typing_extensions import Self

    from mangrove.s3.cluster import Cluster, ClusterBatch
    from mangrove.s3.engines.memory import MemoryStore

__all__ = ["Connection"]

# The mocks that were begun here, of all connections; tokens, as nobody knows how long a context keeps what it is given.
_own_mocks: contextvars.ContextVar[tuple[object, ...]] = contextvars.ContextVar("mangrove_s3_mocks", default=())


class Connection(BucketMethods):
    """Upload to S3 and download from it: tried again where that helps, verified, in parts when large, in bulk.

    Nothing is called, and no credentials are looked for, before the first operation. A connection may be used by many
    threads, and by the children of a fork.

    Args:
        session: a `boto3.Session` or one of ours; None makes one of the arguments below.
        region_name: the region of the client; buckets of other regions are found.
        profile_name: a profile of the AWS configuration; not with `session`.
        endpoint_url: of another server that speaks S3.
        config: a `botocore.config.Config` for proxies, time-outs, addressing, dual-stack, FIPS, `UNSIGNED`.
        verify: of TLS, as boto3 has it: False, or the path of a CA bundle.
        aws_access_key_id, aws_secret_access_key, aws_session_token: credentials; not with `session`.
        threshold: bytes of an object that still go in one request. 16 MiB.
        part_size: bytes of a part of a larger one, 5 MiB to 5 GiB. 16 MiB.
        threads: parts of one object that are under way at once. 8.
        retries: further tries after a failure that may last. Throttles and lost connections are tried again until the
            deadline. 3.
        deadline: seconds after which an operation, or a part of a large one, begins no further try. 120.
        checksum: the algorithm of uploads: "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"; None chooses CRC32 for
            one request, for parts the fastest there is.
        strict: whether an object that S3 holds no checksum of is refused rather than taken unverified.
        fsync: whether a downloaded file is on the disk before it has its name.
        journal: the folder where interrupted uploads of files are remembered, to go on with; None for that of the user.
        engine: "auto", or "boto" for botocore's client in threads.
        max_connections: to S3 at once. 512.

    Raises:
        ConfigError: an argument is wrong.

    Example:
        >>> from mangrove import s3
        >>> connection = s3.Connection(region_name="us-east-1")
        >>> with connection.mock():
        ...     connection.conn.create_bucket("foo")["ResponseMetadata"]["HTTPStatusCode"]
        ...     connection.upload("foo", "bar", "hello").ok
        ...     connection.download("foo", "bar")
        200
        True
        b'hello'
    """

    def __init__(
        self,
        session: boto3.Session | None = None,
        *,
        region_name: str | None = None,
        profile_name: str | None = None,
        endpoint_url: str | None = None,
        config: Any = None,
        verify: bool | str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        threshold: int = USUAL.threshold,
        part_size: int = USUAL.part_size,
        threads: int = 8,
        retries: int = 3,
        deadline: float = 120.0,
        checksum: str | None = None,
        strict: bool = False,
        fsync: bool = False,
        journal: str | os.PathLike[str] | None = None,
        engine: str = "auto",
        max_connections: int = CAPACITY,
    ) -> None:
        keys: dict[str, Any] = {
            "aws_access_key_id": aws_access_key_id,
            "aws_secret_access_key": aws_secret_access_key,
            "aws_session_token": aws_session_token,
        }
        check_endpoint(endpoint_url)
        self._session = _session(session, region_name, profile_name, keys)
        arguments = {"endpoint_url": endpoint_url, "config": config, "verify": verify}
        if session is not None:
            arguments["region_name"] = region_name
        self._arguments = {name: value for name, value in arguments.items() if value is not None}
        self._settings = Settings(
            limits=Limits(threshold=threshold, part_size=part_size),
            threads=threads,
            checksum=checksum,
            verify="always" if strict else "when_possible",
            fsync=bool(fsync),
            journal=None if journal is None else os.fspath(journal),
        )
        self._policy = Policy(retries=retries, deadline=deadline)
        check_engine(engine, max_connections)
        self._engine, self._capacity = engine, max_connections
        self._stand_in: StandIn | None = None
        self._real: Backend | None = None
        self._gate: Gate | None = None
        self._ending: weakref.finalize[Any, Any] | None = None
        self._lock = threading.RLock()
        self._mocks: list[StandIn] = []

    @classmethod
    def in_memory(cls, store: MemoryStore | None = None, **arguments: Any) -> Connection:
        """Return a connection to an S3 in this process's memory: for unit tests, in microseconds.

        Args:
            store: what holds the objects; several connections may share one. None makes an empty one.
            **arguments: of `Connection`. Without a `journal`, interrupted uploads are not remembered.

        Example:
            >>> connection = Connection.in_memory()
            >>> connection.create_bucket("logs")
            >>> connection.upload("logs", "a", "howdy").size
            5
        """
        connection = cls(Session(region_name=arguments.pop("region_name", "us-east-1")), **arguments)
        connection._stand_in = connection._memory(store, connection._settings.journal)
        return connection

    # -- what serves it ---------------------------------------------------------------------------------------------

    @property
    def backend(self) -> Backend:
        """Return what serves the calls of this thread now: the real S3, or the mock that is active."""
        mocks = self._mocks
        if mocks:
            own = _own_mocks.get()
            # Another thread's mock rather than the real S3: a test must never reach that.
            return ([each for each in mocks if each.token in own] or mocks)[-1].backend
        if self._stand_in is not None:
            return self._stand_in.backend
        real = self._real
        if real is None or real.process != os.getpid():
            real = self._make_real()
        return real

    def _make_real(self) -> Backend:
        with self._lock:
            if self._real is None or self._real.process != os.getpid():
                if self._ending is not None:
                    self._ending.detach()
                try:
                    client = with_positional_bucket(make_client(self._session, "s3", **self._arguments))
                    settings: Any = self._session, self._arguments, self._engine
                    engine = engine_for(*settings, capacity=self._capacity, registrations=Registrations(client))
                except BotoCoreError as error:  # credentials that can't be had, a profile with half a key
                    raise raised(error) from error.__cause__
                gate = self._gate = Gate(engine)
                gate.watch(client)
                if self._mocks:  # begun meanwhile, by another thread
                    gate.shut()
                self._real = Backend(client, gate, self._settings, self._policy, capacity=self._capacity)
                self._ending = weakref.finalize(self, let_go, self._real)
            return self._real

    def _memory(self, store: MemoryStore | None, journal: str | None = None) -> StandIn:
        region = self._arguments.get("region_name") or self._session.region_name or "us-east-1"
        # The user's journal is of the real S3.
        return StandIn(store, region, replace(self._settings, journal=journal or ""), self._policy)

    @property
    def conn(self) -> Any:
        """Return the boto3 client, whose event handlers are asked for all calls; in a mock, one of this process."""
        return self.backend.client

    def mock(self, store: MemoryStore | None = None) -> Mock:
        """Return a mock: while it is active, nothing of this connection touches S3, whatever thread it is used by.

        Batches, listings, files and clients that were made before it fail meanwhile with a `ConfigError`.

        Args:
            store: what holds the objects; None makes an empty one.

        Example:
            >>> connection = Connection()
            >>> mock = connection.mock()
            >>> mock.start()
            >>> connection.create_bucket("bucket")
            >>> connection.exists("bucket", "key")
            False
            >>> mock.stop()
        """
        return Mock(lambda: self._begin_mock(store), self._end_mock)

    def _begin_mock(self, store: MemoryStore | None) -> StandIn:
        found = self._memory(store)
        with self._lock:
            self._mocks = [*self._mocks, found]
            if self._gate is not None:
                self._gate.shut()
        _own_mocks.set((*_own_mocks.get(), found.token))
        return found

    def _end_mock(self, ended: StandIn) -> None:
        with self._lock:
            self._mocks = [each for each in self._mocks if each is not ended]
            if self._gate is not None and not self._mocks:
                self._gate.open()
        _own_mocks.set(tuple(each for each in _own_mocks.get() if each is not ended.token))
        ended.close()

    @overload
    def batch(
        self,
        concurrency: int = 50,
        *,
        raise_errors: bool = True,
        progress: bool | Callable[[Progress], object] | None = None,
        keep_results: bool = True,
        executor: None = None,
    ) -> Batch: ...

    @overload
    def batch(
        self,
        concurrency: int = 50,
        *,
        raise_errors: bool = True,
        progress: bool | Callable[[Progress], object] | None = None,
        keep_results: bool = True,
        executor: Cluster,
    ) -> ClusterBatch: ...

    def batch(
        self,
        concurrency: int = 50,
        *,
        raise_errors: bool = True,
        progress: bool | Callable[[Progress], object] | None = None,
        keep_results: bool = True,
        executor: Any = None,
    ) -> Any:
        """Return a context whose methods make operations at once; see `Batch`, and `ClusterBatch` with an executor.

        Args:
            concurrency: how many run at once.
            raise_errors: whether leaving the context raises a `BatchError` if an operation failed.
            progress: is called with a `Progress` a few times a second; True shows it on a terminal.
            keep_results: whether `results` can be asked for; without, any number of downloads takes no more memory
                than a few.
            executor: an `s3.Cluster`, whose workers make the operations; None for this process.

        Raises:
            ConfigError: an argument is wrong.
        """
        if executor is not None:
            if self._mocks or self._stand_in is not None:
                text = "the workers of a cluster know no mock, nor this process's memory: they would reach the real S3"
                raise ConfigError(text)
            from mangrove.s3.cluster import batch_on  # noqa: PLC0415  past one machine

            options = {"raise_errors": raise_errors, "progress": progress, "keep_results": keep_results}
            return batch_on(executor, concurrency, **options)
        return Batch(
            self.backend,
            concurrency,
            raise_errors=raise_errors,
            progress=progress,
            keep_results=keep_results,
            owner=self,
        )

    # -- its life ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections to S3, and end what is under way with an error; the next operation opens new ones.

        Parts of large objects, and streams, are waited for 30 seconds. What has not come back by then fails with an
        error that names it; the log "mangrove.s3" has it too.
        """
        with self._lock:
            real, self._real = self._real, None
            if self._ending is not None:
                self._ending.detach()
        if real is not None:
            let_go(real)
        if self._stand_in is not None:
            self._stand_in.close()

    def __reduce__(self) -> Any:
        text = "a Connection holds sockets, a thread and perhaps keys; make one in each process"
        raise TypeError(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = self._arguments.get("endpoint_url") or self._session.region_name or "no region"
        return f"<Connection to S3: {redact_url(str(where))}>"


def _session(given: Any, region_name: str | None, profile_name: str | None, keys: dict[str, Any]) -> Any:
    named: dict[str, Any] = {"profile_name": profile_name, **keys}
    if given is None:
        try:
            return Session(region_name=region_name, **named)
        except BotoCoreError as error:  # no such profile
            raise raised(error) from error.__cause__
    both = [name for name, value in named.items() if value is not None]
    if both:
        text = f"a session has its own {', '.join(both)}; give the session or these, not both"
        raise ConfigError(text)
    return given
