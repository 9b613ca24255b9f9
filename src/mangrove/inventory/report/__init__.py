"""The report: an inventory as one HTML file that needs nothing else, opened from disk."""

from __future__ import annotations

from mangrove.inventory.report.sink import ReportSink

__all__ = ["ReportSink"]
