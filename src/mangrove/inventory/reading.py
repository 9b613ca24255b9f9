"""Make rows of the items of a list: their ARNs, then the tags and regions that the list leaves out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from mangrove.aws.paging import next_request
from mangrove.fleet.listing import Listing
from mangrove.inventory.arns import ArnMaker
from mangrove.inventory.rows import Row, find_name, last_part, name_members
from mangrove.inventory.wanted import Wanted
from mangrove.resources.derive.facts import TagSpec
from mangrove.resources.levels import Ask, Item
from mangrove.resources.listing import Asking, Finish, at_home, loaded
from mangrove.resources.lookups import Lookup, batches, is_gone, read_tags, search
from mangrove.resources.partial import head_of
from mangrove.resources.tags import tags_in

__all__ = ["Reader", "rows_of"]

_Tags = Mapping[str, str] | None


class Reader:
    """Make rows of the items of one type in one target.

    Args:
        listing: the type and the target.
        wanted: which rows are handed out.
    """

    def __init__(self, listing: Listing, wanted: Wanted) -> None:
        self._listing, self._wanted = listing, wanted
        self._kind, self._spec = listing.way.kind, listing.way.spec
        self._place = listing.target
        self._arns = ArnMaker(self._spec, self._place)
        self._members = name_members(self._spec.type)
        self._named = "name" in self._spec.names.values()
        self._everything: Mapping[str, Any] | None = None

    def finish(self, items: list[Item]) -> Asking:
        """Return the rows of a page; see `Finish`."""
        if self._kind.home is not None:
            args = self._kind, self._listing.ways, self._listing.regions, self._place.region, self._listing.fault
            items = yield from at_home(items, *args)
        named = []
        for item in items:
            arn = self._arns.of(item)
            if arn is None and self._tells_later(item):
                arn = yield from self._loaded_arn(item)
            if self._wanted.arn(arn):
                named.append((item, arn))
        tags = yield from self._tags(named)
        rows = [self._row(item, arn, each) for (item, arn), each in zip(named, tags, strict=True)]
        return [row for row in rows if self._is_wanted(row)] if self._wanted.filters else rows

    def _is_wanted(self, row: Row) -> bool:
        try:
            return self._wanted.row(row)
        except Exception as error:  # noqa: BLE001  a condition that asks what a value can't do costs its row
            self._listing.fault(error)
            return False

    def _row(self, item: Item, arn: str | None, tags: _Tags) -> Row:
        data = item.data if isinstance(item.data, dict) else {}
        if "ResponseMetadata" in data:
            data = {name: value for name, value in data.items() if name != "ResponseMetadata"}
        place = self._place
        return Row(
            place.account,
            item.region or place.region,
            self._kind.service,
            self._kind.name,
            self._name(item, data),
            arn,
            tags,
            place.partition,
            data,
        )

    def _name(self, item: Item, data: Mapping[str, Any]) -> str:
        given = item.identifiers
        if len(given) == 1 and not self._named:
            # Most types: one identifier that is no name.
            for member in self._members:
                found = data.get(member)
                if found and isinstance(found, str):
                    return found
            (only,) = given.values()
            return last_part(only) if isinstance(only, str) else ""
        names = self._spec.names
        return find_name(self._spec.type, {names.get(name, name): given[name] for name in given}, data)

    # -- ARNs ----------------------------------------------------------------------------------------------------------

    def _tells_later(self, item: Item) -> bool:
        """Tell whether an ARN that a list does not tell is known to come with a load."""
        arn = self._spec.arn
        return arn is not None and self._spec.load is not None and (arn.load or item.data is None)

    def _loaded_arn(self, item: Item) -> Asking:
        try:
            yield from loaded(item, self._spec)
        except Exception as error:  # noqa: BLE001  the row is real without its ARN, and the fault is told
            self._listing.fault(error)
        return self._arns.of(item)

    # -- tags ----------------------------------------------------------------------------------------------------------

    def _tags(self, named: Sequence[tuple[Item, str | None]]) -> Asking:
        """Return the tags of items, None where they can't be read."""
        lookup, place = self._kind.tags, self._spec.tags
        if lookup is None and place is None:
            return [None] * len(named)
        if lookup is None and place is not None and not place.operation:
            head = head_of(place)
            found = []
            for item, _ in named:
                if item.data is None or (head in self._spec.partial and head not in item.data):
                    yield from self._complete(item)
                found.append(None if item.data is None else self._told(item.data))
            return found
        if lookup is not None and (lookup.batch or not lookup.param):
            return (yield from self._together(named, lookup))
        found = []
        for item, arn in named:
            ask = self._lookup(lookup, item, arn) if lookup is not None else self._listed(place, item, arn)
            found.append((yield from self._spared(ask)))
        return found

    def _told(self, data: Any) -> dict[str, str]:
        """Return the tags in a resource's data."""
        place = self._spec.tags
        if place is None:
            return {}
        if place.path.isidentifier() and place.key and place.value:
            pairs = data.get(place.path)
            if not pairs:
                return {}
            with suppress(KeyError, TypeError):
                found = {pair[place.key]: pair[place.value] for pair in pairs}
                if None not in found.values():
                    return found
        return tags_in(place, data)

    def _complete(self, item: Item) -> Asking:
        try:
            yield from loaded(item, self._spec)
        except Exception as error:  # noqa: BLE001  as above
            self._listing.fault(error)

    def _spared(self, asking: Asking) -> Asking:
        try:
            return (yield from asking)
        except Exception as error:  # noqa: BLE001  the row is real without its tags, and the fault is told
            self._listing.fault(error)
            return None

    def _ask(self, operation: str, parameters: Mapping[str, Any], region: str = "") -> Ask:
        return Ask(self._listing.ways.operation(self._kind.service, operation), parameters, region, spare=True)

    def _lookup(self, lookup: Lookup, item: Item, arn: str | None) -> Asking:
        """Return the tags of one item, by a lookup that the type is known to need."""
        asked = lookup.about(self._facts(item, arn))
        try:
            answer = yield self._ask(lookup.operation, asked, item.region)
        except Exception as error:
            if lookup.is_none(error):
                return {}
            raise
        return read_tags(lookup.read_one(answer))

    def _listed(self, place: TagSpec | None, item: Item, arn: str | None) -> Asking:
        """Return the tags of one item, by the operation that its API has for them."""
        if place is None:
            return None
        target = arn if place.source == "arn" else item.identifiers.get(place.source)
        if not target:
            text = f"no {place.source} to call {place.operation} with"
            raise LookupError(text)
        member, _, rest = place.target.partition("[")
        value = str(target).removeprefix(place.strip)
        asked: Any = {**place.fixed, member: [value] if rest else value}
        operation = self._listing.ways.operation(self._kind.service, place.operation)
        found: dict[str, str] = {}
        while asked is not None:
            answer = yield Ask(operation, asked, item.region, spare=True)
            found |= tags_in(place, answer)
            asked = next_request(operation.paging, asked, answer, operation.name)
        return found

    def _together(self, named: Sequence[tuple[Item, str | None]], lookup: Lookup) -> Asking:
        facts = [self._facts(item, arn) for item, arn in named]
        found: list[_Tags] = []
        for batch in batches(facts, lookup.batch or len(facts) or 1):
            told = yield from self._batch(lookup, batch)
            keys = [search(lookup.of, each) for each in batch]
            found += [read_tags(told[key]) if key in told else None for key in keys]
        return found

    def _batch(self, lookup: Lookup, batch: Sequence[Mapping[str, Any]]) -> Asking:
        try:
            if not lookup.param:
                return (yield from self._all(lookup))
            answer = yield self._ask(lookup.operation, lookup.together(batch))
            return lookup.read(answer)
        except Exception as error:  # noqa: BLE001  as above
            if len(batch) > 1 and lookup.param and is_gone(error):
                # One that was deleted since the list must not cost the others theirs.
                told: dict[str, Any] = {}
                for each in batch:
                    told |= yield from self._batch(lookup, [each])
                return told
            self._listing.fault(error)
            self._everything = self._everything or {}
            return {}

    def _all(self, lookup: Lookup) -> Asking:
        """Return what one list tells of all items; it is read once."""
        if self._everything is None:
            operation = self._listing.ways.operation(self._kind.service, lookup.operation)
            asked: Any = lookup.together(())
            told: dict[str, Any] = {}
            while asked is not None:
                answer = yield Ask(operation, asked, spare=True)
                told |= lookup.read(answer)
                asked = next_request(operation.paging, asked, answer, operation.name)
            self._everything = told
        return self._everything

    def _facts(self, item: Item, arn: str | None) -> dict[str, Any]:
        """Return what requests about an item are made of; members of the data stand beside ours."""
        data = item.data if isinstance(item.data, Mapping) else {}
        return {
            **data,
            "arn": arn,
            "arn_id": last_part(arn) if arn else None,
            "id": next(reversed(list(item.identifiers.values())), None),
            "name": self._name(item, data),
        }


def rows_of(wanted: Wanted) -> Callable[[Listing], Finish]:
    """Return the last step of an inventory.

    Args:
        wanted: which rows are handed out.
    """
    return lambda listing: Reader(listing, wanted).finish
