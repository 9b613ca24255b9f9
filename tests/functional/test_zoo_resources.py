"""The acceptance zoo through resources: which ARNs are right, wrong or missing, and what leads back from them."""

from __future__ import annotations

import importlib.metadata
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from boto3.exceptions import ResourceNotExistsError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mangrove.errors import MangroveError
from mangrove.resources.from_arn import catalog_for
from mangrove.resources.matching import roots

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)  # at the end: a folder of ours is called `typing`

from zoo.making import ACCOUNT  # noqa: E402
from zoo.truth import read  # noqa: E402
from zoo.verdicts import DISPUTED, WRONG, line_for  # noqa: E402
from zoo.walking import Sighting, arn_of, tally, walk  # noqa: E402

pytest_plugins = ["zoo.fixtures"]
NEWEST = importlib.metadata.version("botocore") == read()["made_with"]["botocore"]
# What the two halves have reached; the second is of services on which nothing was tuned.
FLOORS = {
    "tuned": {"share": 0.99, "seen": 0.93, "back": 0.99, "same": 0.92, "bare": 0.92},
    "held_out": {"share": 0.97, "seen": 0.94, "back": 0.99, "same": 0.98, "bare": 0.77},
}


@dataclass
class Walked:
    """What walking the zoo has shown."""

    scored: list = field(default_factory=list)
    seen: dict = field(default_factory=dict)
    # By ARN: whether the object made from it says it again, and is the object that was listed.
    back: dict = field(default_factory=lambda: defaultdict(list))
    # By ARN: what an object with the identifiers alone says.
    bare: dict = field(default_factory=lambda: defaultdict(list))
    calls_for_arns: int = 0
    calls_for_bare: int = 0
    objects: int = 0
    arns: int = 0


class Meter:
    """Counts the calls of a session; what moto lacks is no better the second time."""

    def __init__(self, session):
        core = session._session
        once = Config(retries={"total_max_attempts": 1})
        core.set_default_client_config(once)
        session.events.register_first("before-call", self.count)
        self.number = 0

    def count(self, **_):
        self.number += 1


@pytest.fixture(scope="module")
def walked(zoo_made_once):
    zoo, cage = zoo_made_once
    answer = Walked()
    answer.scored = [one for one in zoo.made if not (line_for(one, WRONG) or line_for(one, DISPUTED))]
    groups = defaultdict(list)
    for one in answer.scored:
        groups[one.service, one.region].append(one)
    with cage.opened():
        for (service, region), made in sorted(groups.items()):
            session = zoo.session(made[0])
            try:
                answer.seen[service, region] = look(answer, session, service, frozenset(one.arn for one in made))
            except ResourceNotExistsError:
                answer.seen[service, region] = []
    return answer


class Around(frozenset):
    """Holds the ARNs of the zoo, and some of what stands around it, which may have more of it below."""

    left = 25

    def __contains__(self, arn):
        if super().__contains__(arn):
            return True
        ours = isinstance(arn, str) and arn.split(":")[4] in {"", ACCOUNT}
        self.left -= ours
        return ours and self.left >= 0


def objects(session, service, wanted):
    """Walk a service; where its lists ask for the account, from that too."""
    root = session.resource(service)
    for kind in roots(catalog_for(session).find(service)):
        yield from walk(getattr(root, kind)(ACCOUNT) if kind else root, Around(wanted))


def look(answer, session, service, wanted):
    meter, found = Meter(session), []
    for one in objects(session, service, wanted):
        before = meter.number
        arn = arn_of(one)
        answer.calls_for_arns += meter.number - before
        answer.objects += 1
        answer.arns += arn is not None
        ids = [getattr(one, f"_{each.name}") for each in one.meta.resource_model.identifiers]
        found.append(Sighting(type(one).__name__.rpartition(".")[2], arn, frozenset(map(str, ids))))
        if arn in wanted:
            before = meter.number
            answer.bare[arn].append(type(one)(*ids, client=one.meta.client).get_arn())
            answer.calls_for_bare += meter.number - before
            answer.back[arn].append(back(session, arn, one))
    return found


def back(session, arn, one):
    try:
        made = session.resource_from_arn(arn, search=True)
    except (MangroveError, ClientError, BotoCoreError):
        return False, False
    return made.get_arn() == arn, made == one


@pytest.mark.parametrize("half", ["tuned", "held_out"])
def test_the_zoo(walked, half, capsys):
    made = [one for one in walked.scored if one.half == half]
    found = tally(made, walked.seen)
    arns = {one.arn for one in found.right}
    bare = Counter("none" if told is None else told == arn for arn in arns for told in walked.bare[arn])
    shares = {
        "share": found.share,
        "seen": (len(made) - len(found.absent)) / len(made),
        "back": sum(any(said for said, _ in walked.back[arn]) for arn in arns) / len(arns),
        "same": sum(any(same for _, same in walked.back[arn]) for arn in arns) / len(arns),
        "bare": bare[True] / bare.total(),
    }
    counts = {name: len(getattr(found, name)) for name in ("right", "wrong", "without", "absent")}
    with capsys.disabled():
        shown = " ".join(f"{name} {share:.3f}" for name, share in shares.items())
        print(f"\n{half}: {len(made)} ARNs, {counts}, {shown}, of identifiers alone {dict(bare)}")  # noqa: T201
    assert found.wrong == []
    assert bare[False] == 0
    if NEWEST:
        assert {name: share for name, share in shares.items() if share < FLOORS[half][name]} == {}


def test_no_arn_costs_a_call(walked):
    assert walked.objects > 5_000
    assert walked.arns > 3_000
    assert walked.calls_for_arns == 0
    assert walked.calls_for_bare == 0
