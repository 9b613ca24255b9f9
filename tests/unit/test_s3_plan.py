"""Part plans: within S3's limits for every size, without a byte twice or missing."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.errors import ConfigError
from mangrove.s3.rules import plan as plans
from mangrove.s3.rules.plan import (
    COPY,
    LARGEST_OBJECT,
    LARGEST_PART,
    LARGEST_PUT,
    LEAST_PART,
    MOST_PARTS,
    Limits,
    Part,
    Plan,
)

MIB, GIB, TIB = 1 << 20, 1 << 30, 1 << 40
SIZES = st.one_of(
    st.integers(0, LARGEST_OBJECT),
    st.integers(0, 200 * MIB),
    st.sampled_from([LARGEST_OBJECT, LARGEST_PUT, MOST_PARTS * LEAST_PART, MOST_PARTS * 16 * MIB]).flatmap(
        lambda edge: st.integers(edge - 2, min(edge + 2, LARGEST_OBJECT))
    ),
)
LIMITS = st.builds(Limits, threshold=st.integers(0, LARGEST_PUT), part_size=st.integers(LEAST_PART, LARGEST_PART))


@given(SIZES, LIMITS)
def test_every_plan_is_within_s3s_limits(size, limits):
    plan = plans.upload_plan(size, limits)
    assert len(plan) <= MOST_PARTS
    assert plan.multipart is (size > limits.threshold)
    first, last = plan.part(1), plan.part(len(plan))
    assert (first.start, last.stop) == (0, size)
    if plan.multipart:
        assert LEAST_PART <= plan.part_size <= LARGEST_PART
        assert plan.part_size >= limits.part_size
        assert 1 <= last.size <= plan.part_size
    else:
        assert len(plan) == 1
        assert last.size <= LARGEST_PUT


@given(st.integers(0, 10_000), st.integers(1, 500))
def test_the_parts_cover_every_byte_once(size, part_size):
    parts = list(Plan(size, part_size, multipart=True))
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert [part.start for part in parts] == [0, *(part.stop for part in parts)][:-1]
    assert parts[-1].stop == size
    assert all(part.size == part_size for part in parts[:-1])


def test_the_largest_object():
    plan = plans.upload_plan(LARGEST_OBJECT)
    assert (len(plan), plan.part_size) == (MOST_PARTS, LARGEST_PART)
    assert 48.8 < LARGEST_OBJECT / TIB < 48.9
    with pytest.raises(ConfigError, match="48.8 TiB"):
        plans.upload_plan(LARGEST_OBJECT + 1)


def test_part_sizes_grow_by_whole_mib():
    assert plans.upload_plan(10_000 * 16 * MIB).part_size == 16 * MIB
    assert plans.upload_plan(10_000 * 16 * MIB + 1).part_size == 17 * MIB


def test_a_part_size_that_just_suffices_is_kept():
    limits = Limits(part_size=LEAST_PART + 1)
    assert plans.upload_plan(MOST_PARTS * (LEAST_PART + 1), limits).part_size == LEAST_PART + 1


def test_what_is_usual():
    assert Limits() == Limits(threshold=16 * MIB, part_size=16 * MIB, least=5 * MIB)
    assert Limits(threshold=256 * MIB, part_size=64 * MIB) == COPY


def test_an_object_of_more_than_five_gib_is_never_one_put():
    # s3po's threshold of 5.88 GiB sent what S3 refuses.
    assert plans.upload_plan(LARGEST_PUT, Limits(threshold=LARGEST_PUT)).multipart is False
    assert plans.upload_plan(LARGEST_PUT + 1, Limits(threshold=LARGEST_PUT)).multipart is True
    assert plans.upload_plan(LARGEST_PUT + 1, COPY).multipart is True


@pytest.mark.parametrize("size", [-1, 1.5, None, "1", True])
def test_no_size(size):
    with pytest.raises(ConfigError, match="whole number of bytes"):
        plans.upload_plan(size)


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": -1},
        {"threshold": LARGEST_PUT + 1},
        {"part_size": LEAST_PART - 1},
        {"part_size": LARGEST_PART + 1},
        {"part_size": 16.0 * MIB},
        {"part_size": True},
        {"least": 0},
    ],
)
def test_no_limits(wrong):
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))} is a whole number of bytes"):
        Limits(**wrong)


def test_other_servers_take_smaller_parts():
    assert len(plans.upload_plan(10, Limits(threshold=0, part_size=4, least=1))) == 3


def test_an_empty_object_is_one_empty_part():
    plan = plans.upload_plan(0, Limits(threshold=0))
    assert list(plan) == [Part(1, 0, 0)]
    assert plan.multipart is False
    with pytest.raises(ValueError, match="no range"):
        _ = plan.part(1).range


def test_no_such_part():
    for number in (0, 3, -1):
        with pytest.raises(IndexError):
            Plan(10, 5, multipart=True).part(number)


def test_plans_are_frozen():
    for frozen, name in ((Plan(1, 1, multipart=True), "size"), (Part(1, 0, 1), "size"), (Limits(), "threshold")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(frozen, name, 2)
        assert not hasattr(frozen, "__dict__")


@given(st.integers(1, LARGEST_PART))
def test_streams_begin_small_and_reach_far(first):
    sizes = [plans.stream_part_size(number, first) for number in range(1, MOST_PARTS + 1)]
    assert sizes[0] == first
    assert sizes == sorted(sizes)
    assert sizes[-1] <= LARGEST_PART
    assert sum(sizes) == plans.stream_capacity(first)


def test_how_far_streams_reach():
    assert plans.stream_capacity() > 12 * TIB
    assert plans.stream_capacity(LEAST_PART) > 4 * TIB
    assert plans.stream_capacity(LARGEST_PART) == LARGEST_OBJECT
    with pytest.raises(ConfigError, match="say its size, or choose a larger part_size"):
        plans.stream_part_size(MOST_PARTS + 1)


@given(st.integers(0, 200 * TIB), LIMITS)
def test_downloads_cover_all(size, limits):
    plan = plans.download_plan(size, limits)
    assert plan.multipart is (size > limits.threshold)
    assert plan.part(len(plan)).stop == size
    assert plan.part(1).size <= max(limits.threshold, limits.part_size)


def test_ranges():
    assert Part(1, 0, 1).range == "bytes=0-0"
    assert Part(1, 5 * GIB, 5 * GIB).range == f"bytes={5 * GIB}-{10 * GIB - 1}"


@given(st.integers(1, 3000), st.integers(1, 100), st.data())
def test_what_is_missing_and_what_is_there_are_all(size, part_size, data):
    plan = Plan(size, part_size, multipart=True)
    there = data.draw(st.sets(st.integers(1, len(plan))))
    done = {number: plan.part(number).size for number in there}
    left = [part.number for part in plans.missing(plan, done)]
    assert sorted([*there, *left]) == list(range(1, len(plan) + 1))
    assert len(list(plans.missing(plan, dict.fromkeys(there, 0)))) == len(plan)


@given(st.integers(0, 300), st.lists(st.tuples(st.integers(0, 320), st.integers(0, 60))), st.integers(1, 50))
def test_gaps_are_what_no_run_covers(size, runs, part_size):
    done = [(start, start + length) for start, length in runs]
    parts = list(plans.gaps(size, done, part_size))
    asked = [byte for part in parts for byte in range(part.start, part.stop)]
    assert asked == [byte for byte in range(size) if not any(start <= byte < stop for start, stop in done)]
    assert all(1 <= part.size <= part_size for part in parts)
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
