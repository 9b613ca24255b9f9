"""A browser for the report's page, and reports to open in it; whatever the page should never do fails its test."""

from __future__ import annotations

import os
import runpy
from datetime import datetime, timezone
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from mangrove.fleet import Outcome, Target
from mangrove.inventory.facts import Facts
from mangrove.inventory.report import ReportSink
from mangrove.inventory.rows import Row

SCRIPT = Path(__file__).parents[2] / "scripts" / "chromium.py"
ACCOUNTS = {"111111111111": "production", "222222222222": "staging", "333333333333": None}
REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
TYPES = ("ec2.instances", "ec2.vpcs", "lambda.functions", "s3.buckets", "sqs.queues")
# Before anything of the page runs: what its policy refuses, and what a hostile name would call.
WATCH = """
window.refused = [];
window.pwned = [];
addEventListener("securitypolicyviolation", (event) => {
    window.refused.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


# Not of the session: while it lives, no other test of this process could run an event loop.
@pytest.fixture(scope="package")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    chromium = runpy.run_path(str(SCRIPT)) if SCRIPT.is_file() else None
    path = chromium["find"]() if chromium else None
    if path is None:
        pytest.skip(
            f"no browser for the report: {chromium['why_not_installed']() if chromium else 'scripts/ is not here'}"
        )
    # Chromium's own sandbox does not work as root.
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*sandbox, "--force-color-profile=srgb"])
        yield browser
        browser.close()


class Watched:
    """Open reports in one context, and keep all that a page should never do."""

    def __init__(self, browser, **options):
        wanted = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"} | options
        self.context = browser.new_context(**wanted)
        self.context.set_default_timeout(10_000)
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self.requests, self.heard = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.heard.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.heard.append(f"error: {error}"))
        self.page.on("dialog", self._dismiss)
        self.context.on("page", lambda other: self.heard.append(f"window: {other.url}"))

    def _dismiss(self, dialog):
        self.heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open(self, path, address=""):
        # By way of another page: a new fragment alone would load nothing.
        self.page.goto("about:blank")
        self.page.goto(f"{path.as_uri()}{address}")
        self.page.locator("html[data-ready]").wait_for()
        return self.page

    def check(self):
        assert self.page.evaluate("[window.refused, window.pwned]") == [[], []]
        assert [url for url in self.requests if not url.startswith(("file:", "blob:", "about:blank"))] == []
        assert self.heard == []


@pytest.fixture
def show(browser):
    """Open a report, and see at the end that nothing was refused, asked for, or said on the console."""
    shown = []

    def show(path, address="", **options):
        watched = Watched(browser, **options)
        shown.append(watched)
        return watched.open(path, address)

    yield show
    for watched in shown:
        watched.check()
        watched.context.close()


@pytest.fixture(scope="package")
def _shared(browser):
    watched = Watched(browser)
    yield watched
    watched.context.close()


@pytest.fixture
def page(_shared, report):
    """Open the common report in a window that is there already, and watch it as `show` does."""
    _shared.requests.clear()
    _shared.heard.clear()
    yield _shared.open(report)
    _shared.check()


def rows_of(count):
    """Make rows that differ in all their members."""
    places = [(account, region, type_name) for type_name in TYPES for account in ACCOUNTS for region in REGIONS]
    for number in range(count):
        # Everywhere, and in some places more than in others.
        account, region, type_name = places[int(len(places) * (number * 0.618 % 1) ** 2)]
        service, kind = type_name.split(".")
        tags = {"env": ("prod", "dev")[number % 2], "owner": f"team-{number % 3}"} if number % 5 else {}
        yield Row(
            account,
            region,
            service,
            type_name,
            f"{kind}-{number:05d}",
            f"arn:aws:{service}:{region}:{account}:{kind}/{number:05d}" if number % 7 else None,
            None if number % 11 == 10 else tags,
            "aws",
            {"Id": number, "Made": datetime(2026, 1, 2, tzinfo=timezone.utc), "Serial": 12345678901234567890},
        )


def facts_of(**more):
    """Say what the rows are of: two causes of failures, and a region that is not enabled."""

    def target(account, region, type_name):
        return Target(account, region, type_name.split(".")[0], type=type_name)

    outcomes = [
        Outcome(target(account, region, kind), "ok") for account in ACCOUNTS for region in REGIONS for kind in TYPES
    ]
    for account in ACCOUNTS:
        message = (
            f"User: arn:aws:sts::{account}:assumed-role/reader/x{account} is not authorized to perform: kms:ListKeys"
        )
        error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, "ListKeys")
        outcomes.append(Outcome(target(account, "eu-west-1", "kms.keys"), "denied", error=error))
        error = PermissionError(f"{account} has not enabled af-south-1")
        outcomes.append(Outcome(target(account, "af-south-1", "ec2.vpcs"), "disabled", error=error))
    slow = target("222222222222", "us-west-2", "sqs.queues")
    outcomes.append(Outcome(slow, "timeout", error=TimeoutError("no answer in 60 s"), rows=3))
    values = {"types": (*TYPES, "kms.keys"), "accounts": ACCOUNTS, "outcomes": outcomes, "seconds": 73.4, "calls": 481}
    return Facts(datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), **{**values, **more})


@pytest.fixture(scope="package")
def write(tmp_path_factory):
    """Write a report and return its path."""

    def write(rows, facts=None, **options):
        path = tmp_path_factory.mktemp("report") / "report of 100% #1?.html"
        sink = ReportSink(path, **options)
        sink.add(list(rows))
        sink.finish(facts or facts_of())
        return path

    return write


@pytest.fixture(scope="package")
def rows():
    return list(rows_of(400))


@pytest.fixture(scope="package")
def report(write, rows):
    return write(rows)


@pytest.fixture(scope="package")
def make_rows():
    return rows_of


@pytest.fixture(scope="package")
def make_facts():
    return facts_of
