"""Say what a stored inventory is of: when it was taken, and where it has looked, so that what is not there is known."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mangrove._version import __version__
from mangrove.errors import ConfigError
from mangrove.inventory.facts import Facts
from mangrove.inventory.schema.values import as_timestamp

__all__ = ["SCHEMA", "Snapshot", "Told", "check_schema", "snapshot_of"]

SCHEMA = 1
"""The version of what is stored, in Parquet and in DuckDB."""

Told = Mapping[str, Any]
"""An outcome as `Outcome.to_dict` writes it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Be what is known of a stored inventory beside its rows.

    Args:
        taken: when it was begun, in UTC.
        types: the types that were asked for.
        accounts: the ids of the accounts, and what people call them, or None.
        regions: the names and globs of the regions that were asked for; empty if that is not known.
        outcomes: what became of each target.
        seconds: how long it took.
        calls: how many requests were sent.
        rows: how many resources there are.
        version: of the mangrove that took it.

    Example:
        >>> from datetime import timezone
        >>> Snapshot(datetime(2026, 1, 2, tzinfo=timezone.utc), ("ec2.vpcs",)).complete
        True
    """

    taken: datetime
    types: Sequence[str]
    accounts: Mapping[str, str | None] = field(default_factory=dict)
    regions: Sequence[str] = ()
    outcomes: Sequence[Told] = field(default=(), repr=False)
    seconds: float = 0.0
    calls: int = 0
    rows: int = 0
    version: str = __version__

    @property
    def complete(self) -> bool:
        """Tell whether no target failed."""
        return not self.failures()

    def failures(self, types: Iterable[str] | None = None) -> list[Told]:
        """List the outcomes of targets whose rows are missing, or some of them.

        Args:
            types: those of these types alone, and those of accounts that could not be entered for any.
        """
        wanted = None if types is None else {*types, ""}
        failed = [each for each in self.outcomes if each["kind"] not in ("ok", "disabled", "unsupported")]
        return [each for each in failed if wanted is None or each["type"] in wanted]

    def written(self) -> str:
        """Return it as JSON; of targets that went well, which they are."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "mangrove": self.version,
                "taken": as_timestamp(self.taken).isoformat(),
                "types": list(self.types),
                "accounts": dict(self.accounts),
                "regions": list(self.regions),
                "seconds": self.seconds,
                "calls": self.calls,
                "rows": self.rows,
                "complete": self.complete,
                "looked": _grouped(each for each in self.outcomes if each["kind"] == "ok"),
                "outcomes": [dict(each) for each in self.outcomes if each["kind"] != "ok"],
            }
        )

    @staticmethod
    def read(text: str | bytes, name: str) -> Snapshot:
        """Return what `written` has written.

        Args:
            text: that.
            name: of the file, for the message.

        Raises:
            ConfigError: it is something else, or of a newer mangrove.
        """
        try:
            told = json.loads(text)
            check_schema(told["schema"], name)
            return Snapshot(
                taken=datetime.fromisoformat(told["taken"]),
                types=tuple(told["types"]),
                accounts=told["accounts"],
                regions=tuple(told["regions"]),
                outcomes=(*told["outcomes"], *_spread(told["looked"])),
                seconds=told["seconds"],
                calls=told["calls"],
                rows=told["rows"],
                version=told["mangrove"],
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, ConfigError):
                raise
            why = f"{name} has no inventory that can be read: {type(error).__name__}: {error}"
            raise ConfigError(why) from error


def check_schema(found: Any, name: str) -> None:
    """Refuse what a newer mangrove has written.

    Args:
        found: the version of its schema.
        name: of the file, for the message.

    Raises:
        ConfigError: it is newer than ours.
    """
    if not isinstance(found, int) or found > SCHEMA:
        text = (
            f"{name} was written by a newer mangrove (schema {found}; this one knows {SCHEMA}): update it with "
            "pip install -U pymangrove"
        )
        raise ConfigError(text)


def snapshot_of(facts: Facts, rows: int) -> Snapshot:
    """Return what is stored of an inventory.

    Args:
        facts: what is known of it.
        rows: how many rows it has.
    """
    return Snapshot(
        taken=as_timestamp(facts.taken),
        types=tuple(facts.types),
        accounts=dict(facts.accounts),
        regions=tuple(facts.regions),
        outcomes=tuple(outcome.to_dict() for outcome in facts.outcomes),
        seconds=facts.seconds,
        calls=facts.calls,
        rows=rows,
    )


def _grouped(outcomes: Iterable[Told]) -> list[dict[str, Any]]:
    """Return the places by the types that were listed there: most places have the same ones."""
    types: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for each in outcomes:
        types[each["account"], each["region"]].append(each["type"])
    places: defaultdict[tuple[str, ...], defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for (account, region), found in types.items():
        places[tuple(sorted(found))][account].append(region)
    return [{"types": list(found), "places": dict(where)} for found, where in places.items()]


def _spread(groups: Iterable[Mapping[str, Any]]) -> Iterable[Told]:
    for group in groups:
        for account, regions in group["places"].items():
            for region in regions:
                for kind in group["types"]:
                    yield {"account": account, "region": region, "type": kind, "kind": "ok", "error": None}
