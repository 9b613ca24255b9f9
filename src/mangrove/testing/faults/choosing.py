"""Decides which request has which fault: by a script, or by dice that fall the same for the same request and seed."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.testing.faults.asked import Asked
from mangrove.testing.faults.kinds import Kind, fits, known_kinds

__all__ = ["Chooser", "Match", "Scripted", "checked", "matches", "scripted"]

Match: TypeAlias = "Mapping[str, str] | Callable[[Asked], object]"
_FIELDS = ("service", "operation", "bucket", "key", "account", "region", "method", "part", "range")
_COUNTS = ("nth", "times")


@dataclass(slots=True)
class Scripted:
    """Be one line of a script: what fault, of which requests, from which one on, and how often.

    Args:
        kind: of the fault.
        match: of the requests that count.
        nth: the number of the first one that it happens to, from 1.
        times: to how many it happens.
    """

    kind: Kind
    match: Match | None
    nth: int = 1
    times: int = 1

    def next(self, asked: Asked) -> bool:
        """Say whether it happens to this request, which counts if it matches."""
        if self.times <= 0 or not (matches(self.match, asked) and fits(self.kind, asked)):
            return False
        self.nth -= 1
        if self.nth > 0:
            return False
        self.times -= 1
        return True


def matches(match: Match | None, asked: Asked) -> bool:
    """Say whether a request is among those that are meant.

    Args:
        match: fields of the request with their values, or a function of it; None means all.
        asked: the request.

    Example:
        >>> matches({"operation": "GetObject"}, Asked("GET", "/b/k", operation="GetObject"))
        True
    """
    if match is None:
        return True
    if callable(match):
        return bool(match(asked))
    return all(getattr(asked, name) == value for name, value in match.items())


def checked(match: Any) -> Match | None:
    """Return what is meant, once it is known to be sound.

    Raises:
        ConfigError: it names a field that requests don't have.
        DeclarationTypeError: it is neither a mapping nor a function.
    """
    if match is None or callable(match):
        return match  # type: ignore[no-any-return]
    if not isinstance(match, Mapping):
        text = f"match is a mapping of fields to values, or a function of a request; got {match!r}"
        raise DeclarationTypeError(text)
    if unknown := sorted(set(match) - set(_FIELDS)):
        text = f"requests have no {', '.join(map(repr, unknown))}; match by {', '.join(_FIELDS)}"
        raise ConfigError(text)
    return dict(match)


def scripted(script: Sequence[Any]) -> list[Scripted]:
    """Return the lines of a script.

    Args:
        script: names of kinds, or pairs of a name and a match that may have "nth" and "times" in it.

    Raises:
        ConfigError: a line names what there is not, or counts from less than 1.

    Example:
        >>> (line,) = scripted([("throttle", {"operation": "PutObject", "nth": 2})])
        >>> line.kind.name, line.nth, line.times, line.match
        ('throttle', 2, 1, {'operation': 'PutObject'})
    """
    if isinstance(script, str):
        text = f"a script is a sequence of lines, not the string {script!r}; write [{script!r}]"
        raise DeclarationTypeError(text)
    return [_line(line) for line in script]


def _line(line: Any) -> Scripted:
    name, match = (line, None) if isinstance(line, str) else line
    counts = {}
    if isinstance(match, Mapping):
        counts = {each: match[each] for each in _COUNTS if each in match}
        match = {each: value for each, value in match.items() if each not in _COUNTS}
    for each, value in counts.items():
        if type(value) is not int or value < 1:
            text = f"{each} is a whole number from 1; got {value!r}"
            raise ConfigError(text)
    (kind,) = known_kinds([name])
    return Scripted(kind, checked(match), **counts)


class Chooser:
    """Choose faults.

    What the dice say depends on the seed, on what is asked for, and on how often that was asked before; not on the
    order in which threads come. So a run with the same requests has the same faults.

    Args:
        rate: the share of requests that have a fault, 0 to 1.
        kinds: the names of those that may happen.
        seed: of the dice.
        match: of the requests that may have one.
        script: what happens beside the dice, and before them.
        in_a_row: how many tries of one request in a row may have a fault; None for any number.

    Raises:
        ConfigError: an argument is wrong.
    """

    def __init__(
        self,
        rate: float,
        kinds: Sequence[str],
        seed: int,
        match: Match | None = None,
        script: Sequence[Any] = (),
        in_a_row: int | None = None,
    ) -> None:
        _check_share(rate)
        if in_a_row is not None and (type(in_a_row) is not int or in_a_row < 1):
            text = f"in_a_row is a whole number from 1, or None; got {in_a_row!r}"
            raise ConfigError(text)
        self._rate, self._seed, self._in_a_row = rate, seed, in_a_row
        self._kinds, self._match = known_kinds(kinds), checked(match)
        self._script = scripted(script)
        self._asked: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._lock = threading.Lock()

    def choose(self, asked: Asked) -> tuple[Kind, random.Random] | None:
        """Return the fault of a request, with the dice that its particulars fall by, or None."""
        identity = asked.identity
        with self._lock:
            self._asked[identity] += 1
            # Dice of tests: nothing is guarded by them.
            dice = random.Random(f"{self._seed}\n{self._asked[identity]}\n{identity}")  # noqa: S311
            kind = next((line.kind for line in self._script if line.next(asked)), None)
            if kind is None and dice.random() < self._rate and matches(self._match, asked):
                kind = self._thrown(asked, dice)
            if kind is None:
                self._rows.pop(identity, None)
                return None
            self._rows[identity] += 1
        return kind, dice

    def _thrown(self, asked: Asked, dice: random.Random) -> Kind | None:
        if self._in_a_row is not None and self._rows[asked.identity] >= self._in_a_row:
            return None
        fitting = [kind for kind in self._kinds if fits(kind, asked)]
        return dice.choice(fitting) if fitting else None


def _check_share(rate: Any) -> None:
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
        text = f"rate is a share, from 0 to 1; got {rate!r}"
        raise ConfigError(text)
