"""Know whose credentials they are: the account without a call where the credentials say it, else with one call."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from mangrove._concurrency import Once, in_child
from mangrove.aws.derived import Derivation
from mangrove.aws.partitions import Partition
from mangrove.aws.session import botocore_session, creation_lock, make_client, sdk_regions
from mangrove.errors import CredentialError

__all__ = [
    "STS_CONFIG",
    "Caller",
    "account_of",
    "caller_of",
    "known_caller",
    "load_credentials",
    "partition_of",
    "partition_of_region",
    "partition_of_sts",
    "sts_region",
]

# STS answers in a tenth of a second: who waits longer for it is better told. Fifty calls may be under way at once.
STS_CONFIG = Config(
    connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 4}, max_pool_connections=50
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Hold what `sts:GetCallerIdentity` answers.

    Attributes:
        account_id: the account.
        arn: the user or the session of a role.
    """

    account_id: str
    arn: str


_callers: weakref.WeakKeyDictionary[Any, Once[Caller]] = weakref.WeakKeyDictionary()
_guard = threading.Lock()


@in_child
def _after_fork() -> None:
    global _guard, _callers  # a thread of the parent may have held it, or been asking
    known = {key: cell for key, cell in dict(_callers).items() if cell.peek() is not None}
    _guard, _callers = threading.Lock(), weakref.WeakKeyDictionary(known)


def sts_region(partition: Partition, preferred: str | None) -> str:
    """Return the region whose STS is asked: the preferred one if every account has it, else the partition's home.

    A token of the global endpoint is not good in opt-in regions, and STS of an opt-in region knows only the accounts
    that have enabled it.

    Args:
        partition: the credentials'.
        preferred: the session's region, or None.

    Source: "Manage AWS STS in an AWS Region" in the IAM user guide.
    """
    if preferred is None or preferred not in partition.regions or partition.is_opt_in(preferred):
        return partition.home
    return preferred


def load_credentials(session: boto3.Session) -> Any:
    """Return a session's credentials, or None; of all threads that ask first, one asks botocore's providers.

    botocore itself would start a credential process, or sign on, once for every thread.
    """
    with creation_lock(session):
        return session.get_credentials()


def credentials_of(session: boto3.Session) -> Any:
    """Return a session's credentials.

    Raises:
        CredentialError: it has none.
    """
    found = load_credentials(session)
    if found is None:
        text = (
            "no credentials found: give session=, profile_name= or access keys, or set one of boto3's sources "
            "(environment, ~/.aws, SSO, a role of the machine)"
        )
        raise CredentialError(text)
    return found


def caller_of(session: boto3.Session) -> Caller:
    """Return whose credentials a session has, by one call for as long as the credentials live.

    Raises:
        CredentialError: it has none.
        botocore.exceptions.ClientError: STS does not know them.

    Source: the AWS operation `sts:GetCallerIdentity`.
    """
    credentials = credentials_of(session)
    with _guard:
        cell = _callers.setdefault(credentials, Once())

    def ask() -> Caller:
        partition = sdk_regions(session).partitions[partition_of_sts(session)]
        region = sts_region(partition, session.region_name)
        client = make_client(_regional(session), "sts", region_name=region, config=STS_CONFIG)
        try:
            answer = client.get_caller_identity()
        finally:
            client.close()
        if not (answer.get("Account") and answer.get("Arn")):
            text = "STS gave an answer without an account; what stands between: an endpoint, a proxy, a stub?"
            raise CredentialError(text)
        return Caller(answer["Account"], answer["Arn"])

    return cell.get(ask)


def _regional(session: boto3.Session) -> boto3.Session:
    """Return a session whose STS is regional: the session itself, unless its configuration asks for the global one."""
    if botocore_session(session).get_config_variable("sts_regional_endpoints") != "legacy":
        return session
    regional = {"sts_regional_endpoints": "regional"}
    return Derivation(session).session(session.get_credentials, variables=regional)


def known_caller(session: boto3.Session) -> Caller | None:
    """Return whose credentials a session has, if that has been asked before."""
    credentials = load_credentials(session)
    cell = None if credentials is None else _callers.get(credentials)
    return cell.peek() if cell else None


def account_of(session: boto3.Session) -> str:
    """Return the account of a session's credentials; see `Session.account_id`."""
    carried = getattr(credentials_of(session), "account_id", None)
    return str(carried) if carried else caller_of(session).account_id


def partition_of(session: boto3.Session) -> str:
    """Return the partition of a session's credentials; see `Session.partition`."""
    credentials = load_credentials(session)
    told = getattr(credentials, "partition", None)
    if isinstance(told, str):
        return told  # a role's is in its ARN
    if session.region_name is None and credentials is not None and not getattr(credentials, "account_id", None):
        return caller_of(session).arn.split(":")[1]
    return partition_of_region(session)


def partition_of_sts(session: boto3.Session) -> str:
    """Return the partition whose STS knows the session's credentials: a role's own, else that of the region."""
    told = getattr(load_credentials(session), "partition", None)
    return told if isinstance(told, str) else partition_of_region(session)


def partition_of_region(session: boto3.Session, region_name: str | None = None) -> str:
    """Return the partition of a region; without one, botocore's calls go to the partition `aws`.

    Args:
        session: its data files are asked.
        region_name: the region; None takes the session's.
    """
    region = region_name or session.region_name
    known = sdk_regions(session).partitions
    return next((name for name, found in known.items() if region and found.has(region)), "aws")
