"""Which operations list things, and where in the answer the things are.

Evidence for the place, best first: the paginator's ``result_key``; the list that is called as the operation is; the
only list of the output, or of the only structure in it (CloudFront's ``DistributionList.Items``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mangrove.resources.derive.facts import Json
from mangrove.resources.derive.names import is_plural, key_of, pascal, singular, suffixes, words
from mangrove.resources.derive.operations import Model, Operation

__all__ = ["Listing", "listings_of"]

_VERBS = frozenset(("List", "Describe", "Get", "Search"))
_NOISE = frozenset(
    "errors error failures failed failureditems unprocessed unprocesseditems warnings tags tagslist taglist tagset "
    "messages validationerrors responsemetadata".split()
)
_TAGS = frozenset(("tag", "tagsforresource", "resourcetag", "tagkey", "tagvalue"))
_ENDS = ("id", "arn", "name", "identifier")
_WRAPS = ("Summary", "Summarie", "Overview", "Detail", "Info", "Description")


@dataclass(frozen=True, slots=True)
class Listing:
    """One operation that lists resources of one type.

    Args:
        operation: The operation.
        kind: The type's name.
        path: Where the items are, in JMESPath: ``Reservations[].Instances[]``.
        item: The shape of an item.
        plain: True when an item is a string, not a structure.
        paginated: True when the operation has a paginator.
    """

    operation: Operation
    kind: str
    path: str
    item: str
    plain: bool
    paginated: bool


def listings_of(model: Model, paginators: Json, renames: Json) -> list[Listing]:
    """Find all listings of a service.

    Args:
        model: The service's model.
        paginators: Operation to its paginator's settings.
        renames: The overlay's new names: ``Operation`` or ``Operation.path`` or derived type, to the type's name.

    Returns:
        The listings in the order of the operations' names.
    """
    found: list[Listing] = []
    nouns = frozenset(op.noun for op in model.operations.values() if op.verb not in {"List", "Search"})
    for op in model.operations.values():
        if op.output and _lists(op):
            found.extend(_named(model, op, paginators.get(op.name) or {}, nouns, renames))
    return found


def _lists(op: Operation) -> bool:
    if op.verb == "List":
        return bool(op.noun)
    return op.verb in _VERBS and is_plural(op.noun)


def _named(model: Model, op: Operation, pager: Json, nouns: frozenset[str], renames: Json) -> Iterator[Listing]:
    places = list(_places(model, op, pager))
    several = len(places) > 1
    for place in places:
        outer, wrapper = _drill(model, op, *place)
        last = outer.removesuffix("[]").rpartition(".")[2]
        kind = _kind(pascal(last) if several else pascal(op.noun), nouns, model.members(wrapper))
        path, item = _unwrap(model, kind, outer, wrapper)
        kind = renames.get(f"{op.name}.{path}") or renames.get(op.name) or renames.get(kind) or kind
        plain = model.kind(item) == "string"
        if plain and op.verb != "List" and key_of(words(singular(op.noun))[-1]) not in _tail(path):
            continue
        if key_of(kind) not in _TAGS and not _is_tag(model, item) and (plain or model.kind(item) == "structure"):
            yield Listing(op, str(kind), path, item, plain, bool(pager))


def _kind(name: str, nouns: frozenset[str], members: Mapping[str, str]) -> str:
    """Name the type, without the words that only say that an answer is short (``FunctionSummaries``)."""
    kind = singular(name)
    if kind != name and kind not in nouns and name in nouns:
        # Some things are one in the plural: DhcpOptions have a DhcpOptionsId.
        keys = {key_of(member) for member in members}
        if any(f"{key_of(name)}{end}" in keys for end in _ENDS):
            return name
    parts = words(kind)
    if len(parts) > 1 and parts[-1] in {"Name", "Arn", "Id", "Identifier"} and kind[: -len(parts[-1])] in nouns:
        return kind[: -len(parts[-1])]
    if len(parts) > 1 and parts[-1] in _WRAPS:
        bare = kind[: len(kind) - len(parts[-1])]
        if singular(bare) in nouns or parts[-1] == "Summary":
            return singular(bare)
    return kind


def _is_tag(model: Model, item: str) -> bool:
    return {key_of(name) for name in model.members(item)} in ({"key", "value"}, {"tagkey", "tagvalue"})


def _unwrap(model: Model, kind: str, path: str, item: str) -> tuple[str, str]:
    """Take an item out of its wrapper: CloudFront lists ``{Type, CachePolicy: {Id ...}}``."""
    members = model.members(item)
    if any(key_of(name).endswith(("id", "arn", "name")) for name in members):
        return path, item
    own = suffixes(kind)
    for name, shape in members.items():
        if key_of(name) in own and model.kind(shape) == "structure":
            return f"{path}.{name}", shape
    return path, item


def _places(model: Model, op: Operation, pager: Json) -> Iterator[tuple[str, str]]:
    """Find the lists in an operation's answer that hold what its name says."""
    lists = dict(_paged(model, op, pager)) or dict(_unpaged(model, op.output))
    lists = {path: item for path, item in lists.items() if key_of(path) not in _NOISE}
    if len(lists) <= 1:
        return iter(lists.items())
    one = key_of(singular(op.noun))
    nouns = {key_of(op.noun), one, f"{one}list", *(f"{one}{end}s" for end in _ENDS)}
    own = {path: item for path, item in lists.items() if _tail(path) in nouns}
    near = {path: item for path, item in lists.items() if _tail(path) and key_of(op.noun).endswith(_tail(path))}
    structures = {path: item for path, item in lists.items() if model.kind(item) == "structure"}
    return iter((own or near or structures).items())


def _tail(path: str) -> str:
    return key_of(path.removesuffix("[]").rpartition(".")[2])


def _paged(model: Model, op: Operation, pager: Json) -> Iterator[tuple[str, str]]:
    keys = pager.get("result_key") or ()
    for key in (keys,) if isinstance(keys, str) else keys:
        item = model.item(model.walk(op.output, key)) if "[" not in key else ""
        if item:
            yield f"{key}[]", item


def _unpaged(model: Model, output: str) -> Iterator[tuple[str, str]]:
    found = [(f"{name}[]", item) for name, item in model.lists(output)]
    if found:
        return iter(found)
    inner = [(name, shape) for name, shape in model.members(output).items() if model.kind(shape) == "structure"]
    if len(inner) == 1:
        name, shape = inner[0]
        return iter([(f"{name}.{member}[]", item) for member, item in model.lists(shape)])
    return iter(())


def _drill(model: Model, op: Operation, path: str, item: str) -> tuple[str, str]:
    """Go one list deeper where the operation's own name is found there: an EC2 reservation's instances."""
    if model.kind(item) != "structure" or _tail(path) == key_of(op.noun):
        return path, item
    for name, inner in model.lists(item):
        if key_of(name) == key_of(op.noun) and model.kind(inner) == "structure":
            return f"{path}.{name}[]", inner
    return path, item
