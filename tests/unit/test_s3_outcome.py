"""An outcome tells what became of an operation, and never shows what it carried."""

from __future__ import annotations

import dataclasses
import pickle
import traceback
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.s3.outcome import Outcome, Progress

CANARY = "wJalrXUtnFEMIcanary"


def test_it_is_true_if_it_went_well():
    good = Outcome("upload", "logs", "a", "done", size=0)
    bad = Outcome("upload", "logs", "a", error=ValueError("no"))
    assert good
    assert good.ok
    assert not bad
    assert not bad.ok
    assert Outcome("download", "logs", "a", b"").ok  # an empty object is no failure


def test_get_gives_the_value():
    assert Outcome("download", "logs", "a", b"").get() == b""


def test_get_raises_the_error_from_where_it_happened():
    def where_it_happened():
        raise PermissionError("no")

    try:
        where_it_happened()
    except PermissionError as error:
        kept = error
    with pytest.raises(PermissionError) as caught:
        Outcome("upload", "logs", "a", error=kept).get()
    assert caught.value is kept
    assert "where_it_happened" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


def test_it_is_frozen_slotted_and_told_apart_by_identity():
    outcome = Outcome("upload", "logs", "a", ["not hashable"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        outcome.value = 1  # type: ignore[misc]
    assert not hasattr(outcome, "__dict__")
    assert len({outcome, Outcome("upload", "logs", "a")}) == 2


def test_it_goes_to_another_process():
    outcome = pickle.loads(pickle.dumps(Outcome("upload", "logs", "a", "done", error=None, attempts=3)))
    assert (outcome.key, outcome.value, outcome.attempts) == ("a", "done", 3)


@pytest.mark.parametrize(
    "value",
    [
        CANARY.encode() * 3,
        bytearray(CANARY.encode()),
        CANARY,
        {"SSECustomerKey": CANARY},
        [CANARY],
        f"https://logs.s3.amazonaws.com/a?X-Amz-Signature={CANARY}",
        f"HTTPS://user:{CANARY}@host/a",
        memoryview(CANARY.encode()),
    ],
)
def test_a_repr_shows_no_value(value):
    assert CANARY not in repr(Outcome("download", "logs", "a", value))
    assert len(repr(Outcome("download", "logs", "a", value))) < 200


def test_a_repr_tells_what_matters():
    outcome = Outcome("upload", "logs", "a", "done", size=7, verified="CRC32", attempts=2, resumed=5, version_id="v1")
    assert repr(outcome) == (
        "<Outcome upload s3://logs/a: <4 characters>, size=7, verified='CRC32', version_id='v1', attempts=2, resumed=5>"
    )
    assert repr(Outcome("upload", "logs", "a", error=OSError("full"))) == "<Outcome upload s3://logs/a: OSError: full>"


def test_a_repr_shows_where_a_file_went():
    assert "'dir/a'" in repr(Outcome("download", "logs", "a", PurePosixPath("dir/a")))
    assert ": True" in repr(Outcome("delete", "logs", "a", value=True))


def test_a_repr_never_fails():
    class OddError(Exception):
        def __str__(self):
            raise RuntimeError

    assert "OddError" in repr(Outcome("upload", "logs", "a", error=OddError()))


@given(st.text())
def test_a_repr_stays_on_its_line(key):
    shown = repr(Outcome("upload", "logs", key, error=ValueError(key)))
    assert shown.isprintable()
    assert len(shown) < 2000


def test_progress():
    assert Progress().share is None
    assert Progress(total=0).share == 1.0
    assert Progress(done=3, failed=1, total=8).share == 0.5
    assert Progress(done=9, total=8).share == 1.0
    assert Progress(bytes=10).rate == 0.0
    assert Progress(bytes=10, seconds=4.0).rate == 2.5
