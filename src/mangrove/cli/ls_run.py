"""List what was asked: print rows as they come or store them, stop when told, and say what is missing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mangrove.cli.call_interrupt import Interruption
from mangrove.cli.call_report import exit_code, reason_of, say, tell_emptiness, tell_failures
from mangrove.cli.call_run import without_the_warning
from mangrove.cli.garbage import rare_collections
from mangrove.cli.ls_columns import sort_rows
from mangrove.cli.ls_rows import Printer
from mangrove.cli.output import emit
from mangrove.cli.status import StatusLine
from mangrove.inventory import Row, Sink, sink_for

if TYPE_CHECKING:
    from mangrove.cli.ls_asked import Asked
    from mangrove.fleet import Fleet, Plan, Progress
    from mangrove.inventory import Collection

__all__ = ["Listing", "open_sinks", "print_plan", "told"]

_INTERRUPTED = 130
_AT_ONCE = 1000  # rows that a file takes at once
_MOST_TYPES = 40  # of more, a plan tells the services

Stored = tuple[str, bool, Sink]
"""The name of a file, whether it was there before, and what writes it."""


@contextmanager
def open_sinks(files: Sequence[str]) -> Iterator[list[Stored]]:
    """Open the files that rows are stored in; what is not finished in the end is left as it was.

    Args:
        files: the files.

    Raises:
        ConfigError: a name has no known suffix, or no file can be there.
        MissingExtraError: what writes such files is not installed.
        OutputError: it can't be written.
    """
    found: list[Stored] = []
    try:
        for file in dict.fromkeys(files):
            is_there = Path(file).expanduser().exists()
            found.append((file, is_there, sink_for(file)))
        yield found
    finally:
        for _, _, sink in found:
            sink.abandon()


def told(progress: Progress) -> str:
    """Return how far it is, on one line.

    Args:
        progress: how far it is.

    Example:
        >>> from mangrove.fleet import Progress
        >>> told(Progress(3, 12, True, 0, 1234, 5, 1, seconds=2.0))
        '3 of 12 targets, 5 calls, 1,234 resources, 1 throttled, 6 s left'
    """
    total = f"{progress.total:,}{'' if progress.complete else '+'}"
    parts = [f"{progress.done:,} of {total} targets", f"{progress.calls:,} calls", f"{progress.rows:,} resources"]
    parts += [f"{progress.failed:,} failed"] if progress.failed else []
    parts += [f"{progress.throttled:,} throttled"] if progress.throttled else []
    parts += [f"{progress.left:.0f} s left"] if progress.left else []
    return ", ".join(parts)


class Listing:
    """Be one run of the command.

    Args:
        asked: what is asked.
        form: how rows are printed; None if they are not.
        sinks: the files that rows are stored in.
        progress: whether standard error hears how far it is, and of the end.
    """

    def __init__(self, asked: Asked, form: str | None, sinks: Sequence[Stored], *, progress: bool) -> None:
        self._asked, self._sinks, self._progress = asked, sinks, progress
        self._line = StatusLine(shown=progress)
        self._printer = None if form is None else Printer(form, asked.columns, self._line.wipe)
        self._waiting: list[Row] = []
        self._rows = 0

    def run(self, fleet: Fleet) -> int:
        """List everywhere, and return the exit code.

        Raises:
            OutputError: standard output or a file can't be written.
        """
        with rare_collections(), without_the_warning(), Interruption() as ear, self._line as line:
            rows = self._asked.collect(fleet, self._tell)
            types, accounts = len(rows.types), len(fleet)
            line.phase(f"listing {_count(types, 'type')} in {_count(accounts, 'account')}")
            try:
                self._read(rows, ear)
            finally:
                ear.finish()
                rows.close()
            self._print_the_rest()
            line.wipe()
            return self._finish(rows, ear)

    def _tell(self, progress: Progress) -> None:
        self._line.show(told(progress))
        if self._printer is not None:
            self._printer.tick()

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _read(self, rows: Collection, ear: Interruption) -> None:
        """Take what comes, until Ctrl-C ends it."""
        held = bool(self._asked.order)
        try:
            for row in ear.through(rows, rows.close):
                self._rows += 1
                if self._sinks or held:
                    self._waiting.append(row)
                    if not held and len(self._waiting) >= _AT_ONCE:
                        self._store()
                if self._printer is not None and not held:
                    self._printer.take(row)
                    if not rows.at_hand:
                        self._printer.flush()
                    if not self._printer.alive and not self._sinks:
                        break  # nobody reads it
        except KeyboardInterrupt:
            pass

    def _store(self) -> None:
        waiting, self._waiting = self._waiting, []
        for _, _, sink in self._sinks:
            sink.add(waiting)

    def _print_the_rest(self) -> None:
        printer = self._printer
        if self._asked.order:
            self._waiting = sort_rows(self._waiting, self._asked.order)
            for row in self._waiting if printer is not None else ():
                printer.take(row) if printer is not None else None
        if self._sinks:
            self._store()
        if printer is not None:
            printer.end()

    # -- the end -------------------------------------------------------------------------------------------------------

    def _finish(self, rows: Collection, ear: Interruption) -> int:
        code = _INTERRUPTED if ear.heard else exit_code(rows.run, faults=self._faults)
        kept = self._keep(rows, whole=not ear.heard, any_done=self._rows > 0 or code in (0, 1))
        tell_failures(rows.outcomes)
        if not ear.heard:
            tell_emptiness(rows.outcomes)
        self._tell_faults()
        for remark in [*(self._printer.remarks if self._printer else ()), *kept]:
            say(remark)
        if self._progress:
            summary = str(replace(rows.summary(), rows=self._rows)).replace(" rows,", " resources,")
            say(f"{'interrupted: ' if ear.heard else ''}{summary.replace(' 1 row,', ' 1 resource,')}")
        return code

    def _keep(self, rows: Collection, *, whole: bool, any_done: bool) -> Iterator[str]:
        """Put the files in their places, and say where they are."""
        facts, remarks = rows.facts(), []
        for file, is_there, sink in self._sinks:
            is_added = Path(file).suffix.lower() == ".duckdb"
            if any_done and (whole or is_added or not is_there):
                sink.finish(facts)
                remarks.append(f"{_count(self._rows, 'resource')} in {file}{'' if whole else ', which is not whole'}")
            else:
                remarks.append(f"{file} is {'as it was' if is_there else 'not written'}")
        return iter(remarks)

    @property
    def _faults(self) -> int:
        return 0 if self._printer is None else len(self._printer.faults)

    def _tell_faults(self) -> None:
        if self._printer is not None and self._printer.faults:
            row, error = self._printer.faults[0]
            say(
                f"error: {self._faults} rows can't be printed; the first: {row.account} {row.region} {row.type} "
                f"{row.name}: {reason_of(error)}"
            )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def print_plan(plan: Plan, form: str) -> None:
    """Print which calls would be made: type by type, or of very many types service by service.

    Args:
        plan: the plan.
        form: `json` and `jsonl` make a document of it.
    """
    if form in ("json", "jsonl"):
        document: dict[str, Any] = {
            "types": [name for _, name in plan.calls if "." in name],
            "accounts": plan.accounts,
            "total": plan.total,
            "calls": [{"service": key[0], "type": key[1], "count": count} for key, count in plan.calls.items()],
            "targets": len(plan.targets),
            "possible": len(plan.possible),
            "notes": list(plan.notes),
        }
        emit([f"{json.dumps(document, indent=2 if form == 'json' else None)}\n"])
        return
    emit([f"{_shortened(plan)}\n", f"{_count(plan.total, 'call')}, and those for tags that lists leave out\n"])


def _shortened(plan: Plan) -> Plan:
    if len(plan.calls) <= _MOST_TYPES:
        return plan
    types: Counter[str] = Counter(service for service, _ in plan.calls)
    calls: Counter[tuple[str, str]] = Counter()
    for (service, name), count in plan.calls.items():
        calls[(service, _count(types[service], "type")) if types[service] > 1 else (service, name)] += count
    return replace(plan, what=_count(sum(types.values()), "type"), calls=calls)
