"""Fetch credentials: from the cache where others have put them, else from STS, one process at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mangrove._concurrency import Once
from mangrove.credentials.cache import CredentialsCache, Subject, key_of, lock_of
from mangrove.credentials.documents import Issued, read_document, write_document
from mangrove.credentials.forks import renewed_in_children
from mangrove.credentials.refresh import Clock, times_of
from mangrove.errors import CredentialError

__all__ = ["Link", "Usual"]

_log = logging.getLogger("mangrove.credentials")


@dataclass(frozen=True, slots=True)
class Usual:
    """Hold what credentials are like that a cache may give.

    Attributes:
        name: what they are of, for messages.
        account_id: the account they must be of, where known.
        lifetime: seconds that they live, for a document that does not say when it was issued.
    """

    name: str
    account_id: str | None
    lifetime: int


class Link:
    """Fetch credentials: from the cache, or from STS.

    Args:
        call: asks STS, and returns the credentials and its `AssumedRoleUser`.
        usual: what a cached document has to be like.
        subject: what a cache has to know; it may need a call.
        cache: where others find what one has fetched; None for nowhere.
        clock: tells the time.
    """

    def __init__(
        self,
        call: Callable[[], tuple[Issued, Mapping[str, Any]]],
        usual: Usual,
        subject: Callable[[], Subject],
        cache: CredentialsCache | None,
        clock: Clock,
    ) -> None:
        self._call = call
        self._usual = usual
        self._subject = subject
        self._cache = cache
        self._clock = clock
        self.start_anew()
        renewed_in_children(self)

    def start_anew(self) -> None:
        """Take a new lock: what a child process needs."""
        self._key = Once[str]()

    def __call__(self, *, wait: bool, rejected: Issued | None, anew: bool) -> Issued | None:
        """Return credentials, or None if another process is getting them; see `Fetch`."""
        cache, key = self._cache, self._find_key()
        if cache is None or key is None:
            return self._call()[0]
        found = None if anew else self._read(cache, key)
        if found is not None and self._is_good(found, rejected):
            return found
        with self._lock(cache, key, wait=wait) as held:
            if not held and not wait:
                return None
            found = None if anew else self._read(cache, key)
            if found is not None and self._is_good(found, rejected):
                return found
            if found is not None and rejected is not None and found.access_key == rejected.access_key:
                # Dead by a service's word: nobody else shall try it.
                found = None
                self._forget(cache, key)
            try:
                return self._assume_and_keep(cache, key)
            except CredentialError:
                # What others have is old and yet good: better than nothing.
                if found is None or not self._is_good(found, rejected, old=True):
                    raise
                return found

    def _assume_and_keep(self, cache: CredentialsCache, key: str) -> Issued:
        issued, role = self._call()
        try:
            cache.put(key, write_document(issued, role))
        except Exception as error:  # noqa: BLE001  a cache is anybody's code, and a full disk is no reason to fail
            _log.warning("%s: not cached: %s", self._usual.name, type(error).__name__)
        return issued

    def _forget(self, cache: CredentialsCache, key: str) -> None:
        try:
            cache.delete(key)
        except Exception as error:  # noqa: BLE001  a cache is anybody's code
            _log.warning("%s: not taken out of the cache: %s", self._usual.name, type(error).__name__)

    def _find_key(self) -> str | None:
        """Return the cache's key; None if nobody can say whose credentials these are: then nothing is cached."""
        if self._cache is None:
            return None
        cache = self._cache
        try:
            return self._key.get(lambda: key_of(cache, self._subject()))
        except Exception as error:  # noqa: BLE001  a credential provider and a cache are anybody's code
            _log.debug("%s: not cached, as the caller is not known: %s", self._usual.name, type(error).__name__)
            return None

    @contextmanager
    def _lock(self, cache: CredentialsCache, key: str, *, wait: bool) -> Iterator[bool]:
        """Hold the cache's lock; one that fails is none: two calls are better than an error."""
        try:
            lock = lock_of(cache, key, wait=wait)
            held = lock.__enter__()
        except Exception as error:  # noqa: BLE001  a cache is anybody's code
            _log.warning("%s: the cache gave no lock: %s", self._usual.name, type(error).__name__)
            yield True
            return
        try:
            yield held
        finally:
            try:
                lock.__exit__(None, None, None)
            except Exception as error:  # noqa: BLE001  a cache is anybody's code
                _log.warning("%s: the cache's lock was not given back: %s", self._usual.name, type(error).__name__)

    def _read(self, cache: CredentialsCache, key: str) -> Issued | None:
        try:
            document = cache.get(key)
        except Exception as error:  # noqa: BLE001  a cache is anybody's code: what it can't give is a miss
            _log.warning("%s: the cache gave no answer: %s", self._usual.name, type(error).__name__)
            return None
        usual = self._usual
        return None if document is None else read_document(document, usual.account_id, usual.lifetime)

    def _is_good(self, found: Issued, rejected: Issued | None, *, old: bool = False) -> bool:
        if rejected is not None and found.access_key == rejected.access_key:
            return False
        times = times_of(found, 0.0)
        return self._clock.time() < (times.wait if old else times.refresh)
