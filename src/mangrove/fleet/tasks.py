"""Be what a run does in one target, one request at a time: plain data, so that any thread or machine can go on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from mangrove.accounts import Account
from mangrove.aws.faults import forget_retries
from mangrove.aws.operations import Operation, rows_of
from mangrove.aws.paging import next_request
from mangrove.errors import DeclarationTypeError
from mangrove.fleet.limits import Scope
from mangrove.fleet.outcome import Outcome, Target

__all__ = ["CallTask", "Context", "FunctionTask", "ItemsTask", "NoTask", "Row", "Step", "Task", "places_of"]


class Row(dict[str, Any]):
    """Be one item of an answer: the API's own members, and where it is from.

    An item that is no structure, such as a queue's URL, is the one member of its row, named as its list is.

    Attributes:
        target: the target that it is from.

    Example:
        >>> from mangrove.fleet import Row, Target
        >>> row = Row({"VpcId": "vpc-1"}, Target("111111111111", "eu-west-1", "ec2"))
        >>> row["VpcId"], row.account, row.region, row.partition
        ('vpc-1', '111111111111', 'eu-west-1', 'aws')
        >>> row.stamped()
        {'_account': '111111111111', '_region': 'eu-west-1', '_partition': 'aws', 'VpcId': 'vpc-1'}
    """

    __slots__ = ("target",)

    def __init__(self, members: Mapping[str, Any], target: Target) -> None:
        super().__init__(members)
        self.target = target

    @property
    def account(self) -> str:
        """Return the account's id."""
        return self.target.account

    @property
    def region(self) -> str:
        """Return the region."""
        return self.target.region

    @property
    def partition(self) -> str:
        """Return the partition."""
        return self.target.partition

    def stamped(self) -> dict[str, Any]:
        """Return a plain dict that begins with `_account`, `_region` and `_partition`, names that no API has."""
        return {"_account": self.account, "_region": self.region, "_partition": self.partition, **self}

    def __reduce__(self) -> tuple[Any, ...]:
        return Row, (dict(self), self.target)


class Context(Protocol):
    """Give tasks the clients and sessions of the process that they run in."""

    def ask(self, target: Target, operation: Operation, parameters: Mapping[str, Any]) -> Any:
        """Call an operation in a target, and return its answer."""
        ...

    def client(self, target: Target) -> Any:
        """Return a client of a target's own, the same each time."""
        ...

    def session(self, target: Target) -> Any:
        """Return a session of a target's account, with its region."""
        ...

    def account(self, target: Target) -> Account:
        """Return the account of a target."""
        ...

    def operation(self, service: str, name: str) -> Operation:
        """Return an operation."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """Be what one step has given.

    Args:
        rows: what it found.
        calls: requests that it has made, as far as they can be counted.
        value: what the target's outcome has for a value, where this was the last step.
        after: how the target goes on; None where it is done.
        tasks: targets that became known.
        outcomes: of targets that became known, and there is nothing to do.
    """

    rows: list[Any] = field(default_factory=list)
    calls: int = 1
    value: Any = None
    after: Task | None = None
    tasks: tuple[Task, ...] = ()
    outcomes: tuple[Outcome[Any], ...] = ()


class Task(Protocol):
    """Be what is to be done in one target.

    Attributes:
        target: the target.
        scope: what its next request counts for, to the limits; None if nobody can know.
        repeatable: whether its step may be made again after a failure that may pass.
        opt_in: whether its account must enable the region first, and is not known to have done so.
    """

    @property
    def target(self) -> Target: ...  # noqa: D102

    @property
    def scope(self) -> Scope | None: ...  # noqa: D102

    @property
    def repeatable(self) -> bool: ...  # noqa: D102

    @property
    def opt_in(self) -> bool: ...  # noqa: D102

    def step(self, context: Context) -> Step:
        """Do the next step, with one request at most where the step is repeatable."""
        ...


@dataclass(frozen=True, slots=True)
class _Requests:
    """Be what tasks of one operation have in common."""

    target: Target
    operation: str
    parameters: Mapping[str, Any] = field(repr=False)
    repeatable: bool = True
    opt_in: bool = False

    @property
    def scope(self) -> Scope:
        """Return what the request counts for."""
        return Scope(self.target.account, self.target.region, self.target.service, self.operation)

    def _ask(self, context: Context, operation: Operation) -> Any:
        try:
            return context.ask(self.target, operation, self.parameters)
        except Exception as error:
            # The client's tries are one; the others are the run's.
            forget_retries(error)
            raise


@dataclass(frozen=True, slots=True)
class CallTask(_Requests):
    """Call an operation once; the value is its answer."""

    def step(self, context: Context) -> Step:
        """Call it; see `Task`."""
        return Step(value=self._ask(context, context.operation(self.target.service, self.operation)))


@dataclass(frozen=True, slots=True)
class ItemsTask(_Requests):
    """Call an operation for one page after the other; the rows are the items of its lists."""

    def step(self, context: Context) -> Step:
        """Get a page; see `Task`."""
        operation = context.operation(self.target.service, self.operation)
        answer = self._ask(context, operation)
        rows = [self._row(path, item) for path, item in rows_of(operation, answer)]
        asked = next_request(operation.paging, self.parameters, answer, operation.name)
        # Pages after the first are read wherever the first was.
        return Step(rows, after=None if asked is None else replace(self, parameters=asked))

    def _row(self, path: str, item: Any) -> Row:
        if not isinstance(item, Mapping):
            return Row({path: item}, self.target)
        told = {name: value for name, value in item.items() if name != "ResponseMetadata"} if not path else item
        return Row(told, self.target)


@dataclass(frozen=True, slots=True)
class FunctionTask:
    """Call a function of the user's with a session; the value is what it returns.

    Args:
        target: the target.
        function: the function.
        arguments: what it takes beside the session.
        keywords: the same by name.
        places: how many of session, account and region it takes before those.
    """

    target: Target
    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    places: int = 1
    opt_in: bool = False
    # Nobody knows what the function has done before it failed.
    repeatable: bool = False
    scope: Scope | None = None

    def step(self, context: Context) -> Step:
        """Call the function; see `Task`."""
        handed = (context.session(self.target), context.account(self.target), self.target.region_name)
        return Step(calls=0, value=self.function(*handed[: self.places], *self.arguments, **self.keywords))


def places_of(function: Callable[..., Any], arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> int:
    """Return how many of session, account and region a function takes, by what it takes beside its arguments.

    Args:
        function: the function.
        arguments: the user's own.
        keywords: the same by name.

    Raises:
        DeclarationTypeError: it takes none of them, or more.

    Example:
        >>> places_of(lambda session, account: None, (), {}), places_of(lambda session, tag: None, ("x",), {})
        (2, 1)
    """
    if not callable(function):
        text = f"map takes a function of a session; got {type(function).__name__}"
        raise DeclarationTypeError(text)
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # written in C
        return 1
    for places in (1, 2, 3):
        try:
            signature.bind(*[None] * places, *arguments, **keywords)
        except TypeError:
            continue
        return places
    text = (
        f"the function takes {signature}, and is called with a session, or a session and an account, or these and a "
        f"region, before {len(arguments)} arguments and {len(keywords)} by name of yours"
    )
    raise DeclarationTypeError(text)


@dataclass(frozen=True, slots=True)
class NoTask:
    """Do nothing: for whoever asks which targets there are."""

    target: Target
    opt_in: bool = False
    repeatable: bool = True
    scope: Scope | None = None

    def step(self, context: Context) -> Step:  # noqa: ARG002
        """Do nothing; see `Task`."""
        return Step(calls=0)
