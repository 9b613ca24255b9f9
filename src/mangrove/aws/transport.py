"""One HTTP pool for all accounts: requests are signed one by one, so a connection has no owner.

A hundred accounts in 34 regions are 3,400 clients and 34 hosts. botocore gives each client a pool of its own, and loads
the CA bundle into the TLS context at every connection. Here clients with equal settings share one pool, and its TLS
context loads the bundle once. Nothing of a request stays in a pool: it keeps no cookies and follows no redirects.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

from mangrove._concurrency import Once
from mangrove.aws._botocore import URLLib3Session

__all__ = ["SharedTransport", "share", "transports"]

# A pool per host is kept for this many hosts; urllib3's 10 would throw the first of 34 regions out again.
_HOSTS = 2048
# Connections kept to one host, for all clients together; a client's own number is for that client alone.
_CONNECTIONS = 256


class SharedTransport(URLLib3Session):
    """Be botocore's HTTP session for all clients of equal settings; closing it for one closes it for none.

    Args:
        settings: the arguments of botocore's session, by name.
    """

    def __init__(self, **settings: Any) -> None:
        wanted: int = settings["max_pool_connections"]
        self._context: Any = None
        self._trust = Once[bool]()
        super().__init__(**{**settings, "max_pool_connections": max(wanted, _CONNECTIONS)})

    def _get_pool_manager_kwargs(self, **extra_kwargs: Any) -> dict[str, Any]:
        kwargs: dict[str, Any] = super()._get_pool_manager_kwargs(**extra_kwargs)
        # One context for all hosts; those that botocore makes for proxies have a trust of their own.
        self._context = self._context or kwargs["ssl_context"]
        return {"num_pools": _HOSTS, **kwargs, "ssl_context": self._context}

    def _setup_ssl_cert(self, conn: Any, url: str, verify: Any) -> None:
        super()._setup_ssl_cert(conn, url, verify)
        bundle = conn.ca_certs
        # Into the context, at the first connection; urllib3 would load it again for each.
        if bundle is not None and self._trust.get(lambda: self._load(bundle)):
            conn.ca_certs = None

    def _load(self, bundle: str) -> bool:
        try:
            self._context.load_verify_locations(cafile=bundle)
        except OSError:
            return False  # missing or damaged: urllib3 says so when it comes to it
        return True

    def close(self) -> None:
        """Do nothing: other clients use the same connections; they close when the last client is gone."""

    def close_for_all(self) -> None:
        """Close the idle connections, for all clients."""
        super().close()


_shared: weakref.WeakValueDictionary[Any, SharedTransport] = weakref.WeakValueDictionary()
_guard = threading.Lock()


def share(session: Any) -> Any:
    """Return the transport that all clients of this session's settings share.

    Args:
        session: what botocore has made for one client. It is returned itself if its settings can't be compared.
    """
    settings = _settings(session)
    try:
        key = _key(settings)
        hash(key)
    except TypeError:
        return session
    with _guard:
        found = _shared.get(key)
        if found is None:
            found = _shared[key] = SharedTransport(**settings)
        return found


def transports() -> list[SharedTransport]:
    """Return the transports that are in use."""
    with _guard:
        return list(_shared.values())


def _settings(session: Any) -> dict[str, Any]:
    timeout = session._timeout
    certificate = (session._cert_file, session._key_file) if session._key_file else session._cert_file
    return {
        "verify": session._verify,
        "proxies": session._proxy_config._proxies,
        "timeout": (timeout._connect, timeout._read),
        "max_pool_connections": session._max_pool_connections,
        "socket_options": session._socket_options or None,
        "client_cert": certificate,
        "proxies_config": session._proxy_config.settings or None,
    }


def _key(settings: dict[str, Any]) -> Any:
    return tuple((name, freeze(value)) for name, value in settings.items())


def freeze(value: Any) -> Any:
    """Return a value that can be a key, equal for equal dicts and lists.

    Raises:
        TypeError: something in it can't be compared by value.

    Example:
        >>> freeze({"mode": "standard"}) == freeze({"mode": "standard"})
        True
    """
    if isinstance(value, dict):
        return tuple(sorted((str(name), freeze(item)) for name, item in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    return value
