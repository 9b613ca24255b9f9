"""Plans how an answer reaches the client under a fault: which bytes, which pauses, and how the connection ends."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from mangrove.testing.faults.messages import Answer, Head

__all__ = ["End", "Pace", "Pause", "Step", "deliver"]

_SHORT = 16 << 10
_MOST_SLICES = 64
_PIECES = 20
_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)")


@dataclass(frozen=True, slots=True)
class Pace:
    """Be how long faults of pace last.

    Args:
        latency: seconds that an answer comes late.
        patience: seconds after which a stalled connection is reset, if the client has not given it up.
        refusing: seconds for which new connections are refused.
        bandwidth: bytes a second.
    """

    latency: float = 0.05
    patience: float = 60.0
    refusing: float = 0.05
    bandwidth: float = 1 << 20


@dataclass(frozen=True, slots=True)
class Pause:
    """Be seconds in which nothing comes."""

    seconds: float


@dataclass(frozen=True, slots=True)
class End:
    """Be the end of the connection: a reset, or a close in order."""

    how: Literal["reset", "close"]


Step = bytes | Pause | End
_Deliver = Callable[[Answer, random.Random, Pace], list[Step]]


def deliver(kind: str, answer: Answer, dice: random.Random, pace: Pace) -> list[Step]:
    r"""Return how an answer is delivered under a fault.

    Args:
        kind: of the fault.
        answer: the server's.
        dice: decides where a byte flips or a body ends.
        pace: how long things last.

    Example:
        >>> answer = Answer(Head.parse(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"), b"body")
        >>> deliver("truncated", answer, random.Random(1), Pace())[1:]
        [b'b', End(how='close')]
    """
    return _WAYS[kind](answer, dice, pace)


def _cut(answer: Answer, dice: random.Random) -> int:
    """Return where a body ends too early; before its first byte where it has none to spare."""
    return dice.randrange(len(answer.body)) if answer.body else 0


def _lost(_answer: Answer, _dice: random.Random, _pace: Pace) -> list[Step]:
    return [End("reset")]


def _reset(answer: Answer, dice: random.Random, _pace: Pace) -> list[Step]:
    return [answer.head.raw, answer.body[: _cut(answer, dice)], End("reset")]


def _truncated(answer: Answer, dice: random.Random, _pace: Pace) -> list[Step]:
    return [answer.head.raw, answer.body[: _cut(answer, dice)], End("close")]


def _headless(answer: Answer, dice: random.Random, _pace: Pace) -> list[Step]:
    raw = answer.head.raw
    return [raw[: dice.randrange(1, len(raw) - 1)], End("close")]


def _stall(answer: Answer, _dice: random.Random, pace: Pace) -> list[Step]:
    return [answer.raw[: len(answer.raw) // 2], Pause(pace.patience), End("reset")]


def _slice(answer: Answer, _dice: random.Random, _pace: Pace) -> list[Step]:
    raw = answer.raw
    first = [raw[at : at + 1] for at in range(min(len(raw), _MOST_SLICES))]
    rest = raw[_MOST_SLICES:]
    size = max(1, -(-len(rest) // _PIECES))
    return [*first, *(rest[at : at + size] for at in range(0, len(rest), size))]


def _latency(answer: Answer, _dice: random.Random, pace: Pace) -> list[Step]:
    return [Pause(pace.latency), answer.raw]


def _bandwidth(answer: Answer, _dice: random.Random, pace: Pace) -> list[Step]:
    raw, steps = answer.raw, list[Step]()
    size = max(1, -(-len(raw) // _PIECES))
    for at in range(0, len(raw), size):
        piece = raw[at : at + size]
        steps += [Pause(len(piece) / pace.bandwidth), piece]
    return steps


def _flipped(answer: Answer, dice: random.Random, _pace: Pace) -> list[Step]:
    if not answer.body:
        return [answer.raw]
    body = bytearray(answer.body)
    body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
    return [answer.head.raw, bytes(body)]


def _shorter(answer: Answer, dice: random.Random, _pace: Pace) -> list[Step]:
    # What is left over would be the answer to the next request; servers that miscount end the connection.
    head = answer.head.replaced("Content-Length", str(_cut(answer, dice)))
    return [head.raw + answer.body, End("close")]


def _malformed(answer: Answer, dice: random.Random, _pace: Pace) -> list[Step]:
    body = answer.body[: _cut(answer, dice)]
    return [Answer(answer.head.replaced("Content-Length", str(len(body))), body).raw]


def _elsewhere(answer: Answer, _dice: random.Random, _pace: Pace) -> list[Step]:
    found = _RANGE.fullmatch(answer.head.get("content-range"))
    if found is None:
        return [answer.raw]
    said = f"bytes {int(found[1]) + 1}-{int(found[2]) + 1}/{found[3]}"
    return [Answer(answer.head.replaced("Content-Range", said), answer.body).raw]


def _changed(answer: Answer, _dice: random.Random, _pace: Pace) -> list[Step]:
    head = answer.head
    if head.get("etag"):
        head = head.replaced("ETag", '"' + "0" * 31 + '1"')
    kept = tuple(field for field in head.fields if not field[0].lower().startswith("x-amz-checksum"))
    return [Answer(Head(head.start, kept), answer.body[::-1]).raw]


def _twice(answer: Answer, _dice: random.Random, _pace: Pace) -> list[Step]:
    # In one piece, and short: a client can know of what is there when it reads, and of nothing that comes later.
    return [answer.raw * (2 if len(answer.raw) <= _SHORT else 1)]


def _continued(answer: Answer, _dice: random.Random, _pace: Pace) -> list[Step]:
    return [b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + answer.raw]


def _plain(answer: Answer, _dice: random.Random, _pace: Pace) -> list[Step]:
    return [answer.raw]


_WAYS: Mapping[str, _Deliver] = MappingProxyType(
    {
        "answer_lost": _lost,
        "bandwidth": _bandwidth,
        "duplicated_answer": _twice,
        "extra_continue": _continued,
        "flipped_byte": _flipped,
        "flipped_byte_in_range": _flipped,
        "latency": _latency,
        "malformed": _malformed,
        "no_continue": _plain,
        "no_such_upload": _plain,
        "object_changed": _changed,
        "range_ignored": _plain,
        "reset_in_body": _reset,
        "slice": _slice,
        "stall": _stall,
        "truncated": _truncated,
        "truncated_head": _headless,
        "wrong_length": _shorter,
        "wrong_range": _elsewhere,
    }
)
