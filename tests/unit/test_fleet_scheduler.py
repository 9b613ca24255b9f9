"""The scheduler with made-up work and real threads: every target once, in time, no faster than it is read."""

from __future__ import annotations

import itertools
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from mangrove.errors import DeadlineError, MangroveError
from mangrove.fleet.gate import Gate
from mangrove.fleet.limits import Limit, Limits, Scope
from mangrove.fleet.lobby import Lobby
from mangrove.fleet.outbox import AsTheyCome, InTheirOrder
from mangrove.fleet.outcome import Outcome, Target
from mangrove.fleet.scheduler import Scheduler
from mangrove.fleet.tasks import Step
from mangrove.fleet.trying import Patience
from mangrove.fleet.turns import InOrder, RoundRobin

QUICK = Patience(first=0.001, longest=0.01)
ACCOUNTS = ("111111111111", "222222222222", "333333333333")


def error(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "ListThings")


@dataclass(frozen=True)
class Work:
    """Be a task that does what it is told."""

    target: Target
    do: Callable[[], Any] = field(default=lambda: None)
    repeatable: bool = True
    scope: Scope | None = None
    opt_in: bool = False

    def step(self, context: Any) -> Step:
        done = self.do()
        return done if isinstance(done, Step) else Step(value=done)


def works(account: str, dos: list[Callable[[], Any]], **more: Any) -> tuple[Work, ...]:
    return tuple(Work(Target(account, f"eu-{number}"), do, **more) for number, do in enumerate(dos))


def opening(account: str, tasks: tuple[Work, ...], *outcomes: Outcome[Any]) -> Work:
    return Work(Target(account, "*"), lambda: Step(tasks=tasks, outcomes=outcomes))


class Shop:
    def __init__(self) -> None:
        self.performed: Counter[str] = Counter()
        self.renewed: list[Target] = []
        self.forgotten: list[Target] = []
        self.waiting: set[Target] = set()
        self.cancelled = False
        self.lock = threading.Lock()

    def know(self, account: Any) -> None: ...

    def perform(self, task: Any) -> Step:
        with self.lock:
            self.performed[str(task.target)] += 1
        return task.step(None)

    def renew(self, task: Any) -> bool:
        self.renewed.append(task.target)
        return True

    def is_waiting(self, task: Any) -> bool:
        return task.target in self.waiting

    def forget(self, task: Any) -> None:
        self.forgotten.append(task.target)

    def cancel(self) -> None:
        self.cancelled = True


def made(openings: Any, *, ordered: bool = False, most: int = 16, limits: Any = (), **options: Any) -> Scheduler:
    turns: Any = InOrder() if ordered else RoundRobin()
    outbox = InTheirOrder(most) if ordered else AsTheyCome(most)
    settings = {"threads": 4, "target_deadline": 60.0, "patience": QUICK, **options}
    settings.setdefault("workshop", Shop())
    gate = Gate(Limits(tuple(limits)))
    return Scheduler(lambda: iter(openings), lobby=Lobby(gate, turns, outbox.wants), outbox=outbox, **settings)


def read(scheduler: Scheduler) -> list[Any]:
    return list(iter(scheduler.take, None))


def outcomes(scheduler: Scheduler) -> dict[str, Outcome[Any]]:
    found = [event for event in read(scheduler) if isinstance(event, Outcome)]
    assert len({each.target for each in found}) == len(found), "a target has two outcomes"
    return {str(each.target): each for each in found}


def only(do: Callable[[], Any], **options: Any) -> Outcome[Any]:
    """Return what becomes of one target."""
    more = {name: options.pop(name) for name in ("repeatable", "scope", "opt_in") if name in options}
    (outcome,) = outcomes(made([opening(ACCOUNTS[0], works(ACCOUNTS[0], [do], **more))], **options)).values()
    return outcome


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive(), f"{thread.name} is left"


def says(*answers: Any) -> Callable[[], Any]:
    """Return a function that gives, or raises, one answer after the other."""
    left = iter(answers)

    def do() -> Any:
        answer = next(left)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return do


# -- all of it, once ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("threads", [1, 3, 32])
def test_every_target_has_one_outcome(ordered, threads):
    openings = [opening(each, works(each, [lambda: None] * 40)) for each in ACCOUNTS]
    scheduler = made(openings, ordered=ordered, threads=threads)
    found = read(scheduler)
    assert Counter(each.kind for each in found) == {"ok": 120}
    assert len({each.target for each in found}) == 120
    assert scheduler.targets == 120
    assert scheduler.complete
    if ordered:
        assert [each.target.account for each in found] == [each for each in ACCOUNTS for _ in range(40)]
        assert [each.target.region for each in found] == [f"eu-{n}" for _ in ACCOUNTS for n in range(40)]


@pytest.mark.parametrize("ordered", [False, True])
def test_rows_come_before_the_outcome_that_counts_them(ordered):
    def pages(number):
        last = Work(Target(ACCOUNTS[0], f"eu-{number}"), lambda: Step([3]))
        second = Work(last.target, lambda: Step([], after=last))  # a page may be empty
        return replace(last, do=lambda: Step([1, 2], after=second))

    scheduler = made([opening(ACCOUNTS[0], tuple(pages(number) for number in range(9)))], ordered=ordered)
    found = read(scheduler)
    ended = [each for each in found if isinstance(each, Outcome)]
    assert [(each.rows, each.calls, each.attempts, each.kind) for each in ended] == [(3, 3, 1, "ok")] * 9
    assert sum(len(each) for each in found if not isinstance(each, Outcome)) == 27
    if ordered:
        assert found[:3] == [[1, 2], [3], ended[0]]


def test_as_many_steps_as_there_are_threads_are_made_at_once():
    together = threading.Barrier(6)
    found = outcomes(
        made([opening(each, works(each, [lambda: together.wait(10)] * 6)) for each in ACCOUNTS], threads=6)
    )
    assert {each.kind for each in found.values()} == {"ok"}


def test_no_thread_is_made_before_there_is_work_for_it():
    outcomes(made([opening(ACCOUNTS[0], works(ACCOUNTS[0], [lambda: None]))], threads=500))
    assert sum(thread.name.startswith("mangrove-fleet") for thread in threading.enumerate()) < 10


def test_accounts_without_targets_are_passed_over():
    empty = [opening(each, ()) for each in ACCOUNTS]
    full = opening("444444444444", works("444444444444", [lambda: None] * 3))
    for ordered in (False, True):
        assert len(outcomes(made([*empty, full, *empty], ordered=ordered))) == 3
        assert outcomes(made(empty, ordered=ordered)) == {}
        assert outcomes(made([], ordered=ordered)) == {}


def test_an_account_that_can_not_be_opened_is_one_failed_target():
    broken = Work(Target(ACCOUNTS[0], "*"), says(error("AccessDenied")))
    skipped = Outcome(Target(ACCOUNTS[1], "me-south-1"), "disabled")
    for ordered in (False, True):
        broken = replace(broken, do=says(error("AccessDenied")))
        scheduler = made([broken, opening(ACCOUNTS[1], works(ACCOUNTS[1], [lambda: None]), skipped)], ordered=ordered)
        found = outcomes(scheduler)
        assert {name: each.kind for name, each in found.items()} == {
            f"{ACCOUNTS[0]} *": "denied",
            f"{ACCOUNTS[1]} me-south-1": "disabled",
            f"{ACCOUNTS[1]} eu-0": "ok",
        }
        assert scheduler.targets == 3
        assert scheduler.opened == {f"{ACCOUNTS[1]} ": 2}


# -- no faster than it is read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [False, True])
def test_a_slow_reader_stops_the_work(ordered):
    shop, most, threads = Shop(), 10, 4
    openings = [opening(each, works(each, [lambda: None] * 400)) for each in ACCOUNTS]
    scheduler = made(openings, ordered=ordered, most=most, threads=threads, workshop=shop)
    for taken in range(1, 60):
        assert scheduler.take() is not None
        threading.Event().wait(0.002)
        # Beside what was read and what waits, in its turn or for it: what is under way, and the accounts' opening.
        waiting = 2 * most if ordered else most
        assert sum(shop.performed.values()) <= taken + waiting + threads + len(ACCOUNTS)
    assert len(read(scheduler)) == 1200 - 59


def test_accounts_are_not_opened_before_there_is_need():
    ids = [f"{number:012}" for number in range(200)]
    shop = Shop()
    scheduler = made([opening(each, works(each, [lambda: None] * 10)) for each in ids], workshop=shop)
    scheduler.take()
    threading.Event().wait(0.02)
    assert sum(name.endswith("*") for name in shop.performed) < 20
    assert len(read(scheduler)) == 1999


def test_a_million_rows_are_flat_in_memory():
    def page(left):
        rows = [object() for _ in range(500)]
        return Step(rows, after=Work(target, lambda: page(left - 1)) if left else None)

    target = Target(ACCOUNTS[0], "eu-0")
    pages = 250
    scheduler = made([opening(each, (Work(Target(each, "eu-0"), lambda: page(pages - 1)),)) for each in "abcdefgh"])
    tracemalloc.start()
    try:
        count = 0
        while (event := scheduler.take()) is not None:
            count += 0 if isinstance(event, Outcome) else len(event)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 8 * pages * 500
    # 16 pages that wait and 4 under way are half a megabyte; all of them would be 24.
    assert peak < 3_000_000


def test_a_slow_account_delays_nobody():
    slow = threading.Event()
    shop = Shop()
    openings = [
        opening(ACCOUNTS[0], works(ACCOUNTS[0], [lambda: slow.wait(10)] * 3)),
        *(opening(each, works(each, [lambda: None] * 50)) for each in ACCOUNTS[1:]),
    ]
    scheduler = made(openings, workshop=shop)
    first = [scheduler.take() for _ in range(100)]
    assert {each.target.account for each in first} == set(ACCOUNTS[1:])
    slow.set()
    assert {each.target.account for each in read(scheduler)} == {ACCOUNTS[0]}


# -- the end -----------------------------------------------------------------------------------------------------------


def test_who_stops_reading_and_cancels_stops_the_work():
    shop = Shop()
    scheduler = made([opening(each, works(each, [lambda: None] * 400)) for each in ACCOUNTS], workshop=shop)
    scheduler.take()
    scheduler.cancel()
    assert shop.cancelled
    assert sum(shop.performed.values()) < 60


def test_what_is_under_way_when_it_is_cancelled_is_dropped():
    hold, begun = threading.Event(), threading.Event()

    def do():
        begun.set()
        hold.wait(10)

    scheduler = made([opening(ACCOUNTS[0], works(ACCOUNTS[0], [lambda: None, do, do]))], threads=2)
    scheduler.take()
    assert begun.wait(10)
    scheduler.cancel()
    assert scheduler.take() is None
    hold.set()


def test_cancelling_before_the_beginning_begins_nothing():
    shop = Shop()
    scheduler = made([opening(ACCOUNTS[0], works(ACCOUNTS[0], [lambda: None]))], workshop=shop)
    scheduler.cancel()
    assert scheduler.take() is None
    assert not shop.performed


def test_a_run_may_be_cancelled_by_a_thread_of_its_own():
    # As the garbage collector does, which may run wherever something is allocated, the lock held.
    scheduler = made([opening(ACCOUNTS[0], works(ACCOUNTS[0], [lambda: None] * 50))])
    real = scheduler._outbox.put

    def put(index, event):
        scheduler.cancel()
        real(index, event)

    scheduler._outbox.put = put
    read(scheduler)


def test_the_source_of_accounts_may_fail():
    def fail():
        raise LookupError("no accounts")

    scheduler = made([])
    scheduler._begin = fail
    with pytest.raises(LookupError, match="no accounts"):
        scheduler.take()

    def some():
        yield opening(ACCOUNTS[0], works(ACCOUNTS[0], [lambda: None]))
        raise LookupError("no more accounts")

    scheduler = made(some())
    with pytest.raises(LookupError, match="no more accounts"):
        read(scheduler)
    scheduler.cancel()


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raised", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_a_function_that_ends_the_program_ends_its_target_alone(raised):
    found = outcomes(made([opening(ACCOUNTS[0], works(ACCOUNTS[0], [says(raised), lambda: 1]))], threads=1))
    failed, fine = found.values()
    assert (failed.kind, fine.kind, fine.value) == ("failed", "ok", 1)
    assert isinstance(failed.error, MangroveError)
    assert failed.error.__cause__ is raised


def test_an_error_of_another_library_is_the_targets_too():
    class StrangeError(Exception):
        response = object()  # as httpx's errors have it

    outcome = only(says(StrangeError("why")))
    assert (outcome.kind, str(outcome.error)) == ("failed", "why")
    assert outcome.to_dict()["error"] == {"type": "StrangeError", "code": "", "message": "why"}


@pytest.mark.parametrize(
    ("answers", "kind", "attempts"),
    [
        ([error("InternalError", 500), EndpointConnectionError(endpoint_url="https://x"), "fine"], "ok", 3),
        ([error("InternalError", 500)] * 4, "failed", 4),
        ([ReadTimeoutError(endpoint_url="https://x")] * 2, "timeout", 2),
        ([*[error("Throttling")] * 9, "fine"], "ok", 10),
        ([error("AccessDenied")], "denied", 1),
        ([ValueError("no")], "failed", 1),
    ],
)
def test_what_may_pass_is_tried_again(answers, kind, attempts):
    outcome = only(says(*answers))
    assert (outcome.kind, outcome.attempts) == (kind, attempts)
    assert outcome.value == ("fine" if kind == "ok" else None)


def test_the_calls_of_a_function_are_not_counted():
    # Nobody knows how many there were; so where the limits have no scope of theirs there are none.
    assert only(says(Step(calls=0))).calls == 0
    assert only(says(ValueError("no")), repeatable=False).calls == 0
    scope = Scope(ACCOUNTS[0], "eu-0", "ec2", "DescribeVpcs")
    assert only(says(error("InternalError", 500), "fine"), scope=scope).calls == 2


def test_what_changes_something_is_not_made_again():
    outcome = only(says(error("InternalError", 500)), repeatable=False)
    assert (outcome.kind, outcome.attempts) == ("failed", 1)


def test_throttled_to_the_end_of_its_time():
    outcome = only(says(*[error("Throttling")] * 1000), target_deadline=0.5)
    assert outcome.kind == "throttled"
    assert 1 < outcome.attempts < 1000


def test_a_wait_that_aws_asks_for_and_that_is_too_long_ends_the_target():
    asked = error("Throttling")
    asked.response["ResponseMetadata"]["HTTPHeaders"] = {"retry-after": "3600"}
    assert only(says(asked)).kind == "throttled"


def test_expired_credentials_are_renewed_once():
    shop = Shop()
    outcome = only(says(error("ExpiredToken"), "fine"), workshop=shop)
    assert (outcome.kind, outcome.attempts, len(shop.renewed)) == ("ok", 2, 1)

    shop = Shop()
    outcome = only(says(error("ExpiredToken"), error("ExpiredToken")), workshop=shop)
    assert (outcome.kind, outcome.attempts, len(shop.renewed)) == ("expired", 2, 1)


def test_what_can_not_be_made_again_is_not_after_new_credentials_either():
    # A function may have done half of its work; a list that broke off can't be gone on with, and would seem complete.
    outcome = only(says(error("ExpiredToken"), "again"), repeatable=False)
    assert (outcome.kind, outcome.attempts) == ("expired", 1)


def test_a_renewal_that_fails_leaves_the_targets_own_error():
    class Broken(Shop):
        def renew(self, task):
            raise OSError("no STS")

    outcome = only(says(error("ExpiredToken")), workshop=Broken())
    assert (outcome.kind, outcome.error.response["Error"]["Code"]) == ("expired", "ExpiredToken")


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [False, True])
def test_what_hangs_is_given_up_and_the_others_go_on_at_full_width(ordered):
    hold, begun, now = threading.Event(), [], [0.0]
    together = threading.Barrier(2)

    def hang():
        begun.append(1)
        now[0] = 100.0 * (len(begun) // 2)  # when both hang, time goes on
        hold.wait(20)

    scope = Scope(ACCOUNTS[0], "eu-0", "ec2", "X")
    tasks = works(ACCOUNTS[0], [*[hang] * 2, *[lambda: together.wait(20)] * 8], scope=scope)
    # Two threads hang, so that two others must have come in their place.
    scheduler = made([opening(ACCOUNTS[0], tasks)], threads=2, ordered=ordered, clock=lambda: now[0])
    found = outcomes(scheduler)
    assert [found[f"{ACCOUNTS[0]} eu-{number}"].kind for number in range(10)] == ["timeout"] * 2 + ["ok"] * 8
    lost = found[f"{ACCOUNTS[0]} eu-0"]
    assert isinstance(lost.error, DeadlineError)
    assert (lost.attempts, lost.calls) == (1, 1)
    hold.set()


def test_what_hangs_is_given_up_while_others_keep_the_reader_busy():
    hold = threading.Event()

    def page():
        return Step([0], after=None if hold.is_set() else Work(busy, page))

    busy = Target(ACCOUNTS[0], "eu-busy")
    tasks = (Work(Target(ACCOUNTS[0], "eu-0"), lambda: hold.wait(20)), Work(busy, page))
    scheduler = made([opening(ACCOUNTS[0], tasks)], threads=2, target_deadline=10_000.0, clock=Clock(1.0))
    for event in iter(scheduler.take, None):
        if isinstance(event, Outcome) and event.target.region == "eu-0":
            assert event.kind == "timeout"
            hold.set()


class Clock:
    """Be a clock that goes on with each look."""

    def __init__(self, step: float) -> None:
        self._times = itertools.count(0, step)

    def __call__(self) -> float:
        return next(self._times)


@pytest.mark.parametrize("ordered", [False, True])
def test_at_the_deadline_of_the_run_every_target_has_an_outcome(ordered):
    hold = threading.Event()
    ids = [f"{number:012}" for number in range(30)]
    openings = [opening(each, works(each, [lambda: hold.wait(20)] * 3)) for each in ids]
    found = outcomes(made(openings, threads=4, deadline=0.3, ordered=ordered))
    hold.set()
    assert {each.kind for each in found.values()} == {"timeout"}
    assert {each.target.account for each in found.values()} == set(ids)
    assert all(isinstance(each.error, DeadlineError) for each in found.values())


def test_the_deadline_holds_for_who_is_always_busy_reading():
    def page():
        return Step([0], after=Work(target, page))

    target = Target(ACCOUNTS[0], "eu-0")
    scheduler = made([opening(ACCOUNTS[0], (Work(target, page),))], deadline=5_000.0, clock=Clock(1.0))
    *rows, last = read(scheduler)
    assert last.kind == "timeout"
    assert last.rows == len(rows)


def test_the_deadline_counts_from_the_beginning_of_the_work():
    now = [0.0]
    scheduler = made([opening(ACCOUNTS[0], works(ACCOUNTS[0], [lambda: 1]))], deadline=60.0, clock=lambda: now[0])
    now[0] = 3600.0  # the run was made, and read an hour later
    assert [each.kind for each in outcomes(scheduler).values()] == ["ok"]
    assert scheduler.seconds == 0.0


def test_waiting_in_an_executors_queue_is_no_time_of_the_target():
    shop, hold, now = Shop(), threading.Event(), [0.0]
    (task,) = works(ACCOUNTS[0], [lambda: hold.wait(20)])
    shop.waiting = {task.target}
    scheduler = made([opening(ACCOUNTS[0], (task,))], workshop=shop, target_deadline=10.0, clock=lambda: now[0])
    ended: list[Any] = []
    reader = threading.Thread(target=lambda: ended.extend(read(scheduler)))
    reader.start()
    for _ in range(5):
        now[0] += 8.0
        threading.Event().wait(0.05)
        scheduler._look_at_deadlines(now[0])
    hold.set()
    reader.join(20)
    assert [each.kind for each in ended] == ["ok"]


def test_waiting_for_a_limit_is_no_time_of_the_target():
    limit = Limit("one", max_concurrency=1)
    scope = Scope(ACCOUNTS[0], "eu-0", "ec2", "DescribeVpcs")
    under_way, most = [], []

    def do():
        under_way.append(1)
        most.append(len(under_way))
        threading.Event().wait(0.01)
        under_way.pop()

    found = outcomes(made([opening(ACCOUNTS[0], works(ACCOUNTS[0], [do] * 20, scope=scope))], limits=[limit]))
    assert {each.kind for each in found.values()} == {"ok"}
    assert max(most) == 1


def test_a_rate_holds_nobody_for_ever():
    limit = Limit("rate", rate=500, burst=1)
    scopes = [Scope(ACCOUNTS[0], f"eu-{number}", "ec2", "DescribeVpcs") for number in range(40)]
    tasks = tuple(Work(Target(ACCOUNTS[0], scope.region), scope=scope) for scope in scopes)
    for ordered in (False, True):
        found = outcomes(made([opening(ACCOUNTS[0], tasks)], limits=[limit], ordered=ordered))
        assert len(found) == 40


def test_what_is_kept_for_a_target_is_let_go():
    shop = Shop()
    found = outcomes(made([opening(ACCOUNTS[0], works(ACCOUNTS[0], [lambda: 1, says(ValueError())]))], workshop=shop))
    assert {str(each) for each in shop.forgotten} == set(found)
