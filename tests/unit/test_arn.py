"""An ARN names one resource for good: what is none is refused with the field that is wrong."""

from __future__ import annotations

import copy
import json
import pickle
import string
from pathlib import Path

import pytest
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

import mangrove
from mangrove import Arn
from mangrove.aws.arn import LONGEST_ARN
from mangrove.errors import ConfigError, DeclarationTypeError, InvalidArnError

DATA = Path(__file__).with_name("data")
MALFORMED = json.loads((DATA / "arns_malformed.json").read_text())  # the text, what the message says, what it is
WELL_FORMED = json.loads((DATA / "arns_wellformed.json").read_text())  # the ARN, its IAM prefix, its type
INSTANCE = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc"


@pytest.mark.parametrize(("text", "says", "why"), MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_arn_is_refused_with_the_reason(text, says, why):
    with pytest.raises(InvalidArnError) as caught:
        Arn.parse(text)
    message = str(caught.value)
    assert says in message, why
    assert len(message) < 1000
    # A message goes to logs and terminals: nothing in it moves the cursor or hides text.
    assert not [char for char in message if ord(char) < 32 or char in "\u202e\u200b\x7f\x9b"]
    assert Arn.parse_or_none(text) is None


def test_the_corpora_are_large():
    assert len({text for text, *_ in MALFORMED}) == len(MALFORMED) >= 250
    assert len({text for text, *_ in WELL_FORMED}) == len(WELL_FORMED) >= 150


@pytest.mark.parametrize("text", [row[0] for row in WELL_FORMED])
def test_what_aws_writes_is_an_arn(text):
    arn = Arn.parse(text)
    assert str(arn) == text
    assert Arn.parse(str(arn)) == arn == Arn(arn.partition, arn.service, arn.region, arn.account, arn.resource)


@pytest.mark.parametrize("value", [None, 5, b"arn:aws:s3:::b", ["arn:aws:s3:::b"], object(), {"Arn": INSTANCE}])
def test_what_is_no_string_is_refused(value):
    with pytest.raises(DeclarationTypeError, match="an ARN is a string"):
        Arn.parse(value)
    assert Arn.parse_or_none(value) is None


def test_fields_are_checked_however_an_arn_is_made():
    with pytest.raises(InvalidArnError, match="its partition 'awz'"):
        Arn("awz", "s3", "", "", "bucket")
    with pytest.raises(DeclarationTypeError, match="the account of an ARN is a string"):
        Arn("aws", "ec2", "eu-west-1", 123456789012, "vpc/vpc-1")
    arn = Arn.parse(INSTANCE)
    with pytest.raises(InvalidArnError, match="is of the partition 'aws-cn'"):
        arn.with_(region="cn-north-1")
    assert isinstance(InvalidArnError("x"), ConfigError)


def test_a_near_miss_is_offered():
    with pytest.raises(InvalidArnError, match="did you mean 'aws-cn'"):
        Arn.parse("arn:aws-cnn:s3:::b")
    with pytest.raises(InvalidArnError, match=r"mangrove\.ArnPattern"):
        Arn.parse("arn:aws:ec2:*:123456789012:vpc/v")


def test_every_partition_and_region_of_the_sdk_is_taken():
    partitions = Loader().load_data("partitions")["partitions"]
    assert {each["id"] for each in partitions} >= {"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-eusc"}
    for partition in partitions:
        for region in partition["regions"]:
            text = f"arn:{partition['id']}:ec2:{region}:123456789012:vpc/vpc-1"
            assert (Arn.parse_or_none(text) is None) == region.endswith("-global"), text


@pytest.mark.parametrize(
    ("resource", "service", "kind", "name"),
    [
        ("instance/i-1", "ec2", "instance", "i-1"),
        ("function:f:7", "lambda", "function", "f:7"),
        ("role/team/Reader", "iam", "role", "team/Reader"),
        ("root", "iam", None, "root"),
        ("/restapis/a1/stages/b", "apigateway", "restapis", "a1/stages/b"),
        ("log-group:/aws/x:*", "logs", "log-group", "/aws/x:*"),
        ("alerts:0f1e", "sns", None, "alerts:0f1e"),
        ("jobs", "sqs", None, "jobs"),
        ("bucket/key:x", "s3", None, "bucket/key:x"),
    ],
)
def test_type_and_id_of_the_resource(resource, service, kind, name):
    arn = Arn("aws", service, "", "", resource)
    assert (arn.resource_type, arn.resource_id) == (kind, name)


def test_types_of_s3_stand_where_it_has_a_region():
    assert Arn.parse("arn:aws:s3:eu-west-1:123456789012:accesspoint/x").resource_type == "accesspoint"


def test_an_arn_is_a_value():
    arn = Arn.parse(INSTANCE)
    assert {arn: 1}[Arn.parse(INSTANCE)] == 1
    assert pickle.loads(pickle.dumps(arn)) == copy.deepcopy(arn) == arn
    assert Arn.parse(arn) is arn
    assert arn.with_() == arn
    assert arn.with_(account="", region="").account == ""
    assert min([arn, arn.with_(service="acm")]).service == "acm"
    assert arn.with_(resource="vpc/vpc-1") > arn
    with pytest.raises(AttributeError):
        arn.region = "us-east-1"
    assert not hasattr(arn, "__dict__")
    assert mangrove.Arn is Arn


@given(st.text(max_size=60) | st.text(alphabet=string.printable, max_size=60).map("arn:aws:ec2:::".__add__))
def test_parse_takes_only_what_it_gives_back(text):
    arn = Arn.parse_or_none(text)
    if arn is not None:
        assert str(arn) == text
        assert not [char for char in text if ord(char) < 32 or 126 < ord(char) < 160]
        assert text == text.strip()


RESOURCES = st.text(alphabet=string.ascii_letters + string.digits + "-_./:+=@,$*?{}[]()!~ é日", min_size=1, max_size=80)


@given(
    st.sampled_from(["aws", "aws-cn", "aws-us-gov"]),
    st.from_regex(r"[a-z0-9]{1,12}(-[a-z0-9]{1,8})?", fullmatch=True),
    st.sampled_from(["", "aws", "123456789012", "000000000000"]),
    RESOURCES.filter(lambda text: text == text.strip()),
)
def test_parse_and_str_are_inverse(partition, service, account, resource):
    arn = Arn(partition, service, "", account, resource)
    assert Arn.parse(str(arn)) == arn


@given(
    st.sampled_from([chr(code) for code in [*range(32), *range(127, 161), 0x200B, 0x2028, 0x202E, 0xFEFF]]), st.data()
)
def test_a_control_character_is_refused_wherever_it_stands(char, data):
    place = data.draw(st.integers(0, len(INSTANCE)))
    assert Arn.parse_or_none(INSTANCE[:place] + char + INSTANCE[place:]) is None


@given(st.sampled_from(":/*? a-"), st.integers(0, 10_000))
def test_no_length_makes_it_hang(char, count):
    text = "arn:aws:ec2:eu-west-1:123456789012:x" + char * count + "x"
    assert (Arn.parse_or_none(text) is not None) == (len(text) <= LONGEST_ARN)
