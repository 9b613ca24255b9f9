"""The columns of a type, the names of tables, and values as JSON."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from botocore import xform_name
from botocore.model import ShapeResolver
from hypothesis import given, settings
from hypothesis import strategies as st

from mangrove.errors import ConfigError
from mangrove.inventory.schema import COMMON, columns_of, snake_case
from mangrove.inventory.schema.values import encodable, json_of, plain
from mangrove.inventory.tables import Tables, table_name
from mangrove.resources.kinds import DEFAULT_TYPES

TABLES = Tables()


def shape(**members):
    return SimpleNamespace(members={name: SimpleNamespace(type_name=kind) for name, kind in members.items()})


def names(*shapes):
    return {column.member: column.name for column in columns_of(shapes)}


@pytest.mark.parametrize("kind", DEFAULT_TYPES)
def test_names_are_botocores(kind):
    for column in TABLES.columns(kind):
        assert column.name.removesuffix("_attribute") == xform_name(column.member).removesuffix("_attribute")


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,20}", fullmatch=True))
@settings(deadline=None)
def test_any_name_is_spelled_as_botocore_spells_it(name):
    assert snake_case(name) == xform_name(name)


def test_every_type_has_the_kind_of_its_member():
    kinds = {column.name: column.kind for column in TABLES.columns("ec2.instances")}
    assert kinds["instance_type"] == "string"
    assert kinds["ami_launch_index"] == "integer"
    assert kinds["ebs_optimized"] == "boolean"
    assert kinds["launch_time"] == "timestamp"
    assert kinds["state"] == kinds["security_groups"] == kinds["tags_attribute"] == "json"
    assert {c.name: c.kind for c in TABLES.columns("cloudwatch.alarms")}["threshold"] == "double"
    assert {c.name: c.kind for c in TABLES.columns("logs.log_groups")}["stored_bytes"] == "integer"


def test_names_that_common_columns_have_stand_beside_them():
    assert names(shape(Name="string", Tags="list", Data="map", Region="string")) == {
        "Name": "name_attribute",
        "Tags": "tags_attribute",
        "Data": "data_attribute",
        "Region": "region_attribute",
    }


def test_members_of_one_name_are_two_columns():
    found = names(shape(OwnerId="string", ownerId="string", OwnerIdAttribute="string"))
    assert found["OwnerId"] == "owner_id"
    assert len(set(found.values())) == 3


def test_a_name_goes_to_the_member_that_has_it():
    # Whatever their order, `NameAttribute` is name_attribute, and `Name` gives way.
    for members in ({"Name": "string", "NameAttribute": "string"}, {"NameAttribute": "string", "Name": "string"}):
        found = names(shape(**members))
        assert found == {"NameAttribute": "name_attribute", "Name": "name_attribute_attribute"}


@given(st.lists(st.from_regex(r"[A-Za-z]{1,6}", fullmatch=True), unique=True))
@settings(deadline=None)
def test_no_member_is_lost(members):
    columns = columns_of([shape(**dict.fromkeys(members, "string"))])
    assert sorted(column.member for column in columns) == sorted(members)
    every = [*COMMON, *(column.name for column in columns)]
    assert len({name.lower() for name in every}) == len(every)


def test_what_a_list_tells_comes_first_and_what_loading_adds_follows():
    found = columns_of([shape(A="string"), shape(A="integer", B="long"), None])
    assert [(column.member, column.kind) for column in found] == [("A", "string"), ("B", "integer")]


def test_a_shape_that_holds_itself_is_one_column():
    model = {"Node": {"type": "structure", "members": {"Child": {"shape": "Node"}, "Size": {"shape": "Size"}}}}
    found = columns_of([ShapeResolver({**model, "Size": {"type": "long"}}).get_shape_by_name("Node", {})])
    assert [(column.name, column.kind) for column in found] == [("child", "json"), ("size", "integer")]


@pytest.mark.parametrize("kind", DEFAULT_TYPES)
def test_a_table_leads_back_to_its_type(kind):
    assert TABLES.type_of(table_name(kind)) == kind
    assert TABLES.type_of(table_name(kind).upper()) == kind


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("application-autoscaling.ecs_scalable_targets", "application_autoscaling_ecs_scalable_targets"),
        ("resource-explorer-2.views", "resource_explorer_2_views"),
        ("ecs.clusters.services", "ecs_clusters_services"),
        ("iot.things", "iot_things"),
        ("cognito-idp.user_pools", "cognito_idp_user_pools"),
    ],
)
def test_services_with_signs_in_their_names(kind, table):
    assert table_name(kind) == table
    found = TABLES.type_of(table)
    assert table_name(found) == table


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("ec2_instance", "'ec2_instances'"),
        ("s3_bucket", "'s3_buckets'"),
        ("ecs_services", "'ecs_clusters_services'"),
        ("nonsense", "there is no table 'nonsense'"),
    ],
)
def test_a_table_that_is_not_there_has_close_matches(table, told):
    with pytest.raises(ConfigError, match=told):
        TABLES.type_of(table)


@pytest.mark.parametrize("kind", ["ec3.instances", "ec2.instnaces", "ecs.clusters.servces"])
def test_a_type_that_is_not_there_has_close_matches(kind):
    with pytest.raises(ConfigError, match="did you mean"):
        TABLES.columns(kind)


def test_values_as_json():
    east = timezone(timedelta(hours=2))
    value = {
        "When": datetime(2026, 1, 2, 3, tzinfo=east),
        "Day": date(2026, 1, 2),
        "Blob": b"\xff",
        "Set": {"b"},
        "Bad": float("nan"),
        "Deep": [{"Inf": float("-inf")}],
        "Text": "é\u2028",
        1: None,
    }
    assert json.loads(json_of(value)) == {
        "When": "2026-01-02T01:00:00+00:00",
        "Day": "2026-01-02",
        "Blob": "/w==",
        "Set": ["b"],
        "Bad": "NaN",
        "Deep": [{"Inf": "-Infinity"}],
        "Text": "é\u2028",
        "1": None,
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
@settings(deadline=None)
def test_json_is_read_back_as_it_was(value):
    assert json.loads(json_of(value)) == value == plain(value)


def test_half_of_a_pair_is_no_text():
    assert encodable("a\ud800") == "a?"
    assert encodable("ä") == "ä"
