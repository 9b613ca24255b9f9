"""What AssumeRole takes, and what is refused before any call."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import timedelta

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mangrove
from mangrove.aws.identity import sts_region
from mangrove.aws.session import sdk_regions
from mangrove.credentials import RoleSpec
from mangrove.credentials.checks import check_role_arn, check_token_code
from mangrove.credentials.roles import parse_chain, snake_options
from mangrove.errors import ConfigError, DeclarationTypeError

ROLE = "arn:aws:iam::123456789012:role/Reader"
OTHER = "arn:aws:iam::210987654321:role/path/to/Writer"


@pytest.mark.parametrize(
    "arn",
    [
        ROLE,
        OTHER,
        "arn:aws-cn:iam::123456789012:role/R",
        "arn:aws-us-gov:iam::123456789012:role/R",
        "arn:aws-eusc:iam::123456789012:role/R",
        "arn:aws-iso-b:iam::123456789012:role/R",
        "arn:aws:iam::123456789012:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
    ],
)
def test_a_roles_arn_is_taken(arn):
    assert check_role_arn(arn) == arn


@pytest.mark.parametrize(
    ("arn", "why"),
    [
        ("not-an-arn", "six fields"),
        ("", "six fields"),
        ("arn:aws:iam::1234567890:role/test-role", "twelve digits"),
        ("arn:aws:iam::١٢٣٤٥٦٧٨٩٠١٢:role/R", "twelve digits"),
        ("arn:evil:iam::123456789012:role/R", "'evil' is no partition"),
        ("arn:aws:sts::123456789012:assumed-role/R/me", "a session of a role"),
        ("arn:aws:iam:us-east-1:123456789012:role/R", "has no region"),
        ("arn:aws:iam::123456789012:user/R", "not role"),
        ("arn:aws:s3::123456789012:role/R", "not 's3'"),
        ("arn:aws:iam::123456789012:role/", "1 to 64"),
        ("arn:aws:iam::123456789012:role/" + "x" * 65, "1 to 64"),
        (ROLE + "\n", "1 to 64"),
        ("arn:aws:iam::123456789012:role/a b", "1 to 64"),
        (f"{'x' * 3000}", "a string of 3000 characters"),
    ],
)
def test_b10_a_malformed_role_arn_is_refused(arn, why):
    with pytest.raises(ConfigError, match=why):
        RoleSpec(arn)


def test_a_role_arn_that_is_no_string_is_refused():
    with pytest.raises(DeclarationTypeError, match="got int"):
        RoleSpec(123456789012)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"role_session_name": "a name"}, "' ' in 'a name'"),
        ({"role_session_name": "x"}, "2 to 64 characters"),
        ({"role_session_name": "x" * 65}, "got 65 characters"),
        ({"role_session_name": "naïve"}, "'ï' in"),
        ({"role_session_name": "line\n"}, "in 'line"),
        ({"duration_seconds": 899}, "900 to 43200 seconds .*got 899"),
        ({"duration_seconds": timedelta(hours=13)}, "got 46800"),
        ({"duration_seconds": "3600"}, "whole seconds"),
        ({"duration_seconds": True}, "whole seconds"),
        ({"duration_seconds": 900.5}, "whole seconds"),
        ({"policy": "{not json"}, "policy is not JSON"),
        ({"policy": "[]"}, "a JSON list"),
        ({"policy": {"x": object()}}, "can't be written as JSON"),
        ({"policy": {"x": "y" * 3000}}, "at most 2048 characters"),
        ({"policy": 1}, "policy takes a string"),
        ({"external_id": "x"}, "2 to 1224 characters.*got 1 characters"),
        ({"external_id": "has space"}, "got another one"),
        ({"external_id": 12345}, "external_id takes a string"),
        ({"source_identity": "a:b"}, "':' in 'a:b'"),
        ({"mfa_serial": "short"}, "9 to 256"),
        ({"mfa_token_provider": "123456"}, "takes a function"),
        ({"tags": {"": "x"}}, "1 to 128"),
        ({"tags": {"a": "x" * 257}}, "0 to 256"),
        ({"tags": {"a": "<"}}, "got '<'"),
        ({"tags": {"a": "1", "A": "2"}}, "has the key 'a' twice"),
        ({"tags": {str(n): "" for n in range(51)}}, "at most 50; got 51"),
        ({"tags": [{"Name": "a"}]}, "takes a dict, or a list"),
        ({"tags": "a=b"}, "takes a list"),
        ({"transitive_tag_keys": ["a"]}, "'a', which is not among tags"),
        ({"transitive_tag_keys": "a"}, "takes a list"),
        ({"policy_arns": ["arn:aws:iam::aws:role/X"]}, "not the ARN of a policy"),
        ({"policy_arns": ["arn:aws-cn:iam::aws:policy/X"]}, "of partition 'aws'"),
        ({"policy_arns": ["arn:aws:iam::aws:policy/X"] * 11}, "at most 10"),
        ({"policy_arns": "arn:aws:iam::aws:policy/X"}, "takes a list"),
        ({"provided_contexts": [{"ProviderArn": "x"}]}, "takes a list of"),
    ],
)
def test_an_argument_that_the_api_would_refuse_is_refused(options, why):
    with pytest.raises(ConfigError, match=why):
        RoleSpec(ROLE, **options)


def test_a_refused_external_id_is_not_shown():
    with pytest.raises(ConfigError) as caught:
        RoleSpec(ROLE, external_id="canary secret")
    assert "canary" not in str(caught.value)


def test_every_argument_reaches_the_request():
    spec = RoleSpec(
        ROLE,
        "alice@example.com",
        external_id="id:/+=,.@-",
        duration_seconds=timedelta(minutes=15),
        tags={"team": "data", "größe": "x y"},
        transitive_tag_keys=["team"],
        source_identity="alice",
        policy={"Version": "2012-10-17", "Statement": []},
        policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess", {"arn": "arn:aws:iam::123456789012:policy/p/Own"}],
        mfa_serial="arn:aws:iam::123456789012:mfa/alice",
        mfa_token_provider=lambda: "123456",
        provided_contexts=[{"ProviderArn": "arn:aws:iam::aws:contextProvider/IdentityCenter", "ContextAssertion": "x"}],
    )
    request = spec.request()
    assert request == {
        "RoleArn": ROLE,
        "RoleSessionName": "alice@example.com",
        "ExternalId": "id:/+=,.@-",
        "DurationSeconds": 900,
        "Tags": [{"Key": "team", "Value": "data"}, {"Key": "größe", "Value": "x y"}],
        "TransitiveTagKeys": ["team"],
        "SourceIdentity": "alice",
        "Policy": '{"Version":"2012-10-17","Statement":[]}',
        "PolicyArns": [
            {"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
            {"arn": "arn:aws:iam::123456789012:policy/p/Own"},
        ],
        "SerialNumber": "arn:aws:iam::123456789012:mfa/alice",
        "ProvidedContexts": [
            {"ProviderArn": "arn:aws:iam::aws:contextProvider/IdentityCenter", "ContextAssertion": "x"}
        ],
    }
    members = botocore.session.Session().get_service_model("sts").operation_model("AssumeRole").input_shape.members
    # What the API has and we don't: the code is asked for at each call, and the size is no option of a role.
    assert set(members) - set(request) <= {"TokenCode", "MinimumSessionTokenSize"}


def test_nothing_is_asked_for_that_was_not_given():
    assert RoleSpec(ROLE).request() == {"RoleArn": ROLE, "RoleSessionName": "mangrove"}


def test_the_apis_own_names_and_forms_are_taken():
    found = snake_options({"ExternalId": "ab", "SerialNumber": None, "PolicyArns": [{"arn": "x"}], "duration": 900})
    assert found == {"external_id": "ab", "policy_arns": [{"arn": "x"}], "duration_seconds": 900}
    (spec,) = parse_chain({"RoleArn": ROLE, "Tags": [{"Key": "a", "Value": "b"}]}, {})
    assert spec.tags == (("a", "b"),)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"externalid": "x"}, "no argument 'externalid'; did you mean 'external_id'"),
        ({"frobnicate": 1}, "it has role_arn"),
        ({"ExternalId": "ab", "external_id": "cd"}, "given twice"),
        ({"TokenCode": "123456"}, "give mfa_token_provider"),
    ],
)
def test_unknown_and_doubled_arguments_are_refused(options, why):
    with pytest.raises(ConfigError, match=why) as caught:
        snake_options(options)
    assert "cd" not in str(caught.value)


def test_a_chain_has_options_per_hop():
    chain = parse_chain(
        [ROLE, {"role_arn": OTHER, "external_id": "hub"}, RoleSpec(ROLE, "own-name")], {"role_session_name": "alice"}
    )
    assert [spec.role_session_name for spec in chain] == ["alice", "alice", "own-name"]
    assert [spec.external_id for spec in chain] == [None, "hub", None]


@pytest.mark.parametrize(
    ("roles", "options", "why"),
    [
        ([], {}, "empty list"),
        (7, {}, "ARN of a role, or a list"),
        ([ROLE, "arn:aws-cn:iam::123456789012:role/R"], {}, "aws and aws-cn"),
        ([ROLE, OTHER], {"duration_seconds": 3601}, "limits that to 3600 seconds; got duration_seconds=3601"),
        ([ROLE, OTHER], {"mfa_serial": "arn:aws:iam::123456789012:mfa/a"}, "give mfa_serial to the first role"),
        ([{"external_id": "ab"}], {}, "needs its role_arn; got external_id"),
        ([{"role_arn": ROLE, "external_id": "ab"}], {"external_id": "cd"}, "external_id is given twice"),
        (RoleSpec(ROLE), {"external_id": "cd"}, "has all its arguments"),
        ([ROLE, {"role_arn": OTHER, "x": 1}], {}, "no argument 'x'"),
    ],
)
def test_a_chain_that_can_not_work_is_refused(roles, options, why):
    with pytest.raises(ConfigError, match=why):
        parse_chain(roles, options)


def test_the_first_role_of_a_chain_may_live_longer():
    chain = parse_chain([{"role_arn": ROLE, "duration_seconds": 43200}, OTHER], {"duration_seconds": 3600})
    assert [spec.duration_seconds for spec in chain] == [43200, 3600]


def test_a_spec_shows_and_pickles_no_secret():
    spec = RoleSpec(
        ROLE,
        external_id="canary1",
        provided_contexts=[{"ProviderArn": "arn:x", "ContextAssertion": "canary2"}],
        mfa_token_provider=lambda: "canary3",
    )
    assert "canary" not in repr(spec) + str(spec)
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(spec)
    with pytest.raises(TypeError, match="never pickled"):
        copy.deepcopy(spec)
    assert set(spec.hidden()) == {"canary1", "canary2"}


def test_a_request_is_the_callers_to_change():
    spec = RoleSpec(ROLE, tags={"a": "b"})
    spec.request()["Tags"].clear()
    assert spec.request()["Tags"] == [{"Key": "a", "Value": "b"}]


@pytest.mark.parametrize("code", ["12345", "1234567", "abcdef", "12 456", 123456, None, ""])
def test_an_mfa_code_has_six_digits_and_is_not_shown(code):
    with pytest.raises(ConfigError, match="six digits") as caught:
        check_token_code(code)
    assert not code or str(code) not in str(caught.value)


def test_an_mfa_code_as_it_is_typed():
    assert check_token_code("123456\n") == "123456"


@given(st.text(max_size=70))
def test_a_session_name_is_taken_if_and_only_if_the_api_takes_it(name):
    fine = 2 <= len(name) <= 64 and all(c.isascii() and (c.isalnum() or c in "_+=,.@-") for c in name)
    try:
        assert RoleSpec(ROLE, name).request()["RoleSessionName"] == name
    except ConfigError:
        assert not fine
    else:
        assert fine


@given(st.text(max_size=60))
def test_no_string_but_an_arn_is_an_arn(text):
    with pytest.raises(ConfigError):
        check_role_arn(text)


options = st.fixed_dictionaries(
    {},
    optional={
        "role_session_name": st.sampled_from(["one", "two"]),
        "external_id": st.sampled_from(["one", "two"]),
        "duration_seconds": st.sampled_from([900, 3600]),
        "tags": st.sampled_from([{"a": "1"}, {"a": "2"}, {"b": "1"}]),
        "source_identity": st.sampled_from(["one", "two"]),
        "policy": st.sampled_from([{"a": 1}, {"a": 2}]),
    },
)


@given(options, options)
def test_equal_requests_and_only_those_have_equal_hashes(one, two):
    from mangrove.credentials.links import chain_key

    first, second = (chain_key(parse_chain(ROLE, given)) for given in (one, two))
    assert (first == second) == (json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True))


@pytest.mark.parametrize(
    ("partition", "preferred", "region"),
    [
        ("aws", "eu-west-1", "eu-west-1"),
        ("aws", "ap-northeast-3", "ap-northeast-3"),
        ("aws", "ap-east-1", "us-east-1"),  # opt-in
        ("aws", "eu-central-2", "us-east-1"),  # opt-in
        ("aws", "aws-global", "us-east-1"),
        ("aws", None, "us-east-1"),
        ("aws", "cn-north-1", "us-east-1"),
        ("aws-cn", "cn-north-1", "cn-north-1"),
        ("aws-cn", None, "cn-northwest-1"),
        ("aws-us-gov", "us-gov-east-1", "us-gov-east-1"),
        ("aws-us-gov", "us-east-1", "us-gov-west-1"),
        ("aws-eusc", None, "eusc-de-east-1"),
        ("aws-iso", None, "us-iso-east-1"),
        ("aws-iso-b", None, "us-isob-east-1"),
        ("aws-iso-e", None, "eu-isoe-west-1"),
        ("aws-iso-f", None, "us-isof-south-1"),
    ],
)
def test_sts_is_asked_in_a_region_that_every_account_has(partition, preferred, region):
    known = sdk_regions(mangrove.Session()).partitions
    assert sts_region(known[partition], preferred) == region
