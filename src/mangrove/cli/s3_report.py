"""Tell what became of each operation as it ends: lines or JSON on standard output, failures on standard error."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from mangrove._redact import message_of
from mangrove.cli.output import emit
from mangrove.cli.text import clean
from mangrove.errors import ConfigError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from mangrove.s3.outcome import Outcome, Progress

__all__ = ["CREDENTIALS", "FAILED_ALL", "Report", "human", "is_of_credentials", "reason_of", "shielded", "tell_error"]

_FAILED = 1
_USAGE = 2
CREDENTIALS = 253
"""The exit code where there are no credentials."""
FAILED_ALL = 254
"""The exit code where nothing went well."""

_OF_CREDENTIALS = frozenset(
    "NoCredentialsError PartialCredentialsError CredentialRetrievalError SSOError TokenRetrievalError LoginError"
    " CredentialError".split()
)
_DONE = {
    "upload": "uploaded",
    "download": "downloaded",
    "copy": "copied",
    "move": "moved",
    "delete": "deleted",
    "abort": "aborted",
}
_EVERY = 0.2  # seconds


def is_of_credentials(error: BaseException) -> bool:
    """Say whether there are no credentials, or they can't be had; known by the name, as `--help` needs no botocore."""
    return any(kind.__name__ in _OF_CREDENTIALS for kind in type(error).__mro__)


def reason_of(error: BaseException) -> str:
    """Return an error's message on one line, safe to look at."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None and not _is_ours(error):
        return clean(f"{error.filename}: {error.strerror}")
    text = clean(" ".join(message_of(error).split())) or type(error).__name__
    if not any(kind.__name__ == "NoCredentialsError" for kind in type(error).__mro__):
        return text
    # What the library says to do is Python.
    hint = "; give --profile, set one of boto3's sources, or say --no-sign-request for a public bucket"
    return text.partition(";")[0] + hint


def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.startswith("mangrove")


def tell_error(error: BaseException, what: str = "") -> None:
    """Print one line for an error to standard error.

    Args:
        error: the error.
        what: what failed, in front of it.
    """
    click.echo(f"mangrove: error: {clean(what)}{': ' if what else ''}{reason_of(error)}", err=True)


def human(size: int) -> str:
    """Return a number of bytes as people read it.

    Example:
        >>> human(999), human(1536), human(5 * 2**40)
        ('999 B', '1.5 KiB', '5.0 TiB')
    """
    value, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if value < 1024:  # noqa: PLR2004
            break
        value, unit = value / 1024, larger
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"


@contextmanager
def shielded() -> Iterator[Any]:
    """Give standard output as a file of bytes; a reader that has enough, such as `head`, is no error."""
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python would flush what is left at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Report:
    """Tell of operations as they end, and count them.

    Args:
        form: `text`, `json` or `jsonl`.
        progress: whether a line on standard error says how far it is, and another one in the end what was done.
        dry_run: whether nothing is done.
        shown: whether standard output is for this; not where it gets an object.
    """

    def __init__(self, form: str, *, progress: bool = True, dry_run: bool = False, shown: bool = True) -> None:
        self._form, self._dry_run, self._shown = form, dry_run, shown
        self._progress = progress
        # Lines on the terminal say themselves how far it is.
        lines = shown and sys.stdout is not None and sys.stdout.isatty()
        self._live = progress and not lines and sys.stderr is not None and sys.stderr.isatty()
        self.counts: Counter[str] = Counter()
        self.failed = self.same = self._bytes = self._moved = 0
        self._no_credentials, self._only_usage = False, True
        self._began = self._told = time.monotonic()
        self._opened = False

    def take(self, outcome: Outcome, line: int | None = None) -> None:
        """Tell of one operation.

        Args:
            outcome: what became of it.
            line: the number of the line that asked for it, in a file of commands.
        """
        source, target = _sides(outcome)
        facts = (outcome.operation, source, target)
        if outcome.error is not None:
            self._fail(outcome.error, _sentence(*facts), line)
        else:
            self.counts[outcome.operation] += 1
            self._bytes += 0 if outcome.operation == "delete" else outcome.size or 0
        if self._form != "text":
            self._record(facts, outcome.error, line, outcome.size, outcome.verified)
        elif outcome.error is None:
            self._print(f"{'(dry run) ' if self._dry_run else ''}{_sentence(*facts)}\n")
        self._tick()

    def refuse(
        self, error: BaseException, verb: str = "", source: str = "", target: str = "", line: int | None = None
    ) -> None:
        """Tell of a command that failed as a whole.

        Args:
            error: why.
            verb: the command.
            source: its source.
            target: its target.
            line: its number, in a file of commands.
        """
        self._fail(error, " ".join(filter(None, (verb, source, target))), line)
        if self._form != "text":
            self._record((verb or None, source or None, target or None), error, line)

    def _fail(self, error: BaseException, what: str, line: int | None) -> None:
        self.failed += 1
        self._no_credentials = self._no_credentials or is_of_credentials(error)
        self._only_usage = self._only_usage and isinstance(error, ConfigError)
        self._wipe()
        where = "" if line is None else f"line {line}: "
        tell_error(error, f"{where}{what}".removesuffix(": "))

    @property
    def code(self) -> int:
        """Return the exit code."""
        if not self.failed:
            return 0
        if self.counts or self.same:
            return _FAILED
        if self._only_usage:
            return _USAGE
        return CREDENTIALS if self._no_credentials else FAILED_ALL

    def _record(
        self,
        facts: tuple[str | None, ...],
        error: BaseException | None,
        line: int | None,
        size: int | None = None,
        verified: str | None = None,
    ) -> None:
        record: dict[str, Any] = dict(zip(("operation", "source", "target"), facts, strict=True))
        record |= {"size": size, "ok": error is None, "error": None if error is None else reason_of(error)}
        record |= {"verified": verified, "dry_run": self._dry_run}
        self.record(record if line is None else {**record, "line": line})

    def record(self, record: dict[str, Any]) -> None:
        """Print an object of JSON, in a line or an array."""
        text = json.dumps(record)
        if self._form == "jsonl":
            self._print(f"{text}\n")
        else:
            self._print(f"{',' if self._opened else '['}\n  {text}")
            self._opened = True

    def _print(self, text: str) -> None:
        if self._shown:
            emit([clean(text[:-1]) + "\n" if self._form == "text" else text])

    # -- how far it is ----------------------------------------------------------------------------------------------

    def watch(self) -> Callable[[Progress], object]:
        """Return what takes the progress of operations that begin now, so that large objects are seen to move."""
        before = self._bytes

        def take(progress: Progress) -> None:
            self._moved = before + progress.bytes
            self._tick()

        return take

    def count(self, size: int) -> None:
        """Count bytes of a large object that is under way by itself."""
        self._moved += size
        self._tick()

    def _tick(self) -> None:
        now = time.monotonic()
        if self._live and now - self._told >= _EVERY:
            self._told = now
            sys.stderr.write(f"\r{self._summary(moving=True)}\x1b[K")
            sys.stderr.flush()

    def _wipe(self) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _summary(self, *, moving: bool = False) -> str:
        told = [f"{count} {_DONE.get(name, name)}" for name, count in sorted(self.counts.items(), reverse=True)]
        told += [f"{self.same} the same"] if self.same else []
        told += [f"{self.failed} failed"] if self.failed else []
        size = max(self._bytes, self._moved) if moving else self._bytes
        moved = f", {human(size)}" if size else ""
        would = "would be: " if self._dry_run else ""
        what = ", ".join(told) or ("under way" if moving else "nothing to do")
        return f"mangrove: {would}{what}{moved} in {time.monotonic() - self._began:.1f} s"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._form == "json" and not isinstance(error, click.UsageError):
            self._print("\n]\n" if self._opened else "[]\n")
        self._wipe()
        if self._progress and error is None:
            click.echo(self._summary(), err=True)


def _sides(outcome: Outcome) -> tuple[str | None, str | None]:
    """Return where an operation reads and where it writes."""
    other = None if outcome.value is None or isinstance(outcome.value, bool) else str(outcome.value)
    here = f"s3://{outcome.bucket}/{outcome.key}" if outcome.bucket else outcome.key
    if outcome.operation == "delete":
        return here, None
    return (here, other) if outcome.operation == "download" else (other, here)


def _sentence(operation: str, source: str | None, target: str | None) -> str:
    if source is not None and target is not None:
        return f"{operation}: {source} to {target}"
    return f"{operation}: {source if source is not None else target}"
