"""Ask for the tags that a list leaves out, where `get_tags` of one object after the other would not do.

An entry of the table has its reason: the API takes many items in one call, or wants more than the item's ARN or
identifier, or has the tags of a whole account in one answer where a call an item would be throttled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import jmespath  # type: ignore[import-untyped,unused-ignore]

from mangrove.errors import MangroveError
from mangrove.resources.tags import as_dict as read_tags

__all__ = ["LOOKUPS", "Lookup", "batches", "is_gone", "read_tags", "search"]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Declare a further call about listed items, for what the list itself leaves out.

    Args:
        operation: the client's method.
        param: the argument that names the item or items; nothing where one call answers for all there are.
        of: a JMESPath to that argument's value in the facts of an item: its `arn`, `name`, `id` (the last identifier),
            `arn_id` (what follows the type in its ARN) and the members of its data.
        result: a JMESPath to what is asked in the answer; of several items, to a list of `{key: …, value: …}`.
        batch: how many items one call takes; 0 for a call that takes a single one.
        fixed: further arguments, as pairs.
        none_on: error codes which mean that there is nothing, as opposed to that it can't be read.

    Example:
        >>> Lookup("list_queue_tags", "QueueUrl", of="id", result="Tags").batch
        0
    """

    operation: str
    param: str
    of: str
    result: str
    batch: int = 0
    fixed: tuple[tuple[str, Any], ...] = ()
    none_on: tuple[str, ...] = ()

    def about(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the request that asks about one item.

        Args:
            facts: the item's.

        Raises:
            MangroveError: the item lacks what the call is made with.
        """
        value = search(self.of, facts)
        if not value:
            text = f"no {self.of} to call {self.operation} with"
            raise MangroveError(text)
        return {self.param: value, **dict(self.fixed)}

    def read_one(self, answer: Any) -> Any:
        """Return what an answer says of the one item that was asked about."""
        return search(self.result, answer)

    def together(self, facts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the request that asks about several items, or about all there are.

        Args:
            facts: each item's, as many as one call takes.
        """
        if not self.param:
            return dict(self.fixed)
        return {self.param: [search(self.of, each) for each in facts], **dict(self.fixed)}

    def read(self, answer: Any) -> dict[str, Any]:
        """Return what an answer says of each item, by what names it in there."""
        return {entry["key"]: entry["value"] for entry in search(self.result, answer) or []}

    def is_none(self, error: Exception) -> bool:
        """Tell whether an error means that there is nothing, and not that it can't be read."""
        return _code(error) in self.none_on


@lru_cache(maxsize=512)
def _compiled(path: str) -> Any:
    return jmespath.compile(path)


def search(path: str, value: Any) -> Any:
    """Return what a JMESPath finds, compiled once.

    Example:
        >>> search("Reservations[].OwnerId", {"Reservations": [{"OwnerId": "111111111111"}]})
        ['111111111111']
    """
    return _compiled(path).search(value)


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Yield the items in groups of at most `size`.

    Example:
        >>> list(batches("abcde", 2))
        ['ab', 'cd', 'e']
    """
    for start in range(0, len(items), size):
        yield items[start : start + size]


def is_gone(error: Exception) -> bool:
    """Say whether an error means that something asked about is not there any more."""
    return any(word in _code(error) for word in ("NotFound", "NoSuch"))


def _code(error: Exception) -> str:
    # A ClientError is known by what it carries, so that this room needs nothing of botocore.
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _everyone(kind: str) -> Lookup:
    # IAM's own lists leave the tags out: two calls an account here, where a call for each role would be throttled.
    return Lookup(
        "get_account_authorization_details",
        "",
        of="arn",
        fixed=(("Filter", [kind]),),
        result=f"{kind}DetailList[].{{key: Arn, value: Tags}}",
    )


_ELBV2 = Lookup(
    "describe_tags", "ResourceArns", of="arn", batch=20, result="TagDescriptions[].{key: ResourceArn, value: Tags}"
)
# By the name of the type.
LOOKUPS: Mapping[str, Lookup] = MappingProxyType(
    {
        # The newer operation, which takes the ARN, is not everywhere yet.
        "kinesis.streams": Lookup("list_tags_for_stream", "StreamName", of="id", result="Tags"),
        "cloudtrail.trails": Lookup("list_tags", "ResourceIdList", of="[arn]", result="ResourceTagList[].TagsList[]"),
        "codebuild.projects": Lookup(
            "batch_get_projects", "names", of="id", batch=100, result="projects[].{key: name, value: tags}"
        ),
        "ecs.clusters": Lookup(
            "describe_clusters",
            "clusters",
            of="arn",
            batch=100,
            fixed=(("include", ["TAGS"]),),
            result="clusters[].{key: clusterArn, value: tags}",
        ),
        "elbv2.load_balancers": _ELBV2,
        "elbv2.target_groups": _ELBV2,
        "iam.roles": _everyone("Role"),
        "iam.users": _everyone("User"),
        "route53.hosted_zones": Lookup(
            "list_tags_for_resources",
            "ResourceIds",
            of="arn_id",
            batch=10,
            fixed=(("ResourceType", "hostedzone"),),
            result="ResourceTagSets[].{key: ResourceId, value: Tags}",
        ),
        "s3.buckets": Lookup("get_bucket_tagging", "Bucket", of="name", result="TagSet", none_on=("NoSuchTagSet",)),
    }
)
