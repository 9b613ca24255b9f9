"""Whose credentials a pool uses: a session, and what of it may travel in a pickle."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mangrove._redact import Secret
from mangrove.aws.session import make_session
from mangrove.errors import CredentialError

if TYPE_CHECKING:
    import boto3

__all__ = ["Identity", "access_keys"]

_WITHHELD = (
    "this pool was copied or pickled without its credentials, as a copy never holds a secret; give them anew with "
    "pool.connect(session=...) or pool.connect(aws_access_key_id=..., aws_secret_access_key=...)"
)


def access_keys(key: str | None, secret: str | None, token: str | None) -> dict[str, str | None]:
    """Return access keys by boto3's argument names."""
    return {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}


class Identity:
    """Hold a pool's session, and how to make it again elsewhere without a secret.

    Args:
        session: a session of the caller's, or None to make one.
        profile_name: a profile to make it from.
        keys: access keys to make it from, by boto3's argument names; None where not given.
        withheld: the keys or the session did not travel with a pickle: the pool knows its regions, and nothing more,
            until it is given new ones.
        region_name: the session's region, where the session itself did not travel.
    """

    __slots__ = ("_keys", "_profile_name", "_session", "_travels", "_withheld")

    def __init__(
        self,
        session: boto3.Session | None = None,
        profile_name: str | None = None,
        keys: dict[str, str | None] | None = None,
        *,
        withheld: bool = False,
        region_name: str | None = None,
    ) -> None:
        given = {name: value for name, value in (keys or {}).items() if value is not None}
        if withheld:
            session = make_session(region_name=region_name)
        self._session = make_session(session, profile_name=profile_name, **given)
        self._keys = {name: Secret(value) for name, value in given.items()}
        self._profile_name = profile_name
        self._withheld = withheld
        # A caller's session may hold any credentials; making another in its place could be somebody else's.
        self._travels = session is None and not given and not withheld

    @classmethod
    def if_given(
        cls, session: boto3.Session | None, profile_name: str | None, keys: dict[str, str | None]
    ) -> Identity | None:
        """Return an identity of what is given, or None if nothing is."""
        if session is None and profile_name is None and all(key is None for key in keys.values()):
            return None
        return cls(session, profile_name, keys)

    @property
    def facts(self) -> boto3.Session:
        """Return a session for what needs no credentials: models, and data on regions."""
        return self._session

    @property
    def session(self) -> boto3.Session:
        """Return the session that calls are made with.

        Raises:
            CredentialError: the credentials did not travel with the pickle.
        """
        if self._withheld:
            raise CredentialError(_WITHHELD)
        return self._session

    def keys_for(self, function: Callable[..., Any]) -> dict[str, str]:
        """Return the access keys that the function takes as arguments, by name; none if it takes none.

        Raises:
            CredentialError: the credentials did not travel with the pickle.
        """
        if self._withheld:
            raise CredentialError(_WITHHELD)
        if not self._keys:
            return {}
        parameters = inspect.signature(function).parameters
        everything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        return {name: key.reveal() for name, key in self._keys.items() if everything or name in parameters}

    def check_credentials(self) -> None:
        """Find the credentials once, before many clients each look for them and wait for a metadata service.

        Raises:
            CredentialError: there are none.
        """
        if self.session.get_credentials() is None:
            text = (
                "no credentials found: give session=, profile_name= or access keys, or set one of boto3's sources "
                "(environment, ~/.aws, SSO, a role of the machine)"
            )
            raise CredentialError(text)

    def recipe(self) -> dict[str, Any]:
        """Return the arguments that make this identity again, without a secret."""
        if self._travels:
            return {"profile_name": self._profile_name}
        return {"withheld": True, "region_name": self._session.region_name}
