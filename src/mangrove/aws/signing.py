"""Sign requests as botocore does, computing once what it computes for every request: keys, headers, bodies.

What is signed, and the signature, are botocore's own; a first request is signed in both ways to be sure of it. Where
anybody may watch the steps between (another class of signers, a logger at DEBUG), botocore takes them itself.
"""

from __future__ import annotations

import hmac
import logging
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import SplitResult, urlsplit

from botocore import auth
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError

from mangrove.aws._botocore import AWSRequest, RequestSigner, S3SigV4Auth, SigV4Auth

__all__ = ["QuickSigner"]

_log = logging.getLogger("botocore.auth")
_auth: Any = auth
# Days, regions and services that one client signs for at the same time.
_MOST_KEYS = 16
_now: Any = getattr(auth, "get_current_datetime", None)


@lru_cache(maxsize=1024)
def _host_of(scheme: str, netloc: str) -> str:
    found: str = _auth._host_from_url(f"{scheme}://{netloc}")
    return found


class _Keys(dict[tuple[str, str, str], tuple[str, bytes]]):
    """Keep the keys of one client, with the secret that each was made of; nothing of it shows."""

    def __repr__(self) -> str:
        return "***"


class _QuickSigV4(SigV4Auth):
    """Be botocore's signature version 4, in one pass."""

    keys: _Keys

    def add_auth(self, request: Any) -> None:
        """Sign a request; see botocore."""
        if self.credentials is None:
            raise NoCredentialsError
        now = _auth.get_current_datetime() if _now else _auth.datetime.datetime.utcnow()
        timestamp = request.context["timestamp"] = now.strftime(_auth.SIGV4_TIMESTAMP)
        self._modify_request_before_signing(request)
        parts = urlsplit(request.url)
        fields, names = self._signed(request, parts)
        canonical = "\n".join(
            (
                request.method.upper(),
                self._normalize_url_path(parts.path),
                self.canonical_query_string(request) if request.params or parts.query else "",
                fields + "\n",
                names,
                request.headers.get("X-Amz-Content-SHA256") or self.payload(request),
            )
        )
        scope = f"{timestamp[:8]}/{self._region_name}/{self._service_name}/aws4_request"
        digest = sha256(canonical.encode("utf-8")).hexdigest()
        message = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{digest}"
        signature = hmac.digest(self._key(timestamp[:8]), message.encode("utf-8"), "sha256").hex()
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )

    def _signed(self, request: Any, parts: SplitResult) -> tuple[str, str]:
        """Return the canonical headers and the list of their names."""
        found: dict[str, list[str]] = {}
        left_out = frozenset(_auth.SIGNED_HEADERS_BLACKLIST)
        for name, value in request.headers.items():
            lower = name.lower()
            if lower not in left_out:
                text = value if isinstance(value, str) else value.decode("utf-8")
                found.setdefault(lower, []).append(" ".join(text.split()))
        if "host" not in found:
            found["host"] = [_host_of(parts.scheme, parts.netloc)]
        names = sorted(found)
        return "\n".join([f"{name}:{','.join(found[name])}" for name in names]), ";".join(names)

    def _key(self, day: str) -> bytes:
        """Return the key that signs for a day, a region and a service."""
        name, secret = (day, self._region_name, self._service_name), self.credentials.secret_key
        made_of, key = self.keys.get(name, (None, b""))
        if made_of != secret:
            key = f"AWS4{secret}".encode()
            for part in (*name, "aws4_request"):
                key = hmac.digest(key, part.encode("utf-8"), "sha256")
            if len(self.keys) >= _MOST_KEYS:
                self.keys.clear()
            self.keys[name] = secret, key
        return key


class _QuickS3SigV4(_QuickSigV4, S3SigV4Auth):
    """Be botocore's signature version 4 as S3 has it."""


_QUICK: dict[type, type] = {SigV4Auth: _QuickSigV4, S3SigV4Auth: _QuickS3SigV4}


def _sample() -> Any:
    fields = {"X-Amz-Meta-A": "two  spaces", "Content-Type": "text/plain", "User-Agent": "x", "Expect": "100-continue"}
    url = "https://Example.com:8443/a%20b/../c~d//?b=2&a=%2F&c"
    request = AWSRequest(method="PUT", url=url, headers=fields, data=b"body")
    request.context = {"client_config": None}
    return request


def _signs_alike(plain: Any, quick: Any) -> bool:
    found = set()
    for made in (plain, quick):
        auth_of = made(Credentials("AKID", "key", "token").get_frozen_credentials(), "s3", "us-east-1")
        auth_of.keys = _Keys()
        request = _sample()
        auth_of.add_auth(request)
        found.add(tuple(request.headers.items()))
    return len(found) == 1


@lru_cache(maxsize=1)
def _trusted() -> dict[type, type]:
    """Return the quick classes, or none if this botocore signs in another way than they do."""
    try:
        # A second may end between the two.
        alike = all(any(_signs_alike(*pair) for _ in range(3)) for pair in _QUICK.items())
    except Exception:  # noqa: BLE001  whatever has changed: botocore still knows how
        alike = False
    return _QUICK if alike else {}


class QuickSigner(RequestSigner):
    """Be botocore's signer of one client's requests, and keep the keys that it has derived."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._keys = _Keys()

    def get_auth_instance(self, *args: Any, **kwargs: Any) -> Any:
        """Return what signs one request; see botocore."""
        found = super().get_auth_instance(*args, **kwargs)
        quick = None if _log.isEnabledFor(logging.DEBUG) else _trusted().get(type(found))
        if quick is None:
            return found
        made = quick(found.credentials, found._service_name, found._region_name)
        made.keys = self._keys
        return made

    get_auth = get_auth_instance
