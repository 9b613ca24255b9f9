"""Turn a call, by the names of S3's API, into a request's target, fields and body, by tables of botocore's model."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from botocore.utils import parse_to_aware_datetime

from mangrove.errors import ConfigError
from mangrove.s3.engines.lean.documents import complete_document, delete_document

__all__ = ["OPERATIONS", "Form", "Message", "form_of", "message"]

# What moves objects; all else is botocore's.
OPERATIONS = frozenset(
    (
        "AbortMultipartUpload CompleteMultipartUpload CopyObject CreateMultipartUpload DeleteObject DeleteObjects"
        " GetObject HeadObject ListObjectsV2 ListParts PutObject UploadPart UploadPartCopy"
    ).split()
)
_PLAIN = re.compile(r"[A-Za-z0-9_.\-~/]*\Z")
_BROKEN = re.compile(r"[\r\n\0]")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
# In the path, or said by the body itself.
_ABSENT: tuple[Any, ...] = (None, "")
_APART = frozenset({"Bucket", "ContentLength", "Key"})
_DOCUMENTS: dict[str, tuple[str, Callable[[Any], bytes]]] = {
    "CompleteMultipartUpload": ("MultipartUpload", complete_document),
    "DeleteObjects": ("Delete", delete_document),
}
# What botocore's model does not ask for, and the request makes no sense without.
_NAMED = {"CompleteMultipartUpload": ("MultipartUpload",)}
_KEYS = ("SSECustomerKey", "CopySourceSSECustomerKey")


class Message(NamedTuple):
    """Be a request without its host, its signature and its length.

    Attributes:
        method: the HTTP method.
        path: the key's path below the bucket's, quoted, without the leading slash.
        query: the query, its names sorted, as it is signed and sent; or empty.
        fields: lower-case names and values.
        body: the bytes, or None.
    """

    method: str
    path: str
    query: str
    fields: list[tuple[str, str]]
    body: Any


class Form(NamedTuple):
    """Say where an operation's parameters go.

    Attributes:
        method: the HTTP method.
        query: what is always in its query, such as ("uploads", "").
        fields: for each parameter in the header, the field's name and how its value is written.
        arguments: the same for those in the query.
        prefixes: for each parameter that is a map, the prefix of its fields.
        document: the parameter that is the XML of the body, and what writes it.
        needed: the parameters that say what the request is: without its UploadId, to abort is to delete.
    """

    method: str
    query: tuple[tuple[str, str], ...]
    fields: Mapping[str, tuple[str, Callable[[Any], str]]]
    arguments: Mapping[str, tuple[str, Callable[[Any], str]]]
    prefixes: Mapping[str, str]
    document: tuple[str, Callable[[Any], bytes]] | None
    needed: tuple[str, ...]


def form_of(service_model: Any, operation: str) -> Form:
    """Return the form of an operation's requests.

    Args:
        service_model: botocore's `ServiceModel` of S3.
        operation: one of `OPERATIONS`.
    """
    model = service_model.operation_model(operation)
    members = {name: shape for name, shape in model.input_shape.members.items() if name not in _APART}
    query = model.http["requestUri"].partition("?")[2]
    return Form(
        model.http["method"],
        tuple((name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part)),
        {name: (_wire(shape).lower(), _writer(shape)) for name, shape in members.items() if _place(shape) == "header"},
        {name: (_wire(shape), _writer(shape)) for name, shape in members.items() if _place(shape) == "querystring"},
        {name: _wire(shape).lower() for name, shape in members.items() if _place(shape) == "headers"},
        _DOCUMENTS.get(operation),
        tuple(name for name in (*model.input_shape.required_members, *_NAMED.get(operation, ())) if name != "Bucket"),
    )


def _place(shape: Any) -> Any:
    return shape.serialization.get("location")


def _wire(shape: Any) -> str:
    name: str = shape.serialization["name"]
    return name


def _writer(shape: Any) -> Callable[[Any], str]:
    kind = shape.type_name
    if _wire(shape) == "x-amz-copy-source":
        return _source
    if kind == "timestamp":
        iso = shape.serialization.get("timestampFormat") == "iso8601"
        return _iso if iso else _date
    return {"boolean": _flag, "list": _joined}.get(kind, str)


def _source(value: Any) -> str:
    """Return the name of a copy's source: botocore's dict, or a text that is not quoted yet."""
    if isinstance(value, str):
        path, mark, version = value.partition("?versionId=")
        return quote(path, safe="/~") + mark + version
    bucket, key, version = value["Bucket"], value["Key"], value.get("VersionId")
    path = f"{bucket}/object/{key}" if bucket.startswith("arn:") else f"{bucket}/{key}"
    return quote(path, safe="/~") + (f"?versionId={version}" if version else "")


def _flag(value: Any) -> str:
    return "true" if value else "false"


def _joined(value: Any) -> str:
    return ",".join(str(each) for each in value)


def _date(value: Any) -> str:
    return formatdate(parse_to_aware_datetime(value).timestamp(), usegmt=True)


def _iso(value: Any) -> str:
    return str(parse_to_aware_datetime(value).astimezone(_utc()).strftime("%Y-%m-%dT%H:%M:%SZ"))


@lru_cache(maxsize=1)
def _utc() -> Any:
    from datetime import timezone  # noqa: PLC0415  rarely needed

    return timezone.utc


def message(form: Form, params: Mapping[str, Any], body: Any) -> Message:
    """Return the request for a call.

    Args:
        form: the form of its operation.
        params: its parameters, by botocore's names.
        body: its bytes, or None.

    Raises:
        ConfigError: a parameter is unknown or missing, or a value can't stand in a header.
    """
    for name in form.needed:
        if not params.get(name) and params.get(name) in _ABSENT:
            text = f"S3's operation needs {name}; got {params.get(name)!r}"
            raise ConfigError(text)
    fields: list[tuple[str, str]] = []
    query: list[tuple[str, str]] = []
    key = params.get("Key", "")
    path = key if _PLAIN.match(key) else quote(key, safe="/~")
    places = form.fields
    for name, value in params.items():
        if name in _APART or value is None or name in _KEYS:
            continue
        place = places.get(name)
        if place is not None:
            text = place[1](value)
            # As almost all are; each is seen a million times.
            fields.append((place[0], text.strip() if text.isprintable() else _clean(name, text)))
        else:
            body = _elsewhere(form, name, value, fields, query) or body
    if _KEYS[0] in params or _KEYS[1] in params:
        fields += _with_keys(form, params)
    return Message(form.method, path, _query(form.query, query) if form.query or query else "", fields, body)


def _elsewhere(
    form: Form, name: str, value: Any, fields: list[tuple[str, str]], query: list[tuple[str, str]]
) -> bytes | None:
    """Put a parameter where it goes that is not a field of its own; return the body if it is that."""
    if name in form.arguments:
        wire, write = form.arguments[name]
        query.append((wire, write(value)))
    elif name in form.prefixes:
        prefix = form.prefixes[name]
        fields += [(_field(name, prefix + key.lower()), _clean(name, str(each))) for key, each in value.items()]
        if len({wire for wire, _ in fields}) != len(fields):
            text = f"{name} has two names that are one in a header, where upper and lower case are the same"
            raise ConfigError(text)
    elif form.document is not None and name == form.document[0]:
        return form.document[1](value)
    else:
        text = f"S3's operation has no parameter {name!r}; this botocore knows: {', '.join(sorted(form.fields))}"
        raise ConfigError(text)
    return None


def _field(name: str, wire: str) -> str:
    if _TOKEN.match(wire) is None:
        text = f"{name} has a name that can't be that of a header: {wire!r}"
        raise ConfigError(text)
    return wire


def _clean(name: str, value: str) -> str:
    if _BROKEN.search(value):
        text = f"{name} has a line break or a NUL, which can't stand in a header"
        raise ConfigError(text)
    return value.strip()


def _query(always: tuple[tuple[str, str], ...], more: list[tuple[str, str]]) -> str:
    pairs = [(quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in (*always, *more)]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _with_keys(form: Form, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Return the fields with keys of one's own (SSE-C) as S3 wants them: in base64, with their MD5.

    Whoever gives the MD5 too has written both, as botocore has it.
    """
    for name in _KEYS:
        key = params.get(name)
        if key is None:
            continue
        field, digest = form.fields[name][0], form.fields[name + "MD5"][0]
        if params.get(name + "MD5") is not None:
            yield field, _clean(name, str(key))
            continue
        raw = key.encode() if isinstance(key, str) else bytes(key)
        yield field, base64.b64encode(raw).decode()
        yield digest, base64.b64encode(hashlib.md5(raw, usedforsecurity=False).digest()).decode()
