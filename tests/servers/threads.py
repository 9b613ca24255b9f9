"""Tell the threads that a test has begun from those that earlier ones left to be collected."""

from __future__ import annotations

import threading
import weakref

_before: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def begin() -> None:
    """Begin a test."""
    _before.clear()
    _before.update(threading.enumerate())


def begun(prefix: str) -> list[str]:
    """Return the names of the threads of a kind that this test has begun, and that live."""
    return [each.name for each in threading.enumerate() if each.name.startswith(prefix) and each not in _before]
