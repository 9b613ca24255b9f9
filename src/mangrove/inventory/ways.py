"""Know of a collection what boto3 does not say: whether it gives all pages, and what its items can hold."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mangrove.errors import MangroveError

__all__ = ["TOKENS", "Watch", "Way", "way_of"]

# How an answer says that there is more, where botocore has no paginator; the input is called the same.
TOKENS = ("NextToken", "nextToken", "NextMarker", "Marker", "marker", "position")
_LIMITS = ("MaxResults", "MaxItems", "MaxBuckets", "Limit", "limit")


class Watch(threading.local):
    """Count the requests of the current thread, and keep its last answer."""

    # All threads' one: botocore's emitters are not for several at once.
    _guard = threading.Lock()
    calls = 0
    answer: Mapping[str, Any] = {}

    def on(self, client: Any) -> None:
        """Watch a client, once however often it is asked for."""
        # One event for each request that is built, retries included; the id makes registering twice the same as once.
        with self._guard:
            client.meta.events.register("request-created", self._sent, unique_id="mangrove-inventory-calls")
            client.meta.events.register("after-call", self._answered, unique_id="mangrove-inventory-answer")

    def _sent(self, **_event: Any) -> None:
        self.calls += 1

    def _answered(self, parsed: Any = None, **_event: Any) -> None:
        self.answer = parsed or {}


@dataclass(frozen=True, slots=True)
class Way:
    """Be how a collection is read.

    Args:
        paginated: whether botocore has a paginator for its operation; boto3 gives one page where it has none.
        inputs: the members of the operation's input.
        members: the members that an item of the answer can have; None where that is not known.
    """

    paginated: bool
    inputs: Mapping[str, Any]
    members: frozenset[str] | None

    def page_size(self, wanted: int | None) -> int | None:
        """Return how many items to ask for at once: what is wanted, or fewer if the operation takes fewer."""
        limit = next((self.inputs[name] for name in _LIMITS if name in self.inputs), None)
        if wanted is None or limit is None:
            return None
        most = limit.metadata.get("max")
        return min(wanted, most) if most else wanted

    def may_hold(self, path: str, data: Any) -> bool:
        """Say whether a list tells a member: an item without it then has none of it.

        Args:
            path: a JMESPath to the member.
            data: the item; None where the list gave no more than what identifies it.
        """
        head = re.split(r"[.\[ |]", path)[0]
        return data is None or head in data or self.members is None or head in self.members


def way_of(holder: Any, name: str) -> Way:
    """Return how a collection of a resource is read.

    Args:
        holder: the resource, or the service.
        name: the collection.

    Raises:
        MangroveError: it has none of that name.
    """
    client = holder.meta.client
    known = next((one for one in holder.meta.resource_model.collections if one.name == name), None)
    if known is None:
        text = f"{type(holder).__name__} has no collection {name!r}"
        raise MangroveError(text)
    called = known.request.operation
    operation = client.meta.service_model.operation_model(called)
    methods = (method for method, api in client.meta.method_to_api_mapping.items() if api == called)
    return Way(
        paginated=any(map(client.can_paginate, methods)),
        inputs=operation.input_shape.members if operation.input_shape else {},
        members=_members(operation.output_shape, known.resource.path),
    )


def _members(shape: Any, path: str | None) -> frozenset[str] | None:
    """Return the members of a list's items, by the path to them, such as `Reservations[].Instances[]`."""
    for part in (path or "").split("."):
        name = part.removesuffix("[]")
        if shape is None or shape.type_name != "structure" or name not in shape.members:
            return None
        shape = shape.members[name]
        while shape.type_name == "list":
            shape = shape.member
    return frozenset(shape.members) if shape.type_name == "structure" else None
