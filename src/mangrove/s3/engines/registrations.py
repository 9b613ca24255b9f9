"""Know which event handlers a user gives to a client after it was made, and let the engines' own clients ask them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Registrations"]

_WAYS = ("register", "register_first", "register_last", "unregister")


class Registrations:
    """Watch the handlers of one client, and do for others what is done for it.

    botocore has no sign that a handler has come, and to look for them with each call would cost more than the call; so
    the methods of the client's `meta.events` are wrapped, which are this client's alone.

    Args:
        client: a botocore client that was just made.

    Attributes:
        count: how many handlers have been registered and unregistered.
    """

    def __init__(self, client: Any) -> None:
        self.client, self.count = client, 0
        self._done: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self._followers: list[Any] = []
        self._lock = threading.Lock()
        events = client.meta.events
        for name in _WAYS:
            setattr(events, name, self._noting(name, getattr(events, name)))

    def _noting(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def note(*args: Any, **arguments: Any) -> Any:
            result = method(*args, **arguments)
            with self._lock:
                self._done.append((name, args, arguments))
                for events in self._followers:
                    getattr(events, name)(*args, **arguments)
                self.count += 1
            return result

        return note

    def follow(self, client: Any) -> Any:
        """Give another client the same handlers, those that will come too, and return it.

        Args:
            client: a botocore client of the same service, with the handlers that the first one was made with.
        """
        events = client.meta.events
        with self._lock:
            for name, args, arguments in self._done:
                getattr(events, name)(*args, **arguments)
            self._followers.append(events)
        return client
