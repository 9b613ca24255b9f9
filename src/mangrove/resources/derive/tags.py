"""Where the tags of a type are: in its data, in any of AWS's spellings, or behind an operation that lists them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

from mangrove.resources.derive.facts import ArnSpec, TagSpec
from mangrove.resources.derive.names import key_of
from mangrove.resources.derive.operations import Model, Operation
from mangrove.resources.derive.types import ResourceType

__all__ = ["Lister", "tag_operation", "tags_of"]

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
# The operations that list the tags of one type, by its name.
_OF_TYPE = ("ListTagsFor{}", "List{}Tags", "ListTagsOf{}", "Get{}Tags", "Get{}Tagging")


def tags_in(model: Model, shape: str, names: Container[str] = _MEMBERS) -> TagSpec | None:
    """Find the tags among the members of a structure."""
    for name, kind in model.members(shape).items():
        if key_of(name) not in names:
            continue
        if model.kind(kind) == "map":
            return TagSpec(name)
        members = {key_of(each): each for each in model.members(model.item(kind))}
        key = members.get("key") or members.get("tagkey")
        value = members.get("value") or members.get("tagvalue")
        if key and value:
            return TagSpec(name, key, value)
    return None


@dataclass(frozen=True, slots=True)
class Lister:
    """The operation of a service that lists the tags of one resource.

    Args:
        operation: Its name.
        place: Where the tags are in its answer.
        target: The input that takes the resource, in boto3's notation.
        choice: The input that takes the type, where the resource's id is asked for and not its ARN; else ``""``.
        types: Each value of that input by its key.
    """

    operation: str
    place: TagSpec
    target: str
    choice: str = ""
    types: Mapping[str, str] = field(default_factory=dict)


def tag_operation(model: Model) -> Lister | None:
    """Find the service's operation that lists the tags of any resource, by its ARN or by its type and id."""
    for name in _LISTS:
        op = model.find(name)
        place = _told(model, op) if op else None
        if not op or not place:
            continue
        asked = _asked(op)
        if asked and _takes_arn(model, op, asked):
            return Lister(op.name, place, asked if asked in op.scalars.values() else f"{asked}[0]")
        if set(map(key_of, op.required)) == {"resourcetype", "resourceid"}:
            choice, target = sorted(op.required, key=lambda each: key_of(each) == "resourceid")
            values = model.shapes[model.members(op.input)[choice]].get("enum", ())
            return Lister(op.name, place, target, choice, {key_of(value): value for value in values})
    return None


def _told(model: Model, op: Operation) -> TagSpec | None:
    return tags_in(model, op.output) or _tags_of_each(model, op.output) or _tags_below(model, op.output)


def _asked(op: Operation) -> str:
    """Return the one input that names the resource: what is required, else what is called so."""
    if not op.required:
        return op.scalars.get("resourcearn", "")
    return op.required[0] if len(op.required) == 1 else ""


def _tags_below(model: Model, shape: str) -> TagSpec | None:
    """Find the tags in the one structure of an answer: ``ResourceTagSet.Tags``, ``Tags.Items``."""
    inner = [(name, kind) for name, kind in model.members(shape).items() if model.kind(kind) == "structure"]
    found = tags_in(model, inner[0][1], (*_MEMBERS, "items")) if len(inner) == 1 else None
    return replace(found, path=f"{inner[0][0]}.{found.path}") if found else None


def _tags_of_each(model: Model, shape: str) -> TagSpec | None:
    """Find the tags in an answer about several resources: ``TagDescriptions[].Tags[]``."""
    for name, item in model.lists(shape):
        found = tags_in(model, item)
        if found and found.key:
            return replace(found, path=f"{name}[].{found.path}[]")
    return None


def _takes_arn(model: Model, op: Operation, asked: str) -> bool:
    """Say whether an operation's input is an ARN: by its name, its shape's name, or its documentation."""
    ref = model.shapes[op.input]["members"][asked]
    text = ref.get("documentation", "")
    return "arn" in key_of(asked) or "arn" in key_of(ref["shape"]) or "ARN" in text or "Amazon Resource Name" in text


def tags_of(model: Model, each: ResourceType, arn: ArnSpec | None, lister: Lister | None) -> TagSpec | None:
    """Find the place of a type's tags.

    Args:
        model: The service's model.
        each: The type.
        arn: The source of its ARN.
        lister: What `tag_operation` found for the service.

    Returns:
        The place; None where the API has no tags for the type.
    """
    found = tags_in(model, each.shape)
    if found and not _is_left_out(model, each):
        return found
    # What a list alone tells is lost when the resource is loaded.
    return _of_type(model, each) or _listed(each, arn, lister) or found or tags_in(model, each.item)


def _is_left_out(model: Model, each: ResourceType) -> bool:
    """Say whether what reads a type leaves its tags out unless it is told: DescribeClusters(include=["TAGS"])."""
    op = each.load.operation if each.load else None
    if op is None or "include" not in op.lists:
        return False
    choices = model.shapes[model.item(model.members(op.input)[op.lists["include"]])].get("enum", ())
    return "tags" in map(key_of, choices)


def _of_type(model: Model, each: ResourceType) -> TagSpec | None:
    """Find the operation that lists the tags of this type alone, by its one identifier."""
    op = model.find(*(name.format(each.name) for name in _OF_TYPE))
    place = _told(model, op) if op else None
    if not op or not place or len(op.required) != 1 or len(each.identifiers) != 1:
        return None
    name, asked = each.identifiers[0].name, op.required[0]
    is_it = key_of(asked) in each.identifiers[0].keys | {key_of(name), key_of(each.name), key_of(each.name + name)}
    if not is_it or asked not in op.scalars.values():
        return None
    return replace(place, operation=op.name, target=asked, source=name)


def _listed(each: ResourceType, arn: ArnSpec | None, lister: Lister | None) -> TagSpec | None:
    """Find the place of a type's tags in what the service's lister of all tags answers."""
    if lister is None:
        return None
    where = replace(lister.place, operation=lister.operation, target=lister.target)
    if not lister.choice:
        return replace(where, source="arn") if arn else None
    value = lister.types.get(key_of(each.name))
    if value is None or len(each.identifiers) != 1 or each.identifiers[0].is_arn:
        return None
    name = each.identifiers[0].name
    # Route 53 gives an id with the name of its type before it, and takes it without; a leading slash is of a name.
    prefix = next((source.strip for source in (arn.variables.values() if arn else ()) if source.identifier == name), "")
    return replace(where, source=name, strip=prefix if key_of(prefix) else "", fixed={lister.choice: value})
