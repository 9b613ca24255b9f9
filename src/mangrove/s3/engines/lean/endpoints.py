"""Learn from botocore where a bucket is and how requests to it are signed: one request that is made and never sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse, HeadersDict

__all__ = ["Endpoint", "UnusualError", "resolve"]

_SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/]+/[0-9]{8}/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), ")
_EXPRESS = re.compile(r"--xa?-s3\Z|\Aarn:[^:]*:s3express:")
_KEY = "mangrove"
# What the engine signs; anything more is somebody's own, such as a session token of S3 Express.
_SIGNED = frozenset({"host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"})
_PORTS = {"http": 80, "https": 443}


class UnusualError(Exception):
    """Say that requests to a bucket are made in a way that only botocore knows."""


class _Nothing(BytesIO):
    """Be the body of an answer that nobody has sent."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Return no chunks; botocore's response asks urllib3's for them."""
        return iter(())


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Say where the requests to a bucket go, and in whose name.

    Args:
        origin: scheme, host and port.
        host: the value of the Host field.
        path: the path below which the keys are, with its last slash.
        region: the region that is signed for.
        service: the service that is signed for; empty if nothing is signed.
        agent: the client's User-Agent.
    """

    origin: str
    host: str
    path: str
    region: str
    service: str
    agent: str

    @property
    def is_secure(self) -> bool:
        """Return whether the connection is encrypted."""
        return self.origin.startswith("https:")


def resolve(client: Any, bucket: str) -> Endpoint:
    """Return where the requests to a bucket go, by botocore's rules; no call is made.

    Args:
        client: a botocore client of S3 that nobody else uses meanwhile.
        bucket: the bucket's name, or the ARN of an access point.

    Raises:
        UnusualError: only botocore can talk to it: signature version 4A, S3 Express, handlers that change requests.
        botocore.exceptions.BotoCoreError: botocore can't tell either: no credentials, a name that can't be.
    """
    if _EXPRESS.search(bucket):
        # botocore would make a session for it, by a call.
        text = f"a bucket or an access point of S3 Express: {bucket!r}"
        raise UnusualError(text)
    made: list[Any] = []

    def capture(request: Any, **_: Any) -> AWSResponse:
        made.append(request)
        fields: Any = HeadersDict()
        return AWSResponse(request.url, 200, fields, _Nothing())

    name = f"mangrove-{id(made)}"
    client.meta.events.register_first("before-send.s3.HeadObject", capture, unique_id=name)
    try:
        client.head_object(Bucket=bucket, Key=_KEY)
    finally:
        client.meta.events.unregister("before-send.s3.HeadObject", capture, unique_id=name)
    return _endpoint(made[0])


def _endpoint(request: Any) -> Endpoint:
    url = urlsplit(request.url)
    fields = {name.lower(): _text(value) for name, value in request.headers.items()}
    if url.query or not url.path.endswith(f"/{_KEY}"):
        text = f"a query of its own: {url.query!r}"
        raise UnusualError(text)
    host = url.hostname or ""
    port = url.port
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if port is None or port == _PORTS[url.scheme] else f"{shown}:{port}"
    region, service = _scope(fields)
    path = url.path[: -len(_KEY)]
    return Endpoint(f"{url.scheme}://{netloc}", netloc, path, region, service, fields.get("user-agent", ""))


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _scope(fields: dict[str, str]) -> tuple[str, str]:
    authorization = fields.get("authorization")
    if authorization is None:
        return "", ""
    found = _SCOPE.match(authorization)
    if found is None:
        text = f"a signature of another kind: {authorization.partition(' ')[0]}"
        raise UnusualError(text)
    more = set(found[3].split(";")) - _SIGNED
    if more:
        text = f"more is signed than the usual: {', '.join(sorted(more))}"
        raise UnusualError(text)
    return found[1], found[2]
