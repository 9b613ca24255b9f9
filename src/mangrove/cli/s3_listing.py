"""Be the commands that look at what there is: `ls` and `du`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from mangrove.cli import s3_connecting
from mangrove.cli.output import emit
from mangrove.cli.s3_options import access_arguments, access_options, connection_options
from mangrove.cli.s3_report import Report, human
from mangrove.cli.text import clean
from mangrove.errors import MangroveError
from mangrove.s3.rules.names import parse_url

if TYPE_CHECKING:
    from mangrove.s3 import Connection

__all__ = ["du", "ls"]

_FAILED = 1
_TIME = 19  # columns of a time
_SIZE = 14  # columns of a size
_BLOCK = 250  # lines that are written at once
_form = click.option(
    "--output",
    type=click.Choice(["text", "json", "jsonl"]),
    default="text",
    show_default=True,
    help="The form of what is written to standard output.",
)
_human = click.option("-H", "--human-readable", "readable", is_flag=True, help="Sizes in KiB, MiB, GiB.")
_versions = click.option("--versions", is_flag=True, help="All versions, and with ls delete markers.")
_threads = click.option("--concurrency", type=click.IntRange(1), default=8, show_default=True, help="Calls at once.")

_Entry = dict[str, Any]


@click.command(short_help="List buckets, or what is in one.")
@click.argument("url", required=False)
@click.option("-r", "--recursive", is_flag=True, help="List all keys, however deep.")
@_versions
@_human
@click.option("-0", "--null", "null", is_flag=True, help="Names alone, as they are, each with a NUL behind it.")
@_threads
@_form
@access_options
@connection_options
def ls(url: str | None, *, output: str, null: bool, readable: bool, **given: Any) -> int:
    """List the buckets, or what is at a URL: keys, and the folders that deeper keys make.

    \b
        mangrove s3 ls s3://logs/2026/           one level
        mangrove s3 ls -r s3://logs/2026         all keys that begin so
        mangrove s3 ls 's3://logs/*/a?.gz'       what matches

    What a terminal would take for a command is left out of names; JSON, and --null for `xargs -0`, have all of it. The
    exit code is 1 if there is nothing of that name.
    """  # noqa: D301  click's own mark for a paragraph that keeps its lines
    report = Report(output, progress=False)
    seen = 0
    with s3_connecting.connect(given) as connection, report:
        entries = _buckets(connection) if url is None else _entries(connection, url, given)
        if output == "json" and not null:
            for seen, entry in enumerate(entries, 1):  # noqa: B007  how many there were
                report.record(entry)
        else:
            form = "null" if null else output
            seen = _emit_all(_text(entry, url or "", form, readable=readable) for entry in entries)
    if seen or url is None or not parse_url(url).key:
        return 0
    click.echo(f"mangrove: there is nothing at {clean(url)}", err=True)
    return _FAILED


def _text(entry: _Entry, url: str, form: str, *, readable: bool) -> str:
    if form == "null":
        return f"{entry.get('key') or entry.get('prefix') or entry.get('bucket')}\0"
    return _line(entry, url, readable=readable) if form == "text" else f"{json.dumps(entry)}\n"


def _emit_all(lines: Iterator[str]) -> int:
    """Write lines, many at once, as a page brings a thousand, and return how many there were."""
    count = 0
    while some := list(islice(lines, _BLOCK)):
        emit(some)
        count += len(some)
    return count


def _buckets(connection: Connection) -> Iterator[_Entry]:
    client = connection.conn
    pages = client.get_paginator("list_buckets").paginate() if client.can_paginate("list_buckets") else ()
    for page in pages or (client.list_buckets(),):
        for bucket in page.get("Buckets", ()):
            yield {"bucket": bucket["Name"], "created": _time(bucket.get("CreationDate"))}


def _entries(connection: Connection, url: str, given: _Entry) -> Iterator[_Entry]:
    from mangrove.s3.pages import Prefix  # noqa: PLC0415
    from mangrove.s3.trees import keyspace  # noqa: PLC0415  `--help` needs no botocore

    recursive, versions = given["recursive"], given["versions"]
    choices = {"recursive": recursive, "versions": versions, "threads": given["concurrency"]}
    found = keyspace.ls(connection.backend, url, **choices, **access_arguments(given))
    for item in found:
        if isinstance(item, Prefix):
            yield {"prefix": str(item)}
            continue
        entry: _Entry = {"key": item.key, "size": item.size, "last_modified": _time(item.last_modified)}
        entry |= {"etag": item.etag, "storage_class": item.storage_class}
        if versions:
            entry |= {"version_id": item.version_id, "is_latest": item.is_latest}
            entry["is_delete_marker"] = item.is_delete_marker
        yield entry


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _line(entry: _Entry, url: str, *, readable: bool) -> str:
    """Return a line as the aws command prints it, in UTC; names of one level are told without what is above them."""
    if "bucket" in entry:
        return f"{_shown(entry['created'])} {clean(entry['bucket'])}\n"
    above = ""
    if not any(char in url for char in "*?[\\"):
        above = parse_url(url).key.rpartition("/")[0]
    name = entry.get("prefix") or entry["key"]
    name = clean(name[len(above) + 1 :] if above and name.startswith(f"{above}/") else name)
    if "prefix" in entry:
        return f"{'':{_TIME}} {'PRE':>{_SIZE}} {name}\n"
    size = human(entry["size"]) if readable else str(entry["size"])
    if entry.get("is_delete_marker"):
        size = "DELETED"
    version = f" {clean(str(entry['version_id']))}" if "version_id" in entry else ""
    return f"{_shown(entry['last_modified'])} {size:>{_SIZE}} {name}{version}\n"


def _shown(moment: str | None) -> str:
    return (moment or "")[:_TIME].replace("T", " ").ljust(_TIME)


@click.command(short_help="Add up what is stored.")
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@_versions
@_human
@_threads
@_form
@access_options
@connection_options
def du(urls: tuple[str, ...], *, versions: bool, readable: bool, concurrency: int, output: str, **given: Any) -> int:
    """Add up what is stored below a prefix, or what matches wildcards: bytes and objects, by storage class in JSON.

    A prefix is a folder: s3://logs/2026 is what begins with 2026/.
    """
    from mangrove.s3.trees import keyspace  # noqa: PLC0415  `--help` needs no botocore

    for url in urls:
        parse_url(url)
    report = Report(output, progress=False)
    with s3_connecting.connect(given) as connection, report:
        for url in urls:
            try:
                usage = keyspace.du(
                    connection.backend, url, versions=versions, threads=concurrency, **access_arguments(given)
                )
            except MangroveError as error:
                report.refuse(error, "du", url)
                continue
            report.counts["du"] += 1
            if output == "text":
                size = human(usage.bytes) if readable else f"{usage.bytes} bytes"
                emit([f"{size} in {usage.count} objects: {clean(url)}\n"])
                continue
            classes = {name: {"objects": count, "bytes": size} for name, (count, size) in sorted(usage.classes.items())}
            report.record({"url": url, "objects": usage.count, "bytes": usage.bytes, "classes": classes})
    return report.code
