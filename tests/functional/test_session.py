"""The session: boto3's own, with models shared; and the privates of botocore that it reads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.loaders
import botocore.session
import pytest

import mangrove
from mangrove.aws.loader import settled
from mangrove.aws.session import botocore_session, creation_lock, sdk_regions
from mangrove.errors import ConfigError


def loader_of(session):
    return botocore_session(session).get_component("data_loader")


def test_canary_botocore_and_boto3_are_as_expected():
    session = boto3.Session()
    assert isinstance(session._session, botocore.session.Session)
    loader = session._session.get_component("data_loader")
    assert isinstance(loader, botocore.loaders.Loader)
    assert isinstance(loader.search_paths, list)
    assert {"partitions"} <= set(loader.load_data("partitions"))
    assert {"partitions"} <= set(loader.load_data("endpoints"))
    from botocore.endpoint_provider import EndpointProvider

    rules = loader.load_service_model("iam", "endpoint-rule-set-1")
    found = EndpointProvider(rules, loader.load_data("partitions")).resolve_endpoint(
        Region="us-west-2", UseFIPS=False, UseDualStack=False
    )
    assert found.url == "https://iam.amazonaws.com"


def test_sessions_share_models_and_nothing_grows():
    sessions = [mangrove.Session() for _ in range(50)]
    assert len({id(settled(loader_of(session))) for session in sessions}) == 1
    paths = loader_of(sessions[0]).search_paths
    assert len(paths) == len(set(paths))
    assert sdk_regions(sessions[0]) is sdk_regions(sessions[1])


def test_a_plain_boto3_session_is_untouched():
    mangrove.Session().client("sqs", region_name="us-east-1")
    assert type(loader_of(boto3.Session())) is botocore.loaders.Loader


def test_a_botocore_session_of_the_callers_keeps_its_loader():
    mine = botocore.session.get_session()
    assert type(loader_of(mangrove.Session(botocore_session=mine))) is botocore.loaders.Loader


def test_a_data_path_of_the_users_own_is_searched(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert str(tmp_path) in loader_of(mangrove.Session()).search_paths
    monkeypatch.delenv("AWS_DATA_PATH")
    assert str(tmp_path) not in loader_of(mangrove.Session()).search_paths


def test_clients_are_botocores_and_say_who_they_are():
    client = mangrove.Session("key", "secret", region_name="eu-west-1").client("sqs")
    assert (client.meta.region_name, type(client).__name__) == ("eu-west-1", "SQS")
    assert "mangrove/2" in client.meta.config.user_agent or "mangrove/2" in client._client_config.user_agent
    assert hasattr(mangrove.Session(region_name="eu-west-1").resource("s3"), "Bucket")


def test_many_threads_may_make_clients():
    gate = threading.Barrier(12)

    def make(number):
        gate.wait()
        return mangrove.Session("key", "secret").client(["sqs", "sns", "iam"][number % 3], region_name="us-east-1")

    with ThreadPoolExecutor(12) as executor:
        assert len(list(executor.map(make, range(12)))) == 12


def test_one_lock_a_session():
    one, other = mangrove.Session(), boto3.Session()
    assert creation_lock(one) is creation_lock(one)
    assert creation_lock(one) is not creation_lock(other)


def test_keys_half_given_are_refused():
    with pytest.raises(ConfigError, match="half given"):
        mangrove.Session(aws_access_key_id="x")
