"""Ask a book of tables, print what it answers, and say what may be missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import time, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from mangrove.cli.call_fleet import make_fleet, narrowed
from mangrove.cli.call_interrupt import Interruption
from mangrove.cli.call_output import writer_for
from mangrove.cli.call_report import say
from mangrove.cli.call_values import plain
from mangrove.cli.progress import Progress
from mangrove.errors import ConfigError

if TYPE_CHECKING:
    from mangrove.fleet import Fleet, Outcome
    from mangrove.inventory.query.result import Result
    from mangrove.inventory.query.scope import Scope
    from mangrove.inventory.query.shelf import Book
    from mangrove.inventory.rows import Row

__all__ = ["Asking", "open_book"]

_INCOMPLETE = 1
_MOST = 20


def open_book(given: Mapping[str, Any]) -> Book:
    """Return what answers statements: the file that was named, or AWS.

    Args:
        given: the parameters of the command.

    Raises:
        ConfigError: an option is wrong, or the file can't be read.
    """
    if given["source"] is not None:
        from mangrove.inventory.query.stored import open_stored  # noqa: PLC0415

        live = [name for name in ("accounts", "regions", "types", "role") if given[name]]
        if live:
            text = (
                f"--from asks a file, and no account: leave out --{live[0].removesuffix('s')}, or say it in the WHERE"
            )
            raise ConfigError(text.replace("--account,", "--accounts,").replace("--region,", "--regions,"))
        return open_stored(given["source"])
    return _open_live(given)


def _open_live(given: Mapping[str, Any]) -> Book:
    from mangrove.aws.session import make_session  # noqa: PLC0415
    from mangrove.inventory.query.live import Live, place_of  # noqa: PLC0415
    from mangrove.inventory.tables import Tables  # noqa: PLC0415
    from mangrove.resources.kinds import DEFAULT_TYPES  # noqa: PLC0415

    tables = Tables()
    types = tuple(part.strip() for text in given["types"] for part in text.split(",") if part.strip())
    for kind in types:
        tables.columns(kind)  # what is wrong with it is said now
    session = make_session(profile_name=given["profile"], region_name=given["region"])
    whole = make_fleet(given, session)

    @cache
    def fleet() -> Fleet:
        return narrowed(whole, given, session)

    collect = _Collecting(fleet, progress=not given["no_progress"])
    return Live(collect, lambda: place_of(fleet(), session), types or DEFAULT_TYPES, tables)


class _Collecting:
    """Collect rows, show how far it is, and stop on Ctrl-C.

    Args:
        fleet: returns the fleet, when it is needed first.
        progress: whether standard error hears how far it is.
    """

    def __init__(self, fleet: Callable[[], Fleet], *, progress: bool) -> None:
        self._fleet, self._progress = fleet, progress

    def __call__(self, types: Sequence[str], scope: Scope) -> _Rows:
        fleet = self._fleet()
        if scope.accounts is not None:
            fleet = fleet.where(ids=scope.accounts)
        if scope.regions is not None:
            fleet = fleet.where(regions=scope.regions)
        return _Rows(fleet, types, progress=self._progress)


class _Rows:
    """Be the rows of types as they come."""

    def __init__(self, fleet: Fleet, types: Sequence[str], *, progress: bool) -> None:
        self._fleet, self._types, self._progress = fleet, types, progress
        self.outcomes: Sequence[Outcome[Any]] = ()

    def __iter__(self) -> Iterator[Row]:
        from mangrove.inventory.inventory import Inventory  # noqa: PLC0415

        number = len(self._fleet)
        with Interruption() as ear, Progress(shown=self._progress) as shown:
            shown.phase(f"collecting {', '.join(self._types)} in {number} account{'' if number == 1 else 's'}")
            rows = Inventory(self._fleet).collect(
                self._types, progress=lambda told: shown.advance(told.done, told.total)
            )
            try:
                yield from ear.through(rows, rows.close)
            finally:
                rows.close()
            self.outcomes = tuple(rows.outcomes)
            if ear.heard:
                raise KeyboardInterrupt


class Asking:
    """Print what statements find.

    Args:
        book: answers them.
        form: `table`, `json`, `jsonl`, `csv` or `text`.
    """

    def __init__(self, book: Book, form: str) -> None:
        self.book, self.form = book, form

    def ask(self, text: str) -> int:
        """Print what a statement finds, and return the exit code.

        Args:
            text: the statement.

        Raises:
            ConfigError: it can't be run.
            OutputError: standard output can't be written.
        """
        result = self.book.ask(text)
        names = _unique(result.columns)
        writer = writer_for(self.form, names, queried=True)
        found = 0
        for values in _plain_rows(result):
            found += 1
            writer.take(dict(zip(names, values, strict=True)))
            if not writer.alive:
                break
        writer.end()
        if not found and self.form == "table":
            say("no rows")
        for remark in writer.remarks:
            say(remark)
        return self._tell()

    def _tell(self) -> int:
        missing = self.book.incomplete()
        for line in missing[:_MOST]:
            say(f"error: {line}")
        if len(missing) > _MOST:
            say(f"error: and {len(missing) - _MOST} more targets")
        if missing:
            say(f"the answer may lack what {len(missing)} failed target{'' if len(missing) == 1 else 's'} would tell")
        return _INCOMPLETE if missing else 0


def _unique(names: Sequence[str]) -> list[str]:
    """Return names of which none is there twice, so that no column hides another."""
    found: dict[str, None] = {}
    for name in names:
        number, each = 1, name
        while each in found:
            number, each = number + 1, f"{name}_{number}"
        found[each] = None
    return list(found)


def _plain_rows(result: Result) -> Iterator[list[Any]]:
    readers = [json.loads if kind == "JSON" else _value for kind in result.types]
    for row in result:
        yield [None if value is None else read(value) for read, value in zip(readers, row, strict=True)]


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, (list, tuple)):
        return [_value(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _value(each) for key, each in value.items()}
    return str(value) if isinstance(value, (time, timedelta)) else plain(value)
