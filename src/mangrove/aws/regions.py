"""Answer "which regions?" for a service and an account, with where each answer comes from, and never with silence.

The chain: what was asked for by name → `ec2:DescribeRegions` → `account:ListRegions` → the last answer kept on disk →
the SDK's data. The answer is what is enabled in the account ∩ where the service is ∩ what was asked.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import boto3

from mangrove.aws.account_regions import AccountRegions, RegionStatus, account_regions
from mangrove.aws.options import ClientOptions
from mangrove.aws.partitions import Coverage, Partition, SdkRegions, Support, check_region_name, region_key
from mangrove.aws.services import find_service, service_names
from mangrove.aws.session import make_session, sdk_regions
from mangrove.errors import ConfigError, DeclarationTypeError, NoRegionsError, RegionDisabledError

__all__ = [
    "Asked",
    "Region",
    "RegionsAnswer",
    "Skipped",
    "answer",
    "ask",
    "few",
    "find_regions",
    "guess",
    "is_glob",
    "parse_terms",
]


@dataclass(frozen=True, slots=True)
class Region:
    """Hold one region of an answer, with the reasons it is there.

    Attributes:
        name: such as `eu-west-1`; `aws-global` (`aws-cn-global`, ...) for the one target of a global service.
        partition: such as `aws`.
        status: whether the account has enabled it.
        source: who said so: `explicit` (it was asked for by name), `ec2:DescribeRegions`, `account:ListRegions`,
            `cache`, `sdk`, or `pool` (the pool's own `_get_module_regions`).
        support: whether the SDK's data lists the service there, or says nothing, so that it is `assumed`, or does not
            list it (`unlisted`; such a region is kept where it was asked for by name).
        endpoint_region: the `region_name` that its client is made with.
        opt_in: whether an account must enable it first.
    """

    name: str
    partition: str
    status: RegionStatus
    source: str
    support: Support
    endpoint_region: str
    opt_in: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """Hold one region that was asked for and is not in the answer, and why.

    Attributes:
        name: the region.
        reason: `disabled` in the account, or `unsupported` by the service.
        source: who said so.
    """

    name: str
    reason: Literal["disabled", "unsupported"]
    source: str

    def __str__(self) -> str:
        return f"{self.name} is {self.reason} ({self.source})"


@dataclass(frozen=True, slots=True)
class RegionsAnswer:
    """Hold the regions of a service for an account.

    Attributes:
        service: botocore's name of the service.
        partition: the partition the answer is about.
        regions: what is left of what was asked, in a stable order; never empty.
        skipped: what is not left, and why.
        source: who said which regions are enabled.
        notes: the steps of the chain that gave no answer, each with its error.
    """

    service: str
    partition: str
    regions: tuple[Region, ...]
    skipped: tuple[Skipped, ...] = ()
    source: str = "explicit"
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the regions, in order."""
        return tuple(region.name for region in self.regions)


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold what was asked for, checked without a call.

    Attributes:
        terms: names and globs, in the order given.
        coverage: where the service is in the partition that the terms are of.
    """

    terms: tuple[str, ...]
    coverage: Coverage

    @property
    def partition(self) -> Partition:
        """Return the partition that the terms are of."""
        return self.coverage.partition

    @property
    def needs_account(self) -> bool:
        """Say whether the account must be asked: for a glob, and for a name that the account may have disabled."""
        if self.coverage.is_global:
            return False
        return any(is_glob(term) or self.partition.is_opt_in(term) for term in self.terms)


def is_glob(term: str) -> bool:
    """Say whether a term stands for more than one region."""
    return any(mark in term for mark in "*?[")


def parse_terms(regions: object, check: Callable[[str], str] = check_region_name) -> tuple[str, ...]:
    """Return the names and globs of a `regions` argument, checked and without repetition; None is every region.

    Args:
        regions: what the caller gave.
        check: returns a name as it is known, or refuses it.

    Raises:
        DeclarationTypeError: it is neither a glob nor a list of strings.
        InvalidRegionError: one of them is no region's name.
        ConfigError: the list is empty.

    Example:
        >>> parse_terms(["us_east_1", "eu-*", "us-east-1"])
        ('us-east-1', 'eu-*')
    """
    if regions is None:
        return ("*",)
    if isinstance(regions, str):
        if not is_glob(regions):
            names = [name.strip() for name in regions.split(",")]
            text = f"regions takes a list, '*' or a glob such as 'eu-*'; write regions={names!r}"
            raise DeclarationTypeError(text)
        regions = [regions]
    if isinstance(regions, (bytes, Mapping)) or not isinstance(regions, Iterable):
        text = f"regions takes a list of names, '*' or a glob; got {type(regions).__name__}: {regions!r}"
        raise DeclarationTypeError(text)
    terms = tuple(dict.fromkeys(_check_term(term, check) for term in regions))
    if not terms:
        text = "regions is an empty list: a pool of no regions can do nothing; leave it out for every region"
        raise ConfigError(text)
    return terms


def _check_term(term: object, check: Callable[[str], str]) -> str:
    if not isinstance(term, str):
        text = f"a region is named by a string, such as 'eu-west-1'; got {type(term).__name__}: {term!r}"
        raise DeclarationTypeError(text)
    return region_key(term) if is_glob(term) else check(term)


def ask(
    session: boto3.Session,
    service: str,
    regions: object = None,
    default_region: str | None = None,
    *,
    anywhere: bool = False,
) -> Asked:
    """Check what is asked for, without any call.

    Args:
        session: its region names the partition where the terms leave that open.
        service: botocore's name of the service.
        regions: names, globs, `'*'`, or None for every region.
        default_region: the region that the caller will use most; it must be among those asked for.
        anywhere: the caller sends its calls to an endpoint of its own: the SDK's data on where a service is does not
            count.

    Raises:
        ConfigError: one of its kinds, with what was asked, what was found and what to do.
        NoRegionsError: the service is in none of the regions asked for by name.
    """
    sdk = sdk_regions(session)
    terms = parse_terms(regions)
    default = None if default_region is None else check_region_name(default_region)
    partition = _one_partition(sdk, terms, default, session.region_name)
    coverage = sdk.coverage(service, partition)
    asked = Asked(terms, coverage.anywhere() if anywhere else coverage)
    candidates = _select(asked, dict.fromkeys(partition.regions, "unknown"), "sdk")
    if default is not None and not coverage.is_global and default not in candidates.names:
        text = f"default_region {default!r} is not among the regions of this {service!r} pool: {few(candidates.names)}"
        raise ConfigError(text)
    return asked


def _one_partition(
    sdk: SdkRegions, terms: tuple[str, ...], default: str | None, session_region: str | None
) -> Partition:
    named = [term for term in terms if not is_glob(term)]
    found = {sdk.partition_of(name).name: name for name in [*named, *([default] if default else [])]}
    globs = [term for term in terms if is_glob(term)]
    if len(found) > 1:
        text = f"one pool has one partition, as credentials do; asked for {' and '.join(map(repr, found.values()))}"
        raise ConfigError(text)
    candidates = [sdk.partitions[name] for name in found]
    if not candidates:
        candidates = [_partition_of_session(sdk, session_region), *sdk.partitions.values()]
    for partition in candidates:
        if all(fnmatch.filter(partition.regions, glob) for glob in globs):
            return partition
    where = f"partition {candidates[0].name!r} has no" if found else "no partition has"
    text = f"{where} regions for {' and '.join(map(repr, globs))}; regions are named like 'eu-west-1'"
    raise ConfigError(text)


def _partition_of_session(sdk: SdkRegions, region: str | None) -> Partition:
    for partition in sdk.partitions.values():
        if region and partition.has(region):
            return partition
    return sdk.partitions["aws"]


def find_regions(
    session: boto3.Session, service: str, regions: object = None, *, options: ClientOptions | None = None
) -> RegionsAnswer:
    """Return the regions where an account can use a service, with where each answer comes from.

    Args:
        session: whose account is asked.
        service: botocore's name of the service.
        regions: names, globs such as `'eu-*'`, `'*'`, or None for every region.
        options: client arguments for the calls; with an `endpoint_url` the calls go there.

    Returns:
        At least one region; a global service has exactly one, `aws-global` or its partition's.

    Raises:
        ConfigError: what was asked for is wrong; no call was made.
        NoRegionsError: nothing is left of what was asked for; the message says why of each.

    Source: `ec2:DescribeRegions`, `account:ListRegions`, botocore's endpoint data and rules.

    Example:
        >>> answer = find_regions(mangrove.Session(), "iam")
        >>> answer.names, answer.regions[0].endpoint_region
        (('aws-global',), 'us-east-1')
    """
    options = options or ClientOptions()
    make_session(session)  # refuses what is none
    name = find_service(service, service_names(session))
    return answer(session, ask(session, name, regions, anywhere=options.endpoint_url is not None), options)


def answer(session: boto3.Session, asked: Asked, options: ClientOptions, whose: Any = None) -> RegionsAnswer:
    """Return the answer to a checked question, calling AWS only if the account's own word is needed."""
    if not asked.needs_account:
        return _select(asked, {}, "explicit")
    account = account_regions(session, asked.partition, options, whose)
    return _select(asked, account.status, account.source, account)


def guess(asked: Asked) -> RegionsAnswer:
    """Return what the answer is likely to be, without a call: what an account must enable first is `unknown`."""
    regions = asked.partition.regions
    status: dict[str, RegionStatus] = {
        name: "unknown" if asked.partition.is_opt_in(name) else "enabled" for name in regions
    }
    return _select(asked, status, "sdk")


def _select(
    asked: Asked, status: Mapping[str, RegionStatus], source: str, account: AccountRegions | None = None
) -> RegionsAnswer:
    """Return enabled ∩ supported ∩ asked; pure."""
    coverage, partition = asked.coverage, asked.partition
    notes = account.notes if account else ()
    if coverage.global_region is not None:
        one = Region(partition.global_name, partition.name, "enabled", "sdk", "listed", coverage.global_region)
        return RegionsAnswer(coverage.service, partition.name, (one,), source="sdk", notes=notes)
    kept: dict[str, Region] = {}
    skipped: dict[str, Skipped] = {}
    for term in asked.terms:
        by_name = not is_glob(term)
        for name in [term] if by_name else fnmatch.filter(sorted(status), term):
            region = _region(name, asked, status, source, by_name=by_name)
            if isinstance(region, Region):
                kept.setdefault(name, region)
            else:
                skipped.setdefault(name, region)
    if not kept or all(region.status == "disabled" for region in kept.values()):
        # Kept and yet nothing left: all of them are disabled.
        error = RegionDisabledError if kept else NoRegionsError
        raise error(_nothing_left(asked, [*kept.values(), *skipped.values()], source, notes))
    left_out = tuple(skip for name, skip in skipped.items() if name not in kept)
    return RegionsAnswer(coverage.service, partition.name, tuple(kept.values()), left_out, source, notes)


def _region(
    name: str, asked: Asked, status: Mapping[str, RegionStatus], source: str, *, by_name: bool
) -> Region | Skipped:
    partition = asked.partition
    support = asked.coverage.support(name)
    if support == "unsupported" or (support == "unlisted" and not by_name):
        return Skipped(name, "unsupported", "sdk")
    opt_in = partition.is_opt_in(name)
    found = status.get(name, "unknown" if opt_in else "enabled")
    if found == "disabled" and by_name and source == "cache":
        found = "unknown"  # it may have been enabled since
    if found == "disabled" and not by_name:
        return Skipped(name, "disabled", source)
    # What was asked for by name stays, so that it shows as disabled; who said so is then the account.
    told = "explicit" if by_name and found != "disabled" else source
    return Region(name, partition.name, found, told, support, name, opt_in)


def _nothing_left(asked: Asked, found: Iterable[Region | Skipped], source: str, notes: Iterable[str]) -> str:
    reasons = [str(x) if isinstance(x, Skipped) else f"{x.name} is disabled ({x.source})" for x in found]
    where = asked.coverage.listed
    text = f"no region is left for {asked.coverage.service!r} of what was asked, {', '.join(map(repr, asked.terms))}: "
    text += few(reasons) if reasons else f"nothing matches in partition {asked.partition.name!r} (by {source})"
    if asked.coverage.absent:
        text += f"; the service is not in partition {asked.partition.name!r}"
    elif where:
        text += f"; the service is in {few(sorted(where))}"
    return text + "".join(f"; {note}" for note in notes)


def few(names: Iterable[str], limit: int = 6) -> str:
    """Return a short list for a sentence."""
    all_of_them = list(names)
    more = len(all_of_them) - limit
    return ", ".join(all_of_them[:limit]) + (f" and {more} more" if more > 0 else "")
