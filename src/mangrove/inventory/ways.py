"""Know of a list what boto3's collections do not say: how many calls it took, and how long its pages may be."""

from __future__ import annotations

import threading
from typing import Any

from mangrove.errors import MangroveError

__all__ = ["Watch", "page_size_of"]

_LIMITS = ("MaxResults", "MaxItems", "MaxBuckets", "Limit", "limit")


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


def page_size_of(holder: Any, name: str, wanted: int | None) -> int | None:
    """Return how many items to ask a collection for at once: what is wanted, or fewer if its operation takes fewer.

    Args:
        holder: the resource, or the service.
        name: the collection.
        wanted: how many are wanted; None leaves it to AWS.

    Raises:
        MangroveError: the holder has no collection of that name.
    """
    known = next((one for one in holder.meta.resource_model.collections if one.name == name), None)
    if known is None:
        text = f"{type(holder).__name__} has no collection {name!r}"
        raise MangroveError(text)
    shape = holder.meta.client.meta.service_model.operation_model(known.request.operation).input_shape
    inputs = shape.members if shape else {}
    limit = next((inputs[each] for each in _LIMITS if each in inputs), None)
    if wanted is None or limit is None:
        return None
    most = limit.metadata.get("max")
    return min(wanted, most) if most else wanted
