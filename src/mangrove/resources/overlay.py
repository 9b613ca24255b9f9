"""What derivation cannot know: corrections kept by hand, one small file a service, each with its reason.

A file is a table; every part is optional, and every entry of `drop`, and each entry's `because`, says why it is there:

    constants  operation (or "*") -> {input: value}: inputs that have one right value
    rename     operation, operation.path or derived type -> type name
    drop       type -> why it is no resource
    parents    operation -> {input: "Type.Identifier"}: which parent an input means, where its name does not tell
    identifiers  type -> [{"name", "member", "inputs", "weak", "parent"}]: what identifies a type, where the evidence
               errs; `inputs` mean it in all operations, `weak` in those about the type
    arns       type -> {"path"|"identifier"|"template"|"variables"|"load"|"account"}: the source of its ARN; {} is none
    tags       type -> {"path", "key", "value", "operation", "target", "source", "load"}: the place of its tags, as in
               TagSpec
    merge      a piece of a resources-1 definition that is laid over what is derived; null takes away
    aliases    old names, kept beside the derived ones:
               types        old type name -> type
               identifiers  type -> {old name: name}
               collections  old name -> name, of the service; "Type.OldName" -> name, of a type
               actions      "Type.OldName" -> name
               others       type -> {"name", "member", "input"}: what the API also knows it by, as TypeByName
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

__all__ = ["overlaid_services", "overlay_of"]

_DATA = Path(__file__).with_name("data") / "overlay"


@cache
def overlay_of(service: str) -> Mapping[str, Any]:
    """Return the corrections for one service.

    Args:
        service: botocore's name of it.

    Returns:
        The overlay, read once; an empty table where there is none.

    Example:
        >>> dict(overlay_of("no-such-service"))
        {}
    """
    if service not in overlaid_services():
        return MappingProxyType({})
    return MappingProxyType(json.loads((_DATA / f"{service}.json").read_bytes()))


@cache
def overlaid_services() -> frozenset[str]:
    """Return the names of the services that have corrections."""
    return frozenset(path.stem for path in _DATA.glob("*.json"))
