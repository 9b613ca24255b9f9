"""Parse the AWS configuration files once for all sessions, as long as the files stay the same."""

from __future__ import annotations

import itertools
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Configuration", "parsed_once"]

_MOST = 8
_numbers = itertools.count()
_guard = threading.Lock()


@dataclass(frozen=True, slots=True)
class Configuration:
    """Hold what the files said at one time.

    Attributes:
        parsed: what botocore makes of them.
        number: tells one reading from all others of the process; an `id` would come again.
    """

    parsed: Any
    number: int


_kept: OrderedDict[Hashable, Configuration] = OrderedDict()


def parsed_once(paths: Iterable[str | None], parse: Callable[[], Any]) -> Configuration:
    """Return what these files hold, parsing them if one of them has changed.

    A profile list of a thousand entries takes a tenth of a second to parse; a session of each took it a thousand times.

    Args:
        paths: the files, as the user wrote them.
        parse: reads them.
    """
    key = tuple(map(_stamp, paths))
    with _guard:
        if key not in _kept:
            _kept[key] = Configuration(parse(), next(_numbers))
            if len(_kept) > _MOST:
                _kept.popitem(last=False)
        return _kept[key]


def _after_fork() -> None:
    global _guard  # noqa: PLW0603  a thread of the parent may have held it
    _guard = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


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
