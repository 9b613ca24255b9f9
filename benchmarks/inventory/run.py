"""Measure the inventory beside a loop of boto3 and json: rows per CPU second, memory, and the time of `--help`.

    python benchmarks/inventory/run.py [--rounds 5] [--json FILE] [--no-report]

The server is benchmarks/fleet/nullaws.c, compiled into a temporary folder, on a core of its own: ten accounts in ten
regions with 1,000 instances each. The ways take turns in each round, each in a process of its own; a figure is the
median of the rounds. CPU begins after the imports. The report in a browser is measured by
benchmarks/inventory/report.py, which this runs too if it is there.
"""

# ruff: noqa: INP001, T201, S603  a program that measures, and prints
from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "fleet"))

from servers import CLIENT_CORE, SERVER_CORE, build, nullaws, pinned  # noqa: E402

ACCOUNTS = [str(100_000_000_001 + number) for number in range(10)]
REGIONS = (
    "us-east-1 us-east-2 us-west-1 us-west-2 eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-north-1 ap-south-1".split()
)
ROWS = 100_000
WAYS = ("boto3", "ls", "json", "rows", "parquet")
ASKED = 5.0
KEPT = ("LANG", "LC_ALL", "PATH", "HOME", "TMPDIR", "MANGROVE_SAFE_MODE")


def environment(endpoint_url: str) -> dict[str, str]:
    """Return what a client is told by its environment."""
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": REGIONS[0],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def measure(way: str, program: Path, folder: Path) -> dict[str, Any]:
    """Run one way in a process of its own, with a server of its own."""
    with nullaws(
        program, "--accounts", 10, "--regions", 34, "--instances", 500, "--pages", 2, core=SERVER_CORE
    ) as place:
        command = [sys.executable, str(HERE / "client.py"), way, ",".join(ACCOUNTS), ",".join(REGIONS)]
        done = subprocess.run(
            command,
            env=environment(place.endpoint_url),
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            **pinned(CLIENT_CORE),
        )
    found: dict[str, Any] = json.loads(done.stdout)
    if found["rows"] != ROWS:
        text = f"{way} has found {found['rows']} rows of {ROWS}"
        raise RuntimeError(text)
    return found


def started(*arguments: str) -> float:
    """Return the seconds that the command line takes for something that asks nothing."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "mangrove", *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def table(found: dict[str, dict[str, float]]) -> str:
    """Return what was measured as a table."""
    lines = [f"{'way':10}{'rows/CPU s':>12}{'ratio':>8}{'CPU s':>8}{'wall s':>8}{'peak MiB':>10}{'growth MiB':>12}"]
    base = ROWS / found["boto3"]["cpu"]
    for way, each in found.items():
        rate = ROWS / each["cpu"]
        lines.append(
            f"{way:10}{rate:12,.0f}{rate / base:8.1f}{each['cpu']:8.1f}{each['wall']:8.1f}{each['peak']:10.0f}"
            f"{each['growth']:12.0f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--no-report", action="store_true")
    given = parser.parse_args()
    rounds: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    helps: dict[str, list[float]] = {"ls --help": [], "--version": []}
    with tempfile.TemporaryDirectory() as name:
        program = build(Path(name))
        for number in range(given.rounds):
            for way in WAYS if number % 2 == 0 else WAYS[::-1]:
                rounds[way].append(measure(way, program, Path(name)))
            for words, seconds in helps.items():
                seconds.append(started(*words.split()))
    found = {
        way: {key: statistics.median(each[key] for each in told) for key in told[0]} for way, told in rounds.items()
    }
    print(table(found))
    print(", ".join(f"mangrove {words}: {statistics.median(each) * 1000:.0f} ms" for words, each in helps.items()))
    print(f"asked: {ASKED:g} times boto3's rows per CPU second, and 150 ms for --help")
    if given.json:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
        told = {"rounds": given.rounds, "machine": machine, "ways": found, "helps": helps}
        given.json.write_text(f"{json.dumps(told, indent=1)}\n")
    report = HERE / "report.py"
    if report.exists() and not given.no_report:
        more = ["--json", str(given.json.with_name("inventory-report.json"))] if given.json else []
        subprocess.run([sys.executable, str(report), *more], check=True)


if __name__ == "__main__":
    main()
