"""Tell OpenTelemetry of every target, where its API is installed; else nothing."""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mangrove.aws.faults import code_of

if TYPE_CHECKING:
    from mangrove.fleet.outcome import Outcome
    from mangrove.fleet.request import Request

__all__ = ["Spans"]


class Spans:
    """Make a span for each target, below the one that was current when the run was made.

    Args:
        request: what is asked; its service and operation are the span's name.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._trace: Any = None
        try:
            trace: Any = import_module("opentelemetry.trace")
            context: Any = import_module("opentelemetry.context")
        except ImportError:
            return
        self._trace, self._parent = trace, context.get_current()
        self._tracer = trace.get_tracer("mangrove")

    def ended(self, outcome: Outcome[Any]) -> None:
        """Tell of a target that is done.

        Source: the names of attributes in OpenTelemetry's semantic conventions for RPC and cloud.
        """
        if self._trace is None:
            return
        now = time.time_ns()
        target = outcome.target
        span = self._tracer.start_span(
            str(self._request),
            context=self._parent,
            start_time=now - int(outcome.seconds * 1e9),
            attributes={
                "rpc.system": "aws-api",
                "rpc.service": target.service,
                "rpc.method": self._request.operation,
                "cloud.provider": "aws",
                "cloud.account.id": target.account,
                "cloud.region": target.region,
                "mangrove.kind": outcome.kind,
                "mangrove.calls": outcome.calls,
                "mangrove.rows": outcome.rows,
            },
        )
        if outcome.error is not None:
            span.set_attribute("error.type", code_of(outcome.error) or type(outcome.error).__name__)
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR))
        span.end(end_time=now)
