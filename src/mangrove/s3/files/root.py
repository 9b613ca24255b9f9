"""Write files below one folder and nowhere else, though others may plant links there: the shell that `paths` needs."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from mangrove.errors import UnsafePathError
from mangrove.s3.rules.names import shown
from mangrove.s3.rules.paths import temporary_name

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Root", "Temporary"]

_NEEDED = (os.open, os.mkdir, os.stat, os.unlink, os.rename, os.link)
_HAS_DIR_FD = all(function in os.supports_dir_fd for function in _NEEDED) and hasattr(os, "O_NOFOLLOW")
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FILE = os.O_RDWR | _NO_LINK | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_REPARSE_POINT = 0x400  # a link or a junction of Windows


class _Folder:
    """Be a folder below the root: by a descriptor, which nobody can exchange, or by a path where there are none."""

    __slots__ = ("fd", "path")

    def __init__(self, path: str, fd: int | None) -> None:
        self.path = path
        self.fd = fd

    def at(self, name: str) -> str:
        """Return what the functions of `os` take as a path beside `dir_fd=self.fd`."""
        return name if self.fd is not None else os.path.join(self.path, name)  # noqa: PTH118 - per object, and hot

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


class Temporary:
    """Be an unfinished file beside where it is to be; leaving the context removes it unless it was committed or kept.

    Attributes:
        fd: its descriptor, open for reading and writing.
        token: what finds it again after this process has ended; see `Root.reopen`.
    """

    __slots__ = ("_folder", "_name", "_pending", "fd", "token")

    def __init__(self, folder: _Folder, name: str, token: str, fd: int) -> None:
        self._folder = folder
        self._name = name
        self._pending = True
        self.token = token
        self.fd = fd

    @property
    def path(self) -> Path:
        """Return where the finished file is to be."""
        return Path(self._folder.path, self._name)

    def commit(self, *, replace: bool = True, sync: bool = False) -> Path:
        """Put the file in its place in one step, and return its path; what was there before is whole until then.

        Args:
            replace: whether a file that is there is replaced; a link is replaced itself, not what it points to.
            sync: whether the bytes are on the disk before it has its name, and the name before this returns.

        Raises:
            FileExistsError: there is one, and `replace` is false.
            OSError: it can't be put there, say because a folder has that name; the unfinished file is gone.
        """
        try:
            if sync:
                os.fsync(self.fd)
            self._close_file()  # Windows renames no open file
            self._rename(replace=replace)
            if sync and self._folder.fd is not None:
                os.fsync(self._folder.fd)  # the name, too
        except BaseException:
            self.discard()
            raise
        self.keep()
        return self.path

    def _rename(self, *, replace: bool) -> None:
        folder = self._folder
        here, there = folder.at(temporary_name(self.token)), folder.at(self._name)
        if replace:
            os.replace(here, there, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
        else:
            # A rename would replace; a second name for the same file does not.
            os.link(here, there, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
            os.unlink(here, dir_fd=folder.fd)

    def keep(self) -> None:
        """Close it and leave it where it is, for a later run to go on with."""
        self._pending = False
        self._close_file()
        self._folder.close()

    def discard(self) -> None:
        """Remove it; to do so again, or after `commit`, does nothing."""
        if self._pending:
            self._pending = False
            self._close_file()
            with contextlib.suppress(OSError):
                os.unlink(self._folder.at(temporary_name(self.token)), dir_fd=self._folder.fd)
            self._folder.close()

    def _close_file(self) -> None:
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.discard()


class Root:
    """Be the folder that downloads go to; what is written below it stays below it, also while others plant links.

    Args:
        target: the folder; made, with those above it, if it is not there. It may itself be a link, as the user says so.
        follow_symlinks: whether folders below it may be links, to wherever they point.
        dir_fd: whether to walk by descriptors, each opened relative to the one above and never through a link; None
            means where the system can. Without, links are looked for before each step, which a race can beat.

    Raises:
        OSError: the target can't be made, or is no folder.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, Root(folder) as root, root.create(("a", "b.txt")) as file:
        ...     _ = os.write(file.fd, b"bytes")
        ...     file.commit().read_bytes()
        b'bytes'
    """

    def __init__(
        self, target: str | os.PathLike[str], *, follow_symlinks: bool = False, dir_fd: bool | None = None
    ) -> None:
        self.path = Path(target)
        self._follow = follow_symlinks
        self.path.mkdir(parents=True, exist_ok=True)
        self._by_fd = _HAS_DIR_FD if dir_fd is None else dir_fd
        self._top = _Folder(str(self.path), os.open(self.path, _FOLDER) if self._by_fd else None)

    def create(self, names: Sequence[str], token: str | None = None) -> Temporary:
        """Open a new unfinished file, making the folders it needs; its mode is 0666 less the umask.

        Args:
            names: its folders and its own name, as `paths.segments` gives them.
            token: sixteen hexadecimal digits that find it again; random if None.

        Raises:
            UnsafePathError: a folder on the way is a link, or no folder at all.
            OSError: it can't be made.
        """
        token = secrets.token_hex(8) if token is None else token
        name = temporary_name(token)
        folder = self._walk(names[:-1], make=True)
        try:
            fd = os.open(folder.at(name), _FILE | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder.fd)
        except BaseException:
            folder.close()
            raise
        return Temporary(folder, names[-1], token, fd)

    def reopen(self, names: Sequence[str], token: str) -> Temporary | None:
        """Open an unfinished file again, or return None if it is not there or is not what `create` makes.

        Args:
            names: as they were given to `create`.
            token: the unfinished file's own.

        Raises:
            UnsafePathError: a folder on the way is a link, or no folder at all.
        """
        name = temporary_name(token)
        try:
            folder = self._walk(names[:-1], make=False)
        except FileNotFoundError:
            return None
        fd = -1
        with contextlib.suppress(OSError):
            # Not blocking: a pipe in its place must not hang us.
            fd = os.open(folder.at(name), _FILE | getattr(os, "O_NONBLOCK", 0), dir_fd=folder.fd)
        if fd >= 0 and _is_plain(os.fstat(fd)):
            return Temporary(folder, names[-1], token, fd)
        if fd >= 0:
            os.close(fd)
        folder.close()
        return None

    def stat(self, names: Sequence[str]) -> os.stat_result | None:
        """Return what is known of a file, or None if it is not there; of a link, what is known of the link.

        Raises:
            UnsafePathError: a folder on the way is a link, or no folder at all.
        """
        try:
            folder = self._walk(names[:-1], make=False)
        except FileNotFoundError:
            return None
        try:
            return os.stat(folder.at(names[-1]), dir_fd=folder.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None
        finally:
            folder.close()

    def remove(self, names: Sequence[str]) -> None:
        """Remove a file, or a link but not what it points to; that it is not there is no fault.

        Raises:
            UnsafePathError: a folder on the way is a link, or no folder at all.
            OSError: it can't be removed.
        """
        try:
            folder = self._walk(names[:-1], make=False)
        except FileNotFoundError:
            return
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(folder.at(names[-1]), dir_fd=folder.fd)
        finally:
            folder.close()

    def _walk(self, names: Sequence[str], *, make: bool) -> _Folder:
        """Return the folder of these names, as the caller's to close."""
        top = self._top.fd
        if self._by_fd and top is None:
            text = f"{self.path} was closed"
            raise ValueError(text)
        here = _Folder(self._top.path, None if top is None else os.dup(top))
        for name in names:
            try:
                below = self._step(here, name, make=make)
            finally:
                here.close()
            here = below
        return here

    def _step(self, here: _Folder, name: str, *, make: bool) -> _Folder:
        path = os.path.join(here.path, name)  # noqa: PTH118 - per object, and hot
        try:
            return self._enter(here, name, path)
        except FileNotFoundError:
            if not make:
                raise
        with contextlib.suppress(FileExistsError):  # another thread was faster, or it is a link to nowhere
            os.mkdir(here.at(name), dir_fd=here.fd)
        return self._enter(here, name, path)

    def _enter(self, here: _Folder, name: str, path: str) -> _Folder:
        if here.fd is None:
            return self._look(path)
        flags = _FOLDER if self._follow else _FOLDER | _NO_LINK
        try:
            return _Folder(path, os.open(name, flags, dir_fd=here.fd))
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.EMLINK}:
                raise self._refusal(path, os.stat(name, dir_fd=here.fd, follow_symlinks=False)) from None
            raise

    def _look(self, path: str) -> _Folder:
        """Enter a folder by its path, where there are no descriptors of folders."""
        found = os.stat(path, follow_symlinks=self._follow)  # noqa: PTH116
        if not stat.S_ISDIR(found.st_mode) or (not self._follow and _is_link(found)):
            raise self._refusal(path, found)
        return _Folder(path, None)

    def _refusal(self, path: str, found: os.stat_result) -> UnsafePathError:
        if _is_link(found):
            text = (
                f"the folder {shown(path)} is a link, which could lead out of {shown(str(self.path))}; remove it, or"
                " allow it with follow_symlinks=True"
            )
        else:
            text = f"{shown(path)} is a file, and a folder is needed there; remove it, or choose another target"
        return UnsafePathError(text)

    def close(self) -> None:
        """Close it; files that are open below it stay so."""
        self._top.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _is_link(found: os.stat_result) -> bool:
    return stat.S_ISLNK(found.st_mode) or bool(getattr(found, "st_file_attributes", 0) & _REPARSE_POINT)


def _is_plain(found: os.stat_result) -> bool:
    """Return whether a file is one that only we have written: regular, ours, and without a second name."""
    ours = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return ours and stat.S_ISREG(found.st_mode) and found.st_nlink == 1
