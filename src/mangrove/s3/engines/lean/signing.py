"""Sign requests with signature version 4 in a few microseconds: the day's key and the second's date are made once."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any

__all__ = ["EMPTY", "UNSIGNED", "Signer"]

EMPTY = sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
_TERMINATOR = "aws4_request"
_OWN = ("host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token")
_TOKEN = 3
# The second, its date, the scope, and the two halves of the HMAC with the day's key.
_Ticked = tuple[int, str, str, Any, Any]
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


class Signer:
    """Sign for one set of credentials, region and service.

    Args:
        credentials: frozen credentials of botocore: `access_key`, `secret_key`, `token`.
        region: the region of the scope.
        service: the signing name, "s3" almost always.
        now: the time, in seconds since 1970.
    """

    __slots__ = (
        "_access_key",
        "_now",
        "_region",
        "_secret",
        "_service",
        "_ticked",
        "token",
    )

    def __init__(self, credentials: Any, region: str, service: str, now: Callable[[], float] = time.time) -> None:
        self._access_key: str = credentials.access_key
        self._secret: str = credentials.secret_key
        self.token: str | None = credentials.token
        self._region, self._service, self._now = region, service, now
        # Many threads sign at once: what a second's signatures share is replaced as a whole, never changed.
        self._ticked: _Ticked | None = None

    def __repr__(self) -> str:
        return f"<Signer for {self._service} in {self._region}>"

    def _tick(self, second: int) -> _Ticked:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        day, before = stamp[:8], self._ticked
        if before is not None and before[1][:8] == day:
            ticked = (second, stamp, *before[2:])
        else:
            key = f"AWS4{self._secret}".encode()
            for part in (day, self._region, self._service, _TERMINATOR):
                key = hmac.digest(key, part.encode(), "sha256")
            # HMAC's two halves, with the key already in them: OpenSSL would look the algorithm up for each request.
            block = key.ljust(64, b"\0")
            scope = f"{day}/{self._region}/{self._service}/{_TERMINATOR}"
            ticked = second, stamp, scope, sha256(block.translate(_INNER)), sha256(block.translate(_OUTER))
        self._ticked = ticked
        return ticked

    def fields(self, method: str, path: str, query: str, host: str, fields: list[tuple[str, str]], payload: str) -> str:
        """Return the header's lines of a request, each with its end: those given and those that sign them.

        Args:
            method: the HTTP method.
            path: the whole path, quoted once, as it is sent.
            query: the query, its names sorted, as it is sent.
            host: the value of the Host field.
            fields: lower-case names and values, no name twice.
            payload: the body's SHA-256 in hexadecimal, or `UNSIGNED`.
        """
        second = int(self._now())
        ticked = self._ticked
        if ticked is None or second != ticked[0]:
            ticked = self._tick(second)
        _, stamp, scope, inner, outer = ticked
        names, order, lines, sent = _layout(tuple([name for name, _ in fields]), self.token is not None)
        given = (host, payload, stamp, self.token or "", *[value for _, value in fields])
        values = tuple([given[place] for place in order])
        head = sent % values
        trimmed = tuple([_squeezed(value) for value in values]) if "  " in head or "\t" in head else values
        canonical = f"{method}\n{path}\n{query}\n{lines % trimmed}\n{names}\n{payload}"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        inner, outer = inner.copy(), outer.copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return (
            f"{head}authorization: AWS4-HMAC-SHA256 Credential={self._access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={outer.hexdigest()}\r\n"
        )


@lru_cache(maxsize=1024)
def _layout(more: tuple[str, ...], with_token: bool) -> tuple[str, tuple[int, ...], str, str]:  # noqa: FBT001  a key
    """Return what requests with the same names share: the names, the order of their values, and two forms for these."""
    named = sorted((name, place) for place, name in enumerate((*_OWN, *more)) if with_token or place != _TOKEN)
    names = [name for name, _ in named]
    escaped = [name.replace("%", "%%") for name in names]
    return (
        ";".join(names),
        tuple(place for _, place in named),
        "".join([f"{name}:%s\n" for name in escaped]),
        "".join([f"{name}: %s\r\n" for name in escaped]),
    )


def _squeezed(value: str) -> str:
    return " ".join(value.split()) if "  " in value or "\t" in value else value
