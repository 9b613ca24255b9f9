"""Layer 4: every account, region and service as one object; results as they arrive."""

from __future__ import annotations

from mangrove.fleet.fleet import Fleet
from mangrove.fleet.limits import Limit, Limits
from mangrove.fleet.outcome import Outcome, Progress, Summary, Target
from mangrove.fleet.plan import Plan
from mangrove.fleet.run import Run
from mangrove.fleet.tasks import Row

__all__ = ["Fleet", "Limit", "Limits", "Outcome", "Plan", "Progress", "Row", "Run", "Summary", "Target"]
