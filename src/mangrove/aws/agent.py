"""Build a user agent once: botocore writes it twice for every request, from forty parts, and it hardly ever changes."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from mangrove.aws._botocore import UserAgentString, get_context, useragent

__all__ = ["RememberingAgent"]

_MOST = 512
_known: dict[Hashable, str] = {}
# What of a client's configuration botocore writes into the user agent.
_OF_CONFIG = ("_supplied_user_agent", "user_agent", "user_agent_extra", "user_agent_appid")


class RememberingAgent(UserAgentString):
    """Be botocore's builder of user agents, and remember what it has built from the same parts."""

    def to_string(self) -> str:
        """Return the user agent; see botocore."""
        key = self._key()
        found = _known.get(key)
        if found is None:
            if len(_known) >= _MOST:
                _known.clear()
            found = _known[key] = super().to_string()
        return found

    def _key(self) -> Hashable:
        config, context = self._client_config, get_context()
        parts: dict[str, Any] = {name: value for name, value in vars(self).items() if name != "_client_config"}
        features = parts.pop("_client_features", None)
        retries = getattr(config, "retries", None) or {}
        return (
            tuple(parts.values()),
            frozenset(features or ()),
            frozenset(context.features) if context is not None else None,
            None if config is None else tuple(getattr(config, name, None) for name in _OF_CONFIG),
            (bool(retries), retries.get("mode"), getattr(config, "endpoint_discovery_enabled", None)),
            hasattr(config, "_supplied_user_agent"),
            # Others hang their own function here.
            getattr(useragent, "modify_components", None),
        )
