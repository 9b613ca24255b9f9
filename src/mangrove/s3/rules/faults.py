"""Say what kind of failure an error is, and give it a class that botocore's users, Python's and ours all catch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore import exceptions as botocores
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from mangrove import errors
from mangrove._concurrency import Recent
from mangrove.aws.faults import forget_request
from mangrove.s3.rules.policy import Kind

__all__ = ["code_of", "kind_of", "raised", "region_of", "retry_after", "status_of"]

_THROTTLES = frozenset(
    (
        "SlowDown ReduceYourRequestRate Throttling ThrottlingException ThrottledException RequestThrottled"
        " RequestThrottledException TooManyRequestsException RequestLimitExceeded BandwidthLimitExceeded"
        " ServiceUnavailable EC2ThrottledException PriorRequestNotComplete"
    ).split()
)
_TRANSIENTS = frozenset(
    (
        "InternalError RequestTimeout RequestTimeoutException OperationAborted ConditionalRequestConflict"
        " InternalFailure InternalServerError"
    ).split()
)
_DAMAGED = frozenset({"BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"})
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestTimeTooSkewed"})
_MOVED = frozenset(
    (
        "PermanentRedirect TemporaryRedirect Redirect AuthorizationHeaderMalformed IllegalLocationConstraintException"
        " 301 307"
    ).split()
)
_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "NoSuchUpload", "NoSuchVersion", "NotFound", "404"})
_REFUSED = frozenset({"AccessDenied", "AllAccessDisabled", "AccountProblem", "InvalidObjectState", "403", "Forbidden"})
_CONDITIONS = frozenset({"PreconditionFailed", "412"})
# A parser's error is none of botocore's own for want of care: the class stands alone.
_BOTOCORES = (ClientError, botocores.BotoCoreError, ResponseParserError)
_HOMES = (botocores.__name__, ResponseParserError.__module__)
_classes = Recent[type[Exception]](256)
_TOO_MANY, _UNAVAILABLE = 429, 503
_SERVER_ERRORS = (500, 502, 504)
_UNREACHABLE = (
    botocores.EndpointConnectionError,
    botocores.ConnectTimeoutError,
    botocores.ProxyConnectionError,
)
_NO_ANSWER = (
    botocores.ConnectionClosedError,
    botocores.ReadTimeoutError,
    botocores.IncompleteReadError,
    botocores.ResponseStreamingError,
    ResponseParserError,
)
# Newer botocores have more of them.
_LOGINS = tuple(
    getattr(botocores, name)
    for name in ("SSOError", "TokenRetrievalError", "LoginError", "LoginRefreshRequired")
    if hasattr(botocores, name)
)
_OF_CREDENTIALS = (
    botocores.NoCredentialsError,
    botocores.PartialCredentialsError,
    botocores.CredentialRetrievalError,
    botocores.UnknownCredentialError,
    botocores.NoAuthTokenError,
    botocores.RefreshWithMFAUnsupportedError,
)
_OF_SETTINGS = (botocores.ParamValidationError, botocores.ProfileNotFound, botocores.NoRegionError)
_CLASSES: tuple[tuple[tuple[type[Exception], ...], type[errors.MangroveError]], ...] = (
    (_OF_SETTINGS, errors.ConfigError),
    (_LOGINS, errors.LoginRequiredError),
    (_OF_CREDENTIALS, errors.CredentialError),
    ((botocores.FlexibleChecksumError,), errors.IntegrityError),
)
_NO_CREDENTIALS = (
    "give session=, profile_name= or access keys, set one of boto3's sources (environment, ~/.aws, SSO, a role of the"
    " machine), or say Config(signature_version=UNSIGNED) for a public bucket"
)


def code_of(error: BaseException) -> str:
    """Return the code of S3's error, or nothing for an error that S3 has not sent."""
    return str(_told(error).get("Code", ""))


def _told(error: BaseException) -> Mapping[str, Any]:
    # Whatever a server or a test double has put there.
    response: Mapping[str, Any] = getattr(error, "response", None) or {}
    found: Mapping[str, Any] = response.get("Error") or {}
    return found


def status_of(error: BaseException) -> int:
    """Return the HTTP status of S3's error, or 0."""
    return int(_metadata(error).get("HTTPStatusCode") or 0)


def _metadata(error: BaseException) -> Mapping[str, Any]:
    response: Mapping[str, Any] = getattr(error, "response", None) or {}
    found: Mapping[str, Any] = response.get("ResponseMetadata") or {}
    return found


def _field(error: BaseException, name: str) -> str | None:
    fields: Mapping[str, str] = _metadata(error).get("HTTPHeaders") or {}
    return fields.get(name)


def region_of(error: BaseException) -> str | None:
    """Return the region that S3 names for the bucket, or None."""
    told = _told(error).get("Region")
    return _field(error, "x-amz-bucket-region") or (str(told) if told else None)


def retry_after(error: BaseException) -> float | None:
    """Return for how many seconds S3 asks to wait, or None.

    A date in place of a number is not S3's; it is taken for nothing.
    """
    text = _field(error, "retry-after") or ""
    return float(text) if text.isascii() and text.isdigit() else None


def kind_of(error: BaseException) -> Kind:
    """Return what kind of failure an error is.

    `throttled`: S3 asks to slow down. `transient`: it may work at once. `unreachable`: no connection was made, which
    may be a wrong name. `damaged`: the bytes are not those that were sent. `expired`: other credentials, or another
    clock, are needed. `moved`: the bucket is elsewhere. `fatal`: it will fail again.
    """
    if isinstance(error, ClientError):
        return _kind_of_answer(error)
    if isinstance(error, _UNREACHABLE):
        return "unreachable"
    if isinstance(error, (errors.IntegrityError, botocores.FlexibleChecksumError)):
        return "damaged"
    if isinstance(error, (*_NO_ANSWER, errors.IncompleteTransferError)):
        return "transient"
    if type(error) is botocores.HTTPClientError:
        return "transient"
    return "fatal"


def _kind_of_answer(error: ClientError) -> Kind:
    code, status = code_of(error), status_of(error)
    if code in _EXPIRED:
        return "expired"
    if code in _THROTTLES or status in (_TOO_MANY, _UNAVAILABLE):
        return "throttled"
    if code in _TRANSIENTS or status in _SERVER_ERRORS:
        return "transient"
    if code in _DAMAGED:
        return "damaged"
    if status == 400 and code in ("400", "BadRequest"):  # noqa: PLR2004
        # A HEAD has no document. The region beside its status says where the bucket is; without it, what is left of
        # S3's errors of this status are credentials that have expired.
        return "moved" if region_of(error) else "expired"
    return "moved" if code in _MOVED else "fatal"


def raised(
    error: Exception, reason: str = "", classes: Callable[[str], type[ClientError]] = lambda _: ClientError
) -> Exception:
    """Return the error that users get for one of S3's or of the transport's.

    It is of the same class as before, with ours beside it: `except ClientError`, `except client.exceptions.NoSuchKey`
    and `except FileNotFoundError` all catch it. What is ours already stays as it is.

    Args:
        error: the error.
        reason: why it is not tried again, for the message.
        classes: finds the class of a code: `client.exceptions.from_code` of the client that users see.
    """
    if isinstance(error, errors.MangroveError) or not isinstance(error, _BOTOCORES):
        return error
    theirs = classes(code_of(error)) if isinstance(error, ClientError) else type(error)
    return _copied(error, _mixed(theirs, _ours(error)), reason or _remedy(error))


def _remedy(error: Exception) -> str:
    """Return what to do about an error whose own message does not say it."""
    if isinstance(error, botocores.NoCredentialsError):
        return _NO_CREDENTIALS
    return "run: aws sso login" if isinstance(error, _LOGINS) and "login" not in str(error) else ""


def _copied(error: Exception, made: type[Exception], reason: str) -> Exception:
    copy = made.__new__(made)
    copy.args = (f"{error}; {reason}", *error.args[1:]) if reason else error.args
    copy.__dict__.update(error.__dict__)
    forget_request(copy)
    copy.__cause__, copy.__traceback__ = error.__cause__, error.__traceback__
    return copy


def _ours(error: Exception) -> type[errors.MangroveError]:
    if not isinstance(error, ClientError):
        return next((ours for theirs, ours in _CLASSES if isinstance(error, theirs)), errors.TransferError)
    code, status = code_of(error), status_of(error)
    if code in _MISSING:
        return errors.NotFoundError
    if code in _REFUSED or status == 403:  # noqa: PLR2004
        return errors.AccessDeniedError
    if code in _CONDITIONS:
        return errors.PreconditionError
    if kind_of(error) == "throttled":
        return errors.ThrottledError
    return errors.TransferError


def _mixed(theirs: type[Exception], ours: type[errors.MangroveError]) -> type[Exception]:
    # Named as theirs: it is what a traceback and a log show, and what S3's documents call it.
    body = {"__module__": theirs.__module__, "__doc__": ours.__doc__, "__reduce__": _reduce, "ours": ours}
    make: Any = type
    return _classes.get((theirs, ours), lambda: make(theirs.__name__, (theirs, ours), body))


def _reduce(self: Any) -> tuple[Any, ...]:
    """Pickle an error; the classes of a client are made when it runs, so the base of them stands for each."""
    theirs = next(each for each in type(self).__mro__ if each.__module__ in _HOMES and "ours" not in vars(each))
    return _rebuild, (theirs, self.ours, self.args, self.__dict__)


def _rebuild(theirs: type[Exception], ours: Any, args: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    copy = _mixed(theirs, ours).__new__(_mixed(theirs, ours))
    copy.args = args
    copy.__dict__.update(state)
    return copy
