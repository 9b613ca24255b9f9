"""Be the command `diff`: what has changed between two inventories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mangrove.errors import ConfigError

if TYPE_CHECKING:
    from mangrove.inventory.diff import Change, Seen
    from mangrove.inventory.diff.files import Taken

__all__ = ["diff"]

_CHANGED = 1
_KINDS = ("appeared", "vanished", "changed")
_MOST = 20
_TAGS = frozenset({"Tags", "tags", "TagList", "tagList", "TagSet"})
_COLUMNS = ("change", "account", "region", "type", "name", "member", "old", "new", "arn")


@click.command(short_help="Say what has changed between two inventories.")
@click.argument("old")
@click.argument("new", required=False)
@click.option("--type", "types", multiple=True, metavar="GLOB", help="Of these types alone: ec2.instances, 'rds.*'.")
@click.option("--ignore", multiple=True, metavar="MEMBER", help="Not this member: State, 'tags.*', '*.LastUsedTime'.")
@click.option(
    "--output",
    type=click.Choice(["table", "json", "jsonl"]),
    default="table",
    show_default=True,
    help="The form of what is written to standard output.",
)
def diff(old: str, new: str | None, types: tuple[str, ...], ignore: tuple[str, ...], output: str) -> int:
    """Say what has appeared, vanished and changed between two inventories that `mangrove ls` has written.

    \b
        mangrove diff monday.parquet tuesday.parquet
        mangrove diff inventory.duckdb
        mangrove diff inventory.duckdb@2026-11-20 inventory.duckdb@-1 --type 'ec2.*' --ignore State

    OLD and NEW are Parquet, DuckDB or JSON Lines files. A snapshot of a DuckDB file is named by its id, its date or its
    place from the end, after an @; of one DuckDB file alone the last two are compared.

    A resource is known by its ARN, or its name where it has none. The order of a list is no change. What one of the two
    has not looked at, or could not list, has not vanished: it is told as unknown, on standard error too.

    The exit code is 0 if nothing has changed, 1 if anything has, 2 for wrong usage.
    """  # noqa: D301  click's own mark for a paragraph that keeps its lines
    from mangrove.inventory.diff.files import last_two, read_taken  # noqa: PLC0415  `--help` needs none of it

    before, after = last_two(old) if new is None else (read_taken(old), read_taken(new))
    if new is not None and "@" in before.name and before.name == after.name and _file(old) == _file(new):
        text = f"OLD and NEW are the same snapshot, {before.name}; a date means the last one of that day"
        raise ConfigError(text)
    _check_types(types, {*before.types, *after.types} if before.types and after.types else ())
    return _print(_changes(before, after, types, ignore), (before, after), output)


def _file(spec: str) -> Path:
    path = Path(spec)
    return (path if path.exists() else Path(spec.rpartition("@")[0])).resolve()


def _check_types(globs: Sequence[str], known: Collection[str]) -> None:
    """Refuse a type that neither inventory has looked for: that nothing has changed there would be no answer."""
    for glob in globs if known else ():
        if not any(fnmatchcase(each, glob) for each in known):
            near = get_close_matches(glob, known, n=3)
            told = f"; did you mean {', '.join(near)}?" if near else ""
            text = f"neither inventory has looked for a type {glob!r}{told}"
            raise ConfigError(text)


def _changes(before: Taken, after: Taken, types: Sequence[str], ignore: Sequence[str]) -> Iterator[Change]:
    from mangrove.inventory.diff import diff as compare  # noqa: PLC0415

    def wanted(seen: Iterable[Seen]) -> Iterator[Seen]:
        return (each for each in seen if not types or any(fnmatchcase(each.type, glob) for glob in types))

    return compare(
        wanted(before.seen()), wanted(after.seen()), in_old=before.looked, in_new=after.looked, ignore=ignore
    )


def _print(changes: Iterable[Change], taken: Sequence[Taken], form: str) -> int:
    from mangrove.cli.call_output import writer_for  # noqa: PLC0415
    from mangrove.cli.call_report import say  # noqa: PLC0415

    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    writer = writer_for(form, _COLUMNS if form == "table" else None, queried=True)
    for each in changes:
        counts[each.kind] += 1
        reasons[each.why] += bool(each.why)
        for row in _lines(each) if form == "table" else (_record(each),):
            writer.take(row)
    writer.end()
    for remark in (*writer.remarks, *(each.remark for each in taken if each.remark)):
        say(remark)
    unknown = [(why, count) for why, count in reasons.most_common() if count]
    for why, count in unknown[:_MOST]:
        say(f"unknown: {count} resource{'' if count == 1 else 's'}: {why}")
    if len(unknown) > _MOST:
        say(f"unknown: and for {len(unknown) - _MOST} more reasons")
    told = ", ".join(f"{counts[kind]} {kind}" for kind in (*_KINDS, "unknown") if counts[kind])
    say(f"{taken[0].name} to {taken[1].name}: {told or 'nothing has changed'}")
    return _CHANGED if any(counts[kind] for kind in _KINDS) else 0


def _head(change: Change) -> dict[str, Any]:
    seen = change.seen
    return {
        "change": change.kind,
        "account": seen.account,
        "region": seen.region,
        "type": seen.type,
        "name": seen.name,
        "arn": seen.arn,
    }


def _lines(change: Change) -> Iterator[Mapping[str, Any]]:
    """Yield a line for each member that has changed; the tags once, though an API has them in its data too."""
    from mangrove.inventory.diff import shown_path  # noqa: PLC0415

    head = _head(change)
    if not change.members:
        yield head
    has_tags = any(each.path[0] == "tags" for each in change.members)
    for each in change.members:
        if has_tags and each.path[0] == "data" and each.path[1] in _TAGS:
            continue
        yield {**head, "member": shown_path(each.path), "old": _value(each.old), "new": _value(each.new)}


def _value(value: Any) -> Any:
    from mangrove.inventory.diff import ABSENT  # noqa: PLC0415

    return None if value is ABSENT else value


def _record(change: Change) -> dict[str, Any]:
    from mangrove.inventory.diff import ABSENT, shown_path  # noqa: PLC0415

    record = _head(change)
    if change.why:
        record["why"] = change.why
    if change.members:
        record["members"] = [
            {
                "path": shown_path(each.path),
                **({} if each.old is ABSENT else {"old": each.old}),
                **({} if each.new is ABSENT else {"new": each.new}),
            }
            for each in change.members
        ]
    return record
