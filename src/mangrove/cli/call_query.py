"""Read a JMESPath query before the first call, with all that can be wrong with it, and the columns that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mangrove.aws.queries import compiled

__all__ = ["Query"]

_Node = Mapping[str, Any]
_ENDS = frozenset({"pipe", "subexpression", "index_expression"})
_PROJECTIONS = frozenset({"projection", "value_projection", "filter_projection"})


class Query:
    """Be a query of a row.

    Args:
        text: in JMESPath.

    Raises:
        ConfigError: it can't be read, or calls a function that there is not.

    Attributes:
        names: the names of the columns that it makes; None if only its results tell.

    Example:
        >>> query = Query("[_account, State.Name]")
        >>> query.names, query({"_account": "111111111111", "State": {"Name": "available"}})
        (('_account', 'State.Name'), ['111111111111', 'available'])
    """

    def __init__(self, text: str) -> None:
        self._compiled = compiled(text, "--query")
        self.names = _names(self._compiled.parsed)

    def __call__(self, row: Any) -> Any:
        """Return what the query finds in a row, or None.

        Raises:
            Exception: it asks of the row what its values can't do.
        """
        return self._compiled.search(row)


def _names(node: _Node) -> tuple[str, ...] | None:
    """Return the columns of the structures and lists that a query ends with."""
    kind, children = node["type"], node.get("children", ())
    if kind == "multi_select_dict":
        return tuple(child["value"] for child in children)
    if kind == "multi_select_list":
        return tuple(_name(child) or f"column_{number}" for number, child in enumerate(children, 1))
    if kind in _PROJECTIONS:
        return _names(children[1])
    if kind in _ENDS:
        return _names(children[-1])
    return None


def _name(node: _Node) -> str:
    if node["type"] == "field":
        return str(node["value"])
    if node["type"] == "subexpression":
        parts = [_name(child) for child in node["children"]]
        return ".".join(parts) if all(parts) else ""
    return ""
