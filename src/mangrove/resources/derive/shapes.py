"""How one resource is read, and which shape its attributes have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mangrove.resources.derive.binding import bind
from mangrove.resources.derive.identifiers import Identity
from mangrove.resources.derive.listings import Listing
from mangrove.resources.derive.names import key_of, plural, singular, suffixes
from mangrove.resources.derive.operations import Model, Operation

__all__ = ["Load", "load_of", "output_of"]

_ENDS = (
    "",
    "detail",
    "details",
    "description",
    "info",
    "information",
    "metadata",
    "summary",
    "configuration",
    "config",
)
_PARTS = ("config", "configuration")


@dataclass(frozen=True, slots=True)
class Load:
    """The operation that reads one resource: its inputs, the JMESPath of the resource in the answer, and its shape."""

    operation: Operation
    params: Mapping[str, str]
    path: str
    shape: str


def load_of(
    model: Model,
    kind: str,
    identity: Identity,
    listings: Iterable[Listing],
    constants: Mapping[str, Mapping[str, object]],
) -> Load | None:
    """Find the operation that reads one resource of a type by its identifiers.

    Args:
        model: The service's model.
        kind: The type's name.
        identity: What identifies it.
        listings: The operations that list it.
        constants: Operation (or ``*``) to inputs with a fixed value.

    Returns:
        The load; None where no operation takes the identifiers.
    """
    found: dict[str, Load] = {}
    for op in _readers(model, kind, identity, listings):
        params = bind(op, identity.identifiers, about=True)
        fixed = {**constants.get("*", {}), **constants.get(op.name, {})}
        covered = {target.removesuffix("[0]") for target in params or ()} | fixed.keys()
        if params and set(op.required) <= covered:
            path, shape = _place(model, kind, op, params, identity, listings)
            if shape:
                found.setdefault(op.name, Load(op, params, path, shape))
    return _fullest(model, kind, identity, list(found.values()))


def _fullest(model: Model, kind: str, identity: Identity, loads: list[Load]) -> Load | None:
    """Choose the first load; of two that read one resource, the one that tells what a listing tells, and more.

    ``GetCertificate`` gives a certificate's text, ``DescribeCertificate`` all else.
    """
    item = "" if identity.listing.plain else identity.listing.item
    told = frozenset(map(key_of, model.members(item)))
    own = [each for each in loads if each.operation.name in {f"Get{kind}", f"Describe{kind}"}]
    if not loads or loads[0] not in own:
        return loads[0] if loads else None
    return max(own, key=lambda each: len(told & frozenset(map(key_of, model.members(each.shape)))))


def _readers(model: Model, kind: str, identity: Identity, listings: Iterable[Listing]) -> Iterator[Operation]:
    if identity.reader:
        yield identity.reader
    names = [f"Describe{kind}", f"Get{kind}", f"Describe{plural(kind)}", f"BatchGet{plural(kind)}"]
    yield from _found(model, names)
    # A listing with a filter by identifier reads one, unless it pages through a parent's things by other keys.
    for listing in listings:
        if not listing.plain and listing.operation.verb in {"Describe", "Get"}:
            yield listing.operation
    ends = ("Attributes", "Details")
    yield from _found(model, [f"{verb}{kind}{end}" for verb in ("Describe", "Get") for end in ends])


def _found(model: Model, names: Iterable[str]) -> Iterator[Operation]:
    return (op for op in map(model.find, names) if op)


def _place(
    model: Model, kind: str, op: Operation, params: Mapping[str, str], identity: Identity, listings: Iterable[Listing]
) -> tuple[str, str]:
    listing = next((each for each in listings if each.operation.name == op.name), None)
    if listing:
        return (listing.path.replace("[]", "[0]"), listing.item) if not listing.plain else ("", "")
    return output_of(model, kind, op, several=any(target.endswith("[0]") for target in params), identity=identity)


def output_of(
    model: Model, kind: str, op: Operation, *, several: bool, identity: Identity | None = None
) -> tuple[str, str]:
    """Find one resource in the answer of an operation.

    Args:
        model: The service's model.
        kind: The type's name.
        op: The operation.
        several: True when the operation took a list of identifiers, and so answers with a list.
        identity: What identifies the type, to know the answer itself as the resource.

    Returns:
        The JMESPath and the shape; two empty strings where nothing in the answer is the resource.
    """
    own = suffixes(kind)
    wanted = {name + end for name in own for end in _ENDS}
    if several:
        lists = [(n, s) for n, s in model.lists(op.output) if model.kind(s) == "structure"]
        named = [(n, s) for n, s in lists if key_of(singular(n)) in wanted] or (lists if len(lists) == 1 else [])
        return (f"{named[0][0]}[0]", named[0][1]) if named else ("", "")
    inner = {n: s for n, s in model.members(op.output).items() if model.kind(s) == "structure"}
    item = identity.listing.item if identity else ""
    if item in inner.values():
        return next((name, shape) for name, shape in inner.items() if shape == item)
    scalars = model.scalars(op.output)
    tops = [
        i
        for i in (identity.identifiers if identity else ())
        if not i.parent and _has(i.keys | i.weak, i.member, scalars)
    ]
    for name, shape in inner.items():
        # What has the identifier is the resource, and a configuration beside it a part of that.
        if key_of(name) in wanted and not (tops and key_of(name).endswith(_PARTS)):
            return name, shape
    if not tops and len(inner) == 1:
        return next(iter(inner.items()))
    if identity is None and not any(f"{name}{end}" in scalars for name in (*own, "") for end in ("arn", "id", "name")):
        return "", ""
    return ("@", op.output) if model.members(op.output) else ("", "")


def _has(keys: Iterable[str], member: str | None, scalars: Mapping[str, str]) -> bool:
    return key_of(member or "") in scalars or any(key in scalars for key in keys)
