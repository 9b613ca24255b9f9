"""Layer 2: sessions of roles, whose credentials neither expire, stampede, nor mix."""

from __future__ import annotations

from mangrove.credentials.cache import CredentialsCache, MemoryCache
from mangrove.credentials.files import AwsCliCache, FileCache
from mangrove.credentials.manager import ConnectionManager
from mangrove.credentials.roles import RoleSpec
from mangrove.credentials.seed_cache import Cache

__all__ = [
    "AwsCliCache",
    "Cache",
    "ConnectionManager",
    "CredentialsCache",
    "FileCache",
    "MemoryCache",
    "RoleSpec",
]
