"""Layer 5: the resources of many accounts and regions as rows, with ARN and tags."""

from __future__ import annotations

from mangrove.inventory.collect import Collection, Outcome, collect
from mangrove.inventory.listing import Each, Listing, Lookup, Row
from mangrove.inventory.table import LISTINGS

__all__ = ["LISTINGS", "Collection", "Each", "Listing", "Lookup", "Outcome", "Row", "collect"]
