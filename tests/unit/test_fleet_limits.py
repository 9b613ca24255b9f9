"""Limits: declared, read, refused, and what each concerns."""

from __future__ import annotations

import json
import pickle
import sys

import pytest

from mangrove.errors import ConfigError, DeclarationTypeError, UnknownServiceError
from mangrove.fleet.buckets import Bucket
from mangrove.fleet.default_limits import DEFAULT_LIMITS
from mangrove.fleet.limits import Limit, Limits, Scope

ONE, TWO = "111111111111", "222222222222"
YAML = """
limits:
  - name: describes
    rate: 5
    scope: [account, region]
    where: {service: ec2, operation: ["Describe*", "!DescribeInstances"]}
  - name: threads
    max_concurrency: 3
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="limits.yml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def scope(account=ONE, region="eu-west-1", service="ec2", operation="DescribeVpcs"):
    return Scope(account, region, service, operation)


def own(source, **options):
    return Limits.read(source, defaults=False, **options).limits


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ({}, True),
        ({"service": "ec2"}, True),
        ({"service": ["rds", "ec2"]}, True),
        ({"service": "rds"}, False),
        ({"operation": "Describe*"}, True),
        ({"operation": "!Describe*"}, False),
        ({"operation": ["Describe*", "!DescribeVpcs"]}, False),
        ({"region": "eu-*", "account": ONE}, True),
        ({"region": "eu-*", "account": TWO}, False),
        ({"region": ["*", "!eu-*"]}, False),
    ],
)
def test_where_takes_names_globs_and_what_is_left_out(where, fits):
    assert Limit("one", rate=1, where=where).matches(scope()) is fits


def test_requests_that_agree_in_the_scope_share_a_limit():
    limit = Limit("one", rate=1, scope=["account", "service"])
    assert limit.group(scope()) == limit.group(scope(region="us-east-1", operation="DescribeSubnets"))
    assert limit.group(scope()) != limit.group(scope(account=TWO))
    assert Limit("all", rate=1).group(scope()) == Limit("all", rate=1).group(scope(TWO, "us-east-1", "rds", "X"))


def test_a_burst_that_is_not_given_is_what_comes_back_in_a_second():
    assert Limit("one", rate=20).burst == 20
    assert Limit("one", rate=0.1).burst == 1
    assert Limit("one", max_concurrency=2).burst is None


def test_limits_travel_to_other_processes():
    limits = Limits.read([{"name": "one", "rate": 1, "where": {"service": "ec2"}}])
    assert pickle.loads(pickle.dumps(limits)) == limits


def test_a_limit_of_the_same_name_replaces_the_default_one():
    limits = Limits.read([Limit("cloudtrail-lookup", rate=1, where={"service": "cloudtrail"})])
    assert [each.rate for each in limits if each.name == "cloudtrail-lookup"] == [1]
    assert len(limits) == len(DEFAULT_LIMITS)
    assert Limits.read(limits) is limits
    assert [each.name for each in Limits.read()] == [each.name for each in DEFAULT_LIMITS]


def test_a_yaml_file_a_json_file_and_a_list_say_the_same(write):
    pytest.importorskip("yaml")
    listed = [
        {
            "name": "describes",
            "rate": 5,
            "scope": ["account", "region"],
            "where": {"service": "ec2", "operation": ["Describe*", "!DescribeInstances"]},
        },
        {"name": "threads", "max_concurrency": 3},
    ]
    read = own(listed)
    assert own(write(YAML)) == own(write(json.dumps(listed), "limits.json")) == read
    assert own(str(write(json.dumps({"limits": listed}), "limits.json"))) == read
    assert read[0].where["operation"] == ("Describe*", "!DescribeInstances")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="this Python has no tomllib")
def test_a_toml_file(write):
    text = '[[limits]]\nname = "one"\nrate = 2.5\nwhere = {service = "ec2"}\n'
    assert own(write(text, "limits.toml")) == (Limit("one", rate=2.5, where={"service": "ec2"}),)
    with pytest.raises(ConfigError, match=r"limits.toml limits entry 1: a limit has no field 'rat'"):
        own(write('[[limits]]\nname = "one"\nrat = 1\n', "limits.toml"))
    with pytest.raises(ConfigError, match=r"limits.toml: .*line 1"):
        own(write("= 1\n", "limits.toml"))


def test_a_file_may_leave_the_default_limits_out(write):
    path = write(json.dumps({"defaults": False, "limits": [{"name": "one", "rate": 1}]}), "limits.json")
    assert [limit.name for limit in Limits.read(path)] == ["one"]


@pytest.mark.parametrize(
    ("entry", "error", "says"),
    [
        ({"name": "a", "rat": 1}, ConfigError, "entry 1: a limit has no field 'rat'; did you mean 'rate'?"),
        ({"name": "a", "fill_rate": 1}, ConfigError, "no field 'fill_rate'; did you mean 'rate'?"),
        ({"name": "a", "xyz": 1}, ConfigError, "no field 'xyz'; there are name, rate"),
        ({"rate": 1}, ConfigError, "entry 1: the limit has no name"),
        ({"name": "", "rate": 1}, ConfigError, "has a name, which is not empty"),
        ({"name": 7, "rate": 1}, DeclarationTypeError, "a limit's name is a string; got int: 7"),
        ({"name": "a"}, ConfigError, "limit 'a': it limits nothing; give it rate="),
        ({"name": "a", "rate": 0}, ConfigError, "rate takes requests a second, more than 0; got 0"),
        ({"name": "a", "rate": -1}, ConfigError, "more than 0; got -1"),
        ({"name": "a", "rate": float("nan")}, ConfigError, "more than 0; got nan"),
        ({"name": "a", "rate": float("inf")}, ConfigError, "more than 0; got inf"),
        ({"name": "a", "rate": "5"}, DeclarationTypeError, "rate takes a number: .*; got str: '5'"),
        ({"name": "a", "rate": True}, DeclarationTypeError, "rate takes a number: .*; got bool"),
        ({"name": "a", "rate": 5, "burst": 0.5}, ConfigError, "burst takes requests, at least 1; got 0.5"),
        ({"name": "a", "max_concurrency": 2, "burst": 5}, ConfigError, "burst 5 needs a rate"),
        ({"name": "a", "max_concurrency": 0}, ConfigError, "max_concurrency takes a whole number, at least 1; got 0"),
        ({"name": "a", "max_concurrency": 1.5}, ConfigError, "a whole number, at least 1; got 1.5"),
        ({"name": "a", "rate": 1, "scope": "account"}, DeclarationTypeError, "scope takes a list of account, region"),
        ({"name": "a", "rate": 1, "scope": ["acount"]}, ConfigError, "scope has no 'acount'; did you mean 'account'?"),
        ({"name": "a", "rate": 1, "scope": ["region"] * 2}, ConfigError, "scope names something twice"),
        ({"name": "a", "rate": 1, "where": "ec2"}, DeclarationTypeError, "where takes a mapping"),
        ({"name": "a", "rate": 1, "where": {"svc": "x"}}, ConfigError, "where has no 'svc'"),
        ({"name": "a", "rate": 1, "where": {"service": []}}, ConfigError, "where service has no pattern"),
        ({"name": "a", "rate": 1, "where": {"account": 111111111111}}, DeclarationTypeError, "where account takes"),
        ({"name": "a", "rate": 1, "where": {"account": "123"}}, ConfigError, "where account: '123' is no account id"),
        ({"name": "a", "rate": 1, "where": {"region": "x@evil"}}, ConfigError, "is not the name of a region"),
        ({"name": "a", "rate": 1, "where": {"service": "ec3"}}, UnknownServiceError, "no service 'ec3'.*did you mean"),
        (
            {"name": "a", "rate": 1, "where": {"service": "ec2", "operation": "DescribeInstance"}},
            ConfigError,
            "ec2 has no operation 'DescribeInstance'",
        ),
        (
            {"name": "a", "rate": 1, "where": {"service": "ec2", "operation": "!DescribeNothing"}},
            ConfigError,
            "ec2 has no operation 'DescribeNothing'",
        ),
        (
            {"name": "a", "rate": 1, "where": {"service": "ec2", "operation": "describe_*"}},
            ConfigError,
            "'describe_\\*' matches none: operations are named as the API does",
        ),
        ("a", DeclarationTypeError, "entry 1: a limit is a mapping"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(entry, error, says):
    with pytest.raises(error, match=f"limits entry 1: .*{says}" if "entry 1" not in says else says):
        Limits.read([entry])


def test_what_is_wrong_in_a_file_is_told_with_its_line(write):
    pytest.importorskip("yaml")
    with pytest.raises(ConfigError, match=r"limits.yml line 6: a limit has no field 'burts'; did you mean 'burst'\?"):
        own(write("limits:\n  - name: one\n    rate: 1\n\n  # the second\n  - name: two\n    burts: 1\n"))
    with pytest.raises(ConfigError, match=r"limits.yml line 3: there is a limit 'one' already"):
        own(write("- name: one\n  rate: 1\n- name: one\n  rate: 2\n"))
    with pytest.raises(ConfigError, match=r"limits.yml line 1: no field 'limit'; did you mean 'limits'"):
        own(write("limit: []\n"))
    with pytest.raises(DeclarationTypeError, match=r"limits.yml line 1: limits are a list; got str"):
        own(write("limits: many\n"))
    with pytest.raises(DeclarationTypeError, match="defaults takes true or false; got str"):
        own(write("defaults: 'no'\n"))
    with pytest.raises(ConfigError, match="what kind of file is it"):
        own(write("", "limits.ini"))
    with pytest.raises(ConfigError, match="can't be read: No such file"):
        own("/nowhere/limits.yml")


@pytest.mark.parametrize("source", [Limit("one", rate=1), {"name": "one", "rate": 1}, 5, b"limits.yml"])
def test_limits_are_a_list_or_a_file(source):
    with pytest.raises(DeclarationTypeError):
        Limits.read(source)


def test_names_are_taken_as_boto3_and_boto2_write_them():
    entry = {"name": "a", "rate": 1, "where": {"service": "vpc", "operation": ["describe_vpcs"], "region": "eu_west_1"}}
    (limit,) = own([entry])
    assert limit.where == {"service": ("ec2",), "operation": ("DescribeVpcs",), "region": ("eu-west-1",)}
    assert limit.matches(scope())


def test_the_default_limits_name_services_and_operations_that_there_are():
    unknown = set()
    for limit in DEFAULT_LIMITS:
        try:
            assert own([limit]) == (limit,)
        except ConfigError as error:
            unknown.add(str(error).partition("where operation: ")[2].partition(";")[0])
    # The oldest botocore lacks one.
    assert unknown <= {"cloudtrail has no operation 'ListInsightsData'"}


@pytest.mark.parametrize(
    ("service", "operation", "rates"),
    [
        ("ec2", "DescribeVpcs", [(20, 100)]),
        ("ec2", "DescribeInstances", [(10, 50)]),
        ("ec2", "DescribeByoipCidrs", [(0.5, 1)]),
        ("ec2", "RunInstances", []),
        ("cloudtrail", "LookupEvents", [(2, 2)]),
        ("cloudtrail", "DescribeTrails", [(10, 10)]),
        ("route53", "ListHostedZones", [(10, 50)]),
        ("apigateway", "GetResources", [(10, 40), (2.5, 5)]),
        ("apigatewayv2", "GetApis", [(10, 40)]),
        ("lambda", "ListFunctions", [(15, 15)]),
        ("lambda", "Invoke", []),
        ("sts", "AssumeRole", [(600, 600)]),
        ("ses", "SendEmail", []),
        ("s3", "ListBuckets", []),
    ],
)
def test_default_limits(service, operation, rates):
    found = Limits.read().matching(scope(service=service, operation=operation))
    assert [(limit.rate, limit.burst) for limit in found] == rates


def test_a_bucket_gives_its_burst_and_then_its_rate():
    bucket, now, times = Bucket(rate=4.0, burst=3.0), 100.0, []
    for _ in range(11):
        now = max(now, bucket.ready())
        bucket.take(now)
        times.append(now)
    assert times[:3] == [100.0] * 3
    assert times[3:] == pytest.approx([100.25 + 0.25 * number for number in range(8)])
    assert not bucket.idle(now)
    assert bucket.idle(now + 0.76)
