"""Keep from the processes that we start what is meant for us alone: a credential process may be this command again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["EXTERNAL_ID", "kept_from_children"]

EXTERNAL_ID = "MANGROVE_EXTERNAL_ID"


@contextmanager
def kept_from_children() -> Iterator[None]:
    """Take the external id out of the environment, once the command line has been read.

    A profile's `credential_process` that assumes another role, by this same command, would send it to that role.

    Example:
        >>> with kept_from_children():
        ...     EXTERNAL_ID in os.environ
        False
    """
    value = os.environ.pop(EXTERNAL_ID, None)
    try:
        yield
    finally:
        if value is not None:
            os.environ[EXTERNAL_ID] = value
