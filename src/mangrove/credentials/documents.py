"""Hold temporary credentials as AWS gave them, and read and write them as every AWS tool does."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, NoReturn

from botocore.utils import parse_timestamp

__all__ = ["Issued", "read_document", "write_document"]

_LONGEST_LIFETIME = 129_600.0  # GetSessionToken's 36 hours
_ACCOUNT = re.compile(r"\A[0-9]{12}\Z")


@dataclass(frozen=True, slots=True, repr=False)
class Issued:
    """Hold temporary credentials; no repr and no pickle shows them.

    Attributes:
        access_key: the access key id.
        secret_key: the secret.
        token: the session token.
        expires: when they end, in seconds of the epoch by AWS's clock.
        issued: when they were given, by AWS's clock.
        skew: how many seconds AWS's clock is ahead of this machine's.
        account_id: the account they belong to, where known.
    """

    access_key: str
    secret_key: str
    token: str
    expires: float
    issued: float
    skew: float = 0.0
    account_id: str | None = None

    @property
    def lifetime(self) -> float:
        """Return how long they live, in seconds."""
        return max(self.expires - self.issued, 0.0)

    @property
    def local_expiry(self) -> float:
        """Return when they end by this machine's clock."""
        return self.expires - self.skew

    def __repr__(self) -> str:
        until = datetime.fromtimestamp(self.expires, timezone.utc).isoformat(timespec="seconds")
        return f"<Issued of account {self.account_id}, good until {until}>"

    def __reduce__(self) -> NoReturn:
        text = "credentials are never pickled"
        raise TypeError(text)


def write_document(issued: Issued, role: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return credentials as a JSON document, in the form of the AWS CLI's cache.

    Args:
        issued: the credentials.
        role: the response's `AssumedRoleUser`.
    """
    expires = datetime.fromtimestamp(issued.expires, timezone.utc)
    document: dict[str, Any] = {
        "Credentials": {
            "AccessKeyId": issued.access_key,
            "SecretAccessKey": issued.secret_key,
            "SessionToken": issued.token,
            "Expiration": expires.isoformat(timespec="seconds"),
            "AccountId": issued.account_id,
        },
        "Mangrove": {"Issued": issued.issued, "Skew": issued.skew},
    }
    return {**document, "AssumedRoleUser": dict(role)} if role else document


def read_document(document: object, account_id: str | None, usual_lifetime: float) -> Issued | None:
    """Return the credentials of a document, or None if it is damaged or another account's.

    Args:
        document: anything that was read from a cache.
        account_id: the account they must belong to.
        usual_lifetime: seconds that such credentials live, for a document that does not say when it was issued.
    """
    try:
        keys: Any = document["Credentials"]  # type: ignore[index]
        access_key, secret_key, token = keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
        expires = parse_timestamp(keys["Expiration"]).timestamp()
        account = keys.get("AccountId")
        issued, skew = _own_facts(document, expires, usual_lifetime)
    except (AttributeError, KeyError, OverflowError, RuntimeError, TypeError, ValueError):
        return None
    texts = (access_key, secret_key, token)
    if not all(isinstance(text, str) and text and text.isprintable() for text in texts):
        return None
    if account is not None and (not isinstance(account, str) or not _ACCOUNT.match(account)):
        return None
    if account_id is not None and account is not None and account != account_id:
        return None
    return Issued(access_key, secret_key, token, expires, issued, skew, account_id or account)


def _own_facts(document: Any, expires: float, usual_lifetime: float) -> tuple[float, float]:
    own = document.get("Mangrove") or {}
    issued, skew = float(own.get("Issued", expires - usual_lifetime)), float(own.get("Skew", 0.0))
    if not (math.isfinite(issued) and math.isfinite(skew)) or not 0 <= expires - issued <= _LONGEST_LIFETIME:
        text = "not the dates of credentials"
        raise ValueError(text)
    # A clock that was ahead may be right by now, or another machine's: then these would seem to live beyond their end.
    return issued, max(skew, 0.0)
