"""A reply that is made when somebody reads it: the ETag of an object that nobody asks for is never computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mangrove.s3.engines.base import Reply

__all__ = ["LateReply"]


class LateReply(Reply):
    """Be a reply whose members are computed at the first look.

    Args:
        status: the HTTP status code.
        make: returns the members; called once, if at all.
    """

    __slots__ = ("_make",)

    def __init__(self, status: int, make: Callable[[], dict[str, Any]]) -> None:
        super().__init__(status)
        self._make = make

    @property
    def data(self) -> Mapping[str, Any]:
        """Return the answer as botocore parses it."""
        if self._data is None:
            self._data = self._make()
        return self._data
