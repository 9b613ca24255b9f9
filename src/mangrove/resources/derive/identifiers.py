"""What identifies a resource: the evidence of a service's own operations, ranked.

1. The required inputs of the operation that reads, else changes or deletes, one resource, found again in a listed item.
2. The listing's own filter by identifier (``InstanceIds`` of ``DescribeInstances``).
3. The names of an item's members (``Id``, ``Arn``, ``Name``).
4. The item itself, where a listing answers with plain strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mangrove.resources.derive.listings import Listing
from mangrove.resources.derive.names import key_of, pascal, plural, short_name, singular, suffixes
from mangrove.resources.derive.operations import Model, Operation

__all__ = ["GENERIC", "Identifier", "Identity", "curated", "identify", "match_member", "source_of"]

GENERIC = frozenset(
    "id name arn identifier key type version value resource resourcearn resourceid resourcename resourceidentifier "
    "status alias url accountid awsaccountid region maxresults nexttoken".split()
)
_ACCOUNT = frozenset(("accountid", "awsaccountid"))
_KINDS = ("identifier", "id", "arn", "name", "key", "code", "number", "url", "alias", "version", "label")
_DETAILS = ("", "attributes", "details", "detail", "info", "configuration")
_GUESSED = ("id", "identifier", "arn", "name", "key", "code", "number", "url")
_CURATED = 6
_READING = ("Get", "Describe", "BatchGet", "BatchDescribe")
_READS = tuple(map(str.lower, _READING))
_WRITES = "delete deregister terminate release remove cancel stop disable revoke update modify".split()
_IDENTIFYING = (
    "id",
    "ids",
    "arn",
    "arns",
    "name",
    "names",
    "identifier",
    "identifiers",
    "key",
    "number",
    "version",
    "alias",
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier of a resource type.

    Args:
        name: Its name in the definition: ``Id``.
        keys: Inputs that surely mean it, in any operation.
        weak: Inputs that mean it in operations about its own type (``Name``).
        member: Its JMESPath in an item; ``""`` for the item itself; None where the item lacks it.
        parent: True when it identifies what the resource belongs to.
    """

    name: str
    keys: frozenset[str]
    weak: frozenset[str]
    member: str | None
    parent: bool = False

    @property
    def is_arn(self) -> bool:
        """Say whether its name or its member calls it an ARN."""
        return not self.parent and (self.name.endswith("Arn") or key_of(self.member or "").endswith("arn"))


@dataclass(frozen=True, slots=True)
class Identity:
    """A type's identifiers, with the listing they were found in and the strength of the evidence (higher is better)."""

    identifiers: tuple[Identifier, ...]
    listing: Listing
    evidence: int
    reader: Operation | None = None


@lru_cache(maxsize=16384)
def _spellings(key: str, kind: str) -> tuple[str, ...]:
    """List how an item may spell the input `key` of an operation on `kind`, best first."""
    own = suffixes(kind)
    found = [key]
    for name in own:
        rest = key.removeprefix(name)
        if key == name or rest in {"identifier", "resourceidentifier", "resource"}:
            # What takes "an identifier" takes an ARN, and not always a name.
            found += [form for end in _KINDS for form in (name + end, end)]
            found.append(name)
        elif rest in _KINDS:
            found += [rest, *(each + rest for each in own)]
        elif key in {"resourcearn", "resourceid", "resourcename"}:
            found += [name + key[8:], key[8:]]
    if key.endswith("id"):
        # Where an item has no id, the id that is asked for may be the ARN.
        found += [f"{key[:-2]}arn", *(f"{name}arn" for name in own if key == f"{name}id")]
        found += ["arn"] if key in {f"{name}id" for name in own} else []
    return tuple(dict.fromkeys(found))


def match_member(key: str, kind: str, members: Mapping[str, str]) -> str | None:
    """Find the member of an item that the input `key` of an operation on `kind` means."""
    for form in _spellings(key, kind):
        if form in members:
            return members[form]
    # The item may say more than the input: SubscriptionName is an EventSubscription's CustSubscriptionId.
    if key.startswith(suffixes(kind)) and key not in suffixes(kind):
        ends = tuple(name + end for name in suffixes(kind) for end in ("identifier", "id", "name"))
        longer = [name for form, name in members.items() if form.endswith(ends)]
        return longer[0] if len(longer) == 1 else None
    return None


def identify(model: Model, kind: str, listings: Iterable[Listing], constants: frozenset[str]) -> Identity | None:
    """Find what identifies the resources of one type.

    Args:
        model: The service's model.
        kind: The type's name.
        listings: The operations that list it, the best first.
        constants: Keys of inputs that never identify (``Scope``, an account id that is always one's own).

    Returns:
        The identity with the strongest evidence; None where nothing identifies the items.
    """
    best: Identity | None = None
    operations = list(_evidence(model, kind))
    for listing in listings:
        found = _identified(model, kind, listing, operations, constants)
        if found and (best is None or found.evidence > best.evidence):
            best = found
    return best


def curated(listing: Listing, entries: Iterable[Mapping[str, Any]]) -> Identity:
    """Read the identifiers of a type from the overlay."""
    found = tuple(
        Identifier(
            name=each["name"],
            keys=frozenset(map(key_of, each.get("inputs", ()))),
            weak=frozenset(map(key_of, (each["name"], *each.get("weak", ())))),
            member=each.get("member"),
            parent=each.get("parent", False),
        )
        for each in entries
    )
    return Identity(found, listing, _CURATED)


def _evidence(model: Model, kind: str) -> Iterator[tuple[int, Operation]]:
    one, many = kind.lower(), plural(kind).lower()
    for verb in _READS:
        ends = ("",) if verb.startswith("batch") else _DETAILS
        op = next(filter(None, (model.named.get(f"{verb}{one}{end}") for end in ends)), None)
        op = op or (model.named.get(verb + many) if verb.startswith("batch") else None)
        if op:
            yield 5, op
    for verb in _WRITES:
        op = model.named.get(verb + one) or model.named.get(verb + many)
        if op:
            yield 4, op


def _identified(
    model: Model, kind: str, listing: Listing, operations: Iterable[tuple[int, Operation]], constants: frozenset[str]
) -> Identity | None:
    members = {} if listing.plain else model.scalars(listing.item)
    for rank, op in operations:
        if op.name == listing.operation.name:
            continue
        found = _from_inputs(kind, listing, op, members, constants)
        if found and (rank == 5 or not _of_another(kind, found, members)):  # noqa: PLR2004
            whole = op.name.removeprefix(op.verb) in {kind, plural(kind)}
            return Identity(found, listing, rank, op if rank == 5 and whole else None)  # noqa: PLR2004
    rank, own = (1, _plain_name(listing)) if listing.plain else _own_filter(model, kind, listing, members)
    if not own:
        return None
    parents = _parents(kind, listing, [r for r in listing.operation.required if key_of(r) not in constants], members)
    return Identity((*parents, own), listing, rank)


def _of_another(kind: str, found: Iterable[Identifier], members: Mapping[str, str]) -> bool:
    """Say whether inputs name only what an item belongs to, and the item has an id of its own.

    ``ModifySecurityGroupRules`` takes a group's id, and each rule has its ``SecurityGroupRuleId``.
    """
    told = {key_of(each.member or "") for each in found if not each.parent}
    return f"{key_of(kind)}id" in members and not any(key.startswith(suffixes(kind)) or key in GENERIC for key in told)


def _own_filter(model: Model, kind: str, listing: Listing, members: Mapping[str, str]) -> tuple[int, Identifier | None]:
    """Find the listing's filter by identifier, else guess from the names of the members."""
    names = suffixes(kind)
    for key in (f"{name}{end}" for name in (*names, "") for end in ("id", "arn", "name", "identifier", "")):
        op = listing.operation
        name = op.lists.get(key) or op.scalars.get(key)
        member = match_member(key, kind, members) if name and name not in op.required else None
        if name and member:
            return 3, _own(kind, singular(name), member)
    guesses = [members[key] for key in (f"{name}{end}" for end in _GUESSED for name in (*names, "")) if key in members]
    if guesses and key_of(guesses[0]).endswith("name"):
        # A name that nothing asks for is for people: a service's quotas are asked for by its ServiceCode.
        asked = (guess for guess in guesses if key_of(guess) in model.asked - GENERIC)
        guesses.insert(0, next(asked, guesses[0]))
    if guesses:
        return 2, _own(kind, guesses[0], guesses[0])
    alone = members.get(key_of(kind))
    return (2, _own(kind, alone, alone)) if alone else (0, None)


def _plain_name(listing: Listing) -> Identifier:
    name = pascal(singular(listing.path.removesuffix("[]").rpartition(".")[2]))
    return _own(listing.kind, name, "")


def _from_inputs(
    kind: str, listing: Listing, op: Operation, members: Mapping[str, str], constants: frozenset[str]
) -> tuple[Identifier, ...] | None:
    """Match the required inputs of an operation on one resource to what a listing knows of each."""
    inputs = {key_of(name) for name in listing.operation.required}
    wanted = list(op.required) or _optional(op, kind, members, plain=listing.plain)
    parents: list[Identifier] = []
    own: list[Identifier] = []
    for name in wanted:
        key = key_of(name if name in op.scalars.values() else singular(name))
        if key in constants or key.endswith(("token", "match", "etag")):
            continue
        if key not in op.scalars and key not in op.lists:
            if op.verb in _READING:
                return None
            continue
        member = match_member(key, kind, members) or (_bare(key, members) if len(wanted) == 1 else None)
        foreign = not key.startswith(suffixes(kind))
        if key in inputs or (member is None and foreign and key in listing.operation.scalars):
            parents.append(_parent(kind, key, name, members.get(key)))
        elif op.verb not in _READING and op.verb != "Delete" and not key.endswith((*_IDENTIFYING, *suffixes(kind))):
            continue
        elif member is not None:
            own.append(_own(kind, singular(name) if key in op.lists else name, member))
        elif listing.plain and not own:
            own.append(_plain(kind, listing, name if key in op.scalars else singular(name)))
        elif op.verb in _READING or op.verb == "Delete":
            return None
    return tuple(_distinct([*parents, *own])) if own else None


def _bare(key: str, members: Mapping[str, str]) -> str | None:
    """Take the one input that an operation on one resource has for the item's ``Id``, whatever comes before it."""
    return next((members[end] for end in ("id", "arn", "name") if key.endswith(end) and end in members), None)


def _optional(op: Operation, kind: str, members: Mapping[str, str], *, plain: bool) -> list[str]:
    """Choose the input that identifies where an operation requires none (``DescribeTrails(trailNameList)``)."""
    ends = ("arn", "id", "identifier", "name", "")
    for key in (f"{name}{end}" for name in (*suffixes(kind), "") for end in ends):
        found = op.scalars.get(key) or op.lists.get(key)
        if found and (plain or match_member(key, kind, members)):
            return [found]
    return []


def _parents(
    kind: str, listing: Listing, required: Iterable[str], members: Mapping[str, str]
) -> tuple[Identifier, ...]:
    op = listing.operation
    return tuple(
        _parent(kind, key_of(name), name, members.get(key_of(name))) for name in required if key_of(name) in op.scalars
    )


def _parent(kind: str, key: str, name: str, member: str | None) -> Identifier:
    weak = frozenset((key,)) if key in GENERIC - _ACCOUNT else frozenset[str]()
    return Identifier(_parent_name(name, kind), frozenset((key,)) - weak, weak, member, parent=True)


def _parent_name(name: str, kind: str) -> str:
    short = short_name(name, "")
    return f"Parent{short}" if key_of(short) in {key_of(kind), "id", "name", "arn", "identifier"} else short


def _plain(kind: str, listing: Listing, name: str) -> Identifier:
    """Name the identifier of plain strings after the list that has them, if that says what they are."""
    tail = singular(listing.path.removesuffix("[]").rpartition(".")[2])
    told = key_of(tail).endswith(("arn", "id", "name", "url"))
    own = _own(kind, tail if told else name, "")
    if told and key_of(name).endswith("arn") != key_of(tail).endswith("arn"):
        return own
    both = _own(kind, name, "")
    return Identifier(own.name, own.keys | both.keys, own.weak | both.weak, "")


def _own(kind: str, name: str, member: str) -> Identifier:
    """Make a type's own identifier, with all inputs that mean it."""
    key, full = key_of(name), key_of(kind)
    short = short_name(name, kind)
    if key_of(short) in {full, "identifier", "resourceidentifier", "resource"} and member:
        short = short_name(member, kind)
    low = key_of(short)
    mine = key in GENERIC or key.startswith(suffixes(kind)) or low != key
    keys = {key, key_of(member), *((full, full + low, full + "identifier") if mine else ())} - GENERIC - {""}
    weak = {
        low,
        key,
        "identifier",
        "resource",
        f"resource{low}",
        *(s + low for s in suffixes(kind)),
        *suffixes(kind),
    } - keys
    return Identifier(short, frozenset(keys), frozenset(weak), member)


def _distinct(identifiers: Iterable[Identifier]) -> Iterator[Identifier]:
    seen: set[str] = set()
    for each in identifiers:
        if key_of(each.name) not in seen:
            seen.add(key_of(each.name))
            yield each


def source_of(listing: Listing, identifier: Identifier, kind: str, members: Mapping[str, str]) -> str | None:
    """Find an identifier in the items of another listing of its type; ``""`` is the item itself."""
    if listing.plain:
        tail = key_of(singular(listing.path.removesuffix("[]").rpartition(".")[2]))
        fits = identifier.member == "" or tail in identifier.keys | identifier.weak or tail == key_of(kind)
        return "" if fits and not identifier.parent else None
    if identifier.member and identifier.member.endswith("]"):
        return identifier.member  # a path that the overlay tells
    if identifier.member and key_of(identifier.member) in members:
        return members[key_of(identifier.member)]
    for key in (
        *sorted(identifier.keys - {key_of(kind)}),
        *sorted(identifier.weak & {"id", "name", "arn"} & {key_of(identifier.name)}),
    ):
        if key in members and not (identifier.parent and key in GENERIC):
            return members[key]
    return None
