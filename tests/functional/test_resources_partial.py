"""An object that a collection gave knows what the list tells, and loads itself once for what it does not."""

from __future__ import annotations

import pytest

ACCOUNT = "123456789012"
STATES = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'


class Calls(list):
    """Counts the calls of a session, by operation."""

    def __init__(self, session):
        super().__init__()
        session.events.register_first("before-call", lambda model, **_: self.append(model.name))


@pytest.fixture
def session(embedded_aws):
    return embedded_aws.session(region_name="eu-west-1")


@pytest.fixture
def calls(session):
    return Calls(session)


@pytest.fixture
def machine(session, calls):
    role = f"arn:aws:iam::{ACCOUNT}:role/states"
    session.client("stepfunctions").create_state_machine(name="m", definition=STATES, roleArn=role)
    [found] = session.resource("stepfunctions").state_machines.all()
    calls.clear()
    return found


def test_what_the_list_tells_costs_no_call(machine, calls):
    assert (machine.name, machine.type) == ("m", "STANDARD")
    assert machine.arn == f"arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:m"
    assert "m" in repr(machine)
    assert machine.to_dict()["attributes"].keys() >= {"name", "creation_date"}
    assert calls == []


def test_what_it_does_not_tell_is_loaded_once(machine, calls):
    assert machine.definition == STATES
    assert machine.role_arn.endswith(":role/states")
    assert calls == ["DescribeStateMachine"]


def test_what_is_not_there_is_asked_for_once(machine, calls):
    assert [machine.label, machine.label, machine.revision_id] == [None] * 3
    assert calls == ["DescribeStateMachine"]


@pytest.mark.parametrize("way", ["load", "reload"])
def test_what_the_user_has_loaded_is_whole(machine, calls, way):
    getattr(machine, way)()
    assert machine.label is None
    assert calls == ["DescribeStateMachine"]


def test_an_object_without_data_loads_as_in_boto3(session, machine, calls):
    made = session.resource("stepfunctions").StateMachine(machine.arn)
    assert made.arn == machine.arn
    assert calls == []
    assert (made.label, made.definition) == (None, STATES)
    assert calls == ["DescribeStateMachine"]


def test_what_is_gone_meanwhile_keeps_what_the_list_has_told(machine, monkeypatch):
    monkeypatch.setattr(type(machine), "load", lambda self: setattr(self.meta, "data", None))
    assert (machine.definition, machine.name) == (None, "m")


def test_tags_that_only_loading_brings_are_not_none_at_all(session, calls):
    session.client("emr").run_job_flow(
        Name="c",
        Instances={"MasterInstanceType": "m5.large", "InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True},
        JobFlowRole="r",
        ServiceRole="s",
        Tags=[{"Key": "team", "Value": "red"}],
    )
    [cluster] = session.resource("emr").clusters.all()
    calls.clear()
    assert cluster.tags == cluster.get_tags() == {"team": "red"}
    assert cluster.tags_attribute == [{"Key": "team", "Value": "red"}]
    assert calls == ["DescribeCluster"]


def test_a_reference_that_the_list_does_not_tell_is_loaded_too(session, calls):
    client = session.client("servicediscovery")
    client.create_http_namespace(Name="n")
    namespace = client.list_namespaces()["Namespaces"][0]["Id"]
    client.create_service(Name="s", NamespaceId=namespace)
    [service] = session.resource("servicediscovery").services.all()
    calls.clear()
    for _ in range(2):
        assert service.namespace.id == namespace
    assert calls == ["GetService"]


def test_boto3s_own_types_stay_as_they_are(session, calls):
    session.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    role = next(each for each in session.resource("iam").roles.all() if each.name == "r")
    calls.clear()
    assert role.permissions_boundary is None
    assert calls == []
