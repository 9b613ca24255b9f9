"""Keep the options of one operation, deal them out to its calls, and show none of their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["NONE", "Options"]

_AT_SOURCE = {
    "CopySourceIfMatch": "IfMatch",
    "CopySourceSSECustomerAlgorithm": "SSECustomerAlgorithm",
    "CopySourceSSECustomerKey": "SSECustomerKey",
    "CopySourceSSECustomerKeyMD5": "SSECustomerKeyMD5",
    "ExpectedSourceBucketOwner": "ExpectedBucketOwner",
    "RequestPayer": "RequestPayer",
}
_OF_BUCKET = frozenset({"ExpectedBucketOwner", "RequestPayer"})


class Options(Mapping[str, Any]):
    """Be the options of one operation by the API's names; it never shows their values.

    Args:
        given: the options, checked.
        takes: what each of the operation's calls takes of them.
    """

    __slots__ = ("_dealt", "_given", "_takes")

    def __init__(self, given: Mapping[str, Any], takes: Mapping[str, frozenset[str]]) -> None:
        self._given = dict(given)
        self._takes = takes
        self._dealt: dict[str, dict[str, Any]] = {}

    def __getitem__(self, name: str) -> Any:
        return self._given[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    def __repr__(self) -> str:
        # Never the values: one may be an SSE-C key.
        return f"<Options {', '.join(sorted(self._given))}>" if self._given else "<Options>"

    def of(self, operation: str) -> dict[str, Any]:
        """Return those that a call takes, as a new dict to add its Bucket and Key to.

        Args:
            operation: botocore's name of it, such as "PutObject".
        """
        if not self._given:
            return {}
        dealt = self._dealt.get(operation)
        if dealt is None:
            takes = self._takes.get(operation, frozenset())
            dealt = {name: value for name, value in self._given.items() if name in takes}
            self._dealt[operation] = dealt
        return dealt.copy()

    def of_source(self) -> dict[str, Any]:
        """Return what a HeadObject or GetObjectTagging of a copy's source needs, by that call's own names.

        Example:
            >>> Options({"ExpectedSourceBucketOwner": "123456789012", "ACL": "private"}, {}).of_source()
            {'ExpectedBucketOwner': '123456789012'}
        """
        return {_AT_SOURCE[name]: value for name, value in self._given.items() if name in _AT_SOURCE}

    def at_source(self) -> Options:
        """Return those that list, and delete from, the place that a copy is made from.

        Example:
            >>> Options({"ExpectedSourceBucketOwner": "123456789012"}, {}).at_source().of("ListObjectsV2")
            {'ExpectedBucketOwner': '123456789012'}
        """
        found = {name: value for name, value in self.of_source().items() if name in _OF_BUCKET}
        calls = ("DeleteObject", "DeleteObjects", "HeadObject", "ListObjectsV2")
        return Options(found, dict.fromkeys(calls, _OF_BUCKET))

    def lost(self, *operations: str) -> list[str]:
        """Return those that none of these calls takes, and that would be dropped without a word.

        Args:
            operations: all that an operation makes, such as those of an upload in parts, which knows no `ContentMD5`.

        Example:
            >>> takes = {"PutObject": frozenset({"ContentMD5", "ACL"}), "CreateMultipartUpload": frozenset({"ACL"})}
            >>> Options({"ContentMD5": "…", "ACL": "private"}, takes).lost("CreateMultipartUpload", "UploadPart")
            ['ContentMD5']
        """
        taken = frozenset().union(*(self._takes.get(each, frozenset()) for each in operations))
        return sorted(self._given.keys() - taken)


NONE = Options({}, {})
