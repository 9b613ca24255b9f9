"""Import an optional part, or say which extra to install: one sentence for all of them."""

from __future__ import annotations

import importlib
from typing import Any

from mangrove.errors import MissingExtraError

__all__ = ["require"]


def require(module: str, extra: str) -> Any:
    """Return the module, or raise the error that names the extra which brings it.

    Args:
        module: the dotted name of the module to import.
        extra: the extra of the distribution `pymangrove` that installs it.

    Raises:
        MissingExtraError: the module, or the package it belongs to, is not installed.

    Example:
        >>> require("json", "cli").__name__
        'json'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        text = f"{missing!r} is not installed; it comes with the extra: pip install 'pymangrove[{extra}]'"
        raise MissingExtraError(text, name=missing) from error
