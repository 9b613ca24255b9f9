"""Say what the page tells beside the rows: when, where, how long, and which errors have which cause."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timezone
from typing import Any

from mangrove._redact import message_of
from mangrove._version import __version__
from mangrove.aws.faults import code_of
from mangrove.fleet import Outcome, Target
from mangrove.inventory.facts import Facts

__all__ = ["overview_of"]

# What differs between the messages of one cause: who asked, and which request it was.
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_REQUEST = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])", re.IGNORECASE)
_SESSION = re.compile(r"(?<=:assumed-role/)([^/\s]+)/[^\s]+")
_LONGEST = 4_000


def overview_of(facts: Facts) -> dict[str, Any]:
    """Return the facts as JSON can say them, with the failures grouped by cause.

    Args:
        facts: what is known of the inventory.

    Example:
        >>> from datetime import datetime, timezone
        >>> overview_of(Facts(datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), ("ec2.vpcs",)))["taken"]
        '2026-01-02T03:04:05Z'
    """
    outcomes = facts.outcomes
    failures = facts.failures
    return {
        "version": __version__,
        "taken": facts.taken.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": round(facts.seconds, 3),
        "calls": facts.calls,
        "types": list(facts.types),
        "accounts": _accounts(facts),
        "regions": sorted({outcome.target.region for outcome in outcomes if outcome.target.region != "*"}),
        "complete": facts.complete,
        "targets": len(outcomes),
        "failed": len(failures),
        "causes": _causes(failures),
        "skipped": _causes(outcome for outcome in outcomes if outcome.skipped),
        "gaps": _gaps(failures),
    }


def _accounts(facts: Facts) -> dict[str, str | None]:
    accounts = dict(facts.accounts)
    for outcome in facts.outcomes:
        if accounts.get(outcome.target.account) is None:
            accounts[outcome.target.account] = outcome.target.name
    return accounts


def _causes(outcomes: Iterable[Outcome[Any]]) -> list[dict[str, Any]]:
    """Group outcomes by kind, code and message; the cause of most targets comes first."""
    groups: dict[tuple[str, str, str], dict[str, Any]] = {}
    for outcome in outcomes:
        error = outcome.error
        code = (code_of(error) or type(error).__name__) if error is not None else ""
        message = message_of(error)[:_LONGEST] if error is not None else ""
        key = (outcome.kind, code, _common(message, outcome.target))
        found = groups.setdefault(
            key, {"kind": outcome.kind, "code": code, "message": message, "alike": True, "rows": 0, "targets": []}
        )
        if found["message"] != message:
            # What they have in common stands for all of them.
            found.update(message=key[2], alike=False)
        found["rows"] += outcome.rows
        target = outcome.target
        found["targets"].append([target.account, target.region, target.type or target.service])
    return sorted(groups.values(), key=lambda found: -len(found["targets"]))


def _common(message: str, target: Target) -> str:
    """Return a message without what names its one target.

    Example:
        >>> _common("111111111111 has not enabled eu-south-1", Target("111111111111", "eu-south-1"))
        '… has not enabled …'
    """
    text = _REQUEST.sub("…", _SESSION.sub(r"\1/…", _ACCOUNT.sub("…", message)))
    for part in (target.region_name, target.type):
        if part:
            text = re.sub(rf"(?<![\w-]){re.escape(part)}(?![\w-])", "…", text)
    return text


def _gaps(failures: Iterable[Outcome[Any]]) -> list[tuple[str, str, int]]:
    """Count the failures of each region and service, which the heat map marks: none found is not none there."""
    counts: Mapping[tuple[str, str], int] = Counter(
        (outcome.target.region, outcome.target.service or outcome.target.type.partition(".")[0]) for outcome in failures
    )
    return [(region, service, count) for (region, service), count in counts.items()]
