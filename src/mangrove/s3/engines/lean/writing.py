"""Write the heads of requests: where a bucket is, which form an operation has, who signs; each learnt once."""

from __future__ import annotations

import base64
import contextlib
import threading
import time
import zlib
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any, NamedTuple

from mangrove._concurrency import Recent
from mangrove.aws.renewing import is_due, renew
from mangrove.s3.engines.base import Call
from mangrove.s3.engines.lean.endpoints import Endpoint, resolve
from mangrove.s3.engines.lean.requests import Form, form_of, message
from mangrove.s3.engines.lean.signing import EMPTY, UNSIGNED, Signer

__all__ = ["Writer", "Written"]

_MOST_BUCKETS = 1024
_RENEWAL = 2.0  # seconds in which expired credentials are renewed once at most
_WITH_LENGTH = frozenset({"PUT", "POST"})


class Written(NamedTuple):
    """Be a request as it is sent.

    Attributes:
        origin: scheme, host and port.
        head: its bytes up to the body.
        body: the body, or None.
    """

    origin: str
    head: bytes
    body: Any


class Writer:
    """Write requests as a client would, for all buckets.

    Args:
        client: a botocore client of S3 that the writer alone uses.
        credentials: botocore's credentials, or None for anonymous requests.
        sign_payload: whether bodies are signed; None signs them on connections that are not encrypted.
        clock: the time in seconds; credentials are asked for anew when a second has gone by.
    """

    def __init__(
        self, client: Any, credentials: Any, *, sign_payload: bool | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._client, self._credentials, self._sign_payload, self._clock = client, credentials, sign_payload, clock
        self._endpoints = Recent[Endpoint](_MOST_BUCKETS)
        self._quick: dict[str, Endpoint] = {}
        self._forms: dict[str, Form] = {}
        self._signers: dict[tuple[str, str], Signer] = {}
        self._frozen: Any = None
        self._checked = self._offset = self._renewed = 0.0
        self._asking: threading.Thread | None = None
        self._lock = threading.Lock()

    def endpoint(self, bucket: str) -> Endpoint:
        """Return where the requests to a bucket go.

        Raises:
            UnusualError: only botocore can talk to it.
        """
        found = self._quick.get(bucket)
        if found is None:
            with self._lock:
                found = self._endpoints.get(bucket, lambda: resolve(self._client, bucket))
                if len(self._quick) >= _MOST_BUCKETS:
                    self._quick.clear()
                self._quick[bucket] = found
        return found

    def move(self, bucket: str, client: Any) -> None:
        """Ask another client where a bucket is from now on: S3 has said that it is in that client's region."""
        self._quick[bucket] = resolve(client, bucket)

    def renew(self) -> None:
        """Get other credentials, if these can be got anew: S3 has said that they have expired."""
        with self._lock:
            # Many requests have been sent with the old ones; one of them is enough to ask.
            if self._clock() - self._renewed >= _RENEWAL:
                renew(self._credentials)
                self._renewed = self._clock()
                self._checked = 0.0

    def set_clock(self, date: str) -> None:
        """Go by the server's clock from now on: S3 has said that ours is wrong.

        Args:
            date: the Date of its answer.
        """
        told = parsedate_to_datetime(date).timestamp()
        self._offset = told - self._clock()
        self._signers = {}

    def _now(self) -> float:
        return self._clock() + self._offset

    def write(self, call: Call) -> Written:
        """Return the request for a call, signed now.

        Raises:
            UnusualError: only botocore can make it.
            ConfigError: a parameter is unknown, or can't be sent.
        """
        form = self._forms.get(call.operation)
        if form is None:
            form = self._forms[call.operation] = form_of(self._client.meta.service_model, call.operation)
        params = call.params
        endpoint = self._quick.get(params["Bucket"]) or self.endpoint(params["Bucket"])
        method, key, query, fields, body = message(form, params, call.body)
        if form.document is not None and form.method == "POST" and "Key" not in params:
            digest = zlib.crc32(body).to_bytes(4, "big")
            fields.append(("x-amz-checksum-crc32", base64.b64encode(digest).decode()))
        path = endpoint.path + key if key else endpoint.path[:-1] or "/"
        if body is None:
            payload = EMPTY
        elif self._sign_payload or (self._sign_payload is None and not endpoint.is_secure):
            payload = sha256(body).hexdigest()
        else:
            payload = UNSIGNED
        if endpoint.service:
            lines = self._signer(endpoint).fields(method, path, query, endpoint.host, fields, payload)
        else:
            lines = "".join([f"{name}: {value}\r\n" for name, value in (("host", endpoint.host), *fields)])
        length = f"content-length: {len(body or b'')}\r\n" if method in _WITH_LENGTH else ""
        target = f"{path}?{query}" if query else path
        head = (
            f"{method} {target} HTTP/1.1\r\n{lines}user-agent: {endpoint.agent}\r\n"
            f"accept-encoding: identity\r\n{length}\r\n"
        )
        return Written(endpoint.origin, head.encode(), body)

    def _signer(self, endpoint: Endpoint) -> Signer:
        now = self._clock()
        if not 0 <= now - self._checked < 1:
            self._refresh(now)
        name = endpoint.region, endpoint.service
        signers = self._signers  # others may come with other credentials meanwhile
        signer = signers.get(name)
        if signer is None:
            signer = signers[name] = Signer(self._frozen, *name, self._now)
        return signer

    def _refresh(self, now: float) -> None:
        """Ask for the credentials, which refresh themselves when it is time; as long as they are valid, without delay.

        To get others may take as long as a service that does not answer, and all requests are written here.
        """
        if self._frozen is None or not is_due(self._credentials):
            self._ask()
        elif self._asking is None or not self._asking.is_alive():
            self._asking = threading.Thread(target=self._ask_apart, name="mangrove-s3-credentials", daemon=True)
            self._asking.start()
        self._checked = now

    def _ask(self) -> None:
        frozen = self._credentials.get_frozen_credentials()
        if frozen != self._frozen:
            self._frozen, self._signers = frozen, {}

    def _ask_apart(self) -> None:
        # It is asked again in a second; when they are no longer valid, the error is the requests'.
        with contextlib.suppress(Exception):
            self._ask()
