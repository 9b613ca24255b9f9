"""Read the identifiers of a resource out of its ARN: what the source of the ARN says, turned round."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from botocore.loaders import Loader

from mangrove.aws.arn import Arn
from mangrove.resources._format import Format
from mangrove.resources.derive.facts import ArnSpec, Variable
from mangrove.resources.derive.names import key_of, suffixes
from mangrove.resources.record import ServiceResources

__all__ = ["identifiers_of"]

_ENDS = ("identifier", "id", "name")


def _queue_url(arn: Arn) -> str:
    return f"https://sqs.{arn.region}.{_suffixes()[arn.partition]}/{arn.account}/{arn.resource}"


@cache
def _suffixes() -> Mapping[str, str]:
    """Return where the endpoints of each partition live."""
    data = Loader().load_data("partitions")["partitions"]
    return {each["id"]: each["outputs"]["dnsSuffix"] for each in data}


def _bus(arn: Arn) -> str:
    # `rule/nightly` is of the default bus, and the name of a partner's bus has slashes.
    return arn.resource.removeprefix("rule/").rpartition("/")[0] or "default"


def _web_scope(arn: Arn) -> str:
    return {"regional": "REGIONAL", "global": "CLOUDFRONT"}.get(arn.resource.partition("/")[0], "")


# Identifiers that hold more than the ARN's words, or others, by service, type and identifier.
_WRITTEN: Mapping[tuple[str, str, str], Callable[[Arn], str]] = {
    ("sqs", "Queue", "Url"): _queue_url,
    ("events", "Rule", "EventBusName"): _bus,
    **{("wafv2", kind, "Scope"): _web_scope for kind in ("IPSet", "ManagedRuleSet", "RegexPatternSet")},
}


def identifiers_of(
    known: ServiceResources, kind: str, form: Format, variables: Mapping[str, str], arn: Arn
) -> dict[str, str] | None:
    """Return the identifiers of the resource that an ARN names, or None where the ARN does not tell one of them.

    Args:
        known: the resources of its service.
        kind: its type.
        form: the format that the ARN has.
        variables: what the ARN says by that format.
        arn: the ARN.
    """
    spec = known.arns.get(kind, ArnSpec())
    found: dict[str, str] = {}
    used: set[str] = set()
    if spec.identifier:
        found[spec.identifier] = str(arn)
    if spec.template == form.text:
        for name, source in spec.variables.items():
            said = {"Account": arn.account, "Region": arn.region}.get(name) or variables[name]
            turned = _turned(source, said) if source.identifier else None
            if not source.identifier:
                used.add(name)  # it is something else than any identifier
            elif turned is not None:
                found.setdefault(source.identifier, turned)
                used.add(name)
    names = [each["name"] for each in known.definition["resources"][kind].get("identifiers", ())]
    for name in names:
        if name in found:
            continue
        written = _WRITTEN.get((known.service, kind, name))
        value: str | None = written(arn) if written else _by_name(name, kind, variables, used, own=name == names[-1])
        if value is None and key_of(name).endswith("accountid"):
            value = arn.account
        if not value:
            return None
        found[name] = value
    return {name: found[name] for name in names}


def _turned(source: Variable, value: str) -> str | None:
    """Return the identifier from which a variable has this value."""
    if source.pattern:
        kept = re.search(source.pattern, value)
        if kept is None or kept[1] != value:
            return None
    # A parameter's name has a leading slash where it has another one.
    return value if source.strip == "/" and "/" not in value else source.strip + value


def _by_name(name: str, kind: str, variables: Mapping[str, str], used: set[str], *, own: bool) -> str | None:
    """Return the variable that is called as an identifier is, and mark it as used."""
    free = {key_of(each): each for each in variables if each not in used}
    for key in _keys(name, kind, own=own):
        if key in free:
            used.add(free[key])
            return variables[free[key]]
        if f"{key}withpath" in free:
            used.add(free[f"{key}withpath"])
            return variables[free[f"{key}withpath"]].rpartition("/")[2]
    if own and free:
        # The last one is the resource's own, and those before it are what it is in.
        key, variable = list(free.items())[-1]
        if _end(key) == _end(key_of(name)) or _end(key_of(name)) == "identifier":
            used.add(variable)
            return variables[variable]
    return None


def _keys(name: str, kind: str, *, own: bool) -> Iterator[str]:
    """Spell an identifier as a format may spell it."""
    key = key_of(name)
    yield key
    if not own:
        yield from (f"{key}name", f"{key}id", f"{key}identifier")
        return
    ends = ("id", "identifier") if key.endswith(("id", "identifier")) else (key,)
    for each in suffixes(kind):
        yield from (each + end for end in ends)
        if key in {each, f"{each}name", "name"}:
            yield from (f"{each}name", each)


def _end(key: str) -> str:
    return next((end for end in _ENDS if key.endswith(end)), "")
