"""A real botocore client whose calls a `MemoryStore` answers: what `conn.conn` is inside a mock.

botocore validates the parameters, calls all handlers, and makes the errors; where it would send the request, one of its
own events brings the answer instead. So paginators, waiters, boto3's transfers and `client.exceptions` work, and
neither credentials nor a network are asked for.
"""

from __future__ import annotations

import copy
import io
import os
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from mangrove.aws.session import Session
from mangrove.aws.sharing import SharingSession, core_session
from mangrove.s3.clients import with_positional_bucket
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.memory import MemoryEngine, MemoryStore

__all__ = ["memory_client"]

_KEPT = "mangrove_params"


def memory_client(
    store: MemoryStore | None = None, *, region_name: str = "us-east-1", config: Config | None = None
) -> Any:
    """Return a botocore client for S3 that never leaves this process.

    Args:
        store: what holds the objects; None makes an empty one.
        region_name: the client's region, where `create_bucket` makes buckets.
        config: settings of the client, such as when it computes checksums.

    Example:
        >>> client = memory_client()
        >>> client.create_bucket("foo")["ResponseMetadata"]["HTTPStatusCode"]
        200
        >>> client.upload_fileobj(io.BytesIO(b"hello"), "foo", "bar")
        >>> client.get_object(Bucket="foo", Key="bar")["Body"].read()
        b'hello'
        >>> client.get_object(Bucket="foo", Key="none")
        Traceback (most recent call last):
        ...
        botocore.errorfactory.NoSuchKey: An error occurred (NoSuchKey) when calling the GetObject operation: The
        specified key does not exist.
    """
    client: Any = _deaf_session(region_name).client("s3", config=config)
    answers = _Answers(MemoryEngine(store, region_name=region_name))
    # After botocore's own handlers, which complete the parameters.
    client.meta.events.register_last("before-parameter-build.s3", answers.remember)
    client.meta.events.register_last("before-call.s3", answers.answer)
    return with_positional_bucket(client)


def _deaf_session(region_name: str) -> Session:
    """Make a session that reads neither environment nor files; its keys sign presigned URLs and open nothing."""
    deaf: dict[str, Any] = {
        name: (option, None, default, convert)
        for name, (option, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    for name in ("config_file", "credentials_file"):
        deaf[name] = (None, None, os.devnull, None)
    core = core_session(deaf)
    session = Session("mock", "mock", region_name=region_name, botocore_session=core)
    if isinstance(core, SharingSession):
        core.settle()  # all of them are of one kind, and share what clients are made from
    return session


class _Answers:
    """Be the handlers of a client's events that stand where the network would be.

    Args:
        engine: what answers.
    """

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine

    def remember(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        """Keep the parameters by their API names, before botocore makes a request of them."""
        context[_KEPT] = dict(params)

    def answer(self, model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> tuple[Any, Any]:
        """Return what botocore would have received and parsed."""
        given = context.pop(_KEPT)
        body = _read(given.pop("Body", None))
        if "CopySource" in given:
            given["CopySource"] = _unquoted(given["CopySource"])
        _name_checksum(model, given, context)
        try:
            reply = self._engine.perform(Call(model.name, given, body=body))
        except ClientError as error:
            parsed: Any = error.response
        else:
            parsed = _parsed(model, reply, self._engine.store.new_id())
        metadata = parsed["ResponseMetadata"]
        return AWSResponse(params["url"], metadata["HTTPStatusCode"], metadata["HTTPHeaders"], None), parsed


def _read(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body)
    if hasattr(body, "signal_transferring"):
        # boto3's transfers count what is read from now on, as they do when a request is being sent.
        body.signal_transferring()
    found = body.read()
    if isinstance(found, str):
        text = "the body is a file opened in text mode; open it in binary mode, 'rb'"
        raise TypeError(text)
    return bytes(found)


def _unquoted(source: str) -> dict[str, str]:
    path, _, version_id = source.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    return {"Bucket": bucket, "Key": key, **({"VersionId": version_id} if version_id else {})}


def _name_checksum(model: Any, given: dict[str, Any], context: dict[str, Any]) -> None:
    """Name the checksum that botocore would compute while it sends the body."""
    member = (model.http_checksum or {}).get("requestAlgorithmMember")
    wanted = context["client_config"].request_checksum_calculation != "when_required"
    if model.has_streaming_input and member and wanted and not any(name.startswith("Checksum") for name in given):
        given[member] = "CRC32"


def _parsed(model: Any, reply: Reply, request_id: str) -> dict[str, Any]:
    # A copy: users change answers, and must not change what is stored.
    parsed = copy.deepcopy(dict(reply.data))
    shape = model.output_shape
    headers = {"x-amz-request-id": request_id, "x-amz-id-2": request_id, "server": "AmazonS3"}
    if shape is not None:
        headers.update(_headers(shape, parsed))
    if model.has_streaming_output:
        stream: Any = io.BytesIO(reply.body)
        parsed["Body"] = StreamingBody(stream, len(reply.body))
    parsed["ResponseMetadata"] = {
        "RequestId": request_id,
        "HostId": request_id,
        "HTTPStatusCode": reply.status,
        "HTTPHeaders": headers,
        "RetryAttempts": 0,
    }
    return parsed


def _headers(shape: Any, parsed: dict[str, Any]) -> dict[str, str]:
    """Return the members of an answer that travel as headers."""
    headers = {}
    for name, member in shape.members.items():
        place = member.serialization
        if name in parsed and place.get("location") == "header":
            headers[place["name"].lower()] = _text(parsed[name])
        elif name in parsed and place.get("location") == "headers":
            headers.update({f"{place['name']}{key}".lower(): value for key, value in parsed[name].items()})
    return headers


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return format_datetime(value.astimezone(timezone.utc), usegmt=True)
    return str(value).lower() if isinstance(value, bool) else str(value)
