"""Which regions: the chain of sources, what each answer says of itself, and never silence."""

from __future__ import annotations

import json
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

import mangrove
from mangrove.aws import account_regions as module
from mangrove.aws.account_regions import account_regions
from mangrove.aws.options import ClientOptions
from mangrove.aws.partitions import Coverage
from mangrove.aws.regions import Asked, _select
from mangrove.aws.session import sdk_regions
from mangrove.errors import ConfigError, NoRegionsError, RegionDisabledError

OPT_IN = {"us-east-1": "opt-in-not-required", "ap-east-1": "not-opted-in", "eu-south-1": "opted-in"}


class Answering(boto3.Session):
    """Be a session whose two region APIs answer what the test says; everything else is botocore's own."""

    def __init__(self, ec2=None, account=None, **arguments):
        super().__init__(aws_access_key_id="AKIATEST", aws_secret_access_key="x", **arguments)
        self.answers = {"ec2": ec2, "account": account}
        self.asked = []

    def client(self, service_name, **arguments):
        client = super().client(service_name, **arguments)
        client.meta.events.register("before-call", self._answer, unique_id="test")
        return client

    def _answer(self, model, **_):
        service = model.service_model.service_name
        self.asked.append(f"{service}:{model.name}")
        found = self.answers[service]
        if isinstance(found, Exception):
            raise found
        if service == "ec2":
            regions = [{"RegionName": name, "OptInStatus": status} for name, status in found.items()]
        else:
            regions = [{"RegionName": name, "RegionOptStatus": status} for name, status in found.items()]
        return type("Http", (), {"status_code": 200}), {"Regions": regions}


def denied(operation):
    return ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, operation)


def aws(session):
    return sdk_regions(session).partitions["aws"]


def test_ec2_answers_first_and_says_so():
    session = Answering(ec2=OPT_IN)
    found = mangrove.find_regions(session, "sqs", "*")
    assert (found.names, found.source, found.notes) == (("eu-south-1", "us-east-1"), "ec2:DescribeRegions", ())
    assert [str(skip) for skip in found.skipped] == ["ap-east-1 is disabled (ec2:DescribeRegions)"]
    assert session.asked == ["ec2:DescribeRegions"]


def test_the_account_api_answers_where_ec2_is_denied():
    states = {
        "us-east-1": "ENABLED_BY_DEFAULT",
        "ap-east-1": "DISABLED",
        "eu-south-1": "ENABLED",
        "me-south-1": "ENABLING",
    }
    found = mangrove.find_regions(Answering(ec2=denied("DescribeRegions"), account=states), "sqs", "*")
    assert (found.names, found.source) == (("eu-south-1", "us-east-1"), "account:ListRegions")
    assert {skip.name for skip in found.skipped} == {"ap-east-1", "me-south-1"}
    assert "ec2:DescribeRegions gave no answer: An error occurred (UnauthorizedOperation)" in found.notes[0]


def test_the_last_answer_is_kept_privately_and_used_when_nobody_answers():
    assert mangrove.find_regions(Answering(ec2=OPT_IN), "sqs", "*").source == "ec2:DescribeRegions"
    (path,) = (Path.home() / "cache" / "mangrove" / "regions").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "AKIATEST" not in path.name + path.read_text()
    later = Answering(ec2=denied("DescribeRegions"), account=denied("ListRegions"))
    found = mangrove.find_regions(later, "sqs", "*")
    assert (found.names, found.source, len(found.notes)) == (("eu-south-1", "us-east-1"), "cache", 3)
    assert "the answer of 0 hours ago stands in" in found.notes[2]


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"null", b'{"status": 5}', b'{"status": {"x@evil": "enabled"}}', b"\xff"]
)
def test_a_damaged_cache_is_a_miss(damage):
    mangrove.find_regions(Answering(ec2=OPT_IN), "sqs", "*")
    (path,) = (Path.home() / "cache" / "mangrove" / "regions").iterdir()
    path.write_bytes(damage)
    later = Answering(ec2=denied("DescribeRegions"), account=denied("ListRegions"))
    assert mangrove.find_regions(later, "sqs", "*").source == "sdk"


def test_another_account_does_not_see_the_kept_answer():
    mangrove.find_regions(Answering(ec2=OPT_IN), "sqs", "*")
    nobody = {"ec2": denied("DescribeRegions"), "account": denied("ListRegions")}
    assert mangrove.find_regions(Answering(**nobody, aws_account_id="222222222222"), "sqs", "*").source == "sdk"


def test_a_cache_that_cannot_be_written_costs_nothing(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert mangrove.find_regions(Answering(ec2=OPT_IN), "sqs", "*").source == "ec2:DescribeRegions"


def test_the_sdks_data_comes_last_and_is_marked():
    found = mangrove.find_regions(Answering(denied("DescribeRegions"), denied("ListRegions")), "sqs", "*")
    assert found.source == "sdk"
    assert len(found.regions) > 30
    by_name = {region.name: region for region in found.regions}
    assert (by_name["us-east-1"].status, by_name["ap-east-1"].status) == ("enabled", "unknown")


def test_without_credentials_nobody_is_asked_for_long(monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    found = mangrove.find_regions(mangrove.Session(region_name="us-east-1"), "sqs", "*")
    assert found.source == "sdk"
    assert "Unable to locate credentials" in found.notes[0]


def test_names_need_no_call_unless_the_account_may_have_disabled_them():
    session = Answering(ec2=OPT_IN)
    found = mangrove.find_regions(session, "sqs", ["us-east-1", "eu-west-1"])
    assert ({region.source for region in found.regions}, session.asked) == ({"explicit"}, [])
    found = mangrove.find_regions(session, "sqs", ["us-east-1", "ap-east-1"])
    assert [(region.name, region.status) for region in found.regions] == [
        ("us-east-1", "enabled"),
        ("ap-east-1", "disabled"),
    ]
    with pytest.raises(RegionDisabledError, match=r"ap-east-1 is disabled \(ec2:DescribeRegions\)"):
        mangrove.find_regions(session, "sqs", ["ap-east-1"])
    assert session.asked == ["ec2:DescribeRegions"]


def test_a_session_asks_once_whatever_the_threads():
    session, gate = Answering(ec2=OPT_IN), threading.Barrier(8)

    def ask(_):
        gate.wait()
        return mangrove.find_regions(session, "sqs", "*").names

    with ThreadPoolExecutor(8) as executor:
        assert len(set(executor.map(ask, range(8)))) == 1
    assert session.asked == ["ec2:DescribeRegions"]


def test_a_region_newer_than_the_sdk_is_found_by_asking():
    session = Answering(ec2={**OPT_IN, "us-moon-1": "opted-in", "evil@host": "opted-in", "cn-north-1": "opted-in"})
    found = mangrove.find_regions(session, "sqs", "*")
    assert [region.name for region in found.regions] == ["eu-south-1", "us-east-1", "us-moon-1"]
    assert {region.name: region.support for region in found.regions}["us-moon-1"] == "assumed"


def test_only_aws_itself_is_kept(embedded_aws):
    session = embedded_aws.session()
    assert mangrove.find_regions(session, "sqs", "*").source == "ec2:DescribeRegions"
    assert not (Path.home() / "cache").exists()


def test_an_endpoint_that_is_no_aws_is_no_error(embedded_aws):
    # An S3 server of the user's own answers the question with anything at all.
    session = mangrove.Session("key", "secret", region_name="us-east-1")
    options = ClientOptions(endpoint_url=f"{embedded_aws.endpoint_url}/no/such/place", verify=False)
    found = account_regions(session, aws(session), options)
    assert found.source in {"sdk", "ec2:DescribeRegions"}
    found = account_regions(session, aws(session), ClientOptions(endpoint_url="http://127.0.0.1:1"))
    assert (found.source, len(found.notes)) == ("sdk", 2)


def test_the_question_is_short(monkeypatch):
    seen = []

    def remember(_session, _service, **arguments):
        seen.append(arguments["config"])
        raise OSError("nobody there")

    monkeypatch.setattr(module, "make_client", remember)
    session = mangrove.Session("key", "secret")
    assert account_regions(session, aws(session), ClientOptions()).source == "sdk"
    assert {(config.connect_timeout, config.read_timeout) for config in seen} == {(2.0, 5.0)}


NAMES = sorted({"us-east-1", "us-west-1", "eu-west-1", "ap-east-1", "me-south-1"})


@settings(max_examples=200)
@given(
    terms=st.lists(st.sampled_from([*NAMES, "*", "eu-*", "ap-*"]), min_size=1, max_size=4, unique=True),
    status=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["enabled", "disabled", "unknown"])),
    listed=st.frozensets(st.sampled_from(NAMES)),
)
def test_enabled_and_supported_and_asked(terms, status, listed):
    partition = sdk_regions(mangrove.Session()).partitions["aws"]
    asked = Asked(tuple(terms), Coverage("any", partition, listed, frozenset(NAMES)))
    try:
        found = _select(asked, status, "test")
    except NoRegionsError as error:
        assert str(error)
        return
    assert found.regions
    names = set(found.names)
    assert len(names) == len(found.regions)
    assert names.isdisjoint(skip.name for skip in found.skipped)
    assert not listed or names <= listed.union(terms)
    assert all(name in status or name in terms for name in names)
    assert all(region.status != "disabled" or region.name in terms for region in found.regions)


def test_the_question_is_asked_in_the_sessions_own_region():
    asked = []

    class Watching(Answering):
        def client(self, service_name, **arguments):
            asked.append(arguments["region_name"])
            return super().client(service_name, **arguments)

    for region, expected in [("eu-west-1", "eu-west-1"), ("ap-east-1", "us-east-1"), (None, "us-east-1")]:
        mangrove.find_regions(Watching(ec2=OPT_IN, region_name=region), "sqs", "*")
        assert asked.pop() == expected


def test_bad_questions_are_refused():
    for terms in (["us-east-1", "mars-*"], ["us-east-1", "cn-*"]):
        with pytest.raises(ConfigError, match="partition 'aws' has no regions for"):
            mangrove.find_regions(Answering(), "sqs", terms)
    with pytest.raises(ConfigError, match="no service 'sqz' in this botocore; did you mean .*'sqs'"):
        mangrove.find_regions(Answering(), "sqz")
    with pytest.raises(ConfigError, match="session takes a boto3.Session"):
        mangrove.find_regions("sqs", Answering())
    with pytest.raises(NoRegionsError, match="aws-global is unsupported"):
        mangrove.find_regions(Answering(), "lambda", ["aws-global"])


def test_every_partition_answers():
    for name, partition in sdk_regions(mangrove.Session()).partitions.items():
        session = Answering(denied("DescribeRegions"), denied("ListRegions"), region_name=partition.regions[0])
        assert mangrove.find_regions(session, "ec2", "*").names == partition.regions, name
        found = mangrove.find_regions(session, "iam", "*")
        assert len(found.regions) == 1, name
        assert found.regions[0].endpoint_region in partition.regions


def test_an_empty_answer_is_an_error_that_says_why():
    west = Answering(ec2={"us-west-1": "opt-in-not-required"})
    with pytest.raises(NoRegionsError, match=r"'pricing'.*us-west-1 is unsupported.* is in .*us-east-1"):
        mangrove.find_regions(west, "pricing", "us-west-*")
    with pytest.raises(ConfigError, match=r"no partition has regions for 'moon-\*'"):
        mangrove.find_regions(Answering(), "sqs", "moon-*")


def test_an_old_answer_is_a_miss_and_a_kept_no_is_not_final():
    mangrove.find_regions(Answering(ec2=OPT_IN), "sqs", "*")
    (path,) = (Path.home() / "cache" / "mangrove" / "regions").iterdir()
    nobody = {"ec2": denied("DescribeRegions"), "account": denied("ListRegions")}
    found = mangrove.find_regions(Answering(**nobody), "sqs", ["ap-east-1"])
    assert (found.regions[0].status, found.source) == ("unknown", "cache")
    kept = json.loads(path.read_bytes())
    path.write_text(json.dumps({**kept, "time": kept["time"] - 31 * 24 * 3600}))
    assert mangrove.find_regions(Answering(**nobody), "sqs", "*").source == "sdk"


def test_a_failed_question_is_asked_again(monkeypatch, caplog):
    session = Answering(denied("DescribeRegions"), denied("ListRegions"))
    assert mangrove.find_regions(session, "sqs", "*").source == "sdk"
    assert "the account's regions are taken from sdk: ec2:DescribeRegions gave no answer" in caplog.text
    session.answers["ec2"] = OPT_IN
    assert mangrove.find_regions(session, "sqs", "*").source == "sdk"
    monkeypatch.setattr(module, "_KEEP_A_GUESS", -1.0)
    another = Answering(denied("DescribeRegions"), denied("ListRegions"))
    assert mangrove.find_regions(another, "sqs", "*").source == "sdk"
    another.answers["ec2"] = OPT_IN
    assert mangrove.find_regions(another, "sqs", "*").source == "ec2:DescribeRegions"


def test_other_options_are_another_question():
    session = Answering(denied("DescribeRegions"), denied("ListRegions"))
    broken = ClientOptions(config=Config(proxies={"https": "http://127.0.0.1:1"}))
    assert account_regions(session, aws(session), broken).source == "sdk"
    session.answers["ec2"] = OPT_IN
    assert account_regions(session, aws(session), ClientOptions()).source == "ec2:DescribeRegions"


def test_a_temporary_key_leaves_no_file():
    session = Answering(ec2=OPT_IN, aws_session_token="token")
    assert mangrove.find_regions(session, "sqs", "*").source == "ec2:DescribeRegions"
    assert not (Path.home() / "cache").exists()


def test_a_provider_that_fails_in_its_own_way_costs_nothing():
    session = Answering(denied("DescribeRegions"), denied("ListRegions"))

    def fail(*_):
        raise RuntimeError("vault down")

    session.get_credentials = fail
    assert mangrove.find_regions(session, "sqs", "*").source == "sdk"
