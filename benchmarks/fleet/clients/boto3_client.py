"""Measure boto3 as it is used with threads: a session for each account, its clients made in turn, calls at once."""

# ruff: noqa: INP001  a program that measures, and no part of a package
from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from common import ROLE, Client, main


class Boto3(Client):
    """Loop over accounts and regions."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        self.base = boto3.Session()
        self.sts = self.base.client("sts", config=Config(max_pool_connections=self.workers))
        self.sessions: dict[str, Any] = {}
        self.locks = {account: threading.Lock() for account in self.accounts}

    def session(self, account: str) -> Any:
        """Return the session of an account; its lock is held."""
        if account not in self.sessions:
            arn = f"arn:aws:iam::{account}:role/{ROLE}"
            keys = self.sts.assume_role(RoleArn=arn, RoleSessionName="bench")["Credentials"]
            self.sessions[account] = boto3.Session(
                keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name="us-east-1"
            )
        return self.sessions[account]

    def one(self, target: tuple[str, str]) -> None:
        """Ask one target."""
        account, region = target
        # A session is not made for threads: its clients are made one at a time.
        with self.locks[account]:
            ec2 = self.session(account).client("ec2", region_name=region)
        self.answer(ec2.describe_instances(), account, region)

    def instances(self) -> None:
        """Describe the instances of every target."""
        kinds = {}
        with ThreadPoolExecutor(self.workers) as pool:
            targets = list(product(self.accounts, self.regions))
            for target, future in [(target, pool.submit(self.one, target)) for target in targets]:
                kinds["/".join(target)] = "failed" if future.exception() else "ok"
        self.told(kinds)

    def quota(self) -> None:
        """Read all pages with a client for each region, until there are no more, whatever is throttled."""
        account = self.accounts[0]
        session = self.session(account)
        config = Config(retries={"mode": self.spec["flavour"], "total_max_attempts": 10})
        clients = {region: session.client("ec2", region_name=region, config=config) for region in self.regions}

        def read(region: str) -> int:
            token: dict[str, str] = {}
            raised = 0
            while True:
                try:
                    page = clients[region].describe_instances(**token)
                except ClientError:
                    raised += 1  # the tries of the client are used up: whoever needs the rows asks again
                    continue
                self.answer(page, account, region)
                if not page.get("NextToken"):
                    return raised
                token = {"NextToken": page["NextToken"]}

        with ThreadPoolExecutor(len(self.regions)) as pool:
            self.found["raised"] = sum(pool.map(read, self.regions))
        self.told({f"{account}/{region}": "ok" for region in self.regions})


if __name__ == "__main__":
    main(Boto3)
