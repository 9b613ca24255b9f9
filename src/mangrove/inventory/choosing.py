"""Find out which types are meant by names, globs and patterns of ARNs, before the first call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from mangrove.aws.arn_patterns import ArnPattern
from mangrove.aws.services import find_service, one_of
from mangrove.errors import ConfigError, DeclarationTypeError, UnknownResourceError
from mangrove.resources.formats import formats_of
from mangrove.resources.kinds import DEFAULT_TYPES, Kind, kind_of
from mangrove.resources.matching import plan
from mangrove.resources.owners import prefixes_of
from mangrove.resources.ways import Ways

__all__ = ["Choice", "choose"]

_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Choice:
    """Be one type that is listed.

    Args:
        kind: the type.
        patterns: patterns of ARNs, of which one must match; none takes all.
        regional: whether all ARNs that can match have the region in them that they are listed in.
    """

    kind: Kind
    patterns: tuple[ArnPattern, ...] = ()
    regional: bool = False


def choose(types: str | Kind | Iterable[str | Kind], ways: Ways) -> list[Choice]:
    """Return the types that are meant, each once.

    Args:
        types: names (`ec2.instances`), globs of names (`rds.*`, `*`), patterns of ARNs, or kinds. A glob stands for the
            types whose lists need no parameter, and for those below them that are usually asked for; what AWS itself
            offers, such as types of instances, is left out.
        ways: know which types there are.

    Raises:
        ConfigError: there is no such type; the message has the close matches.
        DeclarationTypeError: a type is no string.

    Example:
        >>> [choice.kind.name for choice in choose(["ec2.vpcs", "sqs.*", "arn:aws:sqs:*:*:jobs"], Ways())]
        ['ec2.vpcs', 'sqs.queues']
    """
    several = (types,) if isinstance(types, (str, Kind)) else types
    if not isinstance(several, Iterable):
        text = f"types takes names, such as ['ec2.instances']; got {type(types).__name__}"
        raise DeclarationTypeError(text)
    found: dict[str, Choice] = {}
    for each in several:
        for choice in _chosen(each, ways):
            known = found.get(choice.kind.name)
            found[choice.kind.name] = choice if known is None else _both(known, choice)
    if not found:
        text = "no type is asked for; give some, such as 'ec2.instances', or '*' for all"
        raise ConfigError(text)
    return list(found.values())


def _both(one: Choice, other: Choice) -> Choice:
    if not one.patterns or not other.patterns:
        return replace(one, patterns=(), regional=False)
    return replace(one, patterns=(*one.patterns, *other.patterns), regional=one.regional and other.regional)


def _chosen(given: str | Kind, ways: Ways) -> Iterator[Choice]:
    if isinstance(given, str) and given.startswith("arn:"):
        yield from _by_arn(ArnPattern.parse(given), ways)
    elif isinstance(given, str) and _GLOB.search(given):
        yield from (Choice(kind_of(name)) for name in _by_glob(given, ways))
    else:
        kind = kind_of(given)
        ways.check(kind)
        yield Choice(kind)


def _by_glob(glob: str, ways: Ways) -> list[str]:
    service = glob.partition(".")[0]
    if not _GLOB.search(service):
        service = find_service(service, ways.services)
    services = [name for name in ways.services if fnmatchcase(name, service)]
    every = [name for each in services for name in _names(each, ways)]
    found = [name for name in every if fnmatchcase(name, glob)]
    if not found:
        text = f"no type is called like {glob!r}{one_of(_GLOB.sub('', glob), every)}"
        raise UnknownResourceError(text)
    return found


def _names(service: str, ways: Ways) -> list[str]:
    names = [f"{service}.{name}" for name in ways.lists(service)]
    below = [name for name in DEFAULT_TYPES if name.startswith(f"{service}.") and name not in names]
    return [*names, *below]


def _by_arn(pattern: ArnPattern, ways: Ways) -> list[Choice]:
    found: list[Choice] = []
    refused: list[str] = []
    for service in ways.services:
        if not _may_own(service, pattern):
            continue
        for name, regional in _paths(service, pattern, ways):
            kind = kind_of(name)
            try:
                ways.check(kind)
            except UnknownResourceError as error:
                refused.append(str(error))
            else:
                found.append(Choice(kind, (pattern,), regional))
    if not found:
        why = f": {refused[0]}" if refused else ""
        text = f"no type that can be listed has ARNs like {str(pattern)!r}{why}"
        raise UnknownResourceError(text)
    return found


def _may_own(service: str, pattern: ArnPattern) -> bool:
    prefixes = prefixes_of(service)
    spaces = {service, *prefixes, *(form.service for prefix in prefixes for form in formats_of(prefix))}
    return any(pattern.may_match(service=space) for space in spaces)


def _paths(service: str, pattern: ArnPattern, ways: Ways) -> Iterator[tuple[str, bool]]:
    """Yield the names of the types of a service that may match, with whether their ARNs have the region in them."""
    known = ways.known(service)
    way = plan(known, pattern) if known is not None else None
    if known is None or way is None:
        return
    resources = known.definition["resources"]
    todo: list[tuple[str, str]] = [("", service)]
    while todo:
        holder, path = todo.pop(0)
        lists = (resources[holder] if holder else known.definition["service"]).get("hasMany", {})
        for name in way.steps.get(holder, ()):
            kind = lists[name]["resource"]["type"]
            below = f"{path}.{ways.called(name)}"
            if kind in way.types:
                forms = way.types[kind]
                yield below, bool(forms) and all(form.region.startswith("$") for form in forms)
            if kind in way.steps and kind != holder:
                todo.append((kind, below))
