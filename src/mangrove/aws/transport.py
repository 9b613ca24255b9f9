"""One HTTP pool for all accounts: requests are signed one by one, so a connection has no owner.

A hundred accounts in 34 regions are 3,400 clients and 34 hosts. botocore gives each client a pool of its own, and loads
the CA bundle into the TLS context at every connection. Here clients with equal settings share one pool, and its TLS
context loads the bundle once. Nothing of a request stays in a pool: it keeps no cookies and follows no redirects.
"""

from __future__ import annotations

import copy
import os
import re
import threading
import weakref
from typing import Any

from botocore.exceptions import HTTPClientError, IncompleteReadError
from botocore.httpsession import get_cert_path
from urllib3 import PoolManager

from mangrove._concurrency import Once, in_child
from mangrove.aws._botocore import URLLib3Session
from mangrove.aws.faults import forget_request
from mangrove.aws.kept import exchange, is_plain, split_url

__all__ = ["SharedTransport", "bundle_stamp", "freeze", "share", "transports"]


def _hosts() -> int:
    """Return for how many hosts connections are kept: a quarter of the files that a process may open.

    urllib3's 10 would throw the first of 34 regions out again; S3 alone may have a host for each bucket.
    """
    try:
        import resource  # noqa: PLC0415  not on every system
    except ImportError:
        return 128
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 1024 if limit == resource.RLIM_INFINITY else max(16, min(limit // 4, 1024))


_NO_BODY = (204, 304)
_LENGTH = re.compile(r"[0-9]{1,18}\Z")
# Connections kept to one host, for all clients together; a client's own number is for that client alone.
_CONNECTIONS = 256


class SharedTransport(URLLib3Session):
    """Be botocore's HTTP session for all clients of equal settings; closing it for one closes it for none.

    Args:
        settings: the arguments of botocore's session, by name.
    """

    _manager: Any
    _proxy_managers: dict[str, Any]

    def __init__(self, **settings: Any) -> None:
        wanted: int = settings["max_pool_connections"]
        self._context: Any = None
        self._trust = Once[bool]()
        self._loaded: Any = None
        # Weak: a pool that its manager has let go is closed when nobody holds it.
        self._pools: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
        super().__init__(**{**settings, "max_pool_connections": max(wanted, _CONNECTIONS)})

    def _get_pool_manager_kwargs(self, **extra_kwargs: Any) -> dict[str, Any]:
        kwargs: dict[str, Any] = super()._get_pool_manager_kwargs(**extra_kwargs)
        # One context for all hosts; those that botocore makes for proxies have a trust of their own.
        self._context = self._context or kwargs["ssl_context"]
        return {"num_pools": _hosts(), **kwargs, "ssl_context": self._context}

    def _setup_ssl_cert(self, conn: Any, url: str, verify: Any) -> None:
        super()._setup_ssl_cert(conn, url, verify)
        bundle = conn.ca_certs
        # Into the context, at the first connection; urllib3 would load it again for each.
        if bundle is not None and self._trust.get(lambda: self._load(bundle)) and self._loaded == bundle_stamp(bundle):
            conn.ca_certs = None

    def _load(self, bundle: str) -> bool:
        self._loaded = bundle_stamp(bundle)
        try:
            self._context.load_verify_locations(cafile=bundle)
        except OSError:
            return False  # missing or damaged: urllib3 says so when it comes to it
        return True

    def send(self, request: Any) -> Any:
        """Send a request and return its answer; see botocore."""
        found = split_url(request.url) if self._is_direct() and is_plain(request) else None
        if found is None:
            return self._send(request)
        origin, target = found
        pool = self._pools.get(origin)
        answer = exchange(pool, request, target, self._timeout.read_timeout) if pool is not None else None
        if answer is None:
            answer = self._send(request)
            if pool is None:
                self._pools.setdefault(origin, self._manager.connection_from_url(origin))
        return answer

    def _send(self, request: Any) -> Any:
        try:
            answer = super().send(request)
        except HTTPClientError as error:
            forget_request(error)
            raise
        if not request.stream_output:
            _check_length(request, answer)
        return answer

    def _is_direct(self) -> bool:
        return not self._proxy_config._proxies and self._timeout.read_timeout != 0

    def close(self) -> None:
        """Do nothing: other clients use the same connections, and later ones will."""

    def start_anew(self) -> Any:
        """Forget all connections and locks, closing none, and return them: what a child process needs."""
        old = self._manager, self._proxy_managers, self._pools
        self._trust, self._pools, self._proxy_managers = Once[bool](), weakref.WeakValueDictionary(), {}
        self._manager = PoolManager(_hosts(), **self._manager.connection_pool_kw)  # with the TLS context there is
        self._manager.pool_classes_by_scheme = self._pool_classes_by_scheme
        return old

    def close_for_all(self) -> None:
        """Close the idle connections, for all clients."""
        super().close()


_shared: weakref.WeakValueDictionary[Any, SharedTransport] = weakref.WeakValueDictionary()
_guard = threading.Lock()


def _check_length(request: Any, answer: Any) -> None:
    """Refuse an answer that was cut short; botocore takes it for the whole, and a list without its end for none."""
    length = answer.headers.get("Content-Length", "")
    if request.method == "HEAD" or answer.status_code in _NO_BODY or not _LENGTH.match(length):
        return
    if "Transfer-Encoding" not in answer.headers and len(answer.content) < int(length):
        raise IncompleteReadError(actual_bytes=len(answer.content), expected_bytes=int(length))


def share(session: Any) -> Any:
    """Return the transport that all clients of this session's settings share.

    Args:
        session: what botocore has made for one client. It is returned itself if its settings can't be compared.
    """
    if type(session) is not URLLib3Session:
        return session  # a class of somebody's own
    settings = copy.deepcopy(_settings(session))
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


_inherited: list[Any] = []


@in_child
def _after_fork() -> None:
    global _guard  # noqa: PLW0603  a thread of the parent may have held it
    # Clients made before the fork go on with connections of their own. Not closed: the sockets are the parent's too.
    _inherited.extend(each.start_anew() for each in list(_shared.values()))
    _guard = threading.Lock()


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


def bundle_stamp(verify: Any) -> Any:
    """Return what changes with a bundle of certificates: another bundle is another trust.

    Args:
        verify: botocore's argument: a path, True or None for the default, False for no verification.
    """
    if verify is False:
        return None
    try:
        path: Any = get_cert_path(True if verify is None else verify)
        found = os.stat(path)  # noqa: PTH116  a path as the user wrote it
    except (OSError, TypeError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _key(settings: dict[str, Any]) -> Any:
    return bundle_stamp(settings["verify"]), tuple((name, freeze(value)) for name, value in settings.items())


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
        # botocore tells the one from the other.
        return type(value).__name__, tuple(freeze(item) for item in value)
    return value
