"""One client for all accounts: each request is what the account's own would have sent, and no two are mixed up."""

from __future__ import annotations

import gc
import http.server
import re
import sys
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs

import botocore.auth
import pytest
from botocore.exceptions import ClientError

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)

import mangrove  # noqa: E402
from mangrove.accounts import Account  # noqa: E402
from mangrove.aws.compat import why_not  # noqa: E402
from mangrove.aws.options import ClientOptions  # noqa: E402
from mangrove.aws.session import botocore_session  # noqa: E402
from mangrove.aws.sharing import SharingSession  # noqa: E402
from mangrove.errors import WrongAccountError  # noqa: E402
from mangrove.fleet import Fleet, Target  # noqa: E402
from mangrove.fleet.doors import Doors  # noqa: E402

pytest_plugins = ["servers.nullaws"]

IDS = tuple(f"{number:012}" for number in range(1, 7))
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>
<Arn>arn:aws:sts::{account}:assumed-role/Reader/x</Arn><AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>ASIA{account}{turn:04}</AccessKeyId><SecretAccessKey>secret{account}</SecretAccessKey>
<SessionToken>token{account}{turn:04}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>"""
VPCS = """<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><vpcSet><item>
<vpcId>vpc-{account}</vpcId></item></vpcSet></DescribeVpcsResponse>"""
IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{account}:user/x</Arn><UserId>AIDA</UserId><Account>{account}</Account></GetCallerIdentityResult>
</GetCallerIdentityResponse>"""
REFUSED = """<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors>
<RequestID>r</RequestID></Response>"""


class Server:
    """Be an AWS that assumes every role, tells whose key has signed, and keeps all that it was sent."""

    def __init__(self):
        self.requests, self.assumed, self.dead = [], Counter(), set()
        self.lock = threading.Lock()

    def answer(self, asked):
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form.get("Action") == "AssumeRole":
            account = form["RoleArn"].split(":")[4]
            with self.lock:
                self.assumed[account] += 1
            return 200, ASSUMED.format(account=account, turn=self.assumed[account])
        if form.get("Action") == "GetCallerIdentity" and asked.key == "AKIDBASE":
            return 200, IDENTITY.format(account=IDS[0])
        with self.lock:
            self.requests.append(asked)
        if asked.key in self.dead:
            return 400, REFUSED.format(code="RequestExpired")
        if form.get("Action") == "DescribeVpcs":
            return 200, VPCS.format(account=asked.key[4:16])
        return 400, REFUSED.format(code="Nothing")


@contextmanager
def serving(server):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found = re.search(r"Credential=(\w+)/", self.headers.get("Authorization", ""))
            asked = SimpleNamespace(line=self.requestline, head=self.headers.items(), body=body, key=found and found[1])
            status, text = server.answer(asked)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_):
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}"
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def session(server, monkeypatch, tmp_path):
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIDBASE", "AWS_SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with serving(server) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield mangrove.Session(region_name="us-east-1")


def is_light(session):
    return isinstance(botocore_session(session), SharingSession) and not why_not()


@pytest.fixture
def doors(session):
    made = Doors(session, *(ClientOptions().with_timeouts(5, 10, tries) for tries in (1, 4)), {})
    made.know([Account(each, role="Reader") for each in IDS])
    return made


@pytest.fixture
def stopped(monkeypatch):
    """Stop the clock of signatures, and number the requests alike."""
    then = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    if hasattr(botocore.auth, "get_current_datetime"):
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: then.replace(tzinfo=None))
    else:
        clock = type("Clock", (datetime,), {"utcnow": classmethod(lambda _: then.replace(tzinfo=None))})
        monkeypatch.setattr(botocore.auth.datetime, "datetime", clock)
    monkeypatch.setattr("uuid.uuid4", lambda: "one")


def clients_made(monkeypatch):
    made, make = Counter(), SharingSession.create_client

    def counted(self, service, *args, **kwargs):
        made[service] += 1
        return make(self, service, *args, **kwargs)

    monkeypatch.setattr(SharingSession, "create_client", counted)
    return made


# -- the same bytes ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("ec2", "DescribeVpcs", {}),
        ("ec2", "DescribeInstances", {"Filters": [{"Name": "tag:a", "Values": ["b", "ü"]}], "MaxResults": 7}),
        ("sqs", "ListQueues", {"QueueNamePrefix": "a"}),
        ("iam", "ListRoles", {}),
        ("sts", "GetCallerIdentity", {}),
        ("lambda", "ListFunctions", {"MaxItems": 3}),
        ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "/aws"}),
        ("cloudwatch", "ListMetrics", {"Namespace": "AWS/EC2"}),
        ("dynamodb", "ListTables", {}),
        ("s3", "ListBuckets", {}),
    ],
)
def test_a_request_is_what_the_accounts_own_client_would_have_sent(server, doors, service, operation, given):
    found = doors.operation(service, operation)
    for account in IDS[:3]:
        for region in ("eu-west-1", "us-east-1"):
            target = Target(account, region, service)
            for ask in (
                lambda target=target: doors.ask(target, found, given),
                lambda target=target: getattr(doors.client(target), found.method)(**given),
            ):
                with suppress(ClientError):  # most are answered with an error
                    ask()
            ours, its = server.requests[-2:]
            assert (ours.line, ours.body) == (its.line, its.body)
            assert ours.head == its.head
            assert ours.key == f"ASIA{account}0001"
    assert len(server.requests) == 12


def test_one_client_does_for_all_accounts(server, session, monkeypatch):
    if not is_light(session):
        pytest.skip("clients are made in botocore's own way")
    made = clients_made(monkeypatch)
    fleet = Fleet(IDS, ["us-east-1", "eu-west-1"], "Reader", session)
    rows = list(fleet.items("ec2", "describe_vpcs"))
    assert sorted((row.account, row.region, row["VpcId"]) for row in rows) == sorted(
        (account, region, f"vpc-{account}") for account in IDS for region in fleet.regions
    )
    assert made["ec2"] == 2
    assert server.assumed == dict.fromkeys(IDS, 1)


def test_accounts_leave_neither_sessions_nor_clients_behind(server, session):
    if not is_light(session):
        pytest.skip("clients are made in botocore's own way")
    gc.collect()
    before = Counter(type(each).__name__ for each in gc.get_objects())
    ids = [f"{number:012}" for number in range(1, 31)]
    fleet = Fleet(ids, ["us-east-1", "eu-west-1"], "Reader", session)
    assert len(fleet.items("ec2", "describe_vpcs").wait().ok) == 60
    gc.collect()
    after = Counter(type(each).__name__ for each in gc.get_objects())
    more = {name: after[name] - before[name] for name in ("DerivedSession", "SharingSession", "EC2")}
    assert max(more.values()) < 8, more
    # Who comes again needs no new credentials.
    fleet.items("ec2", "describe_vpcs").wait()
    assert server.assumed == dict.fromkeys(ids, 1)


def test_what_may_differ_by_account_has_clients_of_its_own(session, monkeypatch):
    if not is_light(session):
        pytest.skip("clients are made in botocore's own way")
    made = clients_made(monkeypatch)
    list(Fleet(IDS[:3], ["us-east-1"], "Reader", session).call("dynamodb", "list_tables"))
    assert made["dynamodb"] >= 3


def test_what_changes_something_has_clients_of_its_own(session, monkeypatch):
    if not is_light(session):
        pytest.skip("clients are made in botocore's own way")
    made = clients_made(monkeypatch)
    fleet = Fleet(IDS[:3], ["us-east-1"], "Reader", session)
    run = fleet.call("ec2", "create_vpc", confirm=True, CidrBlock="10.0.0.0/8")
    assert len(run.failed) == 3
    assert made["ec2"] == 3


def test_handlers_of_the_users_see_the_accounts_own_client(session, monkeypatch):
    seen = []

    def look(request_signer, **_):
        seen.append(request_signer._credentials.get_frozen_credentials().access_key)

    session.events.register("before-sign.ec2.DescribeVpcs", look)
    run = Fleet(IDS[:3], ["us-east-1"], "Reader", session).call("ec2", "describe_vpcs")
    assert len(run.ok) == 3
    assert sorted(seen) == [f"ASIA{account}0001" for account in IDS[:3]]


def test_the_callers_own_account_is_entered_as_it_is(server, session):
    run = Fleet([Account(IDS[0], role=None), Account(IDS[1], role="Reader")], ["us-east-1"], session=session)
    assert len(run.call("ec2", "describe_vpcs").ok) == 2
    assert sorted(each.key for each in server.requests) == ["AKIDBASE", f"ASIA{IDS[1]}0001"]


def test_the_callers_credentials_are_no_other_accounts(server, session):
    run = Fleet([Account(IDS[2], role=None)], ["us-east-1"], session=session).call("ec2", "describe_vpcs")
    (failed,) = run.wait().failed
    assert isinstance(failed.error, WrongAccountError)
    assert f"account {IDS[2]} has no role, and the credentials at hand are of account {IDS[0]}" in str(failed.error)
    assert not server.requests


# -- credentials that end ----------------------------------------------------------------------------------------------


def test_credentials_that_end_in_the_middle_cost_only_their_account(server, session):
    fleet = Fleet(IDS, [f"{each}-1" for each in ("us-east", "eu-west", "eu-north", "ap-south")], "Reader", session)
    fleet.call("ec2", "describe_vpcs").wait()
    server.requests.clear()
    server.dead.add(f"ASIA{IDS[2]}0001")
    run = fleet.call("ec2", "describe_vpcs")
    assert len(run.ok) == 24
    assert server.assumed == {**dict.fromkeys(IDS, 1), IDS[2]: 2}
    told = {(each.target.account, each.value["Vpcs"][0]["VpcId"]) for each in run.outcomes}
    assert told == {(account, f"vpc-{account}") for account in IDS}
    others = [each.key for each in server.requests if IDS[2] not in each.key]
    assert len(others) == 20


def test_an_account_that_can_not_be_renewed_fails_alone(server, session):
    fleet = Fleet(IDS, ["us-east-1", "eu-west-1"], "Reader", session)
    fleet.call("ec2", "describe_vpcs").wait()
    server.dead.update(f"ASIA{IDS[2]}{turn:04}" for turn in range(1, 100))
    run = fleet.call("ec2", "describe_vpcs")
    assert [(each.target.account, each.kind) for each in run.failed] == [(IDS[2], "expired")] * 2
    assert len(run.ok) == 10


# -- many at once ------------------------------------------------------------------------------------------------------


def test_accounts_are_never_mixed_up(nullaws, monkeypatch, tmp_path):
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIDBASE", "AWS_SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    number = 200 if is_light(mangrove.Session(region_name="us-east-1")) else 10
    ids = [str(100_000_000_001 + each) for each in range(number)]
    with nullaws("--accounts", number, "--regions", 17, "--delay-ms", 1, "--pages", 1) as place:
        monkeypatch.setenv("AWS_ENDPOINT_URL", place.endpoint_url)
        session = mangrove.Session(region_name="us-east-1")
        fleet = Fleet(ids, "*", "Reader", session, concurrency=64)
        wrong = rows = 0
        run = fleet.items("ec2", "describe_instances")
        for row in run:
            tags = {tag["Key"]: tag["Value"] for tag in row["Instances"][0]["Tags"]}
            rows += 1
            wrong += (tags["account"], tags["region"], row["OwnerId"]) != (row.account, row.region, row.account)
        stats = place.stats()
    assert (wrong, stats["mixed"]) == (0, 0)
    assert len(run.ok) == number * 17
    assert rows == 2 * number * 17
    assert stats["operations"]["sts:AssumeRole"]["calls"] == number
    assert stats["operations"]["ec2:DescribeRegions"]["calls"] == number
