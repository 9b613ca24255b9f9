"""What one can do with a resource: operations whose required inputs name it, waiters, and what a service creates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name

from mangrove.resources.derive.binding import bind
from mangrove.resources.derive.facts import Json
from mangrove.resources.derive.identifiers import GENERIC, match_member
from mangrove.resources.derive.names import key_of, plural, slices, suffixes
from mangrove.resources.derive.operations import Model, Operation
from mangrove.resources.derive.shapes import output_of
from mangrove.resources.derive.types import ResourceType

__all__ = ["Inputs", "actions_of", "batch_actions_of", "creates_of", "own_operations", "request_of", "waiters_of"]

_CREATES = ("Create", "Run", "Register", "Allocate", "Request", "Import", "Purchase", "Restore")
# These make something only where they do not ask for what there is: StartQueryExecution, but not StartInstances.
_MAY_CREATE = ("Start", "Put", "Publish", "Upload", "Add")
# What a boto3 resource has anyway, or what this library gives every resource.
_RESERVED = frozenset("load reload meta arn tags to_dict get_available_subresources".split())


# Operation to itself and to the inputs that a resource's identifiers fill.
Takes = dict[str, tuple[Operation, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Inputs:
    """The operations of a service by the keys of their required inputs, and by what they are about."""

    by_key: Mapping[str, list[Operation]]
    about: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, model: Model, types: Iterable[ResourceType], skipped: frozenset[str]) -> Inputs:
        """Index all operations but the `skipped` ones (those that list)."""
        names = {key_of(each.name) for each in types}
        by_key: dict[str, list[Operation]] = {}
        about: dict[str, frozenset[str]] = {}
        for op in model.operations.values():
            if op.name in skipped or op.deprecated:
                continue
            required = frozenset(op.required)
            for inputs in (op.scalars, op.lists):
                for key, name in inputs.items():
                    if name in required:
                        by_key.setdefault(key, []).append(op)
            meant = slices(op.noun) & names
            about[op.name] = frozenset(m for m in meant if not any(m != other and m in other for other in meant))
        return cls(by_key, about)

    def takes(self, each: ResourceType) -> Takes:
        """Find the operations that require a resource's own identifier, with the inputs it fills."""
        found: Takes = {}
        if not each.own:
            return found
        name = key_of(each.name)
        last = each.own[-1]
        for key in sorted(last.keys | last.weak):
            for op in self.by_key.get(key, ()):
                about = name in self.about[op.name]
                if op.name not in found and (about or key in last.keys):
                    params = bind(op, each.identifiers, about=about)
                    if params and _requires(op, params, last.name):
                        found[op.name] = op, params
        return found


def _requires(op: Operation, params: Mapping[str, str], own: str) -> bool:
    return any(name == own and target.removesuffix("[0]") in op.required for target, name in params.items())


def own_operations(takes: Mapping[str, Takes], created: Mapping[str, ResourceType]) -> dict[str, Takes]:
    """Leave each operation to the types of which it takes the most: to delete a cow is no action of its barn.

    Args:
        takes: Type to the operations that require its identifier.
        created: Operation to the type that it creates; these are their parents' too.
    """
    most: dict[str, int] = {}
    for operations in takes.values():
        for name, (_, params) in operations.items():
            most[name] = max(most.get(name, 0), len(params))
    return {
        kind: {name: each for name, each in operations.items() if len(each[1]) == most[name] or name in created}
        for kind, operations in takes.items()
    }


def request_of(
    op: Operation,
    params: Mapping[str, str],
    constants: Mapping[str, object] | None = None,
    data: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Write a request in boto3's format: identifiers, members of the data and fixed values in place."""
    found: list[dict[str, Any]] = [{"target": t, "source": "identifier", "name": name} for t, name in params.items()]
    found += [{"target": target, "source": "data", "path": path} for target, path in (data or {}).items()]
    for target, value in (constants or {}).items():
        kind = "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else "string"
        found.append({"target": target, "source": kind, "value": value})
    return {"operation": op.name, **({"params": found} if found else {})}


def action_name(op: Operation, kind: str) -> str:
    """Name an action: ``StopInstances`` is an instance's ``Stop``, ``ModifyVpcPeer`` a VPC's ``ModifyPeer``."""
    about = op.name[len(op.verb) :]
    for name in (plural(kind), kind):
        rest = about[len(name) :]
        if about[: len(name)].lower() == name.lower() and not rest[:1].islower():
            return op.verb + rest if xform_name(op.verb + rest) not in _RESERVED else op.name
    return op.name


def _added(actions: dict[str, Any], names: set[str], op: Operation, kind: str, action: dict[str, Any]) -> None:
    for name in (action_name(op, kind), op.name):
        if xform_name(name) not in names | _RESERVED:
            names.add(xform_name(name))
            actions[name] = action
            return


def actions_of(model: Model, each: ResourceType, takes: Takes, created: Mapping[str, ResourceType]) -> dict[str, Any]:
    """Write the actions of a type.

    Args:
        model: The service's model.
        each: The type.
        takes: The operations that require its identifier, see `Inputs.takes`.
        created: Operation to the type that it creates.

    Returns:
        Name to definition, in boto3's format.
    """
    actions: dict[str, Any] = {}
    names = {xform_name(i.name) for i in each.identifiers}
    load = each.load.operation.name if each.load else ""
    for op, params in takes.values():
        if op.name == load or created.get(op.name) is each or op.name.startswith(f"Restore{each.name}"):
            continue
        action: dict[str, Any] = {"request": request_of(op, params)}
        child = created.get(op.name)
        if child and child.name != each.name:
            action.update(resource_of(model, op, child))
        _added(actions, names, op, each.name, action)
    return actions


def batch_actions_of(each: ResourceType, takes: Takes) -> dict[str, Any]:
    """Write what one call can do with many resources of a type: operations that take a list of identifiers."""
    actions: dict[str, Any] = {}
    if len(each.identifiers) != 1 or not each.own:
        return actions
    own = each.own[0]
    names: set[str] = set()
    for op, params in takes.values():
        target = next(iter(params))
        if target.endswith("[0]") and op.verb not in {"Get", "Describe", "BatchGet", "List"}:
            request = {
                "operation": op.name,
                "params": [{"target": f"{target[:-3]}[]", "source": "identifier", "name": own.name}],
            }
            _added(actions, names, op, each.name, {"request": request})
    return actions


def creates_of(model: Model, types: Iterable[ResourceType]) -> dict[str, ResourceType]:
    """Find the operations that create a resource of a type: operation to type."""
    found: dict[str, ResourceType] = {}
    for each in types:
        for verb in (*_CREATES, *_MAY_CREATE):
            for name in (verb + each.name, verb + plural(each.name)):
                op = model.find(name)
                if op and not op.deprecated and (verb in _CREATES or not _names_one(op, each)):
                    found.setdefault(op.name, each)
    return found


def _names_one(op: Operation, each: ResourceType) -> bool:
    params = bind(op, each.own, about=True)
    return bool(params) and all(target.removesuffix("[0]") in op.required for target in params or ())


def resource_of(model: Model, op: Operation, each: ResourceType) -> dict[str, Any]:
    """Write the resource that an operation creates, from its answer and its request; empty where they don't tell."""
    path, shape = output_of(model, each.name, op, several=False)
    answer = model.scalars(shape)
    identifiers: list[dict[str, str]] = []
    for identifier in each.identifiers:
        key = key_of(identifier.member or identifier.name)
        member = answer.get(key) if not identifier.parent else None
        member = member or next((answer[k] for k in sorted(identifier.keys - suffixes_set(each)) if k in answer), None)
        member = member or (match_member(key, each.name, answer) if not identifier.parent else None)
        source = next(
            (name for k in sorted(identifier.keys | (identifier.weak & GENERIC)) for name in _scalar(op, k)), None
        )
        if member and _same_end(member, identifier.member or identifier.name):
            where = member if path == "@" else f"{path}.{member}"
            identifiers.append({"target": identifier.name, "source": "response", "path": where})
        elif source and source in op.required:
            identifiers.append({"target": identifier.name, "source": "requestParameter", "path": source})
        else:
            return {}
    resource: dict[str, Any] = {"type": each.name, "identifiers": identifiers}
    if shape and shape == each.shape:
        resource["path"] = path
    return {"resource": resource}


def suffixes_set(each: ResourceType) -> frozenset[str]:
    """List the bare names of a type, which name a structure and not its identifier in an answer."""
    return frozenset(suffixes(each.name))


def _scalar(op: Operation, key: str) -> tuple[str, ...]:
    return (op.scalars[key],) if key in op.scalars else ()


def _same_end(member: str, name: str) -> bool:
    return key_of(member).endswith("arn") == key_of(name).endswith("arn")


def waiters_of(model: Model, each: ResourceType, waiters: Json) -> dict[str, Any]:
    """Write the waiters of a type: those that wait on its load, or are called after it and take its identifiers."""
    found: dict[str, Any] = {}
    own, low = each.own, each.name.lower()
    for name, waiter in waiters.items() if own else ():
        mine = name[: len(low)].lower() == low and name[len(low) : len(low) + 1].isupper()
        loads = each.load is not None and each.load.operation.name == waiter["operation"]
        op = model.operations.get(waiter["operation"]) if mine or loads else None
        if op is None:
            continue
        params = each.load.params if each.load and loads else bind(op, each.identifiers, about=True)
        if params and set(op.required) <= {target.removesuffix("[0]") for target in params}:
            short = name[len(each.name) :] if mine else name
            found[short] = {"waiterName": name, "params": request_of(op, params).get("params", [])}
    return found
