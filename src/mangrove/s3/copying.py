"""Copy an object inside S3, without its bytes coming here: in one request, or in parts when it is large; or move it.

A move deletes its source only if that is still the object that was copied: see `mangrove.s3.removing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from mangrove.errors import ConfigError, IncompleteTransferError, PreconditionError
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.removing import Remove, is_conditional
from mangrove.s3.rules.faults import kind_of, status_of
from mangrove.s3.rules.names import may_be_one
from mangrove.s3.rules.options import Options
from mangrove.s3.running.handle import Handle, Step
from mangrove.s3.running.performing import Performer, Settings

__all__ = ["Copy", "Move"]

_PRECONDITION = 412
_CONDITIONS = frozenset({"IfMatch", "IfNoneMatch"})


class Copy(Handle):
    """Copy an object: ask how large it is, copy it, and for a move delete the source, if it is still what was copied.

    Args:
        source: its `Bucket`, `Key` and `VersionId`.
        bucket: the bucket of the copy.
        key: the key of the copy.
        options: of the copy.
        settings: how objects are moved.
        delete: whether the source is deleted once the copy is there.
        callback: is called with the value, True.

    Raises:
        ConfigError: a move to where the object is.
    """

    __slots__ = ("_copied", "_delete", "_head", "_obstacle", "_options", "_removal", "_settings", "_source")
    operation: ClassVar[str] = "copy"

    def __init__(
        self,
        source: Mapping[str, Any],
        bucket: str,
        key: str,
        options: Options,
        settings: Settings,
        *,
        delete: bool = False,
        callback: Callable[[Any], object] | None = None,
    ) -> None:
        super().__init__(bucket, key, callback)
        if delete and source["Key"] == key and may_be_one(source["Bucket"], bucket):
            text = f"s3://{bucket}/{key} can't be moved to where it is"
            if source["Bucket"] != bucket:
                text += f", and {source['Bucket']} may be another name of it; copy it, and then delete the source"
            raise ConfigError(text)
        self._source = {name: value for name, value in source.items() if value is not None}
        self._options, self._settings, self._delete = options, settings, delete
        self._head: Mapping[str, Any] | None = None
        self._obstacle: Exception | None = None  # S3's answer that a condition of the copy does not hold
        self._copied = False
        self._removal: Remove | None = None

    @property
    def source_etag(self) -> str | None:
        """Return the entity tag of the object that was copied, once that is known."""
        return (self._head or {}).get("ETag")

    def begin(self) -> Step:
        """Return the next call; what is done is not done again."""
        if self._copied:
            return self._removing().begin()
        if self._obstacle is not None:
            return self._question()
        if self._head is None:
            return Call("HeadObject", {**self._options.of_source(), **self._source}, owner=self)
        return self._copy(self._head)

    def _copy(self, head: Mapping[str, Any]) -> Step:
        if (head.get("ContentLength") or 0) > self._settings.copying.threshold:
            return lambda performer: self._in_parts(performer, head)
        lost = sorted(_CONDITIONS.intersection(self._options.lost("CopyObject")))
        if lost:
            # Without it the object that is there would be replaced.
            text = f"CopyObject of the installed botocore knows no {', '.join(lost)}; a newer botocore does"
            raise ConfigError(text)
        params = self._options.of("CopyObject")
        if head.get("ETag"):
            params.setdefault("CopySourceIfMatch", head["ETag"])
        params["Bucket"], params["Key"], params["CopySource"] = self.bucket, self.key, self._source
        return Call("CopyObject", params, owner=self)

    def _in_parts(self, performer: Performer, head: Mapping[str, Any]) -> None:
        from mangrove.s3.large.copy import copy_large  # noqa: PLC0415  what is small needs none of it

        copy_large(performer, self, self._source, head, self._options)
        if self._delete:
            # A large object takes its time: enough for another to be written to its name.
            removal = performer.run(self._removing(ask=not is_conditional(performer.engine)))
            if removal.error is not None:
                raise removal.error

    def _removing(self, *, ask: bool = False) -> Remove:
        """Return what deletes the source. Where there are versions it is the name that goes, and the version stays."""
        if self._removal is None:
            where = self._source["Bucket"], self._source["Key"]
            self._removal = Remove(*where, self.source_etag, self._options.of_source(), ask=ask)
            self._removal.retries = self.retries
        return self._removal

    def _question(self) -> Call:
        params = {**self._options.of("HeadObject"), "Bucket": self.bucket, "Key": self.key}
        return Call("HeadObject", params, owner=self)

    def recover(self, call: Call, error: Exception) -> Step:
        """Ask whether the object that stands in the way is the copy: the answer of an earlier try may be lost."""
        if self._copied:
            return self._removing().recover(call, error)
        if call.operation == "HeadObject" and self._obstacle is not None and kind_of(error) == "fatal":
            raise self._obstacle
        conditions = _CONDITIONS & call.params.keys()
        if call.operation != "CopyObject" or status_of(error) != _PRECONDITION or not (self.unsure and conditions):
            raise error
        self._obstacle = error
        return self._question()

    def receive(self, call: Call, reply: Reply) -> Step:
        """Take the answer to the question, the copy or the deletion."""
        if self._copied:
            return self._removing().receive(call, reply)
        if call.operation == "HeadObject":
            if self._obstacle is not None:
                return self._settle(reply)
            self._head = dict(reply.data)
            return self._copy(self._head)
        found = reply.data.get("CopyObjectResult") or {}
        if not found.get("ETag"):
            text = f"the answer to the copy to s3://{self.bucket}/{self.key} has no ETag, so it is not S3's"
            raise IncompleteTransferError(text)
        return self._done(found["ETag"], reply)

    def _settle(self, reply: Reply) -> Step:
        """Find out whether the object that is there is the copy."""
        source = self._head or {}
        if any(reply.data.get(name) != source.get(name) for name in ("ContentLength", "ETag")):
            text = f"s3://{self.bucket}/{self.key} is there already, and is another object; it is left as it is"
            raise PreconditionError(text) from self._obstacle
        return self._done(reply.get("ETag"), reply)

    def _done(self, etag: str | None, reply: Reply) -> Step:
        """Go on from the copy to the deletion, if there is to be one."""
        self._copied, self.value = True, True
        size = (self._head or {}).get("ContentLength")
        self.details = {"size": size, "etag": etag, "version_id": reply.get("VersionId")}
        return self._removing().begin() if self._delete else None


class Move(Copy):
    """Copy an object and delete it; arguments as those of `Copy`."""

    __slots__ = ()
    operation: ClassVar[str] = "move"
