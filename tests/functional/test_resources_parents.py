"""A name that is unique in its parent alone never stands for a resource without the parent."""

from __future__ import annotations

import pytest

from mangrove.errors import UnknownResourceError
from mangrove.testing import EmbeddedAWS

ACCOUNT = "123456789012"
RULE = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule"


@pytest.fixture(scope="module")
def session():
    with EmbeddedAWS() as aws:
        session = aws.session(region_name="eu-west-1")
        events = session.client("events")
        events.create_event_bus(Name="orders")
        for bus in ("default", "orders"):
            events.put_rule(Name="nightly", EventBusName=bus, Description=bus, EventPattern='{"source":["x"]}')
        yield session


@pytest.mark.parametrize(("arn", "bus"), [(f"{RULE}/nightly", "default"), (f"{RULE}/orders/nightly", "orders")])
def test_a_rule_is_that_of_its_bus(session, arn, bus):
    rule = session.resource_from_arn(arn)
    rule.load()
    assert (rule.arn, rule.event_bus_name, rule.description) == (arn, bus, bus)


def test_a_partners_bus_has_slashes(session):
    rule = session.resource_from_arn(f"{RULE}/aws.partner/example.com/123/nightly")
    assert (rule.event_bus_name, rule.name) == ("aws.partner/example.com/123", "nightly")


def test_rules_of_all_buses_match(session):
    found = session.resources_matching(f"{RULE}/*", on_error=lambda *_: None)
    assert [each.arn for each in found] == [f"{RULE}/nightly", f"{RULE}/orders/nightly"]


def test_a_rule_from_a_bus_stays_the_buss_own(session):
    [rule] = session.resource("events").EventBus("orders").rules.all()
    rule.delete()
    assert [each.arn for each in session.resource("events").EventBus("default").rules.all()] == [f"{RULE}/nightly"]


@pytest.mark.parametrize(
    ("arn", "text"),
    [
        (
            f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule/shop/nightly",
            "scheduler.Schedule(group_name='shop', name='nightly')",
        ),
        (
            f"arn:aws:autoscaling:eu-west-1:{ACCOUNT}:scalingPolicy:0a:autoScalingGroupName/web:policyName/up",
            "autoscaling.Policy(auto_scaling_group_name='web', name='up')",
        ),
        (
            f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:changeSet/next/0a",
            f"cloudformation.ChangeSet(id='arn:aws:cloudformation:eu-west-1:{ACCOUNT}:changeSet/next/0a')",
        ),
    ],
)
def test_the_parent_is_in_the_arn(session, arn, text):
    assert repr(session.resource_from_arn(arn)) == text


def test_the_id_of_a_key_pair_is_no_name(session):
    key = session.client("ec2").create_key_pair(KeyName="ada")["KeyPairId"]
    arn = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:key-pair/{key}"
    assert session.resource_from_arn(arn, search=True).name == "ada"


@pytest.mark.parametrize(
    ("arn", "text"),
    [
        (f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/x:*", "logs.LogGroup(name='/x')"),
        (f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/x", "logs.LogGroup(name='/x')"),
        (f"arn:aws:rds:eu-west-1:{ACCOUNT}:es:sub", "rds.EventSubscription(name='sub')"),
        (
            f"arn:aws:rds:eu-west-1:{ACCOUNT}:auto-backup:ab-1",
            f"rds.DBInstanceAutomatedBackup(arn='arn:aws:rds:eu-west-1:{ACCOUNT}:auto-backup:ab-1')",
        ),
        (f"arn:aws:ce::{ACCOUNT}:costcategory/0a", f"ce.CostCategory(arn='arn:aws:ce::{ACCOUNT}:costcategory/0a')"),
    ],
)
def test_types_that_are_called_otherwise_are_known(session, arn, text):
    assert repr(session.resource_from_arn(arn)) == text


def test_the_id_of_a_clusters_backup_is_no_resource_id(session):
    with pytest.raises(UnknownResourceError):
        session.resource_from_arn(f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster-auto-backup:ab-1")


def test_a_rule_of_a_listener_is_recognised(session):
    arn = f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:listener-rule/app/web/0123456789abcdef/1/2"
    assert repr(session.resource_from_arn(arn)) == f"elbv2.Rule(arn='{arn}')"
