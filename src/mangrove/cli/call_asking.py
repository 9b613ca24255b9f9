"""Read from a command line what is asked of every target, check it all before the first call, and ask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mangrove.cli.call_params import read_params
from mangrove.errors import ConfigError

if TYPE_CHECKING:
    import boto3

    from mangrove.aws.operations import Operation
    from mangrove.fleet import Fleet, Plan, Progress, Run
    from mangrove.fleet.record import Record

__all__ = ["Asked", "read_asked"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Be what is asked.

    Args:
        operation: the operation.
        parameters: of it, by the API's names; of a run that goes on, those that its file may not hold.
        rows: whether the items of its lists are the rows, and not its whole answers.
        once: whether each account is asked in one region alone.
        earlier: what an earlier run has done, if this one goes on with it.
        file: where that was read.
        again: whether changes that were under way then are made again.
    """

    operation: Operation
    parameters: Mapping[str, Any] = field(repr=False)
    rows: bool
    once: bool = False
    earlier: Record | None = None
    file: str = ""
    again: bool = False

    def __str__(self) -> str:
        return f"{self.operation.service} {self.operation.name}"

    def plan(self, fleet: Fleet) -> Plan:
        """Return the plan; of a run that goes on, of what is left of it."""
        found = self.operation
        if self.earlier is None:
            return fleet.plan(found.service, found.method, once=self.once, **self.parameters)
        given = {**self.earlier.parameters, **self.parameters}
        record, service = self.earlier, found.service
        left = [account.id for account in fleet.accounts if not record.is_complete(account.id, service)]
        if not left:
            whole = fleet.plan(service, found.method, once=self.once, **given)
            return replace(whole, accounts=0, targets=(), possible=(), calls={})
        plan = fleet.where(ids=left).plan(service, found.method, once=self.once, **given)
        targets, possible = (
            tuple(each for each in some if (each.region, each.type) not in record.done(each.account, service))
            for some in (plan.targets, plan.possible)
        )
        calls = {**plan.calls, (service, found.name): len(targets)}
        return replace(plan, targets=targets, possible=possible, calls=calls)

    def confirm(self, fleet: Fleet, *, yes: bool) -> bool:
        """Ask at the terminal whether a change is meant; what changes nothing needs no asking.

        Raises:
            ConfigError: there is no terminal.
        """
        if self.operation.read_only or yes:
            return True
        plan = self.plan(fleet)
        more = f" and up to {len(plan.possible)} more in regions that must be enabled first" if plan.possible else ""
        where = f"{_count(len(plan.targets), 'target')} of {_count(plan.accounts, 'account')}{more}"
        if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
            text = f"{self} is not known to be read-only, and would be called in {where}; if that is meant, say --yes"
            raise ConfigError(text)
        return click.confirm(f"{self} is not known to be read-only. Call it in {where}?", err=True)

    def run(self, fleet: Fleet, *, ordered: bool, progress: Callable[[Progress], object]) -> Run[Any]:
        """Return the run; it begins when it is first read. A change was confirmed before."""
        common: dict[str, Any] = {"ordered": ordered, "progress": progress, "confirm": True, **self.parameters}
        if self.earlier is not None:
            return fleet.resume(self.file, again=self.again, **common)
        names = (self.operation.service, self.operation.method)
        if self.rows:
            return fleet.items(*names, once=self.once, **common)
        return fleet.call(*names, once=self.once, keep_results=False, **common)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def read_asked(given: Mapping[str, Any], session: boto3.Session) -> Asked:
    """Return what the command line asks.

    Args:
        given: the parameters of the command.
        session: the caller's.

    Raises:
        ConfigError: there is no such operation, it takes no such parameters, or the file is of another run.
    """
    from mangrove.aws.operations import check_parameters, find_operation  # noqa: PLC0415  `--help` needs no botocore

    if given["resume"] is not None:
        return _resumed(given, session)
    if given.get("again"):
        text = "--again is for what was under way in a run that is gone on with: say --resume FILE too"
        raise ConfigError(text)
    if given["service"] is None or given["operation"] is None:
        text = "say SERVICE and OPERATION, such as: mangrove call ec2 describe-vpcs; or --resume FILE"
        raise ConfigError(text)
    found = _usable(find_operation(session, given["service"], given["operation"]))
    parameters = read_params(given["params"], found.model.input_shape)
    check_parameters(found, parameters)
    return Asked(found, parameters, rows=_gives_rows(found), once=given["once"])


def _usable(found: Operation) -> Operation:
    if found.model.has_event_stream_output:
        text = f"{found.service} {found.method} answers with a stream of events, which this command can't print"
        raise ConfigError(text)
    return found


def _gives_rows(found: Operation) -> bool:
    """Tell whether there is a row for each item, or page; what a change has done is told whole, once."""
    return found.read_only and bool(found.results or found.paging.tokens)


def _resumed(given: Mapping[str, Any], session: boto3.Session) -> Asked:
    from mangrove.aws.operations import check_parameters, find_operation  # noqa: PLC0415
    from mangrove.fleet.record import read_record  # noqa: PLC0415

    file = given["resume"]
    record = read_record(Path(file))
    record = record.forgotten() if given.get("again") else record
    told = record.request
    if told["kind"] not in ("call", "items"):
        text = f"{file} is of a run of {told['kind']}, which only the library can go on with"
        raise ConfigError(text)
    found = _usable(find_operation(session, told["service"], told["operation"]))
    if given["service"] is not None:
        asked = find_operation(session, given["service"], given["operation"] or found.method)
        if (asked.service, asked.name) != (found.service, found.name):
            text = f"{file} is of {found.service} {found.method}, and not of {asked.service} {asked.method}"
            raise ConfigError(text)
    if given["once"] and not told["once"]:
        text = f"{file} is of a run in every region; leave out --once"
        raise ConfigError(text)
    parameters = _withheld(record, read_params(given["params"], found.model.input_shape), file)
    check_parameters(found, {**record.parameters, **parameters})
    rows = told["kind"] == "items"
    return Asked(found, parameters, rows, told["once"], earlier=record, file=file, again=bool(given.get("again")))


def _withheld(record: Record, given: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Return the parameters that the file may not hold; the others are what they were."""
    known, withheld = record.parameters, record.request["withheld"]
    for name, value in given.items():
        if name not in withheld and (name not in known or known[name] != value):
            text = f"{file} is of a run with another {name}, or without it; leave it out, or begin a new run"
            raise ConfigError(text)
    for name in withheld:
        if name not in given:
            text = f"{file} holds no {name}, which the API calls sensitive; give it again: --params {name}=..."
            raise ConfigError(text)
    return {name: given[name] for name in withheld}
