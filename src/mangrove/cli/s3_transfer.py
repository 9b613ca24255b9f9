"""Be the commands that change what is stored: `cp`, `mv`, `sync`, `rm`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from mangrove.cli import s3_connecting
from mangrove.cli.s3_options import (
    Filtering,
    access_options,
    connection_options,
    filter_options,
    object_arguments,
    object_options,
    output_options,
    tree_arguments,
    tree_options,
)
from mangrove.cli.s3_report import Report, shielded
from mangrove.cli.s3_tasks import Task, perform
from mangrove.s3.rules.names import is_url

__all__ = ["LINES", "cp", "mv", "rm", "sync"]

Given = Mapping[str, Any]
_recursive = click.option("-r", "--recursive", is_flag=True, help="Take all that is below the source.")
_version = click.option("--version-id", metavar="ID", help="The version of the source, of one object.")
_sources = click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
_target = click.argument("target", metavar="TARGET")
_comparison = (
    click.option("--size-only", "compare", flag_value="size", help="Files of one size are the same."),
    click.option("--exact-timestamps", "compare", flag_value="exact", help="Download what is older in S3, too."),
    click.option("--checksum", "compare", flag_value="checksum", help="Compare bytes, by what S3 knows of them."),
)
_delete = click.option("--delete", is_flag=True, help="Delete from the target what the source has not, last of all.")
_urls = click.argument("sources", nargs=-1, required=True, metavar="URL...")
_versions = click.option("--versions", is_flag=True, help="Delete all versions for good, and delete markers.")


def _decorated(function: Callable[..., Any], *decorators: Callable[[Any], Any]) -> Any:
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


# What follows a name on the command line, and in a file of commands.
_COPYING = (_sources, _target, _recursive, _version, tree_options, object_options)
_SYNCING = (click.argument("source", metavar="SOURCE"), _target, _delete, *_comparison, tree_options, object_options)
_REMOVING = (
    _urls,
    _recursive,
    _versions,
    click.option("--version-id", metavar="ID", help="The version of one object, which is gone then."),
    access_options,
    filter_options,
)


def _copies(verb: str, given: Given) -> list[Task]:
    sources, target = given["sources"], given["target"]
    if len(sources) > 1 and not (target.endswith("/") or _is_folder(target)):
        text = f"several sources go to a folder; end {target!r} with a slash"
        raise click.UsageError(text)
    arguments = {**tree_arguments(given), **object_arguments(given)}
    return [Task(verb, source, target, given["recursive"], arguments) for source in sources]


def _is_folder(target: str) -> bool:
    return target.count("/") < 3 if is_url(target) else Path(target).is_dir()  # noqa: PLR2004  s3://bucket


def _syncs(verb: str, given: Given) -> list[Task]:
    arguments = {**tree_arguments(given), **object_arguments(given), "compare": given["compare"] or "newer"}
    return [Task(verb, given["source"], given["target"], True, {**arguments, "delete": given["delete"]})]  # noqa: FBT003


def _removals(verb: str, given: Given) -> list[Task]:
    arguments = {**tree_arguments(given), **object_arguments(given)}
    if given["versions"]:
        arguments["versions"] = True
    return [Task(verb, source, "", given["recursive"], arguments) for source in given["sources"]]


LINES: Mapping[str, tuple[tuple[Callable[[Any], Any], ...], Callable[[str, Given], list[Task]]]] = {
    "cp": (_COPYING, _copies),
    "mv": (_COPYING, _copies),
    "rm": (_REMOVING, _removals),
    "sync": (_SYNCING, _syncs),
}
"""What follows a command's name, and what makes tasks of it."""


def _perform(tasks: Iterable[Task], given: Given) -> int:
    tasks = list(tasks)
    for task in tasks:
        task.check()
    to_stdout = any(task.target == "-" for task in tasks)
    report = Report(given["output"], progress=not given["no_progress"], dry_run=given["dry_run"], shown=not to_stdout)
    with s3_connecting.connect(given) as connection, report:
        backend = connection.backend
        alone = len(tasks) == 1
        if to_stdout:
            with shielded():
                perform(backend, tasks, report, concurrency=1, alone=alone)
        else:
            perform(backend, tasks, report, concurrency=given["concurrency"], alone=alone)
    return report.code


def _command(verb: str, function: Callable[..., Any], short_help: str) -> click.Command:
    options, read = LINES[verb]

    def run(**given: Any) -> int:
        return _perform(read(verb, given), given)

    run.__doc__ = function.__doc__
    decorated = _decorated(run, *options, connection_options, output_options)
    command: click.Command = click.command(verb, cls=Filtering, short_help=short_help)(decorated)
    return command


def _cp() -> None:
    """Copy files to S3, objects to files, or objects inside S3, whose bytes don't come here.

    \b
        mangrove s3 cp a.gz s3://logs/2026/         a file
        mangrove s3 cp -r folder s3://logs/2026     all that is in a folder
        mangrove s3 cp 's3://logs/*.gz' folder/     what matches
        mangrove s3 cp s3://logs/a s3://other/a     inside S3
        tar c . | mangrove s3 cp - s3://logs/a.tar  standard input; the same with - as TARGET

    A folder, and a prefix that ends with a slash, need --recursive, so that a slash too many copies nothing by
    accident; a wildcard is meant, and needs none. Several sources, as the shell makes of *, go to a folder.

    A file appears when it is whole and verified; whatever is at the target is replaced.
    """  # noqa: D301  click's own mark for a paragraph that keeps its lines


def _mv() -> None:
    """Move files to S3, objects to files, or objects inside S3: copy each, and delete it once the copy is there.

    A folder, and a prefix that ends with a slash, need --recursive; a wildcard needs none. What failed is where it was.
    """


def _sync() -> None:
    """Make a tree like another: a folder like keys, keys like a folder, keys like keys.

    What is new at the source, of another size, or newer than at the target is copied; where both are of one second,
    bytes are compared. With --delete, what the source
    has not is deleted last of all, and only if all else went well and the source has anything.

    \b
        mangrove s3 sync folder s3://site --delete --exclude '*' --include '*.html'
        mangrove s3 sync s3://site folder --checksum
    """  # noqa: D301  click's own mark for a paragraph that keeps its lines


def _rm() -> None:
    """Delete objects, a thousand with one request; nothing is asked.

    All that is below a prefix, or in a bucket, needs --recursive; a wildcard needs none. That there is no such object
    is no error of S3's.
    """


cp = _command("cp", _cp, "Copy files and objects.")
mv = _command("mv", _mv, "Move files and objects.")
sync = _command("sync", _sync, "Make a tree like another.")
rm = _command("rm", _rm, "Delete objects.")
