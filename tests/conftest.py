"""No test sees the machine's own AWS configuration, nor writes into its home."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest

TESTS = str(Path(__file__).resolve().parent)
if TESTS not in sys.path:
    sys.path.append(TESTS)  # at the end: a folder of ours is called `typing`

from servers import threads  # noqa: E402

# The models of AWS's services are millions of objects that stay: by default, a quarter of the time goes into
# looking through them. Tests of what is let go collect by themselves.
gc.set_threshold(20_000, 50, 100)


@pytest.fixture(autouse=True, scope="module")
def _earlier_objects_are_not_looked_through() -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _own_threads() -> None:
    threads.begin()


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower() in {"http_proxy", "https_proxy", "all_proxy"}:
            monkeypatch.delenv(name)
    home: Path = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
