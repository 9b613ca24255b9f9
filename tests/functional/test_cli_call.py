"""The command `call`, run as people run it, against the embedded AWS: what it prints, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import botocore.client
import pytest
from botocore.exceptions import ClientError

import mangrove
from mangrove.aws.operations import find_operation
from mangrove.cli import call_fleet, call_interrupt, call_lines, call_run, call_table, main
from mangrove.cli.call_asking import read_asked
from mangrove.cli.call_params import read_params
from mangrove.cli.call_query import Query
from mangrove.cli.call_values import plain
from mangrove.errors import ConfigError

FIRST, SECOND, THIRD = "123456789012", "210987654321", "345678901234"
TWO = ("--accounts", f"{FIRST},{SECOND}", "--regions", "us-east-1,eu-west-1")
SECRET = "canary-external-id"
HOSTILE = "=1+1 \x1b[31mred\x1b[0m\u202e"


class Calls:
    """See every call of every client, and refuse some."""

    def __init__(self, monkeypatch):
        self.made = []
        self.refuses = lambda _operation, _arguments, _region: None
        real = botocore.client.BaseClient._make_api_call

        def call(client, operation, arguments):
            service, region = client.meta.service_model.service_name, client.meta.region_name
            self.made.append((service, operation, arguments))
            code = self.refuses(operation, arguments, region)
            if code:
                raise ClientError({"Error": {"Code": code, "Message": f"{code}: not \x1b[31mfor you\n"}}, operation)
            return real(client, operation, arguments)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)

    @property
    def counts(self):
        return Counter((service, operation) for service, operation, _ in self.made)

    def arguments(self, wanted):
        return [arguments for _, operation, arguments in self.made if operation == wanted]


@pytest.fixture
def aws(embedded_aws_env):
    return embedded_aws_env


@pytest.fixture
def calls(aws, monkeypatch):
    return Calls(monkeypatch)


@pytest.fixture
def run(calls, capfd):
    def run(*arguments):
        code = main(["call", *arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        assert "\x1b" not in err
        return code, out, err

    return run


@pytest.fixture
def parameters(aws):
    """Return the arguments that list five parameters in two accounts and two regions."""
    made = [(FIRST, "us-east-1", "a", "plain"), (FIRST, "us-east-1", "b", HOSTILE), (FIRST, "eu-west-1", "c", None)]
    made += [(SECOND, "us-east-1", "d", "-5"), (SECOND, "eu-west-1", "e", "tab\tand,comma")]
    for account, region, name, description in made:
        told = {} if description is None else {"Description": description}
        aws.session(account, region).client("ssm").put_parameter(Name=name, Value="x", Type="String", **told)
    return ("ssm", "describe-parameters", *TWO, "--ordered", "--no-progress")


def one_line(err):
    assert err.startswith("mangrove: error: ")
    assert err.count("\n") == 1
    return err.removeprefix("mangrove: error: ").strip()


def lines(out):
    return [json.loads(line) for line in out.splitlines()]


# -- the five forms ---------------------------------------------------------------------------------------------------

QUERY = "{Account: _account, Region: _region, Name: Name, Text: Description, Version: Version}"
GOLDEN = {
    "jsonl": rf"""
{{"Account": "{FIRST}", "Region": "us-east-1", "Name": "a", "Text": "plain", "Version": 1}}
{{"Account": "{FIRST}", "Region": "us-east-1", "Name": "b", "Text": "=1+1 \u001b[31mred\u001b[0m\u202e", "Version": 1}}
{{"Account": "{FIRST}", "Region": "eu-west-1", "Name": "c", "Text": null, "Version": 1}}
{{"Account": "{SECOND}", "Region": "us-east-1", "Name": "d", "Text": "-5", "Version": 1}}
{{"Account": "{SECOND}", "Region": "eu-west-1", "Name": "e", "Text": "tab\tand,comma", "Version": 1}}
""",
    "csv": f"""
Account,Region,Name,Text,Version
{FIRST},us-east-1,a,plain,1
{FIRST},us-east-1,b,'{HOSTILE},1
{FIRST},eu-west-1,c,,1
{SECOND},us-east-1,d,'-5,1
{SECOND},eu-west-1,e,"tab	and,comma",1
""",
    "text": f"""
{FIRST}	us-east-1	a	plain	1
{FIRST}	us-east-1	b	=1+1 red	1
{FIRST}	eu-west-1	c	None	1
{SECOND}	us-east-1	d	-5	1
{SECOND}	eu-west-1	e	tab and,comma	1
""",
    "table": f"""
ACCOUNT       REGION     NAME  TEXT           VERSION
{FIRST}  us-east-1  a     plain          1
{FIRST}  us-east-1  b     =1+1 red       1
{FIRST}  eu-west-1  c     -              1
{SECOND}  us-east-1  d     -5             1
{SECOND}  eu-west-1  e     tab and,comma  1
""",
}
GOLDEN["json"] = "\n[\n  " + ",\n  ".join(GOLDEN["jsonl"].strip().splitlines()) + "\n]\n"


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "text"])
def test_each_form_is_as_recorded(run, parameters, form):
    code, out, err = run(*parameters, "--query", QUERY, "--output", form)
    assert (code, err) == (0, "")
    assert out == GOLDEN[form].removeprefix("\n")
    if form == "json":
        assert json.loads(out) == lines(GOLDEN["jsonl"].strip())


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "text"])
def test_nothing_found_is_nothing_printed(run, form):
    code, out, _ = run("ssm", "describe-parameters", *TWO, "--output", form)
    expected = {"json": "[]\n", "csv": "_account,_region,_partition\n"}.get(form, "")
    assert (code, out) == (0, expected)


def test_a_row_begins_with_where_it_is_from_and_times_are_iso(run, parameters):
    code, out, _ = run(*parameters, "--output", "jsonl")
    found = lines(out)
    assert code == 0
    assert [(row["_account"], row["_region"], row["_partition"]) for row in found] == [
        (FIRST, "us-east-1", "aws"),
        (FIRST, "us-east-1", "aws"),
        (FIRST, "eu-west-1", "aws"),
        (SECOND, "us-east-1", "aws"),
        (SECOND, "eu-west-1", "aws"),
    ]
    assert list(found[0])[:4] == ["_account", "_region", "_partition", "Name"]
    assert all(datetime.fromisoformat(row["LastModifiedDate"]).tzinfo for row in found)


def test_all_pages_are_read(run, calls, aws):
    tables = aws.session(region_name="us-east-1").client("dynamodb")
    for name in ("one", "two", "three"):
        key = {"AttributeName": "k"}
        tables.create_table(
            TableName=name,
            KeySchema=[{**key, "KeyType": "HASH"}],
            AttributeDefinitions=[{**key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    asked = ("dynamodb", "list-tables", "--params", "Limit=1", "--regions", "us-east-1", "--query", "TableNames")
    code, out, _ = run(*asked, "--output", "text")
    assert (code, sorted(out.split())) == (0, ["one", "three", "two"])
    assert calls.counts["dynamodb", "ListTables"] >= 3


def test_a_whole_answer_is_a_row_where_nothing_is_listed(run):
    code, out, _ = run("sts", "GetCallerIdentity", *TWO, "--once", "--output", "jsonl")
    found = lines(out)
    assert (code, {row["Account"] for row in found}) == (0, {FIRST, SECOND})
    assert list(found[0]) == ["_account", "_region", "_partition", "UserId", "Account", "Arn"]


def test_a_list_beside_what_the_answer_is_about_is_no_list_of_rows(run, aws):
    secrets = aws.session(region_name="us-east-1").client("secretsmanager")
    secrets.create_secret(Name="s", SecretBinary=b"\x00\x01")
    asked = ("secretsmanager", "get-secret-value", "--params", "SecretId=s", "--regions", "us-east-1")
    code, out, _ = run(*asked, "--output", "jsonl")
    (row,) = lines(out)
    assert (code, row["SecretBinary"], row["VersionStages"]) == (0, "AAE=", ["AWSCURRENT"])


def test_what_is_no_structure_is_named_as_its_list_is(run, aws):
    aws.session(region_name="eu-west-1").client("sqs").create_queue(QueueName="orders")
    code, out, _ = run("sqs", "list-queues", *TWO, "--query", "QueueUrls", "--output", "text")
    assert (code, out) == (0, f"{aws.endpoint_url}/{FIRST}/orders\n")


def test_rows_that_become_null_are_dropped_and_what_a_query_asks_is_plain(run, parameters):
    query = "LastModifiedDate > '2001' && Description && Name"
    code, out, _ = run(*parameters, "--query", query, "--output", "json")
    assert (code, json.loads(out)) == (0, ["a", "b", "d", "e"])


def test_lists_that_a_query_finds_in_a_row_are_lines(run, aws):
    ec2 = aws.session(region_name="us-east-1").client("ec2")
    ec2.run_instances(ImageId="ami-12c6146b", MinCount=2, MaxCount=2)
    asked = (
        "ec2",
        "describe-instances",
        "--regions",
        "us-east-1",
        "--query",
        "Instances[].[State.Name, AmiLaunchIndex]",
    )
    assert run(*asked, "--output", "csv")[1] == "State.Name,AmiLaunchIndex\nrunning,0\nrunning,1\n"
    assert run(*asked, "--output", "text")[1] == "running\t0\nrunning\t1\n"


# -- 0, 1, 2, 253, 254, 130 -------------------------------------------------------------------------------------------


def refuse(account, code="AccessDenied"):
    return lambda operation, given, _region: (
        code if operation == "AssumeRole" and f":{account}:" in given["RoleArn"] else None
    )


def test_skipped_regions_are_no_failures(run):
    code, out, err = run("sqs", "list-queues", "--regions", "us-east-1,ap-east-1")
    assert (code, out) == (0, "")
    assert err.splitlines()[-1].startswith("mangrove: 2 targets: 1 ok, 1 disabled; 0 rows, 1 call, ")


def test_nothing_to_call_says_why(run):
    code, out, err = run("sqs", "list-queues", "--regions", "ap-east-1", "--no-progress")
    assert (code, out) == (0, "")
    assert err.startswith("mangrove: there is no target: no region is left")


def test_some_failed(run, calls, parameters):
    calls.refuses = refuse(SECOND)
    code, out, err = run(*parameters, "--output", "jsonl")
    assert (code, {row["_account"] for row in lines(out)}) == (1, {FIRST})
    assert one_line(err).startswith(f"{SECOND} *: denied: ")
    assert "AccessDenied: not for you" in err


def test_all_failed(run, calls):
    calls.refuses = lambda operation, _given, _region: "UnauthorizedOperation" if operation == "DescribeVpcs" else None
    code, out, err = run("ec2", "describe-vpcs", *TWO, "--output", "json")
    assert (code, out) == (254, "[]\n")
    told = err.splitlines()
    assert told[0] == "mangrove: calling ec2 DescribeVpcs in 2 accounts"
    assert sorted(line.partition(": denied: ")[0] for line in told[1:5]) == [
        f"mangrove: error: {account} {region}" for account in (FIRST, SECOND) for region in ("eu-west-1", "us-east-1")
    ]
    assert told[5].startswith("mangrove: 4 targets: 4 denied (UnauthorizedOperation 4); 0 rows, 4 calls, ")


def test_twenty_failures_are_told_and_the_others_counted(run, calls):
    calls.refuses = lambda operation, _given, _region: "AccessDenied" if operation == "AssumeRole" else None
    ids = ",".join(str(400_000_000_000 + number) for number in range(25))
    code, _, err = run("ec2", "describe-vpcs", "--accounts", ids, "--regions", "us-east-1", "--no-progress")
    told = err.splitlines()
    assert (code, len(told), told[-1]) == (254, 21, "mangrove: error: and 5 more targets")


@pytest.mark.parametrize("more", [(), TWO, ("--accounts", "org")])
def test_no_credentials(run, monkeypatch, tmp_path, more):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCOUNT_ID"):
        monkeypatch.delenv(name)
    code, out, err = run("ec2", "describe-vpcs", *more)
    assert (code, out) == (253, "")
    assert one_line(err).startswith("no credentials found: give --profile")


def test_profiles_without_credentials(run, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCOUNT_ID"):
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text(
        "[profile a]\nregion = us-east-1\nsso_session = s\nsso_account_id = 111111111111\nsso_role_name = r\n"
        "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.com/start\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    code, _, err = run("ec2", "describe-vpcs", "--accounts", "profile:a", "--regions", "us-east-1", "--no-progress")
    assert code == 253
    assert one_line(err).startswith("111111111111 *: expired: ")


WRONG = [
    (["ec2"], "say SERVICE and OPERATION"),
    (["ec9", "describe-vpcs"], "no service 'ec9' in this botocore; did you mean 'ecs', 'ecr' or 'ec2'?"),
    (["ec2", "describe-vpc"], "ec2 has no operation 'describe-vpc'; did you mean 'describe_vpcs'"),
    (["logs", "start-live-tail"], "answers with a stream of events"),
    (["ec2", "describe-vpcs", "--params", "VpcIdz=a"], "has no parameter 'VpcIdz'"),
    (["ec2", "describe-vpcs", "--params", '{"VpcIds": "a"}'], "Invalid type for parameter VpcIds"),
    (["ec2", "describe-vpcs", "--params", "{"], "--params is no JSON"),
    (["ec2", "describe-vpcs", "--params", "[]"], "--params takes an object of JSON, @file.json or Key=value"),
    (["ec2", "describe-vpcs", "--params", "@absent.json"], "--params @absent.json: the file can't be read: No such"),
    (["ec2", "describe-vpcs", "--params", "MaxResults=many"], "--params MaxResults takes a number"),
    (["ec2", "describe-vpcs", "--params", "DryRun=x"], "--params DryRun takes true or false"),
    (["ec2", "describe-vpcs", "--params", "Filters=a"], "write them as JSON: Filters='[{...}]'"),
    (["ec2", "describe-vpcs", "--params", "VpcIds=a", "--params", "VpcIds=b"], "VpcIds is there twice"),
    (["lambda", "invoke", "--params", "FunctionName=f", "--params", "Payload={}"], "bytes are written in Base64"),
    (["ec2", "describe-vpcs", "--query", "[a"], "--query '[a' can't be read: Incomplete expression"),
    (["ec2", "describe-vpcs", "--query", ""], "--query '' can't be read"),
    (["ec2", "describe-vpcs", "--query", "a[?sizeof(b)]"], "there is no function 'sizeof'"),
    (["ec2", "describe-vpcs", "--query", "length()"], "length() takes 1 arguments; got 0"),
    (["ec2", "describe-vpcs", "--limits", "limits.json"], "a limit has no field 'rat'; did you mean 'rate'?"),
    (["ec2", "describe-vpcs", "--limits", "absent.json"], "absent.json can't be read"),
    (["ec2", "describe-vpcs", "--accounts", "nothing"], "'nothing' is no source of accounts"),
    (["ec2", "describe-vpcs", "--accounts", "12345"], "12345"),
    (["ec2", "describe-vpcs", *TWO, "--account-id", THIRD], f"no account '{THIRD}' among the 2 there are"),
    (["ec2", "describe-vpcs", *TWO, "--account-id", "9*"], "no account is left of 2"),
    (["ec2", "describe-vpcs", *TWO, "--account-tag", "prod"], "--account-tag takes KEY=GLOB; got 'prod'"),
    (["ec2", "describe-vpcs", "--role", "audit"], "--role is for the accounts of --accounts"),
    (["ec2", "describe-vpcs", "--regions", "mars-1"], "mars-1"),
    (["ec2", "describe-vpcs", "--profile", "absent"], "no profile 'absent'"),
    (["ec2", "describe-vpcs", "--polite", "2"], "polite=2.0: give a number above 0, 1 at most"),
    (["ec2", "describe-vpcs", "--deadline", "0"], "deadline=0.0: give a number above 0"),
    (["--resume", "absent"], "absent: no such file, or it is a link"),
    (["--resume", "other.json"], "other.json is not the file of a run"),
    (["--resume", "map.json"], "map.json is of a run of map"),
    (["ec2", "describe-vpcs", "--save", "other.json"], "the file is there, and is not the file of a run"),
    (["ec2", "describe-vpcs", "--save", "absent/run"], "there is no folder 'absent'"),
    (["ec2", "create-vpc", "--params", "CidrBlock=10.0.0.0/16", *TWO], "in 4 targets of 2 accounts; if that is meant"),
]


@pytest.mark.parametrize(("arguments", "told"), WRONG, ids=[" ".join(each[0])[-40:] for each in WRONG])
def test_wrong_usage_makes_no_call(run, calls, monkeypatch, tmp_path, arguments, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "limits.json").write_text('[{"name": "mine", "rat": 5}]')
    (tmp_path / "other.json").write_text('{"a": 1}')
    request = {"kind": "map", "service": "", "operation": "f", "parameters": {}, "withheld": [], "once": False}
    document = {"mangrove_run": 1, "request": request, "opened": {}, "targets": []}
    (tmp_path / "map.json").write_text(json.dumps(document))
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert told in one_line(err)
    assert set(calls.counts) <= {("sts", "GetCallerIdentity")}
    assert json.loads((tmp_path / "other.json").read_text()) == {"a": 1}


@pytest.mark.parametrize("option", [["--deadline", "soon"], ["--max-rate", "0"], ["--concurrency", "0"]])
def test_options_of_the_wrong_form(run, option):
    code, _, err = run("ec2", "describe-vpcs", *option)
    assert code == 2
    assert "Error: " in err


def test_a_suspended_account_that_is_asked_for_is_told_as_such(run, aws):
    organizations = aws.session().client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    ids = [
        organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"]
        for name in ("web", "old")
    ]
    organizations.close_account(AccountId=ids[1])
    asked = ("sts", "get-caller-identity", "--once", "--accounts", "org", "--no-progress")
    code, _, err = run(*asked, "--account-id", ids[1])
    assert code == 2
    assert one_line(err) == f"account {ids[1]} is SUSPENDED in the organization, and can't be called in"
    code, out, _ = run(*asked, "--output", "text", "--query", "Account")
    assert (code, out) == (0, f"{ids[0]}\n")


def test_a_row_that_the_query_is_not_for_costs_itself(run, parameters):
    code, out, err = run(*parameters, "--query", "contains(Description, 'plain') && Name", "--output", "json")
    assert (code, json.loads(out)) == (1, ["a", False, False, False])
    assert "1 rows can't be printed; the first: 123456789012 eu-west-1: In function contains()" in one_line(err)


# -- what is asked ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("regions", ["us-east-1,eu-west-1", "eu-*,ap-east-1"])
def test_the_plan_is_what_is_called(run, calls, regions):
    asked = ("ec2", "describe-vpcs", "--accounts", f"{FIRST},{SECOND},{THIRD}", "--regions", regions)
    code, out, err = run(*asked, "--dry-run", "--output", "json")
    planned = json.loads(out)
    assert (code, err) == (0, "")
    assert set(calls.counts) <= {("sts", "GetCallerIdentity")}
    calls.made.clear()
    code, out, _ = run(*asked, "--output", "jsonl")
    told = {(each["service"], each["operation"]): each["count"] for each in planned["calls"]}
    sure = {(each["account"], each["region"]) for each in planned["targets"]}
    maybe = {(each["account"], each["region"]) for each in planned["possible"]}
    called = {(row["_account"], row["_region"]) for row in lines(out)}
    assert sure <= called <= sure | maybe
    made = calls.counts - Counter({("sts", "GetCallerIdentity"): 9})
    made["ec2", "DescribeVpcs"] -= len(called - sure)
    assert made == told


def test_the_plan_is_for_people_too(run):
    code, out, _ = run("ec2", "describe-vpcs", *TWO, "--dry-run")
    assert (code, out) == (
        0,
        (
            "ec2 DescribeVpcs in 2 accounts: 4 targets\nsts AssumeRole 1\nec2 DescribeVpcs 4\n"
            "and 1 for each further page of an answer\n"
        ),
    )


def test_a_change_is_made_once_everywhere_if_it_is_meant(run, calls):
    asked = ("sqs", "create-queue", "--params", "QueueName=q", *TWO)
    code, out, _ = run(*asked, "--yes", "--query", "[_account, _region]", "--output", "json", "--ordered")
    assert (code, json.loads(out)) == (0, [[a, r] for a in (FIRST, SECOND) for r in ("us-east-1", "eu-west-1")])
    assert calls.counts["sqs", "CreateQueue"] == 4


@pytest.mark.parametrize(("answer", "code", "queues"), [(b"y\n", 0, 4), (b"n\n", 1, 0)])
def test_a_change_is_asked_for_on_a_terminal(aws, answer, code, queues):
    pty = pytest.importorskip("pty")
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "mangrove", "call", "sqs", "create-queue", "--params", "QueueName=q", *TWO]
    with subprocess.Popen(command, stdin=follower, stderr=follower, stdout=subprocess.PIPE, text=True) as process:
        os.close(follower)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(leader, 10_000)
        os.write(leader, answer)
        out = process.stdout.read()
    os.close(leader)
    assert process.returncode == code
    asked = " ".join(shown.decode().split())
    assert asked.startswith("sqs CreateQueue is not known to be read-only. Call it in 4 targets of 2 accounts?")
    assert len(out.splitlines()) == (queues + 1 if queues else 0)
    made = [aws.session(a, r).client("sqs").list_queues() for a in (FIRST, SECOND) for r in ("us-east-1", "eu-west-1")]
    assert sum(len(each.get("QueueUrls", ())) for each in made) == queues


def test_options_reach_the_fleet(run, calls, monkeypatch, tmp_path):
    (tmp_path / "accounts.json").write_text(
        json.dumps([{"id": FIRST, "tags": {"env": "prod"}}, {"id": SECOND, "tags": {"env": "dev"}}, {"id": THIRD}])
    )
    (tmp_path / "limits.json").write_text('[{"name": "mine", "rate": 5}]')
    monkeypatch.setenv("MANGROVE_EXTERNAL_ID", SECRET)
    made = []
    real = call_fleet.make_fleet
    monkeypatch.setattr(call_fleet, "make_fleet", lambda *given: made.append(real(*given)) or made[0])
    code, out, err = run(
        *("sts", "get-caller-identity", "--once", "--accounts", str(tmp_path / "accounts.json"), "--role", "Audit"),
        *("--account-tag", "env=dev", "--account-tag", "env=stage", "--account-id", "2*", "--region", "eu-west-1"),
        *("--regions", "us-east-1", "--regions", "eu-*", "--concurrency", "3", "--deadline", "2m", "--polite", "0.5"),
        *("--target-deadline", "90", "--max-rate", "50", "--limits", str(tmp_path / "limits.json")),
        *("--query", "[Arn, _region]", "--output", "text"),
    )
    assert (code, out.split("\t")[1:]) == (0, ["eu-west-1\n"])
    assert f"arn:aws:sts::{SECOND}:assumed-role/Audit/" in out
    assert [given["ExternalId"] for given in calls.arguments("AssumeRole")] == [SECRET]
    assert SECRET not in out + err
    settings = made[0]._settings
    assert (settings.concurrency, settings.deadline, settings.target_deadline, settings.polite) == (3, 120, 90, 0.5)
    rates = {limit.name: (limit.rate, limit.burst) for limit in settings.limits}
    assert (rates["mine"], rates["--max-rate"]) == ((5, 5), (50, 5))


def test_targets_may_be_elsewhere(run, aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", aws.endpoint_url)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    code, out, _ = run(
        *("ec2", "describe-vpcs", *TWO, "--endpoint-url", aws.endpoint_url, "--query", "_account", "--output", "text")
    )
    assert (code, sorted(out.split())) == (0, sorted([FIRST, SECOND] * 2))


# -- going on ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def failed(run, calls, parameters, tmp_path):
    """Return the file of a run in which one account has failed, and the same arguments without the operation."""
    file = tmp_path / "run.json"
    calls.refuses = refuse(SECOND)
    assert run(*parameters, "--save", str(file))[0] == 1
    assert file.stat().st_mode & 0o777 == 0o600
    calls.refuses = lambda *_given: None
    calls.made.clear()
    return str(file), parameters[2:]


@pytest.mark.parametrize("again", [(), ("ssm",), ("ssm", "DescribeParameters")])
def test_a_run_goes_on_where_it_failed(run, calls, failed, again):
    file, rest = failed
    code, out, _ = run(*again, *rest, "--resume", file, "--dry-run", "--output", "json")
    assert (code, json.loads(out)["calls"][-1]["count"]) == (0, 2)
    calls.made.clear()
    code, out, err = run(*again, *rest, "--resume", file, "--output", "jsonl")
    assert (code, err) == (0, "")
    assert [row["Name"] for row in lines(out)] == ["d", "e"]
    assert calls.counts["ssm", "DescribeParameters"] == 2
    told = json.loads(Path(file).read_text())["targets"]
    assert Counter((each["account"], each["kind"]) for each in told) == {(FIRST, "ok"): 2, (SECOND, "ok"): 2}
    calls.made.clear()
    code, out, _ = run(*again, *rest, "--resume", file, "--output", "json")
    assert (code, out, calls.counts["ssm", "DescribeParameters"]) == (0, "[]\n", 0)
    code, out, _ = run(*again, *rest, "--resume", file, "--dry-run", "--output", "json")
    assert (code, json.loads(out)["total"]) == (0, 0)


def test_accounts_that_are_left_out_stay_failed(run, failed):
    file, _ = failed
    code, out, err = run("--resume", file, "--accounts", FIRST, "--no-progress")
    assert (code, out) == (1, "")
    assert f"1 failed targets of {file} are not among these accounts and regions, such as {SECOND} *" in one_line(err)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["ssm", "get-parameter"], "is of ssm describe_parameters, and not of ssm get_parameter"),
        (["--params", "MaxResults=1"], "is of a run with another MaxResults, or without it"),
        (["--once"], "leave out --once"),
    ],
)
def test_another_run_is_not_gone_on_with(run, calls, failed, more, told):
    file, _ = failed
    code, _, err = run(*more, "--resume", file)
    assert (code, told in one_line(err), calls.made) == (2, True, [])


def test_what_is_secret_is_given_again(run, calls, tmp_path):
    file = tmp_path / "run.json"
    calls.refuses = refuse(SECOND)
    asked = ("secretsmanager", "create-secret", *TWO, "--yes", "--save", str(file), "--no-progress")
    assert run(*asked, "--params", "Name=n", "--params", "SecretString=canary")[0] == 1
    assert "canary" not in file.read_text()
    calls.refuses = lambda *_given: None
    again = ("--resume", str(file), *TWO, "--yes", "--output", "text", "--query", "Name")
    code, _, err = run(*again)
    assert (code, "holds no SecretString, which the API calls sensitive" in one_line(err)) == (2, True)
    code, out, _ = run(*again, "--params", "SecretString=canary")
    assert (code, out) == (0, "n\nn\n")
    assert calls.counts["secretsmanager", "CreateSecret"] == 4


# -- Ctrl-C, and readers who leave ------------------------------------------------------------------------------------


class _HalfSilent(BaseHTTPRequestHandler):
    """Answer for one region, and say nothing for the others."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.release()
        if "/us-east-1/" not in self.headers["Authorization"]:
            self.server.over.wait(60)
            return
        body = b'{"QueueUrls": ["one", "two"]}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def silent():
    with ThreadingHTTPServer(("127.0.0.1", 0), _HalfSilent) as server:
        server.asked, server.over, server.daemon_threads = threading.Semaphore(0), threading.Event(), True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def begin(server, *arguments, regions="us-east-1,eu-west-1,us-west-1"):
    keys = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ACCOUNT_ID": FIRST}
    url = f"http://127.0.0.1:{server.server_address[1]}"
    return subprocess.Popen(
        [sys.executable, "-m", "mangrove", "call", "sqs", "list-queues", "--regions", regions, *arguments],
        env={**os.environ, **keys, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1", "NO_PROXY": "127.0.0.1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts the tests in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


@pytest.mark.parametrize(
    ("form", "first", "rest"),
    [
        ("jsonl", '{"Q": "one"}\n{"Q": "two"}\n', ""),
        ("json", '[\n  {"Q": "one"},\n', '  {"Q": "two"}\n]\n'),
        ("csv", "Q\none\ntwo\n", ""),
        ("text", "one\ntwo\n", ""),
    ],
)
def test_ctrl_c_ends_what_is_printed_and_saves_the_run(silent, tmp_path, form, first, rest):
    process = begin(silent, "--output", form, "--save", str(tmp_path / "run"), "--query", "{Q: QueueUrls}")
    for _ in range(3):
        assert silent.asked.acquire(timeout=60)
    assert "".join(process.stdout.readline() for _ in first.splitlines()) == first
    process.send_signal(signal.SIGINT)
    # Two regions never answer.
    assert process.wait(timeout=2) == 130
    with process.stdout, process.stderr:
        out, err = process.stdout.read(), process.stderr.read()
    assert (out, "Traceback" in err) == (rest, False)
    assert "mangrove: interrupted: " in err
    done = json.loads((tmp_path / "run").read_text())
    assert done["opened"] == {f"{FIRST} sqs": 3}
    assert [(each["region"], each["kind"]) for each in done["targets"]] in ([], [("us-east-1", "ok")])


def test_ctrl_c_waits_for_no_organization(silent):
    process = begin(silent, "--accounts", "org", regions="us-east-1")
    # The server knows no such answer, or is silent: what counts is how it ends.
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert (process.returncode in {130, -signal.SIGINT}, "mangrove: error" in err) == (True, False)


def test_ctrl_c_is_left_to_the_awaited_run_and_twice_ends_at_once():
    stopped = threading.Event()

    def results():
        signal.raise_signal(signal.SIGINT)
        assert stopped.wait(30)
        yield "the last one"

    with pytest.raises(KeyboardInterrupt), call_interrupt.Interruption() as ear:
        assert list(ear.through(results(), stopped.set)) == ["the last one"]
        assert ear.heard
        ear.finish()
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_at_the_very_end_loses_nothing(run, monkeypatch, tmp_path):
    real = call_run.Calling._save

    def save(calling, made):
        signal.raise_signal(signal.SIGINT)
        return real(calling, made)

    monkeypatch.setattr(call_run.Calling, "_save", save)
    code, out, _ = run("sts", "get-caller-identity", *TWO, "--output", "jsonl", "--save", str(tmp_path / "run"))
    assert (code, len(lines(out)), len(json.loads((tmp_path / "run").read_text())["targets"])) == (130, 4, 4)


def test_what_was_changed_is_not_changed_again(run, calls, monkeypatch, tmp_path):
    real = call_run._Reader.take

    def take(reader, result):
        real(reader, result)
        reader.outcomes -= 1  # as if it had not come so far
        signal.raise_signal(signal.SIGINT)

    asked = (*TWO, "--yes", "--concurrency", "1", "--output", "text", "--query", "QueueUrl")
    file = str(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(call_run._Reader, "take", take)
        code, out, err = run("sqs", "create-queue", "--params", "QueueName=q", *asked, "--save", file)
    assert (code, len(out.splitlines())) == (130, 1)
    assert err.splitlines()[-1].startswith("mangrove: requests that were under way may have changed something")
    code, out, err = run(*asked, "--resume", file)
    # The one that was under way is not made again: it is known to have ended well, or it is told of as a failure.
    assert len(out.splitlines()) == 2
    assert code == (1 if "under way when the run was left" in err else 0)
    code, out, err = run(*asked, "--resume", file, "--again")
    assert (code, "under way" in err) == (0, False)


def test_again_is_for_a_run_that_is_gone_on_with(run):
    code, out, err = run("sqs", "list-queues", *TWO, "--again")
    assert (code, out) == (2, "")
    assert "--again" in err
    assert "--resume FILE" in err


@pytest.mark.parametrize("form", ["jsonl", "table"])
def test_what_was_not_printed_is_asked_for_again(run, calls, monkeypatch, tmp_path, form):
    real = call_run._Reader.take

    def take(reader, result):
        if reader.outcomes == 2:
            signal.raise_signal(signal.SIGINT)
        real(reader, result)

    asked = (*TWO, "--output", form, "--query", "[_account, _region]", "--no-progress")
    file = str(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(call_run._Reader, "take", take)
        code, out, err = run("sts", "get-caller-identity", *asked, "--save", file)
    assert (code, err) == (130, "")
    printed = out.splitlines()[form == "table" :]
    assert len(printed) == 2
    code, out, _ = run(*asked, "--resume", file)
    printed += out.splitlines()[form == "table" :]
    assert (code, len(set(printed)), len(printed)) == (0, 4, 4)


def test_a_reader_who_has_enough_ends_the_run(silent):
    process = begin(silent, "--output", "jsonl", regions="us-east-1")
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_rows_come_as_they_are_found(silent):
    process = begin(silent, "--output", "jsonl")
    assert json.loads(process.stdout.readline())["QueueUrls"] == "one"
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def test_a_full_disk_is_told(aws):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "mangrove", "call", "ec2", "describe-vpcs", *TWO]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "standard output can't be written: No space left on device" in done.stderr


# -- parts ------------------------------------------------------------------------------------------------------------


def test_help_loads_no_botocore():
    script = (
        "import sys; from mangrove.cli import main\nassert main(['call', '--help']) == 0\n"
        "print('LOADED', sorted(name for name in sys.modules if name.startswith(('boto', 'urllib3', 'jmespath'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Usage: mangrove call " in done.stdout
    assert "LOADED []" in done.stdout


def test_parameters_are_read_by_their_types(tmp_path):
    session = mangrove.Session(region_name="us-east-1")

    def read(service, operation, *given):
        return read_params(given, find_operation(session, service, operation).model.input_shape)

    (tmp_path / "p.json").write_text('{"FunctionName": "f", "Payload": "e30="}')
    assert read("lambda", "invoke", f"@{tmp_path / 'p.json'}") == {"FunctionName": "f", "Payload": b"{}"}
    given = ("VpcIds=vpc-1,vpc-2", "MaxResults=5", "DryRun=False", 'Filters=[{"Name": "a", "Values": ["b"]}]')
    assert read("ec2", "describe-vpcs", *given) == {
        "VpcIds": ["vpc-1", "vpc-2"],
        "MaxResults": 5,
        "DryRun": False,
        "Filters": [{"Name": "a", "Values": ["b"]}],
    }
    assert read("ssm", "get-parameter", "Name=012=3") == {"Name": "012=3"}
    item = '{"TableName": "t", "Item": {"a": {"B": "AAE="}, "b": {"BS": ["AA=="]}, "c": {"S": "AA=="}}}'
    assert read("dynamodb", "put-item", item)["Item"] == {"a": {"B": b"\0\1"}, "b": {"BS": [b"\0"]}, "c": {"S": "AA=="}}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("[_account, State.Name, length(Tags)]", ("_account", "State.Name", "column_3")),
        ("Instances[].{Id: InstanceId, Kind: InstanceType}", ("Id", "Kind")),
        ("@ | [a]", ("a",)),
        ("VpcId", None),
        ("*.[b]", ("b",)),
        ("Tags[?Key=='a'].[Value] | [0]", None),
    ],
)
def test_a_query_tells_its_columns(query, names):
    assert Query(query).names == names


def test_lists_are_told_from_answers_that_hold_one():
    session = mangrove.Session(region_name="us-east-1")
    options = {"resume": None, "params": [], "once": False}

    def rows(service, operation, *params):
        return read_asked({**options, "service": service, "operation": operation, "params": params}, session).rows

    assert rows("ec2", "describe-instances")
    assert rows("sqs", "list-queues")
    assert rows("iam", "get-account-authorization-details")
    assert rows("ce", "get-cost-categories", '{"TimePeriod": {"Start": "2026-01-01", "End": "2026-01-02"}}')
    assert not rows("secretsmanager", "get-secret-value", "SecretId=s")
    assert not rows("ssm", "get-document", "Name=n")
    assert not rows("efs", "create-file-system")
    assert not rows("sts", "get-caller-identity")


def test_bodies_are_read_and_odd_numbers_named():
    body = SimpleNamespace(read=lambda: b"\xff")
    told = {
        "Body": body,
        "At": datetime(2026, 1, 2, tzinfo=timezone.utc),
        "Far": float("inf"),
        "N": [1, 2.5, None, True],
    }
    assert plain(told) == {
        "Body": "/w==",
        "At": "2026-01-02T00:00:00+00:00",
        "Far": "Infinity",
        "N": [1, 2.5, None, True],
    }


def test_columns_come_from_the_first_rows_and_later_ones_are_told(capsys):
    writer = call_lines.Csv(None)
    for number in range(100):
        writer.take({"a": number, **({"b": [1, {"c": "é"}]} if number == 50 else {})})
    writer.take({"a": "\rx", "late": 1})
    writer.end()
    header, *rows = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    assert (header, rows[50], rows[100]) == (["a", "b"], ["50", '[1,{"c":"é"}]'], ["'\rx", ""])
    assert writer.remarks == ["left out, as the first rows have none of these: late; --output jsonl has all"]


def test_many_rows_of_a_table_are_printed_before_the_last(capsys):
    table = call_table.Table(None)
    for number in range(1000):
        table.take({"n": number})
    assert len(capsys.readouterr().out.splitlines()) == 1001
    table.take({"n": "wider than all before"})
    assert capsys.readouterr().out == "wider than all before\n"


def test_a_terminal_gets_what_fits_and_no_commands(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    table = call_table.Table(None)
    table.take({"a": "\x1b[31mred\x1b]0;title\x07", "none": None, "wide": "漢" * 40, "last": "z" * 40})
    table.end()
    assert capsys.readouterr().out == ("\x1b[1mA    WIDE\x1b[0m\nred  " + "漢" * 27 + "…\n")
    assert table.remarks == ["no room for last; --output csv has everything"]
    text = call_lines.Csv(["a"])
    text.take(["\x1b[31mred"])
    assert capsys.readouterr().out == "a\nred\n"


def test_a_change_of_names_is_refused_before_the_first_call():
    with pytest.raises(ConfigError, match="VpcIds is there twice"):
        read_params(["VpcIds=a", '{"VpcIds": []}'], None)
