"""Look for garbage less often in a process that is this command's own, and makes millions of objects that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["rare_collections"]

# The models of AWS's services, and pages of answers, are objects without cycles that stay for a while; with Python's
# default of 700, a third of all CPU goes into looking through them again and again. Costs 30 MB.
_NEW_OBJECTS_BETWEEN_COLLECTIONS = 50_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for garbage less often.

    Example:
        >>> before = gc.get_threshold()
        >>> with rare_collections():
        ...     gc.get_threshold()[0]
        50000
        >>> gc.get_threshold() == before
        True
    """
    before = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
