"""Every example of the README and of the docstrings runs, against the embedded AWS."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mangrove

ROOT = Path(__file__).parents[2]
SOURCE = Path(mangrove.__file__).parent
MODULES = sorted(
    ".".join(["mangrove", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if path.stem != "__main__"
)


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def test_the_readmes_python(embedded_aws_env, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some examples write files
    namespace = {"__name__": "readme"}
    assert len(blocks("python")) >= 6
    for block in blocks("python"):
        embedded_aws_env.reset()  # each example begins with empty accounts
        exec(compile(block, "README.md", "exec"), namespace)  # noqa: S102  our own text
    shown = capsys.readouterr().out
    for comment in (
        "RegionState(name='ap-east-1', state='disabled', detail='says ec2:DescribeRegions')",
        "no region 'us-east-9' in this botocore; did you mean 'us-east-2' or 'us-east-1'?",
        "eu-central-2 is disabled (ec2:DescribeRegions)",
    ):
        assert comment in shown
        assert comment in (ROOT / "README.md").read_text()
    for name in ("test_queue", "test_code_that_makes_its_own_clients"):
        embedded_aws_env.reset()
        namespace[name](embedded_aws_env)


def test_the_readmes_commands_exist():
    commands = [line.split("#")[0].split() for block in blocks("sh") for line in block.splitlines()]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in filter(None, commands):
        if command[0] == "make":
            assert command[1] in targets
        elif command[0] == "mangrove":
            run = [sys.executable, "-m", "mangrove", *command[1:2], "--help"]
            assert "Usage: " in subprocess.run(run, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name, embedded_aws_env):
    module = importlib.import_module(name)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testmod(module, extraglobs={"mangrove": mangrove}, optionflags=flags)
    assert result.failed == 0
