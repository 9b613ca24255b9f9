"""Every example of the old document runs, with nothing changed but the import and Python's print."""

from __future__ import annotations

import unittest
from functools import partial

import pytest

from mangrove import s3 as s3po


@pytest.fixture
def conn():
    connection = s3po.Connection()
    with connection.mock():
        connection.conn.create_bucket("bucket")
        yield connection


def test_basic_use(conn, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "foo.txt").write_text("from a file")

    # Upload with a string
    conn.upload("bucket", "key", "howdy")
    assert conn.download("bucket", "key") == b"howdy"
    # Upload a file
    with open("foo.txt") as fin:  # noqa: PTH123  as it is written there
        conn.upload("bucket", "key", fin)

    # Download as a string
    print(conn.download("bucket", "key"))  # noqa: T201
    assert "from a file" in capsys.readouterr().out
    # Or into a file
    with open("foo.txt", "w") as fout:  # noqa: PTH123
        conn.download("bucket", "key", fout)
    assert (tmp_path / "foo.txt").read_text() == "from a file"


def test_batch_use(conn):
    # Upload these in a pool
    keys = [f"key.{key}" for key in range(1000)]
    with conn.batch(50) as batch:
        for key in keys:
            batch.upload("bucket", key, "hello")

    # And now they're all uploaded
    assert all(conn.exists("bucket", key) for key in keys)


def test_callbacks(conn):
    keys = [f"key.{key}" for key in range(100)]
    found = {}
    for key in keys:
        conn.upload("bucket", key, key.upper())

    def func(key, value):
        assert key not in found
        found[key] = value

    with conn.batch(50) as batch:
        for key in keys:
            batch.download("bucket", key, callback=partial(func, key))
    assert found == {key: key.upper().encode() for key in keys}


def test_mocking():
    conn = s3po.Connection()
    # This doesn't touch S3 at all
    with conn.mock():
        conn.conn.create_bucket("foo")
        conn.upload("foo", "bar", "hello")


class MyTest(unittest.TestCase):
    def setUp(self):
        self.s3po = s3po.Connection()
        self.mock = self.s3po.mock()
        self.mock.start()
        self.s3po.conn.create_bucket("bucket")

    def tearDown(self):
        self.mock.stop()

    def test_a_method(self):
        self.s3po.upload("bucket", "key", "howdy")
        assert self.s3po.download("bucket", "key") == b"howdy"

    def test_another_one_finds_it_empty(self):
        assert not self.s3po.exists("bucket", "key")
