"""Tell whether somebody's own event handlers take part in a client's calls: who goes past the client must know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["foreign_handlers", "is_active"]

# What happens to a call on its way, as botocore names it; `before-parse` and `response-received` come with the answer.
_ON_THE_WAY = (
    "provide-client-params before-parameter-build before-endpoint-resolution before-call request-created choose-signer "
    "before-sign before-send response-received before-parse needs-retry after-call after-call-error"
).split()
_OWN = ("botocore", "boto3", "mangrove")


def foreign_handlers(client: Any, operations: Iterable[str]) -> list[Any] | None:
    """Return the handlers of some operations' calls that are neither botocore's nor ours, or None if nobody can tell.

    Args:
        client: a botocore client.
        operations: botocore's names of them, such as "PutObject".
    """
    handlers = getattr(getattr(client.meta.events, "_emitter", None), "_handlers", None)
    if handlers is None:
        return None
    service = client.meta.service_model.service_id.hyphenize()
    names = [f"{event}.{service}.{operation}" for operation in operations for event in _ON_THE_WAY]
    found = {id(each): each for name in names for each in handlers.prefix_search(name)}
    return [each for each in found.values() if _home(each).partition(".")[0] not in _OWN]


def _home(handler: Any) -> str:
    return getattr(handler, "__module__", None) or type(handler).__module__


def is_active(handler: Any) -> bool:
    """Return whether a handler does anything: one that can be switched off says so by its `enabled`, as moto's do."""
    return bool(getattr(handler, "enabled", True))
