"""Write data to standard output, where the reader may leave before the end."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["emit"]


def emit(lines: Iterable[str]) -> None:
    r"""Write lines to standard output; a reader that has enough, such as `head`, is no error.

    Args:
        lines: the text, with its line ends.

    Example:
        >>> emit(["one\n", "two\n"])
        one
        two
    """
    # A name that the terminal's encoding lacks is shown as an escape: half a table would be worse.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    try:
        sys.stdout.writelines(lines)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would flush the rest at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
