"""Be the engine of the common case: a call becomes a signed request, a connection carries it, its answer is a reply."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

from botocore import UNSIGNED
from botocore.awsrequest import HeadersDict
from botocore.exceptions import BotoCoreError, ConnectionClosedError, ReadTimeoutError

from mangrove.aws.session import botocore_session
from mangrove.aws.sockets import Sockets
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.lean.endpoints import UnusualError
from mangrove.s3.engines.lean.lines import Lines
from mangrove.s3.engines.lean.loop import Exchange, Loop
from mangrove.s3.engines.lean.reading import MalformedAnswerError, Reading
from mangrove.s3.engines.lean.replies import LeanReply, Names, error_of, fields_of, names_of
from mangrove.s3.engines.lean.writing import Writer
from mangrove.s3.rules.faults import code_of, kind_of, region_of

__all__ = ["LeanEngine"]

_FIRST_ERROR = 300
_SERVER_ERROR = 500
# The document of an error, whatever the status says.
_IS_ERROR = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<Error[\s>]")
# The body of its success is the object.
_WITHOUT_DOCUMENT = frozenset({"GetObject"})
# A success of these may be cut short, or be none, by its document.
_LATE = frozenset({"CompleteMultipartUpload", "CopyObject", "UploadPartCopy"})


class LeanEngine:
    """Carry calls over own connections.

    Args:
        session: whose credentials and settings are used.
        client: a botocore client of S3 that the engine alone uses: its endpoints, transport, errors.
        sockets: open connections as the client does.
        client_of: makes such a client for another region, where a bucket turns out to be.
        capacity: how many connections `submit` uses at most.
        sign_payload: whether bodies are signed; see `Writer`.
    """

    def __init__(
        self,
        session: Any,
        client: Any,
        sockets: Sockets,
        *,
        client_of: Callable[[str], Any] | None = None,
        capacity: int = 256,
        sign_payload: bool | None = None,
    ) -> None:
        self._client, self._sockets, self._capacity = client, sockets, capacity
        self._client_of = client_of or (lambda _: client)
        anonymous = client.meta.config.signature_version is UNSIGNED
        credentials = None if anonymous else session.get_credentials()
        self._writer = Writer(client, credentials, sign_payload=sign_payload)
        factory = botocore_session(session).get_component("response_parser_factory")
        self._parser = factory.create_parser("rest-xml")
        self._names: dict[str, Names] = {}
        self._loop: Loop | None = None
        self._loop_lock = threading.Lock()
        self._moving = threading.Lock()
        self._clients: dict[str, Any] = {}  # of other regions
        self._lines = Lines(sockets.open, sockets.read_timeout)

    @property
    def where(self) -> str:
        """Return which server it talks to, for what outlives the process."""
        return str(self._client.meta.endpoint_url)

    # -- for one thread ---------------------------------------------------------------------------------------------

    def submit(self, call: Call) -> None:
        """Begin a call and return at once; see `Engine`."""
        loop = self._loop or self._make_loop()
        try:
            origin = self._writer.endpoint(call.params["Bucket"]).origin
        except Exception as error:  # noqa: BLE001  it belongs to the call
            loop.refuse(Exchange(call, "", _nothing, _reading_of(call)), error)
            return
        loop.submit(Exchange(call, origin, self._writer.write, _reading_of(call)))

    def poll(self, timeout: float) -> list[Call]:
        """Return the calls that have ended; see `Engine`."""
        loop = self._loop or self._make_loop()
        calls = []
        for exchange in loop.poll(timeout):
            call: Call = exchange.call
            call.sent = exchange.sent
            try:
                self._take(call, exchange)
            except Exception as error:  # noqa: BLE001  it is this call's, and the others go on
                call.error = error
            calls.append(call)
        return calls

    def wake(self) -> None:
        """Make a `poll` that waits return; see `Engine`."""
        (self._loop or self._make_loop()).wake()

    def _make_loop(self) -> Loop:
        with self._loop_lock:
            if self._loop is None:
                self._loop = Loop(self._sockets.open, capacity=self._capacity, timeout=self._sockets.read_timeout)
            return self._loop

    # -- for all threads --------------------------------------------------------------------------------------------

    def perform(self, call: Call) -> Reply:
        """Make a call in this thread and return its reply; see `Engine`."""
        origin = self._writer.endpoint(call.params["Bucket"]).origin
        reading = _reading_of(call)
        exchange = Exchange(call, origin, self._writer.write, reading)
        self._lines.carry(exchange)
        call.sent = exchange.sent
        self._take(call, exchange)
        if call.error is not None:
            raise call.error
        return call.reply  # type: ignore[return-value]

    def close(self) -> None:
        """Close the connections; see `Engine`."""
        self._lines.close()
        if self._loop is not None:
            self._loop.close()
        for client in (self._client, *self._clients.values()):
            client.close()

    # -- answers ----------------------------------------------------------------------------------------------------

    def _take(self, call: Call, exchange: Exchange) -> None:
        """Give a call what came of its exchange."""
        error, reading = exchange.error, exchange.reading
        if error is None:
            self._settle(call, reading)
            return
        # A server that is silent for so long has not closed anything.
        call.stale = not exchange.fresh and not reading.status and not isinstance(error, TimeoutError)
        call.error = reading.sink_error or _botocores(error, exchange.origin)

    def _settle(self, call: Call, reading: Reading) -> None:
        """Give a call its reply, or the error that S3 answered with."""
        operation = call.operation
        if reading.status >= _FIRST_ERROR or (operation not in _WITHOUT_DOCUMENT and _is_late(operation, reading)):
            status = reading.status if reading.status >= _FIRST_ERROR else _SERVER_ERROR
            parsed = self._parse(reading, operation, status)
            call.error = error_of(operation, parsed, self._client.exceptions.from_code)
            self._learn(call, call.error, reading)
            return
        names = self._names.get(operation)
        if names is None:
            names = self._names[operation] = names_of(self._shape(operation))
        call.too_long = reading.too_long
        call.reply = LeanReply(reading, operation, names, self._parse)

    def _learn(self, call: Call, error: Exception, reading: Reading) -> None:
        """Take to heart what an error says of the bucket's region, of the credentials or of the clock."""
        kind = kind_of(error)
        if kind == "moved" and region_of(error) is None:
            # botocore asks S3 where the bucket is.
            call.error = UnusualError("a redirect that does not say where to")
        # What goes wrong here is told by the error that is there already.
        with contextlib.suppress(Exception):
            if kind == "moved" and (region := region_of(error)) is not None:
                self._move(call.params["Bucket"], region)
            elif kind == "expired" and code_of(error) == "RequestTimeTooSkewed":
                self._writer.set_clock(fields_of(reading.head)["date"])
            elif kind == "expired":
                self._writer.renew()

    def _move(self, bucket: str, region: str) -> None:
        """Send what is for a bucket to another region; hundreds of calls at once hear of it."""
        with self._moving:
            if self._writer.endpoint(bucket).region == region:
                return
            client = self._clients.get(region)
            if client is None:
                client = self._clients[region] = self._client_of(region)
            self._writer.move(bucket, client)

    def _shape(self, operation: str) -> Any:
        return self._client.meta.service_model.operation_model(operation).output_shape

    def _parse(self, reading: Reading, operation: str, status: int) -> Any:
        body = b"" if operation == "GetObject" and status < _FIRST_ERROR else reading.body
        fields = fields_of(reading.head)
        parsed = self._parser.parse(
            {"status_code": status, "headers": HeadersDict(fields), "body": body}, self._shape(operation)
        )
        if "expires" in fields:
            # A handler of botocore's client does it: what is no date is still worth having.
            parsed["ExpiresString"] = fields["expires"]
        parsed.pop("Body", None)
        return parsed


def _nothing(_: Any) -> Any:
    raise AssertionError


def _reading_of(call: Call) -> Reading:
    return Reading(call.operation == "HeadObject", call.sink, call.most)


def _is_late(operation: str, reading: Reading) -> bool:
    """Return whether a success is an error by its document, as botocore sees it."""
    body = reading.body
    if not body or _IS_ERROR.match(body) is not None:
        return bool(body)
    if operation in _LATE:
        try:
            ET.fromstring(body)  # noqa: S314  expat of today has bounds
        except ET.ParseError:
            return True
    return False


def _botocores(error: Exception, origin: str) -> Exception:
    """Return what botocore's own transport raises for an error."""
    if isinstance(error, BotoCoreError):  # some of them are OSErrors too
        return error
    if isinstance(error, TimeoutError):
        return ReadTimeoutError(endpoint_url=origin, error=error)
    if isinstance(error, (OSError, MalformedAnswerError)):
        return ConnectionClosedError(endpoint_url=origin, error=error)
    return error
