"""Write the report row by row beside the place where it belongs, and put it there in one step."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from mangrove.errors import OutputError
from mangrove.inventory.facts import Facts
from mangrove.inventory.report.chunks import Packer, pack
from mangrove.inventory.report.overview import overview_of
from mangrove.inventory.report.page import load_page
from mangrove.inventory.rows import Row

__all__ = ["ReportSink"]


class ReportSink:
    """Write an inventory as one HTML file, which needs no network and works from disk.

    The file is new or the old one until `finish` has ended. A new one is readable by its owner alone (0600), as it says
    what an organisation has; one that takes an older one's place takes its mode too. Passwords, tokens, user data and
    the values of environment variables are left out of it.

    Args:
        path: where the file goes; a link is followed.
        data: whether what the API said of each resource can be looked at in it; without, the file is a fraction as
            large.

    Raises:
        OutputError: it can't be written there.

    Example:
        >>> from datetime import datetime, timezone
        >>> folder = tempfile.TemporaryDirectory()
        >>> sink = ReportSink(Path(folder.name) / "report.html")
        >>> sink.add([Row("111111111111", "us-east-1", "s3", "s3.buckets", "logs", None, {}, "aws")])
        >>> sink.finish(Facts(datetime(2026, 1, 2, tzinfo=timezone.utc), ("s3.buckets",)))
        >>> sorted(path.name for path in Path(folder.name).iterdir())
        ['report.html']
        >>> folder.cleanup()
    """

    def __init__(self, path: str | os.PathLike[str], *, data: bool = True) -> None:
        self._shown = os.fspath(path)
        self._path = _place(self._shown)
        self._packer = Packer(data=data)
        self._draft: tuple[Path, IO[bytes]] | None = None
        self._do(self._open)

    def _open(self) -> None:
        # mkstemp opens with O_EXCL and O_NOFOLLOW and mode 0600. In the same folder, as a file is renamed only there.
        descriptor, name = tempfile.mkstemp(prefix=f".{self._path.name[:64]}.", suffix=".tmp", dir=self._path.parent)
        self._draft = Path(name), os.fdopen(descriptor, "wb")
        self._opened[1].write(load_page().head)

    def add(self, rows: Sequence[Row]) -> None:
        """Take more rows.

        Args:
            rows: the rows.

        Raises:
            OutputError: they can't be written; a full disk is one reason.
        """
        for row in rows:
            self._packer.add(row)
            if self._packer.full:
                self._do(self._write_parts)

    def finish(self, facts: Facts) -> None:
        """Put the report where it belongs, in one step.

        Args:
            facts: what the rows are of.

        Raises:
            OutputError: it can't be written.
        """
        self._do(self._write_parts)
        overview = pack(overview_of(facts))
        self._do(lambda: self._close(overview))

    def abandon(self) -> None:
        """Leave nothing behind, and what was there as it was; may be called at any time, and again."""
        if self._draft is None:
            return
        path, file = self._draft
        self._draft = None
        # Closing writes what is still buffered, which a full disk refuses again.
        with contextlib.suppress(OSError):
            file.close()
        with contextlib.suppress(OSError):
            path.unlink()

    def _write_parts(self) -> None:
        for rows, details in self._packer.take():
            self._write("rows", rows)
            self._write("details", details)

    def _write(self, kind: str, packed: bytes) -> None:
        # A script of a type that is none is a block of data: the browser neither runs nor shows it.
        self._opened[1].write(b'<script type="text/plain" data-part="%s">%s</script>\n' % (kind.encode(), packed))

    def _close(self, overview: bytes) -> None:
        self._write("overview", overview)
        path, file = self._opened
        file.write(load_page().tail)
        file.flush()
        os.fsync(file.fileno())
        file.close()
        with contextlib.suppress(FileNotFoundError):
            path.chmod(stat.S_IMODE(self._path.stat().st_mode))
        path.replace(self._path)
        self._draft = None

    @property
    def _opened(self) -> tuple[Path, IO[bytes]]:
        if self._draft is None:
            text = "the report is finished or abandoned already"
            raise ValueError(text)
        return self._draft

    def _do(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OSError as error:
            self.abandon()
            raise OutputError(_unwritable(self._shown, error.strerror or str(error))) from error
        except BaseException:
            self.abandon()
            raise


def _place(shown: str) -> Path:
    """Return the file that is meant, or say why it can't be one."""
    try:
        path = Path(shown).resolve()
        mode = path.stat().st_mode if path.exists() else None
    except (OSError, RuntimeError, ValueError) as error:
        raise OutputError(_unwritable(shown, getattr(error, "strerror", None) or str(error))) from error
    if mode is not None and not stat.S_ISREG(mode):
        what = "it is a folder" if stat.S_ISDIR(mode) else "it is no regular file"
        raise OutputError(_unwritable(shown, f"{what}; give the name of a file, such as report.html"))
    if not path.parent.is_dir():
        raise OutputError(_unwritable(shown, f"there is no folder {str(path.parent)!r}; make it first"))
    return path


def _unwritable(shown: str, reason: str) -> str:
    return f"the report {shown!r} can't be written: {reason}; what was there is as it was"
