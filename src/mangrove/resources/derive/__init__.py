"""Resources of any service, derived from the botocore that is installed: pure functions over its models."""

from __future__ import annotations

from mangrove.resources.derive.derivation import derive
from mangrove.resources.derive.facts import ArnSpec, Derived, Dropped, ServiceFacts, TagSpec, Variable

__all__ = ["ArnSpec", "Derived", "Dropped", "ServiceFacts", "TagSpec", "Variable", "derive"]
