"""Take the README's picture of the report: of the embedded organisation, in a window of 1280 by 1040 pixels.

    picture_of_report.py [--to docs/images/report.png]

It needs the tests' environment, and a Chromium (`python scripts/chromium.py --install`).
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from mangrove import Fleet
from mangrove.accounts import Account
from mangrove.inventory import Inventory
from mangrove.inventory.report import ReportSink
from mangrove.testing import EmbeddedAWS

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("management", "production", "staging", "development", "sandbox", "security")
REGIONS = ("us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2")
WINDOW = {"width": 1280, "height": 1040}


def write_report(path: Path) -> None:
    """Write the report of the embedded organisation."""
    with EmbeddedAWS(len(NAMES), REGIONS) as aws:
        aws.seed()
        accounts = [Account(account, name=name) for account, name in zip(aws.accounts, NAMES, strict=True)]
        fleet = Fleet(accounts, REGIONS, session=aws.session())
        sink = ReportSink(path)
        with Inventory(fleet).collect() as rows:
            sink.add(list(rows))
            sink.finish(rows.facts())


def take(path: Path, to: Path, chromium: str) -> None:
    """Open the report and take its picture."""
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        page = browser.new_page(viewport=WINDOW, color_scheme="light", reduced_motion="reduce")
        page.goto(path.as_uri())
        page.locator("html[data-ready]").wait_for()
        page.screenshot(path=to)
        browser.close()


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images" / "report.png")
    options = parser.parse_args()
    chromium = runpy.run_path(str(ROOT / "scripts" / "chromium.py"))["find"]()
    if chromium is None:
        sys.exit("no Chromium here: python scripts/chromium.py --install")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        write_report(report)
        take(report, options.to, chromium)
    print(f"{options.to}: {options.to.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
