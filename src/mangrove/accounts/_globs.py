"""Patterns as every filter of accounts takes them: names, globs, and `!` before what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = ["Globs", "is_glob", "patterns"]


def is_glob(pattern: str) -> bool:
    """Say whether a pattern may match more than its own text.

    Example:
        >>> is_glob("prod-*"), is_glob("prod")
        (True, False)
    """
    return any(char in pattern for char in "*?[")


def patterns(given: str | Iterable[str], what: str) -> tuple[str, ...]:
    """Return the patterns of an argument that takes one or several.

    Raises:
        DeclarationTypeError: one of them is no string.
        ConfigError: there is none, or an empty one.

    Example:
        >>> patterns("prod-*", "names")
        ('prod-*',)
    """
    several = (given,) if isinstance(given, str) else given
    if not isinstance(several, Iterable):
        text = f"{what} takes a string or a list of strings; got {type(given).__name__}"
        raise DeclarationTypeError(text)
    found = tuple(several)
    for each in found:
        if not isinstance(each, str):
            text = f"{what} takes strings; got {type(each).__name__}: {each!r}"
            raise DeclarationTypeError(text)
    if not found or not all(each.removeprefix("!").strip() for each in found):
        text = f"{what} has no pattern, or an empty one; leave it out to take all"
        raise ConfigError(text)
    return found


@dataclass(frozen=True, slots=True)
class Globs:
    """Match texts against what is wanted and what is not; without a wanted one, all is wanted.

    Attributes:
        wanted: globs, of which one must match.
        unwanted: globs, of which none may match.

    Example:
        >>> globs = Globs.of(["prod-*", "!*-old"], "names")
        >>> [globs.match(name) for name in ("prod-web", "prod-old", "dev", None)]
        [True, False, False, False]
    """

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]

    @classmethod
    def of(cls, given: str | Sequence[str], what: str) -> Globs:
        """Read an argument's patterns.

        Raises:
            DeclarationTypeError: one of them is no string.
            ConfigError: there is none, or an empty one.
        """
        found = patterns(given, what)
        return cls(
            tuple(each for each in found if not each.startswith("!")),
            tuple(each[1:] for each in found if each.startswith("!")),
        )

    def match(self, text: str | None) -> bool:
        """Say whether a text is wanted; None, where there is no text, is so only if nothing in particular is."""
        if text is None:
            return not self.wanted
        fits = not self.wanted or any(fnmatchcase(text, glob) for glob in self.wanted)
        return fits and not any(fnmatchcase(text, glob) for glob in self.unwanted)
