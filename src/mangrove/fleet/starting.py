"""Hold how a fleet works, and put the parts of a run together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mangrove.aws.services import one_of
from mangrove.credentials.roles import RoleSpec, snake_options
from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.fleet.doors import TEMPLATES
from mangrove.fleet.gate import Gate
from mangrove.fleet.limits import Limits
from mangrove.fleet.lobby import Job, Lobby
from mangrove.fleet.outbox import AsTheyCome, InTheirOrder, Outbox
from mangrove.fleet.scheduler import Scheduler
from mangrove.fleet.tasks import Task
from mangrove.fleet.turns import InOrder, RoundRobin, Turns

if TYPE_CHECKING:
    from mangrove.fleet.workshop import Workshop

__all__ = ["Settings", "check_number", "role_options_of"]

# Results that may wait for the reader: a page or an outcome each.
_MOST_WAITING = 128
_ANY_ROLE = "arn:aws:iam::123456789012:role/any"


@dataclass(frozen=True, slots=True)
class Settings:
    """Be how a fleet works; see `Fleet` for what each of them means.

    Raises:
        ConfigError: a number is out of its range.
        DeclarationTypeError: it is no number.
    """

    limits: Limits
    polite: float = 1.0
    concurrency: int = 64
    deadline: float | None = None
    target_deadline: float = 900.0
    gate: Gate = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_number("concurrency", self.concurrency, above=0, kind=int)
        check_number("target_deadline", self.target_deadline, above=0)
        if self.deadline is not None:
            check_number("deadline", self.deadline, above=0)
        check_number("polite", self.polite, above=0, most=1)
        # One for all runs of a fleet: what one has learned of a limit the next one knows.
        object.__setattr__(self, "gate", Gate(self.limits, polite=self.polite))

    def changed(self, given: Mapping[str, Any]) -> Settings:
        """Return other settings.

        Raises:
            ConfigError: there is no such setting.
        """
        names = ("limits", "polite", "concurrency", "deadline", "target_deadline")
        for name in given:
            if name not in names:
                text = f"where has no argument {name!r}{one_of(name, names)}"
                raise ConfigError(text)
        read = {"limits": Limits.read(given["limits"])} if "limits" in given else {}
        return replace(self, **{**given, **read})

    def start(self, accounts: Callable[[], Iterator[Task]], workshop: Workshop, *, ordered: bool) -> Scheduler:
        """Return what does the work of a run; it begins when it is first read.

        Args:
            accounts: returns the tasks that open the accounts; called when the work begins.
            workshop: makes the steps.
            ordered: whether results come by account and region.
        """
        turns: Turns[Job] = InOrder() if ordered else RoundRobin()
        outbox: Outbox = InTheirOrder(_MOST_WAITING) if ordered else AsTheyCome(_MOST_WAITING)
        return Scheduler(
            accounts,
            workshop,
            Lobby(self.gate, turns, outbox.wants),
            outbox,
            threads=self.concurrency,
            target_deadline=self.target_deadline,
            deadline=self.deadline,
        )


def role_options_of(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return AssumeRole's other arguments by our names, checked as far as they are no templates.

    Args:
        given: by our names or the API's.

    Raises:
        ConfigError: there is no such argument, or not here, or its value is wrong.
    """
    options = snake_options(given or {})
    for name, instead in (("role_arn", "role"), ("external_id", "external_id")):
        if name in options:
            text = f"role_options has no {name}: that is the fleet's own argument {instead}"
            raise ConfigError(text)
    told = {name: value for name, value in options.items() if name not in TEMPLATES or "{" not in str(value)}
    told.pop("policy_arns", None)  # they are of the partition that the accounts are in
    RoleSpec(_ANY_ROLE, **told)
    return options


def check_number(name: str, value: Any, *, above: float, most: float | None = None, kind: type = float) -> None:
    """Refuse what is no number, or out of its range.

    Args:
        name: what it is called.
        value: the number.
        above: what it must be above.
        most: what it may be at most.
        kind: the type; a whole number is always taken.

    Raises:
        ConfigError: it is out of its range.
        DeclarationTypeError: it is no number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, kind)):
        text = f"{name} takes a number; got {type(value).__name__}: {value!r}"
        raise DeclarationTypeError(text)
    number: Any = value
    if not number > above or (most is not None and number > most):
        text = f"{name}={value!r}: give a number above {above:g}{f', {most:g} at most' if most is not None else ''}"
        raise ConfigError(text)
