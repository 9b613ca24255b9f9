"""Wildcards select the keys that s5cmd's do, filters decide as the aws command's do, and sizes are whole bytes."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.s3.rules.patterns import Filters, Pattern, escape, has_wildcard, parse_size

LITERAL = ["", "a.b", "a[b", "a\\*b", "a\\\\b", "(a|b)+$"]


@pytest.mark.parametrize(
    ("pattern", "prefix", "fits", "fits_not"),
    [
        ("", "", [""], ["a"]),
        ("a.b", "a.b", ["a.b"], ["axb", "a.b\n", "A.b"]),
        ("*", "", ["", "a", "a/b", "\n", "a\nb"], []),
        ("**", "", ["", "a/b"], []),
        ("a/*.gz", "a/", ["a/b.gz", "a/b/c.gz", "a/.gz"], ["a/b.gz ", "b/a/b.gz", "a.gz"]),
        ("a?c", "a", ["abc", "a/c", "a\nc"], ["ac", "abbc"]),
        ("a[b-d]e", "a", ["abe", "ade"], ["aee", "a-e", "ae"]),
        ("a[!b-d]e", "a", ["aee", "a/e"], ["abe"]),
        ("a[^b]e", "a", ["ace"], ["abe"]),
        ("a[]]e", "a", ["a]e"], ["a[e"]),
        ("a[!]]e", "a", ["abe"], ["a]e"]),
        ("a[[]e", "a", ["a[e"], ["ae"]),
        ("a[b", "a[b", ["a[b"], ["ab"]),
        ("a[\\]b]c", "a", ["a]c", "abc"], ["a\\c"]),
        ("a[&&~~||]c", "a", ["a&c", "a~c", "a|c"], ["abc"]),
        ("a[a^]c", "a", ["a^c", "aac"], ["abc"]),
        ("a[\\d]c", "a", ["adc"], ["a1c"]),
        ("a\\*b", "a*b", ["a*b"], ["axb", "a\\*b"]),
        ("a\\\\b", "a\\b", ["a\\b"], ["ab"]),
        ("a\\[1]*", "a[1]", ["a[1]", "a[1]x"], ["a1"]),
        ("(a|b)+$", "(a|b)+$", ["(a|b)+$"], ["a"]),
        ("é*", "é", ["é", "éa"], ["e"]),
        ("a*b*c", "a", ["abc", "aXbYc", "abbcc"], ["acb", "ab"]),
    ],
)
def test_patterns(pattern, prefix, fits, fits_not):
    found = Pattern(pattern)
    assert found.prefix == prefix
    assert [key for key in fits if not found.match(key)] == []
    assert [key for key in fits_not if found.match(key)] == []
    assert all(key.startswith(prefix) for key in fits)
    assert has_wildcard(pattern) is not found.literal
    assert (
        found.literal is (fits == [prefix] and not {"*", "?"} & set(pattern.replace("\\*", "")) and "]e" not in pattern)
        if pattern in {"", "a.b", "a[b", "a\\*b", "a\\\\b", "(a|b)+$"}
        else not found.literal
    )


@pytest.mark.parametrize("pattern", ["a[z-a]b", "a\\", "[a-\\", "a[!]b", "a[]b"])
def test_patterns_that_are_none_or_literal(pattern):
    try:
        found = Pattern(pattern)
    except ConfigError as error:
        assert "the pattern" in str(error)
    else:
        assert found.literal
        assert found.match(pattern)


def test_a_pattern_is_a_string():
    for wrong in (None, b"*", 1):
        with pytest.raises(DeclarationTypeError, match="a pattern is a string"):
            Pattern(wrong)


@given(st.text(st.sampled_from("ab*?/."), max_size=12), st.text(st.sampled_from("ab/."), max_size=12))
def test_they_are_those_of_fnmatch(pattern, key):
    assert Pattern(pattern).match(key) is fnmatch.fnmatchcase(key, pattern)


@given(st.text(st.sampled_from("ab*?[]!^-\\/"), max_size=10), st.text(st.sampled_from("ab[]!^-\\/*"), max_size=8))
def test_what_matches_begins_with_the_prefix(pattern, key):
    try:
        found = Pattern(pattern)
    except ConfigError:
        return
    if found.match(key):
        assert key.startswith(found.prefix)
    if found.literal:
        assert found.match(key) is (key == found.prefix)


@given(st.text())
def test_what_is_escaped_matches_itself_alone(text):
    found = Pattern(escape(text))
    assert found.literal
    assert found.prefix == text
    assert found.match(text)
    assert not found.match(text + "a")


def test_many_stars_cost_no_time():
    # Backtracking would take longer than the universe is old.
    assert not Pattern("*a" * 30 + "b").match("a" * 1024)
    assert Pattern("*a" * 30).match("a" * 1024)


def test_filters_as_the_aws_command_has_them():
    keys = ["a.gz", "a.txt", "tmp/a.gz", "tmp/keep.gz"]

    def taken(*rules):
        return [key for key in keys if Filters(rules).take(key)]

    assert taken() == keys
    assert taken(("include", "*.gz")) == keys  # all are taken anyway
    assert taken(("exclude", "*"), ("include", "*.gz")) == ["a.gz", "tmp/a.gz", "tmp/keep.gz"]
    assert taken(("include", "*.gz"), ("exclude", "*")) == []  # the later one wins
    assert taken(("exclude", "tmp/*"), ("include", "*/keep*")) == ["a.gz", "a.txt", "tmp/keep.gz"]
    assert not Filters()
    assert Filters([("exclude", "a")])


def test_filters_without_an_order():
    keys = ["a.gz", "a.txt", "tmp/a.gz"]
    assert [key for key in keys if Filters.only(include="*.gz", exclude="tmp/*").take(key)] == ["a.gz"]
    assert [key for key in keys if Filters.only(exclude=["*.txt", "tmp/*"]).take(key)] == ["a.gz"]
    assert [key for key in keys if Filters.only().take(key)] == keys


def test_no_filter():
    with pytest.raises(ConfigError, match="'include' or 'exclude'"):
        Filters([("keep", "*")])


@pytest.mark.parametrize(
    ("text", "size"),
    [
        *[("0", 0), ("1", 1), (" 42 ", 42), ("7B", 7), ("1k", 1024), ("1K", 1024), ("1KB", 1000), ("1KiB", 1024)],
        *[("16 MiB", 16 * 2**20), ("16mib", 16 * 2**20), ("5GB", 5 * 10**9), ("5G", 5 * 2**30), ("1.5GiB", 3 * 2**29)],
        *[("1.25kB", 1250), ("48.8TiB", None), ("1P", 2**50), ("0.5KiB", 512), ("10.0", 10), (17, 17)],
    ],
)
def test_sizes(text, size):
    if size is None:
        with pytest.raises(ConfigError):
            parse_size(text)
    else:
        assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MiB",
        "-1",
        "1.5",
        "1.",
        ".5K",
        "1e3",
        "1 2",
        "0x10",
        "1KKB",
        "1 Mi",
        "\u0661",
        None,
        1.5,
        True,
        -1,
        "NaN",
        [],
    ],
)
def test_no_size(text):
    with pytest.raises(ConfigError, match="a size is a whole number of bytes"):
        parse_size(text)


@given(st.integers(0, 2**60))
def test_a_number_is_itself(size):
    assert parse_size(str(size)) == parse_size(f"{size}b") == parse_size(size) == size
