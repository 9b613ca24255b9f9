"""Say how a resource type is listed, as data, and turn AWS's answers into rows: pure, without clients or threads.

An entry names the call, where its answer keeps the items, and where an item keeps its name, ARN and tags. ARNs come
from the answer where it has them; a template stands only where AWS documents the format, and an item that fits
neither has no ARN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import jmespath  # type: ignore[import-untyped,unused-ignore]

__all__ = [
    "Each",
    "Listing",
    "Lookup",
    "Place",
    "Row",
    "find_arn",
    "find_items",
    "find_row",
    "is_arn",
    "read_tags",
    "search",
]

_NAME = re.compile(r"\{(\w+)\}")
_ARN = re.compile(r"arn:[a-z][a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:(?:\d{12}|aws)?:\S.*")


class Place(NamedTuple):
    """Be where a list was made: what ARN templates need beside the item."""

    partition: str
    region: str
    account: str


@dataclass(frozen=True, slots=True)
class Row:
    """Be one resource that was found.

    Args:
        account: the account that it was listed in; the ARN names the owner, which differs for what is shared.
        region: the region it lives in, or the pool's name for a global service, such as "aws-global".
        service: boto3's name of the service.
        type: the type within the service, such as "instance".
        name: what a person calls it: a name, or the id of what has none.
        arn: its ARN, or None where no rule is certain.
        tags: its tags, or None where they could not be read; the outcome of the cell then says why.

    Example:
        >>> Row("111111111111", "us-east-1", "s3", "bucket", "logs", "arn:aws:s3:::logs", {"team": "web"}).name
        'logs'
    """

    account: str
    region: str
    service: str
    type: str
    name: str
    arn: str | None
    tags: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Lookup:
    """Declare a further call about listed items, for what the list itself leaves out.

    Args:
        operation: the client's method.
        param: the argument that names the item.
        of: a JMESPath to that argument's value in the item.
        result: a JMESPath to what is asked in the answer; of a batched call, to a list of `{key: …, value: …}`.
        batch: how many items one call takes; 0 for a call that takes a single one.
        fixed: further arguments, as pairs.
        none_on: error codes which mean that there is nothing, as opposed to that it cannot be read.

    Example:
        >>> Lookup("list_tags", "Resource", of="FunctionArn", result="Tags").batch
        0
    """

    operation: str
    param: str
    of: str
    result: str
    batch: int = 0
    fixed: tuple[tuple[str, Any], ...] = ()
    none_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Each:
    """Declare a call to make first: the listing is then made once for each of its values.

    Args:
        operation: the client's method that gives the values.
        values: a JMESPath to them in its answer.
        param: the listing's argument that takes one.

    Example:
        >>> Each("list_event_buses", values="EventBuses[].Name", param="EventBusName").param
        'EventBusName'
    """

    operation: str
    values: str
    param: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Declare how the resources of one type are listed.

    Args:
        service: boto3's name of the service.
        type: the type within the service.
        operation: the client's method; paginated where botocore can.
        items: a JMESPath to the items in an answer; an item that is a string becomes `{"Value": string}`.
        name: a JMESPath to the name in an item.
        arn: the ways to an ARN, best first: a JMESPath to a member that is one, or a template beginning with "arn:"
            in which `{partition}`, `{region}` and `{account}` are the place and other names are the item's members.
        within: a member of the items that holds the real ones; these inherit the other members.
        pattern: a member and a regular expression; its named groups become members of the item.
        owner: a JMESPath to the owning account in an item; without one it is the account listed.
        tags: a JMESPath to the tags in an item.
        tag_call: the call for the tags, where the list leaves them out.
        each: a call to make first, where the list covers only one parent at a time.
        home: a JMESPath to the region of an item, where one list answers for all regions.
        home_call: the call for that region, where the list leaves it out.
        page_size: how many items to ask for at once, where the default is small or switches pages off.
        fixed: further arguments, as pairs.
        scope: "region" to list in every region, "account" to list once an account.

    Example:
        >>> queue = Listing("sqs", "queue", "list_queues", "QueueUrls", "Value", arn=())
        >>> queue.scope
        'region'
    """

    service: str
    type: str
    operation: str
    items: str
    name: str
    arn: tuple[str, ...]
    within: str | None = None
    pattern: tuple[str, str] | None = None
    owner: str | None = None
    tags: str | None = None
    tag_call: Lookup | None = None
    each: Each | None = None
    home: str | None = None
    home_call: Lookup | None = None
    page_size: int | None = None
    fixed: tuple[tuple[str, Any], ...] = ()
    scope: Literal["region", "account"] = "region"


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


def find_items(listing: Listing, page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the items of one answer, each with the members that the listing adds.

    Args:
        listing: the entry of the table.
        page: one answer of its operation.

    Example:
        >>> find_items(Listing("dynamodb", "table", "list_tables", "TableNames", "Value", ()), {"TableNames": ["t"]})
        [{'Value': 't'}]
    """
    found = search(listing.items, page) or []
    items: list[dict[str, Any]] = [{"Value": item} if isinstance(item, str) else dict(item) for item in found]
    if listing.within:
        items = [{**outer, **inner} for outer in items for inner in outer.pop(listing.within, None) or []]
    if listing.pattern is None:
        return items
    member, pattern = listing.pattern
    for item in items:
        item.update(_groups(pattern, item.get(member)))
    return items


def _groups(pattern: str, value: Any) -> dict[str, str]:
    match = re.search(pattern, value) if isinstance(value, str) else None
    return {str(name): str(text) for name, text in match.groupdict().items() if text} if match else {}


def is_arn(value: Any) -> bool:
    """Tell whether a value has the shape of an ARN.

    Example:
        >>> is_arn("arn:aws:s3:::logs"), is_arn("logs")
        (True, False)
    """
    return isinstance(value, str) and _ARN.fullmatch(value) is not None


def find_arn(listing: Listing, item: Mapping[str, Any], place: Place) -> str | None:
    """Return the item's ARN, or None where no rule of the listing gives a certain one.

    Args:
        listing: the entry of the table.
        item: one item of `find_items`.
        place: where it was listed.

    Example:
        >>> bucket = Listing("s3", "bucket", "list_buckets", "Buckets", "Name", ("arn:{partition}:s3:::{Name}",))
        >>> find_arn(bucket, {"Name": "logs"}, Place("aws", "us-east-1", "111111111111"))
        'arn:aws:s3:::logs'
    """
    owner = search(listing.owner, item) if listing.owner else None
    known = {**item, "partition": place.partition, "region": place.region, "account": owner or place.account}
    for way in listing.arn:
        value = _filled(way, known) if way.startswith("arn:") else search(way, item)
        if is_arn(value):
            return str(value)
    return None


def _filled(template: str, known: Mapping[str, Any]) -> str | None:
    # A placeholder without a value would leave a well-formed ARN of something else.
    if not all(isinstance(known.get(name), str) and known[name] for name in _NAME.findall(template)):
        return None
    return _NAME.sub(lambda match: str(known[match[1]]), template)


def find_row(listing: Listing, item: Mapping[str, Any], place: Place) -> Row:
    """Return the row of an item; its tags are None where the listing needs a further call for them.

    Args:
        listing: the entry of the table.
        item: one item of `find_items`.
        place: where it was listed, or where it lives if the listing can tell.

    Example:
        >>> bucket = Listing("s3", "bucket", "list_buckets", "Buckets", "Name", ("arn:{partition}:s3:::{Name}",))
        >>> find_row(bucket, {"Name": "logs"}, Place("aws", "us-east-1", "111111111111")).tags
        {}
    """
    name = search(listing.name, item)
    return Row(
        account=place.account,
        region=place.region,
        service=listing.service,
        type=listing.type,
        name=str(name) if name is not None else "",
        arn=find_arn(listing, item, place),
        tags=None if listing.tag_call else read_tags(search(listing.tags, item) if listing.tags else None),
    )


def read_tags(value: Any) -> dict[str, str]:
    """Return tags as a dict, from any of the spellings that AWS has for them.

    Args:
        value: a mapping, a list of key and value pairs, or None.

    Example:
        >>> read_tags([{"TagKey": "team", "TagValue": "web"}]), read_tags({"team": "web"}), read_tags(None)
        ({'team': 'web'}, {'team': 'web'}, {})
    """
    if not value:
        return {}
    if isinstance(value, Mapping):
        return {str(key): str(text) for key, text in value.items()}
    return {str(_either(tag, "Key")): str(_either(tag, "Value") or "") for tag in value}


def _either(tag: Mapping[str, Any], name: str) -> Any:
    return next((tag[spelling] for spelling in (name, name.lower(), f"Tag{name}") if spelling in tag), None)
