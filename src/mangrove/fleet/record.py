"""Write down what became of a run, so that another process can go on with what failed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mangrove._atomic import read_private, write_private
from mangrove.errors import ConfigError
from mangrove.fleet.outcome import Outcome, Target
from mangrove.fleet.request import Request, from_plain

__all__ = ["Record", "read_record", "write_record"]

Key = tuple[str, str, str, str]
"""The account, service, region and type of a target."""

_VERSION = 1
_REQUEST = {"kind": str, "service": str, "operation": str, "parameters": dict, "withheld": list, "once": bool}
_ASKED = ("call", "items", "resources", "map")
_KEY = ("account", "service", "region", "type")
# What a change is that was under way when the run was left: it may be made.
_BEGUN = "begun"
_MOST_NAMED = 5
_log = logging.getLogger("mangrove.fleet")
_DONE = frozenset({"ok", "disabled", "unsupported"})


@dataclass(frozen=True, slots=True)
class Record:
    """Be what is known of a run.

    Args:
        request: what was asked, as `Request.to_dict` says it.
        targets: what became of each target, by account and region, as `Outcome.to_dict` says it.
        opened: how many targets each account and service has, of those that were opened.
    """

    request: Mapping[str, Any]
    targets: Mapping[Key, Mapping[str, Any]]
    opened: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        request: Request,
        outcomes: Iterable[Outcome[Any]],
        opened: Mapping[str, int],
        untold: Mapping[Target, Outcome[Any] | None] | None = None,
    ) -> Record:
        """Return the record of a run.

        Args:
            request: what was asked.
            outcomes: those that were handed out.
            opened: how many targets each account and service has.
            untold: what was begun and was not handed out, of a run that changes something.
        """
        rest = {} if request.read_only or untold is None else untold
        unknown = [Outcome(target, "failed").to_dict() | {"kind": _BEGUN} for target, end in rest.items() if not end]
        known = [end for end in rest.values() if end]
        told = [*unknown, *(each.to_dict() for each in (*known, *outcomes))]
        return cls(request.to_dict(), {_key(each): each for each in told}, dict(opened))

    def merged(self, later: Record) -> Record:
        """Return this record with what a later run found out: an account that could not be opened now may be open."""
        open_now = {(account, service) for account, service, region, _ in later.targets if region != "*"}
        kept = {key: told for key, told in self.targets.items() if key[2] != "*" or key[:2] not in open_now}
        # Of what was begun nothing new is known as long as nobody has asked it again.
        unasked = {key for key, told in kept.items() if told["kind"] == _BEGUN and not _calls(later.targets.get(key))}
        new = {key: told for key, told in later.targets.items() if key not in unasked}
        opened = {account: max(count, self.opened.get(account, 0)) for account, count in later.opened.items()}
        return Record(self.request, {**kept, **new}, {**self.opened, **opened})

    def begun(self, account: str, service: str) -> frozenset[tuple[str, str]]:
        """Return the regions, and types, of a service in an account that were under way when the run was left."""
        return frozenset(
            key[2:] for key, told in self.targets.items() if key[:2] == (account, service) and told["kind"] == _BEGUN
        )

    def forgotten(self) -> Record:
        """Return this record without what was under way, so that it is asked again."""
        return replace(self, targets={key: told for key, told in self.targets.items() if told["kind"] != _BEGUN})

    def warn_of_others(self, accounts: frozenset[str]) -> None:
        """Warn of accounts that are not among these, and where something is left to be done."""
        left = {key[0] for key, told in self.targets.items() if told["kind"] not in _DONE} - accounts
        if left:
            _log.warning(
                "%d accounts of the earlier run are not in this fleet, and what failed there is not asked again: %s",
                len(left),
                ", ".join(sorted(left)[:_MOST_NAMED]),
            )

    def done(self, account: str, service: str) -> frozenset[tuple[str, str]]:
        """Return the regions, and types, of a service in an account that need not be asked again."""
        return frozenset(
            key[2:] for key, told in self.targets.items() if key[:2] == (account, service) and told["kind"] in _DONE
        )

    def is_complete(self, account: str, service: str) -> bool:
        """Tell whether nothing of a service in an account need be asked again."""
        wanted = self.opened.get(f"{account} {service}")
        return wanted is not None and len(self.done(account, service)) >= wanted

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the request."""
        found: dict[str, Any] = from_plain(self.request["parameters"])
        return found


def write_record(path: Path, record: Record) -> None:
    """Write a record to a file that only its owner may read; the old one stays until the new one is whole.

    Args:
        path: the file.
        record: the record.
    """
    document = {
        "mangrove_run": _VERSION,
        "request": record.request,
        "opened": record.opened,
        "targets": list(record.targets.values()),
    }
    write_private(path, json.dumps(document, indent=1).encode())


def read_record(path: Path) -> Record:
    """Read a record.

    Args:
        path: the file.

    Raises:
        ConfigError: there is none, others may write it, or it is not a run's.
    """
    data = read_private(path)
    if data is None:
        text = f"{path}: no such file, or it is a link, or one that others may write; `run.save` writes such files"
        raise ConfigError(text)
    try:
        document = json.loads(data)
        version = document["mangrove_run"]
        if version != _VERSION:
            text = f"{path} is of version {version} of such files, and this mangrove reads version {_VERSION}"
            raise ConfigError(text)
        targets = {_key(_checked(told)): told for told in _of(list, document["targets"])}
        return Record(
            _request(document["request"]), targets, {str(key): int(value) for key, value in document["opened"].items()}
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, ConfigError):
            raise
        text = f"{path} is not the file of a run: {error!r}"
        raise ConfigError(text) from error


def _calls(told: Mapping[str, Any] | None) -> int:
    return 0 if told is None else int(told.get("calls", 1))


def _key(told: Mapping[str, Any]) -> Key:
    account, service, region, kind = (told[name] for name in _KEY)
    return account, service, region, kind


def _request(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked; what is wrong in it is an error here, and not later."""
    request = {name: _of(kind, told[name]) for name, kind in _REQUEST.items()}
    from_plain(request["parameters"])
    if request["kind"] not in _ASKED:
        text = f"nothing is asked as {request['kind']!r}"
        raise ValueError(text)
    return request


def _checked(told: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in (*_KEY, "kind"):
        _of(str, told[name])
    return told


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        text = f"{value!r} is not of type {kind.__name__}"
        raise TypeError(text)
    return value
