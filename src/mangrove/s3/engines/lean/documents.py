"""Write the two XML documents that grow with the number of objects and parts: what to delete, what to complete."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from mangrove.s3.engines.base import Keys

__all__ = ["complete_document", "delete_document"]

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_SPECIAL = re.compile(r"[&<>\r\n\t]")
_BETWEEN = "</Key></Object><Object><Key>"
# A carriage return or a line feed would be another character once it is read.
_LINES = {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}


def _text(value: Any) -> str:
    text = str(value)
    return escape(text, _LINES) if _SPECIAL.search(text) else text


def delete_document(value: Mapping[str, Any]) -> bytes:
    """Return the body of DeleteObjects.

    Args:
        value: the `Delete` of botocore's input: `{"Objects": [{"Key": …, "VersionId": …}, …], "Quiet": …}`.

    Example:
        >>> delete_document({"Objects": [{"Key": "a&b"}], "Quiet": True})[-66:]
        b'/"><Object><Key>a&amp;b</Key></Object><Quiet>true</Quiet></Delete>'
    """
    quiet = "<Quiet>true</Quiet>" if value.get("Quiet") else ""
    return f'<Delete xmlns="{_NAMESPACE}">{_objects(value["Objects"])}{quiet}</Delete>'.encode()


def _objects(objects: Sequence[Mapping[str, Any]]) -> str:
    if isinstance(objects, Keys):
        # Escaped in one go: none of them has a NUL, nor what `_LINES` has.
        joined = escape("\0".join(objects.names))
        return f"<Object><Key>{joined.replace(chr(0), _BETWEEN)}</Key></Object>"
    return "".join([f"<Object>{_members(each)}</Object>" for each in objects])


def complete_document(value: Mapping[str, Any]) -> bytes:
    """Return the body of CompleteMultipartUpload.

    Args:
        value: the `MultipartUpload` of botocore's input: `{"Parts": [{"ETag": …, "PartNumber": …}, …]}`.
    """
    parts = "".join([f"<Part>{_members(each)}</Part>" for each in value["Parts"]])
    return f'<CompleteMultipartUpload xmlns="{_NAMESPACE}">{parts}</CompleteMultipartUpload>'.encode()


def _members(each: Mapping[str, Any]) -> str:
    return "".join([f"<{name}>{_text(value)}</{name}>" for name, value in each.items() if value is not None])
