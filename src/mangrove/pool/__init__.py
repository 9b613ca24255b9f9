"""Layer 3: connections to every region of a service, and to several services, as one object."""

from __future__ import annotations

from mangrove.pool.handle import RegionHandle, RegionState
from mangrove.pool.mapping import RegionsMapping
from mangrove.pool.mixin import ServiceMixinPool
from mangrove.pool.service import ServicePool

__all__ = ["RegionHandle", "RegionState", "RegionsMapping", "ServiceMixinPool", "ServicePool"]
