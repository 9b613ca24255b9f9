"""Share credentials between processes by files that nobody else can read, and the AWS CLI's cache on request."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mangrove._atomic import read_private, write_private
from mangrove.credentials.cache import Subject
from mangrove.credentials.locks import held_lock
from mangrove.credentials.refresh import Clock, SystemClock
from mangrove.credentials.roles import DEFAULT_SESSION_NAME
from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = ["AwsCliCache", "FileCache"]

_log = logging.getLogger("mangrove.credentials")
# Hexadecimal digits alone: no key leads out of the folder.
_KEY = re.compile(r"\A[0-9a-f]{16,128}\Z")
_MOST_BYTES = 1 << 16
_POSIX = hasattr(os, "getuid")


class FileCache:
    """Keep credentials in a folder that is its owner's alone, for all processes of a user.

    A file is read only if it is ours, of mode 0600 and no link; what is damaged counts as missing. Of all processes
    that need the same credentials one asks STS, and the others take its answer.

    Args:
        directory: the folder, made with mode 0700 if it is not there; None takes `~/.cache/mangrove/credentials`, or
            the same below XDG_CACHE_HOME.
        clock: tells the time; for tests.

    Raises:
        ConfigError: the folder is somebody else's, a link, open to others, or can't be written.

    Example:
        >>> import tempfile, mangrove
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     connections = mangrove.ConnectionManager(cache=mangrove.FileCache(f"{folder}/credentials"))
    """

    # Which permissions of others make the folder unfit.
    _refused_mode = 0o077

    def __init__(self, directory: str | os.PathLike[str] | None = None, *, clock: Clock | None = None) -> None:
        if directory is not None and not isinstance(directory, (str, os.PathLike)):
            text = f"directory takes a path; got {type(directory).__name__}"
            raise DeclarationTypeError(text)
        self._directory = Path(directory).expanduser() if directory is not None else self._usual_place()
        self._clock = clock or SystemClock()
        _check_folder(self._directory, self._refused_mode)

    @property
    def directory(self) -> Path:
        """Return the folder."""
        return self._directory

    @staticmethod
    def _usual_place() -> Path:
        root = os.environ.get("XDG_CACHE_HOME")
        return (Path(root) if root else Path("~/.cache").expanduser()) / "mangrove" / "credentials"

    def get(self, key: str) -> Mapping[str, Any] | None:
        """Return the document that is kept under the key; None if there is none, or none to be trusted."""
        path = self._path(key)
        try:
            found = path.lstat()
        except OSError:
            return None
        if found.st_size > _MOST_BYTES or (_POSIX and found.st_mode & 0o077):
            _log.warning("a cached credential is not read: its file is too large, or open to others (chmod 600)")
            return None
        try:
            document = json.loads(read_private(path) or b"null")
        except (ValueError, RecursionError):
            return None
        return document if isinstance(document, dict) else None

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document.

        Raises:
            OSError: the disk does not take it; nothing of it is left.
        """
        write_private(self._path(key), json.dumps(document, sort_keys=True).encode())

    def delete(self, key: str) -> None:
        """Forget a document; do nothing if there is none."""
        with contextlib.suppress(OSError):
            self._path(key).unlink()

    @contextlib.contextmanager
    def lock(self, key: str, *, wait: bool) -> Iterator[bool]:
        """Let one process at a time ask for the credentials of a key.

        Args:
            key: the key.
            wait: wait for whoever asks, for at most a minute; else the value is False at once.
        """
        with held_lock(self._path(key).with_suffix(".lock"), self._clock, wait=wait) as held:
            yield held

    def _path(self, key: str) -> Path:
        if not _KEY.match(key):
            text = f"a key of this cache has hexadecimal digits alone; got one of {len(key)} characters"
            raise ConfigError(text)
        return self._directory / f"{key}.json"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._directory)!r})"


class AwsCliCache(FileCache):
    """Use the AWS CLI's own cache of roles, so that a profile's role is assumed once for the CLI and for Python.

    The CLI's keys say nothing of who assumes the role: give it only to managers of one base identity. A role is found
    under the CLI's key if the profile has the same options; without `role_session_name` here and there.

    Args:
        directory: the folder; None takes `~/.aws/cli/cache`.
        clock: tells the time; for tests.
    """

    # The CLI makes its folder with the user's umask: others may see the names, and read no file.
    _refused_mode = 0o022

    @staticmethod
    def _usual_place() -> Path:
        return Path("~/.aws/cli/cache").expanduser()

    def key_of(self, subject: Subject) -> str:
        """Return the CLI's key: a hash of the last role's arguments, as botocore computes it.

        Args:
            subject: the roles; who assumes them has no part in it.
        """
        if not subject.chain:
            return subject.key()
        arguments = subject.chain[-1].request()
        if arguments["RoleSessionName"] == DEFAULT_SESSION_NAME:
            # The CLI makes a name up, and leaves it out.
            del arguments["RoleSessionName"]
        if "Policy" in arguments:
            arguments["Policy"] = json.loads(arguments["Policy"])
        text = json.dumps(arguments, sort_keys=True)
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _check_folder(folder: Path, refused_mode: int) -> None:
    """Make the folder if it is not there, and refuse one that is not ours alone."""
    try:
        _make(folder)
        found = folder.lstat()
    except OSError as error:
        text = f"cache directory {folder} can't be made: {error.strerror or error}"
        raise ConfigError(text) from error
    reason = ""
    if stat.S_ISLNK(found.st_mode):
        reason = "is a symbolic link, which could lead anywhere; name the folder itself"
    elif not stat.S_ISDIR(found.st_mode):
        reason = "is no folder"
    elif _POSIX and found.st_uid != os.getuid():
        reason = f"belongs to another user (uid {found.st_uid}); name one of your own"
    elif _POSIX and found.st_mode & refused_mode:
        reason = f"is open to others (mode {stat.S_IMODE(found.st_mode):04o}); chmod 700 it, or name another"
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        reason = f"can't be written (mode {stat.S_IMODE(found.st_mode):04o})"
    if reason:
        text = f"cache directory {folder} {reason}"
        raise ConfigError(text)


def _make(folder: Path) -> None:
    if not folder.exists() and not folder.is_symlink():
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
