"""Be the methods of a connection on many objects: list, delete, sync, copy trees, sweep; and open one as a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mangrove.errors import ConfigError
from mangrove.s3.outcome import Outcome
from mangrove.s3.rules.names import check_bucket
from mangrove.s3.single import ObjectMethods

if TYPE_CHECKING:
    from mangrove.s3.deleting import Doomed
    from mangrove.s3.large.sweep import Swept
    from mangrove.s3.many import Summary
    from mangrove.s3.pages import Listed, Prefix
    from mangrove.s3.rules.options import Options, Verb

__all__ = ["BucketMethods"]

_DAY = 86_400.0
Place = str | os.PathLike[str]


class BucketMethods(ObjectMethods):
    """Make operations on what is in a bucket; the modules that do so are loaded when they are needed."""

    def list(
        self,
        bucket: str,
        prefix: str = "",
        delimiter: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
        retries: int | None = None,
        *,
        start_after: str | None = None,
        versions: bool = False,
        page_size: int | None = None,
        threads: int = 1,
        **options: Any,
    ) -> Iterator[Listed | Prefix]:
        """Yield the keys in a bucket, and common prefixes between them; each is a str.

        A key has `size`, `etag`, `last_modified` and `storage_class` beside. A page is asked for when it is needed.

        Args:
            bucket: its name, or the ARN of an access point.
            prefix: what the keys begin with.
            delimiter: what ends a common prefix, mostly "/"; None for all keys.
            headers: options by the names of HTTP.
            extra: options by the API's names.
            retries: further tries of a page; None for the connection's.
            start_after: only keys after this one.
            versions: whether all versions and delete markers are listed, of a key the newest first.
            page_size: the most entries of one call, at most 1,000.
            threads: calls at once, for a bucket of millions; not with a delimiter or versions.
            **options: of ListObjectsV2, such as `fetch_owner`, `request_payer`.

        Raises:
            ConfigError: an argument is wrong; at once.
            NotFoundError: there is no such bucket.
            TransferError: a page can't be had, or is damaged: a listing never just ends early.

        Source: ListObjectsV2 and ListObjectVersions in the Amazon S3 API reference.

        Example:
            >>> from mangrove import s3
            >>> connection = s3.Connection.in_memory()
            >>> connection.create_bucket("logs")
            >>> for key in ("a", "b/1", "b/2"):
            ...     outcome = connection.upload("logs", key, "howdy")
            >>> list(connection.list("logs", delimiter="/"))
            ['a', 'b/']
            >>> [key.size for key in connection.list("logs", "b/")]
            [5, 5]
        """
        read = self._read("list", options, headers, extra)
        shared: dict[str, Any] = {"start_after": start_after, "page_size": page_size, "retries": retries}
        return self._listing(threads, (bucket, prefix, delimiter), versions=versions, options=read, **shared)

    def _listing(
        self, threads: int, what: tuple[Any, Any, Any], *, versions: bool, **shared: Any
    ) -> Iterator[Listed | Prefix]:
        from mangrove.s3.listing import list_objects  # noqa: PLC0415  see the class
        from mangrove.s3.spreading import list_spread  # noqa: PLC0415

        performer = self.backend.performer
        if threads == 1:
            return list_objects(performer, *what, versions=versions, **shared)
        bucket, prefix, delimiter = what
        if delimiter is not None or versions:
            text = "threads is for a listing of all keys, without a delimiter and without versions"
            raise ConfigError(text)
        return list_spread(performer, bucket, prefix, threads=threads, **shared)

    def _read(
        self,
        verb: Verb,
        options: dict[str, Any],
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Options:
        return self.backend.maker.read(verb, options, headers, extra)

    def delete_many(
        self,
        bucket: str,
        keys: Iterable[Doomed],
        *,
        concurrency: int = 8,
        retries: int | None = None,
        callback: Callable[[Outcome], object] | None = None,
        raise_errors: bool = True,
        **options: Any,
    ) -> Summary:
        """Delete any number of keys, a thousand a request; that there is no such key is no error of S3's.

        Args:
            bucket: their bucket.
            keys: keys, or pairs of a key and a version; also what `list` gives.
            concurrency: requests at once.
            retries: further tries after a failure that may last; None for the connection's.
            callback: is called with the outcome of each key.
            raise_errors: whether failures are raised in the end.
            **options: of DeleteObjects, such as `bypass_governance_retention`.

        Raises:
            BatchError: some keys could not be deleted; it holds their outcomes, all others are gone.

        Source: DeleteObjects in the Amazon S3 API reference.

        Example:
            >>> from mangrove import s3
            >>> connection = s3.Connection.in_memory()
            >>> connection.create_bucket("logs")
            >>> connection.upload("logs", "a", "howdy").ok
            True
            >>> connection.delete_many("logs", connection.list("logs")).done
            1
        """
        from mangrove.s3.deleting import delete_objects  # noqa: PLC0415  see the class

        read = self._read("delete", options)
        return delete_objects(
            self.backend,
            bucket,
            keys,
            concurrency=concurrency,
            retries=retries,
            options=read,
            callback=callback,
            raise_errors=raise_errors,
        )

    def open(self, bucket: str, key: str, mode: str = "rb", **arguments: Any) -> Any:
        """Open an object as a file: a seekable reader, or a writer whose object appears when it is closed.

        Args:
            bucket: its bucket.
            key: its key.
            mode: "rb" to read bytes, "wb" to write them, "xb" to write a new object only; "r", "w" and "x" for text.
            **arguments: `encoding`, `errors`, `newline` and `buffer_size`, as with Python's `open`, and options of the
                download or the upload.

        Raises:
            ConfigError: an argument is wrong.
            NotFoundError: there is no such object to read.

        Example:
            >>> from mangrove import s3
            >>> connection = s3.Connection.in_memory()
            >>> connection.create_bucket("logs")
            >>> with connection.open("logs", "a", "w") as file:
            ...     file.write("howdy")
            5
            >>> with connection.open("logs", "a") as file:
            ...     file.seek(2), file.read()
            (2, b'wdy')
        """
        from mangrove.s3.opening import open_object  # noqa: PLC0415  see the class

        return open_object(self.backend, bucket, key, mode, **arguments)

    def sync(self, source: Place, target: Place, **arguments: Any) -> Summary:
        """Make a tree like another: a folder like s3://bucket/prefix, that like a folder, or one of S3 like another.

        Args:
            source: a folder, or s3://bucket/prefix.
            target: the same.
            **arguments: `compare`, `delete`, `dry_run`, `include`, `exclude`, `symlinks`, `concurrency`, `callback`,
                `raise_errors`, and options of the uploads, downloads or copies; see `mangrove.s3.trees.copying.sync`.

        Raises:
            ConfigError: an argument is wrong; nothing was done.
            BatchError: some operations failed; it holds their outcomes, all others are done.

        Example:
            >>> import pathlib, tempfile
            >>> folder = pathlib.Path(tempfile.mkdtemp())
            >>> (folder / "a").write_text("howdy")
            5
            >>> from mangrove import s3
            >>> connection = s3.Connection.in_memory()
            >>> connection.create_bucket("logs")
            >>> connection.sync(folder, "s3://logs/2026/").counts
            {'upload': 1}
            >>> connection.sync(folder, "s3://logs/2026/", compare="size").same
            1
        """
        from mangrove.s3.trees.copying import sync  # noqa: PLC0415  see the class

        return sync(self.backend, source, target, **arguments)

    def cp(self, source: Place, target: Place, *, recursive: bool = False, **arguments: Any) -> Summary:
        """Copy an object, a tree, or what matches wildcards, as the command lines of S3 do.

        Args:
            source: a file, a folder, s3://bucket/key or s3://bucket/prefix, with wildcards.
            target: the same, without wildcards.
            recursive: whether the source is a tree; with a wildcard it always is.
            **arguments: as `sync` has them, but for `compare` and `delete`; see `mangrove.s3.trees.copying.cp`.

        Raises:
            TransferError: a single operation failed, or a listing can't be had.
            BatchError: some operations of a tree failed; it holds their outcomes, all others are done.
        """
        from mangrove.s3.trees.copying import cp  # noqa: PLC0415  see the class

        return cp(self.backend, source, target, recursive=recursive, **arguments)

    def mv(self, source: Place, target: Place, *, recursive: bool = False, **arguments: Any) -> Summary:
        """Move an object, a tree, or what matches wildcards: copy it, and delete what was copied well.

        A source that was overwritten meanwhile is left, and is a failure; see `mangrove.s3.trees.copying.mv`.

        Args:
            source: a file, a folder, s3://bucket/key or s3://bucket/prefix, with wildcards.
            target: the same, without wildcards.
            recursive: whether the source is a tree; with a wildcard it always is.
            **arguments: of `cp`.

        Raises:
            TransferError: a single operation failed, or a listing can't be had.
            BatchError: some operations of a tree failed; what was not copied is where it was.
        """
        from mangrove.s3.trees.copying import mv  # noqa: PLC0415  see the class

        return mv(self.backend, source, target, recursive=recursive, **arguments)

    def sweep(
        self,
        bucket: str | None = None,
        prefix: str = "",
        *,
        older_than: float = _DAY,
        dry_run: bool = False,
        **options: Any,
    ) -> tuple[Swept, ...]:
        """Abort multipart uploads that nobody has completed, whose parts cost money, and return what was found.

        Args:
            bucket: the bucket; None for the uploads that processes of this user have begun and not ended.
            prefix: of the keys.
            older_than: seconds since an upload was begun: a day. One that is still under way is aborted too.
            dry_run: only say what there is.
            **options: of the calls by the API's names, such as `ExpectedBucketOwner`.

        Raises:
            ConfigError: an argument is wrong.
            TransferError: the uploads can't be listed.

        Source: ListMultipartUploads and AbortMultipartUpload in the Amazon S3 API reference.
        """
        from mangrove.s3.large import sweep  # noqa: PLC0415  see the class

        performer = self.backend.performer
        if bucket is None:
            return tuple(sweep.sweep_journal(performer, dry_run=dry_run))
        check_bucket(bucket)
        found = sweep.sweep_bucket(performer, bucket, prefix, older_than=older_than, dry_run=dry_run, options=options)
        return tuple(found)
