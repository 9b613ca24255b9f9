"""Nothing is written outside the target, whatever the keys are and whatever links are planted on the way."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from mangrove.errors import UnsafePathError
from mangrove.s3.files import root as _root
from mangrove.s3.files.root import Root
from mangrove.s3.rules import paths

CORPUS = json.loads((Path(__file__).parent / "data" / "hostile_keys.json").read_text())
BAD = [*CORPUS["everywhere"], *CORPUS["on_posix"], *CORPUS["on_windows"]]
HOSTILE = sorted({around.format(bad) for bad in BAD for around in CORPUS["around"]} - {""})

TOKEN = "0123456789abcdef"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="plants symbolic links")


@pytest.fixture(params=[True, False], ids=["dir_fd", "plain"])
def by_fd(request):
    return request.param


@pytest.fixture
def outside(tmp_path):
    """Be a folder beside the target that nothing may touch."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("untouched")
    return folder


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def write(root, names, data=b"new", **kwargs):
    with root.create(names) as file:
        os.write(file.fd, data)
        return file.commit(**kwargs)


@pytest.mark.parametrize("rules", ["posix", "windows"])
@pytest.mark.parametrize("linked", [False, True])
def test_hostile_keys_write_nothing_outside(tmp_path, outside, rules, linked, by_fd):
    target = tmp_path / "target"
    target.mkdir()
    if linked:
        for name in ("a", "b", "...", "C:", "~"):
            (target / name).symlink_to(outside, target_is_directory=True)
    written = 0
    with Root(target, dir_fd=by_fd) as root:
        for key in HOSTILE:
            # An OSError as well: by Windows's rules a name may be too long for the system that the test runs on.
            with contextlib.suppress(UnsafePathError, OSError):
                write(root, paths.segments(key, rules))
                written += 1
    assert everything(outside) == ["secret"]
    assert (outside / "secret").read_text() == "untouched"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "target"]
    assert not [name for name in everything(target) if paths.is_temporary(name.rpartition("/")[2])]
    assert written > 0 or rules == "windows"


def test_a_file_is_whole_or_not_there(tmp_path, by_fd):
    with Root(tmp_path, dir_fd=by_fd) as root:
        write(root, ("a", "b"), b"old")
        with root.create(("a", "b")) as file:
            os.write(file.fd, b"half")
            assert (tmp_path / "a" / "b").read_bytes() == b"old"
            assert paths.is_temporary(min(path.name for path in (tmp_path / "a").iterdir()))
        assert everything(tmp_path) == ["a", "a/b"]
        assert write(root, ("a", "b"), sync=True) == tmp_path / "a" / "b"
        assert (tmp_path / "a" / "b").read_bytes() == b"new"


def test_modes_are_those_of_the_umask(tmp_path, by_fd):
    old = os.umask(0o027)
    try:
        with Root(tmp_path / "x", dir_fd=by_fd) as root:
            path = write(root, ("a", "b"))
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750


def test_what_is_there_may_be_kept(tmp_path, by_fd):
    with Root(tmp_path, dir_fd=by_fd) as root:
        write(root, ("a",), b"old", replace=False)
        with pytest.raises(FileExistsError):
            write(root, ("a",), replace=False)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert everything(tmp_path) == ["a"]


def test_a_linked_folder_is_not_followed_unless_asked(tmp_path, outside, by_fd):
    target = tmp_path / "target"
    target.mkdir()
    (target / "a").symlink_to(outside, target_is_directory=True)
    with Root(target, dir_fd=by_fd) as root:
        for act in (root.create, root.stat, root.remove, lambda names: root.reopen(names, TOKEN)):
            with pytest.raises(UnsafePathError, match="is a link.*follow_symlinks=True"):
                act(("a", "secret"))
    with Root(target, dir_fd=by_fd, follow_symlinks=True) as root:
        write(root, ("a", "b"))
    assert everything(outside) == ["b", "secret"]


def test_a_link_to_nowhere_is_not_followed(tmp_path, by_fd):
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "a").symlink_to(tmp_path / "made")
    with Root(tmp_path / "target", dir_fd=by_fd) as root, pytest.raises(UnsafePathError, match="is a link"):
        root.create(("a", "b"))
    assert not (tmp_path / "made").exists()


def test_a_link_in_the_files_place_is_replaced_itself(tmp_path, outside, by_fd):
    target = tmp_path / "target"
    target.mkdir()
    (target / "a").symlink_to(outside / "secret")
    with Root(target, dir_fd=by_fd) as root:
        found = root.stat(("a",))
        assert found is not None
        assert stat.S_ISLNK(found.st_mode)
        write(root, ("a",))
    assert (outside / "secret").read_text() == "untouched"
    assert (target / "a").read_bytes() == b"new"
    assert not (target / "a").is_symlink()


def test_the_target_itself_may_be_a_link(tmp_path, outside, by_fd):
    (tmp_path / "target").symlink_to(outside, target_is_directory=True)
    with Root(tmp_path / "target", dir_fd=by_fd) as root:
        write(root, ("a",))
    assert everything(outside) == ["a", "secret"]


def test_a_file_in_a_folders_place(tmp_path, by_fd):
    (tmp_path / "a").write_text("a file")
    with (
        Root(tmp_path, dir_fd=by_fd) as root,
        pytest.raises(UnsafePathError, match="a folder is needed"),
    ):
        root.create(("a", "b"))


def test_a_folder_in_a_files_place(tmp_path, by_fd):
    (tmp_path / "a" / "b").mkdir(parents=True)
    with Root(tmp_path, dir_fd=by_fd) as root, pytest.raises(IsADirectoryError):
        write(root, ("a",))
    assert everything(tmp_path) == ["a", "a/b"]


def test_a_target_that_is_a_file(tmp_path, by_fd):
    (tmp_path / "a").write_text("a file")
    with pytest.raises(FileExistsError):
        Root(tmp_path / "a", dir_fd=by_fd)


def test_a_folder_that_moves_away_takes_its_file_along_and_no_link_gets_it(tmp_path, outside):
    """A racing link, at the worst moment: between the walk and the file, and between the file and its name."""
    target = tmp_path / "target"
    with Root(target, dir_fd=True) as root:
        file = root.create(("a", "b"))
        (target / "a").rename(target / "moved")
        (target / "a").symlink_to(outside, target_is_directory=True)
        os.write(file.fd, b"new")
        file.commit()
    assert everything(outside) == ["secret"]
    assert (target / "moved" / "b").read_bytes() == b"new"


def test_links_that_come_and_go_all_the_time(tmp_path, outside):
    target = tmp_path / "target"
    target.mkdir()
    stop = threading.Event()

    def plant():
        while not stop.is_set():
            with contextlib.suppress(OSError):
                (target / "a").symlink_to(outside, target_is_directory=True)
            with contextlib.suppress(OSError):
                (target / "a").unlink()
            with contextlib.suppress(OSError):
                (target / "a").rename(target / "aside")

    attacker = threading.Thread(target=plant)
    attacker.start()
    try:
        with Root(target, dir_fd=True) as root:
            for number in range(400):
                with contextlib.suppress(OSError, UnsafePathError):
                    write(root, ("a", "b", str(number)))
    finally:
        stop.set()
        attacker.join()
    assert everything(outside) == ["secret"]


def test_unfinished_files_are_found_again(tmp_path, by_fd):
    with Root(tmp_path, dir_fd=by_fd) as root:
        with root.create(("a", "b"), token=TOKEN) as file:
            os.write(file.fd, b"half")
            file.keep()
        again = root.reopen(("a", "b"), TOKEN)
        assert again is not None
        assert os.fstat(again.fd).st_size == 4
        os.lseek(again.fd, 0, os.SEEK_END)
        os.write(again.fd, b" and half")
        again.commit()
        assert (tmp_path / "a" / "b").read_bytes() == b"half and half"
        assert root.reopen(("a", "b"), TOKEN) is None
        assert root.reopen(("x", "b"), TOKEN) is None
        assert everything(tmp_path) == ["a", "a/b"]  # to look makes no folders


def test_what_others_put_in_an_unfinished_files_place_is_not_opened(tmp_path, outside, by_fd):
    target = tmp_path / "target"
    target.mkdir()
    there = {digit: target / paths.temporary_name(digit * 16) for digit in "0123"}
    there["0"].symlink_to(outside / "secret")
    os.link(outside / "secret", there["1"])
    os.mkfifo(there["2"])
    there["3"].mkdir()
    with Root(target, dir_fd=by_fd) as root:
        for digit in there:
            assert root.reopen(("a",), digit * 16) is None
        with pytest.raises(FileExistsError):
            root.create(("a",), token="0" * 16)
    assert (outside / "secret").read_text() == "untouched"


def test_looking_and_removing(tmp_path, by_fd):
    with Root(tmp_path, dir_fd=by_fd) as root:
        write(root, ("a", "b"), b"12345")
        found = root.stat(("a", "b"))
        assert found is not None
        assert found.st_size == 5
        root.remove(("a", "b"))
        root.remove(("a", "b"))
        root.remove(("x", "b"))
        assert root.stat(("a", "b")) is None
        assert root.stat(("x", "b")) is None
        assert everything(tmp_path) == ["a"]


def test_no_descriptor_is_left_open(tmp_path, by_fd):
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(3):
        with Root(tmp_path, dir_fd=by_fd) as root:
            write(root, ("a", "b", "c"))
            root.create(("a", "b", "d")).discard()
            root.stat(("a", "b", "c"))
            root.reopen(("a", "b"), TOKEN)
            for bad in (("a", "b", "c", "d"), ("a", "b", "x" * 300)):
                with contextlib.suppress(OSError, UnsafePathError):
                    root.create(bad).discard()
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_closed_root_says_so(tmp_path):
    root = Root(tmp_path, dir_fd=True)
    root.close()
    root.close()
    with pytest.raises(ValueError, match="was closed"):
        root.create(("a",))


def test_descriptors_are_used_where_there_are_any(tmp_path):
    assert _root._HAS_DIR_FD is (os.name == "posix")
    with Root(tmp_path) as root:
        assert root._by_fd is _root._HAS_DIR_FD
