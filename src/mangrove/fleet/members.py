"""Know the accounts of a fleet: read once, when they are needed, and narrowed without a call."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mangrove._concurrency import Once
from mangrove.accounts import Account, load, where
from mangrove.errors import ConfigError

if TYPE_CHECKING:
    import boto3

    from mangrove.accounts import Role, Source
    from mangrove.fleet.doors import Doors

__all__ = ["Members"]


class Members:
    """Hold where the accounts come from, and the accounts when they are known.

    Args:
        session: who asks the organization.
        doors: tell the caller's own account.
        source: as for `mangrove.accounts.load`; None is the caller's own account.
        role: the role of accounts that name none.
        external_id: the external id of accounts that name none.

    Raises:
        ConfigError: the source is wrong; where it is a list or a file it is read now.
    """

    def __init__(
        self,
        session: boto3.Session,
        doors: Doors,
        source: Source | None,
        role: Role | None = None,
        external_id: str | None = None,
    ) -> None:
        if source is None and (role is not None or external_id is not None):
            text = "role and external_id are for accounts: give accounts=, or a session of that role"
            raise ConfigError(text)
        self._session, self._doors, self._source = session, doors, source
        self._role, self._external_id = role, external_id
        self._asked: tuple[Mapping[str, Any], ...] = ()
        self._found = Once[tuple[Account, ...]]()
        if source is not None and not self._calls:
            self.all()  # what is wrong in it is said at once

    @property
    def _calls(self) -> bool:
        """Tell whether reading the source asks AWS."""
        return isinstance(self._source, str) and self._source.partition(":")[0] in {"org", "profile"}

    def all(self) -> tuple[Account, ...]:
        """Return the accounts, reading them the first time."""
        return self._found.get(self._read)

    def _read(self) -> tuple[Account, ...]:
        found = self._load()
        for each in self._asked:
            found = where(found, **each)
        return found

    def _load(self) -> tuple[Account, ...]:
        if self._source is None:
            found: tuple[Account, ...] = (Account(self._doors.own_account(), role=None),)
        else:
            found = load(
                self._source,
                self._session,
                role=self._role,
                external_id=self._external_id,
                tags=any("tags" in each for each in self._asked),
                units=any("ou" in each for each in self._asked),
            )
        return found

    def narrowed(self, asked: Mapping[str, Any]) -> Members:
        """Return the accounts that match, of those here.

        Args:
            asked: the arguments of `mangrove.accounts.where`; None asks nothing.
        """
        given = {name: value for name, value in asked.items() if value is not None}
        found = Once[tuple[Account, ...]]()
        known = self._found.peek()
        if known is not None and not ({"tags", "ou"} & set(given) and self._calls):
            found.get(lambda: where(known, **given))
        part = copy.copy(self)
        vars(part).update(_asked=(*self._asked, given), _found=found)
        return part
