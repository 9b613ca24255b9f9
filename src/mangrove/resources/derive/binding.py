"""How identifiers fill the inputs of an operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from mangrove.resources.derive.identifiers import Identifier
from mangrove.resources.derive.names import key_of
from mangrove.resources.derive.operations import Operation

__all__ = ["bind"]


def bind(op: Operation, identifiers: Iterable[Identifier], *, about: bool) -> dict[str, str] | None:
    """Match all identifiers to inputs of an operation.

    Args:
        op: The operation.
        identifiers: What is to be given.
        about: True when the operation is about the identifiers' own type, so that ``Name`` is its name.

    Returns:
        Input, in boto3's notation (``InstanceIds[0]``), to identifier; None when one identifier finds no input.
    """
    found: dict[str, str] = {}
    for each in identifiers:
        target = _target(op, each.keys, each.name, found)
        if target is None and about:
            target = _target(op, each.weak, each.name, found)
        if target is None:
            return None
        found[target] = each.name
    return found


def _target(op: Operation, keys: frozenset[str], name: str, taken: Mapping[str, str]) -> str | None:
    """Find the input that one of the keys means and that nothing else fills."""
    scalars, lists = op.scalars, op.lists
    if keys.isdisjoint(scalars) and keys.isdisjoint(lists):
        return None
    for key in _ordered(keys, key_of(name)):
        for target in (scalars.get(key), f"{lists[key]}[0]" if key in lists else None):
            if target is not None and target not in taken:
                return target
    return None


@lru_cache(maxsize=16384)
def _ordered(keys: frozenset[str], name: str) -> tuple[str, ...]:
    """Put first the inputs that are called as the identifier is."""
    return tuple(sorted(keys, key=lambda key: (not key.endswith(name), key)))
