"""What a class declares is read, or refused with what to write instead."""

from __future__ import annotations

import pytest

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.pool.declaration import Declaration, attribute_name, camel_name, read_declaration, read_services


def test_a_name_and_a_dict_are_declarations():
    assert read_declaration("ec2", "P") == Declaration("ec2")
    declared = {"sqs": {"regions": ["us-east-1"], "default_region": "us-east-1"}}
    assert read_declaration(declared, "P") == Declaration("sqs", ("us-east-1",), "us-east-1")


@pytest.mark.parametrize(
    ("declared", "error", "says"),
    [
        (None, ConfigError, "names no service"),
        ({}, ConfigError, "declares 0 services"),
        ({"ec2": {}, "s3": {}}, ConfigError, r"declares 2 services, \['ec2', 's3'\].*ServiceMixinPool"),
        ({"ec2": {"region": "x"}}, ConfigError, r"unknown options \['region'\]"),
        ({"ec2": ["us-east-1"]}, DeclarationTypeError, "options in a dict"),
        ({5: {}}, DeclarationTypeError, "names a service by a string"),
        (["ec2"], DeclarationTypeError, "by a dict"),
        (5, DeclarationTypeError, "by a dict"),
    ],
)
def test_a_wrong_declaration_is_refused(declared, error, says):
    with pytest.raises(error, match=says):
        read_declaration(declared, "MyPool")


def test_a_service_without_options_may_say_none():
    assert read_services({"sqs": None, "s3": {}}, "P") == {"sqs": Declaration("sqs"), "s3": Declaration("s3")}


def test_the_regions_are_kept_as_they_were():
    mine = ["us-east-1"]
    declaration = Declaration("sqs").with_arguments(mine, None)
    mine.append("eu-west-1")
    assert declaration.regions == ("us-east-1",)
    assert Declaration("sqs").with_arguments((name for name in mine), None).regions == ("us-east-1", "eu-west-1")


def test_names():
    assert camel_name("bedrock-runtime") == "BedrockRuntime"
    assert camel_name("mobile_x.y") == "MobileXY"
    assert attribute_name("lambda") == "lambda_"
    assert attribute_name("bedrock-runtime") == "bedrock_runtime"
