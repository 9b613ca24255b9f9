"""Open connections as a client's own transport would, with its TLS, trust, proxies and time-outs."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    SSLError,
)
from urllib3 import exceptions as urllib3_errors
from urllib3.util.ssl_match_hostname import CertificateError

__all__ = ["Sockets", "sockets_of"]


class Sockets:
    """Open sockets to hosts, connected and their TLS established.

    Args:
        session: the HTTP session of a botocore client.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    @property
    def read_timeout(self) -> float | None:
        """Return how many seconds to wait for bytes; None is for ever."""
        timeout: float | None = self._session._timeout.read_timeout
        return timeout

    def is_direct(self, origin: str) -> bool:
        """Return whether a request to this origin goes to its host itself, if through a tunnel: not to a proxy.

        A tunnel through a proxy that speaks TLS itself is none: its TLS inside TLS is no socket.

        Args:
            origin: such as "https://bucket.s3.eu-west-1.amazonaws.com".
        """
        proxy = self._session._proxy_config.proxy_url_for(origin)
        return not proxy or (origin.startswith("https:") and not proxy.lower().startswith("https:"))

    def open(self, origin: str) -> Any:
        """Return a connected socket.

        Args:
            origin: such as "https://bucket.s3.eu-west-1.amazonaws.com".

        Raises:
            botocore.exceptions.HTTPClientError: there is none; a subclass says why, as a call would.
        """
        session = self._session
        proxy = session._proxy_config.proxy_url_for(origin)
        pool = session._get_connection_manager(origin, proxy).connection_from_url(origin)
        session._setup_ssl_cert(pool, origin, session._verify)
        connection = pool._new_conn()
        try:
            if proxy:
                pool._prepare_proxy(connection)
            else:
                connection.connect()
        except Exception as error:
            connection.close()
            raise _botocores(error, origin, proxy) from error
        # The connection is thrown away; its socket goes on.
        found, connection.sock = connection.sock, None
        return found


def _botocores(error: Exception, origin: str, proxy: str | None) -> Exception:
    """Return what botocore's own transport raises for an error."""
    # urllib3's pool would have given these its own classes.
    if isinstance(error, (urllib3_errors.SSLError, ssl.SSLError, CertificateError)):
        return SSLError(endpoint_url=origin, error=error)
    if isinstance(error, (urllib3_errors.NewConnectionError, socket.gaierror)):
        return EndpointConnectionError(endpoint_url=origin, error=error)
    if isinstance(error, urllib3_errors.ProxyError) or (proxy and type(error) is OSError):
        # The proxy's address may hold a password.
        return ProxyConnectionError(proxy_url=(proxy or "").rpartition("@")[2], error=error)
    if isinstance(error, (urllib3_errors.ConnectTimeoutError, TimeoutError)):
        return ConnectTimeoutError(endpoint_url=origin, error=error)
    return HTTPClientError(error=error)


def sockets_of(client: Any) -> Sockets | None:
    """Return what opens connections as this client does, or None if its transport is not botocore's.

    Args:
        client: a botocore client.
    """
    session = getattr(getattr(client, "_endpoint", None), "http_session", None)
    needed = ("_timeout", "_proxy_config", "_get_connection_manager", "_setup_ssl_cert", "_verify")
    return Sockets(session) if all(hasattr(session, name) for name in needed) else None
