"""Measure mangrove's fleet as its document shows it."""

# ruff: noqa: INP001  a program that measures, and no part of a package
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from common import ROLE, Client, main

from mangrove import Fleet


class Mangrove(Client):
    """Ask a fleet."""

    def fleet(self, **options: Any) -> Any:
        """Make it."""
        settings = {"role": ROLE, "concurrency": self.workers, **options}
        return Fleet(self.accounts, self.spec.get("terms", self.regions), **settings)

    def judge(self, run: Any) -> None:
        """Note what became of the targets."""
        self.told({f"{each.target.account}/{each.target.region}": each.kind for each in run.outcomes})
        self.found["summary"] = str(run.summary())

    def instances(self) -> None:
        """Describe the instances of every target."""
        run = self.fleet().items("ec2", "describe_instances")
        for row in run:
            self.instance(row, row.account, row.region)
        self.judge(run)

    def calls(self) -> None:
        """Call DescribeInstances in every target."""
        run = self.fleet().call("ec2", "describe_instances", keep_results=False)
        for outcome in run:
            if outcome.ok:
                self.answer(outcome.value, outcome.target.account, outcome.target.region)
        self.judge(run)

    def map(self) -> None:
        """Call a function with a session in every target."""

        def describe(session: Any) -> Any:
            return session.client("ec2").describe_instances()

        run = self.fleet().map(describe, keep_results=False)
        for outcome in run:
            if outcome.ok:
                self.answer(outcome.value, outcome.target.account, outcome.target.region)
        self.judge(run)

    def queues(self) -> None:
        """Stream the URLs of all queues; nobody keeps them."""
        run = self.fleet().items("sqs", "list_queues", MaxResults=1000)
        for row in run:
            self.queue(row["QueueUrls"], row.account, row.region)
        self.judge(run)

    def quota(self) -> None:
        """Read all pages of every region; the limit is said, or it is learned."""
        limits = (
            [{"name": "account", "rate": 5, "burst": 5, "scope": ["account"]}]
            if self.spec["flavour"] == "said"
            else None
        )
        run = self.fleet(limits=limits).items("ec2", "describe_instances")
        for row in run:
            self.instance(row, row.account, row.region)
        self.judge(run)

    def runs(self) -> None:
        """Read all pages of one region in as many runs at once as there are regions; nobody says the limit."""
        fleet = self.fleet().where(regions=self.regions[:1])

        def read(_: str) -> Any:
            run = fleet.items("ec2", "describe_instances")
            for row in run:
                with self.lock:
                    self.instance(row, row.account, row.region)
            return run

        with ThreadPoolExecutor(len(self.regions)) as pool:
            for run in pool.map(read, self.regions):
                self.judge(run)

    def faults(self) -> None:
        """Describe the instances of targets of which some fail."""
        fleet = self.fleet(target_deadline=self.spec["target_deadline"], read_timeout=self.spec["read_timeout"])
        run = fleet.items("ec2", "describe_instances")
        for row in run:
            self.instance(row, row.account, row.region)
        self.judge(run)


if __name__ == "__main__":
    main(Mangrove)
