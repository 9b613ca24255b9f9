"""Hold what the commands over a fleet have in common: where, as whom and how fast they ask, and their exit codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from mangrove.cli.children import EXTERNAL_ID
from mangrove.errors import ConfigError, MangroveError, MissingExtraError, NoAccountsError, OutputError

__all__ = ["FleetCommand", "all_of", "how_fast", "where", "who"]

Command = TypeVar("Command", bound=Callable[..., Any])


class FleetCommand(click.Command):
    """Turn errors that end the whole command into its exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; see click."""
        try:
            return super().invoke(ctx)
        except (ConfigError, MissingExtraError, OutputError):
            raise
        except NoAccountsError as error:
            raise ConfigError(str(error)) from error
        except Exception as error:
            if not isinstance(error, MangroveError) and not _is_botocores(error):
                raise
            # `--help` needs none of it.
            from mangrove.cli.call_report import reason_of, say  # noqa: PLC0415
            from mangrove.cli.s3_report import CREDENTIALS, FAILED_ALL, is_of_credentials  # noqa: PLC0415

            say(f"error: {reason_of(error)}")
            return CREDENTIALS if is_of_credentials(error) else FAILED_ALL


def _is_botocores(error: Exception) -> bool:
    return any(each.__module__.partition(".")[0] in {"boto3", "botocore"} for each in type(error).__mro__)


def _seconds(context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    from mangrove.cli.s3_options import seconds  # noqa: PLC0415

    del context, option
    return None if value is None else seconds(value)


def all_of(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Return a decorator that gives a command several options, in their order.

    Args:
        *options: decorators of click's.
    """

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


where = all_of(
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
who = all_of(
    click.option("--role", metavar="NAME", help="The role in accounts that name none; a template: 'audit-{name}'."),
    click.option("--external-id", envvar=EXTERNAL_ID, metavar="ID", help="What the role's owner asks for; a template."),
    click.option("--profile", metavar="NAME", help="The profile whose credentials are used."),
    click.option("--region", metavar="NAME", help="The caller's own region."),
    click.option("--endpoint-url", metavar="URL", help="Another server for the calls in the accounts."),
)
how_fast = all_of(
    click.option("--max-rate", type=click.FloatRange(0, min_open=True), metavar="N", help="Requests a second, in all."),
    click.option("--limits", metavar="FILE", help="Limits by account, region, service, operation: YAML, JSON, TOML."),
    click.option(
        "--polite", type=float, default=1.0, metavar="F", help="Which part of every limit to use, such as 0.5."
    ),
    click.option("--concurrency", type=click.IntRange(1), default=64, show_default=True, help="Requests at once."),
    click.option("--deadline", callback=_seconds, metavar="TIME", help="For all: 90, 15m, 2h."),
    click.option("--target-deadline", callback=_seconds, metavar="TIME", help="For a region.  [default: 15m]"),
)
