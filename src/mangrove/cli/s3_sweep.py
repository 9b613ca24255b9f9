"""Be the command `sweep`: show, and then remove, what processes that were killed have left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from mangrove.cli import s3_connecting
from mangrove.cli.output import emit
from mangrove.cli.s3_options import connection_options, output_options, seconds
from mangrove.cli.s3_report import Report
from mangrove.cli.text import clean
from mangrove.s3.rules.names import is_url, parse_url

if TYPE_CHECKING:
    from mangrove.s3 import Connection
    from mangrove.s3.large.sweep import Swept

__all__ = ["sweep"]

_DAY = 86_400.0


@click.command(short_help="Show or remove what killed processes have left.")
@click.argument("places", nargs=-1, metavar="[PLACE]...")
@click.option("--delete", is_flag=True, help="Remove them; else they are only shown.")
@click.option(
    "--older-than", default="1d", show_default=True, metavar="TIME", help="Leave alone what is younger: 12h, 7d."
)
@connection_options
@output_options
def sweep(
    places: tuple[str, ...], *, delete: bool, older_than: str, output: str, no_progress: bool, **given: Any
) -> int:
    """Show what processes that were killed have left, and remove it with --delete.

    In s3://bucket/prefix these are multipart uploads that nobody has completed, whoever began them; their parts cost
    money. In a folder, they are temporary files of downloads. Without a PLACE, they are the uploads that this user's
    own processes have begun and not ended, however young; one that a process is at work on is left alone.
    """
    least = seconds(older_than)
    for place in filter(is_url, places):
        parse_url(place)
    report = Report(output, progress=not no_progress, dry_run=not delete)
    with s3_connecting.connect(given) as connection, report:
        for swept in _found(connection, places, least, dry_run=not delete):
            _tell(report, swept, output, delete=delete)
    return report.code


def _found(connection: Connection, places: tuple[str, ...], least: float, *, dry_run: bool) -> Iterator[Swept]:
    from mangrove.s3.large.sweep import sweep_bucket, sweep_files, sweep_journal  # noqa: PLC0415  `--help` needs no botocore

    performer = connection.backend.performer
    if not places:
        yield from sweep_journal(performer, dry_run=dry_run)
    for place in places:
        if is_url(place):
            yield from sweep_bucket(performer, *parse_url(place), older_than=least, dry_run=dry_run)
        else:
            yield from sweep_files(place, older_than=least, dry_run=dry_run)


def _tell(report: Report, swept: Swept, output: str, *, delete: bool) -> None:
    operation = "abort" if swept.upload_id else "delete"
    if swept.error is not None:
        report.refuse(swept.error, operation, swept.name)
        return
    report.counts[operation] += 1
    if output != "text":
        record = {"operation": operation, "source": swept.name, "upload_id": swept.upload_id or None}
        report.record({**record, "age": round(swept.age), "removed": swept.removed})
        return
    upload = f" {clean(swept.upload_id)}" if swept.upload_id else ""
    days = f"{swept.age / _DAY:.1f} days old"
    emit([f"{'' if delete else '(dry run) '}{operation}: {clean(swept.name)}{upload}, {days}\n"])
