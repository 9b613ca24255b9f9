"""The static judge of resource definitions: what it lets through loads in boto3 and calls operations that exist.

It reads derived definitions, curated ones and users' own files alike, against the model of the botocore that is
installed; a file that was right for another version shows here what has moved. What fails can be pruned, so that one
broken part never costs the service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from botocore import xform_name

from mangrove.resources.derive.facts import Json
from mangrove.resources.derive.laying import joined
from mangrove.resources.derive.operations import Model
from mangrove.resources.derive.paths import misses

__all__ = ["Problem", "pruned", "validate"]

_SOURCES = frozenset(("identifier", "data", "string", "integer", "boolean", "input", "response", "requestParameter"))
_PARTS = ("actions", "batchActions", "has", "hasMany", "waiters")
_NOTHING: Json = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a definition.

    Args:
        where: The keys that lead to the smallest part that must go: ``("resources", "Vpc", "hasMany", "Subnets")``.
        why: The reason, as a short sentence.
    """

    where: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        """Write the problem in one line."""
        return f"{'.'.join(self.where)}: {self.why}"


def validate(definition: Json, model: Model | Json, waiters: Json, below: Json = _NOTHING) -> list[Problem]:
    """Check a ``resources-1`` definition against a service's model.

    Args:
        definition: The definition; for an ``extras`` file, the merged result.
        model: The content of the service's ``service-2.json``, or its `Model`.
        waiters: The ``waiters`` table of its ``waiters-2.json``.
        below: What the definition was laid over; what it has of that, as the same objects, is not looked at.

    Returns:
        The problems, in the order of the definition; empty for a definition that is right.

    Example:
        >>> [str(problem) for problem in validate({"service": {"load": {}}}, {"operations": {}, "shapes": {}}, {})]
        ['service.load: it has no request']
    """
    known = model if isinstance(model, Model) else Model(model)
    return list(_Judge(definition, known, waiters, below).problems())


def pruned(
    definition: Json, model: Model | Json, waiters: Json, below: Json = _NOTHING
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Take out of a definition what does not validate, until all of it does.

    Args:
        definition: The definition; it is not changed.
        model: The content of the service's ``service-2.json``, or its `Model`.
        waiters: The ``waiters`` table of its ``waiters-2.json``.
        below: What it is laid over, which stays as it is.

    Returns:
        The definition that is left, laid over what is below it, and what was taken out of it.
    """
    known = model if isinstance(model, Model) else Model(model)
    left, found = dict(definition), list[Problem]()
    while True:
        whole = joined(below, left)
        problems = validate(whole, known, waiters, below)
        found += problems
        if not problems:
            return whole, tuple(found)
        before = left
        # A type that goes takes with it what refers to it, which the next round sees.
        for problem in problems:
            left = _without(left, problem.where)
        if left == before:  # the two together are wrong
            return dict(below), tuple(found)


def _without(tree: dict[str, Any], where: tuple[str, ...]) -> dict[str, Any]:
    """Return a table without one entry, whatever is above that being copied."""
    first, *rest = where
    if first not in tree:
        return tree
    if rest and isinstance(tree[first], Mapping):
        return {**tree, first: _without(dict(tree[first]), tuple(rest))}
    return {name: value for name, value in tree.items() if name != first}


class _Judge:
    def __init__(self, definition: Json, model: Model, waiters: Json, below: Json) -> None:
        self._definition, self._model, self._waiters, self._below = definition, model, waiters, below
        resources = definition.get("resources", {})
        self._resources: Mapping[str, Any] = resources if isinstance(resources, Mapping) else {}

    def problems(self) -> Iterator[Problem]:
        for name in ("service", "resources"):
            if not isinstance(self._definition.get(name, {}), Mapping):
                yield Problem((name,), "it is no table")
                return
        yield from self._holder(("service",), self._definition.get("service", {}), self._below.get("service", {}))
        known = self._below.get("resources", {})
        for name, resource in self._resources.items():
            if resource is not known.get(name):
                yield from self._type(("resources", name), resource, known.get(name, {}))

    def _type(self, where: tuple[str, ...], resource: Any, known: Json) -> Iterator[Problem]:
        found = [] if known else list(self._whole(resource))
        # A type that is wrong as a whole goes as a whole: there is no use in telling of its parts.
        yield from (Problem(where, why) for why in found) if found else self._holder(where, resource, known)

    def _whole(self, resource: Any) -> Iterator[str]:
        """Say what is wrong with a type as a whole."""
        if not isinstance(resource, Mapping):
            yield "it is no table"
            return
        shape = resource.get("shape", "")
        if not isinstance(shape, str):
            yield "its shape is no name"
            return
        if shape and self._model.shapes.get(shape, {}).get("type") != "structure":
            yield f"its shape {shape!r} is no structure of the service"
        try:
            names = [xform_name(each["name"]) for each in resource.get("identifiers", ())]
        except (TypeError, KeyError, AttributeError):
            yield "its identifiers are no list of names"
            return
        if len(set(names)) < len(names):
            yield "two of its identifiers have one name"
        for each in resource.get("identifiers", ()):
            member = each.get("memberName")
            if member and shape in self._model.shapes and member not in [*self._model.members(shape)]:
                yield f"its shape {shape!r} has no member {member!r} for the identifier {each['name']!r}"

    def _holder(self, where: tuple[str, ...], resource: Json, known: Json) -> Iterator[Problem]:
        """Check the parts of a type, or of the service."""
        if "load" in resource and resource["load"] is not known.get("load"):
            yield from self._guarded((*where, "load"), resource, "load", resource["load"])
        for part in _PARTS:
            entries = resource.get(part, {})
            if not isinstance(entries, Mapping):
                yield Problem((*where, part), "it is no table")
                continue
            theirs = known.get(part, {})
            for name, entry in entries.items():
                if name not in theirs or entry is not theirs[name]:
                    yield from self._guarded((*where, part, name), resource, part, entry)
        for part, name in self._clashes(resource):
            if name not in known.get(part, {}):
                yield Problem((*where, part, name), "two of its names are one in Python")

    def _guarded(self, where: tuple[str, ...], holder: Json, part: str, entry: Any) -> Iterator[Problem]:
        try:
            yield from (Problem(where, why) for why in self._entry(holder, part, entry))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            yield Problem(where, f"it is not written as boto3 writes it ({type(error).__name__}: {error})")

    def _entry(self, holder: Json, part: str, entry: Json) -> Iterator[str]:
        if part == "waiters":
            yield from self._waiter(holder, entry)
            return
        if part != "has" and "request" not in entry:
            yield "it has no request"
            return
        output = ""
        if "request" in entry:
            problems = list(self._request(holder, entry["request"], complete=part in {"load", "hasMany"}))
            yield from problems
            if problems:
                return
            output = self._model.operations[entry["request"]["operation"]].output
        elif holder.get("shape"):
            # A reference's path leads into the data of its holder.
            output = holder["shape"]
        if entry.get("path"):
            yield from filter(None, [misses(self._model, output, entry["path"])])
        if "resource" in entry:
            yield from self._resource(holder, part, entry, output)

    def _request(self, holder: Json, request: Json, *, complete: bool) -> Iterator[str]:
        op = self._model.operations.get(request.get("operation", ""))
        if op is None:
            yield f"the service has no operation {request.get('operation')!r}"
            return
        params = request.get("params", [])
        for param in params:
            yield from self._param(holder, op.input, param)
        given = {param["target"].split(".")[0].split("[")[0] for param in params if param["source"] != "input"}
        missing = [name for name in op.required if name not in given] if complete else []
        if missing:
            yield f"{op.name} needs {', '.join(missing)}"

    def _param(self, holder: Json, shape: str, param: Json) -> Iterator[str]:
        target = param["target"]
        why = misses(self._model, shape, target.replace("[*]", "[]"))
        if why:
            yield f"the input {target!r} does not exist: {why}"
        yield from self._source(holder, param)

    def _source(self, holder: Json, param: Json) -> Iterator[str]:
        source = param["source"]
        if source not in _SOURCES:
            yield f"{source!r} is no source of a value"
        elif source == "identifier":
            if param.get("name") not in {each["name"] for each in holder.get("identifiers", ())}:
                yield f"it has no identifier {param.get('name')!r}"
        elif source == "data":
            if holder.get("shape"):
                yield from filter(None, [misses(self._model, holder["shape"], param["path"])])
        elif source in {"string", "integer", "boolean"} and "value" not in param:
            yield f"the input {param['target']!r} has no value"

    def _resource(self, holder: Json, part: str, entry: Json, output: str) -> Iterator[str]:
        resource = entry["resource"]
        target = self._resources.get(resource["type"])
        if not isinstance(target, Mapping):
            yield f"there is no type {resource['type']!r}"
            return
        given = resource.get("identifiers", [])
        # What the user gives has no name that boto3 looks at.
        asked = {each["target"] for each in given if each["source"] == "input"}
        names = {each["target"] for each in given} - asked
        wanted = {each["name"] for each in target.get("identifiers", ())}
        if names - wanted or (not asked and names != wanted):
            yield f"{resource['type']} is identified by {sorted(wanted)}, and {sorted(names)} are given"
        if resource.get("path"):
            yield from filter(None, [misses(self._model, output, resource["path"])])
        for each in given:
            if each["source"] == "response":
                yield from filter(None, [misses(self._model, output, each["path"])])
            elif each["source"] == "requestParameter":
                op = self._model.operations[entry["request"]["operation"]]
                yield from filter(None, [misses(self._model, op.input, each["path"])])
            elif each["source"] == "input" and part == "hasMany":
                yield "a collection cannot ask for an identifier"
            else:
                yield from self._source(holder, each)

    def _waiter(self, holder: Json, entry: Json) -> Iterator[str]:
        waiter = self._waiters.get(entry["waiterName"])
        if waiter is None:
            yield f"the service has no waiter {entry['waiterName']!r}"
            return
        yield from self._request(holder, {**entry, "operation": waiter["operation"]}, complete=True)

    def _clashes(self, resource: Json) -> Iterator[tuple[str, str]]:
        """Find the names that boto3 could not even rename, as its own factory would."""
        if not all(isinstance(resource.get(part) or {}, Mapping) for part in _PARTS):
            return
        names = {"meta"} | ({"load"} if resource.get("load") else set())
        for each in resource.get("identifiers", ()):
            _take(names, xform_name(each["name"]), "identifier")
        for part, category in (
            ("actions", "action"),
            ("has", "reference"),
            ("hasMany", "collection"),
            ("waiters", "waiter"),
        ):
            for name in resource.get(part) or ():
                data = part != "has" or "data" in str(resource["has"][name])
                label = xform_name(f"WaitUntil{name}" if part == "waiters" else name) if data else name
                if not _take(names, label, category):
                    yield part, name


def _take(names: set[str], name: str, category: str) -> bool:
    free = name if name not in names else f"{name}_{category}"
    taken = free in names
    names.add(free)
    return not taken
