"""Layer 6: the command line. This module only finds out whether the parts it needs are installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mangrove._extras import require
from mangrove.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_USAGE = 2
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: the arguments; those of the process if None.

    Example:
        >>> main(["--version"])
        mangrove 2.0.0.dev0
        0
    """
    try:
        require("click", "cli")
        require("rich", "cli")
        app = require("mangrove.cli.app", "cli")
        code: int = app.run(argv)
    except MissingExtraError as error:
        sys.stderr.write(f"mangrove: error: {error}\n")
        return _USAGE
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code
