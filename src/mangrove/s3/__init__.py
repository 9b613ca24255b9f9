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
    from mangrove.s3.cluster import Cluster
    from mangrove.s3.connection import Connection
    from mangrove.s3.dask import Operation, spread
    from mangrove.s3.engines.memory import MemoryStore
    from mangrove.s3.jobs import batch_operations
    from mangrove.s3.mock import Mock
    from mangrove.s3.outcome import Outcome, Progress
    from mangrove.s3.recipe import Recipe
    from mangrove.s3.running.handle import Handle

__all__ = [
    "Batch",
    "Cluster",
    "Connection",
    "Handle",
    "MemoryStore",
    "Mock",
    "Operation",
    "Outcome",
    "Progress",
    "Recipe",
    "batch_operations",
    "spread",
]

_HOMES = {
    "Batch": "mangrove.s3.batch",
    "Cluster": "mangrove.s3.cluster",
    "Connection": "mangrove.s3.connection",
    "Handle": "mangrove.s3.running.handle",
    "MemoryStore": "mangrove.s3.engines.memory",
    "Mock": "mangrove.s3.mock",
    "Operation": "mangrove.s3.dask",
    "Outcome": "mangrove.s3.outcome",
    "Progress": "mangrove.s3.outcome",
    "Recipe": "mangrove.s3.recipe",
    "batch_operations": "mangrove.s3.jobs",
    "spread": "mangrove.s3.dask",
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
