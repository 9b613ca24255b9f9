"""Hold the options that several commands have, said once so that they stay the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["output_options"]

Command = TypeVar("Command", bound=Callable[..., Any])


def output_options(command: Command) -> Command:
    """Give a command `--output` and `--no-progress`: a decorator.

    Args:
        command: the function of the command; it takes `output` and `no_progress`.
    """
    quiet = click.option("--no-progress", is_flag=True, help="Do not tell on standard error how far it is.")
    form = click.option(
        "--output",
        type=click.Choice(["table", "json", "jsonl", "csv"]),
        default="table",
        show_default=True,
        help="The form of what is written to standard output.",
    )
    return form(quiet(command))
