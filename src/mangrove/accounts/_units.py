"""Decide which organizational units are wanted, and which must be looked into to know: pure, without a call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from mangrove.accounts._globs import is_glob, patterns
from mangrove.aws.services import one_of
from mangrove.errors import ConfigError

__all__ = ["Trail", "Wanted", "path_matches", "path_of"]

# Source: the pattern of ParentId in the model of ListAccountsForParent.
_UNIT_ID = re.compile(r"\A(?:r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})\Z")

Trail = tuple[tuple[str, str], ...]
"""The units from the root down to one of them, each with its id and its name; the root's name is empty."""


def path_of(names: Iterable[str]) -> str:
    """Return a unit's path from the names below the root; a slash in a name is written %2F.

    Example:
        >>> path_of(["prod", "R/D"]), path_of([])
        ('/prod/R%2FD', '/')
    """
    # A name that holds the escape itself is escaped too, so that two units never have one path.
    return "/" + "/".join(re.sub("%(?=2F|25)", "%25", name).replace("/", "%2F") for name in names)


def _split(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _match(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """Say whether a path, or a path above it, matches: what is below a unit belongs to it."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_match(pattern[1:], parts[start:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _match(pattern[1:], parts[1:])


def _may_match_below(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    if not parts or not pattern or pattern[0] == "**":
        return True
    return fnmatchcase(parts[0], pattern[0]) and _may_match_below(pattern[1:], parts[1:])


def path_matches(pattern: str, path: str) -> bool:
    """Say whether a path, or one above it, matches a pattern such as `/prod/*` or `/**/legacy`.

    Example:
        >>> path_matches("/prod", "/prod/web"), path_matches("/prod/*", "/prod"), path_matches("/**/web", "/prod/web")
        (True, False, True)
    """
    return _match(_split(pattern), _split(path))


def check_unit(pattern: str) -> str:
    """Return the pattern, or refuse what names no unit.

    Raises:
        ConfigError: it is neither an id nor a path.
    """
    if not (_UNIT_ID.match(pattern) or pattern.startswith("/")):
        text = (
            f"{pattern!r} names no organizational unit; write its path from the root, '/prod/web' or '/prod/*', or its "
            "id, 'ou-ab12-34cd56ef', and ! before what is left out"
        )
        raise ConfigError(text)
    return pattern


@dataclass(slots=True)
class Wanted:
    """Hold which units are wanted, and learn on the way which of them there are.

    A unit stands for all that is below it, as with policies of the organization.

    Args:
        include: ids and path patterns; without one, every unit is wanted.
        exclude: ids and path patterns of what is left out.

    Example:
        >>> wanted = Wanted.of(["/prod", "!/prod/old"])
        >>> wanted.takes((("r-ab12", ""), ("ou-ab12-34cd56ef", "prod")))
        True
    """

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    _met: set[str] = field(default_factory=set)
    _paths: list[str] = field(default_factory=list)
    _unseen: bool = False

    @classmethod
    def of(cls, given: str | Iterable[str]) -> Wanted:
        """Read the argument `ou`.

        Raises:
            ConfigError: a pattern is neither an id nor a path.
            DeclarationTypeError: a pattern is no string.
        """
        found = patterns(given, "ou")
        include = tuple(check_unit(each) for each in found if not each.startswith("!"))
        exclude = tuple(check_unit(each[1:]) for each in found if each.startswith("!"))
        return cls(include, exclude)

    def takes(self, trail: Trail) -> bool:
        """Say whether the accounts that are directly in a unit are wanted; remember that the unit is there."""
        self._paths.append(path_of(name for _, name in trail[1:]))
        included = [each for each in self.include if _is_in(each, trail)]
        excluded = [each for each in self.exclude if _is_in(each, trail)]
        self._met.update(included, excluded)
        return (not self.include or bool(included)) and not excluded

    def may_take_below(self, trail: Trail) -> bool:
        """Say whether a unit must be looked into; call it after `takes` was asked for all units of that level."""
        if any(_is_in(each, trail) for each in self.exclude):
            self._unseen = True
            return False
        if not self.include or any(_is_in(each, trail) for each in self.include):
            return True
        parts = [path_of([name])[1:] for _, name in trail[1:]]
        return any(self._may_be_below(each, parts) for each in (*self.include, *self.exclude))

    def _may_be_below(self, pattern: str, parts: Sequence[str]) -> bool:
        if not pattern.startswith("/"):
            return pattern not in self._met  # an id is there once
        return (is_glob(pattern) or pattern not in self._met) and _may_match_below(_split(pattern), parts)

    def missing(self) -> str | None:
        """Return a sentence on the patterns that no unit matches, or None.

        A glob of what is left out may match nothing; a name or an id that does is a mistake, and would let in what was
        to be left out.
        """
        lost = [each for each in self.include if each not in self._met]
        lost += [
            f"!{each}" for each in self.exclude if not (each in self._met or is_glob(each) or self._is_unseen(each))
        ]
        if not lost:
            return None
        shown = lost[0].removeprefix("!")
        return f"no organizational unit {' and '.join(map(repr, lost))}{one_of(shown, self._paths)}"

    def _is_unseen(self, unwanted: str) -> bool:
        """Say whether it may be below another unit that is left out, where nobody has looked."""
        if unwanted.startswith("/"):
            return any(path_matches(each, unwanted) for each in self.exclude if each != unwanted and each[0] == "/")
        return self._unseen


def _is_in(pattern: str, trail: Trail) -> bool:
    if pattern.startswith("/"):
        return _match(_split(pattern), [path_of([name])[1:] for _, name in trail[1:]])
    return any(unit == pattern for unit, _ in trail)
