"""Be an S3 in this process's memory, in the place of the real one: for a mock, or for good."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from mangrove.s3.backend import Backend
from mangrove.s3.rules.policy import Policy
from mangrove.s3.running.performing import Settings

if TYPE_CHECKING:
    from mangrove.s3.engines.memory import MemoryStore

__all__ = ["StandIn", "let_go"]


class StandIn:
    """Serve a connection from memory; in the child of a fork by a thread of the child's own.

    Args:
        store: what holds the objects; None makes an empty one.
        region: where buckets are made.
        settings: how objects are moved.
        policy: when what failed is tried again.

    Attributes:
        token: stands for it where it must not be kept alive.
    """

    def __init__(self, store: MemoryStore | None, region: str, settings: Settings, policy: Policy) -> None:
        from mangrove.s3.engines.memory import MemoryStore as Store  # noqa: PLC0415  for tests alone

        self.token = object()
        self.store = Store() if store is None else store
        self._region, self._settings, self._policy = region, settings, policy
        self._backend: Backend | None = None
        self._ending: weakref.finalize[Any, Any] | None = None
        self._lock = threading.Lock()

    @property
    def backend(self) -> Backend:
        """Return what serves the calls."""
        found = self._backend
        if found is None or found.process != os.getpid():
            with self._lock:
                found = self._backend
                if found is None or found.process != os.getpid():
                    found = self._backend = self._make()
                    self._ending = weakref.finalize(self, let_go, found)
        return found

    def _make(self) -> Backend:
        from mangrove.s3.engines.memory import MemoryEngine  # noqa: PLC0415  for tests alone
        from mangrove.s3.mocking import memory_client  # noqa: PLC0415

        client = memory_client(self.store, region_name=self._region)
        return Backend(client, MemoryEngine(self.store, region_name=self._region), self._settings, self._policy)

    def close(self) -> None:
        """End its thread; what is stored stays, for whoever comes back."""
        with self._lock:
            found, self._backend = self._backend, None
            if self._ending is not None:
                self._ending.detach()
        if found is not None:
            let_go(found)


def let_go(backend: Backend) -> None:
    """Close what serves calls; in the child of a fork, connections and threads are the parent's.

    Args:
        backend: what is not needed any more.
    """
    if backend.process == os.getpid():
        backend.close()
