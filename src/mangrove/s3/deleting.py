"""Delete objects by the thousand a request, several requests at once, with an outcome for each key that stays."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from botocore.exceptions import ClientError

from mangrove.errors import DeclarationTypeError, IncompleteTransferError, MangroveError, TransferError
from mangrove.s3.engines.base import Call, Keys, Reply
from mangrove.s3.light import Delete
from mangrove.s3.many import Summary, each_as_it_ends, error_of
from mangrove.s3.outcome import Outcome
from mangrove.s3.pages import Listed
from mangrove.s3.rules.faults import kind_of, raised
from mangrove.s3.rules.names import LONGEST_KEY, check, check_bucket, shown
from mangrove.s3.rules.options import NONE, Options
from mangrove.s3.running.handle import Handle, Step

if TYPE_CHECKING:
    from mangrove.s3.backend import Backend

__all__ = ["DeleteMany", "Deleted", "Doomed", "Seen", "delete_objects", "deletions", "outcomes_of"]


class Seen(NamedTuple):
    """Be a key, and the entity tag that its object had when it was seen: it is deleted if it has it still."""

    key: str
    etag: str | None


# A key, one that a listing gave with its version, a key and a version, or one and its entity tag.
Doomed = str | tuple[str, str | None] | Seen

MOST = 1000  # keys that one request takes
_WEIGHT = 256  # bytes that one key takes while it waits, about
_REQUESTS = 8
# XML 1.0 has no way to write these, escaped or not.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Not a version of a listing, which is a subclass.
_PLAIN = frozenset({str, Listed})
# How a whole answer ends; one without errors may be this alone.
_WHOLE = re.compile(rb"(?:</(?:\w+:)?DeleteResult\s*>|<(?:\w+:)?DeleteResult(?:\s[^<>]*)?/>)\s*\Z")
_LONGEST_END = 1024
_AGAIN = frozenset({"throttled", "transient"})


class Deleted(NamedTuple):
    """Be what became of some keys.

    Attributes:
        done: those that are gone, each as DeleteObjects names it: its `Key`, and its `VersionId` if it was given.
        failures: the outcomes of those that are not.
    """

    done: Sequence[Mapping[str, str]]
    failures: list[Outcome]


class DeleteMany(Handle):
    """Delete up to a thousand keys. It never fails as a whole: its value is a `Deleted`.

    Keys that S3 asks to be sent again, and only they, are sent again.

    Args:
        bucket: their bucket.
        objects: each a `Key`, perhaps with a `VersionId` or an `ETag`.
        params: further parameters of DeleteObjects.
        callback: is called with the value.
    """

    __slots__ = ("_done", "_failures", "_params", "_pending")
    operation: ClassVar[str] = "delete"

    def __init__(
        self,
        bucket: str,
        objects: Sequence[Mapping[str, str]],
        params: Mapping[str, Any],
        callback: Callable[[Any], object] | None = None,
    ) -> None:
        super().__init__(bucket, "", callback)
        self._params, self._pending = params, objects
        self._done: Sequence[Mapping[str, str]] = ()
        self._failures: list[Outcome] = []

    @property
    def weight(self) -> int:  # type: ignore[override]
        """Return the bytes that it holds."""
        return _WEIGHT * len(self._pending)

    def begin(self) -> Step:
        """Return the call for the keys that are left."""
        delete = {"Objects": self._pending, "Quiet": True}
        return Call("DeleteObjects", {**self._params, "Bucket": self.bucket, "Delete": delete}, owner=self)

    def receive(self, call: Call, reply: Reply) -> Step:
        """Take what S3 says of the keys that it has not deleted.

        Raises:
            ClientError: some are to be sent again.
        """
        del call
        errors = _errors_in(reply)
        if errors:
            self._sort(errors)
        else:
            self._done = [*self._done, *self._pending] if self._done else self._pending
            self._pending = ()
        return None

    def _sort(self, errors: Iterable[Mapping[str, Any]]) -> None:
        told = {(each.get("Key"), each.get("VersionId")): each for each in errors}
        asked = {(each["Key"], version) for each in self._pending for version in (each.get("VersionId"), None)}
        strange = next((each for name, each in told.items() if name not in asked), None)
        again: list[Mapping[str, str]] = []
        done = list(self._done)
        temporary: ClientError | None = None
        for each in self._pending:
            found = told.get((each["Key"], each.get("VersionId"))) or told.get((each["Key"], None))
            if found is None and strange is not None:
                self._fail(each, _unknown(strange))
                continue
            if found is None:
                done.append(each)
                continue
            response: Any = {"Error": dict(found), "ResponseMetadata": {}}
            error = ClientError(response, "DeleteObjects")
            if kind_of(error) in _AGAIN:
                again.append(each)
                temporary = error
            else:
                self._fail(each, raised(error))
        self._pending, self._done = again, done
        if temporary is not None:
            raise temporary

    def _fail(self, each: Mapping[str, str], error: BaseException) -> None:
        facts = {"version_id": each.get("VersionId"), "attempts": self.attempts}
        self._failures.append(Outcome("delete", self.bucket, each["Key"], error=error, **facts))  # type: ignore[arg-type]

    def end(self, error: BaseException | None = None) -> None:
        """Say that it has ended; an error is each key's that is left."""
        if error is not None:
            for each in self._pending:
                self._fail(each, error)
        self.value = Deleted(self._done, self._failures)
        super().end()


def _unknown(error: Mapping[str, Any]) -> TransferError:
    return TransferError(
        f"whether it is deleted is not known: the server did not delete {shown(error.get('Key'))}"
        f" ({error.get('Code')}: {error.get('Message')}), which is none of the keys it was asked to"
    )


def _errors_in(reply: Reply) -> list[Mapping[str, Any]]:
    document: bytes | None = getattr(reply, "document", None)
    if document is None and reply.data.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("content-length") != "0":
        return reply.get("Errors") or []  # of an engine that has parsed it, to its end
    document = document or b""
    # What is asked for is an answer that names only what has failed: cut off, it would name too little.
    if _WHOLE.search(document, max(0, len(document) - _LONGEST_END)) is None:
        text = "the answer to DeleteObjects says nothing about the keys; whether they are deleted is not known"
        raise IncompleteTransferError(text)
    return (reply.get("Errors") or []) if b"Error" in document else []


def deletions(
    backend: Backend,
    bucket: str,
    keys: Iterable[Doomed],
    *,
    concurrency: int = _REQUESTS,
    retries: int | None = None,
    options: Options = NONE,
) -> Iterator[Deleted]:
    """Delete keys and yield what became of them, some at a time; any number of them.

    Args:
        backend: what serves the requests.
        bucket: their bucket.
        keys: keys, or pairs of a key and a version. A `Listed` with a version is that version.
        concurrency: requests at once.
        retries: further tries of a request or a key after a failure that may last; None for the usual.
        options: of the deletion.

    Raises:
        ConfigError: the bucket can't be.

    Source: DeleteObjects and DeleteObject in the Amazon S3 API reference.
    """
    check_bucket(bucket)
    if isinstance(keys, (str, bytes)):
        text = f"keys are an iterable of keys; for one, give [{keys!r}]"
        raise DeclarationTypeError(text)
    return _deletions(backend, bucket, keys, concurrency, retries, options)


def _deletions(
    backend: Backend, bucket: str, keys: Iterable[Doomed], concurrency: int, retries: int | None, options: Options
) -> Iterator[Deleted]:
    refused: list[Outcome] = []
    handles = _handles(bucket, iter(keys), retries, options, refused)
    for handle in each_as_it_ends(backend, handles, concurrency):
        if isinstance(handle, DeleteMany):
            yield handle.value
        elif handle.error is not None:
            yield Deleted([], [handle.outcome])
        else:
            yield Deleted([{"Key": handle.key}], [])
        if refused:
            yield Deleted([], refused[:])
            refused.clear()
    if refused:
        yield Deleted([], refused)


def _handles(
    bucket: str, keys: Iterator[Doomed], retries: int | None, options: Options, refused: list[Outcome]
) -> Iterator[Handle]:
    """Yield the requests; keys that can't be go to `refused`."""
    params = options.of("DeleteObjects")
    while some := list(islice(keys, MOST)):
        objects: Sequence[Mapping[str, str]] | None = _plain(some)
        alone: list[dict[str, str]] = []
        if objects is None:
            objects, alone = _sorted(bucket, some, refused)
        for each in alone:
            named = {"IfMatch" if name == "ETag" else name: value for name, value in each.items()}
            single = Delete({**options.of("DeleteObject"), "Bucket": bucket, **named})
            single.retries = retries
            yield single
        if objects:
            handle = DeleteMany(bucket, objects, params)
            handle.retries = retries
            yield handle


def _plain(some: list[Any]) -> Keys | None:
    """Return what DeleteObjects takes if nothing about these keys is unusual: a tenth of the time for most."""
    if not _PLAIN.issuperset(map(type, some)) or max(map(len, some)) > LONGEST_KEY or not all(some):
        return None
    joined = "".join(some)
    return Keys(some) if joined.isascii() and joined.isprintable() else None


def _sorted(bucket: str, some: list[Any], refused: list[Outcome]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return what goes together and what goes alone; keys that can't be go to `refused`."""
    together: list[dict[str, str]] = []
    alone: list[dict[str, str]] = []
    for doomed in some:
        try:
            each = _object(bucket, doomed)
        except MangroveError as error:
            refused.append(Outcome("delete", bucket, str(doomed), error=error))
        else:
            (alone if _NOT_IN_XML.search(each["Key"]) else together).append(each)
    return together, alone


def _object(bucket: str, doomed: Doomed) -> dict[str, str]:
    """Return a key as DeleteObjects has it.

    Raises:
        ConfigError: it can't be.
    """
    if isinstance(doomed, Seen):
        check(bucket, doomed.key)
        return {"Key": doomed.key} if doomed.etag is None else {"Key": doomed.key, "ETag": doomed.etag}
    if isinstance(doomed, tuple):
        key, version = doomed
    else:
        key, version = doomed, doomed.version_id if isinstance(doomed, Listed) else None
    check(bucket, key)
    return {"Key": key} if version is None else {"Key": key, "VersionId": version}


def delete_objects(
    backend: Backend,
    bucket: str,
    keys: Iterable[Doomed],
    *,
    concurrency: int = _REQUESTS,
    retries: int | None = None,
    options: Options = NONE,
    callback: Callable[[Outcome], object] | None = None,
    raise_errors: bool = True,
) -> Summary:
    """Delete keys, and count; see `deletions`. That there is no such key is no error of S3's.

    Args:
        backend: what serves the requests.
        bucket: their bucket.
        keys: keys, or pairs of a key and a version. A `Listed` with a version is that version.
        concurrency: requests at once.
        retries: further tries of a request or a key after a failure that may last; None for the usual.
        options: of the deletion.
        callback: is called with the outcome of each key.
        raise_errors: whether failures are raised in the end.

    Raises:
        ConfigError: the bucket can't be.
        BatchError: some keys could not be deleted; it holds their outcomes, all others are gone.
    """
    began = time.monotonic()
    count, failures = 0, []
    for some in deletions(backend, bucket, keys, concurrency=concurrency, retries=retries, options=options):
        count += len(some.done)
        failures += some.failures
        if callback is not None:
            for outcome in outcomes_of(bucket, some):
                callback(outcome)
    if failures and raise_errors:
        raise error_of(failures, count + len(failures))
    return Summary({"delete": count}, failures=tuple(failures), seconds=time.monotonic() - began)


def outcomes_of(bucket: str, deleted: Deleted) -> Iterator[Outcome]:
    """Yield an outcome for each of some keys."""
    for each in deleted.done:
        yield Outcome("delete", bucket, each["Key"], value=True, version_id=each.get("VersionId"))
    yield from deleted.failures
