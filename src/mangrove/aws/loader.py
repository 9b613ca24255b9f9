"""One loader of service models for all sessions of the process.

A `boto3.Session` loads the model of each service it makes a client of: for EC2 that is 20 MiB and a quarter of a second
a session. The seam is botocore's public component `data_loader`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from botocore.loaders import JSONFileLoader, Loader

__all__ = ["SharedLoader", "shared_loader"]


class _UniquePaths(list[str]):
    """Keep a search path once, however many boto3 sessions append it."""

    def append(self, path: str) -> None:
        if path not in self:
            super().append(path)


class _PlainLoader(JSONFileLoader):
    """Read JSON into plain dicts, which keep their order too, in half the time and less memory."""

    def _load_file(self, full_path: str, open_method: Callable[..., Any]) -> Any:
        if not os.path.isfile(full_path):  # noqa: PTH113  botocore's own way
            return None
        with open_method(full_path, "rb") as file:
            return json.loads(file.read())


class SharedLoader(Loader):
    """Load each model once for all sessions of the process.

    Args:
        extra_search_paths: the user's own folders of models.
    """

    def __init__(self, extra_search_paths: Iterable[str] = ()) -> None:
        super().__init__(extra_search_paths=list(extra_search_paths), file_loader=_PlainLoader())
        self._paths = _UniquePaths(super().search_paths)

    @property
    def search_paths(self) -> list[str]:
        """Return where models are looked for, each place once."""
        return self._paths


@lru_cache(maxsize=16)
def shared_loader(data_path: str | None) -> SharedLoader:
    """Return the loader that all sessions of one data path share.

    Args:
        data_path: the user's own folders of models, as in `AWS_DATA_PATH`, or None.
    """
    paths = data_path.split(os.pathsep) if data_path else []
    return SharedLoader(os.path.expanduser(os.path.expandvars(path)) for path in paths)  # noqa: PTH111  as botocore does
