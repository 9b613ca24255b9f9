"""Measure botocove as its document shows it: a decorated function of a session."""

# ruff: noqa: INP001  a program that measures, and no part of a package
from __future__ import annotations

from typing import Any

from botocove import cove
from common import ROLE, Client, main


class Botocove(Client):
    """Have the function called in every account and region."""

    def instances(self) -> None:
        """Describe the instances of every target."""

        @cove(target_ids=self.accounts, rolename=ROLE, regions=self.regions, thread_workers=self.workers)
        def describe(session: Any) -> None:
            told = session.session_information
            self.answer(session.client("ec2").describe_instances(), told["Id"], told["Region"])

        found = describe()
        kinds = {f"{each['Id']}/{each['Region']}": "ok" for each in found["Results"]}
        for each in [*found["Exceptions"], *found["FailedAssumeRole"]]:
            kinds[f"{each['Id']}/{each['Region']}"] = "failed"
        self.told(kinds)


if __name__ == "__main__":
    main(Botocove)
