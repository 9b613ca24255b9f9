"""An organisation of 50 accounts: every AssumeRole request, field by field, and whose credentials each session has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl

import boto3
import pytest

import mangrove
from mangrove.testing import EmbeddedAWS

ROLE = "OrganizationAccountAccessRole"


@pytest.fixture(scope="module")
def organisation():
    with EmbeddedAWS(accounts=50) as aws:
        yield aws


def recorded(session):
    requests = []

    def record(request, **_):
        body = request.body if isinstance(request.body, str) else request.body.decode()
        requests.append({**dict(parse_qsl(body)), "host": request.url.split("//")[1]})

    session.events.register("before-send.sts.AssumeRole", record)
    return requests


def test_every_request_of_an_organisation_is_its_accounts_own(organisation):
    base = organisation.session(region_name="eu-west-1")
    requests = recorded(base)
    connections = mangrove.ConnectionManager(base)

    def options(account):
        number = int(account[-2:])
        return {
            "role_arn": f"arn:aws:iam::{account}:role/{ROLE}",
            "role_session_name": f"audit-{account}",
            "external_id": f"id/{account}",
            "duration_seconds": 900 + number,
            "source_identity": "alice",
            "tags": {"account": account, "team": "data"},
            "transitive_tag_keys": ["account"],
            "policy": {"Version": "2012-10-17", "Statement": []},
            "policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        }

    def identity(account):
        session = connections.get_session(**options(account))
        assert connections.get_session(**options(account)) is session
        return session.account_id, session.client("sts").get_caller_identity()["Arn"]

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(identity, organisation.accounts))
    assert found == [
        (account, f"arn:aws:sts::{account}:assumed-role/{ROLE}/audit-{account}") for account in organisation.accounts
    ]
    expected = [
        {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": f"arn:aws:iam::{account}:role/{ROLE}",
            "RoleSessionName": f"audit-{account}",
            "ExternalId": f"id/{account}",
            "DurationSeconds": str(900 + int(account[-2:])),
            "SourceIdentity": "alice",
            "Tags.member.1.Key": "account",
            "Tags.member.1.Value": account,
            "Tags.member.2.Key": "team",
            "Tags.member.2.Value": "data",
            "TransitiveTagKeys.member.1": "account",
            "Policy": '{"Version":"2012-10-17","Statement":[]}',
            "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "host": organisation.endpoint_url.split("//")[1] + "/",
        }
        for account in organisation.accounts
    ]
    assert sorted(requests, key=lambda form: form["RoleArn"]) == sorted(expected, key=lambda form: form["RoleArn"])


def test_verified_sessions_of_an_organisation(organisation):
    connections = mangrove.ConnectionManager(organisation.session())
    for account in organisation.accounts[:5]:
        connections.get_session(f"arn:aws:iam::{account}:role/{ROLE}", verify=True)


def test_a_chain_ends_in_the_last_account(organisation):
    base = organisation.session()
    requests = recorded(base)
    roles = [f"arn:aws:iam::{account}:role/{ROLE}" for account in organisation.accounts[1:4]]
    session = mangrove.ConnectionManager(base).get_session(roles, "alice", verify=True)
    assert session.account_id == organisation.accounts[3]
    assert [form["RoleArn"] for form in requests] == roles


def test_sessions_are_boto3_sessions(organisation):
    connections = mangrove.ConnectionManager(organisation.session())
    session = connections.get_session(f"arn:aws:iam::{organisation.accounts[7]}:role/{ROLE}", region_name="eu-west-1")
    assert isinstance(session, boto3.Session)
    queue = session.resource("sqs").create_queue(QueueName="orders")
    assert queue.attributes["QueueArn"] == f"arn:aws:sqs:eu-west-1:{organisation.accounts[7]}:orders"
    session.client("s3").create_bucket(
        Bucket="of-account-7", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    session.client("s3").upload_fileobj(__import__("io").BytesIO(b"x"), "of-account-7", "key")
    with mangrove.ServicePool(service="sqs", session=session, regions=["eu-west-1"]) as pool:
        assert len(pool.regions["eu-west-1"].list_queues()["QueueUrls"]) == 1


def test_the_environment_is_a_base(embedded_aws_env, monkeypatch):
    account = embedded_aws_env.accounts[1]
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    session = mangrove.ConnectionManager(region_name="us-east-1").get_session(f"arn:aws:iam::{account}:role/{ROLE}")
    assert session.client("sts").get_caller_identity()["Account"] == account


def test_a_session_of_an_embedded_base_goes_to_no_proxy(organisation, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    account = organisation.accounts[9]
    session = mangrove.ConnectionManager(organisation.session()).get_session(f"arn:aws:iam::{account}:role/{ROLE}")
    assert session.client("sts").get_caller_identity()["Account"] == account
    assert session.client("s3", endpoint_url="http://127.0.0.1:9").meta.endpoint_url == "http://127.0.0.1:9"
    assert session.client("s3", "eu-west-1").meta.region_name == "eu-west-1"
