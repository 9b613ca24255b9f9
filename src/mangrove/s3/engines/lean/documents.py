"""Write the two XML documents that grow with the number of objects and parts: what to delete, what to complete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

__all__ = ["complete_document", "delete_document"]

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_SPECIAL = re.compile(r"[&<>\r\n\t]")
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


def _objects(objects: list[Mapping[str, Any]]) -> str:
    keys = [each["Key"] for each in objects if len(each) == 1]
    joined = "\0".join(keys)
    # Keys alone, as almost always: looked through and escaped in one go. None of them has a NUL.
    if keys and len(keys) == len(objects) and joined.count("\0") == len(keys) - 1:
        return f"<Object><Key>{_text(joined).replace(chr(0), '</Key></Object><Object><Key>')}</Key></Object>"
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
