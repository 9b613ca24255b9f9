"""Be the rows of an inventory as they arrive, and what became of the targets that they are from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from mangrove._extras import require
from mangrove.errors import MangroveError
from mangrove.fleet import Fleet, Outcome, Progress, Run, Summary, Target
from mangrove.inventory.facts import Facts
from mangrove.inventory.rows import Row

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Collection"]

_LEFT = "the inventory was left before its end, and what it had not come to is not in it"


class Collection(Iterator[Row]):
    """Iterate over the rows of an inventory as they arrive.

    The work begins with the first row that is asked for, and is never far ahead of who reads. Closing it, or leaving
    its `with` block, cancels what is not yet begun. pandas, Polars, DuckDB and whoever else reads Arrow's streams take
    it as it is, once, as any iterator.

    Args:
        run: does the work.
        fleet: where.
        types: the names of the types.

    Example:
        >>> from mangrove.inventory import Inventory
        >>> fleet = mangrove.Fleet(["123456789012"], regions=["eu-west-1"])
        >>> with Inventory(fleet).collect(["ec2.vpcs"]) as rows:
        ...     print([row.type for row in rows], rows.failures, rows.facts().complete)
        ['ec2.vpcs'] [] True
    """

    def __init__(self, run: Run[Row], fleet: Fleet, types: Sequence[str]) -> None:
        self.run = run
        """The run: its `summary()`, and what can be written down of it."""
        self.types = tuple(types)
        """The names of the types."""
        self._fleet, self._taken = fleet, datetime.now(timezone.utc)

    def __next__(self) -> Row:
        return next(self.run)

    def __iter__(self) -> Self:
        return self

    # -- what became of it ---------------------------------------------------------------------------------------------

    @property
    def outcomes(self) -> list[Outcome[Any]]:
        """List what became of the targets that are done; `target.type` names what was listed there."""
        return self.run.outcomes

    @property
    def failures(self) -> list[Outcome[Any]]:
        """List the outcomes of the targets that failed: their rows are missing, or some of them, or their tags."""
        return [outcome for outcome in self.run.outcomes if outcome.failed]

    @property
    def calls(self) -> int:
        """Count the requests sent for the targets that are done, tries again included."""
        return sum(outcome.calls for outcome in self.run.outcomes)

    @property
    def at_hand(self) -> bool:
        """Tell whether the next row is there already."""
        return self.run.at_hand

    @property
    def progress(self) -> Progress:
        """Return how far it is."""
        return self.run.progress

    def summary(self) -> Summary:
        """Count what became of the targets so far."""
        return self.run.summary()

    def facts(self) -> Facts:
        """Return what is known of it beside its rows, as whoever stores it wants it."""
        progress = self.run.progress
        accounts = {account.id: account.name for account in self._fleet.accounts}
        outcomes, regions = tuple(self.outcomes), tuple(self._fleet.regions)
        if not progress.complete or progress.done < progress.total:
            # Whoever reads what is stored must not take it for all there is.
            outcomes = (*outcomes, Outcome(Target("*", "*"), "failed", error=MangroveError(_LEFT)))
        return Facts(self._taken, self.types, accounts, outcomes, progress.seconds, self.calls, regions)

    # -- the end -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Cancel what is not yet begun; nothing more is handed out."""
        self.run.close()

    cancel = close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    # -- other forms ---------------------------------------------------------------------------------------------------

    def to_arrow(self) -> Any:
        """Return the rows that are left as a `pyarrow.Table`.

        Returns:
            Of several types the columns that all have: `account`, `region`, `partition`, `service`, `type`, `name`,
            `arn`, `tags` as a map, and `data` as JSON.

        Raises:
            MissingExtraError: pyarrow is not installed.

        Example:
            >>> from mangrove.inventory import Inventory
            >>> fleet = mangrove.Fleet(["123456789012"], regions=["eu-west-1"])
            >>> Inventory(fleet).collect(["ec2.vpcs"]).to_arrow().column("type").to_pylist()
            ['ec2.vpcs']
        """
        require("pyarrow", "inventory")
        from mangrove.inventory.arrow import table_of  # noqa: PLC0415  an optional part

        return table_of(self)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows that are left as an Arrow C stream, read as they arrive.

        Source: "The Arrow PyCapsule interface" in Arrow's format.
        """
        require("pyarrow", "inventory")
        from mangrove.inventory.arrow import stream_of  # noqa: PLC0415

        return stream_of(self).__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        several = self.types[0] if len(self.types) == 1 else f"{len(self.types)} types"
        return f"<Collection of {several}: {len(self.outcomes)} targets done>"
