"""Move objects in bulk: uploads, downloads, copies, trees and batches of S3, verified, at the speed of C.

Example:
    >>> from mangrove import s3
    >>> connection = s3.Connection(region_name="us-east-1")
    >>> with connection.mock():
    ...     connection.create_bucket("bucket")
    ...     with connection.batch(50) as batch:
    ...         handles = [batch.upload("bucket", f"key.{number}", "hello") for number in range(1000)]
    >>> batch.success()
    True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mangrove.s3.batch import Batch
    from mangrove.s3.connection import Connection
    from mangrove.s3.engines.memory import MemoryStore
    from mangrove.s3.handle import Handle
    from mangrove.s3.mock import Mock
    from mangrove.s3.outcome import Outcome, Progress

__all__ = ["Batch", "Connection", "Handle", "MemoryStore", "Mock", "Outcome", "Progress"]

_HOMES = {
    "Batch": "mangrove.s3.batch",
    "Connection": "mangrove.s3.connection",
    "Handle": "mangrove.s3.handle",
    "MemoryStore": "mangrove.s3.engines.memory",
    "Mock": "mangrove.s3.mock",
    "Outcome": "mangrove.s3.outcome",
    "Progress": "mangrove.s3.outcome",
}


def __getattr__(name: str) -> Any:
    # PEP 562: the pure parts of the room are importable without botocore.
    home = _HOMES.get(name)
    if home is None:
        text = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(text)
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
