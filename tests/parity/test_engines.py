"""Each engine on each server answers as S3 documents, but for the deviations of the server that are listed."""

from __future__ import annotations

import importlib
import sys
import uuid
from pathlib import Path

import pytest

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)  # at the end: a folder of ours is called `typing`

from parity.deviations import DEVIATIONS, Deviation  # noqa: E402
from parity.engines import ENGINES  # noqa: E402
from parity.harness import CASES, S3, outcome  # noqa: E402

pytest_plugins = ["servers.weed"]

for area in ("objects", "reading", "writing", "checksums", "listing", "multipart", "versions", "buckets"):
    importlib.import_module(f"parity.cases.{area}")


@pytest.fixture
def run(request):
    """Return what makes a case's requests with a named engine, in a bucket of its own."""
    engines = []

    def run(name, case):
        entry = ENGINES[name]
        session, url = None, None
        if entry.server == "moto":
            aws = request.getfixturevalue("embedded_aws")
            session, url = aws.session(region_name="us-east-1"), aws.endpoint_url
        elif entry.server == "weed":
            weed = request.getfixturevalue("weed")
            session, url = weed.session(), weed.endpoint_url
        engine = entry.make(session, url)
        engines.append(engine)
        s3 = S3(engine, f"parity-{uuid.uuid4().hex[:16]}")
        assert s3("CreateBucket") == (200,)
        if entry.server == "weed":
            # A bucket gets its first volume at the first write, which may take longer than clients wait.
            s3.put("warm")
            s3("DeleteObject", Key="warm")
        return outcome(case.run, s3)

    yield run
    for engine in engines:
        engine.close()


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_case(run, name, case):
    server = ENGINES[name].server
    deviation = DEVIATIONS[server].get(case.name, Deviation("", ""))
    seen = run(name, case)
    for step, expected in enumerate(case.expected):
        if step > deviation.first_unreachable:
            break
        answer = seen[step] if step < len(seen) else None
        if step in deviation.named:
            assert answer != expected, f"no deviation any more: strike step {step} of {case.name} from the list"
        else:
            assert answer == expected, f"step {step}"
    else:
        assert len(seen) == len(case.expected)
    reference = f"boto-{server}"
    if deviation.reason and name != reference:
        assert seen == run(reference, case), "the server differs from S3, and the engine from botocore"


def test_the_memory_has_no_deviations():
    assert not DEVIATIONS["memory"]


@pytest.mark.parametrize("server", DEVIATIONS)
def test_deviations_are_of_cases_and_say_why(server):
    assert sorted(DEVIATIONS[server]) == list(DEVIATIONS[server])
    assert set(DEVIATIONS[server]) <= set(CASES)
    assert all(len(reason) > 10 for _, reason in DEVIATIONS[server].values())
