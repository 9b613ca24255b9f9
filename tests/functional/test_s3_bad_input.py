"""What can't be is one clear error, before the first call where that is possible; nothing is left, the rest goes on."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from mangrove import s3
from mangrove.errors import (
    BatchError,
    ConfigError,
    DeclarationTypeError,
    InvalidArnError,
    MangroveError,
    ObjectChangedError,
    TransferError,
)
from servers.threads import begun

LONG = "k" * 1025


@pytest.fixture
def conn():
    with s3.Connection.in_memory(threshold=1 << 20, part_size=5 << 20, journal=None) as made:
        made.create_bucket("bucket")
        yield made


@pytest.fixture
def calls(conn):
    """Return the list of all calls that are made."""
    engine, made = conn.backend.engine, []
    perform = engine.perform
    engine.perform = lambda call: made.append(call.operation) or perform(call)
    return made


def fails_in_both(conn, error, match, make):
    """Make an operation by itself and in a batch, of which the rest goes on."""
    with pytest.raises(error, match=match) as caught:
        make(conn)
    with conn.batch(raise_errors=False) as batch:
        before = batch.upload("bucket", "before", "x")
        try:
            handle = make(batch)
        except error:
            pass
        else:
            assert isinstance(handle.exception(), error)
        after = batch.upload("bucket", "after", "x")
    assert (before.result(), after.result()) == (True, True)
    assert conn.sweep("bucket", older_than=0, dry_run=True) == ()
    return caught.value


BUCKETS = {
    "": "3 to 63",
    "ab": "3 to 63",
    "a/b": "no slash",
    "s3://bucket": "no slash",
    "buck et": "3 to 63",
    "bückét": "3 to 63",
    "192.168.0.1": "IP address",
    "bucket\n": "3 to 63",
    "a" * 300: "300 characters",
    "arn:aws:s3:::bucket": "by its name; give 'bucket'",
    "arn:aws:s3": "ARN",
    "bucket--x-s3": "base--zone--x-s3",
    "name.mrap": "named by its ARN",
}


@pytest.mark.parametrize("bucket", BUCKETS, ids=[name[:20] for name in BUCKETS])
def test_a_bucket_that_cannot_be(conn, calls, bucket):
    for make in (
        lambda conn: conn.upload(bucket, "a", "x"),
        lambda conn: conn.download(bucket, "a"),
        lambda conn: conn.copy("bucket", "a", bucket, "b"),
        lambda conn: conn.copy(bucket, "a", "bucket", "b"),
        lambda conn: conn.delete(bucket, "a"),
        lambda conn: conn.head(bucket, "a"),
        lambda conn: conn.exists(bucket, "a"),
        lambda conn: conn.url(bucket, "a"),
        lambda conn: conn.list(bucket),
        lambda conn: conn.open(bucket, "a"),
        lambda conn: conn.sweep(bucket),
        lambda conn: conn.delete_many(bucket, ["a"]),
        lambda conn: conn.create_bucket(bucket),
    ):
        with pytest.raises(ConfigError, match=BUCKETS[bucket]) as caught:
            make(conn)
        assert isinstance(caught.value, ValueError)
        assert isinstance(caught.value, InvalidArnError) == (bucket == "arn:aws:s3")
    assert calls == []


@pytest.mark.parametrize(
    ("key", "match"),
    [
        ("", "the key is empty"),
        (LONG, "1025 bytes of UTF-8; S3 takes at most 1024"),
        ("é" * 513, "1026 bytes of UTF-8"),
        ("a\ud800b", "lone surrogate at character 2"),
        (b"bytes", "a key is a string"),
        (None, "a key is a string"),
        (3, "a key is a string"),
    ],
)
def test_a_key_that_cannot_be(conn, calls, key, match):
    for make in (
        lambda conn: conn.upload("bucket", key, "x"),
        lambda conn: conn.download("bucket", key),
        lambda conn: conn.copy("bucket", key, "bucket", "b"),
        lambda conn: conn.move("bucket", "a", "bucket", key),
        lambda conn: conn.delete("bucket", key),
        lambda conn: conn.head("bucket", key),
        lambda conn: conn.exists("bucket", key),
    ):
        fails_in_both(conn, ConfigError, match, make)
    assert "GetObject" not in calls
    conn.upload("bucket", "k" * 1024, "x")
    assert conn.exists("bucket", "k" * 1024)


@pytest.mark.parametrize(
    "data", [None, 3, 1.5, {"a": 1}, {b"a"}, object(), len], ids=lambda value: type(value).__name__
)
def test_data_that_is_none(conn, calls, data):
    fails_in_both(
        conn, DeclarationTypeError, "an upload takes a str, bytes, a path", lambda c: c.upload("bucket", "a", data)
    )
    assert not conn.exists("bucket", "a")


@pytest.mark.parametrize("target", [3, 1.5, b"path", {}, object()], ids=lambda value: type(value).__name__)
def test_targets_that_are_none(conn, calls, target):
    with pytest.raises(DeclarationTypeError, match="a download goes to a path, a file object or None"):
        conn.download("bucket", "a", target)
    assert calls == []


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"content_typ": "text/css"}, "did you mean 'content_type'"),
        ({"version_id": "x"}, "version_id"),
        ({"headers": {"X-Colour": "red"}}, "no header 'X-Colour'"),
        ({"headers": "Content-Type: text/css"}, "headers is a mapping"),
        ({"extra": ["ContentType"]}, "extra is a mapping"),
        ({"extra": {"Bucket": "other"}}, "sets Bucket itself"),
        ({"content_type": 3}, "ContentType is a string; got int"),
        ({"content_type": "a\r\nx-amz-acl: public-read"}, "ContentType"),
        ({"metadata": {"näme": "x"}}, "näme"),
        ({"metadata": {"a": 3}}, "a"),
        ({"tags": {"a" * 200: "b"}}, "tag"),
        ({"content_type": "a/b", "headers": {"content-type": "c/d"}}, "contradicts another ContentType"),
        ({"retries": "3"}, "retries is a whole number"),
        ({"callback": "print"}, "a callback is called"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_options_that_are_none(conn, calls, arguments, match):
    error = fails_in_both(conn, ConfigError, match, lambda c: c.upload("bucket", "a", "x", **arguments))
    assert isinstance(error, MangroveError)
    assert not conn.exists("bucket", "a")


def test_files_that_are_not_there_or_are_none(conn, tmp_path):
    for make in (
        lambda c: c.upload_file("bucket", "a", tmp_path / "none"),
        lambda c: c.upload("bucket", "a", tmp_path / "none"),
        lambda c: c.upload_file("bucket", "a", str(tmp_path / "none")),
    ):
        error = fails_in_both(conn, FileNotFoundError, "none", make)
        assert error.errno == errno.ENOENT
    fails_in_both(conn, IsADirectoryError, "this is a folder", lambda c: c.upload("bucket", "a", tmp_path))
    os.mkfifo(tmp_path / "pipe")
    fails_in_both(conn, ConfigError, "no regular file", lambda c: c.upload("bucket", "a", tmp_path / "pipe"))
    fails_in_both(conn, ConfigError, "a file is named by a str or a Path", lambda c: c.upload_file("bucket", "a", b"x"))
    fails_in_both(conn, ValueError, "null", lambda c: c.upload_file("bucket", "a", "a\0b"))
    assert not conn.exists("bucket", "a")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(conn, tmp_path):
    (tmp_path / "a").touch(mode=0)
    fails_in_both(conn, PermissionError, "a", lambda c: c.upload("bucket", "a", tmp_path / "a"))


def test_file_objects_that_cannot_be_read_or_written(conn, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with path.open("rb") as closed:
        pass
    fails_in_both(conn, ConfigError, "is closed; open it again", lambda c: c.upload("bucket", "a", closed))
    fails_in_both(conn, ConfigError, "is closed; open it again", lambda c: c.download("bucket", "a", closed))
    with (tmp_path / "other").open("wb") as writing:
        fails_in_both(conn, ConfigError, "mode 'rb'", lambda c: c.upload("bucket", "a", writing))
    with path.open("rb") as reading:
        fails_in_both(conn, ConfigError, "mode 'wb'", lambda c: c.download("bucket", "a", reading))
    text = io.TextIOWrapper(gzip.GzipFile(fileobj=io.BytesIO(gzip.compress("ü\nü\n".encode()))), encoding="utf-8")
    next(text)
    fails_in_both(conn, ConfigError, "open as text|mode 'rb'", lambda c: c.upload("bucket", "a", text))
    assert not conn.exists("bucket", "a")
    assert path.read_bytes() == b"old"


class HalfWayError(Exception):
    pass


@pytest.mark.parametrize("size", [10, 12 << 20])
def test_a_stream_that_fails_half_way(conn, size):
    def stream():
        yield bytes(size)
        raise HalfWayError("the tape broke")

    class Reader:
        left = size

        def read(self, count):
            if not self.left:
                raise HalfWayError("the tape broke")
            count = min(count, self.left)
            self.left -= count
            return bytes(count)

    fails_in_both(conn, HalfWayError, "the tape broke", lambda c: c.upload("bucket", "a", stream()))
    fails_in_both(conn, HalfWayError, "the tape broke", lambda c: c.upload("bucket", "a", Reader()))
    assert not conn.exists("bucket", "a")


@pytest.mark.parametrize("item", ["text", 3, None])
def test_a_stream_of_something_else(conn, item):
    fails_in_both(
        conn, DeclarationTypeError, "a stream is made of bytes", lambda c: c.upload("bucket", "a", [b"x", item])
    )


@pytest.mark.parametrize("change", [b"longer than it was", b""], ids=["grows", "shrinks"])
@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_a_file_that_changes_while_it_is_sent(conn, tmp_path, monkeypatch, change, large):
    from mangrove.s3.files import sources

    path = tmp_path / "file"
    read_at = sources.read_at

    def changing(descriptor, view, offset):
        if change:
            with path.open("ab") as file:
                file.write(change)
        else:
            os.truncate(path, 3)
        return read_at(descriptor, view, offset)

    monkeypatch.setattr(sources, "read_at", changing)

    def make(c):
        path.write_bytes(bytes(6 << 20) if large else b"as it was")
        return c.upload("bucket", "a", path)

    fails_in_both(conn, ObjectChangedError, "was changed while it was uploaded", make)
    assert not conn.exists("bucket", "a")


# -- places that take nothing -----------------------------------------------------------------------------------------


def test_a_target_in_no_folder_and_one_that_is_a_folder(conn, tmp_path):
    conn.upload("bucket", "a", "x")
    fails_in_both(conn, FileNotFoundError, "none", lambda c: c.download("bucket", "a", tmp_path / "none" / "file"))
    (tmp_path / "folder").mkdir()
    fails_in_both(
        conn, ConfigError, "is a folder; name the file in it", lambda c: c.download("bucket", "a", tmp_path / "folder")
    )
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_target_that_may_not_be_written(conn, tmp_path):
    conn.upload("bucket", "a", "x")
    tmp_path.chmod(0o500)
    fails_in_both(conn, PermissionError, "file", lambda c: c.download("bucket", "a", tmp_path / "file"))
    tmp_path.chmod(0o700)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_fails(conn, tmp_path, monkeypatch, code):
    from mangrove.s3.files import targets

    conn.upload("bucket", "a", bytes(6 << 20))
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def full(*_):
        raise OSError(code, os.strerror(code), str(target))

    for name in ("write_at", "allocate"):
        monkeypatch.setattr(targets, name, full)
    error = fails_in_both(conn, OSError, os.strerror(code), lambda c: c.download("bucket", "a", target))
    assert error.errno == code
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_FSIZE as Linux has it")
def test_a_disk_that_is_really_full(tmp_path):
    script = f"""
        import os, pathlib, resource, signal
        from mangrove import s3
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        folder = pathlib.Path({str(tmp_path)!r})
        connection = s3.Connection.in_memory(threshold=1 << 20)
        connection.create_bucket("bucket")
        for key, size in (("small", 200_000), ("large", 8 << 20), ("fits", 10)):
            connection.upload("bucket", key, bytes(size))
        with connection.batch(raise_errors=False) as batch:
            handles = [batch.download("bucket", key, folder / key) for key in ("small", "large", "fits")]
        print([type(handle.error).__name__ for handle in handles], sorted(os.listdir(folder)))
    """
    run = [sys.executable, "-c", textwrap.dedent(script)]
    out = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True).stdout
    assert out == "['OSError', 'OSError', 'NoneType'] ['fits']\n"


def test_a_file_object_that_fails(conn):
    conn.upload("bucket", "a", "x")

    class Full(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    fails_in_both(conn, OSError, "No space left", lambda c: c.download("bucket", "a", Full()))


def test_many_bad_ones_among_good_ones(conn, tmp_path):
    bad = 0
    with pytest.raises(BatchError) as caught, conn.batch(8) as batch:
        for number in range(100):
            batch.upload("bucket", f"good-{number}", "x")
            batch.upload("bucket", "missing", tmp_path / f"{number}")
            with contextlib.suppress(ConfigError):
                batch.upload("b", "a", "x")
            bad += 1
    assert len(caught.value.failures) == bad == 100
    assert {type(outcome.error) for outcome in caught.value.failures} == {FileNotFoundError}
    assert sum(1 for _ in conn.list("bucket")) == 100


def test_text_that_cannot_be_utf8(conn):
    fails_in_both(conn, ConfigError, "can't be written as UTF-8", lambda c: c.upload("bucket", "a", "a\ud800"))
    conn.upload("bucket", "a", b"\xff")
    fails_in_both(conn, TransferError, "no UTF-8 text", lambda c: c.download("bucket", "a", io.StringIO()))


def test_nothing_of_all_this_leaves_threads(conn):
    fails_in_both(conn, ConfigError, "key is empty", lambda c: c.upload("bucket", "", "x"))
    conn.close()
    assert begun("mangrove-s3") == []


@pytest.mark.parametrize("url", ["localhost:9000", "s3.example.com", "//s3", 9000, "user:secret@host:1"])
def test_an_endpoint_that_is_no_url(url):
    with pytest.raises(ConfigError, match="endpoint_url begins with http:// or https://") as caught:
        s3.Connection(endpoint_url=url)
    assert "secret" not in str(caught.value)


def test_errors_of_s3_name_the_object(conn):
    for make in (
        lambda: conn.download("bucket", "none"),
        lambda: conn.head("bucket", "none"),
        lambda: conn.copy("bucket", "none", "bucket", "none"),
    ):
        with pytest.raises(ClientError, match=r"s3://bucket/none") as caught:
            make()
        assert str(caught.value).startswith("An error occurred (")


@pytest.mark.parametrize(
    "where", ["a folder", "no folder", "a file in the place of one", "a folder that is read-only", "a device"]
)
@pytest.mark.parametrize("size", [5, 2 << 20])
def test_a_place_that_cannot_be_written_is_told_before_the_first_call(conn, calls, tmp_path, where, size, monkeypatch):
    conn.upload("bucket", "a", bytes(size))
    (tmp_path / "file").write_text("x")
    path, error = {
        "a folder": (tmp_path, ConfigError),
        "no folder": (tmp_path / "none" / "a", FileNotFoundError),
        "a file in the place of one": (tmp_path / "file" / "a", NotADirectoryError),
        "a folder that is read-only": (tmp_path / "a", PermissionError),
        "a device": (Path(os.devnull), ConfigError),
    }[where]
    if error is PermissionError:
        monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    calls.clear()

    with pytest.raises(error):
        conn.download("bucket", "a", path)
    with conn.batch(raise_errors=False) as batch:
        handle = batch.download("bucket", "a", path)
    assert isinstance(handle.exception(), error)
    with pytest.raises(error):
        conn.download_file("bucket", "a", str(path))

    assert calls == []
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_file_object_that_was_closed_since_is_told_before_the_first_call(conn, calls, tmp_path):
    conn.upload("bucket", "a", "x")
    file = (tmp_path / "a").open("wb")
    batch = conn.batch(1, raise_errors=False)
    handle = conn.backend.maker.download("bucket", "a", file)
    file.close()
    calls.clear()
    with pytest.raises(ConfigError, match="is closed"):
        conn.backend.performer.run(handle)
    assert calls == []
    del batch
