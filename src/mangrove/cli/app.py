"""Parse the command line and turn every ending into an exit code: 0, 1 failed, 2 wrong usage, 130 interrupted."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, ClassVar

import click

from mangrove import __version__
from mangrove._redact import message_of
from mangrove.cli.text import clean
from mangrove.errors import ConfigError, MangroveError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cli", "run"]

_FAILED = 1
_USAGE = 2
_INTERRUPTED = 130


class _Commands(click.Group):
    """Import a command's module when the command is asked for."""

    homes: ClassVar[dict[str, str]] = {
        name: f"mangrove.cli.{name.replace('-', '_')}"
        for name in ("call", "credentials", "demo", "diff", "ls", "s3", "sql", "stubs", "validate-resources", "whoami")
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self.homes, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.homes:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(importlib.import_module(self.homes[cmd_name]), cmd_name.replace("-", "_"))
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mangrove", message="%(prog)s %(version)s")
def cli() -> None:
    """Every AWS account, region and service from one place."""


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; no ending but a bug shows a traceback.

    Args:
        argv: the arguments; those of the process if None.

    Example:
        >>> run(["--version"])
        mangrove 2.0.0.dev0
        0
    """
    try:
        code = cli.main(args=None if argv is None else list(argv), prog_name="mangrove", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return _INTERRUPTED
    except MangroveError as error:
        return _told(error, _USAGE if isinstance(error, ConfigError) else _FAILED)
    except Exception as error:
        if not _is_botocores(error):
            raise
        return _told(error, _FAILED)
    return code if isinstance(code, int) else 0


def _told(error: Exception, code: int) -> int:
    # One line: the message may quote names that others chose.
    click.echo(f"mangrove: error: {clean(' '.join(message_of(error).split()))}", err=True)
    return code


def _is_botocores(error: Exception) -> bool:
    """Say whether AWS, or the way to it, failed; known by the module, as `--help` needs no botocore."""
    return any(each.__module__.partition(".")[0] in {"boto3", "botocore"} for each in type(error).__mro__)
