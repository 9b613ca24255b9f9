"""Sessions of roles: what STS is asked, how often and by whom; with an STS inside the process and our own clock."""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import json
import logging
import os
import pickle
import sys
import threading
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qsl

import boto3
import botocore.configloader
import botocore.credentials
import botocore.session
import botocore.utils
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

import mangrove
from mangrove.aws import sharing
from mangrove.aws.session import botocore_session
from mangrove.credentials import FileCache, MemoryCache, RoleSpec
from mangrove.errors import (
    AssumeRoleError,
    ConfigError,
    CredentialError,
    DeclarationTypeError,
    LoginRequiredError,
    WrongAccountError,
)

ROLE = "arn:aws:iam::210987654321:role/Reader"
OTHER = "arn:aws:iam::345678901234:role/Writer"
HUB = "arn:aws:iam::123456789012:role/Hub"
SSO = (
    "sso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 123456789012\n"
    "sso_role_name = R\n"
)
NAMESPACE = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'


class FakeClock:
    def __init__(self):
        self.now = time.time()

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Raw(io.BytesIO):
    def stream(self, **_):
        yield self.read()


class FakeSTS:
    """Answer in the place of the network, and keep every request."""

    def __init__(self, clock):
        self.clock = clock
        self.requests = []
        self.lifetime = None
        self.skew = 0.0
        self.errors = {}
        self.broken = None
        self.account = None
        self.expired = set()
        self.lock = threading.Lock()

    def attach(self, session):
        session.events.register("before-send.sts", self.answer)
        session.events.register("before-send.sqs", self.answer_sqs)
        return session

    def asked(self, action="AssumeRole"):
        return [form for form, _ in self.requests if form["Action"] == action]

    @property
    def hosts(self):
        return [url.split("/")[2] for _, url in self.requests]

    def answer(self, request, **_):
        form = dict(parse_qsl(request.body if isinstance(request.body, str) else request.body.decode()))
        action = form.pop("Action")
        form.pop("Version")
        with self.lock:
            key = request.headers["Authorization"]
            key = (key if isinstance(key, str) else key.decode()).split("Credential=")[1].split("/")[0]
            self.requests.append(({"Action": action, "Key": key, **form}, request.url))
            number = len(self.requests)
        if self.broken:
            raise self.broken
        if action in self.errors:
            return self.respond(request, *self.errors[action])
        return self.respond(request, 200, getattr(self, action)(form, number))

    def respond(self, request, status, body):
        date = format_datetime(datetime.fromtimestamp(self.clock.now + self.skew, timezone.utc), usegmt=True)
        return AWSResponse(request.url, status, {"Date": date}, Raw(body.encode()))

    def AssumeRole(self, form, number):  # noqa: N802  the operation's name
        lifetime = self.lifetime or int(form.get("DurationSeconds", 3600))
        end = datetime.fromtimestamp(self.clock.now + self.skew + lifetime, timezone.utc)
        account, role = form["RoleArn"].split(":")[4], form["RoleArn"].rpartition("/")[2]
        return (
            f"<AssumeRoleResponse {NAMESPACE}><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId>"
            f"<Arn>arn:aws:sts::{account}:assumed-role/{role}/{form['RoleSessionName']}</Arn></AssumedRoleUser>"
            f"<Credentials><AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>canarysecret</SecretAccessKey>"
            f"<SessionToken>canarytoken</SessionToken><Expiration>{end.isoformat()}</Expiration></Credentials>"
            "</AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>"
        )

    def GetCallerIdentity(self, form, number):  # noqa: N802  the operation's name
        account = self.account or "123456789012"
        return (
            f"<GetCallerIdentityResponse {NAMESPACE}><GetCallerIdentityResult>"
            f"<Arn>arn:aws:iam::{account}:user/alice</Arn><UserId>AIDA</UserId><Account>{account}</Account>"
            "</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
            "</GetCallerIdentityResponse>"
        )

    def answer_sqs(self, request, **_):
        key = request.headers["Authorization"]
        key = (key if isinstance(key, str) else key.decode()).split("Credential=")[1].split("/")[0]
        with self.lock:
            self.requests.append(({"Action": "ListQueues", "Key": key}, request.url))
        if key in self.expired:
            error = {"__type": "com.amazonaws.sqs#ExpiredTokenException", "message": "expired"}
            return AWSResponse(request.url, 400, {"x-amzn-requestid": "r"}, Raw(json.dumps(error).encode()))
        return AWSResponse(request.url, 200, {}, Raw(b"{}"))


def sts_error(code, message):
    return 403, (
        f"<ErrorResponse {NAMESPACE}><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>r</RequestId></ErrorResponse>"
    )


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def sts(clock):
    return FakeSTS(clock)


@pytest.fixture
def base(sts):
    return sts.attach(mangrove.Session("AKIABASE", "canarybase", region_name="eu-west-1"))


@pytest.fixture
def connections(base, clock):
    return mangrove.ConnectionManager(base, clock=clock)


def keys_of(session):
    return session.get_credentials().get_frozen_credentials().access_key


# -- the bugs of boto3_extensions ------------------------------------------------------------------------------------


def test_b1_an_external_id_stays_in_its_own_call(connections, sts):
    keys_of(connections.get_session(ROLE, "test", "for-a"))
    keys_of(connections.get_session(OTHER, "test"))
    keys_of(connections.get_session(ROLE, "test", "for-b"))
    assert [form.get("ExternalId") for form in sts.asked()] == ["for-a", None, "for-b"]


def test_b2_the_session_name_reaches_sts(connections, sts):
    keys_of(connections.get_session(role_arn=ROLE, role_session_name="alice@example.com"))
    assert sts.asked()[0]["RoleSessionName"] == "alice@example.com"


def test_b3_sessions_of_other_options_are_other_sessions(base, clock, sts):
    connections = mangrove.ConnectionManager(base, clock=clock)
    requests = [
        {},
        {"external_id": "one"},
        {"external_id": "two"},
        {"duration_seconds": 900},
        {"source_identity": "alice"},
        {"tags": {"team": "data"}},
        {"policy": {"Version": "2012-10-17"}},
        {"policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
        {"role_session_name": "other"},
        {"region_name": "us-east-1"},
    ]
    sessions = [connections.get_session(ROLE, **options) for options in requests]
    assert len(set(map(id, sessions))) == len(requests)
    assert [connections.get_session(ROLE, **options) for options in requests] == sessions
    assert len({keys_of(session) for session in sessions}) == len(requests) - 1  # a region is no other identity
    other = mangrove.ConnectionManager(base, clock=clock)
    assert other.get_session(ROLE) is not sessions[0]


def test_b4_access_keys_are_the_base_that_assumes_the_role(clock, sts, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    connections = mangrove.ConnectionManager(
        aws_access_key_id="AKIAGIVEN", aws_secret_access_key="y", region_name="eu-west-1", clock=clock
    )
    sts.attach(connections.session)
    connections = mangrove.ConnectionManager(connections.session, clock=clock)
    assert keys_of(connections.get_session(ROLE)) == "ASIA1"
    assert sts.asked()[0]["Key"] == "AKIAGIVEN"


def test_b5_the_bases_region_configuration_and_events_stay(clock, sts, tmp_path, monkeypatch):
    config = tmp_path / "config"
    config.write_text("[profile p]\nregion = eu-central-1\nretry_mode = standard\ns3 =\n  addressing_style = path\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for make in (boto3.Session, mangrove.Session):
        base = sts.attach(make("AKIABASE", "x", profile_name="p"))
        botocore_session(base).set_default_client_config(Config(user_agent_appid="mine"))
        seen = []
        base.events.register("provide-client-params.s3.ListBuckets", lambda seen=seen, **_: seen.append(1))
        session = mangrove.ConnectionManager(base, clock=clock).get_session(ROLE)
        assert (session.region_name, session.profile_name) == ("eu-central-1", "p")
        s3 = session.client("s3")
        assert s3.meta.config.s3 == {"addressing_style": "path"}
        assert s3.meta.config.retries["mode"] == "standard"
        assert "app/mine" in s3._user_agent_creator.to_string()
        s3.meta.events.register("before-send", lambda **_: AWSResponse("u", 200, {}, Raw(b"<x/>")))
        s3.list_buckets()
        assert seen == [1]


def test_b6_and_b7_nothing_of_the_process_is_changed(base, clock, sts, monkeypatch):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", marker := boto3.Session())
    environment, names = dict(os.environ), dict(vars(boto3))
    session = mangrove.ConnectionManager(base, clock=clock).get_session(ROLE)
    session.client("sqs").list_queues()
    session.resource("s3")
    assert (dict(os.environ), dict(vars(boto3))) == (environment, names)
    assert boto3.DEFAULT_SESSION is marker


def test_b8_the_room_reaches_for_no_private_of_botocore():
    room = Path(mangrove.__file__).parent / "credentials"
    for path in room.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
                assert isinstance(node.value, ast.Name), (path.name, node.lineno)
                assert node.value.id == "self", (path.name, node.lineno)
    # What it relies on in botocore is public, and is there.
    from botocore.credentials import ReadOnlyCredentials, RefreshableCredentials

    assert ReadOnlyCredentials._fields == ("access_key", "secret_key", "token", "account_id")
    public = {"access_key", "secret_key", "token", "account_id", "get_frozen_credentials", "refresh_needed"}
    assert public <= set(dir(RefreshableCredentials))


def test_b9_32_threads_and_32_sessions_are_one_call(connections, sts):
    regions = sorted(boto3.Session().get_available_regions("sqs"))[:32]

    def use(region):
        session = connections.get_session(ROLE, "test", region_name=region)
        session.client("sqs").list_queues()
        return session

    with ThreadPoolExecutor(32) as pool:
        sessions = list(pool.map(use, regions))
    assert len(set(map(id, sessions))) == 32
    assert len(sts.asked()) == 1


def test_b9_a_manager_keeps_what_is_in_use_and_the_last_few(clock):
    from mangrove.credentials.links import Kept

    class Thing:
        pass

    kept = Kept(most=2)
    held = kept.get("a", Thing)
    for name in "bcd":
        kept.get(name, Thing)
    assert kept.get("a", Thing) is held
    assert len(kept._alive) <= 3


# B10, malformed ARNs, is in tests/unit/test_credentials_roles.py.


def test_b14_the_account_costs_no_call_or_one(sts, base, connections):
    session = connections.get_session(ROLE)
    assert [session.account_id for _ in range(3)] == ["210987654321"] * 3
    assert sts.requests == []
    assert {base.account_id for _ in range(3)} == {"123456789012"}
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: base.account_id, range(8))) == {"123456789012"}
    assert len(sts.asked("GetCallerIdentity")) == 1
    assert mangrove.Session("AKIA", "x", aws_account_id="111122223333").account_id == "111122223333"
    # It is the role's account, and not the caller's.
    assert session.account_id != base.account_id


# -- identity --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-iso-east-1", "aws-iso"),
    ],
)
def test_the_partition_costs_no_call(region, partition):
    assert mangrove.Session("AKIA", "x", region_name=region).partition == partition


def test_the_partition_without_a_region(sts):
    base = sts.attach(mangrove.Session("AKIA", "x"))
    assert (base.partition, base.account_id) == ("aws", "123456789012")
    assert len(sts.requests) == 1
    assert mangrove.Session("AKIA", "x", aws_account_id="111122223333").partition == "aws"
    assert mangrove.Session().partition == "aws"


def test_without_credentials_there_is_no_account():
    with pytest.raises(CredentialError, match="no credentials found: give session="):
        mangrove.Session(region_name="us-east-1").account_id  # noqa: B018


def test_verify_compares_the_account(connections, sts):
    sts.account = "210987654321"
    connections.get_session(ROLE, verify=True)
    sts.account = "999999999999"
    with pytest.raises(WrongAccountError, match="of account 210987654321.*of account 999999999999"):
        connections.get_session(ROLE, "another", verify=True)


# -- what STS is asked -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws-cn", "cn-northwest-1"), ("aws-us-gov", "us-gov-west-1"), ("aws-iso", "us-iso-east-1")],
)
def test_verify_asks_in_the_roles_partition_also_without_a_region(clock, sts, partition, region):
    base = sts.attach(mangrove.Session("AKIA", "x"))
    sts.account = "210987654321"
    connections = mangrove.ConnectionManager(base, clock=clock)
    connections.get_session(f"arn:{partition}:iam::210987654321:role/a/b/Reader", verify=True)
    assert [host.split(".")[1] for host in sts.hosts] == [region, region]


def test_all_arguments_in_the_apis_own_names(connections, sts):
    session = connections.get_session(
        RoleArn=ROLE,
        RoleSessionName="alice",
        ExternalId="abc",
        DurationSeconds=timedelta(minutes=15),
        Tags=[{"Key": "team", "Value": "data"}],
        TransitiveTagKeys=["team"],
        SourceIdentity="alice",
        Policy='{"Version": "2012-10-17"}',
        PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}],
        SerialNumber="arn:aws:iam::123456789012:mfa/alice",
        mfa_token_provider=lambda: "123456",
    )
    keys_of(session)
    assert sts.asked() == [
        {
            "Action": "AssumeRole",
            "Key": "AKIABASE",
            "RoleArn": ROLE,
            "RoleSessionName": "alice",
            "ExternalId": "abc",
            "DurationSeconds": "900",
            "Tags.member.1.Key": "team",
            "Tags.member.1.Value": "data",
            "TransitiveTagKeys.member.1": "team",
            "SourceIdentity": "alice",
            "Policy": '{"Version": "2012-10-17"}',
            "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "SerialNumber": "arn:aws:iam::123456789012:mfa/alice",
            "TokenCode": "123456",
        }
    ]


def test_one_token_provider_for_all_roles(base, clock, sts):
    codes = iter(["111111", "222222", "333333"])
    connections = mangrove.ConnectionManager(base, mfa_token_provider=lambda: next(codes), clock=clock)
    serial = "arn:aws:iam::123456789012:mfa/alice"
    keys_of(connections.get_session(ROLE, mfa_serial=serial))
    keys_of(connections.get_session(OTHER, mfa_serial=serial))
    keys_of(connections.get_session(HUB))
    clock.now += 3600
    keys_of(connections.get_session(ROLE, mfa_serial=serial))
    assert [form.get("TokenCode") for form in sts.asked()] == ["111111", "222222", None, "333333"]


@pytest.mark.parametrize("roles", [ROLE, [HUB, ROLE]])
def test_the_provider_that_was_given_last_is_asked(connections, sts, clock, roles):
    serial = "arn:aws:iam::123456789012:mfa/alice"
    sts.errors["AssumeRole"] = sts_error("AccessDenied", "invalid MFA one time pass code")
    for code in ("111111", "222222"):
        first = {"role_arn": roles if roles is ROLE else HUB, "mfa_serial": serial}
        first["mfa_token_provider"] = lambda code=code: code
        session = connections.get_session(first if roles is ROLE else [first, ROLE])
        with pytest.raises(AssumeRoleError):
            keys_of(session)
        clock.now += 2
    assert [form["TokenCode"] for form in sts.asked()] == ["111111", "222222"]


def test_one_code_for_all_roles(base, clock, sts, tmp_path):
    codes = iter(["111111", "222222"])
    serial = "arn:aws:iam::123456789012:mfa/alice"

    def session_token(form, number):
        body = sts.AssumeRole({"RoleArn": HUB, "RoleSessionName": "x", "DurationSeconds": "43200"}, number)
        return body.replace("AssumeRoleRe", "GetSessionTokenRe")

    sts.GetSessionToken = session_token

    def manager():
        cache = FileCache(tmp_path / "c", clock=clock)
        return mangrove.ConnectionManager(
            base, cache, mfa_serial=serial, mfa_token_provider=lambda: next(codes), clock=clock
        )

    connections = manager()
    for number in range(20):
        keys_of(connections.get_session(f"arn:aws:iam::{number:012}:role/R"))
    assert sts.asked("GetSessionToken") == [
        {"Action": "GetSessionToken", "Key": "AKIABASE", "SerialNumber": serial, "TokenCode": "111111"}
    ]
    (session_key,) = {form["Key"] for form in sts.asked()}
    assert session_key.startswith("ASIA")
    assert keys_of(connections.get_session()) == session_key
    # Another process takes all of it from the cache: no code is asked for.
    asked = len(sts.requests)
    keys_of(manager().get_session("arn:aws:iam::000000000007:role/R"))
    keys_of(manager().get_session())
    assert len(sts.requests) == asked
    clock.now += 43_200
    keys_of(connections.get_session(ROLE))
    assert [form["TokenCode"] for form in sts.asked("GetSessionToken")] == ["111111", "222222"]


def test_mfa_without_a_provider_is_refused_before_the_call(connections, sts):
    with pytest.raises(ConfigError, match="mfa_serial needs mfa_token_provider"):
        connections.get_session(ROLE, mfa_serial="arn:aws:iam::123456789012:mfa/alice")
    assert sts.requests == []


def test_a_chain_is_assumed_and_refreshed_hop_by_hop(connections, sts, clock):
    session = connections.get_session(
        [HUB, {"role_arn": OTHER, "external_id": "mid"}, ROLE], "alice", "leaf", tags={"a": "b"}
    )
    client = session.client("sqs")
    client.list_queues()
    assert [(form["Key"], form["RoleArn"], form.get("ExternalId")) for form in sts.asked()] == [
        ("AKIABASE", HUB, None),
        ("ASIA1", OTHER, "mid"),
        ("ASIA2", ROLE, "leaf"),
    ]
    assert {form["RoleSessionName"] for form in sts.asked()} == {"alice"}
    # A chain with the same beginning shares it.
    keys_of(connections.get_session([HUB, ROLE], "alice"))
    assert [form["Key"] for form in sts.asked()][3:] == ["ASIA1"]
    clock.now += 3601
    client.list_queues()
    assert [form["RoleArn"] for form in sts.asked()][4:] == [HUB, OTHER, ROLE]


@pytest.mark.parametrize(
    ("region", "role", "host"),
    [
        ("eu-west-1", ROLE, "sts.eu-west-1.amazonaws.com"),
        ("us-east-1", ROLE, "sts.us-east-1.amazonaws.com"),
        ("ap-east-1", ROLE, "sts.us-east-1.amazonaws.com"),
        (None, ROLE, "sts.us-east-1.amazonaws.com"),
        ("cn-north-1", ROLE.replace(":aws:", ":aws-cn:"), "sts.cn-north-1.amazonaws.com.cn"),
        (None, ROLE.replace(":aws:", ":aws-cn:"), "sts.cn-northwest-1.amazonaws.com.cn"),
        ("us-gov-east-1", ROLE.replace(":aws:", ":aws-us-gov:"), "sts.us-gov-east-1.amazonaws.com"),
        (None, ROLE.replace(":aws:", ":aws-eusc:"), "sts.eusc-de-east-1.amazonaws.eu"),
        (None, ROLE.replace(":aws:", ":aws-iso:"), "sts.us-iso-east-1.c2s.ic.gov"),
    ],
)
@pytest.mark.parametrize("legacy", [False, True])
def test_sts_is_asked_on_a_regional_endpoint(sts, clock, monkeypatch, region, role, host, legacy):
    if legacy:
        monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    base = sts.attach(mangrove.Session("AKIA", "x", region_name=region))
    keys_of(mangrove.ConnectionManager(base, clock=clock).get_session(role))
    assert sts.hosts == [host]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"role_arn": "arn:aws-cn:iam::123456789012:role/R"}, "no region 'eu-west-1'"),
        ({"role_arn": "arn:aws-moon:iam::123456789012:role/R"}, "no partition 'aws-moon' in this botocore"),
        ({"role_arn": ROLE, "region_name": "cn-north-1"}, "credentials don't cross partitions"),
        ({"role_arn": ROLE, "region_name": "nowhere"}, "not the name of a region"),
        ({"role_arn": ROLE, "role_session_name": "a b"}, "' ' in 'a b'"),
        ({"role_arn": ROLE, "duration_seconds": 1}, "900 to 43200"),
        ({"role_arn": ROLE, "policy": "{"}, "not JSON"),
        ({"role_arn": ROLE, "external_id": "a b"}, "external_id takes"),
        ({"role_arn": "nothing"}, "not the ARN of a role"),
        ({"role_arn": ROLE, "externalid": "x"}, "did you mean 'external_id'"),
        ({"role_arn": ROLE, "RoleArn": ROLE}, "given twice"),
        ({"external_id": "abc"}, "external_id without role_arn"),
    ],
)
def test_bad_input_fails_before_the_first_call(connections, sts, arguments, why):
    with pytest.raises(ConfigError, match=why):
        connections.get_session(**arguments)
    assert sts.requests == []


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ({"cache": object()}, DeclarationTypeError, "cache takes an object with get"),
        ({"cache": MemoryCache}, DeclarationTypeError, r"write cache=MemoryCache\(\)"),
        ({"mfa_token_provider": "123456"}, DeclarationTypeError, "takes a function"),
        ({"region_name": "x y"}, ConfigError, "not the name of a region"),
        ({"session": "x"}, DeclarationTypeError, "boto3.Session"),
        ({"aws_access_key_id": "x"}, ConfigError, "half given"),
        ({"profile_name": "nobody"}, ConfigError, "no profile 'nobody'"),
        ({"frobnicate": 1}, ConfigError, "no argument 'frobnicate'"),
        ({"mfa_serial": "x"}, ConfigError, "mfa_serial takes 9 to 256"),
        ({"mfa_serial": "arn:aws:iam::123456789012:mfa/a"}, ConfigError, "mfa_serial needs mfa_token_provider"),
    ],
)
def test_a_manager_checks_its_arguments(arguments, error, why):
    with pytest.raises(error, match=why):
        mangrove.ConnectionManager(**arguments)


# -- sessions --------------------------------------------------------------------------------------------------------


def test_without_a_role_it_is_a_session_of_the_base(base, connections, sts):
    assert connections.get_session() is base
    other = connections.get_session(region_name="us-west-2")
    assert (other.region_name, keys_of(other)) == ("us-west-2", "AKIABASE")
    assert other is connections.get_session(region_name="us-west-2")
    plain = mangrove.ConnectionManager(boto3.Session("AKIAPLAIN", "x", region_name="eu-west-1")).get_session()
    assert isinstance(plain, mangrove.Session)
    assert (keys_of(plain), plain.region_name) == ("AKIAPLAIN", "eu-west-1")


def test_a_plain_boto3_session_is_a_base(sts, clock):
    base = sts.attach(boto3.Session("AKIAPLAIN", "x", region_name="eu-west-1"))
    session = mangrove.ConnectionManager(base, clock=clock).get_session(ROLE)
    assert isinstance(session, mangrove.Session)
    session.client("sqs").list_queues()
    assert [form["Key"] for form, _ in sts.requests] == ["AKIAPLAIN", "ASIA1"]
    assert "upload_file" in dir(session.client("s3"))
    assert session.resource("ec2").meta.client is not None


def test_a_session_of_a_role_is_a_base(connections, sts, clock):
    hub = connections.get_session(HUB)
    session = mangrove.ConnectionManager(hub, clock=clock).get_session(ROLE)
    keys_of(session)
    assert [form["Key"] for form in sts.asked()] == ["AKIABASE", "ASIA1"]


def test_clients_made_before_and_after_are_refreshed(connections, sts, clock):
    session = connections.get_session(ROLE, duration_seconds=900)
    before = session.client("sqs")
    for _ in range(20):
        before.list_queues()
    assert len(sts.asked()) == 1
    clock.now += 899
    after = connections.get_session(ROLE, duration_seconds=900).client("sqs")
    after.list_queues()
    before.list_queues()
    assert [form["Key"] for form in sts.asked("ListQueues")[-2:]] == ["ASIA22", "ASIA22"]


def test_three_hours_of_15_minute_tokens_and_10000_calls(base, connections, sts, clock):
    sessions = [connections.get_session(role, duration_seconds=900) for role in (ROLE, OTHER)]
    credentials = [session.get_credentials() for session in sessions]
    end, start = {}, clock.now

    for number in range(10_000):
        clock.now = start + number * 3 * 3600 / 10_000
        known = len(sts.asked())
        frozen = credentials[number % 2].get_frozen_credentials()
        if len(sts.requests) > known or frozen.access_key not in end:
            end[frozen.access_key] = clock.now + 900
        assert clock.now < end[frozen.access_key]
    assert len(sts.asked()) <= 2 * (3 * 3600 / 675 + 1)


def test_skip_cache_and_force_cache_refresh(base, clock, sts):
    cache = MemoryCache()
    connections = mangrove.ConnectionManager(base, cache, clock=clock)
    session = connections.get_session(ROLE)
    assert keys_of(session) == "ASIA1"
    alone = connections.get_session(ROLE, skip_cache=True)
    assert alone is not session
    assert keys_of(alone) == "ASIA2"
    assert connections.get_session(ROLE) is session
    assert len(cache) == 1
    assert connections.get_session(ROLE, force_cache_refresh=True) is session
    assert keys_of(session) == "ASIA3"
    # Another manager takes from the cache what was put there last.
    assert keys_of(mangrove.ConnectionManager(base, cache, clock=clock).get_session(ROLE)) == "ASIA3"


def test_200_roles_share_templates_and_one_sts_client(clock, sts, monkeypatch):
    monkeypatch.delenv("MANGROVE_SAFE_MODE", raising=False)
    connections = mangrove.ConnectionManager(mangrove.Session("AKIABASE", "x", region_name="eu-west-1"), clock=clock)
    if not isinstance(botocore_session(connections.session), sharing.SharingSession):
        pytest.skip("this botocore is not shared")
    first = connections.get_session(ROLE).client("sqs")
    before = len(sharing._TEMPLATES.kept.keys())
    sessions = [
        connections.get_session(f"arn:aws:iam::{number:012}:role/R", external_id=f"id-{number}")
        for number in range(200)
    ]
    clients = [session.client("sqs") for session in sessions]
    assert len(sharing._TEMPLATES.kept.keys()) == before
    assert {client._endpoint.http_session for client in clients} == {first._endpoint.http_session}
    sources = {id(session.get_credentials().refresher._fetch._call.sts()) for session in sessions}
    assert len(sources) == 1


def test_sessions_of_a_changed_base_share_templates_of_their_own(base, sts):
    base.events.register("creating-client-class", lambda **_: None)
    connections = mangrove.ConnectionManager(base)
    sessions = [connections.get_session(f"arn:aws:iam::{number:012}:role/R") for number in range(3)]
    cores = [botocore_session(session) for session in sessions]
    if not all(isinstance(core, sharing.SharingSession) for core in cores):
        pytest.skip("clients are made in botocore's own way")
    for session in sessions:
        session.client("sqs").list_queues()
    assert len({id(core._own_templates) for core in cores}) == 1
    assert len(cores[0]._own_templates.kept.keys()) == 2  # of SQS, and of the one STS client


def test_a_bearer_token_of_the_base_is_not_the_roles(connections, sts, monkeypatch):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "canarybearer")
    session = connections.get_session(ROLE)
    core = botocore_session(session)
    assert core.get_auth_token() is None
    assert core.get_auth_token(signing_name="bedrock") is None


# -- a service that calls a token expired ----------------------------------------------------------------------------


def test_an_expired_token_is_renewed_and_the_call_sent_once_more(connections, sts):
    client = connections.get_session(ROLE).client("sqs")
    client.list_queues()
    sts.expired.add("ASIA1")
    client.list_queues()
    assert [form["Key"] for form in sts.asked("ListQueues")] == ["ASIA1", "ASIA1", "ASIA4"]
    assert len(sts.asked()) == 2


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_an_expired_token_is_renewed_once_and_not_for_ever(connections, sts, mode):
    client = connections.get_session(ROLE).client("sqs", config=Config(retries={"mode": mode}))
    sts.expired.update(f"ASIA{number}" for number in range(100))
    with pytest.raises(ClientError, match="ExpiredToken"):
        client.list_queues()
    assert len(sts.asked("ListQueues")) == 2
    assert len(sts.asked()) == 2


def test_many_calls_that_expire_together_are_one_refresh(connections, sts):
    client = connections.get_session(ROLE).client("sqs")
    client.list_queues()
    sts.expired.add("ASIA1")
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: client.list_queues(), range(64)))
    assert len(sts.asked()) == 2


def test_a_cached_token_that_has_died_is_not_taken_from_the_cache_again(base, clock, sts):
    cache = MemoryCache()
    keys_of(mangrove.ConnectionManager(base, cache, clock=clock).get_session(ROLE))
    sts.expired.add("ASIA1")
    mangrove.ConnectionManager(base, cache, clock=clock).get_session(ROLE).client("sqs").list_queues()
    assert len(sts.asked()) == 2


def test_a_dead_token_is_taken_out_of_the_cache_even_if_there_is_no_other(base, clock, sts):
    cache = MemoryCache()
    session = mangrove.ConnectionManager(base, cache, clock=clock).get_session(ROLE)
    keys_of(session)
    sts.expired.add("ASIA1")
    sts.errors["AssumeRole"] = sts_error("AccessDenied", "no")
    with pytest.raises(ClientError, match="ExpiredToken"):
        session.client("sqs").list_queues()
    assert len(cache) == 0


def test_a_hub_that_expires_early_is_renewed(connections, sts, monkeypatch):
    session = connections.get_session([HUB, ROLE])
    refused = []
    original = sts.answer

    def answer(request, **_):
        key = request.headers["Authorization"]
        key = key if isinstance(key, str) else key.decode()
        if "Credential=ASIA1/" in key and not refused:
            refused.append(1)
            return sts.respond(request, *sts_error("ExpiredToken", "The security token is expired"))
        return original(request)

    monkeypatch.setattr(sts, "answer", answer)
    connections = mangrove.ConnectionManager(sts.attach(mangrove.Session("AKIA", "x", region_name="eu-west-1")))
    session = connections.get_session([HUB, ROLE])
    keys_of(session)
    assert [form["RoleArn"] for form in sts.asked()] == [HUB, HUB, ROLE]


# -- failures --------------------------------------------------------------------------------------------------------


def test_access_denied_names_the_role_the_caller_and_the_causes(connections, sts):
    sts.errors["AssumeRole"] = sts_error(
        "AccessDenied",
        f"User: arn:aws:iam::123456789012:user/alice is not authorized to perform: sts:AssumeRole on resource: {ROLE}",
    )
    session = connections.get_session(ROLE, external_id="canaryid", tags={"a": "b"}, source_identity="alice")
    with pytest.raises(AssumeRoleError) as caught:
        keys_of(session)
    text = str(caught.value)
    for part in (
        ROLE,
        "arn:aws:iam::123456789012:user/alice",
        "trust policy",
        "sts:AssumeRole",
        "sts:TagSession",
        "sts:SetSourceIdentity",
        "another external id than the one given",
        "AccessDenied",
        "eu-west-1",
    ):
        assert part in text
    assert isinstance(caught.value, PermissionError)
    assert caught.value.__cause__.response["Error"]["Code"] == "AccessDenied"
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_access_denied_without_a_name_asks_for_it(connections, sts):
    sts.errors["AssumeRole"] = sts_error("AccessDenied", "Access denied")
    session = connections.get_session(ROLE)
    with pytest.raises(AssumeRoleError, match="AccessDenied to arn:aws:iam::123456789012:user/alice"):
        keys_of(session)


def test_the_caller_is_asked_for_on_a_regional_endpoint(sts, monkeypatch):
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    base = sts.attach(mangrove.Session("AKIA", "x", region_name="us-west-2"))
    assert base.account_id == base.account_id == "123456789012"
    assert sts.hosts == ["sts.us-west-2.amazonaws.com"]


def test_the_answer_of_sts_is_shown_without_the_external_id(connections, sts):
    sts.errors["AssumeRole"] = sts_error("ValidationError", "Value 'canaryid' at 'externalId' failed: canaryid")
    session = connections.get_session(ROLE, external_id="canaryid")
    with pytest.raises(AssumeRoleError, match=r"Value '\*\*\*' at") as caught:
        keys_of(session)
    assert "canary" not in "".join(traceback.format_exception(caught.value))
    assert "canary" not in repr(caught.value.__cause__.response)


def test_the_mfa_code_is_not_shown(connections, sts):
    sts.errors["AssumeRole"] = sts_error("AccessDenied", "MultiFactorAuthentication failed with code 505505")
    serial = "arn:aws:iam::123456789012:mfa/alice"
    session = connections.get_session(ROLE, mfa_serial=serial, mfa_token_provider=lambda: "505505")
    with pytest.raises(AssumeRoleError) as caught:
        keys_of(session)
    assert "505505" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("code", "message", "why"),
    [
        ("ExpiredToken", "x", "renew those"),
        ("InvalidClientTokenId", "x", "deleted, inactive"),
        ("RegionDisabledException", "x", "switched off in this region"),
        ("ValidationError", "exceeds the 1 hour session limit for roles assumed by role chaining", "leave duration"),
        ("ValidationError", "exceeds the MaxSessionDuration set for this role", "lower duration_seconds"),
        ("Throttling", "Rate exceeded", "Throttling"),
    ],
)
def test_other_answers_say_what_to_do(connections, sts, code, message, why):
    sts.errors["AssumeRole"] = sts_error(code, message)
    with pytest.raises(AssumeRoleError, match=why):
        keys_of(connections.get_session(ROLE))


@pytest.mark.parametrize(("skew", "words"), [(1200, "20 minutes behind AWS's"), (-1200, "20 minutes ahead of AWS's")])
def test_a_wrong_clock_is_named_where_it_is_the_reason(connections, sts, skew, words):
    sts.errors["AssumeRole"] = sts_error("SignatureDoesNotMatch", "Signature not yet current")
    sts.skew = skew
    with pytest.raises(AssumeRoleError, match=words):
        keys_of(connections.get_session(ROLE))


@pytest.mark.parametrize("skew", [-1800, 1800])
def test_a_wrong_clock_is_corrected(connections, sts, clock, skew):
    sts.skew = skew
    session = connections.get_session(ROLE, duration_seconds=900)
    for _ in range(12):
        keys_of(session)
        clock.now += 50
    assert len(sts.asked()) == 1
    clock.now += 299
    keys_of(session)
    assert len(sts.asked()) == 2


def test_a_machine_that_sleeps_during_the_call_has_no_wrong_clock(connections, sts, clock, monkeypatch):
    original = sts.respond

    def respond(*arguments):
        answer = original(*arguments)
        clock.now += 1800
        return answer

    monkeypatch.setattr(sts, "respond", respond)
    credentials = connections.get_session(ROLE).get_credentials()
    credentials.get_frozen_credentials()
    issued = credentials.refresher.peek()
    assert issued.skew == 0.0
    assert issued.local_expiry - clock.now == pytest.approx(1800, abs=2)


def test_no_answer_is_an_error_with_its_cause(connections, sts):
    sts.broken = ReadTimeoutError(endpoint_url="https://sts.eu-west-1.amazonaws.com/")
    core = botocore_session(connections.session)
    core.set_config_variable("max_attempts", 1)
    with pytest.raises(AssumeRoleError, match="no answer from STS in eu-west-1") as caught:
        keys_of(connections.get_session(ROLE))
    assert isinstance(caught.value.__cause__, ReadTimeoutError)


def test_a_failing_sts_is_asked_once_a_second_by_50_threads(connections, sts, clock):
    session = connections.get_session(ROLE, duration_seconds=900)
    keys_of(session)
    clock.now += 901
    sts.errors["AssumeRole"] = sts_error("AccessDenied", "no")

    def ask(_):
        with pytest.raises(AssumeRoleError):
            keys_of(session)

    for second in range(1, 4):
        with ThreadPoolExecutor(50) as pool:
            list(pool.map(ask, range(50)))
        assert len(sts.asked()) == 1 + second
        clock.now += 1
    # The answer did not name the caller: AWS was asked for it, once.
    assert len(sts.asked("GetCallerIdentity")) == 1


def test_no_credentials_to_assume_with(clock):
    connections = mangrove.ConnectionManager(mangrove.Session(region_name="eu-west-1"), clock=clock)
    with pytest.raises(CredentialError, match="no credentials to assume it with.*Reader|Reader.*no credentials"):
        keys_of(connections.get_session(ROLE))


def test_a_token_provider_that_fails_is_the_cause(connections, sts):
    def fail():
        raise OSError("no terminal")

    session = connections.get_session(ROLE, mfa_serial="arn:aws:iam::123456789012:mfa/a", mfa_token_provider=fail)
    with pytest.raises(AssumeRoleError, match="OSError: no terminal") as caught:
        keys_of(session)
    assert isinstance(caught.value.__cause__, OSError)
    session = connections.get_session(
        ROLE, mfa_serial="arn:aws:iam::123456789012:mfa/b", mfa_token_provider=lambda: "code"
    )
    with pytest.raises(AssumeRoleError, match="six digits"):
        keys_of(session)
    assert sts.requests == []


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (
            (
                "[profile p]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = R\n"
                "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n"
            ),
            "aws sso login --profile p",
        ),
        (f"[profile p]\n{SSO}", "aws sso login --profile p"),
        (f"[profile p]\nrole_arn = {HUB}\nsource_profile = x\n[profile x]\n{SSO}", "aws sso login --profile x"),
    ],
)
def test_a_missing_sso_login_names_the_command(tmp_path, monkeypatch, text, command):
    (tmp_path / "config").write_text(text)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    connections = mangrove.ConnectionManager(profile_name="p", region_name="eu-west-1")
    with pytest.raises(LoginRequiredError, match=f"run: {command}$"):
        keys_of(connections.get_session(ROLE))


# -- bases -----------------------------------------------------------------------------------------------------------


def test_a_process_and_a_profiles_role_are_bases(tmp_path, monkeypatch, sts, clock):
    keys = {"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "x"}
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    (tmp_path / "config").write_text(
        f"[profile process]\ncredential_process = cat {tmp_path}/keys.json\nregion = eu-west-1\n"
        f"[profile role]\nrole_arn = {HUB}\nsource_profile = process\nregion = eu-west-1\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for profile, keys in (("process", ["AKIAPROCESS"]), ("role", ["AKIAPROCESS", "ASIA2"])):
        base = sts.attach(mangrove.Session(profile_name=profile))
        seen = len(sts.requests)
        keys_of(mangrove.ConnectionManager(base, clock=clock).get_session(ROLE))
        assert [form["Key"] for form, _ in sts.requests[seen:]] == keys


def test_web_identity_is_a_base(tmp_path, monkeypatch, sts, clock):
    (tmp_path / "token").write_text("canaryjwt")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", HUB)

    def web(form, number):
        body = sts.AssumeRole({"RoleArn": HUB, "RoleSessionName": "web"}, number)
        return body.replace("AssumeRoleRe", "AssumeRoleWithWebIdentityRe")

    sts.AssumeRoleWithWebIdentity = web
    base = mangrove.Session(region_name="eu-west-1")
    seen = []

    def answer(request, **_):
        form = dict(parse_qsl(request.body if isinstance(request.body, str) else request.body.decode()))
        if form["Action"] == "AssumeRoleWithWebIdentity":
            seen.append(form)
            return sts.respond(request, 200, web(form, 77))
        return sts.answer(request)

    base.events.register("before-send.sts", answer)
    keys_of(mangrove.ConnectionManager(base, clock=clock).get_session(ROLE))
    assert len(seen) == 1
    assert [form["Key"] for form in sts.asked()] == ["ASIA77"]


def test_an_sso_login_is_a_base(tmp_path, monkeypatch, sts, clock):
    (tmp_path / "config").write_text(f"[profile p]\nregion = eu-west-1\n{SSO}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    token = {"accessToken": "canary", "expiresAt": "2999-01-01T00:00:00Z"}
    # botocore looks for tokens in the home that it saw when it was imported.
    monkeypatch.setattr(botocore.utils.SSOTokenLoader, "__call__", lambda *_, **__: token)
    base = sts.attach(mangrove.Session(profile_name="p"))
    keys = {"accessKeyId": "ASIASSO", "secretAccessKey": "x", "sessionToken": "t", "expiration": 32503680000000}

    def portal(request, **_):
        return AWSResponse(request.url, 200, {}, Raw(json.dumps({"roleCredentials": keys}).encode()))

    base.events.register("before-send.sso", portal)
    keys_of(mangrove.ConnectionManager(base, clock=clock).get_session(ROLE))
    assert [form["Key"] for form in sts.asked()] == ["ASIASSO"]


@pytest.mark.parametrize("kind", ["container", "instance"])
def test_containers_and_instances_are_bases(monkeypatch, sts, clock, kind):
    import http.server

    end = (datetime.now(timezone.utc) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
    keys = {"AccessKeyId": "ASIAMACHINE", "SecretAccessKey": "x", "Token": "t", "Expiration": end, "Code": "Success"}

    class Metadata(http.server.BaseHTTPRequestHandler):
        def do_PUT(self):
            self.answer(b"token")

        def do_GET(self):
            name = self.path.rstrip("/").endswith("security-credentials")
            self.answer(b"role" if name else json.dumps({**keys, "LastUpdated": end, "Type": "AWS-HMAC"}).encode())

        def answer(self, body):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        if kind == "container":
            monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/keys")
        else:
            monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
            monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
        base = sts.attach(mangrove.Session(region_name="eu-west-1"))
        keys_of(mangrove.ConnectionManager(base, clock=clock).get_session(ROLE))
        server.shutdown()
    assert [form["Key"] for form in sts.asked()] == ["ASIAMACHINE"]


def test_1000_profiles_are_parsed_once(tmp_path, monkeypatch):
    monkeypatch.delenv("MANGROVE_SAFE_MODE", raising=False)
    (tmp_path / "config").write_text("".join(f"[profile p{number}]\nregion = eu-west-1\n" for number in range(1000)))
    (tmp_path / "credentials").write_text("[p0]\naws_access_key_id = AKIA\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    parsed = []
    original = botocore.configloader.raw_config_parse

    def count(path, *args, **kwargs):
        parsed.append(path)
        return original(path, *args, **kwargs)

    monkeypatch.setattr(botocore.configloader, "raw_config_parse", count)
    for number in range(20):
        connections = mangrove.ConnectionManager(profile_name=f"p{number}")
        for role in range(5):
            connections.get_session(f"arn:aws:iam::{role:012}:role/R").client("sqs")
    assert sorted(Path(path).name for path in parsed) == ["config", "credentials"]


# -- caches ----------------------------------------------------------------------------------------------------------


def test_the_bases_provider_is_asked_once_by_many_threads(clock, sts):
    asked = []
    together = threading.Barrier(8)

    class Provider(botocore.credentials.CredentialProvider):
        METHOD = CANONICAL_NAME = "slow"

        def load(self):
            asked.append(1)
            # Time enough for the others to come too, if they are let in.
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(0.1)
            return botocore.credentials.Credentials("AKIASLOW", "x", None, "slow")

    base = sts.attach(mangrove.Session(region_name="eu-west-1"))
    botocore_session(base).get_component("credential_provider").providers[:] = [Provider()]
    connections = mangrove.ConnectionManager(base, MemoryCache(), clock=clock)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: keys_of(connections.get_session(f"arn:aws:iam::{n:012d}:role/R")), range(8)))
    assert len(asked) == 1
    assert len(sts.asked()) == 8


def test_managers_share_a_cache(base, clock, sts):
    cache = MemoryCache()

    def use(_):
        return keys_of(mangrove.ConnectionManager(base, cache, clock=clock).get_session(ROLE))

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(use, range(32))) == {"ASIA1"}
    assert len(sts.asked()) == 1


def test_two_base_identities_share_nothing(clock, sts, tmp_path):
    cache = FileCache(tmp_path / "c")
    for key in ("AKIAALICE", "AKIABOB"):
        base = sts.attach(mangrove.Session(key, "x", region_name="eu-west-1"))
        keys_of(mangrove.ConnectionManager(base, cache, clock=clock).get_session(ROLE))
    assert [form["Key"] for form in sts.asked()] == ["AKIAALICE", "AKIABOB"]


def test_temporary_base_keys_are_known_by_their_id(clock, sts, tmp_path):
    # Two sessions of one ARN may have other tags, policies and source identities.
    cache = FileCache(tmp_path / "c")
    for key in ("ASIAALICE", "ASIABOB", "ASIAALICE"):
        base = sts.attach(mangrove.Session(key, "x", "token", region_name="eu-west-1"))
        keys_of(mangrove.ConnectionManager(base, cache, clock=clock).get_session(ROLE))
    assert [form["Key"] for form in sts.asked()] == ["ASIAALICE", "ASIABOB"]
    assert not sts.asked("GetCallerIdentity")


def renewed_base(sts):
    base = sts.attach(mangrove.Session(region_name="eu-west-1"))
    metadata = {"access_key": "ASIASSO", "secret_key": "x", "token": "t", "expiry_time": "2999-01-01T00:00:00Z"}
    renewed = botocore.credentials.RefreshableCredentials.create_from_metadata(metadata, dict, "sso")
    botocore_session(base)._credentials = renewed
    return base


def test_a_base_that_botocore_renews_is_known_by_its_arn(clock, sts, tmp_path):
    cache = FileCache(tmp_path / "c")
    for _ in range(2):
        keys_of(mangrove.ConnectionManager(renewed_base(sts), cache, clock=clock).get_session(ROLE))
    assert len(sts.asked()) == 1
    assert len(sts.asked("GetCallerIdentity")) == 2


def test_a_base_of_another_source_identity_shares_nothing(connections, clock, sts):
    cache = MemoryCache()
    for who in ("alice", "bob", "alice"):
        hub = connections.get_session(HUB, "ops", source_identity=who)
        keys_of(mangrove.ConnectionManager(hub, cache, clock=clock).get_session(ROLE))
    assert [(form["RoleArn"], form.get("SourceIdentity")) for form in sts.asked()] == [
        (HUB, "alice"),
        (ROLE, None),
        (HUB, "bob"),
        (ROLE, None),
    ]


def test_a_caller_that_nobody_knows_is_not_cached(clock, sts, tmp_path):
    sts.errors["GetCallerIdentity"] = sts_error("InternalFailure", "no")
    cache = FileCache(tmp_path / "c")
    assert keys_of(mangrove.ConnectionManager(renewed_base(sts), cache, clock=clock).get_session(ROLE))
    assert not list(cache.directory.glob("*.json"))


def test_an_entry_cut_short_is_a_miss(base, clock, sts, tmp_path):
    cache = FileCache(tmp_path / "c")
    keys_of(mangrove.ConnectionManager(base, cache, clock=clock).get_session(ROLE))
    (entry,) = cache.directory.glob("*.json")
    entry.write_bytes(entry.read_bytes()[:100])
    keys_of(mangrove.ConnectionManager(base, cache, clock=clock).get_session(ROLE))
    assert len(sts.asked()) == 2
    keys_of(mangrove.ConnectionManager(base, cache, clock=clock).get_session(ROLE))
    assert len(sts.asked()) == 2


def test_a_cache_that_fails_costs_nothing_but_its_use(base, clock, sts, caplog):
    class Broken:
        def get(self, key):
            raise OSError("canarykey")

        put = delete = lambda *_: (_ for _ in ()).throw(OSError("canarydisk"))

    with caplog.at_level(logging.DEBUG, "mangrove"):
        assert keys_of(mangrove.ConnectionManager(base, Broken(), clock=clock).get_session(ROLE)) == "ASIA1"
    assert "gave no answer: OSError" in caplog.text
    assert "canary" not in caplog.text


class Unlocked(MemoryCache):
    @contextlib.contextmanager
    def lock(self, key, *, wait):
        raise ConnectionError
        yield


class Stuck(MemoryCache):
    @contextlib.contextmanager
    def lock(self, key, *, wait):
        yield True
        raise ConnectionError


class Keyless(MemoryCache):
    def key_of(self, subject):
        raise ConnectionError


@pytest.mark.parametrize("cache", [Unlocked, Stuck, Keyless])
def test_a_lock_or_a_key_that_fails_costs_nothing_but_its_use(base, clock, sts, cache):
    session = mangrove.ConnectionManager(base, cache(), clock=clock).get_session(ROLE)
    assert keys_of(session) == "ASIA1"
    assert keys_of(session) == "ASIA1"


def test_a_process_that_gives_no_credentials_is_explained_and_not_run_by_each_thread(tmp_path, monkeypatch, clock):
    config, runs = tmp_path / "config", tmp_path / "runs"
    command = f"sh -c 'echo x >> {runs}; echo nonsense'"
    config.write_text(f"[profile p]\nregion = us-east-1\ncredential_process = {command}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    session = mangrove.ConnectionManager(cache=MemoryCache(), profile_name="p", clock=clock).get_session(ROLE)

    def ask(_):
        with pytest.raises(AssumeRoleError, match="JSONDecodeError"):
            keys_of(session)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(16)))
    # For the cache's key, for the message, and for the call.
    assert len(runs.read_text().split()) <= 3


def test_old_credentials_of_a_cache_are_better_than_none(base, clock, sts):
    cache = MemoryCache()
    keys_of(mangrove.ConnectionManager(base, cache, clock=clock).get_session(ROLE))
    clock.now += 3000  # in the window
    sts.errors["AssumeRole"] = sts_error("Throttling", "Rate exceeded")
    session = mangrove.ConnectionManager(base, cache, clock=clock).get_session(ROLE)
    asked = len(sts.asked())
    assert {keys_of(session) for _ in range(20)} == {"ASIA1"}
    assert len(sts.asked()) <= asked + 4  # botocore's own attempts of one call


def test_the_aws_clis_cache_is_shared_with_botocore(tmp_path, monkeypatch, sts, clock):
    from botocore.credentials import AssumeRoleProvider, JSONFileCache

    folder = tmp_path / "cache"
    (tmp_path / "config").write_text(
        f"[profile p]\nrole_arn = {ROLE}\nsource_profile = b\nexternal_id = abc\n[profile b]\n"
        "aws_access_key_id = AKIAB\naws_secret_access_key = x\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    base = sts.attach(mangrove.Session(profile_name="b", region_name="eu-west-1"))
    connections = mangrove.ConnectionManager(base, mangrove.AwsCliCache(folder), clock=clock)
    keys_of(connections.get_session(ROLE, external_id="abc"))
    core = botocore.session.Session(profile="p")
    provider = AssumeRoleProvider(lambda: core.full_config, None, JSONFileCache(str(folder)), "p")
    provider._client_creator = None  # it would fail if it had to call
    found = provider.load().get_frozen_credentials()
    assert (found.access_key, found.account_id) == ("ASIA1", "210987654321")


# -- the seed's cache ------------------------------------------------------------------------------------------------


class MyCache:
    def __init__(self):
        self._cache = {}

    def get(self, role_arn, role_session_name):
        sys.stdout.write("inside MyCache.get()\n")
        return self._cache.get((role_arn, role_session_name), None)

    def set(self, role_arn, role_session_name, session):
        sys.stdout.write("inside MyCache.set()\n")
        self._cache[role_arn, role_session_name] = session


def test_the_seeds_document_on_caches(monkeypatch, capsys, base):
    monkeypatch.setattr(mangrove, "Cache", MyCache)
    with pytest.warns(UserWarning, match="can't tell external ids and other options apart") as told:
        connections = mangrove.ConnectionManager(base)
    assert told[0].filename == __file__
    arguments = {"role_arn": "arn:aws:iam::012345678912:role/test_role", "role_session_name": "testing"}
    session = connections.get_session(**arguments)
    assert capsys.readouterr().out == "inside MyCache.get()\ninside MyCache.set()\n"
    assert connections.get_session(**arguments) is session
    assert capsys.readouterr().out == "inside MyCache.get()\n"
    assert connections.get_session(**arguments, force_cache_refresh=False, skip_cache=True) is not session
    assert capsys.readouterr().out == ""


def test_the_seeds_cache_hands_out_no_session_of_other_options(base, clock, sts):
    with pytest.warns(UserWarning, match="MyCache keeps"):
        connections = mangrove.ConnectionManager(base, MyCache(), clock=clock)
    first = connections.get_session(ROLE, "test", "for-a")
    with pytest.warns(UserWarning, match="a session of other options for .*Reader; it is not used") as told:
        second = connections.get_session(ROLE, "test", "for-b")
    assert told[0].filename == __file__
    assert "for-" not in str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert connections.get_session(ROLE, "test", "for-a") is first
        assert connections.get_session(ROLE, "test", "for-b") is second
    assert {keys_of(first), keys_of(second)} == {"ASIA1", "ASIA2"}
    assert [form["ExternalId"] for form in sts.asked()] == ["for-a", "for-b"]


def test_the_seeds_cache_hands_out_no_strangers_session(base, clock):
    cache = MyCache()
    cache.set(ROLE, "test", mangrove.Session("AKIASTRANGER", "x"))
    with pytest.warns(UserWarning, match="MyCache keeps"):
        connections = mangrove.ConnectionManager(base, cache, clock=clock)
    with pytest.warns(UserWarning, match="it is not used"):
        session = connections.get_session(ROLE, "test")
    assert cache._cache[ROLE, "test"] is session


def test_our_own_cache_is_the_managers_own_table():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mangrove.ConnectionManager()


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_no_secret_in_logs_reprs_and_pickles(base, clock, sts, tmp_path, caplog):
    cache = FileCache(tmp_path / "c")
    connections = mangrove.ConnectionManager(base, cache, clock=clock)
    with caplog.at_level(logging.DEBUG, "mangrove"):
        session = connections.get_session(ROLE, external_id="canaryid")
        client = session.client("sqs")
        client.list_queues()
        clock.now += 3000
        sts.errors["AssumeRole"] = sts_error("AccessDenied", "canaryid")
        client.list_queues()
    assert "mangrove.credentials" in {record.name for record in caplog.records}
    credentials = session.get_credentials()
    things = [connections, session, credentials, credentials.get_frozen_credentials(), credentials.refresher, cache]
    shown = caplog.text + repr(things) + "".join(path.name for path in cache.directory.iterdir())
    assert "canary" not in shown
    for thing in things[:-1]:
        with pytest.raises((TypeError, pickle.PicklingError, AttributeError)):
            pickle.dumps(thing)
    assert b"canary" not in pickle.dumps(cache)
    assert copy.copy(cache).directory == cache.directory


def test_a_role_spec_is_a_role(connections, sts):
    session = connections.get_session(RoleSpec(ROLE, "alice", external_id="abc"))
    assert session is connections.get_session(ROLE, "alice", "abc")


@pytest.mark.parametrize("action", ["AssumeRole", "GetSessionToken"])
@pytest.mark.parametrize("end", ["<Expir", "<Expiration>soon</Expiration></Credentials>", "</Credentials>", None])
def test_an_answer_of_sts_that_is_damaged_shows_nothing_of_itself(base, sts, clock, action, end, caplog):
    keys = "<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>canarysecret</SecretAccessKey>"
    keys += "<SessionToken>canarytoken</SessionToken>"
    whole = "" if end == "<Expir" else f"</{action}Result></{action}Response>"
    body = f"<{action}Response {NAMESPACE}><{action}Result>{'' if end is None else keys + end}{whole}"
    setattr(sts, action, lambda *_: body)
    caplog.set_level("DEBUG", "mangrove")
    mfa = {"mfa_serial": "arn:aws:iam::123456789012:mfa/me", "mfa_token_provider": lambda: "135791"}
    connections = mangrove.ConnectionManager(base, clock=clock, **(mfa if action == "GetSessionToken" else {}))
    with pytest.raises(CredentialError) as caught:
        connections.get_session(ROLE).client("sqs").list_queues()
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "canary" not in shown
