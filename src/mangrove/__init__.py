"""Make boto3 work at fleet scale: the public names, each imported when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mangrove._version import __version__

if TYPE_CHECKING:
    from mangrove import accounts, fleet, s3
    from mangrove.aws.arn import Arn
    from mangrove.aws.arn_patterns import ArnPattern
    from mangrove.aws.regions import Region, RegionsAnswer, find_regions
    from mangrove.aws.session import Session
    from mangrove.credentials import (
        AwsCliCache,
        Cache,
        ConnectionManager,
        CredentialsCache,
        FileCache,
        MemoryCache,
        RoleSpec,
    )
    from mangrove.errors import MangroveError
    from mangrove.fleet import Fleet
    from mangrove.pool import ServiceMixinPool, ServicePool
    from mangrove.resources.install import arn_patch_boto3, install

__all__ = [
    "Arn",
    "ArnPattern",
    "AwsCliCache",
    "Cache",
    "ConnectionManager",
    "CredentialsCache",
    "FileCache",
    "Fleet",
    "MangroveError",
    "MemoryCache",
    "Region",
    "RegionsAnswer",
    "RoleSpec",
    "ServiceMixinPool",
    "ServicePool",
    "Session",
    "__version__",
    "accounts",
    "arn_patch_boto3",
    "find_regions",
    "fleet",
    "install",
    "s3",
]

_HOMES = {
    "Arn": "mangrove.aws.arn",
    "ArnPattern": "mangrove.aws.arn_patterns",
    "AwsCliCache": "mangrove.credentials",
    "Cache": "mangrove.credentials",
    "ConnectionManager": "mangrove.credentials",
    "CredentialsCache": "mangrove.credentials",
    "FileCache": "mangrove.credentials",
    "Fleet": "mangrove.fleet",
    "MangroveError": "mangrove.errors",
    "MemoryCache": "mangrove.credentials",
    "Region": "mangrove.aws.regions",
    "RegionsAnswer": "mangrove.aws.regions",
    "RoleSpec": "mangrove.credentials",
    "ServiceMixinPool": "mangrove.pool",
    "ServicePool": "mangrove.pool",
    "Session": "mangrove.aws.session",
    "arn_patch_boto3": "mangrove.resources.install",
    "find_regions": "mangrove.aws.regions",
    "install": "mangrove.resources.install",
}

_ROOMS = frozenset({"accounts", "fleet", "s3"})


def compose() -> None:
    """Bring the rooms together: sessions, on the lowest floor, get their resources from a room above them.

    It is called when the first session is asked for a resource; nothing is to be called by users.
    """
    importlib.import_module("mangrove.resources.plug")


def __getattr__(name: str) -> Any:
    # PEP 562: `import mangrove` costs nothing; boto3 is imported by the first name that needs it.
    if name in _ROOMS:
        return importlib.import_module(f"mangrove.{name}")
    home = _HOMES.get(name)
    if home is None:
        text = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(text)
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
