"""What sessions of roles take over from their base, what they don't, and what of botocore that rests on."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import textwrap
import weakref

import boto3
import botocore.loaders
import botocore.session
import pytest
from botocore.config import Config
from botocore.handlers import disable_signing

import mangrove
from mangrove.aws import derived
from mangrove.aws.derived import Derivation, own_handlers
from mangrove.aws.emitter import session_emitter
from mangrove.aws.session import botocore_session

ROLE = "arn:aws:iam::210987654321:role/Reader"


def mine(**_):
    """Be a user's handler."""


@pytest.fixture(params=["mangrove", "safe", "boto3"])
def base(request, monkeypatch):
    monkeypatch.delenv("MANGROVE_SAFE_MODE", raising=False)
    arguments = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "x", "region_name": "eu-west-1"}
    if request.param == "boto3":
        return boto3.Session(**arguments)
    return mangrove.Session(**arguments, safe_mode=request.param == "safe")


def test_the_tree_of_handlers_is_as_expected():
    # Canary: botocore's emitter, its aliaser and its tree are private.
    found = derived._handlers_of(session_emitter())
    assert len(found) > 100
    plain = botocore.session.Session().get_component("event_emitter")
    assert {event for event, _, _ in derived._handlers_of(plain)} == {event for event, _, _ in found}
    assert {section for _, _, section in found} == {0, 1, 2}


def test_a_session_that_nobody_has_changed_has_no_handlers_of_its_own(base):
    assert list(own_handlers(botocore_session(base))) == []


def test_a_users_handlers_are_found_in_their_sections(base):
    base.events.register_last("before-send", mine)
    base.events.register_first("before-send.s3", mine)
    base.events.register("choose-signer.s3.*", disable_signing)
    found = {(event, section) for event, _, section in own_handlers(botocore_session(base))}
    assert found == {("before-send", 2), ("before-send.s3", 0), ("choose-signer.s3.*", 1)}


def test_handlers_of_a_changed_botocore_are_left_out_with_a_warning(base, monkeypatch, caplog):
    monkeypatch.setattr(derived, "_handlers_of", lambda _: {}["root"])
    with caplog.at_level(logging.WARNING, "mangrove"):
        assert list(own_handlers(botocore_session(base))) == []
    assert "this botocore has changed" in caplog.text


def test_a_derived_session_behaves_as_its_base(base):
    core = botocore_session(base)
    core.set_default_client_config(Config(read_timeout=7))
    core.set_config_variable("use_fips_endpoint", True)
    base.events.register("before-send.sqs", mine)
    session = Derivation(base).session(lambda: None)
    assert session.get_credentials() is None
    client = session.client("sqs", config=Config(signature_version=botocore.UNSIGNED))
    assert client.meta.endpoint_url == "https://sqs-fips.eu-west-1.amazonaws.com"
    assert client.meta.config.read_timeout == 7
    assert mine in client.meta.events._emitter._handlers.prefix_search("before-send.sqs.ListQueues")
    assert session.region_name == "eu-west-1"
    assert session.resource("dynamodb").Table("x").batch_writer
    assert "upload_file" in dir(session.client("s3", config=Config(signature_version=botocore.UNSIGNED)))


def test_a_base_with_models_of_its_own(monkeypatch):
    monkeypatch.delenv("MANGROVE_SAFE_MODE", raising=False)
    base = mangrove.Session("AKIA", "x", region_name="eu-west-1")
    usual = botocore_session(base).get_component("data_loader")
    loader = botocore.loaders.Loader(extra_search_paths=list(usual.search_paths))
    botocore_session(base).register_component("data_loader", loader)
    session = Derivation(base).session(lambda: None)
    assert botocore_session(session).get_component("data_loader") is loader
    assert session.client("sqs", config=Config(signature_version=botocore.UNSIGNED)).meta.region_name == "eu-west-1"


def test_a_base_is_as_it_was(base):
    core = botocore_session(base)
    before = core.instance_variables(), core.get_credentials(), base.region_name
    session = Derivation(base).session(lambda: None, region_name="us-east-1", variables={"retry_mode": "standard"})
    session.events.register("before-send", mine)
    assert (core.instance_variables(), core.get_credentials(), base.region_name) == before
    assert list(own_handlers(core)) == []


def test_what_is_changed_in_one_derived_session_is_in_no_other(base):
    derivation = Derivation(base)
    one, two = derivation.session(lambda: None), derivation.session(lambda: None)
    one.events.register("before-send.sqs", mine)
    unsigned = Config(signature_version=botocore.UNSIGNED)
    found = [
        mine in session.client("sqs", config=unsigned).meta.events._emitter._handlers.prefix_search("before-send.sqs.X")
        for session in (one, two)
    ]
    assert found == [True, False]


def test_what_clients_share_keeps_no_role_alive(monkeypatch):
    monkeypatch.delenv("MANGROVE_SAFE_MODE", raising=False)
    connections = mangrove.ConnectionManager(mangrove.Session("AKIA", "canary", region_name="eu-west-1"))
    session = connections.get_session(ROLE)
    client = session.client("sqs")
    seen = [weakref.ref(thing) for thing in (connections, session, client, session.get_credentials())]
    seen.append(weakref.ref(session.get_credentials().refresher))
    del connections, session, client
    gc.collect()
    assert [ref() for ref in seen] == [None] * len(seen)


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system can't fork")
def test_a_forked_child_has_locks_and_connections_of_its_own():
    script = """
        import os, signal
        import mangrove
        connections = mangrove.ConnectionManager(mangrove.Session("AKIA", "x", region_name="eu-west-1"))
        session = connections.get_session("arn:aws:iam::210987654321:role/Reader")
        links, refresher = connections._links, session.get_credentials().refresher
        source = links.source((), "eu-west-1")
        mine = source.sts()
        parents = mine._endpoint.http_session._manager
        for lock in (connections._sessions._lock, links._kept._lock, refresher._lock):
            lock.acquire()  # as another thread would hold it
        child = os.fork()
        if not child:
            signal.alarm(20)
            same = connections.get_session("arn:aws:iam::210987654321:role/Reader") is session
            connections.get_session("arn:aws:iam::345678901234:role/Reader")
            with refresher._alone():
                other = source.sts()
            apart = other is not mine and other._endpoint.http_session._manager is not parents
            os._exit(0 if same and apart else 1)
        print(os.waitpid(child, 0)[1], source.sts() is mine)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout == "0 True\n", run.stderr
