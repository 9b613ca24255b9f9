"""Give botocore a role's credentials in the form it knows, and answer services that call them expired."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, NoReturn

from botocore import UNSIGNED
from botocore.credentials import ReadOnlyCredentials, RefreshableCredentials

from mangrove.aws.borrowed import BorrowedCredentials
from mangrove.credentials.refresh import Refresher

__all__ = ["EXPIRED", "FrozenKeys", "Renewal", "RoleCredentials"]

# What services call a token whose time is over. RequestExpired is EC2's.
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_SIGNED_WITH = "mangrove_signed_with"
_RENEWED = "mangrove_renewed"


class FrozenKeys(ReadOnlyCredentials):
    """Be botocore's frozen credentials, without showing them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<FrozenKeys of account {self.account_id}>"

    __str__ = __repr__

    def __copy__(self) -> FrozenKeys:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenKeys:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        text = "credentials are never pickled"
        raise TypeError(text)


class RoleCredentials(RefreshableCredentials):
    """Be botocore's refreshable credentials of one role; all its sessions and clients share one object.

    Args:
        refresher: holds the keys.
        partition: the role's; None where it is not known.
        account_id: the role's: known without a call; None where it is not.
        lineage: returns a hash of the roles, all their options and who assumes them; what it raises says that nobody
            knows.
    """

    def __init__(
        self, refresher: Refresher, partition: str | None, account_id: str | None, lineage: Callable[[], str]
    ) -> None:
        # Not the base's __init__: it takes keys, and here there are none before they are needed.
        self._refresher = refresher
        self.partition = partition
        self._role_account_id = account_id
        self.lineage = lineage
        self.method = "assume-role"

    @property  # type: ignore[misc]
    def access_key(self) -> str:  # type: ignore[override]
        """Return the access key id, after a refresh if one is due."""
        return self._refresher.get().access_key

    @property  # type: ignore[misc]
    def secret_key(self) -> str:  # type: ignore[override]
        """Return the secret key, after a refresh if one is due."""
        return self._refresher.get().secret_key

    @property  # type: ignore[misc]
    def token(self) -> str:  # type: ignore[override]
        """Return the session token, after a refresh if one is due."""
        return self._refresher.get().token

    @property  # type: ignore[misc]
    def account_id(self) -> str | None:  # type: ignore[override]
        """Return the role's account, without a call."""
        return self._role_account_id

    @property
    def refresher(self) -> Refresher:
        """Return what holds the keys."""
        return self._refresher

    @property
    def _expiry_time(self) -> datetime | None:
        # Tools that pass credentials on read it: botocore has no public way to tell when they end.
        issued = self._refresher.peek()
        return datetime.fromtimestamp(issued.local_expiry, timezone.utc) if issued else None

    def get_frozen_credentials(self) -> FrozenKeys:
        """Return keys that belong together, after a refresh if one is due."""
        issued = self._refresher.get()
        return FrozenKeys(issued.access_key, issued.secret_key, issued.token, self._role_account_id)

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        """Say whether a refresh is due, or will be within so many seconds of the end.

        Args:
            refresh_in: seconds before the end; None takes the refresher's own window.
        """
        if refresh_in is None:
            return not self._refresher.is_fresh()
        return self._refresher.ends_within(refresh_in)

    def _refresh(self) -> None:
        self._refresher.get()

    def __repr__(self) -> str:
        return f"<RoleCredentials of account {self._role_account_id}>"

    def __copy__(self) -> RoleCredentials:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> RoleCredentials:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        text = "credentials are never pickled; pass on the role's ARN, and assume it there"
        raise TypeError(text)


class Renewal:
    """Have a request that a service refuses as expired sent once more with new credentials.

    Args:
        refresher: returns what holds the keys that a client of the current thread signs with, or None.
    """

    __slots__ = ("_refresher",)

    def __init__(self, refresher: Callable[[], Refresher | None]) -> None:
        self._refresher = refresher

    @classmethod
    def of(cls, credentials: RoleCredentials) -> Renewal:
        """Return what renews these credentials.

        The handlers are kept by clients' templates, which all accounts share: so they know the credentials weakly.
        """
        return cls(weakref.ref(credentials.refresher))

    @classmethod
    def of_current(cls, borrowed: BorrowedCredentials) -> Renewal:
        """Return what renews the credentials of the account that the current thread acts for."""
        return cls(lambda: borrowed.current.refresher)

    def handlers(self) -> tuple[tuple[str, Callable[..., Any]], ...]:
        """Return the events and what handles them."""
        return ("before-sign", self.remember), ("needs-retry", self.retry)

    def remember(self, request: Any, signature_version: Any = None, **_: Any) -> None:
        """Write down which keys a request is signed with; botocore's event `before-sign`."""
        refresher = self._refresher()
        if refresher is not None and signature_version is not UNSIGNED:
            refresher.get()
            request.context[_SIGNED_WITH] = refresher.generation

    def retry(self, response: Any = None, request_dict: Any = None, **_: Any) -> int | None:
        """Answer botocore's event `needs-retry`: 0 seconds until the next attempt, or no opinion."""
        if not response or code_of(response[1]) not in EXPIRED or request_dict is None:
            return None
        context, refresher = request_dict["context"], self._refresher()
        generation = context.get(_SIGNED_WITH)
        if refresher is None or generation is None or context.get(_RENEWED):
            return None
        context[_RENEWED] = True
        return 0 if refresher.renew(generation) else None


def code_of(parsed: Any) -> str:
    """Return the error code of a parsed response, or an empty string."""
    error = parsed.get("Error") if isinstance(parsed, dict) else None
    return str(error.get("Code", "")) if isinstance(error, dict) else ""
