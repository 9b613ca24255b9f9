"""What the installed SDK knows of partitions, regions and services: facts without a call.

Two data files of botocore are read, through the session's loader: `endpoints` (which service is in which region) and
`partitions` (newer regions that the first no longer lists). Where a service has no entry in the first, its endpoint
rules say whether it is global: then every region resolves to the same URL.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader

from mangrove.aws.services import one_of
from mangrove.errors import DeclarationTypeError, InvalidRegionError, UnknownRegionError

__all__ = ["Coverage", "Partition", "SdkRegions", "Support", "check_region_name", "region_key"]

# \A and \Z, and [0-9] rather than \d: a newline, a dot or an Arabic digit would end up in a host name.
_REGION = re.compile(r"\A[a-z]{2,5}(?:-[a-z]+)+-[0-9]{1,2}\Z")
_LONGEST_SHOWN = 80
_GLOBAL = re.compile(r"\Aaws(?:-[a-z]+){0,3}-global\Z")

# The regions that every account of the partition `aws` has; all that came after March 2019 are opt-in, so this set does
# not grow. Source: AWS Account Management guide, "Enable or disable AWS Regions in your account".
ALWAYS_ENABLED = frozenset(
    "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 "
    "eu-north-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2".split()
)


Support = Literal["listed", "assumed", "unlisted", "unsupported"]


def region_key(name: str) -> str:
    """Return a region's name with hyphens, so that `us_west_1` and `us-west-1` are one.

    Example:
        >>> region_key("us_west_1")
        'us-west-1'
    """
    return name.replace("_", "-")


def check_region_name(name: object) -> str:
    """Return the region's name with hyphens, or refuse what can't be one.

    Raises:
        DeclarationTypeError: the name is no string.
        InvalidRegionError: the string is not of a region's form; it must not reach a host name.

    Example:
        >>> check_region_name("eu_west_1")
        'eu-west-1'
        >>> check_region_name("x@evil")
        Traceback (most recent call last):
        ...
        mangrove.errors.InvalidRegionError: 'x@evil' is not the name of a region; one looks like 'eu-west-1'
    """
    if not isinstance(name, str):
        text = f"a region is named by a string, such as 'eu-west-1'; got {type(name).__name__}: {name!r}"
        raise DeclarationTypeError(text)
    key = region_key(name)
    if not (_REGION.match(key) or _GLOBAL.match(key)):
        meant = re.sub(r"(?<=[0-9])[a-z]\Z", "", key.strip().lower())  # an availability zone has a letter more
        hint = f"did you mean {meant!r}?" if _REGION.match(meant) else "one looks like 'eu-west-1'"
        shown = repr(name) if len(name) <= _LONGEST_SHOWN else f"a string of {len(name)} characters"
        text = f"{shown} is not the name of a region; {hint}"
        raise InvalidRegionError(text)
    return key


@dataclass(frozen=True, slots=True)
class Partition:
    """Hold what the SDK knows of one partition.

    Attributes:
        name: such as `aws`, `aws-cn`.
        regions: its regions, sorted; pseudo-regions such as `aws-global` are not among them.
        pattern: what its regions' names look like, those not listed yet included.
        home: the region that global services of the partition are signed for.
        dns_suffix: where its endpoints live, such as `amazonaws.com`.
    """

    name: str
    regions: tuple[str, ...]
    pattern: re.Pattern[str]
    home: str
    dns_suffix: str

    @property
    def global_name(self) -> str:
        """Return the pseudo-region of the partition's global services, such as `aws-global`."""
        return f"{self.name}-global"

    def is_opt_in(self, region: str) -> bool:
        """Say whether an account must enable the region before it can be used; only the partition `aws` has such."""
        return self.name == "aws" and region not in ALWAYS_ENABLED and region != self.global_name

    def has(self, region: str) -> bool:
        """Say whether the region is one of this partition's, by list or by form."""
        return region in self.regions or region == self.global_name or bool(self.pattern.fullmatch(region))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Hold where a service is in one partition, as far as the SDK knows.

    Attributes:
        service: botocore's name of the service.
        partition: the partition this is about.
        listed: the regions that the SDK's data lists for the service; empty if it lists none.
        surveyed: the regions that the data speaks of at all; a region outside them is neither in nor out.
        global_region: for a global service, the region its client is made for; else None.
        absent: the service's own rules lead out of the partition: it is not there.
    """

    service: str
    partition: Partition
    listed: frozenset[str] = frozenset()
    surveyed: frozenset[str] = frozenset()
    global_region: str | None = None
    absent: bool = False

    @property
    def is_global(self) -> bool:
        """Say whether one endpoint serves the whole partition."""
        return self.global_region is not None

    def anywhere(self) -> Coverage:
        """Return this coverage for an endpoint of the caller's own, to which the data on regions does not apply."""
        return replace(self, listed=frozenset(), surveyed=frozenset(), absent=False)

    def support(self, region: str) -> Support:
        """Say whether the service is in the region.

        Returns:
            `listed` by the data; `assumed`, as the data says nothing; `unlisted`, as the data knows the region and does
            not list it, which a newer launch may have overtaken; `unsupported`, as the service's own rules lead away.
        """
        if region in self.listed:
            return "listed"
        if self.absent or region == self.partition.global_name:
            return "unsupported"
        return "unlisted" if self.listed and region in self.surveyed else "assumed"


@dataclass(frozen=True)
class SdkRegions:
    """Answer questions about regions from the data of one loader.

    Args:
        loader: a botocore loader, the session's.
    """

    loader: Loader
    _coverages: dict[tuple[str, str], Coverage] = field(default_factory=dict, repr=False)
    _tables: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def partitions(self) -> Mapping[str, Partition]:
        """Return every partition by its name."""
        if "partitions" not in self._tables:
            self._tables["partitions"] = {p.name: p for p in self._read_partitions()}
        found: Mapping[str, Partition] = self._tables["partitions"]
        return found

    def _read_partitions(self) -> Iterable[Partition]:
        for data in self.loader.load_data("partitions")["partitions"]:
            name, outputs = data["id"], data["outputs"]
            surveyed = self._endpoints().get(name, {}).get("regions", {})
            pattern = re.compile(data["regionRegex"], re.ASCII)
            # One list may be newer than the other; a pseudo-region is in neither form.
            names = {r for r in (*data["regions"], *surveyed) if not r.endswith("-global")}
            yield Partition(name, tuple(sorted(names)), pattern, outputs["implicitGlobalRegion"], outputs["dnsSuffix"])

    def _endpoints(self) -> Mapping[str, Any]:
        if "endpoints" not in self._tables:
            data = self.loader.load_data("endpoints")["partitions"]
            self._tables["endpoints"] = {partition["partition"]: partition for partition in data}
        found: Mapping[str, Any] = self._tables["endpoints"]
        return found

    def all_regions(self) -> tuple[str, ...]:
        """Return every region of every partition, sorted."""
        return tuple(sorted(r for partition in self.partitions.values() for r in partition.regions))

    def partition_of(self, region: str) -> Partition:
        """Return the partition that the region belongs to.

        Raises:
            UnknownRegionError: no partition has a region of that name.
        """
        for partition in self.partitions.values():
            if region in partition.regions or region == partition.global_name:
                return partition
        text = f"no region {region!r} in this botocore{self._near(region)}"
        for partition in self.partitions.values():
            if partition.pattern.fullmatch(region):
                text += f" (if AWS has just launched it in {partition.name!r}, a newer botocore knows it)"
        raise UnknownRegionError(text)

    def _near(self, region: str) -> str:
        """Return close matches; regions that differ in the number alone come first."""
        known = self.all_regions()
        siblings = [r for r in known if r.rpartition("-")[0] == region.rpartition("-")[0]]
        return one_of(region, difflib.get_close_matches(region, siblings, n=3, cutoff=0) or known)

    def coverage(self, service: str, partition: Partition) -> Coverage:
        """Return where the service is in the partition, by the endpoint data and, where that has nothing, the rules."""
        key = (service, partition.name)
        if key not in self._coverages:
            self._coverages[key] = self._find_coverage(service, partition)
        return self._coverages[key]

    def _find_coverage(self, service: str, partition: Partition) -> Coverage:
        data = self._endpoints().get(partition.name, {})
        entry = data.get("services", {}).get(self._endpoint_prefix(service), {})
        endpoints = entry.get("endpoints", {})
        if entry.get("isRegionalized") is False and entry.get("partitionEndpoint"):
            scope = endpoints.get(entry["partitionEndpoint"], {}).get("credentialScope", {})
            return Coverage(service, partition, global_region=scope.get("region", partition.home))
        surveyed = frozenset(data.get("regions", {}))
        listed = surveyed.intersection(endpoints)
        if listed:
            # A few regional services have the pseudo-region too: s3, sts.
            return Coverage(service, partition, listed.union({partition.global_name}.intersection(endpoints)), surveyed)
        region = self._global_by_rules(service, partition)
        if region is not None and region not in partition.regions:
            return Coverage(service, partition, absent=True)
        return Coverage(service, partition, global_region=region)

    def _endpoint_prefix(self, service: str) -> str:
        try:
            model = self.loader.load_service_model(service, "service-2")
        except BotoCoreError:  # a service that only the caller's own code knows
            return service
        prefix: str = model["metadata"]["endpointPrefix"]
        return prefix

    def _global_by_rules(self, service: str, partition: Partition) -> str | None:
        """Return the region of the one endpoint that every region resolves to, or None if they differ."""
        if len(partition.regions) == 1:
            return None  # one region or global: no difference
        try:
            rules = self.loader.load_service_model(service, "endpoint-rule-set-1")
            provider = EndpointProvider(rules, self.loader.load_data("partitions"))
            first, *others = (
                provider.resolve_endpoint(Region=region, UseFIPS=False, UseDualStack=False)
                for region in (partition.regions[0], partition.regions[-1])
            )
        except BotoCoreError:
            return None  # no rules, or rules that ask for more than a region: regional until shown otherwise
        if any(other.url != first.url for other in others):
            return None
        schemes = first.properties.get("authSchemes") or [{}]
        region: str = schemes[0].get("signingRegion") or partition.home
        return region
