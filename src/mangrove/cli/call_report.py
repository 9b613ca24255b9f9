"""Tell on standard error how a run has ended, and turn it into an exit code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from mangrove._redact import message_of
from mangrove.cli.s3_report import CREDENTIALS, FAILED_ALL, is_of_credentials
from mangrove.cli.text import clean
from mangrove.errors import AssumeRoleError, WrongAccountError

if TYPE_CHECKING:
    from mangrove.fleet import Outcome, Run

__all__ = ["exit_code", "reason_of", "say", "tell_emptiness", "tell_failures"]

_FAILED = 1
_MOST = 20
_DONE = frozenset({"ok", "disabled", "unsupported"})


def say(text: str) -> None:
    """Print a line for people, safe to look at."""
    click.echo(f"mangrove: {clean(' '.join(text.split()))}", err=True)


def reason_of(error: BaseException | None) -> str:
    """Return an error's message on one line."""
    return " ".join(message_of(error).split()) if error is not None and message_of(error) else type(error).__name__


def tell_failures(outcomes: Iterable[Outcome[Any]]) -> None:
    """Print the targets that failed, a line each, and how many more there are.

    Args:
        outcomes: what became of all targets.
    """
    failed = [each for each in outcomes if each.failed]
    for each in failed[:_MOST]:
        place = f"{each.target.account} {each.target.region} {each.target.type}".rstrip()
        say(f"error: {place}: {each.kind}: {reason_of(each.error)}")
    if len(failed) > _MOST:
        say(f"error: and {len(failed) - _MOST} more targets")


def tell_emptiness(outcomes: Iterable[Outcome[Any]]) -> None:
    """Say why there was nothing to call, if there was: an empty answer has a reason.

    Args:
        outcomes: what became of all targets.
    """
    every = list(outcomes)
    if every and all(each.skipped for each in every):
        say(f"there is no target: {reason_of(every[0].error)}")


def exit_code(run: Run[Any], *, faults: int) -> int:
    """Return the exit code of a run that came to its end: 0, 1, 253 or 254.

    Args:
        run: the run; of one that goes on with another, what that one has left counts too.
        faults: rows that could not be printed.
    """
    kinds = [told["kind"] for told in run.record.targets.values()]
    if all(kind in _DONE for kind in kinds):
        return _FAILED if faults else 0
    if "ok" in kinds or any(each.rows for each in run.outcomes):
        return _FAILED
    errors = [each.error for each in run.outcomes if each.failed]
    return CREDENTIALS if errors and all(map(_is_of_callers, errors)) else FAILED_ALL


def _is_of_callers(error: BaseException | None) -> bool:
    """Tell whether it is the caller who has no credentials, and not a role that gives none."""
    refused = (AssumeRoleError, WrongAccountError)
    return error is not None and is_of_credentials(error) and not isinstance(error, refused)
