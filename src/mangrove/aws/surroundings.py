"""Know when the environment has changed in a way that changes clients, without keeping what it says."""

from __future__ import annotations

import os
from collections.abc import Hashable

__all__ = ["surroundings"]

# Variables that hold a secret: that they are there is part of a configuration, what they are is not.
_SECRET = ("ACCESS_KEY", "SECRET", "TOKEN")
_PREFIXES = ("AWS_", "BOTO", "REQUESTS_")
_PROXY = "_PROXY"

_seen: tuple[int, int] = (0, 0)


def surroundings() -> int:
    """Return what the environment says, as far as botocore reads it: a number, for it holds secrets too."""
    global _seen  # noqa: PLW0603  the environment is the process's
    # The dict under os.environ is hashed in microseconds; where there is none, the answer is worked out each time.
    raw = getattr(os.environ, "_data", None)
    now = hash(frozenset(dict(raw).items())) if raw is not None else 0
    if not now or now != _seen[0]:
        _seen = (now, hash(_read_surroundings()))
    return _seen[1]


def _read_surroundings() -> Hashable:
    return tuple(
        # A key that changes is not another configuration; that there is one may be.
        (name, True if any(word in name for word in _SECRET) else value)
        for name, value in dict(os.environ).items()
        if name.startswith(_PREFIXES) or name.upper().endswith(_PROXY)
    )
