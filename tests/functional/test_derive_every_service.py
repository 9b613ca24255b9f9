"""The derivation over every service of the botocore that is installed: nothing breaks, and the figures stand."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import boto3
import pytest
from boto3.resources.factory import ResourceFactory
from boto3.resources.model import ResourceModel
from boto3.utils import ServiceContext
from botocore import xform_name
from botocore.loaders import ExtrasProcessor, Loader
from botocore.model import ServiceModel

from mangrove.resources.derive import derive
from mangrove.resources.derive.gather import gather
from mangrove.resources.derive.operations import Model
from mangrove.resources.derive.validate import validate
from mangrove.resources.partial import partial_of

LOADER = Loader(extra_search_paths=[str(Path(boto3.__file__).parent / "data")])
SERVICES = LOADER.list_available_services("service-2")
GOLDEN = Path(__file__).with_name("golden") / "derive"
GOLDEN_SERVICES = "apigateway elbv2 lambda logs organizations quicksight rds wafv2".split()
OWN = LOADER.list_available_services("resources-1")
KEPT = "cloudformation cloudwatch dynamodb ec2 glacier iam s3 sns sqs".split()


class Whole:
    """All services, derived once."""

    def __init__(self) -> None:
        self.facts = {name: gather(LOADER, name) for name in SERVICES}
        self.derived = {name: derive(facts) for name, facts in self.facts.items()}

    def definition(self, name):
        """Return the definition that boto3 would load: with boto3's own below, where it has one."""
        derived = self.derived[name]
        if not derived.extends:
            return derived.definition
        merged = copy.deepcopy(dict(self.facts[name].existing))
        ExtrasProcessor().process(merged, [copy.deepcopy(dict(derived.definition))])
        return merged


@pytest.fixture(scope="module")
def whole():
    return Whole()


def context_of(whole, name):
    definition = whole.definition(name)
    model = ServiceModel(whole.facts[name].model, name)
    context = ServiceContext(
        service_name=name,
        service_model=model,
        service_waiter_model=None,
        resource_json_definitions=definition["resources"],
    )
    return definition, context


def test_no_definition_has_an_error(whole):
    found = []
    for name in SERVICES:
        facts = whole.facts[name]
        boto3s = (
            {str(each) for each in validate(facts.existing, facts.model, facts.waiters)} if facts.existing else set()
        )
        problems = validate(whole.definition(name), facts.model, facts.waiters)
        found += [f"{name} {problem}" for problem in problems if str(problem) not in boto3s]
    assert found == []


def test_boto3_makes_a_class_of_every_type(whole):
    classes = 0
    for name in SERVICES:
        definition, context = context_of(whole, name)
        factory = ResourceFactory(None)
        assert factory.load_from_definition(name, definition["service"], context)
        for kind, resource in definition["resources"].items():
            assert factory.load_from_definition(kind, resource, context)
            classes += 1
    assert classes >= 2_800


def test_the_figures(whole):
    derived = whole.derived.values()
    kinds = [(each, kind, sort) for each in derived for kind, sort in each.kinds.items()]
    core = [(each, kind) for each, kind, sort in kinds if sort == "core"]
    assert sum(bool(each.kinds) for each in derived) >= 350
    assert len(core) >= 2_000
    assert sum(kind in each.arns for each, kind in core) >= 1_600
    assert (
        sum("load" in resource for name in SERVICES for resource in whole.definition(name)["resources"].values())
        >= 2_000
    )


def test_every_type_is_reached_from_the_service(whole):
    """A collection of the service, or of something that is reached, gives each type."""
    for name in set(SERVICES) - set(OWN):
        definition = whole.definition(name)
        reached = {each["resource"]["type"] for each in definition["service"].get("hasMany", {}).values()} | {"Account"}
        while (
            more := {
                each["resource"]["type"]
                for kind in reached & definition["resources"].keys()
                for each in definition["resources"][kind].get("hasMany", {}).values()
            }
            - reached
        ):
            reached |= more
        # What an old name alone speaks of needs no way that leads to it.
        laid = whole.facts[name].overlay.get("merge", {}).get("resources", {})
        old = {kind for kind, each in definition["resources"].items() if "alias" in each} | (laid.keys() - reached)
        assert set(definition["resources"]) <= reached | old, name


def test_every_arn_can_be_read_from_what_the_type_has(whole):
    for name in SERVICES:
        resources = whole.definition(name)["resources"]
        for kind, spec in whole.derived[name].arns.items():
            identifiers = {each["name"] for each in resources[kind].get("identifiers", ())}
            used = {source.identifier for source in spec.variables.values()} | {spec.identifier}
            assert used - {""} <= identifiers, f"{name} {kind}"
            assert not spec.load or "load" in resources[kind], f"{name} {kind}"
            given = {"Partition", "Region", "Account", *spec.variables}
            written = {part.split("}")[0] for part in spec.template.split("${")[1:]}
            assert written <= given, f"{name} {kind}"


def test_what_a_collection_lacks_is_among_the_attributes(whole):
    for name in SERVICES:
        model = ServiceModel(whole.facts[name].model, name)
        definition = whole.definition(name)
        for kind, missing in partial_of(definition, Model(whole.facts[name].model)).items():
            shape = definition["resources"][kind]["shape"]
            assert set(missing) <= set(model.shape_for(shape).members), f"{name} {kind}"


@pytest.mark.parametrize("name", ["rds", "ec2"])
def test_the_derivation_is_pure(whole, name):
    facts = gather(LOADER, name)
    before = copy.deepcopy((dict(facts.model), dict(facts.paginators), dict(facts.overlay), facts.existing))
    assert derive(facts) == whole.derived[name]
    assert (dict(facts.model), dict(facts.paginators), dict(facts.overlay), facts.existing) == before


# ---------------------------------------------------------------------------------------------------------------------
# boto3's own nine


def renames(whole, name, definition, resource, own):
    """Return the names that a class has, after boto3's renaming, by what they are."""
    model = ResourceModel(name, resource, definition["resources"])
    shape = ServiceModel(whole.facts[own].model, own).shape_for(resource["shape"]) if "shape" in resource else None
    model.load_rename_map(shape)
    return model._renamed


@pytest.mark.parametrize("own", OWN)
def test_boto3s_own_are_extended_and_never_changed(whole, own):
    existing, merged = whole.facts[own].existing, whole.definition(own)
    assert whole.derived[own].extends
    for kind, resource in existing["resources"].items():
        after = merged["resources"][kind]
        more = ("has", "hasMany")
        assert {part: value for part, value in after.items() if part not in more} == {
            part: value for part, value in resource.items() if part not in more
        }
        for part in more:
            assert after.get(part, {}).items() >= resource.get(part, {}).items()
        assert renames(whole, kind, merged, after, own) == renames(whole, kind, existing, resource, own)
    assert merged["service"].get("hasMany", {}).items() >= existing["service"].get("hasMany", {}).items()
    added = set(map(xform_name, merged["service"].get("hasMany", {}))) - set(
        map(xform_name, existing["service"]["hasMany"])
    )
    assert not added & set(map(xform_name, existing["service"].get("actions", {})))


def test_derivation_finds_what_boto3_was_taught(whole):
    """Derive boto3's nine as if boto3 had none: the hand-made files say how often that is right."""
    found = dict.fromkeys(("listings", "identifiers", "loads", "children"), 0)
    for name in KEPT:
        facts = gather(LOADER, name)
        mine = derive(type(facts)(name, facts.model, facts.paginators, facts.waiters, facts.formats)).definition
        listed = {each["request"]["operation"]: each["resource"] for each in mine["service"]["hasMany"].values()}
        below = {
            each["request"]["operation"]
            for resource in mine["resources"].values()
            for each in resource.get("hasMany", {}).values()
        }
        for collection in facts.existing["service"]["hasMany"].values():
            theirs, ours = collection["resource"], listed.get(collection["request"]["operation"])
            if ours is None:
                continue
            found["listings"] += 1
            found["identifiers"] += _paths(theirs) == _paths(ours)
            load = facts.existing["resources"][theirs["type"]].get("load")
            found["loads"] += bool(load) and _operation(load) == _operation(mine["resources"][ours["type"]].get("load"))
        for resource in facts.existing["resources"].values():
            found["children"] += sum(_operation(each) in below for each in resource.get("hasMany", {}).values())
    # Of 35 listings, 35 identities, 30 loads and 52 children.
    assert found["listings"] >= 32
    assert found["identifiers"] >= 29
    assert found["loads"] >= 28
    assert found["children"] >= 40


def _paths(resource):
    return sorted(each["path"] for each in resource["identifiers"] if each["source"] == "response")


def _operation(definition):
    return definition["request"]["operation"] if definition else None


# ---------------------------------------------------------------------------------------------------------------------
# Snapshots: a line a type, of what the oldest and the newest botocore have in common


def lines_of(whole, name):
    """Sum up the types of a service in a line each."""
    derived, definition = whole.derived[name], whole.definition(name)
    listed = {}
    for holder, part in (("", definition["service"]), *definition["resources"].items()):
        for each in part.get("hasMany", {}).values():
            given = ",".join(sorted(param["target"] for param in each["request"].get("params", ())))
            listed.setdefault(each["resource"]["type"], []).append(f"{holder}.{_operation(each)}({given})")
    for kind, resource in sorted(definition["resources"].items()):
        spec = derived.arns.get(kind)
        words = [f"{kind}({', '.join(each['name'] for each in resource.get('identifiers', ()))})"]
        words += [derived.kinds[kind], f"list={listed.get(kind, ['-'])[0]}"]
        words.append(f"load={_operation(resource.get('load')) or '-'}")
        words.append(f"arn={_source(spec)}" if spec else "arn=-")
        yield " ".join(words)


def _source(spec):
    sources = {name: source.identifier or source.path for name, source in spec.variables.items()}
    template = spec.template.split(":", 5)[5].replace("$", "").format_map(sources) if spec.template else ""
    return "|".join(filter(None, (spec.path, spec.identifier, template, "load" if spec.load else "")))


@pytest.mark.parametrize("name", GOLDEN_SERVICES)
def test_nothing_known_has_moved(whole, name):
    """Compare with `golden/derive`; run this file as a script, by each interpreter in turn, to take a new snapshot."""
    known = (GOLDEN / f"{name}.txt").read_text().splitlines()
    assert known
    assert [line for line in known if line not in set(lines_of(whole, name))] == []


if __name__ == "__main__":
    # The first interpreter writes what it has, each other one keeps what it has too.
    everything = Whole()
    for service in GOLDEN_SERVICES:
        file = GOLDEN / f"{service}.txt"
        now = list(lines_of(everything, service))
        kept = set(now) if "--first" in sys.argv else set(file.read_text().splitlines())
        file.write_text("".join(f"{line}\n" for line in now if line in kept))
