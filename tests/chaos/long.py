"""The long runs of chaos, one after another: a line of the table of docs/reliability.md for each; `make chaos-long`."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)  # at the end: a folder of ours is called `typing`

import botocore  # noqa: E402

import mangrove  # noqa: E402
from chaos.memory_server import MemoryServer  # noqa: E402
from chaos.work import KINDS, PACE, PART, Left, Work, after_the_beginning, connect  # noqa: E402
from mangrove.testing.faults import faults  # noqa: E402

__all__ = ["Run", "main", "runs"]

_STEP = 600
_GIB = 1 << 30


@dataclass(frozen=True)
class Run:
    """Be a run: how many operations of a kind, at which rate of faults."""

    name: str
    count: int
    rate: float
    kind: str = "mixed"
    engine: str = "auto"


def runs(scale: float) -> Iterator[Run]:
    """Return all runs, with so much of their counts."""
    for rate in (0.05, 0.2, 0.5):
        yield Run(f"mixed operations at {rate:.0%}", int(200_000 * scale), rate)
    yield Run("small operations at 5%", int(1_000_000 * scale), 0.05)
    yield Run("objects of parts at 20%", max(3, int(6_000 * scale)), 0.2, "large")  # up, down and a copy


def _made(run: Run, seed: int, folder: Path) -> tuple[int, int, int, int]:
    """Make a run; return operations, failures, requests and faults, once all invariants hold."""
    journal, files = folder / "journal", folder / "files"
    for each in (journal, files):
        each.mkdir(exist_ok=True)
    left, made, failed, requests, injected_faults = Left(folder), 0, 0, 0, 0
    number = 0
    # A store of its own for each few thousand, so that memory holds them.
    while made < run.count:
        number += 1
        with (
            MemoryServer() as server,
            faults(
                server.endpoint_url,
                rate=run.rate,
                kinds=KINDS,
                seed=seed * 1000 + number,
                pace=PACE,
                match=after_the_beginning,
            ) as injected,
        ):
            connection = connect(injected.endpoint_url, run.engine, journal)
            with injected.paused():
                connection.create_bucket("bucket")
            work = Work(connection, "bucket", seed * 1000 + number, files)
            if run.kind == "large":
                work.large(min(20, -(-(run.count - made) // 3)))
            else:
                while work.made < min(6 * _STEP, run.count - made):
                    work.round(min(_STEP, run.count - made + 6))
            assert run.rate > 0.2 or not work.failed, f"{injected}: {work.failed[:3]}"
            if not work.failed:
                assert server.held("bucket") == work.held, injected
                assert not server.uploads("bucket"), injected
            connection.close()
            made, failed = made + work.made, failed + len(work.failed)
            requests, injected_faults = requests + injected.requests, injected_faults + len(injected.log)
    left.check(spare=2 * number)
    return made, failed, requests, injected_faults


def _sparse(size: int, folder: Path) -> tuple[int, int, int, int]:
    """Upload a file that is a hole, at 5% faults."""
    path = folder / "sparse"
    with path.open("wb") as file:
        file.truncate(size)
    with (
        MemoryServer() as server,
        faults(server.endpoint_url, rate=0.05, kinds=KINDS, seed=6, pace=PACE, match=after_the_beginning) as injected,
    ):
        connection = connect(injected.endpoint_url, "auto", folder / "journal", part_size=8 * PART)
        connection.create_bucket("bucket")
        assert connection.upload_file("bucket", "sparse", path)
        assert connection.head("bucket", "sparse")["ContentLength"] == size
        assert not server.uploads("bucket")
        connection.close()
        return 1, 0, injected.requests, len(injected.log)


def main() -> int:
    """Make the runs, and print a line for each."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--scale", type=float, default=1.0, help="of all counts, such as 0.01")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument(
        "--gib", type=float, default=6.0, help="of the sparse object, which the server keeps in memory"
    )
    given = options.parse_args()
    versions = f"mangrove {mangrove.__version__}, botocore {botocore.__version__}, Python {platform.python_version()}"
    sys.stdout.write(
        f"{versions}, {os.cpu_count()} cores\n| date | run | seed | operations | failed | requests | faults | s |\n"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for run in runs(given.scale):
            _row(run.name, given.seed, lambda run=run: _made(run, given.seed, folder))
        _row(f"one object of {given.gib:g} GiB", 6, lambda: _sparse(int(given.gib * _GIB), folder))
    return 0


def _row(name, seed, make):
    began = time.monotonic()
    made = make()
    cells = [dt.date.today().isoformat(), name, seed, *(f"{each:,}" for each in made), round(time.monotonic() - began)]  # noqa: DTZ011
    sys.stdout.write(f"| {' | '.join(map(str, cells))} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
