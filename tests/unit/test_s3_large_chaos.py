"""Large objects while a fifth, or half, of all calls fail in every way: what is said is true, and nothing is left."""

from __future__ import annotations

import io
import random
import sys
from pathlib import Path

import pytest

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)

from mangrove.s3.rules.policy import Policy  # noqa: E402
from servers.large import DATA, Faulty, Room, lost, refused  # noqa: E402
from servers.threads import begun  # noqa: E402


def truncated(engine, call):
    """Give a part of the bytes, and lose the connection."""
    sink = call.sink
    if sink is None:
        raise lost()

    def half(view):
        sink(view[: len(view) // 2])
        raise lost()

    call.sink = half
    return engine.perform(call)


def whole(engine, call):
    """Ignore a range."""
    if call.sink is not None:
        call.params = {name: value for name, value in call.params.items() if name != "Range"}
    return engine.perform(call)


FAULTS = [
    Faulty.before(lost),
    Faulty.before(lambda: refused("SlowDown", 503)),
    Faulty.before(lambda: refused("InternalError", 500)),
    Faulty.before(lambda: refused("RequestTimeout", 400)),
    Faulty.after(),
    Faulty.after(lambda: refused("InternalError", 500)),
    truncated,
    whole,
]


class Chaotic(Faulty):
    """Fail a share of the calls."""

    def __init__(self, engine, share, seed):
        super().__init__(engine)
        self.random = random.Random(seed)  # noqa: S311  no secret
        self.share = share

    def _fault(self, operation):
        if self.random.random() >= self.share:
            return None
        fault = self.random.choice(FAULTS)
        # A beginning that is done and not heard of leaves an empty upload that nobody knows of.
        return FAULTS[0] if operation == "CreateMultipartUpload" and fault in FAULTS[4:6] else fault


@pytest.mark.parametrize("share", [0.2, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_said_is_true_and_nothing_is_left(tmp_path, share, seed):
    room = Room(tmp_path)
    room.policy = Policy(retries=12)
    room.engine = Chaotic(room.memory, share, seed)
    dice = random.Random(seed)  # noqa: S311  no secret
    folder = tmp_path / "targets"
    folder.mkdir()
    old, failed = b"old", 0
    room.put(old)
    for _ in range(25):
        data = DATA[dice.randrange(50) : dice.randrange(900, len(DATA))]
        path = tmp_path / "file"
        path.write_bytes(data)
        source = dice.choice([path, data, iter([data]), io.BytesIO(data)])
        options = dice.choice([{}, {"checksum_algorithm": "SHA256"}, {"checksum_algorithm": "CRC64NVME"}])
        outcome = room.upload(source, **options).outcome
        assert room.held() == (data if outcome.ok else old)
        old = room.held()
        target = folder / "target"
        target.write_bytes(b"before")
        got = room.download(target).outcome
        assert target.read_bytes() == (old if got.ok else b"before")
        assert [each.name for each in folder.iterdir()] == ["target"]
        copied = room.copy().outcome
        assert not copied.ok or room.held("copy") == old
        failed += (not outcome.ok) + (not got.ok) + (not copied.ok)
        assert not room.uploads or room.journal.exists()
    assert failed == 0
    assert not room.uploads
    assert not begun("mangrove-s3-part")
