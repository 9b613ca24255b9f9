"""Ask AWS Organizations, and say which permission is missing where it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mangrove.aws.options import ClientOptions
from mangrove.aws.session import make_client, make_session
from mangrove.errors import OrganizationError

if TYPE_CHECKING:
    import boto3

__all__ = ["Organization", "error_code"]

# Seconds to connect and to answer, and tries in all: the quota of Organizations is low, and botocore waits in between.
_PATIENT = (10.0, 60.0, 10)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


def error_code(error: BaseException) -> str:
    """Return the code that AWS answered with, or an empty string; known by what the error carries."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


class Organization:
    """Make the calls that the accounts of an organization are found with.

    Args:
        session: of the management account or a delegated administrator; boto3's default chain if None.
    """

    def __init__(self, session: boto3.Session | None = None) -> None:
        arguments = ClientOptions().with_timeouts(*_PATIENT).as_arguments()
        self._client = make_client(make_session(session), "organizations", **arguments)

    def accounts(self) -> Iterator[dict[str, Any]]:
        """Yield every account. Source: ListAccounts."""
        return self._all("list_accounts", "Accounts")

    def accounts_in(self, unit: str) -> Iterator[dict[str, Any]]:
        """Yield the accounts that are directly in a unit. Source: ListAccountsForParent."""
        return self._all("list_accounts_for_parent", "Accounts", ParentId=unit)

    def units_in(self, unit: str) -> Iterator[dict[str, Any]]:
        """Yield the units that are directly in a unit. Source: ListOrganizationalUnitsForParent."""
        return self._all("list_organizational_units_for_parent", "OrganizationalUnits", ParentId=unit)

    def roots(self) -> Iterator[dict[str, Any]]:
        """Yield the organization's root. Source: ListRoots."""
        return self._all("list_roots", "Roots")

    def tags(self, account: str) -> dict[str, str]:
        """Return an account's tags. Source: ListTagsForResource."""
        found = self._all("list_tags_for_resource", "Tags", ResourceId=account)
        return {tag["Key"]: tag["Value"] for tag in found}

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def _all(self, method: str, key: str, **arguments: str) -> Iterator[dict[str, Any]]:
        # An empty page need not be the last one: the paginator goes by the token.
        try:
            for page in self._client.get_paginator(method).paginate(**arguments):
                yield from page[key]
        except Exception as error:
            operation = self._client.meta.method_to_api_mapping[method]
            told = _explained(error_code(error), f"organizations:{operation}")
            if told is None:
                raise
            text = f"{told}: {error}"
            raise OrganizationError(text) from error


def _explained(code: str, permission: str) -> str | None:
    if code in _DENIED:
        return (
            f"{permission} was denied; it takes that permission, and the organization's management account or one of "
            "its delegated administrators"
        )
    if code == "AWSOrganizationsNotInUseException":
        return f"{permission} found no organization; the credentials are of an account that is in none"
    return None
