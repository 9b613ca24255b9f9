"""Be `mangrove s3`: find its commands when they are asked for, and turn how they end into an exit code."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, ClassVar

import click

from mangrove.cli.s3_report import CREDENTIALS, FAILED_ALL, is_of_credentials, tell_error
from mangrove.errors import ConfigError, MangroveError, MissingExtraError, OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["s3"]


class _Commands(click.Group):
    """Import a command's module when the command is asked for; none of them needs botocore for its `--help`."""

    homes: ClassVar[Mapping[str, str]] = {
        "cat": "s3_reading",
        "cp": "s3_transfer",
        "du": "s3_listing",
        "head": "s3_reading",
        "ls": "s3_listing",
        "mv": "s3_transfer",
        "presign": "s3_reading",
        "rm": "s3_transfer",
        "run": "s3_run",
        "sweep": "s3_sweep",
        "sync": "s3_transfer",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in self.homes:
            return None
        command: click.Command = getattr(importlib.import_module(f"mangrove.cli.{self.homes[cmd_name]}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, ConfigError, MissingExtraError, OutputError):
            raise
        except Exception as error:
            if not isinstance(error, (MangroveError, OSError)) and not _is_botocores(error):
                raise
            tell_error(error)
            return CREDENTIALS if is_of_credentials(error) else FAILED_ALL


def _is_botocores(error: Exception) -> bool:
    return any(each.__module__.partition(".")[0] in {"boto3", "botocore"} for each in type(error).__mro__)


@click.group(cls=_Commands, short_help="Copy, sync, list and remove objects of S3, many at once.")
def s3() -> None:
    """Copy, sync, list and remove objects of S3: many at once, verified, tried again.

    A place is s3://bucket/key, or a path of this machine. In a source, *, ? and [a-z] are wildcards, for slashes too
    (quote them from the shell), and a backslash takes their meaning away. The ARN of an access point may stand in the
    place of a bucket.

    Standard output has data only; how far it is, and what failed, goes to standard error.

    The exit code is 0 if all went well, 1 if something failed, 2 for wrong usage, 253 without credentials, 254 if
    nothing went well, 130 if interrupted.
    """
