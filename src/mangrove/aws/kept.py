"""Send a small request over a connection that is open and idle: the common case of a fleet, without urllib3's ceremony.

Connecting, TLS, proxies, streams and whatever else is unusual stay botocore's and urllib3's own; here a connection is
borrowed from urllib3's pool for one exchange of whole messages, and given back.
"""

from __future__ import annotations

import http.client
import io
import logging
import queue
import re
import ssl
from types import FunctionType
from typing import Any

from botocore.exceptions import ConnectionClosedError, HTTPClientError, IncompleteReadError, ReadTimeoutError, SSLError
from urllib3._collections import HTTPHeaderDict
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.response import HTTPResponse
from urllib3.util.connection import is_connection_dropped

from mangrove.aws._botocore import AWSHTTPConnection, AWSHTTPSConnection, AWSResponse, URLLib3Session
from mangrove.aws.headers import QuickHeadersDict
from mangrove.aws.wire import Answer, CutShortError, read_answer, request_head

__all__ = ["WholeResponse", "exchange", "is_plain", "split_url"]

# What urllib3 leaves as it is; anything else it would quote first. Of a path botocore drops what stands behind a
# semicolon, and an empty query.
_URL = re.compile(
    r"(https?://[A-Za-z0-9.\-]+(?::[0-9]+)?)"
    r"(/(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-F]{2})*(?:\?(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-F]{2})+)?)\Z"
)
# A larger body goes after the head, which spares a copy of it.
_SMALL = 1 << 16
# Where tracers (Sentry, New Relic, OpenTelemetry), recorders and tests take hold of a request.
_OF_CONNECTIONS = ("request", "putrequest", "send", "getresponse")
_WAY = ("urlopen",), _OF_CONNECTIONS, _OF_CONNECTIONS, ("send",)
_FILES = frozenset(
    each.__code__.co_filename
    for each in (
        HTTPConnectionPool._get_conn,
        HTTPConnection._new_conn,
        http.client.HTTPConnection.connect,
        AWSHTTPConnection._consume_headers,
        URLLib3Session._path_url,
    )
)
_log = logging.getLogger("urllib3.connectionpool")


class WholeResponse(AWSResponse):
    """Be botocore's response, all of whose bytes have arrived."""

    def __init__(self, url: str, answer: Answer) -> None:
        self.url = url
        self.status_code = answer.status
        self.headers = QuickHeadersDict.joined(answer.fields)
        self._content = answer.body
        self._answer = answer
        self._raw: Any = None

    @property
    def raw(self) -> Any:
        """Return urllib3's response, its body read, for handlers that look at it."""
        if self._raw is None:
            self._raw = HTTPResponse(
                io.BytesIO(),
                headers=HTTPHeaderDict(self._answer.fields),
                status=self.status_code,
                version=11,
                reason=self._answer.reason,
                preload_content=False,
                decode_content=False,
                enforce_content_length=False,
            )
        return self._raw

    @raw.setter
    def raw(self, value: Any) -> None:
        self._raw = value


def split_url(url: str) -> tuple[str, str] | None:
    """Return a URL's origin and its target, or None if one of them would have to be quoted first.

    Example:
        >>> split_url("https://sts.amazonaws.com/?Action=GetCallerIdentity")
        ('https://sts.amazonaws.com', '/?Action=GetCallerIdentity')
    """
    found = _URL.match(url)
    return (found[1], found[2]) if found else None


def is_plain(request: Any) -> bool:
    """Return whether a request and its answer are whole messages under the transport's own settings.

    Args:
        request: a `botocore.awsrequest.AWSPreparedRequest`.
    """
    body, context = request.body, getattr(request, "context", None)
    return (
        not request.stream_output
        and (body is None or type(body) is bytes or (type(body) is str and body.isascii()))
        and not (context and context.get("read_timeout") is not None)
        # urllib3 logs each request; so it does it.
        and not _log.isEnabledFor(logging.DEBUG)
    )


def exchange(pool: Any, request: Any, target: str, timeout: float | None) -> WholeResponse | None:
    """Send a request over an idle connection of the pool and return the answer, or None if there is no such connection.

    Args:
        pool: a urllib3 connection pool.
        request: a `botocore.awsrequest.AWSPreparedRequest` that `is_plain`.
        target: path and query of its URL.
        timeout: seconds to wait for the server; None waits for ever.

    Raises:
        botocore.exceptions.HTTPClientError: as botocore's transport raises it.
    """
    if _is_watched(pool):
        return None
    connection = _borrow(pool)
    if connection is None:
        return None
    message = _message(request, target, connection)
    if message is None:
        pool._put_conn(connection)
        return None
    pool.num_requests += 1
    kept = None
    try:
        answer = _exchange(connection.sock, message, request, timeout)
        if answer.reusable and not _has_more(connection.sock):
            kept = connection
    except Exception as error:
        raise _botocores(error, request) from error
    finally:
        if kept is None:
            connection.close()
        pool._put_conn(kept)
    return WholeResponse(request.url, answer)


def _botocores(error: Exception, request: Any) -> Exception:
    """Return what botocore's own transport raises for an error."""
    url = request.url
    if isinstance(error, CutShortError):
        # botocore takes the part for the whole. It must not be sent again: what was asked for is done.
        read = len(error.partial)
        return IncompleteReadError(actual_bytes=read, expected_bytes=read + (error.expected or 0))
    if isinstance(error, ssl.SSLError):
        return SSLError(endpoint_url=url, error=error)
    if isinstance(error, TimeoutError):
        return ReadTimeoutError(endpoint_url=url, error=error)
    if isinstance(error, (OSError, http.client.HTTPException)):
        return ConnectionClosedError(error=error, endpoint_url=url)
    return HTTPClientError(error=error)


def _has_more(sock: Any) -> bool:
    """Return whether bytes have come that TLS has deciphered and nobody has read; `select` does not see them."""
    pending = getattr(sock, "pending", None)
    return bool(pending and pending())


def _is_watched(pool: Any) -> bool:
    """Return whether somebody has put a function of his own on a request's way: a tracer, a recorder, a test."""
    kinds = pool.__class__, pool.ConnectionCls, http.client.HTTPConnection, URLLib3Session
    return any(not _is_own(getattr(kind, name)) for kind, names in zip(kinds, _WAY, strict=True) for name in names)


def _is_own(function: Any) -> bool:
    return type(function) is FunctionType and function.__code__.co_filename in _FILES


def _borrow(pool: Any) -> Any:
    """Take an open, idle connection of botocore's own kind out of the pool; or None, and leave the pool as it was."""
    try:
        connection = pool.pool.get(block=False)
    except (AttributeError, queue.Empty):  # the pool is closed, or everything is in use
        return None
    if (
        type(connection) in (AWSHTTPConnection, AWSHTTPSConnection)
        and connection.sock is not None
        and not connection.debuglevel
        # urllib3 warns of one that is not verified, at every request.
        and (connection.is_verified or type(connection) is AWSHTTPConnection)
        and not is_connection_dropped(connection)
    ):
        return connection
    pool._put_conn(connection)
    return None


def _message(request: Any, target: str, connection: Any) -> bytes | None:
    host = connection.host
    if ":" in host:
        return None
    if connection.port != connection.default_port:
        host = f"{host}:{connection.port}"
    return request_head(request.method, target, host, request.headers.items(), has_body=bool(request.body))


def _exchange(sock: Any, head: bytes, request: Any, timeout: float | None) -> Answer:
    body = request.body or b""
    if type(body) is str:
        body = body.encode("ascii")
    sock.settimeout(timeout)
    try:
        if len(body) <= _SMALL:
            sock.sendall(head + body)
        else:
            sock.sendall(head)
            sock.sendall(body)
    except (BrokenPipeError, ConnectionResetError):
        pass  # a server may answer, and close, before it has read everything
    return read_answer(sock.recv, request.method)
