"""Say which rows are wanted: by their ARNs, their tags, and a condition over all that is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from mangrove.aws.arn_patterns import ArnPattern
from mangrove.aws.queries import compiled
from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.inventory.rows import Row, document_of

__all__ = ["Tags", "Wanted", "read_tag_globs"]

Tags = Mapping[str, str | Iterable[str] | None]
"""Tags by their keys: a glob or several, `!` before one for what is not wanted; None for any value."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Be which rows are wanted.

    Args:
        patterns: patterns of ARNs, of which one must match; none takes all.
        tags: globs of values by the key of a tag, those that are not wanted with a `!`.
        where: a compiled JMESPath over `document_of` a row, or None.
    """

    patterns: tuple[ArnPattern, ...] = ()
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    where: Any = None

    @classmethod
    def of(cls, tags: Tags | None, where: str | None, option: str = "where") -> Wanted:
        """Read what a caller wants.

        Args:
            tags: see `read_tag_globs`.
            where: a condition in JMESPath.
            option: what the caller knows the condition as.

        Raises:
            ConfigError: the condition can't be read, or a tag has no key or glob.
            DeclarationTypeError: an argument is of the wrong type.
        """
        return cls((), read_tag_globs(tags), None if where is None else compiled(where, option))

    @property
    def filters(self) -> bool:
        """Tell whether anything is asked beyond the ARN."""
        return bool(self.tags) or self.where is not None

    def arn(self, arn: str | None) -> bool:
        """Tell whether an ARN is wanted; of those with patterns, what has none is not."""
        if not self.patterns:
            return True
        return arn is not None and any(pattern.match(arn) for pattern in self.patterns)

    def row(self, row: Row) -> bool:
        """Tell whether a row is wanted, by its tags and the condition; where tags are not known, none of them is.

        Raises:
            Exception: the condition asks of the row what its values can't do.
        """
        if self.tags and (row.tags is None or not all(_fits(row.tags, *each) for each in self.tags.items())):
            return False
        return self.where is None or _is_true(self.where.search(document_of(row)))


def _fits(tags: Mapping[str, str], key: str, globs: tuple[str, ...]) -> bool:
    value = tags.get(key)
    wanted = [each for each in globs if not each.startswith("!")]
    if value is None:
        return not wanted
    if wanted and not any(fnmatchcase(value, each) for each in wanted):
        return False
    return not any(fnmatchcase(value, each[1:]) for each in globs if each.startswith("!"))


def _is_true(found: Any) -> bool:
    """Tell whether JMESPath takes a value for true: 0 is, and what is empty is not."""
    return found is not None and found is not False and not (isinstance(found, (str, list, dict)) and not found)


def read_tag_globs(tags: Tags | None) -> dict[str, tuple[str, ...]]:
    """Return the globs of each key.

    Args:
        tags: globs by the keys.

    Raises:
        ConfigError: a key is empty, or there is no glob.
        DeclarationTypeError: it is no mapping of strings.

    Example:
        >>> read_tag_globs({"team": "web*", "env": ["prod", "!*-old"], "owner": None})
        {'team': ('web*',), 'env': ('prod', '!*-old'), 'owner': ('*',)}
    """
    if tags is None:
        return {}
    if not isinstance(tags, Mapping):
        text = f"tags takes a mapping, such as {{'team': 'web*'}}; got {type(tags).__name__}"
        raise DeclarationTypeError(text)
    found = {}
    for key, given in tags.items():
        globs = ("*",) if given is None else (given,) if isinstance(given, str) else tuple(given)
        if not all(isinstance(each, str) for each in (key, *globs)):
            text = f"tags takes strings; got {key!r}: {given!r}"
            raise DeclarationTypeError(text)
        if not key or not globs:
            text = f"tags: {'a key is empty' if not key else f'{key!r} has no value; give None for any'}"
            raise ConfigError(text)
        found[key] = globs
    return found
