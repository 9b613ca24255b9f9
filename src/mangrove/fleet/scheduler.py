"""Make the steps of all targets on threads: in turns, within the limits, in time, and no faster than they are read."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from mangrove.aws.faults import Fault, fault_of, is_passing, retry_after
from mangrove.errors import DeadlineError, MangroveError
from mangrove.fleet.ending import calls_of, outcome_of, verdict_of
from mangrove.fleet.lobby import Job, Lobby
from mangrove.fleet.outbox import Event, Outbox
from mangrove.fleet.outcome import Kind, Outcome, Target
from mangrove.fleet.tasks import Step, Task
from mangrove.fleet.trying import Patience
from mangrove.fleet.workshop import Workshop

__all__ = ["Scheduler"]

_TICK = 0.2  # seconds between two looks at deadlines
_PATIENCE = Patience()


class Scheduler:
    """Make the steps of tasks on threads of its own, which never hold who reads the results.

    Args:
        accounts: returns the tasks that open the accounts, in their order; called by the reader, when the work begins.
        workshop: makes the steps.
        lobby: says whose step may be made.
        outbox: where results go.
        threads: how many requests may be under way at once.
        target_deadline: seconds for a target's requests, tries again included; waiting for a limit does not count.
        deadline: seconds for everything, or None.
        patience: how often requests are made again.
        clock: a time in seconds that never goes back.
    """

    def __init__(
        self,
        accounts: Callable[[], Iterator[Task]],
        workshop: Workshop,
        lobby: Lobby,
        outbox: Outbox,
        *,
        threads: int,
        target_deadline: float,
        deadline: float | None = None,
        patience: Patience = _PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._begin, self._workshop, self._lobby, self._outbox = accounts, workshop, lobby, outbox
        self._accounts: Iterator[Task] | None = None
        self._threads, self._target_deadline, self._deadline = threads, target_deadline, deadline
        self._patience, self._clock = patience, clock
        # A run that nobody holds any more cancels itself, in whatever thread the garbage is collected.
        lock = threading.RLock()
        self._ready, self._news = threading.Condition(lock), threading.Condition(lock)
        self._running: set[Job] = set()
        self._workers = self._idle = self._stuck = self._entered = 0
        self._opening = self._unfinished = 0
        self._more, self._cancelled = True, False
        self.started = self._looked = clock()
        self._ended: float | None = None
        self._broken: Exception | None = None
        self.opened: dict[str, int] = {}
        self._untold: dict[Target, Outcome[Any] | None] = {}
        self.calls = self.throttled = self.targets = 0

    # -- the reader's side ---------------------------------------------------------------------------------------------

    def take(self) -> Event | None:
        """Return the next rows or outcome, waiting for it; None when there are no more."""
        if self._accounts is None and not self._cancelled:
            self.started = self._looked = self._clock()
            self._accounts = self._begin()
            with self._news:
                self._hire()
        with self._news:
            self._look_at_deadlines(self._clock())
            while (event := self._outbox.take()) is None:
                if self._broken is not None:
                    raise self._broken
                if self._cancelled or self._is_over():
                    self._ended = self._ended or self._clock()
                    return None
                self._look_at_deadlines(self._clock())
                if not self._outbox.ready:
                    # With a time-out also because Ctrl-C is heard only between two waits on some platforms.
                    self._news.wait(_TICK)
            self._ready.notify()
            if isinstance(event, Outcome):
                self._untold.pop(event.target, None)
            return event

    def cancel(self) -> None:
        """Begin nothing more; what is under way ends by itself, and its results are dropped."""
        with self._news:
            self._cancelled = True
            self._ready.notify_all()
            self._news.notify_all()
        self._workshop.cancel()

    @property
    def seconds(self) -> float:
        """Return the seconds since the run began, up to its end."""
        return (self._clock() if self._ended is None else self._ended) - self.started

    @property
    def untold(self) -> dict[Target, Outcome[Any] | None]:
        """Return what must not be made again and was begun, and has not been told of; with how it ended, if it has."""
        with self._news:
            return dict(self._untold)

    @property
    def at_hand(self) -> bool:
        """Tell whether the next result is there already."""
        return self._outbox.ready > 0

    @property
    def complete(self) -> bool:
        """Tell whether all targets are known."""
        return not self._more and not self._opening

    def _is_over(self) -> bool:
        return not self._more and not self._unfinished

    # -- the workers ---------------------------------------------------------------------------------------------------

    def _hire(self) -> None:
        """Take on one more thread, if there may be one more: no more than there is work for."""
        if self._workers - self._stuck < self._threads:
            self._workers += 1
            # Daemons: a call that hangs must not keep an interrupted program from ending.
            threading.Thread(target=self._work, name=f"mangrove-fleet-{self._workers}", daemon=True).start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            step, error = None, None
            try:
                step = self._workshop.perform(job.task)
            except Exception as raised:  # noqa: BLE001  it is the target's, and costs only itself
                error = raised
            except BaseException as raised:  # noqa: BLE001  `sys.exit` of a user's function would end this thread alone
                error = MangroveError(f"the function ended with {raised!r}")
                error.__cause__ = raised
            self._end(job, step, error)

    def _next(self) -> Job | None:
        with self._ready:
            while not self._cancelled and self._workers - self._stuck <= self._threads:
                now = self._clock()
                job = self._lobby.admit(now) or self._open_next(now)
                if job is not None and job.hopeless:
                    self._give_up(job)
                    continue
                if job is not None:
                    job.began = now
                    job.first = now if job.first is None else job.first
                    self._running.add(job)
                    if not job.task.repeatable:
                        self._untold[job.task.target] = None
                    # Somebody has to wait for what comes next.
                    self._ready.notify() if self._idle else self._hire()
                    return job
                if self._is_over():
                    break
                when = self._lobby.next_time
                self._idle += 1
                self._ready.wait(None if when is None else max(0.0, when - now))
                self._idle -= 1
            self._workers -= 1
            self._ready.notify_all()
            self._news.notify_all()
            return None

    def _open_next(self, now: float) -> Job | None:
        """Open another account: only when there is nothing to do in those that are open."""
        if (
            not self._more
            or self._accounts is None
            or not self._outbox.wants((self._entered, 0))
            or self._opening >= self._threads
        ):
            return None
        task = None
        try:
            task = next(self._accounts, None)
        except Exception as error:  # noqa: BLE001  it is the reader's to raise
            self._broken = error
        if task is None:
            self._more = False
            return None
        self._lobby.add(Job(task, (self._entered, 0), opens=True))
        self._entered += 1
        self._opening += 1
        self._unfinished += 1
        return self._lobby.admit(now)

    # -- what became of a step -----------------------------------------------------------------------------------------

    def _end(self, job: Job, step: Step | None, error: Exception | None) -> None:
        fault = None if error is None else fault_of(error, opt_in=job.task.opt_in)
        # Outside the lock: it may ask STS.
        renewed = fault == "expired" and job.task.repeatable and not job.renewed and self._renew(job)
        with self._ready:
            self._running.discard(job)
            now = self._clock()
            if job.lost:
                self._stuck -= 1
                return
            job.spent += now - job.began
            calls = calls_of(job) if step is None else step.calls
            job.calls += calls
            self.calls += calls
            asked = 0.0 if error is None else retry_after(error)
            self._lobby.leave(job, verdict_of(fault), now, asked)
            if step is not None:
                self._went_well(job, step)
            elif error is not None and fault is not None:
                self._went_wrong(job, error, fault, now, asked, renewed=renewed)

    def _renew(self, job: Job) -> bool:
        job.renewed = True
        try:
            return self._workshop.renew(job.task)
        except Exception:  # noqa: BLE001  the target's error is the one that says what is wrong
            return False

    def _went_well(self, job: Job, step: Step) -> None:
        if job.opens:
            self._opened(job, step)
            return
        if step.rows:
            job.rows += len(step.rows)
            self._put(job, step.rows)
        if step.after is None:
            self._finish(job, "ok", value=step.value)
            return
        job.task, job.attempt = step.after, 0
        self._lobby.add(job)

    def _opened(self, job: Job, step: Step) -> None:
        account = job.index[0]
        target = job.task.target
        self.opened[f"{target.account} {target.service}"] = len(step.tasks) + len(step.outcomes)
        self._opening -= 1
        self._unfinished += len(step.tasks) - 1
        self.targets += len(step.tasks) + len(step.outcomes)
        for number, outcome in enumerate(step.outcomes):
            self._put(Job(job.task, (account, number)), outcome)
        for number, task in enumerate(step.tasks, len(step.outcomes)):
            self._lobby.add(Job(task, (account, number)))
        self._outbox.opened(account, len(step.tasks) + len(step.outcomes))
        self._ready.notify(len(step.tasks))

    def _went_wrong(self, job: Job, error: Exception, fault: Fault, now: float, asked: float, *, renewed: bool) -> None:
        self.throttled += fault == "throttled"
        job.attempt += 1
        job.throttled = fault == "throttled"
        if renewed:
            self._lobby.add(job)
            return
        if job.task.repeatable and is_passing(error):
            wait = self._patience.wait(fault, job.attempt, asked, random.random)
            if wait is not None and job.spent + wait < self._target_deadline:
                job.spent += wait
                self._lobby.later(job, now + wait)
                return
        self._finish(job, fault, error=error)

    def _finish(self, job: Job, kind: Kind, *, value: Any = None, error: Exception | None = None) -> None:
        if job.opens:
            self._opening -= 1
            self.targets += 1
            self._outbox.opened(job.index[0], 1)
        self._unfinished -= 1
        outcome = outcome_of(job, kind, value, error, self._clock())
        if outcome.target in self._untold:
            self._untold[outcome.target] = outcome
        self._put(job, outcome)
        self._workshop.forget(job.task)

    def _give_up(self, job: Job) -> None:
        target = job.task.target
        text = (
            f"{target}: not asked, as {target.service or 'STS'} in {target.region} has not answered many times in a row"
        )
        self._finish(job, "timeout", error=DeadlineError(text))

    def _put(self, job: Job, event: Event) -> None:
        self._outbox.put(job.index, event)
        self._news.notify()

    # -- deadlines -----------------------------------------------------------------------------------------------------

    def _look_at_deadlines(self, now: float) -> None:
        """Give up what is too late, also where there is always something to be read."""
        if now - self._looked < _TICK:
            return
        self._looked = now
        if self._deadline is not None and now - self.started > self._deadline:
            self._end_all(f"the run's deadline of {self._deadline:g} s has passed")
            return
        for job in self._running:
            if self._workshop.is_waiting(job.task):
                job.began = now
        for job in [job for job in self._running if job.spent + now - job.began > self._target_deadline]:
            self._lose(job, f"no answer within the {self._target_deadline:g} s that a target has")

    def _lose(self, job: Job, why: str) -> None:
        """Go on without a job whose thread waits for an answer; another thread takes its place."""
        self._running.discard(job)
        job.lost = True
        job.attempt += 1
        job.calls += calls_of(job)
        self.calls += calls_of(job)
        self._stuck += 1
        self._lobby.leave(job, "slow", self._clock())
        # Whose tries are all refused for the rate has no time-out: that says what to do about it.
        kind: Kind = "throttled" if job.throttled else "timeout"
        self._finish(job, kind, error=DeadlineError(f"{job.task.target}: {why}"))
        self._hire()

    def _end_all(self, why: str) -> None:
        for job in list(self._running):
            self._lose(job, why)
        for job in self._lobby.drain():
            self._finish(job, "timeout", error=DeadlineError(f"{job.task.target}: {why} before it was done"))
        for task in self._accounts or ():
            self._unfinished, self._opening = self._unfinished + 1, self._opening + 1
            job = Job(task, (self._entered, 0), opens=True)
            self._entered += 1
            self._finish(job, "timeout", error=DeadlineError(f"{task.target}: {why} before it was begun"))
        self._more = False
        self._ready.notify_all()
