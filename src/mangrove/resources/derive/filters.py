"""Which filters a listing documents: EC2's ``Filters=[{"Name": "vpc-id", ...}]`` names parents that no input does.

The model has no list of a listing's filters but in its documentation; where that is stripped, these collections
are missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mangrove.resources.derive.names import key_of
from mangrove.resources.derive.operations import Model, Operation

__all__ = ["filters_of"]

_NAME = re.compile(r"<code>([a-z][a-z0-9-]*-(?:id|arn|name|identifier))</code>")


def filters_of(model: Model, op: Operation) -> Iterator[tuple[str, str, str]]:
    """Iterate over an operation's filters that name resources.

    Args:
        model: The service's model.
        op: The operation.

    Returns:
        For each filter the key of its name, the name, and the input it goes into: ``("vpcid", "vpc-id", "Filters")``.
    """
    target = next((name for name in ("Filters", "Filter") if name in model.members(op.input)), "")
    members = model.members(model.item(model.members(op.input)[target])) if target else {}
    if not {"Name", "Values"} <= members.keys():
        return
    text = model.shapes[op.input]["members"][target].get("documentation", "")
    for name in dict.fromkeys(_NAME.findall(text)):
        yield key_of(name), name, target
