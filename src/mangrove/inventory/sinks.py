"""Say what whoever stores an inventory is asked: one way for files, databases and reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mangrove.inventory.facts import Facts
from mangrove.inventory.rows import Row

__all__ = ["Sink"]


class Sink(Protocol):
    """Store the rows of an inventory; made before the first call, and then whatever can't be written is said.

    What was there before stays as it was until `finish` has ended, and after `abandon`.
    """

    def add(self, rows: Sequence[Row]) -> None:
        """Take more rows; memory does not grow with their number, unless the format wants them all.

        Args:
            rows: the rows.

        Raises:
            OutputError: they can't be written; a full disk is one reason.
        """
        ...

    def finish(self, facts: Facts) -> None:
        """Put the whole where it belongs, in one step.

        Args:
            facts: what the rows are of.

        Raises:
            OutputError: it can't be written.
        """
        ...

    def abandon(self) -> None:
        """Leave nothing behind, and what was there as it was; may be called at any time, and again."""
        ...
