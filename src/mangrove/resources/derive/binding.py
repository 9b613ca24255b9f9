"""How identifiers fill the inputs of an operation."""

from __future__ import annotations

from collections.abc import Iterable

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
        target = next(
            (
                target
                for keys in ((each.keys, each.weak) if about else (each.keys,))
                for key in _ordered(keys, key_of(each.name))
                for target in _targets(op, key)
                if target not in found
            ),
            None,
        )
        if target is None:
            return None
        found[target] = each.name
    return found


def _targets(op: Operation, key: str) -> Iterable[str]:
    if key in op.scalars:
        yield op.scalars[key]
    if key in op.lists:
        yield f"{op.lists[key]}[0]"


def _ordered(keys: Iterable[str], name: str) -> list[str]:
    """Put first the inputs that are called as the identifier is."""
    return sorted(keys, key=lambda key: (not key.endswith(name), key))
