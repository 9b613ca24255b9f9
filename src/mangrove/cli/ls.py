"""Be the command `ls`: the resources of every account and region as rows, printed or stored."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from mangrove.cli.children import kept_from_children
from mangrove.cli.fleet_options import FleetCommand, all_of, how_fast, where, who

__all__ = ["ls"]

_which = all_of(
    click.argument("types", nargs=-1, metavar="[TYPE]..."),
    click.option("--tag", "tags", multiple=True, metavar="KEY[=GLOB]", help="With this tag; !KEY without it. Repeat."),
    click.option("--where", "condition", metavar="JMESPATH", help="Rows of which this is true: 'State.Name==`on`'."),
)
_what = all_of(
    click.option(
        "--columns",
        metavar="LIST",
        help="Of account, region, partition, service, type, name, arn, tags, data, "
        "and members: 'name,tags.team,InstanceType'.",
    ),
    click.option("--sort", multiple=True, metavar="COLUMN[:desc]", help="Wait for all rows, and sort them. Repeat."),
    click.option(
        "--output",
        type=click.Choice(["table", "json", "jsonl", "csv"]),
        default="table",
        show_default=True,
        help="The form of what is written to standard output.",
    ),
    click.option(
        "--to",
        "files",
        multiple=True,
        metavar="FILE",
        help="Store all rows instead: .parquet, .duckdb (a snapshot), .html (a report), .csv, .json, .jsonl. Repeat.",
    ),
    click.option("--dry-run", is_flag=True, help="Only say which calls would be made."),
    click.option("--no-progress", is_flag=True, help="Do not tell on standard error how far it is."),
)


@click.command(cls=FleetCommand, short_help="List what there is, in every account and region.")
@_which
@where
@who
@how_fast
@_what
@click.pass_context
@kept_from_children()
def ls(context: click.Context, /, **given: Any) -> int:
    """List the resources of every account and region, with ARNs and tags.

    \b
        mangrove ls                                                  # the usual types, in the caller's account
        mangrove ls ec2.instances --accounts org --regions 'eu-*' --tag team=web*
        mangrove ls 'rds.*' --where 'Engine==`postgres`' --columns account,name,EngineVersion --sort name
        mangrove ls 'arn:aws:ec2:*:*:volume/*' --accounts accounts.yml --output jsonl
        mangrove ls --accounts org --to inventory.duckdb --to report.html

    A type is a service and its collection, as boto3 spells them; globs stand for all that can be listed without
    parameters, patterns of ARNs for the types that have such ARNs. --where and --columns read the row (account, region,
    partition, service, type, name, arn, tags, data) and the members of data. Standard output has rows only: how far it
    is, and what failed, goes to standard error.

    The exit code is 0 if all targets went well or had nothing to do, 1 if some failed, so that rows or tags may be
    missing, 2 for wrong usage, 253 without credentials, 254 if all failed, 130 if interrupted.
    """  # noqa: D301  click's own mark for a paragraph that keeps its lines
    # Imported here: `--help` needs no botocore.
    from mangrove.aws.session import make_session  # noqa: PLC0415
    from mangrove.cli.call_fleet import make_fleet, narrowed  # noqa: PLC0415
    from mangrove.cli.ls_asked import read_asked  # noqa: PLC0415
    from mangrove.cli.ls_run import Listing, open_sinks, print_plan  # noqa: PLC0415

    printed = not given["files"] or context.get_parameter_source("output") is not ParameterSource.DEFAULT
    asked = read_asked(given, printed=printed)
    session = make_session(profile_name=given["profile"], region_name=given["region"])
    fleet = make_fleet(given, session)
    asked.check(fleet)
    if given["dry_run"]:
        print_plan(asked.plan(narrowed(fleet, given, session)), given["output"])
        return 0
    # Before the first call: what can't be written is said now.
    with open_sinks(given["files"]) as sinks:
        listing = Listing(asked, given["output"] if printed else None, sinks, progress=not given["no_progress"])
        return listing.run(narrowed(fleet, given, session))
