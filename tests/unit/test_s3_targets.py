"""Where downloads go: whole or not at all, and what was there stays until then."""

from __future__ import annotations

import errno
import io
import os
import stat
import tempfile

import pytest

from mangrove.errors import ConfigError, DeclarationTypeError, TransferError
from mangrove.s3.files import positioned
from mangrove.s3.files.targets import TEMPORARY, target_of


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def place_in_bits(target, data, size=3):
    """Write an object bit by bit, in order or from its end."""
    writing = target.begin(len(data))
    starts = list(range(0, len(data), size))
    if hasattr(writing, "write_at"):
        for start in reversed(starts):
            writing.write_at(memoryview(data)[start : start + size], start)
    else:
        for start in starts:
            writing.write(memoryview(data)[start : start + size])
    return writing.commit()


BOTH = pytest.mark.parametrize("place", [lambda target, data: target.place(data), place_in_bits])


@BOTH
@pytest.mark.parametrize("data", [b"", b"0123456789"])
def test_memory(place, data):
    found = place(target_of(None), data)
    assert type(found) is bytes
    assert found == data


@BOTH
@pytest.mark.parametrize("fsync", [False, True])
def test_a_file_appears_with_a_new_files_mode_and_gives_its_name_back(place, fsync, tmp_path):
    path = tmp_path / "file"
    before = os.umask(0o027)
    try:
        assert place(target_of(path, fsync=fsync), b"0123456789") is path
        assert place(target_of(str(path) + "2", fsync=fsync), b"") == str(path) + "2"
    finally:
        os.umask(before)
    assert path.read_bytes() == b"0123456789"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names(tmp_path) == ["file", "file2"]


def test_a_name_without_a_folder_is_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    target_of("here", fsync=True).place(b"1")
    assert names(tmp_path) == ["here"]


def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "real").write_bytes(b"real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    target_of(tmp_path / "link").place(b"new")
    assert (tmp_path / "real").read_bytes() == b"real"
    assert (tmp_path / "link").read_bytes() == b"new"
    assert not (tmp_path / "link").is_symlink()


def test_temporary_files_are_known_by_their_names_and_go_when_they_are_discarded(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    writing = target_of(tmp_path / "file").begin(10)
    writing.write_at(memoryview(b"new"), 0)
    assert sorted(map(bool, map(TEMPORARY.match, names(tmp_path)))) == [False, True]
    assert (tmp_path / "file").read_bytes() == b"old"
    writing.discard()
    assert names(tmp_path) == ["file"]


@BOTH
def test_places_that_are_none(place, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="is a folder"):
        place(target_of(tmp_path), b"1")
    with pytest.raises(ConfigError, match="no regular file"):
        place(target_of(tmp_path / "pipe"), b"1")
    with pytest.raises(FileNotFoundError, match=r"can't be written: No such file or directory: '.*no/file'"):
        place(target_of(tmp_path / "no" / "file"), b"1")
    assert names(tmp_path) == ["pipe"]


@BOTH
def test_a_folder_that_is_read_only(place, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied", "some temporary name")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionError, match=r"Permission denied: '.*/file'"):
        place(target_of(tmp_path / "file"), b"1")


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match=r"No space left on device: '.*/file'"):
            target_of(tmp_path / "file").place(b"new")
        patch.setattr(positioned, "_fallocate", lambda: lambda *_: errno.ENOSPC)
        with pytest.raises(OSError, match=r"No space left on device: '.*/file'"):
            target_of(tmp_path / "file").begin(1000)
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_disk_that_is_not_asked_for_room_gives_the_size_all_the_same(tmp_path, monkeypatch):
    for answer in (None, lambda *_: errno.EOPNOTSUPP):
        monkeypatch.setattr(positioned, "_fallocate", lambda answer=answer: answer)
        with tempfile.TemporaryFile() as file:
            positioned.allocate(file.fileno(), 10_000)
            assert os.fstat(file.fileno()).st_size == 10_000


@pytest.mark.parametrize("lacking", [("preadv",), ("preadv", "pread", "pwrite")])
def test_systems_that_lack_calls(tmp_path, monkeypatch, lacking):
    for name in lacking:
        monkeypatch.delattr(os, name, raising=False)
    assert place_in_bits(target_of(tmp_path / "file"), b"0123456789")
    with (tmp_path / "file").open("rb") as file:
        view = memoryview(bytearray(20))
        assert positioned.read_at(file.fileno(), view, 4) == 6
        assert bytes(view[:6]) == b"456789"


@BOTH
def test_file_objects(place, tmp_path):
    file = io.BytesIO()
    assert place(target_of(file), b"0123456789") is file
    assert file.getvalue() == b"0123456789"
    for mode in ("wb", "w", "ab", "r+b"):
        path = tmp_path / "file"
        path.write_bytes(b"")
        with path.open(mode, **({} if "b" in mode else {"newline": "\n"})) as file:
            file.write("<" if mode == "w" else b"<")
            assert place(target_of(file), b"a\r\nb") is file
        assert path.read_bytes() == b"<a\r\nb"


@BOTH
def test_a_text_in_memory_gets_text(place):
    file = io.StringIO()
    assert place(target_of(file), "é€😀 12".encode()) is file
    assert file.getvalue() == "é€😀 12"
    for damaged in (b"a\xff", "é".encode()[:1]):
        with pytest.raises(TransferError, match="no UTF-8 text"):
            place(target_of(io.StringIO()), damaged)


def test_a_raw_file_that_takes_a_few_bytes_at_once():
    class Few(io.RawIOBase):
        def __init__(self):
            self.taken = b""

        def writable(self):
            return True

        def write(self, data):
            self.taken += bytes(data[:2])
            return min(2, len(data))

    file = Few()
    target_of(file).place(b"01234")
    assert file.taken == b"01234"


def test_an_object_with_a_write_that_says_nothing():
    class Mute:
        def __init__(self):
            self.taken = []

        def write(self, data):
            self.taken.append(bytes(data))

    file = Mute()
    target_of(file).place(b"01234")
    assert file.taken == [b"01234"]


def test_what_can_be_no_target(tmp_path):
    with pytest.raises(DeclarationTypeError, match="got int"):
        target_of(3)
    (tmp_path / "file").touch()
    with (tmp_path / "file").open("rb") as file, pytest.raises(ConfigError, match="not open for writing"):
        target_of(file)
    with pytest.raises(ConfigError, match="is closed"):
        target_of(file)
