"""Make boto3 work at fleet scale: the public names, each imported when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mangrove.aws.regions import Region, RegionsAnswer
    from mangrove.aws.session import Session
    from mangrove.errors import MangroveError
    from mangrove.pool import ServiceMixinPool, ServicePool

__version__ = "2.0.0.dev0"

__all__ = [
    "MangroveError",
    "Region",
    "RegionsAnswer",
    "ServiceMixinPool",
    "ServicePool",
    "Session",
    "__version__",
]

_HOMES = {
    "MangroveError": "mangrove.errors",
    "Region": "mangrove.aws.regions",
    "RegionsAnswer": "mangrove.aws.regions",
    "ServiceMixinPool": "mangrove.pool",
    "ServicePool": "mangrove.pool",
    "Session": "mangrove.aws.session",
}


def __getattr__(name: str) -> Any:
    # PEP 562: `import mangrove` costs nothing; boto3 is imported by the first name that needs it.
    home = _HOMES.get(name)
    if home is None:
        text = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(text)
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
