"""List the resources of a type in one target, as objects with ARNs, one page a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from mangrove.aws.services import find_service, one_of, service_names
from mangrove.aws.session import Session, make_resource
from mangrove.errors import ConfigError, UnknownResourceError
from mangrove.fleet.doors import Doors, Opening
from mangrove.fleet.limits import Scope
from mangrove.fleet.outcome import Target
from mangrove.fleet.tasks import Context, Step, Task
from mangrove.resources.kinds import Kind, kind_of
from mangrove.resources.listing import pages_of_kind
from mangrove.resources.objects import facts_of

if TYPE_CHECKING:
    import boto3

__all__ = ["ResourcesTask", "check_kinds", "openings_of"]


@dataclass(frozen=True, slots=True)
class ResourcesTask:
    """List the resources of a type; the rows are the objects.

    Args:
        target: the target; its service is the type's.
        kind: the type.
        regions: where the objects may be, of a list that answers for a whole account.
        opt_in: whether the account must enable the region first.
        pages: the pages to come; None before the first.
        faults: errors of resources on the way, whose own could not be listed.
    """

    target: Target
    kind: Kind
    regions: tuple[str, ...] = ()
    opt_in: bool = False
    pages: Iterator[list[Any]] | None = field(default=None, compare=False, repr=False)
    faults: list[Exception] = field(default_factory=list, compare=False, repr=False)

    @property
    def repeatable(self) -> bool:
        """Tell whether the step may be made again: a list can only be begun again, not gone on with."""
        return self.pages is None

    @property
    def scope(self) -> Scope:
        """Return what the request counts for."""
        return Scope(self.target.account, self.target.region, self.target.service, self.kind.name)

    def step(self, context: Context) -> Step:
        """Get a page; see `Task`."""
        pages = self.pages or self._pages(context)
        page = next(pages, None)
        if page is not None:
            return Step(page, after=replace(self, pages=pages))
        if self.faults:
            # What else there is has been handed out; the target is not whole all the same.
            raise self.faults[0]
        return Step(calls=0)

    def _pages(self, context: Context) -> Iterator[list[Any]]:
        if not isinstance(context, Doors):
            text = "resources are objects of this process; list them without an executor, or take `items`"
            raise ConfigError(text)
        service = context.service(self.target)
        pages = pages_of_kind(self.kind, service, self.faults.append)
        return pages if self.kind.home is None else self._at_home(context, service, pages)

    def _at_home(self, doors: Doors, service: Any, pages: Iterator[list[Any]]) -> Iterator[list[Any]]:
        """Yield the objects in the regions that are wanted, each with a client of its own region."""
        services = {self.target.region_name: service}
        for page in pages:
            found = []
            for each in page:
                region = self._home(each, service)
                if region not in self.regions:
                    continue
                if region not in services:
                    services[region] = doors.service(self.target, region)
                found.append(_moved(each, services[region]))
            yield found

    def _home(self, resource: Any, service: Any) -> str:
        kind: Any = self.kind
        data: dict[str, Any] = resource.meta.data or {}
        region = data.get(str(kind.home))
        if not region and kind.home_call is not None:
            identifiers = {name: getattr(resource, name) for name in facts_of(resource).names}
            region = kind.home_call.one(service.meta.client, {**data, **identifiers})
        found: str = region or self.target.region
        return {"EU": "eu-west-1"}.get(found, found)  # S3 says so of buckets from before its regions had names


def _moved(resource: Any, service: Any) -> Any:
    """Return a resource with the client of another region, and the data that it has."""
    if resource.meta.client is service.meta.client:
        return resource
    names = facts_of(resource).names
    made = type(resource)(*(getattr(resource, name) for name in names), client=service.meta.client)
    made.meta.data = resource.meta.data
    return made


def openings_of(kinds: Sequence[Kind]) -> tuple[Opening, ...]:
    """Return how the targets of types are found: service by service, and once an account where one list is for all.

    Args:
        kinds: the types.
    """

    def key(kind: Kind) -> tuple[str, bool]:
        return kind.service, kind.home is not None

    return tuple(
        (service, _Lists(tuple(group)), once) for (service, once), group in groupby(sorted(kinds, key=key), key=key)
    )


@dataclass(frozen=True, slots=True)
class _Lists:
    """Make the tasks that list types in a target."""

    kinds: tuple[Kind, ...]

    def __call__(self, target: Target, opt_in: bool, regions: tuple[str, ...]) -> tuple[Task, ...]:  # noqa: FBT001
        return tuple(ResourcesTask(replace(target, type=kind.name), kind, regions, opt_in) for kind in self.kinds)


def check_kinds(kinds: Sequence[Kind], session: boto3.Session) -> None:
    """Refuse a type that there is none of; no call is made.

    Args:
        kinds: the types.
        session: whose data files count.

    Raises:
        UnknownServiceError: there is no such service; the message has the close matches.
        UnknownResourceError: it has no such collection; the message has the close matches.
    """
    names, bare = service_names(session), Session(region_name="us-east-1")
    for kind in kinds:
        find_service(kind.service, names)
        model, way = make_resource(bare, kind.service).meta.resource_model, kind.service
        if len(kind.path) > 1 and kind_of(f"{way}.{kind.path[0]}").home is not None:
            text = f"{kind.name} can't be listed: what is below {way}.{kind.path[0]} is in the regions of each of those"
            raise UnknownResourceError(text)
        for name in kind.path:
            there = {one.name: one for one in model.collections}
            if name not in there:
                text = f"{way} has no collection {name!r}{one_of(name, there)}"
                raise UnknownResourceError(text)
            model, way = there[name].resource.model, f"{way}.{name}"
