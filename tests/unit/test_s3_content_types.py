"""The content type of a key is the same on every machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.s3.rules.content_types import content_type


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("index.html", "text/html"),
        ("a/b/c.json", "application/json"),
        ("A.PNG", "image/png"),
        ("a.js", "text/javascript"),
        ("a.parquet", "application/vnd.apache.parquet"),
        ("a.jsonl", "application/x-ndjson"),
        ("a.csv", "text/csv"),
        ("a.csv.gz", "application/gzip"),
        ("a.tar.zst", "application/zstd"),
        (".json", "application/json"),
        ("a", None),
        ("", None),
        ("a.", None),
        ("a.unheard-of", None),
        ("dir.json/file", None),
        ("a.json/", None),
        ("a." + "x" * 100, None),
    ],
)
def test_content_types(key, expected):
    assert content_type(key) == expected


@given(st.text())
def test_any_key(key):
    found = content_type(key)
    assert found is None or (found.isascii() and found.count("/") == 1)
