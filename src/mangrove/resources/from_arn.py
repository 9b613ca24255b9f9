"""Make the resource object that an ARN names: the formats of a service's types, read backwards.

Which type wins where several fit: one of the service that owns the best format (see `mangrove.resources.formats` and
`mangrove.resources.owners`) before another's; the longest fixed text; the format that the type's own ARNs are built
from; what can be created, changed or deleted before a catalogue's entry; one that can be loaded; then the order of
names. So a database of rds, docdb or neptune is of rds, which describes them all, a load balancer named `app/…` is of
elbv2, and a version of a Lambda function is no function.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mangrove.aws.arn import Arn
from mangrove.aws.identity import partition_of_region
from mangrove.aws.loader import settled
from mangrove.aws.session import botocore_session, make_resource, sdk_regions
from mangrove.errors import UnknownResourceError
from mangrove.resources._format import Format
from mangrove.resources.arns import Where, arn_from, form_of
from mangrove.resources.catalog import Catalog, catalog_of
from mangrove.resources.derive.names import key_of, suffixes
from mangrove.resources.formats import match
from mangrove.resources.inverse import identifiers_of
from mangrove.resources.objects import name_it
from mangrove.resources.owners import owner_of, prefixes_of
from mangrove.resources.record import ServiceResources

__all__ = ["Candidate", "candidates", "catalog_for", "region_for", "resource_from_arn"]

_NEW = re.compile("[^a-z0-9]")
# Types that are called otherwise than IAM calls them, and whose identifier is the ARN.
_CALLED = {
    ("elbv2", "listener-rule"): "Rule",
    ("iam", "mfa"): "VirtualMfaDevice",
    ("iam", "oidc-provider"): "OpenIDConnectProvider",
}
_MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Candidate:
    """Hold one type that an ARN may be of.

    Attributes:
        known: the resources of its service.
        type: its name.
        form: the format that the ARN has.
        variables: what the ARN says by that format.
    """

    known: ServiceResources
    type: str
    form: Format
    variables: Mapping[str, str]


def catalog_for(session: Any) -> Catalog:
    """Return the catalog of what a session's botocore knows."""
    return catalog_of(settled(botocore_session(session).get_component("data_loader")))


def resource_from_arn(session: Any, arn: Arn | str, *, search: bool = False) -> Any:
    """Return the resource that an ARN names; see `mangrove.Session.resource_from_arn`.

    Raises:
        DeclarationTypeError: the ARN is no string.
        InvalidArnError: it is no ARN.
        UnknownResourceError: no known type has such an ARN, or its identifiers can't be told from it.
    """
    parsed = Arn.parse(arn)
    catalog = catalog_for(session)
    found = list(candidates(catalog, parsed, session.get_available_services()))
    dumb: set[tuple[str, str]] = set()  # in the form of their own ARNs it says no identifiers: no other form can
    for each in found:
        kind = each.known.service, each.type
        given = None if kind in dumb else identifiers_of(each.known, each.type, each.form, each.variables, parsed)
        if given is not None and _is_it(each, given, parsed):
            return _make(session, each, given, parsed)
        spec = each.known.arns.get(each.type)
        if given is None and spec is not None and spec.template == each.form.text:
            dumb.add(kind)
    if search and found:
        return _searched(session, parsed, found)
    raise UnknownResourceError(_why(parsed, found, catalog, session))


def candidates(catalog: Catalog, arn: Arn, services: list[str]) -> Iterator[Candidate]:
    """Yield the types that an ARN may be of, the best first; see the rule above.

    Args:
        catalog: what is known of all services.
        arn: the ARN.
        services: botocore's names of the services that there are.
    """
    best = match(arn)
    fixed = best[0].format.literals if best and not best[0].format.is_open else 0
    for service in _services(arn, services):
        known = catalog.find(service)
        if known is not None:
            found = [each for each in _fitting(known, arn) if each.form.literals >= fixed]
            yield from sorted(found, key=_rank)
            yield from _by_word(known, arn)


def _services(arn: Arn, services: list[str]) -> list[str]:
    """List the services whose resource it may be, the owner first."""
    known = set(services)
    owners = [owner_of(each.format, known) for each in match(arn) if not each.format.is_open]
    named = [name for name in services if arn.service in (*prefixes_of(name), _NEW.sub("", name))]
    return list(dict.fromkeys(name for name in (*owners, *named) if name))


def _fitting(known: ServiceResources, arn: Arn) -> Iterator[Candidate]:
    for kind in known.definition["resources"]:
        spec = known.arns.get(kind)
        texts = (*((spec.template,) if spec and spec.template else ()), *known.forms.get(kind, ()))
        for text in dict.fromkeys(texts):
            form = form_of(text, known.prefixes)
            variables = form.read(arn)
            if variables is not None:
                yield Candidate(known, kind, form, variables)


def _by_word(known: ServiceResources, arn: Arn) -> Iterator[Candidate]:
    """Yield the types without a known format that are called as the ARN says, and identified by it."""
    word = arn.resource_type or ""
    form = Format(arn.service, word, f"arn:${{Partition}}:{arn.service}:{arn.region}:{arn.account}:${{...}}")
    for kind, spec in sorted(known.arns.items()):
        formless = not spec.template and kind not in known.forms
        called = key_of(word) in suffixes(kind) or _CALLED.get((known.service, word)) == kind
        if formless and spec.identifier and called:
            yield Candidate(known, kind, form, {})


def _rank(each: Candidate) -> tuple[int, bool, bool, bool, str]:
    spec = each.known.arns.get(each.type)
    definition = each.known.definition["resources"][each.type]
    return (
        -each.form.literals,
        spec is None or spec.template != each.form.text,
        each.known.kinds.get(each.type) != "core",
        "load" not in definition,
        each.type,
    )


def _is_it(each: Candidate, given: Mapping[str, str], arn: Arn) -> bool:
    """Say whether a resource so identified would have this ARN, as far as its type tells without data."""
    spec = each.known.arns.get(each.type)
    if spec is None:
        return False
    where = Where(arn.partition, arn.region, lambda: arn.account)
    built = arn_from(spec, None, given, each.known.prefixes, where)
    # Logs writes a group with a `:*` after it where policies are meant, and its own lists have both.
    return built is None or built in {str(arn), str(arn).removesuffix(":*")}


def region_for(session: Any, arn: Arn) -> str | None:
    """Return the region whose API has the resource: the ARN's, else the session's, if it is of the ARN's partition."""
    if arn.region and arn.region != "global":
        return arn.region
    if partition_of_region(session) == arn.partition:
        return None
    found: str = sdk_regions(session).partitions[arn.partition].home
    return found


def _make(session: Any, each: Candidate, given: Mapping[str, str], arn: Arn) -> Any:
    service = make_resource(session, each.known.service, region_name=region_for(session, arn))
    definition = each.known.definition["resources"][each.type]
    made = getattr(service, each.type)(*(given[one["name"]] for one in definition.get("identifiers", ())))
    return name_it(made, str(arn))


def _searched(session: Any, arn: Arn, found: list[Candidate]) -> Any:
    """Look for the resource among those of its type that the account has."""
    from mangrove.resources.matching import listed  # noqa: PLC0415  it reads ARNs as this does

    errors: list[Exception] = []
    kinds: dict[str, tuple[ServiceResources, set[str]]] = {}
    for each in found:
        kinds.setdefault(each.known.service, (each.known, set()))[1].add(each.type)
    for known, types in kinds.values():
        for one in listed(session, known, types, region_for(session, arn), errors):
            if one.get_arn() == str(arn):
                return one
    text = f"no {' or '.join(sorted({each.type for each in found}))} that can be listed has the ARN {str(arn)!r}"
    if errors:
        text += f"; {len(errors)} of the calls failed, the first with: {errors[0]}"
    raise UnknownResourceError(text) from (errors[0] if errors else None)


def _why(arn: Arn, found: list[Candidate], catalog: Catalog, session: Any) -> str:
    if found:
        first = found[0]
        names = ", ".join(each["name"] for each in first.known.definition["resources"][first.type]["identifiers"])
        return (
            f"{str(arn)!r} is a {first.known.service} {first.type}, but does not tell what identifies one ({names}); "
            "search=True looks through those that the account has"
        )
    services = _services(arn, session.get_available_services())
    if not services:
        return f"{str(arn)!r} is of the service {arn.service!r}, and no service of this botocore has such ARNs"
    forms = sorted(
        {text.split(":", 5)[5] for name in services if (known := catalog.find(name)) for text in _texts(known)}
    )
    shown = ", ".join(forms[:_MOST_SHOWN]) + (", …" if len(forms) > _MOST_SHOWN else "")
    return f"{str(arn)!r} is of no known type of {' or '.join(services)}; their ARNs end in {shown or 'nothing known'}"


def _texts(known: ServiceResources) -> Iterator[str]:
    for kind in known.arns:
        yield from known.forms.get(kind, ())
