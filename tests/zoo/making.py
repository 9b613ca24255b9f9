"""Makes the zoo in an embedded AWS, and keeps it apart from other tests that use the same moto."""

from __future__ import annotations

import contextlib
import functools
import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import zoo.makers
from zoo.base import MAKERS, SECOND, Made, Site

__all__ = ["ACCOUNT", "REGIONS", "Cage", "Failure", "Zoo", "make", "session_in"]

# Not moto's default account, nor the region that much code takes for granted.
ACCOUNT = "210987654321"
REGIONS = ("eu-west-1", "us-west-2")


@dataclass(frozen=True, slots=True)
class Failure:
    """Say which maker ended early, and why; what it had made before stays."""

    maker: str
    region: str
    error: Exception


@dataclass(slots=True)
class Zoo:
    """Hold the zoo: the AWS it stands in, all that was made, and what could not be."""

    aws: Any
    made: list[Made]
    failures: list[Failure]

    def session(self, made: Made) -> Any:
        """Return a session of the account and region in which this resource is listed."""
        return session_in(self.aws, made.account, made.region)


def session_in(aws: Any, account: str, region: str) -> Any:
    """Return a session of an account and region."""
    return aws.session(account, region)


def make(aws: Any, names: set[str] | None = None) -> Zoo:
    """Run the makers, all or those named, each in its regions.

    Args:
        aws: a running, empty EmbeddedAWS that has the account ACCOUNT.
        names: names of makers, `module.function`.
    """
    for module in pkgutil.iter_modules(zoo.makers.__path__):
        importlib.import_module(f"zoo.makers.{module.name}")
    answer = Zoo(aws, [], [])
    session_of = functools.cache(lambda region: session_in(aws, ACCOUNT, region))
    for position, region in enumerate(REGIONS):
        site = Site(ACCOUNT, region, session_of)
        for name, function in sorted(MAKERS.items()):
            if (names is None or name in names) and (position == 0 or name in SECOND):
                try:
                    function(site)
                except Exception as error:  # noqa: BLE001  a maker that fails costs only itself
                    answer.failures.append(Failure(name, region, error))
        answer.made.extend(site.made)
    return answer


class Cage:
    """Take moto's state out of other tests' reach, and put it back for a test of the zoo.

    Every test that uses the embedded AWS empties moto, which has one state in a process.
    """

    def __init__(self) -> None:
        self._backends = importlib.import_module("moto.core.base_backend").BackendDict
        self._kept: list[tuple[Any, dict[str, Any]]] = []

    def close(self) -> None:
        """Leave moto empty."""
        self._kept = [(backends, dict(backends)) for backends in self._backends._instances]
        for backends, _ in self._kept:
            dict.clear(backends)
        self._backends._instances.clear()

    def open(self) -> None:
        """Have the zoo in moto, and nothing else."""
        self._backends.reset()
        for backends, accounts in self._kept:
            dict.update(backends, accounts)
            self._backends._instances.append(backends)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Have the zoo in moto for a while."""
        self.open()
        try:
            yield
        finally:
            self.close()
