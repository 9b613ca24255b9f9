"""Write a file beside the one that it will be, so that who looks sees the old one or the new one, whole."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from mangrove.errors import ConfigError, OutputError

__all__ = ["Staged", "resolved", "telling"]


def resolved(path: str | os.PathLike[str]) -> Path:
    """Return where a file is or will be, links followed.

    Args:
        path: what the user wrote.

    Raises:
        ConfigError: something else than a file is there, or its folder is missing.
    """
    found = Path(path).expanduser().resolve()
    if found.exists() and not found.is_file():
        text = f"{path} is {'a folder' if found.is_dir() else 'no ordinary file'}; name a file"
        raise ConfigError(text)
    if not found.parent.is_dir():
        text = f"{path} can't be written: there is no folder {str(found.parent)!r}"
        raise ConfigError(text)
    return found


@contextlib.contextmanager
def telling(path: Path) -> Iterator[None]:
    """Turn what the system says of a file into an error of ours.

    Args:
        path: the file that the user named.

    Raises:
        OutputError: it can't be written.
    """
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        text = f"{path} can't be written: {error.strerror or error}"
        raise OutputError(text) from error


class Staged:
    """Be a new file beside its target, with the target's name only when it is whole.

    Args:
        target: what it will be called; see `resolved`.

    Attributes:
        path: where it is until then.

    Raises:
        OutputError: nothing can be written there.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
        with telling(target):
            # Its mode is what any new file of the user's has; O_EXCL takes nothing that another has put there.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            if target.exists():
                self.path.chmod(target.stat().st_mode & 0o777)

    def publish(self, name: Path | None = None) -> Path:
        """Give the file its name, in one step; what had the name is gone.

        Args:
            name: another name than the target's.

        Raises:
            OutputError: it can't have it.
        """
        name = name or self.target
        with telling(name):
            with self.path.open("rb") as file:
                os.fsync(file.fileno())
            self.path.replace(name)
        return name

    def discard(self) -> None:
        """Remove the file, if it has not been published."""
        with contextlib.suppress(OSError):
            self.path.unlink()
