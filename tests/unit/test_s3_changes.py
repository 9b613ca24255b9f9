"""Plans of a sync: two trees side by side, what differs, what is in the way; and a walk in the order of keys."""

from __future__ import annotations

import os
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mangrove.errors import ConfigError
from mangrove.s3.trees.changes import (
    Change,
    Clashes,
    DisorderError,
    Entry,
    by_size,
    by_time,
    changes,
    in_doubt,
    in_order,
    looked_into,
)
from mangrove.s3.trees.walking import walk

TREES = st.dictionaries(st.text("ab-/.é", min_size=1, max_size=4), st.integers(0, 3), max_size=12)


def entries(tree):
    return [Entry(path, size) for path, size in sorted(tree.items())]


@given(TREES, TREES, st.booleans())
def test_applying_the_changes_makes_the_target_like_the_source(source, target, delete):
    made = dict(target)
    seen = []
    for change in changes(entries(source), entries(target), by_size, delete=delete):
        seen.append(change.path)
        if change.action == "delete":
            del made[change.path]
        elif change.action == "transfer":
            assert made.get(change.path) != source[change.path]
            made[change.path] = change.source.size
        else:
            assert made[change.path] == source[change.path]
    assert made == (source if delete else {**target, **source})
    assert seen == sorted(set(seen))


@given(TREES)
def test_without_a_target_all_is_transferred(source):
    assert [each.action for each in changes(entries(source), None, by_size)] == ["transfer"] * len(source)


def test_what_can_not_be_read_is_refused_and_its_target_left_alone():
    source = [Entry("a", error=OSError("no")), Entry("b", 1)]

    found = list(changes(source, [Entry("a", 1), Entry("b", 1)], by_size, delete=True))

    assert [(each.action, each.path) for each in found] == [("refuse", "a"), ("same", "b")]


S = 10**9


@pytest.mark.parametrize(
    ("source", "target", "exact", "differs"),
    [
        (2 * S, S, False, "time"),
        (S, 2 * S, False, ""),
        (S, 2 * S, True, "time"),
        (S + 1, S, False, ""),
        (S, S + 1, True, ""),
    ],
)
def test_times_are_compared_by_the_rule(source, target, exact, differs):
    compare = by_time(exact=exact)

    assert compare(Entry("a", 1, source), Entry("a", 1, target)) == differs
    assert compare(Entry("a", 1, source), Entry("a", 2, source)) == "size"


@pytest.mark.parametrize(
    ("source", "target", "doubt"),
    [
        ((9 * S + 5, 9 * S + 5), (9 * S, 0), True),  # a file, uploaded in the second it was written in
        ((9 * S, 0), (9 * S, 10 * S), True),  # an object, downloaded in that second, by a clock that is a second ahead
        ((9 * S, 0), (9 * S, 12 * S), False),  # ... or later
        ((9 * S, 0), (9 * S + 1, 0), True),  # two objects
        ((9 * S, 9 * S), (10 * S, 0), False),
    ],
)
def test_what_is_of_one_second_is_in_doubt_unless_the_file_came_later(source, target, doubt):
    change = Change("same", "a", Entry("a", 1, *source), Entry("a", 1, *target))

    assert in_doubt(change) is doubt


def test_a_tree_out_of_order_is_found_out_before_anything_is_decided_on():
    with pytest.raises(DisorderError, match="a-b"):
        list(in_order([Entry("a/b"), Entry("a-b")], "s3://logs/"))


def test_slow_comparisons_keep_the_order_and_fail_alone():
    def differs(source, target):
        if source.path == "b":
            raise OSError("gone")
        return "checksum" if source.path == "c" else ""

    tree = {"a": 1, "b": 1, "c": 1, "d": 2}
    found = looked_into(changes(entries(tree), entries({**tree, "d": 1}), by_size), differs, 2)

    assert [(each.action, each.path, each.reason) for each in found] == [
        ("same", "a", ""),
        ("refuse", "b", ""),
        ("transfer", "c", "checksum"),
        ("transfer", "d", "size"),
    ]


@settings(max_examples=300)
@given(st.sets(st.text("ab/-0", min_size=1, max_size=5), max_size=12))
def test_clashes_are_found_with_next_to_no_memory(paths):
    clashes, files = Clashes(), set()
    for path in sorted(paths):
        above = {path[:place] for place, char in enumerate(path) if char == "/"}
        found = clashes.file_above(path)
        assert (found is not None) == bool(above & files)
        assert found is None or found in above
        if found is None:
            files.add(path)


# -- the walk ----------------------------------------------------------------------------------------------------------


def make(root, *paths):
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(path.encode())


def test_a_walk_comes_in_the_order_of_keys(tmp_path):
    paths = ["a/b", "a/b-c", "a-b", "a.txt", "a0", "b/c/d", "b/c.d", "é", "z"]
    make(tmp_path, *paths)

    found = list(walk(tmp_path))

    assert [each.path for each in found] == sorted(paths)
    assert [each.size for each in found] == [len(path.encode()) for path in sorted(paths)]
    assert all(each.error is None for each in found)


NAMES = st.text("ab-.0", min_size=1, max_size=3).filter(lambda name: name.strip("."))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@settings(deadline=None, max_examples=30)
@given(st.sets(PATHS, max_size=8))
def test_any_walk_is_sorted(tmp_path_factory, paths):
    root = tmp_path_factory.mktemp("tree")
    made = set()
    for path in paths:
        try:
            make(root, path)
        except OSError:
            continue  # a folder is where a file is to be
        made.add(path)

    assert [each.path for each in walk(root)] == sorted(made)


def test_links_are_followed_left_out_or_refused(tmp_path):
    make(tmp_path / "tree", "a", "d/b")
    make(tmp_path / "other", "c")
    (tmp_path / "tree" / "file").symlink_to(tmp_path / "other" / "c")
    (tmp_path / "tree" / "folder").symlink_to(tmp_path / "other")
    (tmp_path / "tree" / "broken").symlink_to(tmp_path / "none")

    def found(rule):
        return {
            each.path: type(each.error).__name__ if each.error else each.size for each in walk(tmp_path / "tree", rule)
        }

    assert found("follow") == {"a": 1, "d/b": 3, "file": 1, "folder/c": 1, "broken": "FileNotFoundError"}
    assert found("skip") == {"a": 1, "d/b": 3}
    refused = dict.fromkeys(("file", "folder", "broken"), "UnsafePathError")
    assert found("error") == {"a": 1, "d/b": 3, **refused}
    assert found("keep") == {"a": 1, "d/b": 3, "file": -1, "folder": -1, "broken": -1}


def test_a_circle_of_links_ends(tmp_path):
    make(tmp_path, "a/b")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")

    found = {each.path: each.error for each in walk(tmp_path)}

    assert set(found) == {"a/b", "a/up", "self"}
    assert "a folder that it is in" in str(found["a/up"])
    assert isinstance(found["self"], OSError)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_is_no_file_is_refused_by_name(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s"))
        make(tmp_path, "file")

        assert [(each.path, each.error is None) for each in walk(tmp_path)] == [
            ("file", True),
            ("pipe", False),
            ("s", False),
        ]


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="names there are text")
def test_a_name_that_is_no_text_is_refused_by_name(tmp_path):
    make(tmp_path, "a")
    (tmp_path / os.fsdecode(b"b\xff")).write_bytes(b"")

    found = list(walk(tmp_path))

    assert [each.error is None for each in found] == [True, False]
    assert "UTF-8" in str(found[1].error)


def test_our_own_unfinished_files_are_left_out(tmp_path):
    make(tmp_path, "a", ".mangrove-0123456789abcdef.part")

    assert [each.path for each in walk(tmp_path)] == ["a"]


def test_a_folder_that_can_not_be_read_is_one_entry(tmp_path, monkeypatch):
    make(tmp_path, "a/b", "c")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("a"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)

    assert [(each.path, each.error is None) for each in walk(tmp_path)] == [("a", False), ("c", True)]


def test_what_is_no_folder_is_refused_at_once(tmp_path):
    make(tmp_path, "file")
    with pytest.raises(NotADirectoryError):
        walk(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        walk(tmp_path / "none")
    with pytest.raises(ConfigError):
        walk(tmp_path, "perhaps")
