"""What carries bytes to S3 and back: one Protocol, so that retries, batches and files know no transport."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

__all__ = ["Call", "Engine", "Keys", "Reply"]

# Bytes of an answer as they arrive; the view is valid during the call only.
Sink = Callable[[memoryview], object]


class Reply:
    """Be S3's answer to one call.

    Attributes:
        status: the HTTP status code, 200 to 299.
        body: the bytes of the object, where there was no sink; else empty.
    """

    __slots__ = ("_data", "body", "status")

    def __init__(self, status: int, data: Mapping[str, Any] | None = None, body: bytes = b"") -> None:
        self.status = status
        self.body = body
        self._data = data

    @property
    def data(self) -> Mapping[str, Any]:
        """Return the answer as botocore parses it, without its Body."""
        return self._data or {}

    def get(self, member: str) -> Any:
        """Return a member of the answer, or None."""
        return self.data.get(member)

    def let_go(self) -> None:
        """Let go of the bytes of the object; what is known of it stays."""
        self.body = b""


class Call:
    """Be one request to S3, by the names of its API, and what came of it.

    Args:
        operation: botocore's name of the operation, such as "PutObject".
        params: its parameters by botocore's names, without the Body.
        body: the bytes to send.
        sink: takes the bytes of the answer as they arrive, in order; without one they are the reply's body.
        most: with no sink, an answer with a longer body is given up: the call ends with `too_long` set and no body.
        owner: the operation this belongs to; engines don't look at it.

    Attributes:
        reply: the answer, once there is one.
        error: why there is none.
        sent: whether a byte of the request may have reached S3.
        stale: whether a connection that had been idle ended before the first byte of an answer: it may be tried again
            at once.
        too_long: whether the answer's body is longer than `most`; the reply has no body then.
    """

    # What most calls never change is the class's.
    reply: Reply | None = None
    error: Exception | None = None
    sent = stale = too_long = False

    def __init__(
        self,
        operation: str,
        params: dict[str, Any],
        *,
        body: bytes | bytearray | memoryview | None = None,
        sink: Sink | None = None,
        most: int | None = None,
        owner: Any = None,
    ) -> None:
        self.operation, self.params, self.body = operation, params, body
        self.sink, self.most, self.owner = sink, most, owner

    def __repr__(self) -> str:
        # Never the parameters: they may hold an SSE-C key.
        return f"<Call {self.operation}>"


class Keys(Sequence[Mapping[str, str]]):
    """Be the `Objects` of DeleteObjects that are keys and nothing more; a dict is made only for who asks for one.

    A thousand dicts a request are what the garbage collector counts; these are none.

    Args:
        names: the keys. They are ASCII that can be printed.

    Example:
        >>> list(Keys(["a", "b"]))
        [{'Key': 'a'}, {'Key': 'b'}]
    """

    __slots__ = ("names",)

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, place: Any) -> Any:
        return Keys(self.names[place]) if isinstance(place, slice) else {"Key": self.names[place]}

    def __iter__(self) -> Iterator[Mapping[str, str]]:
        return ({"Key": name} for name in self.names)


class Engine(Protocol):
    """Carry calls to S3. One try is one try: an engine neither retries nor verifies nor touches files."""

    def submit(self, call: Call) -> None:
        """Begin a call and return at once; `poll` gives it back when it has ended. For one thread."""

    def poll(self, timeout: float) -> list[Call]:
        """Return the calls that have ended, each with its reply or its error; wait up to `timeout` seconds for one."""
        raise NotImplementedError

    def wake(self) -> None:
        """Make a `poll` that waits return; from any thread."""

    def perform(self, call: Call) -> Reply:
        """Make a call in this thread and return its reply.

        Raises:
            botocore.exceptions.ClientError: S3 answered with an error.
            botocore.exceptions.BotoCoreError: there was no answer: a connection, a time-out, credentials.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections; calls under way end with an error."""
