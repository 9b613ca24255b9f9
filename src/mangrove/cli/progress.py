"""Tell on standard error how far a command is: a live line on a terminal, a line for each phase elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as LiveLine

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Progress"]


class Progress:
    """Show the phases of a command and how much of each is done.

    Args:
        shown: False to stay silent.
        console: where to; standard error if None.

    Example:
        >>> with Progress(shown=False) as progress:
        ...     progress.phase("listing")
        ...     progress.advance(1, 2)
    """

    def __init__(self, *, shown: bool = True, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        # A dumb terminal cannot rewrite its line.
        live = self._console.is_terminal and not self._console.is_dumb_terminal
        self._plain = shown and not live
        self._line = LiveLine(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=False,  # data goes where it goes, and at once
            disable=not (shown and live),
        )
        self._task = self._line.add_task("", total=None)

    def phase(self, name: str) -> None:
        """Begin a phase.

        Args:
            name: what is being done, in a few words.
        """
        if self._plain:
            self._console.print(f"mangrove: {name}", markup=False)
        self._line.reset(self._task, description=name, total=None)

    def advance(self, done: int, total: int) -> None:
        """Say how much of the phase is done.

        Args:
            done: how many steps are done.
            total: how many there are.
        """
        self._line.update(self._task, completed=done, total=total)

    def __enter__(self) -> Self:
        self._line.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.stop()
