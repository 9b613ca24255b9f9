"""Hold HTTP headers in botocore's own types, for handlers that know them, and without their cost.

botocore keeps a request's headers in the standard library's e-mail message, which looks for broken unicode in every
value at every look, and an answer's in a mapping written in Python, with an object for each name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mangrove.aws._botocore import HeadersDict, HTTPHeaders

__all__ = ["QuickHeaders", "QuickHeadersDict"]


class QuickHeaders(HTTPHeaders):
    """Be a request's headers as botocore has them: a message whose plain values are read without a look at each."""

    _headers: list[tuple[str, Any]]

    def items(self) -> list[tuple[str, Any]]:
        """Return all names and values; see `email.message.Message`."""
        found = self._headers
        for _, value in found:
            if type(value) is str and not value.isascii():
                everything: list[tuple[str, Any]] = super().items()
                return everything
        return found[:]

    def get(self, name: str, failobj: Any = None) -> Any:
        """Return the first value of a name; see `email.message.Message`."""
        wanted = name.lower()
        for key, value in self._headers:
            if key.lower() == wanted:
                return value if type(value) is str and value.isascii() else super().get(name, failobj)
        return failobj

    def encode_values(self) -> None:
        """Turn every text into bytes, as it goes over the wire."""
        self._headers = [
            (name, value.encode("utf-8") if isinstance(value, str) else value) for name, value in self.items()
        ]


class QuickHeadersDict(HeadersDict):
    """Be botocore's mapping of headers, whatever the case of their names.

    Args:
        args: as a dict's.
        kwargs: as a dict's.

    Example:
        >>> headers = QuickHeadersDict([("Content-Length", "3")])
        >>> headers["content-length"], headers
        ('3', {'Content-Length': '3'})
    """

    # By the name in lower case: the name as it was first given, and the value.
    _dict: dict[str, tuple[str, Any]]

    @classmethod
    def of(cls, fields: Iterable[tuple[str, Any]]) -> QuickHeadersDict:
        """Return a mapping of these fields; of those with one name the last value counts.

        Args:
            fields: names and values.
        """
        made = cls.__new__(cls)
        kept: dict[str, tuple[str, Any]] = {}
        for name, value in fields:
            key = name.lower()
            kept[key] = (kept[key][0] if key in kept else name, value)
        made._dict = kept
        return made

    @classmethod
    def joined(cls, fields: Iterable[tuple[str, str]]) -> QuickHeadersDict:
        """Return a mapping of an answer's fields; the values of one name are joined by commas.

        Args:
            fields: names and values.
        """
        made = cls.__new__(cls)
        kept: dict[str, tuple[str, Any]] = {}
        for name, value in fields:
            key = name.lower()
            if key in kept:
                name, before = kept[key]  # noqa: PLW2901  the name as it was first given
                value = f"{before}, {value}"  # noqa: PLW2901
            kept[key] = (name, value)
        made._dict = kept
        return made

    def __setitem__(self, key: str, value: Any) -> None:
        lower = key.lower()
        known = self._dict.get(lower)
        self._dict[lower] = (known[0] if known else key, value)

    def __getitem__(self, key: str) -> Any:
        return self._dict[key.lower()][1]

    def __delitem__(self, key: str) -> None:
        del self._dict[key.lower()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._dict

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._dict.values()])

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a name; see `dict.get`."""
        found = self._dict.get(key.lower())
        return default if found is None else found[1]

    def items(self) -> Any:
        """Return all names and values; see `dict.items`."""
        return dict(self._dict.values()).items()

    def __repr__(self) -> str:
        return repr(dict(self._dict.values()))

    def copy(self) -> QuickHeadersDict:
        """Return a mapping of its own with the same headers."""
        twin = self.__class__.__new__(self.__class__)
        twin._dict = dict(self._dict)
        return twin
