"""Find the Chromium that the report's page is tested with, and install Debian's where it is missing.

    chromium.py              prints its path, or why there is none (exit code 1)
    chromium.py --install    installs it first where that can be done; never fails, as the tests can be skipped

It may run before anything is installed: the standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge")
ELSEWHERE = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def find() -> str | None:
    """Return the path of a Chromium: the one that MANGROVE_CHROMIUM names, or one that is installed."""
    named = os.environ.get("MANGROVE_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    found = (*map(shutil.which, NAMES), *(path for path in ELSEWHERE if Path(path).is_file()))
    return next(filter(None, found), None)


def why_not_installed() -> str | None:
    """Return why it can't be installed here, or None if it can."""
    if os.environ.get("MANGROVE_CHROMIUM"):
        return f"MANGROVE_CHROMIUM is {os.environ['MANGROVE_CHROMIUM']!r}, and no such file is there"
    if not shutil.which("apt-get"):
        return "no Chromium is installed, and there is no apt-get to install Debian's"
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "no Chromium is installed, and only root can do that: apt-get install chromium"
    return None


def install() -> str | None:
    """Install Debian's Chromium; return what went wrong, or None."""
    steps = (["install"], ["update"], ["install"])  # the lists of packages may be missing or old
    failed = ""
    for step in steps:
        packages = ["--no-install-recommends", "chromium"] if step == ["install"] else []
        command = ["apt-get", *step, "-y", "-q", *packages]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if step == ["install"] and find():
            return None
        failed = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
    return f"apt-get could not install chromium: {failed}"


def main(arguments: list[str]) -> int:
    """Print where it is, or why there is none."""
    found, reason = find(), None
    if found is None and (reason := why_not_installed()) is None and "--install" in arguments:
        print("installing Debian's chromium, which the report is tested with", flush=True)
        reason = install()
        found = find()
    if found:
        print(found)
        return 0
    print(f"chromium: {reason or 'not installed; give --install'}", file=sys.stderr)
    if "--install" in arguments:
        print("chromium: the tests of the report's page will be skipped", file=sys.stderr)
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
