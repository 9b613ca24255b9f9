"""An S3 in memory: for users' unit tests, and for `mock()`."""

from __future__ import annotations

from mangrove.s3.engines.memory.engine import MemoryEngine
from mangrove.s3.engines.memory.store import MemoryStore

__all__ = ["MemoryEngine", "MemoryStore"]
