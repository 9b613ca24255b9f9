"""Every error that mangrove raises, in one tree, so that one `except` catches what one means.

Each error is also the builtin that a Python programmer would expect, and its message says what was asked,
what was found and what to do. Errors of AWS itself stay botocore's `ClientError`.

    MangroveError
    ├── ConfigError (ValueError)               an argument or a declaration is wrong; no call was made
    │   ├── DeclarationTypeError (TypeError)   ... it has the wrong type: a string where a list belongs
    │   ├── UnknownServiceError                botocore has no such service
    │   │   └── ServiceRemovedError            ... it had it once: AWS or botocore has withdrawn it
    │   ├── InvalidArnError                    not an ARN, or one that no resource of that kind has
    │   ├── UnknownResourceError               an ARN that leads to no resource this botocore knows
    │   ├── InvalidRegionError                 not the name of a region at all
    │   └── UnknownRegionError                 well formed, but no region of any partition
    ├── NoRegionsError (LookupError)           nothing is left of what was asked, and why
    │   └── RegionDisabledError (PermissionError)  the account has not enabled the region
    ├── NoAccountsError (LookupError)          no account is left of what was asked, and why
    ├── OrganizationError (PermissionError)    the organization can't be read; AWS's own answer is chained
    ├── NotConnectedError (KeyError, AttributeError)  the pool has no connection of that name
    ├── ConnectError (ConnectionError)         a region's client could not be made; its cause is chained
    ├── CredentialError (PermissionError)      no credentials where some are needed
    │   ├── AssumeRoleError                    STS gave none for a role; its answer is chained
    │   ├── LoginRequiredError                 a login has ended; the message names the command to run
    │   └── WrongAccountError                  they are another account's than the one asked for
    ├── TransferError                          an S3 operation failed; what S3 said is chained or part of it
    │   ├── NotFoundError (FileNotFoundError)  no such bucket, key, version or upload
    │   ├── AccessDeniedError (PermissionError)  S3 refused, and may go on refusing
    │   ├── ThrottledError                     S3 asked to slow down until the deadline or the budget was used up
    │   ├── PreconditionError (FileExistsError)  an `if_match` or `if_none_match` does not hold
    │   ├── IntegrityError                     the bytes are not those that S3 has a checksum of
    │   ├── IncompleteTransferError            the bytes ended early, and went on doing so
    │   ├── ObjectChangedError                 the object or the file changed while it was transferred
    │   ├── UnsafePathError (ValueError)       a key that must not become a path below the target
    │   ├── TransferCancelledError             it was cancelled before it ended
    │   └── BatchError                         operations of a batch failed; `failures` holds them all
    ├── DeadlineError (TimeoutError)           a target, or a whole run, was not done in its time
    ├── RunError (ExceptionGroup)              targets of a run failed; `failures` holds them all
    ├── PoolClosedError (RuntimeError)         the pool was closed
    ├── OutputError (OSError)                  standard output can't be written
    ├── NotRunningError (RuntimeError)         the embedded AWS is not started
    └── MissingExtraError (ImportError)        an optional part is not installed; the message names the extra

Example:
    >>> import mangrove
    >>> from mangrove.errors import MangroveError, UnknownServiceError
    >>> try:
    ...     mangrove.ServicePool(service="cloudtrial")
    ... except MangroveError as error:
    ...     print(isinstance(error, ValueError), error)
    True no service 'cloudtrial' in this botocore; did you mean 'cloudtrail'...
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "AccessDeniedError",
    "AssumeRoleError",
    "BatchError",
    "ConfigError",
    "ConnectError",
    "CredentialError",
    "DeadlineError",
    "DeclarationTypeError",
    "IncompleteTransferError",
    "IntegrityError",
    "InvalidArnError",
    "InvalidRegionError",
    "LoginRequiredError",
    "MangroveError",
    "MissingExtraError",
    "NoAccountsError",
    "NoRegionsError",
    "NotConnectedError",
    "NotFoundError",
    "NotRunningError",
    "ObjectChangedError",
    "OrganizationError",
    "OutputError",
    "PoolClosedError",
    "PreconditionError",
    "RegionDisabledError",
    "RunError",
    "ServiceRemovedError",
    "ThrottledError",
    "TransferCancelledError",
    "TransferError",
    "UnknownRegionError",
    "UnknownResourceError",
    "UnknownServiceError",
    "UnsafePathError",
    "WrongAccountError",
]


class MangroveError(Exception):
    """Be the base of every error that mangrove raises."""

    # KeyError prints the repr of its message; ours read as sentences wherever they stand in the tree.
    __str__ = Exception.__str__


class ConfigError(MangroveError, ValueError):
    """Say that an argument or a declaration is wrong, before any call was made."""


class DeclarationTypeError(ConfigError, TypeError):
    """Say that an argument has the wrong type, such as a string where a list belongs."""


class UnknownServiceError(ConfigError):
    """Say that the installed botocore has no such service."""


class ServiceRemovedError(UnknownServiceError):
    """Say that a service which botocore once had is gone."""


class InvalidArnError(ConfigError):
    """Say that a text is no ARN, or that an ARN can't be built from what was given."""


class UnknownResourceError(ConfigError):
    """Say that no type of resource is known for an ARN, or that the ARN does not tell how the API identifies it."""


class InvalidRegionError(ConfigError):
    """Say that a string is not the name of a region."""


class UnknownRegionError(ConfigError):
    """Say that a name is well formed, but no known region has it."""


class NoRegionsError(MangroveError, LookupError):
    """Say that no region is left of those that were asked for."""


class NoAccountsError(MangroveError, LookupError):
    """Say that no account is left of those that were asked for."""


class OrganizationError(MangroveError, PermissionError):
    """Say that the organization can't be read: a permission is missing, or the account is in none."""


class NotConnectedError(MangroveError, KeyError, AttributeError):
    """Say that a pool has no connection of that name.

    It is a KeyError for `regions[...]` and an AttributeError for `regions.name`, so that `in`, `get` and `hasattr`
    work as everywhere.
    """


class RegionDisabledError(NoRegionsError, PermissionError):
    """Say that the account has not enabled the region."""


class ConnectError(MangroveError, ConnectionError):
    """Say that the client of a region could not be made."""


class CredentialError(MangroveError, PermissionError):
    """Say that credentials are missing where some are needed."""


class AssumeRoleError(CredentialError):
    """Say that STS gave no credentials for a role, and why it may be so."""


class LoginRequiredError(CredentialError):
    """Say that a login has ended, and which command begins a new one."""


class WrongAccountError(CredentialError):
    """Say that credentials belong to another account than the one that was asked for."""


class OutputError(MangroveError, OSError):
    """Say that standard output is full or closed."""


class TransferError(MangroveError):
    """Say that an operation on S3 failed."""


class NotFoundError(TransferError, FileNotFoundError):
    """Say that there is no such bucket, key, version or upload."""


class AccessDeniedError(TransferError, PermissionError):
    """Say that S3 refused a request for want of a permission."""


class ThrottledError(TransferError):
    """Say that S3 asked to slow down, until the deadline or the budget of retries was used up."""


class PreconditionError(TransferError, FileExistsError):
    """Say that a condition of a request does not hold, so that nothing was read or written."""


class IntegrityError(TransferError):
    """Say that bytes are not those that S3 has a checksum of."""


class IncompleteTransferError(TransferError):
    """Say that bytes ended early."""


class ObjectChangedError(TransferError):
    """Say that an object or a file changed while it was being transferred."""


class UnsafePathError(TransferError, ValueError):
    """Say that a key must not become a path below the target."""


class TransferCancelledError(TransferError):
    """Say that an operation was cancelled before it ended."""


class BatchError(TransferError):
    """Say that operations of a batch failed.

    Attributes:
        failures: the outcomes of those that failed, in their order.
    """

    def __init__(self, message: str, failures: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.failures = tuple(failures)


class DeadlineError(MangroveError, TimeoutError):
    """Say that a target, or a whole run, was not done in the time that it was given."""


if sys.version_info >= (3, 11):

    class RunError(MangroveError, builtins.ExceptionGroup[Exception]):
        """Say that targets of a run failed; where Python has groups of exceptions it is one, for `except*`.

        Attributes:
            failures: the outcomes of those that failed, in their order.
            exceptions: the error of each.
        """

        failures: tuple[Any, ...]

        def __new__(cls, message: str, failures: Sequence[Any], exceptions: Sequence[Exception]) -> Self:
            """Make one; a group is made from its parts here."""
            made = super().__new__(cls, message, list(exceptions))
            made.failures = tuple(failures)
            return made

        def __init__(self, message: str, _failures: Sequence[Any], exceptions: Sequence[Exception]) -> None:
            super().__init__(message, list(exceptions))

        def __str__(self) -> str:
            return str(self.message)

        def derive(self, excs: Sequence[Exception]) -> builtins.ExceptionGroup[Exception]:  # type: ignore[override]
            """Return a group of some of the errors, as `except*` asks for it."""
            kept = [each for each in self.failures if any(each.error is one for one in excs)]
            return RunError(self.message, kept, excs)

        def __reduce__(self) -> tuple[Any, ...]:
            return RunError, (self.message, self.failures, list(self.exceptions))

else:

    class RunError(MangroveError):
        """Say that targets of a run failed.

        Attributes:
            failures: the outcomes of those that failed, in their order.
            exceptions: the error of each.
        """

        def __init__(self, message: str, failures: Sequence[Any], exceptions: Sequence[Exception]) -> None:
            super().__init__(message)
            self.message = message
            self.failures = tuple(failures)
            self.exceptions = tuple(exceptions)

        def __reduce__(self) -> tuple[Any, ...]:
            return RunError, (self.message, self.failures, self.exceptions)


class PoolClosedError(MangroveError, RuntimeError):
    """Say that a pool was used after it was closed."""


class NotRunningError(MangroveError, RuntimeError):
    """Say that the embedded AWS was used while it was not running."""


class MissingExtraError(MangroveError, ImportError):
    """Say that an optional part is not installed, and name the extra that has it."""
