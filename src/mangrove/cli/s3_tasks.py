"""Make what command lines ask for: single objects all at once in one batch, trees one after the other, each in bulk."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mangrove.errors import ConfigError, MangroveError, NotFoundError
from mangrove.s3.rules.names import is_url, parse_url, shown
from mangrove.s3.rules.patterns import Pattern, has_wildcard

if TYPE_CHECKING:
    from mangrove.cli.s3_report import Report
    from mangrove.s3.backend import Backend
    from mangrove.s3.running.handle import Handle
    from mangrove.s3.trees.choices import Choices

__all__ = ["Task", "perform"]


@dataclass(frozen=True, slots=True)
class Task:
    """Be one `cp`, `mv`, `rm` or `sync`.

    Attributes:
        verb: which.
        source: a path or an S3 URL.
        target: the same; empty for `rm`.
        recursive: whether the source is a tree.
        arguments: of the verb in the library, and options of the operations.
        line: the number of the line that asks for it, in a file of commands.
    """

    verb: str
    source: str
    target: str = ""
    recursive: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)
    line: int | None = None

    @property
    def is_tree(self) -> bool:
        """Say whether it is any number of operations."""
        if self.verb == "sync" or self.recursive or self.arguments.get("versions"):
            return True
        return is_url(self.source) and has_wildcard(parse_url(self.source).key)

    @property
    def _has_url(self) -> bool:
        return is_url(self.source) or is_url(self.target)

    def check(self) -> None:
        """Refuse what would do something else than it looks like.

        Raises:
            ConfigError: a folder without `--recursive`, a path where an S3 URL belongs.
        """
        if self.verb == "rm" and not is_url(self.source):
            text = f"{shown(self.source)} is no S3 URL; rm removes objects: write s3://bucket/key"
            raise ConfigError(text)
        if "-" in (self.source, self.target) and (self.verb != "cp" or self.is_tree or not self._has_url):
            text = "- is standard input or output: cp - s3://bucket/key, or cp s3://bucket/key -, of one object"
            raise ConfigError(text)
        if self.is_tree or self.source == "-":
            return
        if is_url(self.source):
            key = parse_url(self.source).key
            if not key or key.endswith("/"):
                text = f"{self.source} names all that is below it; say --recursive, or a key"
                raise ConfigError(text)
        elif Path(self.source).is_dir():
            text = f"{shown(self.source)} is a folder; say --recursive for all that is in it"
            raise ConfigError(text)


class _Made(NamedTuple):
    """Be the operation of a task: what is on its other side, and what is to be done once it has gone well."""

    task: Task
    other: Any
    finish: Callable[[], object]


def perform(backend: Backend, tasks: Iterable[Task], report: Report, *, concurrency: int, alone: bool = False) -> None:
    """Make tasks, and tell of each operation as it ends; one that fails costs only itself.

    Args:
        backend: what serves them.
        tasks: any number of them; taken as there is room.
        report: is told.
        concurrency: operations at once.
        alone: whether there is but one task, which needs no thread.
    """
    from mangrove.s3.many import each_as_it_ends  # noqa: PLC0415  `--help` needs no botocore

    crew = _Crew(backend, report)
    handles = crew.handles(tasks)
    for handle in map(crew.run, handles) if alone else each_as_it_ends(backend, handles, concurrency, report.watch()):
        crew.ended(handle)


class _Crew:
    """Turn tasks into operations, and what came of these into a report."""

    def __init__(self, backend: Backend, report: Report) -> None:
        self._backend, self._report = backend, report
        self._made: dict[Handle, _Made] = {}

    def handles(self, tasks: Iterable[Task]) -> Iterator[Handle]:
        """Yield the operations of single objects; trees are made here, while those go on."""
        for task in tasks:
            try:
                task.check()
                handle = None
                if task.is_tree:
                    self._tree(task)
                else:
                    handle = self._single(task)
            except (MangroveError, OSError) as error:
                self._report.refuse(error, task.verb, task.source, task.target, task.line)
            else:
                if handle is not None:
                    yield handle

    def _tree(self, task: Task) -> None:
        from mangrove.s3.trees import copying as trees  # noqa: PLC0415  `--help` needs no botocore
        from mangrove.s3.trees import keyspace  # noqa: PLC0415  same

        arguments: dict[str, Any] = {
            **task.arguments,
            "raise_errors": False,
            "callback": lambda outcome: self._report.take(outcome, task.line),
            **({} if task.verb == "rm" else {"progress": self._report.watch()}),
        }
        if task.verb == "sync":
            summary = trees.sync(self._backend, task.source, task.target, **arguments)
            self._report.same += summary.same
        elif task.verb == "rm":
            keyspace.rm(self._backend, task.source, recursive=task.recursive, **arguments)
        else:
            make = trees.mv if task.verb == "mv" else trees.cp
            summary = make(self._backend, task.source, task.target, recursive=task.recursive, **arguments)
            if summary and not summary.done:
                text = "there is nothing of that name, or all of it is excluded"
                raise NotFoundError(text)

    def _single(self, task: Task) -> Handle | None:
        from mangrove.s3.outcome import Outcome  # noqa: PLC0415
        from mangrove.s3.trees.choices import Choices  # noqa: PLC0415  `--help` needs no botocore

        choices = Choices.of(task.arguments)
        handle, other, finish = self._found(task, choices)
        if choices.dry_run:
            value = True if other is None else other
            self._report.take(Outcome(handle.operation, handle.bucket, handle.key, value, attempts=0), task.line)
            return None
        self._made[handle] = _Made(task, other, finish)
        return handle

    def _found(self, task: Task, choices: Choices) -> tuple[Handle, Any, Callable[[], object]]:
        """Return an operation, what is on its other side, and what is to be done once it has gone well."""
        from mangrove.s3.trees import copying as trees  # noqa: PLC0415  `--help` needs no botocore

        make, options = self._backend.maker, choices.options
        if task.verb == "rm":
            bucket, key = _address(task.source)
            return make.delete(bucket, key, **options), None, _nothing
        if task.source == "-":
            bucket, key = parse_url(task.target)
            return make.upload(bucket, key, sys.stdin.buffer, **options), "-", _nothing
        if task.target == "-":
            bucket, key = _address(task.source)
            return make.download(bucket, key, sys.stdout.buffer, **options), "-", _nothing
        return trees.single_of(self._backend, task.source, task.target, choices, move=task.verb == "mv")

    def run(self, handle: Handle) -> Handle:
        """Make an operation in this thread, which Ctrl-C ends at once."""
        handle.home = self._report
        try:
            return self._backend.performer.run(handle)
        except (MangroveError, OSError) as error:
            handle.end(error)
            return handle

    def ended(self, handle: Handle) -> None:
        """Tell of an operation, once what follows it is done too."""
        task, other, finish = self._made.pop(handle)
        error = handle.error
        if isinstance(error, BrokenPipeError) and other == "-":
            raise error
        if error is None:
            try:
                finish()
            except (MangroveError, OSError) as found:
                error = found
        self._report.take(replace(handle.outcome, error=error, value=other), task.line)


def _address(url: str) -> tuple[str, str]:
    """Return a bucket and a key; the backslashes that take a wildcard's meaning away are taken away."""
    bucket, key = parse_url(url)
    return bucket, Pattern(key).prefix


def _nothing() -> None:
    """Do nothing."""
