"""Write docs/coverage.md: what the resources cover, with the newest and the oldest botocore that the project supports.

It also writes data/with_resources.json, the services that have resources in each of them that knows the service.
`python scripts/generate_coverage.py OTHER_PYTHON` counts in both environments; `--check` compares the page with what
this environment alone gives.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import botocore

from mangrove.resources.checking import services
from mangrove.resources.coverage import Coverage, cover, page

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "coverage.md"
NAMES = ROOT / "src" / "mangrove" / "resources" / "data" / "with_resources.json"
_HEADING = "\n## Services of botocore "


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted in one environment: botocore's version, all its services, and what covers those that have it."""

    version: str
    names: list[str]
    covered: list[Coverage]

    def lacks(self) -> set[str]:
        """Return the services without resources."""
        return set(self.names) - {each.service for each in self.covered}


def count_with(python: str) -> Count:
    """Count in another environment."""
    done = subprocess.run([python, __file__, "--count"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return Count(found["version"], found["names"], [Coverage(**each) for each in found["covered"]])


def write_names(counts: list[Count]) -> None:
    """Write the services that have resources wherever they are."""
    names = {name for each in counts for name in each.names}.difference(*(each.lacks() for each in counts))
    NAMES.write_text(json.dumps(sorted(names), indent=0) + "\n")


def is_current(counted: list[Coverage]) -> bool:
    """Say whether the services of the page are those of this botocore; the other botocore is not asked."""
    there = TARGET.read_text().partition(_HEADING)[2] if TARGET.is_file() else ""
    return there == page({botocore.__version__: counted}).partition(_HEADING)[2]


if __name__ == "__main__":
    here = Count(botocore.__version__, services(), cover())
    if "--count" in sys.argv:
        print(json.dumps(asdict(here)))
    elif "--check" in sys.argv:
        sys.exit(0 if is_current(here.covered) else f"{TARGET.name} is out of date: run `make coverage-page`")
    else:
        counts = [here, *map(count_with, sys.argv[1:])]
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(page({each.version: each.covered for each in counts}))
        if len(counts) > 1:
            write_names(counts)
        print(f"{TARGET.name}: {len(here.covered)} services")
