"""Take accounts from any source, as a program has them or as a person writes them on a command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mangrove.accounts._located import READERS
from mangrove.accounts._unique import unique
from mangrove.accounts.account import DEFAULT_ROLE, Account, Role, check_account_id
from mangrove.accounts.files import from_entry, from_file
from mangrove.accounts.organization import from_organization
from mangrove.accounts.profiles import from_profiles
from mangrove.errors import ConfigError, DeclarationTypeError, NoAccountsError

if TYPE_CHECKING:
    import boto3

__all__ = ["Source", "from_list", "load"]

Source = str | os.PathLike[str] | Iterable[str | Mapping[str, Any] | Account]
"""What `load` takes."""

_FORMS = (
    "write ids ('111111111111,222222222222'), a file ('accounts.yml', .json, .csv), 'org', 'org:/prod,!/prod/old', or "
    "'profile:prod-*'"
)


def from_list(
    entries: Iterable[str | Mapping[str, Any] | Account], *, role: Role | None = None, external_id: str | None = None
) -> tuple[Account, ...]:
    """Return the accounts of a list, in its order.

    Args:
        entries: ids, mappings with the fields that `from_file` reads, and accounts, in any mixture.
        role: the role of those that name neither a role nor a profile; `OrganizationAccountAccessRole` if None.
        external_id: the external id of those that have a role and name none; a template. Accounts stay as they are.

    Returns:
        At least one account.

    Raises:
        ConfigError: an entry is wrong, or an account is there twice.
        DeclarationTypeError: an entry has the wrong type.
        NoAccountsError: the list is empty.

    Example:
        >>> [account.id for account in mangrove.accounts.from_list(["111111111111", {"id": "222222222222"}])]
        ['111111111111', '222222222222']
    """
    if isinstance(entries, str | bytes | Mapping) or not isinstance(entries, Iterable):
        text = f"from_list takes a list of ids, mappings and accounts; got {type(entries).__name__}"
        raise DeclarationTypeError(text)
    found = [
        (f"entry {number}", _account(entry, f"entry {number}", role, external_id))
        for number, entry in enumerate(entries, 1)
    ]
    if not found:
        text = "the list of accounts is empty"
        raise NoAccountsError(text)
    return unique(found)


def _account(entry: object, where: str, role: Role | None, external_id: str | None) -> Account:
    if isinstance(entry, Account):
        return entry
    if isinstance(entry, Mapping):
        return from_entry(entry, where, role=role, external_id=external_id)
    try:
        return Account(check_account_id(entry), role=DEFAULT_ROLE if role is None else role, external_id=external_id)
    except ConfigError as error:
        text = f"{where}: {error}"
        raise type(error)(text) from None


def load(
    source: Source,
    session: boto3.Session | None = None,
    *,
    role: Role | None = None,
    external_id: str | None = None,
    tags: bool = False,
    units: bool = False,
) -> tuple[Account, ...]:
    """Return the accounts of any source.

    Args:
        source: a list as for `from_list`; or a text: ids with commas between them, the path of a file, `org`,
            `org:` with units (`org:/prod,!/prod/old`), or `profile:` with names (`profile:prod-*`).
        session: who asks the organization; boto3's default chain if None.
        role: the role of accounts that name none themselves; `OrganizationAccountAccessRole` if None.
        external_id: the external id of accounts that name none themselves; a template.
        tags: whether the organization is asked for the accounts' tags too, a call for each.
        units: whether it is asked for the accounts' units too.

    Returns:
        At least one account, each once.

    Raises:
        ConfigError: it is none of these, or something in it is wrong.
        NoAccountsError: nothing is left of what was asked.
        OrganizationError: the organization can't be read.

    Example:
        >>> mangrove.accounts.load("111111111111,222222222222", role="audit")[1].role_arn()
        'arn:aws:iam::222222222222:role/audit'
    """
    if not isinstance(source, str | os.PathLike):
        return from_list(source, role=role, external_id=external_id)
    text = os.fspath(source)
    kind, _, rest = text.partition(":")
    if kind in ("org", "profile") and isinstance(source, str):
        parts = [part.strip() for part in rest.split(",") if part.strip()] or None
        if kind == "profile":
            return _profiles(parts, role, external_id)
        own = DEFAULT_ROLE if role is None else role
        return from_organization(
            session, ou=parts, role=own, external_id=external_id, include_tags=tags, include_ou_paths=units
        )
    return _listed(source, text, role, external_id)


def _listed(
    source: str | os.PathLike[str], text: str, role: Role | None, external_id: str | None
) -> tuple[Account, ...]:
    ids = [part.strip() for part in text.split(",")]
    if isinstance(source, str) and all(part.isascii() and part.isdigit() for part in ids):
        return from_list(ids, role=role, external_id=external_id)
    if not text.lower().endswith(tuple(READERS)):
        error = f"{text!r} is no source of accounts; {_FORMS}"
        raise ConfigError(error)
    return from_file(source, role=role, external_id=external_id)


def _profiles(names: list[str] | None, role: Role | None, external_id: str | None) -> tuple[Account, ...]:
    if role is not None or external_id is not None:
        error = "a profile names its role itself; leave out role and external_id"
        raise ConfigError(error)
    return from_profiles(names or "*")
