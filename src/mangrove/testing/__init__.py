"""Layer 3, public: the embedded AWS for your own tests. Nothing in production imports this room."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mangrove.testing.embedded import EmbeddedAWS
    from mangrove.testing.seed import SeedSummary

__all__ = ["EmbeddedAWS", "SeedSummary"]

_HOMES = {"EmbeddedAWS": "embedded", "SeedSummary": "seed"}


def __getattr__(name: str) -> Any:
    # PEP 562: the pytest plugin lives here and is loaded in every run of pytest, which must not cost anything.
    home = _HOMES.get(name)
    if home is None:
        text = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(text)
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
