"""Patterns select ARNs as IAM's do, and a pattern that nothing can match is refused."""

from __future__ import annotations

import pickle
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mangrove
from mangrove import Arn, ArnPattern
from mangrove.errors import DeclarationTypeError, InvalidArnError

INSTANCE = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc"


@pytest.mark.parametrize(
    ("pattern", "arn", "fits"),
    [
        ("*", INSTANCE, True),
        (INSTANCE, INSTANCE, True),
        ("arn:aws:ec2:eu-*:*:instance/*", INSTANCE, True),
        ("arn:aws:ec2:us-*:*:instance/*", INSTANCE, False),
        ("arn:aws:ec2:eu-west-?:*:instance/i-????", INSTANCE, True),
        ("arn:aws:ec2:eu-west-?:*:instance/i-???", INSTANCE, False),
        ("arn:*:*:*:*:*", "arn:aws-cn:s3:::b", True),
        ("arn:aws:ec2:*:*:*", "arn:aws-cn:ec2:cn-north-1:123456789012:vpc/v", False),
        ("arn:aws*:ec2:*:*:*", "arn:aws-cn:ec2:cn-north-1:123456789012:vpc/v", True),
        ("arn:aws:s3:::logs-*", "arn:aws:s3:::logs-2026/a/b:c", True),
        ("arn:aws:s3:::logs-*/x", "arn:aws:s3:::logs-1/y/x", True),
        ("arn:aws:s3:::Logs", "arn:aws:s3:::logs", False),
        ("arn:aws:ec2:::*", INSTANCE, False),
        ("arn:aws:ec2:*::*", INSTANCE, False),
        ("arn:aws:s3:*:*:b", "arn:aws:s3:::b", True),
        ("arn:aws:s3:::[ab]", "arn:aws:s3:::a", False),
        ("arn:aws:s3:::[ab]", "arn:aws:s3:::[ab]", True),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", True),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", False),
        ("arn:aws:s3:::b/${?}${$}", "arn:aws:s3:::b/?$", True),
        ("arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/${aws:username}", True),
        ("arn:aws:ec2:eu-west-1:1234*:*", INSTANCE, True),
        ("arn:aws:ec2:eu-west-1:123456789012:instance/*", "not an arn", False),
        ("*", "not an arn", False),
        ("*", INSTANCE + "\n", False),
    ],
)
def test_matching(pattern, arn, fits):
    found = ArnPattern.parse(pattern)
    assert found.match(arn) is fits
    parsed = Arn.parse_or_none(arn)
    if parsed is not None:
        assert found.match(parsed) is fits


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("arn:aws:ec2", "'arn:aws:ec2:*:*:*' for any"),
        ("arn:aws:ec2:*:*", "has 5 of an ARN's six fields"),
        ("", "does not begin with 'arn:'"),
        ("instance/*", "does not begin with 'arn:'"),
        ("arn:awz:ec2:*:*:*", "its partition 'awz'"),
        ("arn:aws:EC2:*:*:*", "its service 'EC2'"),
        ("arn:aws:ec2:eu-wst:*:*", "its region 'eu-wst'"),
        ("arn:aws:ec2:cn-north-1:*:*", "is of the partition 'aws-cn'"),
        ("arn:aws:ec2:*:1234:*", "its account '1234'"),
        ("arn:aws:ec2:*:*:", "is empty"),
        ("arn:aws:ec2:*:*:instance/*\n", "its resource has"),
        ("arn:aws:ec2:eu_*:*:*", "its region 'eu_*'"),
        ("arn:aws:ec2:*:*:" + "x" * 3000, "more than 2048"),
        (" *", "does not begin with"),
    ],
)
def test_what_can_match_nothing_is_refused(pattern, says):
    with pytest.raises(InvalidArnError) as caught:
        ArnPattern.parse(pattern)
    assert says in str(caught.value)


def test_what_is_no_string_is_refused():
    with pytest.raises(DeclarationTypeError, match="a pattern of ARNs is a string"):
        ArnPattern.parse(None)
    with pytest.raises(DeclarationTypeError, match="the region of an ARN pattern"):
        ArnPattern("aws", "ec2", None, "*", "*")


def test_regions_services_and_accounts_are_left_out_unasked():
    pattern = ArnPattern.parse("arn:aws:ec2:eu-*:*:instance/*")
    assert pattern.may_match(partition="aws", service="ec2", region="eu-west-1", account="123456789012")
    assert pattern.may_match()
    assert not pattern.may_match(service="rds")
    assert not pattern.may_match(region="us-east-1")
    assert not pattern.may_match(region="")
    assert not pattern.may_match(partition="aws-cn")


def test_a_pattern_is_a_value():
    pattern = ArnPattern.parse("arn:aws:ec2:eu-*:*:instance/*")
    assert pickle.loads(pickle.dumps(pattern)) == pattern == ArnPattern.parse(str(pattern))
    assert {pattern: 1}[pattern] == 1
    assert mangrove.ArnPattern is ArnPattern


@given(st.text(alphabet="ab*?/:", min_size=1, max_size=12), st.text(alphabet="ab/:", min_size=1, max_size=12))
def test_globs_are_those_of_iam(glob, resource):
    expected = re.fullmatch(re.escape(glob).replace(r"\*", ".*").replace(r"\?", "."), resource) is not None
    assert ArnPattern("aws", "s3", "", "", glob).match(Arn("aws", "s3", "", "", resource)) is expected


@given(st.text(alphabet=string.ascii_letters + string.digits + "-_./:[]!^${}", min_size=1, max_size=30))
def test_a_pattern_without_wildcards_matches_itself_alone(resource):
    if "${$}" in resource:
        return
    pattern = ArnPattern("aws", "s3", "", "", resource)
    assert pattern.match(Arn("aws", "s3", "", "", resource))
    assert not pattern.match(Arn("aws", "s3", "", "", resource + "x"))


def test_no_pattern_makes_it_hang():
    pattern = ArnPattern.parse("arn:aws:s3:::" + "a*" * 300 + "b")
    assert not pattern.match("arn:aws:s3:::" + "a" * 2000)
