"""Hold what the verbs for trees have in common: what is taken, how links are, how much at once, who is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from mangrove.errors import ConfigError
from mangrove.s3.outcome import Outcome, Progress
from mangrove.s3.rules.patterns import Filters
from mangrove.s3.trees.walking import Symlinks

__all__ = ["Choices"]

Patterns = str | Iterable[str]


@dataclass(frozen=True, slots=True)
class Choices:
    """Say how a verb for trees goes about its work: the keyword arguments that they share.

    Attributes:
        dry_run: whether nothing is done, and the outcomes say what would be.
        include: patterns of paths that are taken; none for all.
        exclude: patterns of paths that are not; a sync leaves them alone at the target too.
        filters: rules in order, in the place of these two.
        wildcards: whether `*`, `?`, `[…]` and the backslash mean in the source what they do in a pattern.
        symlinks: "follow" what links lead to, "skip" them, or make each an "error". Links at a target are replaced,
            never followed.
        concurrency: operations at once.
        threads: calls of a listing, and comparisons by checksum, at once.
        fold: whether paths that differ only in capitals or in how accents are composed are one file; None for what is
            usual on this system.
        callback: is called with each outcome.
        progress: is called with a `Progress` a few times a second.
        raise_errors: whether failures are raised in the end.
        options: of the uploads, downloads or copies.
    """

    dry_run: bool = False
    include: Patterns = ()
    exclude: Patterns = ()
    filters: Filters | None = None
    wildcards: bool = True
    symlinks: Symlinks = "follow"
    concurrency: int = 50
    threads: int = 8
    fold: bool | None = None
    callback: Callable[[Outcome], object] | None = None
    progress: Callable[[Progress], object] | None = None
    raise_errors: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Choices:
        """Read keyword arguments: those that are none of ours are options of S3's.

        Raises:
            ConfigError: a number is none.

        Example:
            >>> choices = Choices.of({"threads": 2, "storage_class": "STANDARD_IA"})
            >>> choices.threads, choices.options
            (2, {'storage_class': 'STANDARD_IA'})
        """
        ours = {each.name for each in fields(cls)} - {"options"}
        for name in ("concurrency", "threads"):
            value = arguments.get(name, 1)
            if type(value) is not int or value < 1:
                text = f"{name} is a whole number, 1 or more; got {value!r}"
                raise ConfigError(text)
        mine = {name: value for name, value in arguments.items() if name in ours}
        return cls(**mine, options={name: value for name, value in arguments.items() if name not in ours})

    def taken(self) -> Filters:
        """Return the filters that were asked for.

        Raises:
            ConfigError: they were asked for in two ways.
        """
        if self.filters is None:
            return Filters.only(self.include, self.exclude)
        if self.include or self.exclude:
            text = "give filters, or include and exclude, not both"
            raise ConfigError(text)
        return self.filters
