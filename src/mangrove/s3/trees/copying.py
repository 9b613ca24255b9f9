"""Be what the command lines of S3 call sync, cp and mv: for single objects, trees and wildcards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mangrove.errors import ConfigError
from mangrove.s3.many import Summary, summary_of
from mangrove.s3.outcome import Outcome
from mangrove.s3.removing import Remove, is_conditional
from mangrove.s3.rules.names import is_url, parse_url, shown
from mangrove.s3.rules.paths import segments
from mangrove.s3.rules.patterns import Pattern, has_wildcard
from mangrove.s3.running.handle import Handle
from mangrove.s3.trees.changes import Comparison, Entry
from mangrove.s3.trees.choices import Choices
from mangrove.s3.trees.directions import direction_of, remove_same
from mangrove.s3.trees.means import Means
from mangrove.s3.trees.places import place_of, single_name
from mangrove.s3.trees.sync import Rules, Transfer

if TYPE_CHECKING:
    from mangrove.s3.backend import Backend

__all__ = ["Single", "cp", "mv", "single_of", "sync"]

Given = str | os.PathLike[str]


def sync(
    backend: Backend,
    source: Given,
    target: Given,
    *,
    compare: Comparison = "newer",
    delete: bool = False,
    **arguments: Any,
) -> Summary:
    """Make a tree like another: a folder like keys, keys like a folder, keys like keys.

    What is new at the source, of another size, or newer than at the target is transferred. Both are read side by side
    in the order of keys, so that they may have any number of files; what a server lists in another order is sorted in
    memory.

    Times are compared by the second, which is all that S3 has. Where both are of one second, and the file was last
    touched then, or there is no file, bytes are compared as with "checksum": what was written again in the second of a
    transfer is not missed, and not transferred for ever. This machine's clock and S3's have to agree within two seconds
    for that; where they don't, or times are not to be trusted, say "checksum".

    Args:
        backend: what serves the operations.
        source: a folder, or s3://bucket/prefix, with wildcards.
        target: a folder, or s3://bucket/prefix.
        compare: "newer" as above; "exact" downloads also what is older in S3; "size" looks at nothing else; "checksum"
            compares bytes, by entity tags and by the checksums that S3 holds.
        delete: whether what the source has not is deleted from the target: last of all, and only if nothing failed and
            the source has anything at all.
        **arguments: of `Choices`, and options of the uploads, downloads or copies.

    Raises:
        ConfigError: an argument is wrong; nothing was done.
        OSError: the source is no folder, or can't be read.
        TransferError: a listing can't be had.
        BatchError: some operations failed; it holds their outcomes, all others are done.

    Source: "aws s3 sync" in the AWS CLI reference; unlike it, what is newer in S3 is downloaded whatever its size.
    """
    choices = Choices.of(arguments)
    return _transferred(backend, source, target, choices, Rules(compare, delete))


def cp(
    backend: Backend, source: Given, target: Given, *, recursive: bool = False, move: bool = False, **arguments: Any
) -> Summary:
    """Copy an object, a tree, or what matches wildcards; whatever is at the target is replaced.

    A single object goes to a target that ends with a slash, or to a folder, under its own name.

    Args:
        backend: what serves the operations.
        source: a file, a folder, s3://bucket/key or s3://bucket/prefix, with wildcards.
        target: the same, without wildcards.
        recursive: whether the source is a tree; with a wildcard it always is.
        move: whether the source is deleted once it was copied well.
        **arguments: of `Choices`, and options of the uploads, downloads or copies.

    Raises:
        ConfigError: an argument is wrong; nothing was done.
        OSError: the source is no folder, or can't be read.
        TransferError: a single operation failed, or a listing can't be had.
        BatchError: some operations of a tree failed; it holds their outcomes, all others are done.
    """
    choices = Choices.of(arguments)
    if recursive or (choices.wildcards and is_url(source) and has_wildcard(parse_url(os.fspath(source)).key)):
        return _transferred(backend, source, target, choices, Rules(None, move=move))
    return summary_of(_one(backend, source, target, choices, move=move), callback=choices.callback)


def mv(backend: Backend, source: Given, target: Given, **arguments: Any) -> Summary:
    """Move an object, a tree, or what matches wildcards: copy it, and delete what was copied well.

    A source that was changed or overwritten after it was read is left, and is a failure: S3 deletes it only if its
    entity tag is still that of what was copied. Servers that know no such condition, and any but Amazon's may not, are
    asked for it just before; what others write there between that question and the deletion is lost.

    Args:
        backend: what serves the operations.
        source: a file, a folder, s3://bucket/key or s3://bucket/prefix, with wildcards.
        target: the same, without wildcards.
        **arguments: of `cp`.

    Raises:
        ObjectChangedError: a single object is another one by now; both are there.
        BatchError: some operations of a tree failed; what was not copied is where it was.
    """
    return cp(backend, source, target, move=True, **arguments)


def _transferred(backend: Backend, source: Given, target: Given, choices: Choices, rules: Rules) -> Summary:
    rules = replace(
        rules,
        dry_run=choices.dry_run,
        filters=choices.taken(),
        concurrency=choices.concurrency,
        threads=choices.threads,
        progress=choices.progress,
    )
    means = Means(backend, choices.threads, choices.options, choices.fold)
    theirs = place_of(source, wildcards=choices.wildcards, symlinks=choices.symlinks)
    direction = direction_of(theirs, place_of(target), means, delete=rules.delete, move=rules.move)
    transfer = Transfer(backend, direction, rules)
    summary = summary_of(transfer.outcomes(), callback=choices.callback, raise_errors=choices.raise_errors)
    return replace(summary, same=transfer.same)


# -- one object -------------------------------------------------------------------------------------------------------


def _one(backend: Backend, source: Given, target: Given, choices: Choices, *, move: bool) -> Iterator[Outcome]:
    """Make one operation, which raises its own error, and yield its outcome."""
    handle, other, finish = single_of(backend, source, target, choices, move=move)
    if choices.dry_run:
        yield Outcome(handle.operation, handle.bucket, handle.key, other, attempts=0)
        return
    backend.performer.run(handle).result()
    finish()
    yield replace(handle.outcome, value=other)


class Single(NamedTuple):
    """Be the operation on one object.

    Attributes:
        handle: the operation.
        other: what is on its other side.
        finish: what is to be done once it has gone well.
    """

    handle: Handle
    other: Any
    finish: Callable[[], object]


def single_of(backend: Backend, source: Given, target: Given, choices: Choices, *, move: bool = False) -> Single:
    """Return the operation that copies or moves one object.

    Args:
        backend: what serves it.
        source: a file, or s3://bucket/key.
        target: the same, or what the object goes into under its own name.
        choices: of the user.
        move: whether the source is deleted once it was copied well, if it is still what was copied.

    Raises:
        ConfigError: an argument is wrong.
        OSError: the file can't be read.
    """
    find = _from_s3 if is_url(source) else _from_file
    return find(backend, source, target, choices, move=move)


def _from_file(backend: Backend, source: Given, target: Given, choices: Choices, *, move: bool) -> Single:
    if not is_url(target):
        text = f"one of {shown(str(source))} and {shown(str(target))} has to be s3://bucket/key"
        raise ConfigError(text)
    bucket, key = parse_url(os.fspath(target))
    path = Path(source)
    before = path.stat()
    entry = Entry(path.name, before.st_size, before.st_mtime_ns)
    handle = backend.maker.upload(bucket, single_name(path.name, key), path, **choices.options)
    return Single(handle, path, lambda: remove_same(str(path), entry) if move else None)


def _from_s3(backend: Backend, source: Given, target: Given, choices: Choices, *, move: bool) -> Single:
    make, options = backend.maker, choices.options
    bucket, key = parse_url(os.fspath(source))
    key = Pattern(key).prefix if choices.wildcards else key
    if not key:
        text = f"{source} is a bucket and no object; say recursive=True for all that is in it"
        raise ConfigError(text)
    name = key.rpartition("/")[2]
    if is_url(target):
        to_bucket, to_key = parse_url(os.fspath(target))
        copy = make.copy(bucket, key, to_bucket, single_name(name, to_key), delete=move, **options)
        return Single(copy, f"s3://{bucket}/{key}", lambda: None)
    path = Path(_file(name, os.fspath(target)))
    download = make.download(bucket, key, path, **options)

    def finish() -> None:
        if move:
            access = Means(backend, options=options).read("download").of("HeadObject")
            ask = not is_conditional(backend.performer.engine)
            backend.performer.run(Remove(bucket, key, download.outcome.etag, access, ask=ask)).result()

    return Single(download, path, finish)


def _file(name: str, target: str) -> str:
    """Return the file that a download goes to."""
    if not target.endswith(("/", os.sep)) and not Path(target).is_dir():
        return target
    if not name:
        text = f"the key has no name of its own to be put in {shown(target)}; name the file"
        raise ConfigError(text)
    return os.path.join(target, *segments(name))  # noqa: PTH118  a str as the target was
