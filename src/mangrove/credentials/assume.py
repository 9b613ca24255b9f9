"""Make the one call: sts:AssumeRole with exactly the arguments of a role, and nothing of any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from mangrove.credentials.checks import check_token_code
from mangrove.credentials.documents import Issued
from mangrove.credentials.explain import Attempt, explain
from mangrove.credentials.refresh import Clock
from mangrove.credentials.roles import RoleSpec
from mangrove.errors import AssumeRoleError, CredentialError

__all__ = ["Assumption", "MfaSession", "ask_sts", "date_skew"]

Answered = tuple[dict[str, Any], float, float]

# A Date has whole seconds, and the answer has travelled: less than this is no skew.
_SKEW_THAT_COUNTS = 5.0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Assumption:
    """Hold how one role is assumed.

    Attributes:
        spec: the role.
        sts: returns the caller's STS client.
        attempt: what error messages need to know.
        clock: tells the time.
        provider: returns what returns MFA codes; None for nothing.
    """

    spec: RoleSpec
    sts: Callable[[], Any]
    attempt: Callable[[], Attempt]
    clock: Clock
    provider: Callable[[], Callable[[], str] | None] = lambda: None

    def __call__(self) -> tuple[Issued, Mapping[str, Any]]:
        """Assume the role, and return its credentials and STS's `AssumedRoleUser`.

        Raises:
            AssumeRoleError: STS gave none.
            LoginRequiredError: the caller's login has ended.
        """
        spec = self.spec
        provider = self.provider()

        def call(sts: Any, code: str | None) -> Any:
            return sts.assume_role(**spec.request(), **({"TokenCode": code} if code else {}))

        attempt = replace(self.attempt(), asked=frozenset(spec.request()), hidden=spec.hidden())
        answered = ask_sts(self.sts, call, provider if spec.mfa_serial else None, attempt, self.clock)
        role = answered[0].get("AssumedRoleUser") or {}
        issued = read_answer(answered, spec.role_arn, spec.account_id, spec.duration_seconds)
        if issued.local_expiry <= self.clock.time():
            text = f"{spec.role_arn}: STS gave credentials that had ended already; is this machine's clock right?"
            raise AssumeRoleError(text)
        return issued, role


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MfaSession:
    """Hold how a user's lasting keys are exchanged for a session with MFA, which may then assume any number of roles.

    Attributes:
        serial: the user's MFA device.
        token_provider: returns its code.
    """

    serial: str
    token_provider: Callable[[], str]

    def begin(self, sts: Callable[[], Any], attempt: Attempt, clock: Clock) -> Issued:
        """Begin a session, of twelve hours by AWS's default, and return its credentials.

        Args:
            sts: returns the client of the lasting keys.
            attempt: what error messages need to know.
            clock: tells the time.

        Source: the AWS operation `GetSessionToken`.
        """

        def call(client: Any, code: str | None) -> Any:
            return client.get_session_token(SerialNumber=self.serial, TokenCode=code)

        asked = frozenset({"SerialNumber"})
        answered = ask_sts(sts, call, self.token_provider, replace(attempt, asked=asked), clock)
        return read_answer(answered, attempt.what, None, None)


def ask_sts(
    sts: Callable[[], Any],
    call: Callable[[Any, str | None], Any],
    provider: Callable[[], str] | None,
    attempt: Attempt,
    clock: Clock,
) -> Answered:
    """Call STS, and return its answer, the time it came, and how far its clock is ahead; every failure is explained.

    Args:
        sts: returns the client.
        call: makes the call, with the client and the MFA code.
        provider: returns the code, if one is needed.
        attempt: what is known of the call.
        clock: tells the time.
    """
    failure: CredentialError
    try:
        code = check_token_code(provider()) if provider else None
        if code:
            attempt = replace(attempt, hidden=(*attempt.hidden, code))
        client = sts()
        attempt = replace(attempt, where=f"STS in {client.meta.region_name}")
        began = clock.time()
        answer: dict[str, Any] = call(client, code)
        now = clock.time()
        return answer, now, date_skew(answer, now, began) or 0.0
    except ClientError as error:
        skew = date_skew(error.response, clock.time())
        failure = explain(error, replace(attempt, skew=skew))
    except Exception as error:  # noqa: BLE001  a credential or token provider is anybody's code
        failure = explain(error, attempt)
    # Outside of the except clause: what botocore raised may quote an external id, and would be shown as the context.
    failure.__suppress_context__ = True
    raise failure


def read_answer(answered: Answered, what: str, account_id: str | None, duration: int | None) -> Issued:
    """Return the credentials of an answer of STS.

    Args:
        answered: the response, when it came by this machine's clock, and how far AWS's clock is ahead of it.
        what: the role, or the call; for the message of an error.
        account_id: the account they are of.
        duration: the seconds that were asked for.

    Raises:
        AssumeRoleError: there are none in it.
    """
    answer, now, skew = answered
    try:
        keys = answer["Credentials"]
        texts = keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
        expires = keys["Expiration"].timestamp()
    except (AttributeError, KeyError, TypeError):
        text = f"{what}: STS gave an answer without credentials; what stands between: an endpoint, a proxy, a stub?"
        raise AssumeRoleError(text) from None
    issued = now + skew
    if duration and abs(expires - issued - duration) < _SKEW_THAT_COUNTS * 2:
        issued = expires - duration
    return Issued(
        *texts,
        expires,
        min(issued, expires),
        skew,
        account_id,
    )


def date_skew(answer: Mapping[str, Any], now: float, began: float | None = None) -> float | None:
    """Return how many seconds the clock of an answer's server is ahead of this machine's; None if it does not say.

    Args:
        answer: a response of botocore.
        now: when it came.
        began: when the call was made: a machine that slept meanwhile has no wrong clock. None for just before.

    Example:
        >>> date_skew({"ResponseMetadata": {"HTTPHeaders": {"date": "Thu, 01 Jan 1970 00:10:00 GMT"}}}, 0.0)
        600.0
    """
    text = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        date = parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    ahead, behind = date - now, date - (now if began is None else began)
    # Of all that it may be, the least.
    skew = max(ahead, 0.0) + min(behind, 0.0)
    return skew if abs(skew) >= _SKEW_THAT_COUNTS else 0.0
