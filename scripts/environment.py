"""Make the virtual environments of the Makefile, on a machine that has only python3 and make.

    environment.py demo|newest|oldest       make one of them
    environment.py --freeze newest|oldest   make it from what is newest, and write constraints/NAME.txt

It runs before anything is installed: the standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 10)
# All but awscrt: with it botocore signs by other code, and what the tests compare has random signatures in it.
PARTS = ".[accounts,cli,dask,inventory,testing]"
OLDEST = ("boto3==1.40.0", "botocore==1.40.0")


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder, and end with its error."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return done  # type: ignore[no-any-return]


def oldest_python() -> str:
    """Return the oldest supported Python that works here; the one that runs this, if there is no other."""
    managed = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for minor in range(OLDEST_PYTHON[1], sys.version_info.minor):
        name = f"python3.{minor}"
        for found in (shutil.which(name), *sorted(managed.glob(f"3.{minor}.*/bin/{name}"))):
            # A version manager's stand-in is on the path and yet fails.
            if found and not _silent(found, "-c", "import venv, ensurepip"):
                return str(found)
    return sys.executable


def _silent(*command: object) -> int:
    return subprocess.run([str(part) for part in command], capture_output=True, check=False).returncode


def make_venv(path: Path, python: str) -> Path:
    """Make an empty virtual environment and return its interpreter."""
    shutil.rmtree(path, ignore_errors=True)
    print(f"making {path.name} with {python}", flush=True)
    done = subprocess.run([python, "-m", "venv", path], capture_output=True, text=True, check=False)
    if done.returncode and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        # Debian keeps venv in a package of its own.
        run("apt-get", "install", "-y", "-q", "python3-venv", stdout=subprocess.DEVNULL)
        done = subprocess.run([python, "-m", "venv", path], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{python} can't make a virtual environment (on Debian: apt-get install python3-venv)\n{done.stdout}")
    return path / "bin" / "python"


def install(python: Path, *what: str, constraints: Path | None = None) -> None:
    """Install into an environment, within the versions of a constraints file."""
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")
    run(*pip, "pip>=25.1")  # the first that knows dependency groups
    run(*pip, *what, *(("-c", constraints) if constraints else ()))


def make(name: str, *, frozen: bool = True) -> Path:
    """Make one environment and return its interpreter."""
    path = ROOT / (".venv-oldest" if name == "oldest" else ".venv")
    python = make_venv(path, oldest_python() if name == "oldest" else sys.executable)
    constraints = ROOT / "constraints" / f"{'oldest' if name == 'oldest' else 'newest'}.txt"
    wanted = {
        "demo": ["-e", ".[cli,inventory,testing]"],
        "newest": ["-e", PARTS, "--group", "test", "--group", "lint"],
        "oldest": ["-e", PARTS, "--group", "test", *OLDEST],
    }[name]
    # The newest versions were frozen on 3.11; on an older Python some of them do not exist.
    frozen = frozen and (name == "oldest" or sys.version_info >= (3, 11))
    install(python, *wanted, constraints=constraints if frozen else None)
    for stamp in [".demo"] if name == "demo" else [".demo", ".test"]:
        (path / stamp).touch()
    return python


def freeze(name: str) -> None:
    """Write the versions that are newest now; names and versions alone, no address."""
    python = make(name, frozen=False)
    listed = run(python, "-m", "pip", "list", "--format=freeze", "--exclude-editable", stdout=subprocess.PIPE).stdout
    skip = ("pip==", "setuptools==", "wheel==")
    lines = [line for line in listed.splitlines() if not line.startswith(skip)]
    head = f"# The versions that `make test` installs ({name} boto3). Written by `make constraints`.\n"
    (ROOT / "constraints" / f"{name}.txt").write_text(head + "\n".join(sorted(lines, key=str.lower)) + "\n")


if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"mangrove needs Python 3.10 or later, this is {sys.version.split()[0]}: make PYTHON=python3.12 ...")
    if sys.argv[1] == "--freeze":
        freeze(sys.argv[2])
    else:
        make(sys.argv[1])
