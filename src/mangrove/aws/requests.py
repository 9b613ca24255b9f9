"""Make a request and encode it once, where botocore does so for its signature and again for the wire."""

from __future__ import annotations

from typing import Any

from mangrove.aws._botocore import AWSRequest, AWSRequestPreparer, Endpoint
from mangrove.aws.headers import QuickHeaders, QuickHeadersDict

__all__ = ["QuickEndpoint", "QuickRequest"]

_UNCHANGING = frozenset({str, bytes, int, float, bool})
_WITHOUT_LENGTH = frozenset({"GET", "HEAD", "OPTIONS"})


class _QuickPreparer(AWSRequestPreparer):
    """Be botocore's preparer of requests, and encode a body once as long as it does not change."""

    def __init__(self) -> None:
        self._encoded: tuple[Any, Any] = (None, None)

    def _prepare_headers(self, original: Any, prepared_body: Any = None) -> Any:
        headers = QuickHeadersDict.of(original.headers.items())
        if "Transfer-Encoding" in headers or "Content-Length" in headers:
            return headers
        if original.method not in _WITHOUT_LENGTH:
            length = self._determine_content_length(prepared_body)
            if length is None:
                headers["Transfer-Encoding"] = "chunked"
            else:
                headers["Content-Length"] = str(length)
        return headers

    def _prepare_body(self, original: Any) -> Any:
        data = original.data
        if not isinstance(data, dict):
            return super()._prepare_body(original)
        # A handler may have changed the parameters since: by type too, as 1 equals True.
        parameters = [(name, type(value), value) for name, value in data.items()]
        if not _UNCHANGING.issuperset(kind for _, kind, _ in parameters):
            return super()._prepare_body(original)
        if self._encoded[0] != parameters:
            self._encoded = parameters, super()._prepare_body(original)
        return self._encoded[1]


class QuickRequest(AWSRequest):
    """Be botocore's request, with headers and a body that cost less."""

    _REQUEST_PREPARER_CLS = _QuickPreparer

    def __init__(self, method: Any = None, url: Any = None, headers: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(method, url, None, *args, **kwargs)
        self.headers = QuickHeaders()
        for name, value in (headers or {}).items():
            self.headers[name] = value

    @property
    def body(self) -> Any:
        """Return the bytes that are signed; see botocore."""
        body = self._request_preparer._prepare_body(self)
        return body.encode("utf-8") if isinstance(body, str) else body


class QuickEndpoint(Endpoint):
    """Be botocore's endpoint, whose requests are `QuickRequest`s."""

    def create_request(self, params: Any, operation_model: Any = None) -> Any:
        """Make a request, have it signed, and prepare it; see botocore."""
        request = QuickRequest(
            method=params["method"],
            url=params["url"],
            data=params["body"],
            headers=params["headers"],
            auth_path=params.get("auth_path"),
        )
        request.context = params["context"]
        if operation_model:
            request.stream_output = operation_model.has_streaming_output or operation_model.has_event_stream_output
            service_id = operation_model.service_model.service_id.hyphenize()
            self._event_emitter.emit(
                f"request-created.{service_id}.{operation_model.name}",
                request=request,
                operation_name=operation_model.name,
            )
        return self.prepare_request(request)

    def _encode_headers(self, headers: Any) -> None:
        if type(headers) is QuickHeaders:
            headers.encode_values()
        else:
            super()._encode_headers(headers)
