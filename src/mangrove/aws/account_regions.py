"""Ask an account which regions it has enabled: two APIs, then the last answer, then what the SDK knows."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

import boto3

from mangrove._atomic import read_private, write_private
from mangrove.aws.options import ClientOptions
from mangrove.aws.partitions import Partition
from mangrove.aws.session import make_client

__all__ = ["AccountRegions", "RegionStatus", "account_regions"]

_log = logging.getLogger("mangrove.regions")

RegionStatus = Literal["enabled", "disabled", "unknown"]

# Two seconds to connect, five to answer, one retry: there is a fallback, and a pool must not hang on the question.
_BRIEF = (2.0, 5.0, 2)
# Seconds in this process for what the account told, and for what stands in for it.
_KEEP, _KEEP_A_GUESS = 900.0, 30.0
# Seconds on disk: a region that was enabled a month ago may be disabled today.
_OLDEST_KEPT = 30 * 24 * 3600.0

_WORDS = frozenset({"enabled", "disabled", "unknown"})

_STATUS: Mapping[str, RegionStatus] = {
    # ec2:DescribeRegions, OptInStatus
    "opt-in-not-required": "enabled",
    "opted-in": "enabled",
    "not-opted-in": "disabled",
    # account:ListRegions, RegionOptStatus
    "ENABLED_BY_DEFAULT": "enabled",
    "ENABLED": "enabled",
    "DISABLING": "enabled",
    "ENABLING": "disabled",
    "DISABLED": "disabled",
}


@dataclass(frozen=True, slots=True)
class AccountRegions:
    """Hold which regions an account has enabled.

    Attributes:
        status: each region's status by its name.
        source: who said so.
        notes: the steps before that gave no answer, each with its error.
    """

    status: Mapping[str, RegionStatus]
    source: str
    notes: tuple[str, ...] = ()

    @property
    def is_told(self) -> bool:
        """Say whether the account itself has told it."""
        return ":" in self.source


class _Memo:
    """Hold a session's answers, each for as long as it is worth something."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, ClientOptions], tuple[float, AccountRegions]] = {}

    def get(self, key: tuple[str, ClientOptions], ask: Callable[[], AccountRegions]) -> AccountRegions:
        """Return the answer, asking at most once at a time."""
        with self._lock:
            until, found = self._kept.get(key, (0.0, None))
            if found is None or time.monotonic() >= until:
                found = ask()
                self._kept[key] = (time.monotonic() + (_KEEP if found.is_told else _KEEP_A_GUESS), found)
            return found


_memos: weakref.WeakKeyDictionary[Any, _Memo] = weakref.WeakKeyDictionary()
_memos_guard = threading.Lock()


def account_regions(
    session: boto3.Session, partition: Partition, options: ClientOptions, whose: Any = None
) -> AccountRegions:
    """Return the regions of the session's account; a session asks again after 15 minutes, or 30 s if nobody answered.

    Args:
        session: whose account is asked.
        partition: which partition's regions.
        options: client arguments; an endpoint of the caller's own is asked instead of AWS, and nobody else.
        whose: stands for the account, for as long as it lives, where the session is not one account's alone.
    """
    with _memos_guard:
        memo = _memos.setdefault(session if whose is None else whose, _Memo())
    return memo.get((partition.name, options), lambda: _ask_in_turn(session, partition, options))


def _ask_in_turn(session: boto3.Session, partition: Partition, options: ClientOptions) -> AccountRegions:
    notes: list[str] = []
    steps: tuple[tuple[str, Callable[[Any], Mapping[str, str]]], ...] = (
        ("ec2:DescribeRegions", _describe_regions),
        ("account:ListRegions", _list_regions),
    )
    for source, step in steps:
        try:
            found, at_aws = _ask_one(session, partition, options, source.partition(":")[0], step)
        except Exception as error:  # noqa: BLE001  an endpoint of the caller's own may answer anything at all
            notes.append(f"{source} gave no answer: {error}")
            continue
        if found:
            if at_aws:
                _keep(session, partition, found)
            return AccountRegions(MappingProxyType(found), source, tuple(notes))
        notes.append(f"{source} named no region of partition {partition.name!r}")
    answer = _without_the_account(session, partition, options, notes)
    _log.warning("the account's regions are taken from %s: %s", answer.source, "; ".join(notes))
    return answer


def _without_the_account(
    session: boto3.Session, partition: Partition, options: ClientOptions, notes: list[str]
) -> AccountRegions:
    kept = _kept(session, partition) if options.endpoint_url is None else None
    if kept is not None:
        status, age = kept
        told = f"the answer of {age / 3600:.0f} hours ago stands in"
        return AccountRegions(MappingProxyType(status), "cache", (*notes, told))
    guess: dict[str, RegionStatus] = {
        name: "unknown" if partition.is_opt_in(name) else "enabled" for name in partition.regions
    }
    return AccountRegions(MappingProxyType(guess), "sdk", tuple(notes))


def _ask_one(
    session: boto3.Session,
    partition: Partition,
    options: ClientOptions,
    service: str,
    step: Callable[[Any], Mapping[str, str]],
) -> tuple[dict[str, RegionStatus], bool]:
    """Return what one API says, and whether it was AWS itself that said it."""
    brief = options.with_timeouts(*_BRIEF).as_arguments()
    client = make_client(session, service, region_name=_where(session, partition), **brief)
    try:
        words = step(client)
    finally:
        client.close()
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    found: dict[str, RegionStatus] = {
        name: _STATUS.get(word, "unknown") for name, word in words.items() if partition.has(name)
    }
    return found, host.endswith(f".{partition.dns_suffix}")


def _where(session: boto3.Session, partition: Partition) -> str:
    """Return a region to ask in: the session's own, which its policies allow sooner than another, if surely enabled."""
    region = session.region_name
    return region if region in partition.regions and not partition.is_opt_in(region) else partition.home


def _describe_regions(ec2: Any) -> Mapping[str, str]:
    found = ec2.describe_regions(AllRegions=True)["Regions"]
    return {region["RegionName"]: region.get("OptInStatus", "opt-in-not-required") for region in found}


def _list_regions(account: Any) -> Mapping[str, str]:
    pages = account.get_paginator("list_regions").paginate()
    return {region["RegionName"]: region["RegionOptStatus"] for page in pages for region in page["Regions"]}


def _keep(session: boto3.Session, partition: Partition, found: Mapping[str, RegionStatus]) -> None:
    """Keep AWS's own answer for a time when nobody answers, as far as the disk lets us."""
    path = _cache_path(session, partition)
    if path is None:
        return
    kept = {"version": 1, "time": time.time(), "status": dict(found)}
    # A cache that can't be written is a cache that is not there.
    with contextlib.suppress(OSError):
        write_private(path, json.dumps(kept, sort_keys=True).encode())


def _kept(session: boto3.Session, partition: Partition) -> tuple[dict[str, RegionStatus], float] | None:
    """Return the kept answer and its age in seconds, unless it is too old or damaged."""
    path = _cache_path(session, partition)
    data = read_private(path) if path else None
    try:
        kept = json.loads(data or b"null")
        age = time.time() - float(kept["time"])
        status = {name: word for name, word in kept["status"].items() if partition.has(name) and word in _WORDS}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return (status, max(age, 0.0)) if status and age < _OLDEST_KEPT else None


def _cache_path(session: boto3.Session, partition: Partition) -> Path | None:
    """Return where the answer for this account is kept, or None without an identity or a place."""
    identity = _identity(session)
    if identity is None:
        return None
    name = hashlib.sha256(f"{partition.name}\0{identity}".encode()).hexdigest()
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # no home directory
        return None
    return root / "mangrove" / "regions" / f"{name}.json"


def _identity(session: boto3.Session) -> str | None:
    """Return what tells one account from another without a call: its id, else a lasting access key."""
    try:
        credentials = session.get_credentials()
        if credentials is None:
            return None
        frozen = credentials.get_frozen_credentials()
    except Exception:  # noqa: BLE001  a credential provider is anybody's code
        return None
    account: str | None = getattr(frozen, "account_id", None)
    # A temporary key is another one tomorrow: its file would never be read again.
    return account or (None if frozen.token else frozen.access_key)
