"""Be the commands that read single objects, or hand out the right to: `cat`, `head`, `presign`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from mangrove.cli import s3_connecting
from mangrove.cli.output import emit
from mangrove.cli.s3_options import connection_options, form_option, seconds
from mangrove.cli.s3_report import Report, shielded
from mangrove.cli.s3_tasks import Task, perform
from mangrove.cli.text import clean
from mangrove.errors import ConfigError, MangroveError
from mangrove.s3.rules.names import check, parse_url
from mangrove.s3.rules.patterns import Pattern, has_wildcard

__all__ = ["cat", "head", "presign"]

_LONGEST = 7 * 86_400
_payer = click.option("--request-payer", metavar="NAME", help="Say requester, to pay.")
_version = click.option("--version-id", metavar="ID", help="The version.")
_urls = click.argument("urls", nargs=-1, required=True, metavar="URL...")


def _address(url: str) -> tuple[str, str]:
    """Return the bucket and the key of one object."""
    bucket, key = parse_url(url)
    key = Pattern(key).prefix if not has_wildcard(key) else key
    check(bucket, key)
    return bucket, key


@click.command(short_help="Write objects to standard output.")
@_urls
@_version
@_payer
@connection_options
def cat(urls: tuple[str, ...], *, version_id: str | None, request_payer: str | None, **given: Any) -> int:
    """Write objects to standard output, one after the other; with wildcards, all that match.

    Bytes are written as they come: if an object turns out to be damaged, the exit code says so, but its bytes are out.
    """
    options = {name: value for name, value in (("version_id", version_id), ("request_payer", request_payer)) if value}
    tasks = [Task("cp", url, "-", arguments=options) for url in urls]
    report = Report("text", progress=False, shown=False)
    with s3_connecting.connect(given) as connection, shielded():
        for task in tasks:
            try:
                bucket, key = parse_url(task.source)
                found = _matching(connection, bucket, key) if has_wildcard(key) else [task.source]
                each = [Task("cp", url, "-", arguments=options) for url in found]
            except MangroveError as error:
                report.refuse(error, "cat", task.source)
            else:
                for one in each:
                    perform(connection.backend, [one], report, concurrency=1, alone=True)
    return report.code


def _matching(connection: Any, bucket: str, key: str) -> list[str]:
    from mangrove.s3.rules.patterns import escape  # noqa: PLC0415  beside it
    from mangrove.s3.trees.keyspace import ls  # noqa: PLC0415  `--help` needs no botocore

    found = [f"s3://{bucket}/{escape(each)}" for each in ls(connection.backend, f"s3://{bucket}/{key}", recursive=True)]
    if not found:
        text = f"nothing matches s3://{bucket}/{key}"
        raise ConfigError(text)
    return found


@click.command(short_help="Tell what S3 knows of objects.")
@_urls
@_version
@_payer
@connection_options
@click.option(
    "--output",
    type=click.Choice(["text", "json", "jsonl"]),
    default="json",
    show_default=True,
    help="The form; JSON has the names of the API's HeadObject.",
)
def head(urls: tuple[str, ...], *, version_id: str | None, request_payer: str | None, output: str, **given: Any) -> int:
    """Tell what S3 knows of objects, without their bytes: size, times, checksums, metadata, as HeadObject has them."""
    options = {name: value for name, value in (("version_id", version_id), ("request_payer", request_payer)) if value}
    addresses = [_address(url) for url in urls]
    report = Report("text", progress=False)
    with s3_connecting.connect(given) as connection:
        for url, (bucket, key) in zip(urls, addresses, strict=True):
            try:
                found = connection.head(bucket, key, **options)
            except MangroveError as error:
                report.refuse(error, "head", url)
            else:
                report.counts["head"] += 1
                emit([_head_text(url, found, output)])
    return report.code


def _head_text(url: str, found: Mapping[str, Any], output: str) -> str:
    told = {name: _plain(value) for name, value in sorted(found.items()) if name != "ResponseMetadata"}
    if output == "jsonl":
        return f"{json.dumps({'Url': url, **told})}\n"
    if output == "json":
        return f"{json.dumps(told, indent=2)}\n"
    lines = [clean(url), *(f"  {clean(name)}: {clean(_short(value))}" for name, value in told.items())]
    return "\n".join(lines) + "\n"


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={each}" for key, each in sorted(value.items()))
    return str(value)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


@click.command(short_help="Print a URL that lets whoever has it read an object.")
@_urls
@click.option("--expires-in", default="1h", show_default=True, metavar="TIME", help="How long it is good: 30m, 7d.")
@click.option(
    "--method",
    type=click.Choice(["get", "put", "head", "delete"]),
    default="get",
    show_default=True,
    help="What it lets do.",
)
@_version
@connection_options
@form_option
def presign(
    urls: tuple[str, ...],
    *,
    expires_in: str,
    method: str,
    version_id: str | None,
    output: str,
    **given: Any,
) -> int:
    """Print a presigned URL, which lets whoever has it make one call until it expires; nothing is called.

    It is good no longer than the credentials that signed it: those of a role end after some hours.
    """
    lasts = seconds(expires_in)
    if not 1 <= lasts <= _LONGEST or lasts != int(lasts):
        text = f"--expires-in is 1 second to 7 days; got {expires_in!r}"
        raise click.UsageError(text)
    params = {} if version_id is None else {"VersionId": version_id}
    addresses = [_address(url) for url in urls]
    report = Report(output, progress=False)
    with s3_connecting.connect(given) as connection, report:
        for url, (bucket, key) in zip(urls, addresses, strict=True):
            made = connection.url(bucket, key, int(lasts), f"{method}_object", **params)
            if output == "text":
                emit([f"{made}\n"])
            else:
                report.record({"source": url, "url": made, "expires_in": int(lasts)})
    return 0
