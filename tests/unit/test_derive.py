"""The derivation on a small service whose whole model stands here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.resources.derive import ServiceFacts, Variable, derive
from mangrove.resources.derive.names import (
    is_plural,
    key_of,
    pascal,
    plural,
    short_name,
    singular,
    split_operation,
    suffixes,
    words,
)
from mangrove.resources.derive.operations import Model
from mangrove.resources.overlay import overlaid_services, overlay_of
from mangrove.resources.partial import partial_of


def shape(**members):
    """Write a structure: each member with the name of its shape."""
    required = [name for name, kind in members.items() if kind.endswith("!")]
    return {
        "type": "structure",
        "members": {name: {"shape": kind.rstrip("!")} for name, kind in members.items()},
        **({"required": required} if required else {}),
    }


def listed(of):
    return {"type": "list", "member": {"shape": of}}


def model(operations, **shapes):
    """Write a service's model: `operations` has for each name its input and its output."""
    basic = {"S": {"type": "string"}, "Strings": listed("S"), "N": {"type": "integer"}}
    basic |= {
        "Tag": shape(Key="S", Value="S"),
        "Tags": listed("Tag"),
        "Scope": {"type": "string", "enum": ["ALL", "MY_OWN"]},
    }
    ops, found = {}, basic | shapes
    for name, (given_, answer) in operations.items():
        found |= {f"{name}In": given_, f"{name}Out": answer}
        ops[name] = {"name": name, "input": {"shape": f"{name}In"}, "output": {"shape": f"{name}Out"}}
    return {"operations": ops, "shapes": found}


FARM = model(
    {
        "ListBarns": (shape(NextToken="S"), shape(Barns="Barns", NextToken="S")),
        "DescribeBarn": (shape(BarnName="S!"), shape(Barn="BarnDetail")),
        "CreateBarn": (shape(BarnName="S!", Size="N"), shape(Barn="BarnDetail")),
        "DeleteBarn": (shape(BarnName="S!"), shape()),
        "PaintBarn": (shape(BarnName="S!", Colour="S!"), shape()),
        "ListCows": (shape(BarnName="S!"), shape(Cows="Cows")),
        "GetCow": (shape(BarnName="S!", CowId="S!"), shape(Cow="Cow")),
        "AddCow": (shape(BarnName="S!", Name="S"), shape(Cow="Cow")),
        "TerminateCows": (shape(CowIds="Strings!"), shape()),
        "DescribeFences": (shape(FenceIds="Strings", BarnName="S"), shape(Fences="Fences")),
        "DeleteFence": (shape(FenceId="S!"), shape()),
        "ListTools": (shape(Scope="Scope!"), shape(ToolArns="Strings")),
        "DescribeTool": (shape(ToolArn="S!"), shape(Tool="Tool")),
        "ListWeathers": (shape(), shape(Weathers="Weathers")),
    },
    Barns=listed("Barn"),
    Barn=shape(BarnName="S", OwnerId="S"),
    BarnDetail=shape(BarnName="S", BarnArn="S", OwnerId="S", Tags="Tags", RoleArn="S"),
    Cows=listed("Cow"),
    Cow=shape(CowId="S", Name="S", FenceId="S"),
    Fences=listed("Fence"),
    Fence=shape(FenceId="S", BarnName="S"),
    Tool=shape(ToolArn="S", Tags="TagMap"),
    TagMap={"type": "map", "key": {"shape": "S"}, "value": {"shape": "S"}},
    Weathers=listed("Weather"),
    Weather=shape(Temperature="N"),
)
FORMATS = {
    "barn": ("arn:${Partition}:farm:${Region}:${Account}:barn/${BarnName}",),
    "cow": ("arn:${Partition}:farm:${Region}:${Account}:barn/${BarnName}/cow/${CowId}",),
}
WAITERS = {
    "BarnBuilt": {"operation": "DescribeBarn", "delay": 1, "maxAttempts": 2, "acceptors": []},
    "HerdReady": {"operation": "ListCows", "delay": 1, "maxAttempts": 2, "acceptors": []},
}


@pytest.fixture(scope="module")
def farm():
    return derive(ServiceFacts("farm", FARM, {"ListBarns": {"result_key": "Barns"}}, WAITERS, FORMATS))


def test_types_are_what_the_service_lists(farm):
    assert sorted(farm.definition["resources"]) == ["Barn", "Cow", "Fence", "Tool"]
    assert [each.what for each in farm.dropped] == ["Weather"]


def test_identifiers_are_what_the_reading_operation_asks_for(farm):
    resources = farm.definition["resources"]
    assert resources["Barn"]["identifiers"] == [{"name": "Name", "memberName": "BarnName"}]
    assert resources["Cow"]["identifiers"] == [{"name": "BarnName"}, {"name": "Id", "memberName": "CowId"}]
    assert resources["Tool"]["identifiers"] == [{"name": "Arn", "memberName": "ToolArn"}]


def test_a_load_knows_where_in_the_answer_the_resource_is(farm):
    resources = farm.definition["resources"]
    barn = {"operation": "DescribeBarn", "params": [{"target": "BarnName", "source": "identifier", "name": "Name"}]}
    assert resources["Barn"]["load"] == {"request": barn, "path": "Barn"}
    fence = {"operation": "DescribeFences", "params": [{"target": "FenceIds[0]", "source": "identifier", "name": "Id"}]}
    assert resources["Fence"]["load"] == {"request": fence, "path": "Fences[0]"}


def test_children_belong_to_what_their_listing_asks_for(farm):
    cows = farm.definition["resources"]["Barn"]["hasMany"]["Cows"]
    assert cows["request"]["params"] == [{"target": "BarnName", "source": "identifier", "name": "Name"}]
    assert cows["resource"] == {
        "type": "Cow",
        "identifiers": [
            {"target": "BarnName", "source": "identifier", "name": "Name"},
            {"target": "Id", "source": "response", "path": "Cows[].CowId"},
        ],
        "path": "Cows[]",
    }
    # An input that need not be given also makes children; the listing is the service's too.
    assert "Fences" in farm.definition["resources"]["Barn"]["hasMany"]
    assert "Fences" in farm.definition["service"]["hasMany"]
    assert farm.definition["resources"]["Barn"]["has"]["Cow"]["resource"]["identifiers"][1] == {
        "target": "Id",
        "source": "input",
    }


def test_a_choice_that_must_be_made_makes_a_collection_for_each_value(farm):
    many = farm.definition["service"]["hasMany"]
    assert {"AllTools", "MyOwnTools"} <= set(many)
    assert many["MyOwnTools"]["request"]["params"] == [{"target": "Scope", "source": "string", "value": "MY_OWN"}]


def test_actions_take_the_identifiers_and_lose_the_types_name(farm):
    actions = farm.definition["resources"]["Barn"]["actions"]
    assert set(actions) == {"Delete", "Paint", "AddCow"}
    assert actions["AddCow"]["resource"]["type"] == "Cow"
    assert farm.definition["service"]["actions"]["CreateBarn"]["resource"] == {
        "type": "Barn",
        "identifiers": [{"target": "Name", "source": "response", "path": "Barn.BarnName"}],
        "path": "Barn",
    }


def test_a_waiter_waits_on_the_load_or_bears_the_types_name(farm):
    assert farm.definition["resources"]["Barn"]["waiters"] == {
        "Built": {"waiterName": "BarnBuilt", "params": [{"target": "BarnName", "source": "identifier", "name": "Name"}]}
    }


def test_a_reference_is_read_from_the_data(farm):
    assert farm.definition["resources"]["Cow"]["has"]["Fence"]["resource"]["identifiers"] == [
        {"target": "Id", "source": "data", "path": "FenceId"}
    ]


def test_an_arn_is_the_types_own_or_none(farm):
    barn = farm.arns["Barn"]
    assert (barn.path, barn.load, barn.account) == ("BarnArn", True, "OwnerId")
    assert barn.variables == {"BarnName": Variable(identifier="Name")}
    assert farm.arns["Cow"].variables == {
        "BarnName": Variable(identifier="BarnName"),
        "CowId": Variable(identifier="Id"),
    }
    assert (farm.arns["Tool"].identifier, farm.arns["Tool"].template) == ("Arn", "")
    assert "Fence" not in farm.arns


def test_tags_are_found_in_every_spelling(farm):
    assert (farm.tags["Barn"].path, farm.tags["Barn"].key, farm.tags["Barn"].value) == ("Tags", "Key", "Value")
    assert (farm.tags["Tool"].path, farm.tags["Tool"].key) == ("Tags", "")


def test_kinds_and_what_an_item_lacks(farm):
    assert farm.kinds == {"Barn": "core", "Cow": "core", "Fence": "core", "Tool": "catalogue"}
    assert partial_of(farm.definition, Model(FARM))["Barn"] == ("BarnArn", "RoleArn", "Tags")


OVERLAYS = {
    "drop": ({"drop": {"Tool": "no tool"}}, lambda d: "Tool" not in d.definition["resources"]),
    "rename": ({"rename": {"ListCows": "Cattle"}}, lambda d: "Cattle" in d.definition["resources"]),
    "constants": (
        {"constants": {"ListTools": {"Scope": "ALL"}}},
        lambda d: "Tools" in d.definition["service"]["hasMany"],
    ),
    "identifiers": (
        {"identifiers": {"Fence": [{"name": "Number", "member": "FenceId", "inputs": ["FenceId"]}]}},
        lambda d: d.definition["resources"]["Fence"]["identifiers"] == [{"name": "Number", "memberName": "FenceId"}],
    ),
    "parents": (
        {"parents": {"ListCows": {"BarnName": ["Fence.Id"]}}},
        lambda d: "Cows" in d.definition["resources"]["Fence"]["hasMany"],
    ),
    "no arn": ({"arns": {"Barn": {"because": "so"}}}, lambda d: "Barn" not in d.arns),
    "arn": ({"arns": {"Fence": {"path": "FenceId", "because": "so"}}}, lambda d: d.arns["Fence"].path == "FenceId"),
    "merge": (
        {"merge": {"resources": {"Barn": {"shape": "Barn"}}}},
        lambda d: d.definition["resources"]["Barn"]["shape"] == "Barn" and d.definition["resources"]["Barn"]["load"],
    ),
    "aliases": ({"aliases": {"types": {"Stable": "Barn"}}}, lambda d: d.aliases == {"Stable": "Barn"}),
}


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_overlay_corrects(name):
    overlay, is_right = OVERLAYS[name]
    assert is_right(derive(ServiceFacts("farm", FARM, formats=FORMATS, overlay=overlay)))


def test_an_existing_file_is_extended_by_what_it_lacks():
    existing = {
        "service": {
            "hasMany": {
                "Barns": {
                    "request": {"operation": "ListBarns"},
                    "resource": {
                        "type": "Shed",
                        "identifiers": [{"target": "Name", "source": "response", "path": "Barns[].BarnName"}],
                        "path": "Barns[]",
                    },
                }
            }
        },
        "resources": {
            "Shed": {
                "identifiers": [{"name": "Name", "memberName": "BarnName"}],
                "shape": "BarnDetail",
                "actions": {
                    "Delete": {
                        "request": {
                            "operation": "DeleteBarn",
                            "params": [{"target": "BarnName", "source": "identifier", "name": "Name"}],
                        }
                    }
                },
            }
        },
    }
    derived = derive(ServiceFacts("farm", FARM, formats=FORMATS, existing=existing))
    assert derived.extends
    merge = derived.definition["merge"]
    assert "Barn" not in merge["resources"]
    assert set(merge["resources"]["Shed"]) == {"hasMany"}
    assert "Cows" in merge["resources"]["Shed"]["hasMany"]
    assert "Barns" not in merge["service"]["hasMany"]


def test_a_service_without_lists_has_nothing():
    derived = derive(ServiceFacts("void", {"operations": {}, "shapes": {}}))
    assert (derived.definition["resources"], derived.arns, derived.kinds) == ({}, {}, {})


LOADS = model(
    {
        "ListPigs": (shape(), shape(Pigs="Pigs")),
        "GetPig": (shape(PigId="S!"), shape(Photo="S")),
        "DescribePig": (shape(PigId="S!"), shape(Pig="Pig")),
        "ListHens": (shape(), shape(Hens="Hens")),
        "GetHen": (shape(HenId="S!"), shape(HenId="S", Eggs="N", HenConfiguration="HenConfiguration")),
        "DescribeTags": (shape(ResourceArns="Strings!"), shape(TagDescriptions="TagDescriptions")),
    },
    Pigs=listed("Pig"),
    Pig=shape(PigId="S", PigArn="S", Weight="N"),
    Hens=listed("Hen"),
    Hen=shape(HenId="S", HenArn="S"),
    HenConfiguration=shape(Colour="S"),
    TagDescriptions=listed("TagDescription"),
    TagDescription=shape(ResourceArn="S", Tags="Tags"),
)


def test_of_two_operations_that_read_one_the_one_that_tells_more_is_the_load():
    pig = derive(ServiceFacts("loads", LOADS)).definition["resources"]["Pig"]
    assert (pig["load"]["request"]["operation"], pig["load"]["path"], pig["shape"]) == ("DescribePig", "Pig", "Pig")


def test_a_configuration_beside_the_identifier_is_a_part_of_what_is_read():
    hen = derive(ServiceFacts("loads", LOADS)).definition["resources"]["Hen"]
    assert (hen["load"]["path"], hen["shape"]) == ("@", "GetHenOut")


def test_tags_of_several_resources_are_found_in_the_answer():
    place = derive(ServiceFacts("loads", LOADS)).tags["Pig"]
    assert (place.path, place.operation, place.target) == (
        "TagDescriptions[].Tags[]",
        "DescribeTags",
        "ResourceArns[0]",
    )


def test_a_correction_of_what_this_botocore_lacks_does_nothing():
    merge = {
        "service": {"hasMany": {"Foxes": {"request": {"params": []}}}, "actions": {"Hunt": {"request": {}}}},
        "resources": {"Fox": {"actions": {}}, "Cow": {"hasMany": {"Calves": {"request": {"params": []}}}}},
    }
    plain = derive(ServiceFacts("farm", FARM)).definition
    laid = derive(ServiceFacts("farm", FARM, overlay={"merge": merge})).definition
    assert laid["resources"].keys() == plain["resources"].keys()
    assert laid["service"]["hasMany"] == plain["service"]["hasMany"]
    assert "Hunt" not in laid["service"]["actions"]
    assert "Calves" not in laid["resources"]["Cow"]["hasMany"]


def test_null_takes_away():
    merge = {"resources": {"Barn": {"hasMany": {"Cows": None}}}}
    laid = derive(ServiceFacts("farm", FARM, overlay={"merge": merge})).definition
    assert "Cows" not in laid["resources"]["Barn"]["hasMany"]


def test_a_type_of_the_overlay_alone_has_its_arn_from_there():
    overlay = {
        "merge": {"resources": {"Fox": {"identifiers": [{"name": "Arn"}], "shape": "Cow"}}},
        "arns": {"Fox": {"because": "It is one.", "identifier": "Arn"}},
    }
    found = derive(ServiceFacts("farm", FARM, overlay=overlay))
    assert (found.arns["Fox"].identifier, found.kinds["Fox"]) == ("Arn", "catalogue")


def test_every_overlay_says_why():
    for service in overlaid_services():
        overlay = overlay_of(service)
        parts = "constants rename drop parents identifiers arns tags merge aliases because"
        assert set(overlay) <= set(parts.split()), service
        reasons = [entry.get("because") for entry in overlay.get("arns", {}).values()]
        reasons += list(overlay.get("drop", {}).values())
        others = set(overlay) - {"arns", "drop", "because"}
        assert all(reasons), service
        assert not others or overlay.get("because") or overlay["parents"].get("because"), service


# ---------------------------------------------------------------------------------------------------------------------
# What is another's: ids and formats that look as if they were the type's own

HERD = model(
    {
        "ListDens": (shape(), shape(Dens="Dens")),
        "DescribeCubs": (shape(CubIds="Strings"), shape(Cubs="Cubs")),
        "ModifyCubs": (shape(DenName="S!", Names="Strings"), shape()),
        "ListFeedings": (shape(), shape(Feedings="Feedings")),
        "GetFeeding": (shape(ResourceId="S!"), shape(Feeding="Feeding")),
    },
    Dens=listed("Den"),
    Den=shape(DenName="S"),
    Cubs=listed("Cub"),
    Cub=shape(DenName="S", CubId="S"),
    Feedings=listed("Feeding"),
    Feeding=shape(Id="S", ResourceId="S"),
)


def test_what_an_operation_on_many_takes_may_be_what_they_belong_to():
    cub = derive(ServiceFacts("herd", HERD)).definition["resources"]["Cub"]
    assert cub["identifiers"] == [{"name": "Id", "memberName": "CubId"}]
    assert cub["load"]["request"]["operation"] == "DescribeCubs"


def test_the_resource_id_of_a_format_is_not_that_of_another_services_resource():
    forms = {"feeding": ("arn:${Partition}:herd:${Region}:${Account}:feeding/${ResourceId}",)}
    assert derive(ServiceFacts("herd", HERD, formats=forms)).arns["Feeding"].variables == {
        "ResourceId": Variable(path="Id")
    }


def test_formats_of_the_name_that_requests_are_signed_for_are_the_services_own():
    named = {
        "den": ("arn:${Partition}:old:${Region}:${Account}:den/${DenName}",),
        "cat": ("arn:${Partition}:herd:${Region}:${Account}:cat/${CatId}",),
        "dog": ("arn:${Partition}:herd:${Region}:${Account}:dog/${DogId}",),
    }
    assert "Den" not in derive(ServiceFacts("herd", HERD, formats=named)).arns
    signed = {**HERD, "metadata": {"signingName": "old"}}
    assert derive(ServiceFacts("herd", signed, formats=named)).arns["Den"].template == named["den"][0]


# ---------------------------------------------------------------------------------------------------------------------
# Names


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("Policies", "Policy"),
        ("Addresses", "Address"),
        ("Caches", "Cache"),
        ("Batches", "Batch"),
        ("Aliases", "Alias"),
        ("Indices", "Index"),
        ("RestApis", "RestApi"),
        ("WebACLs", "WebACL"),
        ("MaintenanceWindows", "MaintenanceWindow"),
        ("DBClusterParameterGroups", "DBClusterParameterGroup"),
        ("Analyses", "Analysis"),
        ("Licenses", "License"),
    ],
)
def test_plurals(many, one):
    assert singular(many) == one
    assert is_plural(many)
    assert not is_plural(one)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("DBClusterARNs", ("DB", "Cluster", "ARNs")),
        ("ListWebACLs", ("List", "Web", "ACLs")),
        ("IPv6Pools", ("IPv6", "Pools")),
        ("restApiId", ("rest", "Api", "Id")),
        ("EC2Fleets", ("EC2", "Fleets")),
    ],
)
def test_words(name, parts):
    assert words(name) == parts


def test_an_operation_is_a_verb_and_a_noun():
    assert split_operation("ListGroupsForUser") == ("List", "Groups", "ForUser")
    assert split_operation("ListObjectsV2") == ("List", "Objects", "")
    assert split_operation("BatchGetProjects") == ("BatchGet", "Projects", "")


def test_an_identifier_loses_its_types_name():
    assert short_name("FunctionName", "Function") == "Name"
    assert short_name("SnapshotId", "DBSnapshot") == "Id"
    assert short_name("bucketName", "Object") == "BucketName"
    assert suffixes("DBSnapshot") == ("dbsnapshot", "snapshot")


@given(st.from_regex(r"[A-Z][a-z]{2,8}([A-Z][a-z]{2,8}){0,3}", fullmatch=True))
def test_words_lose_nothing(name):
    assert "".join(words(name)) == name
    assert pascal(name) == name
    assert key_of(singular(singular(name))) == key_of(singular(name)) or is_plural(singular(name))
    assert plural(name)
