"""How AWS names things: words, plurals, an operation's verb and noun, all pure and cached.

Derivation compares names that AWS spells freely: ``DBClusterArn``, ``dbClusterARN`` and ``DbClusterArn`` are one key,
and ``DescribePolicies`` speaks of a ``Policy``. The caches are bounded: the largest model has about 12,000 names.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = [
    "is_plural",
    "key_of",
    "pascal",
    "plural",
    "short_name",
    "singular",
    "slices",
    "split_operation",
    "suffixes",
    "words",
]

_WORD = re.compile(
    r"IPv[46]|[A-Z]{2,}s(?![a-z])|[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z]+[0-9]*|[A-Z]+[0-9]*|[a-z]+[0-9]*|[0-9]+"
)
_VERSION = re.compile(r"V[0-9]+$|[0-9]{4}_[0-9]{2}_[0-9]{2}$")
_INVARIANT = frozenset(
    "access address alias analysis analytics aws axis basis bonus bus campus canvas census chaos class consensus "
    "cors corpus data diagnosis diagnostics dns ebs ecs efs eks ems focus fs gas hdfs https hypothesis ios kms "
    "kubernetes lens metadata nas nexus nfs os process prometheus radius rds redis sans series sms sns sqs ss "
    "ssis status synthesis synthetics this tls virus was xss zfs".split()
)
_IRREGULAR = {
    "addresses": "address",
    "aliases": "alias",
    "analyses": "analysis",
    "buses": "bus",
    "caches": "cache",
    "canvases": "canvas",
    "children": "child",
    "cookies": "cookie",
    "criteria": "criterion",
    "gases": "gas",
    "indices": "index",
    "lenses": "lens",
    "logs": "log",
    "matrices": "matrix",
    "metrics": "metric",
    "movies": "movie",
    "people": "person",
    "settings": "setting",
    "statuses": "status",
    "viruses": "virus",
    "vertices": "vertex",
}
_QUALIFIERS = frozenset("Associated By For From In Of On To Using With Within".split())
_SHORT = frozenset(("Id", "Name", "Arn", "Identifier", "Key", "Url", "Number", "Alias", "Code", "Type", "Version"))


@lru_cache(maxsize=65536)
def key_of(name: str) -> str:
    """Fold one name to its comparable form: letters and digits in lower case."""
    return name.replace("_", "").replace("-", "").replace(" ", "").replace(":", "").replace("/", "").lower()


@lru_cache(maxsize=16384)
def words(name: str) -> tuple[str, ...]:
    """Split a CamelCase name: ``DBClusterARNs`` is ``DB Cluster ARNs``."""
    return tuple(_WORD.findall(name))


@lru_cache(maxsize=16384)
def _singular_word(word: str) -> str:
    low = word.lower()
    if low in _IRREGULAR:
        single = _IRREGULAR[low]
        return word[0] + single[1:] if low[0] == single[0] else single.capitalize()
    if low in _INVARIANT or not low.endswith("s") or low.endswith("ss") or len(low) < 3:  # noqa: PLR2004
        return word
    if low.endswith("ies") and len(low) > 4:  # noqa: PLR2004
        return word[:-3] + "y"
    if low.endswith(("sses", "shes", "xes", "zes", "tches", "nches", "arches")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=16384)
def singular(name: str) -> str:
    """Put the last word of a name into the singular: ``DBClusterPolicies`` is ``DBClusterPolicy``."""
    parts = words(name)
    return name[: len(name) - len(parts[-1])] + _singular_word(parts[-1]) if parts else name


@lru_cache(maxsize=16384)
def is_plural(name: str) -> bool:
    """Say whether the last word of a name is a plural."""
    return singular(name) != name


@lru_cache(maxsize=16384)
def plural(name: str) -> str:
    """Put the last word of a name into the plural: ``DBClusterPolicy`` is ``DBClusterPolicies``."""
    parts = words(name)
    if not parts:
        return name
    last = parts[-1]
    stem, low = name[: len(name) - len(last)], last.lower()
    for many, one in _IRREGULAR.items():
        if one == low:
            return stem + last[0] + many[1:]
    if low.endswith("y") and low[-2:-1] not in "aeiou":
        return stem + last[:-1] + "ies"
    if low.endswith(("s", "x", "z", "ch", "sh")):
        return name if is_plural(name) or low in _INVARIANT else name + "es"
    return name + "s"


def pascal(name: str) -> str:
    """Write a name as boto3 names its types and identifiers: ``restApiId`` is ``RestApiId``."""
    cleaned = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name) if part)
    return cleaned if not cleaned[:1].isdigit() else f"N{cleaned}"


@lru_cache(maxsize=16384)
def split_operation(name: str) -> tuple[str, str, str]:
    """Split an operation's name in its verb, its noun and what qualifies the noun.

    ``ListGroupsForUser`` is ``("List", "Groups", "ForUser")``; only a plural noun is qualified.
    """
    parts = words(_VERSION.sub("", name))
    start = 2 if parts[0] in {"Batch", "Bulk"} and len(parts) > 1 else 1
    verb, nouns = "".join(parts[:start]), parts[start:]
    for index in range(1, len(nouns)):
        if nouns[index] in _QUALIFIERS and is_plural(nouns[index - 1]):
            return verb, "".join(nouns[:index]), "".join(nouns[index:])
    return verb, "".join(nouns), ""


@lru_cache(maxsize=16384)
def suffixes(name: str) -> tuple[str, ...]:
    """List a type's own names, longest first, as keys: ``DBClusterSnapshot`` is also a ``clustersnapshot``."""
    parts = words(name)
    return tuple(key_of("".join(parts[index:])) for index in range(len(parts)))


@lru_cache(maxsize=16384)
def slices(name: str) -> frozenset[str]:
    """List the keys of all runs of words in a noun, each with its last word also in the singular."""
    parts = words(name)
    found = set()
    for start in range(len(parts)):
        text = ""
        for part in parts[start:]:
            found.add(key_of(text + _singular_word(part)))
            text += part
            found.add(key_of(text))
    return frozenset(found)


@lru_cache(maxsize=16384)
def short_name(name: str, kind: str) -> str:
    """Name an identifier as boto3 does: a function's ``FunctionName`` is its ``Name``."""
    full = pascal(name)
    for own in suffixes(kind):
        if key_of(full).startswith(own):
            rest = full[len(own) :]
            if rest.capitalize() in _SHORT:
                return rest.capitalize()
    parts = words(full)
    return "".join([*parts[:-1], parts[-1].capitalize()]) if parts and parts[-1] in {"ARN", "ID", "URL"} else full
