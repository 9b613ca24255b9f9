"""Be the command `call`: an operation in every account and region, and each ending as an exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mangrove.cli.children import EXTERNAL_ID, kept_from_children
from mangrove.cli.s3_options import seconds
from mangrove.cli.s3_report import CREDENTIALS, FAILED_ALL, is_of_credentials
from mangrove.errors import ConfigError, MangroveError, MissingExtraError, NoAccountsError, OutputError

if TYPE_CHECKING:
    from mangrove.fleet import Plan

__all__ = ["call"]

_NOT_CALLED = 1

Command = TypeVar("Command", bound=Callable[..., Any])


class _Call(click.Command):
    """Turn errors that end the whole command into its exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ConfigError, MissingExtraError, OutputError):
            raise
        except NoAccountsError as error:
            raise ConfigError(str(error)) from error
        except Exception as error:
            if not isinstance(error, MangroveError) and not _is_botocores(error):
                raise
            from mangrove.cli.call_report import reason_of, say  # noqa: PLC0415  `--help` needs none of it

            say(f"error: {reason_of(error)}")
            return CREDENTIALS if is_of_credentials(error) else FAILED_ALL


def _is_botocores(error: Exception) -> bool:
    return any(each.__module__.partition(".")[0] in {"boto3", "botocore"} for each in type(error).__mro__)


def _seconds(context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    del context, option
    return None if value is None else seconds(value)


def _all(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_what = _all(
    click.argument("service", required=False),
    click.argument("operation", required=False),
    click.option(
        "--params", multiple=True, metavar="JSON|@FILE|KEY=VALUE", help="Parameters of the operation; may be repeated."
    ),
    click.option("--once", is_flag=True, help="Call it in one region of each account alone."),
)
_where = _all(
    click.option(
        "--accounts",
        metavar="SOURCE",
        help="'accounts.yml', 'org', 'org:/prod', 'profile:prod-*' or '111111111111,...'.  [default: the caller's own]",
    ),
    click.option(
        "--regions", multiple=True, metavar="LIST", help="Names and globs: 'us-east-1,eu-*'.  [default: all enabled]"
    ),
    click.option("--account-id", "account_ids", multiple=True, metavar="GLOB", help="Of these accounts alone; ! not."),
    click.option("--account-tag", "account_tags", multiple=True, metavar="KEY=GLOB", help="Of accounts with this tag."),
    click.option("--ou", "units", multiple=True, metavar="PATH", help="Of accounts in this unit, such as /prod."),
)
_who = _all(
    click.option("--role", metavar="NAME", help="The role in accounts that name none; a template: 'audit-{name}'."),
    click.option("--external-id", envvar=EXTERNAL_ID, metavar="ID", help="What the role's owner asks for; a template."),
    click.option("--profile", metavar="NAME", help="The profile whose credentials are used."),
    click.option("--region", metavar="NAME", help="The caller's own region."),
    click.option("--endpoint-url", metavar="URL", help="Another server for the calls in the accounts."),
)
_how = _all(
    click.option("--max-rate", type=click.FloatRange(0, min_open=True), metavar="N", help="Requests a second, in all."),
    click.option("--limits", metavar="FILE", help="Limits by account, region, service, operation: YAML, JSON, TOML."),
    click.option(
        "--polite", type=float, default=1.0, metavar="F", help="Which part of every limit to use, such as 0.5."
    ),
    click.option("--concurrency", type=click.IntRange(1), default=64, show_default=True, help="Requests at once."),
    click.option("--deadline", callback=_seconds, metavar="TIME", help="For all: 90, 15m, 2h."),
    click.option("--target-deadline", callback=_seconds, metavar="TIME", help="For a region.  [default: 15m]"),
    click.option("--save", metavar="FILE", help="Write down in the end, or on Ctrl-C, which targets are done."),
    click.option("--resume", metavar="FILE", help="Go on where such a file ends, and write it back."),
    click.option("--dry-run", is_flag=True, help="Only say which calls would be made."),
    click.option("--yes", is_flag=True, help="Do not ask before an operation that is not known to be read-only."),
)
_output = _all(
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


@click.command(cls=_Call, short_help="Call an operation in every account and region.")
@_what
@_where
@_who
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
