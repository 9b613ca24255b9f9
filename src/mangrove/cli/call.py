"""Be the command `call`: an operation in every account and region, and each ending as an exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from mangrove.cli.children import kept_from_children
from mangrove.cli.fleet_options import FleetCommand, all_of, how_fast, where, who

if TYPE_CHECKING:
    from mangrove.fleet import Plan

__all__ = ["call"]

_NOT_CALLED = 1

_what = all_of(
    click.argument("service", required=False),
    click.argument("operation", required=False),
    click.option(
        "--params", multiple=True, metavar="JSON|@FILE|KEY=VALUE", help="Parameters of the operation; may be repeated."
    ),
    click.option("--once", is_flag=True, help="Call it in one region of each account alone."),
)
_how = all_of(
    how_fast,
    click.option("--save", metavar="FILE", help="Write down in the end, or on Ctrl-C, which targets are done."),
    click.option("--resume", metavar="FILE", help="Go on where such a file ends, and write it back."),
    click.option("--again", is_flag=True, help="With --resume: make changes again that were under way."),
    click.option("--dry-run", is_flag=True, help="Only say which calls would be made."),
    click.option("--yes", is_flag=True, help="Do not ask before an operation that is not known to be read-only."),
)
_output = all_of(
    click.option("--query", metavar="JMESPATH", help="Is applied to each row; rows that become null are dropped."),
    click.option(
        "--output",
        type=click.Choice(["table", "json", "jsonl", "csv", "text"]),
        default="table",
        show_default=True,
        help="The form of what is written to standard output.",
    ),
    click.option("--ordered", is_flag=True, help="By account and region, and not as they arrive."),
    click.option("--no-progress", is_flag=True, help="Do not tell on standard error how far it is."),
)


@click.command(cls=FleetCommand, short_help="Call an operation in every account and region.")
@_what
@where
@who
@_how
@_output
@kept_from_children()
def call(**given: Any) -> int:
    """Call an operation of a service in every account and region.

    \b
        mangrove call sts get-caller-identity --accounts org --once
        mangrove call ec2 describe-vpcs --accounts accounts.yml --regions 'eu-*' --output jsonl
        mangrove call rds DescribeDBInstances --query '[_account, _region, DBInstanceIdentifier]' --output csv
        mangrove call ec2 describe-instances --params '{"Filters": [{"Name": "tag:env", "Values": ["prod"]}]}'

    A row is an item of what is listed, with all pages, or else a whole answer; it begins with _account, _region and
    _partition. Times are in ISO 8601, bytes in Base64, in parameters too. Standard output has rows only: how far it is,
    and what failed, goes to standard error.

    The exit code is 0 if all targets went well or had nothing to do, 1 if some failed, 2 for wrong usage, 253 without
    credentials, 254 if all failed, 130 if interrupted.
    """  # noqa: D301  click's own mark for a paragraph that keeps its lines
    # Imported here: `--help` needs no botocore.
    from mangrove.aws.session import make_session  # noqa: PLC0415
    from mangrove.cli.call_asking import read_asked  # noqa: PLC0415
    from mangrove.cli.call_fleet import make_fleet, narrowed  # noqa: PLC0415
    from mangrove.cli.call_query import Query  # noqa: PLC0415
    from mangrove.cli.call_run import Calling, check_file  # noqa: PLC0415

    query = None if given["query"] is None else Query(given["query"])
    session = make_session(profile_name=given["profile"], region_name=given["region"])
    asked = read_asked(given, session)
    file = given["save"] or given["resume"]
    if given["save"] is not None:
        check_file(given["save"])
    fleet = narrowed(make_fleet(given, session), given, session)
    if given["dry_run"]:
        _print_plan(asked.plan(fleet), given["output"])
        return 0
    if not asked.confirm(fleet, yes=given["yes"]):
        click.echo("mangrove: nothing was called", err=True)
        return _NOT_CALLED
    calling = Calling(asked, query, given["output"], file, progress=not given["no_progress"])
    return calling.run(fleet, ordered=given["ordered"])


def _print_plan(plan: Plan, form: str) -> None:
    from mangrove.cli.output import emit  # noqa: PLC0415

    if form not in ("json", "jsonl"):
        emit([f"{plan}\n"])
        return
    document = {
        "what": plan.what,
        "accounts": plan.accounts,
        "total": plan.total,
        "calls": [{"service": key[0], "operation": key[1], "count": count} for key, count in plan.calls.items()],
        **{
            name: [{"account": each.account, "region": each.region, "partition": each.partition} for each in targets]
            for name, targets in (("targets", plan.targets), ("possible", plan.possible))
        },
        "notes": list(plan.notes),
    }
    emit([f"{json.dumps(document, indent=2 if form == 'json' else None)}\n"])
