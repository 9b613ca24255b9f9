"""Tell what a failed call says about its region and its account, and whether to try again: one table for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from botocore import exceptions as botocores
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from mangrove.errors import CredentialError, LoginRequiredError, NoRegionsError, RegionDisabledError

__all__ = [
    "Fault",
    "Verdict",
    "code_of",
    "fault_of",
    "forget_request",
    "forget_retries",
    "is_passing",
    "region_verdict",
    "retry_after",
]

Verdict = Literal["disabled", "denied"]

Fault = Literal["denied", "disabled", "unsupported", "throttled", "expired", "timeout", "failed"]

_OPT_IN = frozenset({"OptInRequired", "RegionDisabledException"})
# What services answer to good credentials in a region that the account has not enabled, and to bad ones everywhere.
_UNKNOWN_KEY = frozenset(
    {"AuthFailure", "InvalidClientTokenId", "InvalidToken", "UnrecognizedClientException", "InvalidAccessKeyId"}
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})


def region_verdict(code: str, message: str, *, opt_in: bool) -> Verdict | None:
    """Return what an error code says about the region as a whole, or None if it speaks of the call alone.

    Args:
        code: the error's code, such as `OptInRequired`.
        message: the error's message.
        opt_in: whether an account must enable the region before it can be used.

    Source: the common errors of the AWS services, and "AWS Regions" in the Account Management guide.

    Example:
        >>> region_verdict("UnrecognizedClientException", "The security token is invalid", opt_in=True)
        'disabled'
        >>> region_verdict("UnrecognizedClientException", "The security token is invalid", opt_in=False)
    """
    if code in _OPT_IN:
        return "disabled"
    if code in _UNKNOWN_KEY and opt_in:
        return "disabled"
    if code in _DENIED and "service control policy" in message:
        return "denied"
    return None


# Source: botocore's standard mode of retries, and "Error retries" in the AWS SDKs and Tools reference guide.
_THROTTLES = frozenset(
    (
        "Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException"
        " TooManyRequestsException ProvisionedThroughputExceededException TransactionInProgressException"
        " RequestLimitExceeded BandwidthLimitExceeded LimitExceededException SlowDown PriorRequestNotComplete"
        " EC2ThrottledException"
    ).split()
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
# The service has no such operation where it was asked, or the account can't have the service there.
_UNSUPPORTED = frozenset("InvalidAction UnknownOperation UnknownOperationException UnsupportedOperation".split())
_REFUSED = frozenset(
    (
        "AccessDenied AccessDeniedException UnauthorizedOperation AuthorizationError Forbidden ForbiddenException"
        " NotAuthorized NotAuthorizedException UnauthorizedAccess UnauthorizedException AccountProblem"
        " SubscriptionRequiredException"
    ).split()
)
_TRANSIENTS = frozenset(
    (
        "RequestTimeout RequestTimeoutException InternalError InternalFailure InternalServerError ServiceUnavailable"
        " ServiceUnavailableException"
    ).split()
)
_TOO_MANY, _SERVER = 429, 500
_PASSING_STATUS = frozenset({429, 500, 502, 503, 504})
_TIMEOUTS = (botocores.ConnectTimeoutError, botocores.ReadTimeoutError, TimeoutError)
_NAMED: tuple[tuple[tuple[type[BaseException], ...], Fault], ...] = (
    (_TIMEOUTS, "timeout"),
    ((LoginRequiredError, botocores.SSOError, botocores.TokenRetrievalError), "expired"),
    ((botocores.NoCredentialsError, botocores.CredentialRetrievalError), "denied"),
    ((RegionDisabledError,), "disabled"),
    ((NoRegionsError,), "unsupported"),
)
_UNREACHED = (
    botocores.ConnectTimeoutError,
    botocores.EndpointConnectionError,
    botocores.ProxyConnectionError,
)
# An answer that nobody can read may have been cut short too.
_LOST = (
    botocores.ConnectionClosedError,
    botocores.IncompleteReadError,
    botocores.ReadTimeoutError,
    botocores.ResponseStreamingError,
    ResponseParserError,
)


def code_of(error: BaseException) -> str:
    """Return the code of an error that AWS has sent, or nothing.

    Example:
        >>> from botocore.exceptions import ClientError
        >>> code_of(ClientError({"Error": {"Code": "AccessDenied"}}, "ListRoles")), code_of(OSError())
        ('AccessDenied', '')
    """
    return str(_answered(error, "Error").get("Code", ""))


def _metadata(error: BaseException) -> Mapping[str, Any]:
    return _answered(error, "ResponseMetadata")


def _answered(error: BaseException, member: str) -> Mapping[str, Any]:
    response = getattr(error, "response", None)
    # Errors of other libraries have a `response` too, such as httpx's.
    found = response.get(member) if isinstance(response, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def retry_after(error: BaseException) -> float:
    """Return for how many seconds AWS asks to wait, or 0.

    Example:
        >>> retry_after(OSError())
        0.0
    """
    fields: Mapping[str, str] = _metadata(error).get("HTTPHeaders") or {}
    text = str(fields.get("retry-after") or "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def fault_of(error: BaseException, *, opt_in: bool = False) -> Fault:
    """Return what kind of failure an error is, for whoever sorts the failures of many accounts and regions.

    `denied`: the account or a policy refuses. `disabled`: the account has not enabled the region. `unsupported`: the
    service or the operation is not there. `throttled`: too many requests, to the last try. `expired`: credentials or a
    login have ended. `timeout`: no answer in time. `failed`: all else.

    Args:
        error: what was raised.
        opt_in: whether the account must enable the region first, and is not known to have done so.

    Example:
        >>> from botocore.exceptions import ClientError
        >>> fault_of(ClientError({"Error": {"Code": "UnauthorizedOperation"}}, "DescribeInstances"))
        'denied'
        >>> fault_of(TimeoutError())
        'timeout'
    """
    if isinstance(error, ClientError):
        return _fault_of_answer(error, opt_in=opt_in)
    for kinds, fault in _NAMED:
        if isinstance(error, kinds):
            return fault
    return _fault_of_credentials(error) if isinstance(error, CredentialError) else "failed"


def _fault_of_credentials(error: CredentialError) -> Fault:
    """Return what STS has said, where it was no refusal: a role is not denied because STS was busy."""
    cause = error.__cause__
    while cause is not None and not isinstance(cause, (ClientError, *_TIMEOUTS, *_UNREACHED)):
        cause = cause.__cause__
    if isinstance(cause, _TIMEOUTS):
        return "timeout"
    if isinstance(cause, _UNREACHED):
        return "failed"
    told = fault_of(cause) if cause is not None else "denied"
    return told if told in {"throttled", "expired"} or _status(cause) >= _SERVER else "denied"


def _status(error: BaseException | None) -> int:
    return 0 if error is None else int(_metadata(error).get("HTTPStatusCode") or 0)


def _fault_of_answer(error: ClientError, *, opt_in: bool) -> Fault:
    code, message = code_of(error), str(error)
    verdict = region_verdict(code, message, opt_in=opt_in)
    if verdict is not None:
        return verdict
    if code in _THROTTLES or _status(error) == _TOO_MANY:
        return "throttled"
    if code in _EXPIRED:
        return "expired"
    if code in _REFUSED or code in _DENIED or code in _UNKNOWN_KEY:
        return "denied"
    return "unsupported" if code in _UNSUPPORTED else "failed"


def is_passing(error: BaseException) -> bool:
    """Return whether a failure may pass by itself, so that a request that changes nothing is worth another try.

    Example:
        >>> from botocore.exceptions import ClientError, EndpointConnectionError
        >>> is_passing(ClientError({"Error": {"Code": "Throttling"}}, "ListRoles"))
        True
        >>> is_passing(EndpointConnectionError(endpoint_url="https://ec2.nowhere-1.amazonaws.com"))
        True
        >>> is_passing(ClientError({"Error": {"Code": "AccessDenied"}}, "ListRoles"))
        False
    """
    if isinstance(error, ClientError):
        code = code_of(error)
        return code in _THROTTLES or code in _TRANSIENTS or _status(error) in _PASSING_STATUS
    if isinstance(error, CredentialError) and error.__cause__ is not None:
        return is_passing(error.__cause__)
    return isinstance(error, (*_UNREACHED, *_LOST))


def forget_request(error: BaseException) -> None:
    """Take the request out of an error of the transport: it is signed, and a pickle of the error would tell that.

    Args:
        error: any; only a `HTTPClientError` has one.

    Example:
        >>> from botocore.exceptions import HTTPClientError
        >>> error = HTTPClientError(request="signed", error="reset")
        >>> forget_request(error)
        >>> error.request is None
        True
    """
    if isinstance(error, botocores.HTTPClientError):
        vars(error).update(request=None, response=None)


def forget_retries(error: Exception) -> None:
    """Take out of an error what the client says of its own tries, where somebody else tries again.

    Args:
        error: any; only a `ClientError` says it: "(reached max retries: 0)".

    Example:
        >>> told = {"Error": {"Code": "Busy", "Message": "later"}, "ResponseMetadata": {"MaxAttemptsReached": True}}
        >>> from botocore.exceptions import ClientError
        >>> error = ClientError(told, "ListQueues")
        >>> forget_retries(error)
        >>> print(error)
        An error occurred (Busy) when calling the ListQueues operation: later
    """
    if not isinstance(error, ClientError):
        return
    metadata: dict[str, Any] = dict(error.response.get("ResponseMetadata", {}))
    if metadata.pop("MaxAttemptsReached", None):
        response: Any = {**error.response, "ResponseMetadata": metadata}
        error.response = response
        error.args = ClientError(response, error.operation_name).args
