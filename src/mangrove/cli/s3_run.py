"""Be the command `run`: a file of commands, many at once in one batch, each failure with the number of its line."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

import click

from mangrove.cli import s3_connecting
from mangrove.cli.s3_options import Filtering, connection_options, output_options
from mangrove.cli.s3_report import Report
from mangrove.cli.s3_tasks import Task, perform
from mangrove.cli.s3_transfer import LINES
from mangrove.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run", "tasks_of"]

_PLAIN: Mapping[str, int] = {"cp": 2, "mv": 2, "rm": 1}
_SPECIAL = re.compile(r"""["'\\#]""")
_QUOTED_OR_COMMENT = re.compile(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*"|(?:^|(?<=\s))#""", re.DOTALL)


@click.command(short_help="Run a file of commands, many at once.")
@click.argument("file", default="-", metavar="[FILE]")
@click.option("--concurrency", type=click.IntRange(1), default=50, show_default=True, help="How many run at once.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@connection_options
@output_options
def run(file: str, **given: Any) -> int:
    """Run the commands cp, mv, rm and sync of a file, a line each; of standard input without a FILE, or with -.

    \b
        # what begins with # is a comment; quotes and backslashes are as in a shell
        cp "my file.gz" s3://logs/2026/
        mv s3://logs/a s3://logs/b --storage-class GLACIER
        rm s3://logs/tmp/*
        cp s3://logs/2026/* folder/

    They begin in their order, and end in any: no line may need what another one makes. Wildcards are ours, and need no
    quotes. A line that fails, or can't be read, is told with its number, and the others go on.
    """  # noqa: D301  click's own mark for a paragraph that keeps its lines
    report = Report(given["output"], progress=not given["no_progress"], dry_run=given["dry_run"])
    with _opened(file) as lines, s3_connecting.connect(given) as connection, report:
        tasks = tasks_of(lines, report, dry_run=given["dry_run"])
        perform(connection.backend, tasks, report, concurrency=given["concurrency"])
    return report.code


@contextmanager
def _opened(file: str) -> Iterator[TextIO]:
    if file == "-":
        yield sys.stdin
        return
    try:
        # Names that are no UTF-8 come back as they are.
        opened = open(file, encoding="utf-8", errors="surrogateescape")  # noqa: PTH123, SIM115  closed below
    except OSError as error:
        text = f"the file of commands {file!r} can't be read: {error.strerror}"
        raise ConfigError(text) from error
    with opened:
        yield opened


def tasks_of(lines: Iterable[str], report: Report, *, dry_run: bool = False) -> Iterator[Task]:
    """Yield what the lines of a file of commands ask for; a line that can't be read is told as a failure.

    Args:
        lines: of the file.
        report: is told of lines that can't be read.
        dry_run: whether nothing is to be done.
    """
    for number, line in enumerate(lines, 1):
        try:
            found = _tasks(line, dry_run=dry_run)
        except click.ClickException as error:
            report.refuse(ConfigError(error.format_message()), line=number)
        except (ConfigError, OSError) as error:
            report.refuse(error, line=number)
        else:
            for task in found:
                yield replace(task, line=number)


def _tasks(line: str, *, dry_run: bool) -> list[Task]:
    # Millions of lines are plain words: the shell's own reader takes a hundred times longer.
    words = _words(line) if _SPECIAL.search(line) else line.split()
    if not words:
        return []
    verb, *rest = words
    if verb not in LINES:
        text = f"a line is one of {', '.join(LINES)}; got {verb!r}"
        raise ConfigError(text)
    if len(rest) == _PLAIN.get(verb) and not any(word.startswith("-") for word in rest):
        source, target = (*rest, "")[:2]
        return [Task(verb, source, target, arguments={"dry_run": True} if dry_run else {})]
    command, read = _command(verb)
    given = command.make_context(verb, list(rest)).params
    if "-" in (given.get("target"), *given.get("sources", ())):
        text = "standard input and output are for one command, and not for lines"
        raise ConfigError(text)
    return read(verb, {**given, "dry_run": dry_run or given["dry_run"]})


def _words(line: str) -> list[str]:
    try:
        return shlex.split(_uncommented(line))
    except ValueError as error:
        text = f"its quotes can't be read: {error}"
        raise ConfigError(text) from None


def _uncommented(line: str) -> str:
    """Return a line without its comment, which begins with a word; Python's own would cut keys at their #."""
    for match in _QUOTED_OR_COMMENT.finditer(line):
        if match[0] == "#":
            return line[: match.start()]
    return line


@cache
def _command(verb: str) -> tuple[click.Command, Callable[[str, Mapping[str, Any]], list[Task]]]:
    """Return what reads the options of a line; those of the connection are the file's."""
    options, read = LINES[verb]

    def nothing(**given: Any) -> None:
        """Be no command of its own."""

    decorated: Any = nothing
    for decorate in reversed(options):
        decorated = decorate(decorated)
    return click.command(verb, cls=Filtering, add_help_option=False)(decorated), read
