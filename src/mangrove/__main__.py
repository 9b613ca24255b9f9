"""Make `python -m mangrove` the command line."""

from __future__ import annotations

import sys

from mangrove.cli import main

if __name__ == "__main__":
    sys.exit(main())
