"""Say what a collection of rows is of: when, where, and what became of every target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mangrove.fleet import Outcome

__all__ = ["Facts"]


@dataclass(frozen=True, slots=True)
class Facts:
    """Be what is known of an inventory beside its rows.

    Args:
        taken: when it was begun, in UTC.
        types: the types that were asked for, such as `ec2.instances`.
        accounts: the ids of the accounts, and what people call them, or None.
        outcomes: what became of each target; `target.type` names what was listed there.
        seconds: how long it took.
        calls: how many requests were sent, tries again included.
        regions: the names and globs of regions that were asked for; nothing if that is not known.

    Example:
        >>> from datetime import datetime, timezone
        >>> Facts(datetime(2026, 1, 2, tzinfo=timezone.utc), ("ec2.vpcs",)).complete
        True
    """

    taken: datetime
    types: Sequence[str]
    accounts: Mapping[str, str | None] = field(default_factory=dict)
    outcomes: Sequence[Outcome[Any]] = field(default=(), repr=False)
    seconds: float = 0.0
    calls: int = 0
    regions: Sequence[str] = ()

    @property
    def failures(self) -> list[Outcome[Any]]:
        """List the outcomes of targets whose rows are missing, or some of them."""
        return [outcome for outcome in self.outcomes if outcome.failed]

    @property
    def complete(self) -> bool:
        """Tell whether nothing failed."""
        return not any(outcome.failed for outcome in self.outcomes)
