"""Public: a server that injects faults, and a TCP proxy that makes a network bad, for your own tests."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mangrove.testing.faults.asked import Asked
    from mangrove.testing.faults.delivery import Pace
    from mangrove.testing.faults.kinds import KINDS, PASSING, Kind
    from mangrove.testing.faults.server import InjectedFault, Injector, faults
    from mangrove.testing.faults.tcp import TCPProxy, Toxics

__all__ = [
    "KINDS",
    "PASSING",
    "Asked",
    "InjectedFault",
    "Injector",
    "Kind",
    "Pace",
    "TCPProxy",
    "Toxics",
    "faults",
]

_HOMES = {
    "KINDS": "kinds",
    "PASSING": "kinds",
    "Asked": "asked",
    "InjectedFault": "server",
    "Injector": "server",
    "Kind": "kinds",
    "Pace": "delivery",
    "TCPProxy": "tcp",
    "Toxics": "tcp",
    "faults": "server",
}


def __getattr__(name: str) -> Any:
    # PEP 562, as the room above: what is not asked for is not loaded.
    home = _HOMES.get(name)
    if home is None:
        text = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(text)
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
