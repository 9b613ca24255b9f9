"""Write docs/coverage.md: what the resources cover, with the newest and the oldest botocore that the project supports.

`python scripts/generate_coverage.py OTHER_PYTHON` counts in both environments; `--check` compares the page with what
this environment alone gives.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import botocore

from mangrove.resources.coverage import Coverage, cover, page

TARGET = Path(__file__).parent.parent / "docs" / "coverage.md"
_HEADING = "\n## Services of botocore "


def count_with(python: str) -> tuple[str, list[Coverage]]:
    """Count in another environment."""
    done = subprocess.run([python, __file__, "--count"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return found["version"], [Coverage(**each) for each in found["services"]]


def is_current(counted: list[Coverage]) -> bool:
    """Say whether the services of the page are those of this botocore; the other botocore is not asked."""
    there = TARGET.read_text().partition(_HEADING)[2] if TARGET.is_file() else ""
    return there == page({botocore.__version__: counted}).partition(_HEADING)[2]


if __name__ == "__main__":
    counted = cover()
    if "--count" in sys.argv:
        print(json.dumps({"version": botocore.__version__, "services": [asdict(each) for each in counted]}))
    elif "--check" in sys.argv:
        sys.exit(0 if is_current(counted) else f"{TARGET.name} is out of date: run `make coverage-page`")
    else:
        versions = {botocore.__version__: counted}
        versions.update(map(count_with, sys.argv[1:]))
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(page(versions))
        print(f"{TARGET.name}: {len(counted)} services")
