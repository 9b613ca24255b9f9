"""Write data to standard output, where the reader may leave before the end."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mangrove.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["emit"]


def emit(lines: Iterable[str]) -> bool:
    r"""Write lines to standard output; a reader that has enough, such as `head`, is no error.

    Args:
        lines: the text, with its line ends.

    Returns:
        False if the reader has left.

    Raises:
        OutputError: it is closed or full.

    Example:
        >>> emit(["one\n", "two\n"])
        one
        two
        True
    """
    # A name that the terminal's encoding lacks is shown as an escape: half a table would be worse.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    try:
        sys.stdout.writelines(lines)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_the_rest()
        return False
    except (OSError, AttributeError, ValueError) as error:
        # Full, or closed: then sys.stdout is None.
        if sys.stdout is not None:
            _drop_the_rest()
        reason = getattr(error, "strerror", None) or "it is closed"
        text = f"standard output can't be written: {reason}"
        raise OutputError(text) from error
    return True


def _drop_the_rest() -> None:
    # Python would flush what is left at exit, and complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
