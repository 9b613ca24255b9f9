"""Delete what was moved, and nothing else: an object that was overwritten after it was read stays where it is.

S3 deletes an object on condition that it has an ETag still, one with `If-Match` and a thousand with an `ETag` for each.
Servers that say they can't (501) are asked for the ETag first, and then told to delete; those that may not look at the
condition at all, which is any but Amazon's, are asked first as well. What is written there in the milliseconds between
the two is lost: whoever has other writers on such a server copies, and deletes when they have gone.

Source: "How to perform conditional deletes" in the Amazon S3 user guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from mangrove.errors import ObjectChangedError, TransferError
from mangrove.s3.engines.base import Call, Engine, Reply
from mangrove.s3.rules.faults import code_of, kind_of, status_of
from mangrove.s3.running.handle import Handle, Step

__all__ = ["Remove", "is_conditional"]

_NOT_FOUND, _PRECONDITION, _NOT_IMPLEMENTED = 404, 412, 501
_AMAZONS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_OF_DELETIONS = frozenset({"ExpectedBucketOwner", "RequestPayer"})
_OF_QUESTIONS = _OF_DELETIONS | {"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"}


def is_conditional(engine: Engine) -> bool:
    """Return whether a server is known to delete on a condition: Amazon's, and the memory."""
    where = getattr(engine, "where", None)
    return where is None or str(urlsplit(str(where)).hostname).endswith(_AMAZONS)


class Remove(Handle):
    """Delete an object if it is still the one that was seen; that it is gone already is well.

    Args:
        bucket: its bucket.
        key: its key.
        etag: its entity tag when it was seen.
        access: what lets the caller in, such as `ExpectedBucketOwner`, among parameters of HeadObject.
        ask: whether to ask what is there before it is deleted.
        callback: is called with the value, True.
    """

    __slots__ = ("_access", "_asks", "_conditional", "_etag", "_refusal")
    operation: ClassVar[str] = "delete"

    def __init__(
        self,
        bucket: str,
        key: str,
        etag: str | None,
        access: Mapping[str, Any] = {},
        *,
        ask: bool = False,
        callback: Callable[[Any], object] | None = None,
    ) -> None:
        super().__init__(bucket, key, callback)
        self._access = {name: value for name, value in access.items() if name in _OF_QUESTIONS}
        self._etag, self._asks = etag, ask
        self._conditional = True
        self._refusal: Exception | None = None  # S3's answer that the condition does not hold

    def begin(self) -> Step:
        """Return the next call.

        Raises:
            TransferError: the server has not said what the object is, so that nobody can tell it from another.
        """
        if self._etag is None:
            text = f"s3://{self.bucket}/{self.key} is not deleted: the server has not said its ETag when it was read"
            raise TransferError(text)
        if self._asks or self._refusal is not None or not self._conditional:
            return Call("HeadObject", {**self._access, "Bucket": self.bucket, "Key": self.key}, owner=self)
        return self._deletion()

    def _deletion(self) -> Call:
        params = {name: value for name, value in self._access.items() if name in _OF_DELETIONS}
        params["Bucket"], params["Key"] = self.bucket, self.key
        if self._conditional:
            params["IfMatch"] = self._etag
        return Call("DeleteObject", params, owner=self)

    def receive(self, call: Call, reply: Reply) -> Step:
        """Take what is there, or that it is gone.

        Raises:
            ObjectChangedError: another object is there.
        """
        if call.operation == "DeleteObject":
            self.value = True
            return None
        found = reply.get("ETag")
        if found is None or found.strip('"') != str(self._etag).strip('"'):
            text = (
                f"s3://{self.bucket}/{self.key} was overwritten after it was read, and is not deleted: its ETag was"
                f" {self._etag}, and is {found}"
            )
            raise ObjectChangedError(text) from self._refusal
        if self._refusal is not None:
            raise self._refusal
        return self._deletion()

    def recover(self, call: Call, error: Exception) -> Step:
        """Find out what is there where S3 does not delete it."""
        status, code = status_of(error), code_of(error)
        if status == _NOT_FOUND and code != "NoSuchBucket":
            self.value = True
            return None
        if call.operation == "HeadObject":
            raise (self._refusal or error) if kind_of(error) == "fatal" else error
        if status == _PRECONDITION:
            self._refusal = error
        elif self._conditional and (status == _NOT_IMPLEMENTED or code == "NotImplemented"):
            self._conditional = False
        else:
            raise error
        return self.begin()
