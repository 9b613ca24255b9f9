"""Run what was asked: print rows as they come, stop when told, and write down what is done."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mangrove.cli.call_interrupt import Interruption
from mangrove.cli.call_output import Writer, writer_for
from mangrove.cli.call_report import exit_code, reason_of, say, tell_emptiness, tell_failures
from mangrove.cli.call_values import plain
from mangrove.cli.progress import Progress
from mangrove.errors import ConfigError, OutputError
from mangrove.fleet import Outcome, Row

if TYPE_CHECKING:
    from mangrove.cli.call_asking import Asked
    from mangrove.cli.call_query import Query
    from mangrove.fleet import Fleet, Run, Target

__all__ = ["Calling", "check_file", "without_the_warning"]

_FAILED, _INTERRUPTED = 1, 130


def check_file(path: str) -> None:
    """Refuse a file that the run can't be written down in, before the first call.

    Raises:
        ConfigError: its folder is not there, or it is some other file.
    """
    from mangrove.fleet.record import read_record  # noqa: PLC0415

    file = Path(path)
    if not file.parent.is_dir():
        text = f"--save {path}: there is no folder {str(file.parent)!r}"
        raise ConfigError(text)
    if file.exists() or file.is_symlink():
        try:
            read_record(file)
        except ConfigError:
            text = f"--save {path}: the file is there, and is not the file of a run; name another one"
            raise ConfigError(text) from None


@dataclass(slots=True)
class _Reader:
    """Turn results into rows, and count what has been dealt with."""

    writer: Writer
    query: Query | None
    outcomes: int = 0
    rows: int = 0
    faults: int = 0
    first_fault: str = ""

    def take(self, result: Row | Outcome[Any]) -> None:
        """Print what a result holds."""
        if isinstance(result, Row):
            self._row(result)
        else:
            if result.ok:
                members = result.value if isinstance(result.value, dict) else {}
                told = {name: value for name, value in members.items() if name != "ResponseMetadata"}
                self._row(Row(told, result.target))
            self.outcomes += 1

    def _row(self, row: Row) -> None:
        try:
            found = plain(row.stamped())
            found = found if self.query is None else self.query(found)
        except Exception as error:  # noqa: BLE001  a function of the query's, or a body that broke off: it is one row
            self._fault(row.target, error)
            return
        if found is not None:
            self.writer.take(found)
            self.rows += 1

    def _fault(self, target: Target, error: Exception) -> None:
        self.first_fault = self.first_fault or f"{target.account} {target.region}: {reason_of(error)}"
        self.faults += 1


@contextmanager
def without_the_warning() -> Iterator[None]:
    """Keep the run's own warning of failures back: they are told here."""
    log = logging.getLogger("mangrove.fleet")

    def drop(_record: logging.LogRecord) -> bool:
        return False

    log.addFilter(drop)
    try:
        yield
    finally:
        log.removeFilter(drop)


class Calling:
    """Be one run of the command.

    Args:
        asked: what is asked.
        query: what is found in each row, or None.
        form: how rows are printed.
        file: where it is written down what is done, or None.
        progress: whether standard error hears how far it is, and of the end.
    """

    def __init__(self, asked: Asked, query: Query | None, form: str, file: str | None, *, progress: bool) -> None:
        self._asked, self._file, self._progress = asked, file, progress
        self._live = progress
        if sys.stdout is not None and sys.stdout.isatty() and form != "table":
            # A live line and rows that come one by one would fight for the terminal.
            self._live = not (sys.stderr is not None and sys.stderr.isatty()) and progress
        self._writer = writer_for(form, None if query is None else query.names, queried=query is not None)
        self._reader = _Reader(self._writer, query)

    def run(self, fleet: Fleet, *, ordered: bool) -> int:
        """Call everywhere, and return the exit code.

        Raises:
            OutputError: standard output can't be written.
        """
        with without_the_warning(), Interruption() as ear:
            with Progress(shown=self._live) as shown:
                number = len(fleet)
                shown.phase(f"calling {self._asked} in {number} account{'' if number == 1 else 's'}")
                run = self._asked.run(
                    fleet, ordered=ordered, progress=lambda told: shown.advance(told.done, told.total)
                )
                self._read(run, ear)
            return self._finish(run, ear)

    def _read(self, run: Run[Any], ear: Interruption) -> None:
        """Print what comes, until Ctrl-C ends it."""
        try:
            for result in ear.through(run, run.close):
                self._reader.take(result)
                if not self._writer.alive and self._asked.operation.read_only:
                    break  # nobody reads it
        except KeyboardInterrupt:
            pass
        except OutputError:
            if not self._asked.operation.read_only:
                self._save(run)  # what has been changed must not be changed again
            raise
        finally:
            ear.finish()
            run.close()

    def _finish(self, run: Run[Any], ear: Interruption) -> int:
        self._writer.end()
        is_read = self._writer.alive or not self._asked.operation.read_only
        failed = self._save(run) if is_read else 0
        tell_failures(run.outcomes)
        if not ear.heard:
            tell_emptiness(run.outcomes)
        if self._reader.faults:
            say(f"error: {self._reader.faults} rows can't be printed; the first: {self._reader.first_fault}")
        for remark in self._writer.remarks:
            say(remark)
        self._tell_what_is_left(run)
        if self._progress:
            told = replace(run.summary(), rows=self._reader.rows)
            say(f"{'interrupted: ' if ear.heard else ''}{told}")
        if ear.heard:
            if not self._asked.operation.read_only:
                say("requests that were under way may have changed something; --resume tells of them")
            return _INTERRUPTED
        return failed or exit_code(run, faults=self._reader.faults)

    def _save(self, run: Run[Any]) -> int:
        """Write the run's file, if one was asked for; return 1 if that failed."""
        if not self._asked.rows and self._asked.operation.read_only:
            # An answer that was on its way to be printed is asked for again; a change is not made again.
            del run.outcomes[self._reader.outcomes :]
        if self._file is None:
            return 0
        try:
            run.save(self._file)
        except OSError as error:
            say(f"error: {self._file} can't be written: {error.strerror}")
            return _FAILED
        return 0

    def _tell_what_is_left(self, run: Run[Any]) -> None:
        if self._asked.earlier is None:
            return
        again = {(each.target.account, each.target.region) for each in run.outcomes}
        left = [told for told in run.record.targets.values() if (told["account"], told["region"]) not in again]
        left = [told for told in left if told["kind"] not in ("ok", "disabled", "unsupported")]
        if left:
            say(
                f"error: {len(left)} failed targets of {self._file} are not among these accounts and regions, such as "
                f"{left[0]['account']} {left[0]['region']}; give the same --accounts and --regions"
            )
