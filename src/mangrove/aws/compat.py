"""Know whether the installed botocore is as mangrove's light clients expect, and do without them where it is not."""

from __future__ import annotations

import inspect
import warnings
from functools import lru_cache
from typing import Any

import botocore
from urllib3.connectionpool import HTTPConnectionPool

from mangrove.aws._botocore import (
    AWSRequestPreparer,
    BaseClient,
    ClientCreator,
    CoreSession,
    Endpoint,
    HierarchicalEmitter,
    RequestSigner,
    URLLib3Session,
)

__all__ = ["give_up", "why_not"]

# What the light copies rely on: (where, the arguments or attributes that must be there).
_EXPECTED: tuple[tuple[Any, frozenset[str]], ...] = (
    (
        BaseClient.__init__,
        frozenset(
            "self serializer endpoint response_parser event_emitter request_signer service_model loader client_config "
            "partition exceptions_factory endpoint_ruleset_resolver user_agent_creator".split()
        ),
    ),
    (
        RequestSigner.__init__,
        frozenset(
            "self service_id region_name signing_name signature_version credentials event_emitter auth_token".split()
        ),
    ),
    (
        Endpoint.__init__,
        frozenset("self host endpoint_prefix event_emitter response_parser_factory http_session".split()),
    ),
)
_METHODS: tuple[tuple[Any, str], ...] = (
    (
        ClientCreator,
        (
            "_load_service_model _create_client_class _register_retries _register_s3_events _register_s3express_events "
            "_register_s3_control_events _register_importexport_events _register_endpoint_discovery"
        ),
    ),
    (
        CoreSession,
        (
            "_resolve_region_name _resolve_defaults_mode _add_configured_endpoint_provider _register_client_plugins "
            "_missing_cred_vars _get_internal_component _register_event_emitter"
        ),
    ),
    (URLLib3Session, "_get_pool_manager_kwargs _get_ssl_context _setup_ssl_cert"),
    (HierarchicalEmitter, "_register_section _verify_accept_kwargs"),
    (AWSRequestPreparer, "prepare _prepare_body _determine_content_length"),
    (Endpoint, "create_request prepare_request _encode_headers"),
    (HTTPConnectionPool, "urlopen _get_conn _put_conn"),
)
_changed: list[str] = []


@lru_cache(maxsize=1)
def _what_has_changed() -> str:
    """Return what of botocore's insides is not as expected, or nothing."""
    for function, expected in _EXPECTED:
        if set(inspect.signature(function).parameters) != expected:
            return f"{function.__qualname__} takes other arguments"
    for owner, names in _METHODS:
        missing = [name for name in names.split() if not hasattr(owner, name)]
        if missing:
            return f"{owner.__name__} has no {', '.join(missing)}"
    return ""


def why_not() -> str:
    """Return why clients are made in botocore's own way in this process, or nothing if they are not."""
    if not _changed and _what_has_changed():
        give_up(_what_has_changed())
    return _changed[0] if _changed else ""


def give_up(reason: str) -> None:
    """Make all further clients of this process in botocore's own way, and say so once.

    Args:
        reason: what was not as expected.
    """
    if not _changed:
        _changed.append(reason)
        text = (
            f"botocore {botocore.__version__} is not as mangrove knows it ({reason}): clients are made in its own "
            "way, slower and larger, with the same answers"
        )
        warnings.warn(text, RuntimeWarning, stacklevel=3)
