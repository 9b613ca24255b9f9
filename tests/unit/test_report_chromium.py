"""How the tests of the report's page find their browser, and what is said where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "chromium.py"
pytestmark = [
    pytest.mark.skipif(not SCRIPT.is_file(), reason="scripts/ is not here"),
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins are scripts of a Unix shell"),
]


def program(folder, name, text="exit 0"):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def run(folder, *arguments, **environment):
    environment = {"PATH": str(folder), **environment}
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], capture_output=True, text=True, env=environment, check=False
    )


def test_it_is_found_on_the_path(tmp_path):
    there = program(tmp_path, "google-chrome")
    assert run(tmp_path).stdout == f"{there}\n"


def test_the_one_that_is_named_is_taken(tmp_path):
    program(tmp_path, "chromium")
    mine = program(tmp_path, "mine")
    assert run(tmp_path, MANGROVE_CHROMIUM=str(mine)).stdout == f"{mine}\n"
    gone = run(tmp_path, MANGROVE_CHROMIUM="/gone")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "MANGROVE_CHROMIUM is '/gone', and no such file is there" in gone.stderr


def test_without_apt_get_it_says_so_and_fails_nothing(tmp_path):
    done = run(tmp_path, "--install")
    assert done.returncode == 0
    assert "no Chromium is installed, and there is no apt-get" in done.stderr
    assert "will be skipped" in done.stderr
    assert run(tmp_path).returncode == 1


@pytest.mark.skipif(os.geteuid() != 0 if hasattr(os, "geteuid") else True, reason="only root installs packages")
def test_debians_is_installed_even_where_its_lists_are_old(tmp_path):
    updated, there = tmp_path / "updated", tmp_path / "chromium"
    text = f'echo "$@" >> {tmp_path}/log\n[ "$1" = update ] && : > {updated} && exit 0\n[ -e {updated} ] || exit 100\n'
    program(tmp_path, "apt-get", f"{text}printf '#!/bin/sh\\n' > {there}; /bin/chmod 755 {there}")
    assert run(tmp_path, "--install").stdout.splitlines()[-1] == str(there)
    asked = [line.split()[0] for line in (tmp_path / "log").read_text().splitlines()]
    assert asked == ["install", "update", "install"]


@pytest.mark.skipif(os.geteuid() != 0 if hasattr(os, "geteuid") else True, reason="only root installs packages")
def test_what_apt_get_says_is_told(tmp_path):
    program(tmp_path, "apt-get", "echo 'E: no network' >&2; exit 100")
    done = run(tmp_path, "--install")
    assert (done.returncode, "could not install chromium: E: no network" in done.stderr) == (0, True)
