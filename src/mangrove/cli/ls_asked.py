"""Read from a command line which resources are asked for, and check all of it before the first call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mangrove.cli.ls_columns import Column, Order, read_columns, read_order
from mangrove.errors import ConfigError
from mangrove.inventory import DEFAULT_TYPES, Inventory
from mangrove.inventory.wanted import Wanted

if TYPE_CHECKING:
    from mangrove.fleet import Fleet, Plan, Progress
    from mangrove.inventory import Collection

__all__ = ["Asked", "read_asked", "read_tags"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Be what is asked.

    Args:
        types: names, globs and patterns of ARNs.
        tags: globs of values by the key of a tag.
        where: a condition, or None.
        columns: what is printed of each row; None for what is usual.
        order: by what the rows are sorted; empty for as they come.
    """

    types: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]]
    where: str | None
    columns: tuple[Column, ...] | None
    order: tuple[Order, ...]

    def check(self, fleet: Fleet) -> None:
        """Refuse types that there are none of.

        Raises:
            ConfigError: there is no such type.
        """
        Inventory(fleet).types(self.types)

    def plan(self, fleet: Fleet) -> Plan:
        """Return the plan."""
        return Inventory(fleet).plan(self.types)

    def collect(self, fleet: Fleet, progress: Callable[[Progress], object]) -> Collection:
        """Return the rows; the work begins with the first."""
        return Inventory(fleet).collect(self.types, tags=self.tags or None, where=self.where, progress=progress)


def read_asked(given: Mapping[str, Any], *, printed: bool) -> Asked:
    """Return what the command line asks.

    Args:
        given: the parameters of the command.
        printed: whether rows are printed.

    Raises:
        ConfigError: an option is wrong.
    """
    for name in ("columns", "sort"):
        if given[name] and not printed:
            text = f"--{name} is for what is printed, and --to stores whole rows as they come; say --output too"
            raise ConfigError(text)
    tags = read_tags(given["tags"])
    Wanted.of(tags, given["condition"], "--where")
    return Asked(
        given["types"] or DEFAULT_TYPES,
        tags,
        given["condition"],
        None if given["columns"] is None else read_columns(given["columns"]),
        read_order(given["sort"]),
    )


def read_tags(given: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the globs of each key from options.

    Args:
        given: `KEY=GLOB`, `KEY` for any value, and with a `!` before it what is not wanted; of several globs for a key
            one must match.

    Raises:
        ConfigError: a key is empty.

    Example:
        >>> read_tags(["team=web*", "team=db", "!env=old", "owner", "!temporary"])
        {'team': ('web*', 'db'), 'env': ('!old',), 'owner': ('*',), 'temporary': ('!*',)}
    """
    found: dict[str, Sequence[str]] = {}
    for text in given:
        bare = text.removeprefix("!")
        key, equals, glob = bare.partition("=")
        if not key:
            told = f"--tag takes KEY=GLOB, KEY or !KEY; got {text!r}"
            raise ConfigError(told)
        sign = "!" if text.startswith("!") else ""
        found[key] = (*found.get(key, ()), f"{sign}{glob if equals else '*'}")
    return {key: tuple(globs) for key, globs in found.items()}
