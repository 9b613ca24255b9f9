"""Draw a table of resources while they arrive: on a terminal its first rows do not wait for long."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from mangrove.cli.call_table import Table

__all__ = ["RowTable"]

# What is usual in the columns that come first, so that later rows fit where the first were shorter.
_USUAL = {"account": 12, "region": 14, "type": 26, "name": 30}
_LONG_ENOUGH = 1.0  # seconds that a row waits for others to measure
_MOST = 200


class RowTable(Table):
    """Write aligned columns of resources; see `Table`.

    Args:
        names: the names of the columns.
        clock: a time in seconds that never goes back.
    """

    def __init__(self, names: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(names)
        self._clock = clock
        self._since: float | None = None
        self._ends = False
        if self.terminal:
            self.seen = _MOST

    def take(self, row: Any) -> None:
        """Write a row, or keep it until it can be written; see `Writer`."""
        if self._since is None:
            self._since = self._clock()
        super().take(row)

    @property
    def is_late(self) -> bool:
        """Tell whether rows have waited on a terminal for long enough."""
        waited = self._since is not None and self._clock() - self._since > _LONG_ENOUGH
        return self.terminal and waited and not self._begun

    def begin(self) -> None:
        """Write the rows that wait."""
        self._begin()

    def end(self) -> None:
        """Write what was kept."""
        self._ends = True
        super().end()

    def head(self, names: Sequence[str], first: Sequence[Sequence[Any]]) -> str:
        """Return the header, having measured the first lines, and room for what is usual if there are more to come."""
        if not self._ends and self.terminal:
            first = [*first, ["x" * _USUAL.get(name, 0) for name in names]]
        return super().head(names, first)
