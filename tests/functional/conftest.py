"""What functional tests share."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest


@pytest.fixture
def fds():
    """Return a counter of this process's open file descriptors."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("no /proc/self/fd on this system")

    def count():
        gc.collect()
        return len(list(folder.iterdir()))

    return count
