"""The standard-library pieces: secrets, private files, the cell that computes once."""

from __future__ import annotations

import os
import pickle
import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove._atomic import read_private, write_private
from mangrove._concurrency import Once, Recent
from mangrove._extras import require
from mangrove._redact import Secret, redact_url
from mangrove.errors import MissingExtraError


@given(st.text(min_size=8))
def test_a_secret_shows_nowhere(value):
    secret = Secret(value)
    assert secret.reveal() == value
    assert value not in f"{secret} {secret!r} {[secret]}" or value in "*** Secret('***')"
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(secret)


def test_a_url_loses_password_and_signature():
    assert redact_url("https://u:p@h:1/x?X-Amz-Signature=s#f") == "https://***@h:1/x"
    for url in (
        "https://u:p@ss@h",
        "https://u:pa/ss@h",
        "https://u:pa?ss@h",
        "u:pass@h:80",
        "//u:pass@h",
        "http://u:p#ss@h",
    ):
        assert "ss" not in redact_url(url)
    assert redact_url("https://h/x") == "https://h/x"


def test_a_private_file_is_private_and_whole(tmp_path):
    path = tmp_path / "newer" / "new" / "file"
    write_private(path, b"one")
    write_private(path, b"two")
    assert read_private(path) == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_private(path, b"old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_what_others_could_have_written_is_a_miss(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    write_private(path, b"x")
    link.symlink_to(path)
    assert read_private(link) is None
    path.chmod(0o666)
    assert read_private(path) is None
    assert read_private(tmp_path / "missing") is None
    assert read_private(tmp_path) is None


def test_once_is_once_for_many_threads():
    cell, made, gate = Once(), [], threading.Barrier(16)

    def ask():
        gate.wait()
        cell.get(lambda: made.append(1) or object())

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_once_that_asks_for_itself_says_so_instead_of_waiting_for_ever():
    cell = Once()
    with pytest.raises(RecursionError, match="asks for itself"):
        cell.get(lambda: cell.get(lambda: 1))
    assert cell.get(lambda: 2) == 2


def test_once_keeps_no_failure():
    cell = Once()
    with pytest.raises(ZeroDivisionError):
        cell.get(lambda: 1 // 0)
    assert cell.peek() is None
    assert cell.get(lambda: None) is None
    assert cell.get(lambda: 2) is None
    assert cell.take() is None


def test_a_missing_part_names_its_extra():
    with pytest.raises(MissingExtraError, match=r"'no_such_part' is not installed.*pip install 'pymangrove\[cli\]'"):
        require("no_such_part.module", "cli")


def test_recent_keeps_what_was_used_last_and_no_failure():
    recent = Recent(2)
    with pytest.raises(ZeroDivisionError):
        recent.get("a", lambda: 1 // 0)
    assert [recent.get(name, name.upper) for name in ("a", "b", "a", "c")] == ["A", "B", "A", "C"]
    assert (recent.keys(), recent.values()) == (["a", "c"], ["A", "C"])
    assert recent.get("a", lambda: "again") == "A"
    assert recent.get("outer", lambda: recent.get("inner", lambda: 1) + 1) == 2
    recent.clear()
    assert recent.keys() == []
