"""Say what the scheduler wants of whoever makes the steps: this process, or others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mangrove.accounts import Account
    from mangrove.fleet.tasks import Step, Task

__all__ = ["Workshop"]


class Workshop(Protocol):
    """Make the steps of tasks; any thread may ask."""

    def know(self, account: Account) -> None:
        """Remember an account, whose targets come later."""
        ...

    def perform(self, task: Task) -> Step:
        """Make a step."""
        ...

    def renew(self, task: Task) -> bool:
        """Get credentials anew that a service has refused as expired; tell whether there may be others."""
        ...

    def is_waiting(self, task: Task) -> bool:
        """Tell whether a step that is to be made waits for somebody to begin it."""
        ...

    def forget(self, task: Task) -> None:
        """Let go what was kept for a target that is done."""
        ...

    def cancel(self) -> None:
        """Begin nothing more."""
        ...
