"""Write src/mangrove/resources/types: what editors and type checkers know of the resources of all services.

Run it with the newest botocore that the project supports: `make stubs`. Attributes are typed with types-boto3's
TypedDicts; their names are taken from the folders given as arguments (where types-boto3-full is), or from the stubs as
they are, so that `--check` and a new botocore need no types-boto3.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mangrove.resources.stub_package import index_stub, known_of_stub, resource_services, stubs_of
from mangrove.resources.stub_types import Known, find_known
from mangrove.resources.stubs import stub_name

TARGET = Path(__file__).parent.parent / "src" / "mangrove" / "resources" / "types"


def known(service: str, folders: list[str]) -> Known:
    """Return what types-boto3 has for a service."""
    stub = TARGET / f"{stub_name(service)}.pyi"
    if folders or not stub.is_file():
        return find_known(service, folders or sys.path)
    return known_of_stub(stub.read_text())


if __name__ == "__main__":
    folders = [each for each in sys.argv[1:] if each != "--check"]
    services = resource_services()
    files = {**stubs_of(services, lambda name: known(name, folders)), "__init__.pyi": index_stub(services)}
    if "--check" in sys.argv:
        there = {path.name: path.read_text() for path in TARGET.glob("*.pyi")}
        stale = sorted(name for name in {*there, *files} if there.get(name) != files.get(name))
        sys.exit(f"{len(stale)} stubs of resources are out of date ({stale[0]}): run `make stubs`" if stale else 0)
    TARGET.mkdir(exist_ok=True)
    for old in TARGET.glob("*.pyi"):
        if old.name not in files:
            old.unlink()
    for name, text in files.items():
        (TARGET / name).write_text(text)
    print(f"{TARGET.name}: {len(files)} stubs, {sum(map(len, files.values())) / 1e6:.1f} MB")
