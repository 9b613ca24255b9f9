"""Tells the shape of a zoo from several makings of it, and writes and reads the record of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.base import Made
from zoo.official import best_format
from zoo.verdicts import DISPUTED, DOCUMENTED, WRONG, line_for

__all__ = ["TRUTH", "dump", "keyed", "matches", "read", "record_of", "shape_of"]

TRUTH = Path(__file__).with_name("truth.json")
_TOKEN = re.compile(r"([A-Za-z0-9]+)")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+")


def keyed(made: Sequence[Made]) -> dict[tuple[str, str, str, int], Made]:
    """Give each resource a key that it has in every making: service, type, region and its number among those."""
    seen: Counter[tuple[str, str, str]] = Counter()
    answer = {}
    for one in made:
        kind = one.service, one.type, one.region
        answer[(*kind, seen[kind])] = one
        seen[kind] += 1
    return answer


def shape_of(arns: Sequence[str]) -> str:
    """Return the ARN with a star for each part that differs between the makings.

    Example:
        >>> shape_of(["arn:aws:ec2:eu-west-1:1:vpc/vpc-0a1", "arn:aws:ec2:eu-west-1:1:vpc/vpc-7f2"])
        'arn:aws:ec2:eu-west-1:1:vpc/vpc-*'
    """
    split = [_TOKEN.split(_DATE.sub("*", arn)) for arn in arns]
    if len({len(parts) for parts in split}) > 1:
        text = f"not of one shape: {list(arns)}"
        raise ValueError(text)
    return "".join(parts[0] if len(set(parts)) == 1 else "*" for parts in zip(*split, strict=True))


def matches(shape: str, arn: str) -> bool:
    """Say whether an ARN is of the shape."""
    pattern = "[A-Za-z0-9]+".join(re.escape(part) for part in shape.split("*"))
    return re.fullmatch(pattern, _DATE.sub("D", arn)) is not None


def record_of(made: Made, shape: str, formats: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    """Return what is recorded of a resource: what it is, its official format, and the verdict.

    The verdict is `right`, or `moto_wrong` or `disputed` with the reason, or `documented` with the source: right too,
    by a document where the service reference has no form; and `unknown`, which nobody has looked at yet.
    """
    record: dict[str, Any] = {
        "service": made.service, "type": made.type, "region": made.region, "arn": made.arn, "shape": shape,
        "ids": dict(made.ids), "composed": made.composed, "half": made.half,
    }  # fmt: skip
    for verdict, lines in (("moto_wrong", WRONG), ("disputed", DISPUTED), ("documented", DOCUMENTED)):
        if line := line_for(made, lines):
            return record | {"verdict": verdict, "official": line.official, "reason": line.reason}
    official = best_format(made, formats)
    return record | {"verdict": "right" if official else "unknown", "official": official}


def dump(record: Mapping[str, Any]) -> None:
    """Write the record, a resource a line."""
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in record["resources"])
    head = {key: value for key, value in record.items() if key != "resources"}
    text = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    TRUTH.write_text(f'{text},\n "resources": [\n{lines}\n ]\n}}\n', encoding="utf-8")


def read() -> dict[str, Any]:
    """Return the record."""
    record: dict[str, Any] = json.loads(TRUTH.read_text(encoding="utf-8"))
    return record
