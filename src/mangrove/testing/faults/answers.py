"""Writes the errors of AWS in the form of each protocol: what a request gets that was never forwarded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple
from xml.sax.saxutils import escape

from mangrove.testing.faults.asked import Asked
from mangrove.testing.faults.messages import Answer, Head

__all__ = ["refusal"]

_SKEW = timedelta(minutes=20)
_REASONS = {200: "OK", 301: "Moved Permanently", 307: "Temporary Redirect", 400: "Bad Request", 403: "Forbidden"}
_REASONS |= {401: "Unauthorized", 412: "Precondition Failed", 429: "Too Many Requests"}
_REASONS |= {500: "Internal Server Error", 503: "Service Unavailable"}
_BAD_REQUEST, _SERVER_ERROR = 400, 500


class _Error(NamedTuple):
    """Be an error: its status, its code, and its message."""

    status: int
    code: str
    message: str


_SLOW = "Please reduce your request rate."
_RATE = "Rate exceeded"
_AGAIN = "We encountered an internal error. Please try again."
_OLD = "The provided token has expired."
_TIME = "The difference between the request time and the current time is too large."
_DENIED = "Access Denied"
_PLACE = "The bucket you are attempting to access must be addressed using the specified endpoint."
# By the kind of fault and the protocol; "" is of all others.
_ERRORS: Mapping[str, Mapping[str, _Error]] = {
    "throttle": {
        "s3": _Error(503, "SlowDown", _SLOW),
        "ec2": _Error(503, "RequestLimitExceeded", "Request limit exceeded."),
        "query": _Error(400, "Throttling", _RATE),
        "": _Error(400, "ThrottlingException", _RATE),
    },
    "too_many_requests": {"": _Error(429, "TooManyRequestsException", "Too Many Requests")},
    "internal_error": {"s3": _Error(500, "InternalError", _AGAIN), "": _Error(500, "InternalFailure", _AGAIN)},
    "unavailable": {"": _Error(503, "ServiceUnavailable", "Service is unable to handle request.")},
    "request_timeout": {
        "": _Error(
            400,
            "RequestTimeout",
            "Your socket connection to the server was not read from or written to within the timeout period.",
        )
    },
    "error_in_200": {"": _Error(200, "InternalError", _AGAIN)},
    "expired_token": {
        "s3": _Error(400, "ExpiredToken", _OLD),
        "ec2": _Error(400, "RequestExpired", "Request has expired."),
        "query": _Error(403, "ExpiredToken", "The security token included in the request is expired"),
        "": _Error(400, "ExpiredTokenException", "The security token included in the request is expired"),
    },
    "clock_skew": {
        "s3": _Error(403, "RequestTimeTooSkewed", _TIME),
        "ec2": _Error(400, "RequestExpired", "Request has expired."),
        "query": _Error(403, "SignatureDoesNotMatch", "Signature expired"),
        "": _Error(400, "InvalidSignatureException", "Signature expired"),
    },
    "redirect_301": {"": _Error(301, "PermanentRedirect", _PLACE)},
    "redirect_307": {"": _Error(307, "TemporaryRedirect", "Please re-send this request to the specified endpoint.")},
    "wrong_region": {
        "": _Error(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region is wrong")
    },
    "access_denied": {
        "s3": _Error(403, "AccessDenied", _DENIED),
        "ec2": _Error(403, "UnauthorizedOperation", "You are not authorized to perform this operation."),
        "query": _Error(403, "AccessDenied", _DENIED),
        "": _Error(400, "AccessDeniedException", _DENIED),
    },
    "region_disabled": {
        "ec2": _Error(401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
        "query": _Error(403, "InvalidClientTokenId", "The security token included in the request is invalid"),
        "": _Error(400, "UnrecognizedClientException", "The security token included in the request is invalid."),
    },
    "abort_denied": {"": _Error(403, "AccessDenied", _DENIED)},
    "object_changed": {
        "": _Error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    },
}


def refusal(kind: str, asked: Asked, *, request_id: str, now: datetime, here: str = "") -> Answer:
    """Return AWS's answer of a kind of error.

    Args:
        kind: of the fault.
        asked: the request.
        request_id: of the answer.
        now: the time, in UTC.
        here: the URL of the server, for redirects.

    Source: "Error responses" in the Amazon S3 API reference; the error shapes of the protocols as botocore reads them.
    """
    errors = _ERRORS[kind]
    error = errors.get(asked.protocol) or errors[""]
    when = now + _SKEW if kind == "clock_skew" else now
    head = Head(
        f"HTTP/1.1 {error.status} {_REASONS[error.status]}",
        (("Date", format_datetime(when, usegmt=True)), *_fields(kind, asked, error, request_id, here)),
    )
    body = b"" if asked.method == "HEAD" else _document(kind, asked, error, request_id, when)
    return Answer(head.replaced("Content-Length", str(len(body))), body)


def _fields(kind: str, asked: Asked, error: _Error, request_id: str, here: str) -> list[tuple[str, str]]:
    fields = [("x-amz-request-id" if asked.protocol == "s3" else "x-amzn-RequestId", request_id)]
    fields.append(("Content-Type", _type(asked.protocol)))
    if asked.protocol == "rest-json":
        fields.append(("x-amzn-ErrorType", error.code))
    if asked.protocol == "cbor":
        fields.append(("smithy-protocol", "rpc-v2-cbor"))
    if kind in {"redirect_301", "redirect_307", "wrong_region"}:
        fields.append(("x-amz-bucket-region", asked.region or "us-east-1"))
    if kind == "redirect_307":
        fields.append(("Location", f"{here}{asked.path}"))
    return fields


def _type(protocol: str) -> str:
    return {
        "json": "application/x-amz-json-1.1",
        "rest-json": "application/json",
        "cbor": "application/cbor",
    }.get(protocol, "application/xml")


def _document(kind: str, asked: Asked, error: _Error, request_id: str, when: datetime) -> bytes:
    if asked.protocol in {"json", "rest-json"}:
        return json.dumps({"__type": error.code, "message": error.message}).encode()
    if asked.protocol == "cbor":
        return b"\xa2" + b"".join(map(_cbor, ("__type", error.code, "message", error.message)))
    inner = f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
    if asked.protocol == "s3":
        more = _of_s3(kind, asked, when)
        text = f"<Error>{inner}{more}<RequestId>{request_id}</RequestId><HostId>{request_id}</HostId></Error>"
    elif asked.protocol == "ec2":
        text = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    else:
        side = "Receiver" if error.status >= _SERVER_ERROR else "Sender"
        text = (
            f"<ErrorResponse><Error><Type>{side}</Type>{inner}</Error><RequestId>{request_id}</RequestId>"
            "</ErrorResponse>"
        )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


def _of_s3(kind: str, asked: Asked, when: datetime) -> str:
    if kind == "clock_skew":
        shown = when.strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"<ServerTime>{shown}</ServerTime><MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>"
    if kind == "wrong_region":
        return f"<Region>{escape(asked.region or 'us-east-1')}</Region>"
    if kind in {"redirect_301", "redirect_307"}:
        return f"<Bucket>{escape(asked.bucket)}</Bucket>"
    return ""


def _cbor(text: str) -> bytes:
    """Write a text of less than 65,536 bytes."""
    data = text.encode()
    return (b"\x79" + len(data).to_bytes(2, "big")) + data
