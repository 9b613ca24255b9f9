"""Be a small shell for statements: history, completion, several lines until a semicolon."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mangrove._atomic import read_private, write_private
from mangrove._redact import message_of
from mangrove.cli.call_report import reason_of, say
from mangrove.cli.output import emit
from mangrove.cli.text import clean
from mangrove.errors import ConfigError, MangroveError

if TYPE_CHECKING:
    from mangrove.cli.sql_asking import Asking

__all__ = ["Completer", "run_shell", "split"]

_USAGE, _FAILED, _INTERRUPTED = 2, 1, 130
_KEPT = 1000  # lines of history
_HELP = """\
.tables      the tables that there are; any other type has one too
.schema T    the columns of a table
.refresh     forget what was collected, so that AWS is asked again
.output F    print as table, json, jsonl, csv or text
.quit        leave, as Ctrl-D does; Ctrl-C cancels a statement
A statement ends with a semicolon.
"""
_FORMS = ("table", "json", "jsonl", "csv", "text")
_KEYWORDS = (
    "and as between by case cast count describe desc distinct else end except exists explain from group having ilike "
    "in inner intersect is join left like limit not null on or order select summarize then union unnest using when "
    "where with"
).split()
_PLACE = re.compile(r"\(line (\d+), column (\d+)\)")
# Whatever a semicolon is no end in.
_PART = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*(?:\n|\Z)|/\*.*?\*/|(;)|['\"]|/\*|.", re.DOTALL)


def split(text: str) -> tuple[list[str], str]:
    r"""Return the statements of a text that have come to their end, and what is left.

    Args:
        text: what was typed.

    Example:
        >>> split("select ';'; select 1\n")
        (["select ';'"], ' select 1\n')
    """
    found, begin = [], 0
    for part in _PART.finditer(text):
        if part[0] in ("'", '"', "/*"):
            break  # it has no end yet
        if part[1]:
            found.append(text[begin : part.start()])
            begin = part.end()
    return found, text[begin:]


class Completer:
    """Complete words: commands, tables, the columns of tables that the line names, and keywords.

    Args:
        asking: knows the tables.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._columns: dict[str, list[str]] = {}

    def words(self, start: str, line: str) -> list[str]:
        """Return what a word may become.

        Args:
            start: of the word.
            line: what has been typed.
        """
        if line.lstrip().startswith("."):
            known = [".help", ".output", ".quit", ".refresh", ".schema", ".tables"]
            known += [*self._asking.book.names(), *_FORMS] if " " in line.strip() or line.endswith(" ") else []
        else:
            known = [*self._asking.book.names(), *self._of(line), *_KEYWORDS]
        small = start.lower()
        return sorted({each for each in known if each.startswith(small)})

    def _of(self, line: str) -> list[str]:
        found: list[str] = []
        for name in {*re.findall(r"\w+", line.lower())} & {*self._asking.book.names()}:
            if name not in self._columns:
                with contextlib.suppress(MangroveError):
                    self._columns[name] = [column for column, _ in self._asking.book.columns(name)]
            found += self._columns.get(name, [])
        return found


def run_shell(asking: Asking) -> int:
    """Read statements until the end of standard input, and return the exit code.

    From a terminal it is 0; else that of the first statement that has failed.

    Args:
        asking: prints what they find.
    """
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    if not is_terminal:
        return _Shell(asking).run(iter(sys.stdin or ()))
    with _history(asking) as read:
        click.echo("mangrove: .help tells the commands; a statement ends with a semicolon", err=True)
        _Shell(asking).run(read)
    return 0


class _Shell:
    """Take lines, and run what they make up.

    Args:
        asking: prints what statements find.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._text = ""
        self._code = 0

    def run(self, lines: Any) -> int:
        while True:
            if hasattr(lines, "waits"):
                lines.waits = bool(self._text.strip())
            try:
                line = next(lines, None)
            except KeyboardInterrupt:
                self._text = ""
                click.echo(err=True)
                continue
            if line is None:
                break
            if not self._take(line.rstrip("\n")):
                return self._code
        if self._text.strip():
            self._do(self._text)  # the last one needs no semicolon
        return self._code

    def _take(self, line: str) -> bool:
        if not self._text.strip() and line.lstrip().startswith("."):
            return self._command(*line.split(maxsplit=1))
        statements, self._text = split(f"{self._text}{line}\n")
        for each in statements:
            if each.strip():
                self._do(each)
        return True

    def _do(self, statement: str) -> None:
        code = _FAILED
        try:
            code = self._asking.ask(statement)
        except KeyboardInterrupt:
            say("cancelled")
            code = _INTERRUPTED
        except ConfigError as error:
            _show(error, statement)
            code = _USAGE
        except Exception as error:  # noqa: BLE001  the shell goes on, whatever it is
            say(f"error: {reason_of(error)}")
        self._code = self._code or code

    def _command(self, name: str, rest: str = "") -> bool:
        try:
            return self._obey(name, rest.strip().rstrip(";"))
        except ConfigError as error:
            say(f"error: {message_of(error)}")
            self._code = self._code or _USAGE
            return True

    def _obey(self, name: str, rest: str) -> bool:
        book = self._asking.book
        if name in (".quit", ".exit"):
            return False
        if name == ".tables":
            emit(f"{each}\n" for each in book.names())
        elif name == ".schema" and rest:
            columns = book.columns(rest)
            width = max(len(column) for column, _ in columns)
            emit(f"{clean(column):{width}}  {kind}\n" for column, kind in columns)
        elif name == ".refresh":
            book.refresh()
        elif name == ".output" and rest in _FORMS:
            self._asking.form = rest
        elif name == ".help":
            emit([_HELP])
        else:
            text = f"{name} {rest}".strip()
            told = f"{text!r} is no command; .help tells them"
            raise ConfigError(told)
        return True


def _show(error: Exception, statement: str) -> None:
    """Print an error, and below the line of the statement a mark where it is."""
    told = message_of(error)
    say(f"error: {told}")
    place = _PLACE.search(told)
    lines = statement.splitlines()
    if place is not None and int(place[1]) <= len(lines):
        line = lines[int(place[1]) - 1]
        click.echo("".join(char if char.isprintable() else " " for char in line), err=True)
        click.echo(f"{' ' * (int(place[2]) - 1)}^", err=True)


# -- the terminal -----------------------------------------------------------------------------------------------------


class _Lines:
    """Yield the lines that a person types.

    Attributes:
        waits: whether a statement has begun.
    """

    waits = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            return input("      ...> " if self.waits else "mangrove> ")
        except EOFError:
            click.echo(err=True)
            raise StopIteration from None


@contextlib.contextmanager
def _history(asking: Asking) -> Iterator[_Lines]:
    """Bring back the lines of other days, and keep those of this one; no one else can read them."""
    try:
        import readline  # noqa: PLC0415  not on every platform
    except ImportError:
        yield _Lines()
        return
    _bind(readline, Completer(asking))
    path = _history_path()
    with contextlib.suppress(OSError):
        for line in (read_private(path) or b"").decode("utf-8", "replace").splitlines()[-_KEPT:]:
            readline.add_history(line)
    try:
        yield _Lines()
    finally:
        number = readline.get_current_history_length()
        lines = [readline.get_history_item(each) for each in range(max(1, number - _KEPT + 1), number + 1)]
        with contextlib.suppress(OSError):
            write_private(path, "".join(f"{line}\n" for line in lines if line).encode())


def _history_path() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "mangrove" / "sql_history"


def _bind(readline: Any, completer: Completer) -> None:
    found: list[str] = []

    def complete(start: str, number: int) -> str | None:
        if number == 0:
            with contextlib.suppress(MangroveError):
                found[:] = completer.words(start, readline.get_line_buffer())
        return found[number] if number < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" \t\n,()=<>!+-*/;'\"[]")
    # macOS has another library under this name, with another language.
    is_libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
