"""The regions of a pool as a mapping, in which `us_west_1`, `us-west-1` and `.us_west_1` are one key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

__all__ = ["Adder", "RegionsMapping"]

H = TypeVar("H")


class RegionsMapping(Mapping[str, H]):
    """Map the names of a pool's regions to their handles.

    Iteration gives AWS's names, with hyphens. The pool of a global service has one entry, `aws-global`, and answers to
    the name of every region. Made by its pool, not by you.

    Args:
        table: returns the handles by name; its first use may call AWS.
        known: returns the handles by name, or none if they are not known yet: to look is not to call.
        find: returns one handle by any of its names, or raises NotConnectedError.
        find_default: returns the handle of the default region, or raises NotConnectedError.

    Example:
        >>> pool = mangrove.ServicePool(service="s3", regions=["us-east-1", "us-west-1"])
        >>> pool.regions["us_west_1"] is pool.regions["us-west-1"] is pool.regions.us_west_1
        True
        >>> list(pool.regions), "eu-west-1" in pool.regions
        (['us-east-1', 'us-west-1'], False)
    """

    def __init__(
        self,
        table: Callable[[], Mapping[str, H]],
        known: Callable[[], Mapping[str, H]],
        find: Callable[[str], H],
        find_default: Callable[[], H],
    ) -> None:
        self._table = table
        self._known = known
        self._find = find
        self._find_default = find_default

    @property
    def default(self) -> H:
        """Return the handle of the pool's default region, or of its only one.

        Raises:
            NotConnectedError: the pool has several regions and no default.
        """
        return self._find_default()

    def __getitem__(self, name: str) -> H:
        return self._find(name)

    def __getattr__(self, name: str) -> H:
        if name.startswith("_"):
            raise AttributeError(name)
        # Its property's error is an AttributeError too, and has brought us here: let it speak again.
        return self._find_default() if name == "default" else self._find(name)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._table()))

    def __len__(self) -> int:
        return len(self._table())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(name.replace("-", "_") for name in self._known())})

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<regions {', '.join(self._known()) or 'not asked yet'}>"

    def __reduce__(self) -> Any:
        text = "the regions of a pool are pickled with their pool: pickle the pool"
        raise TypeError(text)


class Adder(Generic[H]):
    """Add a region by subscription, the older documents' way: `pool.add.regions['ap-southeast-1']`.

    Args:
        add: adds one region and returns its handle.
    """

    def __init__(self, add: Callable[[str], H]) -> None:
        self._add = add

    @property
    def regions(self) -> Adder[H]:
        """Return what is subscribed with a region's name."""
        return self

    def __getitem__(self, name: str) -> H:
        return self._add(name)
