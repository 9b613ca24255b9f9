"""A region's name ends up in a host name: what is no region's name gets nowhere."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mangrove
from mangrove.aws.partitions import check_region_name
from mangrove.aws.regions import parse_terms
from mangrove.aws.session import sdk_regions
from mangrove.errors import ConfigError, DeclarationTypeError, InvalidRegionError, UnknownRegionError

REFUSED = [
    "us-east-1\n", "\nus-east-1", "", " ", "localhost", "x@evil", "us-east-1@evil.com", "us-east-1.evil.com",
    "us-east-1/", "us-east-1#", "us-east-1:443", "us-east-\u0661", "us\u2013east-1", "US-EAST-1", "us-east-1\x00",
    "-us-east-1", "us-east-", "us--east-1", "us-east-1-", "us-east-111", "../us-east-1", "169.254.169.254", "[::1]",
    "us-east-1 ", "us east 1", "aws-global\n", "global", "\u00e9-east-1", "us-east-1?x", "%75s-east-1", "x" * 10000,
]  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_region_is_refused(name):
    with pytest.raises(InvalidRegionError, match="is not the name of a region"):
        check_region_name(name)
    with pytest.raises(ConfigError):
        mangrove.ServicePool(service="ec2", regions=[name])


@pytest.mark.parametrize("name", [None, 5, b"us-east-1", ["us-east-1"], object()])
def test_what_is_no_string_is_refused(name):
    with pytest.raises(DeclarationTypeError, match="named by a string"):
        check_region_name(name)


def test_every_region_of_the_sdk_is_a_name():
    sdk = sdk_regions(mangrove.Session())
    assert len(sdk.partitions) >= 8
    for partition in sdk.partitions.values():
        assert partition.regions
        assert check_region_name(partition.global_name) == partition.global_name
        for name in partition.regions:
            assert check_region_name(name) == check_region_name(name.replace("-", "_")) == name
            assert sdk.partition_of(name) is partition


@given(st.text(alphabet=string.ascii_letters + string.digits + "-_.@/\n\x00:#?%", max_size=30))
def test_what_passes_has_only_letters_digits_and_hyphens(text):
    try:
        name = check_region_name(text)
    except InvalidRegionError:
        return
    assert set(name) <= set(string.ascii_lowercase + string.digits + "-")
    assert check_region_name(name) == name


@pytest.mark.parametrize(
    ("name", "close"), [("us-east-9", "us-east-2"), ("us-esat-1", "us-east-1"), ("eu-west-9", "eu")]
)
def test_an_unknown_region_has_close_matches(name, close):
    with pytest.raises(UnknownRegionError, match=f"no region '{name}'.*did you mean.*{close}"):
        sdk_regions(mangrove.Session()).partition_of(name)


@pytest.mark.parametrize(
    ("regions", "error", "says"),
    [
        ("us-east-1", DeclarationTypeError, r"takes a list.*write regions=\['us-east-1'\]"),
        ([], ConfigError, "empty list"),
        ((), ConfigError, "empty list"),
        ({"us-east-1": 1}, DeclarationTypeError, "got dict"),
        (b"us-east-1", DeclarationTypeError, "got bytes"),
        (5, DeclarationTypeError, "got int"),
        (["us-east-1", 5], DeclarationTypeError, "got int"),
    ],
)
def test_wrong_lists_are_refused(regions, error, says):
    with pytest.raises(error, match=says):
        parse_terms(regions)


def test_terms_are_kept_in_order_once():
    assert parse_terms(name for name in ["us_west_1", "eu-*", "us-west-1"]) == ("us-west-1", "eu-*")
    assert parse_terms(None) == parse_terms("*") == parse_terms(["*"]) == ("*",)
