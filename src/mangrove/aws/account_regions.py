"""Ask an account which regions it has enabled: two APIs, then the last answer, then what the SDK knows."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from mangrove._atomic import read_private, write_private
from mangrove._concurrency import Once
from mangrove.aws.options import ClientOptions
from mangrove.aws.partitions import Partition
from mangrove.aws.session import make_client

__all__ = ["AccountRegions", "RegionStatus", "account_regions"]

RegionStatus = Literal["enabled", "disabled", "unknown"]

# Two seconds to connect, five to answer, one retry: there is a fallback, and a pool must not hang on the question.
_BRIEF = (2.0, 5.0, 2)

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


_memo: weakref.WeakKeyDictionary[boto3.Session, dict[tuple[str, str | None], Once[AccountRegions]]]
_memo = weakref.WeakKeyDictionary()
_memo_guard = threading.Lock()


def account_regions(session: boto3.Session, partition: Partition, options: ClientOptions) -> AccountRegions:
    """Return the regions of the session's account; a session asks once per partition and endpoint.

    Args:
        session: whose account is asked.
        partition: which partition's regions.
        options: client arguments; an endpoint of the caller's own is asked instead of AWS, and nobody else.
    """
    with _memo_guard:
        cell = _memo.setdefault(session, {}).setdefault((partition.name, options.endpoint_url), Once())
    return cell.get(lambda: _ask_in_turn(session, partition, options))


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
    kept = _kept(session, partition) if options.endpoint_url is None else None
    if kept:
        return AccountRegions(MappingProxyType(kept), "cache", tuple(notes))
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
    client = make_client(session, service, region_name=partition.home, **brief)
    try:
        words = step(client)
    finally:
        client.close()
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    found: dict[str, RegionStatus] = {
        name: _STATUS.get(word, "unknown") for name, word in words.items() if partition.has(name)
    }
    return found, host.endswith(f".{partition.dns_suffix}")


def _describe_regions(ec2: Any) -> Mapping[str, str]:
    found = ec2.describe_regions(AllRegions=True)["Regions"]
    return {region["RegionName"]: region.get("OptInStatus", "opt-in-not-required") for region in found}


def _list_regions(account: Any) -> Mapping[str, str]:
    pages = account.get_paginator("list_regions").paginate()
    return {region["RegionName"]: region["RegionOptStatus"] for page in pages for region in page["Regions"]}


def _keep(session: boto3.Session, partition: Partition, found: Mapping[str, RegionStatus]) -> None:
    """Keep AWS's own answer for a day when nobody answers, as far as the disk lets us."""
    path = _cache_path(session, partition)
    if path is None:
        return
    try:
        write_private(path, json.dumps({"version": 1, "status": dict(found)}, sort_keys=True).encode())
    except OSError:
        return  # a cache that can't be written is a cache that is not there


def _kept(session: boto3.Session, partition: Partition) -> Mapping[str, RegionStatus] | None:
    path = _cache_path(session, partition)
    data = read_private(path) if path else None
    try:
        status = json.loads(data or b"null")["status"]
        return {name: word for name, word in status.items() if partition.has(name) and word in _STATUS.values()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None  # a damaged file is a miss


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
    """Return what tells one account from another without a call: its id, else the access key's."""
    try:
        credentials = session.get_credentials()
        if credentials is None:
            return None
        frozen = credentials.get_frozen_credentials()
    except (BotoCoreError, ClientError):
        return None
    return getattr(frozen, "account_id", None) or frozen.access_key
