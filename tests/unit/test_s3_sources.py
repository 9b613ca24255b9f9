"""What an upload may be given, and how each wrong thing is refused."""

from __future__ import annotations

import array
import gzip
import io
import mmap
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.errors import ConfigError, DeclarationTypeError, ObjectChangedError
from mangrove.s3.files.sources import BytesSource, FileSource, PathSource, source_of
from mangrove.s3.files.streams import StreamSource

MOST = 100


def bytes_of(data, most=MOST):
    """Return all the bytes that a source gives."""
    source = source_of(data, most)
    source = source if isinstance(source, bytes) else source.open(most)
    if isinstance(source, bytes):
        return source
    if isinstance(source, StreamSource):
        return b"".join(iter(lambda: source.read(7), b""))
    found = source.read(0, source.size) if isinstance(source, FileSource) else bytes(source.view(0, source.size))
    source.close()
    return found


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    return path


def test_text_is_content_and_never_a_path(path):
    assert source_of(str(path), 1000) == str(path).encode()
    assert source_of("é", MOST) == b"\xc3\xa9"
    with pytest.raises(ConfigError, match="can't be written as UTF-8"):
        source_of("\ud800", MOST)


def test_what_can_change_is_copied():
    for data in (bytearray(b"abc"), memoryview(bytearray(b"abc")), memoryview(bytearray(b"aabbcc"))[::2]):
        source = source_of(data, MOST)
        if isinstance(data, bytearray):
            data[0] = 0
        assert source == b"abc"
    assert source_of(array.array("H", [1, 2]), MOST) == array.array("H", [1, 2]).tobytes()


def test_many_bytes_are_a_source_that_copies_none():
    data = bytes(range(200))
    source = source_of(data, MOST)
    assert isinstance(source, BytesSource)
    assert source.size == 200
    assert source.view(3, 2).obj is data


def test_a_path_is_opened_when_its_turn_comes(path):
    source = source_of(path, MOST)
    assert isinstance(source, PathSource)
    path.write_bytes(b"later")
    assert source.open(MOST) == b"later"
    path.write_bytes(b"x" * 101)
    opened = source.open(MOST)
    assert isinstance(opened, FileSource)
    assert opened.identity == (*opened.identity[:2], 101, path.stat().st_mtime_ns, 0)
    opened.close()


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        source_of(tmp_path / "missing", MOST).open(MOST)
    with pytest.raises(IsADirectoryError, match="folder"):
        source_of(tmp_path, MOST).open(MOST)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="no regular file"):
        source_of(tmp_path / "pipe", MOST).open(MOST)


def test_what_can_be_nothing_is_refused():
    for data in (3, None, {"a": b"1"}, {b"1"}, object()):
        with pytest.raises(DeclarationTypeError, match=f"got {type(data).__name__}"):
            source_of(data, MOST)


@pytest.mark.parametrize("mode", ["rb", "r+b", "r", "r+"])
def test_an_open_file_gives_what_follows_its_position(path, mode):
    with path.open(mode) as file:
        file.read(3)
        assert bytes_of(file) == b"3456789"
        assert file.tell() == 3  # it stays


def test_a_file_without_a_buffer_and_a_temporary_one(path):
    with path.open("rb", buffering=0) as file:
        assert bytes_of(file) == b"0123456789"
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"not flushed yet")
        file.seek(0)
        assert isinstance(source_of(file, MOST), bytes)
        assert bytes_of(file) == b"not flushed yet"


def test_a_large_file_may_be_closed_by_its_owner(path):
    path.write_bytes(b"x" * 500)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with path.open("rb") as file:
        file.seek(100)
        source = source_of(file, MOST)
    assert isinstance(source, FileSource)
    assert source.size == 400
    assert source.read(0, 400) == b"x" * 400
    del source
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_text_that_was_decoded_beyond_a_place_is_refused(path):
    path.write_text("one\ntwo\nthree\n")
    with path.open() as file:
        file.readline()
        assert bytes_of(file) == b"two\nthree\n"
        for _ in file:
            with pytest.raises(ConfigError, match=r"mode 'rb'"):
                source_of(file, MOST)
            break
    path.write_bytes("日本".encode("iso-2022-jp"))
    with path.open(encoding="iso-2022-jp") as file:
        assert bytes_of(file) == "日本".encode("iso-2022-jp")
        file.read(1)  # what follows means nothing without what went before
        with pytest.raises(ConfigError, match=r"mode 'rb'"):
            source_of(file, MOST)


def test_newlines_are_left_alone(path):
    path.write_bytes(b"a\r\nb")
    with path.open() as file:
        assert bytes_of(file) == b"a\r\nb"


def test_closed_files_and_such_as_are_written_are_refused(path):
    file = path.open("rb")
    file.close()
    with pytest.raises(ConfigError, match="is closed"):
        source_of(file, MOST)
    with path.open("wb") as file, pytest.raises(ConfigError, match="not open for reading"):
        source_of(file, MOST)


def test_files_in_memory():
    file = io.BytesIO(b"abcdef")
    file.seek(2)
    assert source_of(file, MOST) == b"cdef"
    assert isinstance(source_of(file, 3), StreamSource)
    assert bytes_of(io.BytesIO(b"x" * 200)) == b"x" * 200
    text = io.StringIO("aé")
    text.read(1)
    assert source_of(text, MOST) == "é".encode()


def test_a_file_of_others_is_read_and_not_taken_for_its_descriptor(path):
    path.write_bytes(gzip.compress(b"plain"))
    with gzip.open(path) as file:
        assert bytes_of(file) == b"plain"
    with gzip.open(path, "rt") as file:
        assert bytes_of(file) == b"plain"
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert bytes_of(mapped) == path.read_bytes()


def test_a_pipe_is_a_stream():
    reader, writer = os.pipe()
    os.write(writer, b"through a pipe")
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        assert isinstance(source_of(file, MOST), StreamSource)
        assert bytes_of(file) == b"through a pipe"


def test_a_file_of_the_kernel_has_bytes_though_its_size_is_nothing():
    source = source_of(Path("/proc/self/status"), MOST).open(MOST)
    assert isinstance(source, StreamSource)
    assert source.read(5) == b"Name:"
    source.close()


@given(st.lists(st.binary(max_size=9), max_size=9), st.integers(1, 20))
def test_items_are_joined(items, size):
    source = source_of((item for item in items), MOST)
    pieces = list(iter(lambda: source.read(size), b""))
    assert b"".join(pieces) == b"".join(items)
    assert all(len(piece) == size for piece in pieces[:-1])


def test_an_item_that_is_no_bytes_is_named():
    source = source_of([b"a", "b"], MOST)
    with pytest.raises(DeclarationTypeError, match="item 1 of the iterable is str"):
        source.read(10)


def test_a_read_that_gives_text_or_nothing_is_named():
    class Odd:
        def __init__(self, answer):
            self.answer = answer

        def read(self, size):
            return self.answer

    for answer, words in (("text", "encode"), (None, "does not block"), (b"too many", "more bytes")):
        with pytest.raises(ConfigError, match=words):
            source_of(Odd(answer), MOST).read(2)


def test_an_error_of_the_stream_is_its_own():
    def broken():
        yield b"some"
        raise ZeroDivisionError("its own")

    source = source_of(broken(), MOST)
    with pytest.raises(ZeroDivisionError, match="its own"):
        source.read(10)


@pytest.mark.parametrize("change", [b"x" * 150, b"x" * 250])
def test_a_file_that_grows_or_shrinks_is_no_object(path, change):
    path.write_bytes(b"x" * 200)
    source = source_of(path, MOST).open(MOST)
    path.write_bytes(change)
    with pytest.raises(ObjectChangedError, match=f"had 200 bytes and has {len(change)}"):
        source.read(0, 200)
    source.close()


def test_a_file_that_is_written_to_is_no_object(path):
    path.write_bytes(b"x" * 200)
    source = source_of(path, MOST).open(MOST)
    os.utime(path, ns=(1, 1))
    with pytest.raises(ObjectChangedError, match="still has 200 bytes"):
        source.read(0, 10)
    source.close()
