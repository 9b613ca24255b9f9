"""Measure runacross as its document shows it: a function of a session, an account and a region."""

# ruff: noqa: INP001  a program that measures, and no part of a package
from __future__ import annotations

from typing import Any

from common import ROLE, Client, main
from runacross import map_account_regions


class Runacross(Client):
    """Have the function called in every account and region."""

    def describe(self, session: Any, account: Any, region: str) -> None:
        """Ask one target."""
        self.answer(session.client("ec2").describe_instances(), account.id, region)

    def instances(self) -> None:
        """Describe the instances of every target."""
        found = map_account_regions(
            self.describe, accounts=self.accounts, regions=self.regions, role_name=ROLE, max_workers=self.workers
        )
        self.told({f"{each.account.id}/{each.region}": "ok" if each.success else "failed" for each in found})


if __name__ == "__main__":
    main(Runacross)
