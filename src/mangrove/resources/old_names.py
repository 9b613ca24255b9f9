"""Let classes of resources answer to the names that code written for boto3_extensions uses.

A load balancer can be made of its name as well as of its ARN. `tags` is a dict, and the collection it once was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore import xform_name

from mangrove.resources.derive.facts import TagSpec

__all__ = ["OldTags", "dress_service", "dress_tags"]

_ARN = "arn:"


class OldTags(dict[str, str]):
    """Be the tags of a resource as a dict, with the methods of the collection of tags: `all()`, `filter()`.

    Args:
        tags: the tags.
        collection: the collection.
    """

    def __init__(self, tags: Mapping[str, str], collection: Any) -> None:
        super().__init__(tags)
        self._collection = collection

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._collection, name)

    def __reduce__(self) -> tuple[type[dict[str, str]], tuple[dict[str, str]]]:
        return dict, (dict(self),)


def dress_service(types: Mapping[str, Any], attributes: dict[str, Any]) -> None:
    """Let a service make a resource of either of two things that the API knows it by.

    Args:
        types: the definitions of its types.
        attributes: the attributes of its class.
    """
    for name, each in types.items():
        other = each.get("otherwise")
        if other in attributes and name in attributes:
            own = xform_name(types[other]["identifiers"][0]["name"])
            attributes[name] = _either(attributes[name], attributes[other], own)


def _either(by_arn: Callable[..., Any], by_other: Callable[..., Any], other: str) -> Callable[..., Any]:
    def make(self: Any, *args: Any, **kwargs: Any) -> Any:
        is_other = other in kwargs or bool(args and isinstance(args[0], str) and not args[0].startswith(_ARN))
        return (by_other if is_other else by_arn)(self, *args, **kwargs)

    make.__name__, make.__doc__ = by_arn.__name__, by_arn.__doc__
    return make


def dress_tags(definition: Mapping[str, Any], place: TagSpec, attributes: dict[str, Any]) -> None:
    """Let the tags of a type that has them as a collection be a dict too.

    Args:
        definition: the type's definition.
        place: the place of its tags.
        attributes: the attributes of its class.
    """
    if "tags" in map(xform_name, definition.get("hasMany", ())):
        attributes["tags"] = _tags(attributes.pop("tags_attribute", attributes["tags"]), place)


def _tags(collection: Any, place: TagSpec) -> property:
    def tags(self: Any) -> OldTags:
        found = collection.__get__(self)
        if place.strip:
            value = getattr(self, xform_name(place.source)).removeprefix(place.strip)
            found = found.filter(**{place.target: value})
        return OldTags(self.get_tags(), found)

    return property(tags, doc="Return the tags as a dict, which is also the collection of them; see `get_tags`.")
