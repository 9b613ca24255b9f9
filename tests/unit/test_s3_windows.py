"""A prefix that S3 slows down gets fewer calls at once, then more again, and costs memory only while it is slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.s3.rules.windows import Windows, prefix_of


@pytest.mark.parametrize(
    ("key", "prefix"), [("a/b/c", "b/a/"), ("a", "b/"), ("/a", "b//"), ("a/", "b/a/"), ("", "b/"), ("é/x", "b/é/")]
)
def test_prefixes(key, prefix):
    assert prefix_of("b", key) == prefix


def test_nothing_is_kept_of_what_is_not_slowed():
    windows = Windows(most=4)
    for number in range(10_000):
        assert windows.begin(f"b/{number}/")
        windows.end(f"b/{number}/", well=True)
    assert len(windows) == 0


def test_slowing_down_halves_and_holds():
    windows = Windows(most=100)
    windows.slow("b/", running=100, now=0.0)
    assert windows.size("b/") == 50
    assert [windows.begin("b/") for _ in range(51)] == [True] * 50 + [False]
    assert windows.begin("c/")
    windows.end("b/", well=False)
    assert windows.begin("b/")
    assert not windows.begin("b/")


def test_a_burst_of_answers_halves_once():
    windows = Windows(most=100, pause=1.0)
    for _ in range(50):
        windows.slow("b/", running=100, now=0.5)
    assert windows.size("b/") == 50
    windows.slow("b/", running=50, now=1.5)
    assert windows.size("b/") == 25


def test_it_never_stops_altogether():
    windows = Windows(most=100)
    for second in range(20):
        windows.slow("b/", running=1, now=2.0 * second)
    assert windows.size("b/") == 1
    assert windows.begin("b/")


def test_successes_widen_it_by_one_a_round_and_then_it_is_forgotten():
    windows = Windows(most=8)
    windows.slow("b/", running=8, now=0.0)
    rounds = []
    while len(windows):
        size = windows.size("b/")
        rounds.append(size)
        for _ in range(size + 1):
            windows.end("b/", well=True)
    assert rounds == sorted(set(rounds))
    assert rounds[0] == 4
    assert 3 <= len(rounds) <= 5


def test_calls_from_before_are_not_counted_below_nothing():
    windows = Windows(most=8)
    windows.slow("b/", running=8, now=0.0)
    for _ in range(8):
        windows.end("b/", well=False)
    assert [windows.begin("b/") for _ in range(5)] == [True] * 4 + [False]


def test_the_number_of_prefixes_is_bounded():
    windows = Windows(most=8, kept=10)
    for number in range(1000):
        windows.slow(f"b/{number}/", running=8, now=float(number))
    assert len(windows) == 10
    assert windows.size("b/999/") == 4
    assert windows.size("b/0/") == 8


@given(st.lists(st.sampled_from(["begin", "well", "badly", "slow"]), max_size=200), st.integers(1, 20))
def test_no_more_run_than_the_window_lets(steps, most):
    windows = Windows(most=most, pause=0.0)
    windows.slow("b/", running=most, now=0.0)
    running = 0
    for now, step in enumerate(steps):
        known = len(windows)
        if step == "begin":
            began = windows.begin("b/")
            assert began is (running < windows.size("b/")) or not known
            running += began
        elif step == "slow":
            windows.slow("b/", running=running, now=float(now))
        elif running:
            running -= 1
            windows.end("b/", well=step == "well")
        assert 1 <= windows.size("b/") <= most
        if known and not len(windows):
            return
