"""Fills an embedded AWS with a fleet that looks like a company's, so that demos and tests have something to find."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mangrove.testing._seed_data import profile_of
from mangrove.testing._seed_place import Place, Step
from mangrove.testing._seed_steps import ACCOUNT_STEPS, CENTRAL_STEPS, REGION_STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mangrove.testing.embedded import EmbeddedAWS

__all__ = ["SeedSummary", "seed"]

# moto shares this process and its one interpreter lock: more threads only wait for one another.
_THREADS = 2


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """Say what `seed()` did.

    Args:
        calls: the number of AWS calls it made.
        resources: the number of resources by the service that has them.
    """

    calls: int
    resources: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Unit:
    """Be one piece of work: the steps of one account, or of one region of it."""

    account: str
    region: str
    position: int
    index: int
    steps: Mapping[str, Step]


@dataclass(slots=True)
class _Tally:
    """Count what is done, and tell it to the caller, from any thread."""

    total: int
    progress: Callable[[int, int], None] | None
    calls: int = 0
    units: int = 0
    resources: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, **_: Any) -> None:
        with self.lock:
            self.calls += 1

    def unit(self, resources: Counter[str]) -> None:
        with self.lock:
            self.units += 1
            self.resources.update(resources)
            if self.progress is not None:
                self.progress(self.units, self.total)


def seed(aws: EmbeddedAWS, *, progress: Callable[[int, int], None] | None = None) -> SeedSummary:
    """Fill every account and region of the embedded AWS with a fixed, realistic fleet.

    The first account is the organization's management account, the others are in turn production and development
    accounts. All names and tags are the same each time; the ids that AWS gives are not.

    Args:
        aws: the running instance, empty of what is to be made.
        progress: called with (done, total) units of work, never by two threads at once; a unit is an account, or a
            region of one.

    Raises:
        NotRunningError: the instance is not started.
        botocore.exceptions.ClientError: a resource is there already.

    Example:
        >>> from mangrove.testing import EmbeddedAWS
        >>> from mangrove.testing.seed import seed
        >>> with EmbeddedAWS(accounts=1, regions=["eu-west-1"]) as aws:
        ...     summary = seed(aws)
        ...     [bucket["Name"] for bucket in aws.session().client("s3").list_buckets()["Buckets"]]
        ['management-audit-123456789012-eu-west-1', 'management-logs-123456789012-eu-west-1']
        >>> summary.resources["s3"]
        2
    """
    aws.endpoint_url  # noqa: B018  raises NotRunningError before any thread starts
    phases = list(_accounts(aws)), list(_regions(aws))
    tally = _Tally(sum(map(len, phases)), progress)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="mangrove-seed") as executor:
        # Accounts first: what is in the regions uses their roles.
        for units in phases:
            _run(executor, aws, units, tally)
    return SeedSummary(tally.calls, MappingProxyType(dict(sorted(tally.resources.items()))))


def _accounts(aws: EmbeddedAWS) -> Iterator[_Unit]:
    for position, account in enumerate(aws.accounts):
        yield _Unit(account, aws.regions[0], position, position, ACCOUNT_STEPS)


def _regions(aws: EmbeddedAWS) -> Iterator[_Unit]:
    index = 0
    for position, account in enumerate(aws.accounts):
        for region in aws.regions:
            steps = {**REGION_STEPS, **CENTRAL_STEPS} if region == aws.regions[0] else REGION_STEPS
            yield _Unit(account, region, position, index, steps)
            index += 1


def _run(executor: ThreadPoolExecutor, aws: EmbeddedAWS, units: Iterable[_Unit], tally: _Tally) -> None:
    futures = [executor.submit(_work, aws, unit, tally) for unit in units]
    try:
        for future in as_completed(futures):
            future.result()
    finally:
        # After a first error the rest is not begun.
        for future in futures:
            future.cancel()


def _work(aws: EmbeddedAWS, unit: _Unit, tally: _Tally) -> None:
    session = aws.session(unit.account, unit.region)
    session.events.register("before-call", tally.call)
    place = Place(unit.account, unit.region, profile_of(unit.position), unit.index, session.client)
    made = {service: step(place) for service, step in unit.steps.items()}
    tally.unit(Counter({service: count for service, count in made.items() if count}))
