"""The fault server over real sockets: requests pass unchanged, faults are true to AWS, and nothing is left over."""

from __future__ import annotations

import gc
import logging
import socket
import threading

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from mangrove.errors import ConfigError, NotRunningError
from mangrove.testing import EmbeddedAWS
from mangrove.testing.faults import KINDS, Pace, TCPProxy, faults

ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=5, proxies={})
PACE = Pace(latency=0.01, patience=0.05, refusing=0.02)
BODY = bytes(range(256)) * 40


@pytest.fixture
def s3(embedded_aws):
    client = embedded_aws.session(region_name="us-east-1").client("s3", config=ONCE)
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="old", Body=BODY, ChecksumAlgorithm="CRC32")
    return client


def client(injected, service="s3", config=ONCE):
    return injected.session(region_name="us-east-1").client(service, config=config)


def keys(s3):
    return [each["Key"] for each in s3.list_objects_v2(Bucket="bucket").get("Contents", ())]


def try_to(call, **params):
    try:
        return call(**params)
    except (BotoCoreError, ClientError, ResponseParserError, HTTPError) as error:
        return error


def test_without_faults_all_is_as_it_was(embedded_aws, s3):
    with faults(embedded_aws) as injected:
        there = client(injected)
        there.put_object(Bucket="bucket", Key="new", Body=b"x" * 300_000)
        assert there.get_object(Bucket="bucket", Key="new")["Body"].read() == b"x" * 300_000
        assert keys(there) == ["new", "old"]
        assert client(injected, "sts").get_caller_identity()["Account"] == embedded_aws.accounts[0]
        assert injected.log == ()
        assert injected.requests == 4


DONE = {"answer_lost", "truncated", "stall", "slice", "latency", "reset_in_body", "wrong_length", "malformed"}
NOT_DONE = {"throttle", "internal_error", "reset", "closed", "refused", "access_denied", "expired_token", "clock_skew"}


@pytest.mark.parametrize("kind", sorted(DONE | NOT_DONE))
def test_what_a_fault_does_to_the_state_is_true(embedded_aws, s3, kind):
    with faults(embedded_aws, script=[(kind, {"operation": "PutObject"})], pace=PACE) as injected:
        seen = try_to(client(injected).put_object, Bucket="bucket", Key="new", Body=b"1")
    assert ("new" in keys(s3)) == (kind in DONE)
    if kind in NOT_DONE or kind == "answer_lost":
        assert isinstance(seen, Exception)
    (fault,) = injected.log
    assert (fault.number, fault.kind, fault.operation, fault.bucket, fault.key) == (
        1,
        kind,
        "PutObject",
        "bucket",
        "new",
    )
    assert (fault.account, fault.region) == (embedded_aws.accounts[0], "us-east-1")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_ends_and_leaves_nothing(embedded_aws, s3, kind, fds):
    threads, before = threading.active_count(), fds()
    with faults(embedded_aws, rate=1, kinds=[kind], seed=1, pace=PACE) as injected:
        there = client(injected)
        for given in ({}, {"Range": "bytes=10-19", "IfMatch": '"x"'}):
            got = try_to(there.get_object, Bucket="bucket", Key="old", **given)
            if isinstance(got, dict):
                try_to(got["Body"].read)
        try_to(there.put_object, Bucket="bucket", Key="new", Body=BODY)
        try_to(there.copy_object, Bucket="bucket", Key="copy", CopySource="bucket/old")
        try_to(there.head_object, Bucket="bucket", Key="old")
        try_to(client(injected, "ec2").describe_vpcs)
        there.close()
    del there
    gc.collect()
    assert not [each.name for each in threading.enumerate() if each.name.startswith("mangrove-faults")]
    assert threading.active_count() <= threads + 2  # the embedded AWS ends idle connections by and by
    assert fds() <= before + 4
    assert {fault.kind for fault in injected.log} <= {kind}


def test_a_completion_is_done_twice(embedded_aws, s3):
    upload = s3.create_multipart_upload(Bucket="bucket", Key="parts")["UploadId"]
    part = s3.upload_part(Bucket="bucket", Key="parts", PartNumber=1, UploadId=upload, Body=b"x")
    given = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    with faults(embedded_aws, script=["no_such_upload"]) as injected:
        seen = try_to(
            client(injected).complete_multipart_upload,
            Bucket="bucket",
            Key="parts",
            UploadId=upload,
            MultipartUpload=given,
        )
    # S3 says NoSuchUpload, and moto completes it again.
    assert isinstance(seen, (dict, ClientError))
    assert "parts" in keys(s3)
    assert injected.count() == {"no_such_upload": 1}


def test_ranges_that_are_no_ranges(embedded_aws, s3):
    script = ["range_ignored", "wrong_range", "flipped_byte_in_range", "object_changed"]
    with faults(embedded_aws, script=[(kind, {"range": "bytes=0-9"}) for kind in script]) as injected:
        there = client(injected)
        whole, shifted, flipped, changed = (
            there.get_object(Bucket="bucket", Key="old", Range="bytes=0-9") for _ in range(4)
        )
        assert (whole["ResponseMetadata"]["HTTPStatusCode"], whole["Body"].read()) == (200, BODY)
        assert shifted["ContentRange"] == f"bytes 1-10/{len(BODY)}"
        assert flipped["Body"].read() != BODY[:10]
        assert changed["ETag"] != whole["ETag"]


def test_the_same_seed_has_the_same_faults(embedded_aws, s3):
    def seen(seed):
        with faults(embedded_aws, rate=0.5, kinds=["internal_error", "throttle"], seed=seed) as injected:
            there = client(injected)
            for number in range(12):
                try_to(there.head_object, Bucket="bucket", Key=str(number % 4))
        return [(fault.kind, fault.key) for fault in injected.log]

    assert seen(3) == seen(3)
    assert seen(3) != seen(4)


def test_a_seed_is_told_when_a_test_fails(embedded_aws, caplog):
    with caplog.at_level(logging.WARNING), pytest.raises(ZeroDivisionError), faults(embedded_aws, seed=77):
        raise ZeroDivisionError
    assert "seed=77" in caplog.text


def test_an_environment_for_other_programs(embedded_aws, monkeypatch):
    with faults(embedded_aws, script=["region_disabled"]) as injected:
        for name, value in injected.environment().items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            boto3.Session().client("sts", config=ONCE).get_caller_identity()


def test_a_proxy_that_is_stopped_is_gone(embedded_aws):
    injected = faults(embedded_aws)
    with pytest.raises(NotRunningError):
        injected.endpoint_url  # noqa: B018
    with injected:
        port = int(injected.endpoint_url.rpartition(":")[2])
        assert injected.start() is injected
    injected.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with faults("http://127.0.0.1:9") as other, pytest.raises(ConfigError, match="EmbeddedAWS"):
        other.session()
    with pytest.raises(NotRunningError):
        faults(EmbeddedAWS())


# -- the TCP proxy -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("toxics", [{}, {"latency": 0.01}, {"slice": 700}, {"bandwidth": 10_000_000.0}])
def test_bytes_come_through_a_bad_network(embedded_aws, s3, toxics):
    with TCPProxy(embedded_aws.endpoint_url, **toxics) as proxy:
        there = embedded_aws.session().client("s3", endpoint_url=proxy.endpoint_url, config=ONCE)
        assert there.get_object(Bucket="bucket", Key="old")["Body"].read() == BODY
        assert proxy.connections == 1


@pytest.mark.parametrize("toxics", [{"reset": 0}, {"limit": 3000}, {"stall": 3000, "timeout": 0.05}, {"reset": 3000}])
def test_bytes_do_not_come_through_a_broken_one(embedded_aws, s3, toxics):
    with TCPProxy(embedded_aws.endpoint_url, **toxics) as proxy:
        there = embedded_aws.session().client("s3", endpoint_url=proxy.endpoint_url, config=ONCE)
        with pytest.raises(BotoCoreError):
            there.get_object(Bucket="bucket", Key="old")["Body"].read()
        proxy.set(reset=None, limit=None, stall=None)
        assert there.get_object(Bucket="bucket", Key="old")["Body"].read() == BODY
    assert not [each.name for each in threading.enumerate() if each.name.startswith("mangrove-tcp-proxy")]


def test_a_tcp_proxy_refuses_what_it_does_not_know():
    with pytest.raises(ConfigError, match="there are latency"):
        TCPProxy("127.0.0.1:1", speed=3)
    with pytest.raises(ConfigError, match="host:port"):
        TCPProxy("nowhere")
    with pytest.raises(NotRunningError):
        TCPProxy("127.0.0.1:1").port  # noqa: B018
