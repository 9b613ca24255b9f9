"""An organization of fifty accounts: each AssumeRole request is what the account's templates say, field by field."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import mangrove
from mangrove import accounts

COUNT = 50


@pytest.fixture
def organization(embedded_aws):
    session = embedded_aws.session()
    client = session.client("organizations")
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    units = [
        client.create_organizational_unit(ParentId=root, Name=name)["OrganizationalUnit"]["Id"]
        for name in ("prod", "dev")
    ]
    for number in range(COUNT):
        tags = [{"Key": "team", "Value": f"team{number % 7}"}]
        answer = client.create_account(AccountName=f"n{number}", Email=f"n{number}@example.com", Tags=tags)
        client.move_account(
            AccountId=answer["CreateAccountStatus"]["AccountId"],
            SourceParentId=root,
            DestinationParentId=units[number % 2],
        )
    return session


def test_every_request_is_its_accounts_own(organization):
    requests, lock = [], threading.Lock()

    def see(params, **_):
        with lock:
            requests.append(dict(params))

    organization.events.register("provide-client-params.sts.AssumeRole", see)
    found = accounts.from_organization(
        organization, role="teams/{tags[team]}/audit-{name}", external_id="{id}{ou_path}-x", ou="/"
    )
    connections = mangrove.ConnectionManager(session=organization)
    asked = {"source_identity": "alice", "tags": {"run": "1"}, "duration_seconds": 900}

    def open_one(account):
        session = connections.get_session(
            role_arn=account.role_arn(session_partition),
            role_session_name=account.render("run-{name}"),
            external_id=account.external_id,
            **asked,
        )
        return account.id, session.client("sts").get_caller_identity()["Account"], session.account_id

    session_partition = "aws"
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(open_one, found))

    assert len(found) == COUNT
    assert all(len(set(each)) == 1 for each in opened), "an account was reached under another's name"
    expected = {
        account.id: {
            "RoleArn": f"arn:aws:iam::{account.id}:role/teams/team{int(account.name[1:]) % 7}/audit-{account.name}",
            "RoleSessionName": f"run-{account.name}",
            "ExternalId": f"{account.id}/{'dev' if int(account.name[1:]) % 2 else 'prod'}-x",
            "DurationSeconds": 900,
            "Tags": [{"Key": "run", "Value": "1"}],
            "SourceIdentity": "alice",
        }
        for account in found
    }
    assert {request["RoleArn"].split(":")[4]: request for request in requests} == expected
    assert len(requests) == COUNT
