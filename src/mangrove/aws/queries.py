"""Read JMESPath before the first call, and say all that can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jmespath  # type: ignore[import-untyped]
from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]
from jmespath.functions import Functions  # type: ignore[import-untyped]

from mangrove.aws.services import one_of
from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = ["compiled", "nodes_of"]

_Node = Mapping[str, Any]


def compiled(text: str, what: str) -> Any:
    """Return a compiled query.

    Args:
        text: in JMESPath.
        what: what the caller knows it as, such as `--query`.

    Raises:
        ConfigError: it can't be read, or calls a function that there is not.
        DeclarationTypeError: it is no string.

    Example:
        >>> compiled("State.Name", "--query").search({"State": {"Name": "available"}})
        'available'
    """
    if not isinstance(text, str):
        told = f"{what} takes JMESPath in a string; got {type(text).__name__}"
        raise DeclarationTypeError(told)
    try:
        found = jmespath.compile(text)
    except JMESPathError as error:
        reason = str(error).splitlines()[0].rpartition("expression: ")[2].partition(", for expression")[0]
        told = f"{what} {text!r} can't be read: {reason}"
        raise ConfigError(told) from None
    for node in nodes_of(found.parsed):
        if node["type"] == "function_expression":
            _check_function(f"{what} {text!r}", node)
    return found


def nodes_of(node: _Node) -> Iterator[_Node]:
    """Yield the nodes of a query."""
    yield node
    for child in node.get("children", ()):
        if isinstance(child, Mapping):
            yield from nodes_of(child)


def _check_function(where: str, node: _Node) -> None:
    """Refuse what jmespath itself finds out at the first row alone."""
    name, known = node["value"], Functions.FUNCTION_TABLE
    if name not in known:
        told = f"{where}: there is no function {name!r}{one_of(name, known)}"
        raise ConfigError(told)
    takes, given = known[name]["signature"], len(node["children"])
    variadic = bool(takes) and takes[-1].get("variadic")
    if given < len(takes) or (given > len(takes) and not variadic):
        told = f"{where}: {name}() takes {len(takes)} arguments{' or more' if variadic else ''}; got {given}"
        raise ConfigError(told)
