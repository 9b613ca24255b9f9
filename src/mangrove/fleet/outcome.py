"""Say what became of each target of a run, in a form that two people and a program read alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from mangrove._redact import message_of
from mangrove.aws.faults import Fault, code_of

__all__ = ["Kind", "Outcome", "Progress", "Summary", "Target", "summary_of"]

T = TypeVar("T")

Kind = Literal["ok"] | Fault

SKIPPED = frozenset({"disabled", "unsupported"})


@dataclass(frozen=True, slots=True)
class Target:
    """Be one place where a run makes its calls: a service, or a function, in one region of one account.

    Args:
        account: the account's id.
        region: the region; `aws-global` (`aws-cn-global`, ...) for a global service, and `*` for an account whose
            regions could not be found.
        service: botocore's name of the service; empty for a function.
        partition: the partition, such as `aws`.
        type: the type of resource that is listed, such as `ec2.instances`; else empty.
        name: what people call the account, or None.
        endpoint_region: the `region_name` that clients are made with; empty where it is the region itself.

    Example:
        >>> from mangrove.fleet import Target
        >>> print(Target("111111111111", "eu-west-1", "ec2"))
        111111111111 eu-west-1 ec2
    """

    account: str
    region: str
    service: str = ""
    partition: str = "aws"
    type: str = ""
    name: str | None = field(default=None, compare=False, repr=False)
    endpoint_region: str = field(default="", compare=False, repr=False)

    @property
    def region_name(self) -> str:
        """Return the region that clients are made with."""
        return self.endpoint_region or self.region

    def __str__(self) -> str:
        return " ".join(part for part in (self.account, self.region, self.type or self.service) if part)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """Be what became of one target.

    Args:
        target: the target.
        kind: `ok`; or why not: `denied`, `disabled` (the account has not enabled the region), `unsupported` (the
            service is not there), `throttled`, `expired`, `timeout`, `failed`.
        value: what the call or the function has returned; None for rows, which are handed out as they come.
        error: what was raised, or None.
        rows: how many rows it gave, also when it failed half-way.
        calls: how many requests were sent for it, tries again included; those of a function are not counted.
        attempts: how many tries its last request took.
        seconds: how long it took, from its first request to its end.

    Example:
        >>> from mangrove.fleet import Outcome, Target
        >>> outcome = Outcome(Target("111111111111", "eu-west-1", "sqs"), "ok", value={"QueueUrls": []}, calls=1)
        >>> outcome.ok, outcome.unwrap()
        (True, {'QueueUrls': []})
    """

    target: Target
    kind: Kind
    value: T | None = None
    error: Exception | None = None
    rows: int = 0
    calls: int = 0
    attempts: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Tell whether the target is done."""
        return self.kind == "ok"

    @property
    def skipped(self) -> bool:
        """Tell whether there was nothing to be done: the region is disabled, or the service is not there."""
        return self.kind in SKIPPED

    @property
    def failed(self) -> bool:
        """Tell whether the target failed."""
        return not self.ok and not self.skipped

    def unwrap(self) -> T:
        """Return the value.

        Raises:
            Exception: the error of the target, if it has one.
        """
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # None is a function's value too

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON: all but the value, with the error's class, code and message.

        Example:
            >>> from mangrove.fleet import Outcome, Target
            >>> Outcome(Target("111111111111", "eu-west-1"), "timeout", error=TimeoutError("late")).to_dict()["error"]
            {'type': 'TimeoutError', 'code': '', 'message': 'late'}
        """
        error = None
        if self.error is not None:
            error = {"type": type(self.error).__name__, "code": code_of(self.error), "message": message_of(self.error)}
        return {
            "account": self.target.account,
            "region": self.target.region,
            "service": self.target.service,
            "partition": self.target.partition,
            "type": self.target.type,
            "kind": self.kind,
            "rows": self.rows,
            "calls": self.calls,
            "attempts": self.attempts,
            "seconds": round(self.seconds, 6),
            "error": error,
        }


@dataclass(frozen=True, slots=True)
class Progress:
    """Be how far a run is.

    Args:
        done: targets that are done, skipped ones included.
        total: targets that are known by now; it grows until every account has told its regions.
        complete: whether all targets are known.
        failed: those of the done that failed.
        rows: rows so far.
        calls: requests sent so far.
        throttled: those of the requests that were throttled.
        seconds: since the run began.
    """

    done: int
    total: int
    complete: bool
    failed: int
    rows: int
    calls: int
    throttled: int
    seconds: float

    @property
    def left(self) -> float | None:
        """Estimate the seconds that are left, or None while too little is known."""
        if not self.complete or not self.done:
            return None
        return self.seconds / self.done * (self.total - self.done)


@dataclass(frozen=True, slots=True)
class Summary:
    """Count the outcomes of a run.

    Args:
        targets: how many there are.
        kinds: how many of each kind; those that never occurred are not there.
        rows: rows of all.
        calls: requests of all.
        seconds: from the beginning of the run to its end.
        errors: how often each code or class of error occurred, the most frequent first.
        complete: whether the run is at its end.

    Example:
        >>> from mangrove.fleet import Summary
        >>> print(Summary(3, {"ok": 2, "denied": 1}, rows=7, calls=3, seconds=1.5, errors={"AccessDenied": 1}))
        3 targets: 2 ok, 1 denied (AccessDenied 1); 7 rows, 3 calls, 1.5 s
    """

    targets: int
    kinds: Mapping[str, int]
    rows: int
    calls: int
    seconds: float
    errors: Mapping[str, int]
    complete: bool = True

    def __str__(self) -> str:
        told = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items())
        causes = ", ".join(f"{code} {count}" for code, count in self.errors.items())
        found = f"{_count(self.targets, 'target')}: {told or 'none'}{f' ({causes})' if causes else ''}"
        rows, calls = _count(self.rows, "row"), _count(self.calls, "call")
        so_far = "" if self.complete else " so far: the run is not read to its end"
        return f"{found}; {rows}, {calls}, {self.seconds:.1f} s{so_far}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def summary_of(outcomes: Iterable[Outcome[Any]], seconds: float, *, complete: bool = True) -> Summary:
    """Count outcomes.

    Args:
        outcomes: the outcomes.
        seconds: how long the run took.
        complete: whether it is at its end.
    """
    every = list(outcomes)
    kinds = Counter(outcome.kind for outcome in every)
    errors = Counter(
        code_of(outcome.error) or type(outcome.error).__name__ for outcome in every if outcome.failed and outcome.error
    )
    order = sorted(kinds, key=lambda kind: (kind != "ok", -kinds[kind], kind))
    return Summary(
        targets=len(every),
        kinds={kind: kinds[kind] for kind in order},
        rows=sum(outcome.rows for outcome in every),
        calls=sum(outcome.calls for outcome in every),
        seconds=seconds,
        errors=dict(errors.most_common()),
        complete=complete,
    )
