"""Measure the report: how long 50,000 rows take to write, to open in Chromium, and to search, filter and sort there.

    python benchmarks/inventory/report.py [--rows 50000] [--rounds 5] [--json FILE]

Each round opens the file anew, in a window of its own. A figure is the median of the rounds, with the slowest beside
it; what the browser does is timed by its own clock, from the beginning of the navigation, or of the key that was
pressed, until the frame that shows the result has been drawn.
"""

# ruff: noqa: INP001, T201, S311  a program that measures, and prints; made-up rows need no secret chance
from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import runpy
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from mangrove.fleet import Outcome, Target
from mangrove.inventory.facts import Facts
from mangrove.inventory.report import ReportSink
from mangrove.inventory.rows import Row

CHROMIUM = Path(__file__).parents[2] / "scripts" / "chromium.py"
REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "eu-north-1",
    "ap-southeast-1",
    "sa-east-1",
)
TYPES = (
    "ec2.instances", "ec2.volumes", "ec2.subnets", "ec2.security_groups", "s3.buckets", "lambda.functions",
    "sqs.queues", "sns.topics", "dynamodb.tables", "rds.db_instances", "kms.keys", "logs.log_groups",
    "iam.roles", "ecs.clusters",
)  # fmt: skip
ACCOUNTS = [f"{111111111111 + number:012d}" for number in range(100)]

# Tells when the table has been drawn: one frame to draw in, and the next, which begins after it.
OPENED = """
window.opened = new Promise((resolve) => {
    const done = () => requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
    const look = () => (document.documentElement?.dataset.ready ? done() : setTimeout(look, 1));
    look();
});
"""
DRAWN = """async ([selector, value]) => {
    const element = document.querySelector(selector);
    const began = performance.now();
    if (value === null) element.click();
    else {
        element.value = value;
        element.dispatchEvent(new Event(element.tagName === "SELECT" ? "change" : "input", { bubbles: true }));
    }
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return performance.now() - began;
}"""
# What is done in each round, in turn. The first search has to make what it looks through.
STEPS: dict[str, tuple[str, str | None]] = {
    "first search, right after": ("#search", "orders prod"),
    "search": ("#search", "billing instances 9"),
    "search, emptied": ("#search", ""),
    "filter by service": ("#filter-service", "ec2"),
    "filter by tag": ("#filter-tag", "env=prod"),
    "sort by ARN, first time": ("#grid-titles .arn button", None),
    "sort by ARN, other way": ("#grid-titles .arn button", None),
}
TARGETS = {
    "open": 1500.0,
    "search": 100.0,
    "filter by service": 100.0,
    "filter by tag": 100.0,
}


def rows_of(count: int) -> Iterator[Row]:
    """Make rows as large as those of AWS: a kilobyte of data each, half a dozen tags at most."""
    chance = random.Random(7)
    for number in range(count):
        account, region, kind = chance.choice(ACCOUNTS), chance.choice(REGIONS), chance.choice(TYPES)
        service, _, thing = kind.partition(".")
        name = f"{chance.choice(['orders', 'billing', 'web', 'search'])}-{thing}-{number:05d}"
        tags = {"Name": name, "env": chance.choice(["prod", "stage", "dev"]), "team": chance.choice(["core", "data"])}
        data = {
            "Id": name,
            "State": {"Code": 16, "Name": "running"},
            "LaunchTime": datetime(2026, 1, 2, tzinfo=timezone.utc),
        }
        data["Members"] = [{"Key": str(chance.random()), "Value": str(chance.random())} for _ in range(16)]
        arn = f"arn:aws:{service}:{region}:{account}:{thing}/{name}"
        yield Row(account, region, service, kind, name, arn, tags if number % 5 else {}, "aws", data)


def facts_of() -> Facts:
    """Say what the rows are of, with a few thousand failures."""
    targets = [Target(account, region, type=kind) for account in ACCOUNTS for region in REGIONS for kind in TYPES]
    outcomes = [
        Outcome(target, "failed", error=TimeoutError("no answer in 60 s")) if at % 5 == 0 else Outcome(target, "ok")
        for at, target in enumerate(targets)
    ]
    return Facts(
        datetime(2026, 1, 2, tzinfo=timezone.utc), TYPES, dict.fromkeys(ACCOUNTS), outcomes, 60.0, len(targets)
    )


def write(path: Path, count: int) -> dict[str, list[float]]:
    """Write the report and return what it cost; the rows are made one by one, so that memory shows the sink's own."""
    sink, spent = ReportSink(path), 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    batch: list[Row] = []
    for row in rows_of(count):
        batch.append(row)
        if len(batch) == 100:  # noqa: PLR2004  a page of most of AWS's lists
            spent += _cpu(lambda: sink.add(batch))
            batch.clear()
    spent += _cpu(lambda: (sink.add(batch), sink.finish(facts_of())))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    unit = 1 << (20 if sys.platform == "darwin" else 10)
    return {"write, CPU": [spent * 1000], "write, memory": [grown / unit], "size": [path.stat().st_size / 1e6]}


def _cpu(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(browser: Browser, path: Path, rounds: int) -> dict[str, list[float]]:
    """Open the report again and again, and time what is done in it."""
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(OPENED)
        page.goto(path.as_uri())
        found.setdefault("open", []).append(page.evaluate("window.opened"))
        for name, times in _steps(page).items():
            found.setdefault(name, []).append(times)
        page.close()
    return found


def _steps(page: Page) -> dict[str, float]:
    return {name: page.evaluate(DRAWN, list(step)) for name, step in STEPS.items()}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chromium = runpy.run_path(str(CHROMIUM))["find"]()
    if chromium is None:
        sys.exit("no Chromium here: python scripts/chromium.py --install")
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "report.html"
        found = write(path, options.rows)
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        found |= measure(browser, path, options.rounds)
        version = browser.version
        browser.close()
    units = {"write, memory": "MB", "size": "MB"}
    print(f"{options.rows:,} rows, {options.rounds} rounds, Chromium {version}")
    print(f"{'work':28} {'median':>9} {'slowest':>9}     {'target':>8}")
    rows = []
    for name, values in found.items():
        unit, target = units.get(name, "ms"), TARGETS.get(name)
        row = {
            "work": name,
            "median": statistics.median(values),
            "slowest": max(values),
            "unit": unit,
            "target": target,
        }
        rows.append(row)
        wanted = f"< {target:.0f}" if target else ""
        print(f"{name:28} {row['median']:9.1f} {row['slowest']:9.1f} {unit:3} {wanted:>8}")
    if options.json:
        about = {"python": platform.python_version(), "chromium": version, "machine": platform.machine()}
        told = {"about": about, "rows_in_report": options.rows, "rounds": options.rounds, "rows": rows}
        options.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
