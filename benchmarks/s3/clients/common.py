"""Run one work of one client in this process, and tell what it cost: what all the clients here share.

A client is a class with a method for each work it knows; it is made with the specification of the work, which is the
process's one argument, as JSON. The method runs once to warm up and once to be measured. What is printed: CPU (user and
system, this process alone), wall, the peak of the resident memory, and the number of operations.
"""

# ruff: noqa: INP001, T201  a program that measures, and no part of a package
from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["BODY", "Client", "cpu", "main", "peak"]

BODY = bytes(range(256)) * 16
WARM = {"list": 1_000, "delete": 1_000, "upload": 1, "download": 1, "million": 1_000}


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
    """Hold what a work is about.

    Args:
        spec: the work, as the harness says it.

    Attributes:
        endpoint: the server.
        ca: the file of the certificate authority, over TLS.
        bucket: the bucket.
        concurrency: how many at once.
        folder: where files are, on tmpfs.
        size: bytes of an object.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.endpoint: str = spec["endpoint"]
        self.ca: str | None = spec.get("ca")
        self.bucket: str = spec["bucket"]
        self.concurrency: int = spec["concurrency"]
        self.folder = Path(spec["folder"])
        self.size: int = spec["size"]
        self.residents: list[float] = []

    def key(self, number: int) -> str:
        """Return the key of one object."""
        return f"4096/{self.spec['number']}/{number:08}"

    def keys(self, number: int) -> Iterator[str]:
        """Return the keys of a work."""
        return map(self.key, range(number))

    def expect(self, found: int, number: int) -> None:
        """End the measurement if a work is not done."""
        if found != number:
            sys.exit(f"{found} of {number} keys")

    def large(self) -> tuple[str, Path]:
        """Return the key and the file of a large object."""
        return f"{self.size}/1/00000000", self.folder / "large"

    def watched(self, number: int) -> Iterator[str]:
        """Return keys, and note the memory on the way."""
        for done in range(number):
            if done % 10_000 == 0:
                self.residents.append(resident())
            yield self.key(done)
        self.residents.append(resident())


def main(make: Callable[[dict[str, Any]], Any]) -> None:
    """Measure what the argument says."""
    spec = json.loads(sys.argv[1])
    client, number = make(spec), spec["number"]
    work = getattr(client, spec["work"])
    if spec["work"] in {"upload", "download"}:
        client.warm()
    else:
        work(min(number, WARM.get(spec["work"], 500)))
    client.residents = []
    # Else a few thousand keys would carry the garbage of the start, or not, as its counters happen to stand.
    gc.collect()
    used, started = cpu(), time.perf_counter()
    work(number)
    found = {"cpu": cpu() - used, "wall": time.perf_counter() - started, "rss": peak(), "number": number}
    if client.residents:
        # What is there after the first tenth is the window's; what comes later is growth.
        first = client.residents[len(client.residents) // 10]
        found["growth"] = max(client.residents) - first
    print(json.dumps(found), flush=True)
    # Threads of native clients may be cut off at the interpreter's end, which is no part of the work.
    os._exit(0)
