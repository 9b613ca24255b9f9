"""The version, in one place: the build reads it here, and so does everything else."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "2.0.0.dev0"
