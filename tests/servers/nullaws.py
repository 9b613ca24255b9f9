"""nullaws, an AWS of many accounts and regions that is never the bottleneck, as the fixture `nullaws`.

    pytest_plugins = ["servers.nullaws"]   # in the test module, with the folder `tests` on sys.path

    def test_something(nullaws):
        with nullaws("--delay-ms", 5, "--deny", "100000000001/eu-west-1") as place:
            session.client("ec2", endpoint_url=place.endpoint_url)
            place.stats()["operations"]["ec2:DescribeInstances"]["denied"]

The program and its options are in benchmarks/fleet/nullaws.c. Where there is no C compiler, the tests are skipped.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path

import pytest

__all__ = ["nullaws"]

_SERVERS = Path(__file__).parents[2] / "benchmarks" / "fleet" / "servers.py"


def _load():
    spec = importlib.util.spec_from_file_location("nullaws_servers", _SERVERS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def nullaws(tmp_path_factory):
    """Return what starts a server with options, in a `with` block."""
    if not sys.platform.startswith("linux"):
        pytest.skip("nullaws runs on Linux alone: it waits with epoll")
    servers = _load()
    try:
        program = servers.build(tmp_path_factory.mktemp("nullaws"))
    except RuntimeError as error:
        pytest.skip(str(error))
    return functools.partial(servers.nullaws, program)
