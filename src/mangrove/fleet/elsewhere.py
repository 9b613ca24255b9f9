"""Make steps in other processes or on other machines, which come into the accounts themselves: no secret travels."""

from __future__ import annotations

import pickle
import uuid
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mangrove._redact import message_of
from mangrove.accounts import Account
from mangrove.aws.faults import forget_request
from mangrove.aws.options import ClientOptions
from mangrove.aws.renewing import renew
from mangrove.aws.session import Session
from mangrove.errors import ConfigError, DeclarationTypeError, MangroveError
from mangrove.fleet.doors import Doors
from mangrove.fleet.tasks import Step, Task
from mangrove.fleet.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Elsewhere", "Local", "Recipe", "recipe_of", "workshop_for"]

_MOST_CAUSES = 8


@dataclass(frozen=True, slots=True)
class Recipe:
    """Be how a process comes into accounts: what `Doors` are made of, with credentials of the process's own.

    Args:
        profile_name: the profile of the session; None for the default chain of where the process runs.
        region_name: its region.
        options: client arguments, whose tries again are the run's.
        patient: the same for service resources.
        role_options: AssumeRole's other arguments, as pairs.
    """

    profile_name: str | None
    region_name: str | None
    options: ClientOptions
    patient: ClientOptions
    role_options: tuple[tuple[str, Any], ...] = ()

    def doors(self) -> Doors:
        """Return doors of this process."""
        session = Session(profile_name=self.profile_name, region_name=self.region_name)
        return Doors(session, self.options, self.patient, dict(self.role_options))


@lru_cache(maxsize=8)
def _doors(number: str, recipe: _Equal) -> Doors:  # noqa: ARG001  the number tells one fleet from another
    return recipe.recipe.doors()


@dataclass(frozen=True, slots=True)
class _Equal:
    """Hold a recipe that need not be compared: a configuration can't be."""

    recipe: Recipe = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Failed:
    """Carry an error with its causes, which a pickle leaves behind, and which tell its kind.

    Args:
        errors: the error, its cause, and so on.
    """

    errors: tuple[Exception, ...]

    @classmethod
    def of(cls, error: BaseException) -> _Failed:
        """Return what can be sent of an error."""
        chain: list[Exception] = []
        last: BaseException | None = error
        while last is not None and len(chain) < _MOST_CAUSES:
            chain.append(_sendable(last))
            last = last.__cause__
        return cls(tuple(chain))

    def error(self) -> Exception:
        """Return the error."""
        for error, cause in pairwise(self.errors):
            error.__cause__ = cause
        return self.errors[0]


def _sendable(error: BaseException) -> Exception:
    if not isinstance(error, Exception):
        # Such as `sys.exit` of a user's function, which would end the process for all.
        return MangroveError(f"the function ended with {error!r}")
    forget_request(error)
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  its own pickle
    except Exception:  # noqa: BLE001  one that comes apart on the way can break a whole pool
        return MangroveError(f"{type(error).__name__}: {message_of(error)}")
    return error


def _perform(number: str, recipe: Recipe, account: Account | None, task: Task) -> Step | _Failed:
    """Make a step, in whatever process this is called."""
    try:
        doors = _doors(number, _Equal(recipe))
        if account is not None:
            doors.know([account])
        return task.step(doors)
    except BaseException as error:  # noqa: BLE001  it is the target's
        return _Failed.of(error)


def _perform_once(number: str, recipe: Recipe, account: Account | None, task: Task, name: str) -> Step | _Failed:
    """Make a step that must not be made twice: a cluster makes again what a lost worker had begun."""
    import distributed  # noqa: PLC0415  an optional part

    events: Any = distributed.Event
    begun = events(name)
    if begun.is_set():
        text = f"{task.target}: a worker was lost while it made a change, which may be made; look before you ask again"
        raise MangroveError(text)
    begun.set()
    return _perform(number, recipe, account, task)


def _renew(number: str, recipe: Recipe, account: Account | None, task: Task) -> bool:
    doors = _doors(number, _Equal(recipe))
    if account is not None:
        doors.know([account])
    credentials = doors.credentials(task.target)
    return credentials is not None and renew(credentials)


class Local:
    """Make the steps in this process.

    Args:
        doors: what tasks get sessions and clients of.
    """

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def know(self, account: Account) -> None:
        """Do nothing: the task that opens an account has it."""

    def cancel(self) -> None:
        """Do nothing: what is under way ends by itself."""

    def perform(self, task: Task) -> Step:
        """Make a step."""
        return task.step(self._doors)

    def is_waiting(self, task: Task) -> bool:  # noqa: ARG002
        """Return no: who is to make it makes it."""
        return False

    def renew(self, task: Task) -> bool:
        """Get the account's credentials anew; tell whether there may be others."""
        credentials = self._doors.credentials(task.target)
        return credentials is not None and renew(credentials)

    def forget(self, task: Task) -> None:
        """Let the target's client go."""
        self._doors.forget(task.target)


class Elsewhere:
    """Make the steps with an executor; each waits here for its answer.

    Args:
        submit: begins a function call elsewhere and returns its future.
        recipe: how the other processes come into accounts.
        number: tells this fleet from others there.
        once: whether what changes something needs care, as a lost worker's work is made again.
    """

    def __init__(self, submit: Callable[..., Any], recipe: Recipe, number: str, *, once: bool) -> None:
        self._submit, self._recipe, self._number, self._once = submit, recipe, number, once
        self._accounts: dict[str, Account] = {}
        self._pending = _Pending()

    def know(self, account: Account) -> None:
        """Remember an account, whose targets come later.

        Raises:
            ConfigError: it has an external id, which is never sent.
        """
        if account.external_id is not None:
            text = (
                f"account {account.id} has an external id, which is a secret and is never sent to other processes; "
                "leave the executor out, or let the roles of these accounts do without one"
            )
            raise ConfigError(text)
        self._accounts[account.id] = account

    def perform(self, task: Task) -> Step:
        """Make a step."""
        account = self._accounts.get(task.target.account)
        if self._once and not task.repeatable and task.scope is not None:
            once = f"mangrove-{uuid.uuid4().hex}"
            return self._step(task, _perform_once, self._number, self._recipe, account, task, once)
        return self._step(task, _perform, self._number, self._recipe, account, task)

    def renew(self, task: Task) -> bool:
        """Get the account's credentials anew, in one of the processes."""
        account = self._accounts.get(task.target.account)
        return bool(self._wait(task, _renew, self._number, self._recipe, account, task))

    def is_waiting(self, task: Task) -> bool:
        """Tell whether no process has begun it; a cluster does not say so, and there waiting counts."""
        return self._pending.has_not_begun(task)

    def _step(self, task: Task, function: Callable[..., Step | _Failed], *arguments: Any) -> Step:
        step: Step | _Failed = self._wait(task, function, *arguments)
        if isinstance(step, _Failed):
            raise step.error()
        return step

    def _wait(self, task: Task, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._pending.result(task, self._submit(function, *arguments))

    def forget(self, task: Task) -> None:
        """Do nothing: the other processes keep few clients, and see to that themselves."""

    def cancel(self) -> None:
        """Cancel what has not begun there."""
        self._pending.cancel()


class _Pending:
    """Hold what was handed to an executor and is not done."""

    def __init__(self) -> None:
        self._futures: dict[int, Any] = {}

    def result(self, task: Task, future: Any) -> Any:
        self._futures[id(task)] = future
        try:
            return future.result()
        finally:
            self._futures.pop(id(task), None)

    def has_not_begun(self, task: Task) -> bool:
        future = self._futures.get(id(task))
        running = getattr(future, "running", None)
        return future is not None and running is not None and not (running() or future.done())

    def cancel(self) -> None:
        for future in list(self._futures.values()):
            future.cancel()


def workshop_for(executor: Any, doors: Doors, recipe: Callable[[], Recipe], number: str) -> Workshop:
    """Return what makes the steps of a run.

    Args:
        executor: a `concurrent.futures.Executor`, a `distributed.Client`, or None for this process.
        doors: this process's.
        recipe: returns the recipe for others, or says why there can be none.
        number: tells one fleet from another.

    Raises:
        ConfigError: a session can't be taken to other processes.
        DeclarationTypeError: it is no executor.
    """
    if executor is None:
        return Local(doors)
    if isinstance(executor, ThreadPoolExecutor):
        return _InThreads(doors, executor)
    if isinstance(executor, Executor):
        return Elsewhere(executor.submit, recipe(), number, once=False)
    if callable(getattr(executor, "scheduler_info", None)) and callable(getattr(executor, "submit", None)):

        def submit(function: Callable[..., Any], *arguments: Any) -> Any:
            return executor.submit(function, *arguments, pure=False)

        return Elsewhere(submit, recipe(), number, once=True)
    text = f"executor takes a concurrent.futures.Executor or a distributed.Client; got {type(executor).__name__}"
    raise DeclarationTypeError(text)


class _InThreads(Local):
    """Make the steps in threads of the user's executor, with the sessions of this process."""

    def __init__(self, doors: Doors, executor: Executor) -> None:
        super().__init__(doors)
        self._executor, self._pending = executor, _Pending()

    def perform(self, task: Task) -> Step:
        """Make a step."""
        step: Step = self._pending.result(task, self._executor.submit(super().perform, task))
        return step

    def is_waiting(self, task: Task) -> bool:
        """Tell whether no thread has begun it."""
        return self._pending.has_not_begun(task)


def recipe_of(session: object, recipe: Recipe) -> Recipe:
    """Return the recipe of a fleet.

    Args:
        session: the session that the fleet was made with, or None.
        recipe: what its other arguments say.

    Raises:
        ConfigError: it was made with a session, whose credentials stay where they are, or with something else that
            can't be sent.
    """
    if session is not None:
        text = (
            "with an executor of other processes give profile_name, or leave the credentials to their environment: "
            "those of a session are never sent"
        )
        raise ConfigError(text)
    try:
        pickle.dumps(recipe)
    except Exception as error:
        text = f"an argument of the fleet can't be sent to other processes: {error}"
        raise ConfigError(text) from error
    return recipe
