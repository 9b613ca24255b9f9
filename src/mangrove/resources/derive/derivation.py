"""The derivation: one pure function from what botocore ships to the resources of a service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from mangrove.resources.derive.aliases import with_aliases
from mangrove.resources.derive.arns import Formats, Own, arn_of, lowered
from mangrove.resources.derive.collections import Collection, account_type, collections_of
from mangrove.resources.derive.definition import Assembly
from mangrove.resources.derive.existing import existing_types, taken_operations
from mangrove.resources.derive.facts import ArnSpec, Derived, Dropped, ServiceFacts, TagSpec, Variable
from mangrove.resources.derive.laying import laid_over
from mangrove.resources.derive.listings import listings_of
from mangrove.resources.derive.names import key_of, plural
from mangrove.resources.derive.operations import Model
from mangrove.resources.derive.tags import tag_operation, tags_of
from mangrove.resources.derive.types import ResourceType, types_of

__all__ = ["derive"]

# To change many of them at once is to change what they belong to: a listener's attributes are no resources.
_MAKES = ("Create", "Delete", "Register", "Deregister", "Allocate", "Release", "Import", "Run", "Terminate", "Purchase")
_CHANGES = ("Update", "Modify", "Put", "Remove")


def derive(service: ServiceFacts, model: Model | None = None) -> Derived:
    """Derive the resources of one service from its model.

    Args:
        service: The facts; none of them is changed.
        model: Their model, where the caller has indexed it already.

    Returns:
        The definition in boto3's ``resources-1`` format, with the source of each type's ARN and tags.

    Example:
        >>> facts = ServiceFacts("things", {"operations": {}, "shapes": {}})
        >>> dict(derive(facts).definition["resources"])
        {}
    """
    model = model or Model(service.model)
    overlay = service.overlay
    constants: Mapping[str, Mapping[str, object]] = overlay.get("constants", {})
    known = existing_types(model, service.existing) if service.existing else []
    types, dropped = _types(model, service, constants, known)
    account = account_type(types, constants)
    types = [*known, *types, *([account] if account else [])]
    collections, orphans = collections_of(model, types, constants, overlay.get("parents", {}))
    kept, lost = _reached(types, collections)
    dropped += orphans + lost
    written = Assembly(model, kept, collections, constants, service.waiters, service.existing).write()
    own = frozenset(each.name for each in known)
    laid = laid_over(written["merge"] if own else written, overlay.get("merge", {}), own)
    tree, aliases, unknown = with_aliases(laid, overlay.get("aliases", {}))
    formats = Formats(service.formats, service.model.get("metadata"))
    arns, tags, kinds = _facts(model, kept, service, formats)
    _add_others(tree["resources"], service, arns, tags, kinds)
    return Derived(
        definition={**written, "merge": tree} if service.existing else tree,
        arns=MappingProxyType(arns),
        tags=MappingProxyType(tags),
        kinds=MappingProxyType(kinds),
        aliases=MappingProxyType(aliases),
        forms=MappingProxyType(_forms(formats, {*kinds, *tree["resources"]})),
        dropped=(*dropped, *unknown),
        extends=service.existing is not None,
    )


def _reached(
    types: Iterable[ResourceType], collections: Iterable[Collection]
) -> tuple[list[ResourceType], list[Dropped]]:
    """Leave out the types to which no collection leads."""
    reached = {name for each in collections for name in (each.child, each.parent)}
    kept = [each for each in types if each.existing or each.name in reached]
    lost = sorted({each.name for each in types} - {each.name for each in kept})
    return kept, [Dropped(name, "nothing that is listed leads to it") for name in lost]


def _types(
    model: Model,
    service: ServiceFacts,
    constants: Mapping[str, Mapping[str, object]],
    known: Iterable[ResourceType],
) -> tuple[list[ResourceType], list[Dropped]]:
    """Find the types that boto3 does not have."""
    taken = taken_operations(service.existing) if service.existing else {}
    renames = {**taken, **service.overlay.get("rename", {})}
    names = {each.name for each in known}
    unwanted = service.overlay.get("drop", {})
    listings = [each for each in listings_of(model, service.paginators, renames) if each.kind not in names]
    found = types_of(
        model,
        [each for each in listings if each.kind not in unwanted],
        constants,
        service.overlay.get("identifiers", {}),
    )
    seen = {each.name for each in found}
    nameless = sorted({each.kind for each in listings} - seen - set(unwanted))
    dropped = [Dropped(kind, f"by the overlay: {why}") for kind, why in unwanted.items()]
    return found, dropped + [Dropped(kind, "nothing identifies its items") for kind in nameless]


def _facts(
    model: Model, types: Iterable[ResourceType], service: ServiceFacts, formats: Formats
) -> tuple[dict[str, ArnSpec], dict[str, TagSpec], dict[str, str]]:
    types = list(types)
    own = Own(formats, types)
    lister = tag_operation(model)
    arns: dict[str, ArnSpec] = {}
    tags: dict[str, TagSpec] = {}
    kinds: dict[str, str] = {}
    curated: Mapping[str, Any] = service.overlay.get("arns", {})
    for each in types:
        spec = _spec(curated[each.name]) if each.name in curated else arn_of(model, each, own)
        if spec:
            arns[each.name] = spec = lowered(model, each, spec)
        place = _noted_tags(model, service, each.name) or tags_of(model, each, spec, lister)
        if place:
            tags[each.name] = place
        kinds[each.name] = "core" if each.existing or _is_core(model, each, formats) else "catalogue"
    return arns, tags, kinds


def _noted_tags(model: Model, service: ServiceFacts, kind: str) -> TagSpec | None:
    """Read the place of a type's tags from the overlay; what this botocore has no operation for is not there."""
    noted = service.overlay.get("tags", {}).get(kind)
    return TagSpec(**noted) if noted and noted.get("operation", "") in {"", *model.operations} else None


def _forms(formats: Formats, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    others = frozenset(map(key_of, names))
    found = ((name, tuple(formats.of(name, others))) for name in sorted(names))
    return {name: texts for name, texts in found if texts}


def _add_others(
    resources: Mapping[str, Any],
    service: ServiceFacts,
    arns: dict[str, ArnSpec],
    tags: dict[str, TagSpec],
    kinds: dict[str, str],
) -> None:
    """Add what is known of types that only the overlay has; one that is another by an old name has its ARN."""
    curated: Mapping[str, Any] = service.overlay.get("arns", {})
    own = service.existing.get("resources", {}) if service.existing else {}
    for name in resources.keys() - kinds.keys() - own.keys():
        kinds[name] = "catalogue"
        other = resources[name].get("alias", "")
        # The data of both is the same; the identifiers are not.
        spec = _spec(curated[name]) if name in curated else ArnSpec(path=arns[other].path) if other in arns else None
        if spec:
            arns[name] = spec
        if other in tags:
            tags[name] = tags[other]


def _spec(curated: Mapping[str, Any]) -> ArnSpec | None:
    """Read an ARN's source from the overlay; an empty one says that the type has no ARN."""
    variables = {name: Variable(**source) for name, source in curated.get("variables", {}).items()}
    fields = {name: value for name, value in curated.items() if name not in {"variables", "because"}}
    return ArnSpec(**fields, variables=variables) if fields else None


def _is_core(model: Model, each: ResourceType, formats: Formats) -> bool:
    one = (verb + each.name for verb in (*_MAKES, *_CHANGES))
    many = (verb + plural(each.name) for verb in _MAKES)
    return formats.knows(each.name) or model.find(*one, *many) is not None
