"""Know of a list what boto3's collections do not say: how many calls it took."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["Watch"]


class Watch(threading.local):
    """Count the requests of the current thread."""

    # All threads' one: botocore's emitters are not for several at once.
    _guard = threading.Lock()
    calls = 0

    def on(self, client: Any) -> None:
        """Watch a client, once however often it is asked for."""
        # One event for each request that is built, retries included; the id makes registering twice the same as once.
        with self._guard:
            client.meta.events.register("request-created", self._sent, unique_id="mangrove-inventory-calls")

    def _sent(self, **_event: Any) -> None:
        self.calls += 1
