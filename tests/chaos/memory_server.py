"""An S3 on HTTP over the memory engine: fast, with checksums of everything, and open to be looked into."""

from __future__ import annotations

import contextlib
from datetime import datetime, timezone
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from mangrove.s3.engines.base import Call
from mangrove.s3.engines.memory import MemoryEngine, MemoryStore
from mangrove.testing.faults.asked import asked_of
from mangrove.testing.faults.listening import Listener
from mangrove.testing.faults.messages import Stream, request_length

__all__ = ["MemoryServer"]


@cache
def _model():
    return ServiceModel(Loader().load_service_model("s3", "service-2"), "s3")


class MemoryServer:
    """Serve a memory store, in a `with` block."""

    def __init__(self):
        self.store = MemoryStore()
        self.engine = MemoryEngine(self.store)

    def __enter__(self):
        self._listener = Listener(self._serve, "memory-server")
        self.endpoint_url = self._listener.url
        return self

    def __exit__(self, *_):
        self._listener.stop()

    def uploads(self, bucket):
        """Return the uploads in parts that are open."""
        return self.engine.perform(Call("ListMultipartUploads", {"Bucket": bucket})).get("Uploads") or []

    def held(self, bucket):
        """Return all keys with their bytes."""
        return {
            key: self.engine.perform(Call("GetObject", {"Bucket": bucket, "Key": key})).body
            for key in list(self.store.bucket(bucket).keys())
        }

    def _serve(self, _listener, sock):
        stream = Stream(sock)
        while head := stream.head():
            if head.get("expect"):
                sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = stream.body(request_length(head))
            sock.sendall(_answered(self.engine, head, body))


def _answered(engine, head, body):
    operation = asked_of(head, body).operation
    try:
        model = _model().operation_model(operation)
        reply = engine.perform(_call(model, head, body))
    except ClientError as error:
        return _error(head, error)
    except Exception as error:  # noqa: BLE001  a fault of this double must be seen as one, and not as a lost connection
        return _written(501, [("x-amz-error", type(error).__name__)], f"<Error><Code>{error!r}</Code></Error>", head)
    shape, fields, document = model.output_shape, [], b""
    if shape is not None:
        fields = list(_fields(shape, reply.data))
        document = _document(shape, reply, engine)
    return _written(reply.status, fields, document, head)


# -- requests ----------------------------------------------------------------------------------------------------------


def _call(model, head, body):
    path, _, query = head.target.partition("?")
    bucket, _, key = path[1:].partition("/")
    places = {
        "uri": {"Bucket": unquote(bucket), "Key": unquote(key)},
        "querystring": dict(parse_qsl(query, keep_blank_values=True)),
        "header": {name.lower(): value for name, value in head.fields},
    }
    params, given = {}, None
    for name, member in (model.input_shape.members if model.input_shape else {}).items():
        location = member.serialization.get("location")
        if location == "headers":
            prefix = member.serialization["name"].lower()
            if found := {n[len(prefix) :]: v for n, v in places["header"].items() if n.startswith(prefix)}:
                params[name] = found
        elif location:
            wire = member.serialization["name"]
            value = places[location].get(wire.lower() if location == "header" else wire)
            if value is not None:
                params[name] = _value(member, value)
        elif member.type_name == "blob":
            given = body
        elif body:
            params[name] = _read(member, ET.fromstring(body))
    if "CopySource" in params:
        params["CopySource"] = _source(params["CopySource"])
    return Call(model.name, params, body=given)


def _source(text):
    path, _, version = text.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    return {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}


def _value(shape, text):
    if shape.type_name in ("integer", "long"):
        return int(text)
    if shape.type_name == "boolean":
        return text == "true"
    if shape.type_name == "timestamp":
        with contextlib.suppress(ValueError):
            return parsedate_to_datetime(text)
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    if shape.type_name == "list":
        return [each.strip() for each in text.split(",")]
    return text


def _read(shape, node):
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            nodes = [each for each in node if each.tag.rpartition("}")[2] == _name(name, member)]
            if nodes and member.type_name == "list":
                inner = nodes if member.serialization.get("flattened") else list(nodes[0])
                found[name] = [_read(member.member, each) for each in inner]
            elif nodes:
                found[name] = _read(member, nodes[0])
        return found
    return _value(shape, node.text or "")


def _name(name, member):
    if member.type_name == "list" and member.serialization.get("flattened"):
        return member.serialization.get("name") or member.member.serialization.get("name") or name
    return member.serialization.get("name", name)


# -- answers -----------------------------------------------------------------------------------------------------------


def _fields(shape, data):
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        if name in data and location == "header":
            yield member.serialization["name"], _text(member, data[name], header=True)
        elif name in data and location == "headers":
            yield from ((f"{member.serialization['name']}{key}", value) for key, value in data[name].items())


def _document(shape, reply, engine):
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name == "blob":
        return reply.body
    if payload:
        inner = {payload: reply.data.get(payload, {})}
        return _xml(payload, shape.members[payload], inner[payload])
    inner = {name: m for name, m in shape.members.items() if not m.serialization.get("location")}
    if not inner:
        return b""
    text = "".join(_members(inner, reply.data))
    return f"<{shape.name}>{text}</{shape.name}>"


def _members(members, data):
    for name, member in members.items():
        if data.get(name) is None:
            continue
        if member.type_name == "list" and member.serialization.get("flattened"):
            yield from (_xml(_name(name, member), member.member, each) for each in data[name])
        else:
            yield _xml(_name(name, member), member, data[name])


def _xml(name, shape, value):
    if shape.type_name == "structure":
        inner = "".join(_members(shape.members, value))
    elif shape.type_name == "list":
        inner = "".join(_xml(shape.member.serialization.get("name", "member"), shape.member, each) for each in value)
    else:
        inner = escape(_text(shape, value), {"\r": "&#13;"})
    return f"<{name}>{inner}</{name}>"


def _text(shape, value, *, header=False):
    if isinstance(value, datetime):
        when = value.astimezone(timezone.utc)
        return format_datetime(when, usegmt=True) if header else when.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    if shape.type_name == "list":
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _error(head, error):
    told = error.response
    text = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in told["Error"].items())
    fields = [(k, v) for k, v in told["ResponseMetadata"].get("HTTPHeaders", {}).items() if k.startswith("x-amz")]
    status = told["ResponseMetadata"]["HTTPStatusCode"]
    return _written(status, fields, "" if status == 304 else f"<Error>{text}</Error>", head)


def _written(status, fields, document, head):
    body = document.encode() if isinstance(document, str) else document
    lines = [f"HTTP/1.1 {status} X"]
    fields = [*fields, ("x-amz-request-id", "R"), ("Date", format_datetime(datetime.now(timezone.utc), usegmt=True))]
    if not any(name.lower() == "content-length" for name, _ in fields) or head.method != "HEAD":
        fields = [each for each in fields if each[0].lower() != "content-length"]
        if status != 204:
            fields.append(("Content-Length", str(len(body))))
    lines += [f"{name}: {value}" for name, value in fields]
    top = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")
    return top if head.method == "HEAD" or status in (204, 304) else top + body
