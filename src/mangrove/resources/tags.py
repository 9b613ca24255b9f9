"""Read the tags of a resource as a plain dict, in whichever of AWS's spellings they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jmespath  # type: ignore[import-untyped]
from botocore import xform_name
from botocore.exceptions import ClientError

from mangrove.aws.paging import pages_of
from mangrove.resources.derive.facts import TagSpec

__all__ = ["as_dict", "tags_in", "tags_of_answer"]

_KEYS = ("Key", "key", "TagKey", "tagKey", "tag_key")
_VALUES = ("Value", "value", "TagValue", "tagValue", "tag_value")


def as_dict(found: Any, key: str = "", value: str = "") -> dict[str, str]:
    """Return tags as a dict; the last one wins where a key is there twice.

    Args:
        found: a map, or a list of pairs, or None.
        key: the member that holds a tag's key; where it is empty or missing, any usual spelling serves.
        value: the member that holds a tag's value.

    Example:
        >>> as_dict([{"Key": "team", "Value": "red"}]), as_dict({"team": "red"}), as_dict(None)
        ({'team': 'red'}, {'team': 'red'}, {})
    """
    if isinstance(found, Mapping):
        return {str(name): "" if text is None else str(text) for name, text in found.items()}
    if not isinstance(found, (list, tuple)):
        return {}
    answer = {}
    for each in found:
        if isinstance(each, Mapping):
            name = _first(each, (key, *_KEYS))
            if name is not None:
                answer[str(name)] = str(_first(each, (value, *_VALUES)) or "")
    return answer


def _first(pair: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((pair[name] for name in names if name in pair), None)


def tags_in(place: TagSpec, data: Any) -> dict[str, str]:
    """Return the tags in a resource's data.

    Args:
        place: where they are.
        data: the data.
    """
    return as_dict(jmespath.search(place.path, data), place.key, place.value)


def tags_of_answer(place: TagSpec, client: Any, target: str) -> dict[str, str]:
    """Ask for the tags of a resource, with all pages of the answer.

    Args:
        place: the operation, its input, and where the tags are in its answer.
        client: the service's client.
        target: the resource's ARN or identifier.
    """
    member, _, rest = place.target.partition("[")
    value = target.removeprefix(place.strip)
    given = {**place.fixed, member: [value] if rest else value}
    found: dict[str, str] = {}
    try:
        for page in pages_of(client, xform_name(place.operation), given):
            found |= tags_in(place, page)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "NoSuchTagSet":
            raise
        return {}  # S3's word for none
    return found
