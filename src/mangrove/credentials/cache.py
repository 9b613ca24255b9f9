"""Keep credentials where others find them: the protocol, what a key is made of, and the cache in memory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, runtime_checkable

from mangrove.credentials.forks import renewed_in_children
from mangrove.credentials.roles import RoleSpec
from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = ["CredentialsCache", "MemoryCache", "Subject", "key_of", "lock_of"]

_MOST = 1024


@dataclass(frozen=True, slots=True, repr=False)
class Subject:
    """Hold everything that decides which credentials are meant.

    Attributes:
        chain: the roles, one after the other.
        source: whose credentials assume the first one: an ARN, or a lasting access key id.
        endpoint: the STS that is asked.
    """

    chain: tuple[RoleSpec, ...]
    source: str
    endpoint: str

    def key(self) -> str:
        """Return a hash of all of it, as hexadecimal digits: no part of it can be read from a file's name."""
        facts = ["mangrove-1", self.source, self.endpoint, *(spec.canonical() for spec in self.chain)]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@runtime_checkable
class CredentialsCache(Protocol):
    """Keep documents by keys: what `ConnectionManager(cache=...)` takes.

    A document is a JSON object, with secrets in it. Besides these methods, a cache may have
    `lock(key, *, wait) -> context manager of bool`, so that one of many processes asks STS, and
    `key_of(subject) -> str`, for keys of its own.
    """

    def get(self, key: str) -> Mapping[str, Any] | None:
        """Return the document that is kept under the key, or None."""
        ...

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document."""
        ...

    def delete(self, key: str) -> None:
        """Forget a document; do nothing if there is none."""
        ...


def key_of(cache: CredentialsCache, subject: Subject) -> str:
    """Return the key that a cache keeps credentials under.

    Args:
        cache: the cache.
        subject: what they are.
    """
    own = getattr(cache, "key_of", None)
    return str(own(subject)) if own else subject.key()


def lock_of(cache: CredentialsCache, key: str, *, wait: bool) -> AbstractContextManager[bool]:
    """Return the cache's lock for a key, if it has such; its value says whether it was got.

    Args:
        cache: the cache.
        key: the key.
        wait: wait for whoever has it, as long as the cache finds that sensible.
    """
    own = getattr(cache, "lock", None)
    found: AbstractContextManager[bool] = own(key, wait=wait) if own else contextlib.nullcontext(enter_result=True)
    return found


class MemoryCache:
    """Keep credentials in this process, for several managers.

    Args:
        most: how many are kept; what was used longest ago goes first.

    Example:
        >>> import mangrove
        >>> cache = mangrove.MemoryCache(most=100)
        >>> connections = mangrove.ConnectionManager(cache=cache)
        >>> cache
        <MemoryCache of 0>
    """

    def __init__(self, most: int = _MOST) -> None:
        if isinstance(most, bool) or not isinstance(most, int):
            text = f"most takes a number; got {type(most).__name__}"
            raise DeclarationTypeError(text)
        if most < 1:
            text = f"most takes a number of at least 1; got {most}"
            raise ConfigError(text)
        self._most = most
        self._kept: OrderedDict[str, Mapping[str, Any]] = OrderedDict()
        self.start_anew()
        renewed_in_children(self)

    def start_anew(self) -> None:
        """Take new locks: what a child process needs."""
        self._guard = threading.Lock()
        # Held by whoever asks STS; they go when nobody waits any more.
        self._flights: weakref.WeakValueDictionary[str, _Flight] = weakref.WeakValueDictionary()

    def get(self, key: str) -> Mapping[str, Any] | None:
        """Return the document that is kept under the key, or None."""
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document."""
        with self._guard:
            self._kept[key] = document
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def delete(self, key: str) -> None:
        """Forget a document; do nothing if there is none."""
        with self._guard:
            self._kept.pop(key, None)

    def clear(self) -> None:
        """Forget all documents."""
        with self._guard:
            self._kept.clear()

    @contextlib.contextmanager
    def lock(self, key: str, *, wait: bool) -> Iterator[bool]:
        """Let one thread at a time ask for the credentials of a key.

        Args:
            key: the key.
            wait: wait for whoever asks; else the value is False at once.
        """
        with self._guard:
            flight = self._flights.setdefault(key, _Flight())
        held = flight.lock.acquire(blocking=wait)
        try:
            yield held
        finally:
            if held:
                flight.lock.release()

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"<MemoryCache of {len(self._kept)}>"

    def __reduce__(self) -> NoReturn:
        text = "credentials are never pickled; a FileCache can be shared with other processes"
        raise TypeError(text)


class _Flight:
    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()
