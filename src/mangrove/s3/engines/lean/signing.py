"""Sign requests with signature version 4 in a few microseconds: the day's key and the second's date are made once."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

__all__ = ["EMPTY", "UNSIGNED", "Signer"]

EMPTY = sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
_TERMINATOR = "aws4_request"
_OWN = ("host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token")
_MOST_FORMS = 1024
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
# To copy a hash costs half of making one.
_BLANK = sha256()


class _Day(NamedTuple):
    """Be what a day's signatures share: the scope, and the two halves of the HMAC with the day's key."""

    day: str
    scope: str
    inner: Any
    outer: Any


class _Form(NamedTuple):
    """Be what requests of one second with fields of the same names share: texts with places for payload and values.

    Attributes:
        order: which of the payload and the values goes where.
        lines: of the canonical request, from its fields on.
        sent: of the header, up to the signature.
    """

    order: tuple[int, ...]
    lines: str
    sent: str


# The second, its date, its day; the inner half with all that its texts to sign begin with; its forms.
_Ticked = tuple[int, str, _Day, Any, dict[tuple[str, tuple[str, ...]], _Form]]


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
        # Empty, as in a file of credentials with nothing behind the name, is none.
        self.token: str | None = credentials.token or None
        self._region, self._service, self._now = region, service, now
        # Many threads sign at once: what a second's signatures share is replaced as a whole, never changed.
        self._ticked: _Ticked | None = None

    def __repr__(self) -> str:
        return f"<Signer for {self._service} in {self._region}>"

    def _tick(self, second: int) -> _Ticked:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        before = self._ticked
        day = before[2] if before is not None and before[2].day == stamp[:8] else self._begin_day(stamp[:8])
        inner = day.inner.copy()
        inner.update(f"AWS4-HMAC-SHA256\n{stamp}\n{day.scope}\n".encode())
        ticked = self._ticked = second, stamp, day, inner, {}
        return ticked

    def _begin_day(self, day: str) -> _Day:
        key = f"AWS4{self._secret}".encode()
        for part in (day, self._region, self._service, _TERMINATOR):
            key = hmac.digest(key, part.encode(), "sha256")
        # HMAC's two halves, with the key already in them: OpenSSL would look the algorithm up for each request.
        block = key.ljust(64, b"\0")
        scope = f"{day}/{self._region}/{self._service}/{_TERMINATOR}"
        return _Day(day, scope, sha256(block.translate(_INNER)), sha256(block.translate(_OUTER)))

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
        _, stamp, day, inner, forms = ticked
        names = tuple([name for name, _ in fields])
        form = forms.get((host, names))
        if form is None:
            if len(forms) >= _MOST_FORMS:
                forms.clear()
            form = forms[host, names] = self._form(host, names, stamp, day.scope)
        order, lines, sent = form
        given = (payload, *[value for _, value in fields])
        values = tuple([given[place] for place in order])
        head = sent % values
        trimmed = tuple([_squeezed(value) for value in values]) if "  " in head or "\t" in head else values
        canonical = _BLANK.copy()
        canonical.update(f"{method}\n{path}\n{query}\n{lines % trimmed}{payload}".encode())
        inner, outer = inner.copy(), day.outer.copy()
        inner.update(canonical.hexdigest().encode())
        outer.update(inner.digest())
        return f"{head}{outer.hexdigest()}\r\n"

    def _form(self, host: str, names: tuple[str, ...], stamp: str, scope: str) -> _Form:
        own = dict(zip(_OWN, (host, None, stamp, self.token), strict=True))
        fixed = {name: value.replace("%", "%%") for name, value in own.items() if value is not None}
        places = {name: place for place, name in enumerate(("x-amz-content-sha256", *names))}
        named = sorted([*fixed, *places])
        signed = ";".join(named)
        escaped = {name: name.replace("%", "%%") for name in named}
        authorization = f"AWS4-HMAC-SHA256 Credential={self._access_key}/{scope}, SignedHeaders={signed}, Signature="
        return _Form(
            tuple([places[name] for name in named if name in places]),
            "".join([f"{escaped[name]}:{_squeezed(fixed.get(name, '%s'))}\n" for name in named])
            + f"\n{signed}\n".replace("%", "%%"),
            "".join([f"{escaped[name]}: {fixed.get(name, '%s')}\r\n" for name in named])
            + f"authorization: {authorization}".replace("%", "%%"),
        )


def _squeezed(value: str) -> str:
    return " ".join(value.split()) if "  " in value or "\t" in value else value
