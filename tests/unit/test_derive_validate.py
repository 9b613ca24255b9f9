"""The judge of definitions: what is wrong is named, and what is left after pruning loads."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mangrove.resources.derive.operations import Model
from mangrove.resources.derive.paths import misses
from mangrove.resources.derive.validate import pruned, validate

MODEL = {
    "operations": {
        "ListBarns": {"name": "ListBarns", "input": {"shape": "ListIn"}, "output": {"shape": "ListOut"}},
        "GetBarn": {"name": "GetBarn", "input": {"shape": "GetIn"}, "output": {"shape": "GetOut"}},
    },
    "shapes": {
        "S": {"type": "string"},
        "Names": {"type": "list", "member": {"shape": "S"}},
        "ListIn": {"type": "structure", "members": {"Names": {"shape": "Names"}}},
        "ListOut": {"type": "structure", "members": {"Barns": {"shape": "Barns"}}},
        "Barns": {"type": "list", "member": {"shape": "Barn"}},
        "Barn": {
            "type": "structure",
            "members": {"Name": {"shape": "S"}, "Size": {"shape": "S"}, "Parts": {"shape": "Map"}},
        },
        "Map": {"type": "map", "key": {"shape": "S"}, "value": {"shape": "Barn"}},
        "GetIn": {"type": "structure", "required": ["Name"], "members": {"Name": {"shape": "S"}}},
        "GetOut": {"type": "structure", "members": {"Barn": {"shape": "Barn"}}},
    },
}
WAITERS = {"BarnBuilt": {"operation": "GetBarn"}}
GIVEN = [{"target": "Name", "source": "identifier", "name": "Name"}]
RIGHT = {
    "service": {
        "hasMany": {
            "Barns": {
                "request": {"operation": "ListBarns"},
                "resource": {
                    "type": "Barn",
                    "identifiers": [{"target": "Name", "source": "response", "path": "Barns[].Name"}],
                    "path": "Barns[]",
                },
            }
        }
    },
    "resources": {
        "Barn": {
            "identifiers": [{"name": "Name"}],
            "shape": "Barn",
            "load": {"request": {"operation": "GetBarn", "params": GIVEN}, "path": "Barn"},
            "actions": {"Get": {"request": {"operation": "GetBarn", "params": GIVEN}}},
            "waiters": {"Built": {"waiterName": "BarnBuilt", "params": GIVEN}},
        }
    },
}
BROKEN = [
    ("resources.Barn.load.request.operation", "GetBarnsV2", "no operation 'GetBarnsV2'"),
    ("resources.Barn.load.request.params", [], "GetBarn needs Name"),
    ("resources.Barn.load.path", "Barns", "leads nowhere"),
    ("resources.Barn.load.request.params.0.target", "Nam", "input 'Nam' does not exist"),
    ("resources.Barn.load.request.params.0.name", "Id", "no identifier 'Id'"),
    ("resources.Barn.load.request.params.0.source", "thinair", "no source of a value"),
    ("resources.Barn.shape", "Byre", "no structure of the service"),
    ("resources.Barn.identifiers", [{"name": "Name"}, {"name": "name"}], "one name"),
    ("resources.Barn.identifiers", "Name", "no list of names"),
    ("resources.Barn.identifiers.0.memberName", "Colour", "no member 'Colour'"),
    ("resources.Barn.actions.Get", {}, "no request"),
    ("resources.Barn.actions", [], "no table"),
    ("resources.Barn.waiters.Built.waiterName", "BarnSold", "no waiter 'BarnSold'"),
    ("resources.Barn", 7, "no table"),
    ("service.hasMany.Barns.resource.type", "Byre", "no type 'Byre'"),
    ("service.hasMany.Barns.resource.path", "Byres[]", "leads nowhere"),
    ("service.hasMany.Barns.resource.identifiers.0.path", "Barns[].Id", "leads nowhere"),
    ("service.hasMany.Barns.resource.identifiers", [], "is identified by"),
    ("service.hasMany.Barns.resource.identifiers.0.source", "input", "cannot ask"),
    ("service.hasMany.Barns.request", None, "not written as boto3 writes it"),
    ("service.hasMany.Barns.resource.path", "Barns[?", "no JMESPath"),
    ("service", [], "no table"),
    ("resources", "", "no table"),
]


def broken(where, value):
    """Change the right definition in one place."""
    tree = copy.deepcopy(RIGHT)
    *keys, last = where.split(".")
    at = tree
    for key in keys:
        at = at[int(key) if key.isdigit() else key]
    at[int(last) if last.isdigit() else last] = value
    return tree


def test_a_right_definition_has_no_problem():
    assert validate(RIGHT, MODEL, WAITERS) == []


@pytest.mark.parametrize(("where", "value", "why"), BROKEN)
def test_what_is_wrong_is_named_and_can_be_pruned(where, value, why):
    wrong = broken(where, value)
    problems = validate(wrong, MODEL, WAITERS)
    assert any(why in str(problem) for problem in problems), [str(each) for each in problems]
    left, told = pruned(wrong, MODEL, WAITERS)
    assert validate(left, MODEL, WAITERS) == []
    assert told
    assert wrong == broken(where, value)


def test_one_broken_part_costs_only_itself():
    left, told = pruned(broken("resources.Barn.waiters.Built.waiterName", "BarnSold"), MODEL, WAITERS)
    assert [each.where for each in told] == [("resources", "Barn", "waiters", "Built")]
    assert left["resources"]["Barn"] == {**RIGHT["resources"]["Barn"], "waiters": {}}


def test_a_type_that_goes_takes_what_refers_to_it():
    left, told = pruned(broken("resources.Barn.shape", "Byre"), MODEL, WAITERS)
    assert (left["resources"], left["service"]["hasMany"]) == ({}, {})
    assert len(told) == 2


def test_names_that_boto3_cannot_tell_apart_are_found():
    twice = broken("resources.Barn.actions", {"GetIt": RIGHT["resources"]["Barn"]["actions"]["Get"]})
    twice["resources"]["Barn"]["hasMany"] = {"GetIt": RIGHT["service"]["hasMany"]["Barns"]}
    twice["resources"]["Barn"]["identifiers"] = [{"name": "Name"}, {"name": "GetItCollection"}]
    assert any("one in Python" in str(each) for each in validate(twice, MODEL, WAITERS))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300)
@given(st.sampled_from([where for where, _, _ in BROKEN]), JSON)
def test_no_damage_breaks_the_judge(where, value):
    if where in {"service", "resources"} and value is None:
        value = {}
    left, _ = pruned(broken(where, value), MODEL, WAITERS)
    assert validate(left, MODEL, WAITERS) == []


@pytest.mark.parametrize(
    "path",
    """
    Barns; Barns[]; Barns[].Name; Barns[0].Name; @; Barns[].Parts.door.Name; Barns[?Size].Name | [0];
    Barns[].Nothing || Barns[].Name; keys(@); Barns[*].Parts; [Barns, Barns] | []
    """.strip().split(";"),
)
def test_a_path_that_leads_somewhere(path):
    assert misses(Model(MODEL), "ListOut", path.strip()) == ""


@pytest.mark.parametrize(
    "path", ["Barn", "Barns.Colour", "Barns[].Colour", "Barns[", "Barns[0].Name.Length", "Barns[*].Colour"]
)
def test_a_path_that_leads_nowhere(path):
    assert misses(Model(MODEL), "ListOut", path)
