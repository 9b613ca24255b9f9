"""Select keys by wildcards, as s5cmd and the aws command do, and read sizes as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.s3.rules.names import shown

__all__ = ["Filters", "Pattern", "escape", "has_wildcard", "parse_size"]

_ITEM = re.compile(
    r"(?P<escaped>\\.)|(?P<many>\*+)|(?P<one>\?)|(?P<set>\[[!^]?\]?(?:\\.|[^\]\\])*\])|(?P<text>.)", re.DOTALL
)
_MAGIC = re.compile(r"[*?\[\\]")
_SIZE = re.compile(r"\A\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*\Z", re.ASCII)
# With an i, or a letter alone: powers of 1,024. With a B alone: powers of 1,000.
_UNITS = {"": 1, "b": 1}
for _power, _letter in enumerate("kmgtp", 1):
    _UNITS |= {_letter: 1024**_power, f"{_letter}ib": 1024**_power, f"{_letter}b": 1000**_power}


class Pattern:
    r"""Be a pattern of keys.

    `*` stands for any characters, slashes too; `?` for one, a slash too; `[a-z]` for one of a set and `[!a-z]` for one
    that is not in it; a backslash takes its meaning from the one after it. A `[` without its end is itself.

    Args:
        text: the pattern.

    Attributes:
        text: the pattern as it was given.
        prefix: what all keys that match begin with: what is to be listed.
        literal: whether it has no wildcard, so that only the key `prefix` matches.

    Raises:
        ConfigError: a set's range runs backwards, or a backslash stands at the end.

    Source: the wildcards of s5cmd, and "Use of exclude and include filters" in the AWS CLI user guide.

    Example:
        >>> pattern = Pattern("logs/2026-*/[0-9]?.gz")
        >>> pattern.prefix, pattern.match("logs/2026-11/a/05.gz"), pattern.match("logs/2026-11/x5.gz")
        ('logs/2026-', True, False)
        >>> Pattern(r"a\*b").prefix
        'a*b'
    """

    __slots__ = ("_match", "literal", "prefix", "text")

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            message = f"a pattern is a string, such as 'logs/*.gz'; got {type(text).__name__}"
            raise DeclarationTypeError(message)
        self.text = text
        self.prefix, self.literal, self._match = _compiled(text)

    def match(self, key: str) -> bool:
        """Return whether all of the key matches."""
        return key == self.prefix if self.literal else self._match(key) is not None

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"


@lru_cache(maxsize=256)
def _compiled(text: str) -> tuple[str, bool, Callable[[str], re.Match[str] | None]]:
    """Return the literal prefix, whether that is all, and the matching function."""
    prefix, literal = "", True
    runs: list[list[str]] = [[]]  # between the stars
    for item in _ITEM.finditer(text):
        kind, said = item.lastgroup, item[0]
        if kind == "many":
            runs.append([])
        elif kind in {"escaped", "text"}:
            said = _literal(text, said)
            prefix += said if literal else ""
            runs[-1].append(re.escape(said))
            continue
        else:
            runs[-1].append("." if kind == "one" else _set(text, said))
        literal = False
    try:
        found = re.compile(_expression(["".join(run) for run in runs]), re.DOTALL)
    except re.error as error:
        message = f"the pattern {shown(text)} is none: {error}; write '\\[' for a bracket that is meant as itself"
        raise ConfigError(message) from None
    return prefix, literal, found.match


def _literal(text: str, said: str) -> str:
    if said == "\\":
        message = f"the pattern {shown(text)} ends with a backslash; write two for one"
        raise ConfigError(message)
    return said[1:] if len(said) > 1 else said


def _set(text: str, said: str) -> str:
    """Return a set as a regular expression has it: what regular expressions know more of is taken literally."""
    negated = said[1] in "!^"
    inside = said[2 if negated else 1 : -1]
    if not inside:
        message = f"the pattern {shown(text)} has an empty set; write '\\[' for a bracket that is meant as itself"
        raise ConfigError(message)
    safe = re.sub(r"\\(.)|([\[\]^&~|\\])", lambda each: re.escape(each[1] or each[2]), inside, flags=re.DOTALL)
    return f"[{'^' if negated else ''}{safe}]"


def _expression(runs: list[str]) -> str:
    """Join the runs between stars so that a key that does not match costs no time to find out.

    The first place where a run fits is as good as any later one, so a star never has to try again: the look-ahead with
    a reference is what Python 3.11 writes as an atomic group.
    """
    first, *rest = runs
    if not rest:
        return rf"(?:{first})\Z"
    *middle, last = rest
    inner = "".join(f"(?=(?P<g{place}>.*?{run}))(?P=g{place})" for place, run in enumerate(middle) if run)
    return rf"{first}{inner}.*{last}\Z"


def has_wildcard(text: str) -> bool:
    """Return whether a text, read as a pattern, is more than itself.

    Example:
        >>> has_wildcard("logs/*.gz"), has_wildcard("logs/a.gz")
        (True, False)
    """
    return _MAGIC.search(text) is not None and not Pattern(text).literal


def escape(text: str) -> str:
    r"""Return the pattern that matches only the text.

    Example:
        >>> print(escape("a[1]*"))
        a\[1]\*
    """
    return _MAGIC.sub(r"\\\g<0>", text)


class Filters:
    """Be which keys of a tree are taken, by rules in order: the last one that matches decides, as with the aws command.

    Args:
        rules: each "include" or "exclude" with a pattern of paths below the source; without rules, and where none
            matches, all are taken.

    Raises:
        ConfigError: a rule is neither, or its pattern is none.

    Source: "Use of exclude and include filters" in the AWS CLI user guide.

    Example:
        >>> filters = Filters([("exclude", "*"), ("include", "*.gz"), ("exclude", "tmp/*")])
        >>> [key for key in ("a.gz", "a.txt", "tmp/a.gz") if filters.take(key)]
        ['a.gz']
    """

    __slots__ = ("_rules",)

    def __init__(self, rules: Iterable[tuple[str, str]] = ()) -> None:
        found = []
        for action, pattern in rules:
            if action not in {"include", "exclude"}:
                text = f"a filter is 'include' or 'exclude' with a pattern; got {action!r}"
                raise ConfigError(text)
            found.append((action == "include", Pattern(pattern)))
        # The last that matches decides, so it is looked at first.
        self._rules = tuple(reversed(found))

    @classmethod
    def only(cls, include: str | Iterable[str] = (), exclude: str | Iterable[str] = ()) -> Filters:
        """Return filters without an order: what matches an `include`, or all if there is none, but for each `exclude`.

        Example:
            >>> filters = Filters.only(include="*.gz", exclude=["tmp/*"])
            >>> [key for key in ("a.gz", "a.txt", "tmp/a.gz") if filters.take(key)]
            ['a.gz']
        """
        wanted = [include] if isinstance(include, str) else list(include)
        unwanted = [exclude] if isinstance(exclude, str) else list(exclude)
        rules = [("exclude", "*")] if wanted else []
        return cls([*rules, *(("include", each) for each in wanted), *(("exclude", each) for each in unwanted)])

    def __bool__(self) -> bool:
        return bool(self._rules)

    def take(self, path: str) -> bool:
        """Return whether a path below the source is taken."""
        for taken, pattern in self._rules:
            if pattern.match(path):
                return taken
        return True


def parse_size(text: str | int) -> int:
    """Read a number of bytes.

    Args:
        text: "16MiB" and "16M" are 16 times 1,048,576 bytes, "16MB" are 16,000,000; also K, G, T, P, fractions, and no
            unit at all. Capitals don't matter.

    Raises:
        ConfigError: it is no size, or no whole number of bytes.

    Example:
        >>> parse_size("16MiB"), parse_size("5GB"), parse_size("1.5k"), parse_size("42")
        (16777216, 5000000000, 1536, 42)
    """
    if isinstance(text, int) and not isinstance(text, bool) and text >= 0:
        return text
    match = _SIZE.match(text) if isinstance(text, str) else None
    unit = _UNITS.get(match[2].lower()) if match else None
    size = Decimal(match[1]) * unit if match and unit else None
    if size is None or size != int(size):
        shape = "a whole number of bytes, such as '16MiB' (16,777,216), '16MB' (16,000,000) or '1024'"
        message = f"a size is {shape}; got {shown(text) if isinstance(text, str) else repr(text)}"
        raise ConfigError(message)
    return int(size)
