"""Run one work of one client in this process, and tell what it cost: what all the clients here share.

A client is a class with a method for each work it knows; it is made with the specification of the work, which is the
process's one argument, as JSON. There is no warm-up: a run over a fleet is a program that starts, asks and ends. What
is printed: CPU (user and system) and wall after the imports, CPU of the imports, the peak of the resident memory of the
process, and what the work found.
"""

# ruff: noqa: INP001, T201  a program that measures, and no part of a package
from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["ROLE", "Client", "main"]

ROLE = "Reader"
EVERY = 20_000  # rows between two looks at the memory


def cpu() -> float:
    """Return this process's CPU in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident() -> float:
    """Return this process's resident memory in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak() -> float:
    """Return the most it has been, in MiB."""
    # Not ru_maxrss: that of a new program begins with what its parent had.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


class Client:
    """Hold what a work is about, and check what comes of it.

    Args:
        spec: the work, as the harness says it.

    Attributes:
        accounts: the accounts' ids.
        regions: names.
        workers: how many requests at once.
        found: what is printed beside the costs.
        lock: for those who note something from several threads.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.accounts: list[str] = spec["accounts"]
        self.regions: list[str] = spec["regions"]
        self.workers: int = spec["workers"]
        self.found: dict[str, Any] = {"rows": 0, "wrong": 0, "outcomes": 0, "failed": 0, "first_row": 0.0}
        self.residents: list[float] = []
        self.lock = threading.Lock()

    def first_row(self) -> None:
        """Note when the first row came, by the clock that the server has too."""
        if not self.found["first_row"]:
            self.found["first_row"] = time.time()

    def instance(self, reservation: Mapping[str, Any], account: str, region: str) -> None:
        """Check a row: it tells itself where it is from."""
        self.first_row()
        instance = reservation["Instances"][0]
        tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
        told = (tags["account"], tags["region"], reservation["OwnerId"], instance["InstanceId"][2:14])
        self.found["rows"] += 1
        self.found["wrong"] += told != (account, region, account, account)

    def answer(self, answer: Mapping[str, Any], account: str, region: str) -> None:
        """Check an answer of DescribeInstances; several threads may."""
        with self.lock:
            for reservation in answer["Reservations"]:
                self.instance(reservation, account, region)

    def queue(self, url: str, account: str, region: str) -> None:
        """Check a row that is a queue's URL, and look at the memory now and then."""
        self.first_row()
        self.found["rows"] += 1
        self.found["wrong"] += not url.startswith(f"https://sqs.{region}.amazonaws.com/{account}/queue-")
        if self.found["rows"] % EVERY == 0:
            self.residents.append(resident())

    def told(self, kinds: Mapping[str, str]) -> None:
        """Note what became of each target, by `ACCOUNT/REGION`."""
        self.found["outcomes"] = len(kinds)
        self.found["failed"] = sum(kind != "ok" for kind in kinds.values())
        self.found["kinds"] = dict(Counter(kinds.values()))
        if "expected" in self.spec:
            expected = self.spec["expected"]
            other = {name: kind for name, kind in kinds.items() if kind not in expected.get(name, ["ok"])}
            self.found["misjudged"] = len(other)
            self.found["misjudged_as"] = dict(list(other.items())[:10])


def main(make: Callable[[dict[str, Any]], Client]) -> None:
    """Measure what the argument says."""
    spec = json.loads(sys.argv[1])
    imports, started = cpu(), time.perf_counter()
    client = make(spec)
    getattr(client, spec["work"])()
    found = {"cpu": cpu() - imports, "imports": imports, "wall": time.perf_counter() - started, "rss": peak()}
    if client.residents:
        # What is there after the first tenth is the windows'; what comes later is growth.
        found["growth"] = max(client.residents) - client.residents[len(client.residents) // 10]
    print(json.dumps(found | client.found), flush=True)
