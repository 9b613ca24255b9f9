"""Show what else can be done with the rows of the demo: SQL over them, and a report for the browser."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mangrove._csv import cell
from mangrove.cli.call_values import shown
from mangrove.errors import MissingExtraError

if TYPE_CHECKING:
    import boto3

    from mangrove.inventory import Facts, Row

__all__ = ["STATEMENTS", "show_more"]

_BY_TEAM = (
    "select tags['team'] as team, count(*) as resources, count(distinct service) as services "
    "from resources where tags['team'] is not null group by 1 order by 2 desc"
)
_BY_TYPE = "select region, instance_type, count(*) as instances from ec2_instances group by all order by all"
STATEMENTS = (_BY_TEAM, _BY_TYPE)
_GAP = 2


def show_more(rows: Sequence[Row], facts: Facts, session: boto3.Session, report: str | None) -> None:
    """Show two statements of SQL with their answers, write the report, and say where it is.

    Args:
        rows: the rows.
        facts: what they are of.
        session: the session that they were listed with.
        report: where the report goes; None for a temporary file.

    Raises:
        OutputError: the report can't be written.
    """
    try:
        for statement in STATEMENTS:
            _ask(rows, statement, session)
    except MissingExtraError as error:
        click.echo(f"no SQL: {error}", err=True)
    path = report or _temporary()
    from mangrove.inventory.report import ReportSink  # noqa: PLC0415

    sink = ReportSink(path)
    try:
        sink.add(rows)
        sink.finish(facts)
    finally:
        sink.abandon()
    click.echo(f"\nreport: {path}", err=True)


def _ask(rows: Sequence[Row], statement: str, session: boto3.Session) -> None:
    from mangrove.inventory.query import query  # noqa: PLC0415  an optional part
    from mangrove.inventory.tables import Tables  # noqa: PLC0415

    found = query(rows, statement, tables=Tables(session))
    lines = [tuple(found.columns), *(tuple(shown(cell(value, "-")) for value in row) for row in found)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    click.echo(f'\nmangrove sql "{statement}"', err=True)
    for line in lines:
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        click.echo((" " * _GAP).join(padded).rstrip(), err=True)


def _temporary() -> str:
    # A folder of one's own: names in the common one are anybody's.
    return os.path.join(tempfile.mkdtemp(prefix="mangrove-"), "report.html")  # noqa: PTH118
