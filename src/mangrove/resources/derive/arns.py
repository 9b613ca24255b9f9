"""Which source the ARN of a type has: a member of its data, an identifier, or the official format.

Never a wrong one: a member counts only when it is called after the type itself (a role's ARN in a cluster's data is not
the cluster's), and a format only when it is surely the type's and each of its variables has a source of the same kind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mangrove.resources.derive.facts import ArnSpec, Json, Variable
from mangrove.resources.derive.identifiers import Identifier
from mangrove.resources.derive.names import key_of, plural, singular, suffixes, words
from mangrove.resources.derive.operations import Model
from mangrove.resources.derive.types import ResourceType

__all__ = ["Formats", "Own", "arn_of", "lowered"]

_LOWERED = re.compile(r"stored as (?:an? )?(?:all )?lower-?case")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_INNER = ("metadata", "summary", "description", "detail", "details", "configuration", "properties", "info")
_ACCOUNT = frozenset(("accountid", "awsaccountid"))
_SURE = 4
_INITIALS = 2
_COLONS = 5
_GIVEN = frozenset(("Partition", "Region", "Account"))
_OWNERS = ("ownerid", "owneraccountid", "owneraccount", "ownerawsaccountid", "owningaccountid")
_ENDS = ("identifier", "id", "name", "arn", "key", "number")
# Words that name other services' resources wherever they end a type's name: a DBClusterRole's RoleArn is IAM's.
_FOREIGN = frozenset(
    "role key topic function bucket policy user certificate secret stream queue account principal".split()
)
_FORMS = frozenset((*_ENDS, "alias"))
_STANDS = frozenset(("member", "membership", "target", "principal", "resource"))
_OPEN = frozenset(("resourceid", "resource", "relativeid", "resourcename", "id", "name"))


class Formats:
    """The official formats of a service, indexed by the names a type may have.

    Args:
        formats: Type to its forms.
        metadata: The `metadata` of the service's model, which names what requests are signed for.
    """

    def __init__(self, formats: Mapping[str, tuple[str, ...]], metadata: Json | None = None) -> None:
        forms = [(kind, text) for kind, texts in formats.items() for text in texts if text.count(":") >= _COLONS]
        homes = Counter(text.split(":", 3)[2] for _, text in forms)
        # IAM also lists single resources of other services that a permission may name; they are not this service's.
        home = {name for name, count in homes.items() if count > 1} or set(homes)
        # OpenSearch has two applications and data sources of its own, and a domain as it was called before.
        home |= {str((metadata or {}).get(name)) for name in ("signingName", "endpointPrefix")}
        self._exact: dict[str, list[str]] = {}
        self._near: dict[str, dict[str, None]] = {}
        # A DBCluster is a "cluster"; but a ClusterEvent is no "shared-model-event".
        self._full: dict[str, dict[str, None]] = {}
        self._types: dict[str, set[str]] = {}
        for kind, text in forms:
            if text.split(":", 3)[2] in home:
                self._exact.setdefault(key_of(singular(kind)), []).append(text)
                self._types.setdefault(text, set()).add(key_of(singular(kind)))
                for each in {key_of(singular(kind)), _literal(text), *_stem(kind, text)}:
                    self._full.setdefault(each, {})[text] = None
                for each in _names(kind, text):
                    self._near.setdefault(each, {})[text] = None

    def knows(self, kind: str) -> bool:
        """Say whether a format's type is called exactly so."""
        return key_of(kind) in self._exact

    def of(self, kind: str, others: frozenset[str]) -> list[str]:
        """Find the forms that may be a type's, the surest first.

        Args:
            kind: The type's name.
            others: The keys of all types of the service: a format that another type has by name is not free.
        """
        found = list(self._exact.get(key_of(kind), ()))
        for index, name in enumerate(suffixes(kind)):
            if index and (name in others or name in _FOREIGN):
                break
            texts = [
                text
                for text in (self._full if index else self._near).get(name, ())
                if not (self._types[text] - {key_of(kind)}) & others
            ]
            if texts:
                found += texts if len(texts) == 1 or index == 0 else []
                break
        return list(dict.fromkeys(found))


def _names(kind: str, text: str) -> Iterator[str]:
    """List the names that a format may have among the types: its own, its literal's, its last variable's."""
    resource = text.split(":", _COLONS)[_COLONS]
    found = {key_of(kind), key_of(singular(kind)), *suffixes(singular(_camel(kind)))}
    # A listener-rule/app/ is a rule, of an application's listener.
    found |= {*suffixes(singular(_camel(kind.partition("/")[0])))}
    found.add(_literal(text))
    variables = _VARIABLE.findall(resource)
    if variables:
        low = key_of(variables[-1])
        found |= {low, *(low.removesuffix(end) for end in _ENDS if low.endswith(end))}
    yield from sorted(found - {""})


def _stem(kind: str, text: str) -> Iterator[str]:
    """Give the key of what a format's last variable names, where that says more than the type's name does.

    It is more than one word, as in ``SubnetGroupName``; or the type's name is none, as RDS's ``es``.
    """
    last = words((_VARIABLE.findall(text) or [""])[-1])
    if len(last) > 2 or (len(last) > 1 and len(kind) <= _INITIALS):  # noqa: PLR2004
        yield key_of("".join(last[:-1]))


def _literal(text: str) -> str:
    """Give the key of the last word that a format writes before a variable."""
    resource = text.split(":", _COLONS)[_COLONS]
    return key_of(singular(re.split(r"[/:]", _VARIABLE.sub("", resource).rstrip("/:"))[-1]))


def _camel(kind: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", kind))


class Own:
    """What tells a type's own ARN from those of others, by the names of members.

    Args:
        formats: The official formats of the service.
        types: All its types.
    """

    def __init__(self, formats: Formats, types: Iterable[ResourceType]) -> None:
        types = list(types)
        self.formats = formats
        self.others = frozenset(key_of(each.name) for each in types)
        # What one type calls AppId, another calls ApplicationId.
        self._same: dict[str, frozenset[str]] = {}
        for each in types:
            for identifier in each.own:
                for key in identifier.keys:
                    self._same[key] = self._same.get(key, frozenset()) | identifier.keys

    def same(self, identifier: Identifier) -> frozenset[str]:
        """List the keys that mean the same as an identifier, in its type or in its parent's."""
        return identifier.keys.union(*(self._same.get(key, ()) for key in identifier.keys if identifier.parent))

    def foreign(self, name: str) -> bool:
        """Say whether a part of a type's name is another resource's name."""
        return name in self.others or (name in _FOREIGN and not self.formats.knows(name))


def arn_of(model: Model, each: ResourceType, own: Own) -> ArnSpec | None:
    """Find the source of a type's ARN.

    Args:
        model: The service's model.
        each: The type.
        own: What the service's names tell.

    Returns:
        The source; None where nothing is sure.
    """
    shape = each.load.shape if each.load else ""
    item, loaded = model.scalars(each.item), model.scalars(shape)
    here, there = _arn_in(model, each.name, each.item, own), _arn_in(model, each.name, shape, own)
    identifier = next((i.name for i in each.own if i.is_arn and _owns(i, each, own)), "")
    # Where the item has its ARN, a template is for what has no data: it must do with the identifiers.
    usable = {} if here else {**loaded, **item}
    template, variables = ("", None) if identifier else _template(each, own, usable)
    account = next(
        (name for key in _OWNERS for members in (item, loaded) for k, name in members.items() if k == key), ""
    )
    if not (here or there or identifier or variables is not None):
        return None
    return ArnSpec(
        path=" || ".join(dict.fromkeys(name for name in (here, there) if name)),
        identifier=identifier,
        template=template,
        variables=variables or {},
        load=bool(there) and not here,
        account=account,
    )


def _arn_in(model: Model, kind: str, shape: str, own: Own) -> str:
    """Find a structure's own ARN, on top or in the part of it that describes it (``ServerCertificateMetadata``)."""
    found = _member(kind, model.scalars(shape), own)
    if found:
        return found
    inner = set(_INNER) | {key_of(kind) + end for end in ("", *_INNER)}
    for name, part in model.members(shape).items():
        if key_of(name) in inner and model.kind(part) == "structure":
            found = _member(kind, model.scalars(part), own)
            if found:
                return f"{name}.{found}"
    return ""


def _member(kind: str, members: Mapping[str, str], own: Own) -> str:
    """Find the member of a structure that is its own ARN."""
    for index, name in enumerate(suffixes(kind)):
        if index and own.foreign(name):
            break
        if f"{name}arn" in members:
            return members[f"{name}arn"]
        # What a member or a target has is the ARN of who or what it is.
        if suffixes(kind)[-1] in _STANDS and not own.formats.knows(kind):
            return ""
    several = members.get(f"{key_of(plural(kind))}arn") or members.get("arn")
    # A "resource's ARN" is another's, unless IAM knows the type.
    known = members.get("resourcearn", "") if own.formats.of(kind, own.others) else ""
    return several or known


def _owns(identifier: Identifier, each: ResourceType, own: Own) -> bool:
    """Say whether an identifier that is an ARN is the type's own."""
    name = key_of(identifier.member or identifier.name)
    if _member(each.name, {name: name}, own):
        return True
    # The API itself reads, or deletes, one ResiliencyPolicy by its policyArn.
    if each.evidence >= _SURE and len(each.own) == 1 and name.removesuffix("arn") in suffixes(each.name):
        return not {name.removesuffix("arn")} & own.others
    # What alone identifies a CostCategoryDefinition, its CostCategoryArn, is its own, if no CostCategory is known.
    stem = name.removesuffix("arn")
    return len(each.identifiers) == 1 and key_of(each.name).startswith(stem) and bool(stem) and not own.foreign(stem)


def _template(each: ResourceType, own: Own, members: Mapping[str, str]) -> tuple[str, dict[str, Variable] | None]:
    """Choose the first form of which every variable has a source."""
    for form in own.formats.of(each.name, own.others):
        # A form that ends in a word is that of all of them, or of what each has one of.
        variables = _variables(each, form, own, members) if form.rstrip("/").endswith("}") else None
        if variables is not None:
            return form, variables
    return "", None


def _variables(each: ResourceType, template: str, own: Own, members: Mapping[str, str]) -> dict[str, Variable] | None:
    """Find a source for every variable of a format; None when one has none."""
    names = [name for name in _VARIABLE.findall(template) if name not in _GIVEN]
    found: dict[str, Variable] = {}
    for index, name in enumerate(names):
        source = _variable(each, name, own, members, last=index == len(names) - 1)
        if source is None:
            return None
        found[name] = source
    used = {source.identifier for source in found.values()}
    parents = [i for i in each.identifiers if i.parent and i.name not in used]
    account = next((i for i in parents if i.keys & _ACCOUNT), None)
    if any(i is not account for i in parents) and not _unique(each, found):
        return None
    return {**found, "Account": Variable(identifier=account.name)} if account else found


def _unique(each: ResourceType, found: Mapping[str, Variable]) -> bool:
    """Say whether the last variable is an id, which needs no parent beside it; a name is one only within its parent."""
    last = [*found.values()][-1]
    member = last.path or next(i.member or i.name for i in each.identifiers if i.name == last.identifier)
    return key_of(member).endswith("id")


def _variable(each: ResourceType, name: str, own: Own, members: Mapping[str, str], *, last: bool) -> Variable | None:
    key = key_of(name)
    # IAM's "resource id" is that of the type itself; what the API calls so is another service's resource.
    other = {key} if key == "resourceid" and any(key == key_of(i.name) for i in each.identifiers) else set[str]()
    for identifier in each.identifiers:
        same = key in own.same(identifier) or key == key_of(identifier.name)
        if same and not other and not _arnish(identifier):
            return Variable(identifier=identifier.name)
    member = next((members[form] for form in _forms(key, each.name) if form in members.keys() - other), "")
    if member and not key_of(member).endswith("arn"):
        named = next((i.name for i in each.identifiers if i.member == member), "")
        return Variable(identifier=named) if named else Variable(path=member)
    free = [i for i in each.own if not _arnish(i)]
    if last and len(free) == 1 and _same_kind(key, free[0], each.name):
        return Variable(identifier=free[0].name)
    return None


def _forms(key: str, kind: str) -> Iterator[str]:
    """Spell a variable as a member of the type's data may be called, of the same kind: an id for an id."""
    yield key
    for own in suffixes(kind):
        rest = key[len(own) :] if key.startswith(own) else key.removeprefix("resource")
        ends = {"id": ("id", "identifier"), "identifier": ("identifier", "id")}.get(rest, (rest,))
        if rest in _FORMS:
            yield from (name + end for end in ends for name in ("", *suffixes(kind)))


def _arnish(identifier: Identifier) -> bool:
    return key_of(identifier.name).endswith("arn") or key_of(identifier.member or "").endswith("arn")


def _same_kind(key: str, identifier: Identifier, kind: str) -> bool:
    """Say whether a variable and an identifier speak of the same: both an id, or both a name."""
    if identifier.name.lower() not in {*_ENDS, *suffixes(kind)}:
        return False
    if key_of(identifier.name) in suffixes(kind) and key.removesuffix("name") in suffixes(kind):
        return True
    own = next((end for end in _ENDS if key_of(identifier.member or identifier.name).endswith(end)), "")
    end = next((end for end in _ENDS if key.endswith(end)), "")
    if key in _OPEN:
        return end == own or key.startswith(("resource", "relative"))
    if key.endswith("version") and own:
        return False
    # RDS names its instances by an "identifier"; an "identifier" of other kinds may be anything but a name.
    known = {own, "name"} if own == "identifier" else {own, "identifier"} if own == "id" else {own}
    return end in known and not (key.endswith("resourceid") and end != own) if end else key.endswith(suffixes(kind))


def lowered(model: Model, each: ResourceType, spec: ArnSpec) -> ArnSpec:
    """Return the source of an ARN, with names in lower case where AWS documents that it stores them so.

    Args:
        model: The service's model.
        each: The type.
        spec: The source of its ARN.
    """
    op = model.find(f"Create{each.name}") if spec.template else None
    if op is None:
        return spec
    members = model.shapes[op.input]["members"]
    noted = {key for key, name in op.scalars.items() if _LOWERED.search(members[name].get("documentation", ""))}
    low = {one.name for one in each.own if noted & (one.keys | one.weak)}
    given = {name: replace(one, lower=True) if one.identifier in low else one for name, one in spec.variables.items()}
    return replace(spec, variables=given) if low else spec
