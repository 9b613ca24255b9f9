"""Refuse an account that is there twice: it would be worked on twice, or as somebody else."""

from __future__ import annotations

from collections.abc import Iterable

from mangrove.accounts.account import Account
from mangrove.errors import ConfigError

__all__ = ["unique"]


def unique(found: Iterable[tuple[str, Account]]) -> tuple[Account, ...]:
    """Return the accounts, each given with its place, if each is there once.

    Raises:
        ConfigError: one is there twice; the message has both places.

    Example:
        >>> account = mangrove.accounts.Account("123456789012")
        >>> unique([("entry 1", account), ("entry 4", account)])
        Traceback (most recent call last):
        ...
        mangrove.errors.ConfigError: account 123456789012 is there twice: entry 1 and entry 4; leave one out
    """
    places: dict[str, str] = {}
    accounts = []
    for where, account in found:
        if account.id in places:
            text = f"account {account.id} is there twice: {places[account.id]} and {where}; leave one out"
            raise ConfigError(text)
        places[account.id] = where
        accounts.append(account)
    return tuple(accounts)
