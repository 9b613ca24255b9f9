"""What holds for the package as a whole."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mangrove
from mangrove import errors

SOURCE = Path(mangrove.__file__).parent
MODULES = sorted(
    ".".join(["mangrove", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
)


def test_import_takes_no_boto3_and_nothing_heavy():
    script = "import sys; before = set(sys.modules); import mangrove; print(*sorted(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    assert not [name for name in loaded if name.startswith(("boto", "urllib3", "moto", "rich", "click"))]
    assert [name for name in loaded if name.startswith("mangrove")] == ["mangrove", "mangrove._version"]


def test_version_is_in_one_place():
    assert mangrove.__version__ == importlib.import_module("importlib.metadata").version("pymangrove")


@pytest.mark.parametrize("name", [m for m in MODULES if m != "mangrove.__main__"])
def test_what_is_exported_is_there_once(name):
    exported = list(getattr(importlib.import_module(name), "__all__", ()))
    assert len(exported) == len(set(exported))
    for each in exported[:50]:
        assert hasattr(importlib.import_module(name), each)


@pytest.mark.parametrize("name", mangrove.__all__)
def test_lazy_names_are_there(name):
    assert getattr(mangrove, name) is not None
    assert name in dir(mangrove)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Pool'"):
        mangrove.Pool  # noqa: B018


def _tree():
    """Read the tree that the docstring draws: each name with its parent and its builtins."""
    stack, found = [], {}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│├└─ ]*)(\w+Error)(?: \(([\w, ]+)\))?(?:\s|$)", line)
        if match:
            depth = len(match[1]) // 4
            stack = [*stack[:depth], match[2]]
            found[match[2]] = (stack[-2] if depth else None, [b.strip() for b in (match[3] or "").split(",") if b])
    return found


def test_the_tree_in_the_docstring_is_the_tree():
    drawn = _tree()
    assert sorted(drawn) == sorted(errors.__all__)
    for name, (parent, builtins) in drawn.items():
        bases = [base.__name__ for base in getattr(errors, name).__bases__]
        expected = builtins
        if sys.version_info < (3, 11):
            expected = [each for each in builtins if each != "ExceptionGroup"]
        assert bases == [parent or "Exception", *expected], name


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_reads_as_a_sentence(name):
    more = ([], [ValueError("why")]) if name == "RunError" else ()
    assert str(getattr(errors, name)("a clear sentence", *more)) == "a clear sentence"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCE)))
def test_modules_and_functions_stay_small(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 350
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.body[0].lineno <= 40, f"{path.name}:{node.lineno} {node.name}"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_why_it_exists(name):
    if name == "mangrove.__main__":
        return
    first = (inspect.getdoc(importlib.import_module(name)) or "").splitlines()
    assert first
    assert first[0].endswith((".", ":"))
