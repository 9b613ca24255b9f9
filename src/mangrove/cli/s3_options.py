"""Hold the options that several commands of S3 have, and read them as the library has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from mangrove.s3.rules.patterns import parse_size

__all__ = [
    "Filtering",
    "access_arguments",
    "access_options",
    "connection_options",
    "filter_options",
    "form_option",
    "object_arguments",
    "object_options",
    "output_options",
    "seconds",
    "tree_arguments",
    "tree_options",
]

Command = TypeVar("Command", bound=Callable[..., Any])
_Decorator = Callable[[Command], Command]
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_RULE = re.compile(r"--(include|exclude)(?:=(.*))?\Z", re.DOTALL)


def _size(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """Read a number of bytes as people write it."""
    del context, option
    return None if value is None else parse_size(value)


def seconds(text: str) -> float:
    """Read how long something takes.

    Args:
        text: a number with s, m, h, d or w behind it; seconds without.

    Raises:
        click.UsageError: it is none.

    Example:
        >>> seconds("1.5h"), seconds("7d"), seconds("30")
        (5400.0, 604800.0, 30.0)
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([a-z]?)", text, re.ASCII)
    if match is None or match[2] not in _UNITS:
        message = f"a time is a number with s, m, h, d or w behind it, such as 7d; got {text!r}"
        raise click.UsageError(message)
    return float(match[1]) * _UNITS[match[2]]


class Filtering(click.Command):
    """Keep `--include` and `--exclude` in the order they were given in: the last one that matches decides."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write both as one option before click reads them, which would part them."""
        return super().parse_args(ctx, _as_rules(args))


def _as_rules(args: Sequence[str]) -> list[str]:
    found: list[str] = []
    rest = iter(args)
    for arg in rest:
        match = _RULE.match(arg)
        if arg == "--":
            return [*found, arg, *rest]
        if match is None:
            found.append(arg)
            continue
        pattern = match[2] if match[2] is not None else next(rest, None)
        if pattern is None:
            text = f"Option '--{match[1]}' requires an argument."
            raise click.UsageError(text)
        found += ["--rule", f"{match[1]}:{pattern}"]
    return found


def _all(*options: _Decorator[Any]) -> _Decorator[Any]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


connection_options: _Decorator[Any] = _all(
    click.option("--profile", metavar="NAME", help="A profile of the AWS configuration."),
    click.option("--region", metavar="NAME", help="The region to ask first; where a bucket is, is found."),
    click.option("--endpoint-url", metavar="URL", help="Another server that speaks S3."),
    click.option("--no-sign-request", is_flag=True, help="Ask as nobody: for public buckets."),
    click.option("--no-verify-ssl", is_flag=True, help="Take any certificate."),
    click.option("--ca-bundle", metavar="FILE", help="The certificates to trust."),
)
"""Give a command what its connection is made of: a decorator."""

form_option: _Decorator[Any] = click.option(
    "--output",
    type=click.Choice(["text", "json", "jsonl"]),
    default="text",
    show_default=True,
    help="The form of what is written to standard output.",
)
"""Give a command `--output`: a decorator."""

output_options: _Decorator[Any] = _all(
    form_option,
    click.option("--no-progress", is_flag=True, help="Do not tell on standard error how far it is."),
)
"""Give a command `--output` and `--no-progress`: a decorator."""

filter_options: _Decorator[Any] = _all(
    click.option("--dry-run", is_flag=True, help="Only say what would be done."),
    click.option(
        "--include",
        metavar="PATTERN",
        help="Take what matches after all; of these and --exclude, the last one decides.",
    ),
    click.option("--exclude", metavar="PATTERN", help="Leave out what matches, below the source; see --include."),
    click.option("--rule", "rules", multiple=True, hidden=True),
    click.option("--concurrency", type=click.IntRange(1), default=50, show_default=True, help="How many run at once."),
)
"""Give a command what chooses among keys; it is of the class `Filtering`: a decorator."""

tree_options: _Decorator[Any] = _all(
    filter_options,
    click.option("--follow-symlinks/--no-follow-symlinks", default=True, help="Take what links lead to, or no links."),
    click.option(
        "--part-size", callback=_size, metavar="SIZE", help="Of the parts of large objects.  [default: 16MiB]"
    ),
    click.option("--threshold", callback=_size, metavar="SIZE", help="What is larger goes in parts.  [default: 16MiB]"),
)
"""Give a command what it needs for trees; it is of the class `Filtering`: a decorator."""

access_options: _Decorator[Any] = _all(
    click.option("--request-payer", metavar="NAME", help="Say requester, to pay."),
    click.option("--expected-bucket-owner", metavar="ACCOUNT", help="Fail where the bucket is another account's."),
)
"""Give a command what lets the caller in: a decorator."""

object_options: _Decorator[Any] = _all(
    click.option("--storage-class", metavar="NAME", help="Such as STANDARD_IA, INTELLIGENT_TIERING or GLACIER."),
    click.option("--content-type", metavar="TYPE", help="Else it is guessed from the key."),
    click.option("--content-encoding", metavar="NAME", help="Such as gzip, of bytes that are so."),
    click.option("--content-disposition", metavar="TEXT", help="What browsers call the file."),
    click.option("--content-language", metavar="NAME", help="Such as en."),
    click.option("--cache-control", metavar="TEXT", help="Such as max-age=86400."),
    click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Metadata of your own; may be given again."),
    click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag; may be given again."),
    click.option("--acl", metavar="NAME", help="Such as bucket-owner-full-control."),
    click.option("--sse", metavar="NAME", help="AES256, aws:kms or aws:kms:dsse."),
    click.option("--sse-kms-key-id", metavar="ARN", help="The key for --sse aws:kms."),
    click.option("--sse-c-key-file", metavar="FILE", help="A file of the 32 bytes of your own key."),
    click.option("--checksum-algorithm", metavar="NAME", help="Such as SHA256, in the place of a CRC."),
    access_options,
    click.option("--no-overwrite", is_flag=True, help="Fail where there is an object of that key."),
)
"""Give a command the options of objects, by the API's names: a decorator."""


# -- as the library has them ------------------------------------------------------------------------------------------

_SAME_NAMES = (
    "storage_class content_type content_encoding content_disposition content_language cache_control acl"
    " checksum_algorithm version_id"
).split()
_OF_ACCESS = ("request_payer", "expected_bucket_owner")


def tree_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the verbs for trees.

    Args:
        given: the parameters of a command with `tree_options`, or with `filter_options` alone.

    Raises:
        ConfigError: a pattern is none.
    """
    from mangrove.s3.rules.patterns import Filters  # noqa: PLC0415  beside its only use

    return {
        "dry_run": given["dry_run"],
        "filters": Filters(_rule(each) for each in given["rules"]),
        "concurrency": given["concurrency"],
        **({"symlinks": "follow" if given["follow_symlinks"] else "skip"} if "follow_symlinks" in given else {}),
    }


def _rule(text: str) -> tuple[str, str]:
    action, _, pattern = text.partition(":")
    return action, pattern


def object_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the operations.

    Args:
        given: the parameters of a command with `object_options`.

    Raises:
        click.UsageError: a pair is none.
        OSError: the file with the key can't be read.
    """
    found: dict[str, Any] = {**{name: given.get(name) for name in _SAME_NAMES}, **access_arguments(given)}
    found["server_side_encryption"] = given.get("sse")
    found["ssekms_key_id"] = given.get("sse_kms_key_id")
    for name in ("metadata", "tags"):
        found[name] = _pairs(name.removesuffix("s"), given.get(name) or ()) or None
    if given.get("sse_c_key_file"):
        found["sse_customer_key"] = Path(given["sse_c_key_file"]).read_bytes()
    if given.get("no_overwrite"):
        found["if_none_match"] = "*"
    return {name: value for name, value in found.items() if value is not None}


def access_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of calls that only look.

    Args:
        given: the parameters of a command with `access_options`.
    """
    return {name: given[name] for name in _OF_ACCESS if given.get(name) is not None}


def _pairs(name: str, given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            text = f"--{name} takes KEY=VALUE; got {pair!r}"
            raise click.UsageError(text)
        if key in found:
            text = f"--{name} {key} is there twice"
            raise click.UsageError(text)
        found[key] = value
    return found
