"""The commands `credentials` and `whoami`, run as people run them, against the embedded AWS."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError

from mangrove.cli import main
from mangrove.cli.credentials import FORMATS
from mangrove.cli.grid import Grid
from mangrove.cli.whoami import COLUMNS

FIRST, SECOND, THIRD = "123456789012", "210987654321", "345678901234"
ROLE = f"arn:aws:iam::{SECOND}:role/OrganizationAccountAccessRole"
SECRET = "canary-external-id"


class Calls:
    """See every call of every client, and refuse some."""

    def __init__(self, monkeypatch):
        self.made = []
        self.refused = {}
        real = botocore.client.BaseClient._make_api_call

        def call(client, operation, arguments):
            self.made.append((operation, arguments))
            code = self.refused.get(operation)
            if callable(code):
                code = code(arguments)
            if code:
                raise ClientError({"Error": {"Code": code, "Message": f"{code}: not for you\n"}}, operation)
            return real(client, operation, arguments)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)

    @property
    def counts(self):
        return Counter(operation for operation, _ in self.made)

    def arguments(self, operation):
        return [arguments for name, arguments in self.made if name == operation]


@pytest.fixture
def calls(embedded_aws_env, monkeypatch):
    return Calls(monkeypatch)


@pytest.fixture
def run(calls, capfd):
    def run(*arguments):
        code = main(list(arguments))
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run


def one_line(err):
    assert err.startswith("mangrove: error: ")
    assert err.count("\n") == 1
    return err.removeprefix("mangrove: error: ").strip()


# -- credentials: what is printed -------------------------------------------------------------------------------------


def test_process_is_version_1_of_the_protocol(run, calls):
    code, out, err = run("credentials", "--role-arn", ROLE)
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert list(document) == [
        "Version",
        "AccessKeyId",
        "SecretAccessKey",
        "SessionToken",
        "Expiration",
        "AccountId",
    ]
    assert (document["Version"], document["AccountId"]) == (1, SECOND)
    keys = (document["AccessKeyId"], document["SecretAccessKey"], document["SessionToken"])
    assert boto3.Session(*keys).client("sts").get_caller_identity()["Account"] == SECOND
    assert calls.counts["AssumeRole"] == 1


def test_every_option_reaches_the_one_call(run, calls):
    code, _, err = run(
        *("credentials", "--role-arn", ROLE, "--role-session-name", "alice", "--external-id", SECRET),
        *("--duration", "900", "--source-identity", "alice@example.com", "--tag", "team=data", "--tag", "url=a=b"),
        *("--region", "eu-west-1"),
    )
    assert (code, err) == (0, "")
    assert calls.arguments("AssumeRole") == [
        {
            "RoleArn": ROLE,
            "RoleSessionName": "alice",
            "ExternalId": SECRET,
            "DurationSeconds": 900,
            "SourceIdentity": "alice@example.com",
            "Tags": [{"Key": "team", "Value": "data"}, {"Key": "url", "Value": "a=b"}],
        }
    ]


def test_several_roles_are_a_chain(run, calls):
    hub = f"arn:aws:iam::{THIRD}:role/OrganizationAccountAccessRole"
    code, out, _ = run("credentials", "--role-arn", hub, "--role-arn", ROLE)
    assert (code, json.loads(out)["AccountId"]) == (0, SECOND)
    assert sorted(arguments["RoleArn"] for arguments in calls.arguments("AssumeRole")) == sorted([hub, ROLE])


def test_the_external_id_may_come_from_the_environment_and_shows_nowhere(run, calls, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG, "mangrove")
    monkeypatch.setenv("MANGROVE_EXTERNAL_ID", SECRET)
    code, out, err = run("credentials", "--role-arn", ROLE)
    assert (code, calls.arguments("AssumeRole")[0]["ExternalId"]) == (0, SECRET)
    document = json.loads(out)
    for secret in (SECRET, document["SecretAccessKey"], document["SessionToken"]):
        assert secret not in err + caplog.text
    assert SECRET not in out


def test_json_is_for_a_program(run):
    code, out, _ = run("credentials", "--role-arn", ROLE, "--format", "json")
    document = json.loads(out)
    assert (code, document["RoleArn"], document["AccountId"]) == (0, ROLE, SECOND)
    assert document["Expiration"].endswith("Z")


def test_env_is_for_a_shell(run):
    code, out, _ = run("credentials", "--role-arn", ROLE, "--format", "env")
    assert code == 0
    program = 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])'
    script = f"{out}exec {sys.executable} -c '{program}'"
    answer = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == f"arn:aws:sts::{SECOND}:assumed-role/OrganizationAccountAccessRole/mangrove"


NASTY = "a'b\"c$(id)`id`\\ \\n;#&|*?{}"
DOCUMENT = {
    "AccessKeyId": "AKIA",
    "SecretAccessKey": NASTY,
    "SessionToken": f"'{NASTY}'",
    "Expiration": "2030-01-01T00:00:00Z",
    "AccountId": FIRST,
    "RoleArn": ROLE,
}
SHELLS = {"env": ("sh", "-c"), "fish": ("fish", "-c"), "powershell": ("pwsh", "-NoProfile", "-Command")}


@pytest.mark.parametrize("form", SHELLS)
def test_no_value_gets_out_of_its_quotes(form):
    shell, *options = SHELLS[form]
    text = FORMATS[form](DOCUMENT)
    assert len(text.splitlines()) == 5
    if form == "fish":
        assert "set -gx AWS_SECRET_ACCESS_KEY 'a\\'b\"c$(id)`id`\\\\ \\\\n;#&|*?{}'\n" in text
    if form == "powershell":
        assert "$Env:AWS_SECRET_ACCESS_KEY = 'a''b\"c$(id)`id`\\ \\n;#&|*?{}'\n" in text
    if shutil.which(shell) is None:
        return
    program = 'from os import environ as e; print(e["AWS_SECRET_ACCESS_KEY"], e["AWS_SESSION_TOKEN"])'
    show = f"{sys.executable} -c '{program}'"
    answer = subprocess.run([shell, *options, text + show], capture_output=True, text=True, check=True)
    assert answer.stdout == f"{NASTY} '{NASTY}'\n"


def test_with_the_cache_the_next_process_asks_nobody(run, calls):
    first = run("credentials", "--role-arn", ROLE, "--cache")
    second = run("credentials", "--role-arn", ROLE, "--cache")
    assert first == second
    assert first[0] == 0
    assert calls.counts["AssumeRole"] == 1


# -- credentials: as other programs use it ----------------------------------------------------------------------------


@pytest.fixture
def profiles(embedded_aws_env, tmp_path, monkeypatch):
    """Write profiles whose base are the embedded account's keys."""
    keys = embedded_aws_env.environment()

    def write(text):
        config = tmp_path / "config"
        config.write_text(
            f"[profile base]\naws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}\n"
            f"aws_secret_access_key = {keys['AWS_SECRET_ACCESS_KEY']}\n"
            f"aws_session_token = {keys['AWS_SESSION_TOKEN']}\n{text}"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCOUNT_ID"):
            monkeypatch.delenv(name)

    return write


def test_botocore_takes_it_as_its_credential_process(profiles):
    profiles(
        "[profile audit]\n"
        f"credential_process = {sys.executable} -m mangrove credentials --profile base --role-arn {ROLE}\n"
    )
    session = boto3.Session(profile_name="audit")
    assert session.client("sts").get_caller_identity()["Account"] == SECOND
    assert session.get_credentials().account_id == SECOND
    assert session.get_credentials().refresh_needed() is False


@pytest.mark.parametrize("command", [["credentials"], ["whoami"]])
def test_the_external_id_of_a_role_is_not_sent_to_the_role_that_assumes_it(
    run, profiles, monkeypatch, tmp_path, command
):
    seen = tmp_path / "seen"
    (tmp_path / "hub").write_text(
        f'#!/bin/sh\necho "id=$MANGROVE_EXTERNAL_ID" >> {seen}\n'
        f"exec {sys.executable} -m mangrove credentials --profile base --role-arn {ROLE}\n"
    )
    (tmp_path / "hub").chmod(0o700)
    profiles(f"[profile hub]\ncredential_process = {tmp_path}/hub\n")
    monkeypatch.setenv("MANGROVE_EXTERNAL_ID", SECRET)
    assert run(*command, "--profile", "hub", "--role-arn", f"arn:aws:iam::{THIRD}:role/R")[0] == 0
    assert set(seen.read_text().split()) == {"id="}
    assert os.environ["MANGROVE_EXTERNAL_ID"] == SECRET


def test_a_profile_that_asks_itself_ends_with_one_line(profiles, monkeypatch):
    profiles(f"[profile audit]\ncredential_process = {sys.executable} -m mangrove credentials --role-arn {ROLE}\n")
    monkeypatch.setenv("AWS_PROFILE", "audit")
    command = [sys.executable, "-m", "mangrove", "credentials", "--role-arn", ROLE]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode != 0
    assert "the profile 'audit' gets its credentials from this command" in one_line(answer.stderr)
    assert answer.stdout == ""


def test_on_a_terminal_a_warning_goes_before_the_secrets(embedded_aws_env):
    pty = pytest.importorskip("pty")
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "mangrove", "credentials", "--role-arn", ROLE]
    with subprocess.Popen(command, stdout=follower, stderr=subprocess.PIPE, text=True) as process:
        os.close(follower)
        shown = os.read(leader, 10_000).decode()
        assert process.stderr.read() == "mangrove: warning: secrets follow on this terminal\n"
    os.close(leader)
    assert (process.returncode, '"Version": 1' in shown) == (0, True)


# -- credentials: refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--role-arn", "audit"], "is not the ARN of a role"),
        (["--role-arn", ROLE, "--role-session-name", "a b"], "role_session_name takes"),
        (["--role-arn", ROLE, "--duration", "60"], "900 to 43200"),
        (["--role-arn", ROLE, "--external-id", "x y"], "external_id takes"),
        (["--role-arn", ROLE, "--external-id", ""], "external_id takes"),
        (["--role-arn", ROLE, "--role-session-name", ""], "role_session_name takes"),
        (["--role-arn", ROLE, "--duration", "0"], "900 to 43200"),
        (["--role-arn", ROLE, "--profile", "nope"], "no profile 'nope'"),
        (["--role-arn", ROLE, "--region", "mars"], "mars"),
    ],
)
def test_a_mistake_is_one_line_and_no_call(run, calls, arguments, says):
    code, out, err = run("credentials", *arguments)
    assert (code, out) == (2, "")
    assert says in one_line(err)
    assert not calls.made


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--role-arn", ROLE, "--tag", "team"],
        ["--role-arn", ROLE, "--tag", "=x"],
        ["--role-arn", ROLE, "--tag", "a=1", "--tag", "a=2"],
        ["--role-arn", ROLE, "--duration", "soon"],
        ["--role-arn", ROLE, "--format", "xml"],
    ],
)
def test_wrong_usage(run, calls, arguments):
    code, out, err = run("credentials", *arguments)
    assert (code, out, "Error: " in err) == (2, "", True)
    assert not calls.made


def test_a_denied_role_is_one_line(run, calls):
    calls.refused["AssumeRole"] = "AccessDenied"
    code, out, err = run("credentials", "--role-arn", ROLE, "--external-id", SECRET)
    assert (code, out) == (1, "")
    assert ROLE in one_line(err)
    assert SECRET not in err


def test_without_credentials_the_sources_are_named(run, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    for command in (["credentials", "--role-arn", ROLE], ["whoami"], ["whoami", "--accounts", f"{SECOND},{THIRD}"]):
        code, out, err = run(*command)
        assert (code, out) == (1, "")
        assert "no credentials" in one_line(err)
        assert "environment, ~/.aws, SSO" in err


def test_an_mfa_code_is_asked_for_at_a_terminal_alone(run, calls, monkeypatch):
    serial = f"arn:aws:iam::{FIRST}:mfa/alice"
    monkeypatch.setattr("sys.stdin", io.StringIO())
    code, out, err = run("credentials", "--role-arn", ROLE, "--mfa-serial", serial)
    assert (code, out) == (1, "")
    assert "there is no terminal to ask for it at" in one_line(err)
    assert not calls.counts["AssumeRole"]
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.prompt", lambda text, **options: asked.append((text, options)) or "123456")
    code, out, err = run("credentials", "--role-arn", ROLE, "--mfa-serial", serial)
    assert code == 0, err
    assert asked == [("MFA code", {"hide_input": True, "err": True})]
    assert calls.arguments("AssumeRole")[-1]["SerialNumber"] == serial
    assert calls.arguments("AssumeRole")[-1]["TokenCode"] == "123456"
    assert "123456" not in err


# -- whoami -----------------------------------------------------------------------------------------------------------


def arn_in(account):
    return f"arn:aws:sts::{account}:assumed-role/OrganizationAccountAccessRole/mangrove"


def test_whoami_says_all_of_it(run, calls):
    told = boto3.client("sts").get_caller_identity()
    calls.made.clear()
    code, out, err = run("whoami", "--output", "json")
    (row,) = json.loads(out)
    assert (code, err, list(row)) == (0, "", list(COLUMNS))
    assert row == {
        "account": FIRST,
        "name": None,
        "arn": told["Arn"],
        "user_id": told["UserId"],
        "partition": "aws",
        "region": "us-east-1",
        "source": "env",
        "error": None,
    }
    assert calls.counts == {"GetCallerIdentity": 1}


def test_whoami_in_a_role(run, calls):
    code, out, _ = run(
        "whoami", "--role-arn", ROLE, "--external-id", SECRET, "--region", "eu-west-1", "--output", "json"
    )
    (row,) = json.loads(out)
    assert (code, row["account"], row["arn"], row["region"]) == (0, SECOND, arn_in(SECOND), "eu-west-1")
    assert row["source"] == "assume-role, by env"
    assert calls.arguments("AssumeRole")[0]["ExternalId"] == SECRET
    assert calls.counts == {"AssumeRole": 1, "GetCallerIdentity": 1}


def test_whoami_without_a_region_asks_the_partitions_own_sts(run, monkeypatch):
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name)
    code, out, err = run("whoami", "--output", "json")
    (row,) = json.loads(out)
    assert (code, err, row["account"], row["region"]) == (0, "", FIRST, None)


@pytest.mark.parametrize(("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")])
def test_whoami_in_other_partitions(run, calls, region, partition):
    code, out, err = run("whoami", "--accounts", SECOND, "--role", "ops/audit", "--region", region, "--output", "json")
    (row,) = json.loads(out)
    assert (code, row["region"], row["partition"]) == (0, region, partition), err
    assert calls.arguments("AssumeRole")[0]["RoleArn"] == f"arn:{partition}:iam::{SECOND}:role/ops/audit"


def test_whoami_as_a_profile(run, profiles):
    profiles("region = eu-west-1\n")
    code, out, _ = run("whoami", "--profile", "base", "--output", "json")
    (row,) = json.loads(out)
    assert (code, row["account"], row["source"]) == (0, FIRST, "config-file, profile base")


def test_a_row_for_each_account_in_their_order(run, calls):
    code, out, err = run("whoami", "--accounts", f"{THIRD},{SECOND}", "--output", "json")
    rows = json.loads(out)
    assert (code, [row["account"] for row in rows]) == (0, [THIRD, SECOND])
    assert [row["arn"] for row in rows] == [arn_in(THIRD), arn_in(SECOND)]
    assert err == "mangrove: asking in 2 accounts\n"
    assert calls.counts == {"AssumeRole": 2, "GetCallerIdentity": 2}


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv"])
def test_a_failed_account_is_a_row_and_the_exit_code(run, calls, output):
    calls.refused["AssumeRole"] = lambda arguments: "AccessDenied" if SECOND in arguments["RoleArn"] else None
    code, out, err = run("whoami", "--accounts", f"{SECOND},{THIRD}", "--output", output, "--no-progress")
    error, summary = err.splitlines()
    assert (code, summary) == (1, "mangrove: 1 of 2 failed")
    assert error.startswith(f"mangrove: error: {SECOND}: ")
    assert "AccessDenied" in error
    if output == "table":
        header, *lines = out.splitlines()
        assert header.split() == [name.upper() for name in COLUMNS]
        assert len(lines) == 2
        assert "AccessDenied" in lines[0]
        return
    rows = {
        "json": lambda: json.loads(out),
        "jsonl": lambda: [json.loads(line) for line in out.splitlines()],
        "csv": lambda: list(csv.DictReader(io.StringIO(out))),
    }[output]()
    by_account = {row["account"]: row for row in rows}
    assert all(list(row) == list(COLUMNS) for row in rows)
    assert "AccessDenied" in by_account[SECOND]["error"]
    assert "\n" not in by_account[SECOND]["error"]
    assert not by_account[SECOND]["arn"]
    assert (by_account[THIRD]["arn"], by_account[THIRD]["error"] or None) == (arn_in(THIRD), None)


def test_accounts_of_a_file_with_their_own_roles(run, calls, tmp_path):
    path = tmp_path / "accounts.yml"
    path.write_text(
        f"- {{id: '{SECOND}', name: web, role: OrganizationAccountAccessRole, external_id: '{SECRET}'}}\n"
        f"- {{id: '{THIRD}', name: shop}}\n"
    )
    role = "OrganizationAccountAccessRole"
    code, out, _ = run("whoami", "--accounts", str(path), "--role", role, "--output", "json")
    assert (code, [row["name"] for row in json.loads(out)]) == (0, ["web", "shop"])
    asked = {each["RoleArn"]: each.get("ExternalId") for each in calls.arguments("AssumeRole")}
    assert asked == {f"arn:aws:iam::{SECOND}:role/{role}": SECRET, f"arn:aws:iam::{THIRD}:role/{role}": None}
    assert SECRET not in out


def test_accounts_of_an_organization(run, calls, embedded_aws_env):
    client = embedded_aws_env.session().client("organizations")
    client.create_organization(FeatureSet="ALL")
    for name in ("web", "shop"):
        client.create_account(AccountName=name, Email=f"{name}@example.com")
    calls.made.clear()
    code, out, _ = run("whoami", "--accounts", "org", "--output", "json")
    rows = json.loads(out)
    assert (code, [row["name"] for row in rows]) == (0, ["shop", "web"])
    assert calls.counts == {"ListAccounts": 1, "AssumeRole": 2, "GetCallerIdentity": 2}
    code, _, err = run("whoami", "--accounts", "org:/prod")
    assert (code, one_line(err)) == (1, "no organizational unit '/prod'")


def test_profiles_are_rows_also_where_they_fail_or_meet(run, profiles, monkeypatch):
    broken = f"{sys.executable} -c 'import sys; sys.exit(3)'"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION")
    profiles(
        f"aws_account_id = {FIRST}\nregion = eu-west-1\n[default]\nregion = us-west-2\n"
        f"[profile base-role]\nrole_arn = {ROLE}\nsource_profile = base\nregion = eu-central-1\n"
        f"[profile base-twin]\nrole_arn = {ROLE}\nsource_profile = base\nregion = eu-west-3\n"
        f"[profile base-broken]\ncredential_process = {broken}\n"
        f"[profile base-lies]\nrole_arn = {ROLE}\ncredential_process = {broken}\n"
    )
    code, out, _ = run("whoami", "--accounts", "profile:base*", "--output", "json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert (code, list(rows)) == (1, ["base", "base-broken", "base-lies", "base-role", "base-twin"])
    assert [rows[name]["account"] for name in ("base", "base-role", "base-twin")] == [FIRST, SECOND, SECOND]
    assert [rows[name]["region"] for name in ("base", "base-role")] == ["eu-west-1", "eu-central-1"]
    assert rows["base-broken"]["error"]
    assert rows["base-lies"]["error"]
    assert rows["base-role"]["source"] == "assume-role, profile base-role"


def test_credentials_of_another_account_are_a_failure(run, profiles):
    profiles(f"aws_account_id = {THIRD}\n")
    code, out, _ = run("whoami", "--accounts", "profile:base", "--output", "json")
    (row,) = json.loads(out)
    assert (code, row["account"], row["arn"]) == (1, THIRD, None)
    assert row["error"].startswith(f"these credentials are of account {FIRST} (arn:aws:sts::{FIRST}:")
    assert row["error"].endswith(f", not of {THIRD}")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--role", "audit"], "--role is for --accounts"),
        (["--accounts", SECOND, "--role-arn", ROLE], "--role-arn is for one role"),
        (["--accounts", "profile:x", "--role", "audit"], "a profile names its role itself"),
        (["--output", "xml"], "xml"),
        (["--accounts", "nothing"], "'nothing' is no source of accounts"),
        (["--accounts", "missing.yml"], "missing.yml can't be read"),
        (["--accounts", "12345"], "'12345' is no account id"),
        (["--accounts", SECOND, "--role", "{owner}"], "has the field {owner}"),
        (["--accounts", SECOND, "--role", ""], "is '', which is no role"),
        (["--accounts", "org", "--role", ""], "is '', which is no role"),
        (["--accounts", SECOND, "--external-id", ""], "forbidden length"),
        (["--role-arn", ROLE, "--external-id", ""], "external_id takes"),
        (["--accounts", "profile:nope"], "no profile 'nope'"),
        (["--role-arn", "audit"], "is not the ARN of a role"),
        (["--region", "eu-west-9"], "no region 'eu-west-9'"),
    ],
)
def test_wrong_whoami_makes_no_call(run, calls, arguments, says):
    code, out, err = run("whoami", *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert not calls.made


def test_what_aws_answers_is_one_line(run, calls):
    calls.refused["GetCallerIdentity"] = "ExpiredToken"
    code, out, err = run("whoami")
    assert (code, out) == (1, "")
    assert "ExpiredToken" in one_line(err)


@pytest.mark.parametrize(
    "arguments", [["--profile", "sso"], ["--accounts", "profile:sso"], ["--profile", "sso", "--accounts", "org:/"]]
)
def test_a_login_that_is_missing_names_its_command(run, profiles, arguments):
    profiles(
        "[profile sso]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n"
        "sso_account_id = 111111111111\nsso_role_name = R\n"
    )
    code, _, err = run("whoami", *arguments)
    assert code == 1
    assert "run: aws sso login --profile sso" in err


def test_rows_come_as_they_are_answered(run, monkeypatch):
    """The second account answers only after the first one's row is printed."""
    from mangrove.cli import grid, whoami

    printed = threading.Event()
    identity, emit = whoami._identity, grid.emit

    def slow(target, opener):
        if target.account_id == SECOND:
            assert printed.wait(30)
        return identity(target, opener)

    def told(lines):
        emit(lines)
        printed.set()

    monkeypatch.setattr(whoami, "_identity", slow)
    monkeypatch.setattr(grid, "emit", told)
    code, out, _ = run("whoami", "--accounts", f"{SECOND},{THIRD}", "--output", "jsonl")
    assert (code, [json.loads(line)["account"] for line in out.splitlines()]) == (0, [THIRD, SECOND])


def test_an_interrupt_is_130(run, monkeypatch):
    from mangrove.cli import whoami

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(whoami, "_identity", interrupt)
    assert run("whoami")[0] == 130


def test_an_interrupted_whoami_waits_for_no_call_that_hangs(embedded_aws_env):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = subprocess.Popen(
            [sys.executable, "-m", "mangrove", "whoami", "--accounts", f"{SECOND},{THIRD}"],
            env={**os.environ, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.settimeout(30)
        # Once somebody has called, the threads are at work.
        call, _ = silent.accept()
        with call:
            process.send_signal(signal.SIGINT)
            # Far less than the read timeout of one of the calls.
            _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_help_needs_no_botocore():
    for command in ("credentials", "whoami"):
        text = f"import sys; from mangrove.cli import main; main([{command!r}, '--help']); "
        text += "assert 'botocore' not in sys.modules"
        answer = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
        assert "Usage: " in answer.stdout


# -- the grid ---------------------------------------------------------------------------------------------------------

ROWS = [{"a": "\x1b[31mred\x1b[0m\u202e", "b": None}, {"a": "=1+1", "b": "漢字"}, {"a": "[bold]x", "b": 3, "c": "no"}]


def test_hostile_names_do_not_reach_a_table(capsys):
    Grid(["a", "b"], "table").print(ROWS)
    assert capsys.readouterr().out == "A        B\nred      -\n=1+1     漢字\n[bold]x  3\n"


def test_every_form_has_all_columns_and_no_other(capsys):
    Grid(["a", "b"], "json").print(ROWS)
    assert [list(row) for row in json.loads(capsys.readouterr().out)] == [["a", "b"]] * 3
    Grid(["a", "b"], "csv").print(ROWS)
    assert list(csv.reader(io.StringIO(capsys.readouterr().out)))[2] == ["'=1+1", "漢字"]
    for form, text in (("json", "[]\n"), ("jsonl", ""), ("csv", "a,b\n"), ("table", "A  B\n")):
        Grid(["a", "b"], form).print([])
        assert capsys.readouterr().out == text


@pytest.mark.parametrize(("width", "columns"), [(20, 1), (24, 2), (36, 2), (60, 3), (200, 3)])
def test_a_terminal_has_one_line_a_row_and_says_what_it_leaves_out(capsys, monkeypatch, width, columns):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(width))
    rows = [{"id": "111111111111", "name": "[bold]x", "arn": "a" * 40, "none": None}] * 3
    Grid(["id", "none", "name", "arn"], "table").print(rows)
    out, err = capsys.readouterr()
    header, *lines = re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()
    assert header.split() == ["ID", "NAME", "ARN"][:columns]
    assert len(lines) == 3
    assert max(map(len, [header, *lines])) <= width
    assert ("--output csv has everything" in err) == (columns < 3)
    assert columns < 2 or "[bold]x" in lines[0]
