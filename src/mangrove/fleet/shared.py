"""Have one client of a service in a region for all accounts, where only the signature tells their requests apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from mangrove._concurrency import Once, Recent
from mangrove.aws.borrowed import BorrowedCredentials, is_the_same_for_all
from mangrove.aws.session import make_client

if TYPE_CHECKING:
    import boto3

    from mangrove.aws.operations import Operation
    from mangrove.aws.options import ClientOptions
    from mangrove.fleet.outcome import Target

__all__ = ["SharedClients"]

T = TypeVar("T")

# Services by regions in use at the same time, and their operations.
_MOST_CLIENTS, _MOST_METHODS = 1024, 4096


class SharedClients:
    """Hold the clients that serve all accounts.

    Args:
        make_session: returns the session that makes them, of credentials that are borrowed.
        options: client arguments.
    """

    def __init__(self, make_session: Callable[[BorrowedCredentials], boto3.Session], options: ClientOptions) -> None:
        self._make_session, self._options = make_session, options
        self._credentials = BorrowedCredentials()
        self._session = Once[Any]()
        self._clients = Recent[Any](_MOST_CLIENTS)
        self._methods = Recent[Any](_MOST_METHODS)

    @property
    def session(self) -> boto3.Session:
        """Return the session that makes the clients: for its settings, as it is nobody's."""
        found: boto3.Session = self._session.get(lambda: self._make_session(self._credentials))
        return found

    def ask(self, credentials: Any, target: Target, operation: Operation, given: Mapping[str, Any]) -> Any:
        """Call an operation in a target, and return its answer; None if the target needs a client of its own.

        Args:
            credentials: the account's.
            target: the target.
            operation: the operation; one that changes something may presign, and needs its own.
            given: its parameters.
        """
        method = self._method((operation.service, target.region_name), operation)
        return None if method is None else self.act_for(credentials, partial(method, **given))

    def serves(self, place: tuple[str, str], operation: Operation) -> bool:
        """Tell whether one client does for all accounts.

        Args:
            place: the service, and the region that its client is made with.
            operation: the operation.
        """
        return self._method(place, operation) is not None

    def act_for(self, credentials: Any, function: Callable[[], T]) -> T:
        """Call a function, in which the session and its clients are of an account.

        Args:
            credentials: the account's.
            function: is called without arguments.
        """
        return self._credentials.act_for(credentials, function)

    def _method(self, place: tuple[str, str], operation: Operation) -> Any:
        if not operation.read_only:
            return None

        def find() -> Any:
            client = self._clients.get(place, lambda: self._client(*place))
            return getattr(client, operation.method) if is_the_same_for_all(client, operation.model) else None

        return self._methods.get((*place, operation.name), find)

    def _client(self, service: str, region: str) -> Any:
        return make_client(self.session, service, **self._options.as_arguments(region_name=region))
