"""What is written down of a run, and read again; what an outcome and a summary say; the error that holds them all."""

from __future__ import annotations

import copy
import json
import os
import pickle
import sys
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

import mangrove
from mangrove.aws.operations import find_operation
from mangrove.errors import ConfigError, DeclarationTypeError, MangroveError, RunError
from mangrove.fleet import Outcome, Progress, Row, Summary, Target
from mangrove.fleet.outcome import summary_of
from mangrove.fleet.record import Record, read_record, write_record
from mangrove.fleet.request import Request, from_plain, sensitive_of, to_plain
from mangrove.fleet.tasks import places_of

ACCOUNT, OTHER = "111111111111", "222222222222"
SESSION = mangrove.Session("AKIAIOSFODNN7EXAMPLE", "s" * 40, region_name="eu-west-1")


# -- requests ----------------------------------------------------------------------------------------------------------

names = st.text(max_size=8) | st.sampled_from(["base64", "mapping"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_is_written_is_read_again(value):
    assert from_plain(json.loads(json.dumps(to_plain(value)))) == value


def test_times_stay_text_that_botocore_takes():
    when = datetime(2026, 1, 2, 3, tzinfo=timezone.utc)
    assert from_plain(to_plain({"StartTime": when})) == {"StartTime": "2026-01-02T03:00:00+00:00"}
    assert to_plain((1, bytearray(b"x"))) == [1, {"base64": "eA=="}]


@pytest.mark.parametrize(
    ("service", "operation", "secret"),
    [
        ("secretsmanager", "create_secret", {"SecretString", "SecretBinary"}),
        ("iam", "create_login_profile", {"Password"}),
        ("ssm", "put_parameter", {"Value"}),
        ("cognito-idp", "admin_initiate_auth", {"AuthParameters"}),
        ("ec2", "describe_instances", set()),
        ("sqs", "list_queues", set()),
        ("sts", "get_caller_identity", set()),
    ],
)
def test_what_is_sensitive(service, operation, secret):
    assert secret <= sensitive_of(find_operation(SESSION, service, operation))
    if not secret:
        assert not sensitive_of(find_operation(SESSION, service, operation))


def test_a_shape_that_holds_itself_has_an_end():
    # A value of DynamoDB is a list of values.
    assert sensitive_of(find_operation(SESSION, "dynamodb", "put_item")) == frozenset()


def test_a_request_says_its_secret_parameters_nowhere():
    asked = {"Name": "n", "SecretString": "hunter2"}
    request = Request("call", "secretsmanager", "CreateSecret", asked, secret=frozenset({"SecretString"}))
    told = request.to_dict()
    assert "hunter2" not in repr(request) + str(request) + json.dumps(told)
    assert (told["withheld"], told["parameters"]) == (["SecretString"], {"Name": "n"})


# -- records -----------------------------------------------------------------------------------------------------------

REQUEST = Request("call", "ec2", "DescribeVpcs", {"MaxResults": 5})


def outcome(account=ACCOUNT, region="eu-west-1", kind="ok", service="ec2", **more):
    return Outcome(Target(account, region, service, type=more.pop("type", "")), kind, **more)


def record(*outcomes, opened=None):
    return Record.of(REQUEST, outcomes, opened or {})


def test_a_record_is_read_as_it_was_written(tmp_path):
    written = record(
        outcome(value={"Vpcs": []}, calls=1, attempts=1, seconds=0.5),
        outcome(region="eu-north-1", kind="failed", error=ValueError("why")),
        opened={f"{ACCOUNT} ec2": 2},
    )
    path = tmp_path / "folder" / "run.json"
    write_record(path, written)
    assert read_record(path) == written
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["run.json"]
    assert written.parameters == {"MaxResults": 5}
    assert "Vpcs" not in path.read_text().replace("DescribeVpcs", "")


def test_what_need_not_be_asked_again():
    made = record(
        outcome(),
        outcome(region="me-south-1", kind="disabled"),
        outcome(region="eu-north-1", kind="throttled"),
        outcome(account=OTHER),
        opened={f"{ACCOUNT} ec2": 3, f"{OTHER} ec2": 1},
    )
    assert made.done(ACCOUNT, "ec2") == {("eu-west-1", ""), ("me-south-1", "")}
    assert not made.is_complete(ACCOUNT, "ec2")
    assert made.is_complete(OTHER, "ec2")
    assert not made.is_complete(OTHER, "sqs")
    assert not made.is_complete("333333333333", "ec2")


def test_a_later_run_has_the_last_word():
    first = record(
        outcome(region="*", kind="denied"),
        outcome(account=OTHER),
        outcome(account=OTHER, region="eu-north-1", kind="failed"),
        opened={f"{OTHER} ec2": 2},
    )
    second = record(outcome(), outcome(account=OTHER, region="eu-north-1"), opened={f"{ACCOUNT} ec2": 1})
    both = first.merged(second)
    # The account that could not be opened is open now: it is one target no more.
    assert {key[:3] for key in both.targets} == {
        (ACCOUNT, "ec2", "eu-west-1"),
        (OTHER, "ec2", "eu-west-1"),
        (OTHER, "ec2", "eu-north-1"),
    }
    assert both.is_complete(ACCOUNT, "ec2")
    assert both.is_complete(OTHER, "ec2")
    # And the other way round: what failed again has failed.
    assert {told["kind"] for told in first.merged(record(outcome(region="*", kind="expired"))).targets.values()} == {
        "expired",
        "ok",
        "failed",
    }


def test_a_run_that_asks_only_the_rest_does_not_make_the_account_smaller():
    first = record(outcome(), outcome(region="eu-north-1", kind="failed"), opened={f"{ACCOUNT} ec2": 2})
    second = record(outcome(region="eu-north-1", kind="failed"), opened={f"{ACCOUNT} ec2": 1})
    assert not first.merged(second).is_complete(ACCOUNT, "ec2")


def document(**changes):
    told = {
        "mangrove_run": 1,
        "request": REQUEST.to_dict(),
        "opened": {f"{ACCOUNT} ec2": 1},
        "targets": [outcome().to_dict()],
    }
    return {**told, **changes}


def save(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '"text"',
        "{}",
        document(mangrove_run=2),
        document(request=None),
        document(request={}),
        document(request={**REQUEST.to_dict(), "kind": "other"}),
        document(request={**REQUEST.to_dict(), "kind": []}),
        document(request={**REQUEST.to_dict(), "parameters": []}),
        document(request={**REQUEST.to_dict(), "parameters": {"Data": {"base64": "?"}}}),
        document(request={**REQUEST.to_dict(), "withheld": 3}),
        document(request={**REQUEST.to_dict(), "withheld": "text"}),
        document(request={**REQUEST.to_dict(), "service": 3}),
        document(request={**REQUEST.to_dict(), "operation": None}),
        document(request={**REQUEST.to_dict(), "once": "yes"}),
        document(opened=[]),
        document(opened={"a": "many"}),
        document(targets={}),
        document(targets=[{}]),
        document(targets=[1]),
        document(targets=[{**outcome().to_dict(), "kind": []}]),
        document(targets=[{**outcome().to_dict(), "account": {}}]),
        document(targets=[{name: value for name, value in outcome().to_dict().items() if name != "kind"}]),
        document(targets=None),
    ],
)
def test_a_file_that_is_damaged_is_refused(tmp_path, content):
    path = save(tmp_path / "run.json", content)
    with pytest.raises(ConfigError, match=r"run\.json is (not the file of a run|of version 2)"):
        read_record(path)


def test_a_file_of_bytes_is_refused(tmp_path):
    path = tmp_path / "run.json"
    path.write_bytes(b"\xff\xfe\x00")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="not the file of a run"):
        read_record(path)


def test_a_file_that_is_not_only_ones_own_is_refused(tmp_path):
    path = save(tmp_path / "run.json", document())
    path.chmod(0o666)
    with pytest.raises(ConfigError, match="others"):
        read_record(path)
    link = tmp_path / "link.json"
    link.symlink_to(save(tmp_path / "real.json", document()))
    for other in (link, tmp_path / "none.json", tmp_path):
        with pytest.raises(ConfigError, match=f"{other.name}: "):
            read_record(other)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe", 0o600)
        with pytest.raises(ConfigError):
            read_record(tmp_path / "pipe")


def test_a_failure_while_writing_leaves_the_old_file(tmp_path):
    path = save(tmp_path / "run.json", document())
    old = path.read_text()
    stuck = Request("call", "s3", "PutObject", {"Body": object()})
    with pytest.raises(TypeError):
        write_record(path, Record.of(stuck, [], {}))
    assert path.read_text() == old
    assert [each.name for each in tmp_path.iterdir()] == ["run.json"]


# -- outcomes ----------------------------------------------------------------------------------------------------------


def denied(code="AccessDenied"):
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeVpcs")


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("ok", "ok"),
        ("disabled", "skipped"),
        ("unsupported", "skipped"),
        *((kind, "failed") for kind in ("denied", "throttled", "expired", "timeout", "failed")),
    ],
)
def test_each_outcome_is_one_of_three(kind, state):
    made = outcome(kind=kind)
    assert [name for name in ("ok", "skipped", "failed") if getattr(made, name)] == [state]


def test_an_outcome_gives_its_value_or_its_error():
    assert outcome(value=None).unwrap() is None
    with pytest.raises(ClientError, match="AccessDenied"):
        outcome(kind="denied", error=denied()).unwrap()
    told = outcome(kind="denied", error=denied()).to_dict()
    assert told["error"] == {"type": "ClientError", "code": "AccessDenied", "message": str(denied())}
    assert json.loads(json.dumps(told)) == told


def test_a_target_is_the_same_whatever_the_account_is_called():
    target = Target(ACCOUNT, "aws-global", "iam", name="web", endpoint_region="us-east-1")
    assert target == Target(ACCOUNT, "aws-global", "iam")
    assert (target.region_name, str(target)) == ("us-east-1", f"{ACCOUNT} aws-global iam")
    assert str(replace(target, type="iam.roles")) == f"{ACCOUNT} aws-global iam.roles"


def test_a_summary_counts():
    made = summary_of(
        [
            outcome(rows=3, calls=2),
            outcome(region="a", kind="denied", error=denied()),
            outcome(region="b", kind="denied", error=denied("UnauthorizedOperation")),
            outcome(region="c", kind="denied", error=denied()),
            outcome(region="d", kind="failed", error=ValueError("x"), calls=4),
            outcome(region="e", kind="disabled", error=ValueError("not counted")),
        ],
        seconds=1.25,
    )
    assert made == Summary(
        6,
        {"ok": 1, "denied": 3, "disabled": 1, "failed": 1},
        rows=3,
        calls=6,
        seconds=1.25,
        errors={"AccessDenied": 2, "UnauthorizedOperation": 1, "ValueError": 1},
    )
    assert list(made.kinds) == ["ok", "denied", "disabled", "failed"]
    assert str(summary_of([], 0.0)) == "0 targets: none; 0 rows, 0 calls, 0.0 s"
    assert str(summary_of([outcome(rows=1, calls=1)], 1.0)) == "1 target: 1 ok; 1 row, 1 call, 1.0 s"


def test_what_is_left_is_told_when_enough_is_known():
    assert Progress(0, 10, True, 0, 0, 0, 0, 5.0).left is None
    assert Progress(5, 10, False, 0, 0, 0, 0, 5.0).left is None
    assert Progress(5, 10, True, 0, 0, 0, 0, 5.0).left == 5.0


def test_a_row_is_the_same_in_another_process():
    row = Row({"VpcId": "vpc-1"}, Target(ACCOUNT, "eu-west-1", "ec2"))
    for other in (pickle.loads(pickle.dumps(row)), copy.deepcopy(row)):
        assert (other, type(other), other.target) == (row, Row, row.target)
    assert list(row.stamped()) == ["_account", "_region", "_partition", "VpcId"]
    assert json.loads(json.dumps(row)) == {"VpcId": "vpc-1"}


# -- one error that holds them all -------------------------------------------------------------------------------------


def run_error():
    failures = [outcome(kind="denied", error=denied()), outcome(region="x", kind="failed", error=ValueError("why"))]
    return RunError("2 of 3 targets failed", failures, [each.error for each in failures])


def test_a_run_error_holds_the_outcomes():
    error = run_error()
    assert isinstance(error, MangroveError)
    assert str(error) == "2 of 3 targets failed"
    assert [each.kind for each in error.failures] == ["denied", "failed"]
    assert [type(each) for each in error.exceptions] == [ClientError, ValueError]


def test_a_run_error_travels():
    again = pickle.loads(pickle.dumps(run_error()))
    assert (str(again), [each.target for each in again.failures]) == (
        str(run_error()),
        [each.target for each in run_error().failures],
    )
    assert [type(each) for each in again.exceptions] == [ClientError, ValueError]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="groups of exceptions are of Python 3.11")
def test_a_run_error_is_a_group():
    caught = {}
    scope = {"raised": run_error(), "caught": caught}
    code = """
try:
    raise raised
except* ValueError as group:
    caught["values"] = group
except* Exception as group:
    caught["others"] = group
"""
    exec(code, scope)  # noqa: S102  `except*` is no syntax of Python 3.10
    assert {name: [type(each) for each in group.exceptions] for name, group in caught.items()} == {
        "values": [ValueError],
        "others": [ClientError],
    }
    assert all(isinstance(group, RunError) for group in caught.values())
    assert [each.kind for each in caught["values"].failures] == ["failed"]
    assert [each.kind for each in caught["others"].failures] == ["denied"]


# -- functions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "arguments", "keywords", "places"),
    [
        (lambda session: None, (), {}, 1),
        (lambda session, account: None, (), {}, 2),
        (lambda session, account, region: None, (), {}, 3),
        (lambda session, tag="x": None, (), {}, 1),
        (lambda session, *rest: None, (), {}, 1),
        (lambda session, tag: None, ("x",), {}, 1),
        (lambda session, *, tag: None, (), {"tag": 1}, 1),
        (lambda session, account, *, tag: None, (), {"tag": 1}, 2),
        (print, (), {}, 1),
    ],
)
def test_what_a_function_takes(function, arguments, keywords, places):
    assert places_of(function, arguments, keywords) == places


@pytest.mark.parametrize(
    ("function", "arguments", "match"),
    [
        (lambda: None, (), "the function takes"),
        (lambda a, b, c, d: None, (), "the function takes"),
        (lambda session: None, ("x", "y"), "2 arguments"),
        ("text", (), "got str"),
        (None, (), "got NoneType"),
    ],
)
def test_a_function_that_takes_something_else_is_refused(function, arguments, match):
    with pytest.raises(DeclarationTypeError, match=match):
        places_of(function, arguments, {})
