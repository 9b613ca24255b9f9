"""Be the command `sql`: a statement over a stored inventory or a live one, or a shell for many."""

from __future__ import annotations

from typing import Any

import click

from mangrove.cli.children import kept_from_children
from mangrove.cli.fleet_options import FleetCommand, all_of, how_fast, where, who

__all__ = ["sql"]

_what = all_of(
    click.argument("statement", required=False),
    click.option("--from", "source", metavar="FILE", help="A stored inventory: DuckDB or Parquet.  [default: ask AWS]"),
    click.option("--type", "types", multiple=True, metavar="TYPE", help="What `resources` has, such as ec2.instances."),
)
_output = all_of(
    click.option(
        "--output",
        type=click.Choice(["table", "json", "jsonl", "csv", "text"]),
        default="table",
        show_default=True,
        help="The form of what is written to standard output.",
    ),
    click.option("--no-progress", is_flag=True, help="Do not tell on standard error how far it is."),
)


@click.command(cls=FleetCommand, short_help="Ask an inventory in SQL.")
@_what
@where
@who
@how_fast
@_output
@kept_from_children()
def sql(**given: Any) -> int:
    """Ask an inventory in SQL: DuckDB's, over what AWS answers now or over a file of `mangrove ls --to`.

    \b
        mangrove sql "select region, count(*) from ec2_instances group by 1"
        mangrove sql "select name, tags['env'] from s3_buckets where region like 'eu-%'" --accounts org --output csv
        mangrove sql "select type, count(*) from resources group by 1" --from inventory.duckdb
        mangrove sql --from inventory.duckdb

    A table is named as its type, such as ec2_instances or ecs_clusters_services, and has the columns account, region,
    partition, service, type, name, arn, tags (a map), data (JSON), and one for each member of what the API says, in
    snake_case; what has parts is JSON: (state->>'Name') = 'running'. resources has all types of a file, or of --type.

    Only the tables that a statement names are collected, and only in the accounts and regions that it can see. A
    statement can do nothing but read. Without one this is a shell, which keeps what it has collected.

    The exit code is 0, 1 if a target failed, so that rows may be missing, 2 for a statement that can't be run or other
    wrong usage, 253 without credentials, 254 if AWS could not be asked, 130 if interrupted.
    """  # noqa: D301  click's own mark for a paragraph that keeps its lines
    # Imported here: `--help` needs neither botocore nor DuckDB.
    from mangrove.cli.sql_asking import Asking, open_book  # noqa: PLC0415
    from mangrove.cli.sql_shell import run_shell  # noqa: PLC0415

    book = open_book(given)
    try:
        asking = Asking(book, given["output"])
        if given["statement"] is not None:
            return asking.ask(given["statement"])
        return run_shell(asking)
    finally:
        book.close()
