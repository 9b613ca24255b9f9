"""Say the ARNs of a type's items, quickly: a target has thousands that differ in their last part alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mangrove.aws.arn import Arn
from mangrove.fleet import Target
from mangrove.resources.arns import Where, arn_from, arn_in, form_of
from mangrove.resources.levels import Item, Spec
from mangrove.resources.lookups import search

__all__ = ["ArnMaker", "arn_of"]

# What can stand at the end of an ARN whatever comes before it.
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,512}")
_RESOURCE = re.compile(r"[!-~]{1,1024}")
_FIELDS = 5


class ArnMaker:
    """Make the ARNs of one type in one target.

    What is checked of an ARN is checked once for what comes before the resource; a resource of plain characters can't
    make it wrong.

    Args:
        spec: the type.
        target: the target.
    """

    def __init__(self, spec: Spec, target: Target) -> None:
        self._spec, self._target = spec, target
        self._known: set[str] = set()
        self._heads: dict[tuple[str, Any], str] = {}
        self._identifier, self._form = _sole_variable(spec)

    def of(self, item: Item) -> str | None:
        """Return the ARN of an item: what its list tells, or what the official format gives; None if neither does."""
        spec = self._spec.arn
        if spec is None:
            return None
        data: Mapping[str, Any] | None = item.data if isinstance(item.data, dict) else None
        if spec.path and data is not None:
            told = data.get(spec.path) if spec.path.isidentifier() else search(spec.path, data)
            if told and (found := self._checked(told)) is not None:
                return found
        if spec.identifier and (found := self._checked(item.identifiers.get(spec.identifier))) is not None:
            return found
        return self._built(item, data) if spec.template else None

    def _checked(self, told: Any) -> str | None:
        """Return what is an ARN; an empty text or an id, as some answers have it, is none."""
        if not isinstance(told, str):
            return None
        parts = told.split(":", _FIELDS)
        if len(parts) <= _FIELDS:
            return None
        head = told[: -len(parts[_FIELDS])] if parts[_FIELDS] else told
        if head in self._known and _RESOURCE.fullmatch(parts[_FIELDS]):
            return told
        parsed = Arn.parse_or_none(told)
        if parsed is None or "*" in parsed.account:
            return None
        self._known.add(head)
        return told

    def _built(self, item: Item, data: Mapping[str, Any] | None) -> str | None:
        spec, target = self._spec.arn, self._target
        if spec is None:
            return None
        region = item.region or target.region_name
        value = item.identifiers.get(self._identifier) if self._identifier else None
        owner = search(spec.account, data) if spec.account and data is not None else None
        is_plain = isinstance(value, str) and _PLAIN.fullmatch(value) is not None
        is_plain = is_plain and (self._form is None or self._form.fullmatch(str(value)) is not None)
        key = (region, owner if isinstance(owner, str) else None)
        if is_plain and key in self._heads:
            return f"{self._heads[key]}{value}"
        where = Where(target.partition, region, lambda: target.account)
        found = arn_from(spec, data, item.identifiers, self._spec.prefixes, where)
        if is_plain and found is not None and found.endswith(f"/{value}" if "/" in found else f":{value}"):
            self._heads[key] = found[: -len(str(value))]
        return found


def _sole_variable(spec: Spec) -> tuple[str, re.Pattern[str] | None]:
    """Return the identifier that is the one thing in which ARNs of a format differ, and the form that it must have."""
    arn = spec.arn
    if arn is None or len(arn.variables) != 1 or not arn.template.endswith("}"):
        return "", None
    ((name, source),) = arn.variables.items()
    if name in ("Account", "Region") or not source.identifier or source.strip or source.lower or source.pattern:
        return "", None
    held = dict(form_of(arn.template, spec.prefixes).values).get(name)
    return source.identifier, None if held is None else re.compile(held, re.DOTALL)


def arn_of(spec: Spec, target: Target, item: Item) -> str | None:
    """Return the ARN of one item without what is known of others: what `ArnMaker` must agree with.

    Args:
        spec: the type.
        target: the target.
        item: the item.
    """
    if spec.arn is None:
        return None
    data = item.data if isinstance(item.data, dict) else None
    where = Where(target.partition, item.region or target.region_name, lambda: target.account)
    told = arn_in(spec.arn, data, item.identifiers)
    return told or arn_from(spec.arn, data, item.identifiers, spec.prefixes, where)
