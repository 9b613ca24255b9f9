"""Parse the AWS configuration files once for all sessions, as long as the files stay the same."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mangrove._concurrency import Recent, in_child

__all__ = ["Configuration", "parsed_once"]

_MOST = 8
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Configuration:
    """Hold what the files said at one time.

    Attributes:
        parsed: what botocore makes of them.
        number: tells one reading from all others of the process; an `id` would come again.
    """

    parsed: Any
    number: int


_recent = Recent[Configuration](_MOST)


def parsed_once(paths: Iterable[str | None], parse: Callable[[], Any]) -> Configuration:
    """Return what these files hold, parsing them if one of them has changed.

    A profile list of a thousand entries takes a tenth of a second to parse; a session of each took it a thousand times.

    Args:
        paths: the files, as the user wrote them.
        parse: reads them.
    """
    key = tuple(map(_stamp, paths))
    return _recent.get(key, lambda: Configuration(parse(), next(_numbers)))


@in_child
def _after_fork() -> None:
    global _recent  # noqa: PLW0603  a thread of the parent may have held its lock
    _recent = Recent[Configuration](_MOST)


def _stamp(path: str | None) -> Hashable:
    """Return what changes with a file."""
    if path is None:
        return None
    expanded = Path(os.path.expandvars(path)).expanduser()
    try:
        found = expanded.stat()
    except OSError:
        return str(expanded)
    return str(expanded), found.st_mtime_ns, found.st_size, found.st_ino
