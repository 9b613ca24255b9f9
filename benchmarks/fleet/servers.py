"""Build and start nullaws, what the clients of this benchmark and some tests talk to, on loopback."""

# ruff: noqa: INP001, S603, S310  a program that measures, and no part of a package
from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["CLIENT_CORE", "SERVER_CORE", "Place", "build", "nullaws", "pinned"]

SOURCE = Path(__file__).parent / "nullaws.c"
SERVER_CORE, CLIENT_CORE = 0, 1


def pinned(core: int | None) -> dict[str, Any]:
    """Return what makes a process run on one core, where the system can."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if core is None or core >= len(cores):
        return {}
    return {"preexec_fn": lambda: os.sched_setaffinity(0, {cores[core]})}


def build(folder: Path) -> Path:
    """Compile nullaws into a folder, and return the program.

    Raises:
        RuntimeError: there is no C compiler, or the system is none that nullaws knows.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        text = "a C compiler is needed (on Debian: apt-get install gcc libc6-dev)"
        raise RuntimeError(text)
    program = folder / "nullaws"
    done = subprocess.run(
        [compiler, "-O2", "-o", str(program), str(SOURCE)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        text = f"nullaws.c can't be compiled here: {done.stderr[-2000:]}"
        raise RuntimeError(text)
    return program


class Place:
    """Say where a server is.

    Args:
        endpoint_url: its address.
    """

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url

    def stats(self) -> dict[str, Any]:
        """Return what it has served; see nullaws.c."""
        with urllib.request.urlopen(f"{self.endpoint_url}/-/stats") as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@contextlib.contextmanager
def nullaws(program: Path, *options: object, core: int | None = None) -> Iterator[Place]:
    """Start nullaws on a port that is free, and end it at the end.

    Args:
        program: what `build` has made.
        *options: of its command line.
        core: the core that it is to run on; None leaves that to the system.
    """
    command = [str(program), *map(str, options)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **pinned(core))
    try:
        if process.stdout is None:
            raise AssertionError
        _, port = process.stdout.readline().split()
        yield Place(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
