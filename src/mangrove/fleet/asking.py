"""Ask something of every target: an operation once, all items of its lists, resources, or a function of the user's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mangrove.accounts import Account
from mangrove.aws.operations import check_parameters, find_operation
from mangrove.errors import ConfigError
from mangrove.fleet.doors import Doors, Make, Opening
from mangrove.fleet.elsewhere import Recipe, workshop_for
from mangrove.fleet.limits import Scope
from mangrove.fleet.listing import openings_of
from mangrove.fleet.making import FunctionMaker, OperationMaker, opening_of
from mangrove.fleet.opening import OpenTask
from mangrove.fleet.outcome import Outcome, Progress
from mangrove.fleet.record import Record, read_record
from mangrove.fleet.request import Request, sensitive_of
from mangrove.fleet.run import Run
from mangrove.fleet.tasks import CallTask, ItemsTask, Row, Task, places_of
from mangrove.resources.kinds import Kind, kind_of
from mangrove.resources.ways import Ways

if TYPE_CHECKING:
    import boto3

    from mangrove.fleet.starting import Settings
    from mangrove.fleet.workshop import Workshop

__all__ = ["Asking", "Report"]

T = TypeVar("T")
Report = Callable[[Progress], object] | bool | None


class Asking:
    """Be the half of `Fleet` that asks."""

    _session: boto3.Session
    _doors: Doors
    _settings: Settings
    _regions: tuple[str, ...]
    _executor: Any
    _number: str
    _recipe: Callable[[], Recipe]

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Return the accounts."""
        raise NotImplementedError

    # -- what is asked of it -------------------------------------------------------------------------------------------

    def call(
        self,
        service: str,
        operation: str,
        /,
        *,
        once: bool = False,
        ordered: bool = False,
        confirm: bool = False,
        keep_results: bool = True,
        progress: Report = None,
        **parameters: Any,
    ) -> Run[Outcome[dict[str, Any]]]:
        """Call an operation once in every target; the outcomes have its answers, each as boto3 returns it.

        Args:
            service: the service.
            operation: the operation, as boto3, the CLI or the API calls it.
            once: call it in one region of each account alone, for what answers for all of them.
            ordered: hand the outcomes out by account and region, and not as they arrive.
            confirm: True for an operation that changes something; without it that is refused.
            keep_results: False lets the answers go when they are handed out.
            progress: is called with a `Progress`; True shows a line on a terminal.
            **parameters: the operation's, by the API's names.

        Raises:
            ConfigError: there is no such operation, it takes no such parameters, or it changes something and `confirm`
                is not given; no call was made.

        Example:
            >>> fleet = mangrove.Fleet(["123456789012"], regions=["eu-west-1"])
            >>> [outcome.unwrap()["Account"] for outcome in fleet.call("sts", "get_caller_identity")]
            ['123456789012']
        """
        request = self._request("call", service, operation, parameters, once=once, confirm=confirm)
        return self._run(
            request,
            opening_of(request, OperationMaker(CallTask, request)),
            rows=False,
            ordered=ordered,
            keep=keep_results,
            progress=progress,
        )

    def items(
        self,
        service: str,
        operation: str,
        /,
        *,
        once: bool = False,
        ordered: bool = False,
        confirm: bool = False,
        progress: Report = None,
        **parameters: Any,
    ) -> Run[Row]:
        """Yield the items of an operation's lists, from all pages in every target, each with where it is from.

        Args:
            service: as for `call`, like the rest.
            operation: an operation that lists; of another one, each answer is one item.
            once: as for `call`.
            ordered: as for `call`.
            confirm: as for `call`.
            progress: as for `call`.
            **parameters: as for `call`.

        Raises:
            ConfigError: as for `call`.

        Example:
            >>> fleet = mangrove.Fleet(["123456789012"], regions=["eu-west-1"])
            >>> sorted({(row.account, row["State"]) for row in fleet.items("ec2", "describe_vpcs")})
            [('123456789012', 'available')]
        """
        request = self._request("items", service, operation, parameters, once=once, confirm=confirm)
        return self._run(
            request,
            opening_of(request, OperationMaker(ItemsTask, request)),
            rows=True,
            ordered=ordered,
            progress=progress,
        )

    def _kinds(self, types: Iterable[str]) -> list[Kind]:
        kinds = list({kind.name: kind for kind in map(kind_of, types)}.values())
        if not kinds:
            text = "resources takes types, such as 'ec2.instances'"
            raise ConfigError(text)
        for kind in kinds:
            self._ways.check(kind)
        return kinds

    @cached_property
    def _ways(self) -> Ways:
        return Ways(self._session)

    def map(
        self,
        function: Callable[..., T],
        *arguments: Any,
        once: bool = False,
        ordered: bool = False,
        keep_results: bool = True,
        progress: Report = None,
        **keywords: Any,
    ) -> Run[Outcome[T]]:
        """Call a function with a session of every account and region; the outcomes have what it returns.

        The session is a `boto3.Session` with the target's region. It has the `target`, and `session_information` as
        botocove's sessions have it.

        Args:
            function: is called with a session and the arguments, on several threads at once; a function that takes more
                gets the account and the region after the session. It is not called again where it has failed.
            *arguments: what the function takes beside the session.
            once: call it once for each account.
            ordered: as for `call`.
            keep_results: as for `call`.
            progress: as for `call`.
            **keywords: what the function takes by name.

        Example:
            >>> def who(session):
            ...     return session.client("sts").get_caller_identity()["Account"]
            >>> [outcome.value for outcome in mangrove.Fleet(["123456789012"], ["eu-west-1"]).map(who)]
            ['123456789012']
        """
        places = places_of(function, arguments, keywords)
        request = Request("map", operation=_name_of(function), parameters={"places": places}, once=once)
        openings = opening_of(request, FunctionMaker(function, arguments, keywords, places))
        return self._run(request, openings, rows=False, ordered=ordered, keep=keep_results, progress=progress)

    def resume(
        self,
        run: Run[Any] | str | os.PathLike[str],
        function: Callable[..., Any] | None = None,
        /,
        *,
        confirm: bool = False,
        again: bool = False,
        ordered: bool = False,
        progress: Report = None,
        **parameters: Any,
    ) -> Run[Any]:
        """Ask again what an earlier run asked, where it failed or was never begun.

        Rows of targets that failed half-way come again. A change that was under way when the run was left may be made:
        its target has a failed outcome that says so, until `again` says that it is to be made again.

        Args:
            run: the run, or the file that it was saved to.
            function: the function of a `map` that comes from a file.
            confirm: as for `call`.
            again: True makes changes again that were under way.
            ordered: as for `call`.
            progress: as for `call`.
            **parameters: those that the file may not hold, as the API calls them sensitive.

        Raises:
            ConfigError: it is not a run's file, the run has asked something else, or something is missing.
        """
        record = run.record if isinstance(run, Run) else read_record(Path(run))
        record = record.forgotten() if again else record
        told = record.request
        known = run.request.parameters if isinstance(run, Run) else record.parameters
        request = self._request_of(told, known, parameters, confirm=confirm)
        rows = told["kind"] in ("items", "resources")
        openings = run.openings if isinstance(run, Run) else self._opened_again(request, function)
        return self._run(request, openings, rows=rows, ordered=ordered, progress=progress, earlier=record)

    # -- how it is asked -----------------------------------------------------------------------------------------------

    def _request(
        self, kind: Any, service: str, operation: str, parameters: Mapping[str, Any], *, once: bool, confirm: bool
    ) -> Request:
        found = find_operation(self._session, service, operation)
        check_parameters(found, parameters)
        if not (found.read_only or confirm):
            text = (
                f"{found.service} {found.method} is not known to be read-only, and would be called in every target of "
                f"{len(self.accounts)} accounts; if that is meant, say confirm=True"
            )
            raise ConfigError(text)
        return Request(kind, found.service, found.name, dict(parameters), once, found.read_only, sensitive_of(found))

    def _request_of(
        self, told: Mapping[str, Any], known: Mapping[str, Any], parameters: Mapping[str, Any], *, confirm: bool
    ) -> Request:
        """Return the request that a record tells of, checked anew."""
        withheld = [name for name in told["withheld"] if name not in known and name not in parameters]
        if withheld:
            text = (
                f"the run's file holds no {withheld[0]!r}, which the API calls sensitive; give {withheld[0]}=... again"
            )
            raise ConfigError(text)
        free = set(told["withheld"]) - set(known)
        changed = [name for name in parameters if name not in free and parameters[name] != known.get(name)]
        if changed:
            text = f"the run was made with another {changed[0]!r}, or without it; leave it out, or begin a new run"
            raise ConfigError(text)
        if told["kind"] in {"map", "resources"}:
            return Request(told["kind"], operation=told["operation"], parameters=known, once=told["once"])
        given = {**known, **parameters}
        return self._request(
            told["kind"], told["service"], told["operation"], given, once=told["once"], confirm=confirm
        )

    def _opened_again(self, request: Request, function: Callable[..., Any] | None) -> tuple[Opening, ...]:
        if request.kind == "resources":
            return openings_of(self._kinds(request.operation.split()), self._ways)
        if request.kind != "map":
            return opening_of(request, OperationMaker(CallTask if request.kind == "call" else ItemsTask, request))
        if function is None:
            text = f"the file is of a run of the function {request.operation}; give the function too"
            raise ConfigError(text)
        places = places_of(function, (), {})
        if places != request.parameters.get("places", places):
            text = "the function was called with arguments, which no file holds: bind them again with functools.partial"
            raise ConfigError(text)
        return opening_of(request, FunctionMaker(function, places=places))

    def _run(
        self,
        request: Request,
        openings: tuple[Opening, ...],
        *,
        rows: bool,
        ordered: bool = False,
        keep: bool = True,
        progress: Report = None,
        earlier: Record | None = None,
    ) -> Run[Any]:
        workshop = workshop_for(self._executor, self._doors, self._recipe, self._number)
        accounts = partial(self._openings, openings, earlier, workshop)
        scheduler = self._settings.start(accounts, workshop, ordered=ordered)
        run: Run[Any] = Run(
            request, openings, scheduler, rows=rows, keep_results=keep, progress=progress, earlier=earlier
        )
        return run

    def _openings(self, openings: tuple[Opening, ...], earlier: Record | None, workshop: Workshop) -> Iterator[Task]:
        accounts = self.accounts
        for account in accounts:
            workshop.know(account)
        if earlier is not None:
            earlier.warn_of_others(frozenset(account.id for account in accounts))
        # What is asked of one service is asked behind one door: who can't come in, can't once.
        makes: dict[str, list[tuple[Make, bool]]] = {}
        for service, make, once in openings:
            makes.setdefault(service, []).append((make, once))
        return (
            self._open(account, service, tuple(makes[service]), earlier)
            for account in accounts
            for service in makes
            if earlier is None or not earlier.is_complete(account.id, service)
        )

    def _open(
        self, account: Account, service: str, makes: tuple[tuple[Make, bool], ...], earlier: Record | None
    ) -> Task:
        nothing = frozenset[tuple[str, str]]()
        without = nothing if earlier is None else earlier.done(account.id, service)
        begun = nothing if earlier is None else earlier.begun(account.id, service)
        scope = None if account.role is None else Scope("", "", "sts", "AssumeRole")
        return OpenTask(account, service, self._regions, makes, without, begun, scope)


def _name_of(function: Callable[..., Any]) -> str:
    named = getattr(function, "__wrapped__", function)
    return str(getattr(named, "__qualname__", type(function).__name__))
