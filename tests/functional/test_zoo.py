"""The acceptance zoo: real resources in moto, with ARNs that moto's answers and AWS's formats agree on."""

from __future__ import annotations

import importlib.metadata
import sys
from collections import Counter
from pathlib import Path

import pytest
from botocore.exceptions import ParamValidationError, UnknownServiceError

from mangrove.testing import EmbeddedAWS

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)  # at the end: a folder of ours is called `typing`

from zoo.base import half_of  # noqa: E402
from zoo.official import fits  # noqa: E402
from zoo.truth import keyed, matches, read, shape_of  # noqa: E402
from zoo.verdicts import DISPUTED, DOCUMENTED, WRONG, line_for  # noqa: E402
from zoo.walking import Sighting, sightings, tally  # noqa: E402

pytest_plugins = ["zoo.fixtures"]
TRUTH = read()
RECORDED = TRUTH["resources"]
SCORED = [one for one in RECORDED if one["verdict"] in {"right", "documented"}]
NEWEST = importlib.metadata.version("botocore") == TRUTH["made_with"]["botocore"]


def test_no_maker_fails(zoo):
    # An older botocore lacks some services, operations and parameters.
    missing = () if NEWEST else (UnknownServiceError, ParamValidationError, AttributeError)
    assert not [f"{one.maker}: {one.error!r}" for one in zoo.failures if not isinstance(one.error, missing)]
    assert len(zoo.failures) <= (0 if NEWEST else 3)
    assert TRUTH["failures"] == []


def test_the_zoo_is_what_is_recorded(zoo):
    live = keyed(zoo.made)
    numbers: Counter[tuple[str, str, str]] = Counter()
    unlike, absent = [], []
    for one in RECORDED:
        kind = one["service"], one["type"], one["region"]
        made = live.get((*kind, numbers[kind]))
        numbers[kind] += 1
        if made is None:
            absent.append(kind)
        elif not (matches(one["shape"], made.arn) and sorted(made.ids) == sorted(one["ids"])):
            unlike.append((made, one["shape"]))
    assert not unlike
    assert len(absent) <= (0 if NEWEST else 9)
    assert len(zoo.made) <= len(RECORDED)


def test_every_arn_that_counts_is_of_its_official_format(zoo):
    formats = {(one["service"], one["type"], one["shape"]): one["official"] for one in SCORED}
    live = [one for one in zoo.made if not (line_for(one, WRONG) or line_for(one, DISPUTED))]
    known = [(one, official) for one in live for key, official in formats.items() if _is_of(one, key)]
    assert len({one.arn for one, _ in known}) == len({one.arn for one in live})
    assert not [(one.arn, official) for one, official in known if not fits(one, official)]


def _is_of(made, key):
    service, kind, shape = key
    return (made.service, made.type) == (service, kind) and matches(shape, made.arn)


def test_what_is_called_wrong_is_wrong(zoo):
    for one in zoo.made:
        if line := line_for(one, WRONG):
            assert fits(one, line.official) == line.inside, (one.arn, line.official)
        elif line := line_for(one, DOCUMENTED):
            assert fits(one, line.official), (one.arn, line.official)


def test_every_word_on_moto_speaks_of_something():
    words = Counter(one["reason"] for one in RECORDED if "reason" in one)
    assert {line.reason for line in (*WRONG, *DISPUTED, *DOCUMENTED)} == set(words)


def test_it_is_broad():
    assert len({one["service"] for one in SCORED}) >= 130
    assert len(SCORED) >= 550
    assert len({(one["service"], one["type"]) for one in SCORED}) >= 400
    assert {one["verdict"] for one in RECORDED} <= {"right", "documented", "moto_wrong", "disputed"}


def test_a_part_is_held_out_by_service():
    halves = Counter(one["half"] for one in SCORED)
    assert set(halves) == {"tuned", "held_out"}
    assert 0.2 <= halves["held_out"] / len(SCORED) <= 0.4
    assert all(one["half"] == half_of(one["service"]) for one in RECORDED)


def test_no_arn_is_there_twice(zoo):
    again = [key for key, number in Counter((one.service, one.arn) for one in zoo.made).items() if number > 1]
    assert not again


def test_another_tests_reset_does_not_reach_the_zoo(zoo_made_once):
    made, cage = zoo_made_once
    with EmbeddedAWS(accounts=[made.made[0].account]) as other:
        other.reset()
        assert "Functions" in (answer := _client(made, "lambda").list_functions())
        assert answer["Functions"] == []
    with cage.opened():
        assert len(_client(made, "lambda").list_functions()["Functions"]) == 2
    assert _client(made, "lambda").list_functions()["Functions"] == []


def _client(made, service):
    return made.session(next(one for one in made.made if one.service == service)).client(service)


@pytest.mark.parametrize(
    ("arns", "shape"),
    [
        (["arn:aws:a:eu-west-1:1:b/c-0a1", "arn:aws:a:eu-west-1:1:b/c-7f2"], "arn:aws:a:eu-west-1:1:b/c-*"),
        (["arn:aws:a::1:b/2026-01-01T00:00:00.1", "arn:aws:a::1:b/2026-01-01T00:00:00"], "arn:aws:a::1:b/*"),
        (["arn:aws:a::1:b"], "arn:aws:a::1:b"),
    ],
)
def test_a_shape_has_stars_for_what_is_random(arns, shape):
    assert shape_of(arns) == shape
    assert all(matches(shape, arn) for arn in arns)
    assert not matches(shape, "arn:aws:a::1:z")


def test_sessions_of_the_zoo_reach_what_has_a_host_of_its_own(zoo):
    access = next(one for one in zoo.made if one.type == "AccessPoint" and one.service == "s3control")
    found = zoo.session(access).client("s3control").list_access_points(AccountId=access.account)["AccessPointList"]
    assert [one["AccessPointArn"] for one in found] == [access.arn]
    if NEWEST:
        assert len(_client(zoo, "devops-agent").list_agent_spaces()["agentSpaces"]) == 1


def test_the_walk_finds_what_boto3s_own_resources_list(zoo):
    made = [one for one in zoo.made if one.service == "iam" and one.type in {"User", "Role", "Group"}]
    session = zoo.session(made[0])
    found = tally(made, {("iam", made[0].region): sightings(session, "iam", made)})
    assert {one.arn for one in found.right} == {one.arn for one in made}
    assert not found.wrong
    assert not found.without


def test_a_tally_tells_right_wrong_none_and_absent(zoo):
    made = next(one for one in zoo.made if one.type == "Queue" and one.service == "sqs")
    where = made.service, made.region
    ids = frozenset(made.ids.values())
    assert tally([made], {where: [Sighting("Queue", made.arn, ids)]}).right == [made]
    assert tally([made], {where: [Sighting("Queue", "arn:aws:sqs:::x", ids)]}).wrong == [(made, "arn:aws:sqs:::x")]
    assert tally([made], {where: [Sighting("Queue", None, ids)]}).without == [made]
    assert tally([made], {where: [Sighting("Queue", "arn:aws:sqs:::x", frozenset({"x"}))]}).absent == [made]
    assert tally([made], {}).absent == [made]
    assert tally([made], {}).share == 0
