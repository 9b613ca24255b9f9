"""Make the tasks of a target, of what a run asks: plain data, so that any process can."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mangrove.fleet.doors import Make, Opening
from mangrove.fleet.outcome import Target
from mangrove.fleet.request import Request
from mangrove.fleet.tasks import CallTask, FunctionTask, ItemsTask, Task

__all__ = ["FunctionMaker", "OperationMaker", "opening_of"]


@dataclass(frozen=True, slots=True)
class OperationMaker:
    """Make the task of an operation in a target."""

    task: type[CallTask | ItemsTask]
    request: Request

    def __call__(self, target: Target, opt_in: bool, _regions: tuple[str, ...]) -> tuple[Task, ...]:  # noqa: FBT001
        """Make it; see `Make`."""
        asked = self.request
        # What changes something may have done so, though its answer was lost: such a request is not repeated.
        return (self.task(target, asked.operation, asked.parameters, asked.read_only, opt_in),)


@dataclass(frozen=True, slots=True)
class FunctionMaker:
    """Make the task of a function in a target."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    places: int = 1

    def __call__(self, target: Target, opt_in: bool, _regions: tuple[str, ...]) -> tuple[Task, ...]:  # noqa: FBT001
        """Make it; see `Make`."""
        return (FunctionTask(target, self.function, self.arguments, self.keywords, self.places, opt_in),)


def opening_of(request: Request, make: Make) -> tuple[Opening, ...]:
    """Return how the targets of a request are found, which are of one service."""
    return ((request.service, make, request.once),)
