"""Where the tags of a type are: in its data, in any of AWS's spellings, or behind an operation that lists them."""

from __future__ import annotations

from dataclasses import replace

from mangrove.resources.derive.facts import ArnSpec, TagSpec
from mangrove.resources.derive.names import key_of
from mangrove.resources.derive.operations import Model, Operation
from mangrove.resources.derive.types import ResourceType

__all__ = ["tag_operation", "tags_of"]

_MEMBERS = ("tags", "taglist", "tagset", "resourcetags", "tagsmap", "tagslist")
_LISTS = (
    "ListTagsForResource",
    "ListTags",
    "ListResourceTags",
    "ListTagsOfResource",
    "DescribeTags",
    "GetTags",
    "GetTagsForResource",
)


def tags_in(model: Model, shape: str) -> TagSpec | None:
    """Find the tags among the members of a structure."""
    for name, kind in model.members(shape).items():
        if key_of(name) not in _MEMBERS:
            continue
        if model.kind(kind) == "map":
            return TagSpec(name)
        members = {key_of(each): each for each in model.members(model.item(kind))}
        key = members.get("key") or members.get("tagkey")
        value = members.get("value") or members.get("tagvalue")
        if key and value:
            return TagSpec(name, key, value)
    return None


def tag_operation(model: Model) -> tuple[Operation, TagSpec, str] | None:
    """Find the service's operation that lists the tags of any resource by its ARN, with the input that takes it."""
    for name in _LISTS:
        op = model.find(name)
        if op is None or len(op.required) != 1 or not _takes_arn(model, op):
            continue
        found = tags_in(model, op.output) or _tags_of_each(model, op.output)
        if found:
            target = op.required[0] if op.required[0] in op.scalars.values() else f"{op.required[0]}[0]"
            return op, found, target
    return None


def _tags_of_each(model: Model, shape: str) -> TagSpec | None:
    """Find the tags in an answer about several resources: ``TagDescriptions[].Tags[]``."""
    for name, item in model.lists(shape):
        found = tags_in(model, item)
        if found and found.key:
            return replace(found, path=f"{name}[].{found.path}[]")
    return None


def _takes_arn(model: Model, op: Operation) -> bool:
    """Say whether an operation's one input is an ARN: by its name, its shape's name, or its documentation."""
    ref = model.shapes[op.input]["members"][op.required[0]]
    text = ref.get("documentation", "")
    return (
        "arn" in key_of(op.required[0])
        or "arn" in key_of(ref["shape"])
        or "ARN" in text
        or "Amazon Resource Name" in text
    )


def tags_of(
    model: Model, each: ResourceType, arn: ArnSpec | None, lister: tuple[Operation, TagSpec, str] | None
) -> TagSpec | None:
    """Find the place of a type's tags.

    Args:
        model: The service's model.
        each: The type.
        arn: The source of its ARN.
        lister: What `tag_operation` found for the service.

    Returns:
        The place; None where the API has no tags for the type.
    """
    found = tags_in(model, each.shape) or tags_in(model, each.item)
    if found or lister is None or arn is None:
        return found
    op, where, target = lister
    return TagSpec(where.path, where.key, where.value, op.name, target, "arn")
