"""Read an answer by the names of S3's API: what is asked from the head alone, the rest by botocore's parser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from mangrove.s3.engines.base import Reply
from mangrove.s3.engines.lean.reading import Reading

__all__ = ["LeanReply", "Names", "error_of", "fields_of", "names_of"]

# For each member of an answer that is a field of its head: the field's name in lower case, and how it is read.
Names = Mapping[str, tuple[bytes, Any]]
_READ = {"string": str, "integer": int, "long": int, "boolean": lambda text: text == "true"}


def names_of(output_shape: Any) -> Names:
    """Return which members of an operation's answer are plain fields of its head.

    Args:
        output_shape: botocore's shape of the answer, or None.
    """
    members = output_shape.members.items() if output_shape is not None else ()
    return {
        name: (b"\r\n" + shape.serialization["name"].lower().encode() + b":", _READ[shape.type_name])
        for name, shape in members
        if shape.serialization.get("location") == "header" and shape.type_name in _READ
    }


def fields_of(head: bytes) -> dict[str, str]:
    r"""Return the fields of a head, their names in lower case; those of the same name are joined by commas.

    Example:
        >>> fields_of(b"HTTP/1.1 200 OK\r\nETag: a\r\nVary: b\r\nVary: c")
        {'etag': 'a', 'vary': 'b, c'}
    """
    found: dict[str, str] = {}
    for line in head.decode("iso-8859-1").split("\r\n")[1:]:
        name, mark, value = line.partition(":")
        if mark:
            low, text = name.lower(), value.strip()
            found[low] = f"{found[low]}, {text}" if low in found else text
    return found


class LeanReply(Reply):
    """Be an answer of which nothing is parsed before it is asked for.

    Args:
        reading: the whole answer.
        operation: botocore's name of what was asked.
        names: where members are in its head.
        parse: makes botocore's dict of an answer to an operation with a status.
    """

    __slots__ = ("_names", "_operation", "_parse", "_reading")

    def __init__(
        self, reading: Reading, operation: str, names: Names, parse: Callable[[Reading, str, int], Any]
    ) -> None:
        self.status = reading.status
        self.body = reading.body if operation == "GetObject" and not reading.too_long else b""
        self._data = None
        self._reading, self._operation, self._names, self._parse = reading, operation, names, parse

    @property
    def data(self) -> Mapping[str, Any]:
        """Return the answer as botocore parses it, without its Body."""
        if self._data is None:
            self._data = self._parse(self._reading, self._operation, self.status)
        return self._data

    @property
    def document(self) -> bytes:
        """Return the XML of the answer."""
        return self._reading.body

    def let_go(self) -> None:
        """Let go of the bytes of the object; what is known of it stays."""
        self.body = b""
        self._reading.let_go()

    def get(self, member: str) -> Any:
        """Return a member of the answer, or None."""
        if self._data is not None or member not in self._names:
            return self.data.get(member)
        reading, (mark, read) = self._reading, self._names[member]
        start = reading.low.find(mark)
        if start < 0:
            return None
        start += len(mark)
        return read(reading.head[start : reading.low.find(b"\r\n", start)].strip().decode("iso-8859-1"))


def error_of(operation: str, parsed: Mapping[str, Any], make: Any) -> ClientError:
    """Return botocore's error for an answer that is one.

    Args:
        operation: the operation's name.
        parsed: the answer as botocore parses it.
        make: finds the class of a code: `client.exceptions.from_code`.
    """
    error: ClientError = make(parsed.get("Error", {}).get("Code", ""))(parsed, operation)
    return error
