"""Find in a statement which accounts, regions and types it can see of a table, where that is provably all it asks.

A limit is a condition at the top of a WHERE, joined to the others by AND, that a row must meet whatever else there is:
`region = '…'`, `region IN ('…', …)`, `region LIKE '…'`, and the same of `account` and `type`. Rows that don't meet it
can't change the answer, so they need not be collected. Whatever is not such a condition limits nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["LIMITED", "Condition", "Limits", "calls_other_text", "limits_of", "tables_of"]

LIMITED = ("account", "region", "type")
"""The columns that a limit may be of."""

Node: TypeAlias = Mapping[str, Any]

# A row of one side that is left out is one that a condition on that side drops: so it is in these joins, and in no
# other. A row without a partner has NULL there, which meets no condition.
_JOINS = frozenset({"INNER", "LEFT", "RIGHT", "FULL", "OUTER"})
_KINDS = frozenset({"REGULAR", "CROSS", "NATURAL"})


@dataclass(frozen=True, slots=True)
class Condition:
    """Be what a column must be.

    Args:
        values: the values that it may have; None if `pattern` says it.
        pattern: a pattern of LIKE.

    Example:
        >>> Condition(pattern="eu-%").meets("eu-west-1"), Condition(values=frozenset({"us-east-1"})).meets("eu-west-1")
        (True, False)
    """

    values: frozenset[str] | None = None
    pattern: str = ""

    def meets(self, value: str) -> bool:
        """Tell whether a value meets it.

        Args:
            value: the value of the column.
        """
        if self.values is not None:
            return value in self.values
        parts = (".*" if char == "%" else "." if char == "_" else re.escape(char) for char in self.pattern)
        return re.fullmatch("".join(parts), value, re.DOTALL) is not None


Limits: TypeAlias = Mapping[str, Sequence[Condition]]
"""The conditions on each limited column; all of them hold."""


def limits_of(tree: Node, tables: Iterable[str]) -> dict[str, list[Limits]]:
    """Return the limits of each table, once for each place where a statement names it.

    A place without limits gives an empty one: the table is needed whole.

    Args:
        tree: a statement, as DuckDB's `json_serialize_sql` writes it.
        tables: the names of the tables, in lower case.
    """
    wanted = frozenset(tables)
    found: dict[str, list[Limits]] = {name: [] for name in wanted}
    shadowed = {each["key"].lower() for node in _nodes(tree) for each in _ctes(node)}
    for node in _nodes(tree):
        if node.get("type") == "SELECT_NODE":
            for name, limits in _of_select(node):
                if name in found:
                    found[name].append({} if name in shadowed else limits)
    # A place that was not understood is one without limits.
    for name, places in found.items():
        named = sum(_is_table(node, name) for node in _nodes(tree))
        places.extend({} for _ in range(max(named - len(places), 0)))
    return found


def tables_of(tree: Node) -> set[tuple[str, str]]:
    """Return the tables that a statement names, each with its schema, in lower case; a CTE is none.

    Args:
        tree: a statement, as DuckDB's `json_serialize_sql` writes it.
    """
    return set(_named(tree, frozenset()))


def calls_other_text(tree: Node) -> bool:
    """Tell whether a statement has further SQL in a text: in `query('…')` or `query_table('…')`.

    Args:
        tree: a statement, as DuckDB's `json_serialize_sql` writes it.
    """
    return any(str(node.get("function_name", "")).lower() in {"query", "query_table"} for node in _nodes(tree))


def _named(value: Any, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the tables below a node, where the names in `known` are CTEs."""
    if isinstance(value, list):
        for each in value:
            yield from _named(each, known)
    elif isinstance(value, Mapping):
        if value.get("type") == "BASE_TABLE":
            schema, name = str(value.get("schema_name", "")).lower(), str(value["table_name"]).lower()
            if schema or name not in known:
                yield schema, name
        for each in _ctes(value):
            name = each["key"].lower()
            is_recursive = any(node.get("type") == "RECURSIVE_CTE_NODE" for node in _nodes(each))
            yield from _named(each["value"], known | {name} if is_recursive else known)
            known |= {name}
        yield from _named([each for key, each in value.items() if key != "cte_map"], known)


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, Mapping):
        yield value
        for each in value.values():
            yield from _nodes(each)
    elif isinstance(value, list):
        for each in value:
            yield from _nodes(each)


def _ctes(node: Node) -> Iterable[Node]:
    ctes = node.get("cte_map")
    return ctes.get("map", ()) if isinstance(ctes, Mapping) else ()


def _is_table(node: Node, name: str) -> bool:
    return node.get("type") == "BASE_TABLE" and str(node.get("table_name", "")).lower() == name


def _of_select(node: Node) -> Iterator[tuple[str, Limits]]:
    places = list(_places(node.get("from_table")))
    conditions = list(_conjuncts(node.get("where_clause")))
    for table, alias, plain in places:
        limits: dict[str, list[Condition]] = {}
        for condition in conditions if plain else ():
            read = _read(condition)
            # Where several tables are named, a bare column may be another's.
            if read is not None and _is_of(read[0], alias, alone=len(places) == 1 and _is_alone(node)):
                limits.setdefault(read[0][-1], []).append(read[1])
        yield table, limits


def _is_alone(node: Node) -> bool:
    """Tell whether the FROM is one table, and no function or subquery stands beside it."""
    return bool(node["from_table"].get("type") == "BASE_TABLE")


def _places(source: Any, *, plain: bool = True) -> Iterator[tuple[str, str, bool]]:
    """Yield the tables of a FROM: name, what the statement calls it, and whether it may be limited."""
    if not isinstance(source, Mapping):
        return
    plain = plain and not source.get("sample")
    if source.get("type") == "BASE_TABLE":
        name = str(source["table_name"]).lower()
        renamed = bool(source.get("column_name_alias"))
        yield name, str(source.get("alias") or name).lower(), plain and not renamed
    elif source.get("type") == "JOIN":
        usual = source.get("join_type") in _JOINS and source.get("ref_type") in _KINDS
        for side in ("left", "right"):
            yield from _places(source.get(side), plain=plain and usual)


def _conjuncts(node: Any) -> Iterator[Node]:
    if not isinstance(node, Mapping):
        return
    if node.get("type") == "CONJUNCTION_AND":
        for each in node["children"]:
            yield from _conjuncts(each)
    else:
        yield node


def _read(node: Node) -> tuple[tuple[str, ...], Condition] | None:
    """Return the column and what it must be; None for any other condition."""
    kind, operands = node.get("type"), _operands(node)
    if kind == "COMPARE_EQUAL":
        for column, value in (operands, operands[::-1]):
            if _column(column) and _text(value) is not None:
                return _column(column), Condition(values=frozenset({str(_text(value))}))
    if kind == "COMPARE_IN" and operands and _column(operands[0]):
        texts = [_text(each) for each in operands[1:]]
        if texts and None not in texts:
            return _column(operands[0]), Condition(values=frozenset(map(str, texts)))
    is_like = kind == "FUNCTION" and node.get("function_name") == "~~"
    if is_like and len(operands) == 2 and _column(operands[0]) and _text(operands[1]) is not None:  # noqa: PLR2004
        return _column(operands[0]), Condition(pattern=str(_text(operands[1])))
    return None


def _operands(node: Node) -> list[Any]:
    if "left" in node:
        return [node["left"], node["right"]]
    # DuckDB 2 wraps the arguments of a function with their names.
    found = node.get("children") or node.get("arguments") or ()
    return [each.get("expression", each) for each in found]


def _column(node: Any) -> tuple[str, ...]:
    names = node.get("column_names", ()) if isinstance(node, Mapping) and node.get("type") == "COLUMN_REF" else ()
    found = tuple(str(name).lower() for name in names)
    return found if found and found[-1] in LIMITED else ()


def _text(node: Any) -> str | None:
    if not isinstance(node, Mapping) or node.get("type") != "VALUE_CONSTANT":
        return None
    if "literal" in node:  # DuckDB 2
        told = node["literal"]
        return told["text"] if told.get("kind") == "STRING" else None
    told = node.get("value", {})
    return told["value"] if told.get("type", {}).get("id") == "VARCHAR" and not told.get("is_null") else None


def _is_of(column: Sequence[str], alias: str, *, alone: bool) -> bool:
    if len(column) == 1:
        return alone
    return len(column) == 2 and column[0] == alias  # noqa: PLR2004  the table and the column
