"""Turn an object of a resource into a row: pure, without calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from mangrove.inventory.schema.values import plain

__all__ = ["Row", "document_of", "find_name", "last_part", "name_members"]

_LAST = re.compile(r"[^/:]+\Z")


@dataclass(frozen=True, slots=True)
class Row:
    """Be one resource that was found.

    Args:
        account: the account that it was listed in; the ARN names the owner, which differs for what is shared.
        region: the region it lives in, or that of a global service, such as "aws-global".
        service: boto3's name of the service.
        type: the type, as the collection is called that lists it, such as "ec2.instances".
        name: what a person calls it: a name, or the id of what has none.
        arn: its ARN, or None where no rule is certain.
        tags: its tags, or None where they could not be read; the outcome of the target then says why. Also None for a
            type whose API is not known to have any.
        partition: the partition of the account.
        data: what the API said of it, by its own names.

    Example:
        >>> Row("111111111111", "us-east-1", "s3", "s3.buckets", "logs", "arn:aws:s3:::logs", {}, "aws").name
        'logs'
    """

    account: str
    region: str
    service: str
    type: str
    name: str
    arn: str | None
    tags: Mapping[str, str] | None
    partition: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)


def find_name(type_name: str, identifiers: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Return what a person calls a resource.

    It is the first of these that there is: an identifier called name; the member of the data that is the name of its
    type, or a name; the last identifier, without what stands before the name in an ARN or a URL.

    Args:
        type_name: the type, such as `Stack`.
        identifiers: the identifiers, by their names in Python.
        data: the members, by AWS's names.

    Example:
        >>> find_name("Topic", {"arn": "arn:aws:sns:eu-west-1:111111111111:alarms"}, {})
        'alarms'
        >>> find_name("HostedZone", {"id": "/hostedzone/Z08"}, {"Name": "example.com."})
        'example.com.'
    """
    members = (data.get(name) for name in name_members(type_name))
    for name in (identifiers.get("name"), *members):
        if isinstance(name, str) and name:
            return name
    known = [value for value in identifiers.values() if isinstance(value, str)]
    return last_part(known[-1]) if known else ""


@lru_cache(maxsize=4096)
def name_members(type_name: str) -> tuple[str, ...]:
    """Return the members that may be the name of a resource, the first that there is before the others.

    Example:
        >>> name_members("Stack")
        ('StackName', 'stackName', 'Name', 'name')
    """
    return f"{type_name}Name", f"{type_name[:1].lower()}{type_name[1:]}Name", "Name", "name"


def last_part(value: str) -> str:
    """Return the last part of an ARN or a URL; another text as it is.

    Example:
        >>> last_part("https://sqs.eu-west-1.amazonaws.com/111111111111/jobs"), last_part("i-1"), last_part("/a/b")
        ('jobs', 'i-1', '/a/b')
    """
    if not value.startswith("arn:") and "://" not in value:
        return value
    found = _LAST.search(value)
    return found[0] if found else value


def document_of(row: Row) -> dict[str, Any]:
    """Return what conditions and columns are read from: the members of the data, and beside them the row's own.

    Args:
        row: the row; times in its data become text, bytes Base64.

    Example:
        >>> row = Row("111111111111", "eu-west-1", "ec2", "ec2.vpcs", "vpc-1", None, {}, "aws", {"IsDefault": True})
        >>> document = document_of(row)
        >>> document["IsDefault"], document["data"], document["name"]
        (True, {'IsDefault': True}, 'vpc-1')
    """
    data = plain(row.data)
    return {
        **data,
        "account": row.account,
        "region": row.region,
        "partition": row.partition,
        "service": row.service,
        "type": row.type,
        "name": row.name,
        "arn": row.arn,
        "tags": row.tags,
        "data": data,
    }
