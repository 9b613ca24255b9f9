"""Say why STS gave no credentials: what was asked, by whom, and what most likely has to change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore import exceptions
from botocore.exceptions import ClientError

from mangrove._redact import message_of
from mangrove.aws.session import botocore_session
from mangrove.credentials.provider import EXPIRED
from mangrove.errors import AssumeRoleError, CredentialError, LoginRequiredError

__all__ = ["Attempt", "explain", "login_command", "login_needed", "scrubbed"]

_CALLER = re.compile(r"User: (arn:[!-~]+?) is not authorized")
_CLOCK_CODES = frozenset(
    {"SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed", "InvalidSignatureException", "SignatureExpired"}
)
# Signatures are good for five minutes.
_SKEW_THAT_MATTERS = 240.0
_UNKNOWN_KEY = "the caller's own access key is deleted, inactive, or of another partition"
_HINTS = {
    **dict.fromkeys(EXPIRED, "the caller's own credentials have expired: renew those"),
    "InvalidClientTokenId": _UNKNOWN_KEY,
    "UnrecognizedClientException": _UNKNOWN_KEY,
    "RegionDisabledException": "STS is switched off in this region: see IAM's account settings, or give another region",
}
_HINTS_BY_MESSAGE = {
    "1 hour session limit": "a role that is assumed by a role lives an hour at most: leave duration_seconds out",
    "MaxSessionDuration": "the role allows less: lower duration_seconds, or raise the role's MaxSessionDuration",
}
_LOGINS = tuple(
    getattr(exceptions, name) for name in ("SSOError", "TokenRetrievalError", "LoginError") if hasattr(exceptions, name)
)


@dataclass(frozen=True, slots=True, repr=False)
class Attempt:
    """Hold what is known of a call that failed.

    Attributes:
        what: the role, or the call.
        where: the STS endpoint or region.
        caller: the caller's ARN, where known.
        asked: the arguments that the role's trust policy may look at.
        chained: the caller is itself a role.
        skew: how many seconds AWS's clock is ahead of this machine's, where its answer said.
        hidden: what must not be shown.
        login: the command that begins a new login.
        who: asks AWS for the caller, where its answer does not name it; None if AWS does not say.
    """

    what: str
    where: str
    caller: str | None = None
    asked: frozenset[str] = frozenset()
    chained: bool = False
    skew: float | None = None
    hidden: tuple[str, ...] = ()
    login: str = "aws sso login"
    who: Callable[[], str | None] = lambda: None


def explain(error: Exception, attempt: Attempt) -> CredentialError:
    """Return the error that a user sees, with what AWS answered as its cause; nothing secret is in either.

    Args:
        error: what botocore raised.
        attempt: what is known of the call.
    """
    if isinstance(error, CredentialError):
        return error
    if isinstance(error, ClientError):
        told: CredentialError = AssumeRoleError(_explain_answer(error, attempt))
        told.__cause__ = scrubbed(error, attempt.hidden)
        return told
    shown = scrub(message_of(error), attempt.hidden)
    if isinstance(error, _LOGINS):
        text = f"{attempt.what}: the login of the caller is missing or has ended; run: {attempt.login}"
        told = LoginRequiredError(text)
    elif isinstance(error, exceptions.NoCredentialsError):
        told = CredentialError(
            f"{attempt.what}: no credentials to assume it with: give session=, profile_name= or access keys, or set "
            "one of boto3's sources (environment, ~/.aws, SSO, a role of the machine)"
        )
    elif isinstance(error, (exceptions.HTTPClientError, exceptions.ConnectionError)):
        told = AssumeRoleError(f"{attempt.what}: no answer from {attempt.where}: {shown}")
    else:
        told = AssumeRoleError(f"{attempt.what}: the call to {attempt.where} failed: {type(error).__name__}: {shown}")
    # What quotes a secret is replaced by its own words without it.
    clean = all(scrub(message_of(link), attempt.hidden) == str(link) for link in _chained(error))
    told.__cause__ = error if clean else CredentialError(shown)
    return told


def _chained(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that a traceback would show with it."""
    left, seen = [error], set[int]()
    while left:
        link = left.pop()
        if id(link) not in seen:
            seen.add(id(link))
            yield link
            left.extend(each for each in (link.__cause__, link.__context__) if each is not None)


def _explain_answer(error: ClientError, attempt: Attempt) -> str:
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", ""))
    found = _CALLER.search(message)
    caller = found[1] if found else attempt.caller or (attempt.who() if code == "AccessDenied" else None)
    text = f"{attempt.what}: {attempt.where} answered {code} to {caller or 'the caller'}: "
    hint = _hint(code, message, attempt)
    return text + scrub(message, attempt.hidden) + (f" ({hint})" if hint else "")


def _hint(code: str, message: str, attempt: Attempt) -> str:
    skew = attempt.skew or 0.0
    if code in _CLOCK_CODES and abs(skew) >= _SKEW_THAT_MATTERS:
        side = "behind" if skew > 0 else "ahead of"
        return f"this machine's clock is {abs(skew) / 60:.0f} minutes {side} AWS's: set it"
    if code == "AccessDenied":
        return "likely causes: " + "; ".join(_denials(attempt))
    if code in _HINTS:
        return _HINTS[code]
    return next((hint for part, hint in _HINTS_BY_MESSAGE.items() if part in message), "")


def _denials(attempt: Attempt) -> Iterable[str]:
    yield "the role does not exist, or its trust policy does not name the caller"
    yield "the caller has no permission sts:AssumeRole on it"
    if "ExternalId" in attempt.asked:
        yield "the trust policy asks for another external id than the one given (not shown)"
    else:
        yield "the trust policy asks for an external id, and none was given"
    if "SerialNumber" not in attempt.asked and not attempt.chained:
        yield "the trust policy asks for MFA (mfa_serial, mfa_token_provider)"
    if "Tags" in attempt.asked:
        yield "the trust policy does not allow sts:TagSession"
    if "SourceIdentity" in attempt.asked:
        yield "the trust policy does not allow sts:SetSourceIdentity, or the chain has another one already"
    yield "a service control policy denies it"


def scrub(text: str, hidden: Iterable[str]) -> str:
    """Return a text without these values.

    Args:
        text: what AWS or botocore said.
        hidden: what must not be shown.
    """
    for value in hidden:
        text = text.replace(value, "***")
    return text


def scrubbed(error: ClientError, hidden: Iterable[str]) -> ClientError:
    """Return a ClientError of the same answer without these values, headers or traceback."""
    hide = tuple(hidden)
    told: Any = error.response
    kept = {
        "Error": {
            name: scrub(value, hide) if isinstance(value, str) else value
            for name, value in told.get("Error", {}).items()
        },
        "ResponseMetadata": {
            name: value
            for name, value in told.get("ResponseMetadata", {}).items()
            if name in {"RequestId", "HTTPStatusCode", "RetryAttempts"}
        },
    }
    return ClientError(kept, error.operation_name)  # type: ignore[arg-type]


def login_needed(error: BaseException, session: boto3.Session) -> LoginRequiredError | None:
    """Return the error that names the command to run, if a session's own login is missing or has ended; else None.

    Args:
        error: what botocore raised.
        session: the session that the credentials come from.
    """
    if not isinstance(error, _LOGINS):
        return None
    return LoginRequiredError(f"the login is missing or has ended; run: {login_command(session)}")


def login_command(session: boto3.Session) -> str:
    """Return the command that begins a new login for a session's profile, or for the one that its role comes from."""
    core = botocore_session(session)
    name, seen = core.profile or "default", set[str]()
    profiles: dict[str, Any] = core.full_config.get("profiles", {})
    while name not in seen:
        seen.add(name)
        found = profiles.get(name, {})
        if "login_session" in found:
            return f"aws login --profile {name}"
        if "sso_session" in found or "sso_start_url" in found:
            break
        name = found.get("source_profile", name)
    return "aws sso login" if name == "default" else f"aws sso login --profile {name}"
