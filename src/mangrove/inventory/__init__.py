"""Layer 5: the resources of many accounts and regions as rows, with ARN and tags."""

from __future__ import annotations

from mangrove.inventory.collect import Collection, Outcome, collect
from mangrove.inventory.rows import Row
from mangrove.resources.kinds import DEFAULT_TYPES, Kind
from mangrove.resources.lookups import Lookup

__all__ = ["DEFAULT_TYPES", "Collection", "Kind", "Lookup", "Outcome", "Row", "collect"]
