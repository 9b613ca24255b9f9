"""Tell whether somebody's own event handlers take part in a client's calls: who goes past the client must know."""

from __future__ import annotations

from typing import Any

__all__ = ["foreign_handlers", "is_active"]

# What happens to a call on its way, as botocore names it; `before-parse` and `response-received` come with the answer.
_ON_THE_WAY = (
    "provide-client-params before-parameter-build before-call request-created choose-signer before-sign before-send "
    "response-received before-parse needs-retry after-call after-call-error"
).split()
_OWN = ("botocore", "boto3", "mangrove")


def foreign_handlers(client: Any, operation: str) -> list[Any] | None:
    """Return the handlers of an operation's calls that are neither botocore's nor ours, or None if nobody can tell.

    Args:
        client: a botocore client.
        operation: botocore's name of the operation, such as "PutObject".
    """
    handlers = getattr(getattr(client.meta.events, "_emitter", None), "_handlers", None)
    if handlers is None:
        return None
    service = client.meta.service_model.service_id.hyphenize()
    found = [each for event in _ON_THE_WAY for each in handlers.prefix_search(f"{event}.{service}.{operation}")]
    return [each for each in found if _home(each).partition(".")[0] not in _OWN]


def _home(handler: Any) -> str:
    return getattr(handler, "__module__", None) or type(handler).__module__


def is_active(handler: Any) -> bool:
    """Return whether a handler does anything: one that can be switched off says so by its `enabled`, as moto's do."""
    return bool(getattr(handler, "enabled", True))
