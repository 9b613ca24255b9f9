"""Take the session cache of boto3_extensions: `get(role_arn, role_session_name)` and `set(..., session)`."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from typing import Any, Protocol

from mangrove._concurrency import Recent
from mangrove.aws.session import Session

__all__ = ["Cache", "SeedCache", "SeedSessions"]

_MOST = 1024


class Cache:
    """Keep sessions by role and session name, as boto3_extensions did; replace it by a class of your own.

    As long as `mangrove.Cache` is this class, a manager keeps its sessions by all that tells them apart. A class that
    is set in its place is used by every manager made afterwards, with a warning: its keys know nothing of external ids.
    `ConnectionManager(cache=...)` with a `CredentialsCache` is the better way.

    Example:
        >>> import mangrove
        >>> cache = mangrove.Cache()
        >>> cache.set("arn:aws:iam::123456789012:role/Reader", "testing", mangrove.Session())
        >>> cache.get("arn:aws:iam::123456789012:role/Reader", "other")
    """

    def __init__(self) -> None:
        self._kept = Recent[list[Any]](_MOST)

    def get(self, role_arn: str, role_session_name: str) -> Any:
        """Return the session of a role, or None."""
        return self._kept.get((role_arn, role_session_name), lambda: [None])[0]

    def set(self, role_arn: str, role_session_name: str, session: Any) -> None:
        """Keep the session of a role."""
        self._kept.get((role_arn, role_session_name), lambda: [None])[0] = session


class SeedCache(Protocol):
    """Be what boto3_extensions asked of a cache."""

    def get(self, role_arn: str, role_session_name: str) -> Any:
        """Return the session of a role, or None."""
        ...

    def set(self, role_arn: str, role_session_name: str, session: Any) -> None:
        """Keep the session of a role."""
        ...


class SeedSessions:
    """Ask a cache of the old form, and take from it no session but the one that is meant.

    Args:
        cache: the user's.
    """

    def __init__(self, cache: SeedCache) -> None:
        self._cache = cache
        self._keys: weakref.WeakKeyDictionary[Session, object] = weakref.WeakKeyDictionary()
        self._told = False
        warnings.warn(
            f"{type(cache).__name__} keeps sessions by role_arn and role_session_name, which can't tell external ids "
            "and other options apart; a session of other options is not used. Better: ConnectionManager(cache=...) "
            "with an object that has get(key), put(key, document) and delete(key)",
            UserWarning,
            stacklevel=4,
        )

    def session(
        self, role_arn: str, name: str, key: object, make: Callable[[], Session], *, replace: bool = False
    ) -> Session:
        """Return the session that the cache has, if it was made for the same request; else make and set it.

        Args:
            role_arn: the role.
            name: the session name.
            key: tells all requests apart.
            make: returns the right session.
            replace: set it in any case.
        """
        found = None if replace else self._cache.get(role_arn, name)
        if isinstance(found, Session) and self._keys.get(found) == key:
            return found
        if found is not None and not self._told:
            self._told = True
            warnings.warn(
                f"{type(self._cache).__name__} has a session of other options for {role_arn}; it is not used",
                UserWarning,
                stacklevel=4,
            )
        session = make()
        self._keys[session] = key
        self._cache.set(role_arn, name, session)
        return session
