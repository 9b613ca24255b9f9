"""Read the AWS configuration once for all sessions, as long as the files and the environment stay the same."""

from __future__ import annotations

import copy
import itertools
import os
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.configprovider import ConfigValueStore

from mangrove._concurrency import Recent, in_child
from mangrove.aws.surroundings import surroundings

__all__ = ["Configuration", "KnownSettings", "parsed_once"]

_MOST = 8
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Configuration:
    """Hold what the files said at one time.

    Attributes:
        parsed: what botocore makes of them.
        number: tells one reading from all others of the process; an `id` would come again.
    """

    parsed: Any
    number: int


_recent = Recent[Configuration](_MOST)


def parsed_once(paths: Iterable[str | None], parse: Callable[[], Any]) -> Configuration:
    """Return what these files hold, parsing them if one of them has changed.

    A profile list of a thousand entries takes a tenth of a second to parse; a session of each took it a thousand times.

    Args:
        paths: the files, as the user wrote them.
        parse: reads them.
    """
    key = tuple(map(_stamp, paths))
    return _recent.get(key, lambda: Configuration(parse(), next(_numbers)))


@in_child
def _after_fork() -> None:
    global _recent  # noqa: PLW0603  a thread of the parent may have held its lock
    _recent = Recent[Configuration](_MOST)


def _stamp(path: str | None) -> Hashable:
    """Return what changes with a file."""
    if path is None:
        return None
    expanded = Path(os.path.expandvars(path)).expanduser()
    try:
        found = expanded.stat()
    except OSError:
        return str(expanded)
    return str(expanded), found.st_mtime_ns, found.st_size, found.st_ino


class KnownSettings:
    """Remember what a session's settings are, as long as the environment stays the same.

    botocore looks thirty settings up for each client, in the environment and in the profile: a third of a millisecond.
    """

    def __init__(self) -> None:
        self._around: int | None = None
        self._values: dict[Any, Any] = {}

    def remember(self, store: Any) -> Any:
        """Return a store with the same settings, which looks each up once.

        Args:
            store: a copy of the session's `ConfigValueStore`. What is set on the answer is looked up anew.
        """
        around = surroundings()
        if around != self._around:
            self._around, self._values = around, {}
        return _RememberingStore(store, self._values)


class _RememberingStore(ConfigValueStore):
    """Be botocore's store of settings, and ask each provider once."""

    def __init__(self, store: Any, values: dict[Any, Any]) -> None:
        super().__init__()
        vars(self).update(vars(store))
        self._values = values
        self._origin = copy.copy(store)

    def get_config_variable(self, logical_name: str) -> Any:
        """Return a setting; see botocore."""
        provider: Any = self.get_config_provider(logical_name)
        if provider is None or provider is not self._origin.get_config_provider(logical_name):
            return super().get_config_variable(logical_name)
        if provider in self._values:
            return self._values[provider]
        value = provider.provide()
        if not isinstance(value, (dict, list)):  # botocore may change it
            self._values[provider] = value
        return value
