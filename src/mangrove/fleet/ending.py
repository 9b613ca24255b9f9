"""Say how a step has ended: to whoever reads, and to the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mangrove.fleet.outcome import Kind, Outcome

if TYPE_CHECKING:
    from mangrove.aws.faults import Fault
    from mangrove.fleet.gate import Verdict
    from mangrove.fleet.lobby import Job

__all__ = ["calls_of", "outcome_of", "verdict_of"]


def outcome_of(job: Job, kind: Kind, value: Any, error: Exception | None, now: float) -> Outcome[Any]:
    """Return the outcome of a job that has ended.

    Args:
        job: the job.
        kind: how it has ended.
        value: what it has returned.
        error: what was raised, or None.
        now: the time.
    """
    return Outcome(
        target=job.task.target,
        kind=kind,
        value=value,
        error=error,
        rows=job.rows,
        calls=job.calls,
        attempts=job.attempt + (kind == "ok"),
        seconds=0.0 if job.first is None else now - job.first,
    )


def calls_of(job: Job) -> int:
    """Return the requests of a step that has ended with an error; those of a function nobody knows."""
    return 0 if job.task.scope is None else 1


def verdict_of(fault: Fault | None) -> Verdict:
    """Return what a fault tells of the service that was asked."""
    if fault is None:
        return "ok"
    return "throttled" if fault == "throttled" else "slow" if fault == "timeout" else "failed"
