"""Layer 5: the resources of many accounts and regions as rows, with ARN and tags."""

from __future__ import annotations

from mangrove.inventory.collecting import Collection
from mangrove.inventory.facts import Facts
from mangrove.inventory.inventory import Inventory
from mangrove.inventory.rows import Row
from mangrove.inventory.sinks import Sink, sink_for
from mangrove.resources.kinds import DEFAULT_TYPES, Kind
from mangrove.resources.lookups import Lookup

__all__ = ["DEFAULT_TYPES", "Collection", "Facts", "Inventory", "Kind", "Lookup", "Row", "Sink", "sink_for"]
