"""Cut the work into cells, one type in one region of one account, which share the pool of account and service."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from mangrove.aws.derived import Derivation
from mangrove.aws.services import find_service, one_of, service_names
from mangrove.aws.session import Session, make_resource, sdk_regions
from mangrove.errors import UnknownResourceError
from mangrove.inventory.reader import Reader
from mangrove.inventory.rows import Place
from mangrove.inventory.ways import Watch
from mangrove.pool import ServicePool
from mangrove.resources.kinds import Kind, kind_of

__all__ = ["GLOBAL", "Cell", "Share", "check", "places", "plan", "with_resources"]

GLOBAL = "aws-global"
"""The region of a cell that speaks for a whole account."""


class Share:
    """Share one pool between the cells of an account and service: opened by the first, closed by the last."""

    def __init__(self, session: Any, service: str, regions: Sequence[str], cells: int) -> None:
        self._session, self._service, self._regions = session, service, regions
        self._left = cells
        self._lock = threading.Lock()
        self._pool: ServicePool | None = None
        self._error: Exception | None = None

    def handles(self) -> Mapping[str, Any]:
        """Return the pool's regions, opening it if this is the first cell."""
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._pool is None:
                try:
                    self._pool = ServicePool(service=self._service, session=self._session, regions=list(self._regions))
                except Exception as error:
                    # Every cell of the account and service fails for this reason; it is not tried for each.
                    self._error = error
                    raise
            regions: Mapping[str, Any] = self._pool.regions
            return regions

    def release(self) -> bool:
        """Give back one cell; tell whether it was the last."""
        with self._lock:
            self._left -= 1
            if self._left > 0:
                return False
        self.close()
        return True

    def close(self) -> None:
        """Close the pool if it is open."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            # What was found stands, whether or not its connections end in good order.
            with suppress(Exception):
                pool.close()


@dataclass(frozen=True, slots=True)
class Cell:
    """Be one type in one region of one account.

    Args:
        account: the account.
        region: the region, or `GLOBAL`.
        kind: the type.
        share: the pool that it shares.
    """

    account: str
    region: str
    kind: Kind
    share: Share

    def open(self, watch: Watch) -> Reader:
        """Return the reader of this cell, its clients watched."""
        handles = self.share.handles()
        region = _any_enabled(handles) if self.region == GLOBAL else self.region
        service = _own(handles[region].resource)
        watch.on(service.meta.client)

        def home(name: str) -> Any:
            if name not in handles:
                return None
            client = handles[name].resource.meta.client
            watch.on(client)
            return client

        place = Place(service.meta.client.meta.partition, region, self.account)
        return Reader(self.kind, service, place, home)


def _own(shared: Any) -> Any:
    """Return a service resource for one thread alone, with the client of the shared one, which is for all of them."""
    return type(shared)(client=shared.meta.client)


def _any_enabled(handles: Mapping[str, Any]) -> str:
    """Return where an account's single list is made: a global service's only region, or any of a regional one."""
    enabled = (name for name, handle in handles.items() if handle.info.status != "disabled")
    return next(enabled, next(iter(handles)))


def plan(accounts: Mapping[str, Any], regions: Sequence[str], kinds: Sequence[Kind]) -> Iterator[Cell]:
    """Yield the cells, service by service: few pools are open at once, and neighbours belong to different accounts.

    Args:
        accounts: each account's id and session.
        regions: the regions.
        kinds: what to list.
    """
    by_service = groupby(sorted(kinds, key=lambda kind: kind.service), key=lambda kind: kind.service)
    for service, group in by_service:
        kinds_of_service = tuple(group)
        for account, session in accounts.items():
            entries = [(kind, region) for kind in kinds_of_service for region in places(kind, session, regions)]
            share = Share(session, service, regions, len(entries))
            yield from (Cell(account, region, kind, share) for kind, region in entries)


def places(kind: Kind, session: Any, regions: Sequence[str]) -> Sequence[str]:
    """Return where a type is listed in an account: everywhere, or once where one list answers for all regions.

    Args:
        kind: the type.
        session: the account's.
        regions: the regions asked for.

    Raises:
        UnknownRegionError: there is no such region.

    Example:
        >>> session = mangrove.Session()
        >>> places(Kind("iam.roles"), session, ["us-east-1"]), places(Kind("sqs.queues"), session, ["us-east-1"])
        (('aws-global',), ['us-east-1'])
    """
    sdk = sdk_regions(session)
    once = kind.home is not None or sdk.coverage(kind.service, sdk.partition_of(regions[0])).is_global
    return (GLOBAL,) if once else regions


def with_resources(session: Any) -> Any:
    """Return a session that has resources for every service: itself, or one of its own that stands for boto3's."""
    return session if isinstance(session, Session) else Derivation(session).session(session.get_credentials)


def check(kinds: Iterable[Kind], session: Any, region: str) -> None:
    """Refuse a type that a session does not know; no call is made.

    Args:
        kinds: the types.
        session: the session.
        region: any region.

    Raises:
        UnknownServiceError: there is no such service; the message has the close matches.
        UnknownResourceError: it has no such collection; the message has the close matches.
    """
    names, services = service_names(session), dict[str, Any]()
    for kind in kinds:
        find_service(kind.service, names)
        if kind.service not in services:
            services[kind.service] = make_resource(session, kind.service, region_name=region).meta.resource_model
        model, way = services[kind.service], kind.service
        if len(kind.path) > 1 and kind_of(f"{way}.{kind.path[0]}").home is not None:
            text = f"{kind.name} can't be listed: what is below {way}.{kind.path[0]} is in the regions of each of those"
            raise UnknownResourceError(text)
        for name in kind.path:
            there = {one.name: one for one in model.collections}
            if name not in there:
                text = f"{way} has no collection {name!r}{one_of(name, there)}"
                raise UnknownResourceError(text)
            model, way = there[name].resource.model, f"{way}.{name}"
