"""List the resources of a type in one target, one request a step; what is made of them is the last step's."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import Any, Protocol

from mangrove.aws.faults import fault_of, is_passing
from mangrove.errors import ConfigError
from mangrove.fleet.doors import Doors, Opening
from mangrove.fleet.limits import Scope
from mangrove.fleet.outcome import Target
from mangrove.fleet.tasks import Context, Step, Task
from mangrove.fleet.trying import Patience
from mangrove.resources.kinds import Kind
from mangrove.resources.levels import Ask, Item, Way
from mangrove.resources.listing import Asking, Finish, at_home, walk
from mangrove.resources.ways import Ways

__all__ = ["Last", "Listing", "ResourcesTask", "openings_of"]

_PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Listing:
    """Be one type in one target.

    Args:
        target: the target; its service is the type's.
        way: how the type is listed.
        ways: know the operations.
        regions: where resources may be, of a list that answers for a whole account.
        fault: is called with an error that costs only what it is about.
        doors: lead into the accounts.
    """

    target: Target
    way: Way
    ways: Ways
    regions: tuple[str, ...]
    fault: Callable[[Exception], object]
    doors: Doors


class Last(Protocol):
    """Be the last step: what is made of the items of a list."""

    def __call__(self, listing: Listing) -> Finish:
        """Return what turns the pages of a target into what is handed out."""
        ...


class _Walking:
    """Be on the way through the lists of a target.

    Attributes:
        ask: the next request; None at the end.
        faults: errors that cost only what they are about.
    """

    def __init__(self, make: Callable[[Callable[[Exception], object]], Generator[Any, Any, None]]) -> None:
        self.faults: list[Exception] = []
        self.ask: Ask | None = None
        self._tries = 0
        self._walk = make(self.faults.append)
        self._go_on(lambda: next(self._walk), [])

    def answered(self, answer: Any) -> list[Any]:
        """Go on with an answer, to the next request; return what was found."""
        return self._go_on(lambda: self._walk.send(answer), [])

    def refused(self, error: Exception) -> list[Any]:
        """Go on without what an error was about, or raise the error where that is all, or it may pass.

        Raises:
            Exception: the error.
        """
        self._tries += 1
        if self.ask is None or not self.ask.spare or self._may_pass(error):
            raise error
        return self._go_on(lambda: self._walk.throw(error), [])

    def _may_pass(self, error: Exception) -> bool:
        fault = fault_of(error)
        # With other credentials, or after a while, it is answered; if not, nothing else is either.
        if fault in ("expired", "throttled"):
            return True
        return is_passing(error) and _PATIENCE.wait(fault, self._tries, 0.0, lambda: 0.0) is not None

    def _go_on(self, begin: Callable[[], Any], found: list[Any]) -> list[Any]:
        self._tries, self.ask = 0, None
        try:
            event = begin()
            while isinstance(event, list):
                found += event
                event = next(self._walk)
            self.ask = event
        except StopIteration:
            pass
        except Exception as error:  # noqa: BLE001  what was found before it is handed out first
            self.faults.insert(0, error)
        return found


@dataclass(frozen=True, slots=True)
class ResourcesTask:
    """List the resources of a type.

    Args:
        target: the target; its service is the type's.
        kind: the type.
        ways: know how types are listed.
        operation: the operation of the first request.
        last: makes what is handed out.
        regions: where the resources may be, of a list that answers for a whole account.
        opt_in: whether the account must enable the region first.
        walking: how far it is; None at the beginning.
        ask: the next request; None at the beginning and the end.
    """

    target: Target
    kind: Kind
    ways: Ways = field(compare=False, repr=False)
    operation: str
    last: Last = field(compare=False, repr=False)
    regions: tuple[str, ...] = ()
    opt_in: bool = False
    walking: _Walking | None = field(default=None, compare=False, repr=False)
    ask: Ask | None = field(default=None, compare=False, repr=False)

    @property
    def repeatable(self) -> bool:
        """Tell whether the step may be made again."""
        return self.walking is None or self.ask is not None

    @property
    def scope(self) -> Scope | None:
        """Return what the next request counts for; None at the end, where none is made."""
        target = self.target
        if self.walking is None:
            return Scope(target.account, target.region, target.service, self.operation)
        if self.ask is None:
            return None
        return Scope(target.account, self.ask.region or target.region, target.service, self.ask.operation.name)

    def step(self, context: Context) -> Step:
        """Make a request; see `Task`."""
        walking = self.walking or self._begin(context)
        ask = self.ask or walking.ask
        if ask is None:
            # What else there is has been handed out; the target is not whole all the same.
            raise walking.faults[0]
        try:
            answer = context.ask(_place(self.target, ask.region), ask.operation, ask.parameters)
        except Exception as error:  # noqa: BLE001  raised again, unless the rest can do without
            found = walking.refused(error)
        else:
            found = walking.answered(answer)
        if walking.ask is None and not walking.faults:
            return Step(found)
        return Step(found, after=replace(self, walking=walking, ask=walking.ask))

    def _begin(self, context: Context) -> _Walking:
        if not isinstance(context, Doors):
            text = "resources are listed by this process; list them without an executor, or take `items`"
            raise ConfigError(text)
        way = self.ways.of(self.kind)

        def begin(fault: Callable[[Exception], object]) -> Generator[Any, Any, None]:
            listing = Listing(self.target, way, self.ways, self.regions, fault, context)
            return walk(way, self.last(listing), fault)

        return _Walking(begin)


def _place(target: Target, region: str) -> Target:
    if not region or region == target.region_name:
        return target
    return replace(target, region=region, endpoint_region="", type="")


def objects(listing: Listing) -> Finish:
    """Make objects of items: the last step of `Fleet.resources`."""
    services: dict[str, Any] = {}

    def made(item: Item) -> Any:
        region = item.region or listing.target.region_name
        if region not in services:
            services[region] = listing.doors.service(listing.target, region)
        return _object(services[region], listing.way, item)

    def finish(items: list[Item]) -> Asking:
        target, kind = listing.target, listing.way.kind
        if kind.home is not None:
            items = yield from at_home(items, kind, listing.ways, listing.regions, target.region, listing.fault)
        return [made(item) for item in items]

    return finish


def _object(service: Any, way: Way, item: Item) -> Any:
    spec = way.spec
    make = getattr(service, spec.type, None)
    if make is None:
        # boto3 gives EC2 no `KeyPairInfo(...)`: its collection's own handler knows the class.
        make = partial(_class_of(service, way), client=service.meta.client)
    found = make(*(item.identifiers[name] for name in spec.names))
    found.meta.data = item.data
    return found


def _class_of(service: Any, way: Way) -> Any:
    from mangrove.aws.paging import class_of  # noqa: PLC0415  for one type of all

    return class_of(getattr(service, way.kind.path[0]))


def openings_of(kinds: Sequence[Kind], ways: Ways, last: Last = objects) -> tuple[Opening, ...]:
    """Return how the targets of types are found: service by service, and once an account where one list is for all.

    Args:
        kinds: the types.
        ways: know how types are listed.
        last: what is made of their items.
    """

    def key(kind: Kind) -> tuple[str, bool]:
        return kind.service, kind.home is not None

    return tuple(
        (service, _Lists(tuple((kind, ways.check(kind)) for kind in group), last, ways), once)
        for (service, once), group in groupby(sorted(kinds, key=key), key=key)
    )


@dataclass(frozen=True, slots=True)
class _Lists:
    """Make the tasks that list types in a target."""

    kinds: tuple[tuple[Kind, str], ...]
    last: Last
    ways: Ways

    def __call__(self, target: Target, opt_in: bool, regions: tuple[str, ...]) -> tuple[Task, ...]:  # noqa: FBT001
        return tuple(
            ResourcesTask(replace(target, type=kind.name), kind, self.ways, operation, self.last, regions, opt_in)
            for kind, operation in self.kinds
        )
