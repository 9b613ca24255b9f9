"""Show the inventory at work without an AWS account: start the embedded AWS, fill it, and list all of it."""

from __future__ import annotations

import atexit
import gc
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from mangrove.cli.options import output_options
from mangrove.cli.output import emit
from mangrove.cli.text import clean
from mangrove.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mangrove.inventory import Outcome, Row

__all__ = ["demo"]

_MOST_ACCOUNTS = 100
# The server shares this process: more threads would only wait for it.
_WORKERS = 4
# The models of AWS's services are millions of objects that stay; with Python's default of 700, a third of the whole
# run goes into looking through them again and again. Costs 30 MB.
_NEW_OBJECTS_BETWEEN_COLLECTIONS = 50_000


@dataclass(frozen=True, slots=True)
class _Found:
    """Be what one run found, and what it cost."""

    rows: list[Row]
    failures: list[Outcome]
    accounts: int
    regions: int
    calls: int
    listed: float
    seconds: float


@click.command(short_help="List a fleet of made-up accounts: no AWS account, no questions.")
@click.option(
    "--accounts", type=click.IntRange(1, _MOST_ACCOUNTS), default=3, show_default=True, help="How many accounts."
)
@click.option(
    "--region", "regions", multiple=True, metavar="NAME", help="A region; may be given again.  [default: four]"
)
@output_options
def demo(*, accounts: int, regions: tuple[str, ...], output: str, no_progress: bool) -> int:
    """Start an AWS inside this process, fill its accounts and list their resources, with ARNs and tags.

    A type is named by the service and its collection, as boto3 spells them: `ec2.instances` is what
    `session.resource("ec2").instances` lists. Nothing leaves this machine. The exit code is 1 if anything could not be
    listed.
    """
    with _rare_collections():
        found = _run(accounts, tuple(dict.fromkeys(regions)), progress=not no_progress)
    # What went wrong first: it is true whether or not the reader of the rows stays to the end.
    for outcome in found.failures:
        click.echo(f"mangrove: error: {_failure(outcome)}", err=True)
    _write(found.rows, output)
    click.echo(_summary(found), err=True)
    return 1 if found.failures else 0


def _run(accounts: int, regions: tuple[str, ...], *, progress: bool) -> _Found:
    # Imported here: `--help` needs neither botocore nor moto.
    from mangrove.cli.progress import Progress  # noqa: PLC0415
    from mangrove.testing import EmbeddedAWS  # noqa: PLC0415

    started = time.perf_counter()
    with _usage():
        aws = EmbeddedAWS(accounts, regions) if regions else EmbeddedAWS(accounts)
    _check_regions(aws.regions)
    with Progress(shown=progress) as shown:
        shown.phase("starting the embedded AWS")
        with aws:
            shown.phase("making resources")
            aws.seed(progress=shown.advance)
            shown.phase("listing them")
            return _list(aws, shown.advance, started)


@contextmanager
def _rare_collections() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
    # The interpreter looks through all of it once more when it ends, for nothing.
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _usage() -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        raise click.UsageError(clean(str(error))) from error


def _check_regions(regions: Sequence[str]) -> None:
    """Refuse the regions that the made-up accounts cannot use, before anything is made in them."""
    from mangrove.aws.loader import shared_loader  # noqa: PLC0415
    from mangrove.aws.partitions import SdkRegions  # noqa: PLC0415

    aws_partition = SdkRegions(shared_loader(None)).partitions["aws"]
    usable = [name for name in aws_partition.regions if not aws_partition.is_opt_in(name)]
    for region in regions:
        if region not in usable:
            text = f"{region!r} is not enabled in the accounts of the demo; take of {', '.join(usable)}"
            raise click.UsageError(text)


def _list(aws: Any, advance: Callable[[int, int], None], started: float) -> _Found:
    from mangrove import inventory  # noqa: PLC0415

    begun = time.perf_counter()
    sessions = {account: aws.session(account) for account in aws.accounts}
    with inventory.collect(
        sessions, aws.regions, types=inventory.DEFAULT_TYPES, workers=_WORKERS, on_progress=advance
    ) as collection:
        rows = sorted(collection, key=_order)
    now = time.perf_counter()
    return _Found(
        rows=rows,
        failures=sorted(collection.failures, key=lambda cell: (cell.account, cell.region, cell.service, cell.type)),
        accounts=len(aws.accounts),
        regions=len(aws.regions),
        calls=collection.calls,
        listed=now - begun,
        seconds=now - started,
    )


def _order(row: Row) -> tuple[str, ...]:
    # The ARN settles what the name leaves open, so that two runs over the same resources print the same.
    return (row.account, row.region, row.service, row.type, row.name, row.arn or "")


def _failure(outcome: Outcome) -> str:
    where = f"{outcome.account} {outcome.region} {outcome.type}"
    reason = str(outcome.error) or type(outcome.error).__name__
    return clean(f"{where}: {' '.join(reason.split())}")


def _summary(found: _Found) -> str:
    services = Counter(row.service for row in found.rows)
    by_service = ", ".join(f"{name} {count}" for name, count in sorted(services.items()))
    counts = (
        _count(len(found.rows), "resource"),
        _count(len(services), "service"),
        _count(found.accounts, "account"),
        _count(found.regions, "region"),
        _count(found.calls, "call"),
    )
    lines = [by_service, f"{', '.join(counts)}: listed in {found.listed:.1f} s, {found.seconds:.1f} s in all"]
    if found.failures:
        lines.append(f"incomplete: {_count(len(found.failures), 'list')} failed")
    return "\n".join(line for line in lines if line)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _write(rows: Sequence[Row], output: str) -> None:
    from mangrove.cli import text  # noqa: PLC0415

    if output == "table" and sys.stdout is not None and sys.stdout.isatty():
        from mangrove.cli.terminal import print_table  # noqa: PLC0415

        print_table(rows)
        return
    forms: dict[str, Callable[[Sequence[Row]], Iterator[str]]] = {
        "table": text.as_table,
        "json": text.as_json,
        "jsonl": text.as_jsonl,
        "csv": text.as_csv,
    }
    emit(forms[output](rows))
