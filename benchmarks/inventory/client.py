"""List 100,000 instances in one way, in this process, and tell what it cost.

    python benchmarks/inventory/client.py WAY ACCOUNTS REGIONS

WAY is `boto3` (a loop over accounts, regions and pages that writes each instance as JSON), `ls` (`mangrove ls --output
jsonl`), `json` (the library's rows, written as JSON Lines), `rows` (the rows alone), or `parquet` (`mangrove ls --to` a
Parquet file). Accounts and regions are
lists with commas; the credentials and the endpoint come from the environment. What is printed: CPU after the imports,
wall, the most memory, how the memory grew after the first fifth of the rows, and how many rows there were.
"""

# ruff: noqa: INP001, T201  a program that measures, and no part of a package
from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

ROLE = "Reader"
ROWS = 100_000
EVERY = 5_000


def cpu() -> float:
    """Return this process's CPU in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident() -> float:
    """Return this process's resident memory in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def watched(rows: Iterable[Any], seen: list[float]) -> Iterator[Any]:
    """Yield rows, and look at the memory now and then."""
    for number, row in enumerate(rows, 1):
        yield row
        if number % EVERY == 0:
            seen.append(resident())


def text_of(value: Any) -> str:
    """Return what JSON has no form for as text."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def boto3_loop(accounts: list[str], regions: list[str]) -> Callable[[list[float]], int]:
    """Return the loop that everybody writes."""
    import boto3  # noqa: PLC0415

    def instances() -> Iterator[dict[str, Any]]:
        sts = boto3.Session().client("sts")
        for account in accounts:
            arn = f"arn:aws:iam::{account}:role/{ROLE}"
            keys = sts.assume_role(RoleArn=arn, RoleSessionName="bench")["Credentials"]
            session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
            for region in regions:
                ec2 = session.client("ec2", region_name=region)
                for page in ec2.get_paginator("describe_instances").paginate():
                    for reservation in page["Reservations"]:
                        for each in reservation["Instances"]:
                            name = f"arn:aws:ec2:{region}:{account}:instance/{each['InstanceId']}"
                            tags = {tag["Key"]: tag["Value"] for tag in each.get("Tags", [])}
                            yield {"account": account, "region": region, "arn": name, "tags": tags, "data": each}

    def work(seen: list[float]) -> int:
        number = 0
        with Path(os.devnull).open("w", encoding="utf-8") as out:
            for number, each in enumerate(watched(instances(), seen), 1):  # noqa: B007
                out.write(json.dumps(each, default=text_of) + "\n")
        return number

    return work


def inventory(way: str, accounts: list[str], regions: list[str]) -> Callable[[list[float]], int]:
    """Return mangrove's."""
    from mangrove import Fleet  # noqa: PLC0415
    from mangrove.inventory import Inventory  # noqa: PLC0415
    from mangrove.inventory.texts import json_line  # noqa: PLC0415

    def work(seen: list[float]) -> int:
        number = 0
        rows = watched(Inventory(Fleet(accounts, regions, role=ROLE)).collect("ec2.instances"), seen)
        if way == "rows":
            return sum(1 for _ in rows)
        with Path(os.devnull).open("w", encoding="utf-8") as out:
            for number, row in enumerate(rows, 1):  # noqa: B007
                out.write(json_line(row) + "\n")
        return number

    return work


def command(way: str, accounts: list[str], regions: list[str]) -> Callable[[list[float]], int]:
    """Return `mangrove ls`, whose rows are counted by what it says in the end."""
    from mangrove import cli  # noqa: PLC0415
    from mangrove.inventory import collecting  # noqa: PLC0415

    where = ["--accounts", ",".join(accounts), "--regions", ",".join(regions), "--role", ROLE]
    more = ["--to", "inventory.parquet"] if way == "parquet" else ["--output", "jsonl"]

    def work(seen: list[float]) -> int:
        taken = 0

        def look(theirs: Any) -> Any:
            def take(self: Any) -> Any:
                nonlocal taken
                row = theirs(self)
                taken += 1
                if taken % EVERY == 0:
                    seen.append(resident())
                return row

            return take

        # Every row comes by here, whether it is printed or stored.
        collecting.Collection.__next__ = look(collecting.Collection.__next__)  # type: ignore[method-assign]
        out = os.dup(1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = cli.main(["ls", "ec2.instances", *where, *more, "--no-progress"])
        os.dup2(out, 1)
        if code:
            sys.exit(f"mangrove ls ended with {code}")
        return taken

    return work


def main() -> None:
    """Measure what the arguments say."""
    way, accounts, regions = sys.argv[1], sys.argv[2].split(","), sys.argv[3].split(",")
    make = {"boto3": boto3_loop, "ls": partial(command, way), "parquet": partial(command, way)}
    work = make.get(way, partial(inventory, way))(accounts, regions)
    seen: list[float] = []
    before, started = cpu(), time.perf_counter()
    number = work(seen)
    used, wall = cpu() - before, time.perf_counter() - started
    lines = Path("/proc/self/status").read_text().splitlines()
    most = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    growth = max(seen) - seen[len(seen) // 5] if seen else 0.0
    print(json.dumps({"cpu": used, "wall": wall, "peak": most, "growth": growth, "rows": number}), flush=True)


if __name__ == "__main__":
    main()
