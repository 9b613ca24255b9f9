"""Know the official ARN formats of every service: build an ARN from its names, and say what an ARN is.

The formats are facts of the service authorization reference, kept in `data/arn_formats.json`; its head names the
sources, and `data/arn_corrections.json` says where they err. Which form wins where several fit an ARN:

1. a type of the service in the ARN before another service's (`iam` before what `ec2` says of a role);
2. the longest fixed text: `loadbalancer/app/…` before `loadbalancer/…`, a subscription before a topic;
3. a form that is wholly known before an open one;
4. a type's first form before its others, then the order of names.

Some types of one service share one text, such as AppSync's api and graphqlapi: then the ARN does not tell, and all of
them are among the matches. An open form that begins as another type does (`farm/${...}`) may be any child of that type:
it is among the matches, but never the best one. Which of several botocore services has a type is said by
`mangrove.resources.owners`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mangrove.aws.arn import Arn
from mangrove.resources._format import Format, Match

__all__ = ["Format", "Match", "best_match", "format_of", "formats_of", "known_prefixes", "match", "table"]

_DATA = Path(__file__).with_name("data") / "arn_formats.json"


@cache
def table() -> Mapping[str, Any]:
    """Return the whole fact file, read once.

    Example:
        >>> sorted(table())
        ['about', 'elsewhere', 'formats', 'services', 'values']
    """
    found: Mapping[str, Any] = json.loads(_DATA.read_bytes())
    return found


@cache
def known_prefixes() -> frozenset[str]:
    """Return every IAM prefix of which a format is known."""
    return frozenset(table()["formats"])


def make_formats(prefix: str, types: Mapping[str, str | list[str]], values: Mapping[str, str]) -> tuple[Format, ...]:
    """Return the formats of a service from its line of the fact file.

    Args:
        prefix: the IAM prefix.
        types: each type's text, or texts; one that does not begin with `arn:` follows the usual head.
        values: what variables may hold, by the variable or by type and variable.
    """
    found = []
    for name, texts in types.items():
        for place, text in enumerate([texts] if isinstance(texts, str) else texts):
            full = text if text.startswith("arn:") else f"arn:${{Partition}}:{prefix}:${{Region}}:${{Account}}:{text}"
            bare = Format(prefix, name, full, alternate=place > 0)
            held = {each: values.get(f"{name}.{each}", values.get(each)) for each in bare.variables} if values else {}
            kept = tuple((each, value) for each, value in held.items() if value is not None)
            found.append(Format(prefix, name, full, place > 0, kept))
    return tuple(found)


@cache
def formats_of(prefix: str) -> tuple[Format, ...]:
    """Return the formats of a service's types, sorted by type; none for an unknown service.

    Args:
        prefix: its IAM prefix; `mangrove.resources.owners.prefix_of` knows it for a botocore service.

    Example:
        >>> [each.type for each in formats_of("sqs")]
        ['queue']
    """
    return make_formats(prefix, table()["formats"].get(prefix, {}), table()["values"].get(prefix, {}))


def format_of(prefix: str, type_name: str) -> Format | None:
    """Return the first format of a type, from which its ARNs are built, or None.

    Args:
        prefix: the IAM prefix of its service.
        type_name: its name in the IAM reference.
    """
    return next((each for each in formats_of(prefix) if each.type == type_name), None)


@cache
def _candidates(service: str) -> tuple[Format, ...]:
    others = (each for prefix in table()["elsewhere"].get(service, ()) for each in formats_of(prefix))
    return tuple(each for each in (*formats_of(service), *others) if each.service == service)


def _rank(found: Match) -> tuple[bool, int, bool, bool]:
    form = found.format
    foreign = form.prefix != found.arn.service
    return foreign, -form.literals, form.is_open, form.alternate


def match(arn: Arn | str) -> tuple[Match, ...]:
    """Return everything that an ARN may be, the best first; nothing if no known form fits it.

    Args:
        arn: the ARN.

    Raises:
        DeclarationTypeError: it is no string.
        InvalidArnError: it is no ARN.

    Example:
        >>> [found] = match("arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/f:*")
        >>> found.prefix, found.type, found.variables
        ('logs', 'log-group', {'LogGroupName': '/aws/lambda/f'})
    """
    parsed = Arn.parse(arn)
    found = []
    for form in _candidates(parsed.service):
        variables = form.read(parsed)
        if variables is not None:
            found.append(Match(parsed, form, variables))
    return tuple(sorted(found, key=_rank))


@cache
def _is_vague(form: Format) -> bool:
    """Say whether a form is open, and the service has another type that begins as it does: it may be any child."""
    start = form.resource.partition("${...}")[0]
    others = (each for each in _candidates(form.service) if each != form)
    return form.is_open and any(each.resource.startswith(start) for each in others)


def best_match(arn: Arn | str) -> Match | None:
    """Return what an ARN is by the rules above; None where none is known, or it would be a guess.

    Args:
        arn: the ARN.

    Raises:
        DeclarationTypeError: it is no string.
        InvalidArnError: it is no ARN.

    Example:
        >>> best_match("arn:aws:lambda:eu-west-1:123456789012:function:f:7").type
        'function version'
    """
    found = next(iter(match(arn)), None)
    return None if found is None or _is_vague(found.format) else found
