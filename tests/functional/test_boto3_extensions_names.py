"""Every name of boto3_extensions 0.23.0 still works: 153 types and their identifiers, 85 collections, 79 of types."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path

import boto3
import pytest
from boto3.resources.factory import ResourceFactory
from boto3.utils import ServiceContext
from botocore import xform_name
from botocore.loaders import ExtrasProcessor, Loader
from botocore.model import ServiceModel

from mangrove.resources.derive import derive
from mangrove.resources.derive.aliases import with_aliases
from mangrove.resources.derive.gather import gather
from mangrove.resources.derive.validate import validate

LOADER = Loader(extra_search_paths=[str(Path(boto3.__file__).parent / "data")])
OLD = json.loads((Path(__file__).with_name("data") / "boto3_extensions_names.json").read_text())["services"]
TYPES = [(name, kind) for name, all_ in OLD.items() for kind, each in all_["types"].items() if each["identifiers"]]
COLLECTIONS = [(name, collection) for name, service in OLD.items() for collection in service["collections"]]
CHILDREN = [
    (name, kind, collection)
    for name, service in OLD.items()
    for kind, each in service["types"].items()
    for collection in each.get("collections", ())
]
# What identifies these is more than boto3_extensions took: nothing could be read, or told apart, by what it took.
MORE = {("glue", "Table"): ["DatabaseName"], ("route53", "ResourceRecordSet"): ["HostedZoneId"]}
# A collection that lists the same by another operation.
OTHERWISE = {
    ("cloudtrail", "Trails"): "ListTrails",  # with the trails of all regions, as the ARN names them
    ("glue", "Jobs"): "GetJobs",  # GetJobsV2 never existed
    ("glue", "Tables"): "SearchTables",  # GetTables asks for a database
}
# A key can't be looked up: ListPublicKeys takes a range of time, and may answer with other keys. An affected entity
# can't be looked up without its event.
NO_LOAD = {("cloudtrail", "PublicKey"), ("health", "AffectedEntity")}


@cache
def known(service):
    """Derive a service; return its facts, what is derived, and the definition that boto3 loads."""
    facts = gather(LOADER, service)
    derived = derive(facts)
    if not derived.extends:
        return facts, derived, derived.definition
    merged = copy.deepcopy(dict(facts.existing))
    ExtrasProcessor().process(merged, [copy.deepcopy(dict(derived.definition))])
    return facts, derived, merged


@cache
def made(service):
    """Return a service resource, made by boto3's own factory, with no client behind it."""
    facts, _, definition = known(service)
    context = ServiceContext(
        service_name=service,
        service_model=ServiceModel(facts.model, service),
        service_waiter_model=None,
        resource_json_definitions=definition["resources"],
    )
    return ResourceFactory(None).load_from_definition(service, definition["service"], context)(client=object())


def target(service, kind):
    """Return the definition of the type that an old name leads to, by its identifiers."""
    _, derived, definition = known(service)
    found = definition["resources"][derived.aliases.get(kind, kind)]
    other = found.get("otherwise")
    names = OLD[service]["types"][kind]["identifiers"]
    return definition["resources"][other] if other and names == ["Name"] else found


def python_names(definition):
    names = [name for each in definition.get("identifiers", ()) for name in (each["name"], *each.get("aliases", ()))]
    return {xform_name(name) for name in names}


def test_nothing_of_the_list_is_lost():
    assert (len(OLD), len(TYPES), len(COLLECTIONS), len(CHILDREN)) == (31, 153, 85, 79)


@pytest.mark.parametrize(("service", "kind"), TYPES)
def test_a_type(service, kind):
    old = OLD[service]["types"][kind]
    found = target(service, kind)
    extra = MORE.get((service, kind), [])
    assert {xform_name(name) for name in (*old["identifiers"], *extra)} <= python_names(found)
    assert len(found["identifiers"]) == len(old["identifiers"]) + len(extra)
    values = [f"value-{index}" for index in range(len(found["identifiers"]))]
    for name in old.get("as", [kind]):
        resource = getattr(made(service), name)(*values)
        assert [getattr(resource, each) for each in resource.meta.identifiers] == values
        if old["loads"] and (service, kind) not in NO_LOAD:
            assert callable(resource.load)


@pytest.mark.parametrize(("service", "collection"), COLLECTIONS)
def test_a_collection(service, collection):
    name = xform_name(collection)
    manager = getattr(made(service), name)
    assert callable(manager.all)
    [found] = [each for own, each in known(service)[2]["service"]["hasMany"].items() if xform_name(own) == name]
    expected = OTHERWISE.get((service, collection), OLD[service]["collections"][collection])
    assert found["request"]["operation"] == expected


@pytest.mark.parametrize(("service", "kind", "collection"), CHILDREN)
def test_a_collection_of_a_type(service, kind, collection):
    count = len(target(service, kind)["identifiers"])
    holder = getattr(made(service), OLD[service]["types"][kind].get("as", [kind])[0])(*["x"] * count)
    assert callable(getattr(holder, xform_name(collection)).all)


@pytest.mark.parametrize("service", OLD)
def test_no_definition_has_an_error(service):
    facts, _, definition = known(service)
    boto3s = {str(each) for each in validate(facts.existing or {}, facts.model, facts.waiters)}
    assert [str(p) for p in validate(definition, facts.model, facts.waiters) if str(p) not in boto3s] == []


@pytest.mark.parametrize("service", OLD)
def test_every_old_name_leads_somewhere(service):
    facts, derived, _ = known(service)
    wanted = facts.overlay.get("aliases", {})
    names = {
        *wanted.get("types", ()),
        *wanted.get("collections", ()),
        *wanted.get("actions", ()),
        *(f"{kind}.{old}" for kind, names in wanted.get("identifiers", {}).items() for old in names),
    }
    assert names.isdisjoint({each.what for each in derived.dropped})


@pytest.mark.parametrize(("service", "kind"), [("s3", "Bucket"), ("iam", "AccessKey"), ("dynamodb", "Table")])
def test_nothing_of_boto3s_own_is_lost(service, kind):
    facts, _, definition = known(service)
    assert facts.existing["resources"].keys() <= definition["resources"].keys()
    for part, theirs in facts.existing["resources"][kind].items():
        ours = definition["resources"][kind][part]
        assert theirs == ours or theirs.items() <= ours.items()


def test_bucket_lifecycle_configuration_is_there():
    """B18: boto3_extensions had laid its file over boto3's, without this type."""
    bucket = made("s3").Bucket("b")
    assert bucket.LifecycleConfiguration().bucket_name == "b"
    assert bucket.Location().bucket_name == "b"


# ---------------------------------------------------------------------------------------------------------------------
# The function itself

BARN = {
    "service": {"hasMany": {"Barns": {"request": {"operation": "ListBarns"}, "resource": {"type": "Barn"}}}},
    "resources": {
        "Barn": {
            "identifiers": [{"name": "Arn", "memberName": "BarnArn"}],
            "shape": "Barn",
            "load": {
                "request": {
                    "operation": "GetBarns",
                    "params": [{"target": "Arns[0]", "source": "identifier", "name": "Arn"}],
                },
                "path": "Barns[0]",
            },
            "actions": {
                "Paint": {
                    "request": {
                        "operation": "PaintBarn",
                        "params": [{"target": "Arn", "source": "identifier", "name": "Arn"}],
                    }
                }
            },
        }
    },
}


def test_an_old_name_never_takes_the_place_of_a_derived_one():
    wanted = {"types": {"Barn": "Barn"}, "collections": {"Barns": "Barns"}, "actions": {"Barn.Paint": "Paint"}}
    assert with_aliases(BARN, wanted) == (BARN, {}, [])


def test_an_old_name_that_leads_nowhere_is_told():
    wanted = {
        "types": {"Stable": "Horse"},
        "collections": {"Horses": "Ponies", "Horse.Foals": "Foals"},
        "actions": {"Barn.Ride": "Race"},
        "identifiers": {"Barn": {"Id": "Number"}, "Horse": {"Id": "Number"}},
        "others": {"Horse": {"name": "Name", "member": "Name", "input": "Names[0]"}},
    }
    tree, names, dropped = with_aliases(BARN, wanted)
    assert (tree, names) == (BARN, {})
    told = ["Horses", "Horse.Foals", "Barn.Ride", "Barn.Id", "Horse.Id", "HorseByName", "Stable"]
    assert [each.what for each in dropped] == told


def test_what_is_derived_is_not_changed():
    before = copy.deepcopy(BARN)
    wanted = {
        "types": {"Shed": "Barn"},
        "collections": {"Sheds": "Barns"},
        "actions": {"Barn.Colour": "Paint"},
        "identifiers": {"Barn": {"Key": "Arn"}},
        "others": {"Barn": {"name": "Name", "member": "BarnName", "input": "Names[0]"}},
    }
    tree, names, dropped = with_aliases(BARN, wanted)
    assert before == BARN
    assert (names, dropped) == ({"Shed": "Barn"}, [])
    assert tree["service"]["has"]["Shed"] == tree["service"]["has"]["Barn"]
    assert tree["service"]["hasMany"]["Sheds"] == {**BARN["service"]["hasMany"]["Barns"], "alias": "Barns"}
    assert tree["resources"]["Barn"]["identifiers"][0]["aliases"] == ["Key"]
    assert tree["resources"]["Barn"]["actions"]["Colour"]["alias"] == "Paint"


def test_what_is_also_known_by_its_name_takes_its_arn_from_the_data():
    tree, _, _ = with_aliases(BARN, {"others": {"Barn": {"name": "Name", "member": "BarnName", "input": "Names[0]"}}})
    other = tree["resources"]["BarnByName"]
    assert other["identifiers"] == [{"name": "Name", "memberName": "BarnName"}]
    assert other["load"]["request"]["params"] == [{"target": "Names[0]", "source": "identifier", "name": "Name"}]
    assert other["actions"]["Paint"]["request"]["params"] == [{"target": "Arn", "source": "data", "path": "BarnArn"}]
    assert tree["resources"]["Barn"]["otherwise"] == "BarnByName"
