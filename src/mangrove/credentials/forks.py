"""Give what holds locks and connections new ones in a child process, where the parent's are of no use."""

from __future__ import annotations

import weakref
from typing import Protocol

from mangrove._concurrency import in_child

__all__ = ["Forkable", "renewed_in_children"]


class Forkable(Protocol):
    """Be something that can be used in a child process after one call."""

    def start_anew(self) -> None:
        """Take new locks, and let go of connections."""
        ...


_all: weakref.WeakSet[Forkable] = weakref.WeakSet()


def renewed_in_children(thing: Forkable) -> None:
    """Have a thing start anew in every child that this process forks, as long as it lives.

    Args:
        thing: what holds locks or connections.
    """
    _all.add(thing)


@in_child
def _after_fork() -> None:
    for thing in list(_all):
        thing.start_anew()
