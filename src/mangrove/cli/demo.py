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

from mangrove.cli.garbage import rare_collections
from mangrove.cli.options import output_options
from mangrove.cli.text import clean
from mangrove.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mangrove.fleet import Outcome
    from mangrove.inventory import Facts, Row

__all__ = ["demo"]

_MOST_ACCOUNTS = 100
# The server shares this process: more threads would only wait for it.
_WORKERS = 4


@dataclass(frozen=True, slots=True)
class _Found:
    """Be what one run found, and what it cost."""

    rows: list[Row]
    facts: Facts
    session: Any
    accounts: int
    regions: int
    listed: float
    seconds: float


@click.command(short_help="List a fleet of made-up accounts: no AWS account, no questions.")
@click.option(
    "--accounts", type=click.IntRange(1, _MOST_ACCOUNTS), default=3, show_default=True, help="How many accounts."
)
@click.option(
    "--region", "regions", multiple=True, metavar="NAME", help="A region; may be given again.  [default: four]"
)
@click.option("--report", metavar="FILE", help="Where the report goes.  [default: a temporary file]")
@output_options
def demo(*, accounts: int, regions: tuple[str, ...], report: str | None, output: str, no_progress: bool) -> int:
    """Start an AWS inside this process, fill its accounts and list their resources, with ARNs and tags.

    A type is named by the service and its collection, as boto3 spells them: `ec2.instances` is what
    `session.resource("ec2").instances` lists. Nothing leaves this machine. Beside the table, standard error shows two
    statements of SQL over the rows and the path of a report, if the extra `inventory` is installed. The exit code is 1
    if anything could not be listed.
    """
    atexit.register(_leave_as_it_is)
    with rare_collections():
        found = _run(accounts, tuple(dict.fromkeys(regions)), progress=not no_progress)
        # What went wrong first: it is true whether or not the reader of the rows stays to the end.
        for outcome in found.facts.failures:
            click.echo(f"mangrove: error: {_failure(outcome)}", err=True)
        _write(found.rows, output)
        click.echo(_summary(found), err=True)
        if output == "table" or report is not None:
            from mangrove.cli.demo_more import show_more  # noqa: PLC0415  optional parts

            show_more(found.rows, found.facts, found.session, report)
    return 1 if found.facts.failures else 0


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


def _leave_as_it_is() -> None:
    """Keep the interpreter from looking through all objects once more when it ends, for nothing."""
    # DuckDB tells on standard error of each of its objects that is left.
    if "duckdb" not in sys.modules:
        gc.freeze()


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
    from mangrove.cli.call_run import without_the_warning  # noqa: PLC0415
    from mangrove.fleet import Fleet  # noqa: PLC0415
    from mangrove.inventory import DEFAULT_TYPES, Inventory  # noqa: PLC0415

    begun = time.perf_counter()
    fleet = Fleet(aws.accounts, aws.regions, session=aws.session(), concurrency=_WORKERS)
    with (
        without_the_warning(),
        Inventory(fleet).collect(DEFAULT_TYPES, progress=lambda told: advance(told.done, told.total)) as collection,
    ):
        rows = sorted(collection, key=_order)
    now = time.perf_counter()
    return _Found(
        rows, collection.facts(), fleet.session, len(aws.accounts), len(aws.regions), now - begun, now - started
    )


def _order(row: Row) -> tuple[str, ...]:
    # The ARN settles what the name leaves open, so that two runs over the same resources print the same.
    return (row.account, row.region, row.service, row.type, row.name, row.arn or "")


def _failure(outcome: Outcome[Any]) -> str:
    reason = str(outcome.error) or type(outcome.error).__name__
    return clean(f"{outcome.target}: {' '.join(reason.split())}")


def _summary(found: _Found) -> str:
    services = Counter(row.service for row in found.rows)
    by_service = ", ".join(f"{name} {count}" for name, count in sorted(services.items()))
    counts = (
        _count(len(found.rows), "resource"),
        _count(len(services), "service"),
        _count(found.accounts, "account"),
        _count(found.regions, "region"),
        _count(found.facts.calls, "call"),
    )
    lines = [by_service, f"{', '.join(counts)}: listed in {found.listed:.1f} s, {found.seconds:.1f} s in all"]
    if found.facts.failures:
        lines.append(f"incomplete: {_count(len(found.facts.failures), 'list')} failed")
    return "\n".join(line for line in lines if line)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _write(rows: Sequence[Row], output: str) -> None:
    from mangrove.cli.ls_rows import Printer  # noqa: PLC0415

    printer = Printer(output, None)
    for row in rows:
        printer.take(row)
    printer.end()
    for remark in printer.remarks:
        click.echo(remark, err=True)
