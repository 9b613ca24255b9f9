"""Pack rows for the page: as they come, in parts that each stand alone, so that memory does not grow with them."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

from mangrove.inventory.report.details import details_of
from mangrove.inventory.rows import Row

__all__ = ["Packer", "pack"]

# A part is what the page unpacks at once to show one resource's details, and what is held here at once.
_MOST_ROWS = 1_000
_MOST_TEXT = 1_000_000
# More would take twice the time for a twentieth of the size.
_LEVEL = 4


def pack(value: Any) -> bytes:
    """Return JSON, compressed and in base64: an alphabet in which no markup can be written.

    Args:
        value: what JSON can say.

    Example:
        >>> import base64, zlib
        >>> zlib.decompress(base64.b64decode(pack(["</script>"])))
        b'["</script>"]'
    """
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode("ascii"), _LEVEL))


class Packer:
    """Gather rows into parts.

    A part is two texts: the rows as `{"words": [...], "rows": [[account, region, service, type, partition, name, arn,
    tags], ...]}`, where each member is the number of a word (-1 for None) and tags are numbers of keys and values in
    turn, or null; and a list of what the API said of each row, as JSON within JSON, or nothing.

    Args:
        data: whether what the API said of each resource is kept.

    Example:
        >>> packer = Packer()
        >>> packer.add(Row("111111111111", "us-east-1", "s3", "s3.buckets", "logs", None, {}, "aws"))
        >>> [len(part) for part in packer.take()]
        [2]
        >>> packer.take()
        []
    """

    def __init__(self, *, data: bool = True) -> None:
        self._keep_data = data
        self._clear()

    def _clear(self) -> None:
        self._words: dict[str, int] = {}
        self._rows: list[Sequence[Any]] = []
        self._details: list[str] = []
        self._size = 0

    @property
    def full(self) -> bool:
        """Tell whether it is time to take a part."""
        return len(self._rows) >= _MOST_ROWS or self._size >= _MOST_TEXT

    def add(self, row: Row) -> None:
        """Take a row."""
        tags = None
        if row.tags is not None:
            tags = [self._number(text) for pair in row.tags.items() for text in pair]
        members = (row.account, row.region, row.service, row.type, row.partition, row.name)
        arn = -1 if row.arn is None else self._number(row.arn)
        self._rows.append((*map(self._number, members), arn, tags))
        if self._keep_data:
            self._details.append(details_of(row.data))
            self._size += len(self._details[-1])

    def _number(self, word: str) -> int:
        before = len(self._words)
        number = self._words.setdefault(word, before)
        if number == before:
            self._size += len(word)
        return number

    def take(self) -> list[tuple[bytes, bytes]]:
        """Return what was gathered since the last time as a part, packed; none if that is nothing."""
        if not self._rows:
            return []
        rows = pack({"words": list(self._words), "rows": self._rows})
        # The details are JSON already, and the page parses those of one row alone.
        details = pack(json.dumps(self._details)) if self._keep_data else b""
        self._clear()
        return [(rows, details)]
