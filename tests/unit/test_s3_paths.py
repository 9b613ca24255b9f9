"""Keys become paths below their target or nothing at all; no two keys become one file."""

from __future__ import annotations

import json
import ntpath
import os
import posixpath
import unicodedata
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.errors import ConfigError, UnsafePathError
from mangrove.s3.rules import paths
from mangrove.s3.rules.paths import Claims

BOTH = ["posix", "windows"]

CORPUS = json.loads((Path(__file__).parent / "data" / "hostile_keys.json").read_text())
# Bad by the rules of every system, and bad by those of one alone: lengths count in bytes, or in UTF-16 units.
EVERYWHERE, ALONE = CORPUS["everywhere"], {"posix": CORPUS["on_posix"], "windows": CORPUS["on_windows"]}
BAD = [*EVERYWHERE, *ALONE["posix"], *ALONE["windows"]]
# A key that begins or ends with a slash, or has two in a row, has an empty segment.
HOSTILE = sorted({around.format(bad) for bad in BAD for around in CORPUS["around"]} - {""})


def is_bad(key, rules):
    bad = [*EVERYWHERE, *ALONE[rules]]
    return any(segment in bad for segment in key.split("/"))


def test_the_corpus_is_large():
    assert len(HOSTILE) >= 400


@pytest.mark.parametrize("rules", BOTH)
def test_hostile_keys_are_refused_or_stay_below(rules):
    for key in HOSTILE:
        try:
            found = paths.segments(key, rules)
        except UnsafePathError as error:
            assert "no safe path" in str(error)
            assert str(error).isprintable()
            assert is_bad(key, rules), key
            continue
        assert not is_bad(key, rules), key
        assert "/".join(found) == key


@given(st.text(st.sampled_from("abAB./\\:. \0\n\u202e~CONUL1é"), min_size=1, max_size=20), st.sampled_from(BOTH))
def test_whatever_passes_stays_below(key, rules):
    try:
        found = paths.segments(key, rules)
    except UnsafePathError:
        return
    assert "/".join(found) == key
    assert posixpath.normpath(posixpath.join("/root", *found)) == f"/root/{key}"
    if rules == "windows":
        joined = ntpath.join("C:\\root", *found)
        assert ntpath.normpath(joined) == "C:\\root\\" + key.replace("/", "\\")
        assert paths.segments(key, "posix") == found  # whatever Windows takes, the others take


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=600))
def test_the_fast_way_agrees_with_the_careful_one(key):
    careful = all(paths._fault(segment, "posix") is None for segment in key.split("/"))
    assert bool(paths._PLAIN.match(key)) <= careful
    assert careful is not _refused(key)


def _refused(key):
    try:
        paths.segments(key, "posix")
    except UnsafePathError:
        return True
    return False


GOOD_KEYS = ["a", "a/b/c.txt", "...", "..a", "a..", ".hidden", "~", "a b", "-rf", "é/ü", "😀", "x" * 255, "$(x)"]


@pytest.mark.parametrize("key", GOOD_KEYS)
def test_good_keys(key):
    assert paths.segments(key, "posix") == tuple(key.split("/"))


GOOD_KEYS_ON_WINDOWS = ["CONSOLE", "COM10", "nulls", "a.con", "..a", ".hidden", "x" * 255, "é" * 255, "a b", "COM1x"]


@pytest.mark.parametrize("key", GOOD_KEYS_ON_WINDOWS)
def test_good_keys_on_windows(key):
    assert paths.segments(key, "windows") == (key,)


def test_every_message_names_the_key_shortened():
    with pytest.raises(UnsafePathError, match=r"the key '\.\./a+'… \(1000 characters\)"):
        paths.segments("../" + "a" * 997)


def test_markers_and_temporary_names():
    assert paths.is_marker("a/")
    assert not paths.is_marker("a")
    assert paths.is_temporary(paths.temporary_name("0123456789abcdef"))
    assert not paths.is_temporary("a")
    assert not paths.is_temporary(".mangrove-notes.part")  # somebody's own
    for token in ("", "0", "../../../../evil", "0123456789abcdeg", "0123456789abcdef/"):
        with pytest.raises(ValueError, match="sixteen hexadecimal digits"):
            paths.temporary_name(token)


def test_keys_of_paths():
    assert paths.key_of("a/b", "p/") == "p/a/b"
    assert paths.key_of(PurePosixPath("./a//b")) == "a/b"
    for path in ("/a", "../a", "a/../../b"):
        with pytest.raises(UnsafePathError, match="not below"):
            paths.key_of(path)
    with pytest.raises(ConfigError, match="surrogate"):
        paths.key_of(os.fsdecode(b"\xff"))
    with pytest.raises(ConfigError, match="bytes of UTF-8"):
        paths.key_of("a" * 1025)
    with pytest.raises(ConfigError, match="empty"):
        paths.key_of(".")


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("a/B", "a/b", "would overwrite the file of 'a/B'"),
        ("caf\u00e9", "cafe\u0301", "would overwrite"),
        ("straße", "STRASSE", "would overwrite"),
        ("ﬁle", "file", "would overwrite"),
        ("a", "a/b", "needs a folder where 'a' is a file"),
        ("A", "a/b/c", "needs a folder where 'A' is a file"),
        ("a/b/c", "a/b", "is a file where 'a/b/c' needs a folder"),
        ("a/b/c", "A", "is a file where 'a/b/c' needs a folder"),
    ],
)
def test_collisions(first, second, says):
    claims = Claims(fold=True)
    claims.add(first)
    with pytest.raises(UnsafePathError, match=says):
        claims.add(second)
    claims.add(first)  # again is no fault
    assert first in claims
    assert second not in claims
    assert len(claims) == 1


def test_a_refused_key_takes_nothing():
    claims = Claims(fold=True)
    claims.add("a")
    with pytest.raises(UnsafePathError):
        claims.add("A/new/b")
    claims.add("new")
    claims.add("b/new")


def test_folders_that_differ_in_capitals_are_one():
    claims = Claims(fold=True)
    claims.add("A/x")
    claims.add("a/y")


def test_without_folding_only_folders_and_files_collide():
    claims = Claims(fold=False)
    claims.add("a/B")
    claims.add("a/b")
    claims.add("cafe\u0301")
    claims.add("caf\u00e9")
    with pytest.raises(UnsafePathError):
        claims.add("a/b/c")


@given(st.lists(st.text(st.sampled_from("abAB/éÉ"), min_size=1, max_size=6), max_size=20))
def test_claims_are_a_file_system_without_capitals(keys):
    claims, files = Claims(fold=True), {}
    for key in keys:
        try:
            names = [unicodedata.normalize("NFC", name.casefold()) for name in paths.segments(key, "posix")]
        except UnsafePathError:
            continue
        above = {tuple(names[:cut]) for cut in range(1, len(names))}
        taken = files.get(tuple(names), key) != key
        clash = above & files.keys() or any(
            tuple(names) == each[: len(names)] and len(each) > len(names) for each in files
        )
        try:
            claims.add(key)
        except UnsafePathError:
            assert taken or clash
        else:
            assert not taken
            assert not clash
            files[tuple(names)] = key
