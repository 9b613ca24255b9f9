"""Hold what waits: for its turn, for a limit, or for another try; whoever uses it has a lock of their own."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mangrove.fleet.gate import Gate, Verdict
from mangrove.fleet.outbox import Index

if TYPE_CHECKING:
    from mangrove.fleet.tasks import Task
    from mangrove.fleet.turns import Turns

__all__ = ["Job", "Lobby"]

_LOOK = 0.5  # seconds
# Requests in a row that a service in a region has not answered, after which it is not asked any more.
_SILENT = 5


@dataclass(slots=True, eq=False)
class Job:
    """Be a task under way.

    Attributes:
        task: what is to be done next.
        index: its place among the accounts, and among the targets of its account.
        attempt: failed tries of the next request.
        throttled: whether the last of them was throttled.
        calls: requests so far.
        rows: rows so far.
        spent: seconds so far, but for those that it waited for a limit.
        began: when the step under way began.
        first: when the first one began; None before.
        renewed: whether its credentials were got anew after a service refused them.
        lost: whether its time was up while a step was under way.
        key: what it was parked under.
        parked: since when.
        hopeless: whether nobody has answered at its endpoint for so long that it is not asked.
        opens: whether it opens an account, and is no target itself.
    """

    task: Task
    index: Index
    attempt: int = 0
    throttled: bool = False
    calls: int = 0
    rows: int = 0
    spent: float = 0.0
    began: float = 0.0
    first: float | None = None
    renewed: bool = False
    lost: bool = False
    key: Hashable = None
    parked: float = 0.0
    hopeless: bool = False
    opens: bool = False

    @property
    def account(self) -> str:
        """Return the account's id."""
        return self.task.target.account


class Lobby:
    """Say which job may make its next step now, and when to ask again.

    Args:
        gate: what says when a request may be sent.
        turns: whose turn it is.
        wants: tells whether there is room for the results of a job.
    """

    def __init__(self, gate: Gate, turns: Turns[Job], wants: Callable[[Index], bool]) -> None:
        self._gate, self._turns, self._wants = gate, turns, wants
        self._parked: dict[Hashable, deque[Job]] = {}
        self._timers: list[tuple[float, int, Hashable, Job | None]] = []
        self._due: dict[Hashable, float] = {}
        self._numbers = itertools.count()
        self._silent: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        tries = sum(job is not None for *_, job in self._timers)
        return len(self._turns) + tries + sum(map(len, self._parked.values()))

    @property
    def ready(self) -> int:
        """Return how many wait for their turn alone."""
        return len(self._turns)

    @property
    def next_time(self) -> float | None:
        """Return when something may be admitted that is not now, or None."""
        return self._timers[0][0] if self._timers else None

    def add(self, job: Job) -> None:
        """Add a job that is ready."""
        self._turns.add(job, job.account, job.index)

    def later(self, job: Job, when: float) -> None:
        """Add a job that is ready at a time."""
        heapq.heappush(self._timers, (when, next(self._numbers), None, job))

    def admit(self, now: float) -> Job | None:
        """Return a job whose step may be made now, counted by the gate; or one that is hopeless; or None."""
        self._wake(now)
        while (job := self._turns.next()) is not None:
            if not self._wants(job.index):
                self._turns.add(job, job.account, job.index, again=True)
                return None
            scope = job.task.scope
            job.hopeless = scope is not None and self._silent.get(scope[1:3], 0) >= _SILENT
            blocked = None if scope is None or job.hopeless else self._gate.enter(scope, now)
            before, job.key = job.key, None if blocked is None else blocked.key
            if blocked is not None:
                job.parked = now
                queue = self._parked.setdefault(blocked.key, deque())
                (queue.appendleft if before == blocked.key else queue.append)(job)
                # Another run of the same fleet may be the one that makes room, and knows nothing of who waits here.
                self._alarm(blocked.key, min(blocked.until, now + _LOOK))
            if before is not None and before != job.key:
                self._alarm(before, now)  # who waited behind it may have its turn
            if blocked is None:
                return job
            self._wake(now)
        return None

    def leave(self, job: Job, verdict: Verdict, now: float, retry_after: float = 0.0) -> None:
        """Say how the request of an admitted job has ended."""
        scope = job.task.scope
        if scope is not None:
            place = scope[1:3]
            if verdict == "slow":
                self._silent[place] = self._silent.get(place, 0) + 1
            else:
                self._silent.pop(place, None)
            for key in self._gate.leave(scope, verdict, now, retry_after):
                self._alarm(key, now)

    def _alarm(self, key: Hashable, when: float) -> None:
        if self._parked.get(key) and when < self._due.get(key, math.inf):
            self._due[key] = when
            heapq.heappush(self._timers, (when, next(self._numbers), key, None))

    def _wake(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            when, _, key, job = heapq.heappop(self._timers)
            if job is None:
                if self._due.get(key) != when:
                    continue  # it was brought forward
                del self._due[key]
                job = self._unpark(key)
                if job is not None and key == job.task.scope:
                    # What was learned from refusals is waited for as for an answer; what was told in advance is not.
                    job.spent += now - job.parked
            if job is not None:
                self._turns.add(job, job.account, job.index, again=True)

    def _unpark(self, key: Hashable) -> Job | None:
        queue = self._parked.get(key)
        if not queue:
            return None
        job = queue.popleft()
        if not queue:
            del self._parked[key]
        return job

    def drain(self) -> Iterator[Job]:
        """Take all that wait."""
        while (job := self._turns.next()) is not None:
            yield job
        yield from [job for *_, job in sorted(self._timers, key=lambda each: each[1]) if job is not None]
        for queue in self._parked.values():
            yield from queue
        self._timers, self._parked, self._due = [], {}, {}
