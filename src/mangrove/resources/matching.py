"""Select resources by a pattern of ARNs: only services, regions and collections that can match are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from mangrove.aws.arn import Arn
from mangrove.aws.arn_patterns import ArnPattern
from mangrove.aws.identity import partition_of_region
from mangrove.aws.options import ClientOptions
from mangrove.aws.regions import find_regions, is_glob, parse_terms
from mangrove.aws.resource_classes import account_of_client
from mangrove.aws.session import make_resource, sdk_regions
from mangrove.errors import NoRegionsError
from mangrove.resources._format import Format
from mangrove.resources.arns import form_of
from mangrove.resources.formats import formats_of
from mangrove.resources.from_arn import catalog_for
from mangrove.resources.objects import ResourceObject
from mangrove.resources.owners import prefixes_of
from mangrove.resources.record import ServiceResources

__all__ = ["OnError", "Plan", "listed", "plan", "resources_matching", "roots"]

# The type that stands for the caller's account, in services whose lists ask for its id.
_ACCOUNT = "Account"

OnError = Callable[[Exception, str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Say where in one service the matching resources may be.

    Attributes:
        known: the service's resources.
        types: the types whose ARNs can match, with whether they can have a region.
        steps: for the service (the empty string) and each type on the way: its collections that lead to one of `types`.
    """

    known: ServiceResources
    types: dict[str, tuple[Format, ...]]
    steps: dict[str, tuple[str, ...]]


def resources_matching(
    session: Any, pattern: ArnPattern | str, *, regions: Iterable[str] | None = None, on_error: OnError | None = None
) -> Iterator[Any]:
    """Return an iterator over the resources that match; see `mangrove.Session.resources_matching`.

    Raises:
        DeclarationTypeError: the pattern or a region is no string.
        InvalidArnError: no ARN could ever match.
    """
    wanted = pattern if isinstance(pattern, ArnPattern) else ArnPattern.parse(pattern)
    asked = None if regions is None else parse_terms(regions)
    # Checked at once, as a generator would only be when it is first used.
    return _found(session, wanted, asked, on_error)


def _found(
    session: Any, pattern: ArnPattern, regions: tuple[str, ...] | None, on_error: OnError | None
) -> Iterator[Any]:
    catalog, seen = catalog_for(session), set[str]()
    for service in _services(session, pattern):
        known = catalog.find(service)
        way = plan(known, pattern) if known else None
        if way is None:
            continue
        for region in _regions(session, way, pattern, regions):
            for found in _walk(session, way, region, on_error, pattern):
                arn = found.get_arn()
                if arn is not None and arn not in seen and pattern.match(arn):
                    seen.add(arn)
                    yield found


def listed(
    session: Any, known: ServiceResources, types: set[str], region: str | None, errors: list[Exception]
) -> Iterator[Any]:
    """Yield the resources of some types in one region; what can't be listed is left out.

    Args:
        session: whose.
        known: the resources of the service.
        types: the types.
        region: the region; None for the session's.
        errors: what the calls that failed have raised is added to it.
    """
    way = Plan(known, dict.fromkeys(types, ()), _steps(known, types))
    return _walk(session, way, region, lambda error, _: errors.append(error))


def _services(session: Any, pattern: ArnPattern) -> list[str]:
    """List the services whose ARNs the pattern's service can stand for; none of them is derived for that."""
    found = []
    for service in session.get_available_services():
        prefixes = prefixes_of(service)
        spaces = {service, *prefixes, *(form.service for prefix in prefixes for form in formats_of(prefix))}
        if any(pattern.may_match(service=space) for space in spaces):
            found.append(service)
    return found


def plan(known: ServiceResources, pattern: ArnPattern) -> Plan | None:
    """Return where in a service the resources of a pattern may be; None if it has none of them.

    Args:
        known: the service's resources.
        pattern: the pattern.
    """
    types: dict[str, tuple[Format, ...]] = {}
    formless: dict[str, tuple[Format, ...]] = {}
    for kind, spec in known.arns.items():
        texts = dict.fromkeys((*((spec.template,) if spec.template else ()), *known.forms.get(kind, ())))
        forms = tuple(form for text in texts if _may_match(form := form_of(text, known.prefixes), pattern))
        if forms:
            types[kind] = forms
        elif not texts:
            formless[kind] = ()
    # A type without a known format may have any ARN; where a known one is meant, that is asked alone.
    types = types if types and _fixed(pattern.resource) else {**types, **formless}
    steps = _steps(known, set(types))
    return Plan(known, types, steps) if steps else None


def _may_match(form: Format, pattern: ArnPattern) -> bool:
    region = None if form.region.startswith("$") else form.region
    account = None if form.account.startswith("$") else form.account
    if not pattern.may_match(service=form.service, region=region, account=account):
        return False
    if (form.region.startswith("$") and not pattern.region) or (form.account.startswith("$") and not pattern.account):
        return False
    fixed, wanted = form.resource.partition("${")[0], _fixed(pattern.resource)
    return fixed.startswith(wanted) or wanted.startswith(fixed)


def _fixed(glob: str) -> str:
    """Return the text before the first wildcard of a glob."""
    return min((glob.partition(mark)[0] for mark in ("*", "?", "${")), key=len)


def roots(known: ServiceResources) -> tuple[str, ...]:
    """Return where ways begin: the service, and the account where a service has resources below that.

    Args:
        known: the service's resources.
    """
    resources = known.definition["resources"]
    holders = (known.definition["service"], *resources.values())
    listed = {each["resource"]["type"] for holder in holders for each in holder.get("hasMany", {}).values()}
    single = len(resources.get(_ACCOUNT, {}).get("identifiers", ())) == 1
    return ("", _ACCOUNT) if single and _ACCOUNT not in listed else ("",)


def _steps(known: ServiceResources, wanted: set[str]) -> dict[str, tuple[str, ...]]:
    """Find the shortest way from a root to each type, by collections."""
    resources = known.definition["resources"]
    begins = roots(known)
    ways: dict[str, tuple[str, str, list[str]]] = {}
    todo = list(begins)
    while todo:
        holder = todo.pop(0)
        part = resources[holder] if holder else known.definition["service"]
        for name, each in part.get("hasMany", {}).items():
            kind, operation = each["resource"]["type"], each["request"]["operation"]
            if kind in begins or "alias" in each:
                continue
            if kind not in ways:
                ways[kind] = holder, operation, []
                todo.append(kind)
            if ways[kind][:2] == (holder, operation):
                # An operation that asks for a choice has a collection for each value of it, and all of them are all.
                ways[kind][2].append(name)
    found: dict[str, dict[str, None]] = {}
    for kind in sorted(wanted & set(ways)):
        at = kind
        while at not in begins:
            holder, _, names = ways[at]
            found.setdefault(holder, {}).update(dict.fromkeys(names))
            at = holder
    return {holder: tuple(names) for holder, names in found.items()}


def _regions(session: Any, way: Plan, pattern: ArnPattern, asked: tuple[str, ...] | None) -> list[str | None]:
    """List the regions to ask: those that can match, and one for what has no region in its ARN."""
    service = way.known.service
    forms = [form for group in way.types.values() for form in group]
    partition = sdk_regions(session).partitions[partition_of_region(session)]
    if not pattern.may_match(partition=partition.name):
        return []  # the session's credentials are of another partition
    if forms and not any(form.region for form in forms):
        return [next((name for name in asked or () if not is_glob(name)), None)]
    if sdk_regions(session).coverage(service, partition).is_global:
        return [None]
    if asked is None:
        exact = [pattern.region] if partition.has(pattern.region) else []
        asked = tuple(exact) or ("*",)
    if any(map(is_glob, asked)):
        try:
            asked = find_regions(session, service, asked, options=_options(session)).names
        except NoRegionsError:
            return []  # the service is in none of them
    found: list[str | None] = [name for name in asked if pattern.may_match(region=name)]
    return found or ([asked[0]] if asked and any(not form.region for form in forms) else [])


def _options(session: Any) -> ClientOptions:
    return ClientOptions(endpoint_url=getattr(session, "_endpoint_url", None))


def _can_hold(way: Plan, kind: str, holder: Any, child: str, pattern: ArnPattern) -> bool:
    """Say whether what a holder has can match: not the objects of a bucket whose name does not."""
    spec, forms = way.known.arns.get(kind), way.types.get(child)
    arn = Arn.parse_or_none(holder.get_arn()) if spec and spec.template and forms and child not in way.steps else None
    if arn is None or spec is None or not forms:
        return True
    own = form_of(spec.template, way.known.prefixes).resource
    if not all(form.resource.startswith(own) and form.resource != own for form in forms):
        return True
    fixed = _fixed(pattern.resource)
    if fixed == pattern.resource:
        return fixed.startswith(arn.resource) and fixed != arn.resource
    return fixed.startswith(arn.resource) or arn.resource.startswith(fixed)


def _walk(
    session: Any, way: Plan, region: str | None, on_error: OnError | None, pattern: ArnPattern | None = None
) -> Iterator[Any]:
    """Yield the objects of the types in the plan, going through the collections that lead to them."""
    resources = way.known.definition["resources"]
    service = make_resource(session, way.known.service, region_name=region)
    todo: list[tuple[str, Any]] = [("", service)]
    if _ACCOUNT in way.steps and _ACCOUNT in roots(way.known):
        todo.append((_ACCOUNT, service.Account(account_of_client(service.meta.client))))
    while todo:
        kind, holder = todo.pop(0)
        for name in way.steps.get(kind, ()):
            below = resources[kind]["hasMany"][name]["resource"]["type"] if kind else ""
            if kind and pattern is not None and not _can_hold(way, kind, holder, below, pattern):
                continue
            for child in _members(holder, name, region, on_error):
                type_name = type(child).__name__.rpartition(".")[2]
                if type_name in way.types and isinstance(child, ResourceObject):
                    yield child
                if type_name in way.steps:
                    todo.append((type_name, child))


def _members(holder: Any, name: str, region: str | None, on_error: OnError | None) -> Iterator[Any]:
    words = f"{type(holder).__name__}.{xform_name(name)} in {region or 'its region'}"
    try:
        collection = getattr(holder, xform_name(name))
        yield from collection.all()
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        if on_error is None:
            raise
        on_error(error, words)
