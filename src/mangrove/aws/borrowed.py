"""Let one client serve many accounts: it signs each request for the account that the thread acts for, or not at all.

A request depends on its account by its signature alone, for most services; so the clients of a hundred accounts are one
client with a hundred credentials. Where more depends on the account, or may, each has a client of its own: what tells
the one from the other is read from the model and from the client, and where that is in doubt nothing is shared.
"""

# ruff: noqa: SLF001  what a client is made of is botocore's own affair; where it has changed, nothing is shared
from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from mangrove.aws._botocore import plugins
from mangrove.aws.handlers import foreign_handlers, is_active
from mangrove.aws.signing import QuickSigner
from mangrove.errors import CredentialError

__all__ = ["BorrowedCredentials", "is_the_same_for_all"]

T = TypeVar("T")

# What an endpoint may depend on, where all accounts have the same settings. The account's id is not among it, nor what
# is S3's: its clients learn where each bucket is, and have credentials of a bucket's own.
_OF_SETTINGS = frozenset(
    {
        "AWS::Region",
        "AWS::UseDualStack",
        "AWS::UseFIPS",
        "SDK::Endpoint",
        "AWS::STS::UseGlobalEndpoint",
    }
)


class _Thread(threading.local):
    """Hold whom the current thread acts for."""

    credentials: Any = None


class BorrowedCredentials:
    """Stand where botocore looks for credentials, and be those of the account that the current thread acts for.

    A thread that acts for nobody has none: that is an error, and never somebody else's credentials.

    Example:
        >>> from botocore.credentials import Credentials
        >>> borrowed = BorrowedCredentials()
        >>> borrowed.act_for(Credentials("AKIDEXAMPLE", "secret"), lambda: borrowed.access_key)
        'AKIDEXAMPLE'
        >>> borrowed.get_frozen_credentials()
        Traceback (most recent call last):
        ...
        mangrove.errors.CredentialError: this client serves many accounts, and the thread acts for none of them
    """

    # Only roles' are borrowed: botocore asks for it while it makes the client, when there is nobody to act for.
    method = "assume-role"

    def __init__(self) -> None:
        self._thread = _Thread()

    def act_for(self, credentials: Any, function: Callable[[], T]) -> T:
        """Call a function, in which clients of these credentials sign for an account; other threads have their own.

        Args:
            credentials: the account's.
            function: is called without arguments.
        """
        thread = self._thread
        before, thread.credentials = thread.credentials, credentials
        try:
            return function()
        finally:
            thread.credentials = before

    @property
    def current(self) -> Any:
        """Return the credentials of the account that the thread acts for.

        Raises:
            CredentialError: it acts for none.
        """
        found = self._thread.credentials
        if found is None:
            text = "this client serves many accounts, and the thread acts for none of them"
            raise CredentialError(text)
        return found

    def get_frozen_credentials(self) -> Any:
        """Return keys that belong together; see botocore."""
        return self.current.get_frozen_credentials()

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        """Return a function that returns a property; see botocore."""
        return lambda: getattr(self.current, name)

    @property
    def access_key(self) -> Any:
        """Return the access key id."""
        return self.current.access_key

    @property
    def secret_key(self) -> Any:
        """Return the secret key."""
        return self.current.secret_key

    @property
    def token(self) -> Any:
        """Return the session token."""
        return self.current.token

    @property
    def account_id(self) -> Any:
        """Return the account."""
        return self.current.account_id

    def __repr__(self) -> str:
        return "<BorrowedCredentials>"

    def __reduce__(self) -> NoReturn:
        text = "credentials are never pickled"
        raise TypeError(text)


def is_the_same_for_all(client: Any, operation: Any) -> bool:
    """Tell whether accounts of equal settings would send the same request, but for its signature.

    Args:
        client: a client of `BorrowedCredentials`.
        operation: botocore's `OperationModel`.

    Example:
        >>> client = mangrove.Session(region_name="eu-west-1").client("dynamodb")
        >>> is_the_same_for_all(client, client.meta.service_model.operation_model("ListTables"))
        False
    """
    try:
        return (
            _has_plain_endpoint(client, operation)
            and _is_plainly_signed(client, operation)
            and _has_no_state(client, operation)
        )
    except AttributeError:  # a botocore that has changed: nobody knows
        return False


def _has_plain_endpoint(client: Any, operation: Any) -> bool:
    rules = client._ruleset_resolver
    if rules is None or operation.service_model.endpoint_discovery_operation is not None:
        return False
    names = (definition.builtin for definition in rules._param_definitions.values())
    return all(name is None or name in _OF_SETTINGS for name in names)


def _is_plainly_signed(client: Any, operation: Any) -> bool:
    signer, config = client._request_signer, client.meta.config
    if type(signer) is not QuickSigner or type(signer._credentials) is not BorrowedCredentials:
        return False
    if signer._auth_token is not None or config.auth_scheme_preference or config.signature_version != "v4":
        return False
    return operation.resolved_auth_type in (None, "v4")


def _has_no_state(client: Any, operation: Any) -> bool:
    """Tell whether a call leaves nothing behind in the client, and is over when it returns."""
    retries = client.meta.config.retries or {}
    if retries.get("total_max_attempts") != 1 or retries.get("mode") == "adaptive" or plugins():
        return False
    streams = operation.has_event_stream_input or operation.has_event_stream_output
    if streams or operation.has_streaming_input or operation.has_streaming_output:
        return False
    handlers = foreign_handlers(client, [operation.name])
    # What somebody else does on a call's way may be for the account that was first found in the client.
    return handlers is not None and not any(map(is_active, handlers))
