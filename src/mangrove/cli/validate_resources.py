"""Say what is wrong with resource definitions: those that are derived, and those that users have written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from mangrove.cli.options import output_options

if TYPE_CHECKING:
    from mangrove.resources.checking import Checked

__all__ = ["COLUMNS", "validate_resources"]

COLUMNS = ("service", "where", "problem", "source")


@click.command("validate-resources", short_help="Check resource definitions against the installed botocore.")
@click.argument("targets", nargs=-1, metavar="[SERVICE|FILE]...")
@click.option("--service", metavar="NAME", help="The service that the files are of, where their folders do not tell.")
@output_options
def validate_resources(*, targets: tuple[str, ...], service: str | None, output: str, no_progress: bool) -> int:
    """Check every operation, input, JMESPath, shape, waiter and required input of resource definitions.

    Without arguments, the resources of all services, as they are derived from the installed botocore. A SERVICE is
    botocore's name, such as rds; a FILE is a resources-1 definition of your own, or an extras file, in folders as
    botocore's: SERVICE/VERSION/resources-1.json.

    What is found is a row each, and then the exit code is 1. What is wrong in boto3's own definitions is shown, and
    counts for nothing.
    """
    # Imported here: `--help` needs no botocore.
    from mangrove.aws.services import find_service  # noqa: PLC0415
    from mangrove.cli.grid import Grid  # noqa: PLC0415
    from mangrove.resources.checking import services  # noqa: PLC0415

    known = services()
    if service is not None:
        service = find_service(service, known)
    files = [each for each in targets if _is_file(each, known)]
    names = [find_service(each, known) for each in targets if each not in files]
    if service is not None and (names or not files):
        text = "--service is for files; name services as arguments"
        raise click.UsageError(text)
    if not targets:
        names = known
    rows: list[dict[str, Any]] = []
    types = 0
    for checked in _checked(list(dict.fromkeys(names)), list(dict.fromkeys(files)), service, progress=not no_progress):
        types += checked.types
        rows += [asdict(each) for each in checked.findings]
    if rows or output != "table":
        Grid(COLUMNS, output).print(rows)
    wrong = [row for row in rows if row["source"] != "boto3"]
    told = f"{len(wrong)} things are wrong" if len(wrong) > 1 else "one thing is wrong" if wrong else "nothing is wrong"
    click.echo(f"mangrove: {types} types checked: {told}", err=True)
    return 1 if wrong else 0


def _is_file(target: str, known: list[str]) -> bool:
    if target in known:
        return False
    return os.sep in target or "/" in target or target.endswith(".json") or os.path.lexists(target)


def _checked(names: list[str], files: list[str], service: str | None, *, progress: bool) -> Iterator[Checked]:
    from mangrove.cli.progress import Progress  # noqa: PLC0415
    from mangrove.resources.checking import check_file, check_service  # noqa: PLC0415

    total = len(names) + len(files)
    with Progress(shown=progress and total > 1) as shown:
        shown.phase(f"checking {total} definitions")
        for number, name in enumerate(names, 1):
            yield check_service(name)
            shown.advance(number, total)
        for number, path in enumerate(files, len(names) + 1):
            yield check_file(path, service)
            shown.advance(number, total)
