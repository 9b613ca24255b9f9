"""Borrowed credentials: a thread has those of the account it acts for, or none; and what may not be shared is not."""

from __future__ import annotations

import pickle
import threading

import pytest
from botocore.config import Config
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

import mangrove
from mangrove.aws import borrowed as module
from mangrove.aws.borrowed import BorrowedCredentials, is_the_same_for_all
from mangrove.aws.compat import why_not
from mangrove.aws.session import botocore_session
from mangrove.aws.sharing import SharingSession
from mangrove.errors import CredentialError

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})


def keys(number):
    return Credentials(f"AKID{number}", f"secret{number}", f"token{number}", account_id=f"{number:012}")


def of(found):
    return found.access_key, found.secret_key, found.token, found.account_id


# -- whose credentials they are ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["access_key", "secret_key", "token", "account_id", "current"])
def test_who_acts_for_nobody_has_no_credentials(name):
    borrowed = BorrowedCredentials()
    with pytest.raises(CredentialError, match="acts for none"):
        getattr(borrowed, name)
    with pytest.raises(CredentialError):
        borrowed.get_frozen_credentials()
    later = borrowed.get_deferred_property("account_id")
    with pytest.raises(CredentialError):
        later()


def test_it_is_for_the_call_alone_though_that_fails():
    borrowed = BorrowedCredentials()

    def fails():
        assert of(borrowed) == of(keys(1))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        borrowed.act_for(keys(1), fails)
    with pytest.raises(CredentialError):
        borrowed.get_frozen_credentials()


def test_one_within_another():
    borrowed, seen = BorrowedCredentials(), []

    def outer():
        borrowed.act_for(keys(2), lambda: seen.append(borrowed.access_key))
        seen.append(borrowed.access_key)

    borrowed.act_for(keys(1), outer)
    assert seen == ["AKID2", "AKID1"]


def test_a_thread_that_is_begun_meanwhile_acts_for_nobody():
    borrowed, seen = BorrowedCredentials(), []

    def other():
        try:
            seen.append(borrowed.access_key)
        except CredentialError:
            seen.append(None)

    def begin():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    borrowed.act_for(keys(1), begin)
    assert seen == [None]


def test_two_of_them_know_nothing_of_each_other():
    one, two = BorrowedCredentials(), BorrowedCredentials()

    def ask():
        with pytest.raises(CredentialError):
            two.get_frozen_credentials()
        return one.access_key

    assert one.act_for(keys(1), ask) == "AKID1"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=8), min_size=2, max_size=6))
def test_threads_that_take_turns_have_their_own(turns):
    """Each thread acts for one account after the other, and they look at their keys at the same time."""
    borrowed = BorrowedCredentials()
    barrier = threading.Barrier(len(turns))
    wrong = []

    def work(numbers):
        for step in range(8):
            number = numbers[step % len(numbers)]

            def look(expected=number):
                barrier.wait(20)
                found = borrowed.get_frozen_credentials()
                barrier.wait(20)
                if of(found)[:3] != of(keys(expected))[:3] or borrowed.account_id != f"{expected:012}":
                    wrong.append((expected, found.access_key))

            borrowed.act_for(keys(number), look)

    threads = [threading.Thread(target=work, args=(numbers,)) for numbers in turns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []


def test_they_show_nothing_and_go_nowhere():
    borrowed = BorrowedCredentials()
    assert borrowed.act_for(keys(1), lambda: repr(borrowed)) == "<BorrowedCredentials>"
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(borrowed)


# -- what is the same for all ------------------------------------------------------------------------------------------


@pytest.fixture
def session():
    core_like = mangrove.Session(region_name="eu-west-1")
    core = botocore_session(core_like)
    if not isinstance(core, SharingSession):
        pytest.skip("clients are made in botocore's own way")
    made = BorrowedCredentials()
    core._credentials = made
    return core_like


def same(session, service, operation, config=ONCE, change=None, **arguments):
    client = session.client(service, config=config, **arguments)
    if change:
        change(client)
    return is_the_same_for_all(client, client.meta.service_model.operation_model(operation))


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ec2", "DescribeInstances"),
        ("sqs", "ListQueues"),
        ("iam", "ListRoles"),
        ("lambda", "ListFunctions"),
        ("rds", "DescribeDBInstances"),
        ("sts", "GetCallerIdentity"),
        ("route53", "ListHostedZones"),
        ("cloudwatch", "ListMetrics"),
    ],
)
def test_canary_most_services_are(session, service, operation):
    assert not why_not()
    assert same(session, service, operation)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("dynamodb", "ListTables"),  # its endpoint has the account's id
        ("s3", "ListBuckets"),  # a client learns where buckets are
        ("s3control", "ListAccessPoints"),
        ("timestream-query", "ListScheduledQueries"),  # endpoints are found out and remembered
        ("logs", "StartLiveTail"),  # a stream goes on after the call
        ("lambda", "InvokeWithResponseStream"),
        ("ebs", "GetSnapshotBlock"),  # a body is read after the call
        ("codecatalyst", "ListSpaces"),  # signed with a token
        ("cognito-identity", "GetId"),  # not signed at all
        ("sdb", "ListDomains"),  # signed in another way
    ],
)
def test_others_need_a_client_of_their_own(session, service, operation):
    assert not same(session, service, operation)


def test_no_service_with_an_endpoint_of_the_account_is(session):
    loader = botocore_session(session).get_component("data_loader")
    found = set()
    for service in session.get_available_services():
        rules = loader.load_service_model(service, "endpoint-rule-set-1")
        told = {each.get("builtIn") for each in rules["parameters"].values()} - {None}
        if not told <= module._OF_SETTINGS:
            found.add(service)
            model = botocore_session(session).get_service_model(service)
            assert not same(session, service, model.operation_names[0])
    assert {"dynamodb", "s3", "s3control"} <= found


def test_a_client_that_remembers_its_own_tries_is_not(session):
    for retries in ({"mode": "standard", "total_max_attempts": 2}, {"mode": "adaptive", "total_max_attempts": 1}):
        assert not same(session, "ec2", "DescribeInstances", Config(retries=retries))
    assert not same(session, "ec2", "DescribeInstances", None)


def test_a_client_with_handlers_of_the_users_is_not(session):
    def listen(client):
        client.meta.events.register("before-sign.ec2", lambda **_: None)

    assert not same(session, "ec2", "DescribeInstances", change=listen)
    assert same(session, "ec2", "DescribeInstances")


def test_a_client_with_other_credentials_or_signers_is_not(session):
    def own(client):
        client._request_signer._credentials = keys(1)

    def strange(client):
        client._request_signer = type("Signer", (type(client._request_signer),), {})

    assert not same(session, "ec2", "DescribeInstances", change=own)
    assert not same(session, "ec2", "DescribeInstances", change=strange)


def test_a_client_with_plugins_is_not(session, monkeypatch):
    monkeypatch.setattr(module, "plugins", lambda: "mine=module")
    assert not same(session, "ec2", "DescribeInstances")


def test_a_botocore_that_has_changed_shares_nothing(session):
    assert not is_the_same_for_all(object(), None)


def test_in_safe_mode_nothing_is_shared():
    plain = mangrove.Session(region_name="eu-west-1", safe_mode=True)
    botocore_session(plain)._credentials = BorrowedCredentials()
    assert not same(plain, "ec2", "DescribeInstances")
